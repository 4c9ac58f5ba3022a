"""Dates as a text writes them, in words and in figures."""

from __future__ import annotations

import re
from typing import Any

from dedupe.facts._characters import FIGURE, PERCENT, SPACE
from dedupe.facts._kinds import DATE
from dedupe.facts._numbers import symbol_before
from dedupe.facts._roles import BEFORE_YEAR, DATE_JOIN, MONTH, SCALE, UNIT, WEEKDAY
from dedupe.facts._sides import Mention, Side

__all__ = ["date_at", "same_date"]

_ISO_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?!\d)")
_SHORT_DATE = re.compile(r"(\d{1,2})([./])(\d{1,2})\2(\d{4}|(?<=/)\d\d)(?!\d)")
_YEARS = re.compile(r"((?:19|20)\d\d)[-–/](\d{1,4})(?![-–/]?\d)")
_EAST_ASIAN_DATE = re.compile(
    r"(?:(\d{4})\s?[年년]\s?)?(?:(\d{1,2})\s?[月월]\s?)?(?:(\d{1,2})\s?[日号號일](?![间間]))?"
)
_DAY = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|º|ª)?")
_YEAR = re.compile(r"(?:1\d|20)\d\d")
_RECENT_YEAR = re.compile(r"(?:19|20)\d\d")
_IN_DATE = SPACE + ",.-–"


def _date(side: Side, first: int, last: int, end: int, value: tuple[Any, ...]) -> Mention:
    key = range(first, last)
    return Mention(DATE, first, last, side.starts[first], end, value, key=key)


def _figures_date_at(side: Side, i: int) -> Mention | None:
    """A date in figures: 2014-05-03, 3.5.2014, 2013–14, 2014年5月3日."""
    text, start, limit = side.text, side.starts[i], side.ends[-1]
    if start and text[start - 1] in "/-.":
        return None
    if found := _ISO_DATE.match(text, start, limit):
        year, month, day = (int(g) for g in found.groups())
    elif found := _SHORT_DATE.match(text, start, limit):
        day, month, year = int(found[1]), int(found[3]), int(found[4])
        if month > 12 or (found[2] == "/" and side.lexicon.decimal == "." and day <= 12):
            day, month = month, day
        year += 0 if year > 99 else 2000 if year < 70 else 1900
    elif found := _YEARS.match(text, start, limit):
        years = int(found[1]), int(found[1][: -len(found[2])] + found[2])
        return _date(side, i, side.token_after(i, found.end()), found.end(), (0, 0, 0, years))
    elif (found := _EAST_ASIAN_DATE.match(text, start, limit)) and found[0].strip():
        year, month, day = (int(g or 0) for g in found.groups())
    else:
        return None
    if month > 12 or day > 31:
        return None
    end = start + len(found[0].rstrip())
    return _date(side, i, side.token_after(i, end), end, (0, day, month, year))


def _day_at(side: Side, i: int) -> int:
    """The day of a month that a token may be, or 0."""
    if i >= len(side.hashes) or side.begins[i] != FIGURE:
        return 0
    found = _DAY.fullmatch(side.word(i))
    day = int(found[1]) if found else 0
    return 0 if day > 31 or _goes_on(side, i) else day


def _goes_on(side: Side, i: int) -> bool:
    """Whether a number goes on after the figures of a token."""
    at = side.ends[i]
    mark, following = side.text[at : at + 1] or " ", side.text[at + 1 : at + 2]
    return mark in PERCENT or (mark in ",.:" and following.isdecimal())


def date_at(side: Side, i: int) -> Mention | None:
    """A date that starts at a token: weekday, day, month and year in the usual orders."""
    if side.begins[i] == FIGURE:
        if found := _figures_date_at(side, i):
            return found
        if not _day_at(side, i):
            return _year_at(side, i)
    weekday = month = year = 0
    day: Any = 0
    k = end = i
    while k < len(side.hashes) and (k == i or side.joined(k - 1, _IN_DATE)):
        length = 1
        if not weekday and (found_weekday := side.find(k, WEEKDAY))[0]:
            length, weekday = found_weekday
        elif not month and (found_month := side.find(k, MONTH))[0]:
            length, month = found_month
        elif not day and (month or _month_follows(side, k)) and (day := _day_at(side, k)):
            if until := _day_at(side, k + 1) if side.joined(k, "-–") else 0:
                day, length = (day, until), 2
        elif month and not year and _YEAR.fullmatch(side.word(k)):
            year = int(side.word(k))
        elif k > i and side.roles[k] & DATE_JOIN:
            k += 1
            continue
        else:
            break
        k = end = k + length
    alone = month and not (weekday or day or year)
    if end == i or (alone and not _names_a_month(side, i)):
        return None
    return _date(side, i, end, side.ends[end - 1], (weekday, day, month, year))


def _month_follows(side: Side, i: int) -> bool:
    """Whether a month follows a day: "3 May", "3. Mai", "3 de mayo", "3rd of May", "3–5 May"."""
    for k in (i + 1, i + 2):
        if k >= len(side.hashes) or not side.joined(k - 1, _IN_DATE):
            return False
        if side.roles[k] & MONTH:
            return True
        if not side.roles[k] & DATE_JOIN and not (side.joined(k - 1, "-–") and _day_at(side, k)):
            return False
    return False


def _names_a_month(side: Side, i: int) -> bool:
    """Whether a word that may be a month alone is one: not in "it may" and "the march"."""
    return not side.lexicon.years or (i > 0 and bool(side.roles[i - 1] & BEFORE_YEAR))


def _year_at(side: Side, i: int) -> Mention | None:
    """A year that stands as one: "in 2014", "(2014)", "2014."; not "2014 people"."""
    word, text = side.word(i), side.text
    if not _YEAR.fullmatch(word) or _goes_on(side, i):
        return None
    before = i > 0 and side.joined(i - 1) and side.roles[i - 1] & (BEFORE_YEAR | MONTH)
    at = side.ends[i]
    mark, following = text[at : at + 1] or " ", text[at + 1 : at + 2] or " "
    plain = text[side.starts[i] - 1 : side.starts[i]] in ("(", "[") or mark in ",.);:"
    plain = plain or (mark.isspace() and (following.isspace() or following.isupper()))
    if not before and not (plain and _RECENT_YEAR.fullmatch(word)):
        return None
    if mark in "-–/" or symbol_before(side, side.starts[i])[1]:
        return None
    if side.find(i + 1, SCALE | UNIT)[0]:
        return None
    return _date(side, i, i + 1, side.ends[i], (0, 0, 0, int(word)))


def same_date(a: Mention, b: Mention) -> bool:
    """Whether nothing that both dates state differs: "Monday, May 3" and "May 3"."""
    return all(x == y or not x or not y for x, y in zip(a.value, b.value, strict=True))
