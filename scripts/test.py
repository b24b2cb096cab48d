"""Every check and every test, as CI runs them. With arguments only pytest, with those: `make test ARGS="-k name"`.

Everything runs even when an earlier one fails, so that one run shows everything; pytest comes last.
"""

import os
import shutil
import subprocess
import sys
import time

from bootstrap import ROOT

PYTHON = [sys.executable, "-m"]
CODE = ["platform/panal", "tenants", "billing", "routing", "knowledge", "chat"]
CHECKS = {
    "assets and frontend tests": [sys.executable, "scripts/assets.py", "--check"],
    "ruff check": [*PYTHON, "ruff", "check", "."],
    "ruff format": [*PYTHON, "ruff", "format", "--check", "--quiet", "."],
    "import directions": [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as c; c()",
    ],
    "types": [*PYTHON, "mypy", *CODE],
}
# The type checker's Django plugin reads the settings, which want a key; no check talks to a service.
ENVIRONMENT = {**os.environ, "SECRET_KEY": "for-the-checks-only-" + "x" * 32}


def main() -> int:
    chosen = sys.argv[1:]
    checks = {"assets": [sys.executable, "scripts/assets.py"]} if chosen else CHECKS
    failed = [name for name, command in checks.items() if not passes(name, command)]
    name_what_cannot_run()
    workers = ["-n", "2", "--dist", "loadgroup"] if not chosen else []
    status = subprocess.run([*PYTHON, "pytest", *workers, *chosen], cwd=ROOT, check=False).returncode
    if failed:
        print(f"Failed besides pytest: {', '.join(failed)}", flush=True)
    return status or len(failed)


def passes(name: str, command: list[str]) -> bool:
    started = time.monotonic()
    result = subprocess.run(
        command,
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    passed = result.returncode == 0
    print(f"{'ok    ' if passed else 'FAILED'} {name} ({time.monotonic() - started:.0f} s)", flush=True)
    if not passed:
        print(result.stdout, flush=True)
    return passed


def name_what_cannot_run() -> None:
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        print("skipped: the browser tests (no Chromium on PATH; Debian: apt install chromium)", flush=True)
    if not shutil.which("ollama"):
        print("skipped: tests/real (no `ollama` on PATH)", flush=True)


if __name__ == "__main__":
    sys.exit(main())
