"""Negations that one side of a passage has and the other has not."""

from __future__ import annotations

import bisect
from collections import Counter
from typing import TYPE_CHECKING

from dedupe.facts._kinds import NEGATION
from dedupe.facts._passages import MAX_GAP, BothSides, Change, Passage, by_gap, lone, without
from dedupe.facts._sides import Gap, Mention

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedupe.facts._reading import Statements

__all__ = ["changed_negations"]

_NEARBY = 8
"""Aligned words within which a negation has moved and is not gone."""

_BESIDE = 2
"""Aligned words between gaps that are read together: "decided not to go" for "decided to stay"."""

_NOTHING = Mention(NEGATION, 0, 0, 0, 0)

_MAX_AUXILIARIES = 2
"""Small words that may come and go with a negation: "did not attack" for "attacked"."""


def changed_negations(passage: Passage, a: Statements, b: Statements) -> Iterator[Change]:
    """Negations that one text has and the other has not, in a place otherwise kept."""
    left: BothSides = [], []
    for gap, sides in by_gap(passage, a.negations, b.negations).items():
        both = Counter({gap: min(map(len, sides))})
        if len(sides[0]) + len(sides[1]) & 1:  # "not without" is "with"
            for k in (0, 1):
                left[k].extend(without(sides[k], both, passage.sides[k].gap_of))
    denials = by_gap(passage, a.denials, b.denials)
    ranks = [passage.gaps[gap].rank for gap in denials]
    for side, mentions in enumerate(_unmoved(passage, *left)):
        for m in mentions:
            rank = passage.rank(side, m)
            at = bisect.bisect_left(ranks, rank - _NEARBY)
            denied = at < len(ranks) and ranks[at] <= rank + _NEARBY
            gap = passage.sides[side].gap_of(m)
            if not denied and _only_negated(passage, m, gap, side):
                yield lone(m, gap, side)


def _unmoved(passage: Passage, xs: list[Mention], ys: list[Mention]) -> BothSides:
    """Negations left when those that only stand a few words further on are taken away."""
    left: BothSides = [], []
    xs, ys = xs[::-1], ys[::-1]
    while xs and ys:
        x_rank, y_rank = passage.rank(0, xs[-1]), passage.rank(1, ys[-1])
        if abs(x_rank - y_rank) <= _NEARBY:
            xs.pop()
            ys.pop()
        elif x_rank < y_rank:
            left[0].append(xs.pop())
        else:
            left[1].append(ys.pop())
    return left[0] + xs[::-1], left[1] + ys[::-1]


def _only_negated(passage: Passage, negation: Mention, gap: int, side: int) -> bool:
    """Whether nothing but a negation differs in a gap and beside it, the forms of words aside."""
    g = passage.gaps[gap]
    if passage.negated_outside(gap, 1 - side):
        return False
    extra = g.size(side) - g.size(1 - side) - (negation.last - negation.first)
    if g.longest() > MAX_GAP or extra > _MAX_AUXILIARIES or passage.ends_sentence(gap):
        return False
    here: list[str] = []
    there: list[str] = []
    for k in _gaps_beside(passage.gaps, gap):
        if passage.gaps[k].longest() > MAX_GAP:
            return False
        here += passage.unnumbered_words(k, side, negation)
        there += passage.unnumbered_words(k, 1 - side, _NOTHING)
    for word in there:
        alike = next((w for w in here if _same_verb(w, word)), None)
        if alike is None:
            return False
        here.remove(alike)
    return not here or (bool(there) and len(here) == 1)


def _same_verb(a: str, b: str) -> bool:
    """Whether two words may be forms of a verb: "attack" and "attacked", "win" and "won"."""
    return a[:3] == b[:3] or (a[:1] == b[:1] and max(len(a), len(b)) <= 5)


def _gaps_beside(gaps: list[Gap], gap: int) -> range:
    """A gap and its neighbours that only few aligned words stand between."""
    first = last = gap
    while first > max(0, gap - _BESIDE) and gaps[first].rank - gaps[first - 1].rank <= _BESIDE:
        first -= 1
    while (
        last < min(len(gaps) - 1, gap + _BESIDE)
        and gaps[last + 1].rank - gaps[last].rank <= _BESIDE
    ):
        last += 1
    return range(first, last + 1)
