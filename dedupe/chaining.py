"""Which token of one text is which token of another: local alignment by chained matches.

Maximal matches, weighted by the self-information of their words, are chained with affine gap
costs, like reads to genomes (Abouelhoda and Ohlebusch 2005; Li 2018, minimap2). The best chain takes its tokens first, each token is used once, and what
is left is chained again, so moved, split and merged text is found wherever it went. Gaps
between matches, and the ends of chains, are aligned word by word (Gotoh 1982).

All scores are in hundredths of a nat, so that results are exact integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedupe._jit import ascending, kernel
from dedupe.gaps import fill_gaps
from dedupe.seeds import by_start, log, maximal_matches, repeated_matches, repeats, weigh
from dedupe.tokens import PARAGRAPH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.seeds import Workspace

__all__ = ["align_tokens"]

REACH = 24
"""Tokens a chain may skip at once in either text: about a sentence."""

OVERLAP = 8
"""Tokens by which two matches of a chain may overlap; the second is cut."""

SKIP, INDEL, OPEN = 40, 50, 60
"""Cost of a gap between matches: each token replaced, each left out or added, and the gap itself."""

DENSE_REACH, DENSE_SKIP, DENSE_INDEL = 6, 80, 80
"""The same in the first round, which takes text that is copied densely."""

BORDER = 250
"""The further cost of a gap that holds the beginning of a paragraph."""

MARGIN = 1500
"""What a chain must score beyond the best to be expected of unrelated texts of these lengths."""

NEAR_MARGIN = 1000
"""The same of what stands in both texts between the same two neighbours, for the size of that place."""

PIECES = 2
"""Parts of matches looked at again, for each match."""

MAX_ROUNDS = 4
"""Times what is left is chained again."""


@kernel
def _number_paragraphs(flags: NDArray[np.uint8], out: NDArray[np.int32]) -> None:
    number = 0
    for k in range(len(flags)):
        number += np.int64(flags[k] & PARAGRAPH)
        out[k] = number


@kernel
def _forget(
    near: NDArray[np.int32],
    near_a: NDArray[np.int32],
    near_b: NDArray[np.int32],
    n: int,
    first: int,
) -> int:
    """Keep, in order, what ends at token `first` of b or later; how much that is."""
    kept = 0
    for k in range(n):
        if near_b[k] >= first:
            near[kept], near_a[kept], near_b[kept] = near[k], near_a[k], near_b[k]
            kept += 1
    return kept


@kernel
def _chain(
    matches: NDArray[np.int32],
    weights: NDArray[np.int64],
    paragraph_a: NDArray[np.int32],
    paragraph_b: NDArray[np.int32],
    reach: int,
    skip: int,
    indel: int,
    score: NDArray[np.int64],
    before: NDArray[np.int32],
    cut: NDArray[np.int32],
) -> None:
    """Best chain that ends in each match: its score, the match before, tokens cut by overlap."""
    n = len(matches)
    # Matches that end close enough to be followed, with the tokens after them side by side.
    near = np.empty(n, np.int32)
    near_a = np.empty(n, np.int32)
    near_b = np.empty(n, np.int32)
    n_near = 0
    for m in range(n):
        j, i, length = matches[m, 0], matches[m, 1], matches[m, 2]
        best, previous, trimmed = 0, -1, 0
        most = min(OVERLAP, length - 1)
        if m & 7 == 0:
            n_near = _forget(near, near_a, near_b, n_near, j - reach)
        for k in range(n_near):
            gap_a, gap_b = i - near_a[k], j - near_b[k]
            # Nearly all fail here: one comparison for both ends of the range.
            if np.uint64(gap_a + most) > np.uint64(reach + most):
                continue
            p = near[k]
            if gap_b > reach or gap_b < -most or matches[p, 0] >= j or matches[p, 1] >= i:
                continue
            overlap = max(0, -gap_a, -gap_b)
            gap_a += overlap
            gap_b += overlap
            total = score[p] - (weights[j + overlap] - weights[j])
            if gap_a + gap_b > 0:
                total -= OPEN + skip * min(gap_a, gap_b) + indel * abs(gap_a - gap_b)
                if (
                    paragraph_a[near_a[k] - 1] != paragraph_a[i + overlap]
                    or paragraph_b[near_b[k] - 1] != paragraph_b[j + overlap]
                ):
                    total -= BORDER
            if total > best:
                best, previous, trimmed = total, p, overlap
        score[m] = best + weights[j + length] - weights[j]
        before[m] = previous
        cut[m] = trimmed
        near[n_near] = m
        near_a[n_near] = i + length
        near_b[n_near] = j + length
        n_near += 1


@kernel
def _enter(
    matches: NDArray[np.int32],
    path: NDArray[np.int32],
    cut: NDArray[np.int32],
    partner_a: NDArray[np.int32],
    partner_b: NDArray[np.int32],
) -> None:
    """Enter the partners of a chain of matches where both tokens are free."""
    for p in range(len(path)):
        m = path[p]
        for k in range(cut[m], matches[m, 2]):
            i, j = matches[m, 1] + k, matches[m, 0] + k
            if partner_a[i] < 0 and partner_b[j] < 0:
                partner_a[i] = j
                partner_b[j] = i


@kernel
def _take_best(
    matches: NDArray[np.int32],
    weights: NDArray[np.int64],
    score: NDArray[np.int64],
    before: NDArray[np.int32],
    cut: NDArray[np.int32],
    enough: int,
    partner_a: NDArray[np.int32],
    partner_b: NDArray[np.int32],
) -> tuple[int, int]:
    """Take chains, best first; how many were taken, and how many met tokens taken before."""
    n = 0
    for m in range(len(matches)):
        n += score[m] >= enough
    if n == 0:
        return 0, 0
    ends = np.empty(n, np.int64)
    keys = np.empty(n, np.int64)
    n = 0
    for m in range(len(matches)):
        if score[m] >= enough:
            ends[n] = m
            keys[n] = -score[m]
            n += 1
    done = np.zeros(len(matches), np.bool_)
    hopeless = np.zeros(len(matches), np.bool_)
    path = np.empty(len(matches), np.int32)
    after = np.empty(len(matches), np.int64)  # what the matches behind each of the path lose
    taken, crossed = 0, 0
    for e in ascending(keys):
        m = ends[e]
        if done[m] or hopeless[m]:
            continue
        n = 0
        lost = 0
        while m >= 0 and not done[m]:
            path[n] = m
            after[n] = lost
            n += 1
            for k in range(cut[m], matches[m, 2]):
                j = matches[m, 0] + k
                if partner_b[j] >= 0 or partner_a[matches[m, 1] + k] >= 0:
                    lost += weights[j + 1] - weights[j]
            m = before[m]
        if m >= 0:
            lost += score[m]
        crossed += lost > 0
        if score[ends[e]] - lost < enough:
            # Beginnings of it that are worth as little are not walked again, or time would be quadratic.
            for k in range(n):
                if score[path[k]] - lost + after[k] < enough:
                    hopeless[path[k]] = True
            continue
        for k in range(n):
            done[path[k]] = True
        _enter(matches, path[:n], cut, partner_a, partner_b)
        taken += 1
    return taken, crossed


@kernel
def _left_over(
    matches: NDArray[np.int32], partner_a: NDArray[np.int32], partner_b: NDArray[np.int32]
) -> NDArray[np.int32]:
    """The parts of matches whose tokens are all free, by their start in b.

    There are as many as matches, give or take; the last of more than `PIECES` times as many,
    which only texts of a few words over and over have, are left.
    """
    out = np.empty((PIECES * len(matches) + 16, 3), np.int32)
    n = 0
    for m in range(len(matches)):
        j, i, length = matches[m, 0], matches[m, 1], matches[m, 2]
        k = 0
        while k < length:
            while k < length and (partner_a[i + k] >= 0 or partner_b[j + k] >= 0):
                k += 1
            first = k
            while k < length and partner_a[i + k] < 0 and partner_b[j + k] < 0:
                k += 1
            if k > first and n < len(out):
                out[n, 0] = j + first
                out[n, 1] = i + first
                out[n, 2] = k - first
                n += 1
    return by_start(out[:n], len(partner_b))


@kernel
def _take_between(
    matches: NDArray[np.int32],
    weights: NDArray[np.int64],
    paragraph_a: NDArray[np.int32],
    paragraph_b: NDArray[np.int32],
    score: NDArray[np.int64],
    before: NDArray[np.int32],
    cut: NDArray[np.int32],
    partner_a: NDArray[np.int32],
    partner_b: NDArray[np.int32],
) -> int:
    """Take what stands in both texts between the same two neighbours; how many chains."""
    n_a, n_b = len(partner_a), len(partner_b)
    inside = np.empty((len(matches), 3), np.int32)
    taken = 0
    m = 0
    j = 0
    before_a = -1  # partner of the token of b before
    while j < n_b:
        if partner_b[j] >= 0:
            before_a = partner_b[j]
            j += 1
            continue
        end_b = j
        while end_b < n_b and partner_b[end_b] < 0:
            end_b += 1
        end_a = partner_b[end_b] if end_b < n_b else n_a
        while m < len(matches) and matches[m, 0] < j:
            m += 1
        n = 0
        while m < len(matches) and matches[m, 0] < end_b:
            if matches[m, 1] > before_a and matches[m, 1] < end_a:
                inside[n, 0] = matches[m, 0]
                inside[n, 1] = matches[m, 1]
                inside[n, 2] = matches[m, 2]
                n += 1
            m += 1
        if n > 0:
            k = before_a + 1
            while k < end_a and partner_a[k] < 0:
                k += 1
            if k == end_a:
                enough = log(end_b - j) + log(end_a - before_a - 1) + NEAR_MARGIN
                _chain(
                    inside[:n],
                    weights,
                    paragraph_a,
                    paragraph_b,
                    REACH,
                    SKIP,
                    INDEL,
                    score,
                    before,
                    cut,
                )
                t, _ = _take_best(
                    inside[:n], weights, score, before, cut, enough, partner_a, partner_b
                )
                taken += t
        j = end_b
    return taken


@kernel
def align_tokens(
    a: NDArray[np.uint64],
    b: NDArray[np.uint64],
    flags_a: NDArray[np.uint8],
    flags_b: NDArray[np.uint8],
    space: Workspace,
    table: NDArray[np.uint64],
    mark: int,
    rows: NDArray[np.int64],
    came: NDArray[np.uint8],
) -> int:
    """Align b with the indexed text a: `space.partner_a` and `space.partner_b`, -1 for none.

    Returns what a chain had to score, 0 if the texts are equal.
    """
    partner_a, partner_b = space.partner_a[: len(a)], space.partner_b[: len(b)]
    for i in range(len(a)):
        partner_a[i] = -1
    for j in range(len(b)):
        partner_b[j] = -1
    if len(a) == 0 or len(b) == 0:
        return 0
    if len(a) == len(b):
        k = 0
        while k < len(a) and a[k] == b[k]:
            partner_a[k] = k
            partner_b[k] = k
            k += 1
        if k == len(a):
            return 0
        for t in range(k):
            partner_a[t] = -1
            partner_b[t] = -1
    word_slots, pair_slots, weights, in_b = (
        space.word_slots,
        space.pair_slots,
        space.weights,
        space.in_b,
    )
    paragraph_a, paragraph_b = space.paragraph_a, space.paragraph_b
    _number_paragraphs(flags_a, paragraph_a)
    _number_paragraphs(flags_b, paragraph_b)
    seeds, pairings = weigh(
        len(a), b, table, space.used, mark, space.in_a, in_b, word_slots, pair_slots, weights
    )
    found = np.empty((seeds, 3), np.int32)
    n = maximal_matches(
        a,
        b,
        space.head,
        space.in_a,
        in_b,
        space.following,
        word_slots,
        pair_slots,
        pairings,
        space.diagonals,
        found,
    )
    marked = np.empty(len(b), np.bool_)
    if repeats(space.in_a, in_b, pair_slots, len(b), marked) > 0:
        found, n = repeated_matches(a, b, marked, space.diagonals, found, n)
    for j in range(len(b)):
        if word_slots[j] >= 0:
            in_b[word_slots[j]] = 0
        if pair_slots[j] >= 0:
            in_b[pair_slots[j]] = 0
    enough = log(len(a)) + log(len(b)) + MARGIN
    matches = by_start(found[:n], len(b))
    score = np.empty(len(matches), np.int64)
    before = np.empty(len(matches), np.int32)
    cut = np.empty(len(matches), np.int32)
    for r in range(MAX_ROUNDS):
        reach, skip, indel = (
            (DENSE_REACH, DENSE_SKIP, DENSE_INDEL) if r == 0 else (REACH, SKIP, INDEL)
        )
        _chain(matches, weights, paragraph_a, paragraph_b, reach, skip, indel, score, before, cut)
        taken, crossed = _take_best(
            matches, weights, score, before, cut, enough, partner_a, partner_b
        )
        if r < 2 or taken > 0:
            fill_gaps(a, b, flags_a, flags_b, weights, partner_a, partner_b, rows, came)
        matches = _left_over(matches, partner_a, partner_b)
        if len(matches) > len(score):
            score = np.empty(len(matches), np.int64)
            before = np.empty(len(matches), np.int32)
            cut = np.empty(len(matches), np.int32)
        if r > 0 and (taken == 0 or crossed == 0):
            break
    if _take_between(
        matches, weights, paragraph_a, paragraph_b, score, before, cut, partner_a, partner_b
    ):
        fill_gaps(a, b, flags_a, flags_b, weights, partner_a, partner_b, rows, came)
    return enough
