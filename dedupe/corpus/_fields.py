"""Which column or key holds what, and its cells as metadata."""

from __future__ import annotations

import re
from math import isnan
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from dedupe.records import encode_text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dedupe.config import Config

__all__ = ["FieldMissingError", "Fields", "clean", "clean_id", "host", "list_names", "resolve"]

# Names in use for each field, best first, as `_plain_name` writes them. A url is no id: one url
# often comes in several versions.
_USUAL = {
    "id": ("id", "docid", "documentid", "articleid", "uuid", "guid"),
    "text": (
        "text", "body", "content", "article", "articletext", "articlebody", "maintext",
        "fulltext", "bodytext",
    ),
    "source": ("source", "site", "domain", "outlet", "publisher", "sourcedomain", "sitename"),
    "date": (
        "published", "date", "publishdate", "datepublished", "datepublish", "publishedat",
        "publisheddate", "publicationdate", "pubdate", "datetime", "timestamp",
    ),
    "title": ("title", "headline"),
    "url": ("url", "link", "canonicalurl"),
    "language": ("language", "lang"),
}  # fmt: skip

# The host of a web address that has neither port nor user.
_PLAIN_HOST = re.compile(r"(?:https?:)?//([A-Za-z0-9.-]+)(?=[/?#]|\Z)")

# Column names shown in a message.
_SHOWN = 20


class FieldMissingError(Exception):
    """A field that is needed is not there; the message says which, `remedy` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class Fields(NamedTuple):
    """The column or key of each field, None where there is none."""

    id: str | None
    text: str
    source: str | None
    date: str | None
    title: str | None
    url: str | None
    language: str | None


def resolve(
    names: Sequence[str],
    config: Config,
    *,
    lenient: bool = False,
    textual: Collection[str] | None = None,
) -> Fields:
    """Find the fields among the names of columns or keys.

    Args:
        names: the columns or keys there are.
        config: its `*_field` settings; an empty one means that the usual names are tried in
            turn, whatever their case, dashes and underscores.
        lenient: a missing source, date, title or url is no error though it was asked for.
            The keys of a JSON line are often left out where there is no value.
        textual: the columns that can hold text, where that is known; the usual names for the
            text are first looked for among these.

    Raises:
        FieldMissingError: no text, or no field of a name that was asked for.
    """
    plain: dict[str, str] = {}
    for name in names:
        plain.setdefault(_plain_name(name), name)

    def find(field: str, *, optional: bool) -> str | None:
        wanted = getattr(config, f"{field}_field", "")
        if wanted:
            found = _named(wanted, names)
            if found is None and not optional:
                raise FieldMissingError(
                    f"there is no field {wanted!r}",
                    f"choose another --{field}-field; the fields are: {list_names(names)}",
                )
            return found
        usual = [plain[name] for name in _USUAL[field] if name in plain]
        if field == "text" and textual is not None:
            usual = [name for name in usual if name in textual] or usual
        return usual[0] if usual else None

    text = find("text", optional=False)
    if text is None:
        raise FieldMissingError(
            "no field of a usual name holds the text",
            f"name it with --text-field; the fields are: {list_names(names)}",
        )
    return Fields(
        id=find("id", optional=False),
        text=text,
        source=find("source", optional=lenient),
        date=find("date", optional=lenient),
        title=find("title", optional=lenient),
        url=find("url", optional=lenient),
        language=find("language", optional=True),
    )


def list_names(names: Sequence[str]) -> str:
    """The first names, for a message."""
    shown = ", ".join(name[:60] for name in names[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown or "none"


def clean(value: object) -> str | None:
    """A cell as metadata: stripped, numbers as text, None where it is empty or no plain value."""
    if isinstance(value, str):
        value = value.strip()
        if value.isascii():
            return value or None
        return encode_text(value).decode()
    if isinstance(value, float):
        if isnan(value):  # an empty cell of a float column
            return None
        return str(int(value)) if value.is_integer() else str(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def clean_id(value: object) -> str | None:
    """A cell as an id: text is kept to the letter, numbers become text; None where there is none."""
    if isinstance(value, str):
        if value.isascii():
            return value if value.strip() else None
        return encode_text(value).decode() if value.strip() else None
    return clean(value)


def host(url: str | None) -> str | None:
    """The host name of a url without "www.", or None."""
    if not url or "//" not in url:
        return None
    plain = _PLAIN_HOST.match(url)
    if plain:  # ten times as fast as `urlsplit`
        return plain[1].lower().removeprefix("www.") or None
    try:
        name = urlsplit(url).hostname
    except ValueError:  # such as a broken IPv6 address
        return None
    return name.removeprefix("www.") or None if name else None


def _plain_name(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _named(wanted: str, names: Sequence[str]) -> str | None:
    """The name itself, or the one that differs in case only."""
    if wanted in names:
        return wanted
    return next((name for name in names if name.casefold() == wanted.casefold()), None)
