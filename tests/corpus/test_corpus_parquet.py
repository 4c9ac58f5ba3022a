"""Parquet files."""

from __future__ import annotations

import random
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedupe.config import Config
from dedupe.corpus import _parquet, read_corpus
from dedupe.corpus._fields import clean, clean_id, host
from dedupe.corpus._plain import EMPTY
from dedupe.corpus._rows import FileLog, Run
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


SPACES = "".join(chr(c) for c in range(sys.maxunicode + 1) if chr(c).isspace())

ODD_TEXTS = st.none() | st.text(
    st.sampled_from(
        [*SPACES[::4], "\x1c", "\x1f", "\x85", "\u180e", "\u200b", "\0", "a", "é", "🦊"]
    ),
    max_size=6,
)
ODD_DATES = st.sampled_from(
    [
        *("2020-01-02", " 2020-01-02 ", "2020-13-02", "2020-01-02T03:04:05+02:00", "soon", ""),
        *("2020-01-02 03:04", "20200102", "1577934000", "2 Jan 2020", " ", "\x1f", None),
    ]
)
ODD_URLS = st.sampled_from(
    [
        *("http://www.a.example/x", "HTTPS://A.EXAMPLE", "//b.example?q", "a.example", "http://["),
        *("http://u@c.example:80/", "http://www./", " http://d.example ", "http:///x", "", None),
    ]
)
ODD_CELLS = st.one_of(
    *(
        st.tuples(st.just(dtype), st.lists(st.none() | values, min_size=30, max_size=30))
        for dtype, values in (
            (pl.String, ODD_TEXTS),
            (pl.Int64, st.integers(-(2**63), 2**63 - 1) | st.just(20200102)),
            (pl.UInt64, st.integers(0, 2**64 - 1)),
            (pl.Float64, st.floats() | st.just(1577934000.0)),
            (pl.Boolean, st.booleans()),
            (pl.Categorical, ODD_TEXTS),
            (pl.Binary, st.binary(max_size=3)),
            (pl.List(pl.String), st.lists(ODD_TEXTS, max_size=2)),
        )
    )
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    derandomize=True,
    max_examples=100,
)
@given(
    st.lists(ODD_TEXTS | st.just("text " * 30), max_size=30),
    st.lists(ODD_DATES, min_size=30, max_size=30),
    st.lists(ODD_URLS, min_size=30, max_size=30),
    st.fixed_dictionaries(dict.fromkeys(("id", "source", "title"), ODD_CELLS)),
    st.sampled_from([pl.String, pl.Binary, pl.Categorical]),
)
def test_like_row_by_row(
    read: Reader,
    texts: list[str | None],
    dates: list[str | None],
    urls: list[str | None],
    cells: dict[str, tuple[Any, list[Any]]],
    kind: Any,
) -> None:
    """Columns are read as the functions for single cells have it, with the same problems."""
    n = len(texts)
    columns: dict[str, list[Any]] = {
        "text": [t.encode() if t is not None and kind == pl.Binary else t for t in texts],
        "date": dates[:n],
        "url": urls[:n],
        **{name: values[:n] for name, (_, values) in cells.items()},
    }
    if kind == pl.Binary and n > 3:
        columns["text"][3] = b"\xed\xa0\x80"
    dtypes = {name: dtype for name, (dtype, _) in cells.items()}
    strings = {"date": pl.String, "url": pl.String}
    write("a.parquet", {"text": kind, **strings, **dtypes}, **columns)
    expected: list[dict[str, Any]] = []
    problems: list[Problem] = []
    run = Run(Config(), [])
    log = FileLog(problems, "a.parquet")
    for k, (text, date_, url, key, source, title) in enumerate(
        zip(*(columns[c] for c in ("text", "date", "url", "id", "source", "title")), strict=True), 1
    ):
        name = clean_id(key) or f"a.parquet:{k}"
        try:
            data = text.decode() if isinstance(text, bytes) else text
        except UnicodeDecodeError:
            reason = "the column 'text' holds no text"
            detail = "bytes that are not UTF-8"
            log.add(k, reason, "fill such rows, or leave them out", detail=detail, article=name)
            continue
        if data is None:
            reason = "the column 'text' holds no text"
            log.add(k, reason, "fill such rows, or leave them out", detail="null", article=name)
        elif not data or data.isspace():
            log.add(k, *EMPTY, article=name)
        else:
            row = {
                "id": name,
                "text": data,
                "source": clean(source) or host(clean(url)),
                "title": clean(title),
                "published": run.date(date_),
                "url": clean(url),
                "place": f"a.parquet:{k}",
            }
            expected.append({key: value for key, value in row.items() if value is not None})
    log.close()
    for chunk_mb in (16.0, 0.0001):
        assert read("a.parquet", chunk_mb=chunk_mb) == (expected, problems)
    reader = read_corpus(["a.parquet"], Config(), [])
    assert sum(map(len, reader)) == len(expected)
    assert reader.unread_dates == run.unread_dates


def test_white_space() -> None:
    """A text is blank where `str.isspace` says so, for every character there is."""
    characters = [chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]
    blank = ~pl.Series(characters).str.contains(_parquet._NOT_BLANK)
    assert pl.Series(characters).filter(blank).to_list() == list(SPACES)


def test_slices(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and their numbers are the same however many are decoded at a time."""
    monkeypatch.setattr(_parquet, "_FEWEST_ROWS", 3)
    texts = [None if k % 7 == 0 else f"{k} " + "x" * (k % 60) for k in range(500)]
    pl.DataFrame({"text": texts}).write_parquet("a.parquet", row_group_size=90)
    rows, problems = read("a.parquet", chunk_mb=0.0001)
    assert [(row["place"], row["text"]) for row in rows] == [
        (f"a.parquet:{k}", text) for k, text in enumerate(texts, 1) if text is not None
    ]
    assert [p.line for p in problems] == [*range(1, 141, 7), 141]
    assert "and 52 more lines" in problems[-1].reason


def test_slices_are_of_many_chunks(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """By default 32 to 64 MB of text are decoded at a time, here a thousandth of it."""
    monkeypatch.setattr(_parquet, "_FEWEST_ROWS", 3)
    decoded: list[int] = []

    class Watched(_parquet._ParquetBlock):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            decoded.append(int(self.lengths.sum()))

    monkeypatch.setattr(_parquet, "_ParquetBlock", Watched)
    chunk_mb = Config().chunk_mb / 1000
    for n, size in ((2_000, 32_000), (20_000, 64_000)):
        decoded.clear()
        write("a.parquet", text=[random.Random(k).randbytes(50).hex() for k in range(n)])
        rows, _ = read("a.parquet", chunk_mb=chunk_mb)
        assert len(rows) == n
        assert len(decoded) > 4
        # The first goes by the size of the file, and the last has what is left.
        assert decoded[1:-1] == pytest.approx([size] * (len(decoded) - 2), rel=0.01)
