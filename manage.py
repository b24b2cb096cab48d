#!/usr/bin/env python
"""Django's command line, with both roots on the path (see docs/decisions/0001) and the services it needs."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent

NEED_NO_SERVICES = {
    "check",
    "collectstatic",
    "compilemessages",
    "help",
    "makemessages",
    "makemigrations",
    "--help",
}


def main() -> None:
    # After the script's own folder, so that the standard library's `platform` still wins.
    sys.path.insert(1, str(ROOT / "platform"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panal.settings")
    from django.core.management import execute_from_command_line

    from panal.embedded.commands import command_services
    from panal.embedded.errors import EmbeddedError

    if not set(sys.argv[1:2]) - NEED_NO_SERVICES:
        execute_from_command_line(sys.argv)
        return
    try:
        with command_services():
            execute_from_command_line(sys.argv)
    except EmbeddedError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
