"""Families of articles that carry the same copy, and which article each derives from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._jit import kernel
from dedupe.cluster import cluster, find_round_ups, near_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.ingest import Articles
    from dedupe.measures import Matches

__all__ = [
    "Clusters",
    "Families",
    "Family",
    "find_clusters",
    "find_families",
    "linking",
    "linking_shares",
]

SUBSTANTIAL = 0.1
"""Net shared words must be this share of a whole article, quotations included, to link it."""

OWN_COPY = 0.25
"""A representative must itself be the family's copy to this share: a digest is not."""


@dataclass(frozen=True, slots=True)
class Family:
    """Articles that carry the same copy.

    Attributes:
        name: "f" and 16 hex digits, the lowest fingerprint of its members.
        members: article numbers, ascending.
        representative: number of the fullest member that is the copy itself.
        first_seen: earliest date of a member, None where no date is known.
        sources: names of the members' sources, in alphabetical order.
    """

    name: str
    members: list[int]
    representative: int
    first_seen: str | None
    sources: list[str]


@dataclass(frozen=True, slots=True)
class Families:
    """All families of a corpus.

    Attributes:
        families: largest first, then by name.
        round_ups: bool (n_articles,), articles that hold the copy of several families.
        origin: int64 (n_articles,), the article each most likely derives from, or -1.
    """

    families: list[Family]
    round_ups: NDArray[np.bool_]
    origin: NDArray[np.int64]


class Clusters(NamedTuple):
    """Which of n articles carry the same copy, and the pairs that say so.

    Attributes:
        roots: int64 (n,), the lowest number of each article's cluster.
        round_ups: bool (n,), articles that hold the copy of several clusters.
        pairs: int64 (n_pairs, 2), those that link two articles.
        net: float64 (n_pairs, 2), their shares by which they do.
        near: bool (n_pairs,), near-duplicates among them.
    """

    roots: NDArray[np.int64]
    round_ups: NDArray[np.bool_]
    pairs: NDArray[np.int64]
    net: NDArray[np.float64]
    near: NDArray[np.bool_]


def find_clusters(
    words: NDArray[np.int64],
    fingerprints: NDArray[np.uint64],
    sources: NDArray[np.int32],
    matches: Matches,
    config: Config,
) -> Clusters:
    """Cluster articles by their verified pairs.

    Args:
        words: int64 (n,), tokens of each article.
        fingerprints: uint64 (n,), ascending.
        sources: int32 (n,), a number for the source of each, -1 where unknown.
        matches: the pairs.
        config: the settings.
    """
    n = len(words)
    near = matches.resemblance >= config.near
    net = linking_shares(words, matches)
    links = linking(net, matches, config)
    pairs, net, near = matches.pairs[links], net[links], near[links]
    # Two near-duplicates made of little but quotations are still the same copy.
    net[near] = np.maximum(net, matches.shares[links])[near]
    outlets = _outlets(sources, fingerprints)
    round_ups = find_round_ups(n, pairs, net, matches.masks[links], near, outlets)
    roots = cluster(n, pairs, net.max(axis=1, initial=0), near, round_ups)
    return Clusters(roots, round_ups, pairs, net, near)


def find_families(articles: Articles, matches: Matches, config: Config) -> Families:
    """Cluster the verified pairs and describe the clusters."""
    n = len(articles)
    roots, round_ups, pairs, net, near = find_clusters(
        articles.words, articles.fingerprints, articles.source_of, matches, config
    )
    own = np.zeros(n)
    inside = roots[pairs[:, 0]] == roots[pairs[:, 1]]
    for side in range(2):
        np.maximum.at(own, pairs[inside, side], net[inside, side])
    together = _together(roots)
    members = np.concatenate([np.empty(0, np.int64), *together])
    published, sources = (
        dict(zip(members.tolist(), column.gather(members).to_list(), strict=True))
        for column in (articles.published, articles.sources)
    )
    words = articles.words
    families = [
        _describe(articles, words, members, own, published, sources) for members in together
    ]
    families.sort(key=lambda family: (-len(family.members), family.name))
    origin = np.full(n, -1, np.int64)
    order = _precedence(articles, families, published)
    _find_origins(pairs[inside], net[inside], order, config.threshold, origin)
    _origins_in_groups(near_components(n, pairs[near & inside]), order, families, origin)
    return Families(families, round_ups, origin)


