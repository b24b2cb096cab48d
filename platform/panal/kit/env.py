"""Typed environment variables. Every `NAME` may instead be given as `NAME_FILE`, a path to the value."""

import os
from pathlib import Path


class BadEnvironment(RuntimeError):
    """A variable holds a value of the wrong form; the process must not start."""


def env_str(name: str, default: str = "") -> str:
    """The value of `NAME`, else the content of the file `NAME_FILE` points to, else `default`."""
    value = os.environ.get(name)
    if value is not None and value != "":
        return value
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return default
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadEnvironment(f"{name}_FILE cannot be read: {error.strerror}") from error


def env_int(name: str, default: int) -> int:
    value = env_str(name)
    if not value:
        return default
    try:
        return int(value)
    except ValueError as error:
        raise BadEnvironment(f"{name} must be a whole number") from error


def env_float(name: str, default: float) -> float:
    value = env_str(name)
    if not value:
        return default
    try:
        return float(value)
    except ValueError as error:
        raise BadEnvironment(f"{name} must be a number") from error


def env_bool(name: str, default: bool = False) -> bool:
    value = env_str(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise BadEnvironment(f"{name} must be true or false")


def env_list(name: str, default: str = "") -> list[str]:
    """Comma-separated values, blanks dropped."""
    return [part.strip() for part in env_str(name, default).split(",") if part.strip()]
