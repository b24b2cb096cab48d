"""`make up`: everything on one machine, until a signal ends it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType

from panal.embedded import database, machine, programs, services
from panal.embedded.errors import EmbeddedError
from panal.embedded.paths import ROOT, Home, addresses
from panal.embedded.programs import Program
from panal.embedded.stopping import stop_leftovers
from panal.embedded.supervisor import FAILED_ONCE, GIVEN_UP, Supervisor
from panal.embedded.terminal import LogTail, say
from panal.kit.env import env_bool, env_str

# For slow machines: a part that breaks is noticed long before.
PART_SECONDS = 120
TICK_SECONDS = 0.5
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# A service whose address is in the environment is not started here.
ADDRESS_VARIABLES = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}


@dataclass(frozen=True)
class SignIn:
    url: str
    email: str
    password: str


class Stopped(Exception):
    """Somebody asked `make up` to end."""


def up(path: Path) -> None:
    """Start everything and stay until a signal. Raises EmbeddedError when a part fails."""
    started = time.monotonic()
    home = services.prepared(path)
    with machine.only_one(home), services.users_lock(home) as lock:
        signals_raise()
        try:
            if not services.try_own(lock):
                raise EmbeddedError(
                    "A manage.py command uses this installation; try again when it has ended."
                )
            stop_leftovers(home)
            machine.require_free_port()
            machine.ensure_secret_key(home)
            with supervised(home) as supervisor:
                say("Starting PostgreSQL and Redis …")
                bring_up_services(home, supervisor)
                # `manage.py` commands may use them from now on, beginning with our own.
                services.share(lock)
                say("Preparing the database …")
                sign_in = set_up(home)
                say("Starting web, worker and scheduler …")
                bring_up_product(home, supervisor)
                announce(sign_in, time.monotonic() - started)
                watch(home, supervisor)
        except Stopped:
            say("Stopped. Nothing is lost: `make up` goes on from here.")


def signals_raise() -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped

    for number in STOP_SIGNALS:
        # `nohup make up` goes on when the terminal closes.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, stop)


def embedded_services(home: Home) -> list[Program]:
    """The services to run here: those whose address is not in the environment."""
    return [program for program in programs.services(home) if not env_str(ADDRESS_VARIABLES[program.name])]


@contextmanager
def supervised(home: Home) -> Iterator[Supervisor]:
    """The supervisor, running; stopped in order at the end, whatever ends it."""
    embedded = embedded_services(home)
    if any(program.name == "postgres" for program in embedded):
        database.ready_to_start(home)
    table = dict.fromkeys(embedded, True) | dict.fromkeys(programs.product(home), False)
    supervisor = Supervisor(home)
    try:
        supervisor.start(table, machine.environment(home))
        yield supervisor
    finally:
        # Stopping in order is what keeps everything: a second Ctrl-C does not hurry it.
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        say("Stopping …")
        supervisor.stop()
        stop_leftovers(home)
        services.forget_sockets(home)


def bring_up_services(home: Home, supervisor: Supervisor) -> None:
    own = addresses(home.path)
    database_url, redis_url = env_str("DATABASE_URL"), env_str("REDIS_URL")
    server_url = database_url or database.server_url(home)
    wait_for(home, supervisor, "postgres", lambda: services.postgres_trouble(server_url))
    wait_for(home, supervisor, "redis", lambda: services.redis_trouble(redis_url or own.redis_url))
    if not database_url:
        database.prepare(home)


def bring_up_product(home: Home, supervisor: Supervisor) -> None:
    for program in programs.product(home):
        supervisor.start_program(program)
    wait_for(home, supervisor, "web", readiness_trouble, FAILED_ONCE)


def wait_for(
    home: Home,
    supervisor: Supervisor,
    name: str,
    trouble_of: Callable[[], str | None],
    failed: frozenset[str] = GIVEN_UP,
) -> None:
    """Wait until nothing is wrong with the part `name`, or a process is in one of the `failed` states."""
    deadline = time.monotonic() + PART_SECONDS
    while (trouble := trouble_of()) is not None:
        broken = supervisor.broken(failed)
        if broken is not None or time.monotonic() > deadline:
            raise part_failed(home, broken or name, trouble)
        time.sleep(0.1)


def part_failed(home: Home, name: str, reason: str) -> EmbeddedError:
    log = home.log(name)
    return EmbeddedError(f"{name} failed: {reason}\n--- the end of {log}\n{services.last_lines(log)}")


def set_up(home: Home) -> SignIn:
    """Migrations, spare schemas and the demo workspace; does little when they are there."""
    with home.log("setup").open("wb") as log:
        result = subprocess.run(  # noqa: S603
            [sys.executable, str(ROOT / "manage.py"), "setup"],
            cwd=ROOT,
            env=machine.environment(home),
            stdout=subprocess.PIPE,
            stderr=log,
            check=False,
        )
    if result.returncode != 0:
        raise part_failed(home, "setup", f"`manage.py setup` ended with status {result.returncode}")
    answer = json.loads(result.stdout.splitlines()[-1])
    return SignIn(answer["url"], answer["email"], answer["password"])


def readiness_trouble() -> str | None:
    host, port = machine.web_address()
    connection = HTTPConnection({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port, timeout=5)  # noqa: S104
    try:
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"/readyz does not answer: {error}"
    finally:
        connection.close()
    return None if status == 200 else f"/readyz answers {status}"


def watch(home: Home, supervisor: Supervisor) -> None:
    """Show warnings (V=1: everything) until a signal; fail with the part that cannot be kept running."""
    tail = LogTail(home.logs, everything=env_bool("V"))
    while True:
        for line in tail.new_lines():
            say(line)
        if not supervisor.running():
            raise part_failed(home, "supervisor", "it was killed; everything was stopped in order")
        if (broken := supervisor.broken()) is not None:
            raise part_failed(home, broken, "it ended again and again")
        time.sleep(TICK_SECONDS)


def announce(sign_in: SignIn, seconds: float) -> None:
    say(
        f"\n  Panal is up ({seconds:.1f} s)\n\n"
        f"    open      {sign_in.url}\n    e-mail    {sign_in.email}\n    password  {sign_in.password}\n\n"
        "  Ctrl-C stops everything.\n"
    )
