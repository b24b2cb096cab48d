"""Wire formats: how a provider is asked and what its answer means. A provider of a known format is data."""

from routing.wire import ollama, openai
from routing.wire.base import Decoder, HttpCall, Listed, Target, Wire

WIRES: dict[str, Wire] = {wire.name: wire for wire in (ollama.WIRE, openai.WIRE)}

__all__ = ["WIRES", "Decoder", "HttpCall", "Listed", "Target", "Wire"]
