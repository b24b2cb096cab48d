"""Where everything lives. Pure: nothing here touches the disk."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from panal.kit.env import env_str

ROOT = Path(__file__).resolve().parents[3]

# Fixed, so that a port meant for another PostgreSQL (PGPORT) changes nothing here.
POSTGRES_PORT = 5432
ROLE = DATABASE = "panal"


@dataclass(frozen=True)
class Home:
    """The folders of one installation. `path` is absolute."""

    path: Path

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def redis(self) -> Path:
        return self.path / "redis"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def sockets(self) -> Path:
        """Unix sockets allow about 100 characters and dislike shared folders: hence not under `path`."""
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        return Path("/tmp") / f"panal-{os.getuid()}-{digest}"  # noqa: S108  (private, see services.private_folder)

    @property
    def redis_socket(self) -> Path:
        return self.sockets / "redis.sock"

    @property
    def supervisor_socket(self) -> Path:
        return self.sockets / "supervisor.sock"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


@dataclass(frozen=True)
class Addresses:
    database_url: str
    redis_url: str


def home_from_env() -> Path:
    """`PANAL_HOME`; a relative one counts from the repository, whatever the current folder is."""
    return (ROOT / env_str("PANAL_HOME", "var")).resolve()


def addresses(home: Path) -> Addresses:
    """Where the embedded services of `home` answer, whether they run or not."""
    place = Home(home.resolve())
    folder = quote(str(place.sockets), safe="")
    return Addresses(
        database_url=f"postgresql://{ROLE}@/{DATABASE}?host={folder}&port={POSTGRES_PORT}",
        redis_url=f"unix://{place.redis_socket}?db=0",
    )
