"""The form of an API token: `pnl_<tenant key>_<id>_<secret>`. Pure: no database, no Django.

The token names its tenant, so one base URL serves all. 256 random bits need no slow hash: SHA-256 is stored.
"""

import hashlib
import secrets
import string
from dataclasses import dataclass

BASE62 = string.ascii_letters + string.digits
ID_LENGTH = 8
SECRET_LENGTH = 43  # 62^43 > 2^256


@dataclass(frozen=True, slots=True)
class NewToken:
    raw: str
    prefix: str
    digest: str


def _random(length: int) -> str:
    return "".join(secrets.choice(BASE62) for _ in range(length))


def digest_of(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()


def new_token(tenant_key: str) -> NewToken:
    prefix = f"pnl_{tenant_key}_{_random(ID_LENGTH)}"
    raw = f"{prefix}_{_random(SECRET_LENGTH)}"
    return NewToken(raw=raw, prefix=prefix, digest=digest_of(raw))


def tenant_key_of(raw: str) -> str | None:
    """The tenant's key inside a well-formed token, else None."""
    parts = raw.split("_")
    if len(parts) != 4 or parts[0] != "pnl" or len(raw) > 200:
        return None
    return parts[1]
