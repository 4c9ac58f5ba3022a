"""Settings, their bounds and where they come from."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples

from dedupe.config import Config
from dedupe.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shingle": 0}, "shingle must be a number from 1 to 32, not 0"),
        ({"shingle": True}, "shingle must be a whole number, not True"),
        ({"shingle": "5"}, "shingle must be a whole number, not '5'"),
        ({"threshold": 1.5}, "threshold must be a number from 0 to 1, not 1.5"),
        ({"threshold": float("nan")}, "threshold must be a number from 0 to 1, not nan"),
        ({"near": -0.1}, "near must be a number from 0 to 1, not -0.1"),
        ({"passages": 1}, "passages must be true or false, not 1"),
        ({"threshold": True}, "threshold must be a number, not True"),
        ({"max_posting": 1}, "max_posting must be a number from 2 to 1e+06, not 1"),
        ({"hubs": 0}, "hubs must be a number from 1 to 1e+06, not 0"),
        ({"threads": -1}, "threads must be a number from 0 to 1024, not -1"),
        ({"memory_mb": -1}, "memory_mb must be a number from 0 to 1e+09, not -1"),
        (
            {"min_shared_words": 4},
            (
                "min_shared_words (4) is below shingle (5): shared text shorter than one "
                "shingle cannot be seen; lower shingle as well"
            ),
        ),
        (
            {"bands": 257, "rows": 4},
            "bands × rows = 1028 is above 1024; lower bands or rows",
        ),
        ({"format": "xml"}, "format must be one of parquet, jsonl, csv, not 'xml'"),
    ],
)
def test_values_without_meaning(changes: dict[str, Any], message: str) -> None:
    """A setting out of its bounds, or at odds with another, is named with its remedy."""
    with pytest.raises(ConfigError) as error:
        Config(**changes)
    assert str(error.value) == message


@examples
@given(
    st.integers(-1, 40),
    st.integers(-1, 50),
    st.integers(-1, 200),
    st.integers(-1, 200),
)
def test_what_is_accepted(shingle: int, words: int, bands: int, rows: int) -> None:
    """Exactly the settings within their bounds, and in harmony, are accepted."""
    values = {
        "shingle": shingle,
        "min_shared_words": words,
        "bands": bands,
        "rows": rows,
    }
    valid = (
        1 <= shingle <= 32
        and shingle <= words
        and bands >= 1
        and rows >= 1
        and bands * rows <= 1024
    )
    try:
        config = Config(**values)  # type: ignore[arg-type]
    except ConfigError:
        assert not valid
    else:
        assert valid
        assert config.min_shared_shingles == len(range(words)[shingle - 1 :])


def test_toml(tmp_path: Path) -> None:
    """Settings are read from the top level or a [dedupe] table, dashes or underscores alike."""
    expected = Config(shingle=4, min_shared_words=12, threshold=1.0, format="csv")
    lines = 'shingle = 4\nmin-shared-words = 12\nthreshold = 1\nformat = "csv"\n'
    for text in (lines, "[dedupe]\n" + lines, "[dedupe]\n" + lines + "[other]\nx = 1\n"):
        path = tmp_path / "dedupe.toml"
        path.write_text(text, encoding="utf-8")
        assert Config.from_toml(path) == expected
        assert Config.from_toml(str(path), shingle=3) == dataclasses.replace(expected, shingle=3)


def test_toml_keeps_the_types(tmp_path: Path) -> None:
    """A whole number given for a share is a float in the configuration."""
    path = tmp_path / "x.toml"
    path.write_text("near = 1\n", encoding="utf-8")
    near = Config.from_toml(path).near
    assert (near, type(near)) == (1.0, float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shingel = 4", "unknown setting 'shingel'; known are " + ", ".join(Config().to_dict())),
        ('shingle = "4"', "shingle must be a whole number, not '4'"),
        ("shingle = 4.0", "shingle must be a whole number, not 4.0"),
        ("shingle = true", "shingle must be a whole number, not True"),
        ("threshold = true", "threshold must be a number, not True"),
        ("format = 3", "format must be text, not 3"),
        ("min-shared-words = []", "min_shared_words must be a whole number, not []"),
        ("dedupe = 3", "`dedupe` must be a table of settings"),
        ("shingle = ", "not valid TOML: Invalid value (at end of document)"),
    ],
)
def test_toml_that_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    """Unknown names, wrong types and broken files are told with the file's name."""
    path = tmp_path / "x.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        Config.from_toml(path)
    assert str(error.value) == f"{path}: {message}"


def test_toml_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and one that is not UTF-8 are told with the file's name."""
    missing, binary = tmp_path / "missing.toml", tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError) as error:
        Config.from_toml(missing)
    assert str(error.value) == f"{missing}: cannot be read ({os.strerror(2)})"
    with pytest.raises(ConfigError, match=r"binary\.toml: not valid TOML: 'utf-8' codec"):
        Config.from_toml(binary)


def test_replace() -> None:
    """Some settings are changed, checked as always, and the original stays."""
    config = Config()
    assert config.replace(shingle=3, near=1) == Config(shingle=3, near=1.0)
    assert config == Config()
    with pytest.raises(ConfigError, match=r"^the arguments: unknown setting 'shingel'; known are"):
        config.replace(shingel=3)
    with pytest.raises(ConfigError, match=r"^shingle must be a whole number, not 'x'$"):
        config.replace(shingle="x")
    with pytest.raises(ConfigError, match=r"^bands × rows = 8000 is above"):
        config.replace(bands=2000)


def test_to_dict_round_trip() -> None:
    """A configuration made from another's dictionary equals it."""
    config = Config(shingle=3, source_field="outlet")
    assert Config(**config.to_dict()) == config


def test_frozen() -> None:
    """A configuration cannot be changed in place."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().shingle = 3  # type: ignore[misc]


def test_worker_threads() -> None:
    """Threads are as configured, or as many as there are processors to run on."""
    assert Config(threads=3).worker_threads == 3
    assert 1 <= Config().worker_threads <= (os.cpu_count() or 1)


def test_worker_threads_without_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system does not tell affinity the number of processors counts."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert Config().worker_threads == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert Config().worker_threads == 1


def test_every_setting_is_documented() -> None:
    """The class's docstring names every setting."""
    documented = Config.__doc__ or ""
    assert [f.name for f in dataclasses.fields(Config) if f.name not in documented] == []
