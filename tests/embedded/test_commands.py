"""`make up`, `make stop` and `make reset` as a person meets them."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest

from panal.embedded import machine, programs, services, stopping
from panal.embedded.errors import EmbeddedError
from panal.embedded.paths import ROOT as PRODUCT
from panal.embedded.paths import Home, home_from_env
from panal.embedded.programs import Program
from panal.embedded.up import embedded_services
from tests.embedded.tools import ENVIRONMENT, ROOT, eventually, free_port


def run(command, home, **variables):
    environment = {**ENVIRONMENT, "PANAL_HOME": str(home), **variables}
    return subprocess.run(
        [sys.executable, "-m", "panal.embedded", *command.split()],
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_taken_port_is_named_and_nothing_is_started(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        result = run("up", tmp_path, PORT=str(port))
    assert result.returncode == 1
    assert f"Port {port} cannot be used: Address already in use" in result.stderr
    assert f"PORT={port + 1}" in result.stderr
    assert not any(program.processes() for program in programs.services(Home(tmp_path)))


def test_a_second_up_says_that_the_first_one_runs(tmp_path):
    home = services.prepared(tmp_path)
    with machine.only_one(home):
        result = run("up", tmp_path)
    assert result.returncode == 1
    assert "already runs" in result.stderr


def test_a_malformed_variable_is_named(tmp_path):
    result = run("up", tmp_path, PORT="eighty")
    assert (result.returncode, "PORT must be a whole number" in result.stderr) == (1, True)
    assert "Traceback" not in result.stderr


def test_stop_with_nothing_running(tmp_path):
    result = run("stop", tmp_path)
    assert (result.returncode, result.stdout) == (0, "Nothing is running.\n")


def test_stop_never_touches_a_process_that_is_not_ours(tmp_path):
    other = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)", str(tmp_path / "postgres")]
    )
    try:
        assert run("stop", tmp_path).returncode == 0
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_reset_asks_first_and_erases_with_yes(tmp_path):
    home = tmp_path / "home"
    services.prepared(home)
    refused = run("reset", home)
    assert (refused.returncode, home.exists()) == (1, True)
    assert run("reset --yes", home).returncode == 0
    assert not home.exists()


@pytest.mark.parametrize("path", [PRODUCT, PRODUCT.parent, PRODUCT / "docs", PRODUCT.anchor])
def test_reset_refuses_what_is_not_its_own(path):
    with pytest.raises(EmbeddedError, match="nothing was erased"):
        stopping.refuse_dangerous(type(PRODUCT)(path))


def test_a_relative_home_counts_from_the_checkout(monkeypatch, tmp_path):
    monkeypatch.setenv("PANAL_HOME", "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert home_from_env() == PRODUCT / "elsewhere"


def test_addresses_in_the_environment_replace_the_embedded_services(monkeypatch, tmp_path):
    home = Home(tmp_path)
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    assert [program.name for program in embedded_services(home)] == ["postgres", "redis"]
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/panal")
    assert [program.name for program in embedded_services(home)] == ["redis"]
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    assert embedded_services(home) == []


def test_dotenv_fills_gaps_and_names_a_bad_line(monkeypatch, tmp_path):
    file = tmp_path / ".env"
    file.write_text("# comment\n\nPANAL_A = 'one'\nPANAL_B=two\n")
    monkeypatch.setenv("PANAL_B", "already")
    monkeypatch.delenv("PANAL_A", raising=False)
    machine.read_dotenv(file)
    assert (os.environ.pop("PANAL_A"), os.environ["PANAL_B"]) == ("one", "already")
    file.write_text("PANAL_A=1\nnonsense\n")
    with pytest.raises(EmbeddedError, match="line 2"):
        machine.read_dotenv(file)
    os.environ.pop("PANAL_A")


def test_the_secret_key_is_private_and_kept(tmp_path):
    home = services.prepared(tmp_path)
    machine.ensure_secret_key(home)
    key = tmp_path / "secret_key"
    before = key.read_text()
    machine.ensure_secret_key(home)
    assert (key.stat().st_mode & 0o777, key.read_text()) == (0o600, before)
    assert len(before) >= 50


@contextmanager
def panal_up(home, port):
    environment = {**ENVIRONMENT, "PANAL_HOME": str(home), "PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-m", "panal.embedded", "up"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=120)
        subprocess.run([sys.executable, "-m", "panal.embedded", "stop"], env=environment, check=True)


def _ready(port):
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _shown_until(process, text):
    shown = ""
    for line in process.stdout:
        shown += line
        if text in line:
            return shown
    raise AssertionError(f"{text!r} never came:\n{shown}")


def _everything(home: Home) -> list[Program]:
    return [*programs.services(home), *programs.product(home), programs.supervisor(home)]


@pytest.mark.stress
def test_up_heals_after_kill_9_of_each_part_and_ends_in_order(tmp_path):
    home, port = Home(tmp_path / "a home"), free_port()
    with panal_up(home.path, port) as process:
        shown = _shown_until(process, "Ctrl-C")
        assert re.search(r"open +http://demo\.localhost", shown)
        for program in (*programs.services(home), *programs.product(home)):
            [victim] = program.processes()
            victim.kill()
            victim.wait()
            eventually(lambda program=program: program.processes() and _ready(port), seconds=30)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=90) == 0
    assert not any(program.processes() for program in _everything(home))


@pytest.mark.stress
def test_up_clears_away_what_a_killed_up_left(tmp_path):
    home, port = Home(tmp_path / "home"), free_port()
    with panal_up(home.path, port) as process:
        _shown_until(process, "Ctrl-C")
        [supervisor] = programs.supervisor(home).processes()
        process.kill()
        supervisor.kill()
        supervisor.wait()
        process.wait()
        assert all(program.processes() for program in programs.services(home))
        with panal_up(home.path, port) as second:
            shown = _shown_until(second, "Ctrl-C")
        assert "Stopped what an earlier start left running" in shown
    assert not any(program.processes() for program in _everything(home))
    with (home.run / "up.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
