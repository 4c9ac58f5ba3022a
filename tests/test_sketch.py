"""Sketches against sorted sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, uint64

from dedupe.config import Config
from dedupe.sketch import (
    FEW,
    MAX_SCALE,
    SKETCH_BUDGET,
    choose_scale,
    distinct_ascending,
    fill_sketch,
    min_shared_by_size,
    min_shared_hashes,
    sketch_limit,
)

SHINGLES = st.lists(st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 5)), max_size=40)
SCALES = st.integers(1, 2**20)


def sketch(shingles: list[int], scale: int) -> list[int]:
    """The sketch of some shingles, by the kernel."""
    out = np.empty(len(shingles), np.uint64)
    n = fill_sketch(uint64(shingles), sketch_limit(scale), out)
    values: list[int] = out[:n].tolist()
    return values


@examples
@given(SHINGLES, SCALES)
def test_sketch_is_a_sorted_set(shingles: list[int], scale: int) -> None:
    """A sketch is the distinct shingles below 2^64 / s, ascending."""
    assert sketch(shingles, scale) == sorted({h for h in shingles if h < 2**64 // scale})


@examples
@given(
    st.lists(
        st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 3), st.integers(2**64 - 4, 2**64 - 1)),
        max_size=60,
    )
)
def test_distinct_ascending_is_a_sorted_set(hashes: list[int]) -> None:
    """Whatever the hashes, those left are the distinct ones, ascending."""
    array = uint64(hashes)
    n = distinct_ascending(array)
    assert array[:n].tolist() == sorted(set(hashes))


def test_one_hash_over_and_over_takes_linear_time() -> None:
    """A text that says the same again and again has few distinct hashes, found without a square."""
    array = np.repeat(uint64([2**60, 5, 2**63]), 300_000)
    assert array[: distinct_ascending(array)].tolist() == [5, 2**60, 2**63]


@examples
@given(SHINGLES, SCALES, SCALES)
def test_sketches_are_nested(shingles: list[int], one: int, other: int) -> None:
    """The sketch of a larger scale is the beginning of that of a smaller one."""
    fine, coarse = sketch(shingles, min(one, other)), sketch(shingles, max(one, other))
    assert fine[: len(coarse)] == coarse


@pytest.mark.parametrize(
    ("scale", "limit"),
    [(1, 2**64 - 1), (2, 2**63 - 1), (3, 6148914691236517204), (8, 2**61 - 1)],
)
def test_sketch_limit(scale: int, limit: int) -> None:
    """The limit is the largest whole number below 2^64 / s."""
    assert int(sketch_limit(scale)) == limit


@pytest.mark.parametrize("scale", [1, 2, 3, 8, 2**20])
def test_the_limit_itself_belongs_to_the_sketch(scale: int) -> None:
    """A sketch holds hashes up to its limit, and none above."""
    limit = int(sketch_limit(scale))
    assert sketch([limit - 1, limit, min(limit + 1, 2**64 - 1)], scale) == sorted(
        {limit - 1, limit}
    )


@examples
@given(st.integers(0, 10**10), st.integers(0, 10**10))
def test_scale_grows_with_the_corpus(one: int, other: int) -> None:
    """A larger corpus never has a smaller scale."""
    config = Config()
    assert choose_scale(min(one, other), config) <= choose_scale(max(one, other), config)


@examples
@given(st.integers(0, 10**9))
def test_scale_is_the_smallest_affordable(n_shingles: int) -> None:
    """The scale is the least power of two that keeps the sketch in its budget, up to a cap."""
    affordable = [s for s in (1, 2, 4, 8) if n_shingles <= s * SKETCH_BUDGET]
    assert choose_scale(n_shingles, Config()) == min(affordable, default=MAX_SCALE)


def test_configured_scale_wins() -> None:
    """A scale that is configured is used for a corpus of any size."""
    assert [choose_scale(n, Config(scale=3)) for n in (0, 10**12)] == [3, 3]


@pytest.mark.parametrize(
    ("scale", "shingle", "words", "expected"),
    [
        (1, 5, 19, 15),
        (2, 5, 19, 3),
        (4, 5, 19, 2),
        (8, 5, 19, 2),
        (8, 5, 100, 6),
        (1, 5, 5, 1),
        (64, 5, 5, 1),
        (64, 5, 6, 2),
    ],
)
def test_min_shared_hashes(scale: int, shingle: int, words: int, expected: int) -> None:
    """All shared shingles count at scale 1, above it half the expected ones and at least two."""
    config = Config(shingle=shingle, min_shared_words=words)
    assert min_shared_hashes(scale, config) == expected


@pytest.mark.parametrize(
    ("scale", "words", "few", "many"),
    [(1, 19, 15, 15), (2, 19, 3, 3), (4, 19, 1, 2), (8, 19, 1, 2), (8, 100, 6, 6), (1, 5, 1, 1)],
)
def test_min_shared_by_size(scale: int, words: int, few: int, many: int) -> None:
    """Where two are asked for although half the expected hashes are fewer, few need not be two."""
    config = Config(min_shared_words=words)
    found = min_shared_by_size(np.array([0, FEW, FEW + 1, 1000]), scale, config)
    assert found.tolist() == [few, few, many, many]


@examples
@given(st.integers(0, 2**63), st.integers(1, 2**20))
def test_distinct_ascending_of_a_narrow_range(first: int, width: int) -> None:
    """Hashes that lie close together, as those of one part do, are put in order like others."""
    values = [first + (k * 7919) % width for k in range(300)]
    array = uint64(values)
    assert array[: distinct_ascending(array)].tolist() == sorted(set(values))
