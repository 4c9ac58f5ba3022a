"""An index that hosts share answers as one in a directory does, and says so when it cannot."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import needs
from redis_server import RedisServer, free_port

from dedupe import Article, Index
from dedupe.errors import (
    ConfigError,
    IndexDamagedError,
    InputError,
    MissingExtraError,
    StoreUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


needs("redis")

_prefixes = itertools.count()


def fresh() -> str:
    """A prefix that nobody has used."""
    return f"t{next(_prefixes)}"


def block(number: int, words: int = 24) -> str:
    """A paragraph of words that no other number has."""
    return " ".join(f"w{number}x{k}" for k in range(words)) + ".\n"


def article(name: str, blocks: Sequence[int], source: str | None = None) -> Article:
    """An article of some paragraphs."""
    return Article(id=name, text="".join(map(block, blocks)), source=source)


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    """A server for all tests that do it no harm."""
    with RedisServer() as server:
        yield server


@pytest.fixture(params=["directory", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an index can be made, of either kind."""
    if request.param == "directory":
        return str(tmp_path / "news.idx")
    server: RedisServer = request.getfixturevalue("redis_server")
    return server.url(fresh(), articles=1000)


@pytest.fixture
def url(redis_server: RedisServer) -> str:
    """An address on the server at which there is nothing."""
    return redis_server.url(fresh(), articles=1000)


# What holds for every store


def test_kinds(place: str) -> None:
    """New text is unique; the same words are exact; most of them near; some of them partial."""
    with Index.open(place) as index:
        first = index.check_and_add(article("first", [1, 2, 3, 4, 5, 6, 7, 8]))
        assert (first.kind, first.status, first.of, first.family) == ("unique", "new", (), None)
        exact = index.check_and_add(article("exact", [1, 2, 3, 4, 5, 6, 7, 8]))
        assert (exact.kind, exact.of) == ("exact", ("first",))
        near = index.check_and_add(article("near", [1, 2, 3, 4, 5, 6, 7]))
        assert (near.kind, near.of) == ("near", ("first", "exact"))
        partial = index.check_and_add(article("partial", [8, 20, 21]))
        assert (partial.kind, set(partial.of)) == ("partial", {"first", "exact"})


def test_records(place: str) -> None:
    """What is known of an article comes back as it was given, also where it is long or strange."""
    long = Article(
        id="https://example.com/" + "ü" * 900,
        text=block(1) + "Grüße, 你好, \x00, 🎈.",
        source="Zeitung für Köln",
        url="x" * 2000,
        title="„Titel“",
        published="2024-05-01",
        language="de",
    )
    plain = Article(id="plain", text="")
    with Index.open(place) as index:
        index.add_many([long, plain])
    with Index.open(place, mode="r") as index:
        assert index.get(long.id) == long
        assert index.get("plain") == plain
        assert index.get("other") is None
        assert list(index.articles()) == [long, plain]
        assert (long.id in index, "other" in index, len(index)) == (True, False, 2)


def test_check_adds_nothing(place: str) -> None:
    """Asking about an article leaves the index as it is, also for a source it never had."""
    with Index.open(place) as index:
        index.add(article("a", [1, 2, 3], "x"))
        assert index.check(article("b", [1, 2], "y")).of == ("a",)
        assert index.check(article("b", [1, 2], "y")).of == ("a",)
        assert ([a.id for a in index.articles()], index.info()["sources"]) == (["a"], 1)


def test_the_same_again(place: str) -> None:
    """The same id and text again changes nothing; another text replaces the one that was there."""
    with Index.open(place) as index:
        index.check_and_add(article("a", [1, 2, 3]))
        index.check_and_add(article("b", [1, 2, 3]))
        before = index.info()
        again = index.check_and_add(article("b", [1, 2, 3]))
        assert (again.status, again.of, again.family) == (
            "unchanged", ("a",), index.check_and_add(article("a", [1, 2, 3])).family
        )  # fmt: skip
        after = index.info()
        for name in ("articles", "ever_added", "pairs", "links"):
            assert after[name] == before[name]
        revised = index.check_and_add(article("b", [4, 5, 6]))
        assert (revised.status, revised.kind, revised.family) == ("revised", "unique", None)
        assert (len(index), index.info()["pairs"]) == (2, 0)
        assert index.check(article("c", [4, 5])).of == ("b",)
        assert index.check(article("c", [1, 2])).of == ("a",)


def test_a_revision_is_no_copy_of_itself(place: str) -> None:
    """Of a revised article the former text is not found any more."""
    with Index.open(place) as index:
        index.check_and_add(article("a", [1, 2, 3]))
        revised = index.check_and_add(article("a", [1, 2, 3, 4]))
        assert (revised.status, revised.kind) == ("revised", "unique")
        assert index.check(article("c", [1, 2, 3])).of == ("a",)
        with pytest.raises(InputError, match="no article of the index has the id 'b'"):
            index.update(article("b", [1]))
        assert index.update(article("a", [7, 8])).status == "revised"


def test_removing(place: str) -> None:
    """A removed article is found no more, and its family is that of those left."""
    with Index.open(place) as index:
        for name in "abcd":
            index.check_and_add(article(name, [1, 2, 3]))
        assert index.remove("a")
        assert not index.remove("a")
        assert index.check(article("q", [1, 2])).of == ("b", "c", "d")
        family = index.family("c")
        assert family is not None
        assert family.members == ("b", "c", "d")
        assert (index.remove("b"), index.remove("c"), index.family("d")) == (True, True, None)
        assert ([a.id for a in index.articles()], index.info()["links"]) == (["d"], 0)
        index.compact()
        assert index.check(article("q", [1, 2])).of == ("d",)


def test_families_are_known_by_name(place: str) -> None:
    """A family is found by a member's id and by its name."""
    with Index.open(place) as index:
        index.check_and_add(article("a", [1, 2, 3], "x"))
        match = index.check_and_add(article("b", [1, 2, 3, 4], "y"))
        assert match.family is not None
        found = index.family(match.family)
        assert found == index.family("a") == index.family("b")
        assert found is not None
        assert (found.members, found.sources) == (("a", "b"), ("x", "y"))
        assert index.family("f" + "0" * 16) is None
        index.compact()
        assert index.family(match.family) == found


