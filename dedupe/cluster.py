"""Verified pairs to families, without chaining.

Connected components are the wrong clusters of text reuse: one digest that prints three
stories makes one family of them, and so does a thread of weak links. Here

1. **round-ups** are found first: an article that holds the copy of several families in
   different parts of itself. It joins none of them, and is marked;
2. **near** pairs (high resemblance, which is symmetric) always belong together;
3. **partial** pairs, strongest first, link an article or a cluster to another only if enough
   members on both sides bear the link out (`_quorum`). One article between two clusters is
   a bridge, not a reason to merge them.

Order of input plays no part: ties fall to the articles' numbers, which are content-derived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._bits import bit_count
from dedupe._jit import kernel
from dedupe.matching import QUORUM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["cluster", "find_round_ups", "near_components"]

SAME_EXTENT = 0.6
"""An article found in a neighbour to this share is its equal, not a round-up that holds it."""

STRONG = 0.7
"""Containment from which one link is enough for a lone article to join: it is an excerpt."""

HELD = 0.5
"""A story counts as held by a round-up from this share of its words."""

MAX_SATELLITE = 3
"""Articles that may together join a cluster on links to a single member of it."""

MAX_NEIGHBOURS = 1000
"""Neighbours looked at to tell a round-up, largest share first."""


@kernel
def _overlap(x: np.uint64, y: np.uint64) -> bool:
    """Whether two areas are the same part: neighbours in a digest touch by a segment at most."""
    shared = bit_count(x & y)
    return shared >= 2 or 2 * shared > min(bit_count(x), bit_count(y))


@kernel
def _is_round_up(masks: NDArray[np.uint64]) -> bool:
    """Whether the areas of an article that others cover fall into separate parts."""
    areas = np.zeros(len(masks), np.uint64)
    sizes = np.zeros(len(masks), np.int64)
    n = 0
    for m in range(len(masks)):
        area, size = masks[m], 1
        kept = 0
        for k in range(n):
            if _overlap(areas[k], masks[m]):
                area |= areas[k]
                size += sizes[k]
            else:
                areas[kept], sizes[kept] = areas[k], sizes[k]
                kept += 1
        areas[kept], sizes[kept] = area, size
        n = kept + 1
    # Two lone excerpts of one long report look just like two stories of a digest; two
    # families, or three of anything, do not.
    return n >= 3 or (n == 2 and sizes[0] + sizes[1] >= 3)


def find_round_ups(
    n: int,
    pairs: NDArray[np.int64],
    shares: NDArray[np.float64],
    masks: NDArray[np.uint64],
    near: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Articles that hold the copy of several families.

    Near-duplicates share the verdict of most of them that could be judged: of a large group only
    some have pairs with the stories they hold.

    Args:
        n: number of articles.
        pairs: int64 (n_pairs, 2), verified.
        shares: float64 (n_pairs, 2), net share of a found in b, and of b in a.
        masks: uint64 (n_pairs, 2), from `dedupe.measures.coverage`.
        near: bool (n_pairs,), near-duplicates.

    Returns:
        bool (n,).
    """
    both = np.concatenate([pairs, pairs[:, ::-1]])
    own = np.concatenate([shares[:, 0], shares[:, 1]])  # of the article, found in the neighbour
    others = np.concatenate([shares[:, 1], shares[:, 0]])
    areas = np.concatenate([masks[:, 0], masks[:, 1]])
    held = (others >= HELD) & (own < SAME_EXTENT)
    both, areas, others = both[held], areas[held], others[held]
    order = np.lexsort((both[:, 1], -others, both[:, 0]))
    articles, areas = both[order, 0], areas[order]
    votes = np.zeros(n, np.int64)
    for article, first, last in _runs(articles):
        if last - first >= 3:
            held_apart = _is_round_up(areas[first : min(last, first + MAX_NEIGHBOURS)])
            votes[article] = 1 if held_apart else -1
    groups = near_components(n, pairs[near])
    for_group = np.zeros(n, np.int64)
    np.add.at(for_group, groups, votes)
    verdict: NDArray[np.bool_] = for_group[groups] > 0
    return verdict


