"""provider_add and model_add: one JSON object, or one line and a failure."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db(transaction=True)

PROVIDER = ("--slug", "lab", "--wire", "openai", "--url", "http://127.0.0.1:9001/v1/", "--pool", "external")
MODEL = ("--provider", "lab", "--name", "llama3.1:8b", "--kind", "chat", "--tier", "standard")


def run(command, *arguments):
    out = io.StringIO()
    call_command(command, *arguments, stdout=out)
    [line] = out.getvalue().splitlines()
    return json.loads(line)


def code(command, *arguments) -> str:
    with pytest.raises(CommandError) as caught:
        run(command, *arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value).partition(":")[0]


def test_add_and_update(acme):
    added = run("provider_add", *PROVIDER, "--key", "sk-very-secret")
    assert (added["url"], added["has_key"], added["tenant"]) == ("http://127.0.0.1:9001/v1", True, None)
    assert "sk-very-secret" not in json.dumps(added)
    again = run("provider_add", *PROVIDER)
    assert (again["id"], again["has_key"]) == (added["id"], True)
    assert run("provider_add", *PROVIDER, "--key", "")["has_key"] is False
    model = run("model_add", *MODEL, "--context", "4096", "--input-price", "0.15", "--output-price", "0.60")
    assert (model["context"], model["input_price"], model["output_price"]) == (4096, "0.15", "0.60")
    assert run("model_add", *MODEL)["id"] == model["id"]


def test_a_workspaces_own(acme, globex):
    from routing import catalog

    assert run("provider_add", *PROVIDER, "--tenant", "acme")["tenant"] == "acme"
    assert run("model_add", *MODEL)["tenant"] == "acme"  # the only one with a provider of this name
    assert "llama3.1:8b" in [card.name for card in catalog.models_for(acme)]
    assert "llama3.1:8b" not in [card.name for card in catalog.models_for(globex)]
    run("provider_add", *PROVIDER, "--tenant", "globex")
    assert code("model_add", *MODEL) == "invalid_model"
    assert run("model_add", *MODEL, "--tenant", "globex")["tenant"] == "globex"


def test_a_provider_of_the_environment(acme, monkeypatch):
    monkeypatch.setenv("OLLAMA_CPU_URL", "http://127.0.0.1:9")
    assert run("model_add", "--provider", "ollama-cpu", *MODEL[2:])["provider"] == "ollama-cpu"
    url = ("--slug", "ollama-cpu", "--wire", "ollama", "--url", "http://x", "--pool", "cpu")
    assert code("provider_add", *url) == "provider_from_environment"


@pytest.mark.parametrize(
    "changed",
    [
        ("--slug", "Bad Name"),
        ("--wire", "telnet"),
        ("--wire", "anthropic"),
        ("--pool", "moon"),
        ("--url", "ftp://x"),
        ("--url", "not an address"),
        ("--url", "http://"),
        ("--url", "http://user:pass@x"),
        ("--url", "http://x:99999"),
        ("--url", "http://x/v1?key=1"),
        ("--key", "two words"),
        ("--key", "clé"),
        ("--key", "a\r\nx-evil: 1"),
    ],
)
def test_bad_providers(acme, changed):
    assert code("provider_add", *PROVIDER, *changed) == "invalid_provider"


@pytest.mark.parametrize(
    "changed",
    [
        ("--kind", "telepathy"),
        ("--tier", "gold"),
        ("--context", "many"),
        ("--context", "0"),
        ("--context", "99999999999"),
        ("--input-price", "cheap"),
        ("--input-price", "-1"),
        ("--output-price", "NaN"),
        ("--output-price", "Infinity"),
        ("--name", "auto"),
        ("--name", "two words"),
        ("--name", ""),
        ("--name", "mock-len5"),
    ],
)
def test_bad_models(acme, changed):
    run("provider_add", *PROVIDER)
    assert code("model_add", *MODEL, *changed) == "invalid_model"


def test_who_is_not_there(acme):
    assert code("model_add", *MODEL) == "provider_not_found"
    assert code("provider_add", *PROVIDER, "--tenant", "nobody") == "unknown_tenant"
