"""The part of every error table that HTTP itself defines."""

import re
from typing import Any

import orjson

from panal.kit.errors import PanalError
from routing.errors import ContextTooLong, NoCapacity, UpstreamError, UpstreamRejected, UpstreamTimeout

_context = re.compile(
    r"context[ _-]?(length|window|size)|maximum context|too many (input )?tokens|prompt is too long",
    re.IGNORECASE,
)
# Known beginnings of keys, whatever follows "Bearer", and any long word with a digit in it. The last is looked
# for where a word begins and nowhere else: a provider may repeat 64 KiB of the caller's own hyphens to us.
_secret = re.compile(
    r"\b(?:sk|pk|rk|pnl|gsk|xai)[-_][\w.\-]{4,}|bearer\s+\S{4,}|(?<![\w\-])(?=[\w\-]*\d)[\w\-]{24,}",
    re.IGNORECASE,
)
_MESSAGE_LIMIT = 300  # characters of a provider's own words that reach the caller


def safe_message(message: str) -> str:
    """A provider's words without anything that looks like a key."""
    return _secret.sub("[hidden]", " ".join(message.split()))[:_MESSAGE_LIMIT]


def is_about_context(message: str) -> bool:
    return bool(_context.search(message))


def seconds(retry_after: str | None, default: int = 5) -> int:
    """The Retry-After header; its date form is not worth a clock and counts as the default."""
    value = (retry_after or "").strip()
    return min(int(value), 3600) if value.isdigit() else default


def json_or_none(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def failure_of(status: int, retry_after: str | None, message: str, code: str = "") -> PanalError:
    """An HTTP answer other than 2xx as our own error."""
    if code == "context_length_exceeded" or status == 413:
        return ContextTooLong()
    if status in {400, 422}:
        if is_about_context(message):
            return ContextTooLong()
        said = safe_message(message)
        return UpstreamRejected(f"The model's server refused this request: {said}" if said else None)
    if status in {401, 403}:
        return UpstreamError("The model's server refused the provider's credentials.")
    if status == 404:
        return UpstreamError("The provider does not have this model.")
    if status in {429, 503}:
        return NoCapacity("The model's server is busy.", retry_after=seconds(retry_after))
    if status in {408, 504}:
        return UpstreamTimeout()
    if 300 <= status < 400:
        return UpstreamError("The model's server answered with a redirect, which is not followed.")
    return UpstreamError(f"The model's server answered with status {status}.")
