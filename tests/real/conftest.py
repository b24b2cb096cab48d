"""A real Ollama server with a tiny model, where an `ollama` binary is on PATH; skipped where there is none.

With Go and a C++ compiler: `go install github.com/ollama/ollama@v0.11.4`. Later tags do not build this way: Go's
module archives leave out the C++ headers that they keep in folders named `vendor`.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import time

import httpx
import pytest

from tests.real import tiny_model

MODEL = "tiny-llama:latest"
START_SECONDS = 30


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen, url: str, log) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{url}/api/version", timeout=1)
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError("ollama did not start:\n" + log.read_text()[-3000:])


def _create_model(url: str, folder) -> None:
    data = tiny_model.write(folder / "tiny.gguf").read_bytes()
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    httpx.post(f"{url}/api/blobs/{digest}", content=data, timeout=30).raise_for_status()
    body = {"model": MODEL, "files": {"tiny.gguf": digest}, "template": tiny_model.TEMPLATE, "stream": False}
    httpx.post(f"{url}/api/create", json=body, timeout=60).raise_for_status()


@pytest.fixture(scope="session")
def real_ollama(tmp_path_factory):
    """The address of a running server that has `MODEL`."""
    binary = shutil.which("ollama")
    if binary is None:
        pytest.skip("no ollama binary on PATH")
    folder = tmp_path_factory.mktemp("ollama")
    address = f"127.0.0.1:{_free_port()}"
    log = folder / "server.log"
    environment = {
        **os.environ, "OLLAMA_HOST": address, "OLLAMA_MODELS": str(folder / "models"), "HOME": str(folder),
    }  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen([binary, "serve"], env=environment, stdout=output, stderr=output)
    try:
        _wait(process, f"http://{address}", log)
        _create_model(f"http://{address}", folder)
        yield f"http://{address}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
