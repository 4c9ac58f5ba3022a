"""Numbers as a text writes them, with hedge, currency and unit."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dedupe.facts._amounts import MILLION, measure_of, times
from dedupe.facts._bare_numbers import bare_number_at, figures_at
from dedupe.facts._characters import BETWEEN, CURRENCIES, FIGURE, PERCENT, SPACE
from dedupe.facts._roles import (
    CURRENCY,
    DATE_JOIN,
    DURATION,
    HALF,
    HEDGE,
    HEDGE_AFTER,
    PREFIX,
    RANGE,
    SCALE,
    UNIT,
)

if TYPE_CHECKING:
    from dedupe.facts._sides import Mention, Side

__all__ = ["number_at", "symbol_before"]

_HALF_OF_ONE = Decimal("0.5")


def symbol_before(side: Side, start: int) -> tuple[int, str]:
    """Start and name of a currency that stands before a number, or the start and ""."""
    text = side.text
    at = start - 1 if start and text[start - 1] in SPACE else start
    if not at or text[at - 1] not in CURRENCIES:
        return start, ""
    at = letters = at - 1
    while letters and at - letters < 3 and text[letters - 1].isupper():
        letters -= 1
    country = text[letters:at]
    return letters, CURRENCIES[text[at]] if country in ("", "US") else f"{country}$"


def number_at(side: Side, i: int) -> Mention | None:
    """A number that starts at a token, with its hedge, currency and unit."""
    length, hedge = side.find(i, HEDGE) if side.roles[i] & HEDGE else (0, "")
    if length and not side.joined(i + length - 1):
        return None
    j = i + length
    before = side.roles[j] & (PREFIX | CURRENCY)
    length, unit = side.find(j, PREFIX | CURRENCY) if before else (0, "")
    if length and not side.joined(j + length - 1, ". "):
        return None
    number = bare_number_at(side, j + length)
    if number is None:
        return None
    number = _scaled(side, number)
    start, symbol = symbol_before(side, number.start)
    number = _with_unit(side, number, unit or symbol)
    if not hedge:
        length, hedge = side.find(number.last, HEDGE_AFTER)
        if length and side.joined(number.last - 1):
            number = _extended(side, number, length, number.value)
        else:
            hedge = ""
    elif side.roles[i] & DURATION and measure_of(number.unit) == "time":
        i, hedge = j, ""
    if i < number.first:
        start = min(start, side.starts[i])
    elif i and side.text[side.ends[i - 1] : start] == "-" and side.word(i - 1).isupper():
        start = side.starts[i - 1]  # "F-16"
    return number._replace(first=i, start=start, hedge=hedge)


def _scaled(side: Side, bare: Mention) -> Mention:
    """A number with the words that multiply it, and with half a one more."""
    if not side.roles[bare.last] & (SCALE | HALF | RANGE):
        return bare
    number = bare
    length, factor = side.find(number.last, SCALE)
    while length and side.joined(number.last - 1) and not number.weak:
        number = _extended(side, number, length, times(number.value, factor))
        length, factor = side.find(number.last, SCALE)
    if number is bare and not number.weak:
        number = number._replace(value=times(number.value, _shared_scale(side, number.last)))
    length, _ = side.find(number.last, HALF)
    if length and isinstance(number.value[0], Decimal):
        number = _extended(side, number, length, (number.value[0] + _HALF_OF_ONE,))
    return number


def _shared_scale(side: Side, i: int) -> Decimal:
    """The scale of a range's last number, shared by the one before token i: "5 to 10 million"."""
    if side.find(i, RANGE)[0] and side.joined(i) and side.begins[i + 1] == FIGURE:
        until = figures_at(side, i + 1)
        length, factor = side.find(until.last, SCALE) if until else (0, 1)
        return Decimal(factor) if length else Decimal(1)
    return Decimal(1)


def _extended(side: Side, number: Mention, length: int, value: tuple[Any, ...]) -> Mention:
    """A number with some tokens more."""
    last = number.last + length
    return number._replace(last=last, end=side.ends[last - 1], value=value)


def _with_unit(side: Side, number: Mention, before: str) -> Mention:
    """A number with the unit that follows it, or stands before it."""
    million = number.unit == "m"  # "$2m", "2m people", unless it is meters
    unit = before or ("" if million else number.unit)
    last, end, unit = _unit_after(side, number.last, number.end, unit)
    value = number.value
    if million:
        value, unit = (times(value, MILLION), unit) if unit else (value, "m")
    elif unit in ("am", "pm"):
        value = _clock(value)
        end += side.text[end - 2 : end + 1] in (".m.", ".M.")
    return number._replace(last=last, end=end, value=value, unit=unit)


def _clock(value: tuple[Any, ...]) -> tuple[Any, ...]:
    """Hours and minutes: "7.30" is "7:30", and "5:00" is "5"."""
    if len(value) == 1 and isinstance(value[0], Decimal):
        hours = int(value[0])
        value = (Decimal(hours), (value[0] - hours) * 100)
    return value[:1] if value[1:] == (0,) else value


def _unit_after(side: Side, last: int, end: int, unit: str) -> tuple[int, int, str]:
    """End of a number with the unit that follows it, in tokens and code points; the unit."""
    text = side.text
    at = end + 1 if text[end : end + 1] in tuple(SPACE) else end
    symbol = text[at : at + 1]
    if symbol and symbol in PERCENT:
        return last, at + 1, "percent"
    if symbol in CURRENCIES and not unit and not text[at + 1 : at + 2].isdecimal():
        return last, at + 1, CURRENCIES[symbol]
    joined = last < len(side.hashes) and side.roles[last] & DATE_JOIN and side.joined(last)
    following = last + 1 if joined else last  # "millones de euros"
    length, name = side.find(following, UNIT)
    if length and side.joined(last - 1, BETWEEN + ".") and not (unit and name == "cent"):
        return following + length, side.ends[following + length - 1], unit or name
    return last, end, unit
