"""What two texts have in common: maximal matches seeded by rare words and word pairs.

A word or word pair seeds matches if it stands in few places of both texts. In tables, lists
and refrains, where every pair is frequent, the shortest run of 4, 8, 16... tokens that is
rare does. So there are about as many matches as tokens, in any text.

Words weigh their self-information, in hundredths of a nat: -log of their share of both texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._jit import ascending, kernel
from dedupe.hashtable import table_size, table_slot
from dedupe.shingle import BASE, fill_shingles, fmix64

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Workspace",
    "by_start",
    "index_tokens",
    "log",
    "maximal_matches",
    "repeated_matches",
    "repeats",
    "weigh",
    "workspace",
]

MAX_PAIRINGS = 16
"""Places in both texts together, multiplied, at which a word or word pair still seeds matches."""

FEW_PAIRINGS, SEEDS = 4, 2
"""The same for a word where that would give more seeds than this for each token; then 1."""

REPEAT = 3
"""Word pairs in a row that are too frequent to seed: from there on longer runs are looked for."""

MOST = 450
"""The most that a word may weigh: rare words come in names, and names come together by themselves."""

LEAST = 10
"""The least that a word weighs, so that a text of one word over and over is something, too."""

_LOG = (100 * np.log(np.maximum(np.arange(1 << 12), 1))).astype(np.int64)


class Workspace(NamedTuple):
    """Arrays that one thread uses for one pair after another; see `workspace`."""

    keys: NDArray[np.uint64]
    used: NDArray[np.int64]
    head: NDArray[np.int32]
    in_a: NDArray[np.int32]
    in_b: NDArray[np.int32]
    following: NDArray[np.int32]
    word_slots: NDArray[np.int32]
    pair_slots: NDArray[np.int32]
    weights: NDArray[np.int64]
    diagonals: NDArray[np.int32]
    partner_a: NDArray[np.int32]
    partner_b: NDArray[np.int32]
    paragraph_a: NDArray[np.int32]
    paragraph_b: NDArray[np.int32]


@kernel
def workspace(longest: int) -> Workspace:
    """Room for texts of up to so many tokens."""
    size = table_size(2 * longest)
    return Workspace(
        np.zeros(size, np.uint64),
        np.full(size, -1, np.int64),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(2 * longest + 1, np.int32),
        np.zeros(longest + 1, np.int32),
        np.zeros(longest + 1, np.int32),
        np.zeros(longest + 1, np.int64),
        np.zeros(2 * longest + 2, np.int32),
        np.zeros(longest + 1, np.int32),
        np.zeros(longest + 1, np.int32),
        np.zeros(longest + 1, np.int32),
        np.zeros(longest + 1, np.int32),
    )


@kernel
def log(x: int) -> int:
    """Hundredths of the natural logarithm, of a number of at least 1."""
    value = 0
    while x >= len(_LOG):
        x >>= 1
        value += 69
    return value + _LOG[x]


@kernel
def index_tokens(a: NDArray[np.uint64], space: Workspace, mark: int) -> NDArray[np.uint64]:
    """Enter the words and word pairs of a text; the table that holds them.

    `mark` is greater than for every text before.
    """
    n = len(a)
    table = space.keys[: table_size(2 * n)]
    used, head, in_a, in_b, following = (
        space.used,
        space.head,
        space.in_a,
        space.in_b,
        space.following,
    )
    for node in range(2 * n - 1, -1, -1):
        if node < n:
            key = a[node]
        elif node < 2 * n - 1:
            key = fmix64(a[node - n] * BASE + a[node - n + 1])
        else:
            continue
        slot = table_slot(table, used, key, mark)
        if used[slot] != mark:
            used[slot] = mark
            table[slot] = key
            head[slot] = -1
            in_a[slot] = 0
            in_b[slot] = 0
        following[node] = head[slot]
        head[slot] = node
        in_a[slot] += 1
    return table


@kernel
def weigh(
    n_a: int,
    b: NDArray[np.uint64],
    table: NDArray[np.uint64],
    used: NDArray[np.int64],
    mark: int,
    in_a: NDArray[np.int32],
    in_b: NDArray[np.int32],
    word_slots: NDArray[np.int32],
    pair_slots: NDArray[np.int32],
    weights: NDArray[np.int64],
) -> tuple[int, int]:
    """Count b's words in the table and sum up their weights; how many seeds there are.

    Also returned is the number of pairings up to which a word seeds: fewer in long texts,
    where most words that are in both mean nothing.
    """
    n = len(b)
    for j in range(n):
        slot = table_slot(table, used, b[j], mark)
        if used[slot] == mark:
            word_slots[j] = slot
            in_b[slot] += 1
        else:
            word_slots[j] = -1
        pair_slots[j] = -1
    total = log(n_a + n)
    many, some = 0, 0
    weights[0] = 0
    for j in range(n):
        slot = word_slots[j]
        weights[j + 1] = weights[j]
        if slot >= 0:
            weights[j + 1] += min(MOST, max(LEAST, total - log(in_a[slot] + in_b[slot])))
            if in_a[slot] * in_b[slot] <= MAX_PAIRINGS:
                many += in_a[slot]
                if in_a[slot] * in_b[slot] <= FEW_PAIRINGS:
                    some += in_a[slot]
    pairings = MAX_PAIRINGS
    if many > SEEDS * n:
        pairings = FEW_PAIRINGS if some <= SEEDS * n else 1
    seeds = 2
    for j in range(n):
        slot = word_slots[j]
        if slot < 0:
            continue
        if in_a[slot] * in_b[slot] <= pairings:
            seeds += in_a[slot]
        elif j + 1 < n and word_slots[j + 1] >= 0:
            pair = table_slot(table, used, fmix64(b[j] * BASE + b[j + 1]), mark)
            if used[pair] == mark:
                pair_slots[j] = pair
                in_b[pair] += 1
    for j in range(n):
        pair = pair_slots[j]
        if pair >= 0 and in_a[pair] * in_b[pair] <= MAX_PAIRINGS:
            seeds += in_a[pair]
    return seeds, pairings


@kernel
def _grow(
    a: NDArray[np.uint64],
    b: NDArray[np.uint64],
    i: int,
    j: int,
    diagonals: NDArray[np.int32],
    matches: NDArray[np.int32],
    n: int,
) -> int:
    """Extend a seed to a maximal match (start in b, start in a, length), unless one has it.

    Seeds come in order of their place in b: `diagonals` says how far matches reach.
    """
    diagonal = i - j + len(b)
    low = diagonals[diagonal]
    if low > j:
        return n
    first = j
    while first > low and first - j + i > 0 and a[first - 1 - j + i] == b[first - 1]:
        first -= 1
    last = j + 1
    while last < len(b) and last - j + i < len(a) and a[last - j + i] == b[last]:
        last += 1
    diagonals[diagonal] = last
    matches[n, 0] = first
    matches[n, 1] = first - j + i
    matches[n, 2] = last - first
    return n + 1


@kernel
def maximal_matches(
    a: NDArray[np.uint64],
    b: NDArray[np.uint64],
    head: NDArray[np.int32],
    in_a: NDArray[np.int32],
    in_b: NDArray[np.int32],
    following: NDArray[np.int32],
    word_slots: NDArray[np.int32],
    pair_slots: NDArray[np.int32],
    pairings: int,
    diagonals: NDArray[np.int32],
    matches: NDArray[np.int32],
) -> int:
    """Maximal matches that hold a seed; their number."""
    n = 0
    for d in range(len(a) + len(b) + 1):
        diagonals[d] = 0
    if a[0] == b[0]:
        n = _grow(a, b, 0, 0, diagonals, matches, n)
    for j in range(len(b)):
        slot = word_slots[j]
        if slot < 0:
            continue
        offset = 0
        if in_a[slot] * in_b[slot] > pairings:
            slot = pair_slots[j]
            offset = len(a)
            if slot < 0 or in_a[slot] * in_b[slot] > MAX_PAIRINGS:
                continue
        node = head[slot]
        while node >= 0:
            n = _grow(a, b, node - offset, j, diagonals, matches, n)
            node = following[node]
    if a[len(a) - 1] == b[len(b) - 1]:
        n = _grow(a, b, len(a) - 1, len(b) - 1, diagonals, matches, n)
    return n


@kernel
def repeats(
    in_a: NDArray[np.int32],
    in_b: NDArray[np.int32],
    pair_slots: NDArray[np.int32],
    n_b: int,
    out: NDArray[np.bool_],
) -> int:
    """Mark tokens of b that begin runs of word pairs too frequent to seed; their number.

    Running text has hardly any; tables, lists and refrains consist of them.
    """
    n = 0
    run = 0
    for j in range(n_b - 1, -1, -1):
        pair = pair_slots[j]
        frequent = pair >= 0 and in_a[pair] * in_b[pair] > MAX_PAIRINGS
        run = run + 1 if frequent else 0
        out[j] = run >= REPEAT
        n += run >= REPEAT
    return n


@kernel
def repeated_matches(
    a: NDArray[np.uint64],
    b: NDArray[np.uint64],
    marked: NDArray[np.bool_],
    diagonals: NDArray[np.int32],
    matches: NDArray[np.int32],
    n: int,
) -> tuple[NDArray[np.int32], int]:
    """Matches in repetitive text: seeded by the shortest run of 4, 8, 16... tokens that is rare.

    Of what is frequent however long, the first place in both texts is taken.
    """
    size = table_size(len(a))
    keys = np.empty(size, np.uint64)
    used = np.full(size, -1, np.int64)
    head = np.empty(size, np.int32)
    in_a = np.empty(size, np.int32)
    in_b = np.empty(size, np.int32)
    following = np.empty(len(a), np.int32)
    grams = np.empty(max(len(a), len(b)), np.uint64)
    slots = np.empty(len(b), np.int32)
    w = REPEAT + 1
    left = True
    while left and w <= min(len(a), len(b)):
        for d in range(len(a) + len(b) + 1):
            diagonals[d] = 0
        n_a = fill_shingles(a, w, grams)
        for i in range(n_a - 1, -1, -1):
            slot = table_slot(keys, used, grams[i], w)
            if used[slot] != w:
                used[slot] = w
                keys[slot] = grams[i]
                head[slot] = -1
                in_a[slot] = 0
                in_b[slot] = 0
            following[i] = head[slot]
            head[slot] = i
            in_a[slot] += 1
        n_b = fill_shingles(b, w, grams)
        seeds = 0
        last_level = 2 * w > min(len(a), len(b))
        for j in range(n_b):
            slots[j] = -1
            if marked[j]:
                slot = table_slot(keys, used, grams[j], w)
                if used[slot] == w:
                    slots[j] = slot
                    in_b[slot] += 1
                    seeds += min(in_a[slot], MAX_PAIRINGS)
        more = np.empty((n + seeds, 3), np.int32)
        for m in range(n):
            for k in range(3):
                more[m, k] = matches[m, k]
        matches = more
        left = False
        for j in range(len(b)):
            if j >= n_b or slots[j] < 0:
                marked[j] = False
                continue
            slot = slots[j]
            if in_a[slot] * in_b[slot] <= MAX_PAIRINGS:
                marked[j] = False
                i = np.int64(head[slot])
                while i >= 0:
                    n = _grow(a, b, i, j, diagonals, matches, n)
                    i = following[i]
            else:
                left = True
                if last_level and used[slot] == w:
                    used[slot] = -1
                    n = _grow(a, b, head[slot], j, diagonals, matches, n)
        w *= 2
    return matches, _once(matches, n, len(a))


@kernel
def _once(matches: NDArray[np.int32], n: int, n_a: int) -> int:
    """Leave out matches that were found before by shorter runs; how many are left."""
    keys = np.empty(n, np.int64)
    for k in range(n):
        keys[k] = matches[k, 0] * np.int64(n_a) + matches[k, 1]
    order = ascending(keys)
    again = np.zeros(n, np.bool_)
    for k in range(1, n):
        again[order[k]] = keys[order[k]] == keys[order[k - 1]]
    kept = 0
    for k in range(n):
        if not again[k]:
            matches[kept, 0] = matches[k, 0]
            matches[kept, 1] = matches[k, 1]
            matches[kept, 2] = matches[k, 2]
            kept += 1
    return kept


@kernel
def by_start(matches: NDArray[np.int32], n_b: int) -> NDArray[np.int32]:
    """The matches ordered by their start in b."""
    counts = np.zeros(n_b + 1, np.int32)
    for k in range(len(matches)):
        counts[matches[k, 0] + 1] += 1
    for j in range(n_b):
        counts[j + 1] += counts[j]
    out = np.empty((len(matches), 3), np.int32)
    for k in range(len(matches)):
        place = counts[matches[k, 0]]
        counts[matches[k, 0]] += 1
        out[place, 0] = matches[k, 0]
        out[place, 1] = matches[k, 1]
        out[place, 2] = matches[k, 2]
    return out
