"""Whoever asks is told what is his, once, whoever else asks at the moment, and whatever goes wrong."""

from __future__ import annotations

import asyncio
import linecache
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, cast

import pytest
from indexing import article, ended, forked

from dedupe import Article, Index
from dedupe.errors import StoreUnavailableError
from dedupe.index import _together
from dedupe.index._together import MOST, Together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dedupe.index import Match


class Desk:
    """Doubles numbers, slowly enough that others come meanwhile; tells what it served at once.

    Args:
        seconds: that it takes for those it serves at once.
    """

    def __init__(self, seconds: float = 0.005) -> None:
        self.seconds = seconds
        self.together: Together[int, int] = Together((StoreUnavailableError,))
        self.served: list[list[int]] = []
        self.busy = threading.Lock()
        self.trouble: Callable[[list[int]], None] = lambda _: None

    def serve(self, numbers: list[int], told: list[int]) -> None:
        """Answers to some, which take a moment."""
        assert self.busy.acquire(blocking=False), "two serve at once"
        try:
            time.sleep(self.seconds)
            self.trouble(numbers)
            self.served.append(numbers)
            told += [2 * number for number in numbers]
        finally:
            self.busy.release()

    def ask(self, number: int) -> int:
        """The answer to one."""
        return self.together.wait(self.together.join(number), self.serve)

    def ask_many(self, numbers: list[int], threads: int) -> list[int | BaseException]:
        """Answers to many, each asked by one of some threads, or the errors that these met."""

        def one(number: int) -> int | BaseException:
            try:
                return self.ask(number)
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001
                return error

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(one, numbers))


def test_everybody_is_told() -> None:
    """Many threads are each told what they asked, in far fewer calls than there are questions."""
    desk = Desk()
    assert desk.ask_many([*range(200)], 8) == [2 * k for k in range(200)]
    assert sorted(n for some in desk.served for n in some) == [*range(200)]
    assert len(desk.served) < 100


def test_not_too_many_at_once() -> None:
    """Those who came first are not kept waiting for a crowd."""
    desk = Desk()
    requests = [desk.together.join(k) for k in range(3 * MOST)]
    assert desk.together.wait(requests[-1], desk.serve) == 2 * (3 * MOST - 1)
    assert [len(some) for some in desk.served] == [MOST] * 3
    assert [desk.together.wait(r, desk.serve) for r in requests] == [2 * k for k in range(3 * MOST)]


