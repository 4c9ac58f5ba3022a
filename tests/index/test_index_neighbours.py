"""Candidates of new articles are those that counting shared keys one by one finds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from postings_held import Keyed, articles, holders, recent_of, uint64

from dedupe import Config
from dedupe.index._furniture import _count_sources
from dedupe.index._neighbours import (
    COUNTS,
    DENSE,
    Sketches,
    _numbered,
    _strongest_of_each,
    find_candidates,
    gather_local,
    thin,
)
from dedupe.index._store import Gathered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

POOL = [3 * 2**60 // 7 * k for k in range(1, 25)]


def every_pair(_: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.int8]:
    """All pairs count."""
    return np.full(len(found), COUNTS, np.int8)


def sketches_of(held: Sequence[Sequence[int]]) -> Sketches:
    """Sketches of articles that hold these keys."""
    offsets = np.zeros(len(held) + 1, np.int64)
    np.cumsum([len(one) for one in held], out=offsets[1:])
    return Sketches(offsets, uint64([key for one in held for key in one]))


@given(
    st.lists(st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=2 * DENSE), max_size=6),
    st.integers(0, 2**64 - 1),
)
@settings(max_examples=40, deadline=None)
def test_thin(held: list[list[int]], limit: int) -> None:
    """Long sketches keep what is up to the limit, short ones all."""
    held = [sorted(one) for one in held] + [list(range(0, 2**63, 2**55))]
    thinned = thin(sketches_of(held), np.uint64(limit))
    for k, keys in enumerate(held):
        expected = keys if len(keys) <= DENSE else [key for key in keys if key <= limit]
        assert thinned.of(k).tolist() == expected


@given(
    st.lists(st.integers(0, 30), max_size=40),
    st.sampled_from([1, 63, 64, 10_000]),
    st.integers(0, 10**9),
)
@settings(deadline=None)
def test_numbered(entries: list[int], step: int, first: int) -> None:
    """Articles are numbered in their order, whether they lie close together or far apart."""
    articles = np.array([first + step * number for number in entries], np.int64)
    sources = np.array([number % 5 for number in entries], np.int32)
    numbers, sources_there, place = _numbered(articles, sources)
    assert numbers.tolist() == sorted(set(articles.tolist()))
    assert numbers[place].tolist() == articles.tolist()
    assert sources_there[place].tolist() == sources.tolist()


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[Keyed], list[Keyed]]:
    """Articles that are there, and some that come."""
    every = draw(articles(POOL, most=14))
    cut = draw(st.integers(0, len(every)))
    return every[:cut], every[cut:]


def gathered_of(stored: Sequence[Keyed], keys: Sequence[int], most: int, few: int) -> Gathered:
    """Postings of keys, the long ones in part."""
    found = [holders(stored, key) for key in keys]
    kept = [one[:few] if len(one) > most else one for one in found]
    offsets = np.zeros(len(keys) + 1, np.int64)
    np.cumsum([len(one) for one in kept], out=offsets[1:])
    return Gathered(
        np.array([len(one) for one in found], np.int64),
        offsets,
        np.array([number for one in kept for number, _ in one], np.int64),
        np.array([source for one in kept for _, source in one], np.int32),
    )


@given(streams(), st.integers(1, 4), st.integers(1, 5), st.data())
@settings(max_examples=150, deadline=None)
def test_candidates(
    streams: tuple[list[Keyed], list[Keyed]], least: int, best: int, data: st.DataObject
) -> None:
    """A new article meets every earlier one that shares enough, but for what is furniture."""
    stored, new = streams
    keys = sorted({key for one in new for key in one.keys})
    sources = np.array([one.source for one in new], np.int32)
    sketches = sketches_of([one.keys for one in new])
    config = Config(max_posting=10_000, hubs=5, max_matches=best)
    local = gather_local(
        uint64(keys), gathered_of(stored, keys, 10_000, 5), sketches, sources
    )  # fmt: skip
    every = [one for one in stored if one.number in local.numbers.tolist()] + new
    assert local.numbers.tolist() == [
        one.number for one in stored if set(one.keys) & set(keys)
    ]  # fmt: skip
    assert local.source_of.tolist() == [one.source for one in every]
    shared_keys = local.postings.hashes.tolist()
    assert shared_keys == [key for key in keys if len(holders(every, key)) > 1]
    assert local.lengths.tolist() == [len(holders(every, key)) for key in shared_keys]
    own = {
        (key, source): data.draw(st.booleans())
        for key in shared_keys for source in range(4)
    }  # fmt: skip
    entries = local.postings
    furniture = np.array(
        [
            own.get((int(entries.hashes[posting]), every[holder].source), False)
            for posting, holder in zip(entries.posting_of, entries.articles, strict=True)
        ],
        np.bool_,
    )
    found, kept = find_candidates(
        local, furniture, np.zeros(len(shared_keys), np.bool_), least, config, every_pair
    )
    expected = {}
    for later in range(len(local.numbers), len(every)):
        for earlier in range(later):
            a, b = every[earlier], every[later]
            common = [
                key
                for key in set(a.keys) & set(b.keys)
                if not (a.source == b.source and own.get((key, a.source)))
            ]
            if len(common) >= least:
                expected[earlier, later] = len(common)
    assert {(int(x), int(y)): int(n) for x, y, n in found} == expected
    for later in range(len(local.numbers), len(every)):
        rank = sorted((-n, x) for (x, y), n in expected.items() if y == later)
        chosen = sorted(found[kept & (found[:, 1] == later), 0].tolist())
        assert chosen == sorted(x for _, x in rank[:best])


@given(streams(), st.integers(2, 5), st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_long_postings(streams: tuple[list[Keyed], list[Keyed]], most: int, few: int) -> None:
    """What is in very many articles still leads to the first of them, or everybody to all."""
    stored, new = streams
    few = min(few, most)
    keys = sorted({key for one in new for key in one.keys})
    gathered = gathered_of(stored, keys, most, few)
    local = gather_local(
        uint64(keys), gathered, sketches_of([one.keys for one in new]),
        np.array([one.source for one in new], np.int32),
    )  # fmt: skip
    config = Config(max_posting=most, hubs=few, max_matches=10**6)
    none = np.zeros(len(local.postings.articles), np.bool_)
    found, _ = find_candidates(
        local, none, np.zeros(len(local.lengths), np.bool_), 1, config, every_pair
    )
    every = [one for one in stored if one.number in local.numbers.tolist()] + new
    pairs = {(int(x), int(y)) for x, y, _ in found}
    n_stored = len(local.numbers)
    for key in keys:
        held = [k for k, one in enumerate(every) if key in one.keys]
        hubs = [k for k in held if k < n_stored] or held
        for later in held:
            if later >= n_stored and hubs[0] < later:
                assert (hubs[0], later) in pairs
    assert all(set(every[x].keys) & set(every[y].keys) for x, y in pairs)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 5)), max_size=60),
    st.integers(1, 5),
)
def test_strongest(rows: list[tuple[int, int, int]], most: int) -> None:
    """Of each later article those are kept that share most; of equals the earlier."""
    found = {(x, y): n for x, y, n in rows}
    table = np.array([(x, y, n) for (x, y), n in found.items()], np.int64).reshape(-1, 3)
    kept = _strongest_of_each(table, most)
    for later in range(10):
        rank = sorted((-n, x) for (x, y), n in found.items() if y == later)
        chosen = table[kept & (table[:, 1] == later), 0].tolist()
        assert sorted(chosen) == sorted(x for _, x in rank[:most])


@given(
    st.lists(st.lists(st.integers(-2, 4), min_size=1, max_size=30), max_size=6),
    st.integers(1, 8),
    st.integers(1, 20),
)
@settings(deadline=None)
def test_count_sources(held: list[list[int]], least: int, sparse: int) -> None:
    """Told are the sources of which many articles hold a posting, and postings of unknown ones."""
    source_of = np.array([source for one in held for source in one] or [-1], np.int32)
    offsets = np.zeros(len(held) + 1, np.int64)
    np.cumsum([len(one) for one in held], out=offsets[1:])
    articles = np.arange(offsets[-1], dtype=np.int32)
    out = np.empty((len(articles) // least + len(held) + 1, 3), np.int64)
    counts = np.zeros(6, np.int64)
    n = _count_sources(offsets, articles, source_of, counts, least, sparse, out)
    expected = set()
    for posting, sources in enumerate(held):
        if len(sources) < least:
            continue
        for source, count in Counter(source for source in sources if source >= 0).items():
            if count >= least:
                expected.add((posting, source, count))
        unknown = sum(source < 0 for source in sources)
        if len(sources) > sparse and 2 * unknown >= len(sources):
            expected.add((posting, -1, len(sources)))
    assert {tuple(row) for row in out[:n].tolist()} == expected
    assert n == len(expected)
    assert not counts.any()


def test_nobody() -> None:
    """Where nobody holds anything there are no candidates."""
    local = gather_local(
        uint64([]), gathered_of([], [], 5, 5), sketches_of([[]]), np.array([-1], np.int32)
    )
    none = np.zeros(0, np.bool_)
    found, kept = find_candidates(local, none, none, 1, Config(), every_pair)
    assert len(found) == len(kept) == 0
    assert recent_of([]).find(uint64([1]))[1].tolist() == [0]
