"""Signatures, bit for bit those of datasketch."""

from __future__ import annotations

import sys

import datasketch
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, uint64

from dedupe.errors import MissingExtraError
from dedupe.signature import EMPTY_ROW, fill_signature, lean_minhashes, permutations, signature

HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=30)
SEEDS = [(0, 2), (1, 128), (7, 64), (42, 256), (2**32 - 1, 16)]


def minhash(shingles: list[int], num_perm: int, seed: int) -> datasketch.MinHash:
    """Datasketch's MinHash of the low 32 bits of each shingle."""
    out = datasketch.MinHash(
        num_perm=num_perm, seed=seed, scheme="affine32", hashfunc=lambda h: h & 0xFFFFFFFF
    )
    if shingles:
        out.update_batch(shingles)
    return out


@pytest.mark.parametrize(("seed", "num_perm"), SEEDS)
def test_permutations_are_those_of_datasketch(seed: int, num_perm: int) -> None:
    """Multipliers and addends are the ones datasketch draws."""
    theirs = np.asarray(minhash([], num_perm, seed).permutations)
    assert np.array_equal(np.stack(permutations(num_perm, seed)), theirs)


def test_multipliers_are_odd() -> None:
    """Multiplication by every multiplier is a bijection on 32 bits."""
    a, b = permutations(4096, 3)
    assert (a % 2 == 1).all()
    assert a.dtype == b.dtype == np.uint32


@pytest.mark.parametrize(("seed", "num_perm"), SEEDS)
@examples
@given(shingles=HASHES)
def test_signatures_are_those_of_datasketch(shingles: list[int], seed: int, num_perm: int) -> None:
    """A signature has the hash values of a datasketch MinHash of the same shingles."""
    ours = signature(uint64(shingles), num_perm, seed)
    assert ours.tolist() == minhash(shingles, num_perm, seed).hashvalues.tolist()


def test_no_shingles() -> None:
    """The signature of nothing has the largest value in every row, like datasketch's."""
    ours = signature(uint64([]), 8)
    assert ours.tolist() == [int(EMPTY_ROW)] * 8
    assert ours.tolist() == minhash([], 8, 1).hashvalues.tolist()


@examples
@given(HASHES.flatmap(lambda x: st.tuples(st.just(x), st.permutations(x + x[:5]))))
def test_order_and_repetition_make_no_difference(lists: tuple[list[int], list[int]]) -> None:
    """A signature is that of the set of shingles."""
    once, again = lists
    assert signature(uint64(once)).tolist() == signature(uint64(again)).tolist()


@examples
@given(HASHES, HASHES)
def test_signature_of_a_union(one: list[int], other: list[int]) -> None:
    """The signature of a union is the smaller value in every row."""
    smaller = np.minimum(signature(uint64(one)), signature(uint64(other)))
    assert np.array_equal(signature(uint64(one + other)), smaller)


def test_fill_signature_overwrites() -> None:
    """What the output held before does not matter."""
    a, b = permutations(16, 1)
    out = np.zeros(16, np.uint32)
    fill_signature(uint64(range(9)), a, b, out)
    assert np.array_equal(out, signature(uint64(range(9)), 16))


@examples
@given(HASHES, HASHES)
def test_lean_minhashes(one: list[int], other: list[int]) -> None:
    """Exported signatures are datasketch objects with the same Jaccard estimate."""
    rows = np.stack([signature(uint64(x), 32, 5) for x in (one, other)])
    lean = lean_minhashes(rows, seed=5)
    theirs = [datasketch.LeanMinHash(minhash(x, 32, 5)) for x in (one, other)]
    assert lean == theirs
    assert lean[0].jaccard(lean[1]) == theirs[0].jaccard(theirs[1]) == np.mean(rows[0] == rows[1])


def test_lean_minhashes_without_datasketch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without datasketch the error names the extra to install."""
    monkeypatch.setitem(sys.modules, "datasketch", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'dedupe-news\[datasketch\]'"):
        lean_minhashes(np.zeros((1, 4), np.uint32))
