"""Exact shingle counts against Python's sets."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, pairs_array, shingles_of, spans_of

from dedupe.hashtable import maybe_repeated, table_size, table_slot
from dedupe.verify import (
    NO_DOUBT,
    Doubt,
    distinct_shingles,
    grams_of,
    resemblance,
    shared_shingles,
    shared_words,
)

Case = tuple[list[list[int]], list[tuple[int, int]], int]

ARTICLES = st.lists(st.lists(st.integers(0, 3), max_size=25), min_size=1, max_size=5)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Articles as rows of tokens, pairs of them in any order, and a shingle length."""
    rows = draw(ARTICLES)
    number = st.integers(0, len(rows) - 1)
    return rows, draw(st.lists(st.tuples(number, number), max_size=8)), draw(st.integers(1, 4))


@examples
@given(cases())
def test_shared_shingles_equal_sets(case: Case) -> None:
    """Shared shingles are counted as Python's sets count them, for pairs in any order."""
    rows, pairs, w = case
    sets = [set(shingles_of(row, w)) for row in rows]
    found = shared_shingles(pairs_array(pairs), *spans_of(rows), w)
    assert found.tolist() == [len(sets[a] & sets[b]) for a, b in pairs]


@examples
@given(cases())
def test_resemblance_equals_sets(case: Case) -> None:
    """Resemblance is the Jaccard of Python's sets, and 0 of two empty ones."""
    rows, pairs, w = case
    sets = [set(shingles_of(row, w)) for row in rows]
    array, arrays = pairs_array(pairs), spans_of(rows)
    sizes = distinct_shingles(np.arange(len(rows)), *arrays, w)
    assert sizes.tolist() == list(map(len, sets))
    found = resemblance(array, shared_shingles(array, *arrays, w), sizes)
    assert found.tolist() == [
        len(sets[a] & sets[b]) / max(1, len(sets[a] | sets[b])) for a, b in pairs
    ]


@pytest.mark.parametrize("of_all", [0xFFFF, 1, 0])
@examples
@given(case=cases())
def test_shingles_of_one_gram_are_told_apart(of_all: int, case: Case) -> None:
    """Grams that many different shingles have in common, or all of them, change no count."""
    rows, pairs, w = case
    sets = [set(shingles_of(row, w)) for row in rows]
    array, (spans, hashes) = pairs_array(pairs), spans_of(rows)
    grams = grams_of(hashes, w) & np.uint16(of_all)
    shared = shared_shingles(array, spans, hashes, w, grams)
    assert shared.tolist() == [len(sets[a] & sets[b]) for a, b in pairs]
    articles = np.unique(array)
    found = distinct_shingles(articles, spans, hashes, w, grams)
    assert found.tolist() == [len(sets[number]) for number in articles.tolist()]


@examples
@given(cases(), st.integers(0, 8))
def test_slices_make_up_the_whole(case: Case, cut: int) -> None:
    """Verifying slices of the pairs gives what verifying all of them gives."""
    rows, pairs, w = case
    array, (spans, hashes) = pairs_array(pairs), spans_of(rows)
    shared = shared_shingles(array, spans, hashes, w)
    sizes = distinct_shingles(np.arange(len(rows)), spans, hashes, w)
    jaccard = resemblance(array, shared, sizes)
    parts = [slice(0, cut), slice(cut, None)]
    counts = [shared_shingles(array[part], spans, hashes, w) for part in parts]
    shares = [
        resemblance(array[part], count, sizes) for part, count in zip(parts, counts, strict=True)
    ]
    assert np.concatenate(counts).tolist() == shared.tolist()
    assert np.concatenate(shares).tolist() == jaccard.tolist()


def covered(row: list[int], other: list[int], w: int) -> set[int]:
    """Places of a text that lie in a shingle which the other text has, too."""
    known = set(shingles_of(other, w))
    mine = shingles_of(row, w)
    return {k + i for k, shingle in enumerate(mine) if shingle in known for i in range(w)}


@examples
@given(cases(), st.data())
def test_covered_words_equal_sets(case: Case, data: st.DataObject) -> None:
    """Words in shared shingles are counted in both directions, all and those not aside."""
    rows, pairs, w = case
    n = sum(map(len, rows))
    flags = data.draw(st.lists(st.integers(0, 7), min_size=n, max_size=n))
    spans, hashes = spans_of(rows)
    enough = data.draw(st.integers(0, 5))
    array = pairs_array(pairs)
    shared, found = shared_words(
        array, spans, hashes, grams_of(hashes, w), np.array(flags, np.uint8), w, 6, enough
    )
    exact = shared_shingles(array, spans, hashes, w)
    assert shared[exact >= enough].tolist() == exact[exact >= enough].tolist()
    assert (shared <= exact).all()
    for (a, b), count, counts in zip(pairs, exact.tolist(), found.tolist(), strict=True):
        sides = []
        for one, other in ((a, b), (b, a)):
            start, here = int(spans[one, 0]), covered(rows[one], rows[other], w)
            sides.append({start + k for k in here})
        net = [sum(flags[k] & 6 == 0 for k in side) for side in sides]
        expected = [len(sides[0]), len(sides[1]), *net, 0]
        assert counts == (expected if count >= enough else [0] * 5)


