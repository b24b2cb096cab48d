"""What runs for as long as a web process runs. Apps register here; `panal.asgi` calls it from the lifespan."""

from collections.abc import Awaitable, Callable

Hook = Callable[[], Awaitable[None]]

_startup: list[Hook] = []
_shutdown: list[Hook] = []


def on_startup(hook: Hook) -> Hook:
    """Run `hook` once, inside the event loop, before the first request."""
    _startup.append(hook)
    return hook


def on_shutdown(hook: Hook) -> Hook:
    """Run `hook` once after the last request; hooks run in reverse order of registration."""
    _shutdown.append(hook)
    return hook


async def startup() -> None:
    for hook in _startup:
        await hook()


async def shutdown() -> None:
    for hook in reversed(_shutdown):
        await hook()
