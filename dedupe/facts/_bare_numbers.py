"""Numbers in figures, numerals and words, without hedge, currency and unit before and after."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from dedupe.facts._amounts import times
from dedupe.facts._characters import FIGURE, MINUS, NUMERAL, NUMERALS, ascii_digits, is_minus
from dedupe.facts._figures import (
    JOINED_FIGURES,
    LONGEST_COUNT,
    SINGLE_FIGURES,
    figures_value,
    numeral_value,
)
from dedupe.facts._kinds import NUMBER
from dedupe.facts._roles import (
    CARDINAL,
    NUMBER_JOIN,
    NUMBER_WORD,
    ORDINAL,
    SCALE,
    TENS,
    UNIT,
    VAGUE,
)
from dedupe.facts._sides import Mention, Side

__all__ = ["bare_number_at", "figures_at"]

_IN_ADDRESS = re.compile(r"[_=&#@\\+~]|//|w/")


def _number(side: Side, first: int, last: int, value: Any, **more: Any) -> Mention:
    """A number of some tokens."""
    start, end = side.starts[first], side.ends[last - 1]
    key = range(first, last)
    return Mention(NUMBER, first, last, start, end, (value,), key=key, **more)


def _numeral_at(side: Side, i: int) -> Mention | None:
    """A number in Chinese characters that starts at a token."""
    last, limit = i + 1, min(len(side.hashes), i + LONGEST_COUNT + 1)
    while last < limit and side.begins[last] == NUMERAL and side.joined(last - 1, ""):
        last += 1
    single = last == i + 1
    counted = side.find(last, UNIT)[0] and side.joined(last - 1, "")
    if last - i > LONGEST_COUNT or (single and not (counted and side.word(i) in NUMERALS)):
        return None
    numeral = side.text[side.starts[i] : side.ends[last - 1]]
    return _number(side, i, last, Decimal(numeral_value(numeral)), weak=single)


def figures_at(side: Side, i: int) -> Mention | None:
    """A number in figures that starts at a token, with what is written to it: "5km", "20th"."""
    text, start = side.text, side.starts[i]
    if _IN_ADDRESS.search(text, max(0, start - 2), start):
        return None
    found = JOINED_FIGURES.match(text, start, side.ends[-1])
    if found is None:
        return None
    last = side.token_after(i, found.end())
    parts = SINGLE_FIGURES.findall(found[0])
    values = [figures_value(part, side.lexicon.decimal) for part in parts]
    if len(parts) > 2 and "-" in found[0]:
        values = ["".join(map(ascii_digits, parts))]
    codes = [value for value in values if isinstance(value, str)]
    if codes:  # of a book, an account, a release
        return _number(side, i, last, tuple(codes), weak=True)
    number = _number(side, i, last, 0)._replace(value=tuple(values))
    if start and text[start - 1] in MINUS and is_minus(text, start - 1):
        number = number._replace(value=times(tuple(values), Decimal(-1)), start=start - 1)
    suffix = text[found.end() : number.end]
    return _with_suffix(side, number, suffix) if suffix else number


def _with_suffix(side: Side, number: Mention, suffix: str) -> Mention:
    """A number with what is written to its figures."""
    bare = suffix.casefold().lstrip("'’‘ʼ＇`´")
    suffixes = side.lexicon.suffixes
    form = suffixes.get(bare)
    if bare in ("st", "nd", "rd", "th"):
        return number._replace(unit="ordinal", weak=True)
    if bare in ("½", "¼", "¾"):
        return number._replace(value=(number.value[0] + Decimal(unicodedata.numeric(bare)),))
    if not bare.isascii():  # Korean writes what is counted to the number, and more to that
        beginnings = (bare[:length] for length in range(len(bare), 0, -1))
        form = next((suffixes[part] for part in beginnings if part in suffixes), None)
    if form and form.role & SCALE:
        return number._replace(value=times(number.value, form.value))
    if form:
        return number._replace(unit=form.value)
    # An ending after an apostrophe, as in Turkish, is no unit.
    return number._replace(unit=bare) if bare.isascii() and len(bare) == len(suffix) else number


def _adds(current: Decimal, value: Decimal) -> bool:
    """Whether a number word goes on a number: "twenty" "five" but not "two" "three"."""
    if current % 100 == 0:
        return value < 100
    if current % 100 in (60, 80):  # soixante-dix, quatre-vingt-dix
        return value < 20
    return current % 10 == 0 and current % 100 >= 20 and value < 10


def _words_at(side: Side, i: int) -> Mention | None:
    """A number in words that starts at a token."""
    total, current, k = Decimal(0), Decimal(0), i
    while k < len(side.hashes) and (k == i or side.joined(k - 1)):
        length, value = side.find(k, NUMBER_WORD)
        step = k
        if not length and k > i and side.roles[k] & NUMBER_JOIN and side.joined(k):
            step, (length, value) = k + 1, side.find(k + 1, CARDINAL | TENS)
        if not length:
            break
        scale = side.find(step, SCALE)[0]
        if scale and value >= 1000:
            total, current = total + (current or 1) * value, Decimal(0)
        elif scale and k > i:
            current = (current or 1) * value
        elif k == i or current == 0 or _adds(current, value):
            current += value
        else:
            break
        k = step + length
    return _number(side, i, k, total + current, weak=True) if k > i else None


def bare_number_at(side: Side, i: int) -> Mention | None:
    """A number that starts at a token, without hedge and unit; it may be a vague one."""
    if i >= len(side.hashes):
        return None
    if side.begins[i] == FIGURE:
        return figures_at(side, i)
    if side.begins[i] == NUMERAL:
        return _numeral_at(side, i)
    if side.roles[i] & (VAGUE | ORDINAL):
        for role, unit in ((VAGUE, ""), (ORDINAL, "ordinal")):
            length, value = side.find(i, role)
            if length:
                return _number(side, i, i + length, value, unit=unit, weak=True)
    return _words_at(side, i) if side.roles[i] & NUMBER_WORD else None
