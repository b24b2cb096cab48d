"""Real PostgreSQL and Redis for every run, two permanent tenants, a small named cast.

The services start once a run, in a folder of their own, and are shared by the xdist workers; each worker has
its own database (`test_panal_gwN`) and its own Redis database number.
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
for root in (ROOT, ROOT / "platform"):
    if str(root) not in sys.path:
        sys.path.insert(1, str(root))

from panal.embedded import services  # noqa: E402

SERVICES_HOME = "PANAL_TEST_HOME"  # handed to the xdist workers through the environment


def _worker_number() -> int:
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def pytest_configure(config):
    """Before Django reads its settings: the services' addresses."""
    home = os.environ.get(SERVICES_HOME)
    if home is None:
        folder = tempfile.TemporaryDirectory(prefix="panal-tests-")
        home = os.environ[SERVICES_HOME] = folder.name
        running = services.running(Path(home), durable=False)
        running.__enter__()
        config.add_cleanup(folder.cleanup)
        config.add_cleanup(lambda: running.__exit__(None, None, None))
        config.add_cleanup(lambda: os.environ.pop(SERVICES_HOME, None))
    from panal.embedded import addresses

    found = addresses(Path(home))
    number = _worker_number()
    state = Path(home) / f"state-{number}"
    state.mkdir(exist_ok=True)
    os.environ.update(
        PANAL_HOME=str(state),
        DATABASE_URL=found.database_url,
        REDIS_URL=found.redis_url.replace("db=0", f"db={number + 1}"),
        SECRET_KEY="a-key-for-tests-only-" + "x" * 32,
        DJANGO_SETTINGS_MODULE="panal.settings.test",
        OLLAMA_CPU_URL="http://127.0.0.1:9",  # nothing listens there
        PANAL_BASE_DOMAIN="localhost",
    )
    for name in ("DEBUG", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_GPU_URL"):
        os.environ.pop(name, None)
    import django

    django.setup()
    # An xdist worker that inherited it would read the settings before its own addresses are known.
    del os.environ["DJANGO_SETTINGS_MODULE"]


pytest_plugins = [
    "tests.fixtures.tenants",
    "tests.fixtures.clients",
    "tests.fixtures.live",
    "tests.fakes.fixtures",
]
