"""Gaps and ends aligned word by word, against trying every way and against the slow reference."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from aligned import (
    Pair,
    Partners,
    Text,
    arrays_of,
    bridge,
    fill_gaps,
    text_of,
    texts,
    weights_of,
)
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples

from dedupe import gaps
from dedupe.tokens import PARAGRAPH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


def partner_arrays(
    partners: Partners, n_a: int, n_b: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Partners as kernels take them, of a and of b."""
    turned = Partners((i, j) for j, i in partners.of_b.items())
    return np.array(turned.row(n_a), np.int32), np.array(partners.row(n_b), np.int32)


def summed(weights: Sequence[int]) -> NDArray[np.int64]:
    """Weights of tokens as kernels take them."""
    return np.cumsum([0, *weights]).astype(np.int64)


def words_of(a: Sequence[int], b: Sequence[int]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Texts as kernels take them: the words of a numbered, and 0 for one of b that a has not."""
    number = {word: k for k, word in enumerate(dict.fromkeys(a), start=1)}
    return (
        np.array([number[word] for word in a], np.int32),
        np.array([number.get(word, 0) for word in b], np.int32),
    )


def held_in(partner: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Blocks of tokens that have a partner, as kernels take them."""
    held = np.zeros((len(partner) >> gaps.BLOCK_BITS) + 1, np.bool_)
    held[np.flatnonzero(partner >= 0) >> gaps.BLOCK_BITS] = True
    return held


def bridged(
    a: Sequence[int], b: Sequence[int], weights: Sequence[int], *, open_end: bool, step: int = 1
) -> list[Pair]:
    """Pairs of token numbers that the kernel makes."""
    pairs = Partners()
    partner_a, partner_b = partner_arrays(pairs, len(a), len(b))
    held_a, held_b = held_in(partner_a), held_in(partner_b)
    words_a, words_b = words_of(a, b)
    paired = gaps._bridge(
        words_a,
        words_b,
        summed(weights),
        0 if step > 0 else len(a) - 1,
        0 if step > 0 else len(b) - 1,
        len(a),
        len(b),
        step,
        open_end,
        partner_a,
        partner_b,
        held_a,
        held_b,
        *gaps.bridge_space(),
    )
    assert (held_a >= held_in(partner_a)).all()
    assert (held_b >= held_in(partner_b)).all()
    found = [(j, i) for j, i in enumerate(partner_b.tolist()) if i >= 0]
    assert paired == len(found)
    assert sorted((i, j) for j, i in found) == [
        (i, j) for i, j in enumerate(partner_a.tolist()) if j >= 0
    ]
    return found


def filled(a: Text, b: Text, weights: Sequence[int], partners: Partners) -> list[int]:
    """Partners of b after the kernel has filled the gaps."""
    flags_a, flags_b = arrays_of(a)[1], arrays_of(b)[1]
    words_a, words_b = words_of(a.tokens, b.tokens)
    seen = np.zeros(len(a.tokens) + 1, np.int32)
    partner_a, partner_b = partner_arrays(partners, len(a.tokens), len(b.tokens))
    gaps.fill_gaps(
        words_a,
        words_b,
        flags_a,
        flags_b,
        summed(weights),
        partner_a,
        partner_b,
        held_in(partner_a),
        held_in(partner_b),
        seen,
        *gaps.bridge_space(),
    )
    assert not seen.any()
    row: list[int] = partner_b.tolist()
    assert {i: j for j, i in enumerate(row) if i >= 0} == {
        i: j for i, j in enumerate(partner_a.tolist()) if j >= 0
    }
    return row


def ways(x: int, y: int, last: str = "") -> Iterator[str]:
    """Every way through x by y tokens: side by side, one of a left out, or one of b."""
    if not x and not y:
        yield ""
    if x and y:
        yield from ("=" + way for way in ways(x - 1, y - 1, "="))
    if x and last != "b":
        yield from ("a" + way for way in ways(x - 1, y, "a"))
    if y and last != "a":
        yield from ("b" + way for way in ways(x, y - 1, "b"))


def walked(
    way: str, a: Sequence[int], b: Sequence[int], weights: Sequence[int]
) -> tuple[int, list[Pair]]:
    """Score and pairs of a way."""
    score, pairs, x, y = 0, [], 0, 0
    for step, run in itertools.groupby(way):
        n = len(list(run))
        if step != "=":
            score -= gaps.GAP_OPEN + n * gaps.GAP_EXTEND
            x, y = x + n * (step == "a"), y + n * (step == "b")
            continue
        for _ in range(n):
            equal = a[x] == b[y]
            score += weights[y] if equal else -gaps.MISMATCH
            pairs += [(y, x)] * equal
            x, y = x + 1, y + 1
    return score, pairs


short_gaps = st.tuples(
    st.lists(st.integers(0, 2), min_size=1, max_size=4),
    st.lists(st.integers(0, 2), min_size=1, max_size=4),
    st.lists(st.integers(0, 450), min_size=3, max_size=3),
)


@examples
@given(short_gaps)
def test_a_gap_is_aligned_as_well_as_can_be(
    gap: tuple[list[int], list[int], list[int]],
) -> None:
    """No way through a gap from corner to corner scores more than the one taken."""
    a, b, of_word = gap
    weights = [of_word[t] for t in b]
    scored = [walked(way, a, b, weights) for way in ways(len(a), len(b)) if "=" in way]
    best = max(score for score, _ in scored)
    taken = bridged(a, b, weights, open_end=False)
    assert taken in [pairs for score, pairs in scored if score == best]


@examples
@given(short_gaps)
def test_an_end_is_aligned_as_well_as_can_be(
    gap: tuple[list[int], list[int], list[int]],
) -> None:
    """No way through the beginnings of two texts scores more than the one taken, or than none."""
    a, b, of_word = gap
    weights = [of_word[t] for t in b]
    scored = [
        walked(way, a, b, weights)
        for x, y in itertools.product(range(len(a) + 1), range(len(b) + 1))
        for way in ways(x, y)
        if way.endswith("=") or not way
    ]
    best = max(score for score, _ in scored)
    taken = bridged(a, b, weights, open_end=True)
    assert taken in [pairs for score, pairs in scored if score == best]


@st.composite
def gap_texts(draw: st.DrawFn) -> tuple[list[int], list[int], list[int]]:
    """Two gaps as long as they may be, and a weight for each token of b."""
    token = st.integers(0, draw(st.sampled_from([0, 1, 3, 20])))
    a, b = (draw(st.lists(token, min_size=1, max_size=gaps.MAX_GAP)) for _ in "ab")
    if draw(st.booleans()):
        b = [*a[: len(a) // 2], *b[: len(b) // 3], *a[len(a) // 2 :]][: gaps.MAX_GAP]
    of_word = draw(st.lists(st.sampled_from([0, 60, 150, 400]), min_size=21, max_size=21))
    return a, b, [of_word[t] for t in b]


@examples
@given(gap_texts(), st.booleans())
def test_gaps_equal_the_reference(gap: tuple[list[int], list[int], list[int]], end: bool) -> None:
    """Pairs in a gap are those of the reference, read forwards and backwards."""
    a, b, weights = gap
    assert bridged(a, b, weights, open_end=end) == bridge(a, b, weights, open_end=end)
    turned = bridge(a[::-1], b[::-1], weights[::-1], open_end=end)
    expected = sorted((len(b) - 1 - y, len(a) - 1 - x) for y, x in turned)
    assert bridged(a, b, weights, open_end=end, step=-1) == expected


@examples
@given(st.lists(st.booleans(), max_size=200), st.data())
def test_paired_tokens_are_found_in_both_directions(
    paired: list[bool], data: st.DataObject
) -> None:
    """The next and the last token with a partner are those that looking at each token finds."""
    partner = np.array([1 if one else -1 for one in paired], np.int32)
    at, stop = sorted(data.draw(st.integers(0, len(paired))) for _ in range(2))
    held = held_in(partner)
    after = [k for k in range(at, stop) if paired[k]]
    assert gaps.next_paired(partner, held, at, stop) == (after[0] if after else stop)
    before = [k for k in range(at) if paired[k]]
    assert gaps.last_paired(partner, held, at - 1) == (before[-1] if before else -1)


@st.composite
def half_aligned(draw: st.DrawFn) -> tuple[Text, Text, list[Pair]]:
    """Two texts of which some equal tokens are paired, in runs and in any order."""
    a, b = draw(texts)
    partners = Partners()
    for _ in range(draw(st.integers(0, 6)) if a.tokens and b.tokens else 0):
        j = draw(st.integers(0, len(b.tokens) - 1))
        i = draw(st.integers(0, len(a.tokens) - 1))
        i = next((k for k in range(i, len(a.tokens)) if a.tokens[k] == b.tokens[j]), i)
        for k in range(draw(st.integers(1, 12))):
            inside = j + k < len(b.tokens) and i + k < len(a.tokens)
            if inside and a.tokens[i + k] == b.tokens[j + k] and partners.free(j + k, i + k):
                partners.add(j + k, i + k)
    return a, b, list(partners.of_b.items())


@examples
@given(half_aligned())
def test_filled_gaps_equal_the_reference(case: tuple[Text, Text, list[Pair]]) -> None:
    """What is paired between, after and before blocks is what the reference pairs."""
    a, b, pairs = case
    weights = weights_of(a.tokens, b.tokens)
    partners = Partners(pairs)
    found = filled(a, b, weights, partners)
    fill_gaps(a, b, weights, partners)
    assert found == partners.row(len(b.tokens))


@examples
@given(half_aligned())
def test_pairs_stay_and_new_ones_are_equal_tokens(case: tuple[Text, Text, list[Pair]]) -> None:
    """Filling gaps adds pairs of equal tokens, one to one, and takes none away."""
    a, b, pairs = case
    found = filled(a, b, weights_of(a.tokens, b.tokens), Partners(pairs))
    new = {(j, i) for j, i in enumerate(found) if i >= 0}
    assert set(pairs) <= new
    assert all(b.tokens[j] == a.tokens[i] for j, i in new)
    assert len({i for _, i in new}) == len(new)


def numbers(first: int, n: int) -> list[int]:
    """Some tokens that stand nowhere else."""
    return list(range(first, first + n))


def fill(
    a: list[int],
    b: list[int],
    pairs: list[Pair],
    borders_a: Sequence[int] = (),
    borders_b: Sequence[int] = (),
) -> list[Pair]:
    """Pairs that are added where each token weighs 400 and paragraphs begin at these tokens."""
    one = text_of(a, [int(PARAGRAPH) * (k in borders_a) for k in range(len(a))])
    other = text_of(b, [int(PARAGRAPH) * (k in borders_b) for k in range(len(b))])
    found = filled(one, other, [400] * len(b), Partners(pairs))
    return [(j, i) for j, i in enumerate(found) if i >= 0 and (j, i) not in pairs]


@pytest.mark.parametrize(("length", "added"), [(24, [(12, 12)]), (25, [])])
def test_gaps_up_to_the_bound_are_aligned(length: int, added: list[Pair]) -> None:
    """In a gap of up to 24 tokens what is equal is paired; beyond that only near its ends."""
    a = [1, *numbers(100, length), 2]
    b = [1, *numbers(200, length), 2]
    a[12] = b[12] = 3
    borders = [1, length + 1]  # so that nothing is aligned from the blocks on
    assert fill(a, b, [(0, 0), (length + 1, length + 1)], borders, borders) == added


def test_an_end_is_walked_on_from() -> None:
    """What follows a block is paired as long as equal words come near enough."""
    a = [1, 10, 2, 11, 12, 3, 13, 4]
    b = [1, 20, 2, 21, 22, 3, 23, 4]
    assert fill(a, b, [(0, 0)]) == [(2, 2), (5, 5), (7, 7)]
    assert fill(a[::-1], b[::-1], [(7, 7)]) == [(0, 0), (2, 2), (5, 5)]


def test_the_beginning_of_one_text_within_the_other() -> None:
    """Words before a block are paired at the very beginning of one text, wherever in the other."""
    a = [5, 6, 10, 1]
    b = [*numbers(100, 20), 5, 6, 11, 1]
    assert fill(a, b, [(23, 3)]) == [(20, 0), (21, 1)]
    assert fill(b, a, [(3, 23)]) == [(0, 20), (1, 21)]


def test_the_end_of_one_text_within_the_other() -> None:
    """Words after a block are paired at the very end of one text, wherever in the other."""
    a = [1, 10, 5, 6]
    b = [1, 11, 5, 6, *numbers(100, 20)]
    assert fill(a, b, [(0, 0)]) == [(2, 2), (3, 3)]
    assert fill(b, a, [(0, 0)]) == [(2, 2), (3, 3)]


@pytest.mark.parametrize("side", [0, 1])
def test_ends_stay_in_their_paragraph(side: int) -> None:
    """No block grows into another paragraph of either text, forwards or backwards."""
    after, before = [1, 10, 2, 3, 4], [4, 3, 2, 10, 1]
    borders: list[list[int]] = [[], []]
    borders[side] = [3]
    assert fill(after, [1, 20, 2, 3, 4], [(0, 0)], *borders) == [(2, 2)]
    borders[side] = [1]
    assert fill(before, [4, 3, 2, 20, 1], [(4, 4)], *borders) == [(1, 1), (2, 2)]
    borders[side] = [4]
    assert fill(before, [4, 3, 2, 20, 1], [(4, 4)], *borders) == []
