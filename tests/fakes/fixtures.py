"""`fake_ollama` and `fake_openai`: real servers on real ports, fresh for every test."""

import pytest


@pytest.fixture(scope="session")
def _fake_ollama():
    from tests.fakes.ollama import FakeOllama

    server = FakeOllama().start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _fake_openai():
    from tests.fakes.openai import FakeOpenAI

    server = FakeOpenAI().start()
    yield server
    server.stop()


def _fresh(server):
    server.reset()
    server.models = type(server)().models
    server.tokens, server.delay_ms, server.first_ms = 12, 0.0, 0.0
    return server


@pytest.fixture
def fake_ollama(_fake_ollama):
    return _fresh(_fake_ollama)


@pytest.fixture
def fake_openai(_fake_openai):
    return _fresh(_fake_openai)


@pytest.fixture(autouse=True)
def _routing_forgets():
    """Each test meets a process that has just started: no catalog, no health, no remembered tokens."""
    yield
    from routing import catalog
    from routing.dataplane import auth

    catalog.forget_all()
    auth.forget_all()
