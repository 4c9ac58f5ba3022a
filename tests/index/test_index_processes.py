"""An index is used by threads, processes and forks at the same time, and nothing is lost or double."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import polars as pl
import pytest
from indexing import article, ended, forked, in_children

import dedupe.index._embedded as embedded
from dedupe import Index
from dedupe.errors import ConfigError, IndexLockedError, InputError
from dedupe.index._codec import seal_keys
from dedupe.index._runs import Run
from dedupe.index._sqlite import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from dedupe import Article

SECONDS = float(os.environ.get("DEDUPE_HAMMER_SECONDS", "3"))
"""For how long many processes write. Set it higher to try longer."""

PROCESSES = 8

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no forks")


@pytest.fixture(autouse=True)
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Postings are written, runs merged and the log brought in every few articles."""
    monkeypatch.setattr(embedded, "FLUSH_ENTRIES", 700)
    monkeypatch.setattr(embedded, "BROUGHT_PAGES", 60)


def story(number: int, by: str = "a") -> Article:
    """A text that is nobody else's, under a name that says who brought it."""
    return article(f"{by}{number}", [number, 10_000 + number], by)


def assert_whole(path: Path, texts: int) -> None:
    """Every text is there, and each is a copy of no more than those that have it."""
    with Index.open(path, mode="r") as index:
        there = list(index.articles())
        assert len(there) == len(index)
        by_text: dict[str, list[str]] = {}
        for one in there:
            by_text.setdefault(one.text, []).append(one.id)
        assert len(by_text) == texts
        for number in range(0, texts, 9):
            match = index.check(story(number, "asked by "))
            assert (match.kind, sorted(match.of)) == ("exact", sorted(by_text[story(number).text]))


@forks
def test_many_processes(tmp_path: Path) -> None:
    """Of many processes that add the same texts at the same moment one each is told it is unique."""
    path = tmp_path / "idx"
    with Index.open(tmp_path / "other") as other:  # what takes long the first time
        other.check_and_add_many([story(1), story(1, "b"), story(2)])
        other.check_and_add(story(2, "b"))
    start = time.monotonic() + 0.3

    def write(me: int) -> Callable[[], None]:
        def work() -> None:
            with Index.open(path) as index, (tmp_path / f"{me}").open("w") as told:
                time.sleep(max(0.0, start - time.monotonic()))
                number = 0
                while time.monotonic() < start + SECONDS:
                    size = 1 + (number + me) % 3
                    some = [story(number + k, f"p{me}-") for k in range(size)]
                    for k, match in enumerate(index.check_and_add_many(some)):
                        told.write(f"{number + k} {match.kind} {len(match.of)}\n")
                    number += size
                    if number % 50 < size:
                        assert some[0].id in index
                        index.check(some[0])

        return work

    Index.open(path).close()
    in_children([write(me) for me in range(PROCESSES)])
    told: dict[int, list[tuple[str, int]]] = {}
    for me in range(PROCESSES):
        for line in (tmp_path / f"{me}").read_text().splitlines():
            which, kind, copies = line.split()
            told.setdefault(int(which), []).append((kind, int(copies)))
    for number, kinds in told.items():
        # The first has none before it, the second one, the third two ...
        assert sorted(copies for _, copies in kinds) == list(range(len(kinds))), number
        assert [kind for kind, _ in kinds].count("unique") == 1
        assert {kind for kind, _ in kinds} <= {"unique", "exact"}
    assert_whole(path, len(told))
    added = sum(map(len, told.values()))
    print(f"\n{PROCESSES} processes, {SECONDS:g} s: {added} articles, {added / SECONDS:.0f}/s")  # noqa: T201


@forks
def test_many_processes_make_one_index(tmp_path: Path) -> None:
    """Processes that open an index at the same moment, where there is none, make one."""

    def work() -> None:
        with Index.open(tmp_path / "idx") as index:
            index.check_and_add(story(os.getpid()))

    in_children([work] * PROCESSES)
    with Index.open(tmp_path / "idx") as index:
        assert len(index) == PROCESSES


