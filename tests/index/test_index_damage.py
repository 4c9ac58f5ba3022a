"""What is not as it was written is told from what is, named, and made anew where that can be."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from indexing import article

import dedupe.index._embedded as embedded
from dedupe import Index
from dedupe.errors import IndexDamagedError
from dedupe.index._runs import DamagedRunError, Run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

N = 40


@pytest.fixture(params=[True, False], ids=["texts", "sketches"])
def path(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of some articles, with two runs and a few postings that are in none."""
    monkeypatch.setattr(embedded, "FLUSH_ENTRIES", 1000)
    path = tmp_path / "idx"
    # Settings that are not the usual ones: what is made anew must be made with them.
    with Index.open(path, store_text=request.param, shingle=4, min_shared_words=12) as index:
        for k in range(N):
            index.add(article(f"a{k}", [k, 100 + k, 200 + k], f"s{k % 3}"))
        assert index.info()["runs"] == 2
        assert 0 < index.info()["postings_in_memory"] < 1000
    return path


def runs(path: Path) -> list[Path]:
    """Run files, in their order."""
    return sorted(path.glob("run-*.post"))


def assert_all_found(index: Index) -> None:
    """Every article is found by a copy of it."""
    for k in range(N):
        match = index.check(article("copy", [k, 100 + k, 200 + k]))
        assert (match.kind, match.of) == ("exact", (f"a{k}",))


def flip(path: Path, place: int) -> None:
    """Change one bit of a file."""
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 0x10]))


def cut(path: Path) -> None:
    """Take the last page away."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 4096)


def places(run: Path) -> dict[str, int]:
    """A place in each section of a run file, of which something is kept there."""
    found, start = {"head": 40}, 4096
    opened = Run(run)
    for name, size in opened._sizes.items():
        found[name] = start + opened._sections[name].nbytes // 2
        start += size
    return found


def in_section(name: str) -> Callable[[Path], None]:
    """A change of one bit in a section."""
    return lambda run: flip(run, places(run)[name])


def stand_a_directory(run: Path) -> None:
    """Put something else in its place."""
    run.unlink()
    run.mkdir()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "cut": cut,
    "gone": lambda run: run.unlink(),
    "empty": lambda run: os.truncate(run, 0),
    "a directory": stand_a_directory,
    **{name: in_section(name) for name in ("head", "directory", "suffixes", "holders", "sources")},
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_run(path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    """A damaged run is named to readers, with what to do, and made anew by a writer."""
    bad = runs(path)[0]
    DAMAGES[damage](bad)
    with pytest.raises(IndexDamagedError, match="for writing makes it anew") as told:
        Index.open(path, mode="r")
    assert bad.name in str(told.value)
    with caplog.at_level(logging.WARNING, "dedupe.index"), Index.open(path) as index:
        assert f"{bad} could not be used and has been made anew" in caplog.text
        assert_all_found(index)
        assert index.info()["runs"] == 2
    assert bad not in runs(path) or damage == "a directory"
    with Index.open(path, mode="r") as index:
        assert_all_found(index)
        run_rows = index.info()["runs"]
    assert run_rows == 2


def test_damage_is_found_meanwhile(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large runs are checked while the index is used already, and what is found is mended."""
    monkeypatch.setattr(embedded, "CHECKED_AT_ONCE", 0)
    flip(runs(path)[1], places(runs(path)[1])["holders"])
    with Index.open(path, mode="r") as index:
        store = index._store
        assert isinstance(store, embedded.EmbeddedStore)
        store._wait()
        for _ in range(2):
            with pytest.raises(IndexDamagedError, match="for writing makes it anew"):
                index.check(article("copy", [1, 2]))
        with Index.open(path) as writer:
            store = writer._store
            assert isinstance(store, embedded.EmbeddedStore)
            store._wait()
            assert_all_found(writer)
        assert_all_found(index)


def test_damage_of_an_open_index(path: Path) -> None:
    """What is found out when runs are merged is mended too."""
    with Index.open(path) as index:
        flip(runs(path)[1], places(runs(path)[1])["holders"])
        index.compact()
        assert_all_found(index)
        assert index.info()["runs"] == 1
    assert len(runs(path)) == 1


