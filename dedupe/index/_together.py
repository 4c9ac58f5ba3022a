"""Callers who want the same at the same moment are served together, which costs each of them less."""

from __future__ import annotations

import threading
import time
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
        told: the answer, as soon as it is `done`; or there is an `error`.
        waits: whether a thread waits for it.
        alone: it is to be served by itself: together with others there was an error.
        turn: released when it is done, or its thread is to serve.
    """

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.told: Told | None = None
        self.error: Exception | None = None
        self.done = self.waits = self.alone = False
        self.turn = threading.Lock()
        self.turn.acquire()


class Together(Generic[Asked, Told]):
    """Serves requests: one caller does it for all who came while others were served.

    Args:
        shared: errors that are everybody's. After another one each is served alone.
    """

    def __init__(self, shared: tuple[type[Exception], ...]) -> None:
        self._shared = shared
        self.reset()

    def reset(self) -> None:
        """Forget everybody: in the child of a fork they are not there."""
        self._mutex = threading.Lock()  # held for moments only
        self._waiting: list[Request[Asked, Told]] = []
        self._leader: Request[Asked, Told] | None = None  # whose thread serves
        self._usual = 1  # callers who were there at once

    def join(self, asked: Asked) -> Request[Asked, Told]:
        """Stand in line: to be served with the next ones, at the latest when `wait` is called."""
        request: Request[Asked, Told] = Request(asked)
        with self._mutex:
            self._waiting.append(request)
        return request

    def leave(self, request: Request[Asked, Told]) -> None:
        """Want it no longer, where nobody has begun or waits."""
        with self._mutex:
            if request in self._waiting and not request.waits and self._leader is not request:
                self._waiting.remove(request)
                request.done = True

    def wait(
        self, request: Request[Asked, Told], serve: Callable[[list[Asked]], list[Told]]
    ) -> Told:
        """The answer. On the way others may be served, too.

        Args:
            request: that stands in line.
            serve: gives an answer to each of some requests, in their order.
        """
        try:
            while not request.done:
                with self._mutex:
                    if request.done:
                        break
                    if self._leader is None:
                        self._leader = request
                    request.waits = self._leader is not request
                if request.waits:
                    request.turn.acquire()
                if self._leader is request:
                    self._lead(serve)
        except BaseException:  # an interrupt: the others go on without
            with self._mutex:
                request.waits = False
                if request in self._waiting:
                    self._waiting.remove(request)
                if self._leader is request:
                    self._pass_on()
            raise
        error, request.error = request.error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # which else would hold this call, and all that it holds
        return request.told  # type: ignore[return-value]

    def _lead(self, serve: Callable[[list[Asked]], list[Told]]) -> None:
        """Serve those who are there, and let somebody go on with those who came meanwhile."""
        self._linger()
        with self._mutex:
            some = [request for request in self._waiting if not request.alone][:MOST]
            if self._leader is not None and self._leader.alone:
                some = [self._leader]
            self._waiting = [request for request in self._waiting if request not in some]
        try:
            self._serve(some, serve)
        finally:
            with self._mutex:
                self._usual = len(some) + len(self._waiting)
                for request in some:
                    if not request.done:
                        request.alone = True
                        self._waiting.append(request)
                    elif request.waits:
                        request.turn.release()
                self._pass_on()

    def _linger(self) -> None:
        """Wait a moment for those who usually are there."""
        for _ in range(3):
            if len(self._waiting) >= self._usual:
                break
            time.sleep(LINGER)

    def _serve(
        self, some: list[Request[Asked, Told]], serve: Callable[[list[Asked]], list[Told]]
    ) -> None:
        try:
            answers = serve([request.asked for request in some])
        except Exception as error:  # noqa: BLE001 -- whatever it is, who asked is told
            if len(some) > 1 and not isinstance(error, self._shared):
                return  # whose it is, is seen when each is served alone
            for request in some:
                request.error = error if request is self._leader else _same(error)
                request.done = True
            return
        for request, told in zip(some, answers, strict=True):
            request.told, request.done = told, True

    def _pass_on(self) -> None:
        """Let the first one whose thread waits serve; else whoever asks next will."""
        following = next((request for request in self._waiting if request.waits), None)
        self._leader = following
        if following is not None:
            following.waits = False
            following.turn.release()


def _same(error: Exception) -> Exception:
    """The same error for somebody else: one that is raised by two threads would tell of both."""
    same = type(error)(*error.args)
    same.__cause__ = error.__cause__
    return same
