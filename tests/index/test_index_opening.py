"""An index is opened where there is one, or can be made, and as what it is."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from indexing import article, in_children

import dedupe.index._header as header
import dedupe.index._schema as schema
from dedupe import Config, Index
from dedupe.errors import (
    ConfigError,
    IndexDamagedError,
    IndexLockedError,
    InputError,
    OutputError,
)
from dedupe.index._codec import seal_keys, unseal_sketch
from dedupe.index._runs import Run, _sealed

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE = article("one", [1, 2, 3])
COPY = article("copy", [1, 2, 3])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An index of one article."""
    with Index.open(tmp_path / "idx", shingle=4) as index:
        index.add(ONE)
    return tmp_path / "idx"


def meta(path: Path) -> dict[str, str]:
    """What the index was made with."""
    with closing(sqlite3.connect(path / "articles.sqlite")) as tables:
        return dict(tables.execute("SELECT name, value FROM meta"))


def set_meta(path: Path, name: str, value: str) -> None:
    """Let the index have been made with something else."""
    with closing(sqlite3.connect(path / "articles.sqlite")) as tables:
        tables.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))
        tables.commit()


def test_nothing_to_read(tmp_path: Path) -> None:
    """Only who may write makes an index; who reads is told that there is none."""
    for there in (tmp_path / "none", tmp_path):
        with pytest.raises(
            InputError, match="there is no index here; the first article that is added makes one"
        ):
            Index.open(there, mode="r")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "articles.sqlite").touch()
    with pytest.raises(InputError, match="there is no index here"):
        Index.open(tmp_path, mode="r")
    with Index.open(tmp_path) as index:
        assert len(index) == 0


def test_places_that_are_taken(tmp_path: Path) -> None:
    """A directory of other files, a file, and another program's tables are left alone."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match=r"directory with other files \(file\); name a new one"):
        Index.open(tmp_path)
    with pytest.raises(ConfigError, match="is a file; name a directory"):
        Index.open(tmp_path / "file")
    with pytest.raises(OutputError, match="cannot be made"):
        Index.open(tmp_path / "file" / "below")
    other = tmp_path / "other"
    other.mkdir()
    with closing(sqlite3.connect(other / "articles.sqlite")) as tables:
        tables.execute("CREATE TABLE theirs (x)")
    for mode in ("r", "rw"):
        with pytest.raises(ConfigError, match="is another program's"):
            Index.open(other, mode=mode)
    with pytest.raises(ConfigError, match="mode must be"):
        Index.open(tmp_path / "x", mode="w")  # type: ignore[arg-type]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "other"]


def test_odd_names(tmp_path: Path) -> None:
    """A directory may have any name that the system lets it have."""
    for name in ("a b", "50%", "a?b#c", "ü", "日本", "x'y\"z", "a&mode=memory"):
        with Index.open(tmp_path / name) as index:
            index.add(ONE)
        with Index.open(str(tmp_path / name), mode="r") as index:
            assert "one" in index
        assert (tmp_path / name / "articles.sqlite").exists()


def test_kept_settings(path: Path) -> None:
    """An index keeps its settings; others are refused, each by name and with both values."""
    with Index.open(path) as index:
        assert index.config.shingle == 4
    with Index.open(path, shingle=4, threshold=Config().threshold) as index:
        assert index.config.shingle == 4
    with pytest.raises(ConfigError) as told:
        Index.open(path, shingle=5, near=0.9)
    assert "shingle is 4 there and 5 here; near is" in str(told.value)
    with pytest.raises(ConfigError, match="shingle is 4 there and 5 here"):
        Index.open(path, Config())
    with Index.open(path, mode="r", threads=1) as index:
        assert index.config.threads == 1


def test_newer_versions(path: Path) -> None:
    """What a newer version made is refused, by name; so is what was hashed in another way."""
    set_meta(path, "made_by", "9.9")
    for name, ours in (("format", schema.FORMAT), ("hash_scheme", header.HASH_SCHEME)):
        set_meta(path, name, str(ours + 1))
        for mode in ("r", "rw"):
            with pytest.raises(ConfigError, match=f"{name} {ours + 1}, made by dedupe 9.9; this"):
                Index.open(path, mode=mode)
        assert meta(path)[name] == str(ours + 1)
        set_meta(path, name, str(ours))
    set_meta(path, "hash_scheme", "0")
    with pytest.raises(ConfigError, match=r"hash_scheme 0.*make a new index of its articles"):
        Index.open(path)


def test_migration(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older format is brought up to date once, by a writer, in one transaction or not at all."""
    steps: list[int] = []

    def step(number: int, *, fails: bool = False) -> None:
        def run(connection: sqlite3.Connection) -> None:
            steps.append(number)
            connection.execute(f"CREATE TABLE step{number} (x)")
            if fails:
                raise OSError("power cut")

        monkeypatch.setitem(schema.MIGRATIONS, number, run)

    first = schema.FORMAT
    monkeypatch.setattr(schema, "FORMAT", first + 2)
    with pytest.raises(ConfigError, match=r"format 2, .* has 4; open it once with mode='rw'"):
        Index.open(path, mode="r")
    step(first)
    step(first + 1, fails=True)
    with pytest.raises(OSError, match="power cut"):
        Index.open(path)
    assert meta(path)["format"] == str(first)
    step(first + 1)
    steps.clear()
    for _ in range(2):
        with Index.open(path) as index:
            assert index.check(COPY).of == ("one",)
    with Index.open(path, mode="r") as index:
        assert "one" in index
    assert steps == [first, first + 1]
    assert meta(path)["format"] == str(first + 2)


