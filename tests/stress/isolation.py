"""Three tenants at once over HTTP, websockets, the data plane and Celery: how many rows were another tenant's?

`python -m tests.stress.isolation --base http://127.0.0.1:8000 --operations 20000` with the server's environment
(its database, Redis and secret key). Prints one JSON object; exit status 1 if anything foreign was seen.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panal.settings")

import django

django.setup()

import httpx
import websockets

import panal.celery  # noqa: F401 - makes the task's application the current one
from knowledge.ingest import document_ingest
from knowledge.models import KnowledgeBase
from knowledge.services import document_add_text, knowledge_base_create
from panal.kit.ids import uuid7
from tenants.actors import system_actor
from tenants.authentication import actor_of_user
from tenants.directory import scope_of_slug
from tenants.names import redis_key
from tenants.people.models import User
from tenants.people.services import token_create
from tenants.redis import redis_sync
from tenants.scope import Scope, tenant_scope
from tests.stress.tasks import QUEUE, READS, RESULTS, read_rows

SLUGS = ("acme", "globex", "initech")
PATHS = (
    "/api/knowledge-bases/",
    "/api/conversations/",
    "/api/members/",
    "/api/tokens/",
    "/api/usage/events/",
    "/api/models/",
    "/api/me/",
)
HTTP_CLIENTS = 6  # for each tenant
SOCKETS = 4  # for each tenant


def mark_of(slug: str) -> str:
    return f"canary-{slug}-mark"


@dataclass
class Tenant:
    scope: Scope
    token: str
    base_id: str

    @property
    def slug(self) -> str:
        return self.scope.slug


@dataclass
class Tally:
    operations: Counter[str] = field(default_factory=Counter)
    foreign: list[str] = field(default_factory=list)
    own: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def look(self, kind: str, slug: str, text: str, *, operations: int = 1) -> None:
        """Count an answer and search it for what belongs to the other tenants."""
        self.operations[kind] += operations
        self.own[kind] += mark_of(slug) in text or f"@{slug}.test" in text
        for other in SLUGS:
            if other != slug and (mark_of(other) in text or f"@{other}.test" in text):
                self.foreign.append(f"{kind}: {slug} saw {other}")


def seed(slug: str) -> Tenant:
    scope = scope_of_slug(slug)
    assert scope is not None
    with tenant_scope(scope):
        owner = User.objects.get(role="owner")
        _, raw = token_create(user=owner, name=mark_of(slug), scopes=["chat", "knowledge", "usage", "admin"])
        base = KnowledgeBase.objects.filter(name=mark_of(slug)).first()
        if base is None:
            base = knowledge_base_create(actor=actor_of_user(owner, scope), name=mark_of(slug))
            for n in range(5):
                document = document_add_text(
                    actor=system_actor(scope),
                    knowledge_base_id=base.id,
                    title=f"{mark_of(slug)} {n}",
                    text=f"The secret colour of house {n} is {mark_of(slug)}. " * 20,
                )
                document_ingest(document_id=document.id)
    return Tenant(scope=scope, token=raw, base_id=str(base.id))


async def http_worker(base: str, tenant: Tenant, tally: Tally, budget: "Budget") -> None:
    port = httpx.URL(base).port
    headers = {"Host": f"{tenant.slug}.localhost:{port}", "Authorization": f"Bearer {tenant.token}"}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60) as client:
        while budget.take():
            kind = random.choice(("list", "list", "list", "search", "plane"))
            try:
                tally.look(kind, tenant.slug, await http_call(client, tenant, kind))
            except (httpx.HTTPError, AssertionError) as error:
                tally.errors[f"{kind}: {type(error).__name__} {error}"] += 1


async def http_call(client: httpx.AsyncClient, tenant: Tenant, kind: str) -> str:
    if kind == "search":
        path = f"/api/knowledge-bases/{tenant.base_id}/search/"
        response = await client.post(path, json={"query": "secret colour of the house", "k": 5})
    elif kind == "plane":
        body = {
            "model": "mock-ttft0-itl0-len3",
            "messages": [{"role": "user", "content": mark_of(tenant.slug)}],
        }
        response = await client.post("/v1/chat/completions", json=body)
    else:
        response = await client.get(random.choice(PATHS))
    assert response.status_code == 200, f"{response.status_code} {response.text[:200]}"
    return response.text


async def socket_worker(base: str, tenant: Tenant, tally: Tally, budget: "Budget") -> None:
    port = httpx.URL(base).port
    headers = {"Host": f"{tenant.slug}.localhost:{port}", "Authorization": f"Bearer {tenant.token}"}
    # The connection goes to the address; the Host header names the workspace.
    async with websockets.connect(f"ws://127.0.0.1:{port}/ws/chat/", additional_headers=headers) as socket:
        while budget.take():
            try:
                tally.look("socket", tenant.slug, await ask(socket, tenant))
            except (AssertionError, websockets.WebSocketException, TimeoutError) as error:
                tally.errors[f"socket: {type(error).__name__} {error}"] += 1
                return


async def ask(socket: Any, tenant: Tenant) -> str:
    """One turn about the tenant's secret; answers everything that came over the socket."""
    frame = {
        "type": "ask", "request_id": str(uuid7()), "conversation_id": None, "model": "mock-ttft0-itl1-len3",
        "text": f"What is the secret colour? {mark_of(tenant.slug)}",
    }  # fmt: skip
    await socket.send(json.dumps(frame))
    seen: list[str] = []
    while True:
        raw = await asyncio.wait_for(socket.recv(), 30)
        seen.append(str(raw))
        kind = json.loads(raw)["type"]
        assert kind != "error", raw
        if kind == "done":
            return "\n".join(seen)


