"""Articles are read ahead of their turn, in order, and not too far."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from indexing import article

import dedupe.index._ahead as reading
from dedupe import Config
from dedupe.index._ahead import Ahead
from dedupe.index._reading import read_articles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dedupe import Article
    from dedupe.index._reading import Read


def lists(n: int) -> list[list[Article]]:
    """Lists of one or two articles."""
    return [[article(f"a{k}", [k]), article(f"b{k}", [k, 50])][: 1 + k % 2] for k in range(n)]


def test_in_order() -> None:
    """What is taken is what was put, with what was read of it."""
    config = Config()
    with Ahead(config, 2) as ahead:
        assert ahead.first is None
        every = lists(7)
        for some in every[:5]:
            ahead.put(some)
        for k, some in enumerate(every):
            if k == 3:
                for more in every[5:]:
                    ahead.put(more)
            assert ahead.first is not None
            assert ahead.first[0] is some
            articles, read = ahead.take()
            assert articles is some
            assert read.texts == [one.text.encode() for one in some]
        assert ahead.first is None


def test_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more lists are read than were asked for, and none that nobody waits for any more."""
    begun: list[str] = []
    some_begun, go_on = threading.Event(), threading.Event()

    def read(articles: Sequence[Article], config: Config) -> Read:
        begun.append(articles[0].id)
        some_begun.set()
        assert go_on.wait(20)
        return read_articles(articles, config)

    monkeypatch.setattr(reading, "read_articles", read)
    with Ahead(Config(), 3) as ahead:
        for some in lists(8):
            ahead.put(some)
        assert some_begun.wait(20)
        go_on.set()
        ahead.take()
        assert len(begun) <= 4
        go_on.clear()
        threading.Timer(0.05, go_on.set).start()
    assert len(begun) <= 4


def test_error_of_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error is raised where the list is taken."""

    def read(articles: Sequence[Article], config: Config) -> Read:
        if articles[0].id == "a1":
            raise MemoryError
        return read_articles(articles, config)

    monkeypatch.setattr(reading, "read_articles", read)
    with Ahead(Config()) as ahead:
        for some in lists(3):
            ahead.put(some)
        ahead.take()
        with pytest.raises(MemoryError):
            ahead.take()
        assert ahead.take()[0][0].id == "a2"
