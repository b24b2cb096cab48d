"""A cursor somebody made up is a 404 in every list, like DRF's own unreadable ones."""

from base64 import b64encode

import pytest

LISTS = [
    "/api/members/",
    "/api/tokens/",
    "/api/conversations/",
    "/api/knowledge-bases/",
    "/api/usage/events/",
]
POSITIONS = [
    "abc",
    "%00",
    "9" * 60,
    "2026-01-01",
    "2026-13-01 00:00:00+00:00",
    "2026-01-01T00:00:00+23:59:59.9",
]


@pytest.mark.parametrize("path", LISTS)
def test_a_made_up_position_is_a_404(path, cast, api):
    for position in POSITIONS:
        for turn in ("", "&r=1"):
            cursor = b64encode(f"p={position}{turn}".encode()).decode()
            answer = api(cast.owner).get(path, {"cursor": cursor})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), position


def test_a_given_one_leads_on(cast, api):
    client = api(cast.owner)
    first = client.get("/api/members/?limit=1").json()
    second = client.get(first["next"]).json()
    assert second["results"] != first["results"]
    assert client.get(second["previous"]).json()["results"] == first["results"]
