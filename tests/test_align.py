"""Passages of pairs of articles, against the slow reference and against what they must be."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass

import numpy as np
import pytest
from aligned import (
    HOSTILE,
    Partners,
    Text,
    aligned,
    arrays_of,
    block_start,
    continues,
    corpus_of,
    log,
    mixed,
    texts,
    weights_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import common_tokens, examples, pairs_array, permutation, tiled_tokens, uint64

from dedupe import chaining
from dedupe.align import (
    A_END,
    A_START,
    B_END,
    B_START,
    BODY,
    BODY_WEIGHS,
    BOILERPLATE,
    BRIEF,
    EDITED,
    KIND,
    MATCHED,
    MAX_GAP,
    MAX_PARAGRAPH,
    MOVED,
    N_COLUMNS,
    PAIR,
    QUOTATION,
    READABLE,
    REWRITTEN,
    ROLE,
    VERBATIM,
    Alignment,
    _moved,
    align_pair,
    align_pairs,
)
from dedupe.shingle import fingerprint
from dedupe.tokens import FURNITURE, PARAGRAPH, QUOTED

Tokens = list[int]


def align_texts(rows: list[Text], pairs: list[tuple[int, int]]) -> Alignment:
    """Align pairs of texts, by their numbers."""
    spans, hashes, flags = corpus_of(rows)
    return align_pairs(pairs_array(pairs), spans, hashes, flags)


def passages_in(found: Alignment, number: int = 0) -> list[list[int]]:
    """Passages of one pair without the number of the pair."""
    rows: list[list[int]] = found.passages[found.passages[:, PAIR] == number, 1:].tolist()
    return rows


@dataclass(frozen=True)
class Marks:
    """Tokens by their flags: those that begin paragraphs, are quoted, are furniture."""

    paragraph: frozenset[int] = frozenset()
    quoted: frozenset[int] = frozenset()
    furniture: frozenset[int] = frozenset()

    def text(self, tokens: Tokens) -> Text:
        """A text of these tokens with their flags."""
        kinds = ((self.paragraph, PARAGRAPH), (self.quoted, QUOTED), (self.furniture, FURNITURE))
        return Text(
            mixed(tokens), [sum(int(flag) for kind, flag in kinds if t in kind) for t in tokens]
        )


PLAIN = Marks()


def aligned_pair(a: Tokens, b: Tokens, marks: Marks = PLAIN) -> Alignment:
    """The alignment of two texts."""
    return align_texts([marks.text(a), marks.text(b)], [(0, 1)])


def align(a: Tokens, b: Tokens, marks: Marks = PLAIN) -> list[list[int]]:
    """Passages of two texts, without the number of the pair."""
    return passages_in(aligned_pair(a, b, marks))


def words(first: int, n: int) -> Tokens:
    """Some tokens that stand nowhere else."""
    return list(range(first * 10_000, first * 10_000 + n))


A, B, C, X, Y = (words(k, n) for k, n in ((1, 60), (2, 40), (3, 20), (8, 50), (9, 50)))


# Examples ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 5, 100, 100_000])
def test_identical_articles(n: int) -> None:
    """Equal texts are one verbatim passage, however short."""
    assert align(list(range(n)), list(range(n))) == [[0, n, 0, n, n, VERBATIM, 0, BODY]]


@pytest.mark.parametrize("song", [[1] * 50, [1, 2] * 40, [1, 2, 3, 3] * 7, [1] * 100_000])
def test_identical_refrains(song: Tokens) -> None:
    """Equal texts are one passage though nothing in them is rare."""
    n = len(song)
    assert align(song, song) == [[0, n, 0, n, n, VERBATIM, 0, BODY]]


@pytest.mark.parametrize(("a", "b"), [(A, B), ([], A), (A, []), ([], []), ([1], [2]), ([1], A)])
def test_unrelated_articles(a: Tokens, b: Tokens) -> None:
    """Texts that have no word in common have no passage."""
    found = aligned_pair(a, b)
    assert found.passages.shape == (0, N_COLUMNS)
    assert found.totals.tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_few_shared_words_are_no_passage(n: int) -> None:
    """Two texts that share no more than a name or a phrase have no passage."""
    assert align([*X, *A[:n], *B], [*Y, *A[:n], *C]) == []
    assert align([*A[:n], *B], [*A[:n], *C]) == []
    assert align([*B, *A[:n]], [*C, *A[:n]]) == []


@pytest.mark.parametrize("n", [8, 9, 20, 60])
def test_excerpt(n: int) -> None:
    """A part of an article inside another one is found at its place in both."""
    assert align(A, X + A[:n] + Y) == [[0, n, 50, 50 + n, n, VERBATIM, 0, BODY]]
    assert align(B + A, X + A[-n:]) == [[100 - n, 100, 50, 50 + n, n, VERBATIM, 0, BODY]]


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


def test_order_within_a_paragraph() -> None:
    """What is put in another order has moved, but not if both are of one paragraph."""
    a, b = [*B, *A, *C], [*B, *C, *A]
    inside, apart = Marks(paragraph=frozenset([B[0]])), Marks(paragraph=frozenset([A[0], C[0]]))
    assert [row[MOVED - 1] for row in align(a, b, inside)] == [0, 0, 0]
    assert [row[MOVED - 1] for row in align(a, b, apart)] == [0, 1, 0]


def test_a_moved_quotation_moves_nothing_else() -> None:
    """A long quotation that stands elsewhere has moved, and not the shorter copy around it."""
    a, b = [*C, *A, *B], [*C, *B, *A]
    assert [row[MOVED - 1] for row in align(a, b)] == [0, 1, 0]
    quoted = Marks(quoted=frozenset(A))
    assert [row[MOVED - 1] for row in align(a, b, quoted)] == [0, 0, 1]
    furniture = Marks(furniture=frozenset(A))
    assert [row[MOVED - 1] for row in align(a, b, furniture)] == [0, 0, 1]


def test_edited_passage() -> None:
    """A replaced word inside copied text makes one edited passage, with what is equal counted."""
    b = [*A[:30], 7, *A[31:]]
    assert align(A, b) == [[0, 60, 0, 60, 59, EDITED, 0, BODY]]


def test_equal_words_in_a_gap_count() -> None:
    """Words of a bridged gap that are equal, in order, count as matched."""
    b = [*A[:20], 7, *A[22:25], 8, *A[26:]]
    assert align(A, b) == [[0, 60, 0, 59, 57, EDITED, 0, BODY]]


def test_changes_at_both_ends() -> None:
    """A word changed shortly before the end of a text does not cut off what follows it."""
    b = [A[0], 7, *A[2:57], 8, *A[58:]]
    assert align(A, b) == [[0, 60, 0, 60, 58, EDITED, 0, BODY]]


@pytest.mark.parametrize("gap_a", [0, 1, MAX_GAP, MAX_GAP + 1])
@pytest.mark.parametrize("gap_b", [0, 1, MAX_GAP, MAX_GAP + 1])
def test_gaps(gap_a: int, gap_b: int) -> None:
    """Copied pieces are one passage exactly where the gap is short on both sides."""
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


def test_a_loose_end_is_no_part_of_a_passage() -> None:
    """A single word at the end is left out if it is far from the rest, and kept if near."""
    near = align([*A[:20], *X[:1], 7], [*A[:20], *Y[:1], 7])
    assert near == [[0, 22, 0, 22, 21, EDITED, 0, BODY]]
    for new in (Y[:4], []):
        far = align([*A[:20], *X[:4], 7], [*A[:20], *new, 7])
        assert far == [[0, 20, 0, 20, 20, VERBATIM, 0, BODY]]
        n = len(new) + 1
        before = align([7, *X[:4], *A[:20]], [7, *new, *A[:20]])
        assert before == [[5, 25, n, n + 20, 20, VERBATIM, 0, BODY]]


def test_split_and_merged_sentences() -> None:
    """Pieces of one text taken apart, and of two places put together, are all found."""
    apart = [*A[:20], *X, *A[20:40], *Y, *A[40:]]
    taken = [
        [0, 20, 0, 20, 20, VERBATIM, 0, BODY],
        [20, 40, 70, 90, 20, VERBATIM, 0, BODY],
        [40, 60, 140, 160, 20, VERBATIM, 0, BODY],
    ]
    assert align(A + B, apart) == taken
    assert align(apart, A + B) == [[*row[2:4], *row[:2], *row[4:]] for row in taken]


def test_text_used_twice_is_paired_once() -> None:
    """A paragraph that stands twice in one of two texts is shared once."""
    found = aligned_pair([*A, *X, *A], [*Y, *A])
    assert passages_in(found) == [[0, 60, 50, 110, 60, VERBATIM, 0, BODY]]
    assert found.totals.tolist() == [[60, 60, 0, 0]]


def test_one_word_over_and_over() -> None:
    """Two refrains of one word are a passage if they are long, though the word says nothing."""
    assert align([1] * 1000, [1] * 999) == [[0, 999, 0, 999, 999, VERBATIM, 0, BODY]]
    assert align([1] * 50, [1] * 49) == []


def test_repetition_in_the_middle_of_a_copy() -> None:
    """A refrain of 100,000 words inside a copied text is run across."""
    song = A + [1, 2, 3] * 33_333 + B
    n = len(song)
    assert align(X + song, song + Y) == [[50, 50 + n, 0, n, n, VERBATIM, 0, BODY]]


def test_a_table_with_a_changed_cell() -> None:
    """A table of two words is one edited passage with the text after it, whatever stands before."""
    chance = random.Random(4)
    table = [chance.randrange(2) for _ in range(100)]
    a, b = [*X, *table, 7, *A], [*Y, *table, 8, *A]
    assert align(a, b) == [[50, 211, 50, 211, 160, EDITED, 0, BODY]]


def test_quotation() -> None:
    """A passage mostly of quoted speech is a quotation and leaves the net count alone."""
    mostly = aligned_pair(X + A + Y, A, Marks(quoted=frozenset(A[:31])))
    partly = aligned_pair(X + A + Y, A, Marks(quoted=frozenset(A[:30])))
    assert passages_in(mostly) == [[50, 110, 0, 60, 60, VERBATIM, 0, QUOTATION]]
    assert passages_in(partly) == [[50, 110, 0, 60, 60, VERBATIM, 0, BODY]]
    assert mostly.totals.tolist() == [[60, 29, 0, 0]]
    assert partly.totals.tolist() == [[60, 30, 0, 0]]


def test_words_quoted_in_one_text_only() -> None:
    """Words that are quoted or furniture in one text count as left out of the other."""
    plain, quoted = PLAIN.text(A), Marks(quoted=frozenset(A[:10]), furniture=frozenset(A[50:]))
    found = align_texts([plain, quoted.text(A)], [(0, 1), (1, 0), (1, 1)])
    assert found.totals.tolist() == [[60, 40, 20, 0], [60, 40, 0, 20], [60, 40, 0, 0]]


def test_furniture_is_cut_off_copy() -> None:
    """Furniture that follows copy is a passage of its own, in role and totals."""
    found = aligned_pair([*X, *A, *B], [*Y, *A, *B], Marks(furniture=frozenset(B)))
    assert passages_in(found) == [
        [50, 110, 50, 110, 60, VERBATIM, 0, BODY],
        [110, 150, 110, 150, 40, VERBATIM, 0, BOILERPLATE],
    ]
    assert found.totals.tolist() == [[100, 60, 0, 0]]


def test_moved_furniture() -> None:
    """A passage of known boilerplate is told apart from copy wherever it stands."""
    found = aligned_pair(A + X + B, B + Y + A, Marks(furniture=frozenset(B)))
    assert passages_in(found) == [
        [110, 150, 0, 40, 40, VERBATIM, 1, BOILERPLATE],
        [0, 60, 90, 150, 60, VERBATIM, 0, BODY],
    ]


@pytest.mark.parametrize("at", [0, 20, 57])
@pytest.mark.parametrize("n", [BRIEF - 3, BRIEF - 1, BRIEF, 20])
def test_a_few_words_of_furniture_within_copy(at: int, n: int) -> None:
    """Too few words of furniture are no passage of their own, at either end or in the middle."""
    few = frozenset(A[at : at + n])
    found = align([*X, *A], [*Y, *A], Marks(furniture=few))
    turned = align([*X, *A], [*Y, *A], Marks(furniture=frozenset(A) - few))
    if len(few) < BRIEF:
        assert [row[ROLE - 1] for row in found] == [BODY]
        assert [row[ROLE - 1] for row in turned] == [BOILERPLATE]
    else:
        roles = [BODY] * (at > 0) + [BOILERPLATE] + [BODY] * (at + n < 60)
        assert [row[ROLE - 1] for row in found] == roles
        assert [row[ROLE - 1] for row in turned] == [BOILERPLATE - role for role in roles]


@pytest.mark.parametrize("order", [1, -1])
def test_a_short_passage_is_not_judged_with_the_one_before(order: int) -> None:
    """A brief passage of copy far from furniture is copy, and one of furniture is furniture."""
    name, form = words(5, BRIEF - 1), words(6, 40)
    weighty = [name, [*X, *words(4, 30)], form][::order]
    other = [name, [*Y, *words(7, 30)], form][::order]
    a, b = ([*itertools.chain(*parts)] for parts in (weighty, other))
    for furniture in (name, form):
        found = align(a, b, Marks(furniture=frozenset(furniture)))
        roles = {row[4]: row[ROLE - 1] for row in found}
        assert roles[len(form)] == (BOILERPLATE if furniture is form else BODY)
        assert roles.get(len(name)) in (None, BODY if furniture is form else BOILERPLATE)


def test_more_passages_than_the_buffer_holds() -> None:
    """Pairs with more passages in all than fit one buffer are all aligned."""
    a, b = A + X + B, B + Y + A
    found = align_texts([PLAIN.text(a), PLAIN.text(b)], [(0, 1)] * 10_000)
    assert found.passages[:, 1:].tolist() == align(a, b) * 10_000
    assert found.passages[:, PAIR].tolist() == [k for k in range(10_000) for _ in range(2)]
    assert found.totals.tolist() == [[100, 100, 0, 0]] * 10_000


# The reference -------------------------------------------------------------------------------


@settings(examples, max_examples=300)
@given(texts)
def test_alignment_equals_the_reference(pair: tuple[Text, Text]) -> None:
    """Passages, kinds, roles, what moved and totals are those of the slow reference."""
    found = align_texts(list(pair), [(0, 1)])
    expected = aligned(*pair)
    assert passages_in(found) == expected.passages
    assert found.totals.tolist() == [expected.totals]


@st.composite
def corpora(draw: st.DrawFn) -> tuple[list[Text], list[tuple[int, int]]]:
    """Texts that have much in common, and pairs of them, sorted or not."""
    (one, other), (a, b) = draw(texts), draw(texts)
    rows = [one, other, a, b, Text(one.tokens + a.tokens, one.flags + a.flags)]
    rows += [Text(b.tokens * 2 + other.tokens, b.flags * 2 + other.flags)]
    rows += [Text(text.tokens[::-1], text.flags) for text in (one, b)]
    number = st.integers(0, len(rows) - 1)
    pairs = draw(st.lists(st.tuples(number, number), max_size=12))
    first = draw(st.permutations(range(len(rows))))[:3]
    pairs += [(x, y) for x in first for y in range(len(rows))]
    return rows, sorted(pairs) if draw(st.booleans()) else pairs


@examples
@given(corpora(), st.integers(0, 24))
def test_pairs_do_not_depend_on_one_another(
    corpus: tuple[list[Text], list[tuple[int, int]]], cut: int
) -> None:
    """Each pair is aligned as it is alone, whatever was aligned before it, sorted or not."""
    rows, pairs = corpus
    whole = align_texts(rows, pairs)
    for number, (x, y) in enumerate(pairs):
        alone = align_texts([rows[x], rows[y]], [(0, 1)])
        assert passages_in(whole, number) == passages_in(alone)
        assert whole.totals[number].tolist() == alone.totals[0].tolist()
    parts = [align_texts(rows, part) for part in (pairs[:cut], pairs[cut:])]
    parts[1].passages[:, PAIR] += len(pairs[:cut])
    assert np.concatenate([p.passages for p in parts]).tolist() == whole.passages.tolist()
    assert np.concatenate([p.totals for p in parts]).tolist() == whole.totals.tolist()


@examples
@given(texts)
def test_either_text_may_come_first(pair: tuple[Text, Text]) -> None:
    """The alignment of b with a is that of a with b, with the sides exchanged."""
    (hashes_a, flags_a), (hashes_b, flags_b) = map(arrays_of, pair)
    one, of_b = align_pair(hashes_a, flags_a, hashes_b, flags_b)
    other, of_a = align_pair(hashes_b, flags_b, hashes_a, flags_a)
    turned = [[row[k] for k in (0, 3, 4, 1, 2, 5, 6, 7, 8)] for row in other.passages.tolist()]
    assert one.passages.tolist() == sorted(turned, key=lambda row: row[B_START])
    assert one.totals[:, [0, 1, 3, 2]].tolist() == other.totals.tolist()
    assert [(j, i) for j, i in enumerate(of_b.tolist()) if i >= 0] == sorted(
        (j, i) for i, j in enumerate(of_a.tolist()) if j >= 0
    )


@examples
@given(texts)
def test_one_pair_is_aligned_like_many(pair: tuple[Text, Text]) -> None:
    """A single pair is aligned as in a scan: the longer text first, or the lower fingerprint."""
    a, b = sorted(pair, key=lambda t: (-len(t.tokens), fingerprint(uint64(t.tokens))))
    found, of_b = align_pair(*arrays_of(a), *arrays_of(b))
    expected = align_texts([a, b], [(0, 1)])
    assert found.passages.tolist() == expected.passages.tolist()
    assert found.totals.tolist() == expected.totals.tolist()
    assert of_b.tolist() == aligned(a, b).partner


# Properties ----------------------------------------------------------------------------------


@examples
@given(texts)
def test_passages_are_sound(pair: tuple[Text, Text]) -> None:
    """Passages lie within their texts, not over one another, and hold what they say."""
    a, b = pair
    found, partner = align_pair(*arrays_of(a), *arrays_of(b))
    pairs = [(j, i) for j, i in enumerate(partner.tolist()) if i >= 0]
    assert all(a.tokens[i] == b.tokens[j] for j, i in pairs)
    assert len({i for _, i in pairs}) == len(pairs)
    rows = found.passages.tolist()
    assert [row[B_START] for row in rows] == sorted(row[B_START] for row in rows)
    covered = []
    for row in rows:
        one = a.tokens[row[A_START] : row[A_END]]
        other = b.tokens[row[B_START] : row[B_END]]
        assert 0 <= row[A_START] < row[A_END] <= len(a.tokens)
        assert 0 <= row[B_START] < row[B_END] <= len(b.tokens)
        inside = [(j, i) for j, i in pairs if row[B_START] <= j < row[B_END]]
        assert inside[0] == (row[B_START], row[A_START])
        assert inside[-1] == (row[B_END] - 1, row[A_END] - 1)
        assert inside == sorted(inside, key=lambda one: one[1])
        assert row[MATCHED] == len(inside)
        longer = max(len(one), len(other))
        assert (row[KIND] == VERBATIM) == (one == other) == (row[MATCHED] == longer)
        assert (row[KIND] == REWRITTEN) == (row[MATCHED] < READABLE * longer)
        covered += inside
    assert covered == pairs
    for start, end in ((A_START, A_END), (B_START, B_END)):
        spans = sorted((row[start], row[end]) for row in rows)
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))


@examples
@given(texts)
def test_totals_are_those_of_the_pairs(pair: tuple[Text, Text]) -> None:
    """A pair's total is the sum of its passages, and each token is net, or left out somewhere."""
    a, b = pair
    found, partner = align_pair(*arrays_of(a), *arrays_of(b))
    total, net, left_a, left_b = found.totals[0].tolist()
    assert total == sum(found.passages[:, MATCHED].tolist())
    assert total <= common_tokens(a.tokens, b.tokens)
    aside = QUOTED | FURNITURE
    pairs = [(j, i) for j, i in enumerate(partner.tolist()) if i >= 0]
    assert net == sum(not a.has(i, aside) and not b.has(j, aside) for j, i in pairs)
    assert left_a == sum(not a.has(i, aside) and b.has(j, aside) for j, i in pairs)
    assert left_b == sum(a.has(i, aside) and not b.has(j, aside) for j, i in pairs)


