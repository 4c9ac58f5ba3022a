"""Both tiers of candidates, verification and alignment: from articles to verified pairs.

What is expensive is done in worker threads over fixed slices, so that the result is the
same for any number of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from dedupe._jit import kernel
from dedupe._threads import in_slices
from dedupe.align import PAIR, align_pairs
from dedupe.boilerplate import Known, known_by_article, mark_boilerplate
from dedupe.lsh import NearGroups, band_candidates, group_by_representative
from dedupe.measures import ASIDE, Matches, Measures, count_reused, coverage, mark_reused
from dedupe.postings import assign_roles, build_postings, candidates, strongest
from dedupe.shingle import distinct
from dedupe.sketch import min_shared_by_size, min_shared_hashes, sketch_limit
from dedupe.verify import (
    NO_DOUBT,
    Doubt,
    distinct_shingles,
    in_pairs,
    resemblance,
    shared_shingles,
    shared_words,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.ingest import Articles
    from dedupe.measures import Tokenised

    T = TypeVar("T")

__all__ = ["QUORUM", "find_matches", "longer_first", "match_pairs", "turned"]

QUORUM = 3
"""Members on each side that bear out a link between two clusters (`dedupe.cluster`)."""

_PAIRS_PER_TASK, _ALIGNED_PER_TASK, _NEAR_PER_TASK = 512, 128, 128
_SIZES_PER_TASK = 1024
_ARTICLES_PER_TASK = 4096


def find_matches(
    articles: Articles, config: Config, stage: Callable[[str], None] = lambda _: None
) -> Matches:
    """All verified pairs of a corpus. `stage` is told the name of each stage as it begins.

    Without `config.passages` only pairs that may link families are aligned, and shares are of
    the words in shared shingles.
    """
    counts: dict[str, int] = {}
    stage("near-duplicates")
    copy_of = _exact_copies(articles)
    groups = _near_groups(articles, copy_of, config, counts)
    stage("postings")
    proposed, known = _partial_candidates(articles, copy_of, groups, config, counts)
    articles.drop_features()
    stage("verify")
    long_enough = articles.words >= config.min_shared_words
    pairs = _expand(proposed, copy_of, groups, config.max_group_pairs, long_enough, counts)
    pairs = longer_first(pairs, articles.words)
    counts["pairs_checked"] = len(pairs)
    _mark_boilerplate(articles, in_pairs(len(articles), pairs), known, config)
    return match_pairs(articles, pairs, config, counts, stage)


def match_pairs(
    articles: Tokenised,
    pairs: NDArray[np.int64],
    config: Config,
    counts: dict[str, int],
    stage: Callable[[str], None] = lambda _: None,
) -> Matches:
    """Verify candidates on all shingles, and align those that hold.

    Args:
        articles: their tokens, with known boilerplate marked.
        pairs: int64 (n_pairs, 2), as from `longer_first`.
        config: the settings.
        counts: what was found is added here.
        stage: told when alignment begins.
    """
    flags = articles.spool.column("flags")
    pairs = pairs[_by_families(pairs, len(articles))]
    shared, covered = _verify(pairs, articles, config)
    enough = shared >= config.min_shared_shingles
    pairs, shared, covered = pairs[enough], shared[enough], covered[enough]
    counts["pairs_verified"] = len(pairs)
    jaccard = resemblance(pairs, shared, _sizes(pairs, articles, config))
    measured = Measures(articles, pairs, covered, flags)
    aligned = np.ones(len(pairs), np.bool_)
    if not config.passages:
        aligned = _may_link(measured, covered[:, 4], jaccard, config)
    del enough, shared, covered  # 48 bytes a pair
    stage("align")
    counts["pairs_aligned"] = int(aligned.sum())
    reused = np.zeros(len(flags), np.bool_)
    found = _align_all(articles, pairs[aligned], reused, config)
    measured.take(np.flatnonzero(aligned), found.totals)
    masks = np.zeros((len(pairs), 2), np.uint64)
    masks[aligned] = found.masks
    passages = found.passages
    del found  # whose totals are most of what there is of a pair
    # Shared shingles that all repeat too often to seed a match leave nothing to show.
    shown = np.flatnonzero(measured.shared_words > 0)
    counts["pairs_without_passage"] = len(pairs) - len(shown)
    shown = shown[np.argsort(pairs[shown, 0] * len(articles) + pairs[shown, 1])]
    if len(passages):
        number = np.empty(len(pairs), np.int32)
        number[shown] = np.arange(len(shown))
        passages[:, PAIR] = number[passages[:, PAIR]]
        passages = passages[np.argsort(passages[:, PAIR], kind="stable")]
    return Matches(
        pairs=pairs[shown],
        resemblance=jaccard[shown],
        shared_words=measured.shared_words[shown],
        shares=measured.shares[shown],
        net=measured.net[shown],
        net_words=measured.net_words[shown],
        body=measured.body[shown],
        passages=passages,
        masks=masks[shown],
        reused_words=count_reused(articles.spans, pairs[aligned], reused),
        counts=counts,
    )


def _by_families(pairs: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Order in which pairs of n articles are worked on: those of a family together, then by a.

    A family's articles are everywhere in the corpus. Its pairs are here those of an article whose
    first partner is the same: not of one component, which may be most of a corpus.
    """
    first = np.arange(n)
    np.minimum.at(first, pairs[:, 0], pairs[:, 1])
    np.minimum.at(first, pairs[:, 1], pairs[:, 0])
    # The family and the place in one number: a tenth of the time that a stable sort takes.
    return np.sort(first[pairs[:, 0]] * len(pairs) + np.arange(len(pairs))) % max(len(pairs), 1)


