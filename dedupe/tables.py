"""Results as tables: the columns other programs rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

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
from dedupe.families import reused_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.families import Families
    from dedupe.ingest import Articles
    from dedupe.matching import Matches

__all__ = [
    "PAIR_KINDS",
    "documents_table",
    "families_table",
    "pairs_table",
    "passages_table",
]

PAIR_KINDS = ("exact", "near", "partial")


def _strings(names: tuple[str, ...], codes: NDArray[np.int64]) -> pl.Series:
    return pl.Series(names, dtype=pl.String).gather(codes)


def _swapped(articles: Articles, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the first article of a pair has the later id: tables put the earlier id first."""
    rank = np.empty(len(articles), np.int64)
    rank[sorted(range(len(articles)), key=articles.ids.__getitem__)] = np.arange(len(articles))
    return rank[pairs[:, 0]] > rank[pairs[:, 1]]


def documents_table(articles: Articles, matches: Matches, families: Families) -> pl.DataFrame:
    """One row per article, by id: what it is, how much of it is reused, where it belongs.

    `reused_share` is the share of its words in passages that any other article also has.
    """
    n = len(articles)
    family = [None] * n
    for one in families.families:
        for k in one.members:
            family[k] = one.name  # type: ignore[call-overload]
    reused = reused_words(matches, n) / np.maximum(articles.words, 1)
    return pl.DataFrame(
        {
            "id": articles.ids,
            "source": articles.sources,
            "title": articles.titles,
            "published": articles.published,
            "words": articles.words,
            "family": family,
            "reused_share": reused,
            "origin": [articles.ids[k] if k >= 0 else None for k in families.origin.tolist()],
            "round_up": families.round_ups,
        },
        schema={
            "id": pl.String,
            "source": pl.String,
            "title": pl.String,
            "published": pl.String,
            "words": pl.UInt32,
            "family": pl.String,
            "reused_share": pl.Float32,
            "origin": pl.String,
            "round_up": pl.Boolean,
        },
    ).sort("id")


def pairs_table(articles: Articles, matches: Matches, config: Config) -> pl.DataFrame:
    """One row per verified pair, `a` before `b` by id; shares name their direction."""
    swap = _swapped(articles, matches.pairs)
    side = np.stack([swap, ~swap], axis=1).astype(np.int64)
    pairs = np.take_along_axis(matches.pairs, side, axis=1)
    shares = np.take_along_axis(matches.shares, side, axis=1)
    net = np.take_along_axis(matches.net, side, axis=1)
    prints = articles.fingerprints[pairs]
    kind = np.where(matches.resemblance >= config.near, 1, 2)
    kind[prints[:, 0] == prints[:, 1]] = 0
    ids = pl.Series(articles.ids, dtype=pl.String)
    return pl.DataFrame(
        {
            "a": ids.gather(pairs[:, 0]),
            "b": ids.gather(pairs[:, 1]),
            "kind": _strings(PAIR_KINDS, kind),
            "resemblance": pl.Series(matches.resemblance, dtype=pl.Float32),
            "a_in_b": pl.Series(shares[:, 0], dtype=pl.Float32),
            "b_in_a": pl.Series(shares[:, 1], dtype=pl.Float32),
            "net_a_in_b": pl.Series(net[:, 0], dtype=pl.Float32),
            "net_b_in_a": pl.Series(net[:, 1], dtype=pl.Float32),
            "shared_words": pl.Series(matches.shared_words).cast(pl.UInt32),
        }
    ).sort("a", "b")


def passages_table(articles: Articles, matches: Matches) -> pl.DataFrame:
    """One row per passage; offsets count code points of the raw texts."""
    rows = matches.passages
    starts, ends = articles.spool.column("starts"), articles.spool.column("ends")
    pairs = matches.pairs[rows[:, PAIR]]
    first = articles.spans[pairs, 0]
    a = starts[first[:, 0] + rows[:, A_START]], ends[first[:, 0] + rows[:, A_END] - 1]
    b = starts[first[:, 1] + rows[:, B_START]], ends[first[:, 1] + rows[:, B_END] - 1]
    swap = _swapped(articles, matches.pairs)[rows[:, PAIR]]
    ids = pl.Series(articles.ids, dtype=pl.String)
    return pl.DataFrame(
        {
            "a": ids.gather(np.where(swap, pairs[:, 1], pairs[:, 0])),
            "b": ids.gather(np.where(swap, pairs[:, 0], pairs[:, 1])),
            "a_start": np.where(swap, b[0], a[0]),
            "a_end": np.where(swap, b[1], a[1]),
            "b_start": np.where(swap, a[0], b[0]),
            "b_end": np.where(swap, a[1], b[1]),
            "kind": _strings(PASSAGE_KINDS, rows[:, KIND]),
            "moved": rows[:, MOVED] == 1,
            "role": _strings(PASSAGE_ROLES, rows[:, ROLE]),
        }
    ).sort("a", "b", "b_start", "a_start")


def families_table(articles: Articles, families: Families) -> pl.DataFrame:
    """One row per family, largest first."""
    rows = families.families
    return pl.DataFrame(
        {
            "family": [f.name for f in rows],
            "size": [len(f.members) for f in rows],
            "representative": [articles.ids[f.representative] for f in rows],
            "first_seen": [f.first_seen for f in rows],
            "sources": [f.sources for f in rows],
        },
        schema={
            "family": pl.String,
            "size": pl.UInt32,
            "representative": pl.String,
            "first_seen": pl.String,
            "sources": pl.List(pl.String),
        },
    )
