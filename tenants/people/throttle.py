"""How often somebody may try. Counted in the cache, in fixed windows, for an account and for a network address."""

import hashlib
import logging
import math
import time
from dataclasses import dataclass

import redis
from django.core.cache import cache
from django.http import HttpRequest

from panal.kit.errors import PanalError

logger = logging.getLogger(__name__)


class TooManyAttempts(PanalError):
    """`retry_after` (seconds) is always set."""

    code = "too_many_attempts"
    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many attempts. Try again {in_words(retry_after)}.", retry_after=retry_after)


@dataclass(frozen=True, slots=True)
class Limit:
    name: str
    attempts: int
    seconds: int

    def _key(self, whom: str) -> str:
        digest = hashlib.sha256(whom.strip().lower().encode()).hexdigest()[:32]
        return f"throttle:{self.name}:{int(time.time() // self.seconds)}:{digest}"

    def count(self, whom: str) -> None:
        """Count one attempt by `whom`. Raises `TooManyAttempts` beyond the limit."""
        key = self._key(whom)
        try:
            cache.add(key, 0, timeout=self.seconds)
            used = cache.incr(key)
        except (redis.RedisError, ValueError):  # ValueError: the window ended between the two calls
            logger.warning("Attempts are not counted: the cache does not answer")
            return
        if used > self.attempts:
            raise TooManyAttempts(math.ceil(self.seconds - time.time() % self.seconds))

    def forget(self, whom: str) -> None:
        try:
            cache.delete(self._key(whom))
        except redis.RedisError:
            logger.warning("Attempts are not forgotten: the cache does not answer")


# Few tries for one account from one address; many more from everywhere together, so that a stranger who knows
# an e-mail cannot keep its owner out.
SIGN_IN_PAIR = Limit("sign-in-pair", attempts=10, seconds=900)
SIGN_IN_ACCOUNT = Limit("sign-in-account", attempts=100, seconds=900)
SIGN_IN_ADDRESS = Limit("sign-in-address", attempts=60, seconds=900)
RESET_ACCOUNT = Limit("reset-account", attempts=5, seconds=3600)
RESET_ADDRESS = Limit("reset-address", attempts=30, seconds=3600)
INVITE_ACCOUNT = Limit("invite-account", attempts=5, seconds=3600)
INVITE_WORKSPACE = Limit("invite-workspace", attempts=100, seconds=3600)
SIGN_UP_ADDRESS = Limit("sign-up-address", attempts=20, seconds=3600)


def address_of(request: HttpRequest) -> str:
    """The peer's network address; behind a trusted proxy the server has already put the client's there."""
    return str(request.META.get("REMOTE_ADDR") or "unknown")


def in_words(seconds: int) -> str:
    if seconds < 60:
        return f"in {seconds} seconds" if seconds != 1 else "in a second"
    minutes = math.ceil(seconds / 60)
    return f"in {minutes} minutes" if minutes != 1 else "in a minute"
