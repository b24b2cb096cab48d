"""`python -m panal.embedded up | stop | reset [--yes]`: what the Makefile calls."""

import argparse
import sys

from panal.embedded import machine, stopping
from panal.embedded.errors import EmbeddedError
from panal.embedded.paths import home_from_env
from panal.embedded.up import up
from panal.kit.env import BadEnvironment


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m panal.embedded", description=__doc__)
    parser.add_argument("command", choices=["up", "stop", "reset"])
    parser.add_argument("--yes", action="store_true", help="erase without asking")
    arguments = parser.parse_args()
    try:
        machine.read_dotenv()
        home = home_from_env()
        if arguments.command == "up":
            up(home)
        elif arguments.command == "stop":
            stopping.stop(home)
        else:
            stopping.reset(home, confirmed=arguments.yes)
    except (EmbeddedError, BadEnvironment) as error:
        sys.exit(f"\n{error}")


if __name__ == "__main__":
    main()
