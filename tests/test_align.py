"""Passages of pairs of articles."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import common_tokens, examples, shingles_of, spans_of, tiled_tokens, uint64

from dedupe.align import (
    A_END,
    A_START,
    B_END,
    B_START,
    BODY,
    BOILERPLATE,
    EDITED,
    KIND,
    MATCHED,
    MAX_GAP,
    MOVED,
    PAIR,
    QUOTATION,
    REWRITTEN,
    VERBATIM,
    Alignment,
    align_pairs,
)
from dedupe.tokens import QUOTED

LIMIT = np.uint64(2**64 - 1)
NOTHING = np.empty(0, np.uint64)

Tokens = list[int]


def align_rows(
    rows: list[Tokens],
    pairs: list[tuple[int, int]],
    w: int = 5,
    *,
    quoted: frozenset[int] = frozenset(),
    boilerplate: list[int] | None = None,
) -> Alignment:
    """Align pairs of rows of tokens, of which some values are quoted speech."""
    spans, hashes = spans_of(rows)
    flags = np.array([int(QUOTED) if h in quoted else 0 for h in hashes.tolist()], np.uint8)
    known = NOTHING if boilerplate is None else uint64(sorted(boilerplate))
    return align_pairs(
        np.array(pairs, np.int64).reshape(-1, 2), spans, hashes, flags, w, LIMIT, known
    )


def align(a: Tokens, b: Tokens, w: int = 5) -> list[list[int]]:
    """Passages of one pair without the number of the pair."""
    rows: list[list[int]] = align_rows([a, b], [(0, 1)], w).passages[:, 1:].tolist()
    return rows


def words(first: int, n: int) -> Tokens:
    """Some tokens that stand nowhere else."""
    return list(range(first * 10_000, first * 10_000 + n))


A, B, C, X, Y = (words(k, n) for k, n in ((1, 60), (2, 40), (3, 20), (8, 50), (9, 50)))


@pytest.mark.parametrize("n", [5, 6, 100, 100_000])
def test_identical_articles(n: int) -> None:
    """Equal texts are one verbatim passage."""
    assert align(list(range(n)), list(range(n))) == [[0, n, 0, n, n, VERBATIM, 0, BODY]]


@pytest.mark.parametrize(("a", "b"), [(A, B), ([], A), (A, []), ([], []), (A[:4], A[:4])])
def test_unrelated_articles(a: Tokens, b: Tokens) -> None:
    """Texts that share no shingle have no passage."""
    assert align(a, b) == []


def test_excerpt() -> None:
    """A part of an article inside another one is found at its place in both."""
    assert align(A, X + A[20:40] + Y) == [[20, 40, 50, 70, 20, VERBATIM, 0, BODY]]


def test_moved_block() -> None:
    """Of A B C set as C A B the smaller part has moved, and A B are one passage."""
    assert align(A + B + C, C + A + B) == [
        [100, 120, 0, 20, 20, VERBATIM, 1, BODY],
        [0, 100, 20, 120, 100, VERBATIM, 0, BODY],
    ]


def test_order_reversed() -> None:
    """Of A B C set as C B A everything but the largest part has moved."""
    assert align(A + B + C, C + B + A) == [
        [100, 120, 0, 20, 20, VERBATIM, 1, BODY],
        [60, 100, 20, 60, 40, VERBATIM, 1, BODY],
        [0, 60, 60, 120, 60, VERBATIM, 0, BODY],
    ]


def test_two_small_parts_outweigh_a_large_one() -> None:
    """The parts that stayed are those that together have the most words."""
    a, b = A + B[:35] + C + X[:10], B[:35] + C + X[:10] + A
    assert [(row[4], row[6]) for row in align(a, b)] == [(65, 0), (60, 1)]


def test_edited_passage() -> None:
    """A replaced word inside copied text makes one edited passage, with what is equal counted."""
    b = [*A[:30], 7, *A[31:]]
    assert align(A, b) == [[0, 60, 0, 60, 59, EDITED, 0, BODY]]


def test_equal_words_in_a_gap_count() -> None:
    """Words of a bridged gap that are equal, in order, count as matched."""
    b = [*A[:20], 7, *A[22:25], 8, *A[26:]]
    assert align(A, b) == [[0, 60, 0, 59, 57, EDITED, 0, BODY]]


@pytest.mark.parametrize("gap_a", [0, 1, MAX_GAP, MAX_GAP + 1])
@pytest.mark.parametrize("gap_b", [0, 1, MAX_GAP, MAX_GAP + 1])
def test_gaps(gap_a: int, gap_b: int) -> None:
    """Tiles are joined exactly where the gap is short on both sides."""
    found = align(A[:20] + X[:gap_a] + A[20:], A[:20] + Y[:gap_b] + A[20:])
    joined = [[0, 60 + gap_a, 0, 60 + gap_b, 60, EDITED, 0, BODY]]
    apart = [
        [0, 20, 0, 20, 20, VERBATIM, 0, BODY],
        [20 + gap_a, 60 + gap_a, 20 + gap_b, 60 + gap_b, 40, VERBATIM, 0, BODY],
    ]
    if gap_a == gap_b == 0:
        joined[0][5] = VERBATIM
    assert found == (joined if max(gap_a, gap_b) <= MAX_GAP else apart)


def test_rewritten_passage() -> None:
    """A passage of which less than two in five words are equal is rewritten."""
    assert align([*A[:5], *X[:12], *A[5:10]], [*A[:5], *Y[:12], *A[5:10]]) == [
        [0, 22, 0, 22, 10, EDITED, 0, BODY]
    ]
    assert align(
        [*A[:5], *X[:12], *A[5:10], *X[12:24], *A[10:15]],
        [*A[:5], *Y[:12], *A[5:10], *Y[12:24], *A[10:15]],
    ) == [[0, 39, 0, 39, 15, REWRITTEN, 0, BODY]]


def test_refrain_at_both_ends() -> None:
    """Texts of one repeated word are one passage where they begin or end together."""
    la = [1] * 50
    assert align(la, la) == [[0, 50, 0, 50, 50, VERBATIM, 0, BODY]]


def test_repetition_does_not_blow_up() -> None:
    """Two texts of 200,000 equal words are aligned with one passage."""
    la = [1] * 200_000
    assert align(la, la) == [[0, 200_000, 0, 200_000, 200_000, VERBATIM, 0, BODY]]


def test_repetition_in_the_middle_of_a_copy() -> None:
    """A refrain of 100,000 words inside a copied text is run across."""
    song = A + [1, 2, 3] * 33_333 + B
    n = len(song)
    assert align(X + song, song + Y) == [[50, 50 + n, 0, n, n, VERBATIM, 0, BODY]]


def test_quotation() -> None:
    """A passage mostly of quoted speech is a quotation and leaves the net count alone."""
    rows = [X + A + Y, A]
    mostly = align_rows(rows, [(0, 1)], quoted=frozenset(A[:31]))
    partly = align_rows(rows, [(0, 1)], quoted=frozenset(A[:30]))
    assert mostly.passages.tolist() == [[0, 50, 110, 0, 60, 60, VERBATIM, 0, QUOTATION]]
    assert partly.passages.tolist() == [[0, 50, 110, 0, 60, 60, VERBATIM, 0, BODY]]
    assert mostly.totals.tolist() == [[60, 29, 0, 0]]
    assert partly.totals.tolist() == [[60, 30, 0, 0]]


def test_boilerplate() -> None:
    """A passage of known boilerplate is told apart from copy in role and totals."""
    rows = [A + X + B, B + Y + A]
    found = align_rows(rows, [(0, 1)], boilerplate=shingles_of(B, 5))
    assert found.passages.tolist() == [
        [0, 110, 150, 0, 40, 40, VERBATIM, 1, BOILERPLATE],
        [0, 0, 60, 90, 150, 60, VERBATIM, 0, BODY],
    ]
    assert found.totals.tolist() == [[100, 60, 40, 40]]


TEXT = st.lists(st.integers(0, 3), max_size=40)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Tokens], list[tuple[int, int]], int]:
    """Rows of tokens that repeat and overlap a lot, pairs of them, and a shingle length."""
    blocks = [words(k, 8) for k in range(3)]
    pieces = st.lists(st.one_of(TEXT, st.sampled_from(blocks)), max_size=5)
    rows = draw(st.lists(pieces.map(lambda p: [*itertools.chain(*p)]), min_size=2, max_size=4))
    number = st.integers(0, len(rows) - 1)
    pairs = draw(st.lists(st.tuples(number, number), min_size=1, max_size=6))
    return rows, sorted(pairs), draw(st.integers(1, 6))


Case = tuple[list[Tokens], list[tuple[int, int]], int]


@examples
@given(cases())
def test_passages_are_sound(case: Case) -> None:
    """Passages lie within their articles, not over one another, and match what they say."""
    rows, pairs, w = case
    found = align_rows(rows, pairs, w).passages
    ordered = sorted(found.tolist(), key=lambda row: (row[PAIR], row[B_START]))
    assert found.tolist() == ordered
    for number, (x, y) in enumerate(pairs):
        passages = found[found[:, PAIR] == number].tolist()
        for row in passages:
            a, b = rows[x][row[A_START] : row[A_END]], rows[y][row[B_START] : row[B_END]]
            assert w <= min(len(a), len(b))
            assert 0 <= row[A_START] < row[A_END] <= len(rows[x])
            assert 0 <= row[B_START] < row[B_END] <= len(rows[y])
            assert w <= row[MATCHED] <= common_tokens(a, b)
            assert (row[KIND] == VERBATIM) == (a == b)
            assert a[:w] == b[:w]
            assert a[-w:] == b[-w:]
        for start, end in ((A_START, A_END), (B_START, B_END)):
            spans = sorted((row[start], row[end]) for row in passages)
            assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))


@examples
@given(cases())
def test_totals_are_those_of_the_passages(case: Case) -> None:
    """A pair's total is the sum of its passages; without quotations all of it is net."""
    rows, pairs, w = case
    found = align_rows(rows, pairs, w)
    sums = [
        int(found.passages[found.passages[:, PAIR] == p, MATCHED].sum()) for p in range(len(pairs))
    ]
    assert found.totals.tolist() == [[total, total, 0, 0] for total in sums]


