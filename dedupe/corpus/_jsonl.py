"""JSON lines: one article a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dedupe.corpus._decode import LineDecoder
from dedupe.corpus._fields import FieldMissingError
from dedupe.corpus._objects import Keys, NoTextError, digest, read_object
from dedupe.corpus._paths import STDIN
from dedupe.corpus._plain import os_problem
from dedupe.corpus._rows import FileLog
from dedupe.corpus._streams import MAX_LINE, StreamDamagedError, split_lines
from dedupe.records import encode_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedupe.corpus._paths import File
    from dedupe.corpus._rows import Row, Run

__all__ = ["TOO_LONG", "LineReader", "read_jsonl"]

TOO_LONG = (f"a line of more than {MAX_LINE // 10**6} MB", "split it into articles")
DAMAGED = "compress the file again, or fetch it again; what came before was read"
_ONE_OBJECT = 'put one JSON object on each line, such as {"id": "1", "text": "…"}'

_parse_start = json.JSONDecoder().raw_decode


def read_jsonl(file: File, run: Run, chunks: Iterator[bytes]) -> Iterator[Row]:
    """Articles of JSON lines. A broken line is a problem, and the next one is read."""
    log = FileLog(run.problems, file.place)
    reader = LineReader(file, run, log)
    number = 0
    try:
        for line in split_lines(chunks):
            number += 1
            if line is None:
                log.add(number, *TOO_LONG)
            elif line and not line.isspace():
                values = reader.parse(line, number)
                row = reader.row(values, number) if values is not None else None
                if row is not None:
                    yield row
    except StreamDamagedError as error:
        reason = "the compressed file is damaged from here on"
        log.add(number + 1, reason, DAMAGED, detail=str(error))
    except OSError as error:
        run.problems.append(os_problem(file.place, error, number + 1 if number else 0))
    finally:
        reader.report()
        log.close()


class LineReader:
    """Lines of one file to objects, and these to rows; what is broken becomes a problem."""

    def __init__(self, file: File, run: Run, log: FileLog) -> None:
        self._keys = Keys(run.config)
        self._decode = LineDecoder()
        self._file = file
        self._run = run
        self._log = log
        self._digests = run.lasting_ids and file.path == STDIN

    def row(self, values: dict[str, Any], number: int) -> Row | None:
        """The row of an object; None where it holds no text."""
        place = (self._file.place, number)
        unnamed = "" if self._digests else f"{self._file.id}:{number}"
        try:
            row = read_object(values, self._keys(values), self._run, unnamed, place)
        except FieldMissingError as error:
            self._log.add(number, str(error), error.remedy)
        except NoTextError as error:
            self._log.add(number, str(error), error.remedy, detail=error.detail, article=error.id)
        else:
            return row if row.id else row._replace(id=digest(row))
        return None

    def utf8(self, line: bytes) -> bytes:
        """A line in UTF-8, whatever it was in."""
        return encode_text(self._decode(line))

    def report(self) -> None:
        """Add a problem for each field that was asked for and is on no line."""
        self._keys.report(self._log)

    def parse(self, line: bytes, number: int) -> dict[str, Any] | None:
        """The object on a line; None where it is broken."""
        detail = ""
        text = self._decode(line)
        try:
            # As `json.loads`, without its looking for space around.
            values, end = _parse_start(text)
            if end == len(text) and isinstance(values, dict):
                return values
        except (ValueError, RecursionError):
            pass
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            values, detail = None, f"{error.msg} at column {error.colno}"
        except (ValueError, RecursionError) as error:  # numbers of many digits, deep nesting
            values, detail = None, str(error).split(";")[0]
        if isinstance(values, dict):
            return values
        if detail:
            self._log.add(number, "not valid JSON", _ONE_OBJECT, detail=detail)
        else:
            self._log.add(number, "not a JSON object", _ONE_OBJECT)
        return None