@forks
def test_reader_stays_open(tmp_path: Path) -> None:
    """A reader sees at once what writers add, flush, merge and compact, and never fails."""
    path = tmp_path / "idx"
    reads, writes = os.pipe()

    def work() -> None:
        os.close(reads)
        with Index.open(path) as index:
            for number in range(180):
                index.check_and_add(story(number))
                os.write(writes, b"%d\n" % number)
                if number % 60 == 59:
                    index.remove(story(number - 30).id)
                    index.compact()

    with Index.open(path) as index:
        index.add(story(5_000))
    with Index.open(path, mode="r") as reader:
        child = forked(work)
        os.close(writes)
        seen = 0
        with open(reads) as told:  # noqa: PTH123
            for line in told:
                number = int(line)
                match = reader.check(story(number, "asked by "))
                # It may have been removed between.
                assert match.of == (story(number).id,) or number % 60 == 29
                assert len(reader) >= number - 1  # three were removed in the end
                seen += 1
        assert ended(child) == 0
        assert seen == 180
        assert len(reader) == 1 + 180 - 3
    assert_files_are_used(path)


def assert_files_are_used(path: Path) -> None:
    """No run file is left that is not used."""
    with Index.open(path, mode="r") as index:
        assert len(list(path.glob("*run-*"))) == index.info()["runs"]


@pytest.mark.parametrize("mode", ["r", "rw"])
def test_merged_before_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Literal["r", "rw"]
) -> None:
    """Runs that are merged after they were named, and before they were opened, are no damage."""
    path = tmp_path / "idx"
    opened: list[Path] = []
    real = Run
    with Index.open(path) as writer:
        for number in range(60):
            writer.add(story(number))
        before = len(list(path.glob("run-*")))

        def late(file: Path) -> Run:
            opened.append(file)
            if len(opened) == 1:
                with monkeypatch.context() as patch:
                    patch.setattr(embedded, "Run", real)
                    writer.compact()
            return real(file)

        monkeypatch.setattr(embedded, "Run", late)
        with Index.open(path, mode=mode) as index:
            assert index.info()["runs"] == 1
            assert index.check(story(3, "x")).of == ("a3",)
    assert before > 1
    assert not opened[0].exists()
    assert len(list(path.glob("run-*"))) == 1


@pytest.mark.parametrize("every", [100, 10_000])
def test_log_is_brought_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    """What was written is brought into the tables when so much was, by another thread."""
    monkeypatch.setattr(embedded, "BROUGHT_PAGES", every)
    tables = tmp_path / "idx" / embedded.DATABASE
    with Index.open(tmp_path / "idx") as index:
        before = tables.stat().st_size
        for number in range(30):
            index.check_and_add(story(number))
        store = index._store
        assert isinstance(store, embedded.EmbeddedStore)
        store._wait()
        assert (tables.stat().st_size > before) == (every == 100)
    assert_whole(tmp_path / "idx", 30)


def test_no_thread_can_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the system has no thread to give, articles are kept, and upkeep is put off."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with Index.open(tmp_path / "idx") as index, monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for number in range(30):
            assert index.check_and_add(story(number)).status == "new"
        assert "was put off: can't start new thread" in caplog.text
        index.compact()
    assert_whole(tmp_path / "idx", 30)


def test_left_files_are_deleted(tmp_path: Path) -> None:
    """Files that a process left are deleted by the next writer, but not while one is at work."""
    path = tmp_path / "idx"
    left = [path / "run-0000000001-0000000002-abcdef01.post", path / ".run-1-2-3.post.99.part"]
    with Index.open(path) as index:
        index.add_many(story(number) for number in range(50))
        used = set(path.glob("run-*"))
        for file in left:
            file.write_bytes(b"x")
        Index.open(path, mode="r").close()
        store = index._store
        assert isinstance(store, embedded.EmbeddedStore)
        store._wait()
        with store._upkeep.alone() as alone:
            assert alone
            Index.open(path).close()
        assert all(file.exists() for file in left)
        Index.open(path).close()
        assert not any(file.exists() for file in left)
        assert set(path.glob("run-*")) == used


