"""Kept texts, read: of articles that were asked for lately without asking the store again.

A text never changes under its number, so what was read of it holds for as long as the article is
there. The first articles of a story are compared with every one that comes after them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dedupe._jit import kernel
from dedupe._threads import in_slices
from dedupe.features import extract
from dedupe.index._lately import Lately
from dedupe.index._neighbours import Sketches
from dedupe.index._reading import batch_of, without_bands
from dedupe.ingest import tokens_of
from dedupe.records import encode_text
from dedupe.shingle import fill_shingles
from dedupe.spool import Columns
from dedupe.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.index._store import Record, Store

__all__ = ["Kept", "Texts", "nobody"]

KEPT_BYTES = 48_000_000
"""Tokens held in a generation of `Lately`: of some 4,000 articles of 600 words."""

_OVERHEAD = 1000
"""Bytes that each article takes besides."""

_TOKEN = 8 + 4 + 4 + 1 + 2
"""Bytes of a token."""

_TEXTS_PER_TASK = 128

_GRAM = np.uint64(0xFFFF)


class Kept(NamedTuple):
    """Articles that are kept, read.

    Attributes:
        records: of n articles; without texts where those were read before.
        offsets: int64 (n + 1,), where the tokens of each begin.
        columns: of their tokens.
    """

    records: list[Record]
    offsets: NDArray[np.int64]
    columns: Columns


class Texts:
    """The texts of a store.

    Args:
        store: has them.
        config: the settings.
    """

    def __init__(self, store: Store, config: Config) -> None:
        self._store, self._config = store, config
        self._lately: Lately[int, tuple[int, Columns]] = Lately(KEPT_BYTES)

    def read(self, numbers: Sequence[int], threads: int = 1) -> Kept:
        """Those of some articles that are there, in their order, with their tokens."""
        if not numbers:
            return nobody([])
        held = self._lately.among(numbers)
        records = {r.number: r for r in self._store.load(list(held), texts=False)}
        # What was entered and taken back has left its number to another one.
        read = {n: held[n][1] for n, record in records.items() if held[n][0] == record.text_hash}
        missing = [n for n in numbers if n not in read and (n in records or n not in held)]
        if missing:
            loaded = self._store.load(missing)
            records |= {record.number: record for record in loaded}
            parts = in_slices(
                lambda first, last: self._columns_of(loaded[first:last]),
                len(loaded),
                _TEXTS_PER_TASK,
                threads,
            )
            every = [columns for part in parts for columns in part]
            for record, columns in zip(loaded, every, strict=True):
                read[record.number] = columns
                size = _OVERHEAD + _TOKEN * len(columns.hashes)
                self._lately.put(record.number, (record.text_hash, columns), size)
        there = [records[number] for number in numbers if number in read]
        return _joined(there, [read[record.number] for record in there])

    def _columns_of(self, records: Sequence[Record]) -> list[Columns]:
        tokens = tokens_of(batch_of([encode_text(record.article.text) for record in records]))
        grams = np.zeros(len(tokens.hashes), np.uint16)
        _fill_grams(tokens.offsets, tokens.hashes, self._config.shingle, grams)
        columns: list[NDArray[Any]] = [*tokens[1:], grams]
        ends = tokens.offsets.tolist()
        return [
            Columns(*(column[first:last].copy() for column in columns))
            for first, last in pairwise(ends)
        ]

    def sketches(self, numbers: Sequence[int], scale: int) -> tuple[list[Record], Sketches]:
        """Those of some articles that are there, and their sketches, of short ones, too."""
        kept = self.read(numbers)
        tokens = Tokens(kept.offsets, *kept.columns[:4])
        features = extract(tokens, without_bands(self._config), scale, borrowed=True)
        return kept.records, Sketches(features.sketch_offsets, features.sketch)


@kernel
def _fill_grams(
    offsets: NDArray[np.int64], hashes: NDArray[np.uint64], w: int, out: NDArray[np.uint16]
) -> None:
    """As `dedupe.features.Features.grams`; `out` is zero."""
    longest = 1
    for k in range(len(offsets) - 1):
        longest = max(longest, offsets[k + 1] - offsets[k])
    shingles = np.empty(longest, np.uint64)
    for k in range(len(offsets) - 1):
        first = offsets[k]
        n = fill_shingles(hashes[first : offsets[k + 1]], w, shingles)
        for i in range(n):
            out[first + i] = shingles[i] & _GRAM


_NO_TOKENS = Columns(
    np.empty(0, np.uint64),
    np.empty(0, np.uint32),
    np.empty(0, np.uint32),
    np.empty(0, np.uint8),
    np.empty(0, np.uint16),
)


def nobody(records: list[Record]) -> Kept:
    """Articles of which nothing was read."""
    return Kept(records, np.zeros(1, np.int64), _NO_TOKENS)


def _joined(records: list[Record], read: Sequence[Columns]) -> Kept:
    """Articles, and their tokens end to end."""
    offsets = np.zeros(len(read) + 1, np.int64)
    np.cumsum([len(columns.hashes) for columns in read], out=offsets[1:])
    every: list[Any] = [np.concatenate(column) for column in zip(_NO_TOKENS, *read, strict=True)]
    return Kept(records, offsets, Columns(*every))
