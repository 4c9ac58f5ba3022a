"""A corpus in other forms says the same, and the reports on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from benchmarks import directory, files, startup
from benchmarks.measure import Run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TEXTS = ["one\r\ntwo", "", "ñandú 字", None, "end\n"]


def test_all_forms_hold_the_same_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files, their names in a table, the plain text and bare reading agree to the byte."""
    monkeypatch.setattr(files, "_PER_FOLDER", 2)
    corpus, table, plain = (tmp_path / name for name in ("c.parquet", "t.parquet", "c.txt"))
    pl.DataFrame({"id": list("abcde"), "text": TEXTS}).write_parquet(corpus)
    assert files.split(corpus, tmp_path / "files") == len(TEXTS)
    files.alike(corpus, table)
    frame = pl.read_parquet(table)
    assert frame.columns == ["id", "text"]
    found = [(tmp_path / "files" / name).read_bytes().decode() for name in frame["id"]]
    assert found == frame["text"].to_list() == [text or "" for text in TEXTS]
    assert len({name.split("/")[0] for name in frame["id"]}) == 3
    assert files.read(tmp_path / "files") == frame["text"].str.len_bytes().sum()
    files.plain(corpus, plain)
    assert plain.read_bytes().decode() == "".join(f"{text}\n" for text in found)


def test_directory_against_both_others() -> None:
    """The ratio divides the directory by Parquet and bare reading together."""
    measured = {
        name: [Run(seconds, 1, 1, 0, {"pairs": 4})]
        for name, seconds in (
            (directory.DIRECTORY, 9.0),
            (directory.PARQUET, 5.0),
            (directory.BARE, 1.0),
        )
    }
    assert directory.report(measured).endswith("Directory ÷ (Parquet + bare reading): 1.50")


def test_startup_against_the_empty_programs() -> None:
    """Each command stands against an empty Python and an empty typer program."""
    measured = {
        startup.EMPTY: [Run(0.1, 1, 1, 0, {})],
        startup.TYPER: [Run(0.2, 1, 1, 0, {})],
        "dedupe --help": [Run(0.3, 1, 1, 0, {})],
    }
    last = startup.report(measured).splitlines()[-1]
    assert last.startswith("| `dedupe --help` | 0.300 |")
    assert last.endswith("| 3.00 | 1.50 |")
