"""Rows and blocks of rows to batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedupe.corpus._rows import Row
from dedupe.records import Batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dedupe.corpus._rows import Block, Run

__all__ = ["pack"]


def pack(items: Iterable[Row | Block], run: Run) -> Iterator[Batch]:
    """Batches of at most `chunk_mb` MB of text, as full as they come; a longer text is alone.

    Where one ends depends on the lengths of the texts only, not on how they come in. They end
    early when the run is to stop.
    """
    limit = int(run.config.chunk_mb * 1e6)
    held = _Held()
    for item in items:
        if run.stop:
            return
        if isinstance(item, Row):
            if held.size and held.size + len(item.text) > limit:
                yield held.flush()
            held.add_row(item)
            continue
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(item.lengths)])
        first, n = 0, len(item.lengths)
        while first < n:
            room = max(0, limit - held.size)
            last = int(np.searchsorted(ends, ends[first] + room, side="right")) - 1
            if last == first and not held.size:
                last = first + 1
            if last > first:
                held.add_block(item, first, last, int(ends[last] - ends[first]))
            if last < n:
                yield held.flush()
            first = last
        del item  # a block is dropped before the next one is read
    if held.size:
        yield held.flush()


class _Held:
    """The articles of the next batch."""

    def __init__(self) -> None:
        self._parts: list[Batch] = []
        self._rows: list[Row] = []
        self.size = 0

    def add_row(self, row: Row) -> None:
        """Hold one article."""
        self.size += len(row.text)
        self._rows.append(row)

    def add_block(self, block: Block, first: int, last: int, size: int) -> None:
        """Hold articles of a block, of `size` bytes."""
        self.size += size
        self._pack_rows()
        self._parts.append(block.take(first, last))

    def flush(self) -> Batch:
        """What is held as one batch."""
        self.size = 0
        self._pack_rows()
        batch = Batch.concatenate(self._parts)
        self._parts = []
        return batch

    def _pack_rows(self) -> None:
        if self._rows:
            self._parts.append(_to_batch(self._rows))
            self._rows = []


def _to_batch(rows: list[Row]) -> Batch:
    ids, texts, sources, titles, published, urls, languages, places = map(
        list, zip(*rows, strict=True)
    )
    return Batch.from_columns(
        ids=ids,
        texts=texts,
        sources=sources,
        titles=titles,
        published=published,
        urls=urls,
        languages=languages,
        places=places,
    )
