"""Running a workspace in a real browser: sign-up, people, tokens, documents; and pages that fit every screen."""

import re
import secrets

import pytest
from playwright.sync_api import Page, expect

PHONE = {"width": 390, "height": 844}
PAGES = ["", "knowledge/", "models/", "usage/", "usage/?by=user", "members/", "tokens/", "settings/"]
PASSPHRASE = "a long enough passphrase"
UNLABELLED = """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
    .filter((control) => !control.hidden && !control.labels?.length && !control.getAttribute("aria-label"))
    .map((control) => control.outerHTML)"""
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def base_of(product) -> str:
    return product.base.replace("127.0.0.1", "localhost")


@pytest.fixture
def new_workspace(product, page: Page):
    """Signs up as a visitor does; answers the new workspace's slug. The page is in its chat then."""

    def sign_up(name: str = "Bakery") -> str:
        slug = f"bakery-{secrets.token_hex(3)}"
        page.goto(base_of(product) + "/sign-up/")
        page.get_by_label("Workspace name").fill(name)
        page.get_by_label("Address").fill(slug)
        expect(page.get_by_text("This address is free.")).to_be_visible()
        page.get_by_label("Your name").fill("Bo")
        page.get_by_label("Work e-mail").fill(f"bo@{slug}.test")
        page.get_by_label("Password").fill(PASSPHRASE)
        page.get_by_role("button", name="Create the workspace").click()
        page.wait_for_url(f"**//{slug}.localhost:*/chat/**")
        return slug

    return sign_up


def test_the_address_follows_the_name_until_it_is_typed(product, page: Page):
    page.goto(base_of(product) + "/sign-up/")
    page.get_by_label("Workspace name").press_sequentially("Acme", delay=20)
    expect(page.get_by_label("Address")).to_have_value("acme-team")
    page.get_by_label("Workspace name").press_sequentially(" Bakery", delay=20)
    expect(page.get_by_label("Address")).to_have_value("acme-bakery")
    expect(page.get_by_label("Workspace name")).to_be_focused()
    page.get_by_label("Address").fill("acme")
    expect(page.get_by_text("This address is already taken.")).to_be_visible()
    page.get_by_role("button", name="acme-hq").click()
    expect(page.get_by_label("Address")).to_have_value("acme-hq")
    page.get_by_label("Workspace name").press_sequentially("!", delay=20)
    page.wait_for_timeout(700)
    expect(page.get_by_label("Address")).to_have_value("acme-hq")


def test_a_visitor_becomes_an_owner_and_lets_somebody_in(product, page: Page, new_workspace, chromium):
    slug = new_workspace()
    page.goto(product.url(slug) + "/console/members/")
    page.get_by_role("button", name="Add somebody").click()
    page.get_by_label("E-mail").fill("nonsense")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("valid email")
    page.get_by_label("E-mail").fill(f"cy@{slug}.test")
    page.keyboard.press("Enter")
    link = page.locator("#invite-link").inner_text()

    theirs = chromium.new_context().new_page()
    theirs.goto(link)
    theirs.get_by_label("New password").fill(PASSPHRASE)
    theirs.get_by_role("button", name="Save and come in").click()
    theirs.wait_for_url("**/chat/**")
    theirs.goto(product.url(slug) + "/console/members/")
    expect(theirs.get_by_role("heading", level=1)).to_have_text("This is not open to you")
    theirs.context.close()


def test_a_role_is_changed_and_undone(product, page: Page, signed_in):
    signed_in("initech")
    page.goto(product.url("initech") + "/console/members/")
    page.get_by_role("button", name="Add somebody").click()
    page.get_by_label("E-mail").fill(f"{secrets.token_hex(4)}@initech.test")
    page.keyboard.press("Enter")
    row = page.get_by_role("row").filter(has_text="Invited").first
    row.get_by_role("combobox").select_option("viewer")
    row.get_by_role("button", name="Change").click()
    expect(page.locator("#toasts")).to_contain_text("is now viewer.")
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("is now member.")


def test_documents_are_checked_uploaded_and_deleted(product, page: Page, signed_in, tmp_path):
    signed_in("globex")
    page.goto(product.url("globex") + "/console/knowledge/")
    page.get_by_role("button", name="New knowledge base").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Recipes")
    page.keyboard.press("Enter")
    for name, content in (
        ("bread.txt", b"Bread rises for two hours. " * 30),
        ("empty.txt", b""),
        ("junk.pdf", b"\0" * 900),
    ):
        (tmp_path / name).write_bytes(content)
    names = ["bread.txt", "empty.txt", "junk.pdf"]
    page.get_by_label("Drop files here, or choose them").set_input_files([tmp_path / name for name in names])
    uploads = page.locator("[data-upload-list]")
    expect(uploads).to_contain_text("The file is empty.")
    documents = page.locator("#documents")
    expect(documents).to_contain_text("1 ready", timeout=60_000)
    expect(documents).to_contain_text("1 failed", timeout=60_000)
    page.get_by_placeholder("How many days").fill("How long does bread rise?")
    page.keyboard.press("Enter")
    expect(page.locator("#hits")).to_contain_text("Bread rises for two hours.")
    page.locator("#hits").get_by_role("link", name="bread.txt").click()
    expect(page.locator("mark")).to_be_focused()
    page.go_back()
    page.get_by_role("button", name="Delete junk.pdf").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#toasts")).to_contain_text("“junk.pdf” is deleted.")
    expect(page.locator("#documents")).not_to_contain_text("junk.pdf")


def test_a_token_is_made_by_keyboard_and_copied(product, page: Page, signed_in):
    signed_in("acme")
    page.goto(product.url("acme") + "/console/tokens/")
    page.get_by_role("button", name="Create a token").press("Enter")
    page.get_by_label("Name").fill("CI")
    page.keyboard.press("Enter")
    expect(page.locator("#new-token-value")).to_have_text(re.compile("^pnl_"))
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#toasts")).to_contain_text("Copied")


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_pages_fit_a_phone_and_name_every_control(product, page: Page, signed_in, axe, direction):
    signed_in("acme")
    page.set_viewport_size(PHONE)
    addresses = [product.url("acme") + "/console/" + path for path in PAGES]
    for address in [
        *addresses,
        product.url("acme") + "/profile/",
        base_of(product),
        base_of(product) + "/sign-up/",
    ]:
        page.goto(address)
        page.evaluate("(direction) => { document.documentElement.dir = direction }", direction)
        assert page.evaluate(TOO_WIDE) <= 0, address
        assert page.evaluate(UNLABELLED) == [], address
        axe(page)


def test_the_api_reference_opens(product, page: Page, signed_in):
    signed_in("acme")
    page.goto(product.url("acme") + "/api/docs/")
    expect(page.get_by_text("/api/members/").first).to_be_visible()
