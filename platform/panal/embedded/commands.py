"""What a `manage.py` command needs around it: it works beside `make up` and on its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from panal.embedded import machine, services
from panal.embedded.paths import home_from_env
from panal.kit.env import env_str


@contextmanager
def command_services() -> Iterator[None]:
    """Have database and Redis answering inside the block, with the environment that `make up` would give.

    Before Django reads its settings. Services named by DATABASE_URL and REDIS_URL are left to themselves.
    """
    machine.read_dotenv()
    home = home_from_env()
    os.environ["PANAL_HOME"] = str(home)
    if env_str("DATABASE_URL") and env_str("REDIS_URL"):
        yield
        return
    machine.ensure_secret_key(services.prepared(home))
    with services.running(home):
        yield
