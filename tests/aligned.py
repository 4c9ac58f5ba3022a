"""Slow plain-Python reference of the whole aligner, written from its documentation.

Lists and dictionaries, everything compared with everything. Where two choices are equally
good, the one that is taken is the aligner's, and a comment says which. Texts are lists of
token hashes, `flags` as many numbers; a pair (j, i) is a token of b and its token of a.
"""

from __future__ import annotations

import functools
import itertools
import math
import random
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from hypothesis import strategies as st
from oracles import fmix, spans_of, uint64

from dedupe import align, chaining, gaps, seeds
from dedupe.tokens import FURNITURE, PARAGRAPH, QUOTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

Pair = tuple[int, int]

LOW = -(1 << 40)
"""The score of what is impossible."""


class Text(NamedTuple):
    """A text: its token hashes and, for each of them, its flags."""

    tokens: list[int]
    flags: list[int]

    def has(self, at: int, flag: np.uint8) -> bool:
        """Whether a token has one of these flags."""
        return self.flags[at] & int(flag) != 0

    def paragraph(self, at: int) -> int:
        """Number of the paragraph of a token."""
        return sum(self.has(k, PARAGRAPH) for k in range(at + 1))


class Match(NamedTuple):
    """A run of equal tokens: where it begins in b and in a, and its length."""

    b: int
    a: int
    n: int


class Link(NamedTuple):
    """The best chain that ends in a match."""

    score: int
    before: int
    cut: int


class Partners:
    """Which token of a each token of b is, one to one, and the reverse."""

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self.of_b = dict(pairs)
        self.of_a = {i: j for j, i in self.of_b.items()}

    def add(self, j: int, i: int) -> None:
        """Pair two tokens that are free."""
        assert self.free(j, i)
        self.of_b[j] = i
        self.of_a[i] = j

    def drop(self, pairs: Iterable[Pair]) -> None:
        """Free the tokens of some pairs."""
        for j, i in pairs:
            del self.of_b[j]
            del self.of_a[i]

    def free(self, j: int, i: int) -> bool:
        """Whether neither token has a partner."""
        return j not in self.of_b and i not in self.of_a

    def row(self, n: int) -> list[int]:
        """For each of n tokens of b its token of a, or -1."""
        return [self.of_b.get(j, -1) for j in range(n)]


# Seeds and matches ---------------------------------------------------------------------------


def log(x: int) -> int:
    """Hundredths of the natural logarithm: of the first twelve bits, and 69 for each further."""
    more = max(0, x.bit_length() - 12)
    return 69 * more + int(100 * math.log(x >> more))


