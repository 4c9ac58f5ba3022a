"""How often Python looks for garbage while much is made that stays."""

from __future__ import annotations

import gc
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OBJECTS_MADE", "fewer_collections"]

OBJECTS_MADE = 200_000
"""Objects made after which Python looks for garbage during a scan; 700 otherwise. Importing what a scan
needs makes a hundred thousand, none of which is garbage."""


class _Seldom:
    """Those who want Python to look for garbage seldom, one setting of the process for them all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        # What the setting was before, and what it was then made; None where it was left alone.
        self._changed: tuple[tuple[int, int, int], tuple[int, int, int]] | None = None

    def begin(self) -> None:
        """One more; the first changes the setting, unless Python looks as seldom, or never."""
        with self._lock:
            self._users += 1
            before = gc.get_threshold()
            if self._users == 1 and 0 < before[0] < OBJECTS_MADE:
                gc.set_threshold(OBJECTS_MADE, *before[1:])
                self._changed = before, gc.get_threshold()

    def end(self) -> None:
        """One less; the last puts the setting back."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._put_back()

    def forget(self) -> None:
        """Put the setting back in a process that was forked: no other thread ends in it."""
        self._lock = threading.Lock()  # another thread may have held it
        self._put_back()

    def _put_back(self) -> None:
        """What somebody else has set since stays."""
        if self._changed is not None:
            before, made = self._changed
            self._changed = None
            if gc.get_threshold() == made:
                gc.set_threshold(*before)


_seldom = _Seldom()


def _after_fork() -> None:
    """Begin to count anew; who was counted in this thread still ends with the old count."""
    global _seldom  # noqa: PLW0603 -- one setting of the process
    _seldom.forget()
    _seldom = _Seldom()


if hasattr(os, "register_at_fork"):  # not on every system
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Have Python look for garbage less often than usual, unless it never does.

    Loading numba and reading ids make hundreds of thousands of objects that stay: looking through
    them for garbage every 700 objects took .15 of the 7 CPU seconds of a scan of 225 MB.
    """
    seldom = _seldom
    seldom.begin()
    try:
        yield
    finally:
        seldom.end()
