"""Shingles and fingerprints against Python's integers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from oracles import end_to_end, examples, fmix, shingles_of, uint64

from dedupe.shingle import fill_shingles, fingerprints, fmix64, shingles
from dedupe.tokens import Tokens

HASHES = st.integers(0, 2**64 - 1)
TOKEN_LISTS = st.lists(st.lists(st.one_of(HASHES, st.integers(0, 2)), max_size=5), max_size=6)


def tokens_of_rows(rows: list[list[int]]) -> Tokens:
    """Tokens that are nothing but their hashes."""
    offsets, hashes = end_to_end(rows)
    places = np.zeros(len(hashes), np.uint32)
    return Tokens(offsets, hashes, places, places, places.astype(np.uint8))


@examples
@given(HASHES)
def test_fmix64(x: int) -> None:
    """The finaliser is MurmurHash3's."""
    assert int(fmix64(np.uint64(x))) == fmix(x)


def test_fmix64_published_values() -> None:
    """The finaliser keeps zero, and gives the known values of 1 and 2^64 - 1."""
    assert [int(fmix64(np.uint64(x))) for x in (0, 1, 2**64 - 1)] == [
        0,
        0xB456BCFC34C2CB2C,
        0x64B5720B4B825F21,
    ]


@examples
@given(st.lists(HASHES, max_size=40), st.integers(1, 32))
def test_shingles_equal_the_polynomial(tokens: list[int], w: int) -> None:
    """Rolled shingles are the documented polynomial, computed afresh for each."""
    assert shingles(uint64(tokens), w).tolist() == shingles_of(tokens, w)


@examples
@given(st.lists(HASHES, max_size=20), st.integers(1, 8))
def test_fill_shingles_writes_no_more_than_it_says(tokens: list[int], w: int) -> None:
    """The kernel returns how many it wrote and leaves the rest of its room alone."""
    out = np.full(len(tokens) + 3, 7, np.uint64)
    n = fill_shingles(uint64(tokens), w, out)
    assert out.tolist() == [*shingles_of(tokens, w), *[7] * (len(out) - n)]


@examples
@given(TOKEN_LISTS)
def test_fingerprints_are_equal_where_tokens_are(rows: list[list[int]]) -> None:
    """Two articles have one fingerprint exactly where their token sequences are equal."""
    values = fingerprints(tokens_of_rows(rows)).tolist()
    for row, value in zip(rows, values, strict=True):
        assert [v == value for v in values] == [r == row for r in rows]


def test_fingerprints_tell_lengths_apart() -> None:
    """Texts of nothing but tokens of hash zero differ by their number."""
    values = fingerprints(tokens_of_rows([[0] * n for n in range(50)])).tolist()
    assert len(set(values)) == 50


@examples
@given(TOKEN_LISTS)
def test_fingerprints_do_not_depend_on_neighbours(rows: list[list[int]]) -> None:
    """An article has the same fingerprint alone and in a batch."""
    together = fingerprints(tokens_of_rows(rows)).tolist()
    assert together == [int(fingerprints(tokens_of_rows([row]))[0]) for row in rows]