@forks
def test_upkeep_is_free_after_a_fork(tmp_path: Path) -> None:
    """A child that is forked while upkeep is done does not keep others from it afterwards."""
    with Index.open(tmp_path / "idx") as index, Index.open(tmp_path / "idx") as other:
        mine, theirs = index._store, other._store
        assert isinstance(mine, embedded.EmbeddedStore)
        assert isinstance(theirs, embedded.EmbeddedStore)
        reads, writes = os.pipe()

        def work() -> None:
            with mine._upkeep.alone() as alone:
                assert not alone
            assert os.read(reads, 1) == b"1"

        with mine._upkeep.alone() as alone, mine._upkeep.alone() as again:
            assert (alone, again) == (True, False)
            child = forked(work)
            for patience in (0, 0.1):
                with theirs._upkeep.alone(patience) as free:
                    assert not free
            time.sleep(0.2)
        with theirs._upkeep.alone(5) as alone:
            assert alone
        os.write(writes, b"1")
        assert ended(child) == 0
        os.close(reads)
        os.close(writes)


@forks
def test_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On systems without locks of that kind upkeep may be done twice, but harms nothing."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    path = tmp_path / "idx"

    def work(me: int) -> None:
        with Index.open(path) as index:
            for number in range(60):
                index.check_and_add(story(number, f"p{me}-"))
                if number % 20 == me:
                    index.compact()

    Index.open(path).close()
    in_children([lambda me=me: work(me) for me in range(3)])  # type: ignore[misc]
    assert_whole(path, 60)
    with Index.open(path) as index:
        assert len(index) == 180
    assert_files_are_used(path)


@forks
@pytest.mark.parametrize("parent_closes_first", [True, False])
def test_fork(tmp_path: Path, parent_closes_first: bool) -> None:
    """After a fork parent and child both go on with the index, whoever closes it first."""
    path = tmp_path / "idx"
    index = Index.open(path)
    index.check_and_add(story(0))
    reads, writes = os.pipe()

    def work() -> None:
        for number in range(1, 40):
            match = index.check_and_add(story(number, "child"))
            assert match.kind in {"unique", "exact"}
        if parent_closes_first:
            assert os.read(reads, 1) == b"1"
        for number in range(40, 60):
            index.check_and_add(story(number, "child"))
        index.close()

    child = forked(work)
    for number in range(1, 40):
        assert index.check_and_add(story(number, "parent")).kind in {"unique", "exact"}
    if not parent_closes_first:
        assert ended(child) == 0
    index.close()
    os.write(writes, b"1")
    if parent_closes_first:
        assert ended(child) == 0
    os.close(reads)
    os.close(writes)
    with Index.open(path) as after:
        assert len(after) == 1 + 2 * 39 + 20
    assert_whole(path, 60)


@forks
def test_fork_after_a_scan(tmp_path: Path) -> None:
    """A child can use an index although the tables' library, which has threads, was used before."""
    pl.DataFrame({"x": ["b", "a", None] * 1000}).lazy().sort("x").with_columns(
        pl.col("x").rank("dense")
    ).collect()
    with Index.open(tmp_path / "idx") as index:
        index.add_many([story(1), story(1, "b"), story(2)])

        def work() -> None:
            matches = index.check_and_add_many([story(1, "c"), story(2, "c"), story(3)])
            assert [match.kind for match in matches] == ["exact", "exact", "unique"]
            family = index.family("c1")
            assert family is not None
            assert family.members == ("a1", "b1", "c1")
            assert index.remove("c1")
            assert index.update(article("a3", [7, 8])).status == "revised"
            index.compact()
            assert len(index.families(["a1", "a2"])) == 2

        assert ended(forked(work), 60) == 0


@forks
def test_fork_among_threads(tmp_path: Path) -> None:
    """A child forked while other threads write can use the index, and so can they."""
    with Index.open(tmp_path / "idx") as index:
        stop = threading.Event()
        added: list[int] = []

        def write() -> None:
            while not stop.is_set():
                index.check_and_add(story(len(added)))
                added.append(1)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            in_children(
                [lambda k=k: index.check_and_add(story(5000 + k)) for k in range(5)]  # type: ignore[misc]
            )
        finally:
            stop.set()
            writer.join()
        assert len(index) == len(added) + 5


