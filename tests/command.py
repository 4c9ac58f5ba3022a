"""The command `dedupe` run in the process of the tests, where compiled code is loaded once."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

from dedupe.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Done", "command"]

ROOT = Path(__file__).parent.parent

PLAIN = {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
"""An environment in which output is the same everywhere."""


class Done(NamedTuple):
    """How a command ended: its exit code, and what it wrote to standard output and error."""

    code: int
    printed: str
    told: str

    def lines(self) -> Iterator[bytes]:
        """Standard output by lines, as they are to a program."""
        yield from self.printed.encode().splitlines()


def command(*arguments: str | Path, stdin: bytes = b"") -> Done:
    """Run `dedupe` with these arguments, in the root of the repository, as in a pipe."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n") for _ in range(2)]
    here = Path.cwd()
    os.chdir(ROOT)
    code = 0
    try:
        with (
            redirect_stdout(streams[0]),
            redirect_stderr(streams[1]),
            patch.object(sys, "argv", ["dedupe", *map(str, arguments)]),
            patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8")),
            patch.dict(os.environ, PLAIN),
        ):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        os.chdir(here)
    printed, told = (_written(stream) for stream in streams)
    return Done(code, printed, told)


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    data = stream.buffer
    assert isinstance(data, io.BytesIO)
    return data.getvalue().decode()
