"""One place that says how kernels are compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["ascending", "kernel", "leaf"]


def kernel(function: F) -> F:
    """Compile a function with numba, on first use, for threads, kept on disk where possible.

    `nogil` lets worker threads run kernels side by side; it compiles far faster than
    `parallel=True`. Where no cache directory can be written numba compiles in memory.
    """
    return _compiled(function)


def leaf(function: F) -> F:
    """A kernel that makes no array, and keeps none that it is given, so that it counts none.

    numba counts a reference to every array at each call of a kernel and on its return, by calls
    of its own and atomic instructions: dearer than what a small kernel does for one character.
    """
    return _compiled(function, _nrt=False)


def _compiled(function: F, **options: bool) -> F:
    njit: Any = numba.njit
    try:
        compiled = njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # "no locator available": nowhere to keep the compiled code
        compiled = njit(nogil=True, **options)(function)
    compile_for = compiled.compile
    general: Any = numba.types.unliteral

    def compile_once(signature: Any) -> Any:
        # A call with a constant would compile the kernel anew, for that constant.
        return compile_for(tuple(general(kind) for kind in signature))

    compiled.compile = compile_once
    return cast("F", compiled)


@kernel
def ascending(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Stable order of contiguous int64 keys.

    One place for kernels to sort in: numba takes two seconds to compile a sort, again for
    every kind of array.
    """
    return np.argsort(keys, kind="mergesort")
