"""Start, stop and share the embedded PostgreSQL and Redis of one home.

Whoever uses the services holds a shared lock on one file; whoever starts or stops them holds it alone. So two
commands may use them at once, the last one out stops them, and a running `make up` is never stopped under it.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
import psycopg
import redis

from panal.embedded import database, programs
from panal.embedded.errors import EmbeddedError
from panal.embedded.paths import Addresses, Home, addresses
from panal.embedded.programs import Program

START_SECONDS = 60


@contextmanager
def running(home: Path, *, durable: bool = True) -> Iterator[Addresses]:
    """Have both services answering inside the block; stop them after it unless somebody else uses them.

    `durable=False` is for tests: faster, and what was written may be lost when the machine stops.
    """
    place = prepared(home)
    with users_lock(place) as lock:
        deadline = time.monotonic() + START_SECONDS
        while not _joined(lock, place):
            if try_own(lock):
                start(home, durable=durable)
            elif time.monotonic() > deadline:
                raise EmbeddedError(
                    f"Another command holds the services of {place.path}, and they do not answer."
                )
            else:
                time.sleep(0.1)
        try:
            yield addresses(place.path)
        finally:
            if try_own(lock):
                stop(home)


def _joined(lock: IO[bytes], place: Home) -> bool:
    """Become a user of services that answer already."""
    share(lock)
    if answering(place):
        return True
    fcntl.flock(lock, fcntl.LOCK_UN)
    return False


def start(home: Path, *, durable: bool = True) -> Addresses:
    """Start what does not run and wait until both answer. The caller sees to it that nobody does the same."""
    place = prepared(home)
    database.ready_to_start(place)
    for program in programs.services(place, durable=durable):
        if not program.processes():
            with place.log(program.name).open("ab") as log:
                subprocess.Popen(  # noqa: S603
                    program.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
    wait_until_answering(place)
    database.prepare(place)
    return addresses(place.path)


def stop(home: Path) -> None:
    """Stop both services, the last started first. Does nothing when they do not run."""
    place = Home(home.resolve())
    for program in reversed(programs.services(place)):
        stop_program(program)
    forget_sockets(place)


def forget_sockets(place: Home) -> None:
    """Leave nothing in the shared folder once nothing runs; the next start makes it again."""
    shutil.rmtree(place.sockets, ignore_errors=True)


def stop_program(program: Program) -> bool:
    """Ask the program's processes to end, then make them. True when there were any."""
    processes = program.processes()
    for process in processes:
        _signal(process, getattr(signal, f"SIG{program.stop_signal}"))
    _, stubborn = psutil.wait_procs(processes, timeout=program.stop_seconds)
    for process in stubborn:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=5)
    return bool(processes)


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def prepared(home: Path) -> Home:
    """The home with its folders made."""
    place = Home(home.resolve())
    # Others may pass through (PostgreSQL, when it runs under its own account) but not look around.
    place.path.mkdir(mode=0o711, parents=True, exist_ok=True)
    for folder in (place.logs, place.run, place.redis):
        folder.mkdir(mode=0o700, exist_ok=True)
    private_folder(place.sockets)
    return place


def private_folder(folder: Path) -> None:
    """Make a folder in a shared place that only we can enter; refuse one that somebody else made first."""
    folder.mkdir(mode=0o700, exist_ok=True)
    account = programs.postgres_account()
    owner = account.pw_uid if account else os.getuid()
    status = folder.lstat()
    if status.st_uid not in {os.getuid(), owner} or folder.is_symlink() or status.st_mode & 0o077:
        raise EmbeddedError(
            f"{folder} belongs to somebody else or is open to others: remove it and try again."
        )
    database.give_to_postgres(folder)


def answering(place: Home) -> bool:
    return all(trouble() is None for trouble in _troubles(place).values())


def _troubles(place: Home) -> dict[str, Callable[[], str | None]]:
    return {
        "postgres": lambda: postgres_trouble(database.server_url(place)),
        "redis": lambda: redis_trouble(addresses(place.path).redis_url),
    }


def postgres_trouble(url: str) -> str | None:
    """Why the PostgreSQL at `url` does not answer, or None."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        return str(error)
    return None


def redis_trouble(url: str) -> str | None:
    """Why the Redis at `url` does not answer, or None. While it loads its file it answers with an error."""
    client = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
    try:
        client.ping()
    except redis.RedisError as error:
        return str(error)
    finally:
        client.close()
    return None


def wait_until_answering(place: Home) -> None:
    deadline = time.monotonic() + START_SECONDS
    for name, trouble_of in _troubles(place).items():
        while (trouble := trouble_of()) is not None:
            if time.monotonic() > deadline:
                raise EmbeddedError(f"{name} does not answer: {trouble}\n{last_lines(place.log(name))}")
            time.sleep(0.1)


def last_lines(log: Path, count: int = 40) -> str:
    if not log.exists():
        return f"({log} was not written)"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
    return "\n".join(lines)


@contextmanager
def users_lock(place: Home) -> Iterator[IO[bytes]]:
    with (place.run / "services.lock").open("ab") as file:
        yield file


def share(lock: IO[bytes]) -> None:
    """Become one of the users; waits while somebody starts or stops the services."""
    fcntl.flock(lock, fcntl.LOCK_SH)


def try_own(lock: IO[bytes]) -> bool:
    """Become the only one, if nobody else uses the services."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
