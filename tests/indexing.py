"""What the tests of an index need: articles that share what they are to share, and processes."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
import warnings
from typing import TYPE_CHECKING

import pytest

from dedupe import Article

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def block(number: int, words: int = 24) -> str:
    """A paragraph of words that no other number has."""
    return " ".join(f"w{number}x{k}" for k in range(words)) + ".\n"


def article(name: str, blocks: Sequence[int], source: str | None = None) -> Article:
    """An article of some paragraphs."""
    return Article(id=name, text="".join(map(block, blocks)), source=source)


def forked(work: Callable[[], None]) -> int:
    """Do something in a child process, which ends with 1 after an error; its number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks while there are threads
        child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001 -- a child must not go on with the parent's tests
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def ended(child: int, patience: float = 120) -> int:
    """Wait for a child, which is killed if it takes too long; its exit code, negative for a signal."""
    deadline = time.monotonic() + patience
    while (status := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail(f"a child process hung for {patience:g} seconds")
        time.sleep(0.005)
    return os.waitstatus_to_exitcode(status[1])


def in_children(works: Sequence[Callable[[], None]]) -> None:
    """Do several things at once, each in a child process; all must succeed."""
    children = [forked(work) for work in works]
    assert [ended(child) for child in children] == [0] * len(children)
