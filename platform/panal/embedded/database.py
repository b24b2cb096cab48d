"""PostgreSQL's data folder and the database in it."""

import os
import shutil
import subprocess
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from panal.embedded import programs
from panal.embedded.errors import EmbeddedError
from panal.embedded.paths import DATABASE, POSTGRES_PORT, ROLE, Home, addresses

# The schema that holds `vector`: on every tenant's search path, and never `public`, which is on none.
EXTENSIONS_SCHEMA = "extensions"


def ready_to_start(home: Home) -> None:
    create_cluster(home)
    forget_reused_pids(home)


def create_cluster(home: Home) -> None:
    """Make the data folder once. Built aside and renamed: an interrupted attempt leaves nothing half made."""
    if (home.postgres / "PG_VERSION").exists():
        return
    unfinished = home.path / "postgres.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    give_to_postgres(unfinished)
    initdb = programs.postgres_binary("initdb")
    command = [initdb, "-D", str(unfinished), "-U", ROLE, "--auth=trust", "--encoding=UTF8"]
    # PostgreSQL's own locale: the same order and case rules on every machine, whatever is installed there.
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    result = subprocess.run(  # noqa: S603
        programs.as_postgres_account(command, [home.path, unfinished, Path(initdb)]),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise EmbeddedError(f"PostgreSQL could not create its data folder:\n{result.stderr.strip()}")
    unfinished.rename(home.postgres)


def forget_reused_pids(home: Home) -> None:
    """Remove lock files that name a process which is not a PostgreSQL any more.

    After a container's restart the same small numbers belong to other programs, and PostgreSQL, seeing one
    alive, would refuse to start.
    """
    for lock in (home.postgres / "postmaster.pid", home.sockets / f".s.PGSQL.{POSTGRES_PORT}.lock"):
        try:
            if psutil.Process(int(lock.read_text().split()[0])).name() != "postgres":
                lock.unlink()
        except (OSError, ValueError, IndexError, psutil.Error):
            continue  # absent, unreadable or naming nobody: PostgreSQL copes with those


def give_to_postgres(folder: os.PathLike[str]) -> None:
    account = programs.postgres_account()
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)


def server_url(home: Home, name: str = "postgres") -> str:
    """A database that is always there."""
    return make_conninfo(addresses(home.path).database_url, dbname=name)


def prepare(home: Home) -> None:
    """Create the database, once. The template gets pgvector too: databases for tests are born with it."""
    with psycopg.connect(server_url(home), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
    if found is not None:
        return
    with psycopg.connect(server_url(home, "template1")) as connection:
        _ensure_vector(connection)
    with psycopg.connect(server_url(home), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def ensure_vector(database_url: str) -> None:
    """Have pgvector in its own schema, also in a database where it already lives in another one."""
    with psycopg.connect(database_url) as connection:
        _ensure_vector(connection)


def _ensure_vector(connection: psycopg.Connection) -> None:
    schema = sql.Identifier(EXTENSIONS_SCHEMA)
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
    row = connection.execute(
        "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace"
        " WHERE extname = 'vector'"
    ).fetchone()
    if row is None:
        connection.execute(sql.SQL("CREATE EXTENSION vector SCHEMA {}").format(schema))
    elif row[0] != EXTENSIONS_SCHEMA:
        connection.execute(sql.SQL("ALTER EXTENSION vector SET SCHEMA {}").format(schema))
