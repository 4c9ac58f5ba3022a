"""An index in a thread of its own, awaited from asyncio or from Twisted.

Looking an article up takes milliseconds that an event loop needs for something else, and calls to
an index wait for each other anyway: one thread does all of it, in the order in which it is asked.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from concurrent.futures import Future

    from dedupe.index import Index

__all__ = ["IndexCalls", "awaited"]

_T = TypeVar("_T")


class IndexCalls:
    """Calls to an index, made one by one in a thread of their own."""

    def __init__(self, url: str, settings: Mapping[str, Any]) -> None:
        self._url = url
        self._settings = dict(settings)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dedupe-index")
        self._index: Index | None = None

    def call(self, work: Callable[[Index], _T]) -> Future[_T]:
        """Have some work done with the index, after all that was asked for before.

        The first call opens it, and tells what goes wrong with that.
        """
        return self._thread.submit(lambda: work(self._opened()))

    def close(self) -> Future[None]:
        """Close the index after all that was asked for; then there are no more calls."""
        closed = self._thread.submit(self._close)
        self._thread.shutdown(wait=False)
        return closed

    def _opened(self) -> Index:
        if self._index is None:
            from dedupe.index import Index

            self._index = Index.open(self._url, **self._settings)
        return self._index

    def _close(self) -> None:
        if self._index is not None:
            self._index.close()


async def awaited(future: Future[_T]) -> _T:
    """The result of a thread's work, without blocking asyncio or, where that does not run, Twisted."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return await _deferred(future)
    return await asyncio.wrap_future(future)


def _deferred(future: Future[_T]) -> Awaitable[_T]:
    """The same result for coroutines that Twisted runs without asyncio."""
    from twisted.internet import reactor
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    deferred: Deferred[_T] = Deferred()

    def fire() -> None:
        error = future.exception()
        if error is None:
            deferred.callback(future.result())
        else:
            deferred.errback(Failure(error))  # type: ignore[no-untyped-call, unused-ignore]

    loop: Any = reactor  # whichever is installed
    future.add_done_callback(lambda _: loop.callFromThread(fire))
    return deferred
