"""Results to files, each written aside and renamed, so that none is ever half there."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from dedupe.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedupe.scanning import ScanResult

__all__ = ["TABLES", "write_scan"]

TABLES = ("documents", "pairs", "passages", "families")

_SUFFIXES = {"parquet": ".parquet", "jsonl": ".jsonl", "csv": ".csv"}


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
        written = [_write_table(result, name, target) for name in TABLES]
        for name in TABLES:
            for suffix in _SUFFIXES.values():
                if target / f"{name}{suffix}" not in written:
                    (target / f"{name}{suffix}").unlink(missing_ok=True)
        lines = [json.dumps(asdict(p), ensure_ascii=False) + "\n" for p in result.problems]
        with _aside(target / "errors.jsonl") as path:
            path.write_text("".join(lines), encoding="utf-8")
        with _aside(target / "run.json") as path:
            text = json.dumps(result.run, indent=2, ensure_ascii=False)
            path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"cannot write to {target} ({error.strerror or error}); "
            "name another directory with --output"
        ) from error
    return [*written, target / "errors.jsonl", target / "run.json"]


def _write_table(result: ScanResult, name: str, target: Path) -> Path:
    table: pl.DataFrame = getattr(result, name)
    file_format = result.run["config"]["format"]
    path = target / f"{name}{_SUFFIXES[file_format]}"
    with _aside(path) as temporary:
        if file_format == "parquet":
            table.write_parquet(temporary, compression="zstd", statistics=True)
        elif file_format == "jsonl":
            table.write_ndjson(temporary)
        else:
            lists = [c for c, kind in table.schema.items() if isinstance(kind, pl.List)]
            table.with_columns(pl.col(lists).list.join("; ")).write_csv(temporary)
    return path


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """A temporary name beside the file; renamed to it when all is written and on disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
