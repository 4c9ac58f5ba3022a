"""Articles that are read in a thread while those before them are handled."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from dedupe._threads import submit
from dedupe.index._reading import read_articles

if TYPE_CHECKING:
    from concurrent.futures import Future
    from types import TracebackType

    from dedupe.config import Config
    from dedupe.index._reading import Read
    from dedupe.records import Article

__all__ = ["ReadAhead"]


class ReadAhead:
    """Lists of articles, which are read in the order in which they were put. Use it in a `with`.

    Args:
        config: the settings.
        most: lists that are read, or being read, at a time. Others that were put wait as they are.
    """

    def __init__(self, config: Config, most: int = 2) -> None:
        self._config, self._most = config, most
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="dedupe-read")
        self._waiting: deque[list[Article]] = deque()
        self._begun: deque[tuple[list[Article], Future[Read]]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def put(self, *lists: list[Article]) -> None:
        """Have articles read after those that were put before."""
        self._waiting += lists
        self._go_on()

    def take(self) -> tuple[list[Article], Read]:
        """The list that was put first, once it is read; it is there no more."""
        articles, reading = self._begun.popleft()
        self._go_on()
        return articles, reading.result()

    @property
    def first(self) -> tuple[list[Article], Future[Read]] | None:
        """The list that `take` would give, as far as it is read; None if there is none."""
        return self._begun[0] if self._begun else None

    def _go_on(self) -> None:
        while self._waiting and len(self._begun) < self._most:
            some = self._waiting.popleft()
            self._begun.append((some, submit(self._pool, read_articles, some, self._config)))
