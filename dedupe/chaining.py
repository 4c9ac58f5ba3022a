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

from dedupe._bits import overlapping32, trailing_zeros
from dedupe._jit import ascending, in_plain_python, kernel, leaf
from dedupe.gaps import BLOCK_BITS, fill_gaps, last_paired, next_paired
from dedupe.seeds import (
    HELD_A,
    HELD_B,
    IN_B,
    PARAGRAPH_A,
    PARAGRAPH_B,
    PARTNER_A,
    PARTNER_B,
    REPEAT,
    STARTS,
    WEIGHTS,
    WORDS_A,
    WORDS_B,
    by_start,
    log,
    maximal_matches,
    repeated_matches,
    repeats,
    weigh,
)
from dedupe.tokens import PARAGRAPH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.seeds import Workspace

__all__ = ["align_tokens", "forget_partners", "number_paragraphs"]

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

LOWEST = NEAR_MARGIN + 2 * 109
"""What a chain must score wherever it is taken: it has three words, or they would not weigh as much
as the margin, and so has the place in both texts, whose logarithms (`log(3)` is 109) are added."""

PIECES = 2
"""Parts of matches looked at again, for each match."""

MAX_ROUNDS = 4
"""Times what is left is chained again."""

SHORT = 4
"""Tokens of a match that can be left out as unpromising."""

MANY_NEAR, MANY_LOOKED_AT = 4, 32
"""Neighbours of a match, on average, from which on nearly all are promising, or all repeat; and
steps taken for each to find them."""

DRIFT = REACH + OVERLAP
"""Diagonals from one match of a chain to the next at most: the one may lie as far ahead as a chain
reaches in one text, and overlap in the other."""

UNBOUNDED = 1 << 30
"""Of a match that nothing is known to lead to, or whose chains may score anything."""

CELL_BITS = 6
"""Matches are looked for by 64 tokens of a: no chain reaches beyond a cell and the next."""


@kernel
def number_paragraphs(flags: NDArray[np.uint8], out: NDArray[np.int32]) -> None:
    """The number of each token's paragraph."""
    number = 0
    for k in range(len(flags)):
        number += np.int64(flags[k] & PARAGRAPH)
        out[k] = number


# Rows of what is looked at of matches: diagonal, start and end in b, weight; what chains that end
# there may score, what they pay at least to get there, and the match's set.
DIAGONAL, START, END, WEIGHT, MOST, PRICE, PARENT = range(7)


@leaf
def _unite(parent: NDArray[np.int32], p: int, s: int) -> None:
    """Join the sets of two matches; the lowest number stands for a set."""
    while parent[p] != p:
        p = int(parent[p])
    while parent[s] != s:
        s = int(parent[s])
    parent[max(p, s)] = min(p, s)


@leaf
def _join_crossing(near: NDArray[np.int32], p: int) -> int:
    """Join match p with later ones that start within it, and pieces of which may lead to one of it.

    What chains that end in such matches may score is not known yet. Returns how many there are.
    In a long match `_join_near` finds them anyway.
    """
    start, diagonal = near[START], near[DIAGONAL]
    end = int(near[END, p])
    n = 0
    s = p + 1
    while start[s] < end - 1:
        ahead = int(diagonal[s]) - int(diagonal[p])
        if abs(ahead) <= DRIFT and start[s] + ahead < end - 1:
            for m in (p, s):
                near[PRICE, m] = 0
                near[MOST, m] = UNBOUNDED
            _unite(near[PARENT], p, s)
            n += 1
        s += 1
    return n


