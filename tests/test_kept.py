"""Arrays are kept on disk, and made where what was kept is not theirs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dedupe import unicode
from dedupe._kept import code_of, kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ARRAYS: list[NDArray[Any]] = [
    np.arange(5, dtype=np.uint16),
    np.zeros((2, 3), np.uint8),
    np.empty(0, np.uint32),
]


class Maker:
    """Makes arrays, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> list[NDArray[Any]]:
        """New arrays."""
        self.times += 1
        return [array.copy() for array in ARRAYS]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of a module, where Python may write."""
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    monkeypatch.setattr("sys.pycache_prefix", None)
    path = tmp_path / "module.py"
    path.write_text("# code")
    return str(path)


def made(make: Maker, source: str, version: str) -> list[NDArray[Any]]:
    """What a process finds or makes that imports the module now."""
    return kept(make, source, code_of(source), version)


def files(source: str) -> list[Path]:
    """What is kept beside a module."""
    return sorted(Path(importlib.util.cache_from_source(source)).parent.glob("*"))


def assert_whole(found: list[NDArray[Any]]) -> None:
    """The arrays are as they were made, and can be written to, as compiled kernels expect."""
    assert len(found) == len(ARRAYS)
    for array, expected in zip(found, ARRAYS, strict=True):
        assert array.dtype == expected.dtype
        assert array.shape == expected.shape
        assert array.tolist() == expected.tolist()
        assert array.flags.writeable
        assert array.flags.c_contiguous
        assert array.flags.aligned


def test_made_once(source: str) -> None:
    """The first process makes them, those after it read one file, and nothing else is left there."""
    make = Maker()
    for _ in range(3):
        assert_whole(made(make, source, "1"))
    assert make.times == 1
    assert len(files(source)) == 1


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
        lambda data: data[:0],
    ],
)
def test_damage(source: str, harm: Callable[[bytes], bytes]) -> None:
    """A file that is not as it was written is not used, and written again."""
    make = Maker()
    made(make, source, "1")
    (path,) = files(source)
    path.write_bytes(harm(path.read_bytes()))
    for _ in range(2):
        assert_whole(made(make, source, "1"))
    assert make.times == 2


def test_other_code_or_version(source: str) -> None:
    """Arrays of other code, or of another version, are made again."""
    make = Maker()
    made(make, source, "1")
    made(make, source, "2")
    Path(source).write_text("# other code")
    made(make, source, "2")
    made(make, source, "2")
    assert make.times == 3


def test_code_that_changes_after_it_was_imported(source: str) -> None:
    """Arrays of the code that was imported are not taken for those of what was installed since."""
    make, old = Maker(), code_of(source)
    Path(source).write_text("# other code")
    kept(make, source, old, "1")
    made(make, source, "1")
    assert make.times == 2


def test_a_python_that_keeps_nothing(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python has no place for compiled code, arrays are made each time."""

    def fail(_: str) -> None:
        raise NotImplementedError("sys.implementation.cache_tag is None")

    monkeypatch.setattr(importlib.util, "cache_from_source", fail)
    make = Maker()
    for _ in range(2):
        assert_whole(made(make, source, "1"))
    assert make.times == 2


def test_where_nothing_can_be_kept(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made each time where there is no room, no file, or Python is not to write any."""
    make = Maker()
    directory = Path(importlib.util.cache_from_source(source)).parent
    directory.write_text("a file in the way")
    assert_whole(made(make, source, "1"))
    directory.unlink()
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    assert_whole(made(make, source, "1"))
    assert not directory.exists()
    assert_whole(made(make, source + ".missing", "1"))
    assert make.times == 3


def test_a_disk_that_is_full(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written whole does not stay."""

    def fail(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(Path, "replace", fail)
    assert_whole(made(Maker(), source, "1"))
    assert files(source) == []


def test_the_unicode_tables_are_as_made() -> None:
    """Those of this process, read or made, are what is made now."""
    tables: list[NDArray[Any]] = list(unicode.unicode_tables())
    expected: list[NDArray[Any]] = list(unicode._make_tables())
    for found, made in zip(tables, expected, strict=True):
        assert found.dtype == made.dtype
        assert np.array_equal(found, made)
