"""Typed environment variables, and the settings a process refuses to start with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from panal.kit.env import BadEnvironment, env_bool, env_int, env_list, env_str
from panal.settings.parts import celery_url, database_config, secret_key

ROOT = Path(__file__).resolve().parents[2]


def test_a_value_may_lie_in_a_file(monkeypatch, tmp_path):
    secret = tmp_path / "key"
    secret.write_text("from a file\n")
    monkeypatch.setenv("X_KEY_FILE", str(secret))
    assert env_str("X_KEY") == "from a file"
    monkeypatch.setenv("X_KEY", "direct")
    assert env_str("X_KEY") == "direct"


def test_a_missing_file_is_named_without_its_content(monkeypatch):
    monkeypatch.setenv("X_KEY_FILE", "/nowhere/at/all")
    with pytest.raises(BadEnvironment, match="X_KEY_FILE"):
        env_str("X_KEY")


def test_values_of_the_wrong_form_are_refused(monkeypatch):
    monkeypatch.setenv("X", "maybe")
    with pytest.raises(BadEnvironment):
        env_bool("X")
    with pytest.raises(BadEnvironment):
        env_int("X", 1)
    monkeypatch.setenv("X", " a, ,b ")
    assert env_list("X") == ["a", "b"]


@pytest.mark.parametrize("key", ["", "short", "change-me", "django-insecure-" + "x" * 40])
def test_a_weak_key_stops_the_process(key, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", key)
    with pytest.raises(BadEnvironment, match="SECRET_KEY"):
        secret_key(tmp_path, debug=False)


def test_the_process_itself_refuses_to_start(tmp_path):
    environment = {**os.environ, "SECRET_KEY": "change-me", "PANAL_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "SECRET_KEY" in done.stderr


def test_urls_of_sockets_with_spaces():
    config = database_config("postgresql:///panal?host=/tmp/a%20b&user=panal", pool_size=3)
    assert (config["HOST"], config["NAME"], config["USER"]) == ("/tmp/a b", "panal", "panal")
    assert celery_url("unix:///tmp/r.sock?db=3") == "redis+socket:///tmp/r.sock?virtual_host=3"
    assert celery_url("redis://cache:6379/0") == "redis://cache:6379/0"
    assert celery_url("rediss://cache:6379/0") == "rediss://cache:6379/0?ssl_cert_reqs=required"
    assert celery_url("rediss://cache/0?ssl_cert_reqs=none") == "rediss://cache/0?ssl_cert_reqs=none"
