"""Bytes to characters, and characters to those a database and a browser accept."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from knowledge.parsing.model import ParseError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # The UTF-32 mark begins with the UTF-16 one, so it is asked first.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\ufeff]")
_NEWLINES = re.compile(r"\r\n?|[\u2028\u2029\x85\x0b\x0c]")
_SAMPLE = 256 * 1024
_BINARY_SHARE = 0.02


def clean(text: str) -> str:
    """Replace what PostgreSQL or a browser refuses, one character for one: offsets stay those of the
    sender.
    """
    return _UNSTORABLE.sub(_stand_in, text)


def normalise(text: str) -> str:
    """The form of text from files: every line ends in a line feed, nothing unprintable inside."""
    return clean(_NEWLINES.sub("\n", text))


def decode(data: bytes) -> str:
    """Text in its own encoding: a byte order mark decides, then UTF-8, then the likeliest legacy encoding."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decode_as(data, encoding)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_legacy(data)
    if _looks_binary(text):
        return _decode_unmarked_utf16(data)
    return text


def _stand_in(match: re.Match[str]) -> str:
    return "\ufffd" if "\ud800" <= match.group() <= "\udfff" else " "


def _decode_as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ParseError("text_undecodable") from error


def _looks_binary(text: str) -> bool:
    sample = text[:_SAMPLE]
    return len(_UNSTORABLE.findall(sample)) > len(sample) * _BINARY_SHARE


def _decode_unmarked_utf16(data: bytes) -> str:
    """Latin text in UTF-16 without a mark has a NUL in every other byte and is valid UTF-8 by accident."""
    even, odd = data[:_SAMPLE:2].count(0), data[1:_SAMPLE:2].count(0)
    half = min(len(data), _SAMPLE) / 2
    if max(even, odd) < half * 0.4 or min(even, odd) > half * 0.1:
        raise ParseError("text_undecodable")
    text = _decode_as(data, "utf-16-be" if even > odd else "utf-16-le")
    if _looks_binary(text):
        raise ParseError("text_undecodable")
    return text


def _decode_legacy(data: bytes) -> str:
    if data.count(0):
        return _decode_unmarked_utf16(data)
    sample = data if len(data) <= _SAMPLE else data[: data.rfind(b"\n", 0, _SAMPLE) + 1] or data[:_SAMPLE]
    guess = from_bytes(sample).best()
    if guess is None:
        raise ParseError("text_undecodable")
    text = data.decode(guess.encoding, errors="replace")
    if _looks_binary(text) or text.count("\ufffd") > len(text) * _BINARY_SHARE:
        raise ParseError("text_undecodable")
    return text
