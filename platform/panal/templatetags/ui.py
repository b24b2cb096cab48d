"""Small pieces of the interface that templates use everywhere."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

# Arrows along the line of text; the style sheet turns them round in right-to-left languages.
DIRECTIONAL = frozenset({"arrow-end", "chevron-end", "chevron-start", "panel", "sign-out", "send-side"})


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """One symbol of `components/icons.html`. Decorative: the text or label beside it carries the meaning."""
    classes = " ".join(
        part for part in ("icon", "icon-directional" if name in DIRECTIONAL else "", css) if part
    )
    return format_html('<svg class="{}" aria-hidden="true"><use href="#i-{}"></use></svg>', classes, name)


@register.filter
def initial(name: str) -> str:
    """The letter on somebody's cell."""
    return name.strip()[:1] or "·"
