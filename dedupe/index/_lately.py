"""What was asked for lately, kept in memory up to a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Lately"]

K = TypeVar("K")
V = TypeVar("V")


class Lately(Generic[K, V]):
    """The values that were put or asked for last.

    They are held in two generations: what is asked for moves into the younger one, and when that is
    full it becomes the older one, and what was in the older one is forgotten. So nothing is
    forgotten before `most` of other values have come, and up to twice as much is held.

    Args:
        most: weight of the values of a generation.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._weight = 0
        self._young: dict[K, tuple[V, int]] = {}
        self._old: dict[K, tuple[V, int]] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: K) -> V | None:
        """The value of a key; None if there is none any more."""
        return self.among([key]).get(key)

    def among(self, keys: Iterable[K]) -> dict[K, V]:
        """The values of those of some keys that have one."""
        found = {}
        young = self._young
        for key in keys:
            held = young.get(key)
            if held is None:
                held = self._old.pop(key, None)
                if held is None:
                    continue
                self._put(key, held)
                young = self._young
            found[key] = held[0]
        return found

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Keep a value, in place of what the key had."""
        before = self._young.pop(key, None)
        if before is not None:
            self._weight -= before[1]
        self._old.pop(key, None)
        self._put(key, (value, weight))

    def pop(self, key: K) -> None:
        """Forget a key."""
        found = self._young.pop(key, None)
        if found is not None:
            self._weight -= found[1]
        self._old.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._young, self._old, self._weight = {}, {}, 0

    def _put(self, key: K, held: tuple[V, int]) -> None:
        self._young[key] = held
        self._weight += held[1]
        if self._weight > self._most:
            self._old, self._young, self._weight = self._young, {}, 0
