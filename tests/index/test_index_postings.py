"""Postings in memory, in runs, and out of all of them, against a dictionary's."""

from __future__ import annotations

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from postings_held import (
    DROPPED,
    Keyed,
    articles,
    dropped,
    entries_of,
    holders,
    keys,
    recent_of,
    run_of,
    taken,
    uint64,
    upper,
)

import dedupe.index._runs as runs_module
from dedupe.hashtable import is_among
from dedupe.index._gathering import gather
from dedupe.index._recent import Recent
from dedupe.index._runs import DamagedRunError, Run, merge_runs
from dedupe.index._upkeep import due_for_merging

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

few_examples = settings(max_examples=60, deadline=None)


@pytest.fixture(autouse=True, scope="module")
def no_waiting_for_disks() -> Iterator[None]:
    """What is written need not outlive a power cut here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield


def removed_of(data: st.DataObject, some: Sequence[Keyed]) -> list[int]:
    """Some of the articles."""
    numbers = [one.number for one in some]
    return data.draw(st.lists(st.sampled_from(numbers), unique=True)) if numbers else []


@settings(deadline=None)
@given(st.lists(st.integers(-5, 40), unique=True), st.integers(-6, 41))
def test_is_among(numbers: list[int], number: int) -> None:
    """A number is among some if it is one of them."""
    assert is_among(np.array(sorted(numbers), np.int64), number) == (number in numbers)


@few_examples
@given(st.data())
def test_recent(data: st.DataObject) -> None:
    """Memory gives of each key the articles that hold it, in their order, as many as asked for."""
    pool = data.draw(keys())
    some = data.draw(articles(pool))
    removed = removed_of(data, some)
    # Of hashes that differ in what does not count an article has one.
    some = [a._replace(keys=sorted({upper(k): k for k in a.keys}.values())) for a in some]
    recent = recent_of(some)
    if data.draw(st.booleans()):  # several at once, after some that came singly
        cut = data.draw(st.integers(0, len(some)))
        recent = recent_of(some[:cut])
        recent.add_all([(one.number, one.source, uint64(one.keys)) for one in some[cut:]])
    assert recent.n_entries == sum(len(one.keys) for one in some)
    assert (recent.first, recent.last) == ((some[0].number, some[-1].number) if some else (0, -1))
    expected = [holders(some, key, upper) for key in pool]
    _, lengths = recent.find(uint64(pool))
    assert lengths.tolist() == [len(one) for one in expected]
    room = [data.draw(st.integers(0, 12)) for _ in pool]
    assert taken(recent, pool, room, removed) == [
        [h for h in one if h[0] not in removed][:most]
        for one, most in zip(expected, room, strict=True)
    ]
    held, numbers = recent.entries()
    assert numbers.tolist() == sorted(numbers)
    assert sorted(zip(held.tolist(), numbers.tolist(), strict=True)) == sorted(
        (upper(key) << DROPPED, one.number) for one in some for key in one.keys
    )


def test_recent_grows() -> None:
    """Nothing is lost when the tables grow, also of keys that begin at the same place in them."""
    chance = np.random.default_rng(7)
    recent = Recent()
    expected: dict[int, list[int]] = {}
    for number in range(1, 400):
        some = np.unique(chance.integers(0, 300, 60).astype(np.uint64) << np.uint64(40))
        some = np.union1d(some, chance.integers(0, 2**63, 20).astype(np.uint64))
        recent.add_all([(number, number % 5, some)])
        for key in some.tolist():
            expected.setdefault(key, []).append(number)
    wanted = sorted(expected)
    room = [len(expected[key]) for key in wanted]
    assert taken(recent, wanted, room, []) == [
        [(n, n % 5) for n in expected[key]] for key in wanted
    ]
    recent.clear()
    assert recent.n_entries == 0
    assert recent.find(uint64(wanted))[1].sum() == 0


@few_examples
@given(st.data(), st.sampled_from([0, 1 << 24]))
def test_run(data: st.DataObject, mapped: int) -> None:
    """A run gives of each key the articles that hold one with the same upper bits."""
    pool = data.draw(keys())
    some = data.draw(articles(pool))
    removed = removed_of(data, some)
    last = some[-1].number + 2 if some else 3
    with TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs_module, "MAPPED", mapped)
        run = run_of(Path(directory) / "run", some, 1, last)
        assert (run.first, run.last) == (1, last)
        bits = dropped(some)
        assert run.entries == sum(len(one.keys) for one in some)
        assert run.n_bytes == run.path.stat().st_size
        run.verify()
        expected = [
            sorted((a.number, a.source) for a in some for k in a.keys if k >> bits == key >> bits)
            for key in pool
        ]
        assert run.find(uint64(pool))[1].tolist() == [len(one) for one in expected]
        room = [4 for _ in pool]
        assert taken(run, pool, room, removed) == [
            [h for h in one if h[0] not in removed][:4] for one in expected
        ]
        assert entries(run) == entries_of(some, bits)


def entries(run: Run) -> list[tuple[int, int]]:
    """All entries of a run."""
    every = run.entries_between(0, 1 << 12, run.dropped)
    return list(zip(every.keys.tolist(), every.holders.tolist(), strict=True))


@pytest.mark.parametrize("mapped", [0, 1 << 24])
@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 9, 100, 5000])
def test_long_postings(
    tmp_path: Path, length: int, mapped: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a posting is found however long it is, and whatever stands beside it."""
    monkeypatch.setattr(runs_module, "MAPPED", mapped)
    key, beside = 1 << 40, (1 << 40) + (1 << 23)
    some = [Keyed(n, n % 7, [key - (1 << 23), key, beside]) for n in range(1, length + 1)]
    run = run_of(tmp_path / "run", some, 1, length)
    wanted = [key - (1 << 24), key - (1 << 23), key, beside, beside + (1 << 23)]
    assert run.find(uint64(wanted))[1].tolist() == [0, length, length, length, 0]
    assert taken(run, [key], [length], []) == [[(n, n % 7) for n in range(1, length + 1)]]
    assert taken(run, [key], [2], range(1, length)) == [[(length, length % 7)]]


