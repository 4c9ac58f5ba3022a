"""Parquet files: one article a row."""

from __future__ import annotations

import os
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from dedupe.corpus._fields import FieldMissingError, clean, clean_id, host, resolve
from dedupe.corpus._plain import EMPTY, os_problem
from dedupe.corpus._rows import FileLog
from dedupe.records import Batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from dedupe.corpus._fields import Fields
    from dedupe.corpus._paths import File
    from dedupe.corpus._rows import Block, Run

__all__ = ["read_parquet"]

# A slice is about so many chunks of text (32 to 64 MB), the more the larger the file is: of 37,554
# articles (225 MB in one row group), slices of 2,700 rows took .57 s of CPU, of 10,800 rows .37 s,
# and the whole file at once as much. Some versions of polars read a whole row group for each slice.
_FEWEST_CHUNKS, _MOST_CHUNKS, _SLICES = 8, 16, 8
# What the first slice takes a byte of the file for, in bytes of text; later ones go by the slice
# before. Compressed text is three times as long, and repeated texts are far longer than that.
_EXPANSION = 6
_FEWEST_ROWS, _MOST_ROWS = 64, 200_000
# Bytes of a file up to which it is read once: of a path, polars 2 reads the whole column of a row
# group again for each slice, and takes as much memory for it (.2 of .9 s of CPU for 72 MB).
_AT_ONCE = 128_000_000
_NO_TEXT = "fill such rows, or leave them out"
_TEXTUAL = (pl.String, pl.Categorical, pl.Enum, pl.Binary)
# What `str.isspace` takes for white space beyond Unicode's property of that name.
_NOT_BLANK = r"[^\s\x1c-\x1f]"


def read_parquet(file: File, run: Run) -> Iterator[Block]:
    """Articles of a Parquet file, a slice of rows at a time and only the columns needed.

    A slice is decoded by itself, whatever the size of the file's row groups: those that common
    writers make hold up to a million rows. Pages outside of it are passed over unread.
    """
    log = FileLog(run.problems, file.place)
    number = 0
    told = 0
    try:
        path = os.path.abspath(file.path)  # noqa: PTH100 -- polars takes a string as well
        source = Path(path).read_bytes() if file.size <= _AT_ONCE else path
        frame = pl.scan_parquet(source, glob=False, hive_partitioning=False)
        schema = frame.collect_schema()
        fields = _resolve(schema, run, log)
        if fields is None:
            return
        n_rows: int = frame.select(pl.len()).collect().item()
        chunk = run.config.chunk_mb * 1e6
        wanted = min(max(file.size / _SLICES, _FEWEST_CHUNKS * chunk), _MOST_CHUNKS * chunk)
        rows = _within(n_rows * wanted / max(1, _EXPANSION * file.size))
        columns = list(dict.fromkeys(name for name in fields if name is not None))
        selected = frame.select(_expression(name, schema[name]) for name in columns)
        while number < n_rows:
            block = _ParquetBlock(
                selected.slice(number, rows).collect(engine="in-memory"), number, fields, file, run
            )
            block.report(log)
            yield block
            number += rows
            rows = _within(min(4 * rows, rows * wanted / max(1, block.lengths.sum())))
            del block  # before the next one is decoded
            done = file.size * min(number, n_rows) // n_rows
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


def _within(rows: float) -> int:
    return int(min(max(rows, _FEWEST_ROWS), _MOST_ROWS))


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


