"""Which text of one article stands in another: passages, wherever they moved.

Greedy string tiling (Wise 1993) over maximal matches seeded by shared shingles: the longest
match first, every token used once. Neighbouring tiles with a small gap on both sides become
one edited passage. Passages off the heaviest increasing subsequence have moved. Time is
linear in practice: a shingle that repeats often seeds nothing, but matches run across it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._jit import ascending, kernel
from dedupe.shingle import fill_shingles
from dedupe.tokens import QUOTED
from dedupe.verify import table_size, table_slot

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "BODY",
    "BOILERPLATE",
    "EDITED",
    "QUOTATION",
    "REWRITTEN",
    "VERBATIM",
    "Alignment",
    "align_pairs",
]

VERBATIM, EDITED, REWRITTEN = 0, 1, 2
BODY, QUOTATION, BOILERPLATE = 0, 1, 2

MAX_GAP = 12
"""Tokens between two tiles, on either side, that one edited passage may bridge: about a clause."""

MAX_OCCURRENCES = 16
"""A shingle that an article has more often seeds no match: tables and refrains."""

READABLE = 0.4
"""Below this share of equal words an edited passage is unreadable as a diff: "rewritten"."""

# Columns of the passage rows.
PAIR, A_START, A_END, B_START, B_END, MATCHED, KIND, MOVED, ROLE = range(9)
N_COLUMNS = 9

# Columns of the totals of a pair.
TOTAL, NET, LEFT_OUT_A, LEFT_OUT_B = range(4)
N_TOTALS = 4


class Alignment(NamedTuple):
    """Passages and totals of aligned pairs.

    Attributes:
        passages: int64 (n_passages, 9): row of the pair; first token and token after the last
            in a, the same in b; equal tokens; kind; moved (0 or 1); role. Ordered by pair,
            then by place in b.
        totals: int64 (n_pairs, 4): equal tokens; those that are neither quotation nor
            boilerplate; those left out of that for another reason than standing in a quotation
            in a; the same for b. (What stands in quotations is known without an alignment.)
    """

    passages: NDArray[np.int64]
    totals: NDArray[np.int64]


@kernel
def _matches(
    a: NDArray[np.uint64],
    b: NDArray[np.uint64],
    w: int,
    n_a: int,
    table: NDArray[np.uint64],
    used: NDArray[np.int64],
    mark: int,
    head: NDArray[np.int64],
    occurrences: NDArray[np.int64],
    following: NDArray[np.int64],
    shingles_b: NDArray[np.uint64],
    n_b: int,
    out: NDArray[np.int64],
) -> int:
    """Maximal matches (length, start in a, start in b) of the shared shingles into out."""
    diagonal_end = np.zeros(len(a) + len(b) + 1, np.int64)
    n = 0
    for j in range(n_b):
        slot = table_slot(table, used, shingles_b[j], mark)
        if used[slot] != mark:
            continue
        edge = j in (0, n_b - 1)
        if occurrences[slot] > MAX_OCCURRENCES and not edge:
            continue
        i = head[slot]
        while i >= 0:
            # Of a frequent shingle only a common beginning or end is taken.
            paired = occurrences[slot] <= MAX_OCCURRENCES or (
                (j == 0 and i == 0) or (j == n_b - 1 and i == n_a - 1)
            )
            diagonal = i - j + len(b)
            if paired and diagonal_end[diagonal] <= j and n < len(out):
                first = j
                low = diagonal_end[diagonal]
                while first > low and first - j + i > 0 and a[first - 1 - j + i] == b[first - 1]:
                    first -= 1
                last = j
                while last < len(b) and last - j + i < len(a) and a[last - j + i] == b[last]:
                    last += 1
                diagonal_end[diagonal] = last
                if last - first >= w:
                    out[n, 0] = last - first
                    out[n, 1] = first - j + i
                    out[n, 2] = first
                    n += 1
            i = following[i]
    return n


@kernel
def _tile(
    matches: NDArray[np.int64],
    w: int,
    taken_a: NDArray[np.bool_],
    taken_b: NDArray[np.bool_],
    out: NDArray[np.int64],
) -> int:
    """Longest matches first, each token once: tiles (start in b, start in a, length) into out."""
    n = 0
    for m in ascending(-matches[:, 0]):
        length, i, j = matches[m, 0], matches[m, 1], matches[m, 2]
        k = 0
        while k < length:
            while k < length and (taken_a[i + k] or taken_b[j + k]):
                k += 1
            first = k
            while k < length and not taken_a[i + k] and not taken_b[j + k]:
                k += 1
            if k - first >= w:
                for t in range(first, k):
                    taken_a[i + t] = True
                    taken_b[j + t] = True
                out[n, 0] = j + first
                out[n, 1] = i + first
                out[n, 2] = k - first
                n += 1
    return n


@kernel
def _common(a: NDArray[np.uint64], b: NDArray[np.uint64], row: NDArray[np.int64]) -> int:
    """Length of the longest common subsequence of two short token runs."""
    for j in range(len(b) + 1):
        row[j] = 0
    for i in range(len(a)):
        diagonal = 0
        for j in range(len(b)):
            above = row[j + 1]
            if a[i] == b[j]:
                row[j + 1] = diagonal + 1
            else:
                row[j + 1] = max(above, row[j])
            diagonal = above
    return row[len(b)]


@kernel
def _moved(passages: NDArray[np.int64]) -> None:
    """Mark passages off the heaviest subsequence that is in order on both sides."""
    n = len(passages)
    rank = np.empty(n, np.int64)
    for place, p in enumerate(ascending(passages[:, A_START].copy())):
        rank[p] = place
    # Fenwick tree over rank in a: the best chain that ends at or before a rank.
    weight = np.zeros(n + 1, np.int64)
    ending = np.full(n + 1, -1, np.int64)
    before = np.full(n, -1, np.int64)
    best_weight, best = 0, -1
    for p in range(n):
        total, previous = 0, -1
        k = rank[p]
        while k > 0:
            if weight[k] > total:
                total, previous = weight[k], ending[k]
            k -= k & -k
        total += passages[p, MATCHED]
        before[p] = previous
        k = rank[p] + 1
        while k <= n:
            if weight[k] < total:
                weight[k], ending[k] = total, p
            k += k & -k
        if total > best_weight:
            best_weight, best = total, p
    for p in range(n):
        passages[p, MOVED] = 1
    while best >= 0:
        passages[best, MOVED] = 0
        best = before[best]


@kernel
def _is_boilerplate(
    shingles: NDArray[np.uint64], limit: np.uint64, boilerplate: NDArray[np.uint64]
) -> bool:
    """Whether most sketched shingles of a tile are known boilerplate."""
    sketched = 0
    known = 0
    for k in range(len(shingles)):
        if shingles[k] <= limit:
            sketched += 1
            at = np.searchsorted(boilerplate, shingles[k])
            if at < len(boilerplate) and boilerplate[at] == shingles[k]:
                known += 1
    return sketched > 0 and 2 * known >= sketched


@kernel
def _free(taken: NDArray[np.bool_], first: int, last: int) -> bool:
    for k in range(first, last):  # noqa: SIM110 -- numba compiles a loop, not a generator
        if taken[k]:
            return False
    return True


@kernel
def _passages_of(
    pair: int,
    a: NDArray[np.uint64],
    b: NDArray[np.uint64],
    flags_a: NDArray[np.uint8],
    flags_b: NDArray[np.uint8],
    tiles: NDArray[np.int64],
    taken_a: NDArray[np.bool_],
    taken_b: NDArray[np.bool_],
    w: int,
    shingles_b: NDArray[np.uint64],
    limit: np.uint64,
    boilerplate: NDArray[np.uint64],
    out: NDArray[np.int64],
    totals: NDArray[np.int64],
) -> int:
    """Join tiles, ordered by place in b, to passages with kind and role; their number."""
    row = np.zeros(MAX_GAP + 2, np.int64)
    n = 0
    quoted = 0
    furniture = 0
    for t in range(len(tiles)):
        j, i, length = tiles[t, 0], tiles[t, 1], tiles[t, 2]
        joined = False
        if n > 0:
            end_a, end_b = out[n - 1, A_END], out[n - 1, B_END]
            gap_a, gap_b = i - end_a, j - end_b
            if 0 <= gap_a <= MAX_GAP and gap_b <= MAX_GAP:
                joined = _free(taken_a, end_a, i) and _free(taken_b, end_b, j)
        if joined:
            out[n - 1, MATCHED] += length + _common(a[end_a:i], b[end_b:j], row)
        else:
            if n > 0:
                _finish(out[n - 1], quoted, furniture, totals)
            out[n, PAIR] = pair
            out[n, A_START] = i
            out[n, B_START] = j
            out[n, MATCHED] = length
            quoted = 0
            furniture = 0
            n += 1
        out[n - 1, A_END] = i + length
        out[n - 1, B_END] = j + length
        known = _is_boilerplate(shingles_b[j : j + length - w + 1], limit, boilerplate)
        if known:
            furniture += length
        for k in range(length):
            in_a, in_b = flags_a[i + k] & QUOTED != 0, flags_b[j + k] & QUOTED != 0
            if not known and (in_a or in_b):
                quoted += 1
            if known or in_a or in_b:
                totals[LEFT_OUT_A] += not in_a
                totals[LEFT_OUT_B] += not in_b
    if n > 0:
        _finish(out[n - 1], quoted, furniture, totals)
        _moved(out[:n])
    return n


@kernel
def _finish(
    passage: NDArray[np.int64], quoted: int, furniture: int, totals: NDArray[np.int64]
) -> None:
    """Decide kind and role of a passage and add it to the pair's totals."""
    matched = passage[MATCHED]
    longer = max(passage[A_END] - passage[A_START], passage[B_END] - passage[B_START])
    if matched == longer:
        passage[KIND] = VERBATIM
    elif matched >= READABLE * longer:
        passage[KIND] = EDITED
    else:
        passage[KIND] = REWRITTEN
    if 2 * furniture > matched:
        passage[ROLE] = BOILERPLATE
    elif 2 * quoted > matched:
        passage[ROLE] = QUOTATION
    else:
        passage[ROLE] = BODY
    totals[TOTAL] += matched
    totals[NET] += matched - quoted - furniture


