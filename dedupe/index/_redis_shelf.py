"""Articles that were read from Redis: of what stays as it is, so that it need not be read again."""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dedupe.index._store import Record

__all__ = ["Shelf"]

RECORD_BYTES = 1_500
"""About what a record takes beside its text."""


class Shelf:
    """Records by number, those used last, up to a size, each with the stamp of its article.

    What may change of a record, its family, and whether it is there still, is not for the shelf to
    say; nor whether its number is still that article's. A server that lost what came last gives
    numbers again: who takes a record from here compares the stamps first.

    Args:
        most: bytes, about, that it may take.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[int, tuple[Record, bytes, bool, int]] = OrderedDict()
        self._bytes = 0

    def get(self, number: int, *, texts: bool) -> tuple[Record, bytes] | None:
        """The record of an article and its stamp, if it is here, with its text (or keys) if wanted."""
        one = self._held.get(number)
        if one is None or (texts and not one[2]):
            return None
        self._held.move_to_end(number)
        return one[:2]

    def put(self, record: Record, stamp: bytes, *, texts: bool) -> None:
        """Keep a record, which has its text (or keys) or not."""
        self.drop(record.number)
        keys = 0 if record.keys is None else record.keys.nbytes
        size = RECORD_BYTES + sys.getsizeof(record.article.text) + keys
        self._held[record.number] = record, stamp, texts, size
        self._bytes += size
        while self._bytes > self._most:
            self.drop(next(iter(self._held)))

    def drop(self, number: int) -> None:
        """Forget an article."""
        one = self._held.pop(number, None)
        if one is not None:
            self._bytes -= one[3]

    def clear(self) -> None:
        """Forget all."""
        self._held.clear()
        self._bytes = 0
