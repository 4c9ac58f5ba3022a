"""Whoever asks is told what is his, once, whoever else asks at the moment, and whatever goes wrong."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from dedupe import Article, Index
from dedupe.errors import StoreUnavailableError
from dedupe.index._together import MOST, Together

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Desk:
    """Doubles numbers, slowly enough that others come meanwhile; tells what it served at once."""

    def __init__(self) -> None:
        self.together: Together[int, int] = Together((StoreUnavailableError,))
        self.served: list[list[int]] = []
        self.busy = threading.Lock()
        self.trouble: Callable[[list[int]], None] = lambda _: None

    def serve(self, numbers: list[int]) -> list[int]:
        """Answers to some, which take a moment."""
        assert self.busy.acquire(blocking=False), "two serve at once"
        try:
            time.sleep(0.005)
            self.trouble(numbers)
            self.served.append(numbers)
            return [2 * number for number in numbers]
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


def test_leaving() -> None:
    """Who left before anybody began is not served, and in nobody's way."""
    desk = Desk()
    first, second, third = (desk.together.join(k) for k in range(3))
    desk.together.leave(first)
    assert desk.together.wait(third, desk.serve) == 4
    desk.together.leave(second)  # too late
    assert desk.served == [[1, 2]]
    assert desk.together.wait(second, desk.serve) == 2


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
