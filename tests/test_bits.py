"""Bit tricks: what numba compiles in their place does the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import MASK, examples

from dedupe._bits import (
    bit_count,
    load64,
    overlapping32,
    prefetch,
    rotate_left,
    trailing_zeros,
    within64,
)
from dedupe._jit import leaf

if TYPE_CHECKING:
    from numpy.typing import NDArray


@leaf
def compiled_load64(buffer: NDArray[np.uint8], at: int) -> np.uint64:
    """Load, compiled."""
    return load64(buffer, at)


@leaf
def compiled_within64(buffer: NDArray[np.uint8], at: int, low: int, high: int) -> np.uint64:
    """Compare, compiled."""
    return within64(buffer, at, low, high)


@leaf
def compiled_overlapping32(
    starts: NDArray[np.int32], ends: NDArray[np.int32], at: int, low: int, high: int
) -> np.uint64:
    """Compare spans, compiled."""
    return overlapping32(starts, ends, at, low, high)


@leaf
def compiled_counts(bits: np.uint64, r: int) -> tuple[int, int, np.uint64]:
    """All that is done to one number, compiled."""
    return trailing_zeros(bits), bit_count(bits), rotate_left(bits, r)


@leaf
def compiled_prefetch(array: NDArray[np.uint16], at: int) -> None:
    """Fetch an item, compiled."""
    prefetch(array, at)


@pytest.mark.parametrize("at", [0, 2, 3, 1 << 40])
def test_fetching_changes_nothing(at: int) -> None:
    """Nor does it fail where there is nothing. Whether it is quicker is for benchmarks."""
    array = np.array([7, 8, 9], np.uint16)
    prefetch(array, at)
    compiled_prefetch(array, at)
    assert array.tolist() == [7, 8, 9]


@examples
@given(st.binary(min_size=64, max_size=100), st.data())
def test_bytes(data: bytes, draw: st.DataObject) -> None:
    """Eight bytes are their little-endian number, wherever they lie; of 64 each has its bit."""
    buffer = np.frombuffer(data, np.uint8)
    at = draw.draw(st.integers(0, len(data) - 8))
    expected = int.from_bytes(data[at : at + 8], "little")
    assert int(load64(buffer, at)) == int(compiled_load64(buffer, at)) == expected
    at = draw.draw(st.integers(0, len(data) - 64))
    low, high = draw.draw(st.integers(0, 255)), draw.draw(st.integers(0, 255))
    expected = sum(1 << k for k in range(64) if low <= data[at + k] <= high)
    assert int(within64(buffer, at, low, high)) == expected
    assert int(compiled_within64(buffer, at, low, high)) == expected


NUMBERS = st.integers(-50, 50) | st.integers(-(2**31), 2**31 - 1)


@examples
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=32, max_size=40), NUMBERS, NUMBERS, st.data())
def test_spans(spans: list[tuple[int, int]], low: int, high: int, draw: st.DataObject) -> None:
    """Of 32 spans, wherever they lie, those that touch another one have their bits."""
    at = draw.draw(st.integers(0, len(spans) - 32))
    starts, ends = np.array(spans, np.int32).T.copy()
    part = spans[at : at + 32]
    expected = sum(1 << k for k, (a, b) in enumerate(part) if b >= low and a <= high)
    assert int(overlapping32(starts, ends, at, low, high)) == expected
    assert int(compiled_overlapping32(starts, ends, at, low, high)) == expected


@examples
@given(st.integers(0, MASK) | st.integers(0, 63).map(lambda k: 1 << k), st.integers(1, 63))
def test_bits(value: int, r: int) -> None:
    """Bits are counted, found from the lowest, and go round."""
    bits = np.uint64(value)
    digits = f"{value:064b}"
    expected = (
        64 - len(digits.rstrip("0")),
        digits.count("1"),
        int(digits[r:] + digits[:r], 2),
    )
    assert (trailing_zeros(bits), bit_count(bits), int(rotate_left(bits, r))) == expected
    zeros, count, rotated = compiled_counts(bits, r)
    assert (zeros, count, int(rotated)) == expected


@pytest.mark.parametrize("value", [0, MASK])
def test_extremes(value: int) -> None:
    """No bit has no place: one beyond the last is told."""
    expected = (64, 0) if value == 0 else (0, 64)
    bits = np.uint64(value)
    assert (trailing_zeros(bits), bit_count(bits)) == expected
    assert compiled_counts(bits, 1)[:2] == expected
