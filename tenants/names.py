"""Names of everything kept outside PostgreSQL. They come from the scope and refuse to exist without one."""

from tenants.scope import current_scope


def tenant_tag() -> str:
    scope = current_scope()
    return "public" if scope.is_public else str(scope.tenant_id)


def redis_key(*parts: object) -> str:
    """`{t:<tenant>}:a:b`. The braces keep one tenant's keys on one node of a Redis cluster."""
    return f"{{t:{tenant_tag()}}}:" + ":".join(str(part) for part in parts)


def storage_path(*parts: object) -> str:
    return f"t/{tenant_tag()}/" + "/".join(str(part) for part in parts)


def cache_key(key: str, key_prefix: str, version: int) -> str:
    """Django's `KEY_FUNCTION`: one tenant never reads another's cached value."""
    return f"{key_prefix}:{redis_key('cache', version, key)}"
