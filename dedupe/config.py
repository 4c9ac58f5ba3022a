"""Every setting, once: the same names on the command line, in TOML files and in Python."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedupe.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMATS", "PROBLEMS_FILE", "TABLES", "Config", "read_settings"]

FORMATS = ("parquet", "jsonl", "csv")
"""Formats of the tables a scan writes, and the endings of their files."""

TABLES = ("documents", "pairs", "passages", "families")
"""The tables a scan writes, each to a file of its name."""

PROBLEMS_FILE = "errors.jsonl"
"""What could not be read: every scan writes it, before its tables."""


MAX_BINS = 1024
"""The most `bands * rows`: more would stay empty in nearly all articles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of a run. Shares are in [0, 1]; lengths are in words (tokens).

    The defaults of the candidate stage come from the ablation in `docs/design.md`.

    Attributes:
        shingle: words per shingle (w).
        min_shared_words: a pair is reported when it shares as much text as a run of this many
            words has, that is `min_shared_words - shingle + 1` different shingles.
        threshold: a pair links its two articles into a family when this share of the words of
            one, net of quotations and boilerplate, is found in the other.
        near: resemblance from which a pair is "near" rather than "partial".
        bands: LSH bands of the near-duplicate tier.
        rows: rows of the one-permutation MinHash per band.
        scale: keep one shingle hash in `scale` in the sketch; 0 follows the corpus (see `sketch`).
        max_posting: longest posting compared all against all; longer ones compare every
            article with the posting's first `hubs` articles.
        hubs: see `max_posting`.
        max_partners: of an article that shares text with more others than this, only the pairs
            with those that it shares most with are looked at, unless it is one of those of the
            other article.
        max_matches: of an article that comes to an index, only the pairs with so many earlier ones
            are looked at, those that it shares most with.
        boilerplate_articles: text in at least this many otherwise unrelated articles of one
            source is boilerplate.
        max_group_pairs: largest number of pairs listed between two groups of near-duplicates;
            beyond it only pairs with the groups' representatives are listed.
        id_field, text_field, source_field, date_field, title_field, url_field: names of the
            columns or JSON keys; empty means the usual names are tried in turn.
        threads: worker threads; 0 means one per processor.
        chunk_mb: text read and processed at a time, in MB (10^6 bytes).
        memory_mb: token data kept in memory, in MB; what is beyond goes to files.
        passages: align every verified pair, for its passages and for shares that count edited
            text; without, only pairs that may link families are aligned, there are no passages,
            and shares are of the words in shared shingles.
        format: "parquet", "jsonl" or "csv".
    """

    shingle: int = 5
    min_shared_words: int = 19
    threshold: float = 0.3
    near: float = 0.7
    bands: int = 32
    rows: int = 4
    scale: int = 0
    max_posting: int = 200
    hubs: int = 32
    max_partners: int = 32
    max_matches: int = 8
    boilerplate_articles: int = 8
    max_group_pairs: int = 32
    id_field: str = ""
    text_field: str = ""
    source_field: str = ""
    date_field: str = ""
    title_field: str = ""
    url_field: str = ""
    threads: int = 0
    chunk_mb: float = 4.0
    memory_mb: int = 1000
    passages: bool = True
    format: str = "parquet"

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            _check_type(setting.name, value, type(setting.default))
            if isinstance(setting.default, float):  # 1 for a share is 1.0 everywhere after
                object.__setattr__(self, setting.name, float(value))
        for name, low, high in (
            ("shingle", 1, 32),
            ("min_shared_words", 1, 10**9),
            ("bands", 1, 4096),
            ("rows", 1, 4096),
            ("scale", 0, 2**20),
            ("max_posting", 2, 10**6),
            ("hubs", 1, 10**6),
            ("max_partners", 1, 10**9),
            ("max_matches", 1, 10**9),
            ("boilerplate_articles", 3, 10**9),
            ("max_group_pairs", 1, 10**9),
            ("threads", 0, 1024),
            ("chunk_mb", 0.0001, 4096),
            ("memory_mb", 0, 10**9),
        ):
            _check_range(name, getattr(self, name), low, high)
        for name in ("threshold", "near"):
            _check_range(name, getattr(self, name), 0, 1)
        if self.min_shared_words < self.shingle:
            raise ConfigError(
                f"min_shared_words ({self.min_shared_words}) is below shingle ({self.shingle}): "
                "shared text shorter than one shingle cannot be seen; lower shingle as well"
            )
        if self.bands * self.rows > MAX_BINS:
            raise ConfigError(
                f"bands × rows = {self.bands * self.rows} is above {MAX_BINS}; lower bands or rows"
            )
        if self.format not in FORMATS:
            raise ConfigError(f"format must be one of {', '.join(FORMATS)}, not {self.format!r}")

    @property
    def min_shared_shingles(self) -> int:
        """Shingles in a run of `min_shared_words` words."""
        return self.min_shared_words - self.shingle + 1

    @property
    def worker_threads(self) -> int:
        """Threads to use: as set, or one per processor this process may run on."""
        if self.threads:
            return self.threads
        try:
            return len(os.sched_getaffinity(0))
        except AttributeError:  # not on this system
            return os.cpu_count() or 1

    def to_dict(self) -> dict[str, Any]:
        """All settings by name, for `run.json`."""
        return asdict(self)

    def replace(self, **changes: Any) -> Config:
        """This configuration with some settings changed; unknown names raise `ConfigError`."""
        return replace(self, **_checked(changes, "the arguments"))

    @classmethod
    def from_toml(
        cls, path: Path | str, defaults: Mapping[str, Any] | None = None, **overrides: Any
    ) -> Config:
        """Read settings from a TOML file, at its top level or in a `[dedupe]` table.

        Settings in `overrides` win over the file's, and the file's over `defaults`.

        Raises:
            ConfigError: the file cannot be read, is not TOML, or names an unknown setting.
        """
        settings = {
            **(defaults or {}),
            **read_settings(path),
            **_checked(overrides, "the arguments"),
        }
        try:
            return cls(**settings)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None


def read_settings(path: Path | str) -> dict[str, Any]:
    """The settings that a TOML file names, by name; their values are not looked at.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or names an unknown setting.
    """
    import tomllib  # few name such a file, and it takes 1.4 ms of every command

    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    table = data.get("dedupe", data)
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: `dedupe` must be a table of settings")
    return _checked(table, str(path))


def _check_range(name: str, value: object, low: float, high: float) -> None:
    if not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}")


def _check_type(name: str, value: object, wanted: type) -> None:
    numeric = wanted is float and isinstance(value, int)
    if wanted is bool and isinstance(value, bool):
        return
    if isinstance(value, bool) or not (isinstance(value, wanted) or numeric):
        raise ConfigError(f"{name} must be {_TYPE_NAMES[wanted]}, not {value!r}")


_TYPE_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def _checked(settings: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The settings with dashes as underscores; an unknown name is an error."""
    known = [setting.name for setting in fields(Config)]
    checked = {}
    for key, value in settings.items():
        name = key.replace("-", "_")
        if name not in known:
            raise ConfigError(f"{where}: unknown setting {key!r}; known are {', '.join(known)}")
        checked[name] = value
    return checked
