"""What `make up` shows: its own sentences, and the lines of the log files that matter."""

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

WORTH_SHOWING = re.compile(r"(^|[\s\[])(WARNING|ERROR|CRITICAL|FATAL|PANIC|Traceback)\b")
NAME_WIDTH = 10


def say(line: str) -> None:
    # A closed terminal must not keep us from stopping in order.
    with suppress(OSError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


class LogTail:
    """Lines added since the last look, with the part's name before each: all of them, or those that warn."""

    def __init__(self, folder: Path, *, everything: bool) -> None:
        self.folder = folder
        self.everything = everything
        self.offsets = {file: file.stat().st_size for file in folder.glob("*.log")}

    def new_lines(self) -> Iterator[str]:
        for file in sorted(self.folder.glob("*.log")):
            with suppress(FileNotFoundError):  # just being rotated
                for line in self._added(file):
                    if self.everything or WORTH_SHOWING.search(line):
                        yield f"{file.stem:<{NAME_WIDTH}}| {line}"

    def _added(self, file: Path) -> list[str]:
        offset = self.offsets.get(file, 0)
        if file.stat().st_size < offset:
            offset = 0  # rotated
        with file.open("rb") as log:
            log.seek(offset)
            text = log.read()
        # A line that is still being written waits for the next look.
        complete = text[: text.rfind(b"\n") + 1]
        self.offsets[file] = offset + len(complete)
        return complete.decode("utf-8", errors="replace").splitlines()
