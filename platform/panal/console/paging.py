"""Pages and sorting of tables; both live in the address, so that a view can be linked and reloaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest

PAGE_SIZE = 25
LONGEST_SEARCH = 2_000


def text_of(request: HttpRequest, name: str) -> str:
    """What was typed into a search box: one line, without characters PostgreSQL refuses."""
    typed = request.GET.get(name, "")[:LONGEST_SEARCH]
    return "".join(character for character in typed if character.isprintable()).strip()


def page_of(request: HttpRequest, rows: Any, *, size: int = PAGE_SIZE) -> Page[Any]:
    """The page `?page=` names; a number out of range is the nearest one."""
    return Paginator(rows, size).get_page(request.GET.get("page"))


@dataclass(frozen=True, slots=True)
class Sort:
    """`?sort=name` or `?sort=-name`; `columns` maps names to fields."""

    key: str
    columns: Mapping[str, str]

    @property
    def field(self) -> str:
        minus = "-" if self.key.startswith("-") else ""
        return minus + self.columns[self.key.removeprefix("-")]


def sort_of(request: HttpRequest, columns: Mapping[str, str], default: str) -> Sort:
    wanted = request.GET.get("sort", default)
    return Sort(wanted if wanted.removeprefix("-") in columns else default, columns)
