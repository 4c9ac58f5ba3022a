"""Results as tables: the columns other programs rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from dedupe._threads import in_slices
from dedupe.align import (
    A_END,
    A_START,
    B_END,
    B_START,
    KIND,
    MOVED,
    PAIR,
    PASSAGE_KINDS,
    PASSAGE_ROLES,
    ROLE,
)
from dedupe.places import Places, spans_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.families import Families
    from dedupe.ingest import Articles
    from dedupe.measures import Matches

__all__ = [
    "FAMILIES",
    "PAIR_KINDS",
    "Ranks",
    "documents_table",
    "families_table",
    "pairs_table",
    "passages_table",
]

FAMILIES: dict[str, Any] = {
    "family": pl.String,
    "size": pl.UInt32,
    "representative": pl.String,
    "first_seen": pl.String,
    "sources": pl.List(pl.String),
}
"""Columns of the table of families."""

_ROWS_PER_TASK = 4096

PAIR_KINDS = ("exact", "near", "partial")


def _names(names: tuple[str, ...], codes: NDArray[Any]) -> pl.Series:
    return pl.Series(names, dtype=pl.String).gather(codes)


class Ranks:
    """The order of ids: tables put the lesser id first, and are sorted by ids."""

    def __init__(self, articles: Articles) -> None:
        self.by_id = articles.by_id
        self.of = np.empty(len(articles), np.int64)
        self.of[self.by_id] = np.arange(len(articles))

    def sides(self, pairs: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which pairs are turned, and the order of the turned pairs by both ids."""
        ranks = self.of[pairs]
        swap = ranks[:, 0] > ranks[:, 1]
        key = ranks.min(axis=1) * len(self.of) + ranks.max(axis=1)
        return swap, np.argsort(key, kind="stable")


def documents_table(
    articles: Articles, matches: Matches, families: Families, ranks: Ranks
) -> pl.DataFrame:
    """One row per article, by id: what it is, how much of it is reused, where it belongs.

    `reused_share` is the share of its words in passages that any other article also has.
    """
    n = len(articles)
    number = np.full(n, -1, np.int64)
    for k, one in enumerate(families.families):
        number[one.members] = k
    names = pl.Series([one.name for one in families.families], dtype=pl.String)
    return pl.DataFrame(
        {
            "id": articles.ids,
            "source": articles.sources,
            "title": articles.titles,
            "published": articles.published,
            "words": pl.Series(articles.words).cast(pl.UInt32),
            "family": _gathered(names, number),
            "reused_share": pl.Series(
                matches.reused_words / np.maximum(articles.words, 1), dtype=pl.Float32
            ),
            "origin": _gathered(articles.ids, families.origin),
            "round_up": families.round_ups,
        }
    )[ranks.by_id]


def _gathered(values: pl.Series, places: NDArray[np.int64]) -> pl.Series:
    """The values at some places, null where a place is -1."""
    return values.gather(pl.Series(places).replace(-1, None))


def pairs_table(articles: Articles, matches: Matches, ranks: Ranks, config: Config) -> pl.DataFrame:
    """One row per verified pair, `a` before `b` by id; shares name their direction."""
    swap, order = ranks.sides(matches.pairs)
    side = np.stack([swap, ~swap], axis=1).astype(np.int64)[order]
    pairs = np.take_along_axis(matches.pairs[order], side, axis=1)
    shares = np.take_along_axis(matches.shares[order], side, axis=1)
    net = np.take_along_axis(matches.net[order], side, axis=1)
    prints = articles.fingerprints[pairs]
    resemblance = matches.resemblance[order]
    kind = np.where(resemblance >= config.near, 1, 2)
    kind[prints[:, 0] == prints[:, 1]] = 0
    return pl.DataFrame(
        {
            "a": articles.ids.gather(pairs[:, 0]),
            "b": articles.ids.gather(pairs[:, 1]),
            "kind": _names(PAIR_KINDS, kind),
            "resemblance": pl.Series(resemblance, dtype=pl.Float32),
            "a_in_b": pl.Series(shares[:, 0], dtype=pl.Float32),
            "b_in_a": pl.Series(shares[:, 1], dtype=pl.Float32),
            "net_a_in_b": pl.Series(net[:, 0], dtype=pl.Float32),
            "net_b_in_a": pl.Series(net[:, 1], dtype=pl.Float32),
            "shared_words": pl.Series(matches.shared_words[order]).cast(pl.UInt32),
        }
    )


def passages_table(
    articles: Articles, matches: Matches, ranks: Ranks, config: Config
) -> pl.DataFrame:
    """One row per passage; offsets count code points of the raw texts."""
    rows = matches.passages
    swap, order = ranks.sides(matches.pairs if len(rows) else matches.pairs[:0])
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    pairs = matches.pairs[rows[:, PAIR]]
    a_start, a_end = _raw_spans(articles, pairs[:, 0], rows[:, [A_START, A_END]], config)
    b_start, b_end = _raw_spans(articles, pairs[:, 1], rows[:, [B_START, B_END]], config)
    turned = swap[rows[:, PAIR]]
    spans = {
        "a_start": np.where(turned, b_start, a_start),
        "a_end": np.where(turned, b_end, a_end),
        "b_start": np.where(turned, a_start, b_start),
        "b_end": np.where(turned, a_end, b_end),
    }
    # The pair and the start in b as one number: sorting by two keys is quicker than by three.
    place_in_b = place[rows[:, PAIR]] << 32 | spans["b_start"]
    by_place = np.lexsort((spans["a_start"], place_in_b))
    rows, pairs, turned = rows[by_place], pairs[by_place], turned[by_place]
    return pl.DataFrame(
        {
            "a": articles.ids.gather(np.where(turned, pairs[:, 1], pairs[:, 0])),
            "b": articles.ids.gather(np.where(turned, pairs[:, 0], pairs[:, 1])),
            **{name: span[by_place] for name, span in spans.items()},
            "kind": _names(PASSAGE_KINDS, rows[:, KIND]),
            "moved": rows[:, MOVED] == 1,
            "role": _names(PASSAGE_ROLES, rows[:, ROLE]),
        }
    )


def _raw_spans(
    articles: Articles, numbers: NDArray[np.int64], tokens: NDArray[np.int32], config: Config
) -> NDArray[np.uint32]:
    """Code points at which tokens of articles start, and end: uint32 (2, n)."""
    if not len(numbers):  # where they stand may not have been kept
        return np.empty((2, 0), np.uint32)
    out = np.empty((len(numbers), 2), np.uint32)
    order = np.argsort(numbers, kind="stable")  # so that each article is looked at once

    def find(first: int, last: int) -> None:
        rows = order[first:last]
        part = numbers[rows]
        here = articles.spool.excerpt(part, articles.spans, "steps")
        runs = np.concatenate([here.rows[:, None], tokens[rows]], axis=1)
        places = Places(here.columns[0], articles.far)
        out[rows] = spans_of(runs, here.spans, places, articles.spans[part, 0])

    in_slices(find, len(numbers), _ROWS_PER_TASK, config.worker_threads)
    return out.T


def families_table(articles: Articles, families: Families) -> pl.DataFrame:
    """One row per family, largest first."""
    rows = families.families
    return pl.DataFrame(
        {
            "family": [f.name for f in rows],
            "size": [len(f.members) for f in rows],
            "representative": articles.ids.gather([f.representative for f in rows]),
            "first_seen": [f.first_seen for f in rows],
            "sources": [f.sources for f in rows],
        },
        schema=FAMILIES,
    )
