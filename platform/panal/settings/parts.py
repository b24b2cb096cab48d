"""Builders of the settings that need more than one line."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from psycopg.conninfo import conninfo_to_dict

from panal.kit.env import BadEnvironment, env_str

PUBLISHED_KEYS = frozenset({"change-me", "changeme", "secret", "insecure-development-key"})
MIN_KEY_LENGTH = 32


def secret_key(home: Path, *, debug: bool) -> str:
    """`SECRET_KEY`, else the key `make up` keeps in `$PANAL_HOME/secret_key`. Raises `BadEnvironment`."""
    stored = home / "secret_key"
    key = env_str("SECRET_KEY") or (stored.read_text().strip() if stored.is_file() else "")
    if not key and debug:
        return "insecure-development-key"
    published = key in PUBLISHED_KEYS or key.startswith("django-insecure")
    if not debug and (len(key) < MIN_KEY_LENGTH or published):
        raise BadEnvironment(
            f"SECRET_KEY is missing, published or shorter than {MIN_KEY_LENGTH} characters; "
            "set it, or start with `make up`, which makes one"
        )
    return key


def database_config(url: str, *, pool_size: int) -> dict[str, Any]:
    """Django's settings for a `postgresql://` URL, with psycopg's own pool (no PgBouncer needed)."""
    parts = conninfo_to_dict(url)
    known = {name: str(parts.pop(name, "") or "") for name in ("dbname", "user", "password", "host", "port")}
    return {
        "ENGINE": "tenants.db",
        "NAME": known["dbname"],
        "USER": known["user"],
        "PASSWORD": known["password"],
        "HOST": known["host"],
        "PORT": known["port"],
        "CONN_MAX_AGE": 0,  # a pooled connection goes back after each request or hop
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **parts,
            "pool": {"min_size": 1, "max_size": pool_size, "timeout": 10, "max_lifetime": 1800},
        },
    }


def cache_config(redis_url: str) -> dict[str, Any]:
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": redis_url,
        "KEY_FUNCTION": "tenants.names.cache_key",
    }


def celery_url(redis_url: str) -> str:
    """Celery writes `unix:///path?db=0` as `redis+socket:///path?virtual_host=0`."""
    parts = urlsplit(redis_url)
    if parts.scheme == "rediss" and "ssl_cert_reqs" not in parts.query:
        # Without it Celery's transport talks to any certificate.
        return redis_url + ("&" if parts.query else "?") + "ssl_cert_reqs=required"
    if parts.scheme != "unix":
        return redis_url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={database}"
