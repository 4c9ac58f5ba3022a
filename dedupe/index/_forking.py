"""What is to be done around a fork, by whatever must not be shared with the child as it is.

SQLite keeps in the memory of a process which locks the process holds. A child that opens a file
while it has that memory from its parent takes locks for held that are not its own: when the
parent closes the file, its log is deleted under the child, and what the child writes is lost.
So nothing is open while a fork takes place.
"""

from __future__ import annotations

import os
import threading
from typing import Protocol
from weakref import WeakSet

__all__ = ["Watched", "watch"]


class Watched(Protocol):
    """Something that is told of forks."""

    def before_fork(self) -> None:
        """Come to rest, and stay so."""

    def after_fork(self, *, in_child: bool) -> None:
        """Go on; in the child other threads are gone, and locks they held are nobody's."""


_watched: WeakSet[Watched] = WeakSet()
_lock = threading.RLock()
_resting: list[Watched] = []


def watch(one: Watched) -> None:
    """Tell something of forks from now on, as long as it is there."""
    with _lock:
        _watched.add(one)


def _before() -> None:
    _lock.acquire()
    _resting[:] = _watched
    for one in _resting:
        one.before_fork()


def _after(*, in_child: bool) -> None:
    global _lock  # noqa: PLW0603 -- a lock that another process's thread holds is of no use
    for one in _resting:
        one.after_fork(in_child=in_child)
    _resting.clear()
    if in_child:
        _lock = threading.RLock()
    else:
        _lock.release()


if hasattr(os, "register_at_fork"):  # not on Windows, where there is no fork
    os.register_at_fork(
        before=_before,
        after_in_parent=lambda: _after(in_child=False),
        after_in_child=lambda: _after(in_child=True),
    )
