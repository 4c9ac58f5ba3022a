"""Callers who want the same at the same moment are served together, which costs each of them less."""

from __future__ import annotations

import threading
import time
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Request", "Together"]

Asked = TypeVar("Asked")
Told = TypeVar("Told")

MOST = 64
"""Requests served at a time: more save little, and the first one waits for the last."""

LINGER = 0.000_05
"""Seconds that are waited, thrice at most, for callers who were there a moment ago: who was served
last has to take the answer first. A small part of what an article takes."""


class Request(Generic[Asked, Told]):
    """What one caller wants.

    Attributes:
        asked: that.
        told: the answer; or there is an `error`.
        done: nothing is left to do for it: it is answered, or nobody wants it any longer.
        waits: whether a thread waits for it.
        alone: it is to be served by itself: together with others there was an error.
    """

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.told: Told | None = None
        self.error: Exception | None = None
        self.done = self.waits = self.alone = False
        self._turn = threading.Lock()
        self._turn.acquire()

    def wake(self) -> None:
        """Let its thread look how things are, at once or before it sleeps again. One at a time may."""
        if self._turn.locked():  # else it was woken already, and has not looked yet
            self._turn.release()

    def sleep(self) -> None:
        """Wait to be woken; for nothing if that was done since the last time."""
        self._turn.acquire()


class Together(Generic[Asked, Told]):
    """Serves requests: one caller does it for all who came while others were served.

    Who finds that nobody serves does so until he has his own answer, and then wakes the next one
    whose thread waits. What is served stays in the line until it is done, so that an interrupt,
    at whatever step, loses nobody.

    Args:
        shared: errors that are everybody's. After another one each is served alone.
    """

    def __init__(self, shared: tuple[type[Exception], ...]) -> None:
        self._shared = shared
        self.reset()

    def reset(self) -> None:
        """Forget everybody: in the child of a fork they are not there."""
        self._mutex = threading.Lock()  # held for moments only
        self._line: list[Request[Asked, Told]] = []
        self._leader: Request[Asked, Told] | None = None  # whose thread serves
        self._usual = 1  # callers who were there at once

    def join(self, asked: Asked) -> Request[Asked, Told]:
        """Stand in line: to be served with the next ones, at the latest when `wait` is called."""
        request: Request[Asked, Told] = Request(asked)
        with self._mutex:
            self._line.append(request)
        return request

    def leave(self, request: Request[Asked, Told]) -> None:
        """Want it no longer. If it is just being served it is, but not again after an error."""
        with self._mutex:
            request.done = True
            request.wake()
            if self._leader is None:  # it may have been woken to serve
                self._pass_on()

    def wait(
        self, request: Request[Asked, Told], serve: Callable[[list[Asked], list[Told]], None]
    ) -> Told:
        """The answer. On the way others may be served, too.

        Args:
            request: that stands in line.
            serve: appends an answer to each of some requests to a list, in their order. Those that
                are in it when there is an error are told.
        """
        try:
            while True:
                with self._mutex:
                    if request.done:
                        if self._leader is request:
                            self._pass_on()
                        break
                    request.waits = True
                    if self._leader is None:
                        self._leader = request
                    leads = self._leader is request
                if leads:
                    self._lead(serve)
                else:
                    request.sleep()
        except BaseException:  # an interrupt: the others go on without
            with self._mutex:
                request.done = True
                if self._leader is None or self._leader is request:
                    self._pass_on()
            raise
        error, request.error = request.error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # which else would hold this call, and all that it holds
        return request.told  # type: ignore[return-value]

    def _lead(self, serve: Callable[[list[Asked], list[Told]], None]) -> None:
        """Serve those who are there."""
        self._linger()
        with self._mutex:
            some = self._first_ones()
        told: list[Told] = []
        try:
            if some:
                serve([request.asked for request in some], told)
                assert len(told) == len(some)
        except Exception as error:  # noqa: BLE001 -- whatever it is, who asked is told
            self._blame(some[len(told) :], error)
        finally:
            with self._mutex:
                self._usual = len(self._line)
                for request, answer in zip(some, told, strict=False):
                    request.told, request.done = answer, True
                for request in some[len(told) :]:
                    request.alone = True
                    request.done = request.done or request.error is not None
                self._dismiss()

    def _linger(self) -> None:
        """Wait a moment for those who usually are there."""
        for _ in range(3):
            if len(self._line) >= self._usual:
                break
            time.sleep(LINGER)

    def _first_ones(self) -> list[Request[Asked, Told]]:
        """Those who are served next: the first one, and those after it if that may be."""
        wanted = [*islice((request for request in self._line if not request.done), MOST)]
        return [*takewhile(lambda request: not request.alone, wanted)] or wanted[:1]

    def _blame(self, some: list[Request[Asked, Told]], error: Exception) -> None:
        """Tell of an error; but whose it is is seen when each is served alone, unless it is everybody's."""
        if len(some) == 1 or isinstance(error, self._shared):
            for k, request in enumerate(some):
                request.error = _same(error) if k else error

    def _dismiss(self) -> None:
        """Let go of those for whom nothing is left to do."""
        for request in self._line:
            if request.done:
                request.wake()
        self._line = [request for request in self._line if not request.done]

    def _pass_on(self) -> None:
        """Serve no longer: the first one whose thread waits will, or whoever asks next."""
        self._leader = None
        self._dismiss()
        following = next((request for request in self._line if request.waits), None)
        if following is not None:
            following.wake()


def _same(error: Exception) -> Exception:
    """The same error for somebody else: one that is raised by two threads would tell of both."""
    same = type(error)(*error.args)
    same.__cause__ = error.__cause__
    return same
