"""Articles are read ahead of their turn, in order, and not too far."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import wait
from typing import TYPE_CHECKING, cast

import pytest
from indexing import article

import dedupe.index._ahead as reading
import dedupe.index._index as indexing
from dedupe import Article, Config, Index
from dedupe.errors import InputError
from dedupe.index._ahead import ReadAhead
from dedupe.index._reading import read_articles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dedupe.index._reading import Read


def lists(n: int) -> list[list[Article]]:
    """Lists of one or two articles."""
    return [[article(f"a{k}", [k]), article(f"b{k}", [k, 50])][: 1 + k % 2] for k in range(n)]


def test_in_order() -> None:
    """What is taken is what was put, with what was read of it."""
    config = Config()
    with ReadAhead(config, 2) as ahead:
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
    """No more lists are read than were asked for, before others are taken."""
    begun: list[str] = []

    def read(articles: Sequence[Article], config: Config) -> Read:
        begun.append(articles[0].id)
        return read_articles(articles, config)

    monkeypatch.setattr(reading, "read_articles", read)
    with ReadAhead(Config(), 3) as ahead:
        for some in lists(8):
            ahead.put(some)
        for taken in range(3):
            wait([reading for _, reading in ahead._begun])
            assert begun == [f"a{k}" for k in range(3 + taken)]
            ahead.take()


def test_what_nobody_waits_for_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an error the list that is being read is waited for, and no other one is begun."""
    begun: list[str] = []
    some_begun, go_on = threading.Event(), threading.Event()

    def read(articles: Sequence[Article], config: Config) -> Read:
        begun.append(articles[0].id)
        some_begun.set()
        assert go_on.wait(20)
        return read_articles(articles, config)

    def fail() -> None:
        with ReadAhead(Config(), 3) as ahead:
            for some in lists(8):
                ahead.put(some)
            assert some_begun.wait(20)
            threading.Timer(0.05, go_on.set).start()
            raise MemoryError

    monkeypatch.setattr(reading, "read_articles", read)
    with pytest.raises(MemoryError):
        fail()
    assert begun == ["a0"]


def test_error_of_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error is raised where the list is taken."""

    def read(articles: Sequence[Article], config: Config) -> Read:
        if articles[0].id == "a1":
            raise MemoryError
        return read_articles(articles, config)

    monkeypatch.setattr(reading, "read_articles", read)
    with ReadAhead(Config()) as ahead:
        for some in lists(3):
            ahead.put(some)
        ahead.take()
        with pytest.raises(MemoryError):
            ahead.take()
        assert ahead.take()[0][0].id == "a2"


def test_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Articles are cut by their number, and by what they take; long ones come alone."""
    monkeypatch.setattr(indexing, "PART_ARTICLES", 3)
    monkeypatch.setattr(indexing, "PART_BYTES", 100)
    sizes = [10, 10, 10, 10, 95, 10, 300, 1, 1]
    articles = [Article(id=str(k), text="x" * size) for k, size in enumerate(sizes)]
    parts = indexing._parts(articles)
    assert [one.id for part in parts for one in part] == [one.id for one in articles]
    assert [[len(one.text) for one in part] for part in parts] == [
        [10, 10, 10], [10, 95], [10, 300], [1, 1]
    ]  # fmt: skip
    assert indexing._size(Article(id="", text="字" * 10)) == 30


@pytest.mark.parametrize("bad", [None, 7])
def test_those_before_an_error_are_kept(tmp_path: Path, bad: int | None) -> None:
    """If what gives the articles fails, or one of them is none, those before it are there."""

    def articles() -> Iterator[Article]:
        for some in lists(9):
            yield from some
        if bad is None:
            raise ZeroDivisionError
        yield Article(id="bad", text=cast("str", bad))
        yield article("after", [77])

    with Index.open(tmp_path / "idx") as index:
        with pytest.raises(ZeroDivisionError if bad is None else InputError):
            index.add_many(articles())
        assert len(index) == 13
        with pytest.raises(ZeroDivisionError if bad is None else InputError):
            index.check_and_add_many(articles())
        assert len(index) == 13


def test_at_the_exit_of_the_program(tmp_path: Path) -> None:
    """What a program has buffered can be added when no thread can be started any more."""
    program = """
import atexit, sys
import dedupe.index._index as indexing
from dedupe import Article, Index
indexing.PART_ARTICLES = 10
index = Index.open(sys.argv[1])
buffer = [Article(id=str(k), text=" ".join(f"w{k}x{i}" for i in range(80))) for k in range(35)]
atexit.register(lambda: print(index.add_many(buffer).new))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "idx")],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "35\n", "")
