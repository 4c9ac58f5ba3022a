"""Pairs to clusters, and how well clusters agree with the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["adjusted_rand", "components", "joined"]


def components(size: int, pairs: Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    """Connected components: a cluster number for each of `size` items; the lonely have their own."""
    parent = list(range(size))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for a, b in pairs:
        parent[root(a)] = root(b)
    return np.array([root(item) for item in range(size)], np.int64)


def adjusted_rand(truth: Sequence[object], found: Sequence[object]) -> float:
    """Adjusted Rand index: 1 for equal clusterings, about 0 for chance.

    Hubert & Arabie (1985): (index - expected) / (maximum - expected) over pairs of items.
    """
    _, rows = np.unique(np.asarray(truth), return_inverse=True)
    _, columns = np.unique(np.asarray(found), return_inverse=True)
    _, cells = np.unique(rows.astype(np.int64) * len(rows) + columns, return_counts=True)
    index = _pairs(cells)
    in_truth, in_found = _pairs(np.bincount(rows)), _pairs(np.bincount(columns))
    total = _pairs(np.array([len(rows)]))
    expected = in_truth * in_found / total if total else 0.0
    maximum = (in_truth + in_found) / 2
    return 1.0 if maximum == expected else (index - expected) / (maximum - expected)


def joined(groups: Sequence[object], found: Sequence[object]) -> int:
    """Number of pairs of items of one group that are also in one cluster."""
    _, rows = np.unique(np.asarray(groups), return_inverse=True)
    _, columns = np.unique(np.asarray(found), return_inverse=True)
    _, cells = np.unique(rows.astype(np.int64) * len(rows) + columns, return_counts=True)
    return int(_pairs(cells))


def _pairs(sizes: NDArray[np.int64]) -> float:
    counts = sizes.astype(np.float64)
    return float((counts * (counts - 1) / 2).sum())
