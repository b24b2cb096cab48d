"""Rules of the house that decay as prose: each is a test."""

import ast
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("tenants", "billing", "routing", "knowledge", "chat", "platform/panal")
SCHEMA_SETTERS = {
    "set_schema",
    "set_tenant",
    "set_schema_to_public",
    "bind_scope",
    "schema_context",
    "tenant_context",
}
# The wrapper itself, the scope, and the door through which sockets enter.
MAY_SET_SCHEMA = {"tenants/db/base.py", "tenants/scope.py", "tenants/sockets.py"}


def sources() -> list[Path]:
    return [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_standard_librarys_platform_wins():
    assert Path(platform.__file__).parent == Path(sysconfig.get_path("stdlib"))
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_nothing_else_sets_a_schema():
    offenders = []
    for path in sources():
        if relative(path) in MAY_SET_SCHEMA:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            name = (
                node.attr
                if isinstance(node, ast.Attribute)
                else node.id
                if isinstance(node, ast.Name)
                else None
            )
            if name in SCHEMA_SETTERS:
                offenders.append(f"{relative(path)}:{node.lineno} {name}")
    assert not offenders


def test_no_raw_threads():
    """A raw thread starts without a scope; `in_tenant` is the crossing."""
    offenders = []
    for path in sources():
        if relative(path) == "tenants/scope.py":
            continue
        offenders += [
            f"{relative(path)}:{node.lineno} {node.attr}"
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute) and node.attr in {"Thread", "run_in_executor", "to_thread"}
        ]
    assert not offenders


@pytest.mark.parametrize(
    "module",
    [
        "routing.vocabulary",
        "routing.policy",
        "billing.vocabulary",
        "knowledge.chunking",
        "tenants.tokens",
        "panal.kit.ids",
    ],
)
def test_pure_modules_import_no_django(module):
    """Rules that need no database are tested in milliseconds."""
    code = f"import sys; import {module}; sys.exit('django.db' in sys.modules)"
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}", "PATH": ""}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_no_migration_is_missing(db):
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_every_model_lives_in_a_schema():
    """An app in neither list would have no table anywhere."""
    from django.apps import apps
    from django.conf import settings

    listed = {*settings.SHARED_APPS, *settings.TENANT_APPS}
    homeless = []
    for config in apps.get_app_configs():
        path = f"{type(config).__module__}.{type(config).__name__}"
        if config.name not in listed and path not in listed:
            homeless.append(config.name)
    assert not homeless
