"""New articles read: their tokens, and what they are found by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from dedupe.features import extract
from dedupe.index._codec import pack_text
from dedupe.index._neighbours import Sketches, thin
from dedupe.ingest import tokens_of
from dedupe.records import Batch, encode_text
from dedupe.sketch import sketch_limit
from dedupe.spool import Columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.records import Article

__all__ = ["Read", "batch_of", "read_articles", "read_texts", "without_bands"]


@dataclass(slots=True)
class Read:
    """Some articles, read.

    Attributes:
        texts: their UTF-8.
        bodies: the same, compressed; of articles only.
        offsets: int64 (n + 1,), where the tokens of each begin.
        words: int64 (n,), how many each has.
        columns: of their tokens.
        fingerprints: uint64 (n,).
        sketches: of all their shingles.
    """

    texts: list[bytes]
    bodies: list[bytes]
    offsets: NDArray[np.int64]
    words: NDArray[np.int64]
    columns: Columns
    fingerprints: NDArray[np.uint64]
    sketches: Sketches

    def shingles(self, config: Config) -> int:
        """Shingles of all articles."""
        return int(np.maximum(self.words - config.shingle + 1, 0).sum())

    def thinned(self, scale: int) -> Sketches:
        """Sketches of a scale; see `thin`."""
        return thin(self.sketches, sketch_limit(scale))


def read_articles(articles: Sequence[Article], config: Config) -> Read:
    """Tokens and features of articles, and their texts as they are kept."""
    read = read_texts([encode_text(article.text) for article in articles], config)
    read.bodies = [pack_text(text) for text in read.texts]
    return read


def read_texts(texts: list[bytes], config: Config) -> Read:
    """Tokens and features of texts in UTF-8."""
    tokens = tokens_of(batch_of(texts))
    features = extract(tokens, without_bands(config), 1)
    return Read(
        texts,
        [],
        tokens.offsets,
        np.diff(tokens.offsets),
        Columns(*tokens[1:], features.grams),
        features.fingerprints,
        Sketches(features.sketch_offsets, features.sketch),
    )


def batch_of(texts: list[bytes]) -> Batch:
    """Texts alone as a batch."""
    n = len(texts)
    nothing: list[str | None] = [None] * n
    return Batch.from_columns(
        ids=[""] * n,
        texts=texts,
        sources=nothing,
        titles=nothing,
        published=nothing,
        urls=nothing,
        languages=nothing,
        places=[("", 0)] * n,
    )


@lru_cache(maxsize=8)
def without_bands(config: Config) -> Config:
    """Settings with which no time is spent on bands, by which an index finds nothing."""
    return replace(config, bands=1, rows=1)
