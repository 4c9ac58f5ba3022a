"""Which candidates count: what came before an article decides, not what came after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe.index._neighbours import COUNTS, COUNTS_FOR_FAMILIES
from dedupe.shingle import distinct

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.index._store import Entered, Record, Store

__all__ = ["LATEST", "Counted", "Former"]

LATEST = 1 << 62
"""Since when an article is there that is not: later than all."""


class Former(NamedTuple):
    """What an article was before it was revised.

    Attributes:
        number, since: of the former version, and of the first.
        linked: articles that share much text with it.
        family: its family.
    """

    number: int
    since: int
    linked: set[int]
    family: int | None

    def is_source_of(self, other: Record) -> bool:
        """Whether another article came later and is a copy of it, or of what it was a copy of."""
        kin = other.number in self.linked or (
            self.family is not None and self.family == other.family
        )
        return kin and other.since > self.since


class Counted:
    """Which pairs count: not an article with itself, nor with what came after it.

    Args:
        store: has the articles.
        entered: what became of the new ones, or would.
        former: what revised ones were, by their place.
        alone: whether new ones do not count for each other.
    """

    def __init__(
        self, store: Store, entered: list[Entered], former: dict[int, Former], *, alone: bool
    ) -> None:
        self.alone = alone
        self._store = store
        self.hidden: dict[int, set[int]] = {}
        self._former = former
        self._own = np.array([one.number for one in entered], np.int64)
        # One that is there is asked about what was before it; a new one about all.
        self._since = np.array(
            [one.since if one.status == "unchanged" else LATEST for one in entered], np.int64
        )

    def __call__(self, numbers: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.int8]:
        """How pairs of local numbers count: those of stored articles, then the new."""
        how = np.full(len(found), COUNTS, np.int8)
        stored = found[:, 0] < len(numbers)
        if self.alone:
            how[~stored] = 0
        rows = np.flatnonzero(stored)
        other, place = numbers[found[rows, 0]], found[rows, 1] - len(numbers)
        how[rows[other == self._own[place]]] = 0
        late = rows[other >= self._since[place]]
        if len(late):  # by their number; revised ones may be older than that
            ours = numbers[found[late, 0]]
            records = self._store.load(distinct(ours).tolist(), texts=False)
            since = {record.number: record.since for record in records}
            before = np.array([since.get(n, LATEST) for n in ours.tolist()], np.int64)
            how[late[before >= self._since[found[late, 1] - len(numbers)]]] = 0
        for k, former in self._former.items():
            mine = rows[(place == k) & (other > former.number)]
            numbers_of = numbers[found[mine, 0]]
            records = self._store.load(distinct(numbers_of).tolist(), texts=False)
            self.hidden[k] = {record.number for record in records if former.is_source_of(record)}
            how[mine[np.isin(numbers_of, list(self.hidden[k]))]] = COUNTS_FOR_FAMILIES
        return how