@examples
@given(texts)
def test_roles_are_those_of_the_words(pair: tuple[Text, Text]) -> None:
    """Passages have the role of most of their words, and are cut only where long runs meet."""
    a, b = pair
    found, partner = align_pair(*arrays_of(a), *arrays_of(b))
    pairs = [(j, i) for j, i in enumerate(partner.tolist()) if i >= 0]
    ends = {}
    for row in found.passages.tolist():
        inside = [(j, i) for j, i in pairs if row[B_START] <= j < row[B_END]]
        furniture = [a.has(i, FURNITURE) or b.has(j, FURNITURE) for j, i in inside]
        quoted = [a.has(i, QUOTED) or b.has(j, QUOTED) for j, i in inside]
        if len(set(furniture)) == 1:
            assert (row[ROLE] == BOILERPLATE) == furniture[0]
        if row[ROLE] != BOILERPLATE:
            assert (row[ROLE] == QUOTATION) == (2 * sum(quoted) > len(inside))
        ends[inside[-1]] = (inside[0], row[ROLE], len(inside))
    partners = Partners(pairs)
    for one, other in itertools.pairwise(pairs):
        if one in ends and continues(partners, one, other):
            (role, n), (next_role, next_n) = (
                ends[one][1:],
                next(
                    (row[ROLE], row[MATCHED])
                    for row in found.passages.tolist()
                    if row[B_START] == other[0]
                ),
            )
            assert (role == BOILERPLATE) != (next_role == BOILERPLATE)
            assert min(n, next_n) >= BRIEF