def test_format_1_without_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole sketches of the first format become short ones, and its runs are made anew."""
    path = tmp_path / "index"
    monkeypatch.setattr("dedupe.index._embedded.FLUSH_ENTRIES", 50)
    with Index.open(path, store_text=False) as index:
        index.add_many([ONE, *(article(str(k), range(10 * k, 10 * k + 9)) for k in range(4))])
        assert index.info()["runs"] == 1
        kept = index.check(COPY)
    connection = sqlite3.connect(path / "articles.sqlite")
    with connection:
        for number, body in connection.execute("SELECT number, body FROM bodies").fetchall():
            whole = seal_keys(unseal_sketch(body, "it"))
            connection.execute("UPDATE bodies SET body = ? WHERE number = ?", (whole, number))
        connection.execute("INSERT INTO bodies VALUES (77, ?)", (b"x" * 24,))
    connection.close()
    set_meta(path, "format", "1")
    (run,) = path.glob("run-*.post")
    whole = run.read_bytes()
    text = whole[16:4096].rstrip(b"\0").replace(b'"format": 2', b'"format": 1')
    run.write_bytes((whole[:8] + _sealed(text) + text).ljust(4096, b"\0") + whole[4096:])
    with pytest.raises(IndexDamagedError, match="it has format 1, not 2"):
        Run(run)
    with pytest.raises(ConfigError, match="open it once with mode='rw'"):
        Index.open(path, mode="r")
    with Index.open(path) as index:
        assert index.check(COPY) == kept
        assert not run.exists()
    assert meta(path)["format"] == "2"
    connection = sqlite3.connect(path / "articles.sqlite")
    bodies = dict(connection.execute("SELECT number, body FROM bodies"))
    connection.close()
    assert bodies[77] == b"x" * 24, "what is damaged is told when it is asked for"


def test_no_way_from_an_old_version(path: Path) -> None:
    """A format of which no step leads here is refused."""
    set_meta(path, "format", "0")
    with pytest.raises(ConfigError, match="the index has format 0"):
        Index.open(path)


def test_reading_writes_nothing(path: Path) -> None:
    """Who opens an index for reading cannot change it, and changes no file that is there."""
    before = {entry.name: entry.read_bytes() for entry in path.iterdir()}
    with Index.open(path, mode="r") as index:
        assert index.check(COPY).of == ("one",)
        assert index.get("one") == ONE
        for change in (
            lambda: index.add(COPY),
            lambda: index.check_and_add(COPY),
            lambda: index.update(ONE),
            lambda: index.remove("one"),
            index.compact,
        ):
            with pytest.raises(ConfigError, match="open for reading only; use mode='rw'"):
                change()
    # SQLite's own notes on who reads, which are empty of data, may stay beside the tables.
    after = {entry.name: entry.read_bytes() for entry in path.iterdir()}
    assert after.pop("articles.sqlite-wal", b"") == b""
    after.pop("articles.sqlite-shm", None)
    before.pop("articles.sqlite-shm", None)
    assert after == before


NOBODY = 65534


@pytest.fixture
def locked(path: Path) -> Iterator[Path]:
    """The index in a directory in which this process may write nothing."""
    with tempfile.TemporaryDirectory() as above:
        os.chmod(above, 0o755)  # noqa: S103, PTH101
        there = Path(shutil.copytree(path, f"{above}/idx"))
        for entry in there.iterdir():
            entry.chmod(0o444)
        there.chmod(0o555)
        yield there
        there.chmod(stat.S_IRWXU)


def as_nobody() -> None:
    """Lose the right to write everywhere."""
    if os.geteuid() == 0:
        os.seteuid(NOBODY)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no forks")
def test_directory_that_may_not_be_written(locked: Path) -> None:
    """An index can be read where nothing can be written, and sees when somebody else writes."""

    def work() -> None:
        as_nobody()
        with Index.open(locked, mode="r") as index:
            assert index.check(COPY).of == ("one",)
            assert len(index) == 1
        with pytest.raises(OutputError, match="may not be opened as asked"):
            Index.open(locked)

    in_children([work])
    assert sorted(entry.name for entry in locked.iterdir()) == [
        ".upkeep.lock",
        "articles.sqlite",
    ] or [entry.name for entry in locked.iterdir()] == ["articles.sqlite"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no forks")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs two users")
def test_other_user_writes(locked: Path) -> None:
    """A reader that may write nothing follows one who may."""
    to_child, from_parent = os.pipe()
    to_parent, from_child = os.pipe()

    def work() -> None:
        as_nobody()
        with Index.open(locked, mode="r") as index:
            assert len(index) == 1
            os.write(from_child, b"1")
            for expected in (2, 3, 3):
                assert os.read(to_child, 1) == b"1"
                assert len(index) == expected
                assert index.check(COPY).of[0] == "one"
                os.write(from_child, b"1")

    def write() -> None:
        def said() -> None:
            os.write(from_parent, b"1")
            assert os.read(to_parent, 1) == b"1"

        assert os.read(to_parent, 1) == b"1"
        with Index.open(locked) as index:
            index.add(COPY)
            said()
            index.add(article("third", [7, 8]))
            said()
        said()

    in_children([work, write])


def test_written_while_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where that cannot be told in time, an answer that may be wrong is not given."""
    from dedupe.index._sqlite import Database

    with Index.open(path, mode="r") as index:
        store = index._store
        database = store._database  # type: ignore[attr-defined]
        assert isinstance(database, Database)
        database.close()
        opened = Database._opened

        def refusing(self: Database, mode: str) -> sqlite3.Connection:
            if "immutable" not in mode:
                error = sqlite3.OperationalError("unable to open database file")
                error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
                raise error
            return opened(self, mode)

        with monkeypatch.context() as patch:
            patch.setattr(Database, "_opened", refusing)
            assert len(index) == 1
        with pytest.raises(IndexLockedError, match=r"written to while it was read.*ask again"):  # noqa: SIM117
            with store.reading():
                os.utime(path / "articles.sqlite", ns=(1, 1))
        assert len(index) == 1
        assert index.check(COPY).of == ("one",)


def test_read_only_file_system(path: Path, tmp_path: Path) -> None:
    """So it can on a file system of which nothing may be written."""
    there = tmp_path / "mounted"
    there.mkdir()
    mounted = False
    if os.name == "posix" and hasattr(os, "geteuid") and os.geteuid() == 0:
        mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(there)]
        mounted = subprocess.run(mount, check=False, capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("nothing can be mounted here")
    try:
        shutil.copytree(path, there / "idx")
        remount = ["mount", "-o", "remount,ro", str(there)]
        subprocess.run(remount, check=True)
        with Index.open(there / "idx", mode="r") as index:
            assert index.check(COPY).of == ("one",)
        with pytest.raises(OutputError):
            Index.open(there / "idx")
    finally:
        subprocess.run(["umount", str(there)], check=True)  # noqa: S607
