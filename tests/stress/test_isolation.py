"""Three tenants over HTTP, sockets and Celery at once: no answer holds a row of another."""

import json
import os
import subprocess
import sys

import pytest

from tests.fixtures.live import ROOT
from tests.stress.tasks import QUEUE

OPERATIONS = int(os.environ.get("STRESS_OPERATIONS", "21000"))


@pytest.fixture
def worker(live):
    """A Celery worker with threads, the mode in which a shared connection would show."""
    with live.worker("-Q", QUEUE, "-I", "tests.stress.tasks", "-P", "threads", "-c", "4"):
        yield


@pytest.mark.stress
def test_nothing_crosses(live, worker):
    command = [
        sys.executable,
        "-m",
        "tests.stress.isolation",
        "--base",
        live.base,
        "--operations",
        str(OPERATIONS),
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=live.environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.stdout, done.stderr[-3000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    print(summary)
    assert summary["foreign_rows"] == 0, summary
    assert summary["errors"] == {}, summary
    assert summary["operations"] >= OPERATIONS * 0.95
    assert set(summary["by_kind"]) == {"list", "search", "plane", "socket", "celery"}
    # The search for foreign marks means something only if the own ones are found.
    assert all(count > 0 for kind, count in summary["answers_with_own_mark"].items() if kind != "plane")
