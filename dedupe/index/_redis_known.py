"""What a client knows of an index in Redis, and keeps up to date with every answer.

Every script answers with what came since the client last asked: sources of new articles, numbers
of removed ones, verdicts. Where articles expire this comes in slices of time, which go as a whole.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dedupe.index._redis_codec import unpack_verdicts
from dedupe.index._verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedupe.index._store import Verdict

__all__ = ["Known"]

_ALL = struct.Struct("<QQI")
_SLICE = struct.Struct("<9I")
_ASKED = struct.Struct("<4I")
_VERDICT_BYTES = 17


@dataclass(slots=True)
class _Slice:
    """What is known of the articles of one stretch of time; see `lua/common.lua`."""

    first: int
    count: int = 0
    added: int = 0
    sources: NDArray[np.int32] = field(default_factory=lambda: np.empty(64, np.int32))
    removed: bytearray = field(default_factory=bytearray)
    verdicts: bytearray = field(default_factory=bytearray)

    def sizes(self) -> tuple[int, int, int]:
        """How many sources, removed articles and verdicts are known."""
        return self.added, len(self.removed) // 4, len(self.verdicts) // _VERDICT_BYTES

    def within(self, *sizes: int) -> bool:
        """Whether no more is known than there is."""
        return all(known <= there for known, there in zip(self.sizes(), sizes, strict=True))

    def extend(self, sources: bytes) -> None:
        """Append sources of new articles."""
        new = np.frombuffer(sources, "<i4")
        wanted = self.added + len(new)
        if wanted > len(self.sources):
            larger = np.empty(max(wanted, 2 * len(self.sources)), np.int32)
            larger[: self.added] = self.sources[: self.added]
            self.sources = larger
        self.sources[self.added : wanted] = new
        self.added = wanted


class Known:
    """See above.

    Attributes:
        shingles: of all articles that ever came.
        following: number of the next article.
        removed: int64, numbers of removed articles, ascending.
        verdicts: on furniture.
        setbacks: how often the server knew less than it had told: a replica took its place, or a
            backup, and what came last is lost.
    """

    def __init__(self) -> None:
        self.shingles = 0
        self.following = 1
        self.removed = np.empty(0, np.int64)
        self.verdicts = Verdicts()
        self.setbacks = 0
        self._slices: dict[int, _Slice] = {}

    def asked(self) -> bytes:
        """What to tell a script of what is known."""
        return b"".join(_ASKED.pack(k, *s.sizes()) for k, s in self._slices.items())

    def absorb(self, news: bytes) -> bool:
        """Take over what a script told; whether that was all."""
        self.following, self.shingles, n_slices = _ALL.unpack_from(news)
        if n_slices == 1 == len(self._slices) and self._absorb_sources(news):
            return True
        heads = [_SLICE.unpack_from(news, _ALL.size + k * _SLICE.size) for k in range(n_slices)]
        at = _ALL.size + n_slices * _SLICE.size
        lost = {
            k
            for k, _, added, _, removed, verdicts, *_ in heads
            if k in self._slices and not self._slices[k].within(added, removed, verdicts)
        }
        if lost:
            self.set_back(lost)
            return False
        over = set(self._slices) - {head[0] for head in heads}
        if over:
            self._drop(over)
        whole, removals = True, False
        for k, first, added, count, removed, verdicts, *lengths in heads:
            one = self._slices.setdefault(k, _Slice(first))
            one.count = count
            sources, numbers, judged = (
                news[at + sum(lengths[:log]) : at + sum(lengths[: log + 1])] for log in range(3)
            )
            at += sum(lengths)
            if sources:
                one.extend(sources)
            if numbers:
                one.removed += numbers
                removals = True
            if judged:
                one.verdicts += judged
                self.verdicts.add(unpack_verdicts(judged))
            whole &= one.sizes() == (added, removed, verdicts)
        if removals:
            self._gather_removed()
        return whole

    def _absorb_sources(self, news: bytes) -> bool:
        """Take over what is new in the only slice where that is articles alone, as is usual."""
        head = _SLICE.unpack_from(news, _ALL.size)
        k, _, added, count, removed, verdicts, length, *_ = head
        one = self._slices.get(k)
        if one is None or one.sizes() != (added - length // 4, removed, verdicts):
            return False
        one.count = count
        if length:
            one.extend(news[_ALL.size + _SLICE.size :])
        return True

    def set_back(self, slices: set[int] | None = None) -> None:
        """What was told of some slices, or of all, is no more: the next answer tells it anew."""
        self.setbacks += 1
        self._drop({*self._slices} if slices is None else slices)

    def _drop(self, slices: set[int]) -> None:
        """Forget slices."""
        for gone in slices:
            del self._slices[gone]
        self._gather_removed()
        self.verdicts = Verdicts()
        for one in self._slices.values():
            self.verdicts.add(unpack_verdicts(bytes(one.verdicts)))

    def _gather_removed(self) -> None:
        held = [np.frombuffer(bytes(s.removed), "<u4") for s in self._slices.values()]
        removed = np.unique(np.concatenate([np.empty(0, np.uint32), *held]))
        self.removed = removed.astype(np.int64)

    def learn(self, verdicts: Sequence[Verdict]) -> None:
        """Take note of verdicts of one's own."""
        self.verdicts.add(verdicts)

    @property
    def count(self) -> int:
        """Articles that are there."""
        return sum(one.count for one in self._slices.values())

    @property
    def oldest(self) -> int:
        """Number of the first article that is not over."""
        return min((one.first for one in self._slices.values()), default=self.following)

    def numbers(self) -> NDArray[np.int64]:
        """int64, all articles that are there, in the order in which they came."""
        spans = [np.arange(s.first, s.first + s.added) for s in self._slices.values()]
        every = np.sort(np.concatenate([np.empty(0, np.int64), *spans]))
        return every[~np.isin(every, self.removed)]

    def sources_of(self, numbers: NDArray[np.int64]) -> NDArray[np.int32]:
        """int32, numbers of articles' sources, -1 where unknown."""
        if len(self._slices) == 1:
            (one,) = self._slices.values()
            return one.sources[numbers - one.first]
        found = np.full(len(numbers), -1, np.int32)
        for one in self._slices.values():
            places = numbers - one.first
            here = (places >= 0) & (places < one.added)
            found[here] = one.sources[places[here]]
        return found

    @property
    def lossy(self) -> bool:
        """Whether some articles are removed or over."""
        return len(self.removed) > 0 or self.oldest > 1

    def gone(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which articles are removed or over."""
        over: NDArray[np.bool_] = numbers < self.oldest
        return over | np.isin(numbers, self.removed) if len(self.removed) else over
