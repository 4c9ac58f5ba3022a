"""Candidates checked on the text: how many shingles two articles really share.

One article's shingles go into a hash table, and every article it is to be compared with is
run past it; each comparison costs the length of the other article.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedupe._jit import kernel
from dedupe._threads import in_slices
from dedupe.hashtable import table_size, table_slot
from dedupe.shingle import fill_shingles

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["covered_words", "resemblance", "shared_shingles"]

_ARTICLES_PER_TASK = 1024


@kernel
def _shared(
    pairs: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    w: int,
    out: NDArray[np.int64],
) -> None:
    """Fill out with the number of distinct shingles of pairs, best sorted by a."""
    longest = 0
    for p in range(len(pairs)):
        for side in range(2):
            longest = max(longest, spans[pairs[p, side], 1] - spans[pairs[p, side], 0])
    size = table_size(longest)
    keys = np.zeros(size, np.uint64)
    used = np.full(size, -1, np.int64)  # first pair of the article the slot was taken for
    seen = np.full(size, -1, np.int64)  # pair whose b last held the slot's shingle
    shingles = np.empty(longest, np.uint64)
    # Most shingles of b are not in a: a bit for each slot and more says so from the first cache.
    bits = np.zeros(size // 8, np.uint64)
    bit_mask = np.uint64(0)
    a = -1
    mark = 0
    table = keys
    for p in range(len(pairs)):
        if pairs[p, 0] != a:
            a, mark = pairs[p, 0], p
            n = fill_shingles(hashes[spans[a, 0] : spans[a, 1]], w, shingles)
            # A table no larger than the article needs stays in the processor's cache.
            slots = table_size(n)
            table = keys[:slots]
            bit_mask = np.uint64(8 * slots - 1)
            bits[: slots // 8] = np.uint64(0)
            for i in range(n):
                slot = table_slot(table, used, shingles[i], mark)
                used[slot] = mark
                table[slot] = shingles[i]
                bit = shingles[i] & bit_mask
                bits[bit >> np.uint64(6)] |= np.uint64(1) << (bit & np.uint64(63))
        b = pairs[p, 1]
        n = fill_shingles(hashes[spans[b, 0] : spans[b, 1]], w, shingles)
        shared = 0
        for i in range(n):
            bit = shingles[i] & bit_mask
            if bits[bit >> np.uint64(6)] >> (bit & np.uint64(63)) & np.uint64(1) == 0:
                continue
            slot = table_slot(table, used, shingles[i], mark)
            if used[slot] == mark and seen[slot] != p:
                seen[slot] = p
                shared += 1
        out[p] = shared


@kernel
def _cover(
    hit: NDArray[np.bool_], w: int, flags: NDArray[np.uint8], aside: np.uint8
) -> tuple[int, int]:
    """Tokens that lie in a shingle that is a hit, and those of them not set aside."""
    words, net = 0, 0
    end = 0
    for i in range(len(hit)):
        if hit[i]:
            for k in range(max(end, i), i + w):
                words += 1
                net += np.int64((flags[k] & aside) == 0)
            end = i + w
    return words, net


@kernel
def _covered(
    pairs: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    flags: NDArray[np.uint8],
    w: int,
    aside: np.uint8,
    out: NDArray[np.int64],
) -> None:
    longest = 0
    for p in range(len(pairs)):
        for side in range(2):
            longest = max(longest, spans[pairs[p, side], 1] - spans[pairs[p, side], 0])
    size = table_size(longest)
    keys = np.zeros(size, np.uint64)
    used = np.full(size, -1, np.int64)  # first pair of the article the slot was taken for
    seen = np.full(size, -1, np.int64)  # pair whose b last held the slot's shingle
    slots = np.empty(longest, np.int64)  # of a's shingles
    shingles = np.empty(longest, np.uint64)
    hit = np.empty(longest, np.bool_)
    a = -1
    mark = 0
    n_a = 0
    table = keys
    for p in range(len(pairs)):
        if pairs[p, 0] != a:
            a, mark = pairs[p, 0], p
            n_a = fill_shingles(hashes[spans[a, 0] : spans[a, 1]], w, shingles)
            table = keys[: table_size(n_a)]
            for i in range(n_a):
                slot = table_slot(table, used, shingles[i], mark)
                used[slot] = mark
                table[slot] = shingles[i]
                slots[i] = slot
        b = pairs[p, 1]
        n = fill_shingles(hashes[spans[b, 0] : spans[b, 1]], w, shingles)
        for i in range(n):
            slot = table_slot(table, used, shingles[i], mark)
            hit[i] = used[slot] == mark
            if hit[i]:
                seen[slot] = p
        first, last = spans[b, 0], spans[b, 1]
        out[p, 1], out[p, 3] = _cover(hit[:n], w, flags[first:last], aside)
        for i in range(n_a):
            hit[i] = seen[slots[i]] == p
        first, last = spans[a, 0], spans[a, 1]
        out[p, 0], out[p, 2] = _cover(hit[:n_a], w, flags[first:last], aside)


@kernel
def _distinct(
    articles: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    w: int,
    out: NDArray[np.int64],
) -> None:
    longest = 0
    for k in range(len(articles)):
        longest = max(longest, spans[articles[k], 1] - spans[articles[k], 0])
    size = table_size(longest)
    keys = np.zeros(size, np.uint64)
    used = np.full(size, -1, np.int64)
    shingles = np.empty(longest, np.uint64)
    for k in range(len(articles)):
        article = articles[k]
        n = fill_shingles(hashes[spans[article, 0] : spans[article, 1]], w, shingles)
        table = keys[: table_size(n)]
        for i in range(n):
            slot = table_slot(table, used, shingles[i], k)
            if used[slot] != k:
                used[slot] = k
                table[slot] = shingles[i]
                out[k] += 1


def shared_shingles(
    pairs: NDArray[np.int64], spans: NDArray[np.int64], hashes: NDArray[np.uint64], w: int
) -> NDArray[np.int64]:
    """Exact number of distinct shingles that both articles of each candidate pair have.

    Args:
        pairs: int64 (n_pairs, 2), sorted by their first article (for speed, not correctness).
        spans: int64 (n_articles, 2), first token and token after the last of each article.
        hashes: uint64, token hashes.
        w: words per shingle.

    Returns:
        int64 (n_pairs,).
    """
    out = np.zeros(len(pairs), np.int64)
    if len(pairs):
        _shared(pairs, spans, hashes, w, out)
    return out


def covered_words(
    pairs: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    flags: NDArray[np.uint8],
    w: int,
    aside: int,
) -> NDArray[np.int64]:
    """Words of each pair that stand in shared shingles: what a pair shares without an alignment.

    Args:
        pairs, spans, hashes, w: as for `shared_shingles`.
        flags: uint8, of each token.
        aside: flags of tokens that do not count for net shares.

    Returns:
        int64 (n_pairs, 4): words of a, words of b, and those of them without such a flag.
    """
    out = np.zeros((len(pairs), 4), np.int64)
    if len(pairs):
        _covered(pairs, spans, hashes, flags, w, np.uint8(aside), out)
    return out


def resemblance(
    pairs: NDArray[np.int64],
    shared: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    w: int,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Exact Jaccard of the shingle sets of each pair; 0 where both are empty.

    Args:
        pairs, spans, hashes, w: as for `shared_shingles`.
        shared: int64 (n_pairs,), what it returned.
        threads: worker threads.
    """
    articles, place = np.unique(pairs, return_inverse=True)
    sizes = np.zeros(len(articles), np.int64)

    def count(first: int, last: int) -> None:
        _distinct(articles[first:last], spans, hashes, w, sizes[first:last])

    in_slices(count, len(articles), _ARTICLES_PER_TASK, threads)
    sides = sizes[place.reshape(-1, 2)]
    jaccard: NDArray[np.float64] = shared / np.maximum(sides.sum(axis=1) - shared, 1)
    return jaccard
