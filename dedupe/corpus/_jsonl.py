"""JSON lines: one article a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dedupe.corpus._decode import LineDecoder
from dedupe.corpus._fields import (
    FieldMissingError,
    Fields,
    clean,
    clean_id,
    host,
    list_names,
    resolve,
)
from dedupe.corpus._plain import EMPTY, os_problem
from dedupe.corpus._rows import FileLog, Row, is_blank
from dedupe.corpus._streams import MAX_LINE, StreamDamagedError, split_lines
from dedupe.records import encode_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedupe.config import Config
    from dedupe.corpus._paths import File
    from dedupe.corpus._rows import Run

__all__ = ["read_jsonl"]

TOO_LONG = (f"a line of more than {MAX_LINE // 10**6} MB", "split it into articles")
DAMAGED = "compress the file again, or fetch it again; what came before was read"
_ONE_OBJECT = 'put one JSON object on each line, such as {"id": "1", "text": "…"}'

_parse_start = json.JSONDecoder().raw_decode

# Sets of keys whose fields are remembered; corpora have a few.
_REMEMBERED = 1000


def read_jsonl(file: File, run: Run, chunks: Iterator[bytes]) -> Iterator[Row]:
    """Articles of JSON lines. A broken line is a problem, and the next one is read."""
    log = FileLog(run.problems, file.place)
    reader = _Reader(file, run, log)
    number = 0
    try:
        for line in split_lines(chunks):
            number += 1
            if line is None:
                log.add(number, *TOO_LONG)
            elif line and not line.isspace():
                row = reader.read(line, number)
                if row is not None:
                    yield row
    except StreamDamagedError as error:
        reason = "the compressed file is damaged from here on"
        log.add(number + 1, reason, DAMAGED, detail=str(error))
    except OSError as error:
        run.problems.append(os_problem(file.place, error, number + 1 if number else 0))
    finally:
        reader.keys.report(log)
        log.close()


class _Keys:
    """The fields of each set of keys, and which of the fields asked for were ever there."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._fields: dict[tuple[str, ...], Fields] = {}
        self._unseen = {
            name: wanted
            for name in ("source", "date", "title", "url")
            if (wanted := getattr(config, f"{name}_field"))
        }

    def __call__(self, values: dict[str, Any]) -> Fields:
        names = tuple(values)
        fields = self._fields.get(names)
        if fields is None:
            fields = resolve(names, self._config, lenient=True)
            for name in tuple(self._unseen):
                if getattr(fields, name):
                    del self._unseen[name]
            if len(self._fields) >= _REMEMBERED:
                self._fields.clear()
            self._fields[names] = fields
        return fields

    def report(self, log: FileLog) -> None:
        """A problem for each field that was asked for and is on no line."""
        if not self._fields:
            return
        names = list_names(next(reversed(self._fields)))
        for name, wanted in self._unseen.items():
            remedy = f"choose another --{name}-field; the fields are: {names}"
            log.add(0, f"no line has a field {wanted!r}", remedy)


class _Reader:
    """Lines of one file to rows."""

    def __init__(self, file: File, run: Run, log: FileLog) -> None:
        self.keys = _Keys(run.config)
        self._decode = LineDecoder()
        self._file = file
        self._run = run
        self._log = log

    def read(self, line: bytes, number: int) -> Row | None:
        """The row of a line; None where it is broken, which becomes a problem."""
        values = self._parse(line, number)
        if values is None:
            return None
        try:
            fields = self.keys(values)
        except FieldMissingError as error:
            self._log.add(number, str(error), error.remedy)
            return None
        key = clean_id(values[fields.id]) if fields.id is not None else None
        key = key or f"{self._file.id}:{number}"
        text = values[fields.text]
        if not isinstance(text, str):
            reason = f"the field {fields.text!r} holds no text"
            detail = _json_type(text)
            self._log.add(number, reason, "it must be a JSON string", detail=detail, article=key)
            return None
        data = encode_text(text)
        if is_blank(data):
            self._log.add(number, *EMPTY, article=key)
            return None
        source, date, title, url, language = (
            None if name is None else values[name] for name in fields[2:]
        )
        link = clean(url)
        return Row(
            key,
            data,
            clean(source) or host(link),
            clean(title),
            self._run.date(date),
            link,
            clean(language),
            (self._file.place, number),
        )

    def _parse(self, line: bytes, number: int) -> dict[str, Any] | None:
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


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return names[type(value)]
