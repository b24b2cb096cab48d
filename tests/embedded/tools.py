"""What the tests of the embedded services share."""

import os
import socket
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# A process of our own must not see the addresses that the test run itself uses.
RUN_VARIABLES = {
    "DATABASE_URL",
    "REDIS_URL",
    "PANAL_HOME",
    "PORT",
    "BIND",
    "SECRET_KEY",
    "DJANGO_SETTINGS_MODULE",
}
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name not in RUN_VARIABLES},
    "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def eventually(condition, seconds: float = 15):
    """The first true answer of `condition`; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "this never became true"
        time.sleep(0.05)
    return answer
