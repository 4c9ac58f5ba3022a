"""Postings out of several places at once: the runs, in their order, and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from dedupe.index._store import Gathered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Holder", "gather"]


class Holder(Protocol):
    """Postings of a stretch of articles: a run, or those in memory."""

    def find(self, wanted: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where each key's entries start, and how many there are."""

    def take(
        self,
        starts: NDArray[np.int64],
        lengths: NDArray[np.int64],
        ends: NDArray[np.int64],
        removed: NDArray[np.int64],
        cursors: NDArray[np.int64],
        numbers: NDArray[np.int64],
        sources: NDArray[np.int32],
    ) -> None:
        """Write articles of entries from `cursors` on, which move, up to `ends`; no removed ones."""


def gather(
    holders: Sequence[Holder],
    keys: NDArray[np.uint64],
    removed: NDArray[np.int64],
    most: int,
    few: int,
) -> Gathered:
    """Postings of keys.

    Args:
        holders: in the order of their articles.
        keys: uint64, ascending.
        removed: int64, ascending, articles that are not to be given, though `lengths` counts them.
        most, few: of a posting of more than `most` articles the first `few` that are not removed.
    """
    lengths = np.zeros(len(keys), np.int64)
    found: list[tuple[Holder, NDArray[np.int64], NDArray[np.int64]]] = []
    for holder in holders:
        starts, here = holder.find(keys)
        if here.any():
            lengths += here
            found.append((holder, starts, here))
    offsets = np.zeros(len(keys) + 1, np.int64)
    np.cumsum(np.where(lengths > most, few, lengths), out=offsets[1:])
    numbers = np.empty(offsets[-1], np.int64)
    sources = np.empty(offsets[-1], np.int32)
    cursors = offsets[:-1].copy()
    for holder, starts, here in found:
        holder.take(starts, here, offsets[1:], removed, cursors, numbers, sources)
    if not len(removed):
        return Gathered(lengths, offsets, numbers, sources)
    # Removed ones have left room at the end of their postings.
    taken = cursors - offsets[:-1]
    kept = np.arange(len(numbers)) < np.repeat(cursors, np.diff(offsets))
    offsets = np.zeros(len(keys) + 1, np.int64)
    np.cumsum(taken, out=offsets[1:])
    return Gathered(lengths, offsets, numbers[kept], sources[kept])
