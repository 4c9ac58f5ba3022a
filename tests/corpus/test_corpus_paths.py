"""Inputs to files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dedupe.corpus._paths import File, find_files, kind_of, shown
from dedupe.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        *("a/x.txt", "a/B.MD", "a/sub/y.html", "a/sub/deep/z.txt", "a/image.png", "a/README"),
        *("a/.hidden.txt", "a/.git/q.txt", "b/x.txt", "b/t.jsonl.gz", "b/t.txt.gz"),
    ):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("abc")


def ids(*inputs: str) -> list[str]:
    """Ids of the files found, where there is no problem."""
    problems: list[Problem] = []
    found = find_files(inputs, problems)
    assert problems == []
    return [file.id for file in found.files]


def test_directory() -> None:
    """A directory is walked in order of ids without hidden entries; other kinds are counted."""
    found = find_files(["a"], [])
    assert found.files == [
        File("a/B.MD", "a/B.MD", "B.MD", "markdown", 3),
        File("a/sub/deep/z.txt", "a/sub/deep/z.txt", "sub/deep/z.txt", "text", 3),
        File("a/sub/y.html", "a/sub/y.html", "sub/y.html", "html", 3),
        File("a/x.txt", "a/x.txt", "x.txt", "text", 3),
    ]
    assert (found.skipped, found.existing) == (2, 1)


def test_several_inputs() -> None:
    """With several inputs ids name them, so that files of the same name differ, in any order."""
    assert ids("a/sub", "b/") == ["a/sub/deep/z.txt", "a/sub/y.html", "b/t.jsonl.gz", "b/x.txt"]
    assert sorted(ids("b/", "a/sub")) == ids("a/sub", "b/")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a/*.txt", ["a/x.txt"]),
        ("a/**/*.txt", ["a/sub/deep/z.txt", "a/x.txt"]),
        ("**/*.txt", ["a/sub/deep/z.txt", "a/x.txt", "b/x.txt"]),
        ("./**/z.*", ["./a/sub/deep/z.txt"]),
        ("[ab]/x.txt", ["a/x.txt", "b/x.txt"]),
        ("a/**/**/z.txt", ["a/sub/deep/z.txt"]),
        ("*/sub/?.html", ["a/sub/y.html"]),
        ("a/su*", ["a/sub/deep/z.txt", "a/sub/y.html"]),
        ("a/sub/**", ["a/sub/deep/z.txt", "a/sub/y.html"]),
        ("a/.git/*", ["a/.git/q.txt"]),
        ("a/.h*", ["a/.hidden.txt"]),
    ],
)
def test_globs(pattern: str, expected: list[str]) -> None:
    """A glob stands for the files it matches, and those in the directories it matches."""
    assert ids(pattern) == expected


def test_absolute_glob(tmp_path: Path) -> None:
    """Ids of an absolute glob are absolute."""
    assert ids(f"{tmp_path}/b/*.txt") == [f"{tmp_path}/b/x.txt"]


def test_magic_characters_in_a_name() -> None:
    """A file that is there is taken by its name, though it has characters of a glob."""
    Path("[1].txt").write_text("abc")
    assert ids("[1].txt") == ["[1].txt"]


@pytest.mark.parametrize("inputs", [("a", "a/**/*.txt"), ("a/x.txt", "a"), ("a", "./a", "a")])
def test_each_file_once(inputs: tuple[str, ...]) -> None:
    """A file that is reached in several ways is read once, under the same id in any order."""
    forwards, backwards = ids(*inputs), ids(*reversed(inputs))
    assert len(forwards) == 4
    assert sorted(forwards) == sorted(backwards)


def test_links() -> None:
    """Links are followed, loops end, and a file goes by its real name where it has one."""
    Path("a/alias.txt").symlink_to(Path("x.txt").name)
    Path("a/0").symlink_to("sub")
    Path("a/sub/loop").symlink_to(Path.cwd() / "a")
    Path("a/sub/other").symlink_to(Path.cwd() / "b")
    Path("a/self").symlink_to("self")
    assert ids("a") == [
        *("B.MD", "sub/deep/z.txt", "sub/other/t.jsonl.gz", "sub/other/x.txt"),
        *("sub/y.html", "x.txt"),
    ]
    assert ids("a/**/z.txt") == ["a/sub/deep/z.txt"]


def test_dangling_link() -> None:
    """A link to nothing is a problem, named or met."""
    Path("b/gone.txt").symlink_to("nowhere")
    problem = Problem("b/gone.txt", 0, "a symbolic link to nothing", "mend or remove the link")
    for given, existing in (("b", 1), ("b/gone.txt", 0), ("b/g*", 1)):
        problems: list[Problem] = []
        assert find_files([given], problems).existing == existing
        assert problems == [problem]


def test_problems() -> None:
    """What is not there, matches nothing or is of another kind is a problem."""
    problems: list[Problem] = []
    inputs = ["no.txt", "no/*.txt", "a/image.png", "b/t.txt.gz", "z\0.txt"]
    found = find_files(inputs, problems)
    readable = "readable are .txt .md .html .jsonl[.gz|.zst] .csv .parquet"
    assert problems == [
        Problem("no.txt", 0, "no such file or directory", "check the path"),
        Problem("no/*.txt", 0, "no file matches", "check the pattern and its directory"),
        Problem("a/image.png", 0, "not a kind of file that can be read", readable),
        Problem("b/t.txt.gz", 0, "not a kind of file that can be read", readable),
        Problem("z\0.txt", 0, "cannot be read: embedded null byte", "check its permissions"),
    ]
    assert (found.files, found.existing) == ([], 2)


def test_unreadable_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that cannot be listed is a problem, and the others are read."""
    real = os.scandir

    def scandir(path: str) -> Iterator[os.DirEntry[str]]:
        if path == "a/sub":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    denied = Problem("a/sub", 0, "cannot be read: Permission denied", "check its permissions")
    for given, expected in (("a", ["B.MD", "x.txt"]), ("a/sub/*.txt", [])):
        problems: list[Problem] = []
        assert [file.id for file in find_files([given], problems).files] == expected
        assert denied in problems


def test_special_files() -> None:
    """A pipe in a directory is not opened."""
    os.mkfifo("b/pipe.txt")
    found = find_files(["b"], [])
    assert [file.id for file in found.files] == ["t.jsonl.gz", "x.txt"]
    assert found.skipped == 2


def test_kinds() -> None:
    """The ending of a name tells the kind, in any case."""
    assert kind_of("A.HTM") == "html"
    assert kind_of("x.NDJSON.ZST") == "jsonl"
    assert kind_of("x.json") is None
    assert kind_of(".txt") is None


def test_names_that_are_not_text() -> None:
    """A name that is not UTF-8 is shown as text that is."""
    assert shown(os.fsdecode(b"caf\xe9/\xc3\xa9.txt")) == "caf\\xe9/é.txt"