@leaf
def _join_near(
    near: NDArray[np.int32],
    n: int,
    paragraph_a: NDArray[np.int32],
    paragraph_b: NDArray[np.int32],
) -> bool:
    """Join matches of which one may follow the other in a chain.

    A step costs so much for each diagonal that few chains get far: the lighter those that end in a
    match can be, the nearer it is looked for matches to follow it. What holds for matches holds for
    pieces of them, which are further apart. False if too many are near each other for this to be
    worth it.
    """
    # Whether matches are near cannot be foretold: no branches, and many at a time. The rows looked
    # at so are not written to here, or each look would wait for the last write.
    diagonal, start = near[DIAGONAL], near[START]
    most, price = near[MOST], near[PRICE]
    edges, looked_at = 0, 0
    for p in range(n):
        at_p, start_p, end = int(diagonal[p]), int(start[p]), int(near[END, p])
        if 1 < end - start_p <= SHORT:
            edges += _join_crossing(near, p)
        worth = int(most[p])
        drift = min(DRIFT, (worth - OPEN) // INDEL)
        until = end + min(REACH, (worth - OPEN) // SKIP)
        first = p + 1
        while start[first] <= until:
            hits = overlapping32(diagonal, diagonal, first, at_p - drift, at_p + drift)
            hits &= overlapping32(start, start, first, start_p, until)
            while hits != np.uint64(0):
                s = first + trailing_zeros(hits)
                hits &= hits - np.uint64(1)
                j, last = int(start[s]), int(near[END, s]) - 1
                ahead = int(diagonal[s]) - at_p
                gap_a, gap_b = j + ahead - end, j - end
                cost = OPEN + INDEL * abs(ahead) + SKIP * max(int(ahead == 0), min(gap_a, gap_b))
                # Branches are dear: so no "or".
                cost += BORDER * (
                    int(paragraph_a[at_p + end - 1] < paragraph_a[at_p + ahead + j])
                    | int(paragraph_b[end - 1] < paragraph_b[j])
                )
                follows = (start_p < last) & (start_p < last + ahead) & (gap_a <= REACH)
                leads = (j < end - 1) & (j + ahead < end - 1)  # within a long match
                if (follows & (cost < worth)) | leads:
                    price[s] = min(int(price[s]), cost)
                    scored = int(near[WEIGHT, s]) + worth - cost
                    most[s] = min(UNBOUNDED, max(int(most[s]), scored))
                    _unite(near[PARENT], p, s)
                    edges += 1
            first += 32
            looked_at += 1
        if edges > MANY_NEAR * n or looked_at > MANY_LOOKED_AT * n:
            return False
    return True


@kernel
def _promising(
    matches: NDArray[np.int32],
    weights: NDArray[np.int64],
    paragraph_a: NDArray[np.int32],
    paragraph_b: NDArray[np.int32],
) -> NDArray[np.int32]:
    """The matches without those of which no chain can come.

    Most are words that both texts happen to have. A chain stays among matches that are joined
    by steps that it may take, it gets to each but the first by a gap after another one, and so
    scores no more than all of them weigh without what these gaps cost at least. That holds for
    pieces of matches, too: they are no heavier in all, and further apart. Long matches are kept
    with all that is near, so that those left out have two pieces each at most; see `_left_over`.
    """
    n = len(matches)
    near = np.empty((7, n + 32), np.int32)
    for m in range(n):
        j, i, length = int(matches[m, 0]), int(matches[m, 1]), int(matches[m, 2])
        weight = int(weights[j + length] - weights[j])
        near[DIAGONAL, m] = i - j
        near[START, m] = j
        near[END, m] = j + length
        near[WEIGHT, m] = weight
        near[MOST, m] = UNBOUNDED if length > SHORT else weight
        near[PRICE, m] = UNBOUNDED
        near[PARENT, m] = m
    for m in range(n, n + 32):
        near[START, m] = UNBOUNDED
        near[DIAGONAL, m] = 0
    if not _join_near(near, n, paragraph_a, paragraph_b):
        return matches
    most = np.empty(n, np.int64)
    begun = np.empty(n, np.int64)
    for m in range(n):
        most[m] = 0
        begun[m] = 0
    for m in range(n):
        root = int(near[PARENT, near[PARENT, m]])  # parents come before their children
        near[PARENT, m] = root
        weight, price = int(near[WEIGHT, m]), int(near[PRICE, m])
        firm = near[END, m] - near[START, m] > SHORT
        most[root] += LOWEST if firm else max(0, weight - price)
        begun[root] = max(begun[root], min(weight, price))
    kept = 0
    out = np.empty((n, 3), np.int32)
    for m in range(n):
        root = int(near[PARENT, m])
        for k in range(3):
            out[kept, k] = matches[m, k]
        kept += int(most[root] + begun[root] >= LOWEST)
    return out[:kept]


@in_plain_python(_promising)
def _all_matches(matches: NDArray[np.int32], *_: object) -> NDArray[np.int32]:
    """What is left out only saves time, and in plain Python costs more than it saves."""
    return matches


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
    cells: NDArray[np.int32],
) -> None:
    """Best chain that ends in each match: its score, the match before, tokens cut by overlap.

    Matches are found by the token of a after them, a cell of 64 tokens at a time, the last one
    first, until they end too far before in b to be followed. `cells` is -1, and left so.
    """
    n = len(matches)
    link = np.empty(n, np.int32)
    for m in range(n):
        j, i, length = int(matches[m, 0]), int(matches[m, 1]), int(matches[m, 2])
        best, previous, trimmed = 0, -1, 0
        most = min(OVERLAP, length - 1)
        for cell in range(max(0, i - reach) >> CELL_BITS, ((i + most) >> CELL_BITS) + 1):
            kept = -1
            following = int(cells[cell])
            while following >= 0:
                p = following
                following = int(link[p])
                end_a = int(matches[p, 1]) + int(matches[p, 2])
                end_b = int(matches[p, 0]) + int(matches[p, 2])
                gap_a, gap_b = i - end_a, j - end_b
                if gap_b > reach:  # and so from all matches to come
                    if kept < 0:
                        cells[cell] = following
                    else:
                        link[kept] = following
                    continue
                kept = p
                if gap_a > reach or gap_a < -most or gap_b < -most:
                    continue
                if matches[p, 0] >= j or matches[p, 1] >= i:
                    continue
                overlap = max(0, -gap_a, -gap_b)
                gap_a += overlap
                gap_b += overlap
                total = score[p] - (weights[j + overlap] - weights[j])
                if gap_a + gap_b > 0:
                    total -= OPEN + skip * min(gap_a, gap_b) + indel * abs(gap_a - gap_b)
                    if (
                        paragraph_a[end_a - 1] != paragraph_a[i + overlap]
                        or paragraph_b[end_b - 1] != paragraph_b[j + overlap]
                    ):
                        total -= BORDER
                # Of equally good ones the first is followed.
                if total > best or (total == best and p < previous):
                    best, previous, trimmed = total, p, overlap
        score[m] = best + weights[j + length] - weights[j]
        before[m] = previous
        cut[m] = trimmed
        link[m] = cells[(i + length) >> CELL_BITS]
        cells[(i + length) >> CELL_BITS] = m
    for m in range(n):
        cells[(int(matches[m, 1]) + int(matches[m, 2])) >> CELL_BITS] = -1


@kernel
def _enter(
    matches: NDArray[np.int32],
    path: NDArray[np.int32],
    cut: NDArray[np.int32],
    partner_a: NDArray[np.int32],
    partner_b: NDArray[np.int32],
    held_a: NDArray[np.bool_],
    held_b: NDArray[np.bool_],
    free: bool,
) -> None:
    """Enter the partners of a chain of matches where both tokens are free, as all of them may be."""
    for p in range(len(path)):
        m = path[p]
        if free:
            n = int(matches[m, 2] - cut[m])
            j, i = int(matches[m, 0] + cut[m]), int(matches[m, 1] + cut[m])
            of_a, of_b = partner_a[i : i + n], partner_b[j : j + n]
            for k in range(n):
                of_a[k] = j + k
                of_b[k] = i + k
            held_a[i >> BLOCK_BITS : ((i + n - 1) >> BLOCK_BITS) + 1] = True
            held_b[j >> BLOCK_BITS : ((j + n - 1) >> BLOCK_BITS) + 1] = True
            continue
        for k in range(cut[m], matches[m, 2]):
            i, j = matches[m, 1] + k, matches[m, 0] + k
            if partner_a[i] < 0 and partner_b[j] < 0:
                partner_a[i] = j
                partner_b[j] = i
                held_a[i >> BLOCK_BITS] = True
                held_b[j >> BLOCK_BITS] = True


@leaf
def _any_held(held: NDArray[np.bool_], first: int, end: int) -> bool:
    """Whether any of the blocks that these tokens are in may have one with a partner."""
    for block in range(first >> BLOCK_BITS, ((end - 1) >> BLOCK_BITS) + 1):  # noqa: SIM110
        if held[block]:
            return True
    return False


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
    held_a: NDArray[np.bool_],
    held_b: NDArray[np.bool_],
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
    done = np.empty(len(matches), np.bool_)
    hopeless = np.empty(len(matches), np.bool_)
    for m in range(len(matches)):
        done[m] = False
        hopeless[m] = False
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
            j, i, length = int(matches[m, 0]), int(matches[m, 1]), int(matches[m, 2])
            if _any_held(held_b, j, j + length) or _any_held(held_a, i, i + length):
                for k in range(cut[m], length):
                    if partner_b[j + k] >= 0 or partner_a[i + k] >= 0:
                        lost += weights[j + k + 1] - weights[j + k]
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
        _enter(matches, path[:n], cut, partner_a, partner_b, held_a, held_b, lost == 0)
        taken += 1
    return taken, crossed


@kernel
def _left_over(
    matches: NDArray[np.int32], partner_a: NDArray[np.int32], partner_b: NDArray[np.int32]
) -> tuple[NDArray[np.int32], bool]:
    """The parts of matches whose tokens are all free, by their start in b, and: these are all.

    There are as many as matches, give or take; the last of more than `PIECES` times as many,
    which only texts of a few words over and over have, are left.
    """
    out = np.empty((PIECES * len(matches) + 16, 3), np.int32)
    n = 0
    for m in range(len(matches)):
        j, i, length = int(matches[m, 0]), int(matches[m, 1]), int(matches[m, 2])
        k = 0
        while k < length:
            while k < length and (partner_a[i + k] >= 0 or partner_b[j + k] >= 0):
                k += 1
            first = k
            while k < length and partner_a[i + k] < 0 and partner_b[j + k] < 0:
                k += 1
            if k > first:
                if n == len(out):
                    return by_start(out, len(partner_b)), False
                out[n, 0] = j + first
                out[n, 1] = i + first
                out[n, 2] = k - first
                n += 1
    return by_start(out[:n], len(partner_b)), True


@kernel
def _take_between(
    matches: NDArray[np.int32],
    weights: NDArray[np.int64],
    paragraph_a: NDArray[np.int32],
    paragraph_b: NDArray[np.int32],
    score: NDArray[np.int64],
    before: NDArray[np.int32],
    cut: NDArray[np.int32],
    cells: NDArray[np.int32],
    partner_a: NDArray[np.int32],
    partner_b: NDArray[np.int32],
    held_a: NDArray[np.bool_],
    held_b: NDArray[np.bool_],
) -> int:
    """Take what stands in both texts between the same two neighbours; how many chains."""
    n_a, n_b = len(partner_a), len(partner_b)
    inside = np.empty((len(matches), 3), np.int32)
    taken = 0
    m = 0
    while m < len(matches):
        # Tokens of matches are free: so they stand between two that are paired.
        before_b = last_paired(partner_b, held_b, int(matches[m, 0]))
        before_a = int(partner_b[before_b]) if before_b >= 0 else -1
        end_b = next_paired(partner_b, held_b, int(matches[m, 0]), n_b)
        end_a = int(partner_b[end_b]) if end_b < n_b else n_a
        n = 0
        while m < len(matches) and matches[m, 0] < end_b:
            if matches[m, 1] > before_a and matches[m, 1] < end_a:
                inside[n, 0] = matches[m, 0]
                inside[n, 1] = matches[m, 1]
                inside[n, 2] = matches[m, 2]
                n += 1
            m += 1
        if n == 0 or next_paired(partner_a, held_a, before_a + 1, end_a) < end_a:
            continue
        enough = log(end_b - before_b - 1) + log(end_a - before_a - 1) + NEAR_MARGIN
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
            cells,
        )
        t, _ = _take_best(
            inside[:n],
            weights,
            score,
            before,
            cut,
            enough,
            partner_a,
            partner_b,
            held_a,
            held_b,
        )
        taken += t
    return taken


