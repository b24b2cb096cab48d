"""The deployment's files as data: Kubernetes documents, compose services, the Dockerfile's lines, known variables."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
K8S = ROOT / "k8s"
CODE = ("platform/panal", "tenants", "billing", "routing", "knowledge", "chat")
KUSTOMIZATIONS = sorted(K8S.rglob("kustomization.yaml"))
POD_KINDS = {"Deployment", "StatefulSet", "Job", "DaemonSet"}

Document = dict[str, Any]


def load(path: Path) -> list[Document]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def kustomization(path: Path) -> Document:
    (document,) = load(path)
    return document


def resource_files() -> list[Path]:
    """Every file that a kustomization names as a resource; an overlay's base is a folder and left out."""
    named = [
        (path.parent / name).resolve() for path in KUSTOMIZATIONS for name in kustomization(path)["resources"]
    ]
    return [path for path in named if path.is_file()]


def documents() -> Iterator[tuple[str, Document]]:
    for path in resource_files():
        for document in load(path):
            yield f"{path.relative_to(ROOT)} {document['kind']}/{document['metadata']['name']}", document


def workloads() -> list[tuple[str, Document]]:
    return [(name, document) for name, document in documents() if document["kind"] in POD_KINDS]


def pod_of(workload: Document) -> Document:
    return workload["spec"]["template"]["spec"]


def containers_of(pod: Document) -> list[Document]:
    return [*pod.get("initContainers", []), *pod["containers"]]


@cache
def built(folder: Path) -> list[Document]:
    """What `kubectl apply -k` would send."""
    result = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return [document for document in yaml.safe_load_all(result.stdout) if document]


def has_kubectl() -> bool:
    return shutil.which("kubectl") is not None


@cache
def known_variables() -> frozenset[str]:
    """Names of environment variables the product's code reads, each also as `<NAME>_FILE`."""
    quoted = re.compile(r'"([A-Z][A-Z0-9_]{2,})"')
    names = {
        name
        for folder in CODE
        for path in (ROOT / folder).rglob("*.py")
        for name in quoted.findall(path.read_text())
    }
    return frozenset(names | {f"{name}_FILE" for name in names})


@cache
def documented_variables() -> frozenset[str]:
    """Names in `.env.example`, each also as `<NAME>_FILE`."""
    names = re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    return frozenset([*names, *(f"{name}_FILE" for name in names)])


def settings_of(path: Path) -> dict[str, str]:
    """The literals of a kustomization's ConfigMap."""
    pairs = [
        literal.partition("=")
        for generator in kustomization(path).get("configMapGenerator", [])
        for literal in generator["literals"]
    ]
    return {name: value for name, _, value in pairs}


def compose() -> Document:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def dockerfile() -> list[list[str]]:
    """Its instructions as words, continued lines joined and comments dropped."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [line.split() for line in text.splitlines() if line.strip()]
