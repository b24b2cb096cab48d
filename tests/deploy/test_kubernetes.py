"""The manifests without a cluster: their form, their references, and the promises that no schema knows."""

import re
import shutil

import kubernetes_validate
import pytest
import yaml

from panal.health import ROUTES
from tests.deploy.manifests import (
    K8S,
    KUSTOMIZATIONS,
    ROOT,
    built,
    containers_of,
    documented_variables,
    documents,
    has_kubectl,
    known_variables,
    kustomization,
    load,
    pod_of,
    resource_files,
    settings_of,
    workloads,
)

OLDEST_CLUSTER = "1.31"
BASE = K8S / "base"
METADATA = "169.254.0.0/16"
needs_kubectl = pytest.mark.skipif(not has_kubectl(), reason="no kubectl on PATH")
folders = pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: str(path.parent.relative_to(K8S)))


@pytest.mark.parametrize(
    ("name", "document"), documents(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_documents_have_the_form_of_their_kind(name, document):
    kubernetes_validate.validate(document, OLDEST_CLUSTER, strict=True)


def test_every_file_is_used():
    named = set(resource_files())
    for path in KUSTOMIZATIONS:
        patches = [patch["path"] for patch in kustomization(path).get("patches", []) if "path" in patch]
        named |= {path, *((path.parent / patch).resolve() for patch in patches)}
    missing = [path for path in named if not path.is_file()]
    unused = set(K8S.rglob("*.yaml")) - named
    assert (missing, unused) == ([], set())


@folders
def test_resources_exist(path):
    for name in kustomization(path)["resources"]:
        assert (path.parent / name).exists(), name


@needs_kubectl
@folders
def test_builds_into_documents_of_the_right_form(path):
    for document in built(path.parent):
        kubernetes_validate.validate(document, OLDEST_CLUSTER, strict=True)


@needs_kubectl
@folders
def test_what_is_referred_to_is_there(path):
    found = built(path.parent)
    there = {(document["kind"], document["metadata"]["name"]) for document in found}
    wanted = set()
    for document in found:
        if document["kind"] == "Ingress":
            paths = [entry for rule in document["spec"]["rules"] for entry in rule["http"]["paths"]]
            wanted |= {("Service", entry["backend"]["service"]["name"]) for entry in paths}
        if "template" not in document.get("spec", {}):
            continue
        pod = pod_of(document)
        wanted |= {("ServiceAccount", pod["serviceAccountName"])} if "serviceAccountName" in pod else set()
        for volume in pod.get("volumes", []):
            if "persistentVolumeClaim" in volume:
                wanted.add(("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]))
        for container in containers_of(pod):
            refs = [
                source["configMapRef"]["name"]
                for source in container.get("envFrom", [])
                if "configMapRef" in source
            ]
            wanted |= {("ConfigMap", name) for name in refs}
    assert wanted - there == set()


@needs_kubectl
@folders
def test_every_service_and_budget_finds_its_pods(path):
    found = built(path.parent)
    pods = [
        document["spec"]["template"]["metadata"]["labels"]
        for document in found
        if "template" in document.get("spec", {})
    ]
    for document in found:
        spec = document.get("spec", {})
        wanted = {
            "Service": spec.get("selector"),
            "PodDisruptionBudget": (spec.get("selector") or {}).get("matchLabels"),
        }.get(document["kind"])
        if wanted and document["metadata"]["name"] != "panal-nowhere":
            assert any(wanted.items() <= labels.items() for labels in pods), document["metadata"]["name"]


@needs_kubectl
@folders
def test_images_are_pinned(path):
    for document in built(path.parent):
        if "template" in document.get("spec", {}):
            for container in containers_of(pod_of(document)):
                _, _, tag = container["image"].partition(":")
                assert tag not in {"", "latest"}, container["image"]


@pytest.mark.parametrize(
    ("name", "workload"), workloads(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_pods_are_restricted(name, workload):
    """What the namespace's Pod Security level demands, and a root file system nobody can write."""
    pod = pod_of(workload)
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers_of(pod):
        security = container["securityContext"]
        assert security == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"requests", "limits"} <= container["resources"].keys()


@pytest.mark.parametrize(
    ("name", "workload"), workloads(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_mounts_have_volumes(name, workload):
    pod = pod_of(workload)
    claimed = {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
    volumes = {volume["name"] for volume in pod.get("volumes", [])} | claimed
    for container in containers_of(pod):
        assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes


@needs_kubectl
def test_the_guides_overlay_builds(tmp_path):
    guide = (ROOT / "docs/running/kubernetes.md").read_text()
    (overlay,) = re.findall(r"```yaml\n(.*?)```", guide, flags=re.DOTALL)
    folder = tmp_path / "overlays" / "production"
    folder.mkdir(parents=True)
    shutil.copytree(BASE, tmp_path / "base")
    (folder / "kustomization.yaml").write_text(overlay)
    found = built(folder)
    (ingress,) = [document for document in found if document["kind"] == "Ingress"]
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == ["ai.example.org", "*.ai.example.org"]
    text = yaml.safe_dump_all(found)
    assert "example.com" not in text
    assert "PANAL_BASE_DOMAIN: ai.example.org" in text


def by_name(name):
    (workload,) = [document for _, document in workloads() if document["metadata"]["name"] == name]
    return workload


def test_probes_ask_what_the_web_process_answers():
    (web,) = pod_of(by_name("panal-web"))["containers"]
    probes = {name: web[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {probe["path"] for probe in probes.values()} <= ROUTES.keys()
    assert probes["liveness"]["path"] == "/livez"
    assert probes["readiness"]["path"] == "/readyz"
    assert {probe["port"] for probe in probes.values()} <= {port["name"] for port in web["ports"]}


def test_the_grace_is_long_enough_to_hand_everything_over():
    """The web process drains for up to PANAL_GRACE_SECONDS, then closes for up to as long again."""
    pod = pod_of(by_name("panal-web"))
    (web,) = pod["containers"]
    pre_stop = int(web["lifecycle"]["preStop"]["exec"]["command"][1])
    grace = int(settings_of(BASE / "kustomization.yaml")["PANAL_GRACE_SECONDS"])
    assert pre_stop + 2 * grace < pod["terminationGracePeriodSeconds"]


def test_scaling_is_left_to_whoever_scales():
    assert "replicas" not in by_name("panal-web")["spec"]
    assert "replicas" not in by_name("panal-worker")["spec"]


def test_there_is_never_a_second_scheduler():
    spec = by_name("panal-scheduler")["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


def test_new_code_waits_for_the_migrations():
    for name in ("panal-web", "panal-worker"):
        first = pod_of(by_name(name))["initContainers"][0]
        assert "migrate_schemas --skip-checks --check" in first["command"][-1]


def test_no_secret_is_in_the_tree():
    kinds = {document["kind"] for path in K8S.rglob("*.yaml") for document in load(path)}
    assert "Secret" not in kinds
    assert not any("secretGenerator" in kustomization(path) for path in KUSTOMIZATIONS)


def test_settings_are_settings_the_product_reads():
    for path in KUSTOMIZATIONS:
        assert settings_of(path).keys() <= known_variables() & documented_variables()


def test_secrets_come_as_files_from_the_mounted_secret():
    settings = settings_of(BASE / "kustomization.yaml")
    for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL"):
        assert name not in settings
        assert settings[f"{name}_FILE"] == f"/run/secrets/panal/{name}"
    for name, workload in workloads():
        for container in containers_of(pod_of(workload)):
            if container["image"] == "panal":
                mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
                assert mounts["secrets"] == "/run/secrets/panal", name


def policies():
    return {
        document["metadata"]["name"]: document["spec"]
        for _, document in documents()
        if document["kind"] == "NetworkPolicy"
    }


def test_nothing_is_reachable_unless_a_policy_says_so():
    deny = policies()["default-deny"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_the_clouds_metadata_service_is_out_of_reach():
    blocks = [
        peer["ipBlock"]
        for spec in policies().values()
        for rule in spec.get("egress", [])
        for peer in rule.get("to", [])
        if "ipBlock" in peer
    ]
    wide = [block for block in blocks if block["cidr"] == "0.0.0.0/0"]
    assert wide
    assert all(METADATA in block["except"] for block in wide)
    assert not any(block["cidr"].startswith("169.254.") for block in blocks)


def test_every_egress_names_its_ports():
    assert all(rule.get("ports") for spec in policies().values() for rule in spec.get("egress", []))


def test_metrics_end_at_the_door():
    (ingress,) = [document for _, document in documents() if document["kind"] == "Ingress"]
    services = {
        document["metadata"]["name"]: document for _, document in documents() if document["kind"] == "Service"
    }
    for rule in ingress["spec"]["rules"]:
        by_path = {entry["path"]: entry for entry in rule["http"]["paths"]}
        assert by_path["/metrics"]["pathType"] == "Exact"
        backend = services[by_path["/metrics"]["backend"]["service"]["name"]]
        assert "selector" not in backend["spec"]
    namespace = load(ROOT / "k8s/base/namespace.yaml")[0]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
