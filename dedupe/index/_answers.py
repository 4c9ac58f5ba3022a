"""What was found of an article, as the caller is told it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe.align import (
    A_END,
    A_START,
    B_END,
    B_START,
    KIND,
    MATCHED,
    MOVED,
    PAIR,
    PASSAGE_KINDS,
    PASSAGE_ROLES,
    ROLE,
)
from dedupe.classify import TextSpan
from dedupe.index._neighbours import DENSE
from dedupe.index._records import Match, Reuse, ReusedPassage
from dedupe.tokens import PARAGRAPH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.index._checking import Neighbourhood
    from dedupe.index._records import PairKind, Status
    from dedupe.records import Article

__all__ = ["Asked", "answer", "estimates"]

_RANK = {"exact": 0, "near": 1, "partial": 2}


class Asked(NamedTuple):
    """An article that was asked about.

    Attributes:
        article: as it came.
        status: what became of it, or would.
        words: tokens of it.
        left_out: candidates not looked at.
        hidden: numbers of articles of the index that are not told of.
    """

    article: Article
    status: Status
    words: int
    left_out: int
    hidden: set[int]


class _Other(NamedTuple):
    """An earlier article: what it is, since when it is there, and what the two share."""

    since: int
    reuse: Reuse
    spans: NDArray[np.int64]  # first token and token after the last of passages in the new article


def answer(
    asked: Asked,
    own: int,
    others: Sequence[tuple[int, Article]],
    found: Neighbourhood,
    family: str | None,
    config: Config,
) -> Match:
    """What is known of one article.

    Args:
        asked: the article.
        own: its number in the neighbourhood.
        others: for each article of the neighbourhood since when it is there, and what it is.
        found: the neighbourhood.
        family: the name of its family.
        config: the settings.
    """
    earlier = _earlier(asked, own, others, found, config)
    earlier.sort(key=lambda o: (_RANK[o.reuse.kind], -o.reuse.shared_words, o.since, o.reuse.of))
    reuses = tuple(other.reuse for other in earlier)
    covered = np.zeros(asked.words, np.bool_)
    chosen: list[ReusedPassage] = []
    for other in earlier:
        for passage, (start, end) in zip(other.reuse.passages, other.spans.tolist(), strict=True):
            # Each stretch is told of the best that has it.
            if 2 * int(covered[start:end].sum()) < end - start:
                chosen.append(passage)
            covered[start:end] = True
    chosen.sort(key=lambda passage: (passage.start, passage.end, passage.of))
    return Match(
        id=asked.article.id,
        kind=reuses[0].kind if reuses else "unique",
        status=asked.status,
        of=tuple(reuse.of for reuse in reuses),
        reuses=reuses,
        passages=tuple(chosen),
        added=_added(asked, own, found, covered),
        words=asked.words,
        added_words=asked.words - int(covered.sum()),
        # Of a batch, what came later founds no family yet.
        family=family if reuses or asked.status == "unchanged" else None,
        verified=True,
        left_out=asked.left_out,
        too_short=asked.words < config.min_shared_words,
    )


def _earlier(
    asked: Asked,
    own: int,
    others: Sequence[tuple[int, Article]],
    found: Neighbourhood,
    config: Config,
) -> list[_Other]:
    """The articles before it that share text with it."""
    matches = found.matches
    told: list[_Other] = []
    if not len(matches.pairs):
        return told
    for row in np.flatnonzero((matches.pairs == own).any(axis=1)).tolist():
        side = int(matches.pairs[row, 1] == own)
        other = int(matches.pairs[row, 1 - side])
        since, article = others[other]
        if other > own:  # of the same batch, and later
            continue
        if other < len(found.records) and found.records[other].number in asked.hidden:
            continue
        passages, spans = _passages(article.id, row, side, own, other, found)
        shares, net = matches.shares[row], matches.net[row]
        reuse = Reuse(
            of=article.id,
            kind=_kind(found, own, other, float(matches.resemblance[row]), config),
            source=article.source,
            title=article.title,
            published=article.published,
            url=article.url,
            resemblance=float(matches.resemblance[row]),
            article_in_other=float(shares[side]),
            other_in_article=float(shares[1 - side]),
            net_article_in_other=float(net[side]),
            net_other_in_article=float(net[1 - side]),
            shared_words=int(matches.shared_words[row]),
            passages=passages,
        )
        told.append(_Other(since, reuse, spans))
    return told


def _kind(
    found: Neighbourhood, own: int, other: int, resemblance: float, config: Config
) -> PairKind:
    words = found.words
    if found.fingerprints[own] == found.fingerprints[other] and words[own] == words[other]:
        return "exact"
    return "near" if resemblance >= config.near else "partial"


def _passages(
    of: str, row: int, side: int, own: int, other: int, found: Neighbourhood
) -> tuple[tuple[ReusedPassage, ...], NDArray[np.int64]]:
    """Passages of one pair in the order of the new article, and where they are in its tokens."""
    every = found.matches.passages
    first, last = np.searchsorted(every[:, PAIR], [row, row + 1])
    rows = every[first:last].astype(np.int64)
    mine, its = ([A_START, A_END], [B_START, B_END])[:: -1 if side else 1]
    rows = rows[np.lexsort((rows[:, its[0]], rows[:, mine[0]]))]
    here, there = found.spans[own, 0], found.spans[other, 0]
    starts, ends = found.columns.starts, found.columns.ends
    places = zip(
        starts[here + rows[:, mine[0]]].tolist(),
        ends[here + rows[:, mine[1]] - 1].tolist(),
        starts[there + rows[:, its[0]]].tolist(),
        ends[there + rows[:, its[1]] - 1].tolist(),
        rows[:, [KIND, MOVED, ROLE, MATCHED]].tolist(),
        strict=True,
    )
    told = tuple(
        ReusedPassage(
            of=of,
            start=start,
            end=end,
            of_start=of_start,
            of_end=of_end,
            kind=PASSAGE_KINDS[kind],
            moved=bool(moved),
            role=PASSAGE_ROLES[role],
            words=words,
        )
        for start, end, of_start, of_end, (kind, moved, role, words) in places
    )
    return told, rows[:, mine]


def _added(
    asked: Asked, own: int, found: Neighbourhood, covered: NDArray[np.bool_]
) -> tuple[TextSpan, ...]:
    """Runs of words that are in no passage, cut at the paragraphs."""
    if asked.words == 0:
        return ()
    first, last = found.spans[own]
    starts, ends = found.columns.starts[first:last], found.columns.ends[first:last]
    free = ~covered
    breaks = (found.columns.flags[first:last] & PARAGRAPH) != 0
    begins, stops = free.copy(), free.copy()
    begins[1:] &= breaks[1:] | covered[:-1]
    stops[:-1] &= breaks[1:] | covered[1:]
    return tuple(
        TextSpan(start, end)
        for start, end in zip(starts[begins].tolist(), ends[stops].tolist(), strict=True)
    )


def estimates(
    asked: Asked,
    others: Sequence[tuple[int, int, Article]],
    same: Sequence[bool],
    shared: Sequence[int],
    sketched: int,
    family: str | None,
    config: Config,
) -> Match:
    """What sketches alone say of an article whose neighbours' texts are not kept.

    Args:
        asked: the article.
        others: since when each earlier one is there, its words, and what it is.
        same: whether their words are the same.
        shared: hashes that both sketches have.
        sketched: one in so many shingles is in the sketches.
        family: the name of its family.
        config: the settings.
    """
    told = []
    for (since, words, article), equal, hashes in zip(others, same, shared, strict=True):
        estimate = estimated(asked.words, words, hashes, sketched, config.shingle, equal=equal)
        kind: PairKind = "near" if estimate.resemblance >= config.near else "partial"
        told.append(
            (
                since,
                Reuse(
                    of=article.id,
                    kind="exact" if equal else kind,
                    source=article.source,
                    title=article.title,
                    published=article.published,
                    url=article.url,
                    resemblance=estimate.resemblance,
                    article_in_other=estimate.words / max(asked.words, 1),
                    other_in_article=estimate.words / max(words, 1),
                    net_article_in_other=estimate.words / max(asked.words, 1),
                    net_other_in_article=estimate.words / max(words, 1),
                    shared_words=estimate.words,
                    passages=(),
                ),
            )
        )
    told.sort(key=lambda one: (_RANK[one[1].kind], -one[1].shared_words, one[0], one[1].of))
    reuses = tuple(reuse for _, reuse in told)
    most = max((reuse.shared_words for reuse in reuses), default=0)
    return Match(
        id=asked.article.id,
        kind=reuses[0].kind if reuses else "unique",
        status=asked.status,
        of=tuple(reuse.of for reuse in reuses),
        reuses=reuses,
        passages=(),
        added=None,
        words=asked.words,
        added_words=asked.words - most,
        family=family,
        verified=False,
        left_out=asked.left_out,
        too_short=asked.words < config.min_shared_words,
    )


class Estimate(NamedTuple):
    """What two sketches say: words shared, and the Jaccard of the sets of shingles."""

    words: int
    resemblance: float


def estimated(
    words: int, others: int, hashes: int, sketched: int, shingle: int, *, equal: bool
) -> Estimate:
    """Shares of two articles of so many words whose sketches share some hashes."""
    if equal:
        return Estimate(min(words, others), 1.0)
    of_one, of_other = max(words - shingle + 1, 1), max(others - shingle + 1, 1)
    # Two short ones keep all of their shingles.
    each = 1 if max(of_one, of_other) <= DENSE else sketched
    shared = min(hashes * each, of_one, of_other)
    return Estimate(min(shared + shingle - 1, words, others), shared / (of_one + of_other - shared))
