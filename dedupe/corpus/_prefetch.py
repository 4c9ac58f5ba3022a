"""An iterator that works ahead in a thread."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

__all__ = ["Prefetched"]

T = TypeVar("T")

# How long the end of the program waits for a thread to come to where it can stop, in seconds. A
# slice of Parquet is decoded and a web page parsed in less.
_PATIENCE = 10.0


class Prefetched(Generic[T]):
    """The items of a generator, up to `ahead` of them made in a thread before they are asked for.

    An exception of the generator is raised where its item would have come. When this is closed
    or forgotten, the thread stops after the item it is at and closes the generator; it never
    keeps a program from ending. Ctrl-C while waiting for an item is a `KeyboardInterrupt` here,
    after which this can be used or closed.
    """

    def __init__(self, items: Generator[T], ahead: int) -> None:
        self._channel: _Channel[T] = _Channel(ahead)
        # The thread has no way to this object, so that it can be forgotten.
        thread = threading.Thread(
            target=_produce, args=(items, self._channel), name="dedupe-read", daemon=True
        )
        weakref.finalize(self, self._channel.close).atexit = False  # `_end_all` waits as well
        _running[thread] = self._channel
        thread.start()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        return self._channel.get()

    def close(self) -> None:
        """Stop; items made ahead are lost. There are no more afterwards."""
        self._channel.close()


class _Channel(Generic[T]):
    """Items from one thread to another, at most `room` of them on the way."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._items: deque[T] = deque()
        self._error: BaseException | None = None
        self._ended = False
        self._closed = False
        # Its lock is re-entrant: `close` may be called by a garbage collection anywhere.
        self._changed = threading.Condition()

    def put(self, item: T) -> bool:
        """Hand over an item as soon as there is room; False where nobody wants it."""
        with self._changed:
            while len(self._items) >= self._room and not self._closed:
                self._changed.wait()
            if not self._closed:
                self._items.append(item)
            self._changed.notify_all()
            return not self._closed

    def end(self, error: BaseException | None = None) -> None:
        """Say that no item follows, but for an error."""
        with self._changed:
            self._ended = True
            self._error = error
            self._changed.notify_all()

    def get(self) -> T:
        """The next item.

        Raises:
            StopIteration: there are no more.
            BaseException: the error that ended them, once.
        """
        with self._changed:
            while not (self._items or self._ended or self._closed):
                self._changed.wait()
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
            error, self._error = self._error, None
        raise error or StopIteration

    def close(self) -> None:
        """Let both sides go."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._error = None
            self._changed.notify_all()


_running: weakref.WeakKeyDictionary[threading.Thread, _Channel[Any]] = weakref.WeakKeyDictionary()


def _produce(items: Generator[T], channel: _Channel[T]) -> None:
    try:
        try:
            for item in items:
                if not channel.put(item):
                    break
                del item  # the other side may be done with it before the next one is made
        finally:
            items.close()
    except BaseException as error:  # noqa: BLE001 -- raised on the other side
        channel.end(error)
    else:
        channel.end()


@atexit.register
def _end_all() -> None:
    """Stop all threads before the interpreter is taken down: one that runs on would crash it."""
    for channel in list(_running.values()):
        channel.close()
    for thread in list(_running):
        thread.join(_PATIENCE)
