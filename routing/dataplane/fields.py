"""Typed reading of single JSON fields; each refusal names the field. Pure."""

from typing import Any

from routing.dataplane.errors import BadField
from routing.vocabulary import Json

MAX_DEPTH = 64  # of nested objects handed on to a provider


def text(holder: Json, name: str, *, path: str = "", required: bool = False, limit: int = 0) -> str | None:
    value = holder.get(name)
    where = path + name
    if value is None:
        if required:
            raise BadField(where, "is required.")
        return None
    if not isinstance(value, str):
        raise BadField(where, "must be a text.")
    if required and not value:
        raise BadField(where, "must not be empty.")
    if limit and len(value) > limit:
        raise BadField(where, f"must not be longer than {limit} characters.")
    return value


def number(holder: Json, name: str, low: float, high: float) -> float | None:
    value = holder.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadField(name, "must be a number.")
    if not low <= value <= high:
        raise BadField(name, f"must be between {low:g} and {high:g}.")
    return float(value)


def whole(holder: Json, name: str, low: int, high: int) -> int | None:
    value = holder.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadField(name, "must be a whole number.")
    if not low <= value <= high:
        raise BadField(name, f"must be between {low} and {high}.")
    return value


def flag(holder: Json, name: str, *, path: str = "") -> bool:
    value = holder.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise BadField(path + name, "must be true or false.")
    return value


def obj(holder: Json, name: str, *, path: str = "") -> Json | None:
    value = holder.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BadField(path + name, "must be an object.")
    if not _shallow(value, MAX_DEPTH):
        raise BadField(path + name, "is nested too deeply.")
    return value


def items(holder: Json, name: str, *, path: str = "", most: int) -> list[Any]:
    value = holder.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadField(path + name, "must be a list.")
    if len(value) > most:
        raise BadField(path + name, f"must not have more than {most} entries.")
    return value


def _shallow(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return True
    return depth > 0 and all(_shallow(entry, depth - 1) for entry in value)
