"""Web pages. The pages are invented."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dedupe.config import Config
from dedupe.corpus import _html, read_corpus
from dedupe.corpus._html import PageError, extract, load_extractor
from dedupe.corpus._plain import BINARY, EMPTY
from dedupe.errors import MissingExtraError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Reader

BODY = [
    "The council of Upper Tarn voted on Tuesday to reopen the old mill as a library.",
    "Mayor Edda Quill said the vote was close. “We counted twice,” she told sixty residents.",
    "Work on the roof begins in April and is expected to cost the town 2.3 million crowns.",
]
PAGE = """<!DOCTYPE html><html lang="en_GB"><head><title>Mill to become library | Tarn Post</title>
<meta property="og:title" content="Mill to become library">
<meta property="og:site_name" content="Tarn Post">
<meta property="article:published_time" content="2021-03-02T18:30:00+01:00">
<link rel="canonical" href="https://www.tarnpost.example.com/news/mill-library"></head>
<body><nav><ul><li><a href="/">Home</a></li><li><a href="/s">Sport</a></li></ul></nav>
<article><h1>Mill to become library</h1>{}</article>
<footer><p>Copyright Tarn Post. All rights reserved.</p></footer></body></html>"""
PARAGRAPHS = "".join(f"<p>{text}</p>" for text in BODY)


@pytest.fixture
def _no_extra(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    _html._import_extractor.cache_clear()
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    yield
    _html._import_extractor.cache_clear()


def test_page(read: Reader) -> None:
    """The body comes without the page around it, a paragraph a line, and with its metadata."""
    Path("p.html").write_text(PAGE.format(PARAGRAPHS))
    rows, problems = read("p.html")
    assert problems == []
    row = rows[0]
    assert row.pop("text").split("\n")[-3:] == BODY
    assert rows == [
        {
            "id": "p.html",
            "source": "Tarn Post",
            "title": "Mill to become library",
            "published": "2021-03-02T17:30:00Z",
            "url": "https://www.tarnpost.example.com/news/mill-library",
            "language": "en-GB",
            "place": "p.html:0",
        }
    ]


def test_source_is_the_host(read: Reader) -> None:
    """Without a site name, the host of the canonical url is the source."""
    page = PAGE.format(PARAGRAPHS).replace("og:site_name", "x").replace(" | Tarn Post", "")
    Path("p.htm").write_text(page)
    rows, _ = read("p.htm")
    assert rows[0]["source"].lower() in {"tarnpost.example.com", "example.com"}


def test_declared_encoding(read: Reader) -> None:
    """A page in the encoding it declares is read right, in HTML and XHTML."""
    page = PAGE.format(PARAGRAPHS.replace("Edda Quill", "Édda Größ"))
    meta = page.replace("<head>", '<head><meta charset="iso-8859-1">')
    Path("1.html").write_bytes(meta.encode("cp1252"))
    Path("2.html").write_bytes(
        f"<?xml version='1.0' encoding='iso-8859-1'?>{page}".encode("cp1252")
    )
    Path("3.html").write_text(f"<?xml version='1.0' encoding='iso-8859-1'?>{page}", "utf-8")
    rows, _ = read("*.html")
    assert ["Mayor Édda Größ said" in row["text"] for row in rows] == [True] * 3


def test_nothing_found(
    read: Reader, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages without an article are problems, and the extractor's own reports are not printed."""
    monkeypatch.setattr(_html, "MAX_PAGE", 1_000_000)
    Path("1.html").write_text("<html><body></body></html>")
    Path("2.html").write_bytes(b"\x89PNG\x01\x02\x03\x04\x05\x06")
    Path("3.html").touch()
    Path("4.html").write_text("x" * 1_000_001)
    with caplog.at_level(logging.WARNING):
        rows, problems = read("*.html")
    assert rows == []
    assert caplog.records == []
    as_text = "save the article's text as a .txt file"
    none = ("no article text was found in the page", "save the text as a .txt file")
    assert problems == [
        Problem("1.html", 0, *none, "1.html"),
        Problem("2.html", 0, *BINARY, "2.html"),
        Problem("3.html", 0, *EMPTY, "3.html"),
        Problem("4.html", 0, "larger than 1 MB", as_text, "4.html"),
    ]


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        ("<div>" * 60_000 + PARAGRAPHS, "more than 50,000 tags"),
        ("<p " + " ".join(f"a{i}=1" for i in range(5_000)) + ">", "more than 1,000 attributes"),
        ("<p " + " ".join(f"a{i}='>'" for i in range(5_000)) + ">", "more than 1,000 attributes"),
        ("<a ='" * 100_000, "more than 1,000 attributes"),
    ],
)
def test_hostile(markup: str, reason: str) -> None:
    """Markup that would take minutes to parse is refused at once."""
    with pytest.raises(PageError, match=reason):
        extract(f"<html><body>{markup}", load_extractor())


@pytest.mark.parametrize(
    "markup",
    [
        "<!--" * 20_000,
        "<script>" + "<a " * 20_000,
        "<p data-json='" + '{"a": [1, 2]} ' * 5_000 + "'>text</p>",
        "<table><tr><td>" * 3_000,
        "<" * 200_000,
        "&" * 200_000,
        "\x01\ud800\uffff",
    ],
)
def test_odd_markup(markup: str) -> None:
    """Odd markup does not fail; what comes before it is found."""
    page = extract(PAGE.format(PARAGRAPHS + markup), load_extractor())
    assert BODY[0] in page.text or page.text == ""


def test_extractor_fails(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error within the extractor is a problem of that page."""

    def fail(*_: object, **__: object) -> None:
        raise RecursionError

    monkeypatch.setattr(load_extractor(), "bare_extraction", fail)
    Path("p.html").write_text(PAGE.format(PARAGRAPHS))
    rows, problems = read("p.html")
    assert rows == []
    assert [p.reason for p in problems] == ["could not be parsed as HTML: RecursionError"]


@pytest.mark.usefixtures("_no_extra")
def test_missing_extra_among_others(read: Reader) -> None:
    """Without the extra, all pages of a run are one problem, and other files are read."""
    for name in ("1.html", "2.txt", "3.html", "4.txt"):
        Path(name).write_text("<p>text</p>")
    rows, problems = read(".")
    assert [row["id"] for row in rows] == ["2.txt", "4.txt"]
    reason = "2 HTML pages were not read: the html extra is not installed"
    remedy = "install it with: pip install 'dedupe-news[html]'"
    assert problems == [Problem("./1.html", 0, reason, remedy)]


@pytest.mark.usefixtures("_no_extra")
def test_missing_extra_only(tmp_path: Path) -> None:
    """Without the extra and with nothing but pages, there is no point in going on."""
    (tmp_path / "1.html").write_text("<p>text</p>")
    with pytest.raises(MissingExtraError, match=r"dedupe-news\[html\]"):
        read_corpus([tmp_path], Config(), [])