def linking(net: NDArray[np.float64], matches: Matches, config: Config) -> NDArray[np.bool_]:
    """Bool (n_pairs,): pairs that may link two articles into a family, by their `linking_shares`."""
    links: NDArray[np.bool_] = (net.max(axis=1, initial=0) >= config.threshold) | (
        matches.resemblance >= config.near
    )
    return links


def linking_shares(words: NDArray[np.int64], matches: Matches) -> NDArray[np.float64]:
    """Net shares of both articles of each pair; 0 where the article has hardly a body.

    Of an interview that is nearly all quotation, a shared sentence of the remainder would
    otherwise pass for half an article.

    Args:
        words: int64 (n_articles,), tokens of each article.
        matches: the pairs.
    """
    of_pairs = words[matches.pairs].reshape(-1, 2)
    substantial = matches.net_words[:, None] >= np.maximum(SUBSTANTIAL * of_pairs, 1)
    return np.where(substantial, matches.net, 0.0)


def _outlets(sources: NDArray[np.int32], fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
    """int64 (n,), a number for the source of each article; where unknown, one for its text.

    Equal texts from nowhere are more likely one page read twice than printed twice.
    """
    numbers = sources.astype(np.int64)
    texts = np.zeros(len(numbers), np.int64)
    texts[1:] = np.cumsum(fingerprints[1:] != fingerprints[:-1])
    return np.where(numbers >= 0, numbers, numbers.max(initial=-1) + 1 + texts)


def _together(roots: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The articles of each cluster of several, ascending."""
    several = np.flatnonzero(np.bincount(roots)[roots] > 1)
    order = several[np.argsort(roots[several], kind="stable")]
    ordered = roots[order]
    ends = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    return np.split(order, ends) if len(order) else []


def _describe(
    articles: Articles,
    words: NDArray[np.int64],
    members: NDArray[np.int64],
    own: NDArray[np.float64],
    published: dict[int, str | None],
    sources: dict[int, str | None],
) -> Family:
    fullest = sorted(members.tolist(), key=lambda k: (-int(words[k]), k))
    representative = next((k for k in fullest if own[k] >= OWN_COPY), fullest[0])
    dates = [d for k in fullest if (d := published[k]) is not None]
    return Family(
        name=f"f{int(articles.fingerprints[members[0]]):016x}",
        members=members.tolist(),
        representative=representative,
        first_seen=min(dates, default=None),
        sources=sorted({s for k in fullest if (s := sources[k]) is not None}),
    )


def _precedence(
    articles: Articles, families: list[Family], published: dict[int, str | None]
) -> NDArray[np.int64]:
    """int64 (n,), a rank within its family of each member: the earlier published is lower.

    Where a member has no date, the fuller text is taken for the earlier one: papers cut.
    """
    rank = np.zeros(len(articles), np.int64)
    words = articles.words
    for family in families:
        dated = all(published[k] is not None for k in family.members)
        ordered = sorted(
            family.members,
            key=lambda k: ((published[k] or "") if dated else "", -int(words[k]), k),
        )
        rank[ordered] = np.arange(len(ordered))
    return rank


@kernel
def _find_origins(
    pairs: NDArray[np.int64],
    shares: NDArray[np.float64],
    rank: NDArray[np.int64],
    threshold: float,
    origin: NDArray[np.int64],
) -> None:
    """Of the members before it in rank, the one that holds most of an article; of equals the first."""
    best = np.zeros(len(origin))
    for p in range(len(pairs)):
        for side in range(2):
            article, other = pairs[p, side], pairs[p, 1 - side]
            share = shares[p, side]
            if rank[other] >= rank[article] or share < threshold:
                continue
            known = origin[article] >= 0
            if share > best[article] or (
                share == best[article] and (not known or rank[other] < rank[origin[article]])
            ):
                best[article] = share
                origin[article] = other


def _origins_in_groups(
    groups: NDArray[np.int64],
    rank: NDArray[np.int64],
    families: list[Family],
    origin: NDArray[np.int64],
) -> None:
    """Of large groups of near-duplicates not all pairs are listed: their first member stands in."""
    for family in families:
        first: dict[int, int] = {}
        for k in sorted(family.members, key=rank.__getitem__):
            earliest = first.setdefault(int(groups[k]), k)
            if origin[k] < 0 and earliest != k:
                origin[k] = earliest