def test_large_runs_are_made_anew_in_pieces(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a damaged run that is large several are made, so that memory does not grow with it."""
    import dedupe.index._upkeep as upkeep

    monkeypatch.setattr(upkeep, "_LOADED", 3)
    monkeypatch.setattr(upkeep, "REBUILT_ENTRIES", 200)
    runs(path)[0].unlink()
    with Index.open(path) as index:
        assert index.info()["runs"] > 4
        assert_all_found(index)
        index.compact()
        assert index.info()["runs"] == 1
        assert_all_found(index)


def changed(path: Path, statement: str, value: object = None) -> None:
    """Change the tables behind the index's back."""
    with closing(sqlite3.connect(path / "articles.sqlite", isolation_level=None)) as tables:
        tables.execute(statement, () if value is None else (value,))


def blob(path: Path, query: str) -> bytes:
    """A value of the tables."""
    with closing(sqlite3.connect(path / "articles.sqlite")) as tables:
        found = tables.execute(query).fetchone()[0]
        assert isinstance(found, bytes)
        return found


@pytest.mark.parametrize("at", [2, 9, -20, -1])
def test_damaged_text(path: Path, at: int) -> None:
    """A kept text that is not what was kept is named; removing its article mends the index."""
    body = bytearray(blob(path, "SELECT body FROM bodies WHERE number = 7"))
    body[at] ^= 4
    changed(path, "UPDATE bodies SET body = ? WHERE number = 7", bytes(body))
    with Index.open(path) as index:
        with pytest.raises(IndexDamagedError, match=r"'a6'.*damaged.*remove.*add it anew"):
            index.get("a6")
        with pytest.raises(IndexDamagedError, match="'a6'"):
            index.check_and_add(article("copy", [6, 106, 206]))
        assert "copy" not in index
        assert index.remove("a6")
        assert index.add(article("a6", [6, 106, 206], "s0")) == "new"
        assert_all_found(index)


def test_damaged_text_and_run(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One damaged text does not keep a run from being made anew of all the others."""
    body = blob(path, "SELECT body FROM bodies WHERE number = 7")
    changed(path, "UPDATE bodies SET body = ? WHERE number = 7", body[:-9])
    runs(path)[0].unlink()
    with Index.open(path) as index:
        assert "until then no copy of it is found" in caplog.text
        assert index.check(article("copy", [6, 106, 206])).kind == "unique"
        assert index.remove("a6")
        assert index.add(article("a6", [6, 106, 206], "s0")) == "new"
        assert_all_found(index)


@pytest.mark.parametrize(
    "change",
    [
        "words = 3",
        "text_hash = text_hash + 1",
        "fingerprint = 5",
        "title = 'x'",
        "published = 'x'",
        "source = 2",
        "since = 1",
        "id = 'another'",
    ],
)
def test_damaged_record(path: Path, change: str) -> None:
    """So is a record of which anything changed."""
    changed(path, f"UPDATE articles SET {change} WHERE number = 7")  # noqa: S608
    with (
        Index.open(path, mode="r") as index,
        pytest.raises(IndexDamagedError, match=r"record of .* is damaged"),
    ):
        index.check(article("copy", [6, 106, 206]))


def test_damaged_recent_keys(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Keys of an article that are not what was kept are made anew from the article."""
    keys = bytearray(blob(path, f"SELECT keys FROM recent WHERE number = {N}"))  # noqa: S608
    keys[100] ^= 1
    changed(path, f"UPDATE recent SET keys = ? WHERE number = {N}", bytes(keys))  # noqa: S608
    for mode in ("r", "rw"):
        with Index.open(path, mode=mode) as index:
            assert f"keys of article {N} were damaged" in caplog.text
            assert_all_found(index)
        caplog.clear()


def test_tables_that_are_none(path: Path) -> None:
    """Damage of the tables is named, with what may be saved of them."""
    (path / "articles.sqlite").write_bytes(b"something else" * 1000)
    for mode in ("r", "rw"):
        with pytest.raises(IndexDamagedError, match=r"articles\.sqlite: the file is damaged"):
            Index.open(path, mode=mode)


def test_page_of_the_tables(path: Path) -> None:
    """So it is where a page within is overwritten."""
    file = path / "articles.sqlite"
    with file.open("r+b") as written:
        written.seek(4096)
        written.write(b"\xff" * (file.stat().st_size - 2 * 4096))
    with pytest.raises(IndexDamagedError, match=r"articles\.sqlite: the file is damaged"):
        Index.open(path)


def test_copies_of_an_index(path: Path, tmp_path: Path) -> None:
    """A directory that was copied while nobody wrote is an index."""
    shutil.copytree(path, tmp_path / "copy")
    with Index.open(tmp_path / "copy") as index:
        assert_all_found(index)


def test_damage_that_is_met_while_asking(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A run that cannot be read any more is told once; the next call makes it anew."""
    take = Run.take
    bad: list[Path] = []

    def fails(self: Run, *rest: Any) -> None:
        if not bad:
            bad.append(self.path)
        if self.path in bad:
            raise DamagedRunError(self.path, "a test says so")
        take(self, *rest)

    with Index.open(path) as index:
        monkeypatch.setattr(Run, "take", fails)
        with pytest.raises(IndexDamagedError, match="a test says so"):
            assert_all_found(index)
        with caplog.at_level(logging.WARNING, "dedupe.index"):
            assert_all_found(index)
        assert f"{bad[0]} could not be used and has been made anew" in caplog.text