@examples
@given(cases(), st.data())
def test_common_words_near_shared_shingles(case: Case, data: st.DataObject) -> None:
    """Of pairs in doubt, words within reach in both articles alike are counted as multisets."""
    rows, pairs, w = case
    n = sum(map(len, rows))
    flags = data.draw(st.lists(st.sampled_from([0, 1, 2, 4]), min_size=n, max_size=n))
    spans, hashes = spans_of(rows)
    reach = data.draw(st.integers(1, 6))
    least, most = sorted(data.draw(st.tuples(*[st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.1])] * 2)))
    array, grams = pairs_array(pairs), grams_of(hashes, w)
    marks = np.array(flags, np.uint8)
    _, found = shared_words(array, spans, hashes, grams, marks, w, 6, 1, Doubt(least, most, reach))
    slots = hashes & np.uint64(2**13 - 1)  # by which words are told apart
    for (a, b), counts in zip(pairs, found.tolist(), strict=True):
        words, shares = [], []
        for one, other in ((a, b), (b, a)):
            start, here = int(spans[one, 0]), covered(rows[one], rows[other], w)
            body = [start + k for k in range(len(rows[one])) if not flags[start + k] & 6]
            shares.append(sum(k - start in here for k in body) / max(len(body), 1))
            near = {start + k + d for k in here for d in range(-reach, reach + 1)}
            words.append(Counter(int(slots[k]) for k in body if k in near))
        expected = sum((words[0] & words[1]).values())
        assert counts[4] == (expected if least <= max(shares) < most else 0)


def test_common_words_are_bounded_by_both_articles() -> None:
    """A word that stands near in one article twice, and in the other once, is common once."""
    shared = list(range(100, 110))
    spans, hashes = spans_of([[1, 2, 1, *shared, 3, 4], [5, 1, 9, *shared, 4, 3, 3]])
    array, grams = pairs_array([(0, 1)]), grams_of(hashes, 5)
    flags = np.zeros(len(hashes), np.uint8)
    for reach, expected in ((0, 0), (1, 10), (2, 13), (3, 13)):
        doubt = Doubt(0.0, 1.0, reach)
        _, found = shared_words(array, spans, hashes, grams, flags, 5, 6, 1, doubt)
        assert found.tolist() == [[10, 10, 10, 10, expected]]
    for doubt in (Doubt(0.7, 1.0, 2), Doubt(0.0, 0.6, 2), NO_DOUBT):
        _, found = shared_words(array, spans, hashes, grams, flags, 5, 6, 1, doubt)
        assert found.tolist() == [[10, 10, 10, 10, 0]]


@examples
@given(st.lists(st.integers(0, 2000), max_size=50))
def test_what_is_repeated_is_never_missed(keys: list[int]) -> None:
    """A key that is there twice is always told to be; of all-different small keys none is."""
    for kind in (np.uint32, np.uint64):
        found = maybe_repeated(np.array(keys, kind)).tolist()
        assert all(told or keys.count(key) == 1 for key, told in zip(keys, found, strict=True))
    assert not maybe_repeated(np.arange(1000, dtype=np.uint64)).any()


def test_no_pairs() -> None:
    """Nothing to verify gives no counts."""
    arrays = spans_of([[1, 2, 3]])
    assert shared_shingles(pairs_array([]), *arrays, 2).tolist() == []
    sizes = distinct_shingles(np.arange(len(arrays[0])), *arrays, 2)
    assert resemblance(pairs_array([]), np.empty(0, np.int64), sizes).tolist() == []


def test_shingles_that_collide_in_the_table() -> None:
    """Keys that want the same slot are kept apart, and a raised mark empties the table."""
    keys, used = np.zeros(16, np.uint64), np.full(16, -1, np.int64)
    for number in range(1, 9):
        slot = table_slot(keys, used, np.uint64(number), 0)  # bits above 20 are all equal
        assert used[slot] == -1
        keys[slot], used[slot] = number, 0
    assert sorted(keys.tolist()) == [0] * 8 + list(range(1, 9))
    assert [int(keys[table_slot(keys, used, np.uint64(k), 0)]) for k in range(1, 9)] == [
        *range(1, 9)
    ]
    assert used[table_slot(keys, used, np.uint64(5), 1)] != 1


@examples
@given(st.integers(0, 10**6))
def test_table_size(n: int) -> None:
    """A table is a power of two that is at most half full, and not needlessly large."""
    size = int(table_size(n))
    assert size & (size - 1) == 0
    assert 2 * n <= size <= max(16, 4 * n)
