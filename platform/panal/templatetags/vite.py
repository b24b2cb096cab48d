"""`{% vite "src/chat.ts" %}`: the hashed files of one entry of the frontend build."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

Manifest = dict[str, dict[str, Any]]


class AssetsMissing(RuntimeError):
    """The frontend was not built, or the build does not know this entry."""


@register.simple_tag
def vite(entry: str) -> SafeString:
    """Stylesheets, preloads of the shared chunks, and the module itself."""
    manifest = _manifest()
    if entry not in manifest:
        raise AssetsMissing(f"{entry} is not in static/dist/manifest.json: build the frontend")
    chunk = manifest[entry]
    shared = _imports(manifest, entry)
    styles = dict.fromkeys(css for each in (*shared, chunk) for css in each.get("css", ()))
    if chunk["file"].endswith(".css"):
        return _stylesheets([chunk["file"]])
    return format_html(
        '{}{}<script type="module" src="{}"></script>',
        _stylesheets(list(styles)),
        format_html_join(
            "", '<link rel="modulepreload" href="{}">', ((_url(each["file"]),) for each in shared)
        ),
        _url(chunk["file"]),
    )


def _stylesheets(files: list[str]) -> SafeString:
    return format_html_join("", '<link rel="stylesheet" href="{}">', ((_url(file),) for file in files))


def _imports(manifest: Manifest, entry: str) -> list[dict[str, Any]]:
    """Chunks the entry imports, each once, dependencies first."""
    found: dict[str, dict[str, Any]] = {}

    def visit(name: str) -> None:
        for imported in manifest[name].get("imports", ()):
            if imported not in found:
                visit(imported)
                found[imported] = manifest[imported]

    visit(entry)
    return list(found.values())


def _url(file: str) -> str:
    return static(f"dist/{file}")


def _manifest() -> Manifest:
    path = Path(settings.BASE_DIR) / "static" / "dist" / "manifest.json"
    try:
        # The time of writing is part of the key: a rebuild is seen without a restart.
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError as error:
        raise AssetsMissing("static/dist/manifest.json is missing: build the frontend") from error


@lru_cache(maxsize=1)
def _read(path: Path, _written_at: int) -> Manifest:
    manifest: Manifest = json.loads(path.read_text())
    return manifest
