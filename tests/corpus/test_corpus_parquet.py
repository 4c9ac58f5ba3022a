"""Parquet files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from dedupe.errors import Problem

if TYPE_CHECKING:
    from conftest import Reader


def write(name: str, schema: dict[str, Any] | None = None, **columns: list[Any]) -> None:
    """Write a small table."""
    pl.DataFrame(columns, schema_overrides=schema).write_parquet(name)


def test_fields(read: Reader) -> None:
    """Every usual field is read, and a row without id goes by its number."""
    write(
        "a.parquet",
        id=[7, None],
        text=["one", "two\r\n"],
        outlet=[None, "Post"],
        title=["T", ""],
        date=[date(2020, 1, 2), None],
        url=["https://www.example.com/1", None],
        other=[[1], [2]],
    )
    assert read("a.parquet") == (
        [
            {
                "id": "7",
                "text": "one",
                "source": "example.com",
                "title": "T",
                "published": "2020-01-02",
                "url": "https://www.example.com/1",
                "place": "a.parquet:1",
            },
            {"id": "a.parquet:2", "text": "two\r\n", "source": "Post", "place": "a.parquet:2"},
        ],
        [],
    )


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (
            datetime(2020, 1, 2, 3, tzinfo=UTC),
            pl.Datetime("us", "Europe/Berlin"),
            "2020-01-02T03:00:00Z",
        ),
        (datetime(2020, 1, 2, 3), pl.Datetime("ms"), "2020-01-02T03:00:00"),  # noqa: DTZ001 -- naive
        ("2020-01-02T03:00:00+01:00", pl.String, "2020-01-02T02:00:00Z"),
        (1577934000, pl.Int64, "2020-01-02T03:00:00Z"),
    ],
)
def test_dates(read: Reader, value: object, dtype: Any, expected: str) -> None:
    """Dates of every type are ISO 8601, with an offset in UTC."""
    write("a.parquet", {"date": dtype}, text=["a"], date=[value])
    assert read("a.parquet")[0][0]["published"] == expected


def test_rows_without_text(read: Reader) -> None:
    """A row without text is a problem with its number, and the others are read."""
    write("a.parquet", id=["1", "2", "3", "4"], text=["a", None, " \u2003", "b"])
    rows, problems = read("a.parquet")
    assert [row["id"] for row in rows] == ["1", "4"]
    remedy = "fill such rows, or leave them out"
    assert problems == [
        Problem("a.parquet", 2, "the column 'text' holds no text: null", remedy, "2"),
        Problem("a.parquet", 3, "empty: no text", "remove it, or check how it was made", "3"),
    ]


def test_types_of_text(read: Reader) -> None:
    """Categories and bytes in UTF-8 are text; numbers are not."""
    write("1.parquet", {"text": pl.Categorical}, text=["a"])
    write("2.parquet", text=[b"b", b"\xff"])
    write("3.parquet", text=[1])
    write("4.parquet", text=[1], body=["c"])
    rows, problems = read("*.parquet")
    assert [row["text"] for row in rows] == ["a", "b", "c"]
    assert [(p.path, p.line, p.reason) for p in problems] == [
        ("2.parquet", 2, "the column 'text' holds no text: bytes that are not UTF-8"),
        ("3.parquet", 0, "the column 'text' holds Int64, not text"),
    ]


def test_no_text_column(read: Reader) -> None:
    """A file without a text column is a problem that lists its columns."""
    write("a.parquet", id=[1], story=["a"])
    rows, problems = read("a.parquet")
    assert rows == []
    assert problems == [
        Problem(
            "a.parquet",
            0,
            "no field of a usual name holds the text",
            "name it with --text-field; the fields are: id, story",
        )
    ]
    assert [row["text"] for row in read("a.parquet", text_field="story")[0]] == ["a"]
    _, problems = read("a.parquet", text_field="story", source_field="outlet")
    assert [p.reason for p in problems] == ["there is no field 'outlet'"]


def test_broken(read: Reader) -> None:
    """A file that is no Parquet, or half of one, is one problem."""
    write("a.parquet", text=["a"] * 1000)
    data = Path("a.parquet").read_bytes()
    Path("b.parquet").write_bytes(data[: len(data) // 2])
    Path("c.parquet").touch()
    rows, problems = read("*.parquet")
    assert len(rows) == 1000
    assert [(p.path, p.line, p.reason.split(":")[0]) for p in problems] == [
        ("b.parquet", 0, "not a readable Parquet file"),
        ("c.parquet", 0, "not a readable Parquet file"),
    ]


def test_damaged_midway(read: Reader) -> None:
    """Damage within the data is a problem, not a failure."""
    texts = [f"{i} " + "x" * (i % 97) for i in range(5000)]
    pl.DataFrame({"text": texts}).write_parquet("a.parquet", row_group_size=500)
    data = bytearray(Path("a.parquet").read_bytes())
    half = len(data) // 2
    data[half : half + 200] = b"\xff" * 200
    Path("a.parquet").write_bytes(data)
    rows, problems = read("a.parquet", chunk_mb=0.001)
    assert [row["text"] for row in rows] == texts[: len(rows)]
    assert [p.path for p in problems] == ["a.parquet"]


def test_names(read: Reader) -> None:
    """Names with characters of a glob are names; two fields may be one column."""
    write("[x].parquet", url=["https://example.com/1"], text=["a"])
    assert read("[x].parquet", id_field="url") == (
        [
            {
                "id": "https://example.com/1",
                "text": "a",
                "source": "example.com",
                "url": "https://example.com/1",
                "place": "[x].parquet:1",
            }
        ],
        [],
    )
