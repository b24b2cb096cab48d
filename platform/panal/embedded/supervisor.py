"""supervisord runs the process table: it restarts what dies and stops everything in the opposite order."""

import resource
import shlex
import subprocess
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any
from xmlrpc.client import ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from panal.embedded import programs
from panal.embedded.errors import EmbeddedError
from panal.embedded.paths import Home
from panal.embedded.programs import Program
from panal.embedded.services import last_lines

# A process that fails this many times in a row to stay up for its `start_seconds` is given up, and so is `make up`.
RESTARTS = 3
GIVEN_UP = frozenset({"FATAL", "UNKNOWN"})
# On a first start a process that ended at once has something wrong with it: no use in waiting for more attempts.
FAILED_ONCE = GIVEN_UP | {"BACKOFF", "EXITED"}
MANY_FILES = 65_536
LOG_BYTES = 10 * 1024 * 1024
LISTEN_SECONDS = 20


class Supervisor:
    """supervisord as a child process of `make up`."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, table: Mapping[Program, bool], environment: Mapping[str, str]) -> None:
        """Start with a process table: program -> whether it starts at once."""
        self.home.supervisor_socket.unlink(missing_ok=True)
        (self.home.run / "supervisord.conf").write_text(configuration(self.home, table))
        with self.home.log("supervisor").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                programs.supervisor(self.home).command,
                env=dict(environment),
                cwd=self.home.path,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C must reach `make up` alone, which then stops everything in order.
                start_new_session=True,
            )
        self._wait_until_listening()

    def _wait_until_listening(self) -> None:
        deadline = time.monotonic() + LISTEN_SECONDS
        while True:
            try:
                self._call("getState")
            except (OSError, HTTPException, xmlrpc.client.Error) as error:
                if not self.running() or time.monotonic() > deadline:
                    lines = last_lines(self.home.log("supervisor"))
                    raise EmbeddedError(f"The supervisor did not start.\n{lines}") from error
                time.sleep(0.05)
            else:
                return

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start_program(self, program: Program) -> None:
        self._call("startProcess", program.name, False)

    def broken(self, states: frozenset[str] = GIVEN_UP) -> str | None:
        """The first program in one of the `states`."""
        try:
            table = self._call("getAllProcessInfo")
        except (OSError, HTTPException, xmlrpc.client.Error):
            return None if self.running() else "supervisor"
        for info in table:
            if info["statename"] in states:
                return str(info["name"])
        return None

    def stop(self) -> None:
        """Stop every program in order, then supervisord itself."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, serverurl=f"unix://{self.home.supervisor_socket}")
        with ServerProxy("http://127.0.0.1", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)


def configuration(home: Home, table: Mapping[Program, bool]) -> str:
    """supervisord.conf. The order of the table is the order of starting and, reversed, of stopping.

    Relative paths count from the home, where supervisord runs: an odd character in it breaks no line here.
    """
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MANY_FILES if hard_limit == resource.RLIM_INFINITY else min(MANY_FILES, hard_limit)
    sections = [
        _section(
            "supervisord",
            logfile="logs/supervisor.log",
            pidfile="run/supervisord.pid",
            childlogdir="logs",
            identifier="panal",
            # Else every line is written twice: to the log file and to our terminal.
            silent=True,
            minfds=files,
        ),
        _section("unix_http_server", file=home.supervisor_socket, chmod="0700"),
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n",
    ]
    for priority, (program, at_once) in enumerate(table.items(), start=1):
        sections.append(
            _section(
                f"program:{program.name}",
                command=_command_line(program.command),
                priority=priority,
                autostart=at_once,
                autorestart=True,
                startsecs=program.start_seconds,
                startretries=RESTARTS,
                stopsignal=program.stop_signal,
                stopwaitsecs=program.stop_seconds,
                # A last resort reaches the whole group: no pool process outlives its parent.
                killasgroup=True,
                redirect_stderr=True,
                stdout_logfile=f"logs/{program.name}.log",
                stdout_logfile_maxbytes=LOG_BYTES,
                stdout_logfile_backups=1,
            )
        )
    return "\n".join(sections)


def _section(name: str, **options: object) -> str:
    return "\n".join([f"[{name}]", *(f"{option} = {value}" for option, value in options.items()), ""])


def _command_line(command: Sequence[str]) -> str:
    """Quoted for supervisord, which expands %(name)s and takes ` #` and ` ;` for comments, even in quotes."""
    return shlex.join(command).replace("%", "%%").replace(" #", " ''#").replace(" ;", " '';")
