"""Both tiers of candidates, verification and alignment: from articles to verified pairs.

What is expensive is done in worker threads over fixed slices, so that the result is the
same for any number of them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dedupe._jit import is_interpreted, kernel
from dedupe.align import NET, PAIR, TOTAL, Alignment, align_pairs, net_words
from dedupe.boilerplate import mark_boilerplate
from dedupe.lsh import NearGroups, band_candidates, group_by_representative
from dedupe.postings import Roles, assign_roles, build_postings, candidates
from dedupe.sketch import min_shared_hashes, sketch_limit
from dedupe.tokens import FURNITURE, QUOTED
from dedupe.verify import resemblance, shared_shingles

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.ingest import Articles

__all__ = ["Matches", "find_matches"]

_PAIRS_PER_TASK = 2048
_ARTICLES_PER_TASK = 4096


@dataclass(frozen=True, slots=True)
class Matches:
    """Verified pairs of articles and what they share.

    Attributes:
        pairs: int64 (n_pairs, 2), article numbers, the longer article first, ascending.
        resemblance: float64 (n_pairs,), exact Jaccard of the shingle sets.
        shared_words: int64 (n_pairs,), words aligned one to one.
        shares: float64 (n_pairs, 2), share of the words of a found in b, and of b in a.
        net: float64 (n_pairs, 2), the same without quotations and boilerplate.
        net_words: int64 (n_pairs,), shared words that are neither.
        passages: int64 (n_passages, 9), as in `dedupe.align.Alignment`.
        counts: what each stage found, thinned or capped, for the run's record.
    """

    pairs: NDArray[np.int64]
    resemblance: NDArray[np.float64]
    shared_words: NDArray[np.int64]
    shares: NDArray[np.float64]
    net: NDArray[np.float64]
    net_words: NDArray[np.int64]
    passages: NDArray[np.int64]
    counts: dict[str, int]


def find_matches(
    articles: Articles, config: Config, stage: Callable[[str], None] = lambda _: None
) -> Matches:
    """All verified pairs of a corpus. `stage` is told the name of each stage as it begins."""
    counts: dict[str, int] = {}
    hashes = articles.spool.column("hashes")
    stage("near-duplicates")
    copy_of = _exact_copies(articles)
    groups = _near_groups(articles, copy_of, hashes, config, counts)
    stage("postings")
    proposed, boilerplate = _partial_candidates(articles, copy_of, groups, config, counts)
    stage("verify")
    long_enough = articles.words >= config.min_shared_words
    pairs = _expand(proposed, copy_of, groups, config.max_group_pairs, long_enough, counts)
    pairs = _longer_first(pairs, articles.words)
    counts["pairs_checked"] = len(pairs)
    shared = _count_shared(pairs, articles, hashes, config)
    enough = shared >= config.min_shared_shingles
    pairs, shared = pairs[enough], shared[enough]
    counts["pairs_verified"] = len(pairs)
    jaccard = resemblance(pairs, shared, articles.spans, hashes, config.shingle)
    stage("align")
    flags = articles.spool.column("flags")
    mark_boilerplate(
        np.unique(pairs),
        articles.spans,
        hashes,
        flags,
        config.shingle,
        sketch_limit(articles.scale),
        boilerplate,
    )
    aligned = _align_all(articles, pairs, hashes, flags, config)
    # Shared shingles that all repeat too often to seed a match leave nothing to show.
    shown = aligned.totals[:, TOTAL] > 0
    counts["pairs_without_passage"] = int((~shown).sum())
    if not shown.all():
        row = np.cumsum(shown) - 1
        aligned.passages[:, PAIR] = row[aligned.passages[:, PAIR]]
        pairs, jaccard = pairs[shown], jaccard[shown]
        aligned = Alignment(aligned.passages, aligned.totals[shown])
    return _measure(articles, pairs, jaccard, flags, aligned, counts)


def _in_slices(work: Callable[[int, int], Any], n: int, size: int, threads: int) -> list[Any]:
    """The results of work(first, last) over slices of [0, n), in order."""
    slices = [(first, min(first + size, n)) for first in range(0, n, size)]
    if len(slices) <= 1 or threads == 1 or is_interpreted():
        return [work(first, last) for first, last in slices]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda s: work(*s), slices))


def _longer_first(pairs: NDArray[np.int64], words: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs turned and sorted so that a long article is indexed once, and short ones run past it."""
    turn = words[pairs[:, 0]] < words[pairs[:, 1]]
    pairs = np.where(turn[:, None], pairs[:, ::-1], pairs)
    ordered: NDArray[np.int64] = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return ordered


def _count_shared(
    pairs: NDArray[np.int64], articles: Articles, hashes: NDArray[np.uint64], config: Config
) -> NDArray[np.int64]:
    """int64 (n_pairs,), distinct shingles each pair shares."""
    parts = _in_slices(
        lambda first, last: shared_shingles(
            pairs[first:last], articles.spans, hashes, config.shingle
        ),
        len(pairs),
        _PAIRS_PER_TASK,
        config.worker_threads,
    )
    return np.concatenate([np.empty(0, np.int64), *parts])


