"""Reading the same batches again, and reading ahead."""

from __future__ import annotations

import gc
import gzip
import io
import json
import random
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from conftest import to_rows

from dedupe.config import Config
from dedupe.corpus import read_corpus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedupe.errors import Problem

CONFIG = Config(chunk_mb=0.0002)


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus of every kind of file, with broken lines, odd dates and lone texts."""
    monkeypatch.chdir(tmp_path)
    rng = random.Random(7)
    top = Path("c")
    top.mkdir()
    for k in range(9):
        (top / f"{k}.txt").write_text("word " * rng.randrange(1, 30) if k != 4 else " ")
    rows: list[dict[str, Any]] = [
        {
            "id": None if k % 5 == 0 else f"r{k}",
            "text": [None, "", "é " * rng.randrange(1, 70)][min(2, rng.randrange(9))],
            "date": rng.choice(["2020-01-02", "soon", "", None]),
            "url": rng.choice(["http://www.a.example/x", None]),
        }
        for k in range(90)
    ]
    lines = "\n".join([json.dumps(row) if k % 11 else "{broken" for k, row in enumerate(rows)])
    (top / "a.jsonl").write_text(lines)
    (top / "b.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    pl.DataFrame(rows).write_parquet(top / "d.parquet", row_group_size=20)
    pl.DataFrame(rows).write_csv(top / "e.csv")
    (top / "f.parquet").write_bytes(b"no Parquet")
    return top


def read_all(prefetch: int) -> tuple[list[list[dict[str, Any]]], list[int], list[Problem]]:
    """Every batch of the corpus, the unread dates told with each, and all problems."""
    problems: list[Problem] = []
    batches, dates = [], []
    with read_corpus(["c"], CONFIG, problems, prefetch=prefetch) as reader:
        for batch in reader:
            batches.append(to_rows([batch]))
            dates.append(reader.unread_dates)
    return batches, dates, problems


@pytest.mark.usefixtures("corpus")
def test_same_again() -> None:
    """The same corpus gives the same batches and problems, however far ahead it is read."""
    expected = read_all(0)
    batches, dates, problems = expected
    assert len(batches) > 30
    assert len(problems) > 5
    assert dates == sorted(dates)
    assert dates[-1] > 5
    assert all(read_all(prefetch) == expected for prefetch in (1, 2, 3))


def reading_threads() -> list[threading.Thread]:
    """The threads of readers."""
    return [thread for thread in threading.enumerate() if thread.name == "dedupe-read"]


@pytest.mark.usefixtures("corpus")
def test_stops_early() -> None:
    """A reader that is closed, left or forgotten midway ends its thread, and gives no more."""
    with read_corpus(["c"], CONFIG, []) as left:
        next(left)
    closed = read_corpus(["c"], CONFIG, [])
    closed.close()
    for reader in (left, closed):
        assert list(reader) == []
    forgotten = read_corpus(["c"], CONFIG, [])
    next(forgotten)
    del forgotten
    gc.collect()
    for thread in reading_threads():
        thread.join(60)
    assert reading_threads() == []


@pytest.mark.usefixtures("corpus")
def test_nothing_before_the_first() -> None:
    """Nothing is read, and no thread started, before the first batch is asked for."""
    before = reading_threads()  # those of other tests may still be ending
    reader = read_corpus(["c"], CONFIG, [])
    (Path("c") / "0.txt").write_text("changed")
    assert set(reading_threads()) <= set(before)
    assert to_rows([next(reader)])[0]["text"] == "changed"
    reader.close()


def test_standard_input_is_not_read_ahead() -> None:
    """Standard input is read no further than the batch that was asked for needs."""
    read: list[int] = []

    class Lines(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            read.append(size)
            return json.dumps({"text": "x" * 150}).encode() + b"\n" if len(read) < 50 else b""

    before = reading_threads()
    reader = read_corpus(["-"], CONFIG, [], stdin=Lines())  # type: ignore[arg-type]
    next(reader)
    assert set(reading_threads()) <= set(before)
    assert len(read) <= 4
    reader.close()


def test_live_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the slices of a Parquet file one is held at a time, beside the batches made ahead."""
    from dedupe.corpus import _parquet

    texts = [f"{k:05} " + "x" * 300 for k in range(2000)]
    pl.DataFrame({"text": texts}).write_parquet(tmp_path / "a.parquet")
    alive: set[int] = set()
    most = 0
    made = _parquet._ParquetBlock.__init__

    def init(self: _parquet._ParquetBlock, *args: Any) -> None:
        nonlocal most
        made(self, *args)
        alive.add(id(self))
        most = max(most, len(alive))

    monkeypatch.setattr(_parquet._ParquetBlock, "__init__", init)
    monkeypatch.setattr(
        _parquet._ParquetBlock, "__del__", lambda self: alive.discard(id(self)), raising=False
    )

    def taken(prefetch: int) -> Iterator[str]:
        reader = read_corpus([tmp_path], Config(chunk_mb=0.005), [], prefetch=prefetch)
        return (row["text"] for batch in reader for row in to_rows([batch]))

    for prefetch in (0, 2):
        assert list(taken(prefetch)) == texts
    assert most == 1
