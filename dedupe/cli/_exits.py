"""How a command ends: exit codes, and a sentence on standard error."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedupe.checkpoint import Checkpoint

__all__ = ["FAILED", "INTERRUPTED", "SOME_UNREADABLE", "USAGE", "fail", "interruptible"]

FAILED, USAGE, SOME_UNREADABLE, INTERRUPTED = 1, 2, 3, 130


def fail(message: str, code: int) -> NoReturn:
    """Say why on standard error and exit."""
    from dedupe._terminal import printable

    sys.stderr.write(printable(f"dedupe: {message}") + "\n")
    sys.exit(code)


@contextmanager
def interruptible(checkpoint: Checkpoint | None = None) -> Iterator[None]:
    """Turn Ctrl-C into a sentence, which names what a checkpoint keeps, and exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        kept = ""
        if checkpoint is not None and checkpoint.kept:
            kept = (
                f"; the same command goes on from what is kept in {checkpoint.directory}, "
                "which may be deleted"
            )
        fail(f"interrupted{kept}", INTERRUPTED)
