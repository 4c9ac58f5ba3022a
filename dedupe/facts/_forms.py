"""The words and phrases that a language's table lists, and what each may be."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dedupe.facts._roles import (
    BEFORE_YEAR,
    CARDINAL,
    CURRENCY,
    DATE_JOIN,
    DURATION,
    FUNCTION,
    HALF,
    HEDGE,
    HEDGE_AFTER,
    MONTH,
    NEGATOR,
    NEUTRAL,
    NUMBER_JOIN,
    NUMBER_WORD,
    ORDINAL,
    PARTICLE,
    PREFIX,
    RANGE,
    SCALE,
    SOFT,
    TENS,
    TITLE,
    UNIT,
    VAGUE,
    VALUE,
    WEEKDAY,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "NAMED_FIELDS",
    "NUMBERED_FIELDS",
    "PLAIN_FIELDS",
    "alternatives",
    "is_currency",
    "listed_forms",
]

# How the fields of a language's table are written; the file says what they mean.
NUMBERED_FIELDS = {
    "cardinals": (CARDINAL, 0, 1),
    "tens": (TENS, 20, 10),
    "ordinals": (ORDINAL, 1, 1),
    "weekdays": (WEEKDAY, 1, 1),
    "months": (MONTH, 1, 1),
}
NAMED_FIELDS = {
    "scales": SCALE,
    "values": VALUE,
    "vague": VAGUE,
    "units": UNIT,
    "prefixes": PREFIX,
    "hedges": HEDGE,
    "hedges_after": HEDGE_AFTER,
}
PLAIN_FIELDS = {
    "halves": HALF,
    "ranges": RANGE,
    "number_joins": NUMBER_JOIN,
    "durations": DURATION,
    "date_joins": DATE_JOIN,
    "before_year": BEFORE_YEAR,
    "negations": NEGATOR,
    "soft": SOFT,
    "neutral": NEUTRAL,
    "titles": TITLE,
    "particles": PARTICLE,
    "function": FUNCTION,
}


def listed_forms(table: dict[str, str]) -> Iterator[tuple[str, int, Any]]:
    """Every form of a language's lists, with its role and value."""
    for field, (role, first, step) in NUMBERED_FIELDS.items():
        for k, item in enumerate(table.get(field, "").split()):
            value = Decimal(first + k * step) if role & (NUMBER_WORD | ORDINAL) else k + first
            yield from ((form, role, value) for form in alternatives(item))
    for field, role in NAMED_FIELDS.items():
        for item in table.get(field, "").split():
            name, _, forms = item.partition(":")
            named = Decimal(name) if role & NUMBER_WORD else name
            money = CURRENCY if role == UNIT and is_currency(name) else 0
            yield from ((form, role | money, named) for form in alternatives(forms))
    for field, role in PLAIN_FIELDS.items():
        for item in table.get(field, "").split():
            yield from ((form, role, "") for form in alternatives(item))
    if "joined" in table:
        yield from _joined_numbers(table)


def alternatives(item: str) -> list[str]:
    """The forms of one item of a list."""
    return [form.replace("_", " ") for form in item.split("/") if form != "-"]


def _joined_numbers(table: dict[str, str]) -> Iterator[tuple[str, int, Any]]:
    """Numbers written as one word: "dreiundzwanzig", "zweihundert"."""
    units = [alternatives(item) for item in table["cardinals"].split()[1:10]]
    ones = [(form, n) for n, forms in enumerate(units, 1) for form in forms or [table["one"]]]
    tens = [(item.split("/")[0], 20 + 10 * k) for k, item in enumerate(table["tens"].split())]
    for joint in table["joined"].split():
        for (one, n), (ten, value) in itertools.product(ones, tens):
            yield one + joint + ten, VALUE, Decimal(value + n)
    for item in table["scales"].split():
        name, _, forms = item.partition(":")
        if name in ("100", "1000"):
            yield from ((o + forms.split("/")[0], VALUE, n * Decimal(name)) for o, n in ones)


def is_currency(unit: str) -> bool:
    """Whether the name of a unit is that of a currency."""
    return len(unit) == 3 and unit.isupper()
