"""What a text states around the places where it differs from the other."""

from __future__ import annotations

from dataclasses import dataclass

from dedupe.facts._characters import FIGURE, NUMERAL
from dedupe.facts._dates import date_at
from dedupe.facts._kinds import NEGATION
from dedupe.facts._names import name_at
from dedupe.facts._numbers import number_at
from dedupe.facts._roles import (
    DATE_START,
    HALF,
    HEDGE_AFTER,
    NEGATING,
    NEGATOR,
    NEUTRAL,
    NUMBER_START,
    SOFT,
    UNIT,
)
from dedupe.facts._sides import Mention, Side

__all__ = ["CONTEXT", "PARTS", "Statements", "statements_in", "with_context"]

CONTEXT = 4
"""Aligned tokens read on either side of a gap: a hedge, a number and its unit are that long."""

_STARTS = DATE_START | NUMBER_START | NEGATING
PARTS = _STARTS | UNIT | HEDGE_AFTER | HALF


@dataclass(frozen=True, slots=True)
class Statements:
    """What one side states around its gaps: facts, negations, and words that deny."""

    facts: list[Mention]
    negations: list[Mention]
    denials: list[Mention]


def with_context(spans: list[tuple[int, int]], n: int) -> list[tuple[int, int]]:
    """Spans of tokens with their context, those that touch as one."""
    found: list[tuple[int, int]] = []
    for first, last in spans:
        low, high = max(0, first - CONTEXT), min(n, last + CONTEXT)
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


def statements_in(side: Side, stretches: list[tuple[int, int]]) -> Statements:
    """Everything stated in some stretches of tokens."""
    found = Statements([], [], [])
    for first, last in stretches:
        i = first
        while i < last:
            if side.roles[i] & _STARTS or side.begins[i] or side.lexicon.elides:
                i = _statement_at(side, i, found)
            else:
                i += 1
    return found


def _statement_at(side: Side, i: int, found: Statements) -> int:
    """Add what a token begins to what was found; the token after it."""
    roles, begins = side.roles[i], side.begins[i]
    mention = None
    if roles & DATE_START or begins == FIGURE:
        mention = date_at(side, i)
    if mention is None and (roles & NUMBER_START or begins in (FIGURE, NUMERAL)):
        mention = number_at(side, i)
    if mention is None and roles & NEGATING:
        length = _read_negation(side, i, found)
        if length:
            return i + length
    mention = mention or name_at(side, i)
    if mention is None:
        return i + 1
    found.facts.append(mention)
    return mention.last


def _read_negation(side: Side, i: int, found: Statements) -> int:
    """Add what a token negates or denies; the length of the phrase that it begins, or 0."""
    for role, mentions in ((NEUTRAL, None), (NEGATOR, found.negations), (SOFT, found.denials)):
        length, _ = side.find(i, role)
        if length:
            end = side.ends[i + length - 1]
            if mentions is not None and not _is_fragment(side, i):
                mentions.append(Mention(NEGATION, i, i + length, side.starts[i], end))
            return length
    return 0


def _is_fragment(side: Side, i: int) -> bool:
    """Whether a word only looks like a negation: "No. 5", "cant" without its apostrophe."""
    following = side.text[side.ends[i] : side.ends[i] + 3]
    numbered = following[:1] == "." and following[1:].lstrip()[:1].isdecimal()
    return numbered or side.word(i).casefold() in ("cant", "wont")