def test_a_pair_is_kept_once(place: str) -> None:
    """A pair that is measured anew takes the place of the one that was kept."""
    with Index.open(place) as index:
        for name in "abc":
            index.check_and_add(article(name, [1, 2, 3]))
        store = index._store
        with store.reading():
            links = store.links_of([1, 2])
        row = links[(links["later"] == 2) & (links["earlier"] == 1)][:1].copy()
        row["links"] = False
        with store.writing():
            store.add_pairs(row)
        with store.reading():
            left = store.links_of([1, 2])
        assert {(int(x), int(y)) for x, y in left[["later", "earlier"]]} == {(3, 1), (3, 2)}
        assert (index.info()["pairs"], index.info()["links"]) == (3, 2)


def test_without_texts(place: str) -> None:
    """Without texts shares are estimates from what is kept."""
    with Index.open(place, store_text=False) as index:
        index.add(article("a", [1, 2, 3, 4, 5]))
        match = index.check_and_add(article("b", [1, 2, 3, 4, 5]))
        assert (match.kind, match.of, match.verified) == ("exact", ("a",), False)
        kept = index.get("a")
        assert kept is not None
        assert kept.text == ""


def test_frequent_text(place: str) -> None:
    """A text that more articles hold than a posting lists links the first ones, and no more."""
    with Index.open(place, max_posting=40, hubs=20) as index:
        index.add_many([article(f"a{k}", [1, 2, 100 + k]) for k in range(60)])
        match = index.check(article("q", [1, 2, 99]))
        assert set(match.of) <= {f"a{k}" for k in range(20)}


def test_clashes(place: str) -> None:
    """An index keeps the settings that it was made with, and says which ones clash."""
    Index.open(place, threshold=0.4, scale=2).close()
    with Index.open(place) as index:
        assert (index.config.threshold, index.config.scale) == (0.4, 2)
    message = r"threshold is 0.4 there and 0.5 here; leave them out, or make another index$"
    with pytest.raises(ConfigError, match=message):
        Index.open(place, threshold=0.5, scale=2)


def test_reading_only(place: str) -> None:
    """Where there is no index nothing can be read; one open for reading cannot be added to."""
    with pytest.raises(
        InputError, match=r"there is no index here; the first article that is added makes one"
    ):
        Index.open(place, mode="r")
    with Index.open(place) as index:
        index.add(article("a", [1, 2]))
    with Index.open(place, mode="r") as index:
        assert index.check(article("b", [1, 2])).of == ("a",)
        with pytest.raises(ConfigError, match=r"open for reading only; use mode='rw'"):
            index.add(article("b", [1, 2]))


@pytest.mark.parametrize("times", [70, 100])
def test_a_page_that_is_revised_often_is_found(place: str, times: int) -> None:
    """Former versions do not fill the postings: a copy of the last one is told, compacted or not."""
    page = article("live", [1, 2, 3])
    copy = article("copy", [1, 2, 3])
    with Index.open(place) as index:
        for k in range(times):
            index.add(replace(page, text=f"{page.text} update {k}"))
        assert index.check(copy).of == ("live",)
        index.compact()
        assert index.check(copy).of == ("live",)
        index.add(copy)
        assert index.check(replace(copy, id="another")).of == ("copy", "live")


# The same answers


@st.composite
def streams(draw: st.DrawFn) -> list[list[Article]]:
    """Articles that share whole paragraphs, and come again, some at a time."""
    pool, ids = draw(st.integers(1, 9)), draw(st.integers(1, 14))
    return [
        [
            article(
                f"a{draw(st.integers(0, ids))}",
                draw(st.lists(st.integers(1, pool), min_size=1, max_size=4, unique=True)),
                draw(st.sampled_from([None, "x", "y"])),
            )
            for _ in range(draw(st.integers(1, 4)))
        ]
        for _ in range(draw(st.integers(1, 8)))
    ]


@settings(max_examples=25, deadline=None)
@given(streams(), st.data())
def test_the_same_answers_as_a_directory(
    redis_server: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[list[Article]],
    data: st.DataObject,
) -> None:
    """Whatever comes, revised, again or removed: the answers are those of an index in a directory."""
    path = tmp_path_factory.mktemp("same") / "idx"
    # Long postings begin at sixteen, and are cut at more than `max_posting` or twice `hubs`.
    most, few = data.draw(st.sampled_from([(4, 4), (15, 10), (17, 10), (200, 32)]))
    given_: dict[str, Any] = {"max_posting": most, "hubs": few}
    if (
        most < 200
    ):  # of what is cut Redis keeps the first: others do not take the place of removed ones
        numbers = itertools.count()
        batches = [[replace(a, id=f"b{next(numbers)}") for a in batch] for batch in batches]
    with (
        Index.open(path, **given_) as one,
        Index.open(redis_server.url(fresh(), articles=64), **given_) as other,
    ):
        for batch in batches:
            assert other.check_many(batch) == one.check_many(batch)
            # One that is there already may meet those beside it in a batch in other ways.
            together = not any(a.id in one for a in batch)
            for some in [batch] if together else [[a] for a in batch]:
                assert other.check_and_add_many(some) == one.check_and_add_many(some)
            gone = f"a{data.draw(st.integers(0, 14))}"
            assert other.remove(gone) == one.remove(gone)
        names = [a.id for a in one.articles()]
        assert list(other.articles()) == list(one.articles())
        assert [other.family(name) for name in names] == [one.family(name) for name in names]
        for name in ("articles", "ever_added", "links", "pairs"):
            assert other.info()[name] == one.info()[name], name
        probes = [replace(a, id="q") for batch in batches for a in batch]
        assert [other.check(probe) for probe in probes] == [one.check(probe) for probe in probes]
        one.compact()
        other.compact()
        assert [other.family(name) for name in names] == [one.family(name) for name in names]
        assert [other.check(probe) for probe in probes] == [one.check(probe) for probe in probes]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.integers(0, 30), min_size=1, max_size=12, unique=True), min_size=1, max_size=40
    ),
    st.integers(2, 30),
    st.integers(8, 24),
)
def test_postings(
    redis_server: RedisServer, articles: list[list[int]], most: int, bits: int
) -> None:
    """A posting lists all articles that hold its key, or the first few, and counts them all."""
    from dedupe.index._store import NewArticle

    few = min(5, most)
    spread = np.array([k * 0x9E3779B97F4A7C15 % (1 << 64) for k in range(31)], np.uint64)
    with Index.open(redis_server.url(fresh())) as index:
        store: Any = index._store
        store._buckets = type(store._buckets)(bits)
        store.most, store.few = most, few
        held: dict[int, list[int]] = {}
        for number, keys in enumerate(articles, 1):
            own = np.sort(spread[keys])
            with store.writing():
                new = NewArticle(Article(id=str(number), text=""), number, 0, 0, own, b"")
                entered, gathered = store.enter([new], own, 0)
            assert entered[0][:3] == ("new", number, number)
            for k, key in enumerate(own.tolist()):
                before = held.setdefault(key, [])
                listed = gathered.numbers[gathered.offsets[k] : gathered.offsets[k + 1]]
                assert gathered.lengths[k] == len(before)
                assert listed.tolist() == (before if len(before) <= most else before[:few])
                before.append(number)