def test_a_long_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who are served are not looked for in the line one by one: others wait for it meanwhile."""
    compared = []

    class Compared(_together.Request[int, int]):
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            compared.append(other)
            return self is other

    monkeypatch.setattr(_together, "Request", Compared)
    desk = Desk(0)
    requests = [desk.together.join(k) for k in range(20 * MOST)]
    assert desk.together.wait(requests[-1], desk.serve) == 2 * (20 * MOST - 1)
    assert len(desk.served) == 20
    assert not compared


def test_an_error_is_of_who_made_it() -> None:
    """An error among many is told to whom it belongs, and only to him."""
    desk = Desk()

    def trouble(numbers: list[int]) -> None:
        if 13 in numbers:
            raise ValueError("thirteen")

    desk.trouble = trouble
    told = desk.ask_many([*range(40)], 8)
    assert isinstance(told.pop(13), ValueError)
    assert told == [2 * k for k in range(40) if k != 13]


def test_a_store_that_is_away_is_away_for_all() -> None:
    """Those who asked together are told at once, each by an error of his own."""
    desk = Desk()

    def trouble(_: list[int]) -> None:
        raise StoreUnavailableError("away")

    desk.trouble = trouble
    told = desk.ask_many([*range(16)], 16)
    assert {str(error) for error in told} == {"away"}
    assert len({id(error) for error in told}) == 16


def test_an_interrupt_is_of_who_serves() -> None:
    """Who is interrupted while serving leaves the others to go on."""
    desk = Desk()
    interrupts = iter([True])

    def trouble(numbers: list[int]) -> None:
        if len(numbers) > 1 and next(interrupts, False):
            raise KeyboardInterrupt

    desk.trouble = trouble
    told = desk.ask_many([*range(40)], 8)
    assert [type(answer) for answer in told].count(KeyboardInterrupt) == 1
    assert all(answer == 2 * k for k, answer in enumerate(told) if isinstance(answer, int))


def interrupted(step: int, work: Callable[[], object]) -> bool:
    """Do something, interrupted before the so-manyth line of `_together`; whether it came to that.

    Python interrupts between lines, too, but not where a `with` statement lets go of a lock.
    """
    lines = 0

    def at_line(frame: Any, event: str, _: object) -> Any:
        nonlocal lines
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and not line.lstrip().startswith("with "):
            lines += 1
            if lines > step:
                raise KeyboardInterrupt
        return at_line

    traced = sys.gettrace()
    sys.settrace(lambda f, *_: at_line if f.f_code.co_filename == _together.__file__ else None)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(traced)
    return False


@pytest.mark.parametrize("fails", [False, True])
def test_an_interrupt_at_any_step(fails: bool) -> None:
    """Wherever the thread that serves is interrupted, the others are told what they asked."""
    for step in count():
        desk = Desk(0.000_5)
        others = [desk.together.join(k) for k in (1, 2, 3)]
        told: dict[int, int] = {}

        def wait(k: int) -> None:
            told[k] = desk.together.wait(others[k - 1], desk.serve)  # noqa: B023

        threads = [threading.Thread(target=wait, args=(k,), daemon=True) for k in (1, 2, 3)]

        def trouble(numbers: list[int]) -> None:
            if not threads[0].ident:  # noqa: B023
                for thread in threads:  # noqa: B023
                    thread.start()
                while not all(request.waits for request in others):  # noqa: B023
                    time.sleep(0.001)
            if fails and len(numbers) > 1:
                raise ValueError("one of them")

        desk.trouble = trouble
        came = interrupted(step, lambda: desk.ask(0))  # noqa: B023
        for thread in threads:
            if not thread.ident:
                thread.start()
        for thread in threads:
            thread.join(5)
        assert told == {1: 2, 2: 4, 3: 6}, f"interrupted at step {step}"
        assert desk.ask(5) == 10
        if not came:
            break
    assert step > 20


def test_an_interrupt_of_who_waits() -> None:
    """Wherever a thread is interrupted that others serve, or that is to serve them, they are told."""
    for step in count():
        desk = Desk(0.002)
        told: dict[int, int] = {}

        def ask(k: int) -> None:
            told[k] = desk.ask(k)  # noqa: B023

        threads = [threading.Thread(target=ask, args=(k,), daemon=True) for k in (1, 2, 3)]
        threads[0].start()
        while desk.together._leader is None and not told:
            time.sleep(0)
        for thread in threads[1:]:
            thread.start()
        came = interrupted(step, lambda: desk.ask(0))  # noqa: B023
        for thread in threads:
            thread.join(5)
        assert told == {1: 2, 2: 4, 3: 6}, f"interrupted at step {step}"
        assert desk.ask(5) == 10
        if not came:
            break
    assert step > 5


class Delaying:
    """A lock; who has let go of it is kept from going on for a while, every second time."""

    def __init__(self, seed: int) -> None:
        self._lock = threading.Lock()
        self._random = Random(seed)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if self._random.random() < 0.5:
            time.sleep(self._random.random() * 0.002)


@pytest.mark.parametrize("seed", range(2))
def test_threads_that_are_slow(seed: int) -> None:
    """Nobody is forgotten, or woken for something else, however slowly the threads go on."""
    desk = Desk(0)
    desk.together._mutex = cast("threading.Lock", Delaying(seed))

    def trouble(numbers: list[int]) -> None:
        if len(numbers) > 1:
            raise ValueError("one of them")

    desk.trouble = trouble
    assert desk.ask_many([*range(400)], 3) == [2 * k for k in range(400)]


def test_told_before_an_error() -> None:
    """Who was answered before there was an error is told the answer, and the others what is theirs."""
    desk = Desk()

    def serve(numbers: list[int], told: list[int]) -> None:
        for number in numbers:
            if number == 2:
                raise StoreUnavailableError("away")
            told.append(2 * number)

    requests = [desk.together.join(k) for k in range(4)]
    assert desk.together.wait(requests[0], serve) == 0
    assert desk.together.wait(requests[1], serve) == 2
    for request in requests[2:]:
        with pytest.raises(StoreUnavailableError):
            desk.together.wait(request, serve)


def test_leaving() -> None:
    """Who left before anybody began is not served, and in nobody's way."""
    desk = Desk()
    first, second, third = (desk.together.join(k) for k in range(3))
    desk.together.leave(first)
    assert desk.together.wait(third, desk.serve) == 4
    desk.together.leave(second)  # too late
    assert desk.served == [[1, 2]]
    assert desk.together.wait(second, desk.serve) == 2


def test_leaving_while_served() -> None:
    """Who leaves while he is served with others is not served again when there was an error."""
    desk = Desk()
    first, second, third = (desk.together.join(k) for k in range(3))

    def trouble(numbers: list[int]) -> None:
        if len(numbers) > 1:
            desk.together.leave(second)
            raise ValueError("one of them")

    desk.trouble = trouble
    assert desk.together.wait(first, desk.serve) == 0
    assert desk.together.wait(third, desk.serve) == 4
    assert desk.served == [[0], [2]]
    assert not desk.together._line


def lined_up(index: Index, n: int) -> dict[str, tuple[str, str] | BaseException]:
    """Let threads check and add as many articles at the same moment; what each was told."""
    told: dict[str, tuple[str, str] | BaseException] = {}

    def ask(k: int) -> None:
        try:
            match = index.check_and_add(article(f"t{k}", [k]))
            told[f"t{k}"] = match.status, match.kind
        except (StoreUnavailableError, KeyboardInterrupt) as error:
            told[f"t{k}"] = error

    threads = [threading.Thread(target=ask, args=(k,), daemon=True) for k in range(n)]
    with index._using():
        for thread in threads:
            thread.start()
        time.sleep(0.2)
    for thread in threads:
        thread.join(10)
    return told