@pytest.mark.parametrize("name", HOSTILE)
def test_long_texts_in_which_everything_repeats(name: str) -> None:
    """However long texts repeat, they are aligned, and their passages are sound."""
    a, b = HOSTILE[name]()
    found = align_texts([a, b], [(0, 1)])
    assert found.totals[0, 0] == found.passages[:, MATCHED].sum()
    assert found.totals[0, 0] <= common_tokens(a.tokens, b.tokens)
    for start, end in ((A_START, A_END), (B_START, B_END)):
        spans = found.passages[np.argsort(found.passages[:, start])][:, [start, end]]
        assert (spans[:, 0] < spans[:, 1]).all()
        assert (spans[:-1, 1] <= spans[1:, 0]).all()


@st.composite
def scattered_passages(draw: st.DrawFn) -> tuple[list[list[int]], Text, Text]:
    """Passages at random places of two texts with some paragraphs."""
    n = draw(st.integers(1, 7))
    length = draw(st.sampled_from([20, 2 * MAX_PARAGRAPH]))
    place = st.integers(0, length - 1)
    starts_a, starts_b = (draw(st.lists(place, min_size=n, max_size=n, unique=True)) for _ in "ab")
    borders = [draw(st.sets(place, max_size=4)) for _ in "ab"]
    a, b = (Text([0] * length, [int(k in some) for k in range(length)]) for some in borders)
    rows = []
    for i, j in zip(starts_a, sorted(starts_b), strict=True):
        matched, role = draw(st.integers(1, 40)), draw(st.integers(0, 2))
        rows.append([0, i, i + 1, j, j + 1, matched, VERBATIM, 0, role])
    return rows, a, b


