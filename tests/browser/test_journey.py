"""What a new user does on the first day, by mouse and keyboard, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

FACT = "The office parrot is called Baltasar and eats exactly seven walnuts a day."
HANDBOOK = f"# Pets\n\n{FACT}\n\n# Parking\n\nVisitors park behind the red barn.\n"
MOCK = "mock-ttft300-itl20-len120"


def upload_handbook(page: Page, product, slug: str, tmp_path) -> None:
    page.goto(product.url(slug) + "/console/knowledge/")
    page.get_by_role("button", name=re.compile("New knowledge base|Create")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("House rules")
    dialog.get_by_role("button", name="Create").click()
    file = tmp_path / "house-rules.md"
    file.write_text(HANDBOOK)
    page.get_by_label("Drop files here, or choose them").set_input_files(file)
    upload = page.get_by_role("button", name="Upload", exact=True)
    if upload.is_visible():
        upload.click()
    # Not by its text alone: the notice says that the new base "is ready for documents".
    expect(page.locator("table .state-good")).to_be_visible(timeout=60_000)


def ask(page: Page, text: str) -> None:
    page.get_by_label("Your message").fill(text)
    page.keyboard.press("Enter")


def choose_model(page: Page, name: str) -> None:
    page.locator("#model-picker [data-menu-button]").click()
    page.locator("#model-picker").get_by_text(name, exact=True).click()


def finished(page: Page) -> None:
    expect(page.get_by_label("Stop the answer")).to_be_hidden(timeout=30_000)


def last_stored_answer(page: Page) -> dict:
    """The newest answer as the API tells it, asked by the page because only browsers resolve `*.localhost`."""
    conversation = page.url.rstrip("/").rsplit("/", 1)[1]
    path = f"/api/conversations/{conversation}/messages/"
    messages = page.evaluate("path => fetch(path).then(answer => answer.json())", path)["results"]
    return next(message for message in reversed(messages) if message["role"] == "assistant")


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def test_upload_ask_and_open_the_citation(signed_in, product, tmp_path, axe):
    page = signed_in("acme")
    upload_handbook(page, product, "acme", tmp_path)
    axe(page)
    page.goto(product.url("acme") + "/chat/")
    axe(page)
    ask(page, "What is the office parrot called?")
    answer = page.locator("#messages")
    expect(answer).to_contain_text("Baltasar", timeout=30_000)
    finished(page)
    axe(page)
    answer.get_by_role("button", name=re.compile("1")).first.click()
    panel = page.locator("#source-panel")
    expect(panel.locator("mark")).to_contain_text("Baltasar")
    axe(page)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator("#conversations")).to_contain_text("parrot")


def test_another_workspace_does_not_know_the_parrot(signed_in, product):
    page = signed_in("globex")
    ask(page, "What is the office parrot called?")
    finished(page)
    expect(page.locator("#messages")).not_to_contain_text("Baltasar")


def test_a_reload_in_mid_answer_loses_nothing(signed_in):
    page = signed_in("acme")
    choose_model(page, MOCK)
    ask(page, "Tell me at length")
    expect(page.get_by_label("Stop the answer")).to_be_visible()
    page.wait_for_timeout(1000)
    page.reload()
    expect(page.get_by_label("Stop the answer")).to_be_visible()
    finished(page)
    stored = last_stored_answer(page)
    assert stored["finish"] == "stop"
    assert len(words(stored["text"])) >= 100
    shown = page.locator("#messages article").last.inner_text()
    assert " ".join(words(stored["text"])) in " ".join(words(shown))


def test_stop_keeps_what_was_written_and_the_conversation_goes_on(signed_in):
    page = signed_in("acme")
    choose_model(page, MOCK)
    ask(page, "Tell me at length")
    page.wait_for_timeout(1000)
    page.keyboard.press("Escape")
    finished(page)
    stored = last_stored_answer(page)
    assert stored["finish"] == "stopped"
    assert 0 < len(words(stored["text"])) < 119
    ask(page, "And again")
    finished(page)
    assert last_stored_answer(page)["finish"] == "stop"


def test_a_second_tab_follows_live(signed_in):
    page = signed_in("acme")
    choose_model(page, MOCK)
    ask(page, "Tell me at length")
    page.wait_for_url(re.compile(r"/chat/[0-9a-f-]{36}"))
    second = page.context.new_page()
    second.goto(page.url)
    expect(second.get_by_label("Stop the answer")).to_be_visible()
    finished(page)
    finished(second)
    ours = page.locator("#messages article").last.inner_text()
    assert words(ours)[:100] == words(second.locator("#messages article").last.inner_text())[:100]


def test_a_lost_network_says_so_and_recovers(signed_in):
    page = signed_in("acme")
    page.context.set_offline(True)
    expect(page.locator("#link-banner")).to_be_visible(timeout=30_000)
    page.context.set_offline(False)
    expect(page.locator("#link-banner")).to_be_hidden(timeout=30_000)
    choose_model(page, "panal-extractive")
    ask(page, "Anybody there?")
    finished(page)
    assert last_stored_answer(page)["finish"] == "stop"


PAGES = ["", "knowledge/", "models/", "usage/", "members/", "tokens/", "settings/"]


@pytest.mark.parametrize(
    "page", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True, ids=["light", "dark"]
)
def test_axe_finds_nothing_in_the_console(signed_in, product, axe, page):
    signed_in("acme")
    for path in PAGES:
        page.goto(product.url("acme") + "/console/" + path)
        axe(page)


@pytest.mark.parametrize(
    "page", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True, ids=["light", "dark"]
)
def test_axe_finds_nothing_in_public(product, axe, page):
    for address in (
        product.base.replace("127.0.0.1", "localhost") + "/",
        product.base.replace("127.0.0.1", "localhost") + "/sign-up/",
        product.url("acme") + "/sign-in/",
        product.url("nobody") + "/",
    ):
        page.goto(address)
        axe(page)
