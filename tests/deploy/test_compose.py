"""compose.yaml without a Docker engine: its shape, and that it only names what exists."""

import re

import pytest

from panal.health import ROUTES
from tests.deploy.manifests import ROOT, compose, documented_variables, known_variables

PRODUCT = ("setup", "web", "worker", "scheduler")
SERVICE_KEYS = {
    *(
        "image",
        "build",
        "command",
        "restart",
        "init",
        "read_only",
        "tmpfs",
        "cap_drop",
        "security_opt",
        "volumes",
    ),
    *(
        "secrets",
        "extra_hosts",
        "environment",
        "depends_on",
        "ports",
        "stop_grace_period",
        "healthcheck",
        "shm_size",
    ),
}
HEALTHCHECK_KEYS = {"test", "interval", "timeout", "retries", "start_period"}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}


@pytest.fixture(scope="module")
def file():
    return compose()


def test_keys_are_the_known_ones(file):
    assert {key for key in file if not key.startswith("x-")} == {"name", "services", "secrets", "volumes"}
    for name, service in file["services"].items():
        assert service.keys() <= SERVICE_KEYS, name
        assert service.get("healthcheck", {}).keys() <= HEALTHCHECK_KEYS, name


def test_volumes_and_secrets_are_declared(file):
    for name, service in file["services"].items():
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= file["volumes"].keys(), name
        assert set(service.get("secrets", [])) <= file["secrets"].keys(), name


def test_what_is_waited_for_can_come_true(file):
    services = file["services"]
    for name, service in services.items():
        for other, wish in service.get("depends_on", {}).items():
            assert wish["condition"] in CONDITIONS, name
            if wish["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for the health of {other}"


def test_everything_waits_for_the_setup(file):
    for name in set(PRODUCT) - {"setup"}:
        assert file["services"][name]["depends_on"]["setup"] == {
            "condition": "service_completed_successfully"
        }


def test_environment_names_are_known(file):
    for name in PRODUCT:
        assert file["services"][name]["environment"].keys() <= known_variables() & documented_variables()


def test_what_a_person_may_set_is_documented():
    text = (ROOT / "compose.yaml").read_text()
    asked = set(re.findall(r"\$\{([A-Z_]+)", text)) - {"PANAL_IMAGE", "PANAL_SECRETS"}  # compose's own
    assert asked <= documented_variables()


def test_secrets_are_files_and_never_values(file):
    for name in PRODUCT:
        environment = file["services"][name]["environment"]
        for secret in ("SECRET_KEY", "DATABASE_URL"):
            assert secret not in environment
            mounted = environment[f"{secret}_FILE"]
            assert mounted.removeprefix("/run/secrets/") in file["services"][name]["secrets"]
        for key, value in environment.items():
            if key.endswith(("_KEY", "_TOKEN", "_PASSWORD")):
                assert value == f"${{{key}:-}}"


def test_secret_files_stay_out_of_git_and_image(file):
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "var/" in ignored
    for secret in file["secrets"].values():
        assert secret["file"].startswith("${PANAL_SECRETS:-./var/secrets}/")


def test_images_are_pinned(file):
    for name, service in file["services"].items():
        if name not in PRODUCT:
            assert re.fullmatch(r"[a-z/]+:[0-9][\w.-]+", service["image"]), service["image"]


def test_product_containers_can_write_their_own_places_only(file):
    for name in PRODUCT:
        service = file["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_web_check_asks_a_page_there_is(file):
    (path,) = re.findall(r'"(/[a-z]+)"', file["services"]["web"]["healthcheck"]["test"][-1])
    assert path in ROUTES


def test_only_this_machine_reaches_the_published_port(file):
    published = {name: service["ports"] for name, service in file["services"].items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:${PORT:-8000}:${PORT:-8000}"]}


def test_redis_keeps_what_it_acknowledged(file):
    command = " ".join(file["services"]["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
