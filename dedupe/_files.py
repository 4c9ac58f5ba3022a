"""Files that are never half there."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["written_aside"]


@contextmanager
def written_aside(path: Path, *, keep: bool = True) -> Iterator[Path]:
    """A temporary name beside the file; renamed to it when all is written and on disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield temporary
        if keep:
            with temporary.open("r+b") as file:  # some systems sync only what may be written
                os.fsync(file.fileno())
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
