"""What a form of the word lists may be.

A form can be several things: "second", "may", "mil".
"""

from __future__ import annotations

__all__ = [
    "BEFORE_YEAR",
    "CARDINAL",
    "CURRENCY",
    "DATE_JOIN",
    "DATE_START",
    "DURATION",
    "FUNCTION",
    "HALF",
    "HEDGE",
    "HEDGE_AFTER",
    "MONTH",
    "NEGATING",
    "NEGATOR",
    "NEUTRAL",
    "NEVER_NAME",
    "NUMBER_JOIN",
    "NUMBER_START",
    "NUMBER_WORD",
    "ORDINAL",
    "PARTICLE",
    "PREFIX",
    "RANGE",
    "SAYS_NOTHING",
    "SCALE",
    "SOFT",
    "TENS",
    "TITLE",
    "UNIT",
    "VAGUE",
    "VALUE",
    "WEEKDAY",
]

CARDINAL, TENS, SCALE, VALUE, ORDINAL, VAGUE = (1 << bit for bit in range(6))
UNIT, CURRENCY, PREFIX, HEDGE, HEDGE_AFTER, DURATION = (1 << bit for bit in range(6, 12))
WEEKDAY, MONTH, DATE_JOIN, BEFORE_YEAR, NUMBER_JOIN = (1 << bit for bit in range(12, 17))
NEGATOR, SOFT, NEUTRAL, TITLE, PARTICLE, FUNCTION = (1 << bit for bit in range(17, 23))
HALF, RANGE = 1 << 23, 1 << 24

NUMBER_WORD = CARDINAL | TENS | SCALE | VALUE
NUMBER_START = NUMBER_WORD | ORDINAL | VAGUE | HEDGE | PREFIX | CURRENCY
DATE_START = WEEKDAY | MONTH
NEGATING = NEGATOR | SOFT | NEUTRAL
SAYS_NOTHING = FUNCTION | PARTICLE | BEFORE_YEAR | DATE_JOIN | NUMBER_JOIN | TITLE | NEGATOR
NEVER_NAME = FUNCTION | DATE_START | HEDGE | NEGATOR | NUMBER_WORD | ORDINAL | VAGUE | UNIT