@settings(examples, max_examples=200)
@given(scattered_passages())
def test_what_has_not_moved_is_the_heaviest_in_order(
    case: tuple[list[list[int]], Text, Text],
) -> None:
    """No passages whose paragraphs are in one order in both texts weigh more than those kept."""
    rows, a, b = case
    passages = np.array(rows, np.int64)
    _moved(passages, arrays_of(a)[1], arrays_of(b)[1])
    places = [(block_start(b, row[B_START]), block_start(a, row[A_START])) for row in rows]
    weights = [row[MATCHED] * (BODY_WEIGHS if row[ROLE] == BODY else 1) for row in rows]

    def in_order(some: tuple[int, ...]) -> bool:
        return all(
            (places[p][0] - places[q][0]) * (places[p][1] - places[q][1]) >= 0
            for p, q in itertools.combinations(some, 2)
        )

    kept = tuple(np.flatnonzero(passages[:, MOVED] == 0).tolist())
    assert set(passages[:, MOVED].tolist()) <= {0, 1}
    assert in_order(kept)
    subsets = itertools.chain.from_iterable(
        itertools.combinations(range(len(rows)), n) for n in range(len(rows) + 1)
    )
    best = max(sum(weights[p] for p in some) for some in subsets if in_order(some))
    assert sum(weights[p] for p in kept) == best


