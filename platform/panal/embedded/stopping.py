"""`make stop` and `make reset`, and the clearing up that every `make up` begins with."""

import shutil
from pathlib import Path

from panal.embedded import machine, programs, services
from panal.embedded.errors import EmbeddedError
from panal.embedded.paths import ROOT, Home
from panal.embedded.terminal import say

# What a folder of ours holds; one without any of it is not erased.
OWN_NAMES = {"postgres", "redis", "logs", "run"}


def stop_leftovers(home: Home) -> bool:
    """Stop what a killed `make up` left: the supervisor first, else it restarts the rest."""
    in_order = (*programs.services(home), *programs.product(home))
    everything = (programs.supervisor(home), *reversed(in_order))
    stopped = [program.name for program in everything if services.stop_program(program)]
    if stopped:
        say(f"Stopped what an earlier start left running: {', '.join(stopped)}.")
    return bool(stopped)


def stop(path: Path) -> None:
    if not path.exists():
        say("Nothing is running.")
        return
    home = services.prepared(path)
    front = machine.running_up(home)
    if front is not None:
        say(f"Stopping `make up` (pid {front.pid}) …")
        front.terminate()
        front.wait()
    if not stop_leftovers(home) and front is None:
        say("Nothing is running.")
    services.forget_sockets(home)


def reset(path: Path, *, confirmed: bool) -> None:
    """Erase the home with everything in it."""
    if not path.exists():
        say(f"{path} does not exist: nothing to erase.")
        return
    refuse_dangerous(path)
    if (
        not confirmed
        and _answer(f"Erase {path} with all workspaces, documents and keys? Type yes: ") != "yes"
    ):
        raise EmbeddedError("Nothing was erased.")
    stop(path)
    shutil.rmtree(path)
    say(f"Erased {path}.")


def _answer(question: str) -> str:
    try:
        return input(question).strip().lower()
    except EOFError:
        raise EmbeddedError(
            "\nNothing was erased. Without a terminal, say it in advance: make reset YES=1"
        ) from None


def refuse_dangerous(path: Path) -> None:
    names = {entry.name for entry in path.iterdir()} if path.is_dir() else set()
    holds_more = path in {ROOT, Path.home()} or path in ROOT.parents
    if holds_more or not OWN_NAMES & names:
        raise EmbeddedError(f"{path} is not a folder of Panal's data: nothing was erased.")