@dataclass
class Budget:
    left: int

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


def send_tasks(tenants: list[Tenant], count: int) -> dict[str, int]:
    """Queue `count` tasks, every seventh failing, in random order; answers how many each tenant must hand back."""
    expected: Counter[str] = Counter()
    for n in range(count):
        tenant = random.choice(tenants)
        fail = n % 7 == 0
        with tenant_scope(tenant.scope):
            read_rows.apply_async((tenant.slug,), {"fail": fail}, queue=QUEUE)
        expected[tenant.slug] += not fail
    return expected


def collect_tasks(tenants: list[Tenant], expected: dict[str, int], tally: Tally, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for tenant in tenants:
        with tenant_scope(tenant.scope):
            key = redis_key(*RESULTS)
        for _ in range(expected[tenant.slug]):
            found = redis_sync().blpop([key], timeout=3)
            while found is None and time.monotonic() < deadline:
                found = redis_sync().blpop([key], timeout=3)
            if found is None:
                tally.errors["celery: result missing"] += 1
                return
            sent_for, ran_in, texts = json.loads(found[1])
            if (sent_for, ran_in) != (tenant.slug, tenant.slug):
                tally.foreign.append(f"celery: task of {sent_for} ran in {ran_in}, result in {tenant.slug}")
            tally.look("celery", tenant.slug, json.dumps(texts), operations=READS)


async def drive(base: str, tenants: list[Tenant], tally: Tally, operations: int) -> None:
    http_budget, socket_budget = Budget(int(operations * 0.45)), Budget(int(operations * 0.1))
    workers = [
        http_worker(base, tenant, tally, http_budget) for tenant in tenants for _ in range(HTTP_CLIENTS)
    ]
    workers += [
        socket_worker(base, tenant, tally, socket_budget) for tenant in tenants for _ in range(SOCKETS)
    ]
    await asyncio.gather(*workers)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", required=True)
    parser.add_argument("--operations", type=int, default=20_000)
    options = parser.parse_args()
    started = time.monotonic()
    tenants = [seed(slug) for slug in SLUGS]
    tally = Tally()
    tasks = int(options.operations * 0.5 / READS)
    expected = send_tasks(tenants, tasks)
    asyncio.run(drive(options.base, tenants, tally, options.operations))
    collect_tasks(tenants, expected, tally, seconds=120)
    summary = {
        "operations": sum(tally.operations.values()),
        "by_kind": dict(tally.operations),
        "answers_with_own_mark": dict(tally.own),
        "foreign_rows": len(tally.foreign),
        "examples": tally.foreign[:5],
        "errors": dict(tally.errors.most_common(5)),
        "seconds": round(time.monotonic() - started, 1),
    }
    print(json.dumps(summary))
    return 1 if tally.foreign or tally.errors else 0


if __name__ == "__main__":
    sys.exit(main())
