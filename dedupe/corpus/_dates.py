"""Dates of many notations to ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from math import isnan

__all__ = ["parse_date"]

# Nothing longer is a date; it also bounds the work on hostile cells.
_LONGEST = 100

# Epoch seconds below this are years, counters or zero ("unknown") far more often than times:
# 10^8 s is March 1973.
_FIRST_SECOND = 10**8
# Seconds reach 10^11 in the year 5138, milliseconds were there in March 1973; so the ranges
# of the three units do not meet.
_FIRST_MILLISECOND = 10**11
_FIRST_MICROSECOND = 10**14
_FIRST_NANOSECOND = 10**17

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>[A-Za-z]{3,9})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
# "September 20, 2016" and "20 September 2016"; other languages' month names are left unread.
_WRITTEN = (
    re.compile(rf"{_MONTH}\s+{_DAY},?\s+{_YEAR}"),
    re.compile(rf"{_DAY}\s+{_MONTH},?\s+{_YEAR}"),
)
_SLASHED = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?=\D|$)")
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII)
_ZONE_NAME = re.compile(r"\s*(?:UTC|GMT)$")
# A space before the offset, and offsets written "+0000": `fromisoformat` takes neither space.
_SPACED_OFFSET = re.compile(r"\s+([+-]\d{2}:?\d{2})$")


def parse_date(value: object) -> str | None:
    """A date or time as ISO 8601, or None where it is not understood.

    Understood are ISO 8601, RFC 2822 ("Tue, 20 Sep 2016 12:00:00 +0200"), "2016/09/20",
    "20160920", "September 20, 2016", "20 Sep 2016", seconds, milli-, micro- or nanoseconds
    since 1970, and Python's own dates. Dates such as 09/10/2016, which mean two days, are not.

    >>> parse_date("2016-09-20T12:00:00+02:00")
    '2016-09-20T10:00:00Z'
    >>> parse_date("2016-09-20 12:00")
    '2016-09-20T12:00:00'
    >>> parse_date("2016-09-20")
    '2016-09-20'
    """
    if isinstance(value, str):
        return _from_text(value.strip())
    if isinstance(value, datetime):
        return _format(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    return None


def _from_text(text: str) -> str | None:
    if len(text) == 10 and text[4] == "-":  # by far the most frequent form
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            return None
    if len(text) > _LONGEST or not text:
        return None
    if _ISO.fullmatch(text):  # the next most frequent, and as all that follows would have it
        try:
            return _format(datetime.fromisoformat(text))
        except ValueError:
            return None
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return _from_digits(text)
    iso = _SLASHED.sub(_dashed, _ZONE_NAME.sub("+00:00", text), count=1)
    iso = _SPACED_OFFSET.sub(r"\1", iso)
    if len(iso) == 10:
        try:
            return date.fromisoformat(iso).isoformat()
        except ValueError:
            pass
    try:
        return _format(datetime.fromisoformat(iso))
    except ValueError:
        pass
    return _from_words(text)


def _dashed(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    return f"{year}-{month:0>2}-{day:0>2}"


def _from_digits(text: str) -> str | None:
    """Digits only: a compact date or time, or a count since 1970."""
    try:
        if len(text) == 8 and "." not in text:
            return datetime.strptime(text, "%Y%m%d").date().isoformat()  # noqa: DTZ007 -- a day has no zone
        if len(text) == 14 and "." not in text:
            return datetime.strptime(text, "%Y%m%d%H%M%S").isoformat()  # noqa: DTZ007 -- naive as written
    except ValueError:
        return None
    return _from_number(float(text) if "." in text else int(text))


def _from_number(number: float) -> str | None:
    if isinstance(number, float) and isnan(number):  # an empty cell of a float column
        return None
    if 19000101 <= number <= 21001231 and number == int(number):
        return _from_digits(str(int(number)))
    for first, unit in (
        (_FIRST_NANOSECOND, 10**9),
        (_FIRST_MICROSECOND, 10**6),
        (_FIRST_MILLISECOND, 10**3),
        (_FIRST_SECOND, 1),
    ):
        if number >= first:
            try:
                return _format(datetime.fromtimestamp(number / unit, UTC))
            except (ValueError, OverflowError, OSError):
                return None
    return None


def _from_words(text: str) -> str | None:
    """RFC 2822, and dates with an English month name."""
    for pattern in _WRITTEN:
        match = pattern.fullmatch(text)
        if match:
            try:
                month = _MONTHS.index(match["month"][:3].lower()) + 1
                return date(int(match["year"]), month, int(match["day"])).isoformat()
            except ValueError:
                return None
    from email.utils import parsedate_to_datetime  # takes longer to import than all else here

    try:
        return _format(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _format(when: datetime) -> str | None:
    if when.tzinfo is None:
        return when.isoformat(timespec="seconds")
    try:
        # To the second: with fractions, texts of dates would not sort as the dates do.
        return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    except OverflowError:  # the years 1 and 9999
        return None