@examples
@given(permutation(range(6)), st.lists(st.integers(12, 20), min_size=6, max_size=6))
def test_shuffled_blocks_are_all_found(order: list[int], sizes: list[int]) -> None:
    """However the blocks of a text are shuffled, all of it is found again, and the rest moved."""
    blocks = [words(k, n) for k, n in enumerate(sizes)]
    a, b = [*itertools.chain(*blocks)], [*itertools.chain(*(blocks[k] for k in order))]
    found = aligned_pair(a, b)
    assert found.totals.tolist() == [[sum(sizes), sum(sizes), 0, 0]]
    assert (found.passages[:, KIND] == VERBATIM).all()
    assert found.passages[:, MOVED].any() == (order != sorted(order))


@st.composite
def unique_texts(draw: st.DrawFn) -> tuple[Tokens, Tokens]:
    """Two texts in which no word repeats: the second shuffles, drops and adds blocks."""
    n = draw(st.integers(1, 60))
    cuts = sorted(draw(st.sets(st.integers(0, n), max_size=5)) | {0, n})
    blocks = [list(range(a, b)) for a, b in itertools.pairwise(cuts)]
    blocks = draw(st.permutations([*blocks, words(1, draw(st.integers(1, 8)))]))
    dropped = draw(st.sets(st.integers(0, n), max_size=4))
    return list(range(n)), [t for block in blocks for t in block if t not in dropped]


@examples
@given(unique_texts())
def test_every_run_that_weighs_enough_is_found(pair: tuple[Tokens, Tokens]) -> None:
    """Passages match at least what greedy string tiling covers with runs that weigh enough."""
    a, b = pair
    weight = max(weights_of(a, b), default=0)
    enough = log(len(a)) + log(len(b)) + chaining.MARGIN
    total = int(aligned_pair(a, b).totals[0, 0])
    if weight:
        assert tiled_tokens(a, b, -(-enough // weight)) <= total
    assert total <= common_tokens(a, b)