def longer_first(pairs: NDArray[np.int64], words: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs turned and sorted so that a long article is indexed once, and short ones run past it."""
    pairs = turned(pairs, words)
    # Sorted as one number each, in vectors: a tenth of the time that two columns take.
    packed = np.sort(pairs[:, 0] * len(words) + pairs[:, 1])
    return np.stack([packed // max(len(words), 1), packed % max(len(words), 1)], axis=1)


def turned(pairs: NDArray[np.int64], words: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs with the longer article first; those of equal length as they are."""
    turn = words[pairs[:, 0]] < words[pairs[:, 1]]
    return np.where(turn[:, None], pairs[:, ::-1], pairs)


def _count_shared(
    pairs: NDArray[np.int64], articles: Articles, config: Config
) -> NDArray[np.int64]:
    """int64 (n_pairs,), distinct shingles each pair shares."""

    def count(part: NDArray[np.int64]) -> NDArray[np.int64]:
        here = articles.spool.excerpt(part, articles.spans, "hashes", "grams")
        hashes, grams = here.columns
        return shared_shingles(here.rows, here.spans, hashes, config.shingle, grams)

    parts = _by_slices(count, pairs, config, _NEAR_PER_TASK)
    return np.concatenate([np.empty(0, np.int64), *parts])


def _sizes(pairs: NDArray[np.int64], articles: Tokenised, config: Config) -> NDArray[np.int64]:
    """int64 (n_articles,), distinct shingles of each article of the pairs."""

    def count(part: NDArray[np.int64]) -> NDArray[np.int64]:
        here = articles.spool.excerpt(part, articles.spans, "hashes", "grams")
        hashes, grams = here.columns
        return distinct_shingles(here.rows, here.spans, hashes, config.shingle, grams)

    wanted = np.flatnonzero(in_pairs(len(articles), pairs))
    sizes = np.zeros(len(articles), np.int64)
    parts = _by_slices(count, wanted, config, _SIZES_PER_TASK)
    sizes[wanted] = np.concatenate([np.empty(0, np.int64), *parts])
    return sizes


def _verify(
    pairs: NDArray[np.int64], articles: Tokenised, config: Config
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Shared shingles and words of each pair, as `dedupe.verify.shared_words` gives them."""
    enough = config.min_shared_shingles
    doubt = NO_DOUBT if config.passages else _doubt(config)

    def count(part: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        here = articles.spool.excerpt(part, articles.spans, "hashes", "grams", "flags")
        hashes, grams, flags = here.columns
        return shared_words(
            here.rows, here.spans, hashes, grams, flags, config.shingle, ASIDE, enough, doubt
        )

    parts = _by_slices(count, pairs, config)
    return (
        np.concatenate([np.empty(0, np.int64), *(part[0] for part in parts)]),
        np.concatenate([np.empty((0, 5), np.int64), *(part[1] for part in parts)]),
    )


def _by_slices(
    work: Callable[[NDArray[np.int64]], T],
    rows: NDArray[np.int64],
    config: Config,
    size: int | None = None,
) -> list[T]:
    """The results of work(rows) for slices of pairs or articles, in threads."""
    size = size or _PAIRS_PER_TASK
    return in_slices(
        lambda first, last: work(rows[first:last]), len(rows), size, config.worker_threads
    )


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
        articles.bands[preferred],
        words[preferred] >= config.shingle,
        config.worker_threads,
    )
    counts["near_candidates"] = len(proposed)
    numbered = preferred[proposed]
    order = _by_families(numbered, n)
    shared = np.empty(len(numbered), np.int64)
    shared[order] = _count_shared(numbered[order], articles, config)
    jaccard = resemblance(numbered, shared, _sizes(numbered, articles, config))
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
) -> tuple[NDArray[np.int64], Known]:
    """Tier two: pairs that share sketch hashes, and the boilerplate of each article."""
    n = len(articles)
    posted = np.zeros(len(articles.sketch), np.bool_)
    _posted(articles.sketch_offsets, articles.sketch, copy_of, groups.representative, posted)
    postings = build_postings(
        articles.sketch_offsets,
        articles.sketch,
        posted,
        largest=int(sketch_limit(articles.scale)),
        threads=config.worker_threads,
    )
    source_of = articles.source_of
    roles = assign_roles(
        postings,
        articles.sketch_offsets,
        articles.sketch,
        source_of,
        scale=articles.scale,
        within_source=config.boilerplate_articles,
        max_posting=config.max_posting,
        hubs=config.hubs,
        threads=config.worker_threads,
    )
    lengths = np.diff(postings.offsets)
    long = lengths > config.max_posting
    counts["sketch_hashes"] = len(articles.sketch)
    counts["postings"] = len(postings.hashes)
    counts["postings_limited_to_hubs"] = int((long & ~roles.common).sum())
    counts["postings_common"] = int(roles.common.sum())
    counts["postings_boilerplate"] = int(roles.boilerplate.sum())
    known = known_by_article(
        articles.sketch_offsets,
        articles.sketch,
        postings.hashes[roles.boilerplate],
        config.worker_threads,
    )
    counts["articles_with_boilerplate"] = int(known.found.sum())
    # Members of a group have what they did not post in their sizes: more is asked of them, not less.
    aside = roles.furniture | np.repeat(roles.boilerplate, lengths)
    sizes = np.diff(articles.sketch_offsets) - np.bincount(postings.articles[aside], minlength=n)
    between_sources = min_shared_by_size(sizes, articles.scale, config)
    found = in_slices(
        lambda first, last: candidates(
            postings,
            roles,
            source_of,
            min_shared_hashes(articles.scale, config),
            config.max_posting,
            first,
            last,
            between_sources,
        ),
        n,
        _ARTICLES_PER_TASK,
        config.worker_threads,
    )
    every = np.concatenate([np.empty((0, 3), np.int64), *found])
    counts["partial_candidates"] = len(every)
    kept = strongest(every, n, config.max_partners)
    counts["candidates_left_out"] = len(every) - int(kept.sum())
    return np.ascontiguousarray(every[kept, :2]), known


@kernel
def _add_pair(out: NDArray[np.int64], n: int, x: int, y: int) -> int:
    """Write a pair if there is room at all; the number of pairs so far."""
    if len(out):
        out[n, 0], out[n, 1] = x, y
    return n + 1


@kernel
def _member(
    x: int,
    k: int,
    leader: NDArray[np.int64],
    offsets: NDArray[np.int64],
    members: NDArray[np.int64],
) -> int:
    """The k-th article that x stands for, itself first.

    A representative stands for its group, another article for its exact copies, which have
    neighbouring numbers.
    """
    if leader[x] != x:
        return x + k
    if k == 0:
        return x
    # The group ascends: those before x move up by one.
    other = members[offsets[x] + k]
    return other if other > x else members[offsets[x] + k - 1]


@kernel
def _expand_pairs(
    proposed: NDArray[np.int64],
    leader: NDArray[np.int64],
    offsets: NDArray[np.int64],
    members: NDArray[np.int64],
    copies: NDArray[np.int64],
    max_group_pairs: int,
    long_enough: NDArray[np.bool_],
    out: NDArray[np.int64],
) -> tuple[int, int]:
    """Write the pairs, or without room count them; also how many are implied and not written."""
    n, implied = 0, 0
    for row in range(len(proposed)):
        x, y = proposed[row, 0], proposed[row, 1]
        n_x = offsets[x + 1] - offsets[x] if leader[x] == x else copies[x]
        n_y = offsets[y + 1] - offsets[y] if leader[y] == y else copies[y]
        full = n_x * n_y <= max_group_pairs
        few = not full and n_x + n_y > max_group_pairs
        # Few: enough to bear out the link, of which one pair would be no proof (`cluster._quorum`).
        most_x, most_y = (min(n_x, QUORUM), min(n_y, QUORUM)) if few else (n_x, n_y)
        for i in range(most_x):
            member_x = _member(x, i, leader, offsets, members)
            for j in range(most_y if full or few else 1):
                n = _add_pair(out, n, member_x, _member(y, j, leader, offsets, members))
        if not full and not few:
            for j in range(1, n_y):
                n = _add_pair(out, n, x, _member(y, j, leader, offsets, members))
        if not full and long_enough[x] and long_enough[y]:
            implied += n_x * n_y - (most_x * most_y if few else n_x + n_y - 1)
    for x in range(len(leader)):
        first, size = offsets[x], offsets[x + 1] - offsets[x]
        total = size * (size - 1) // 2
        if total > max_group_pairs:
            for i in range(size):
                if members[first + i] != x:
                    n = _add_pair(out, n, x, members[first + i])
            implied += total - (size - 1) if long_enough[x] else 0
        else:
            for i in range(size):
                for j in range(i + 1, size):
                    n = _add_pair(out, n, members[first + i], members[first + j])
    return n, implied


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
    copies = np.bincount(copy_of, minlength=n)
    arrays = (proposed, *groups, copies, max_group_pairs, long_enough)
    rows, _ = _expand_pairs(*arrays, np.empty((0, 2), np.int64))
    found = np.empty((rows, 2), np.int64)
    _, counts["pairs_implied_by_groups"] = _expand_pairs(*arrays, found)
    packed = distinct(np.minimum(*found.T) * n + np.maximum(*found.T))
    pairs = np.stack([packed // max(n, 1), packed % max(n, 1)], axis=1)
    apart: NDArray[np.int64] = pairs[pairs[:, 0] != pairs[:, 1]]
    return apart


def _mark_boilerplate(
    articles: Articles, wanted: NDArray[np.bool_], known: Known, config: Config
) -> None:
    """Mark boilerplate in the articles wanted, bool (n_articles,), in threads."""
    limit = sketch_limit(articles.scale)
    flags = articles.spool.column("flags")

    def mark(part: NDArray[np.int64]) -> None:
        here = articles.spool.excerpt(part, articles.spans, "hashes", "grams")
        hashes, grams = here.columns
        mine = Known(known.spans[part], known.hashes)
        begins = articles.spans[part, 0]
        mark_boilerplate(
            here.rows, here.spans, hashes, grams, flags, config.shingle, limit, mine, begins
        )

    _by_slices(mark, np.flatnonzero(wanted & known.found), config)


class _Aligned(NamedTuple):
    """Alignments of pairs: passages, if they are wanted, masks and totals, as in `Matches`."""

    passages: NDArray[np.int32]
    masks: NDArray[np.uint64]
    totals: NDArray[np.int64]


def _align_all(
    articles: Tokenised,
    pairs: NDArray[np.int64],
    reused: NDArray[np.bool_],
    config: Config,
) -> _Aligned:
    """Align all pairs, and mark the words in passages as reused."""
    words = articles.words

    def align(part: NDArray[np.int64]) -> _Aligned:
        here = articles.spool.excerpt(part, articles.spans, "hashes", "flags")
        hashes, flags = here.columns
        found = align_pairs(here.rows, here.spans, hashes, flags)
        passages = found.passages.astype(np.int32)
        mark_reused(articles.spans, part, passages, reused)
        masks = coverage(passages, part, words)
        kept = passages if config.passages else passages[:0].copy()
        return _Aligned(kept, masks, found.totals)

    parts = [align(pairs[:0]), *_by_slices(align, pairs, config, _ALIGNED_PER_TASK)]
    for number, part in enumerate(parts[1:]):
        part.passages[:, PAIR] += number * _ALIGNED_PER_TASK
    return _Aligned(*(np.concatenate(column) for column in zip(*parts, strict=True)))


MAY_LINK = 0.25
"""Where passages are not wanted, pairs are aligned whose net share of words in shared shingles is
this part of the share that links two articles. docs/design.md says what is lost by it."""

REACH = 4
"""Widths of a shingle on either side of a shared one among which an alignment may find more words. However
much a copy is edited, few words of it are further from all that was not, as are most words beside a shared
quotation."""

LIKELY = 0.8
"""Part of the share that links two articles which a pair must have with the words that both articles have
there: less than all of it, since an alignment finds some beyond. Of the pairs of the news corpus that it
does not link, one in twenty is aligned."""


def _doubt(config: Config) -> Doubt:
    """Pairs that may link, or not, by the words in shared shingles alone."""
    return Doubt(MAY_LINK * config.threshold, LIKELY * config.threshold, REACH * config.shingle)


def _may_link(
    measured: Measures,
    common: NDArray[np.int64],
    jaccard: NDArray[np.float64],
    config: Config,
) -> NDArray[np.bool_]:
    """Bool (n_pairs,): pairs that an alignment may show to be family.

    `common` is int64 (n_pairs,), net words within reach of shared shingles in both articles alike.
    """
    least, most, _ = _doubt(config)
    share = measured.net.max(axis=1, initial=0)
    # What one text has again and again can be much of it, and little of the other one.
    enough = share >= most
    enough |= (share >= least) & (common / np.maximum(measured.body.min(axis=1), 1) >= most)
    links: NDArray[np.bool_] = enough | (jaccard >= config.near)
    return links
