"""Both sides of a passage together, gap by gap."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

from dedupe.facts._characters import FIGURE, NUMERAL, plain_word
from dedupe.facts._reading import CONTEXT, PARTS
from dedupe.facts._roles import NEGATOR, SAYS_NOTHING
from dedupe.facts._sides import Gap, Mention, Side

__all__ = ["MAX_GAP", "BothSides", "Change", "Passage", "by_gap", "lone", "without"]

MAX_GAP = 12
"""Words of a gap, in either text, beyond which it is open what took the place of what."""

_STOP = re.compile(r"(?:(?<=\w\w\w)[.!?…][\"”’')]*\s|[。！？\n\r])\s*")


class Change(NamedTuple):
    """What two texts state differently; None where one leaves it out, in a gap."""

    a: Mention | None
    b: Mention | None
    gap: int


def lone(mention: Mention, gap: int, side: int) -> Change:
    """What only one side states."""
    return Change(None, mention, gap) if side else Change(mention, None, gap)


@dataclass(frozen=True, slots=True)
class Passage:
    """Both sides of a passage and the gaps between their aligned words.

    Attributes:
        sides: of a and b.
        gaps: in order.
        known: words in and around a side's passage, once they were asked for.
    """

    sides: tuple[Side, Side]
    gaps: list[Gap]
    known: dict[int, frozenset[int]]

    def says_something(self, gap: Gap) -> bool:
        """Whether a gap may hold part of a fact."""
        for side, first, last in zip(self.sides, gap.first, gap.last, strict=True):
            if side.lexicon.elides or any(side.begins[first:last]):
                return True
            if any(roles & PARTS for roles in side.roles[first:last]):
                return True
        return False

    def negated_outside(self, gap: int, side: int) -> bool:
        """Whether a side negates beyond an end of the passage that is near a gap."""
        s, g = self.sides[side], self.gaps[gap]
        near = g.first[side] <= CONTEXT, g.last[side] + CONTEXT >= len(s.hashes)
        words = itertools.chain(*itertools.compress(s.outside, near))
        forms = itertools.chain(*(s.lexicon.forms.get(word, ()) for word in words))
        return any(form.role & NEGATOR for form in forms)

    def around(self, side: int) -> frozenset[int]:
        """Hashes of the words in and around a side's passage."""
        if side not in self.known:
            self.known[side] = frozenset(self.sides[side].around.tolist())
        return self.known[side]

    def rank(self, side: int, mention: Mention) -> int:
        """Aligned words before the gap a mention stands in."""
        return self.gaps[self.sides[side].gap_of(mention)].rank

    def other_words(self, gap: int, side: int, mentions: list[Mention]) -> list[str]:
        """Words of one side of a gap that say something, but for some mentions."""
        s, g = self.sides[side], self.gaps[gap]
        stated = {token for m in mentions for token in range(m.first, m.last)}
        tokens = range(g.first[side], g.last[side])
        return [s.word(i) for i in tokens if i not in stated and not s.roles[i] & SAYS_NOTHING]

    def unnumbered_words(self, gap: int, side: int, besides: Mention) -> list[str]:
        """The same but for one mention, and numbers and dates, which are compared apart."""
        s, g = self.sides[side], self.gaps[gap]
        tokens = {*range(g.first[side], g.last[side])} - {*range(besides.first, besides.last)}
        telling = (i for i in sorted(tokens) if not s.roles[i] & (SAYS_NOTHING | PARTS))
        return [plain_word(s.word(i)) for i in telling if s.begins[i] not in (FIGURE, NUMERAL)]

    def ends_sentence(self, gap: int) -> bool:
        """Whether one text ends sentences within a gap, or lines, that the other does not."""
        g = self.gaps[gap]
        stops = []
        for s, first, last in zip(self.sides, g.first, g.last, strict=True):
            end = s.starts[last] if last < len(s.starts) else s.ends[-1]
            stops.append(len(_STOP.findall(s.text, s.ends[max(0, first - 1)], end)))
        return stops[0] != stops[1]

    def framed_alike(self, x: Mention, y: Mention, gap: int) -> bool:
        """Whether the same words of a gap stand before and after two names, but for an article."""
        g, (a, b) = self.gaps[gap], self.sides
        before = a.hashes[g.first[0] : x.first], b.hashes[g.first[1] : y.first]
        after = a.hashes[x.last : g.last[0]], b.hashes[y.last : g.last[1]]
        return all(m == n or len(m) + len(n) == 1 for m, n in (before, after))

    def placed_alike(self, x: Mention, y: Mention, gap: int) -> bool:
        """Whether two facts begin or end a gap, or have the same word before or after."""
        a, b = self.sides
        g = self.gaps[gap]
        if x.first <= g.first[0] and y.first <= g.first[1]:
            return True
        if x.last >= g.last[0] and y.last >= g.last[1]:
            return True
        before = x.first > 0 < y.first and a.hashes[x.first - 1] == b.hashes[y.first - 1]
        return before or a.hashes[x.last : x.last + 1] == b.hashes[y.last : y.last + 1] != []


BothSides = tuple[list[Mention], list[Mention]]
"""Facts of a, and facts of b."""


def by_gap(passage: Passage, xs: list[Mention], ys: list[Mention]) -> dict[int, BothSides]:
    """Facts of both sides by the gap they stand in, in order; without those in none."""
    found: dict[int, BothSides] = defaultdict(lambda: ([], []))
    for side, mentions in enumerate((xs, ys)):
        for mention in mentions:
            gap = passage.sides[side].gap_of(mention)
            if gap >= 0:
                found[gap][side].append(mention)
    return dict(sorted(found.items()))


def without(mentions: list[Mention], counts: Counter[Any], key: Any) -> list[Mention]:
    """Mentions without as many of each key as counted, the first ones."""
    counts = Counter(counts)
    left = []
    for mention in mentions:
        if counts[key(mention)] > 0:
            counts[key(mention)] -= 1
        else:
            left.append(mention)
    return left
