"""The web process: what it refuses, and how it leaves."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.embedded.tools import ENVIRONMENT, ROOT, eventually, free_port

LIMIT = 64 * 1024


@contextmanager
def served(**variables):
    port = free_port()
    environment = {**ENVIRONMENT, "PORT": str(port), "PANAL_WS_MAX_BYTES": str(LIMIT), **variables}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.embedded.echo_server"], cwd=ROOT, env=environment
    )
    try:
        eventually(lambda: _accepts(port))
        yield process, port
    finally:
        process.kill()
        process.wait()


def _accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _status(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def server():
    with served() as running:
        yield running


def test_a_frame_within_the_limit_arrives(server):
    with connect(f"ws://127.0.0.1:{server[1]}/") as client:
        client.send("x" * LIMIT)
        assert client.recv(timeout=5) == str(LIMIT)


def _send_and_wait(client, message):
    client.send(message)
    client.recv(timeout=10)


@pytest.mark.parametrize("size", [LIMIT + 1, 20 * 1024 * 1024], ids=["one byte more", "20 MiB"])
@pytest.mark.parametrize("fragments", [1, 4])
def test_a_larger_message_closes_with_4413(server, size, fragments):
    part = "x" * (size // fragments + 1)
    message = part if fragments == 1 else [part] * fragments
    client = connect(f"ws://127.0.0.1:{server[1]}/", compression=None)
    with client, pytest.raises(ConnectionClosed) as closed:
        _send_and_wait(client, message)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4413


def test_refused_bytes_are_not_kept_in_memory(server):
    process, port = server
    before = psutil.Process(process.pid).memory_info().rss
    for _ in range(3):
        client = connect(f"ws://127.0.0.1:{port}/", compression=None)
        with client, pytest.raises(ConnectionClosed):
            _send_and_wait(client, "x" * 64 * 1024 * 1024)
    assert psutil.Process(process.pid).memory_info().rss - before < 16 * 1024 * 1024


def test_compression_is_not_negotiated(server):
    with connect(f"ws://127.0.0.1:{server[1]}/", compression="deflate") as client:
        assert client.protocol.extensions == []


def test_sigterm_drains_before_the_sockets_close():
    with served(DRAIN_SECONDS="1.5") as (process, port):
        with connect(f"ws://127.0.0.1:{port}/") as client:
            assert _status(port) == {"draining": False}
            process.send_signal(signal.SIGTERM)
            eventually(lambda: _status(port) == {"draining": True})
            client.send("still served")
            assert client.recv(timeout=2) == "12"
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(timeout=10)
            assert closed.value.rcvd.code == 1012
        assert process.wait(timeout=10) in {0, -signal.SIGTERM}


def test_a_drain_that_hangs_is_cut_off_by_the_grace_period():
    with served(DRAIN_SECONDS="60", PANAL_GRACE_SECONDS="1") as (process, _):
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)
        assert time.monotonic() - started < 10


def test_the_listener_is_local_unless_told_otherwise(server):
    process, port = server
    addresses = {c.laddr.ip for c in psutil.Process(process.pid).net_connections() if c.laddr.port == port}
    assert addresses == {"127.0.0.1"}
    assert "BIND" not in os.environ
