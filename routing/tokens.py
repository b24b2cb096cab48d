"""How many tokens a text is, without a model's own vocabulary: close enough to fit a context window.

Words of up to six letters count as one token, longer ones as one for every four letters begun; every
ideograph, kana and punctuation mark counts as one. Usage made from it is marked `estimate`.
"""

import re
from collections.abc import Iterable

from routing.vocabulary import ImagePart, Message

IMAGE_TOKENS = 768  # what vision models commonly spend on one picture
MESSAGE_TOKENS = 4  # role and separators around each message

_piece = re.compile(r"[぀-ヿ㐀-鿿가-힯豈-﫿]|[^\W_]+|[^\w\s]|_")
_WHOLE_WORD = 6


def estimate_tokens(text: str) -> int:
    count = 0
    for piece in _piece.findall(text):
        length = len(piece)
        count += 1 if length <= _WHOLE_WORD else (length + 3) // 4
    return count


def message_tokens(message: Message) -> int:
    tokens = MESSAGE_TOKENS + estimate_tokens(message.text)
    if not isinstance(message.content, str):
        tokens += IMAGE_TOKENS * sum(isinstance(part, ImagePart) for part in message.content)
    return tokens + sum(estimate_tokens(call.name + call.arguments) for call in message.tool_calls)


def prompt_tokens(messages: Iterable[Message], prefix: str = "") -> int:
    return sum(message_tokens(message) for message in messages) + estimate_tokens(prefix)
