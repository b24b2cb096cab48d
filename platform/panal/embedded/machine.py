"""What one installation needs of its machine: a free port, no second start, a key of its own."""

import fcntl
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from panal.embedded.errors import EmbeddedError
from panal.embedded.paths import ROOT, Home
from panal.kit.env import env_int, env_str


def read_dotenv(file: Path = ROOT / ".env") -> None:
    """Take `NAME=value` lines into the environment. What is set already wins; `#` begins a comment line."""
    if not file.is_file():
        return
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise EmbeddedError(f"{file}, line {number}: expected NAME=value")
        os.environ.setdefault(name.strip(), value.strip().strip("\"'"))


def environment(home: Home) -> dict[str, str]:
    """What every process of the product gets, whichever folder `make` was called from."""
    return {
        **os.environ,
        "PANAL_HOME": str(home.path),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
        "PYTHONUNBUFFERED": "1",
    }


def ensure_secret_key(home: Home) -> None:
    """A key of this installation's own, readable by its owner only; `SECRET_KEY` goes before it."""
    file = home.path / "secret_key"
    if file.exists():
        return
    unfinished = file.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(secrets.token_urlsafe(48))
    unfinished.rename(file)


@contextmanager
def only_one(home: Home) -> Iterator[None]:
    """One `make up` for each home; the lock goes with the process, however it ends."""
    with (home.run / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EmbeddedError(
                f"Panal already runs from {home.path}. End it with Ctrl-C where it runs, or with `make stop`."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def running_up(home: Home) -> psutil.Process | None:
    """The `make up` that holds the lock now."""
    try:
        with only_one(home):
            return None
    except EmbeddedError:
        return psutil.Process(int((home.run / "up.lock").read_text()))


def web_address() -> tuple[str, int]:
    """Where the web process listens."""
    return env_str("BIND", "127.0.0.1"), env_int("PORT", 8000)


def require_free_port() -> None:
    host, port = web_address()
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        # As uvicorn does: a port whose old connections still time out is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen()
        except OSError as error:
            trouble = f"{error.strerror}{_user_of(port)}"
            raise EmbeddedError(
                f"Port {port} cannot be used: {trouble}. Choose another: make up PORT={port + 1}"
            ) from error


def _user_of(port: int) -> str:
    """', by <name> (pid <n>)' where this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f", by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        return ""
    return ""
