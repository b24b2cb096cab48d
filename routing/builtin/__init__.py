"""Models Panal brings along: they answer with nothing connected and cost nothing."""

from collections.abc import AsyncGenerator

from routing.builtin import extractive, mock
from routing.vocabulary import ModelCard, Request, WireEvent


def stream(request: Request, card: ModelCard) -> AsyncGenerator[WireEvent, None]:
    if mock.is_mock(card.name):
        return mock.stream(request, card.name)
    return extractive.stream(request)
