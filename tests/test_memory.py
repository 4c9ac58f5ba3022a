"""Memory comes from the system, and goes back to it."""

from __future__ import annotations

import mmap
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pytest

from dedupe._memory import PerThread, give_back, take, trim

if TYPE_CHECKING:
    from numpy.typing import NDArray

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_each_thread_keeps_its_arrays() -> None:
    """As long as there is room enough, and none that is very large."""
    made: list[int] = []

    def make(n: int) -> NDArray[np.uint8]:
        made.append(n)
        return np.empty(n, np.uint8)

    room = PerThread(make)
    first = room.of(100)
    assert room.of(3) is first
    assert room.of(125) is first  # a quarter more than was asked for
    larger = room.of(126)
    assert len(larger) >= 126
    assert room.of(100) is larger
    others: list[NDArray[np.uint8]] = []
    thread = threading.Thread(target=lambda: others.append(room.of(100)))
    thread.start()
    thread.join()
    assert others[0] is not larger
    assert len(room.of((1 << 24) + 1)) == (1 << 24) + 1
    assert room.of(100) is larger
    assert made == [125, 157, 125, (1 << 24) + 1]


@linux
def test_trim() -> None:
    """What lies free between arrays that stay is given back."""
    arrays = [np.ones(8000, np.uint8) for _ in range(8000)]  # small: none has pages of its own
    kept = arrays[::100]
    before = resident()
    del arrays
    if trim():
        assert resident() < before - 30_000_000
    assert len(kept) == 80


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint64])
@pytest.mark.parametrize("n", [0, 1, 5000])
def test_what_is_taken_is_zero_and_writable(n: int, kind: type[np.generic]) -> None:
    """An array of the size and kind asked for."""
    array, memory = take(n, np.dtype(kind))
    assert array.shape == (n,)
    assert array.dtype == kind
    if memory is not None:
        assert not array.any()
    array[:] = 1
    assert array.all()


def test_no_memory() -> None:
    """More than there is cannot be taken, which is said in words."""
    with pytest.raises(MemoryError, match="no memory for 8,000,000,000,000,000,000 bytes"):
        take(10**18, np.dtype(np.uint64))


@linux
@pytest.mark.parametrize("used", [0, 10**9])
@pytest.mark.parametrize("threads", [True, False])
def test_memory_is_given_back(used: int, *, threads: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once where it is little or no thread can be started, else soon: and all of it."""
    if not threads:

        def fail(_: threading.Thread) -> NoReturn:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", fail)
    array, memory = take(100_000_000, np.dtype(np.uint8))
    assert isinstance(memory, mmap.mmap)
    array[:] = 1
    del array
    before = resident()
    give_back([memory], used)
    patience = time.monotonic() + 20
    while not memory.closed and used and threads and time.monotonic() < patience:
        time.sleep(0.001)
    assert memory.closed
    assert resident() < before - 90_000_000


@linux
@pytest.mark.parametrize("used", [0, 10**9])
def test_whoever_holds_an_array_may_keep_it(used: int) -> None:
    """Memory that an array is still in stays until that goes: what it held does not."""
    array, memory = take(100_000_000, np.dtype(np.uint8))
    assert isinstance(memory, mmap.mmap)
    array[:] = 1
    before = resident()
    give_back([memory], used)
    patience = time.monotonic() + 20
    while resident() > before - 90_000_000 and time.monotonic() < patience:
        time.sleep(0.001)
    assert resident() < before - 90_000_000
    assert not memory.closed
    assert not array[::4096].any()
    array[:9] = 3
    assert array.sum() == 27
