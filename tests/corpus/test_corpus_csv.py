"""CSV files."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedupe.corpus import _csv, _streams
from dedupe.errors import Problem

if TYPE_CHECKING:
    from conftest import Reader

QUOTING = "quote fields that hold quotes or line ends, and double the quotes within"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_fields(read: Reader, delimiter: str) -> None:
    """Fields are told by the header line, and so is what stands between them."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(
        [
            ["Date", "URL", "Text", "Id", "Title"],
            ["2020-01-02", "https://www.example.com/1", 'He said "a, b; c"\nand left', "k1", ""],
            ["", "", "two", "", "T"],
        ]
    )
    Path("a.csv").write_bytes(out.getvalue().encode("utf-8-sig"))
    assert read("a.csv") == (
        [
            {
                "id": "k1",
                "text": 'He said "a, b; c"\nand left',
                "source": "example.com",
                "published": "2020-01-02",
                "url": "https://www.example.com/1",
                "place": "a.csv:2",
            },
            {"id": "a.csv:4", "text": "two", "title": "T", "place": "a.csv:4"},
        ],
        [],
    )


def test_bad_rows(read: Reader) -> None:
    """A bad row is a problem with the line it starts on, and all others are read."""
    Path("a.csv").write_text('id,text\n1,a\n2\n3,b,c\n\n4,\n5,"open\n6,f\n7,"x"y\n8,"g\nh"\n9,i\n')
    rows, problems = read("a.csv")
    assert [(row["id"], row["text"], row["place"]) for row in rows] == [
        ("1", "a", "a.csv:2"),
        ("6", "f", "a.csv:8"),
        ("8", "g\nh", "a.csv:10"),
        ("9", "i", "a.csv:12"),
    ]
    columns = "the row has another number of fields than the header"
    quotes = "broken quotes: ',' expected after '\"'"
    assert sorted(problems) == [
        Problem("a.csv", 3, f"{columns}: 1 instead of 2", QUOTING),
        Problem("a.csv", 4, f"{columns}: 3 instead of 2", QUOTING),
        Problem("a.csv", 6, "empty: no text", "remove it, or check how it was made", "4"),
        Problem("a.csv", 7, quotes, QUOTING),
        Problem("a.csv", 9, quotes, QUOTING),
    ]


def test_quote_never_closed(read: Reader) -> None:
    """A quote that is never closed costs its own line only."""
    Path("a.csv").write_text('id,text\n1,a\n2,"b\n' + "".join(f"{i},c\n" for i in range(3, 99)))
    rows, problems = read("a.csv")
    assert [row["id"] for row in rows] == ["1", *map(str, range(3, 99))]
    assert problems == [Problem("a.csv", 3, "broken quotes: unexpected end of data", QUOTING)]


def test_reading_again_is_bounded(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where too much would have to be read again, the lines that are left out are named."""
    monkeypatch.setattr(_csv, "_READ_AGAIN", 10)
    Path("a.csv").write_text('id,text\n1,a\n2,"b\n' + "3,c\n" * 5)
    rows, problems = read("a.csv")
    assert [row["id"] for row in rows] == ["1"]
    reason = "broken quotes: unexpected end of data; lines 3 to 8 are left out"
    assert problems == [Problem("a.csv", 3, reason, QUOTING)]


@pytest.mark.parametrize("opening", ["", '2,"b\n'])
def test_long_line(read: Reader, monkeypatch: pytest.MonkeyPatch, opening: str) -> None:
    """A line over the limit is a problem with its number, also within an open quote."""
    monkeypatch.setattr(_streams.split_blocks, "__defaults__", (100,))
    Path("a.csv").write_text(f"id,text\n1,a\n{opening}5,{'x' * 100}\n6,c\n")
    rows, problems = read("a.csv")
    assert [row["id"] for row in rows] == ["1", "6"]
    expected = [Problem("a.csv", 3, "broken quotes: a quote is never closed", QUOTING)]
    line = 4 if opening else 3
    assert problems == [
        *(expected if opening else []),
        Problem("a.csv", line, "a line of more than 64 MB", "split it into articles"),
    ]


def test_no_text_column(read: Reader) -> None:
    """A file without a text column is a problem that lists its columns."""
    Path("a.csv").write_text("id,story\n1,a\n")
    Path("b.csv").touch()
    rows, problems = read("a.csv", "b.csv")
    assert rows == []
    assert problems == [
        Problem(
            "a.csv",
            0,
            "no field of a usual name holds the text",
            "name it with --text-field; the fields are: id, story",
        ),
        Problem("b.csv", 0, "empty: no text", "remove it, or check how it was made"),
    ]
    assert [row["text"] for row in read("a.csv", text_field="story")[0]] == ["a"]
    _, problems = read("a.csv", text_field="story", date_field="when")
    assert problems[0].reason == "there is no field 'when'"


def test_encodings(read: Reader) -> None:
    """Files in windows-1252 and in UTF-16 with a mark, as spreadsheets write them, are read."""
    text = "id;text\n1;Le café était fermé\n2;où ça?\n"
    Path("1.csv").write_bytes(text.encode("cp1252"))
    Path("2.csv").write_bytes(text.encode("utf-16"))
    rows, problems = read("*.csv")
    assert [row["text"] for row in rows] == ["Le café était fermé", "où ça?"] * 2
    assert problems == []


def test_large_field(read: Reader) -> None:
    """A text longer than the csv module's own limit is read."""
    Path("a.csv").write_text("id,text\n1," + "x" * 200_000 + "\n")
    rows, problems = read("a.csv")
    assert [len(row["text"]) for row in rows] == [200_000]
    assert problems == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.text(st.sampled_from('ab,;"\n\r\t é'), min_size=1).filter(lambda text: text.strip())
    )
)
def test_written_by_the_standard_library(read: Reader, texts: list[str]) -> None:
    """What Python's csv module writes is read back to the code point."""
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["id", "text"], *(["k", t] for t in texts)])
    Path("a.csv").write_bytes(out.getvalue().encode())
    rows, problems = read("a.csv")
    assert problems == []
    assert [row["text"] for row in rows] == texts
