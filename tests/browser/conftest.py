"""Headless Chromium against a real server with a real worker."""

import shutil

import pytest

from tests.fixtures.live import PASSWORD

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Without these a closed network makes Chromium refuse its own connections now and then.
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_collection_modifyitems(items):
    missing = pytest.mark.skip(reason="browser tests need chromium on PATH")
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
            if CHROMIUM is None:
                item.add_marker(missing)


@pytest.fixture(scope="module")
def chromium():
    """One browser a file: while it runs, its thread has an event loop, which tests of async code cannot share."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def product(live):
    """The server with a worker beside it."""
    with live.worker("-c", "1"):
        yield live


@pytest.fixture
def page(chromium, request):
    """A fresh profile; any error of the page's own scripts fails the test."""
    options = getattr(request, "param", {})
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, **options)
    context.set_default_timeout(15_000)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


@pytest.fixture
def signed_in(product, page):
    """`signed_in("acme")`: that workspace's owner on the chat page."""

    def sign_in(slug: str):
        page.goto(product.url(slug) + "/sign-in/")
        page.get_by_label("E-mail").fill(f"owner@{slug}.test")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/chat/**")
        return page

    return sign_in


@pytest.fixture
def axe():
    """`axe(page)` fails with what axe-core finds, if anything."""
    from axe_playwright_python.sync_playwright import Axe

    def check(page) -> None:
        results = Axe().run(page)
        assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"

    return check