def _exact_copies(articles: Articles) -> NDArray[np.int64]:
    """int64 (n,), the first article with the same words; itself if there is none."""
    n = len(articles)
    numbers = np.arange(n)
    same = np.zeros(n, np.bool_)
    if n:
        words = articles.words
        same[1:] = (articles.fingerprints[1:] == articles.fingerprints[:-1]) & (
            words[1:] == words[:-1]
        )
        same &= words > 0  # nothing is no copy of nothing
    return np.maximum.accumulate(np.where(same, 0, numbers)) if n else numbers


def _near_groups(
    articles: Articles,
    copy_of: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    config: Config,
    counts: dict[str, int],
) -> NearGroups:
    """Tier one: groups of verified near-duplicates, exact copies included."""
    n = len(articles)
    words = articles.words
    numbers = np.arange(n)
    first_copies = numbers[copy_of == numbers]
    # The fullest text represents a group; the number settles ties.
    preferred = first_copies[np.lexsort((first_copies, -words[first_copies]))]
    proposed = band_candidates(
        articles.signatures[preferred],
        words[preferred] >= config.shingle,
        config.bands,
        config.rows,
    )
    counts["near_candidates"] = len(proposed)
    numbered = preferred[proposed]
    shared = _count_shared(numbered, articles, hashes, config)
    jaccard = resemblance(numbered, shared, articles.spans, hashes, config.shingle)
    near = proposed[jaccard >= config.near]
    local = group_by_representative(len(preferred), near)
    leader = numbers.copy()
    leader[preferred] = preferred[local.representative]
    leader = leader[copy_of]
    offsets = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(leader, minlength=n), out=offsets[1:])
    sizes = np.diff(offsets)
    counts["exact_copies"] = int((copy_of != numbers).sum())
    counts["near_groups"] = int((sizes > 1).sum())
    return NearGroups(leader, offsets, np.argsort(leader, kind="stable"))


@kernel
def _posted(
    sketch_offsets: NDArray[np.int64],
    sketch: NDArray[np.uint64],
    copy_of: NDArray[np.int64],
    leader: NDArray[np.int64],
    out: NDArray[np.bool_],
) -> None:
    """Mark what an article posts: all if it leads a group, else what its leader has not."""
    for article in range(len(copy_of)):
        if copy_of[article] != article:
            continue
        first, last = sketch_offsets[article], sketch_offsets[article + 1]
        if leader[article] == article:
            out[first:last] = True
            continue
        k, end = sketch_offsets[leader[article]], sketch_offsets[leader[article] + 1]
        for e in range(first, last):
            while k < end and sketch[k] < sketch[e]:
                k += 1
            out[e] = k == end or sketch[k] != sketch[e]


