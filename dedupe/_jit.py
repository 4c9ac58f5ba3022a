"""One place that says how kernels are compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["ascending", "kernel"]


def kernel(function: F) -> F:
    """Compile a function with numba, on first use, for threads, kept on disk where possible.

    `nogil` lets worker threads run kernels side by side; it compiles far faster than
    `parallel=True`. Where no cache directory can be written numba compiles in memory.
    """
    try:
        compiled: Any = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # "no locator available": nowhere to keep the compiled code
        compiled = numba.njit(nogil=True)(function)
    compile_for = compiled.compile
    general: Any = numba.types.unliteral

    def compile_once(signature: Any) -> Any:
        # A call with a constant would compile the kernel anew, for that constant.
        return compile_for(tuple(general(kind) for kind in signature))

    compiled.compile = compile_once
    return cast("F", compiled)


@kernel
def ascending(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Stable order of int64 keys.

    One place for kernels to sort in, by merging: numba takes two seconds to compile its own
    sort, again for every kind of array, and as part of each kernel that calls for it.
    """
    n = len(keys)
    order = np.empty(n, np.int64)
    other = np.empty(n, np.int64)
    for k in range(n):
        order[k] = k
    width = 1
    while width < n:
        for first in range(0, n, 2 * width):
            middle, last = min(first + width, n), min(first + 2 * width, n)
            i, j = first, middle
            for k in range(first, last):
                if i < middle and (j == last or keys[order[i]] <= keys[order[j]]):
                    other[k] = order[i]
                    i += 1
                else:
                    other[k] = order[j]
                    j += 1
        order, other = other, order
        width *= 2
    return order
