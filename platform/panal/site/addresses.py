"""Addresses a visitor may choose for a workspace."""

import secrets

from django.utils.text import slugify

from panal.kit.errors import PanalError
from tenants.models import Tenant
from tenants.scope import public_scope
from tenants.services import slug_clean

SUFFIXES = ("team", "hq", "lab", "group", "works")
SUGGESTIONS = 3
LONGEST = 40


def slug_from_name(name: str) -> str:
    """`Müller & Söhne` -> `muller-sohne`; empty when nothing of the name can stand in an address."""
    return slugify(name).replace("_", "-").lstrip("0123456789-")[:LONGEST].strip("-")


def _valid(slug: str) -> bool:
    try:
        return slug_clean(slug) == slug
    except PanalError:
        return False


def _free(candidates: list[str]) -> list[str]:
    with public_scope():
        taken = set(Tenant.objects.filter(slug__in=candidates).values_list("slug", flat=True))
    return [candidate for candidate in candidates if candidate not in taken]


def is_free(slug: str) -> bool:
    return bool(_free([slug]))


def suggestions(wish: str) -> list[str]:
    """Up to three free addresses near `wish`."""
    stem = slug_from_name(wish)[: LONGEST - 8].strip("-") or "workspace"
    endings = [*SUFFIXES, *(str(number) for number in range(2, 6)), secrets.token_hex(2)]
    candidates = [stem, *(f"{stem}-{ending}" for ending in endings)]
    return _free([candidate for candidate in candidates if _valid(candidate)])[:SUGGESTIONS]