def near_components(n: int, near_pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64 (n,), the lowest number among the near-duplicates, step by step, of each article."""
    clusters = _Clusters(n)
    clusters.merge_all(near_pairs)
    return clusters.roots()


def _runs(values: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """(value, first, last) of each run of equal values."""
    if len(values) == 0:
        return
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    for first, last in zip(starts, np.r_[starts[1:], len(values)], strict=True):
        yield int(values[first]), int(first), int(last)


@kernel
def _root(parent: NDArray[np.int64], x: int) -> int:
    while parent[x] != x:
        parent[x] = parent[parent[x]]
        x = parent[x]
    return x


@kernel
def _merge(parent: NDArray[np.int64], size: NDArray[np.int64], x: int, y: int) -> None:
    """Make one set of two; the root is the member of the lowest number."""
    x, y = _root(parent, x), _root(parent, y)
    if x != y:
        low, high = min(x, y), max(x, y)
        parent[high] = low
        size[low] += size[high]


@kernel
def _merge_all(
    parent: NDArray[np.int64], size: NDArray[np.int64], pairs: NDArray[np.int64]
) -> None:
    for k in range(len(pairs)):
        _merge(parent, size, pairs[k, 0], pairs[k, 1])


@kernel
def _roots(parent: NDArray[np.int64], articles: NDArray[np.int64], out: NDArray[np.int64]) -> None:
    for k in range(len(articles)):
        out[k] = _root(parent, articles[k])


class _Clusters:
    """Disjoint sets of n articles."""

    def __init__(self, n: int) -> None:
        self.parent = np.arange(n)
        self.size = np.ones(n, np.int64)

    def merge_all(self, pairs: NDArray[np.int64]) -> None:
        _merge_all(self.parent, self.size, np.ascontiguousarray(pairs))

    def roots(self, articles: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """The root of each of some articles, of all if none are named."""
        wanted = np.arange(len(self.parent)) if articles is None else articles
        out = np.empty(len(wanted), np.int64)
        _roots(self.parent, wanted, out)
        return out


@kernel
def _quorum(size: int, other: int, weight: float) -> int:
    """Members of a cluster of this size that must bear out a link to one of size `other`."""
    half = (size + 1) // 2
    if other == 1:
        return 1 if weight >= STRONG else min(QUORUM, half)
    return 1 if size == 1 else min(QUORUM, max(2, half))


def cluster(
    n: int,
    pairs: NDArray[np.int64],
    weights: NDArray[np.float64],
    near: NDArray[np.bool_],
    round_ups: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Cluster articles by their verified pairs.

    Args:
        n: number of articles, numbered by content.
        pairs: int64 (n_pairs, 2), those that link at all.
        weights: float64 (n_pairs,), the larger of a pair's two net shares.
        near: bool (n_pairs,), pairs that always belong together.
        round_ups: bool (n,), articles that only their near-duplicates may join.

    Returns:
        int64 (n,), the lowest number of each article's cluster.
    """
    clusters = _Clusters(n)
    mixed = round_ups[pairs].any(axis=1)
    same = near & (round_ups[pairs[:, 0]] == round_ups[pairs[:, 1]]) if len(pairs) else near
    clusters.merge_all(pairs[same])
    links, weights = pairs[~same & ~mixed], weights[~same & ~mixed]
    merging = True
    while merging:
        bundles, apart = _bundle(clusters, links, weights)
        links, weights = links[apart], weights[apart]
        merging = _merge_pass(bundles, clusters.parent, clusters.size)
    bundles, _ = _bundle(clusters, links, weights)
    _attach_satellites(bundles, clusters.parent, clusters.size)
    return clusters.roots()


class _Bundles(NamedTuple):
    """Links between the same two clusters, best first, then by the clusters' roots.

    Attributes:
        roots: int64 (n, 2), the lower root first.
        weights: float64 (n,), of the best link.
        members: int64 (n, 2), members on each side that take part.
    """

    roots: NDArray[np.int64]
    weights: NDArray[np.float64]
    members: NDArray[np.int64]


def _bundle(
    clusters: _Clusters, links: NDArray[np.int64], weights: NDArray[np.float64]
) -> tuple[_Bundles, NDArray[np.bool_]]:
    """Links between different clusters as bundles, and which links those are."""
    roots = np.stack([clusters.roots(links[:, side].copy()) for side in range(2)], axis=1)
    apart: NDArray[np.bool_] = roots[:, 0] != roots[:, 1]
    roots, links, weights = roots[apart], links[apart], weights[apart]
    turn = roots[:, 0] > roots[:, 1]
    roots[turn], ends = roots[turn, ::-1], links.copy()
    ends[turn] = links[turn, ::-1]
    counted = []
    for side in range(2):
        order = np.lexsort((ends[:, side], roots[:, 1], roots[:, 0]))
        new = _changes(roots[order])
        # A member counts once in each bundle.
        first = new | _changes(ends[order, side, None])
        starts = np.flatnonzero(new)
        counted.append(np.add.reduceat(first.astype(np.int64), starts) if len(starts) else starts)
    best = np.maximum.reduceat(weights[order], starts) if len(starts) else weights
    found = roots[order][starts]
    by_weight = np.lexsort((found[:, 1], found[:, 0], -best))
    members = np.stack(counted, axis=1)
    return _Bundles(found[by_weight], best[by_weight], members[by_weight]), apart


def _changes(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Bool (n,): rows that differ from the one before, the first among them."""
    changed = np.ones(len(rows), np.bool_)
    changed[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    return changed


@kernel
def _merge_pass(bundles: _Bundles, parent: NDArray[np.int64], size: NDArray[np.int64]) -> bool:
    """Merge what the links bear out, each cluster judged as it stood before; whether any did."""
    roots, weights, members = bundles.roots, bundles.weights, bundles.members
    before = size.copy()
    merged = np.zeros(len(parent), np.bool_)  # took part in a merge that changed what it is
    grown = np.zeros(len(parent), np.bool_)  # took in lone articles only
    n = 0
    for k in range(len(roots)):
        x, y = roots[k, 0], roots[k, 1]
        lone = before[x] == 1 or before[y] == 1
        if merged[x] or merged[y] or (not lone and (grown[x] or grown[y])):
            continue
        if members[k, 0] < _quorum(before[x], before[y], weights[k]):
            continue
        if members[k, 1] < _quorum(before[y], before[x], weights[k]):
            continue
        _merge(parent, size, x, y)
        n += 1
        if lone and before[x] != before[y]:
            small, large = (x, y) if before[x] < before[y] else (y, x)
            merged[small] = True
            grown[large] = True
        else:
            merged[x] = True
            merged[y] = True
    return n > 0


@kernel
def _attach_satellites(
    bundles: _Bundles, parent: NDArray[np.int64], size: NDArray[np.int64]
) -> None:
    """Give what is left of one to three articles to the cluster it links to best.

    All of them must link to it, or one strongly. Once, and to clusters as they stood before: what
    is attached attracts nothing further.
    """
    roots, weights, members = bundles.roots, bundles.weights, bundles.members
    before = size.copy()
    attached = np.zeros(len(parent), np.bool_)
    hosts = np.zeros(len(parent), np.bool_)
    for k in range(len(roots)):
        small = 0 if before[roots[k, 0]] <= before[roots[k, 1]] else 1
        satellite, host = roots[k, small], roots[k, 1 - small]
        if before[satellite] > MAX_SATELLITE:
            continue
        if members[k, small] < before[satellite] and weights[k] < STRONG:
            continue
        if attached[satellite] or hosts[satellite] or attached[host]:
            continue
        _merge(parent, size, satellite, host)
        attached[satellite] = True
        hosts[host] = True
