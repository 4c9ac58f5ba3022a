"""Objects with named values, of a line of JSON or of a program, to rows."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from dedupe.corpus._fields import Fields, clean, clean_id, host, list_names, resolve
from dedupe.corpus._plain import EMPTY
from dedupe.corpus._rows import Row, is_blank
from dedupe.records import encode_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dedupe.config import Config
    from dedupe.corpus._rows import FileLog, Run

__all__ = ["Keys", "NoTextError", "digest", "read_object"]

# Sets of keys whose fields are remembered; corpora have a few.
_REMEMBERED = 1000


class NoTextError(Exception):
    """The field of the text holds none; the message says why.

    Attributes:
        remedy: what can be done about it.
        detail: more of this one object.
        id: of the article.
    """

    def __init__(self, reason: str, remedy: str, detail: str, article: str) -> None:
        super().__init__(reason)
        self.remedy = remedy
        self.detail = detail
        self.id = article


class Keys:
    """The fields of each set of keys, and which of the fields asked for were ever there."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._fields: dict[tuple[str, ...], Fields] = {}
        self._unseen = {
            name: wanted
            for name in ("source", "date", "title", "url")
            if (wanted := getattr(config, f"{name}_field"))
        }

    def __call__(self, values: Mapping[str, Any]) -> Fields:
        """The fields among the keys of an object.

        Raises:
            FieldMissingError: there is no text, or no id of the name asked for.
        """
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


def read_object(
    values: Mapping[str, Any], fields: Fields, run: Run, unnamed: str, place: tuple[str, int]
) -> Row:
    """The row of an object.

    Args:
        values: by key.
        fields: which key is what.
        run: reads dates, and says whether a URL may serve as id.
        unnamed: its id where it has none.
        place: where it was read.

    Raises:
        NoTextError: the text is empty or no string.
    """
    source, date, title, url, language = (
        None if name is None else values[name] for name in fields[2:]
    )
    link = clean(url)
    key = clean_id(values[fields.id]) if fields.id is not None else None
    key = key or run.id_of(link) or unnamed
    text = values[fields.text]
    if not isinstance(text, str):
        reason = f"the field {fields.text!r} holds no text"
        raise NoTextError(reason, "it must be a JSON string", _json_type(text), key)
    data = encode_text(text)
    if is_blank(data):
        raise NoTextError(*EMPTY, "", key)
    return Row(
        key,
        data,
        clean(source) or host(link),
        clean(title),
        run.date(date),
        link,
        clean(language),
        place,
    )


def digest(row: Row) -> str:
    """An id of what a row says, for one that has no other: the same row has it again."""
    said = [row.source, row.title, row.published, row.language]
    content = row.text + json.dumps(said).encode()
    return f"sha256:{hashlib.sha256(content).hexdigest()[:32]}"


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
    return names.get(type(value), type(value).__name__)
