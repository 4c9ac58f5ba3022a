"""Whole corpora."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from conftest import to_rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dedupe.corpus
from dedupe.config import Config
from dedupe.corpus import read_article, read_corpus
from dedupe.errors import InputError, Problem
from dedupe.records import Article

if TYPE_CHECKING:
    from conftest import Reader

TEXTS = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
        lambda text: not text.isspace() and not text.startswith("\ufeff")
    ),
    min_size=1,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50
)
@given(TEXTS, st.floats(0.0001, 0.001))
def test_chunk_size(read: Reader, texts: list[str], chunk_mb: float) -> None:
    """The size of a chunk never changes the articles, and no batch exceeds it but by one article."""
    Path("a.txt").write_bytes(texts[0].encode())
    Path("b.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    pl.DataFrame({"text": texts}).write_parquet("c.parquet")
    pl.DataFrame({"text": texts}).write_csv("d.csv", quote_style="always")
    batches = list(read_corpus(["."], Config(chunk_mb=chunk_mb), []))
    assert (to_rows(batches), []) == read(".")
    assert all(len(b) == 1 or b.text.size <= chunk_mb * 1e6 for b in batches)
    rows = to_rows(batches)
    assert [row["text"] for row in rows if row["id"] != "a.txt"] == texts * 3


def test_order_of_inputs(read: Reader) -> None:
    """The order of the inputs changes no id."""
    for name in ("a/x.txt", "b/x.txt"):
        Path(name).parent.mkdir()
        Path(name).write_text(name)
    forwards, backwards = read("a", "b")[0], read("b", "a")[0]
    assert [row["id"] for row in forwards] == ["a/x.txt", "b/x.txt"]
    assert forwards == backwards[::-1]


def test_counters(tmp_path: Path) -> None:
    """The reader counts files, what it skipped, bytes, and dates that were not understood."""
    (tmp_path / "a.txt").write_text("abc")
    (tmp_path / "b.jsonl").write_text('{"text": "x", "date": "soon"}\n{"text": "y", "date": ""}\n')
    (tmp_path / "c.png").touch()
    calls: list[tuple[int, int]] = []
    reader = read_corpus([tmp_path], Config(), [], progress=lambda a, b: calls.append((a, b)))
    assert (reader.files, reader.skipped, reader.total_bytes) == (2, 1, 59)
    assert [len(batch) for batch in reader] == [3]
    assert reader.unread_dates == 1
    assert calls == [(59, 59)]


def test_progress(tmp_path: Path) -> None:
    """Progress never falls, and ends with all bytes of every kind of file."""
    for i in range(3):
        (tmp_path / f"{i}.txt").write_text("word " * 500_000)
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "word " * 500_000}))
    pl.DataFrame({"text": ["word " * 100] * 1000}).write_parquet(tmp_path / "a.parquet")
    calls: list[tuple[int, int]] = []
    reader = read_corpus([tmp_path], Config(), [], progress=lambda a, b: calls.append((a, b)))
    for _ in reader:
        pass
    assert len(calls) > 4
    assert calls == sorted(calls)
    assert calls[-1] == (reader.total_bytes, reader.total_bytes)


def test_nothing_there(tmp_path: Path) -> None:
    """Where no input is there at all, the first one is named with a remedy."""
    first, second = tmp_path / "a.txt", tmp_path / "b"
    message = f"^{first}: no such file or directory; check the path$"
    with pytest.raises(InputError, match=message):
        read_corpus([first, second], Config(), [])
    with pytest.raises(InputError, match="no file matches; check the pattern"):
        read_corpus([f"{tmp_path}/*.txt"], Config(), [])
    with pytest.raises(InputError, match="no input was given"):
        read_corpus([], Config(), [])


def test_something_there(read: Reader) -> None:
    """One missing input among others is a problem; an empty directory is none."""
    Path("d").mkdir()
    assert read("d") == ([], [])
    assert read("d", "x.txt") == (
        [],
        [Problem("x.txt", 0, "no such file or directory", "check the path")],
    )


def test_standard_input(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash among other inputs reads standard input, once."""
    Path("a.txt").write_text("abc")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "x"}')))
    assert [row["id"] for row in read("-", "a.txt", "-")[0]] == ["-:1", "a.txt"]