def _added_in_a_child(path: str, first: int) -> list[str]:
    with Index.open(path) as index:
        return [index.check_and_add(story(first + k)).kind for k in range(5)]


@forks
def test_multiprocessing(tmp_path: Path) -> None:
    """Workers of a pool open the index of their parent, which has it open too."""
    path = tmp_path / "idx"
    with Index.open(path) as index, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        index.check_and_add(story(0))
        with multiprocessing.get_context("fork").Pool(3) as pool:
            kinds = pool.starmap(_added_in_a_child, [(str(path), 1 + 5 * k) for k in range(4)])
        assert kinds == [["unique"] * 5] * 4
        assert len(index) == 21


@forks
def test_fork_that_python_does_not_know_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that was forked by other code says what to do, rather than lose what it adds."""
    with Index.open(tmp_path / "idx") as index:
        index.add(story(0))
        monkeypatch.setattr(Database, "before_fork", lambda self: self.gate.acquire())

        def work() -> None:
            with pytest.raises(ConfigError, match="open the index after the fork"):
                index.check_and_add(story(1))
            index.close()

        in_children([work])
        index.add(story(2))
        assert len(index) == 2


def test_threads(tmp_path: Path) -> None:
    """Threads wait for each other: nothing is lost, and one each is told a text is unique."""
    with Index.open(tmp_path / "idx") as index, ThreadPoolExecutor(4) as pool:
        numbers = [number for number in range(30) for _ in range(3)]
        matches = list(
            pool.map(lambda k: index.check_and_add(story(numbers[k], f"t{k}-")), range(90))
        )
        assert [match.kind for match in matches].count("unique") == 30
        assert len(index) == 90


def test_asyncio(tmp_path: Path) -> None:
    """Many articles at once are added one after the other, and the loop goes on meanwhile."""

    async def add() -> list[str]:
        with Index.open(tmp_path / "idx") as index:
            matches = await asyncio.gather(
                *(index.acheck_and_add(story(k // 2, f"{k}-")) for k in range(60))
            )
            return [match.kind for match in matches]

    assert asyncio.run(add()) == ["unique", "exact"] * 30


def test_closing_finishes(tmp_path: Path) -> None:
    """What was asked for before the index was closed is done; what is asked after is refused."""

    async def add() -> None:
        index = Index.open(tmp_path / "idx")
        asked = [asyncio.ensure_future(index.acheck_and_add(story(k))) for k in range(20)]
        await asyncio.sleep(0)
        index.close()
        assert [(await one).kind for one in asked] == ["unique"] * 20
        with pytest.raises(ConfigError, match="the index is closed"):
            await index.acheck_and_add(story(21))

    asyncio.run(add())
    with Index.open(tmp_path / "idx") as index:
        assert len(index) == 20


def test_closed(tmp_path: Path) -> None:
    """A closed index says so, whatever is asked of it; closing it again is nothing."""
    index = Index.open(tmp_path / "idx")
    index.close()
    index.close()
    asked: list[Callable[[], object]] = [
        lambda: index.check(story(1)),
        lambda: index.add(story(1)),
        lambda: index.get("x"),
        lambda: index.remove("x"),
        lambda: "x" in index,
        lambda: len(index),
        lambda: list(index.articles()),
        index.info,
        index.compact,
        index.__enter__,
    ]
    for ask in asked[:-1]:
        with pytest.raises(ConfigError, match="the index is closed; open it anew"):
            ask()


def test_generator_that_asks(tmp_path: Path) -> None:
    """Articles may come from a generator that asks the index itself, and closes nothing."""
    with Index.open(tmp_path / "idx") as index:

        def unseen() -> Iterator[Article]:
            for number in [1, 2, 1, 3]:
                if story(number).id not in index:
                    yield story(number)

        index.add_many(unseen())
        assert len(index) == 3


def test_error_of_a_generator(tmp_path: Path) -> None:
    """After an error of the caller's the index goes on."""

    def broken() -> Iterator[Article]:
        yield story(1)
        raise ValueError("from outside")

    with Index.open(tmp_path / "idx") as index:
        with pytest.raises(ValueError, match="from outside"):
            index.check_and_add_many(broken())
        assert index.check_and_add(story(2)).kind == "unique"


