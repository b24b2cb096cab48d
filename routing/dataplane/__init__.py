"""The OpenAI-compatible data plane: a small ASGI application beside Django's handler.

No view, middleware or ORM call of Django's lies between a client and the tokens it reads.
"""

from routing.dataplane.app import application

__all__ = ["application"]
