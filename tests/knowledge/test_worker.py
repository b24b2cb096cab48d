"""A real Celery worker process that is killed again and again in the middle of a pile of documents."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.knowledge import files

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = 16
KILLS = 3


@dataclass
class Worker:
    """`celery worker` in a session of its own, so that one signal ends all of it."""

    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "celery",
                    "-A",
                    "panal.celery",
                    "worker",
                    "-c",
                    "1",
                    "--loglevel",
                    "INFO",
                ],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def worker(live, tmp_path):
    # Redis gives a dead worker's tasks to the next one after this many seconds.
    made = Worker({**live.environment, "CELERY_VISIBILITY_SECONDS": "3"}, tmp_path / "worker.log")
    yield made
    made.kill()


def text_of(number: int) -> str:
    return " ".join(
        f"Sentence {i} of document {number} tells of bee number {i * number}." for i in range(220)
    )


def upload(client, base_id: str) -> list[str]:
    url = f"/api/knowledge-bases/{base_id}/documents/"
    items = [{"title": f"T{n}", "text": text_of(n), "external_id": f"t{n}"} for n in range(DOCUMENTS // 2)]
    answer = client.post(url, json=items)
    assert answer.status_code == 202, answer.text
    ids = [row["id"] for row in answer.json()]
    for n in range(DOCUMENTS // 2, DOCUMENTS):
        data = files.pdf(text_of(n)) if n % 2 else text_of(n).encode()
        name = f"d{n}.pdf" if n % 2 else f"d{n}.txt"
        answer = client.post(url, files={"file": (name, data)}, data={"external_id": f"f{n}"})
        assert answer.status_code == 202, answer.text
        ids.append(answer.json()["id"])
    return ids


def statuses(client, base_id: str) -> Counter[str]:
    return Counter(client.get(f"/api/knowledge-bases/{base_id}/").json()["documents"])


def wait_until(condition, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return False


def test_killed_workers_lose_nothing_and_do_nothing_twice(live, worker) -> None:
    chooser = random.Random(5)
    with live.client("acme") as acme, live.client("globex") as globex:
        base_id = acme.post("/api/knowledge-bases/", json={"name": "Pile"}).json()["id"]
        ids = upload(acme, base_id)
        other = globex.post("/api/knowledge-bases/", json={"name": "Other"}).json()["id"]
        theirs = globex.post(
            f"/api/knowledge-bases/{other}/documents/",
            json={"title": "Bee", "text": "Bee number 77 of Globex."},
        ).json()["id"]
        for kill in range(1, KILLS + 1):
            worker.start()
            goal = kill * DOCUMENTS // (KILLS + 2)
            assert wait_until(lambda goal=goal: statuses(acme, base_id)["ready"] >= goal, 60), (
                worker.log.read_text()
            )
            time.sleep(chooser.random() * 0.3)
            worker.kill()
        worker.start()
        assert wait_until(lambda: statuses(acme, base_id)["ready"] == DOCUMENTS, 90), (
            statuses(acme, base_id),
            worker.log.read_text()[-3000:],
        )
        assert sorted(row["id"] for row in listed(acme, base_id)) == sorted(ids)
        for number, document_id in enumerate(ids):
            shown = acme.get(f"/api/documents/{document_id}/").json()
            assert shown["error"] is None
            check_text(acme, document_id, shown, number)
        assert wait_until(lambda: globex.get(f"/api/documents/{theirs}/").json()["status"] == "ready", 30)
        hits = globex.post(f"/api/knowledge-bases/{other}/search/", json={"query": "bee number 77", "k": 50})
        assert [hit["document_id"] for hit in hits.json()["hits"]] == [theirs]


def listed(client, base_id: str) -> list[dict]:
    return client.get(f"/api/knowledge-bases/{base_id}/documents/?limit=200").json()["results"]


def check_text(client, document_id: str, shown: dict, number: int) -> None:
    """The whole text is there once: every chunk was cut from it, none twice."""
    text = client.get(f"/api/documents/{document_id}/text/").json()["text"]
    assert " ".join(text.split()) == text_of(number)
    assert shown["characters"] == len(text)
    assert shown["chunks"] >= 5
