"""One place that says how kernels are compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["kernel"]


def kernel(function: F) -> F:
    """Compile a function with numba, on first use, for threads, kept on disk where possible.

    `nogil` lets worker threads run kernels side by side; it compiles far faster than
    `parallel=True`. Where no cache directory can be written numba compiles in memory.
    """
    try:
        compiled: Any = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # "no locator available": nowhere to keep the compiled code
        compiled = numba.njit(nogil=True)(function)
    return cast("F", compiled)
