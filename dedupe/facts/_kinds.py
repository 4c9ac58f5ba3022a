"""What is reported of a change."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DATE", "NAME", "NEGATION", "NUMBER", "ChangedFact"]

NUMBER, DATE, NAME, NEGATION = "number", "date", "name", "negation"


@dataclass(frozen=True, slots=True)
class ChangedFact:
    """A fact that one text states otherwise than the other.

    Attributes:
        kind: "number", "date", "name" or "negation".
        a, b: the raw text of the fact in each text; "" in a text that leaves it out.
        a_start, a_end, b_start, b_end: its place in code points; an empty span at the place
            where it is missing.
    """

    kind: str
    a: str
    b: str
    a_start: int
    a_end: int
    b_start: int
    b_end: int
