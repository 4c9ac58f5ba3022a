"""Articles as their keys, and a dictionary's word on who holds which."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from hypothesis import strategies as st

from dedupe.index._codec import KEY_BITS
from dedupe.index._recent import Recent
from dedupe.index._runs import Run, sorted_entries, write_run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

DROPPED = 64 - KEY_BITS
BITS = range(DROPPED - 1, DROPPED + 4)
"""Those of which some runs keep and others drop."""


class Keyed(NamedTuple):
    """An article: its number, the number of its source, and its keys, ascending."""

    number: int
    source: int
    keys: list[int]


@st.composite
def keys(draw: st.DrawFn) -> list[int]:
    """A pool of keys, of which some agree in all bits but the last, or all but the first."""
    some = draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=12))
    small = draw(st.lists(st.integers(0, 2**30), max_size=4))  # as of coarse sketches
    near = [key ^ draw(st.sampled_from([1, *(2**n for n in BITS), 2**63])) for key in some]
    every = {0, 2**64 - 1, *some, *small, *near, *(2**DROPPED - 1 - key % 2 for key in some)}
    scale = draw(st.integers(0, 4))  # a sketch has the lowest
    return sorted({key >> scale for key in every})


@st.composite
def articles(draw: st.DrawFn, pool: Sequence[int], most: int = 25) -> list[Keyed]:
    """Articles with gaps between their numbers, as where some were removed."""
    found, number = [], 0
    for _ in range(draw(st.integers(0, most))):
        number += draw(st.integers(1, 3))
        held = draw(st.lists(st.sampled_from(pool), unique=True, max_size=8))
        found.append(Keyed(number, draw(st.integers(-1, 3)), sorted(held)))
    return found


def uint64(numbers: Sequence[int]) -> NDArray[np.uint64]:
    """Keys as an array."""
    return np.array(numbers, np.uint64)


def recent_of(some: Sequence[Keyed]) -> Recent:
    """Postings in memory."""
    recent = Recent()
    recent.add_all([(one.number, one.source, uint64(one.keys)) for one in some])
    return recent


def run_of(path: Path, some: Sequence[Keyed], first: int, last: int) -> Run:
    """Postings in a file that covers the articles between two."""
    recent = recent_of(some)
    held, holders = recent.entries()
    sources = np.full(last - first + 1, -1, np.int32)
    for one in some:
        sources[one.number - first] = one.source
    entries = sorted_entries(held, holders.astype(np.uint32))
    write_run(path, [entries], len(held), first, sources)
    return Run(path)


def upper(key: int) -> int:
    """What counts of a key."""
    return key >> DROPPED


def holders(
    some: Sequence[Keyed], key: int, kept: Callable[[int], int] = int
) -> list[tuple[int, int]]:
    """Number and source of the articles that hold a key, of which `kept` is what counts."""
    return [(a.number, a.source) for a in some if any(kept(k) == kept(key) for k in a.keys)]


def dropped(some: Sequence[Keyed]) -> int:
    """Bits that a run of articles drops of keys: 23, and more for 38 to be left of the largest."""
    most = max((key for one in some for key in one.keys), default=0)
    return max(23, most.bit_length() - 38)


def entries_of(some: Sequence[Keyed], bits: int) -> list[tuple[int, int]]:
    """What a run has of articles: upper bits of keys, and numbers, in order."""
    return sorted((key >> bits, a.number) for a in some for key in a.keys)


def taken(
    holder: Recent | Run, wanted: Sequence[int], room: Sequence[int], removed: Sequence[int]
) -> list[list[tuple[int, int]]]:
    """What a holder gives of each key, no more than there is room for."""
    starts, lengths = holder.find(uint64(wanted))
    offsets = np.zeros(len(wanted) + 1, np.int64)
    np.cumsum(room, out=offsets[1:])
    cursors = offsets[:-1].copy()
    numbers, sources = np.full(offsets[-1], -7, np.int64), np.full(offsets[-1], -7, np.int32)
    gone = np.array(sorted(removed), np.int64)
    holder.take(starts, lengths, offsets[1:], gone, cursors, numbers, sources)
    return [
        list(zip(numbers[a:b].tolist(), sources[a:b].tolist(), strict=True))
        for a, b in zip(offsets[:-1], cursors, strict=True)
    ]
