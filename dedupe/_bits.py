"""Many bytes at a time for kernels: unaligned loads, and masks with a bit for each byte.

Each function is plain Python on numpy's types. Where numba compiles a kernel that calls one,
`register` has put a few machine instructions in its place.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from dedupe._jit import before_compiling

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    F = Callable[..., Any]

__all__ = ["bit_count", "load64", "register", "rotate_left", "trailing_zeros", "within64"]


def load64(buffer: NDArray[np.uint8], at: int) -> np.uint64:
    """The 8 bytes from `at` on, the first one lowest; all of them must lie in the buffer."""
    return np.uint64(int.from_bytes(buffer[at : at + 8].tobytes(), "little"))


def within64(buffer: NDArray[np.uint8], at: int, low: int, high: int) -> np.uint64:
    """Which of the 64 bytes from `at` on are in [low, high]: bit k for byte `at + k`.

    All 64 must lie in the buffer. One instruction or two wherever there are vectors.
    """
    part = buffer[at : at + 64]
    bits = np.packbits((part >= low) & (part <= high), bitorder="little")
    return np.uint64(int.from_bytes(bits.tobytes(), "little"))


def trailing_zeros(bits: np.uint64) -> int:
    """Number of the lowest bit that is set; 64 where none is."""
    value = int(bits)
    return (value & -value).bit_length() - 1 if value else 64


def rotate_left(x: np.uint64, r: int) -> np.uint64:
    """The bits of x, r places up, those that fall out at the top put in at the bottom."""
    return (x << np.uint64(r)) | (x >> np.uint64(64 - r))


def bit_count(bits: np.uint64) -> int:
    """How many bits are set."""
    return int(bits).bit_count()


@functools.cache
def register() -> None:
    """Tell numba how to compile these functions. Once a process, before it compiles a caller."""
    import numba
    import numba.extending
    from llvmlite import ir

    # Half of this is typed, and otherwise than it is used.
    types: Any = numba.types
    cgutils: Any = numba.core.cgutils
    extending: Any = numba.extending
    type_callable: Callable[..., Callable[[F], F]] = extending.type_callable
    lower_builtin: Callable[..., Callable[[F], F]] = extending.lower_builtin
    byte, word = ir.IntType(8), ir.IntType(64)

    # numba reads the number of arguments off the inner function.
    @type_callable(load64)
    def _type_load64(_context: Any) -> Any:
        return lambda _buffer, _at: types.uint64

    @type_callable(within64)
    def _type_within64(_context: Any) -> Any:
        return lambda _buffer, _at, _low, _high: types.uint64

    @type_callable(rotate_left)
    def _type_rotate_left(_context: Any) -> Any:
        return lambda _x, _r: types.uint64

    @type_callable(trailing_zeros)
    @type_callable(bit_count)
    def _type_count(_context: Any) -> Any:
        return lambda _bits: types.int64

    def pointer(context: Any, builder: Any, signature: Any, arguments: Any, kind: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = cgutils.gep_inbounds(builder, array.data, arguments[1])
        return builder.bitcast(place, kind.as_pointer())

    @lower_builtin(load64, types.Array, types.Integer)
    def _load64(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(pointer(context, builder, signature, arguments, word), align=1)

    @lower_builtin(within64, types.Array, types.Integer, types.Integer, types.Integer)
    def _within64(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(byte, 64)
        place = pointer(context, builder, signature, arguments, vector)
        loaded = builder.load(place, align=1)

        def all_lanes(value: Any) -> Any:
            one = builder.insert_element(
                ir.Constant(vector, ir.Undefined), builder.trunc(value, byte), ir.IntType(32)(0)
            )
            lanes = ir.Constant(ir.VectorType(ir.IntType(32), 64), [ir.IntType(32)(0)] * 64)
            return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), lanes)

        above = builder.icmp_unsigned(">=", loaded, all_lanes(arguments[2]))
        below = builder.icmp_unsigned("<=", loaded, all_lanes(arguments[3]))
        return builder.bitcast(builder.and_(above, below), word)

    @lower_builtin(rotate_left, types.uint64, types.Integer)
    def _rotate_left(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        # As two shifts LLVM would see the second multiplication in x * a << r, which is dearer.
        shift = builder.module.declare_intrinsic(
            "llvm.fshl", [word], ir.FunctionType(word, [word, word, word])
        )
        return builder.call(shift, [arguments[0], arguments[0], arguments[1]])

    @lower_builtin(trailing_zeros, types.Integer)
    def _trailing_zeros(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.IntType(1)(0))

    @lower_builtin(bit_count, types.Integer)
    def _bit_count(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])


before_compiling(register)
