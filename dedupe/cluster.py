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

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from dedupe._bits import bit_count
from dedupe._jit import kernel
from dedupe.matching import QUORUM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    T = TypeVar("T", bound=np.generic)

__all__ = ["cluster", "find_round_ups", "near_components"]

SAME_EXTENT = 0.6
"""An article found in a neighbour to this share is its equal, not a round-up that holds it."""

STRONG = 0.7
"""Containment from which one link is enough for a lone article to join: it is an excerpt."""

HELD = 0.5
"""A story counts as held by a round-up from this share of its words."""

EXCERPTS = 0.5
"""A report is printed whole, and up to so many excerpts for each of these printings; the stories of a
digest are printed more often than just these together. Of 100,000 generated articles the least digest
has 1.25, and of the reports whose excerpts lie apart 99 in 100 have at most this. The bound is on the
side of the reports: families that are apart do less harm than stories that are one."""

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
def _parts(masks: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The separate parts of an article that others cover; none where that may be by chance."""
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
    apart = n >= 3 or (n == 2 and sizes[0] + sizes[1] >= 3)
    return areas[: n if apart else 0].copy()


class _Neighbours(NamedTuple):
    """What some articles share with others, article by article.

    Attributes:
        articles, others: int64 (n,), an article and another that it shares text with.
        areas: uint64 (n,), the parts of the article that the other one covers.
        held: float64 (n,), the share of the other one found in the article.
    """

    articles: NDArray[np.int64]
    others: NDArray[np.int64]
    areas: NDArray[np.uint64]
    held: NDArray[np.float64]

    def rows(self, which: NDArray[np.int64] | slice) -> _Neighbours:
        """Some of the rows."""
        return _Neighbours(
            self.articles[which], self.others[which], self.areas[which], self.held[which]
        )


def _neighbours(
    pairs: NDArray[np.int64],
    shares: NDArray[np.float64],
    masks: NDArray[np.uint64],
    wanted: NDArray[np.bool_],
) -> _Neighbours:
    """The rows of some articles: wanted, bool (n_pairs, 2), says which article of which pair."""
    first, second = np.flatnonzero(wanted[:, 0]), np.flatnonzero(wanted[:, 1])

    def column(of: NDArray[T], side: int) -> NDArray[T]:
        return np.concatenate([of[first, side], of[second, 1 - side]])

    found = _Neighbours(column(pairs, 0), column(pairs, 1), column(masks, 0), column(shares, 1))
    return found.rows(np.lexsort((found.others, -found.held, found.articles)))


def find_round_ups(
    n: int,
    pairs: NDArray[np.int64],
    shares: NDArray[np.float64],
    masks: NDArray[np.uint64],
    near: NDArray[np.bool_],
    outlets: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Articles that hold the copy of several families.

    They hold others in separate parts of themselves, and those are printed by themselves rather
    than together. Near-duplicates share the verdict of most of them that could be judged: of a
    large group only some have pairs with the stories they hold.

    Args:
        n: number of articles.
        pairs: int64 (n_pairs, 2), verified.
        shares: float64 (n_pairs, 2), net share of a found in b, and of b in a.
        masks: uint64 (n_pairs, 2), from `dedupe.measures.coverage`.
        near: bool (n_pairs,), near-duplicates.
        outlets: int64 (n,), a number for whoever printed each article.

    Returns:
        bool (n,).
    """
    votes = np.zeros(n, np.int64)
    parts: dict[int, NDArray[np.uint64]] = {}
    within = (shares[:, ::-1] >= HELD) & (shares < SAME_EXTENT)
    found = _neighbours(pairs, shares, masks, within)
    for article, first, last in _runs(found.articles):
        if last - first >= 3:
            apart = _parts(found.areas[first : min(last, first + MAX_NEIGHBOURS)])
            votes[article] = -1
            if len(apart):
                parts[article] = apart
    groups = near_components(n, pairs[near])
    printings = _printings(groups, outlets)
    counted = np.full(n, -1, np.int64)
    suspected = np.zeros(n, np.bool_)
    suspected[list(parts)] = True
    found = _neighbours(pairs, shares, masks, suspected[pairs])
    for article, first, last in _runs(found.articles):
        whole, single = _count_printings(
            parts[article], found.rows(slice(first, last)), groups, printings, counted
        )
        if single > EXCERPTS * whole:
            votes[article] = 1
    for_group = np.zeros(n, np.int64)
    np.add.at(for_group, groups, votes)
    verdict: NDArray[np.bool_] = for_group[groups] > 0
    return verdict


def _printings(groups: NDArray[np.int64], outlets: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64 (n,), outlets that printed each group of articles.

    Versions of one outlet's live blog are not as many outlets' word that its parts belong together.
    """
    width = int(outlets.max(initial=0)) + 1
    counts: NDArray[np.int64] = np.bincount(
        np.unique(groups * width + outlets) // width, minlength=len(groups)
    )
    return counts


@kernel
def _count_printings(
    parts: NDArray[np.uint64],
    neighbours: _Neighbours,
    groups: NDArray[np.int64],
    printings: NDArray[np.int64],
    counted: NDArray[np.int64],
) -> tuple[int, int]:
    """Printings of several parts of an article together, its own among them, and of single ones.

    Args:
        parts: uint64 (n_parts,), as from `_parts`.
        neighbours: all of one article.
        groups: int64 (n,), the near-duplicates each article belongs to, which count together.
        printings: int64 (n,), of each group.
        counted: int64 (n,), the last article each group was counted for.
    """
    others, areas, held = neighbours.others, neighbours.areas, neighbours.held
    article = neighbours.articles[0]
    whole, single = int(printings[groups[article]]), 0
    counted[groups[article]] = article
    for together in (True, False):
        for k in range(len(others)):
            group = groups[others[k]]
            if counted[group] == article:
                continue
            n = 0
            for p in range(len(parts)):
                n += 1 if _overlap(parts[p], areas[k]) else 0
            if together and n >= 2:
                whole += int(printings[group])
                counted[group] = article
            elif not together and held[k] >= HELD:
                single += int(printings[group])
                counted[group] = article
    return whole, single


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
    changed = np.ones(n, np.bool_)
    while changed.any():
        links, weights, roots = _apart(clusters, links, weights)
        # Between clusters that are what they were the answer would be what it was.
        open_ = changed[roots].any(axis=1)
        changed = _merge_pass(
            _bundle(n, roots[open_], links[open_], weights[open_]), clusters.parent, clusters.size
        )
    links, weights, roots = _apart(clusters, links, weights)
    _attach_satellites(_bundle(n, roots, links, weights), clusters.parent, clusters.size)
    return clusters.roots()


def _apart(
    clusters: _Clusters, links: NDArray[np.int64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Links between different clusters, their weights, and the roots of the two clusters of each."""
    roots = np.stack([clusters.roots(links[:, side].copy()) for side in range(2)], axis=1)
    apart = roots[:, 0] != roots[:, 1]
    return links[apart], weights[apart], roots[apart]


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
    n: int, roots: NDArray[np.int64], links: NDArray[np.int64], weights: NDArray[np.float64]
) -> _Bundles:
    """Links between different clusters of n articles as bundles; `roots` of both ends of each link."""
    turn = roots[:, 0] > roots[:, 1]
    between = np.where(turn, roots[:, 1] * n + roots[:, 0], roots[:, 0] * n + roots[:, 1])
    order = np.argsort(between)
    between, turn, links = between[order], turn[order], links[order]
    new = _changes(between)
    starts = np.flatnonzero(new)
    number = np.cumsum(new) - 1
    counted = []
    for side in range(2):
        # A member counts once in each bundle.
        members = np.sort(number * n + np.where(turn, links[:, 1 - side], links[:, side]))
        counted.append(np.bincount(members[_changes(members)] // n, minlength=len(starts)))
    best = np.maximum.reduceat(weights[order], starts) if len(starts) else weights
    found = between[starts]
    by_weight = np.lexsort((found, -best))
    found = np.stack([found // n, found % n], axis=1)
    return _Bundles(found[by_weight], best[by_weight], np.stack(counted, axis=1)[by_weight])


def _changes(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Bool (n,): values that differ from the one before, the first among them."""
    changed = np.ones(len(values), np.bool_)
    changed[1:] = values[1:] != values[:-1]
    return changed


@kernel
def _merge_pass(
    bundles: _Bundles, parent: NDArray[np.int64], size: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Merge what the links bear out, each cluster judged as it stood before; roots that took part."""
    roots, weights, members = bundles.roots, bundles.weights, bundles.members
    before = size.copy()
    merged = np.zeros(len(parent), np.bool_)  # took part in a merge that changed what it is
    grown = np.zeros(len(parent), np.bool_)  # took in lone articles only
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
        if lone and before[x] != before[y]:
            small, large = (x, y) if before[x] < before[y] else (y, x)
            merged[small] = True
            grown[large] = True
        else:
            merged[x] = True
            merged[y] = True
    return merged | grown


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
