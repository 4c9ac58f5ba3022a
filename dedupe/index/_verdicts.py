"""Verdicts on furniture, kept so that what is asked with every article is found at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedupe.hashtable import set_bits
from dedupe.index._store import Hashes, mark_of, mixed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from dedupe.index._store import Verdict

__all__ = ["Verdicts"]


class Verdicts:
    """The last verdict on each key and source.

    Args:
        fetch: gives `Verdict.length` of the last verdict on a key and a source, 0 if there is none,
            where not all that are kept are added; those on furniture always are.
    """

    def __init__(self, fetch: Callable[[int, int], int] | None = None) -> None:
        # Lengths by the hash of key and source: there are a hundred thousand in an index of a
        # million articles, of which few are asked for.
        self._lengths: dict[int, int] = {}
        self._fetch = fetch
        self._own = _Ascending()
        self._everywhere = _Ascending()

    def __len__(self) -> int:
        return len(self._lengths)

    def add(self, verdicts: Iterable[Verdict]) -> None:
        """Take note of verdicts; the last on a key and source holds."""
        for key, source, length, furniture in verdicts:
            mark = mark_of(key, source)
            self._lengths[mark] = length
            (self._everywhere if source < 0 else self._own).set(mark, present=furniture)

    def fill(self, keys: NDArray[np.uint64], sources: NDArray[np.int32]) -> None:
        """Take note of all verdicts on furniture, where none is noted yet."""
        marks = mixed(keys, sources)
        self._own = _Ascending(marks[sources >= 0])
        self._everywhere = _Ascending(marks[sources < 0])

    def length(self, key: int, source: int) -> int:
        """See `dedupe.index._store.Store.judged_length`."""
        mark = mark_of(key, source)
        length = self._lengths.get(mark)
        if length is None:
            if self._fetch is None:
                return 0
            length = self._lengths[mark] = self._fetch(key, source)
        return length

    def furniture(self) -> tuple[Hashes, Hashes]:
        """See `dedupe.index._store.Store.known_furniture`."""
        return self._own.known(), self._everywhere.known()


_BITS_EACH = 16
"""Bits for each value, of which one in so many or more is set."""


class _Ascending:
    """A set of uint64 as an ascending array: a few come at a time, and very few go."""

    def __init__(self, values: NDArray[np.uint64] | None = None) -> None:
        self._values = np.empty(0, np.uint64) if values is None else np.unique(values)
        self._bits = np.zeros(64, np.uint64)
        self._set_bits(self._values)
        self._coming: set[int] = set()
        self._going: set[int] = set()

    def set(self, value: int, *, present: bool) -> None:
        """Let a value be in it or not."""
        if present == self._has(value):
            return
        into, out_of = (self._coming, self._going) if present else (self._going, self._coming)
        if value in out_of:
            out_of.remove(value)
        else:
            into.add(value)

    def _has(self, value: int) -> bool:
        if value in self._coming or value in self._going:
            return value in self._coming
        place = int(np.searchsorted(self._values, np.uint64(value)))
        return place < len(self._values) and int(self._values[place]) == value

    def known(self) -> Hashes:
        """All of them."""
        if self._going:
            gone = np.array(sorted(self._going), np.uint64)
            self._values = self._values[~np.isin(self._values, gone)]
            self._going.clear()  # its bit stays: the values tell
        if self._coming:
            new = np.array(sorted(self._coming), np.uint64)
            self._values = np.insert(self._values, np.searchsorted(self._values, new), new)
            self._set_bits(new)
            self._coming.clear()
        return Hashes(self._values, self._bits)

    def _set_bits(self, new: NDArray[np.uint64]) -> None:
        """Set the bits of new values, which are among the others; of all where there is more room."""
        room = len(self._bits)
        while 64 * room < _BITS_EACH * len(self._values):
            room *= 2
        if room > len(self._bits):
            self._bits, new = np.zeros(room, np.uint64), self._values
        set_bits(new, self._bits)