@kernel
def _align(
    pairs: NDArray[np.int64],
    first: int,
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    flags: NDArray[np.uint8],
    w: int,
    limit: np.uint64,
    boilerplate: NDArray[np.uint64],
    passages: NDArray[np.int64],
    totals: NDArray[np.int64],
) -> tuple[int, int]:
    """Align pairs from `first` on; (passages written, first pair that did not fit)."""
    longest = 1
    for p in range(first, len(pairs)):
        for side in range(2):
            longest = max(longest, spans[pairs[p, side], 1] - spans[pairs[p, side], 0])
    size = table_size(longest)
    keys = np.zeros(size, np.uint64)
    used = np.full(size, -1, np.int64)
    head = np.zeros(size, np.int64)
    occurrences = np.zeros(size, np.int64)
    following = np.empty(longest, np.int64)
    shingles = np.empty(longest, np.uint64)
    matches = np.empty((4 * longest + 64, 3), np.int64)
    tiles = np.empty((longest // w + 1, 3), np.int64)
    current = -1
    mark = -1
    n_a = 0
    table = keys
    written = 0
    for p in range(first, len(pairs)):
        x, y = pairs[p, 0], pairs[p, 1]
        a = hashes[spans[x, 0] : spans[x, 1]]
        b = hashes[spans[y, 0] : spans[y, 1]]
        if written + len(b) // w + 1 > len(passages):
            return written, p
        if x != current:
            current, mark = x, p
            n_a = fill_shingles(a, w, shingles)
            table = keys[: table_size(n_a)]
            for i in range(n_a - 1, -1, -1):
                slot = table_slot(table, used, shingles[i], mark)
                if used[slot] != mark:
                    used[slot] = mark
                    table[slot] = shingles[i]
                    head[slot] = -1
                    occurrences[slot] = 0
                following[i] = head[slot]
                head[slot] = i
                occurrences[slot] += 1
        n_b = fill_shingles(b, w, shingles)
        n = _matches(
            a, b, w, n_a, table, used, mark, head, occurrences, following, shingles, n_b, matches
        )
        taken_a = np.zeros(len(a), np.bool_)
        taken_b = np.zeros(len(b), np.bool_)
        n = _tile(matches[:n], w, taken_a, taken_b, tiles)
        ordered = tiles[ascending(tiles[:n, 0].copy())]
        written += _passages_of(
            p,
            a,
            b,
            flags[spans[x, 0] : spans[x, 1]],
            flags[spans[y, 0] : spans[y, 1]],
            ordered,
            taken_a,
            taken_b,
            w,
            shingles,
            limit,
            boilerplate,
            passages[written:],
            totals[p],
        )
    return written, len(pairs)


def align_pairs(
    pairs: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    flags: NDArray[np.uint8],
    w: int,
    limit: np.uint64,
    boilerplate: NDArray[np.uint64],
) -> Alignment:
    """Align the articles of some pairs.

    Args:
        pairs: int64 (n_pairs, 2), sorted by their first article (for speed).
        spans: int64 (n_articles, 2), first token and token after the last of each article.
        hashes, flags: the token arrays of `dedupe.tokens.Tokens`.
        w: words per shingle; shorter matches are no passage.
        limit, boilerplate: the sketch's limit and its known boilerplate hashes, ascending.
    """
    totals = np.zeros((len(pairs), N_TOTALS), np.int64)
    lengths = spans[:, 1] - spans[:, 0]
    room = (1 << 14) + int(lengths[pairs].max(initial=0)) // w + 1
    buffer = np.empty((room, N_COLUMNS), np.int64)
    found = []
    at = 0
    while at < len(pairs):
        used, at = _align(pairs, at, spans, hashes, flags, w, limit, boilerplate, buffer, totals)
        found.append(buffer[:used].copy())
    passages = np.concatenate(found) if found else np.empty((0, N_COLUMNS), np.int64)
    return Alignment(passages, totals)
