"""JSON lines."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zstandard

from dedupe.corpus import _streams
from dedupe.errors import Problem

if TYPE_CHECKING:
    from conftest import Reader

REMEDY = 'put one JSON object on each line, such as {"id": "1", "text": "…"}'


def test_fields(read: Reader) -> None:
    """Every usual field is read; ids that are numbers become text."""
    line = {
        "id": 7,
        "text": "One\r\ntwo é",
        "source": "Post",
        "headline": "A title",
        "published_at": "Tue, 20 Sep 2016 12:00:00 +0200",
        "url": "https://example.com/7",
        "lang": "en",
        "other": {"nested": []},
    }
    Path("a.jsonl").write_text(json.dumps(line))
    assert read("a.jsonl") == (
        [
            {
                "id": "7",
                "text": "One\r\ntwo é",
                "source": "Post",
                "title": "A title",
                "published": "2016-09-20T10:00:00Z",
                "url": "https://example.com/7",
                "language": "en",
                "place": "a.jsonl:1",
            }
        ],
        [],
    )


def test_stdin(read: Reader) -> None:
    """A dash is JSON lines on standard input; its articles without id are named after it."""
    stream = io.BytesIO(b'\xef\xbb\xbf{"text": "a"}\r\n\n{"text": "b", "id": null}')
    rows, problems = read("-", stdin=stream)
    assert rows == [
        {"id": "-:1", "text": "a", "place": "-:1"},
        {"id": "-:3", "text": "b", "place": "-:3"},
    ]
    assert problems == []


def test_broken_lines(read: Reader) -> None:
    """Each broken line is a problem with its number, and the others are read."""
    lines = [
        b'{"id": "1", "text": "a"}',
        b'{"id": "2", "text": "a"',
        b"[1]",
        b'{"id": "4"}',
        b'{"id": "5", "text": null}',
        b'{"id": "6", "text": ["a"]}',
        b'{"id": "7", "text": " \\n"}',
        b"[" * 100_000,
        b'{"id": "9", "text": "a", "n": ' + b"9" * 5_000 + b"}",
        b'{"id": "10", "text": "\\ud800!"}',
        '{"id": "11", "text": "déjà vu à l\'été"}'.encode("latin-1"),
    ]
    Path("a.jsonl").write_bytes(b"\n".join(lines))
    rows, problems = read("a.jsonl")
    assert [(row["id"], row["text"]) for row in rows] == [
        ("1", "a"),
        ("10", "\ufffd!"),
        ("11", "déjà vu à l'été"),
    ]
    string = "it must be a JSON string"
    assert problems[:6] == [
        Problem("a.jsonl", 2, "not valid JSON: Expecting ',' delimiter at column 24", REMEDY),
        Problem("a.jsonl", 3, "not a JSON object", REMEDY),
        Problem(
            "a.jsonl",
            4,
            "no field of a usual name holds the text",
            "name it with --text-field; the fields are: id",
        ),
        Problem("a.jsonl", 5, "the field 'text' holds no text: null", string, "5"),
        Problem("a.jsonl", 6, "the field 'text' holds no text: a list", string, "6"),
        Problem("a.jsonl", 7, "empty: no text", "remove it, or check how it was made", "7"),
    ]
    assert [p.line for p in problems[6:]] == [8, 9]
    assert all(p.reason.startswith("not valid JSON: ") for p in problems[6:])


def test_alike_problems(read: Reader) -> None:
    """After twenty problems of one reason the rest of them are counted in one."""
    Path("a.jsonl").write_text("{\n" * 50 + '{"text": "a"}\n' + "[]\n" * 21)
    rows, problems = read("a.jsonl")
    assert [row["id"] for row in rows] == ["a.jsonl:51"]
    assert [p.line for p in problems] == [*range(1, 21), *range(52, 72), 21, 72]
    assert [p.reason for p in problems[-2:]] == [
        "not valid JSON … and 30 more lines like it",
        "not a JSON object … and 1 more line like it",
    ]


def test_asked_for(read: Reader) -> None:
    """A text or id field that was asked for and is not there is a problem of each line."""
    Path("a.jsonl").write_text('{"text": "a", "k": 1}\n{"text": "b"}\n')
    assert [row["id"] for row in read("a.jsonl", id_field="k")[0]] == ["1"]
    _, problems = read("a.jsonl", text_field="body")
    assert problems == [
        Problem(
            "a.jsonl",
            1,
            "there is no field 'body'",
            "choose another --text-field; the fields are: text, k",
        ),
        Problem(
            "a.jsonl",
            2,
            "there is no field 'body'",
            "choose another --text-field; the fields are: text",
        ),
    ]


def test_optional_fields(read: Reader) -> None:
    """A date field that some lines leave out is no problem; one that no line has is."""
    Path("a.jsonl").write_text('{"text": "a", "when": "2020-01-02"}\n{"text": "b"}\n')
    rows, problems = read("a.jsonl", date_field="when")
    assert [row.get("published") for row in rows] == ["2020-01-02", None]
    assert problems == []
    rows, problems = read("a.jsonl", date_field="whem")
    assert len(rows) == 2
    remedy = "choose another --date-field; the fields are: text"
    assert problems == [Problem("a.jsonl", 0, "no line has a field 'whem'", remedy)]


def test_long_line(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line over the limit is a problem, and the next one is read."""
    monkeypatch.setattr(_streams.split_lines, "__defaults__", (100,))
    Path("a.jsonl").write_text('{"text": "a"}\n"' + "x" * 100 + '"\n{"text": "b"}\n')
    rows, problems = read("a.jsonl")
    assert [row["id"] for row in rows] == ["a.jsonl:1", "a.jsonl:3"]
    remedy = "split it into articles"
    assert problems == [Problem("a.jsonl", 2, "a line of more than 64 MB", remedy)]


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_truncated(read: Reader, ending: str) -> None:
    """Of a truncated file what came before is kept, and one problem tells where it ends."""
    data = "".join(
        json.dumps({"text": f"article {i * 2654435761 % 2**32}"}) + "\n" for i in range(50_000)
    )
    compress = gzip.compress if ending == "gz" else zstandard.ZstdCompressor().compress
    whole = compress(data.encode())
    Path(f"a.jsonl.{ending}").write_bytes(whole[: len(whole) // 2])
    rows, problems = read(f"a.jsonl.{ending}")
    assert 10_000 < len(rows) < 40_000
    assert [row["id"] for row in rows] == [f"a.jsonl.{ending}:{i + 1}" for i in range(len(rows))]
    assert [(p.path, p.line) for p in problems] == [(f"a.jsonl.{ending}", len(rows) + 1)]
    assert problems[0].reason.startswith("the compressed file is damaged from here on: ")
    assert problems[0].remedy == (
        "compress the file again, or fetch it again; what came before was read"
    )


def test_source_from_url(read: Reader) -> None:
    """Without a source, the host of the url is it."""
    Path("a.ndjson").write_text('{"text": "a", "link": "https://www.example.com/x", "source": {}}')
    assert read("a.ndjson")[0][0]["source"] == "example.com"


def test_utf16(read: Reader) -> None:
    """Lines in UTF-16 with a byte-order mark are read."""
    Path("a.jsonl").write_bytes('{"text": "né"}\n{"text": "b"}\n'.encode("utf-16"))
    assert [row["text"] for row in read("a.jsonl")[0]] == ["né", "b"]


def test_vanished(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is gone when its turn comes is a problem."""
    Path("a.jsonl").write_text('{"text": "a"}')
    Path("b.jsonl").write_text('{"text": "b"}')
    real = Path.open

    def fail(self: Path, mode: str, buffering: int = -1) -> object:
        if self.name == "a.jsonl":
            raise FileNotFoundError(2, "No such file or directory")
        return real(self, mode, buffering)

    monkeypatch.setattr(Path, "open", fail)
    rows, problems = read("a.jsonl", "b.jsonl")
    assert [row["text"] for row in rows] == ["b"]
    reason = "cannot be read: No such file or directory"
    assert problems == [Problem("a.jsonl", 0, reason, "check the file and its permissions")]
