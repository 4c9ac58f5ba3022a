"""A disk that is full is named as such, and costs nothing that was acknowledged."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from indexing import article, in_children

import dedupe.index._embedded as embedded
from dedupe import Index
from dedupe.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dedupe import Article


@pytest.fixture(autouse=True)
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Postings are written, runs merged and the log brought in every few articles."""
    monkeypatch.setattr(embedded, "FLUSH_ENTRIES", 1500)
    monkeypatch.setattr(embedded, "BROUGHT_PAGES", 60)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    there = tmp_path / "disk"
    there.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(there)]
    try:
        mounted = subprocess.run(mount, check=False, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("nothing can be mounted here")
    yield there
    subprocess.run(["umount", str(there)], check=True)  # noqa: S607


def story(number: int) -> Article:
    """An article; of five that follow each other some share a paragraph."""
    return article(f"a{number}", [number // 5, 10_000 + number, 20_000 + number])


def fill(path: Path, most: int = 5000) -> tuple[list[int], OutputError]:
    """Add articles until that fails: those acknowledged, and the error."""
    done: list[int] = []
    with Index.open(path) as index:
        for number in range(most):
            try:
                index.check_and_add(story(number))
            except OutputError as error:
                for asked in done[-3:]:  # reading goes on
                    assert index.check(story(asked)).status == "unchanged"
                return done, error
            done.append(number)
    pytest.fail("it was never full")


def assert_there(path: Path, done: list[int]) -> None:
    """What was acknowledged is there, and more can be added."""
    with Index.open(path) as index:
        assert [one.id for one in index.articles()][: len(done)] == [f"a{k}" for k in done]
        for number in [*done[::20], *done[-5:]]:
            copy = article("copy", [number // 5, 10_000 + number, 20_000 + number])
            assert index.check(copy).of[:1] == (f"a{number}",)
        index.check_and_add(story(99_999))
        index.compact()
        assert story(99_999).id in index
    files = [entry for entry in path.iterdir() if "run-" in entry.name]
    assert len(files) == 1


def test_disk_is_full(disk: Path) -> None:
    """Until it is full all is kept; then the error says so; with space again it goes on."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(1_000_000))
    done, error = fill(disk / "idx")
    assert len(done) > 20
    assert "full" in str(error) or "space" in str(error)
    # What is there can be opened and read although nothing can be written.
    with Index.open(disk / "idx", mode="r") as index:
        assert len(index) >= len(done)
    ballast.unlink()
    assert_there(disk / "idx", done)


def test_files_may_not_grow(tmp_path: Path) -> None:
    """So it is where a limit of the system stops files from growing."""
    path = tmp_path / "idx"

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
        done, error = fill(path)
        assert "all that was acknowledged is safe" in str(error)
        assert "space" in str(error) or "full" in str(error)
        (tmp_path / "done").write_text(str(len(done)))

    in_children([work])
    done = list(range(int((tmp_path / "done").read_text())))
    assert len(done) > 20
    assert_there(path, done)


def test_runs_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where only upkeep fails, articles are kept all the same, and it is made up for later."""
    path = tmp_path / "idx"

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    with pytest.MonkeyPatch.context() as patch, Index.open(path) as index:
        patch.setattr("dedupe.index._runs._write_sections", full)
        for number in range(40):
            index.check_and_add(story(number))
        assert index.info()["runs"] == 0
        assert "No space left on device" in caplog.text
    with Index.open(path) as index:
        index.check_and_add(story(40))
        assert index.info()["runs"] == 1
        assert [m.of[0] for m in index.check_many(map(copy_of, range(41)))] == [
            f"a{k}" for k in range(41)
        ]


def copy_of(number: int) -> Article:
    """The same text under another name."""
    return article(f"copy{number}", [number // 5, 10_000 + number, 20_000 + number])
