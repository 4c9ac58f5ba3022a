"""Results to files, each written aside and renamed, so that none is ever half there."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from dedupe._files import written_aside
from dedupe._threads import in_threads
from dedupe.config import FORMATS, PROBLEMS_FILE, TABLES
from dedupe.errors import ConfigError, OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dedupe.scanning import ScanResult

__all__ = ["check_output", "work_directory", "write_scan"]

_WRITERS = 2
"""Tables written at a time."""


def check_output(directory: Path | str, inputs: Sequence[str]) -> None:
    """Make sure, before any work, that results can be written and no input is written over.

    Raises:
        ConfigError: an input, or a file that is no scan's output, has a name to be written.
        OutputError: the directory cannot be made or written.
    """
    target = Path(directory)
    if target.exists() and not target.is_dir():
        raise ConfigError(f"{target} is a file; name a directory with --output")
    ours = [target / f"{name}.{ending}" for name in TABLES for ending in FORMATS]
    ours += [target / PROBLEMS_FILE, target / "run.json"]
    taken = {path.resolve() for path in ours}
    for given in inputs:
        if given != "-" and Path(given).resolve() in taken:
            raise ConfigError(
                f"{given} would be written over; name another directory with --output"
            )
    present = [path for path in ours if path.exists()]
    if present and not (target / PROBLEMS_FILE).exists():
        raise ConfigError(
            f"{present[0]} is there already and not from a scan; "
            "name another directory with --output"
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
        with written_aside(target / PROBLEMS_FILE, keep=False) as probe:
            probe.write_bytes(b"")
    except OSError as error:
        raise _cannot_write(target, error) from error


def _cannot_write(target: Path, error: Exception) -> OutputError:
    reason = getattr(error, "strerror", None) or (str(error).splitlines() or ["unknown"])[0]
    return OutputError(f"cannot write to {target} ({reason}); name another directory with --output")


def write_scan(result: ScanResult, directory: Path | str) -> list[Path]:
    """Write the four tables, `errors.jsonl` and `run.json` to a directory.

    The tables' format is the run's setting. Tables of an earlier run in another format are
    removed, so that the directory never mixes two runs; `run.json` is taken away first and
    written last: where it is, everything is.

    Returns:
        The files written.

    Raises:
        OutputError: the directory cannot be made or written.
    """
    target = Path(directory)
    try:
        target.mkdir(parents=True, exist_ok=True)
        (target / "run.json").unlink(missing_ok=True)
        # First, because readers tell a scan's output by it.
        lines = [json.dumps(asdict(p), ensure_ascii=False) + "\n" for p in result.problems]
        with written_aside(target / PROBLEMS_FILE) as path:
            path.write_text("".join(lines), encoding="utf-8")
        # One is compressed while another one gets to the disk.
        written = in_threads(lambda name: _write_table(result, name, target), TABLES, _WRITERS)
        for name in TABLES:
            for ending in FORMATS:
                if target / f"{name}.{ending}" not in written:
                    (target / f"{name}.{ending}").unlink(missing_ok=True)
        with written_aside(target / "run.json") as path:
            text = json.dumps(result.run, indent=2, ensure_ascii=False)
            path.write_text(text + "\n", encoding="utf-8")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _cannot_write(target, error) from error
    return [*written, target / PROBLEMS_FILE, target / "run.json"]


def work_directory(output: Path | str) -> Path:
    """Where a scan keeps finished chunks until its output is written."""
    return Path(output) / ".dedupe-work"


def _write_table(result: ScanResult, name: str, target: Path) -> Path:
    table: pl.DataFrame = getattr(result, name)
    file_format = result.run["config"]["format"]
    path = target / f"{name}.{file_format}"
    with written_aside(path) as temporary:
        if file_format == "parquet":
            table.write_parquet(temporary, compression="zstd", statistics=True)
        elif file_format == "jsonl":
            table.write_ndjson(temporary)
        else:
            lists = [c for c, kind in table.schema.items() if isinstance(kind, pl.List)]
            table.with_columns(pl.col(lists).list.join("; ")).write_csv(temporary)
    return path
