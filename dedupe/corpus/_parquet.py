"""Parquet files: one article a row."""

from __future__ import annotations

import os
from itertools import repeat
from typing import TYPE_CHECKING, Any

import polars as pl

from dedupe.corpus._fields import FieldMissingError, clean, clean_id, host, resolve
from dedupe.corpus._plain import EMPTY, os_problem
from dedupe.corpus._rows import FileLog, Row, is_blank

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dedupe.corpus._fields import Fields
    from dedupe.corpus._paths import File
    from dedupe.corpus._rows import Run

__all__ = ["read_parquet"]

# Text in compressed Parquet is about a third of its size.
_EXPANSION = 3
_FEWEST_ROWS, _MOST_ROWS = 64, 50_000
_NO_TEXT = "fill such rows, or leave them out"
_TEXTUAL = (pl.String, pl.Categorical, pl.Enum, pl.Binary)


def read_parquet(file: File, run: Run) -> Iterator[Row]:
    """Articles of a Parquet file, a block of rows at a time and only the columns needed."""
    log = FileLog(run.problems, file.place)
    number = 0
    told = 0
    try:
        frame = pl.scan_parquet(os.path.abspath(file.path), glob=False, hive_partitioning=False)  # noqa: PTH100 -- polars takes a string as well
        schema = frame.collect_schema()
        fields = _resolve(schema, run, log)
        if fields is None:
            return
        reader = _BlockReader(fields, file, run, log)
        n_rows: int = frame.select(pl.len()).collect().item()
        rows = int(n_rows / max(1, _EXPANSION * file.size) * run.config.chunk_mb * 1e6)
        rows = min(max(rows, _FEWEST_ROWS), _MOST_ROWS)
        columns = list(dict.fromkeys(name for name in fields if name is not None))
        selected = frame.select(_expression(name, schema[name]) for name in columns)
        for block in selected.collect_batches(chunk_size=rows, maintain_order=True):
            yield from reader.read(block, number)
            number += block.height
            done = file.size * number // max(1, n_rows)
            run.advance(done - told)
            told = done
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        # Polars' messages go on for lines; the first says what is wrong.
        detail = (str(error).splitlines() or [""])[0][:200]
        line = number + 1 if number else 0
        log.add(line, "not a readable Parquet file", "write the file again", detail=detail)
    except OSError as error:
        run.problems.append(os_problem(file.place, error, number))
    finally:
        run.advance(file.size - told)
        log.close()


def _resolve(schema: pl.Schema, run: Run, log: FileLog) -> Fields | None:
    names = list(schema)
    textual = {name for name, dtype in schema.items() if isinstance(dtype, _TEXTUAL)}
    try:
        fields = resolve(names, run.config, textual=textual)
    except FieldMissingError as error:
        log.add(0, str(error), error.remedy)
        return None
    if fields.text not in textual and schema[fields.text] != pl.Null:
        reason = f"the column {fields.text!r} holds {schema[fields.text]}, not text"
        log.add(0, reason, "name the column of the text with --text-field")
        return None
    return fields


def _expression(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column as values that Python can take: dates as ISO 8601, categories as text."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            return column.dt.strftime("%Y-%m-%dT%H:%M:%S")
        return column.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(dtype, pl.Date):
        return column.dt.strftime("%Y-%m-%d")
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    return column


class _BlockReader:
    """Blocks of one file to rows."""

    def __init__(self, fields: Fields, file: File, run: Run, log: FileLog) -> None:
        self._fields = fields
        self._file = file
        self._run = run
        self._log = log

    def read(self, block: pl.DataFrame, before: int) -> Iterator[Row]:
        """The rows of a block; `before` rows of the file came earlier."""
        text = block[self._fields.text]
        raw = text.dtype == pl.Binary
        texts: list[bytes | None] = (text if raw else text.cast(pl.Binary)).to_list()
        id_, _, *others = self._fields
        columns = [_cells(block, name) for name in (id_, *others)]
        for number, (data, key, source, date, title, url, language) in enumerate(
            zip(texts, *columns, strict=False), before + 1
        ):
            name = clean_id(key) or f"{self._file.id}:{number}"
            if data is None or (raw and not _is_utf8(data)):
                reason = f"the column {self._fields.text!r} holds no text"
                detail = "null" if data is None else "bytes that are not UTF-8"
                self._log.add(number, reason, _NO_TEXT, detail=detail, article=name)
                continue
            if is_blank(data):
                self._log.add(number, *EMPTY, article=name)
                continue
            link = clean(url)
            yield Row(
                name,
                data,
                clean(source) or host(link),
                clean(title),
                self._run.date(date),
                link,
                clean(language),
                (self._file.place, number),
            )


def _cells(block: pl.DataFrame, name: str | None) -> Iterable[Any]:
    return repeat(None, block.height) if name is None else block[name].to_list()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
