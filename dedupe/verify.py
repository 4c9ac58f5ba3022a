"""Candidates checked on the text: how many shingles two articles really share.

One article's shingles go into a hash table, and every article it is to be compared with is
run past it; each comparison costs the length of the other article.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedupe._jit import kernel
from dedupe.shingle import fill_shingles

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["resemblance", "shared_shingles"]


@kernel
def table_slot(keys: NDArray[np.uint64], used: NDArray[np.int64], key: np.uint64, mark: int) -> int:
    """Slot of a key in an open-addressing table of 2^k slots, or of the free one it may take.

    A slot is taken where `used` equals `mark`: raising the mark empties the table at no cost.
    """
    mask = len(keys) - 1
    slot = np.int64(key >> np.uint64(20)) & mask
    while used[slot] == mark and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@kernel
def table_size(n: int) -> int:
    """Slots for n keys, at most half of them taken."""
    size = 16
    while size < 2 * n:
        size *= 2
    return size


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


def resemblance(
    pairs: NDArray[np.int64],
    shared: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    w: int,
) -> NDArray[np.float64]:
    """Exact Jaccard of the shingle sets of each pair; 0 where both are empty.

    Args:
        pairs, spans, hashes, w: as for `shared_shingles`.
        shared: int64 (n_pairs,), what it returned.
    """
    articles, place = np.unique(pairs, return_inverse=True)
    sizes = np.zeros(len(articles), np.int64)
    if len(articles):
        _distinct(articles, spans, hashes, w, sizes)
    sides = sizes[place.reshape(-1, 2)]
    return shared / np.maximum(sides.sum(axis=1) - shared, 1)
