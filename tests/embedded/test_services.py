"""The embedded PostgreSQL and Redis: real processes, killed for real."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from panal.embedded import database, machine, programs, services
from panal.embedded.errors import EmbeddedError
from panal.embedded.paths import Home, addresses
from panal.embedded.supervisor import Supervisor
from tests.embedded.tools import ENVIRONMENT, eventually


@contextmanager
def supervised(path: Path):
    """Both services under supervisord, as `make up` runs them."""
    home = services.prepared(path)
    database.create_cluster(home)
    supervisor = Supervisor(home)
    try:
        supervisor.start(dict.fromkeys(programs.services(home), True), machine.environment(home))
        services.wait_until_answering(home)
        database.prepare(home)
        yield home, supervisor
    finally:
        supervisor.stop()
        services.stop(path)


class Writer:
    """Writes numbers one after the other and remembers those that were acknowledged."""

    def __init__(self, write):
        self.acknowledged: list[int] = []
        self.write = write
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        number = 0
        while True:
            try:
                self.write(number)
            except (psycopg.Error, redis.RedisError):
                return
            self.acknowledged.append(number)
            number += 1

    def __enter__(self):
        self.thread.start()
        eventually(lambda: len(self.acknowledged) > 200)
        return self

    def __exit__(self, *_):
        self.thread.join(timeout=10)


def _kill(program):
    [process] = program.processes()
    process.kill()
    process.wait()


def test_acknowledged_rows_and_entries_survive_kill_9_under_load(tmp_path):
    with supervised(tmp_path / "home") as (home, _):
        where = addresses(home.path)
        postgres, redis_program = programs.services(home)
        with psycopg.connect(where.database_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE written (number int PRIMARY KEY)")
            with Writer(lambda n: connection.execute("INSERT INTO written VALUES (%s)", [n])) as rows:
                _kill(postgres)
        client = redis.Redis.from_url(where.redis_url)
        with Writer(lambda n: client.xadd("written", {"number": n})) as entries:
            _kill(redis_program)

        services.wait_until_answering(home)
        with psycopg.connect(where.database_url) as connection:
            stored = {row[0] for row in connection.execute("SELECT number FROM written")}
        assert set(rows.acknowledged) <= stored
        kept = {
            int(fields[b"number"]) for _, fields in redis.Redis.from_url(where.redis_url).xrange("written")
        }
        assert set(entries.acknowledged) <= kept


def test_they_outlive_a_restart_and_the_second_start_reuses_the_data(tmp_path):
    home = tmp_path / "home"
    with services.running(home) as where:
        with psycopg.connect(where.database_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'yes' AS answer")
        redis.Redis.from_url(where.redis_url).set("kept", "yes")
    with services.running(home) as where:
        with psycopg.connect(where.database_url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == ("yes",)
        assert redis.Redis.from_url(where.redis_url).get("kept") == b"yes"


@pytest.mark.parametrize("name", ["a b c", "x" * 200, "odd #1 ;% 'q'"], ids=["spaces", "long", "odd"])
def test_any_folder_will_do(tmp_path, name):
    with supervised(tmp_path / name) as (home, _):
        connection = psycopg.connect(addresses(home.path).database_url)
        assert connection.execute("SELECT '[1,2]'::extensions.vector").fetchone() == ("[1,2]",)


def test_two_users_share_them_and_the_last_one_stops_them(tmp_path):
    home = tmp_path / "home"
    with services.running(home, durable=False):
        before = [program.processes() for program in programs.services(Home(home))]
        with services.running(home, durable=False):
            assert [program.processes() for program in programs.services(Home(home))] == before
        assert services.answering(Home(home))
    assert [program.processes() for program in programs.services(Home(home))] == [[], []]


def test_many_commands_may_start_at_once(tmp_path):
    code = (
        "import sys, psycopg; from pathlib import Path; from panal.embedded.services import running\n"
        "with running(Path(sys.argv[1])) as where: psycopg.connect(where.database_url).execute('SELECT 1')"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "home")]
    started = [subprocess.Popen(command, env=ENVIRONMENT) for _ in range(4)]
    assert [process.wait(timeout=60) for process in started] == [0, 0, 0, 0]
    assert [program.processes() for program in programs.services(Home(tmp_path / "home"))] == [[], []]


def test_a_home_whose_name_begins_like_another_one_is_left_alone():
    command = (sys.executable, "-c", "import time; time.sleep(60)", "--home=/srv/a b")
    running = subprocess.Popen(command)
    try:
        eventually(lambda: programs.Program("web", command, command).processes())
        shorter = (*command[:3], "--home=/srv/a")
        assert programs.Program("web", shorter, shorter).processes() == []
    finally:
        running.kill()
        running.wait()


def test_stop_leaves_nothing_after_the_supervisor_was_killed(tmp_path):
    with supervised(tmp_path) as (home, supervisor):
        table = programs.services(home)
        supervisor.process.kill()
        supervisor.process.wait()
        assert all(program.processes() for program in table), "they are orphans, not gone"
        environment = {**ENVIRONMENT, "PANAL_HOME": str(tmp_path)}
        command = [sys.executable, "-m", "panal.embedded", "stop"]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert "postgres" in result.stdout
        assert "redis" in result.stdout
        assert not any(program.processes() for program in table)


def test_a_lock_file_whose_number_now_belongs_to_another_program_does_not_stop_the_start(tmp_path):
    with services.running(tmp_path):
        [process] = programs.postgres(Home(tmp_path)).processes()
        lock = tmp_path / "postgres" / "postmaster.pid"
        lines = lock.read_text().splitlines()
        process.kill()
        process.wait()
    lock.write_text("\n".join([str(os.getpid()), *lines[1:], ""]))
    database.forget_reused_pids(Home(tmp_path))
    assert not lock.exists()
    with services.running(tmp_path):
        assert services.answering(Home(tmp_path))


def test_pgvector_moves_out_of_public_in_a_database_that_has_it_already(tmp_path):
    with services.running(tmp_path, durable=False) as where:
        with psycopg.connect(where.database_url) as connection:
            connection.execute("ALTER EXTENSION vector SET SCHEMA public")
        for _ in range(2):
            database.ensure_vector(where.database_url)
        with psycopg.connect(where.database_url) as connection:
            assert connection.execute("SELECT '[1]'::extensions.vector").fetchone() == ("[1]",)


def test_postgres_listens_on_its_socket_only(tmp_path):
    with services.running(tmp_path, durable=False):
        for program in programs.services(Home(tmp_path)):
            [process] = program.processes()
            assert process.net_connections("inet") == []


def test_a_socket_folder_that_somebody_else_made_is_refused(tmp_path):
    folder = tmp_path / "sockets"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    with pytest.raises(EmbeddedError, match="open to others"):
        services.private_folder(folder)


AS_NOBODY = [
    "setpriv",
    "--reuid=nobody",
    "--clear-groups",
    "--inh-caps=-all",
    "--",
    sys.executable,
    "-B",
    "-c",
]


def _nobody_runs(code, *arguments):
    command = [*AS_NOBODY, code, *arguments]
    return subprocess.run(command, env=ENVIRONMENT, cwd="/", capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_needs_no_rights():
    if _nobody_runs("import panal.embedded.services").returncode != 0:
        pytest.skip("another user cannot read this checkout and its Python")
    with tempfile.TemporaryDirectory(prefix="panal-user-") as folder:
        shutil.chown(folder, "nobody")
        code = "import sys; from pathlib import Path; from panal.embedded.services import running\n"
        code += "with running(Path(sys.argv[1])): print('answered')"
        result = _nobody_runs(code, f"{folder}/home")
        assert result.stdout == "answered\n", result.stderr
