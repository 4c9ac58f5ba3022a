"""Kernels side by side: they run without the GIL, so plain threads do."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from dedupe._jit import is_interpreted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    T = TypeVar("T")
    R = TypeVar("R")
    P = ParamSpec("P")

__all__ = ["in_slices", "in_threads", "submit"]


def in_threads(work: Callable[[T], R], items: Sequence[T], threads: int) -> list[R]:
    """The results of work(item), in the order of the items; without a thread where one is enough."""
    if len(items) <= 1 or threads == 1 or is_interpreted():  # interpreted in one thread alone
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


def in_slices(work: Callable[[int, int], R], n: int, size: int, threads: int) -> list[R]:
    """The results of work(first, last) over slices of [0, n), in order.

    Slices are of one size whatever the number of threads, so that results do not depend on it.
    """
    slices = [(first, min(first + size, n)) for first in range(0, n, size)]
    return in_threads(lambda s: work(*s), slices, threads)


def submit(
    pool: ThreadPoolExecutor, work: Callable[P, R], *args: P.args, **more: P.kwargs
) -> Future[R]:
    """The result of work(*args), of a thread of the pool; or of this one, where none can be started.

    So it is while the interpreter exits. The work may be done twice then.
    """
    try:
        return pool.submit(work, *args, **more)
    except RuntimeError:
        done: Future[R] = Future()
        try:
            done.set_result(work(*args, **more))
        except BaseException as error:  # noqa: BLE001 -- as a pool does
            done.set_exception(error)
        return done