@few_examples
@given(st.data(), st.integers(1, 40))
def test_merged_runs(data: st.DataObject, part: int) -> None:
    """One run made of several is that of all their articles but for those removed."""
    pool = data.draw(keys())
    some = data.draw(articles(pool))
    removed = removed_of(data, some)
    last = some[-1].number if some else 1
    cuts = sorted({0, last, *data.draw(st.lists(st.integers(0, last), max_size=3))})
    with TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs_module, "_PART", part)
        parts = [
            run_of(
                Path(directory) / f"{a}", [x for x in some if a < x.number <= b], a + 1, b
            )
            for a, b in itertools.pairwise(cuts)
        ]  # fmt: skip
        sources = np.concatenate([run.sources for run in parts])
        path = Path(directory) / "merged"
        merge_runs(path, parts, np.array(sorted(removed), np.int64), sources)
        merged = Run(path)
        merged.verify()
        assert (merged.first, merged.last) == (1, last)
        kept = [one for one in some if one.number not in removed]
        assert entries(merged) == entries_of(kept, dropped(some))
        # A copy of a key in the same place gives the same articles with their sources.
        whole = run_of(Path(directory) / "whole", some, 1, last)
        room = [len(some) * len(pool)] * len(pool)
        assert taken(merged, pool, room, []) == taken(whole, pool, room, removed)


def test_damage_is_not_merged(tmp_path: Path) -> None:
    """A damaged run is not made part of a larger one."""
    run = run_of(tmp_path / "run", [Keyed(1, 0, [1 << 40, 1 << 50])], 1, 1)
    with run.path.open("r+b") as file:
        file.seek(-1, 2)
        file.seek(4096 + 4 * ((1 << 12) + 1) // 4096 * 4096 + 4096)
        file.write(b"\xff")
    with pytest.raises(DamagedRunError):
        merge_runs(tmp_path / "new", [run], np.empty(0, np.int64), run.sources)
    assert not (tmp_path / "new").exists()


@few_examples
@given(st.data(), st.integers(1, 6), st.integers(1, 6), st.sampled_from([0, 1 << 24]))
def test_gathered(data: st.DataObject, most: int, few: int, mapped: int) -> None:
    """Out of several places come the articles that hold a key; of many the first that are there."""
    few = min(few, most)
    pool = data.draw(keys())
    some = data.draw(articles(pool))
    removed = removed_of(data, some)
    last = some[-1].number if some else 1
    cuts = sorted({0, *data.draw(st.lists(st.integers(0, last), max_size=3))})
    with TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs_module, "MAPPED", mapped)
        parts: list[Recent | Run] = [
            run_of(Path(directory) / f"{a}", [x for x in some if a < x.number <= b], a + 1, b)
            for a, b in itertools.pairwise(cuts)
        ]
        parts.append(recent_of([one for one in some if one.number > cuts[-1]]))
        drops = [
            dropped([x for x in some if a < x.number <= b]) for a, b in itertools.pairwise(cuts)
        ]
        wanted = sorted(data.draw(st.lists(st.sampled_from(pool), unique=True)))
        found = gather(parts, uint64(wanted), np.array(sorted(removed), np.int64), most, few)
    bits = {
        one.number: ([*drops, DROPPED])[sum(cut < one.number for cut in cuts) - 1] for one in some
    }
    for k, key in enumerate(wanted):
        every = [
            (a.number, a.source)
            for a in some
            for other in a.keys
            if other >> bits[a.number] == key >> bits[a.number]
        ]
        assert found.lengths[k] == len(every)
        left = [one for one in sorted(every) if one[0] not in removed]
        expected = left[:few] if len(every) > most else left
        first, end = found.offsets[k : k + 2]
        got = zip(found.numbers[first:end].tolist(), found.sources[first:end].tolist(), strict=True)
        assert list(got) == expected
    assert found.offsets[-1] == len(found.numbers) == len(found.sources)


