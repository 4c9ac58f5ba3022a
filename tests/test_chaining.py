"""Chains of matches, and which are taken, against the slow reference."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from aligned import (
    DENSE,
    SPARSE,
    Costs,
    Match,
    Pair,
    Partners,
    Text,
    arrays_of,
    best_chains,
    chained,
    left_over,
    log,
    matches_of,
    take_best,
    take_between,
    text_of,
    texts,
    weights_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import examples

from dedupe import chaining, seeds
from dedupe.gaps import BLOCK_BITS, bridge_space
from dedupe.seeds import PARTNER_A, PARTNER_B, workspace
from dedupe.tokens import PARAGRAPH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Space:
    """The arrays that the kernels of a pair of texts share."""

    def __init__(
        self, matches: Sequence[Match], weights: Sequence[int], partners: Partners, a: Text, b: Text
    ) -> None:
        self.matches = np.array(matches, np.int32).reshape(-1, 3)
        self.weights = np.cumsum([0, *weights]).astype(np.int64)
        self.paragraph_a, self.paragraph_b = numbered(a), numbered(b)
        self.score = np.empty(len(matches), np.int64)
        self.before = np.empty(len(matches), np.int32)
        self.cut = np.empty(len(matches), np.int32)
        turned = Partners((i, j) for j, i in partners.of_b.items())
        self.partner_a = np.array(turned.row(len(a.tokens)), np.int32)
        self.partner_b = np.array(partners.row(len(b.tokens)), np.int32)
        self.held_a, self.held_b = held_in(self.partner_a), held_in(self.partner_b)
        self.cells = np.full((len(a.tokens) >> chaining.CELL_BITS) + 2, -1, np.int32)

    def chain(self, costs: Costs) -> None:
        """Find the best chains."""
        chaining._chain(
            self.matches,
            self.weights,
            self.paragraph_a,
            self.paragraph_b,
            costs.reach,
            costs.skip,
            costs.indel,
            self.score,
            self.before,
            self.cut,
            self.cells,
        )
        assert (self.cells == -1).all()

    def take(self, enough: int) -> tuple[int, int]:
        """Take the best chains."""
        return chaining._take_best(
            self.matches,
            self.weights,
            self.score,
            self.before,
            self.cut,
            enough,
            self.partner_a,
            self.partner_b,
            self.held_a,
            self.held_b,
        )


def held_in(partner: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Blocks of tokens that have a partner."""
    held = np.zeros((len(partner) >> BLOCK_BITS) + 1, np.bool_)
    held[np.flatnonzero(partner >= 0) >> BLOCK_BITS] = True
    return held


def numbered(text: Text) -> NDArray[np.int32]:
    """Numbers of the paragraphs of tokens, by the kernel."""
    out = np.empty(len(text.tokens), np.int32)
    chaining.number_paragraphs(arrays_of(text)[1], out)
    return out


def aligned_tokens(a: Text, b: Text) -> list[int]:
    """Partners of b by the kernel."""
    (hashes_a, flags_a), (hashes_b, flags_b) = arrays_of(a), arrays_of(b)
    space = workspace(max(len(a.tokens), len(b.tokens), 1))
    seeds.index_tokens(hashes_a, space)
    chaining.number_paragraphs(flags_a, space.tokens[seeds.PARAGRAPH_A])
    chaining.align_tokens(hashes_a, hashes_b, flags_a, flags_b, space, *bridge_space())
    row: list[int] = space.tokens[PARTNER_B, : len(b.tokens)].tolist()
    assert {i: j for j, i in enumerate(row) if i >= 0} == {
        i: j for i, j in enumerate(space.tokens[PARTNER_A, : len(a.tokens)].tolist()) if j >= 0
    }
    return row


