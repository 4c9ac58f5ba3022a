"""Many bytes at a time for kernels: unaligned loads, masks with a bit for each byte, fetching ahead.

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

__all__ = [
    "bit_count",
    "load64",
    "overlapping32",
    "prefetch",
    "register",
    "rotate_left",
    "trailing_zeros",
    "within64",
]


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


def overlapping32(
    starts: NDArray[np.int32], ends: NDArray[np.int32], at: int, low: int, high: int
) -> np.uint64:
    """Which of the 32 spans from `at` on touch [low, high]: bit k for span `at + k`.

    All 32 must lie in both arrays; those beyond what was entered say anything. `low` and `high`
    must fit an int32, of which compiled code looks at no more.
    """
    found = (ends[at : at + 32] >= low) & (starts[at : at + 32] <= high)
    return np.uint64(int.from_bytes(np.packbits(found, bitorder="little").tobytes(), "little"))


def prefetch(array: NDArray[Any], at: int) -> None:
    """Have an item on its way to the cache, which is looked at soon. It need not be in the array."""


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

    @type_callable(overlapping32)
    def _type_overlapping32(_context: Any) -> Any:
        return lambda _starts, _ends, _at, _low, _high: types.uint64

    @type_callable(prefetch)
    def _type_prefetch(_context: Any) -> Any:
        return lambda _array, _at: types.void

    @type_callable(rotate_left)
    def _type_rotate_left(_context: Any) -> Any:
        return lambda _x, _r: types.uint64

    @type_callable(trailing_zeros)
    @type_callable(bit_count)
    def _type_count(_context: Any) -> Any:
        return lambda _bits: types.int64

    def load(context: Any, builder: Any, array: tuple[Any, Any], at: Any, kind: Any) -> Any:
        made = context.make_array(array[0])(context, builder, array[1])
        place = cgutils.gep_inbounds(builder, made.data, at)
        return builder.load(builder.bitcast(place, kind.as_pointer()), align=1)

    def all_lanes(builder: Any, value: Any, vector: Any) -> Any:
        number = ir.IntType(32)
        nothing = ir.Constant(vector, ir.Undefined)
        one = builder.insert_element(nothing, builder.trunc(value, vector.element), number(0))
        lanes = ir.Constant(ir.VectorType(number, vector.count), [number(0)] * vector.count)
        return builder.shuffle_vector(one, nothing, lanes)

    @lower_builtin(load64, types.Array, types.Integer)
    def _load64(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return load(context, builder, (signature.args[0], arguments[0]), arguments[1], word)

    @lower_builtin(within64, types.Array, types.Integer, types.Integer, types.Integer)
    def _within64(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(byte, 64)
        loaded = load(context, builder, (signature.args[0], arguments[0]), arguments[1], vector)
        above = builder.icmp_unsigned(">=", loaded, all_lanes(builder, arguments[2], vector))
        below = builder.icmp_unsigned("<=", loaded, all_lanes(builder, arguments[3], vector))
        return builder.bitcast(builder.and_(above, below), word)

    integer = types.Integer

    @lower_builtin(prefetch, types.Array, types.Integer)
    def _prefetch(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(made.data, [arguments[1]])  # which may be out of bounds
        number, pointer = ir.IntType(32), byte.as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        call = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
        # To be read, soon and again, as data.
        builder.call(call, [builder.bitcast(place, pointer), number(0), number(3), number(1)])
        return context.get_dummy_value()

    @lower_builtin(overlapping32, types.Array, types.Array, integer, integer, integer)
    def _overlapping32(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(ir.IntType(32), 32)
        starts, ends = (
            load(context, builder, (signature.args[k], arguments[k]), arguments[2], vector)
            for k in range(2)
        )
        late = builder.icmp_signed(">=", ends, all_lanes(builder, arguments[3], vector))
        early = builder.icmp_signed("<=", starts, all_lanes(builder, arguments[4], vector))
        return builder.zext(builder.bitcast(builder.and_(late, early), ir.IntType(32)), word)

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
