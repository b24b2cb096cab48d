"""The process that reads one stranger's file: `python -m knowledge.parsing.worker`.

Protocol: standard input is one JSON line `{"name", "limits"}` followed by the file's bytes; standard output
is one JSON object, `{"parsed": {text, mime, pages, headings}}` or `{"error": code}`. The exit status is 0 in
both cases.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import signal
import sys

from knowledge.parsing.model import Limits, Parsed, ParseError


def confine(limits: Limits) -> None:
    """Give the kernel the last word on what this process may use; it holds even if a parser's code
    goes wrong.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.output, limits.output))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    with contextlib.suppress(ValueError, OSError):  # macOS refuses an address-space limit
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    # A parent that was killed cannot end this process: the alarm does.
    signal.alarm(math.ceil(limits.wall_seconds) + 5)


def read(data: bytes, name: str, limits: Limits) -> Parsed:
    from knowledge.parsing import detect, docx, pdf, plain

    mime = detect.detect(data, name)
    if mime == detect.PDF:
        parsed = pdf.parse_pdf(data, limits)
    elif mime == detect.DOCX:
        parsed = docx.parse_docx(data, limits)
    elif mime == detect.MARKDOWN:
        parsed = plain.parse_markdown(data)
    else:
        parsed = plain.parse_plain(data)
    if len(parsed.text) > limits.characters:
        raise ParseError("document_too_long")
    if not parsed.text.strip():
        raise ParseError("document_without_text")
    return parsed


def answer(data: bytes, name: str, limits: Limits) -> dict[str, object]:
    try:
        return {"parsed": read(data, name, limits).to_json()}
    except ParseError as error:
        return {"error": error.code}
    except MemoryError:
        return {"error": "parse_memory"}


def main() -> None:
    header = json.loads(sys.stdin.buffer.readline())
    limits = Limits(**header["limits"])
    confine(limits)
    # Parsers print warnings about bad files; only the answer may reach the pipe.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    result = answer(sys.stdin.buffer.read(), header["name"], limits)
    out.write(json.dumps(result, ensure_ascii=False).encode())
    out.close()


if __name__ == "__main__":
    main()
