"""The value of figures and of numbers in Chinese characters."""

from __future__ import annotations

import re
from decimal import Decimal

from dedupe.facts._characters import NUMERALS, TENFOLD, ascii_digits

__all__ = ["JOINED_FIGURES", "LONGEST_COUNT", "SINGLE_FIGURES", "figures_value", "numeral_value"]

# Repeats are bounded, so that nothing is read twice over in a long row of figures.
_FIGURES = r"\d+(?:[.,٫٬'’]\d+){0,7}(?:[ \u00a0\u202f\u2009]\d{3}(?![\d.,]\d|\d)){0,7}(?:[,٫]\d+)?"
SINGLE_FIGURES = re.compile(_FIGURES)
JOINED_FIGURES = re.compile(rf"{_FIGURES}(?:[-–:/]{_FIGURES}){{0,7}}")
_GROUPING = re.compile("[ \u00a0\u202f\u2009'’٬]")

LONGEST_COUNT, _LONGEST_NUMBER = 9, 27
"""Figures of a number without and with marks; a longer row is a code, compared as it stands."""


def figures_value(raw: str, decimal: str) -> Decimal | str:
    """The value of figures as written, or the figures themselves where they are a code.

    >>> figures_value("4,000.5", "."), figures_value("12,5", "."), figures_value("1.2.3", ".")
    (Decimal('4000.5'), Decimal('12.5'), '1.2.3')
    """
    raw = ascii_digits(raw)
    bare = _GROUPING.sub("", raw).replace("٫", ".")
    if bare.isdecimal():
        return Decimal(bare) if len(bare) <= LONGEST_COUNT or bare != raw else bare
    mark = "," if bare.rfind(",") > bare.rfind(".") else "."
    other = "." if mark == "," else ","
    groups = bare.replace(other, "").split(mark)
    if len(bare) > _LONGEST_NUMBER or (len(groups) > 2 and other in bare):
        return bare
    grouped = len(groups[-1]) == 3 and all(len(group) in (2, 3) for group in groups[1:-1])
    grouped = grouped and other not in bare and len(groups[0]) <= 3 and groups[0] != "0"
    if len(groups) == 2 and not (grouped and (mark != decimal or groups[1] == "000")):
        return Decimal(".".join(groups))
    return Decimal("".join(groups)) if grouped else bare


def numeral_value(numeral: str) -> int:
    """The value of a number in Chinese characters.

    >>> numeral_value("三万二千五百"), numeral_value("二〇一四")
    (32500, 2014)
    """
    if not any(c in TENFOLD for c in numeral):
        return int("".join(str(NUMERALS[c]) for c in numeral))
    total = section = digit = 0
    for c in numeral:
        if c in NUMERALS:
            digit = NUMERALS[c]
        elif (factor := TENFOLD[c]) < 10**4:
            section += max(digit, 1) * factor
            digit = 0
        else:
            total += max(section + digit, 1) * factor
            section = digit = 0
    return total + section + digit
