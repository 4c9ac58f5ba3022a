"""Plain text and Markdown files: one article each."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from dedupe.corpus._decode import decode
from dedupe.corpus._rows import Row
from dedupe.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedupe.corpus._paths import File
    from dedupe.corpus._rows import Run

__all__ = [
    "BINARY",
    "EMPTY",
    "MAX_PLAIN",
    "TOO_LARGE",
    "markdown_title",
    "os_problem",
    "read_bounded",
    "read_plain",
]

# Largest file that is taken for one article, in bytes.
MAX_PLAIN = 256_000_000

BINARY = ("looks binary, not text", "remove it, or give it its proper ending")
EMPTY = ("empty: no text", "remove it, or check how it was made")
TOO_LARGE = "split it, or put its articles into a JSONL file"

_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)  # the latter is Windows'

_HEADING = re.compile(r"^ {0,3}#[ \t]+(\S.*?)(?:[ \t]+#+)?[ \t]*\r?$", re.MULTILINE)
# A heading further down is not the article's title.
_HEADING_WITHIN = 10_000


def read_plain(files: Iterator[File], run: Run) -> Iterator[Row]:
    """Articles of `.txt` and `.md` files, one each.

    The text is the file's, decoded, without its byte-order mark and otherwise as it is: line
    ends are kept, since offsets count code points of the raw text.
    """
    for file in files:
        try:
            data = read_bounded(file, MAX_PLAIN)
        except OSError as error:
            run.problems.append(os_problem(file.place, error))
            data = None
        else:
            if data is None:
                reason = f"larger than {MAX_PLAIN // 10**6} MB"
                run.problems.append(Problem(file.place, 0, reason, TOO_LARGE, file.id))
        run.advance(file.size)
        if data is None:
            continue
        decoded = decode(data)
        if decoded is None or not decoded.text or decoded.text.isspace():
            reason, remedy = BINARY if decoded is None else EMPTY
            run.problems.append(Problem(file.place, 0, reason, remedy, file.id))
            continue
        title = markdown_title(decoded.text) if file.kind == "markdown" else None
        yield Row(file.id, decoded.utf8, None, title, None, None, None, (file.place, 0))


def read_bounded(file: File, limit: int) -> bytes | None:
    """The contents of a file, or None where it is larger than `limit` bytes."""
    if file.size > limit:
        return None
    # Not `open`: of many small files, that is a third of the time.
    opened = os.open(file.path, _READ)
    try:
        # One byte more than there was tells whether that was all.
        data = os.read(opened, file.size + 1)
        if len(data) <= file.size:
            return data
        parts = [data]
        left = limit + 1 - len(data)
        while left > 0 and (part := os.read(opened, min(left, 1 << 20))):
            parts.append(part)
            left -= len(part)
    finally:
        os.close(opened)
    return b"".join(parts) if left > 0 else None


def markdown_title(text: str) -> str | None:
    """The first heading of the first level ("# Title"), or None."""
    match = _HEADING.search(text, 0, _HEADING_WITHIN)
    return match[1].strip() or None if match else None


def os_problem(place: str, error: OSError, line: int = 0) -> Problem:
    """The problem that an error of the operating system is."""
    reason = f"cannot be read: {error.strerror or error}"
    return Problem(place, line, reason, "check the file and its permissions")
