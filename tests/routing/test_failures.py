"""A provider's own words on their way to the caller."""

import time

import pytest

from routing.wire.failures import safe_message


@pytest.mark.parametrize(
    "secret",
    [
        "sk-abcd",
        "pnl_k3y_abcdefgh_secret",
        "Bearer whatever-it-is",
        "0123456789abcdef01234567",
        "a-b-c-d-e-f-g-h-i-j-k-l-m-n-1",
        "(key=AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY)",
    ],
)
def test_what_looks_like_a_key_is_hidden(secret):
    said = safe_message(f"Incorrect API key provided: {secret} here.")
    assert said.startswith("Incorrect API key provided: ")
    assert "[hidden]" in said
    assert secret not in said


def test_plain_words_stay():
    words = "The parameter max_tokens must be at most 8192; well-known-but-rather-long-names stay."
    assert safe_message(words) == words


@pytest.mark.parametrize("repeated", ["a-" * 32_000, "sk" * 32_000, "bearer " * 9_000, "1a-" * 21_000])
def test_a_provider_that_repeats_the_caller_holds_nobody_up(repeated):
    began = time.monotonic()
    assert len(safe_message(repeated)) <= 300
    assert time.monotonic() - began < 1