def _partial_candidates(
    articles: Articles,
    copy_of: NDArray[np.int64],
    groups: NearGroups,
    config: Config,
    counts: dict[str, int],
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Tier two: pairs that share sketch hashes, and the hashes that are boilerplate."""
    n = len(articles)
    posted = np.zeros(len(articles.sketch), np.bool_)
    _posted(articles.sketch_offsets, articles.sketch, copy_of, groups.representative, posted)
    holders = np.repeat(np.arange(n, dtype=np.int32), np.diff(articles.sketch_offsets))
    postings = build_postings(articles.sketch[posted], holders[posted], n)
    source_of = articles.source_numbers()
    roles = assign_roles(
        postings,
        articles.sketch_offsets,
        articles.sketch,
        source_of,
        scale=articles.scale,
        within_source=config.boilerplate_articles,
        max_posting=config.max_posting,
        hubs=config.hubs,
    )
    lengths = np.diff(postings.offsets)
    long = lengths > config.max_posting
    counts["sketch_hashes"] = len(articles.sketch)
    counts["postings"] = len(postings.hashes)
    counts["postings_limited_to_hubs"] = int((long & ~roles.common).sum())
    counts["postings_common"] = int(roles.common.sum())
    counts["postings_boilerplate"] = int(roles.boilerplate.sum())
    counts["articles_with_boilerplate"] = _articles_in(postings.articles, lengths, roles)
    found = _in_slices(
        lambda first, last: candidates(
            postings,
            roles,
            source_of,
            min_shared_hashes(articles.scale, config),
            config.max_posting,
            first,
            last,
        ),
        n,
        _ARTICLES_PER_TASK,
        config.worker_threads,
    )
    pairs = np.concatenate([np.empty((0, 2), np.int64), *found])
    counts["partial_candidates"] = len(pairs)
    return pairs, postings.hashes[roles.boilerplate]


def _articles_in(entries: NDArray[np.int32], lengths: NDArray[np.int64], roles: Roles) -> int:
    return len(np.unique(entries[np.repeat(roles.boilerplate, lengths)]))


def _expand(
    proposed: NDArray[np.int64],
    copy_of: NDArray[np.int64],
    groups: NearGroups,
    max_group_pairs: int,
    long_enough: NDArray[np.bool_],
    counts: dict[str, int],
) -> NDArray[np.int64]:
    """Pairs of articles behind pairs of representatives, and the pairs within groups.

    Returns:
        int64 (n_pairs, 2), lower number first, ascending and distinct. Between or within
        groups with more than `max_group_pairs` pairs only those with a representative are
        there; the others are counted as "pairs_implied_by_groups".
    """
    n = len(copy_of)
    leader = groups.representative
    group_size = np.diff(groups.offsets)
    copies = np.bincount(copy_of, minlength=n)
    stands_for = np.where(leader == np.arange(n), group_size, copies)
    alone = (stands_for[proposed] == 1).all(axis=1)
    parts = [proposed[alone]]
    implied = 0

    def members(x: int) -> NDArray[np.int64]:
        if leader[x] == x:
            return groups.of(x)
        return np.arange(x, x + copies[x])  # exact copies have neighbouring numbers

    for x, y in proposed[~alone].tolist():
        left, right = members(x), members(y)
        total = len(left) * len(right)
        if total > max_group_pairs:
            with_one = np.r_[left, np.full(len(right), x)], np.r_[np.full(len(left), y), right]
            rows = np.stack(with_one, axis=1)
            if len(rows) > max_group_pairs:
                rows = np.array([[x, y]])
            implied += (total - min(total, len(rows))) if long_enough[[x, y]].all() else 0
        else:
            rows = np.stack([np.repeat(left, len(right)), np.tile(right, len(left))], axis=1)
        parts.append(rows)
    for x in np.flatnonzero(group_size > 1).tolist():
        group = groups.of(x)
        total = len(group) * (len(group) - 1) // 2
        if total > max_group_pairs:
            others = group[group != x]
            parts.append(np.stack([np.full(len(others), x), others], axis=1))
            implied += total - len(others) if long_enough[x] else 0
        else:
            i, j = np.triu_indices(len(group), 1)
            parts.append(np.stack([group[i], group[j]], axis=1))
    counts["pairs_implied_by_groups"] = implied
    pairs = np.sort(np.concatenate(parts), axis=1)
    packed = np.unique(pairs[:, 0] * n + pairs[:, 1])
    pairs = np.stack([packed // max(n, 1), packed % max(n, 1)], axis=1)
    distinct: NDArray[np.int64] = pairs[pairs[:, 0] != pairs[:, 1]]
    return distinct


def _align_all(
    articles: Articles,
    pairs: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    flags: NDArray[np.uint8],
    config: Config,
) -> Alignment:
    def work(first: int, last: int) -> Alignment:
        part = align_pairs(pairs[first:last], articles.spans, hashes, flags)
        part.passages[:, PAIR] += first
        return part

    parts = _in_slices(work, len(pairs), _PAIRS_PER_TASK, config.worker_threads)
    empty = align_pairs(pairs[:0], articles.spans, hashes, flags)
    return Alignment(
        np.concatenate([empty.passages, *(part.passages for part in parts)]),
        np.concatenate([empty.totals, *(part.totals for part in parts)]),
    )


@kernel
def _count_aside(
    spans: NDArray[np.int64],
    flags: NDArray[np.uint8],
    wanted: NDArray[np.bool_],
    out: NDArray[np.int64],
) -> None:
    for article in range(len(spans)):
        if wanted[article]:
            for k in range(spans[article, 0], spans[article, 1]):
                out[article] += np.int64((flags[k] & (QUOTED | FURNITURE)) != 0)


def _measure(
    articles: Articles,
    pairs: NDArray[np.int64],
    jaccard: NDArray[np.float64],
    flags: NDArray[np.uint8],
    aligned: Alignment,
    counts: dict[str, int],
) -> Matches:
    """Directed shares, raw and net."""
    wanted = np.zeros(len(articles), np.bool_)
    wanted[pairs.ravel()] = True
    aside = np.zeros(len(articles), np.int64)
    _count_aside(articles.spans, flags, wanted, aside)
    totals = aligned.totals
    words = articles.words[pairs].reshape(-1, 2)
    # What is left of each article without quotations and boilerplate, its own or the other's.
    body = net_words(words, aside[pairs].reshape(-1, 2), totals)
    shared = totals[:, TOTAL]
    net = totals[:, NET]
    return Matches(
        pairs=pairs,
        resemblance=jaccard,
        shared_words=shared,
        shares=shared[:, None] / np.maximum(words, 1),
        net=net[:, None] / np.maximum(body, 1),
        net_words=net,
        passages=aligned.passages,
        counts=counts,
    )
