"""Management commands: one JSON object on stdout, or one line on stderr and exit status 1."""

import json
import subprocess
import sys

import pytest

from tests.fixtures.live import ROOT


def run(live, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=live.environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_token_is_printed_once_as_json(live):
    done = run(
        live,
        "token_create",
        "--tenant",
        "acme",
        "--email",
        "owner@acme.test",
        "--name",
        "ci",
        "--scopes",
        "chat",
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["token"].startswith("pnl_")


def a_token(tenant: str) -> list[str]:
    return ["token_create", "--tenant", tenant, "--email", "a@b.test", "--name", "x", "--scopes", "chat"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (a_token("nobody"), "unknown_tenant"),
        (a_token("acme"), "unknown_member"),
        (["token_create", "--tenant", "acme"], "invalid_arguments"),
        (["usage_report", "--tenant", "acme", "--group-by", "password"], "invalid_group_by"),
        (["usage_report", "--tenant", "acme", "--from", "someday"], "invalid_period"),
    ],
)
def test_mistakes_are_one_line_and_status_1(live, arguments, code):
    done = run(live, *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert code in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
