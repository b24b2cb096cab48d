"""How long each part of a provider call may take. Seconds, from the environment."""

from dataclasses import dataclass
from functools import lru_cache

from panal.kit.env import env_float


@dataclass(frozen=True, slots=True)
class Deadlines:
    """`first_token` is generous because a server may first load the model into memory."""

    connect: float
    first_token: float
    between_tokens: float
    total: float


@lru_cache(maxsize=1)
def deadlines() -> Deadlines:
    return Deadlines(
        connect=env_float("PANAL_CONNECT_TIMEOUT", 2.0),
        first_token=env_float("PANAL_FIRST_TOKEN_TIMEOUT", 120.0),
        between_tokens=env_float("PANAL_TOKEN_GAP_TIMEOUT", 30.0),
        total=env_float("PANAL_ANSWER_TIMEOUT", 900.0),
    )
