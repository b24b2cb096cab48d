"""Starts, watches and, if it must, kills the process that reads a file."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from knowledge.parsing.model import Limits, Parsed, ParseError

_ROOT = Path(__file__).resolve().parents[2]
_TICK_SECONDS = 5.0
_SIGNAL_CODES = {
    signal.SIGXCPU: "parse_timeout",
    signal.SIGALRM: "parse_timeout",
    signal.SIGXFSZ: "parse_output",
}


def parse(
    source: IO[bytes], name: str, limits: Limits | None = None, tick: Callable[[], None] = lambda: None
) -> Parsed:
    """Text of the file `source`, read in a process of its own; raises ParseError.

    `tick` is called about every five seconds while the process works; what it raises ends the process.
    """
    limits = limits or Limits()
    with tempfile.TemporaryFile() as request, tempfile.TemporaryFile() as reply:
        request.write(json.dumps({"name": name, "limits": limits.to_json()}).encode() + b"\n")
        shutil.copyfileobj(source, request)
        request.seek(0)
        process = _start(request, reply)
        try:
            status = _watch(process, limits.wall_seconds, tick)
        finally:
            _end(process)
        if status != 0:
            raise ParseError(
                _SIGNAL_CODES.get(signal.Signals(-status), "parse_crashed") if status < 0 else "parse_crashed"
            )
        return _understand(reply)


def _start(request: IO[bytes], reply: IO[bytes]) -> subprocess.Popen[bytes]:
    """The worker gets an environment without the secrets of this one, and a session that can be killed
    whole.
    """
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(_ROOT), "LC_ALL": "C.UTF-8"}
    return subprocess.Popen(
        [sys.executable, "-m", "knowledge.parsing.worker"],
        stdin=request,
        stdout=reply,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=tempfile.gettempdir(),
        start_new_session=True,
    )


def _watch(process: subprocess.Popen[bytes], wall_seconds: float, tick: Callable[[], None]) -> int:
    deadline = time.monotonic() + wall_seconds
    while True:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise ParseError("parse_timeout")
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=min(_TICK_SECONDS, remaining))
        tick()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _understand(reply: IO[bytes]) -> Parsed:
    reply.seek(0)
    try:
        answer = json.loads(reply.read())
    except ValueError as error:
        raise ParseError("parse_crashed") from error
    if "error" in answer:
        raise ParseError(answer["error"])
    return Parsed.from_json(answer["parsed"])
