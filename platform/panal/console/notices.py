"""Short notices after an act, with a way back where there is one."""

from django.contrib import messages
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.html import format_html, format_html_join


def undoable(request: HttpRequest, text: str, url: str, **fields: str) -> None:
    """Say what happened, with a button that posts `fields` to `url` to undo it."""
    hidden = format_html_join("", '<input type="hidden" name="{}" value="{}">', fields.items())
    messages.success(
        request,
        format_html(
            '<span>{}</span><form method="post" action="{}" class="inline">'
            '<input type="hidden" name="csrfmiddlewaretoken" value="{}">{}'
            "<button>Undo</button></form>",
            text,
            url,
            get_token(request),
            hidden,
        ),
    )
