"""The command line: prints and exits; nothing below it does.

Data goes to stdout, progress and messages to stderr. Exit codes: 0 done; 1 failed, or
duplicates found with `--fail-on-duplicates` (which wins over 3); 2 usage; 3 done, but some inputs
were unreadable; 130 interrupted.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys

from dedupe._garbage import OBJECTS_MADE
from dedupe.cli import _compare, _filter, _index, _query, _scan  # noqa: F401 -- each makes its command
from dedupe.cli._app import app
from dedupe.cli._exits import FAILED, USAGE, fail
from dedupe.errors import ConfigError, DedupeError, InputError, MissingExtraError

__all__ = ["app", "main"]


def main() -> None:
    """Entry point of the `dedupe` command."""
    # The process is short, and nearly all of what it makes stays until its end: looking for
    # garbage as often as usual takes .1 s of a scan's start, and .35 s at the end of a large one.
    gc.set_threshold(OBJECTS_MADE)
    atexit.register(gc.freeze)
    # No matrix is multiplied here, and numpy's library for that starts its threads, which spin
    # for a while, as soon as numpy is imported: .05 s, of two processors.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a title must not fail on a narrow encoding
            stream.reconfigure(errors="replace")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except DedupeError as error:
        usage = isinstance(error, ConfigError | InputError | MissingExtraError)
        fail(str(error), USAGE if usage else FAILED)
    except OSError as error:
        # Nothing more can be printed, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # whoever read has enough
            sys.exit(FAILED)
        fail(f"cannot print the results ({error.strerror or error})", FAILED)
