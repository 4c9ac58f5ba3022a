"""CSV files: one article a row."""

from __future__ import annotations

import csv
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from dedupe.corpus._decode import LineDecoder
from dedupe.corpus._fields import FieldMissingError, clean, clean_id, host, resolve
from dedupe.corpus._jsonl import TOO_LONG
from dedupe.corpus._plain import EMPTY, os_problem
from dedupe.corpus._rows import FileLog, Row, is_blank
from dedupe.corpus._streams import MAX_LINE, split_blocks
from dedupe.records import encode_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedupe.corpus._fields import Fields
    from dedupe.corpus._paths import File
    from dedupe.corpus._rows import Run

__all__ = ["read_csv"]

_QUOTING = "quote fields that hold quotes or line ends, and double the quotes within"
# A quote that is never closed takes in all that follows; the lines it took are read again, one
# such row after the other, until this many characters were. It bounds the time on hostile files.
_READ_AGAIN = 1_000_000_000


def read_csv(file: File, run: Run, chunks: Iterator[bytes]) -> Iterator[Row]:
    """Articles of a CSV file with a header line; commas, semicolons or tabs between fields.

    A row with broken quotes or another number of fields than the header is a problem, and the
    next line is read. `places` and ids name the physical line a row starts on.
    """
    log = FileLog(run.problems, file.place)
    rows = _Rows(split_blocks(chunks), log)
    try:
        header = next(rows, None)
        if header is None:
            log.add(0, *EMPTY)
            return
        _, names = header
        try:
            fields = resolve(names, run.config)
        except FieldMissingError as error:
            log.add(0, str(error), error.remedy)
            return
        cells_to_row = _CellReader(names, fields, file, run)
        for number, cells in rows:
            if len(cells) != len(names):
                reason = "the row has another number of fields than the header"
                detail = f"{len(cells)} instead of {len(names)}"
                log.add(number, reason, _QUOTING, detail=detail)
                continue
            row = cells_to_row(cells, number)
            if is_blank(row.text):
                log.add(number, *EMPTY, article=row.id)
            else:
                yield row
    except OSError as error:
        run.problems.append(os_problem(file.place, error, rows.number))
    finally:
        log.close()


class _TooLongError(Exception):
    """A line is longer than is read."""


class _Lines:
    """Lines for `csv.reader` that can be read again. None is a line too long to be held."""

    def __init__(self, blocks: Iterator[list[bytes | None]]) -> None:
        self._blocks = blocks
        self._next: deque[str | None] = deque()
        self._decode = LineDecoder()
        self.taken: list[str | None] = []

    def __iter__(self) -> Iterator[str]:
        """The lines that are left. May be begun anew at any time, and must be after an error."""
        lines, taken = self._next, self.taken
        while True:
            while lines:
                line = lines.popleft()
                taken.append(line)
                if line is None:
                    raise _TooLongError
                yield line
            block = next(self._blocks, None)
            if block is None:
                return
            lines.extend(self._decoded(block))

    def put_back(self, lines: list[str | None]) -> None:
        """Give these lines out again, before all others."""
        self._next.extendleft(reversed(lines))

    def _decoded(self, block: list[bytes | None]) -> list[str | None]:
        if None not in block:
            try:  # nearly always, and three times as fast
                return [line.decode() + "\n" for line in block]  # type: ignore[union-attr]
            except UnicodeDecodeError:
                pass
        return [None if line is None else self._decode(line) + "\n" for line in block]


class _Rows:
    """Rows with the number of the line they start on; broken ones become problems."""

    def __init__(self, blocks: Iterator[list[bytes | None]], log: FileLog) -> None:
        # Texts are longer than the module's own limit of 131,072. The limit is the process's.
        csv.field_size_limit(max(MAX_LINE, csv.field_size_limit()))
        self._lines = _Lines(blocks)
        self._log = log
        self._delimiter = self._sniff()
        self._reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        self._left = _READ_AGAIN
        self.number = 1

    def __iter__(self) -> _Rows:
        return self

    def __next__(self) -> tuple[int, list[str]]:
        while True:
            self._lines.taken.clear()
            start = self.number
            try:
                cells = next(self._reader)
            except (csv.Error, _TooLongError) as error:
                self._recover(error)
                continue
            self.number += len(self._lines.taken)
            if cells:  # none: a blank line
                return start, cells

    def _recover(self, error: Exception) -> None:
        """Report the row's first line and go on with its second."""
        self._reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        taken = self._lines.taken.copy()
        if taken == [None]:
            self._log.add(self.number, *TOO_LONG)
            self.number += 1
            return
        detail = "a quote is never closed" if taken[-1] is None else str(error)
        others = taken[1:]
        size = sum(len(line) for line in others if line is not None)
        if size <= self._left:
            self._left -= size
            self._lines.put_back(others)
            others = []
        elif others:
            detail += f"; lines {self.number} to {self.number + len(others)} are left out"
        self._log.add(self.number, "broken quotes", _QUOTING, detail=detail)
        self.number += 1 + len(others)

    def _sniff(self) -> str:
        """The delimiter: of comma, semicolon and tab, what the header line has most of."""
        header = ""
        with suppress(_TooLongError):
            header = next((line for line in self._lines if not line.isspace()), "")
        self._lines.put_back(self._lines.taken.copy())
        self._lines.taken.clear()
        outside = "".join(header.split('"')[::2])
        return max(",;\t", key=outside.count)


class _CellReader:
    """Cells of one file to rows."""

    def __init__(self, names: list[str], fields: Fields, file: File, run: Run) -> None:
        # An empty cell after the last stands for fields that there are not.
        self._id, self._text, self._source, self._date, self._title, self._url, self._language = (
            -1 if name is None else names.index(name) for name in fields
        )
        self._file = file
        self._run = run

    def __call__(self, cells: list[str], number: int) -> Row:
        """The row of these cells; its text may be blank."""
        cells.append("")
        url = clean(cells[self._url])
        return Row(
            clean_id(cells[self._id]) or self._run.id_of(url) or f"{self._file.id}:{number}",
            encode_text(cells[self._text]),
            clean(cells[self._source]) or host(url),
            clean(cells[self._title]),
            self._run.date(cells[self._date].strip()),
            url,
            clean(cells[self._language]),
            (self._file.place, number),
        )
