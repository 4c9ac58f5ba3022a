"""Tier one: banded MinHash finds near-duplicates, which then count as one text.

Two articles of resemblance j share a band with probability 1 - (1 - j^r)^b (Leskovec,
Rajaraman and Ullman, "Mining of Massive Datasets", 3.4). The default, 32 bands of 4 rows, is
chosen for recall *at* the near threshold (.9998 at .7), not for few candidates: they are
verified on the text anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._jit import kernel
from dedupe._threads import in_threads
from dedupe.hashtable import maybe_repeated

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NearGroups", "band_candidates", "expected_recall", "group_by_representative"]

_ALL_PAIRS = 8
"""A band's bucket of at most this many articles proposes all its pairs (28)."""

_BUCKET_HUBS = 4
"""A larger bucket proposes each article with its first articles only: linear, not quadratic."""


def expected_recall(resemblance: float, bands: int, rows: int) -> float:
    """Probability that a pair of this resemblance shares a band: 1 - (1 - j^r)^b.

    >>> round(expected_recall(0.7, 32, 4), 4)
    0.9998
    """
    return float(1 - (1 - resemblance**rows) ** bands)


def band_candidates(
    bands: NDArray[np.uint32], has_shingles: NDArray[np.bool_], threads: int = 1
) -> NDArray[np.int64]:
    """Pairs of articles that share a band.

    Args:
        bands: uint32 (n, bands), in the order of preference: an earlier article is the better
            representative.
        has_shingles: bool (n,), False keeps an article out: empty texts all look alike.
        threads: worker threads, each with a band at a time.

    Returns:
        int64 (n_pairs, 2), rows (i, j) with i < j, ascending and distinct. A bucket of more
        than a few articles gives each article with the bucket's first ones.
    """
    usable = np.flatnonzero(has_shingles)
    n = len(bands)

    def of_band(band: int) -> NDArray[np.int64]:
        keys = bands[usable, band]
        # Nearly all keys are held once; only the others are worth sorting.
        repeated = maybe_repeated(keys)
        keys, articles = keys[repeated], usable[repeated]
        order = np.argsort(keys, kind="stable")
        return np.unique(_bucket_pairs(keys[order], articles[order], n))

    found = in_threads(of_band, range(bands.shape[1]), threads)
    packed = np.unique(np.concatenate([np.empty(0, np.int64), *found]))
    return np.stack([packed // max(n, 1), packed % max(n, 1)], axis=1)


@kernel
def _bucket_pairs(
    keys: NDArray[np.uint32], articles: NDArray[np.int64], n: int
) -> NDArray[np.int64]:
    """Pairs `i * n + j` of each run of equal keys, whose articles ascend."""
    room = 0
    first = 0
    out = np.empty(0, np.int64)
    for fill in range(2):
        used = 0
        first = 0
        while first < len(keys):
            last = first + 1
            while last < len(keys) and keys[last] == keys[first]:
                last += 1
            hubs = last - first if last - first <= _ALL_PAIRS else _BUCKET_HUBS
            for x in range(first, min(first + hubs, last)):
                for y in range(x + 1, last):
                    if fill == 1:
                        out[used] = articles[x] * n + articles[y]
                    used += 1
            first = last
        if fill == 0:
            room = used
            out = np.empty(room, np.int64)
    return out


class NearGroups(NamedTuple):
    """Groups of near-duplicates, each around a representative.

    Attributes:
        representative: int64 (n,), the representative of each article; itself if alone.
        offsets: int64 (n + 1,), where the group of each representative starts in `members`.
        members: int64 (n,), the articles of each group, ascending.
    """

    representative: NDArray[np.int64]
    offsets: NDArray[np.int64]
    members: NDArray[np.int64]

    def of(self, representative: int) -> NDArray[np.int64]:
        """The articles of one group."""
        return self.members[self.offsets[representative] : self.offsets[representative + 1]]


def group_by_representative(n: int, near_pairs: NDArray[np.int64]) -> NearGroups:
    """Greedy star clustering of verified near pairs, in the order of preference.

    The first article without a group becomes a representative and takes every later one
    without a group that is near to it. So each member is near to its representative; nothing
    is chained.

    Args:
        n: number of articles, numbered in the order of preference.
        near_pairs: int64 (n_pairs, 2), verified, each with the preferred article first.
    """
    order = np.lexsort((near_pairs[:, 1], near_pairs[:, 0]))
    representative = _stars(n, near_pairs[order])
    members = np.argsort(representative, kind="stable")
    offsets = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(representative, minlength=n), out=offsets[1:])
    return NearGroups(representative, offsets, members)


@kernel
def _stars(n: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    representative = np.full(n, -1, np.int64)
    at = 0
    for i in range(n):
        if representative[i] < 0:
            representative[i] = i
        while at < len(pairs) and pairs[at, 0] == i:
            j = pairs[at, 1]
            if representative[i] == i and representative[j] < 0:
                representative[j] = i
            at += 1
    return representative