# Many at once


def _race(url: str, name: str, barrier: Any, rounds: int, told: Any) -> None:
    with Index.open(url) as index:
        for k in range(rounds):
            copy = article(f"{name}{k}", [3 * k, 3 * k + 1, 3 * k + 2])
            barrier.wait(30)
            match = index.check_and_add(copy)
            told.put((k, name, match.kind, match.of, match.family))


def test_two_processes_with_the_same_copy(redis_server: RedisServer) -> None:
    """Of two processes that add the same copy at the same moment exactly one is told "unique"."""
    url, rounds = redis_server.url(fresh(), articles=1000), 60
    Index.open(url).close()
    context = multiprocessing.get_context("spawn")
    barrier, told = context.Barrier(2), context.Queue()
    workers = [
        context.Process(target=_race, args=(url, name, barrier, rounds, told)) for name in "xy"
    ]
    for worker in workers:
        worker.start()
    answers = [told.get(timeout=120) for _ in range(2 * rounds)]
    for worker in workers:
        worker.join()
    firsts = set()
    for k in range(rounds):
        first, second = sorted((a for a in answers if a[0] == k), key=lambda a: a[2] != "unique")
        assert (first[2], second[2], second[3]) == ("unique", "exact", (f"{first[1]}{k}",))
        firsts.add(first[1])
    with Index.open(url, mode="r") as index:
        for k in range(rounds):
            family = index.family(f"x{k}")
            assert family is not None
            assert set(family.members) == {f"x{k}", f"y{k}"}


def test_threads(url: str) -> None:
    """Threads share an index, and wait for each other."""
    with Index.open(url) as index:
        kinds: list[str] = []

        def work(name: str) -> None:
            for k in range(10):
                copy = article(f"{name}{k}", [2 * k, 2 * k + 1])
                kinds.append(index.check_and_add(copy).kind)

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(kinds) == ["exact"] * 30 + ["unique"] * 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_fork(url: str) -> None:
    """After a fork parent and child each go on with a connection of their own."""
    with Index.open(url) as index:
        index.check_and_add(article("a", [1, 2, 3]))
        index.check_and_add(article("b", [1, 2, 3]))  # whose last answer nobody has read yet
        child = os.fork()
        if child == 0:
            status = 1
            with contextlib.suppress(BaseException):
                match = index.check_and_add(article("child", [1, 2, 3]))
                status = int(match.of != ("a", "b"))
                index.close()
            os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        assert index.check_and_add(article("c", [1, 2, 3])).of == ("a", "b", "child")
        assert index.info()["pairs"] == 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("ask", ["len", "articles"])
