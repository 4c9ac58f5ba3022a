"""Items made ahead in a thread."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedupe.corpus import _prefetch
from dedupe.corpus._prefetch import Prefetched

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class Source:
    """A generator of numbers that knows how many were made and whether it was closed."""

    def __init__(self, n: int = 10**9, fails_at: int = -1) -> None:
        self.n = n
        self.fails_at = fails_at
        self.made = 0
        self.closed = threading.Event()

    def __call__(self) -> Generator[int]:
        """Start over."""
        try:
            for k in range(self.n):
                if k == self.fails_at:
                    raise KeyError(k)
                self.made = k + 1
                yield k
        finally:
            self.closed.set()


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so; it would be at once on an idle machine."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 20), st.integers(1, 4))
def test_items(n: int, ahead: int) -> None:
    """The items are the generator's, and after the last there is none, as often as one asks."""
    items = Prefetched(Source(n)(), ahead)
    assert list(items) == list(range(n))
    assert next(items, None) is None


@pytest.mark.parametrize("ahead", [1, 3])
def test_ahead(ahead: int) -> None:
    """No more items are made ahead than was said, beside the one that waits for its turn."""
    source = Source()
    items = Prefetched(source(), ahead)
    for taken in range(5):
        wait_for(lambda taken=taken: source.made == taken + ahead + 1)  # type: ignore[misc]
        time.sleep(0.005)  # time to make one too many
        assert source.made == taken + ahead + 1
        assert next(items) == taken
    items.close()


def test_error() -> None:
    """An error comes after the items before it, once, and ends them; the generator is closed."""
    source = Source(fails_at=2)
    items = Prefetched(source(), 1)
    assert [next(items), next(items)] == [0, 1]
    with pytest.raises(KeyError, match="2"):
        next(items)
    assert list(items) == []
    assert source.closed.wait(60)


def test_interrupt_in_the_thread() -> None:
    """Even an exception that is no error is raised where its item would have come."""

    def interrupted() -> Generator[int]:
        yield 1
        raise KeyboardInterrupt

    items = Prefetched(interrupted(), 1)
    assert next(items) == 1
    with pytest.raises(KeyboardInterrupt):
        next(items)


def test_close() -> None:
    """After closing there are no items, the generator is closed and the thread ends."""
    source = Source()
    items = Prefetched(source(), 2)
    next(items)
    items.close()
    items.close()
    assert list(items) == []
    assert source.closed.wait(60)
    wait_for(lambda: not any(thread.is_alive() for thread in list(_prefetch._running)))


def test_forgotten() -> None:
    """One that nobody refers to any more lets its thread end and its generator be closed."""
    source = Source()
    items = Prefetched(source(), 1)
    next(items)
    del items
    gc.collect()
    assert source.closed.wait(60)


def test_interrupt_while_waiting() -> None:
    """Ctrl-C while waiting for an item is raised at once, and the item can be asked for again."""
    script = """
import os, signal, threading
from dedupe.corpus._prefetch import Prefetched
gate = threading.Event()
def slow():
    gate.wait()
    yield 7
items = Prefetched(slow(), 1)
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    next(items)
except KeyboardInterrupt:
    gate.set()
    print("interrupted", next(items))
"""
    if sys.platform == "win32":
        pytest.skip("signals are sent otherwise")
    assert run(script) == "interrupted 7\n"


def test_end_of_program() -> None:
    """A program ends while items are left, and its generators are closed before."""
    script = """
from dedupe.corpus._prefetch import Prefetched
def endless():
    try:
        while True:
            yield 1
    finally:
        print("closed", flush=True)
items = Prefetched(endless(), 1)
next(items)
print("done", flush=True)
"""
    assert run(script) == "done\nclosed\n"


def run(script: str) -> str:
    """What a Python program prints; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
