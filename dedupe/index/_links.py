"""Links of articles that were asked for lately, as the families of an index ask for them.

With every article that joins a connected part all links in it are asked for, and the same parts are
joined again and again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dedupe.index._families import MOST
from dedupe.index._lately import Lately
from dedupe.index._store import PAIR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Fetch = Callable[[int, int], tuple[NDArray[Any], NDArray[Any]]]

__all__ = ["KEPT", "Links"]

KEPT = MOST + 1
"""Links of an article with earlier ones, and with later ones, that are kept: as many as are asked
for, where families go no further from a part of more articles."""

_BYTES = 12_000_000
"""Of links held in a generation of `Lately`."""

_OVERHEAD = 300
"""Bytes that each article takes besides."""

_ROW = PAIR.itemsize
_MOST = KEPT * _ROW


class _Kept(NamedTuple):
    """Links of an article, as bytes of `PAIR`: with earlier ones, by those, and with later ones.

    Thousands of small pieces are joined as bytes in the time that numpy takes for dozens of arrays.
    """

    earlier: bytes
    later: bytes


_NONE = _Kept(b"", b"")


class Links:
    """The links of articles that were asked for lately, of dtype `PAIR`.

    Args:
        fetch: gives the links of an article with earlier ones and with later ones, up to a number
            of each.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._kept: Lately[int, _Kept] = Lately(_BYTES)
        self._new: set[int] = set()

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
        self._new.clear()

    def forget(self, numbers: Iterable[int]) -> None:
        """Forget the links of some articles, which are not what they were."""
        for number in numbers:
            self._kept.pop(number)
            self._new.discard(number)

    def enter(self, number: int) -> None:
        """A new article, of a higher number than all before, has no links: until `settled`."""
        self._new.add(number)

    def settled(self) -> None:
        """Articles that are there are new no more: what comes of them may be there already."""
        self._new.clear()

    def _keep(self, number: int, kept: _Kept) -> None:
        self._kept.put(number, kept, _OVERHEAD + len(kept.earlier) + len(kept.later))

    def of(self, numbers: Sequence[int], most: int) -> NDArray[Any]:
        """Links of some articles, up to `most` of either kind."""
        assert most <= KEPT, "no more are kept"
        found: list[bytes] = []
        room = most * _ROW
        held = self._kept.among(numbers)
        for number in numbers:
            kept = held.get(number)
            if kept is None:
                if number in self._new:
                    continue
                earlier, later = self._fetch(number, KEPT)
                kept = _Kept(earlier.tobytes(), later.tobytes())
                self._keep(number, kept)
            found += (kept.earlier[:room], kept.later[:room])
        return np.frombuffer(b"".join(found), PAIR)

    def all_of(self, numbers: Sequence[int]) -> tuple[NDArray[Any], list[int]]:
        """All links of some articles, as far as they are kept; the articles whose links are not."""
        found: list[bytes] = []
        missing = []
        held = self._kept.among(numbers)
        for number in numbers:
            kept = held.get(number, _NONE if number in self._new else None)
            if kept is None or max(len(kept.earlier), len(kept.later)) >= _MOST:
                missing.append(number)
            else:
                found += kept
        return np.frombuffer(b"".join(found), PAIR), missing

    def add(self, pairs: NDArray[Any]) -> None:
        """Pairs were kept. Those of articles that had none are new; others may replace what was."""
        later = pairs["later"]
        new = np.isin(later, list(self._new))
        self.forget({*later[~new].tolist(), *pairs["earlier"][~new].tolist()})
        links = pairs[new & pairs["links"]]
        for name, other in (("later", "earlier"), ("earlier", "later")):
            rows = links[np.lexsort((links[other], links[name]))]
            packed = rows.tobytes()
            begins = np.flatnonzero(np.diff(rows[name], prepend=-1))
            ends = [*begins[1:].tolist(), len(rows)]
            numbers = rows[name][begins].tolist()
            for number, begin, end in zip(numbers, begins.tolist(), ends, strict=len(rows) > 0):
                self._extend(number, name, packed[begin * _ROW : end * _ROW])
        self._new.difference_update(later.tolist())

    def _extend(self, number: int, side: str, links: bytes) -> None:
        kept = self._kept.get(number)
        if kept is None:
            if number not in self._new:
                return
            kept = _NONE
            self._new.discard(number)  # if it is forgotten it had links all the same
        # What is new is later than all that there was.
        if side == "later":
            self._keep(number, kept._replace(earlier=(kept.earlier + links)[:_MOST]))
        elif len(kept.later) < _MOST:
            self._keep(number, kept._replace(later=(kept.later + links)[:_MOST]))
