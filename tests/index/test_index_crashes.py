"""Whatever happens to a process or a file, what was acknowledged is there, and damage is named."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from indexing import article, ended, forked

import dedupe.index._embedded as embedded
import dedupe.index._index as indexing
from dedupe import Index

if TYPE_CHECKING:
    from pathlib import Path

    from dedupe import Article

KILLS = int(os.environ.get("DEDUPE_KILLS", "8"))
"""Set it higher to try longer: `DEDUPE_KILLS=50 pytest tests/index/test_index_crashes.py -k killed`."""


@pytest.fixture(autouse=True)
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Postings are written, runs merged and the log brought in every few articles."""
    monkeypatch.setattr(embedded, "FLUSH_ENTRIES", 1500)
    monkeypatch.setattr(embedded, "BROUGHT_PAGES", 60)
    monkeypatch.setattr(indexing, "PART_ARTICLES", 9)


def story(number: int) -> Article:
    """An article; of five that follow each other some share a paragraph."""
    return article(f"a{number}", [number // 5, 10_000 + number, 20_000 + number], f"s{number % 3}")


def strays(path: Path) -> set[str]:
    """Run files that no row names, and parts of such."""
    with closing(sqlite3.connect(path / "articles.sqlite")) as tables:
        used = {name for (name,) in tables.execute("SELECT name FROM runs")}
    found = {entry.name for entry in path.iterdir() if "run-" in entry.name}
    assert used <= found
    return found - used


def assert_there(index: Index, numbers: range | list[int]) -> None:
    """These articles are there, and found as what they are."""
    for number in numbers:
        one = story(number)
        kept = index.get(one.id)
        assert kept is not None
        assert kept.text == one.text
    asked = [story(number) for number in numbers]
    copies = [type(one)(id=f"copy of {one.id}", text=one.text) for one in asked]
    for one, match in zip(asked, index.check_many(copies), strict=True):
        assert (match.kind, match.of[:1]) == ("exact", (one.id,))


def write_on(path: Path, first: int, batch: int, pipe: int) -> None:
    """Add articles for ever, and say of each that it was."""
    with Index.open(path) as index:
        number = first
        while True:
            some = range(number, number + batch)
            if batch == 1:
                index.check_and_add(story(number))
            elif batch == 40:
                index.add_many(map(story, some))
            else:
                index.check_and_add_many(map(story, some))
            os.write(pipe, b"".join(b"%d\n" % k for k in some))
            number += batch


def killed_after(path: Path, first: int, batch: int, seconds: float) -> int:
    """Let a process write for a while and kill it; the number after the last acknowledged one."""
    reads, writes = os.pipe()
    child = forked(lambda: write_on(path, first, batch, writes))
    os.close(writes)
    with open(reads, "rb") as told:  # noqa: PTH123
        begun = told.readline()  # so that it dies while writing, not while starting
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        lines = [begun, *told.readlines()]
    assert ended(child) == -signal.SIGKILL
    acknowledged = [int(line) for line in lines if line.endswith(b"\n")]
    assert acknowledged == list(range(first, first + len(acknowledged)))
    return first + len(acknowledged)


def test_killed_while_writing(tmp_path: Path) -> None:
    """A process killed at any moment loses nothing that it acknowledged, and leaves nothing behind."""
    chance = random.Random(KILLS)
    path = tmp_path / "idx"
    done, entered = 0, 0
    for _ in range(KILLS):
        first = entered
        batch = chance.choice([1, 1, 7, 40])
        done = killed_after(path, first, batch, chance.uniform(0, 0.4))
        with Index.open(path) as index:
            assert strays(path) == set()
            assert_there(index, range(first, done))
            # What was not acknowledged is there whole batches at a time.
            entered = len(index)
            assert entered in {done, done + batch}
    with Index.open(path) as index:
        assert_there(index, range(entered))
        assert {one.id for one in index.articles()} == {f"a{k}" for k in range(entered)}
        index.compact()
        assert_there(index, range(0, entered, 7))
    print(f"\n{KILLS} kills, {entered} articles, nothing lost")  # noqa: T201


def test_killed_while_compacting(tmp_path: Path) -> None:
    """So does one that is killed while it makes the index small."""
    chance = random.Random(KILLS)
    path = tmp_path / "idx"
    n = 300
    with Index.open(path) as index:
        index.add_many(map(story, range(n)))
    for k in range(KILLS):
        reads, writes = os.pipe()

        def compact(new: int = n + k, pipe: int = writes) -> None:
            with Index.open(path) as index:
                index.add_many([story(new)])
                index.remove(story(new - n).id)
                os.write(pipe, b"1")
                index.compact()

        child = forked(compact)
        assert os.read(reads, 1) == b"1"
        os.close(reads)
        os.close(writes)
        time.sleep(chance.uniform(0, 0.1))
        os.kill(child, signal.SIGKILL)
        ended(child)
        with Index.open(path) as index:
            assert strays(path) == set()
            assert len(index) == n
            assert story(k).id not in index
            assert index.check(story(k)).of == () or story(k).id not in index.check(story(k)).of
            assert_there(index, range(n - 3, n + k + 1))
    with Index.open(path) as index:
        index.compact()
        assert index.info()["runs"] == 1
        assert_there(index, range(KILLS, n + KILLS))


def test_killed_among_others(tmp_path: Path) -> None:
    """Processes that are killed at any moment, also while opening, do not disturb the others."""
    chance = random.Random(KILLS)
    path = tmp_path / "idx"

    def work(me: int, told: Path) -> None:
        with told.open("ab", buffering=0) as file:
            for number in range(1_000_000):
                if number % 25 == 0:
                    index = Index.open(path)
                one = story(1000 * me + number % 1000)
                index.check_and_add(one)
                file.write(b"%s\n" % one.id.encode())
                if number % 25 == 20:
                    index.compact()
                if number % 25 == 24:
                    index.close()

    def read() -> None:
        with Index.open(path, mode="r") as index:
            while True:
                index.check(story(chance.randrange(3000)))
                len(index)

    with Index.open(path) as index:  # what takes long the first time
        index.check_and_add_many([story(90_001), story(90_002)])
        index.check_and_add(story(90_003))
    logs = [tmp_path / f"{me}" for me in range(3 + KILLS)]
    living = [forked(lambda me=me: work(me, logs[me])) for me in range(3)]  # type: ignore[misc]
    reader = forked(read)
    for k in range(KILLS):
        time.sleep(chance.uniform(0, 0.3))
        victim = living.pop(0)
        os.kill(victim, signal.SIGKILL)
        assert ended(victim) == -signal.SIGKILL
        living.append(forked(lambda me=3 + k: work(me, logs[me])))  # type: ignore[misc]
    for child in [*living, reader]:
        assert os.waitpid(child, os.WNOHANG) == (0, 0), "it failed by itself"
        os.kill(child, signal.SIGKILL)
        ended(child)
    acknowledged = {
        int(line[1:])
        for log in logs if log.exists()
        for line in log.read_bytes().split(b"\n")[:-1]
    }  # fmt: skip
    assert len(acknowledged) > KILLS
    with Index.open(path) as index:
        assert strays(path) == set()
        assert_there(index, sorted(acknowledged))
        assert len(index) <= 3 + len(acknowledged) + len(logs)
        index.compact()
        assert_there(index, sorted(acknowledged)[::5])
    print(f"\n{KILLS} kills of three, {len(acknowledged)} articles, nothing lost")  # noqa: T201