def test_refused_changes_are_cheap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused before anything was changed does not make the index read its keys anew."""
    with Index.open(tmp_path / "idx") as index:
        index.add(story(1))
        monkeypatch.setattr(embedded, "unseal_keys", None)
        with pytest.raises(InputError):
            index.update(story(2))
        assert index.check_and_add(story(1, "b")).of == ("a1",)


@forks
def test_waiting_ends(tmp_path: Path) -> None:
    """Who waits for a writer too long is told so, and can try again; readers wait for nobody."""
    path = tmp_path / "idx"
    with Index.open(path) as index, Index.open(path, timeout=0.2) as other:
        index.add(story(1))
        with index._store.writing():
            begun = time.monotonic()
            with pytest.raises(IndexLockedError, match=r"writing to the index for 0\.2 seconds"):
                other.add(story(2))
            assert 0.15 < time.monotonic() - begun < 5
            assert other.check(story(1, "x")).kind == "exact"
            with Index.open(path, mode="r") as reader:
                assert len(reader) == 1
        assert other.add(story(2)) == "new"


def test_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt at any place of a transaction leaves the index as it was, and usable."""
    with Index.open(tmp_path / "idx") as index:
        index.add(story(1))
        store = index._store
        assert isinstance(store, embedded.EmbeddedStore)
        places = ["_catch_up", "enter", "add_pairs", "_insert", "_write_state", "known_furniture"]
        for k, name in enumerate(places):
            real = getattr(store, name)

            def interrupted(
                *args: object, real: Callable[..., object] = real, **more: object
            ) -> None:
                real(*args, **more)
                raise KeyboardInterrupt

            with monkeypatch.context() as patch:
                patch.setattr(store, name, interrupted)
                with pytest.raises(KeyboardInterrupt):
                    index.check_and_add(story(1, f"{k}-"))
            assert len(index) == 1
            assert index.check(story(1, "x")).of == ("a1",)
        sealed: list[NDArray[np.uint64]] = []

        def seals_once(keys: NDArray[np.uint64]) -> bytes:
            if sealed:
                raise KeyboardInterrupt
            sealed.append(keys)
            return seal_keys(keys)

        with monkeypatch.context() as patch:
            patch.setattr(embedded, "seal_keys", seals_once)
            with pytest.raises(KeyboardInterrupt):
                index.add_many([story(8), story(9)])
        assert len(sealed) == 1
        index.add(story(4))
        assert index.check(story(8)).kind == "unique"
        with Index.open(tmp_path / "idx", mode="r") as other:
            assert other.info()["postings_in_memory"] == index.info()["postings_in_memory"]
        assert index.remove(story(4).id)
        begin = store._database._become_writer

        def begun_and_interrupted() -> None:
            begin()
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(store._database, "_become_writer", begun_and_interrupted)
            with pytest.raises(KeyboardInterrupt):
                index.add(story(2))
        with Index.open(tmp_path / "idx", timeout=1) as other:
            assert other.add(story(3)) == "new"
        assert index.add(story(2)) == "new"


def test_exit_without_closing(tmp_path: Path) -> None:
    """A program that ends without closing the index says nothing, and loses nothing."""
    program = """
import sys
import dedupe.index._embedded as embedded
from dedupe import Article, Index
embedded.FLUSH_ENTRIES = 200
index = Index.open(sys.argv[1])
for k in range(25):
    index.add(Article(id=str(k), text=" ".join(f"w{k}x{i}" for i in range(80))))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(tmp_path / "idx")],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    with Index.open(tmp_path / "idx") as index:
        assert len(index) == 25
