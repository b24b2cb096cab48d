"""`{% vite %}` writes what the build's manifest says, and fails loudly where it says nothing."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template import Context, Template

from panal.templatetags.vite import AssetsMissing

ROOT = Path(__file__).resolve().parents[2]

MANIFEST = {
    "_shared-AAAAAAAA.js": {"file": "assets/shared-AAAAAAAA.js", "css": ["assets/shared-BBBBBBBB.css"]},
    "_deep-CCCCCCCC.js": {"file": "assets/deep-CCCCCCCC.js", "imports": ["_shared-AAAAAAAA.js"]},
    "src/app.css": {"file": "assets/app-DDDDDDDD.css", "isEntry": True},
    "src/chat.ts": {
        "file": "assets/chat-EEEEEEEE.js",
        "isEntry": True,
        "imports": ["_deep-CCCCCCCC.js", "_shared-AAAAAAAA.js"],
        "css": ["assets/chat-FFFFFFFF.css"],
    },
}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "BASE_DIR", tmp_path)
    manifest = tmp_path / "static" / "dist" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps(MANIFEST))
    return manifest


def render(entry: str) -> str:
    return Template(f'{{% load vite %}}{{% vite "{entry}" %}}').render(Context())


def test_an_entry_brings_its_styles_and_preloads_each_once(built: Path) -> None:
    assert re.findall(r"assets/[\w.-]+", render("src/chat.ts")) == [
        "assets/shared-BBBBBBBB.css",
        "assets/chat-FFFFFFFF.css",
        "assets/shared-AAAAAAAA.js",
        "assets/deep-CCCCCCCC.js",
        "assets/chat-EEEEEEEE.js",
    ]
    assert '<script type="module" src="/static/dist/assets/chat-EEEEEEEE.js">' in render("src/chat.ts")


def test_a_style_sheet_is_linked(built: Path) -> None:
    assert render("src/app.css") == '<link rel="stylesheet" href="/static/dist/assets/app-DDDDDDDD.css">'


def test_a_new_build_is_seen_without_a_restart(built: Path) -> None:
    render("src/app.css")
    changed: dict[str, Any] = {**MANIFEST, "src/app.css": {"file": "assets/app-GGGGGGGG.css"}}
    built.write_text(json.dumps(changed))
    os.utime(built, ns=(1, 1))
    assert "app-GGGGGGGG.css" in render("src/app.css")


def test_an_unknown_entry_and_a_missing_build_say_so(built: Path) -> None:
    with pytest.raises(AssetsMissing, match=r"src/none\.ts"):
        render("src/none.ts")
    built.unlink()
    with pytest.raises(AssetsMissing, match="build the frontend"):
        render("src/chat.ts")


def test_every_entry_named_in_a_template_is_built() -> None:
    manifest = ROOT / "static" / "dist" / "manifest.json"
    if not manifest.exists():
        pytest.skip("the frontend is not built here")
    entries = {
        entry
        for page in (ROOT / "templates").rglob("*.html")
        for entry in re.findall(r'{% vite "([^"]+)" %}', page.read_text())
    }
    assert "src/app.ts" in entries
    assert entries <= set(json.loads(manifest.read_text()))


def test_no_page_has_an_inline_style_or_handler() -> None:
    """The content security policy would silently drop them."""
    for page in (ROOT / "templates").rglob("*.html"):
        found = re.search(r"<[^>{]*\s(on[a-z]+|style)=", page.read_text())
        assert found is None, f"{page.name}: {found and found[0]}"


def test_every_icon_a_template_names_is_drawn() -> None:
    drawn = set(re.findall(r'id="i-([a-z-]+)"', (ROOT / "templates/components/icons.html").read_text()))
    for page in (ROOT / "templates").rglob("*.html"):
        named = set(re.findall(r'{% icon "([a-z-]+)"', page.read_text())) - {"name"}
        assert named <= drawn, f"{page.name}: {named - drawn}"


def test_every_icon_a_script_names_is_drawn() -> None:
    drawn = set(re.findall(r'id="i-([a-z-]+)"', (ROOT / "templates/components/icons.html").read_text()))
    for script in (ROOT / "frontend" / "src").rglob("*.ts"):
        named = set(re.findall(r'icon(?:Button)?\(\s*"([a-z-]+)"', script.read_text()))
        assert named <= drawn, f"{script.name}: {named - drawn}"


def test_every_control_of_a_template_has_a_name() -> None:
    """Neither a placeholder nor an icon is one, and axe overlooks the first."""
    for page in (ROOT / "templates").rglob("*.html"):
        text = page.read_text()
        labelled = set(re.findall(r'<label[^>]*\sfor="([^"]+)"', text))
        for control in re.findall(r"<(?:input|textarea|select)\b[^>]*>", text):
            identifier = re.search(r'\sid="([^"]+)"', control)
            named = (
                re.search(r"\shidden\b|type=\"(hidden|submit)\"", control)
                or "aria-label" in control
                or (identifier and identifier[1] in labelled)
                or _inside_label(text, control)
            )
            assert named, f"{page.name}: {control}"


def _inside_label(text: str, control: str) -> bool:
    before = text[: text.index(control)]
    return before.rfind("<label") > before.rfind("</label")
