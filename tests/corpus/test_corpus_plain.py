"""Plain text and Markdown files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedupe.corpus import _plain
from dedupe.corpus._plain import markdown_title
from dedupe.errors import Problem

if TYPE_CHECKING:
    import pytest
    from conftest import Reader


def test_as_they_are(read: Reader) -> None:
    """The text is the file's to the code point; only a byte-order mark is removed."""
    texts = {"1.txt": "one\r\ntwo\rthree\x85\u2028four ", "2.txt": "x", "3.txt": "né 🦊"}
    for name, text in texts.items():
        Path(name).write_bytes(text.encode("utf-8-sig"))
    rows, problems = read(".")
    assert rows == [{"id": n, "text": t, "place": f"./{n}:0"} for n, t in texts.items()]
    assert problems == []


def test_encodings(read: Reader) -> None:
    """Files in other encodings are articles like any other."""
    Path("1.txt").write_bytes("Le café était fermé.".encode("latin-1"))
    Path("2.txt").write_bytes("Le café était fermé.".encode("utf-16"))
    rows, problems = read("*.txt")
    assert [row["text"] for row in rows] == ["Le café était fermé."] * 2
    assert problems == []


def test_markdown_title(read: Reader) -> None:
    """The first heading of the first level is the title of a Markdown file, of no other."""
    for name in ("a.md", "a.txt"):
        Path(name).write_text("## Kicker\r\n# The title #\r\nText\r\n# More", newline="")
    rows, _ = read("a.md", "a.txt")
    assert [row.get("title") for row in rows] == ["The title", None]
    assert markdown_title("#hashtag\n\n    # code\n") is None
    assert markdown_title("# \n#\n") is None


def test_no_text(read: Reader) -> None:
    """Empty and binary files are problems with their id, and no articles."""
    Path("1.txt").touch()
    Path("2.txt").write_text(" \n\u2003\t")
    Path("3.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    Path("4.txt").write_bytes(b"\xef\xbb\xbf")
    Path("5.txt").write_text("ok")
    rows, problems = read("*.txt")
    assert [row["id"] for row in rows] == ["5.txt"]
    empty = ("empty: no text", "remove it, or check how it was made")
    assert problems == [
        Problem("1.txt", 0, *empty, "1.txt"),
        Problem("2.txt", 0, *empty, "2.txt"),
        Problem("3.txt", 0, *_plain.BINARY, "3.txt"),
        Problem("4.txt", 0, *empty, "4.txt"),
    ]


def test_too_large(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file over the limit is a problem; one at the limit is read."""
    monkeypatch.setattr(_plain, "MAX_PLAIN", 2_000_000)
    Path("a.txt").write_bytes(b"x" * 2_000_000)
    Path("b.txt").write_bytes(b"x" * 2_000_001)
    rows, problems = read("*.txt")
    assert [row["id"] for row in rows] == ["a.txt"]
    assert problems == [Problem("b.txt", 0, "larger than 2 MB", _plain.TOO_LARGE, "b.txt")]


def test_unreadable(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be opened is a problem, and the next one is read."""
    Path("a.txt").write_text("a")
    Path("b.txt").write_text("b")

    allowed = os.open

    def deny(path: str, *args: Any, **kwargs: Any) -> int:
        if path == "a.txt":
            raise PermissionError(13, "Permission denied")
        return allowed(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", deny)
    rows, problems = read("*.txt")
    assert [row["id"] for row in rows] == ["b.txt"]
    remedy = "check the file and its permissions"
    assert problems == [Problem("a.txt", 0, "cannot be read: Permission denied", remedy)]


def test_growing_file(tmp_path: Path) -> None:
    """A file that is larger than it was when it was listed is read whole, up to the limit."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 3_000_000)
    file = _plain_file(path)
    assert _plain.read_bounded(file, 4_000_000) == b"x" * 3_000_000
    assert _plain.read_bounded(file, 2_000_000) is None


def _plain_file(path: Path) -> Any:
    from dedupe.corpus._paths import File

    return File(str(path), "a.txt", "a.txt", "text", 5)
