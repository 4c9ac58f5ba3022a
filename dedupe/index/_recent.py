"""Postings of the articles that came last, in memory.

A table of hashes, of which the upper bits count, to chains of articles, in the order in which they
came. What is in it can always be made anew from the articles' keys; nothing of it is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedupe._jit import kernel
from dedupe.hashtable import is_among, table_size
from dedupe.index._codec import KEY_BITS, upper_bits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Recent"]


_LOWER = np.uint64(64 - KEY_BITS)
_COUNT = (np.uint64(1) << _LOWER) - np.uint64(1)
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@kernel
def _slot(table: NDArray[np.uint64], key: np.uint64) -> int:
    """Slot of a key, or of the free one that it may take."""
    mask = len(table) - 1
    slot = np.int64(key >> _LOWER) & mask
    while table[slot, 0] != 0 and table[slot, 0] & ~_COUNT != key:
        slot = (slot + 1) & mask
    return slot


@kernel
def _insert(
    table: NDArray[np.uint64],
    following: NDArray[np.int32],
    holders: NDArray[np.int64],
    sources: NDArray[np.int32],
    used: int,
    offsets: NDArray[np.int64],
    new: NDArray[np.uint64],
    numbers: NDArray[np.int64],
    sources_of: NDArray[np.int32],
) -> None:
    """Append articles to the chains of their keys; `used` entries are taken."""
    for article in range(len(numbers)):
        for k in range(offsets[article], offsets[article + 1]):
            slot = _slot(table, new[k])
            entry = used + k
            holders[entry] = numbers[article]
            sources[entry] = sources_of[article]
            following[entry] = -1
            if table[slot, 0] == 0:
                table[slot, 0] = new[k]
                table[slot, 1] = np.uint64(entry)
            else:
                following[np.int64(table[slot, 1] >> _HALF)] = entry
            table[slot, 1] = table[slot, 1] & _LOW | np.uint64(entry) << _HALF
            table[slot, 0] += np.uint64(1)


@kernel
def _rehash(table: NDArray[np.uint64], into: NDArray[np.uint64]) -> None:
    for k in range(len(table)):
        if table[k, 0] != 0:
            slot = _slot(into, table[k, 0] & ~_COUNT)
            into[slot, 0], into[slot, 1] = table[k, 0], table[k, 1]


@kernel
def _find(
    table: NDArray[np.uint64],
    wanted: NDArray[np.uint64],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> None:
    for k in range(len(wanted)):
        slot = _slot(table, wanted[k])
        lengths[k] = np.int64(table[slot, 0] & _COUNT)
        starts[k] = np.int64(table[slot, 1] & _LOW) if lengths[k] > 0 else -1


@kernel
def _take(
    following: NDArray[np.int32],
    holders: NDArray[np.int64],
    sources: NDArray[np.int32],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    removed: NDArray[np.int64],
    cursors: NDArray[np.int64],
    out_numbers: NDArray[np.int64],
    out_sources: NDArray[np.int32],
) -> None:
    for k in range(len(starts)):
        entry = starts[k]
        at = cursors[k]
        while entry >= 0 and at < ends[k]:
            if not is_among(removed, holders[entry]):
                out_numbers[at] = holders[entry]
                out_sources[at] = sources[entry]
                at += 1
            entry = np.int64(following[entry])
        cursors[k] = at


@kernel
def _entries(
    table: NDArray[np.uint64],
    following: NDArray[np.int32],
    holders: NDArray[np.int64],
    out_keys: NDArray[np.uint64],
    out_holders: NDArray[np.int64],
) -> None:
    for slot in range(len(table)):
        if table[slot, 0] != 0:
            entry = np.int64(table[slot, 1] & _LOW)
            while entry >= 0:
                out_keys[entry] = table[slot, 0] & ~_COUNT
                out_holders[entry] = holders[entry]
                entry = np.int64(following[entry])


class Recent:
    """Postings in memory.

    Attributes:
        first, last: numbers of the first and the last article, 0 and -1 if there is none.
        n_entries: articles' keys that are in it.
    """

    def __init__(self) -> None:
        # A key with the number of its entries below it, and the first and the last of these: what
        # is looked at of one lies side by side.
        self._table = np.zeros((1 << 12, 2), np.uint64)
        self._following = np.empty(1 << 12, np.int32)
        self._holders = np.empty(1 << 12, np.int64)
        self._sources = np.empty(1 << 12, np.int32)
        self.clear()

    def clear(self) -> None:
        """Forget all. The room is kept: what comes will take as much."""
        self.first, self.last = 0, -1
        self.n_entries = 0
        self._table.fill(0)

    def add_all(self, articles: Sequence[tuple[int, int, NDArray[np.uint64]]]) -> None:
        """Add articles: number, source and keys of each, which are distinct; numbers ascend."""
        if not articles:
            return
        numbers, sources, keys = zip(*articles, strict=True)
        offsets = np.zeros(len(articles) + 1, np.int64)
        np.cumsum([len(its) for its in keys], out=offsets[1:])
        self._make_room(self.n_entries + int(offsets[-1]))
        _insert(
            self._table,
            self._following,
            self._holders,
            self._sources,
            self.n_entries,
            offsets,
            upper_bits(np.concatenate(keys)),
            np.array(numbers, np.int64),
            np.array(sources, np.int32),
        )
        self.n_entries += int(offsets[-1])
        self.first = numbers[0] if self.last < 0 else self.first
        self.last = numbers[-1]

    def _make_room(self, needed: int) -> None:
        if needed > len(self._holders):
            room = max(needed, 2 * len(self._holders))
            for name in ("_following", "_holders", "_sources"):
                old = getattr(self, name)
                longer = np.empty(room, old.dtype)
                longer[: self.n_entries] = old[: self.n_entries]
                setattr(self, name, longer)
        # Up to three quarters are taken: memory that is touched first costs more than some steps.
        if 4 * needed > 3 * len(self._table):
            larger = np.zeros((int(table_size(needed)), 2), np.uint64)
            _rehash(self._table, larger)
            self._table = larger

    def find(self, wanted: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the chain of each key starts, and how long it is."""
        starts = np.empty(len(wanted), np.int64)
        lengths = np.empty(len(wanted), np.int64)
        _find(self._table, upper_bits(wanted), starts, lengths)
        return starts, lengths

    def take(
        self,
        starts: NDArray[np.int64],
        lengths: NDArray[np.int64],  # noqa: ARG002 -- chains end by themselves
        ends: NDArray[np.int64],
        removed: NDArray[np.int64],
        cursors: NDArray[np.int64],
        numbers: NDArray[np.int64],
        sources: NDArray[np.int32],
    ) -> None:
        """Write articles of chains from `cursors` on, which move, up to `ends`; no removed ones."""
        _take(
            self._following,
            self._holders,
            self._sources,
            starts,
            ends,
            removed,
            cursors,
            numbers,
            sources,
        )

    def entries(self) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """All keys and their articles, in the order in which articles came."""
        keys = np.empty(self.n_entries, np.uint64)
        holders = np.empty(self.n_entries, np.int64)
        _entries(
            self._table,
            self._following,
            self._holders,
            keys,
            holders,
        )
        return keys, holders
