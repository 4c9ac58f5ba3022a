"""One-permutation MinHash against plain Python, and its recall against the formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, uint64

from dedupe.bands import EMPTY_BIN, fill_band_keys, fill_bins
from dedupe.lsh import expected_recall

HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=60)


def bins_of(shingles: list[int], n: int) -> list[int]:
    """Bins by the kernel."""
    out = np.empty(n, np.uint64)
    fill_bins(uint64(shingles), out)
    bins: list[int] = out.tolist()
    return bins


def keys_of(shingles: list[int], bands: int, rows: int) -> list[int]:
    """Band keys by the kernels."""
    bins = np.array(bins_of(shingles, bands * rows), np.uint64)
    out = np.zeros(bands, np.uint32)
    fill_band_keys(bins, rows, out)
    keys: list[int] = out.tolist()
    return keys


@examples
@given(HASHES, st.integers(1, 200))
def test_bins_hold_minima(shingles: list[int], n: int) -> None:
    """The upper half of a hash says which bin it falls into, the least lower half stays."""
    expected = [int(EMPTY_BIN)] * n
    for value in shingles:
        place = (value >> 32) * n >> 32
        expected[place] = min(expected[place], value & 0xFFFFFFFF)
    assert bins_of(shingles, n) == expected


@examples
@given(HASHES.filter(bool), st.randoms(use_true_random=False))
def test_keys_depend_on_the_set_only(shingles: list[int], random: object) -> None:
    """The order and the number of times of shingles make no difference."""
    shuffled = [*shingles, *shingles[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert keys_of(shuffled, 8, 4) == keys_of(shingles, 8, 4)


@examples
@given(st.integers(0, 2**64 - 1), st.integers(1, 64))
def test_one_shingle_fills_all_bins(shingle: int, bands: int) -> None:
    """Empty bins borrow: a text of one shingle has keys like any other, equal for equal texts."""
    assert keys_of([shingle], bands, 2) == keys_of([shingle], bands, 2)
    other = keys_of([shingle ^ 1], bands, 2)
    assert all(a != b for a, b in zip(keys_of([shingle], bands, 2), other, strict=True))


@pytest.mark.parametrize(("size", "resemblance"), [(40, 0.7), (400, 0.7), (400, 0.5), (2000, 0.3)])
def test_recall_is_as_expected(size: int, resemblance: float) -> None:
    """Pairs of sets share a band about as often as 1 - (1 - j^r)^b says, short ones too."""
    random = np.random.default_rng(7)
    shared = round(2 * size * resemblance / (1 + resemblance))
    found = 0
    trials = 300
    for _ in range(trials):
        values = random.integers(0, 2**64, 2 * size - shared, np.uint64).tolist()
        one, other = values[:size], values[size - shared :]
        keys = zip(keys_of(one, 32, 4), keys_of(other, 32, 4), strict=True)
        found += any(a == b for a, b in keys)
    # Sampling allows about .06; bins of one set are not quite independent of each other.
    assert found / trials == pytest.approx(expected_recall(resemblance, 32, 4), abs=0.12)


def test_unrelated_texts_share_no_band() -> None:
    """Of a thousand pairs of unrelated sets none shares a key of 32 bits."""
    random = np.random.default_rng(3)
    keys = [keys_of(random.integers(0, 2**64, 200, np.uint64).tolist(), 32, 4) for _ in range(46)]
    assert all(len({row[band] for row in keys}) == len(keys) for band in range(32))