@settings(deadline=None)
@given(st.lists(st.integers(0, 5000), max_size=20), st.integers(1, 50), st.integers(2, 5))
def test_due_for_merging(sizes: list[int], smallest: int, fan_out: int) -> None:
    """Runs that are due are of one size and enough, and merging comes to an end with few left."""

    def level(size: int) -> int:
        found = 0
        while size >= smallest * fan_out ** (found + 1):
            found += 1
        return found

    written = 0
    while (due := due_for_merging(sizes, smallest, fan_out)) is not None:
        first, end = due
        some = sizes[first:end]
        assert len(some) >= fan_out
        assert len({level(size) for size in some}) == 1
        written += len(some)
        sizes = [*sizes[:first], sum(some), *sizes[end:]]
        assert written <= 100
    levels = [level(size) for size in sizes]
    for _, side_by_side in itertools.groupby(levels):
        assert len(list(side_by_side)) < fan_out


@pytest.mark.parametrize(
    ("bits", "articles_between", "wide"),
    [(12, 1, False), (12, 300, True), (17, 70_000, False), (24, 300, False)],
)
def test_widths(tmp_path: Path, bits: int, articles_between: int, *, wide: bool) -> None:
    """What is kept comes back in however few bytes it fits, and through a merge."""
    chance = np.random.default_rng(bits)
    few = [
        Keyed(7 + k * articles_between, 1, np.unique(chance.integers(0, 2**61, 50)).tolist())
        for k in range(6)
    ]
    few[3].keys[0] = few[5].keys[0]
    few[3].keys.sort()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs_module, "_bits_for", lambda _: bits)
        patch.setattr(runs_module, "_WIDE", 0 if wide else 1 << 32)
        middle, last = few[2].number, few[5].number
        run = run_of(tmp_path / "whole", few, 3, last)
        parts = [
            run_of(tmp_path / "a", few[:3], 3, middle),
            run_of(tmp_path / "b", few[3:], middle + 1, last),
        ]
        merge_runs(tmp_path / "merged", parts, np.empty(0, np.int64), run.sources)
        bits = dropped(few)
        wanted = sorted({key for a in few for key in a.keys} | {0, 2**64 - 1})
        held = [holders(few, key, lambda key: key >> bits) for key in wanted]
        for one in (run, Run(tmp_path / "merged")):
            one.verify()
            assert entries(one) == entries_of(few, bits)
            assert taken(one, wanted, [6] * len(wanted), []) == held


def test_runs_that_become_shorter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is cut while it is open is named, and not read beyond its end."""
    monkeypatch.setattr(runs_module, "MAPPED", 0)
    run = run_of(tmp_path / "run", [Keyed(n, 0, [1 << 40]) for n in range(1, 9)], 1, 8)
    wanted = uint64([1 << 40])
    starts, lengths = run.find(wanted)
    with run.path.open("r+b") as file:
        file.truncate(4096)
    cursors, ends = np.zeros(1, np.int64), np.full(1, 8, np.int64)
    none = np.empty(0, np.int64)
    numbers, sources = np.empty(8, np.int64), np.empty(8, np.int32)
    with pytest.raises(DamagedRunError, match="not as long as"):
        run.take(starts, lengths, ends, none, cursors, numbers, sources)
