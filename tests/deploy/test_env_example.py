"""`.env.example` lists what the product reads: all of it, nothing else, with the defaults it has."""

import re

from routing.environment import DEFAULT_OLLAMA, EXTERNAL
from tests.deploy.manifests import CODE, ROOT

READ = re.compile(r'env_(?:str|int|float|bool|list)\(\s*"([A-Z][A-Z0-9_]*)"')
LINE = re.compile(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def listed() -> dict[str, str]:
    return dict(LINE.findall((ROOT / ".env.example").read_text()))


def read_by_name() -> set[str]:
    """Variables whose names stand in the call that reads them, and those that tables in the code name."""
    files = [path for folder in CODE for path in (ROOT / folder).rglob("*.py")]
    names = {name for path in files for name in READ.findall(path.read_text())}
    tables = {"OLLAMA_CPU_URL", "OLLAMA_GPU_URL", *(name for row in EXTERNAL for name in row[1:3])}
    return names | tables


def test_every_variable_that_is_read_is_listed():
    assert read_by_name() - set(listed()) == set()


def test_every_variable_that_is_listed_is_read():
    assert set(listed()) - read_by_name() == set()


def test_the_addresses_of_providers_are_the_real_defaults():
    shown = listed()
    assert shown["OLLAMA_CPU_URL"] == DEFAULT_OLLAMA
    assert [shown[row[2]] for row in EXTERNAL] == [row[3] for row in EXTERNAL]
