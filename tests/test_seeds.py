"""Weights of words, and maximal matches, against counting and comparing everything."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from aligned import (
    HOSTILE,
    Match,
    Text,
    arrays_of,
    log,
    matches_of,
    mixed,
    repeated_places,
    texts,
    weights_of,
    word_limit,
)
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, uint64

from dedupe import seeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Found(NamedTuple):
    """What the kernels say of two texts."""

    weights: list[int]
    pairings: int
    seeds: int
    repeated: int
    matches: list[Match]


def indexed(a: NDArray[np.uint64], b: NDArray[np.uint64], space: seeds.Workspace) -> Found:
    """Matches of two texts as the aligner finds them."""
    seeds.index_tokens(a, space)
    n_seeds, pairings, frequent = seeds.weigh(a, b, space)
    found = np.empty((n_seeds, 3), np.int32)
    n = seeds.maximal_matches(len(a), len(b), space, found)
    marked = np.empty(len(b), np.bool_)
    repeated = seeds.repeats(space.tokens[seeds.STARTS], len(b), marked)
    assert (repeated > 0) == (frequent >= seeds.REPEAT)
    matches = seeds.by_start(found[:n], len(b))
    if repeated:
        matches = seeds.repeated_matches(a, b, marked, space, found, n)
    assert not space.diagonals.any()
    weights = np.diff(space.weights[seeds.WEIGHTS, : len(b) + 1]).tolist()
    return Found(weights, pairings, n_seeds, repeated, [Match(*row) for row in matches.tolist()])


def found_in(a: Sequence[int], b: Sequence[int]) -> Found:
    """The same for lists of hashes."""
    return indexed(uint64(a), uint64(b), seeds.workspace(max(len(a), len(b))))


def matches_between(a: Sequence[int], b: Sequence[int]) -> list[Match]:
    """Matches of tokens given as small numbers."""
    return found_in(mixed(a), mixed(b)).matches


@pytest.mark.parametrize("x", [1, 2, 3, 4095, 4096, 4097, 8191, 8192, 10**6, 2**31, 2**40 + 1])
def test_log(x: int) -> None:
    """The logarithm is that of Python to within a hundredth of a nat for each halving."""
    assert seeds.log(x) == log(x)
    assert -1 - 0.4 * x.bit_length() <= seeds.log(x) - 100 * np.log(x) <= 0


@examples
@given(texts)
def test_weights_are_self_information(pair: tuple[Text, Text]) -> None:
    """Tokens weigh what counting them says, and as much in either text."""
    a, b = pair
    if a.tokens and b.tokens:
        found = found_in(a.tokens, b.tokens)
        assert found.weights == weights_of(a.tokens, b.tokens)
        assert set(found.weights) <= {0, *range(seeds.LEAST, seeds.MOST + 1)}
        turned = dict(zip(a.tokens, found_in(b.tokens, a.tokens).weights, strict=True))
        assert all(turned.get(t, 0) == w for t, w in zip(b.tokens, found.weights, strict=True))


@examples
@given(texts)
def test_matches_equal_brute_force(pair: tuple[Text, Text]) -> None:
    """Matches are all maximal ones that hold a rare word, word pair or, in refrains, longer run."""
    a, b = (text.tokens for text in pair)
    if a and b:
        found = found_in(a, b)
        assert found.matches == matches_of(a, b)
        assert found.pairings == word_limit(a, b)
        if not found.repeated:
            assert repeated_places(a, b) == []
            assert len(found.matches) <= found.seeds


@examples
@given(texts)
def test_matches_are_maximal_and_found_once(pair: tuple[Text, Text]) -> None:
    """A match is equal in both texts, cannot be longer on either side, and is there once."""
    a, b = (text.tokens for text in pair)
    matches = found_in(a, b).matches if a and b else []
    assert len(set(matches)) == len(matches)
    assert [m.b for m in matches] == sorted(m.b for m in matches)
    for m in matches:
        assert m.n > 0
        assert a[m.a : m.a + m.n] == b[m.b : m.b + m.n]
        assert m.a == 0 or m.b == 0 or a[m.a - 1] != b[m.b - 1]
        assert a[m.a + m.n : m.a + m.n + 1] != b[m.b + m.n : m.b + m.n + 1] or (
            m.a + m.n == len(a) and m.b + m.n == len(b)
        )


@examples
@given(st.lists(texts, min_size=1, max_size=4))
def test_nothing_is_left_of_the_text_before(pairs: list[tuple[Text, Text]]) -> None:
    """One workspace indexes text after text, and each is found as if it were the first."""
    space = seeds.workspace(max(len(t.tokens) for pair in pairs for t in pair) + 1)
    for a, b in pairs:
        if a.tokens and b.tokens:
            hashes_a, hashes_b = arrays_of(a)[0], arrays_of(b)[0]
            found = indexed(hashes_a, hashes_b, space)
            assert found == found_in(a.tokens, b.tokens)


@examples
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 3)), max_size=30))
def test_order_by_start(rows: list[tuple[int, int, int]]) -> None:
    """Matches are put in order of their start in b, and those that start together stay in order."""
    ordered = seeds.by_start(np.array(rows, np.int32).reshape(-1, 3), 10)
    assert list(map(tuple, ordered.tolist())) == sorted(rows, key=lambda row: row[0])


def test_a_word_in_both_texts_once_is_a_match() -> None:
    """One shared word seeds; between other words it is a match of its own."""
    assert matches_between([1, 2, 3, 4, 5], [6, 7, 3, 8]) == [Match(2, 2, 1)]


@pytest.mark.parametrize(("copies", "found"), [(4, 16), (5, 0)])
def test_frequent_words_do_not_seed(copies: int, found: int) -> None:
    """A word in four places of both texts pairs with all of them, in five places with none."""
    a = [t for k in range(copies) for t in (1000 + k, 1, 2000 + k, 3000 + k, 4000 + k)]
    b = [t for k in range(copies) for t in (5000 + k, 1, 6000 + k, 7000 + k, 8000 + k)]
    assert len(matches_between(a, b)) == found


def test_a_pair_of_frequent_words_seeds() -> None:
    """Two words that are everywhere, but side by side only once, are a match."""
    a = [t for k in range(6) for t in (1, 1000 + k, 2, 2000 + k)]
    b = [t for k in range(6) for t in (1, 3000 + k, 2, 4000 + k)]
    assert matches_between([0, *a, 1, 2], [*b, 1, 2, 9]) == [Match(24, 25, 2)]


def test_a_table_before_copied_text() -> None:
    """A table of two words is found though what follows it, after an edit, was found before."""
    chance = random.Random(1)
    table = [chance.randrange(2) for _ in range(100)]
    text = list(range(100, 150))
    a, b = [*range(200, 230), *table, 7, *text], [*range(300, 330), *table, 8, *text]
    found = matches_between(a, b)
    assert Match(30, 30, 100) in found
    assert Match(131, 131, 50) in found


@pytest.mark.parametrize("name", HOSTILE)
def test_matches_are_at_most_two_for_each_token(name: str) -> None:
    """However texts repeat, their matches are few, in all and at any one token."""
    (a, _), (b, _) = map(arrays_of, HOSTILE[name]())
    found = indexed(a, b, seeds.workspace(max(len(a), len(b))))
    assert found.seeds <= 2 * (len(a) + len(b)) + 2
    assert len(found.matches) <= 2 * (len(a) + len(b))
    # A match is chained with those that end near it: not many, if few lie over any token.
    open_at = np.zeros(len(b) + 1, np.int64)
    rows = np.array(found.matches, np.int64).reshape(-1, 3)
    np.add.at(open_at, rows[:, 0], 1)
    np.add.at(open_at, rows[:, 0] + rows[:, 2], -1)
    assert np.cumsum(open_at).max() <= 64


def test_texts_of_one_token() -> None:
    """The shortest texts have one match or none."""
    assert matches_between([1], [1]) == [Match(0, 0, 1)]
    assert matches_between([1], [2]) == []
    assert matches_between([1], [2, 1]) == [Match(1, 0, 1)]
    assert matches_between([2, 1, 2], [2]) == [Match(0, 0, 1), Match(0, 2, 1)]