def weights_of(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """The weight of each token of b: its self-information, nothing if a has no such token."""
    in_a, both = Counter(a), Counter([*a, *b])
    total = log(max(1, len(a) + len(b)))
    weight = {t: min(seeds.MOST, max(seeds.LEAST, total - log(both[t]))) for t in in_a}
    return [weight.get(t, 0) for t in b]


Gram = tuple[int, ...]


def grams(text: Sequence[int], n: int) -> list[Gram]:
    """Every run of n tokens."""
    return [tuple(text[k : k + n]) for k in range(len(text) - n + 1)]


def places(text: Sequence[int], n: int) -> dict[Gram, list[int]]:
    """Where each run of n tokens stands, ascending."""
    found = defaultdict(list)
    for k, gram in enumerate(grams(text, n)):
        found[gram].append(k)
    return found


def pairings(a: Sequence[int], b: Sequence[int], n: int) -> Counter[Gram]:
    """How often a token of each run of n tokens could be paired: places in a times places in b."""
    in_a, in_b = Counter(grams(a, n)), Counter(grams(b, n))
    return Counter({gram: in_a[gram] * in_b[gram] for gram in in_a.keys() & in_b.keys()})


def word_limit(a: Sequence[int], b: Sequence[int]) -> int:
    """Pairings up to which a word seeds: fewer where that gives too many seeds."""
    in_a, of_word = places(a, 1), pairings(a, b, 1)
    for limit in (seeds.MAX_PAIRINGS, seeds.FEW_PAIRINGS):
        n = sum(len(in_a[word]) for word in grams(b, 1) if 0 < of_word[word] <= limit)
        if n <= seeds.SEEDS * len(b):
            return limit
    return 1


def seed_places(a: Sequence[int], b: Sequence[int]) -> list[Pair]:
    """Equal places that rare words and word pairs give, by place in b, then in a.

    Before them is the first token of both texts, and after them the last one, if equal.
    """
    limit, of_word, of_pair = word_limit(a, b), pairings(a, b, 1), pairings(a, b, 2)
    words, pairs = places(a, 1), places(a, 2)
    found = [(0, 0)] if a[0] == b[0] else []
    for j in range(len(b)):
        word, pair = tuple(b[j : j + 1]), tuple(b[j : j + 2])
        if 0 < of_word[word] <= limit:
            found += [(j, i) for i in words[word]]
        elif 0 < of_pair[pair] <= seeds.MAX_PAIRINGS:
            found += [(j, i) for i in pairs[pair]]
    if a[-1] == b[-1]:
        found.append((len(b) - 1, len(a) - 1))
    return found


def repeated_places(a: Sequence[int], b: Sequence[int]) -> list[Pair]:
    """Equal places in repetitive text: of the shortest runs of 4, 8, 16... tokens that are rare.

    What is frequent at the last of these lengths gives its first place in both texts.
    """
    of_pair = pairings(a, b, 2)
    frequent = [of_pair[pair] > seeds.MAX_PAIRINGS for pair in grams(b, 2)]
    open_places = [
        j for j in range(len(b)) if frequent[j : j + seeds.REPEAT] == [True] * seeds.REPEAT
    ]
    found = []
    w = seeds.REPEAT + 1
    while open_places and w <= min(len(a), len(b)):
        in_a, in_b, of_gram = places(a, w), places(b, w), pairings(a, b, w)
        left = []
        for j in open_places:
            gram = tuple(b[j : j + w])
            if 0 < of_gram[gram] <= seeds.MAX_PAIRINGS:
                found += [(j, i) for i in in_a[gram]]
            elif of_gram[gram]:
                left.append(j)
                if 2 * w > min(len(a), len(b)) and in_b[gram][0] == j:
                    found.append((j, in_a[gram][0]))
        open_places = left
        w *= 2
    return found


def grown(a: Sequence[int], b: Sequence[int], j: int, i: int) -> Match:
    """The longest run of equal tokens around a place."""
    before = 0
    while min(j, i) > before and a[i - before - 1] == b[j - before - 1]:
        before += 1
    after = 0
    while i + after < len(a) and j + after < len(b) and a[i + after] == b[j + after]:
        after += 1
    return Match(j - before, i - before, before + after)


def matches_of(a: Sequence[int], b: Sequence[int]) -> list[Match]:
    """Maximal matches by their start in b; of those that start together, first seeded first."""
    at = [*seed_places(a, b), *repeated_places(a, b)]
    return sorted(dict.fromkeys(grown(a, b, j, i) for j, i in at), key=lambda match: match.b)


# Chains --------------------------------------------------------------------------------------


class Costs(NamedTuple):
    """Tokens a chain may skip at once, and the cost of each that is replaced or has no other."""

    reach: int
    skip: int
    indel: int


DENSE = Costs(chaining.DENSE_REACH, chaining.DENSE_SKIP, chaining.DENSE_INDEL)
SPARSE = Costs(chaining.REACH, chaining.SKIP, chaining.INDEL)


def best_chains(
    matches: Sequence[Match], weights: Sequence[int], a: Text, b: Text, costs: Costs
) -> list[Link]:
    """The best chain that ends in each match; of equally good ones, by the earliest match."""
    found: list[Link] = []
    number_a = [a.paragraph(k) for k in range(len(a.tokens))]
    number_b = [b.paragraph(k) for k in range(len(b.tokens))]
    for match in matches:
        best = Link(0, -1, 0)
        for k, (other, link) in enumerate(zip(matches, found, strict=False)):
            end_a, end_b = other.a + other.n, other.b + other.n
            overlap = max(0, end_a - match.a, end_b - match.b)
            if other.a >= match.a or other.b >= match.b:
                continue
            if overlap > chaining.OVERLAP or overlap >= match.n:
                continue
            if max(match.a - end_a, match.b - end_b) > costs.reach:
                continue
            start_a, start_b = match.a + overlap, match.b + overlap
            gap_a, gap_b = start_a - end_a, start_b - end_b
            score = link.score - sum(weights[match.b : start_b])
            if gap_a or gap_b:
                score -= chaining.OPEN
                score -= costs.skip * min(gap_a, gap_b) + costs.indel * abs(gap_a - gap_b)
                same_a = number_a[end_a - 1] == number_a[start_a]
                if not same_a or number_b[end_b - 1] != number_b[start_b]:
                    score -= chaining.BORDER
            if score > best.score:
                best = Link(score, k, overlap)
        gained = sum(weights[match.b : match.b + match.n])
        found.append(best._replace(score=best.score + gained))
    return found


def take_best(
    matches: Sequence[Match],
    weights: Sequence[int],
    links: Sequence[Link],
    enough: int,
    partners: Partners,
) -> tuple[int, int]:
    """Enter chains best first, of equal ones the first: how many, and how many met taken tokens.

    A chain ends where one that was taken begins, and is worth what is left of it. If that is too
    little, those of its beginnings that are worth too little are not tried for themselves.
    """
    own = [
        [(match.b + k, match.a + k) for k in range(link.cut, match.n)]
        for match, link in zip(matches, links, strict=True)
    ]
    done: set[int] = set()
    hopeless: set[int] = set()
    taken = crossed = 0
    for end in sorted(range(len(matches)), key=lambda m: -links[m].score):
        if end in done or end in hopeless or links[end].score < enough:
            continue
        path: list[int] = []
        m = end
        while m >= 0 and m not in done:
            path.insert(0, m)
            m = links[m].before
        lost = links[m].score if m >= 0 else 0
        unworthy = []
        for p in path:
            lost += sum(weights[j] for j, i in own[p] if not partners.free(j, i))
            if links[p].score - lost < enough:
                unworthy.append(p)
        crossed += lost > 0
        if end in unworthy:
            hopeless.update(unworthy)
            continue
        done.update(path)
        for p in reversed(path):
            for j, i in own[p]:
                if partners.free(j, i):
                    partners.add(j, i)
        taken += 1
    return taken, crossed


def left_over(matches: Sequence[Match], partners: Partners) -> list[Match]:
    """The runs of free tokens in matches, in order of their start in b as matches are.

    Only the first are kept if there are far more than matches.
    """
    found = []
    for match in matches:
        run = 0
        for k in range(match.n + 1):
            if k < match.n and partners.free(match.b + k, match.a + k):
                run += 1
            elif run:
                found.append(Match(match.b + k - run, match.a + k - run, run))
                run = 0
    return sorted(found[: chaining.PIECES * len(matches) + 16], key=lambda match: match.b)


def take_between(
    matches: Sequence[Match], weights: Sequence[int], a: Text, b: Text, partners: Partners
) -> int:
    """Enter chains that stand in both texts between the same two neighbours; how many."""
    taken = 0
    ends = (-1, -1), (len(b.tokens), len(a.tokens))
    neighbours = [ends[0], *sorted(partners.of_b.items()), ends[1]]
    for (before_b, before_a), (after_b, after_a) in itertools.pairwise(neighbours):
        place_a, place_b = range(before_a + 1, after_a), range(before_b + 1, after_b)
        inside = [match for match in matches if match.b in place_b and match.a in place_a]
        if inside and not any(i in partners.of_a for i in place_a):
            enough = log(len(place_a)) + log(len(place_b)) + chaining.NEAR_MARGIN
            links = best_chains(inside, weights, a, b, SPARSE)
            taken += take_best(inside, weights, links, enough, partners)[0]
    return taken


def chained(a: Text, b: Text, weights: Sequence[int]) -> Partners:
    """Tokens paired by chains, round by round, and by the alignment of gaps."""
    partners = Partners()
    enough = log(len(a.tokens)) + log(len(b.tokens)) + chaining.MARGIN
    matches = matches_of(a.tokens, b.tokens)
    for r in range(chaining.MAX_ROUNDS):
        links = best_chains(matches, weights, a, b, SPARSE if r else DENSE)
        taken, crossed = take_best(matches, weights, links, enough, partners)
        if r < 2 or taken:
            fill_gaps(a, b, weights, partners)
        matches = left_over(matches, partners)
        if r > 0 and (not taken or not crossed):
            break
    if take_between(matches, weights, a, b, partners):
        fill_gaps(a, b, weights, partners)
    return partners


# Gaps ----------------------------------------------------------------------------------------


class Path(NamedTuple):
    """A way through a table: its score, and the pairs it has made."""

    score: int
    pairs: tuple[Pair, ...] = ()

    def plus(self, score: int, *pairs: Pair) -> Path:
        """The way with a step more."""
        return Path(self.score + score, (*self.pairs, *pairs))


def first_best(*paths: Path) -> Path:
    """The best of some ways, the first of equal ones."""
    return max(paths, key=lambda path: path.score)


def bridge(
    a: Sequence[int], b: Sequence[int], weights: Sequence[int], *, open_end: bool
) -> list[Pair]:
    """Pairs of the best alignment of two short texts with affine gap costs.

    Three tables hold the best way of pairing the first x tokens of a with the first y of b that
    ends with two tokens side by side, one of a left out, and one of b. A token of a left out
    never follows one of b, or the reverse. Two tokens side by side go before the others where
    equal, and a token of a left out before one of b.
    With an open end the best beginning is taken, the shortest in a of equal ones, then in b.
    """
    never, opening = Path(LOW), gaps.GAP_OPEN + gaps.GAP_EXTEND
    both, only_a, only_b = {(0, 0): Path(0)}, dict[Pair, Path](), dict[Pair, Path]()
    for x in range(len(a) + 1):
        for y in range(len(b) + 1):
            if x and y:
                before = first_best(
                    *(table.get((x - 1, y - 1), never) for table in (both, only_a, only_b))
                )
                if a[x - 1] == b[y - 1]:
                    both[x, y] = before.plus(weights[y - 1], (y - 1, x - 1))
                else:
                    both[x, y] = before.plus(-gaps.MISMATCH)
            if x:
                only_a[x, y] = first_best(
                    both.get((x - 1, y), never).plus(-opening),
                    only_a.get((x - 1, y), never).plus(-gaps.GAP_EXTEND),
                )
            if y:
                only_b[x, y] = first_best(
                    both.get((x, y - 1), never).plus(-opening),
                    only_b.get((x, y - 1), never).plus(-gaps.GAP_EXTEND),
                )
    if open_end:
        best = first_best(*(path for _, path in sorted(both.items())))
        return list(best.pairs)
    end = (len(a), len(b))
    return list(first_best(both[end], only_a[end], only_b[end]).pairs)


def enter_bridge(
    a: Text,
    b: Text,
    weights: Sequence[int],
    partners: Partners,
    at_a: Sequence[int],
    at_b: Sequence[int],
    *,
    open_end: bool,
) -> None:
    """Align these tokens of a with those of b, in this order, and enter their pairs."""
    found = bridge(
        [a.tokens[i] for i in at_a],
        [b.tokens[j] for j in at_b],
        [weights[j] for j in at_b],
        open_end=open_end,
    )
    for y, x in found:
        partners.add(at_b[y], at_a[x])


def free_run(taken: dict[int, int], at: Iterable[int]) -> list[int]:
    """The first tokens of these up to one that has a partner."""
    run = []
    for k in at:
        if k in taken:
            break
        run.append(k)
    return run


def fill_gaps(a: Text, b: Text, weights: Sequence[int], partners: Partners) -> None:
    """Align what is between blocks, then what follows each block, then what is before each."""
    n_a, n_b = len(a.tokens), len(b.tokens)
    for j, i in sorted(partners.of_b.items()):
        at_b = free_run(partners.of_b, range(j + 1, n_b))
        at_a = free_run(partners.of_a, range(i + 1, n_a))
        short = 0 < len(at_a) <= gaps.MAX_GAP and 0 < len(at_b) <= gaps.MAX_GAP
        if short and partners.of_b.get(j + 1 + len(at_b)) == i + 1 + len(at_a):
            enter_bridge(a, b, weights, partners, at_a, at_b, open_end=False)
    for step in (1, -1):
        # Tokens that are paired on the way are walked on from.
        for j in range(n_b)[::step]:
            if j not in partners.of_b:
                continue
            i = partners.of_b[j]
            if step < 0 and (a.has(i, PARAGRAPH) or b.has(j, PARAGRAPH)):
                continue
            at_b = extension(b, partners.of_b, j, step)
            at_a = extension(a, partners.of_a, i, step)
            if not at_a or not at_b:
                continue
            if partners.of_b.get(at_b[-1] + step) == at_a[-1] + step:
                continue  # between two blocks
            enter_bridge(a, b, weights, partners, at_a, at_b, open_end=True)


def extension(text: Text, taken: dict[int, int], at: int, step: int) -> list[int]:
    """Free tokens beside one that has a partner, in its paragraph, not too many."""
    found: list[int] = []
    n = len(text.tokens)
    beside = range(at + 1, n) if step > 0 else range(at - 1, -1, -1)
    for k in free_run(taken, beside)[: gaps.EXTENSION]:
        if step > 0 and text.has(k, PARAGRAPH):
            break
        found.append(k)
        if step < 0 and text.has(k, PARAGRAPH):
            break
    return found


# Passages ------------------------------------------------------------------------------------


def continues(partners: Partners, one: Pair, other: Pair) -> bool:
    """Whether two pairs, with no token of b paired between, belong to one passage."""
    between = range(one[1] + 1, other[1])
    return (
        other[1] > one[1]
        and len(between) <= align.MAX_GAP
        and other[0] - one[0] - 1 <= align.MAX_GAP
        and not any(i in partners.of_a for i in between)
    )


def loose_end(pairs: Sequence[Pair], weights: Sequence[int]) -> int:
    """Pairs of the first block of a passage, if it is too light for its distance; else 0.

    Works on both ends: a passage may be given from its last pair to its first.
    """
    for k in range(1, len(pairs)):
        (j, i), (next_j, next_i) = pairs[k - 1], pairs[k]
        apart_b, apart_a = abs(next_j - j) - 1, abs(next_i - i) - 1
        if apart_a or apart_b:
            weight = sum(weights[j] for j, _ in pairs[:k])
            least = align.LOOSE_END + align.LOOSE_STEP * max(apart_a, apart_b)
            return k if weight < least else 0
    return 0


def settle(partners: Partners, weights: Sequence[int], enough: int) -> None:
    """Free loose ends of passages, and passages that weigh too little, from first to last."""
    pairs = sorted(partners.of_b.items())
    while pairs:
        n = 1
        while n < len(pairs) and continues(partners, pairs[n - 1], pairs[n]):
            n += 1
        passage, pairs = pairs[:n], pairs[n:]
        for _ in range(2):  # first what is loose at the beginning, then at the end
            while loose := loose_end(passage, weights):
                partners.drop(passage[:loose])
                passage = passage[loose:]
            passage.reverse()
        if sum(weights[j] for j, _ in passage) < enough:
            partners.drop(passage)


def passages_of(partners: Partners, a: Text, b: Text) -> list[tuple[list[Pair], bool]]:
    """The pairs of each passage, and whether it is furniture.

    A brief run of furniture or of copy takes the kind of what is before it in the passage, but
    at the beginning the kind of what follows, if that is not brief too.
    """
    stretches: list[list[Pair]] = []
    for pair in sorted(partners.of_b.items()):
        if stretches and continues(partners, stretches[-1][-1], pair):
            stretches[-1].append(pair)
        else:
            stretches.append([pair])
    found: list[tuple[list[Pair], bool]] = []
    for stretch in stretches:
        kinds = [a.has(i, FURNITURE) or b.has(j, FURNITURE) for j, i in stretch]
        parts: list[tuple[list[Pair], bool]] = []
        for kind, run in itertools.groupby(zip(stretch, kinds, strict=True), lambda one: one[1]):
            pairs = [pair for pair, _ in run]
            before = parts[-1][0] if parts else []
            if parts and (kind == parts[-1][1] or len(pairs) < align.BRIEF):
                before.extend(pairs)
            elif parts and len(before) < align.BRIEF:
                parts[-1] = ([*before, *pairs], kind)
            else:
                parts.append((pairs, kind))
        found += parts
    return found


def block_start(text: Text, at: int) -> int:
    """First token of the paragraph of a token, or the token if that is too far before."""
    near = range(at, max(-1, at - align.MAX_PARAGRAPH), -1)
    return next((k for k in near if text.has(k, PARAGRAPH)), at)


def prefix_ranges(n: int) -> list[range]:
    """The ranges whose best a Fenwick tree looks at for the first n ranks, the last first."""
    found = []
    while n:
        found.append(range(n - (n & -n), n))
        n &= n - 1
    return found


def unmoved(places: Sequence[Pair], weights: Sequence[int]) -> set[int]:
    """The heaviest passages in order on both sides; `places` in b and a, equal ones in any order.

    Of equally heavy chains before a passage the one is taken that ends in the last of the
    ranges of `prefix_ranges`, and in there the first by place in b; of whole chains the first.
    """
    order = sorted(range(len(places)), key=lambda p: places[p])
    by_a = sorted(range(len(order)), key=lambda k: places[order[k]][1])
    rank = {k: r for r, k in enumerate(by_a)}
    best: list[tuple[int, list[int]]] = []
    for k, p in enumerate(order):
        chain: tuple[int, list[int]] = (0, [])
        for ranks in prefix_ranges(rank[k]):
            ends = [best[e] for e in range(k) if rank[e] in ranks]
            chain = max([chain, *ends], key=lambda one: one[0])
        best.append((chain[0] + weights[p], [*chain[1], p]))
    return set(max(best, key=lambda one: one[0])[1]) if best else set()


class Aligned(NamedTuple):
    """What `dedupe.align` says of one pair: partners of b, passages without the pair, totals."""

    partner: list[int]
    passages: list[list[int]]
    totals: list[int]


def rows_of(partners: Partners, a: Text, b: Text) -> Aligned:
    """Passages with kind, moved and role, and totals."""
    places, weights, rows = [], [], []
    for pairs, furniture in passages_of(partners, a, b):
        (first_j, first_i), (last_j, last_i), n = pairs[0], pairs[-1], len(pairs)
        longer = max(last_i - first_i, last_j - first_j) + 1
        kind = align.EDITED if n >= align.READABLE * longer else align.REWRITTEN
        quoted = sum(a.has(i, QUOTED) or b.has(j, QUOTED) for j, i in pairs)
        role = align.QUOTATION if quoted > n - quoted else align.BODY
        role = align.BOILERPLATE if furniture else role
        places.append((block_start(b, first_j), block_start(a, first_i)))
        weights.append(n * (align.BODY_WEIGHS if role == align.BODY else 1))
        kind = align.VERBATIM if n == longer else kind
        rows.append([first_i, last_i + 1, first_j, last_j + 1, n, kind, 1, role])
    for p in unmoved(places, weights):
        rows[p][6] = 0
    aside = QUOTED | FURNITURE
    left_out = Counter((a.has(i, aside), b.has(j, aside)) for j, i in partners.of_b.items())
    totals = [len(partners.of_b), left_out[False, False]]
    totals += [left_out[False, True], left_out[True, False]]
    return Aligned(partners.row(len(b.tokens)), rows, totals)


def aligned(a: Text, b: Text) -> Aligned:
    """The alignment of two texts."""
    if a.tokens == b.tokens:
        return rows_of(Partners((k, k) for k in range(len(b.tokens))), a, b)
    if not a.tokens or not b.tokens:
        return rows_of(Partners(), a, b)
    weights = weights_of(a.tokens, b.tokens)
    partners = chained(a, b, weights)
    enough = log(len(a.tokens)) + log(len(b.tokens)) + chaining.MARGIN
    settle(partners, weights, int(align.WEAK * enough))
    return rows_of(partners, a, b)


# Texts ---------------------------------------------------------------------------------------


def mixed(tokens: Iterable[int]) -> list[int]:
    """Hashes for tokens given as small numbers: tables of hashes need well mixed ones."""
    return [fmix(token + 1) for token in tokens]


def text_of(tokens: Sequence[int], flags: Sequence[int] | None = None) -> Text:
    """A text of tokens given as small numbers, without flags if none are given."""
    return Text(mixed(tokens), [0] * len(tokens) if flags is None else list(flags))


def arrays_of(text: Text) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Hashes and flags of a text as kernels take them."""
    return uint64(text.tokens), np.array(text.flags, np.uint8)


def corpus_of(
    texts: Sequence[Text],
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint8]]:
    """Spans, hashes and flags of texts, one after the other."""
    spans, hashes = spans_of([text.tokens for text in texts])
    return spans, hashes, np.array([flag for text in texts for flag in text.flags], np.uint8)


def _with_flags(tokens: list[int], chance: random.Random) -> Text:
    """Some paragraphs, and stretches of quoted speech and of furniture."""
    flags = [0] * len(tokens)
    if chance.random() < 0.7:
        often = chance.choice([0.02, 0.1])
        flags = [int(PARAGRAPH) * (chance.random() < often) for _ in tokens]
        for flag in (QUOTED, FURNITURE):
            share, at = chance.choice([0, 0.3]), 0
            while at < len(flags):
                end = at + chance.randrange(1, 20)
                if chance.random() < share:
                    flags[at:end] = [f | int(flag) for f in flags[at:end]]
                at = end
    return text_of(tokens, flags)


_LENGTHS = (1, 2, 5, 6, 7, 12, 13, 24, 25, 30)

_edits = st.lists(
    st.tuples(
        st.sampled_from(["replace", "leave out", "add", "move", "repeat"]),
        st.integers(0, 200),
        st.sampled_from(_LENGTHS),
        st.integers(0, 200),
    ),
    max_size=8,
)


@st.composite
def planted_texts(draw: st.DrawFn) -> tuple[Text, Text]:
    """A text, and what is left of it after words were changed, added, left out, moved, repeated."""
    chance = random.Random(draw(st.integers(0, 1 << 32)))
    words = draw(st.sampled_from([2, 5, 30, 300, 5000]))
    a = [chance.randrange(words) for _ in range(draw(st.integers(0, 120)))]
    if draw(st.booleans()):  # a table, or a refrain
        at, n, line = (chance.randrange(end) for end in (len(a) + 1, 80, 6))
        a[at:at] = [5000 + (k % line if line else chance.randrange(2)) for k in range(n)]
    b = list(a)
    for edit, first, n, to in draw(_edits):
        first %= len(b) + 1  # noqa: PLW2901
        piece = b[first : first + n]
        new = [chance.randrange(words) for _ in range(n)]
        if edit in ("replace", "leave out", "move"):
            b[first : first + n] = new[: len(piece)] if edit == "replace" else []
        if edit in ("add", "move", "repeat"):
            to %= len(b) + 1  # noqa: PLW2901
            b[to:to] = new if edit == "add" else piece
    one, other = _with_flags(a, chance), _with_flags(b, chance)
    return (one, other) if draw(st.booleans()) else (other, one)


def _repetitive(words: int) -> st.SearchStrategy[Text]:
    return st.lists(st.integers(0, words - 1), max_size=60).map(text_of)


_blocks = st.lists(st.integers(0, 4), max_size=8).map(
    lambda numbers: text_of([t for k in numbers for t in range(100 * k, 100 * k + 9 + 3 * k)])
)

repetitive_texts = st.one_of(
    *(st.tuples(_repetitive(words), _repetitive(words)) for words in (1, 2, 4)),
    st.tuples(_blocks, _blocks),
)
"""Two texts of very few words, or of the same few blocks of words again and again."""

texts = st.one_of(planted_texts(), repetitive_texts)
"""Two texts that have much or little in common."""


_MANY = 50_000


def _drawn(words: int, seed: int = 0) -> list[int]:
    chance = random.Random(seed)
    return [chance.randrange(words) for _ in range(_MANY)]


def _table(seed: int) -> list[int]:
    return [t for k, cell in enumerate(_drawn(9, seed)[::4]) for t in (100 + k % 50, cell, 1, 2)]


def _fibonacci() -> list[int]:
    word, before = [1], [0]
    while len(word) < _MANY:
        before, word = word, word + before
    return word[:_MANY]


def _four_times() -> list[int]:
    pairs = [(k, k + 1) for k in range(0, _MANY // 4, 2)] * 4
    return [t for pair in random.Random(5).sample(pairs, len(pairs)) for t in pair]


_refrain = [1, 2, 3] * (_MANY // 3)
_block = _drawn(10**6)[:100] * (_MANY // 100)
_thue = [k.bit_count() & 1 for k in range(_MANY)]

_hostile: dict[str, Callable[[], tuple[list[int], list[int]]]] = {
    "one word": lambda: ([1] * _MANY, [1] * (_MANY - 1)),
    "a refrain": lambda: (_refrain, [4, *_refrain, 5]),
    "a refrain shifted": lambda: (_refrain, _refrain[1:]),
    "a table": lambda: (_table(1), _table(2)),
    "a table, edited": lambda: (_table(1), [7, *_table(1)[:20_000], 8, *_table(1)[20_001:]]),
    "a block": lambda: (_block, [1, *_block[100:]]),
    "fibonacci": lambda: (_fibonacci(), _fibonacci()[7:]),
    "thue-morse": lambda: (_thue, [3, *_thue[100:]]),
    "every word four times": lambda: (_four_times(), _four_times()[::-1]),
    "two words": lambda: (_drawn(2, 1), _drawn(2, 2)),
    "four words": lambda: (_drawn(4, 1), _drawn(4, 2)),
    "thirty words": lambda: (_drawn(30, 1), _drawn(30, 2)),
    "many words": lambda: (_drawn(12_000, 1), _drawn(12_000, 2)),
    "two words, edited": lambda: (_drawn(2), [*_drawn(2)[20_000:], 5, *_drawn(2)[:20_000]]),
    "many words, turned": lambda: (_drawn(12_000), _drawn(12_000)[::-1]),
}


def _two_texts(name: str) -> tuple[Text, Text]:
    a, b = _hostile[name]()
    return text_of(a), text_of(b)


HOSTILE = {name: functools.partial(_two_texts, name) for name in _hostile}
"""Pairs of long texts in which everything repeats, each in its own way."""