def test_fork_with_articles_ahead(url: str, ask: str) -> None:
    """What the parent entered ahead is its own: the child asks as if nothing were under way."""
    with Index.open(url) as index:
        index.add(article("a", [1, 2, 3]))
        new, keys = entered_ahead(index._store, "ahead")
        time.sleep(0.1)  # it is entered, and the answer is there for the parent
        child = os.fork()
        if child == 0:
            status = 1
            with contextlib.suppress(BaseException):
                there = len(index) if ask == "len" else len(index._store.numbers())
                status = int(there != 2)
            os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        with index._store.writing():
            done = index._store.enter(new, keys, 9, only_new=True)
            assert done is not None
            assert (done[0][0].status, done[0][0].number) == ("new", 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_fork_while_another_thread_learns(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a thread was about to take over of an answer at a fork, the child is told anew."""
    from dedupe.index._verdicts import Verdicts

    started, go_on = threading.Event(), threading.Event()
    add = Verdicts.add

    def slowly(*args: Any) -> None:
        started.set()
        assert go_on.wait(30)
        add(*args)

    with Index.open(url) as idle, Index.open(url) as index, ThreadPoolExecutor(1) as pool:
        for k in range(30):
            index.check_and_add(article(f"a{k}", [3 * k, 3 * k + 1, 3 * k + 2, 900, 901], "x"))
        known = [part.values.tolist() for part in index._store.known_furniture()]
        assert known[0]
        with monkeypatch.context() as patch:
            patch.setattr(Verdicts, "add", slowly)
            asked = pool.submit(len, idle)
            assert started.wait(30)
        child = os.fork()
        if child == 0:
            status = 1
            with contextlib.suppress(BaseException):
                there = len(idle)
                told = [part.values.tolist() for part in idle._store.known_furniture()]
                status = int((there, told) != (30, known))
            os._exit(status)
        ended = os.waitpid(child, 0)[1]
        go_on.set()
        assert (ended, asked.result()) == (0, 30)


def test_what_others_do_is_seen(url: str) -> None:
    """What one client adds, revises and removes, the others see with their next question."""
    with Index.open(url) as one, Index.open(url) as other:
        one.add(article("a", [1, 2, 3], "x"))
        assert (other.check(article("q", [1, 2])).of, len(other)) == (("a",), 1)
        one.add(article("a", [4, 5, 6], "x"))
        assert (other.check(article("q", [1, 2])).of, len(other)) == ((), 1)
        assert other.check_and_add(article("b", [4, 5], "y")).of == ("a",)
        family = one.family("a")
        assert family is not None
        assert family.sources == ("x", "y")
        other.remove("a")
        assert (one.check(article("q", [4, 5])).of, len(one)) == (("b",), 1)


def test_furniture_is_learnt_by_all(url: str) -> None:
    """What one client found to be furniture the next one knows."""
    footer = [900, 901]
    with Index.open(url) as index:
        for k in range(30):
            index.check_and_add(article(f"a{k}", [3 * k, 3 * k + 1, 3 * k + 2, *footer], "x"))
        known = index._store.known_furniture()
        assert len(known[0].values) > 0
    with Index.open(url, mode="r") as index:
        again = index._store.known_furniture()
        assert [part.values.tolist() for part in again] == [part.values.tolist() for part in known]
        assert index.check(article("q", [700, 701, 702, *footer], "x")).kind == "unique"


def test_what_was_read_before_is_what_is_there(url: str) -> None:
    """Of a neighbour that was read before what may have changed is read again."""
    with Index.open(url) as one, Index.open(url) as other:
        for name in "abc":
            one.check_and_add(article(name, [1, 2, 3]))
        before = one.family("a")
        other.remove("a")
        other.update(article("b", [4, 5, 6]))
        other.check_and_add(article("d", [1, 2, 3]))
        match = one.check_and_add(article("e", [1, 2, 3]))
        assert match.of == ("c", "d")
        family = other.family("e")
        assert before is not None
        assert family is not None
        assert family.members == ("c", "d", "e")
        assert match.family == family.name == one.check(article("e", [1, 2, 3])).family


def test_prefixes_are_apart(redis_server: RedisServer) -> None:
    """Indexes of different prefixes on one server know nothing of each other."""
    first, second = fresh(), fresh()
    with (
        Index.open(redis_server.url(first)) as one,
        Index.open(redis_server.url(second)) as other,
    ):
        one.add(article("a", [1, 2]))
        assert other.check(article("a", [1, 2])).kind == "unique"
        assert (len(one), len(other)) == (1, 0)


# When something ends in the midst of it


def test_an_unfinished_article_is_finished(url: str) -> None:
    """Who ends after the first step leaves an article that is found, and finished when it comes again."""
    with Index.open(url) as index:
        index.check_and_add(article("a", [1, 2, 3]))
        store: Any = index._store
        store.add_pairs = lambda _: (_ for _ in ()).throw(KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            index.check_and_add(article("b", [1, 2, 3]))
    with Index.open(url) as index:
        assert index.check(article("q", [1, 2])).of == ("a", "b")
        assert index.family("b") is None
        again = index.check_and_add(article("b", [1, 2, 3]))
        assert (again.status, again.kind, again.of) == ("unchanged", "exact", ("a",))
        assert again.family is not None
        family = index.family("b")
        assert family is not None
        assert family.members == ("a", "b")
        pairs = index.info()["pairs"]
        assert index.check_and_add(article("b", [1, 2, 3])).family == again.family
        assert index.info()["pairs"] == pairs == 1


@pytest.mark.parametrize("script", ["enter", "write", "load"])
def test_a_lost_answer(url: str, script: str, tmp_path: Path) -> None:
    """A step whose answer is lost is made once, and what is told is what it did."""
    from dedupe.index import _redis_server

    redis = needs("redis")
    with Index.open(url) as index, Index.open(url) as whole:
        for one in (article("a", [1, 2, 3], "x"), article("c", [7, 8])):
            index.check_and_add(one)
        server: Any = index._store._server  # type: ignore[attr-defined]
        connection = server._connected()
        read, send = connection.read_response, connection.send_packed_command
        sent: list[Any] = []
        lost: list[Any] = []
        spared: list[Any] = []  # answers that are not to be lost
        sha = _redis_server._script(script)[1]

        def sending(packed: Any, **more: Any) -> None:
            sent[:] = packed
            send(packed, **more)

        def losing(**more: Any) -> Any:
            answer = read(**more)
            if sha.encode() in sent[0] and spared:
                spared.pop()
            elif sha.encode() in sent[0] and not lost:
                lost.append(script)
                connection.disconnect()
                raise redis.ConnectionError("Connection reset by peer")
            return answer

        connection.read_response, connection.send_packed_command = losing, sending
        match = index.check_and_add(article("b", [1, 2, 3], "y"))
        assert lost
        assert (match.status, match.kind, match.of) == ("new", "exact", ("a",))
        assert len(whole) == 3
        assert whole.check(article("q", [1, 2, 3])).of == ("a", "b")
        family = whole.family("b")
        assert family is not None
        assert family.members == ("a", "b")
        lost.clear()
        spared += ["that its id is there"] if script == "enter" else []
        revised = index.check_and_add(article("c", [1, 2, 3, 9]))
        assert (revised.status, len(whole)) == ("revised", 3)
    with Index.open(tmp_path / "news.idx") as undisturbed:
        undisturbed.add_many([article("a", [1, 2, 3], "x"), article("c", [7, 8])])
        assert match == undisturbed.check_and_add(article("b", [1, 2, 3], "y"))
        assert revised == undisturbed.check_and_add(article("c", [1, 2, 3, 9]))


def test_a_new_article_takes_one_step(redis_server: RedisServer, url: str) -> None:
    """The server is asked once about an article that shares text with nobody."""

    def scripts() -> int:
        return int(redis_server.client().info("commandstats")["cmdstat_evalsha"]["calls"])

    with Index.open(url) as index:
        index.check_and_add(article("a", [1, 2, 3], "x"))
        before = scripts()
        index.check_and_add_many([article("b", [4, 5, 6], "x")])
        index.add_many([article("c", [7, 8, 9]), article("d", [10, 11])])
        assert scripts() - before == 2


class AtOnce:
    """A pool whose threads are quicker than anybody: what is to be done is done."""

    def __init__(self, threads: int, **_: str) -> None:
        assert threads == 1

    def shutdown(self, **_: bool) -> None:
        """There is nothing to wait for."""

    def submit(self, work: Any, *arguments: Any) -> Future[Any]:
        """The work, done."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:  # noqa: BLE001 -- as a pool does
            future.set_exception(error)
        return future


class Lossy:
    """Loses the answer to one of the scripts of a kind, counted from when it is made."""

    def __init__(self, index: Index, script: str, which: int) -> None:
        from dedupe.index import _redis_server

        server: Any = index._store._server  # type: ignore[attr-defined]
        self._connection = server._connected()
        self._read = self._connection.read_response
        self._send = self._connection.send_packed_command
        self._sha = _redis_server._script(script)[1].encode()
        self._which, self.sent = which, 0
        self._unanswered: list[bool] = []
        self._connection.read_response = self.read
        self._connection.send_packed_command = self.send

    def send(self, packed: Any, **more: Any) -> None:
        """Send a command."""
        self._unanswered.append(self._sha in packed[0])
        self.sent += self._sha in packed[0]
        self._send(packed, **more)

    def read(self, **more: Any) -> Any:
        """Read an answer, unless it is the one that is lost."""
        answer = self._read(**more)
        if self._unanswered.pop(0) and self.sent == self._which + 1:
            self._connection.disconnect()
            raise needs("redis").ConnectionError("Connection reset by peer")
        return answer


@pytest.mark.parametrize("lost", [None, 0, 1, 2, 3])
@settings(max_examples=12, deadline=None)
@given(
    texts=st.lists(
        st.tuples(st.integers(0, 7), st.lists(st.integers(0, 5), min_size=1, max_size=4)),
        min_size=2,
        max_size=12,
    ),
    distinct=st.booleans(),
)
def test_what_is_entered_ahead(
    redis_server: RedisServer,
    lost: int | None,
    texts: list[tuple[int, list[int]]],
    distinct: bool,
) -> None:
    """Many articles are told what each would be told alone, though the next ones are entered ahead."""
    from dedupe.index import _ahead

    articles = [
        article(f"a{place if distinct else name}", blocks, f"s{name % 3}")
        for place, (name, blocks) in enumerate(texts)
    ]
    with Index.open(redis_server.url(fresh())) as alone, pytest.MonkeyPatch.context() as patch:
        expected = [alone.check_and_add(one) for one in articles]
        patch.setattr(_ahead, "ThreadPoolExecutor", AtOnce)
        with Index.open(redis_server.url(fresh())) as index:
            store: Any = index._store
            # Of two that come at once one is not told of the other's former text.
            store.chunk_bytes = 300 if distinct else 0
            if lost is not None:
                Lossy(index, "enter", lost)
            told = index.check_and_add_many(articles)
            assert [(m.status, m.kind, m.of) for m in told] == [
                (m.status, m.kind, m.of) for m in expected
            ]
            names = [one.id for one in articles]
            assert index.families(names) == alone.families(names)
            assert (len(index), store.shingles) == (len(alone), alone._store.shingles)
            assert index.check_and_add(articles[-1]).status == "unchanged"


INNER = {
    "new": article("inner", [7, 8, 9, 99]),
    "unchanged": article("there", [50, 51]),
    "revised": article("there", [52, 53]),
}


@pytest.mark.parametrize("status", INNER)
@pytest.mark.parametrize("answers", [True, False])
def test_adding_between_what_is_entered_ahead(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, status: str, answers: bool
) -> None:
    """Whatever is added by what gives the articles: those entered ahead are told they are new."""
    from dedupe.index import _ahead

    monkeypatch.setattr(_ahead, "ThreadPoolExecutor", AtOnce)
    with Index.open(redis_server.url(fresh())) as index:
        store: Any = index._store
        index.add(INNER["unchanged"])
        store.chunk_bytes = 300
        ahead: list[bool] = []

        def articles() -> Iterator[Article]:
            for k in range(12):
                ahead.append(store._ahead is not None)
                if k in (5, 8):
                    inner = index.check_and_add(INNER[status])
                    assert inner.status == (status if k == 5 else "unchanged")
                yield article(f"a{k}", [100 + k, 7, 8, 9])

        if answers:
            told = index.check_and_add_many(articles())
            assert [(m.id, m.status) for m in told] == [(f"a{k}", "new") for k in range(12)]
            for k, match in enumerate(told):
                others = [name for name in match.of if name.startswith("a")]
                assert len(others) + match.left_out >= k
        else:
            added = index.add_many(articles())
            assert (added.new, added.unchanged, added.revised) == (12, 0, 0)
        assert ahead[5]
        assert ahead[8]
        family = index.family("a0")
        assert family is not None
        assert set(family.members) >= {f"a{k}" for k in range(12)}


def entered_ahead(store: Any, name: str) -> tuple[Any, Any]:
    """An article that is entered ahead: what `enter` is called with."""
    from dedupe.index._store import NewArticle

    keys = np.array([1 << 60], np.uint64)
    new = [NewArticle(Article(id=name, text=""), 1, 0, 0, keys, b"")]
    with store.writing():
        store.enter_ahead(new, keys, 9)
    return new, keys


@pytest.mark.parametrize("when", ["reading", "running it again", "taking it over"])
def test_an_interrupt_while_an_answer_is_owed(
    url: str, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """After an interrupt the next call goes on, and what was sent ahead is answered, once made."""
    redis = needs("redis")
    with Index.open(url) as index:
        store: Any = index._store
        new, keys = entered_ahead(store, "a")
        connection = store._server._connected()

        def interrupted(*_: Any, **__: Any) -> Any:
            raise KeyboardInterrupt

        def lost(**_: Any) -> Any:
            raise redis.ConnectionError("Connection reset by peer")

        absorb = store._known.absorb

        def taken_over(news: bytes) -> bool:
            absorb(news)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            if when == "taking it over":
                patch.setattr(store._known, "absorb", taken_over)
            else:
                read = interrupted if when == "reading" else lost
                patch.setattr(connection, "read_response", read)
                patch.setattr(store._server, "_evaluate", interrupted)
            with pytest.raises(KeyboardInterrupt):
                len(index)
        assert len(index) == 1
        with store.writing():
            (one,), _ = store.enter(new, keys, 9, only_new=True)
        assert (one.status, one.number, len(index)) == ("new", 1, 1)


def test_an_error_of_what_is_entered_ahead() -> None:
    """An error of what was sent ahead is told by the next call, and by who asks for its answer."""
    with (
        RedisServer("--appendonly", "yes", "--appendfsync", "always") as server,
        Index.open(server.url(), timeout=0.3) as index,
    ):
        store: Any = index._store
        new, keys = entered_ahead(store, "a")
        server.kill()
        with pytest.raises(StoreUnavailableError, match="does not answer"):
            len(index)
        server.start()
        assert index.check_and_add(article("b", [1, 2])).status == "new"
        with store.writing(), pytest.raises(StoreUnavailableError, match="does not answer"):
            store.enter(new, keys, 9, only_new=True)
        assert index.check_and_add(article("b", [1, 2])).status == "unchanged"


def test_an_error_with_articles_ahead(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an error what was entered ahead is found, and finished when it comes again."""
    from dedupe.index import _ahead, _work

    monkeypatch.setattr(_ahead, "ThreadPoolExecutor", AtOnce)
    compare = vars(_work)["compare_all"]
    articles = [article(f"a{k}", [k % 3, 7, 8, 9]) for k in range(6)]
    with Index.open(redis_server.url(fresh())) as index:
        store: Any = index._store
        store.chunk_bytes = 300

        def failing(*args: Any) -> Any:
            if len(index._store.numbers()) > 3:
                raise ZeroDivisionError
            return compare(*args)

        monkeypatch.setattr(_work, "compare_all", failing)
        with pytest.raises(ZeroDivisionError):
            index.check_and_add_many(articles)
        monkeypatch.setattr(_work, "compare_all", compare)
        assert index.check_and_add(article("b", [50, 51])).kind == "unique"
        assert len(index) == 5
        told = index.check_and_add_many(articles)
        assert [m.status for m in told] == ["unchanged"] * 4 + ["new"] * 2
        assert [len(m.of) for m in told] == [0, 1, 2, 3, 4, 5]
        family = index.family("a0")
        assert family is not None
        assert len(family.members) == 6


def test_an_error_of_another(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asked together with one whose article makes an error is told what is so without it."""
    from dedupe.index import _work

    compare = vars(_work)["compare_all"]
    together = threading.Barrier(3)

    def failing(*args: Any) -> Any:
        if any(b"w66x" in text for text in args[0].texts):
            raise ZeroDivisionError
        return compare(*args)

    monkeypatch.setattr(_work, "compare_all", failing)
    with Index.open(place) as index:
        index.check_and_add(article("a", [1, 2, 3]))

        def ask(one: Article) -> Any:
            together.wait()
            try:
                match = index.check_and_add(one)
            except ZeroDivisionError as error:
                return error
            return match.status, match.of

        articles = [article("b", [4, 5]), article("c", [66, 1, 2, 3]), article("d", [1, 2, 3])]
        with ThreadPoolExecutor(3) as pool, index._using():
            asked = [pool.submit(ask, one) for one in articles]
            time.sleep(0.1)  # all of them wait
        told = [future.result() for future in asked]
        assert told[0] == ("new", ())
        assert isinstance(told[1], ZeroDivisionError)
        assert told[2][0] == "new"
        assert {"a"} <= {*told[2][1]} <= {"a", "c"}
        assert index.check_and_add(article("b", [4, 5])).status == "unchanged"


def test_what_is_there_is_not_entered(place: str) -> None:
    """Of articles that are to be kept only if all of them are new none is, if one is not."""
    from dedupe.index._store import NewArticle

    def new(name: str, number: int) -> NewArticle:
        return NewArticle(Article(id=name, text=""), number, 0, 0, keys, b"")

    keys = np.array([1 << 60], np.uint64)
    with Index.open(place) as index:
        store = index._store
        with store.writing():
            assert store.enter([new("a", 1)], keys, 9, only_new=True) is not None
        with store.writing():
            known, shingles = store.find(["a"])["a"], store.shingles
            assert store.enter([new("a", 1), new("b", 2)], keys, 9, only_new=True) is None
            assert store.find(["a", "b"]) == store.find(["a"]) == {"a": known}
            assert (len(store), store.shingles) == (1, shingles)
            done = store.enter([new("b", 2)], keys, 9, only_new=True)
            assert done is not None
            assert done[1].numbers.tolist() == [known.number]


def test_scripts_are_sent_again(redis_server: RedisServer, url: str) -> None:
    """A server that forgot the scripts is given them again."""
    with Index.open(url) as index:
        index.add(article("a", [1, 2, 3]))
        redis_server.client().script_flush()
        assert index.check_and_add(article("b", [1, 2, 3])).of == ("a",)


def test_a_server_that_is_killed() -> None:
    """Without the server an article is never "unique"; when it is back with its data, all goes on."""
    with (
        RedisServer("--appendonly", "yes", "--appendfsync", "always") as server,
        Index.open(server.url(), timeout=1) as index,
    ):
        index.add(article("a", [1, 2, 3]))
        server.kill()
        start = time.monotonic()
        message = r"^redis://127.0.0.1:\d+/0\?prefix=dedupe: the server does not answer"
        with pytest.raises(StoreUnavailableError, match=message):
            index.check_and_add(article("b", [1, 2, 3]))
        assert 0.3 < time.monotonic() - start < 10
        server.start()
        assert index.check_and_add(article("b", [1, 2, 3])).of == ("a",)
        restart = threading.Timer(0.4, server.start)
        server.kill()
        restart.start()
        assert index.check_and_add(article("c", [1, 2, 3])).of == ("a", "b")
        restart.join()


def test_a_server_that_lost_its_data() -> None:
    """An index that is gone is not taken for an empty one, until it is opened again."""
    with RedisServer() as server:
        with Index.open(server.url()) as index:
            index.add(article("a", [1, 2, 3]))
            server.kill()
            server.start()
            message = r"the index that was opened is not there any more.*open it again"
            for _ in range(2):
                with pytest.raises(StoreUnavailableError, match=message):
                    index.check_and_add(article("b", [1, 2, 3]))
        with Index.open(server.url()) as index:
            assert index.check_and_add(article("b", [1, 2, 3])).kind == "unique"


def test_a_server_that_lost_the_last(redis_server: RedisServer) -> None:
    """Where a replica that had not heard the last takes over, the index goes on from what it has."""
    prefix, client = fresh(), redis_server.client()
    with Index.open(redis_server.url(prefix)) as index:
        index.check_and_add(article("a", [1, 2, 3], "x"))
        before = {name: client.dump(name) for name in client.scan_iter(f"{prefix}:*")}
        index.check_and_add(article("b", [1, 2, 3], "y"))
        index.check_and_add(article("c", [1, 2, 3], "x"))
        index.remove("b")
        assert len(index) == 2
        client.delete(*client.scan_iter(f"{prefix}:*"))
        for name, value in before.items():
            client.restore(name, 0, value)
        assert index.check(article("q", [1, 2, 3], "x")).of == ("a",)
        assert ([a.id for a in index.articles()], len(index)) == (["a"], 1)
        again = index.check_and_add(article("b", [1, 2, 3], "z"))
        assert (again.status, again.of) == ("new", ("a",))
        family = index.family("b")
        assert family is not None
        assert (family.members, family.sources) == (("a", "b"), ("x", "z"))


@pytest.mark.parametrize("others", [1, 2, 3])
@pytest.mark.parametrize("texts", [True, False])
@pytest.mark.parametrize("same_token", [True, False])
def test_numbers_that_are_given_again(
    redis_server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
    others: int,
    texts: bool,
    same_token: bool,
) -> None:
    """What was read of an article that was lost is not taken for another that has its number."""
    prefix, client = fresh(), redis_server.client()
    url = redis_server.url(prefix)
    with Index.open(url) as index:
        index.check_and_add(article("a", [1, 2, 3], "x"))
        before = {name: client.dump(name) for name in client.scan_iter(f"{prefix}:*")}
        if same_token:  # as when a call is sent again after what it did was lost
            monkeypatch.setattr("secrets.token_bytes", bytes)
        index.check_and_add(article("lost", [7, 8, 9, 10], "y"))
        index.check_and_add(article("lost, too", [17, 18, 19], "y"))
        assert index.check(article("q", [7, 8, 9, 10])).of == ("lost",)
        store = index._store
        with store.reading():
            (lost,) = store.load([2], texts=texts)
        assert lost.article.id == "lost"
        client.delete(*client.scan_iter(f"{prefix}:*"))
        for name, value in before.items():
            client.restore(name, 0, value)
        with Index.open(url) as other:
            for k in range(others):
                other.check_and_add(article(f"b{k}", [7, 8, 20 + k, 30 + k], f"z{k}"))
        with store.reading():
            (found,) = store.load([2], texts=texts)
            assert replace(found.article, text="") == Article("b0", text="", source="z0")
        probe = article("q", [20, 30, 7, 8])
        with Index.open(url) as other:
            assert index.check(probe) == other.check(probe)
            assert list(index.articles()) == list(other.articles())
            came = {f"b{k}" for k in range(others)}
            assert set(index.check_and_add(probe).of) == came
            assert set(other.check(replace(probe, id="r")).of) == {"q", *came}


def test_a_server_that_hangs() -> None:
    """A server that takes connections and does not answer is given up."""
    with RedisServer() as server:
        index = Index.open(server.url(), timeout=0.3)
        server.pause()
        try:
            with pytest.raises(StoreUnavailableError, match="does not answer"):
                index.check(article("a", [1, 2]))
        finally:
            server.go_on()
        assert index.check(article("a", [1, 2])).kind == "unique"
        index.close()


def test_a_server_that_is_full() -> None:
    """Where the memory is full nothing is half added."""
    with RedisServer("--maxmemory", "4mb") as server, Index.open(server.url()) as index:
        added = 0

        def fill() -> None:
            nonlocal added
            for k in range(10_000):
                index.add(article(f"a{k}", range(30 * k, 30 * k + 30)))
                added += 1

        message = r"the server's memory is full, and nothing was added; raise its maxmemory"
        with pytest.raises(StoreUnavailableError, match=message):
            fill()
        assert added > 5
        assert len(index) == added
        assert index.check(article("q", range(30))).of == ("a0",)


def test_a_replica(redis_server: RedisServer) -> None:
    """A replica can be asked, and says where else to write."""
    prefix = fresh()
    with Index.open(redis_server.url(prefix)) as index:
        index.add(article("a", [1, 2, 3]))
    with RedisServer("--replicaof", f"127.0.0.1 {redis_server.port}") as replica:
        end = time.monotonic() + 20
        while not replica.client().exists(f"{prefix}:meta") and time.monotonic() < end:
            time.sleep(0.05)
        with Index.open(replica.url(prefix), mode="r") as index:
            assert index.check(article("q", [1, 2])).of == ("a",)
        message = "is a replica, which only reads; name the primary server"
        with pytest.raises(StoreUnavailableError, match=message):
            Index.open(replica.url(fresh()), timeout=0.2)


# Expiry


def test_articles_expire(redis_server: RedisServer) -> None:
    """An article stays for its time and is then gone, with all that was known of it."""
    prefix = fresh()
    with Index.open(redis_server.url(prefix, expire=2)) as index:
        start = time.monotonic()
        index.check_and_add(article("a", [1, 2, 3], "x"))
        index.check_and_add(article("b", [1, 2, 3], "y"))
        time.sleep(1.2)
        assert index.check_and_add(article("c", [1, 2, 3, 4])).of == ("a", "b")
        name = index.check(article("c", [1, 2, 3, 4])).family
        assert (len(index), name is not None) == (3, True)
        time.sleep(max(0, start + 2.6 - time.monotonic()))
        assert index.check(article("q", [1, 2, 3])).of == ("c",)
        assert ([a.id for a in index.articles()], len(index)) == (["c"], 1)
        assert ("a" in index, index.get("a"), index.family("c")) == (False, None, None)
        assert index.check_and_add(article("a", [1, 2, 3])).status == "new"
        family = index.family("a")
        assert family is not None
        assert family.members == ("c", "a")
        time.sleep(2.7)
        assert (len(index), list(index.articles())) == (0, [])
        left = sorted(redis_server.client().scan_iter(f"{prefix}:*"))
        assert left == [f"{prefix}:{name}".encode() for name in ("meta", "source", "state")]
        assert index.check_and_add(article("z", [1, 2, 3])).kind == "unique"


def test_all_of_an_article_expires(redis_server: RedisServer) -> None:
    """Where articles expire, nothing is written that stays for ever."""
    prefix = fresh()
    with Index.open(redis_server.url(prefix, expire=1000), max_posting=20) as index:
        for k in range(30):
            index.check_and_add(article(f"a{k}", [1, 2, 3, 10 + k], "x"))
        index.remove("a3")
        index.check_and_add(article("a4", [7, 8]))
        index.compact()
    client = redis_server.client()
    forever = {name for name in client.scan_iter(f"{prefix}:*") if client.ttl(name) < 0}
    assert forever == {f"{prefix}:{name}".encode() for name in ("meta", "source", "state")}
    longest = max(client.ttl(name) for name in client.scan_iter(f"{prefix}:*"))
    assert 1000 <= longest <= 1250


def test_windows_clash(redis_server: RedisServer) -> None:
    """The time that articles stay is kept with the index."""
    prefix = fresh()
    Index.open(redis_server.url(prefix, expire=60)).close()
    with Index.open(redis_server.url(prefix)) as index:
        assert index.info()["expire_seconds"] == 60
    with pytest.raises(ConfigError, match=r"expire is 60.0 there and 90.0 here"):
        Index.open(redis_server.url(prefix, expire=90))


def test_what_is_left_in_part_is_gone(redis_server: RedisServer) -> None:
    """Of what somebody deleted or the server evicted the rest does no harm."""
    prefix = fresh()
    client = redis_server.client()
    with Index.open(redis_server.url(prefix)) as index:
        index.check_and_add(article("a", [1, 2, 3]))
        index.check_and_add(article("b", [1, 2, 3]))
        for name in client.scan_iter(f"{prefix}:a*"):
            if client.get(name).find(b'"a"') > 0:
                client.delete(name)
        assert index.check(article("q", [1, 2])).of == ("b",)
        assert ("a" in index, index.get("a"), index.family("b")) == (False, None, None)
        assert index.check_and_add(article("a", [1, 2, 3])).status == "new"


def test_damage(redis_server: RedisServer) -> None:
    """A record that is not what was written is told, not believed."""
    prefix = fresh()
    client = redis_server.client()
    with Index.open(redis_server.url(prefix)) as index:
        index.check_and_add(article("a", [1, 2, 3]))
        (name,) = client.scan_iter(f"{prefix}:a*")
        client.setrange(name, 60, b"\xff\xff")
        with pytest.raises(IndexDamagedError, match=r"the record of article 1 is damaged"):
            index.check(article("q", [1, 2]))


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "redis://me:s3cret@127.0.0.1:1/0",
        "redis://:s3cret@127.0.0.1:1/0?prefix=x",
        "redis://:s3cret/x@127.0.0.1:1/0",
        "redis://:s3cret#x@127.0.0.1:1/0",
        "redis://:s3cret?x@127.0.0.1:1/0",
        "redis://127.0.0.1:1/0?password=s3cret",
        "redis://me:s3cret@127.0.0.1:1/0?prefix=a*b",
        "redis://me:s3cret@127.0.0.1:1/0?expire=never",
        "redis://me:s3cret@[::1/0",
        "unix://me:s3cret@/nowhere/redis.sock",
        "rediss://me:s3cret@127.0.0.1:1/0",
        "foo://me:s3cret@127.0.0.1:1/0",
    ],
)
def test_passwords_are_not_told(address: str) -> None:
    """No message about an address, well-formed or not, holds the password."""
    with pytest.raises((ConfigError, StoreUnavailableError)) as caught:
        Index.open(address, timeout=0.1)
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cret" not in f"{error!s}{error!r}"
        error = error.__cause__


def test_a_password() -> None:
    """With the password the index can be used; without, or with another, it is said what to do."""
    with RedisServer("--requirepass", "s3cret/@") as server:
        right = f"redis://:s3cret%2F%40@127.0.0.1:{server.port}/0"
        with Index.open(right) as index:
            index.add(article("a", [1, 2]))
            assert index.check(article("b", [1, 2])).of == ("a",)
            assert "s3cret" not in str(index.info())
        for wrong in (f"redis://:other@127.0.0.1:{server.port}/0", server.url()):
            message = r"refuses the name or password.*give them as redis://name:password@host"
            with pytest.raises(StoreUnavailableError, match=message) as caught:
                Index.open(wrong)
            assert "other@" not in str(caught.value)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without redis-py the extra is named."""
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'dedupe-news\[redis\]'"):
        Index.open("redis://127.0.0.1:1/0")


def test_a_strange_key(redis_server: RedisServer) -> None:
    """A prefix that another program uses is not written to."""
    prefix = fresh()
    redis_server.client().set(f"{prefix}:meta", "mine")
    with pytest.raises(ConfigError, match="another program has keys of this prefix"):
        Index.open(redis_server.url(prefix))
    assert redis_server.client().get(f"{prefix}:meta") == b"mine"


def test_newer_formats(redis_server: RedisServer) -> None:
    """What a newer version made is left alone."""
    prefix = fresh()
    Index.open(redis_server.url(prefix)).close()
    redis_server.client().hset(f"{prefix}:meta", "format", 99)
    with pytest.raises(ConfigError, match=r"has format 99.*install a newer one"):
        Index.open(redis_server.url(prefix))


def test_a_cluster() -> None:
    """A Redis Cluster is refused in plain words."""
    with (
        RedisServer("--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server,
        pytest.raises(
            ConfigError, match="this is a Redis Cluster, on which an index cannot be kept"
        ),
    ):
        Index.open(server.url(), timeout=0.2)


# Memory


def test_a_long_posting_stays_small(redis_server: RedisServer) -> None:
    """A text in a great many articles takes no more room than in a few."""
    from dedupe.index._store import NewArticle

    prefix, client = fresh(), redis_server.client()
    with Index.open(redis_server.url(prefix)) as index:
        store: Any = index._store
        store.most, store.few = 50, 8
        key = np.array([12345678901234567], np.uint64)
        sizes = {}
        for number in range(1, 301):
            new = NewArticle(Article(id=str(number), text=""), number, 0, 0, key, b"")
            with store.writing():
                store.enter([new], key, 0)
            if number in (15, 50, 300):
                names = [*client.scan_iter(f"{prefix}:p*"), *client.scan_iter(f"{prefix}:l*")]
                sizes[number] = sum(client.memory_usage(name) for name in names)
        gathered = store.gather(key)
        assert (gathered.lengths[0], gathered.numbers.tolist()) == (300, list(range(1, 9)))
        assert sizes[300] <= sizes[50] <= sizes[15] + 4 * 50 + 160


def test_buckets_stay_small(redis_server: RedisServer) -> None:
    """Buckets are kept as one stretch of memory each, in which a key takes few bytes."""
    from dedupe.index._store import NewArticle

    prefix, client = fresh(), redis_server.client()
    rng = np.random.default_rng(1)
    with Index.open(redis_server.url(prefix, articles=2000)) as index:
        store: Any = index._store
        for number in range(100):
            keys = np.unique(rng.integers(0, 1 << 63, 1000).astype(np.uint64))
            new = NewArticle(Article(id=str(number), text=""), number, 0, 0, keys, b"")
            with store.writing():
                store.enter([new], keys, 0)
    names = list(client.scan_iter(f"{prefix}:p*"))
    assert {client.object("encoding", name) for name in names} <= {b"listpack", b"ziplist"}
    assert sum(client.memory_usage(name) for name in names) < 20 * 100 * 1000