@kernel
def forget_partners(n_a: int, n_b: int, space: Workspace) -> None:
    """Free all tokens of a text of so many tokens and of the text b aligned with it."""
    # All of them at once, in vectors: sooner done than looking for those that have partners.
    space.tokens[PARTNER_A, :n_a] = -1
    space.tokens[PARTNER_B, :n_b] = -1
    space.held[HELD_A, : (n_a >> BLOCK_BITS) + 1] = False
    space.held[HELD_B, : (n_b >> BLOCK_BITS) + 1] = False


@kernel
def align_tokens(
    a: NDArray[np.uint64],
    b: NDArray[np.uint64],
    flags_a: NDArray[np.uint8],
    flags_b: NDArray[np.uint8],
    space: Workspace,
    rows: NDArray[np.int64],
    came: NDArray[np.uint8],
) -> int:
    """Align b with the indexed text a, whose paragraphs are numbered: the rows `PARTNER_A` and `PARTNER_B`, -1 for none.

    They are to be forgotten before the next text. Returns what a chain had to score, 0 if the
    texts are equal.
    """
    n_a, n_b = len(a), len(b)
    if n_a == 0 or n_b == 0:
        return 0
    if n_a == n_b:
        k = 0
        while k < n_a and a[k] == b[k]:
            k += 1
        if k == n_a:
            for k in range(n_a):
                space.tokens[PARTNER_A, k] = k
                space.tokens[PARTNER_B, k] = k
                space.held[HELD_A, k >> BLOCK_BITS] = True
                space.held[HELD_B, k >> BLOCK_BITS] = True
            return 0
    seeds, _, frequent = weigh(a, b, space)
    found = np.empty((seeds, 3), np.int32)
    n = maximal_matches(n_a, n_b, space, found)
    matches = by_start(found[:n], n_b)
    if frequent >= REPEAT:
        marked = np.empty(n_b, np.bool_)
        repeats(space.tokens[STARTS], n_b, marked)
        matches = repeated_matches(a, b, marked, space, found, n)
    weights = space.weights[WEIGHTS]
    paragraph_a, paragraph_b = space.tokens[PARAGRAPH_A], space.tokens[PARAGRAPH_B]
    number_paragraphs(flags_b, paragraph_b)
    promising = _promising(matches, weights, paragraph_a, paragraph_b)
    enough = log(n_a) + log(n_b) + MARGIN
    if len(promising) == 0:
        return enough
    words_a, words_b, seen = space.tokens[WORDS_A], space.tokens[WORDS_B], space.tokens[IN_B]
    partner_a, partner_b = space.tokens[PARTNER_A, :n_a], space.tokens[PARTNER_B, :n_b]
    held_a, held_b = space.held[HELD_A], space.held[HELD_B]
    left = promising
    while True:
        score = np.empty(len(left), np.int64)
        before = np.empty(len(left), np.int32)
        cut = np.empty(len(left), np.int32)
        whole = True
        filled = 0
        for r in range(MAX_ROUNDS):
            reach, skip, indel = (
                (DENSE_REACH, DENSE_SKIP, DENSE_INDEL) if r == 0 else (REACH, SKIP, INDEL)
            )
            _chain(
                left,
                weights,
                paragraph_a,
                paragraph_b,
                reach,
                skip,
                indel,
                score,
                before,
                cut,
                space.cells,
            )
            taken, crossed = _take_best(
                left,
                weights,
                score,
                before,
                cut,
                enough,
                partner_a,
                partner_b,
                held_a,
                held_b,
            )
            # Where nothing has been paired since gaps were filled there is nothing to fill.
            if taken > 0 or (r < 2 and filled > 0):
                filled = fill_gaps(
                    words_a,
                    words_b,
                    flags_a,
                    flags_b,
                    weights,
                    partner_a,
                    partner_b,
                    held_a,
                    held_b,
                    seen,
                    rows,
                    came,
                )
            left, all_of_them = _left_over(left, partner_a, partner_b)
            whole &= all_of_them
            if len(left) > len(score):
                score = np.empty(len(left), np.int64)
                before = np.empty(len(left), np.int32)
                cut = np.empty(len(left), np.int32)
            if r > 0 and (taken == 0 or crossed == 0):
                break
        if _take_between(
            left,
            weights,
            paragraph_a,
            paragraph_b,
            score,
            before,
            cut,
            space.cells,
            partner_a,
            partner_b,
            held_a,
            held_b,
        ):
            fill_gaps(
                words_a,
                words_b,
                flags_a,
                flags_b,
                weights,
                partner_a,
                partner_b,
                held_a,
                held_b,
                seen,
                rows,
                came,
            )
        # How many pieces are looked at depends on how many matches there are.
        if whole or len(promising) == len(matches):
            return enough
        forget_partners(n_a, n_b, space)
        promising = matches
        left = matches