@examples
@given(cases())
def test_passages_that_stayed_are_in_order(case: Case) -> None:
    """The passages that did not move come in one order in both articles, and are the heaviest."""
    rows, pairs, w = case
    found = align_rows(rows, pairs, w).passages
    for number in range(len(pairs)):
        passages = found[found[:, PAIR] == number]
        kept = passages[passages[:, MOVED] == 0]
        assert (np.diff(kept[:, A_START]) > 0).all()
        assert kept[:, MATCHED].sum() == heaviest_chain(passages.tolist())


def heaviest_chain(passages: list[list[int]]) -> int:
    """Matched words of the heaviest passages that are in order in both articles."""
    best: list[int] = []
    for k, row in enumerate(passages):
        earlier = (best[m] for m in range(k) if passages[m][A_START] < row[A_START])
        best.append(row[MATCHED] + max(earlier, default=0))
    return max(best, default=0)


@examples
@given(cases(), st.integers(0, 6))
def test_slices_make_up_the_whole(case: Case, cut: int) -> None:
    """Aligning slices of the pairs gives what aligning all of them gives."""
    rows, pairs, w = case
    whole = align_rows(rows, pairs, w)
    parts = [align_rows(rows, part, w) for part in (pairs[:cut], pairs[cut:])]
    parts[1].passages[:, PAIR] += len(pairs[:cut])
    assert np.concatenate([p.passages for p in parts]).tolist() == whole.passages.tolist()
    assert np.concatenate([p.totals for p in parts]).tolist() == whole.totals.tolist()