def test_an_interrupt_after_articles_were_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt of the thread that serves does not tell the others that theirs were there."""
    with Index.open(tmp_path / "news.idx") as index:
        add, interrupts = index._work.add, [KeyboardInterrupt()]

        def interrupting(some: list[Article], *rest: Any) -> list[Match]:
            matches = add(some, *rest)
            if len(some) > 1 and interrupts:
                raise interrupts.pop()
            return matches

        monkeypatch.setattr(index._work, "add", interrupting)
        told = [*lined_up(index, 5).values()]
        assert told.count(("new", "unique")) == 4
        assert sum(isinstance(one, KeyboardInterrupt) for one in told) == 1


def test_those_kept_before_the_store_went_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a store goes away midway those whose articles were kept before are told so."""
    with Index.open(tmp_path / "news.idx") as index:
        index._store.chunk_bytes = 1  # each by itself
        add, calls = index._work.add, count(1)

        def failing(some: list[Article], *rest: Any) -> list[Match]:
            if next(calls) == 5:
                raise StoreUnavailableError("away")
            return add(some, *rest)

        monkeypatch.setattr(index._work, "add", failing)
        told = [*lined_up(index, 5).values()]
        assert told.count(("new", "unique")) == 4
        assert sum(isinstance(one, StoreUnavailableError) for one in told) == 1


def test_cancelling_while_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is cancelled while served leaves nothing: not in the line, nor for who asks the same later."""
    cancelled, errors = threading.Event(), [ValueError("one of them")]

    async def ask(index: Index) -> list[str]:
        tasks = [
            asyncio.ensure_future(index.acheck_and_add(article(f"t{k}", [k]))) for k in range(4)
        ]
        await asyncio.sleep(0.2)
        tasks[3].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[3]
        cancelled.set()
        return [match.status for match in await asyncio.gather(*tasks[:3])]

    with Index.open(tmp_path / "news.idx") as index:
        add = index._work.add

        def failing(some: list[Article], *rest: Any) -> list[Match]:
            matches = add(some, *rest)
            if len(some) > 1 and errors:
                assert cancelled.wait(10)
                raise errors.pop()
            return matches

        monkeypatch.setattr(index._work, "add", failing)
        assert asyncio.run(ask(index)) == ["new"] * 3
        assert not errors
        assert not index._together._line
        assert index.check_and_add(article("t3", [3])).status == "unchanged"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no forks")
def test_what_is_begun_is_not_the_childs(tmp_path: Path) -> None:
    """A child of a fork does not wait for what its parent let the store begin."""
    with Index.open(tmp_path / "news.idx") as index:
        index.add(article("a", [1]))

        def work() -> None:
            assert index._work._begun is None
            assert index.check_and_add(article("b", [2])).status == "new"

        with index._using():
            index._work._begun = cast("Any", "something")
            child = forked(work)
            index._work._begun = None
        assert ended(child) == 0


def test_asked_while_others_are_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is entered ahead is told as new, though the iterable that gave it adds another article then."""
    told: dict[int, Any] = {}
    inner: list[str] = []

    with Index.open(tmp_path / "news.idx") as index:
        store, enter = index._store, index._store.enter
        store.chunk_bytes = 300

        def enter_ahead(new: Any, keys: Any, shingles: int) -> None:
            told[id(new)] = enter(new, keys, shingles, only_new=True)

        def enter_or_told(new: Any, keys: Any, shingles: int, *, only_new: bool = False) -> Any:
            return told.pop(id(new), None) or enter(new, keys, shingles, only_new=only_new)

        monkeypatch.setattr(store, "enters_ahead", True)
        monkeypatch.setattr(store, "enter_ahead", enter_ahead)
        monkeypatch.setattr(store, "enter", enter_or_told)

        def articles() -> Iterator[Article]:
            for k in range(12):
                time.sleep(0.02)  # so that what comes next is read
                if told:
                    # The second time this is there: then no more are expected to be new.
                    inner.append(index.check_and_add(article("inner", [900])).status)
                yield article(f"a{k}", [k])

        matches = index.check_and_add_many(articles())
        assert [match.status for match in matches] == ["new"] * 12
        assert inner[:2] == ["new", "unchanged"]
        assert index._work._begun is None


def test_asked_in_the_midst(tmp_path: Path) -> None:
    """An index may be asked by whatever gives it articles, while other threads wait for their turn."""

    def text(k: int) -> str:
        return " ".join(f"w{k}x{n}" for n in range(40))

    with Index.open(tmp_path / "news.idx") as index, ThreadPoolExecutor(1) as pool:

        def articles() -> list[Article]:
            other = pool.submit(index.check_and_add, Article(id="other", text=text(1)))
            time.sleep(0.05)
            assert not other.done()
            assert index.check_and_add(Article(id="inner", text=text(2))).kind == "unique"
            return [Article(id=f"a{k}", text=text(k)) for k in (1, 2)]

        matches = index.check_and_add_many(one for some in [articles] for one in some())
        assert [match.of for match in matches] == [(), ("inner",)]
