"""What is kept in memory of an index is what is on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from indexing import article

import dedupe.index._index as indexing
import dedupe.index._texts as texts
import dedupe.index._work as working
from dedupe import Config, Index
from dedupe.index._checking import compare_all
from dedupe.index._lately import Lately
from dedupe.index._links import KEPT, Links
from dedupe.index._neighbours import thin
from dedupe.index._reading import read_texts
from dedupe.index._store import PAIR
from dedupe.index._texts import Texts
from dedupe.sketch import sketch_limit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from dedupe import Match


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "get", "pop"]), st.integers(0, 9), st.integers(1, 3))
    ),
    st.integers(1, 12),
)
def test_lately(events: list[tuple[str, int, int]], most: int) -> None:
    """A value is the last that was put, is there while no more than `most` came since, and goes."""
    lately: Lately[int, int] = Lately(most)
    last: dict[int, int] = {}
    weights: dict[int, int] = {}
    since: list[int] = []  # keys put or asked for; what they weighed may have driven others out
    for place, (what, key, weight) in enumerate(events):
        if what == "put":
            lately.put(key, place, weight)
            last[key], weights[place] = place, weight
            since.append(place)
        elif what == "pop":
            lately.pop(key)
            last.pop(key, None)
        else:
            found = lately.get(key)
            assert found in (None, last.get(key))
            if key in last:
                at = max(k for k, one in enumerate(since) if one == last[key])
                if sum(weights[one] for one in since[at:]) <= most:
                    assert found is not None
            if found is not None:
                since.append(found)
        assert len(lately) <= 2 * most + 2
    assert lately.among(range(10)).items() <= last.items()
    lately.clear()
    assert len(lately) == 0
    assert lately.among(last) == {}


def rows(pairs: Sequence[tuple[int, int]]) -> NDArray[Any]:
    """Pairs of later and earlier articles, each told from others by a measure."""
    found = np.zeros(len(pairs), PAIR)
    for k, (later, earlier) in enumerate(pairs):
        found[k]["later"], found[k]["earlier"] = later, earlier
        found[k]["shared"] = 100 * later + earlier
        found[k]["links"] = (later + earlier) % 3 > 0
    return found


class Table:
    """Pairs as tables have them."""

    def __init__(self) -> None:
        self.pairs: set[tuple[int, int]] = set()

    def of(self, number: int, most: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Links of an article with earlier and with later ones."""
        every = rows(sorted(self.pairs))
        every = every[every["links"]]
        later = np.sort(every[every["earlier"] == number], order="later")
        return every[every["later"] == number][:most], later[:most]


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_links(data: st.DataObject) -> None:
    """Links that are kept are those of the tables, whatever was asked for before."""
    table = Table()
    with pytest.MonkeyPatch.context() as patch:  # so that most are forgotten, or none
        patch.setattr("dedupe.index._links._BYTES", data.draw(st.sampled_from([800, 12_000_000])))
        links = Links(table.of)
    n = 0
    for _ in range(data.draw(st.integers(1, 6))):
        new = list(range(n, n + data.draw(st.integers(0, 4))))
        n += len(new)
        for number in new:
            links.enter(number)
        if n > 1:
            # Those of new articles, and some that may have been there.
            ends = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
            drawn = data.draw(st.lists(ends, max_size=8))
            some = sorted({(max(p), min(p)) for p in drawn if p[0] != p[1]})
            table.pairs |= set(some)
            links.add(rows(some))
        for number in data.draw(st.lists(st.integers(0, max(n - 1, 0)), max_size=4 if n else 0)):
            assert_same_links(links, table, number, data.draw(st.integers(1, KEPT)))
        links.settled()
        if n and data.draw(st.booleans()):  # one is removed
            gone = data.draw(st.integers(0, n - 1))
            links.forget({end for pair in table.pairs if gone in pair for end in pair} | {gone})
            table.pairs = {pair for pair in table.pairs if gone not in pair}
    for number in range(n):
        assert_same_links(links, table, number, KEPT)