@st.composite
def unique_texts(draw: st.DrawFn) -> tuple[Tokens, Tokens]:
    """Two texts in which no word repeats: the second shuffles, drops and adds blocks."""
    n = draw(st.integers(0, 40))
    cuts = sorted(draw(st.sets(st.integers(0, n), max_size=5)) | {0, n})
    blocks = [list(range(a, b)) for a, b in itertools.pairwise(cuts)]
    blocks = draw(st.permutations([*blocks, words(1, draw(st.integers(0, 8)))]))
    dropped = draw(st.sets(st.integers(0, n), max_size=4))
    return list(range(n)), [t for block in blocks for t in block if t not in dropped]


@examples
@given(unique_texts(), st.integers(1, 5))
def test_tiling_reaches_the_reference(texts: tuple[Tokens, Tokens], w: int) -> None:
    """Passages match at least what greedy string tiling by brute force covers, and only copies."""
    a, b = texts
    found = align_rows([a, b], [(0, 1)], w)
    tiled = tiled_tokens(a, b, w)
    assert tiled <= int(found.totals[0, 0]) <= common_tokens(a, b)
    covered = [k for row in found.passages.tolist() for k in range(row[A_START], row[A_END])]
    assert len(covered) >= tiled
    assert (tiled == 0) == (covered == [])


@examples
@given(st.permutations(range(6)), st.lists(st.integers(5, 9), min_size=6, max_size=6))
def test_shuffled_blocks_are_all_found(order: list[int], sizes: list[int]) -> None:
    """However the blocks of a text are shuffled, all of it is found again."""
    blocks = [words(k, n) for k, n in enumerate(sizes)]
    a, b = [*itertools.chain(*blocks)], [*itertools.chain(*(blocks[k] for k in order))]
    found = align_rows([a, b], [(0, 1)])
    assert found.totals.tolist() == [[sum(sizes), sum(sizes), 0, 0]]
    assert (found.passages[:, KIND] == VERBATIM).all()


def test_more_passages_than_the_buffer_holds() -> None:
    """Pairs with more passages in all than fit one buffer are all aligned."""
    a, b = A + X + B, B + Y + A
    found = align_rows([a, b], [(0, 1)] * 10_000)
    assert found.passages[:, 1:].tolist() == align(a, b) * 10_000
    assert found.totals.tolist() == [[100, 100, 0, 0]] * 10_000