class _ParquetBlock:
    """The articles of some rows in a row; rows without text are left out.

    Attributes:
        lengths: int64 (n,), bytes of each text.
    """

    def __init__(
        self, rows: pl.DataFrame, before: int, fields: Fields, file: File, run: Run
    ) -> None:
        """`before` rows of the file came earlier."""
        self._fields = fields
        self._file = file
        self._run = run
        self._before = before
        self._rows = rows
        self._texts = _as_text(rows[fields.text])
        good = self._texts.str.contains(_NOT_BLANK).fill_null(value=False)
        self._bad = (~good).arg_true().to_list()
        self._good: pl.Series | None = None
        if self._bad:
            self._good = good.arg_true()
            self._texts = self._texts.gather(self._good)
        self.lengths = self._texts.str.len_bytes().cast(pl.Int64).to_numpy()

    def report(self, log: FileLog) -> None:
        """Add a problem for each row without text."""
        name = self._fields.text
        ids = _cells(self._rows, self._fields.id)
        values = self._rows[name]
        for k in self._bad:
            number = self._before + k + 1
            article = clean_id(ids[k]) or f"{self._file.id}:{number}"
            reason = f"the column {name!r} holds no text"
            data = values[k]
            if data is None:
                log.add(number, reason, _NO_TEXT, detail="null", article=article)
            elif isinstance(data, bytes) and not _is_utf8(data):
                detail = "bytes that are not UTF-8"
                log.add(number, reason, _NO_TEXT, detail=detail, article=article)
            else:
                log.add(number, *EMPTY, article=article)

    def take(self, first: int, last: int) -> Batch:
        """The articles from `first` to before `last`; unread dates are counted."""
        n = last - first
        if self._good is None:
            rows = self._rows.slice(first, n)
            numbers: Iterable[int] = range(self._before + first + 1, self._before + last + 1)
        else:
            kept = self._good.slice(first, n)
            rows = self._rows[kept]
            numbers = (kept.cast(pl.Int64) + (self._before + 1)).to_list()
        fields = self._fields
        urls = _clean_cells(rows, fields.url)
        sources = _clean_cells(rows, fields.source)
        ids = _clean_ids(rows, fields.id)
        if self._run.lasting_ids:
            ids = [key or url for key, url in zip(ids, urls, strict=True)]
        offsets = np.zeros(n + 1, np.int64)
        np.cumsum(self.lengths[first:last], out=offsets[1:])
        return Batch(
            ids=[key or f"{self._file.id}:{k}" for key, k in zip(ids, numbers, strict=True)],
            text=_concatenate(self._texts.slice(first, n)),
            offsets=offsets,
            sources=[source or host(url) for source, url in zip(sources, urls, strict=True)],
            titles=_clean_cells(rows, fields.title),
            published=self._dates(rows),
            urls=urls,
            languages=_clean_cells(rows, fields.language),
            places=list(zip(repeat(self._file.place), numbers)),
        )

    def _dates(self, rows: pl.DataFrame) -> list[str | None]:
        name = self._fields.date
        cells = _cells(rows, name)
        if name is not None and rows.schema[name] == pl.String:
            return self._run.dates(cells)
        return [self._run.date(value) for value in cells]


def _as_text(column: pl.Series) -> pl.Series:
    """A column as text; bytes that are not UTF-8 become null."""
    try:
        return column.cast(pl.String)
    except pl.exceptions.ComputeError:
        if column.dtype != pl.Binary:
            raise
    values = (data if data is not None and _is_utf8(data) else None for data in column)
    return pl.Series(column.name, values, pl.Binary).cast(pl.String)


def _concatenate(texts: pl.Series) -> NDArray[np.uint8]:
    """The UTF-8 of texts, none of them empty, end to end: one copy, and no Python object each."""
    lists = texts.cast(pl.Binary).cast(pl.List(pl.UInt8))
    return lists.explode().to_numpy()


def _cells(rows: pl.DataFrame, name: str | None) -> list[Any]:
    return [None] * rows.height if name is None else rows[name].to_list()


def _clean_cells(rows: pl.DataFrame, name: str | None) -> list[str | None]:
    """`clean` of every cell of a column."""
    cells = _cells(rows, name)
    if name is None:
        return cells
    if rows.schema[name] == pl.String:  # always UTF-8: only spaces are left to look at
        return [value.strip() or None if value else None for value in cells]
    return [clean(value) for value in cells]


def _clean_ids(rows: pl.DataFrame, name: str | None) -> list[str | None]:
    """`clean_id` of every cell of a column."""
    cells = _cells(rows, name)
    if name is None:
        return cells
    if rows.schema[name] == pl.String:
        return [None if value is None or value.isspace() else value for value in cells]
    return [clean_id(value) for value in cells]


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