def test_article(tmp_path: Path) -> None:
    """One article is read from a file of text, Markdown or HTML."""
    path = tmp_path / "a.md"
    path.write_text("# T\n\ntext")
    assert read_article(path, Config()) == Article(id=str(path), text="# T\n\ntext", title="T")
    page = tmp_path / "a.html"
    page.write_text("<html><body><article>" + "<p>Some words of an article.</p>" * 20)
    assert "Some words of an article." in read_article(page, Config()).text


def test_article_on_stdin() -> None:
    """A dash is plain text on standard input."""
    stream = io.BytesIO("Le café était fermé.".encode("cp1252"))
    assert read_article("-", Config(), stdin=stream) == Article(id="-", text="Le café était fermé.")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", None, "no such file or directory; check the path"),
        ("a.txt", b" ", "empty: no text"),
        ("a.txt", b"\0\1\2", "looks binary"),
        ("a.csv", b"text\na\n", "holds no single article"),
        (".", None, "is a directory"),
        ("*.txt", None, "no file matches|no such file"),
        ("-", b"\n", "standard input: empty: no text"),
        ("-", b"\0", "standard input: looks binary"),
    ],
)
def test_no_article(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes | None, message: str
) -> None:
    """What is no article is an error with a remedy."""
    monkeypatch.chdir(tmp_path)
    if data is not None and name != "-":
        Path(name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_article(name, Config(), stdin=io.BytesIO(data or b""))


def test_exports() -> None:
    """The public names are sorted and there."""
    assert dedupe.corpus.__all__ == sorted(dedupe.corpus.__all__)
    assert all(hasattr(dedupe.corpus, name) for name in dedupe.corpus.__all__)


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_lasting_ids(kind: str, tmp_path: Path) -> None:
    """For an index a row without an id has its URL for one; only without both, its place."""
    frame = pl.DataFrame(
        {
            "id": ["a", None, None],
            "url": ["https://x.org/1", "https://x.org/2", None],
            "text": ["one", "two", "three"],
        }
    )
    path = tmp_path / f"c.{kind}"
    if kind == "jsonl":
        frame.write_ndjson(path)
    else:
        getattr(frame, f"write_{kind}")(path)

    def ids(*, lasting_ids: bool = False) -> list[str]:
        (batch,) = read_corpus([path], Config(), [], lasting_ids=lasting_ids)
        return batch.ids

    header = int(kind == "csv")
    places = [f"{path}:{line + header}" for line in (2, 3)]
    assert ids() == ["a", *places]
    assert ids(lasting_ids=True) == ["a", "https://x.org/2", places[1]]


def test_lasting_ids_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For an index the files of two directories have two ids, though each is added by itself."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        Path(name).mkdir()
        Path(name, "x.txt").write_text("Some words.")
    batches = [list(read_corpus([name], Config(), [], lasting_ids=True)) for name in ("a", "b")]
    assert [batch.ids for (batch,) in batches] == [["a/x.txt"], ["b/x.txt"]]


def test_lasting_ids_on_standard_input() -> None:
    """Rows of standard input without an id or URL are told by what they say, not by their line."""

    def ids(*rows: dict[str, str]) -> list[str]:
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        (batch,) = read_corpus(["-"], Config(), [], stdin=io.BytesIO(data), lasting_ids=True)
        return batch.ids

    first, second = {"text": "one"}, {"text": "one", "source": "x.org"}
    told = ids(first, second, first)
    assert told[0] == told[2] != told[1]
    assert ids(second) == told[1:2]
    assert told[0].startswith("sha256:")
