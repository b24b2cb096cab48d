"""The handbook answers what people ask about Panal, and nothing else: the evidence behind the source floor."""

from __future__ import annotations

import pytest
from django.conf import settings

from knowledge import services
from knowledge.ingest import document_ingest
from knowledge.search import search
from tenants.scope import tenant_scope

HANDBOOK = settings.BASE_DIR / "docs" / "handbook"

ANSWERABLE = {
    "How do I connect Ollama?": {"connect-ollama"},
    "how to use openai with panal": {"connect-provider", "api-and-tokens"},
    "Which files can I upload?": {"upload-knowledge"},
    "How do I invite a colleague?": {"people-and-roles"},
    "What can a viewer do?": {"people-and-roles"},
    "Where do I see what it costs?": {"usage-and-costs"},
    "how are costs computed": {"usage-and-costs"},
    "What is panal-extractive?": {"models-and-tiers"},
    "What does the number in brackets mean?": {"ask-questions"},
    "How do I create an API token?": {"api-and-tokens"},
    "use the openai python client": {"api-and-tokens"},
    "Why is my document stuck in queued?": {"troubleshooting"},
    "port 8000 is already in use": {"troubleshooting", "run-panal"},
    "my pdf is a scan": {"troubleshooting", "upload-knowledge"},
    "Does my data leave the machine?": {"privacy-and-isolation"},
    "How do I erase everything?": {"run-panal", "privacy-and-isolation"},
    "How do I change the port?": {"run-panal", "troubleshooting"},
    "What happens when Ollama is down?": {"connect-ollama"},
    "I forgot my password": {"people-and-roles"},
    "How do I start Panal?": {"run-panal", "getting-started"},
    "what is OLLAMA_GPU_URL": {"connect-ollama", "run-panal"},
    "difference between standard and premium": {"models-and-tiers"},
    "How large may a file be?": {"upload-knowledge"},
    "how do I replace a document": {"upload-knowledge"},
    "what happens if I reload the page during an answer": {"ask-questions"},
    "can I stop an answer": {"ask-questions"},
    "backup": {"run-panal"},
    "tenants isolation": {"privacy-and-isolation"},
    "mock-ttft500-itl20-len400": {"models-and-tiers"},
    "remove a member": {"people-and-roles"},
    "scopes of a token": {"api-and-tokens"},
    "what does insufficient_scope mean": {"api-and-tokens"},
}
UNANSWERABLE = """What is the capital of Mongolia?|Write a poem about autumn rain
hello|Solve x squared minus four equals zero|Who won the world cup in 1998?
How do I bake sourdough bread?|Translate good morning into French
What is the weather tomorrow?|Explain photosynthesis|Best restaurants in Vienna|tell me a joke
How tall is Mount Everest?|What is the boiling point of water?|How do I change a car tyre?|Summarise Hamlet|thanks
what is love|How do vaccines work?|Who wrote War and Peace?|recommend a good film|How many legs does a spider have?
write a python function that sorts a list|What is the distance to the moon?|how do I lose weight
When was the Berlin wall built?|symptoms of flu|How does a diesel engine work?|what is the meaning of life
stock price of Apple|how to knit a scarf|Plan a trip to Japan|Was kostet ein Flug nach Rom?
¿Cuál es la capital de Perú?|Who is the president of France?|how old is the universe|Explain quantum entanglement
What is 17 times 23?|list the planets|how to train a puppy|What is the GDP of Brazil?""".replace(
    "\n", "|"
).split("|")


@pytest.fixture
def handbook(acme, cast):
    with tenant_scope(acme):
        base = services.knowledge_base_create(actor=cast.admin, name="Handbook")
        for path in sorted(HANDBOOK.glob("*.md")):
            text = path.read_text(encoding="utf-8")
            title = text.partition("\n")[0].removeprefix("# ")
            document = services.document_add_text(
                actor=cast.admin, knowledge_base_id=base.id, title=title, text=text, external_id=path.stem
            )
            document_ingest(document_id=document.id)
        yield base


def test_every_question_about_panal_finds_its_page_first(handbook, cast) -> None:
    wrong = {}
    for question, pages in ANSWERABLE.items():
        hits = search(actor=cast.member, query=question, knowledge_base_ids=None, k=3).hits
        first = hits[0].external_id if hits else None
        if first not in pages:
            wrong[question] = first
    assert len(ANSWERABLE) == 32
    assert not wrong


def test_a_question_about_anything_else_finds_nothing(handbook, cast) -> None:
    found = {
        question: hits[0].score
        for question in UNANSWERABLE
        if (hits := search(actor=cast.member, query=question, knowledge_base_ids=None, k=3).hits)
    }
    assert len(UNANSWERABLE) == 40
    assert not found


def test_a_repeated_load_of_the_handbook_costs_nothing(handbook, cast) -> None:
    for path in HANDBOOK.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        title = text.partition("\n")[0].removeprefix("# ")
        again = services.document_add_text(
            actor=cast.admin, knowledge_base_id=handbook.id, title=title, text=text, external_id=path.stem
        )
        assert (again.status, again.pending_id) == ("ready", None)


def test_the_question_of_the_first_visitor_is_answered_in_the_first_passage(handbook, cast) -> None:
    hit = search(actor=cast.member, query="How do I connect Ollama?", knowledge_base_ids=None, k=1).hits[0]
    assert "To connect Ollama, start it on the machine that runs Panal" in hit.text