def assert_same_links(links: Links, table: Table, number: int, most: int) -> None:
    """Those that are kept of an article are those in a table."""
    earlier, later = table.of(number, most)
    assert links.of([number], most).tolist() == [*earlier.tolist(), *later.tolist()]
    every, missing = links.all_of([number])
    if not missing:
        whole = [*table.of(number, 10**6)[0].tolist(), *table.of(number, 10**6)[1].tolist()]
        assert every.tolist() == whole
    else:
        assert (missing, len(every)) == ([number], 0)


def test_links_of_a_hub() -> None:
    """Of an article with very many links the first are kept."""
    table = Table()
    links = Links(table.of)
    for number in range(3 * KEPT):
        links.enter(number)
        some = [(number, 0)] if number else []
        table.pairs |= set(some)
        links.add(rows(some))
        if number % 7 == 0:
            links.settled()
    assert_same_links(links, table, 0, KEPT)
    assert len(links.of([0], KEPT)) == KEPT
    assert links.all_of([0, 4])[1] == [0]
    assert links.all_of([4])[0]["earlier"].tolist() == [0]


def test_texts_read_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts that were read before are as those read now, and articles that are gone are left out."""
    with Index.open(tmp_path / "idx") as index:
        some = [article(name, [k, k + 1]) for k, name in enumerate("abcde")]
        index.add_many(some)
        kept = Texts(index._store, index.config)
        with index._store.reading():
            kept.read([2, 4])
            again = kept.read([1, 2, 3, 4, 5])
            wanted = read_texts([one.text.encode() for one in some], index.config)
            assert again.offsets.tolist() == wanted.offsets.tolist()
            for name in wanted.columns._fields:
                mine, its = getattr(again.columns, name), getattr(wanted.columns, name)
                assert mine.tolist() == its.tolist()
            for scale in (1, 4):
                records, sketches = kept.sketches([5, 1], scale)
                assert [record.article.id for record in records] == ["e", "a"]
                thinned = thin(wanted.sketches, sketch_limit(scale), dense=0)
                assert sketches.of(0).tolist() == thinned.of(4).tolist()
                assert sketches.of(1).tolist() == thinned.of(0).tolist()
        index.remove("d")
        with index._store.reading():
            there = kept.read([3, 4, 5])
            assert [record.article.id for record in there.records] == ["c", "e"]
            assert len(there.offsets) == 3
            assert len(kept.read([]).records) == 0
        monkeypatch.setattr(texts, "KEPT_BYTES", 0)
        nothing_kept = Texts(index._store, index.config)
        with index._store.reading():
            for _ in range(2):
                assert nothing_kept.read([3, 5]).columns.hashes.tolist() == [
                    *wanted.columns.hashes[wanted.offsets[2] : wanted.offsets[3]].tolist(),
                    *wanted.columns.hashes[wanted.offsets[4] :].tolist(),
                ]


changes = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "remove", "compact"]),
        st.sampled_from("abcdefgh"),
        st.lists(st.integers(1, 6), max_size=3, unique=True),
        st.booleans(),
    ),
    max_size=20,
)


@given(changes)
@settings(max_examples=40, deadline=None)
def test_two_writers(tmp_path_factory: pytest.TempPathFactory, history: Any) -> None:
    """Of two that write by turns each sees what the other did, and tells families as a new one."""
    path = tmp_path_factory.mktemp("two")
    model: dict[str, list[int]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        with Index.open(path / "idx") as one, Index.open(path / "idx") as other:
            for what, name, blocks, turn in history:
                index = one if turn else other
                if what == "add":
                    index.add(article(name, blocks))
                    model[name] = blocks
                elif what == "remove":
                    assert index.remove(name) == (model.pop(name, None) is not None)
                else:
                    index.compact()
            with Index.open(path / "new") as new:
                new.add_many([article(name, blocks) for name, blocks in model.items()])
                assert one.families(model) == other.families(model) == new.families(model)
                for name, blocks in model.items():
                    told = [index.check(article(name, blocks)).family for index in (one, other)]
                    assert told == [new.check(article(name, blocks)).family] * 2


def seen(match: Match) -> tuple[Any, ...]:
    """What a match says, but for whether the article is there."""
    return match.kind, match.of, match.passages, match.added, match.family, match.left_out


@given(
    st.lists(st.lists(st.integers(1, 12), max_size=4, unique=True), min_size=2, max_size=24),
    st.integers(1, 5),
    st.sampled_from([1, 2]),
)
@settings(max_examples=40, deadline=None)
def test_in_parts(
    tmp_path_factory: pytest.TempPathFactory, every: list[list[int]], part: int, threads: int
) -> None:
    """Articles of which some are compared while others are looked up are kept as one by one."""
    path = tmp_path_factory.mktemp("parts")
    some = [article(f"a{k}", blocks) for k, blocks in enumerate(every)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        patch.setattr(indexing, "PART_ARTICLES", part)
        config = Config(threads=threads)
        with Index.open(path / "many", config) as many, Index.open(path / "one", config) as one:
            assert many.add_many(some).new == len(some)
            for each in some:
                one.add(each)
            assert many.info()["pairs"] == one.info()["pairs"]
            assert many.info()["links"] == one.info()["links"]
            ids = [each.id for each in some]
            assert many.families(ids) == one.families(ids)
            for each in some:
                assert seen(many.check(each)) == seen(one.check(each))
            # Those that are there go another way.
            assert many.add_many([*some, article("new", [1, 2, 3])]).unchanged == len(some)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9), st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True)
        ),
        min_size=1,
        max_size=24,
    ),
    st.integers(1, 5),
)
@settings(max_examples=40, deadline=None)
def test_revised_in_parts(
    tmp_path_factory: pytest.TempPathFactory, every: list[tuple[int, list[int]]], part: int
) -> None:
    """Among new articles others may be that are there: in the end all is as one by one."""
    path = tmp_path_factory.mktemp("revised")
    some = [article(f"a{name}", blocks) for name, blocks in every]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        patch.setattr(indexing, "PART_ARTICLES", part)
        with Index.open(path / "many") as many, Index.open(path / "one") as one:
            half = len(some) // 2
            added = [many.add_many(some[:half]), many.add_many(some[half:])]
            statuses = [one.add(each) for each in some]
            for status in ("new", "unchanged", "revised"):
                told = sum(getattr(each, status) for each in added)
                assert told == statuses.count(status)
            ids = sorted({each.id for each in some})
            assert many.families(ids) == one.families(ids)
            assert many.info()["links"] == one.info()["links"]
            for name in ids:
                assert many.get(name) == one.get(name)


def test_kernels_are_loaded_for_a_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a few articles were added one by one all kernels are loaded, once; many need them not."""
    loaded: list[int] = []
    with Index.open(tmp_path / "idx") as index:
        monkeypatch.setattr(working, "load_kept", lambda: loaded.append(len(index)))
        index.check_and_add_many(article(f"a{k}", [k]) for k in range(20))
        assert loaded == []
        for k in range(2 * working.STREAM):
            index.check_and_add(article(f"b{k}", [k]))
        assert loaded == [20 + working.STREAM - 1]


def test_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an error nothing of a chunk is there, nor in memory, though others get its numbers."""
    calls = []

    def broken(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            raise MemoryError
        return compare_all(*given)

    monkeypatch.setattr(indexing, "PART_ARTICLES", 2)
    others = [article(f"b{k}", [2, 3, 30 + k]) for k in range(12)]
    with Index.open(tmp_path / "idx") as index, Index.open(tmp_path / "new") as new:
        with monkeypatch.context() as patch:
            patch.setattr(working, "compare_all", broken)
            with pytest.raises(MemoryError):
                index.add_many([article(f"a{k}", [1, 2, 10 + k]) for k in range(12)])
        assert len(calls) >= 4
        assert len(index) == 0
        assert index.add_many(others).new == new.add_many(others).new == 12
        for one in [*others, article("x", [1, 2, 3])]:
            assert seen(index.check(one)) == seen(new.check(one))
        assert index.families(["b3"]) == new.families(["b3"])
