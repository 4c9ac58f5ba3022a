"""Memory for what is large, taken from the system and given back to it."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import mmap
import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

__all__ = ["PerThread", "give_back", "take", "trim"]

T = TypeVar("T")

_KEPT = 1 << 24
"""Items up to which a thread keeps what it took; who needs more takes that for once."""

_PIECE = 1 << 24
"""Bytes given back at a time. Meanwhile no thread of the process can take any."""

_AT_ONCE = 1 << 24
"""Bytes up to which a thread is not worth starting."""


class PerThread(Generic[T]):
    """Arrays that each thread keeps, and writes over with its next batch.

    Fresh memory costs a page fault every 4 kB, which is dearer than filling it.

    Args:
        make: makes arrays with room for so many items.
    """

    def __init__(self, make: Callable[[int], T]) -> None:
        self._make = make
        self._local = threading.local()

    def of(self, n: int) -> T:
        """This thread's arrays, with room for n items or more."""
        kept: tuple[int, T] | None = getattr(self._local, "kept", None)
        if kept is None or kept[0] < n:
            lasting = n <= _KEPT
            room = n + (n >> 2 if lasting else 0)  # the next batch may be somewhat larger
            kept = room, self._make(room)
            if lasting:
                self._local.kept = kept
        return kept[1]


def take(n: int, kind: np.dtype[Any]) -> tuple[NDArray[Any], mmap.mmap | None]:
    """An array for n values, whose memory is taken page by page as they come; and the memory.

    numpy asks for huge pages. Those are what the system has had free for longest, and has to be
    given by the host where it is a virtual machine: 400 MB of tokens took .4 to .9 s of CPU, and
    take .2 in small pages, in which they are looked up as fast. None where it is numpy's after all.

    Raises:
        MemoryError: there is not so much.
    """
    try:
        if not n or not hasattr(mmap, "MAP_PRIVATE"):  # not on every system
            return np.empty(n, kind), None
        memory = mmap.mmap(-1, n * kind.itemsize, access=mmap.ACCESS_COPY)
    except (OSError, MemoryError) as error:
        raise MemoryError(f"no memory for {n * kind.itemsize:,} bytes") from error
    return np.frombuffer(memory, kind), memory


def give_back(memory: Collection[mmap.mmap], used: int) -> None:
    """Have a thread give memory back that `take` took; arrays in it must not be looked at any more.

    Half a gigabyte takes .03 s, in which a process has other things to do.

    Args:
        memory: all of it.
        used: bytes of it that were ever written to, roughly.
    """
    if used > _AT_ONCE:
        # Where none can be started, as while the interpreter exits, it is done here.
        with contextlib.suppress(RuntimeError):
            threading.Thread(target=_give_back, args=(memory,), daemon=True).start()
            return
    _give_back(memory)


def _give_back(memory: Collection[mmap.mmap]) -> None:
    advise, unwanted = _c_function("madvise"), getattr(mmap, "MADV_DONTNEED", None)
    for one in memory:
        if advise is not None and unwanted is not None:
            place = ctypes.c_char.from_buffer(one)
            first = ctypes.addressof(place)
            del place  # or it could not be closed
            for at in range(0, len(one), _PIECE):
                size = min(_PIECE, len(one) - at)
                advise(ctypes.c_void_p(first + at), ctypes.c_size_t(size), unwanted)
        # Whoever still holds an array gives back what is left, by dropping it.
        with contextlib.suppress(BufferError):
            one.close()


@functools.cache
def _c_function(name: str) -> Callable[..., Any] | None:
    """A function of the C library, which runs without the GIL; None where there is no such one."""
    try:
        found: Callable[..., Any] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):  # TypeError: on Windows nothing has no name
        return None
    return found


def trim() -> bool:
    """Let the system have pages of the heap that hold nothing; whether that was possible.

    Arrays of every size come and go with each chunk, in several threads, and the allocator keeps
    what lies between those that stay: 300 MB after some ten thousand articles, of which half held
    nothing. Takes 10 ms. Of the GNU C library alone.
    """
    malloc_trim = _c_function("malloc_trim")
    if malloc_trim is None:
        return False
    malloc_trim(0)
    return True