Case = tuple[Text, Text, list[Match], list[int], list[Pair]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Two texts with their matches and weights, and stretches that have been paired before."""
    a, b = draw(texts)
    matches = matches_of(a.tokens, b.tokens) if a.tokens and b.tokens else []
    partners = Partners()
    for match in draw(st.lists(st.sampled_from(matches), max_size=4)) if matches else []:
        first = draw(st.integers(0, match.n - 1))
        for k in range(first, draw(st.integers(first, match.n))):
            if partners.free(match.b + k, match.a + k):
                partners.add(match.b + k, match.a + k)
    return a, b, matches, weights_of(a.tokens, b.tokens), list(partners.of_b.items())


@examples
@given(texts)
def test_paragraphs_are_numbered(pair: tuple[Text, Text]) -> None:
    """A token's paragraph is the number of tokens that begin one, up to and with it."""
    for text in pair:
        assert numbered(text).tolist() == [text.paragraph(k) for k in range(len(text.tokens))]


@examples
@given(cases(), st.sampled_from([DENSE, SPARSE, Costs(1, 0, 0), Costs(60, 1, 300)]))
def test_chains_equal_the_reference(case: Case, costs: Costs) -> None:
    """Every match ends the chain that comparing it with all earlier ones gives."""
    a, b, matches, weights, _ = case
    space = Space(matches, weights, Partners(), a, b)
    space.chain(costs)
    found = zip(space.score.tolist(), space.before.tolist(), space.cut.tolist(), strict=True)
    assert list(found) == best_chains(matches, weights, a, b, costs)


@examples
@given(cases(), st.sampled_from([DENSE, SPARSE]), st.sampled_from([100, 500, 1500, 2500]))
def test_taken_chains_equal_the_reference(case: Case, costs: Costs, enough: int) -> None:
    """Chains are taken best first, for what is left of them beside chains taken before."""
    a, b, matches, weights, pairs = case
    partners = Partners(pairs)
    space = Space(matches, weights, partners, a, b)
    space.chain(costs)
    found = space.take(enough)
    links = best_chains(matches, weights, a, b, costs)
    assert found == take_best(matches, weights, links, enough, partners)
    assert space.partner_b.tolist() == partners.row(len(b.tokens))


def test_the_lowest_score_of_a_chain_that_is_taken() -> None:
    """Two words never weigh as much as the margin; the place of three has three tokens."""
    assert 2 * seeds.MOST < chaining.NEAR_MARGIN
    assert chaining.LOWEST == chaining.NEAR_MARGIN + 2 * log(3) <= chaining.MARGIN


@examples
@given(cases(), st.sampled_from([DENSE, SPARSE]))
def test_no_chain_is_lost_with_unpromising_matches(case: Case, costs: Costs) -> None:
    """What is promising has the chains that all matches have, of whole matches and of pieces.

    Those that score what a chain must score at least are the same.
    """
    a, b, matches, weights, pairs = case
    for some, partners in ((matches, Partners()), (left_over(matches, Partners(pairs)), None)):
        space = Space(some, weights, partners or Partners(pairs), a, b)
        found = chaining._promising(
            space.matches, space.weights, space.paragraph_a, space.paragraph_b
        )
        kept = [Match(*row) for row in found.tolist()]
        assert kept == [match for match in some if match in set(kept)]
        assert all(match.n <= chaining.SHORT for match in some if match not in set(kept))
        ends = [
            {
                (ms[m], link.score, ms[link.before] if link.before >= 0 else None, link.cut)
                for m, link in enumerate(best_chains(ms, weights, a, b, costs))
                if link.score >= chaining.LOWEST
            }
            for ms in (some, kept)
        ]
        assert ends[0] == ends[1]
        # Nor of pieces of them, as they are after others have been taken.
        pieces = [left_over(ms, Partners(pairs)) for ms in (some, kept)]
        scores = [
            sorted(
                (ms[m], link.score)
                for m, link in enumerate(best_chains(ms, weights, a, b, costs))
                if link.score >= chaining.LOWEST
            )
            for ms in pieces
        ]
        assert scores[0] == scores[1]


@examples
@given(cases())
def test_left_over_matches_equal_the_reference(case: Case) -> None:
    """What is left of matches are their stretches in which both tokens are free."""
    a, b, matches, weights, pairs = case
    space = Space(matches, weights, Partners(pairs), a, b)
    rest, whole = chaining._left_over(space.matches, space.partner_a, space.partner_b)
    expected = left_over(matches, Partners(pairs))
    assert [Match(*row) for row in rest.tolist()] == expected
    assert whole or len(expected) == chaining.PIECES * len(matches) + 16


@examples
@given(cases())
def test_what_stands_between_the_same_neighbours_equals_the_reference(case: Case) -> None:
    """Between two neighbours that are paired, lighter chains are taken, as in the reference."""
    a, b, matches, weights, pairs = case
    partners = Partners(pairs)
    rest = left_over(matches, partners)
    space = Space(rest, weights, partners, a, b)
    found = chaining._take_between(
        space.matches,
        space.weights,
        space.paragraph_a,
        space.paragraph_b,
        space.score,
        space.before,
        space.cut,
        space.cells,
        space.partner_a,
        space.partner_b,
        space.held_a,
        space.held_b,
    )
    assert found == take_between(rest, weights, a, b, partners)
    assert space.partner_b.tolist() == partners.row(len(b.tokens))


@settings(examples, max_examples=150)
@given(texts)
def test_partners_equal_the_reference(pair: tuple[Text, Text]) -> None:
    """Seeds, chains, rounds and gaps together pair the tokens that the reference pairs."""
    a, b = pair
    if a.tokens == b.tokens:
        expected = list(range(len(b.tokens)))
    elif a.tokens and b.tokens:
        expected = chained(a, b, weights_of(a.tokens, b.tokens)).row(len(b.tokens))
    else:
        expected = [-1] * len(b.tokens)
    assert aligned_tokens(a, b) == expected


def numbers(first: int, n: int) -> list[int]:
    """Some tokens that stand nowhere else."""
    return list(range(first * 1000, first * 1000 + n))


def links_of(
    a: list[int], b: list[int], matches: list[Match], costs: Costs, borders: Sequence[int] = ()
) -> list[list[int]]:
    """Chains of given matches, where paragraphs of b begin at `borders`."""
    one = text_of(a)
    other = text_of(b, [int(PARAGRAPH) * (k in borders) for k in range(len(b))])
    space = Space(matches, [100] * len(b), Partners(), one, other)
    space.chain(costs)
    links: list[list[int]] = np.stack([space.score, space.before, space.cut], axis=1).tolist()
    return links


@pytest.mark.parametrize(("gap", "before"), [(0, 0), (24, 0), (25, -1)])
@pytest.mark.parametrize("side", [0, 1])
def test_chains_skip_no_more_than_their_reach(gap: int, before: int, side: int) -> None:
    """Two matches are chained if neither text has more than 24 tokens between them."""
    a, b = [*numbers(1, 40), *numbers(2, 40)], [*numbers(1, 40), *numbers(2, 40)]
    (a, b)[side][40:40] = numbers(3, gap)
    matches = [Match(0, 0, 40), Match(40 + gap * side, 40 + gap * (1 - side), 40)]
    cost = chaining.OPEN + chaining.INDEL * gap if gap else 0
    expected = 8000 - cost if before == 0 else 4000
    assert links_of(a, b, matches, SPARSE)[1] == [expected, before, 0]


def test_a_gap_with_the_beginning_of_a_paragraph_costs_more() -> None:
    """Between paragraphs a gap costs more; where nothing is left out a border costs nothing."""
    a, b = [*numbers(1, 10), 7, *numbers(2, 10)], [*numbers(1, 10), 8, *numbers(2, 10)]
    matches = [Match(0, 0, 10), Match(11, 11, 10)]
    cost = chaining.OPEN + chaining.SKIP
    assert links_of(a, b, matches, SPARSE)[1][0] == 2000 - cost
    for border in (10, 11):
        found = links_of(a, b, matches, SPARSE, [border])
        assert found[1][0] == 2000 - cost - chaining.BORDER
    close = [Match(0, 0, 10), Match(10, 10, 10)]
    assert links_of(numbers(1, 20), numbers(1, 20), close, SPARSE, [10])[1][0] == 2000


@pytest.mark.parametrize(("overlap", "before"), [(1, 0), (8, 0), (9, -1)])
def test_overlapping_matches_are_cut(overlap: int, before: int) -> None:
    """The second of two matches that overlap loses what they share, up to eight tokens."""
    word = numbers(3, overlap)
    a = [*numbers(1, 20), *word, *word, *numbers(2, 20)]
    b = [*numbers(1, 20), *word, *numbers(2, 20)]
    matches = [Match(0, 0, 20 + overlap), Match(20, 20 + overlap, 20 + overlap)]
    found = links_of(a, b, matches, SPARSE)[1]
    gap = chaining.OPEN + chaining.INDEL * overlap
    whole = 4000 + 100 * overlap - gap
    assert found == ([whole, 0, overlap] if before == 0 else [2000 + 100 * overlap, -1, 0])


@pytest.mark.parametrize(("n", "taken"), [(10, 2), (9, 1)])
def test_the_beginning_of_a_chain_that_is_spoilt(n: int, taken: int) -> None:
    """If a better chain has the end of another one, its beginning is taken if it is enough."""
    head, tail, more = numbers(1, n), numbers(2, 10), numbers(3, 20)
    a = [*head, 7, *tail, *numbers(4, 40), *tail, *more]
    b = [*head, 8, *tail, *more]
    matches = [Match(0, 0, n), Match(n + 1, n + 1, 10), Match(n + 1, n + 51, 30)]
    space = Space(matches, [100] * len(b), Partners(), text_of(a), text_of(b))
    space.chain(SPARSE)
    assert space.before.tolist() == [-1, 0, -1]
    assert space.take(1000) == (taken, 1)
    kept = list(range(n)) if taken == 2 else [-1] * n
    assert space.partner_b.tolist() == [*kept, -1, *range(n + 51, n + 81)]


def test_a_copy_that_is_in_a_text_twice_is_taken_once() -> None:
    """Of two equal chains the first is taken, and the other one has nothing left."""
    piece = numbers(1, 30)
    a, b = [*piece, *numbers(2, 40), *piece], [*numbers(3, 10), *piece]
    assert aligned_tokens(text_of(a), text_of(b)) == [-1] * 10 + list(range(30))


@pytest.mark.parametrize("length", [40, 400])
def test_what_a_chain_must_score_grows_with_the_texts(length: int) -> None:
    """Few shared words are paired as soon as they outweigh what is expected of such texts."""
    for n in range(1, 12):
        a = [*numbers(1, length), *numbers(9, n), *numbers(2, length)]
        b = [*numbers(3, length), *numbers(9, n), *numbers(4, length)]
        beyond = sum(weights_of(a, b)) - log(len(a)) - log(len(b))
        found = aligned_tokens(text_of(a), text_of(b))
        assert max(found) >= 0 or beyond < chaining.MARGIN
        assert max(found) < 0 or beyond >= chaining.NEAR_MARGIN


def test_lighter_matches_count_between_the_same_neighbours() -> None:
    """Words too few to be found anywhere are paired where both texts have them in one place."""
    long_a, long_b, few = numbers(1, 60), numbers(2, 60), numbers(3, 4)
    gap_a, gap_b = numbers(4, 15), numbers(5, 15)
    a = [*long_a, *gap_a, *few, *gap_a[::-1], *long_b]
    b = [*long_a, *gap_b, *few, *gap_b[::-1], *long_b]
    found = aligned_tokens(text_of(a), text_of(b))
    assert found[75:79] == list(range(75, 79))
    elsewhere = [*gap_a, *few, *gap_a[::-1], *long_a, *long_b]
    assert aligned_tokens(text_of(elsewhere), text_of(b))[75:79] == [-1] * 4


def test_many_edited_copies_of_a_long_text() -> None:
    """A text that is in another fourteen times is aligned with the best chains, token by token."""
    chance = random.Random(3)
    text = [chance.randrange(10**6) for _ in range(20_000)]
    copies = [
        [chance.randrange(10**6, 2 * 10**6) if chance.random() < 0.05 else t for t in text]
        for _ in range(14)
    ]
    found = aligned_tokens(text_of([*itertools.chain(*copies)]), text_of(text))
    assert sum(i >= 0 for i in found) > 0.9 * len(text)
