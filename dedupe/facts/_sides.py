"""A text's side of a passage, and the facts it mentions."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from dedupe.facts._characters import BETWEEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from dedupe.facts._lexicon import Lexicon

__all__ = ["Gap", "Mention", "Side"]


class Gap(NamedTuple):
    """Tokens between two aligned ones, in a and in b; `rank` counts the aligned ones before."""

    first: tuple[int, int]
    last: tuple[int, int]
    rank: int

    def size(self, side: int) -> int:
        """Tokens of one side."""
        return self.last[side] - self.first[side]

    def longest(self) -> int:
        """Tokens of the side that has more."""
        return max(self.size(0), self.size(1))


class Mention(NamedTuple):
    """A fact as one text states it.

    Attributes:
        kind: of `ChangedFact`.
        first, last: its tokens, from the passage's first one.
        start, end: its place in code points.
        value: what is compared: numbers; weekday, day, month and year; words of a name.
        hedge: "approx", "above" …, or "".
        unit: "percent", "USD", "day" …, or "".
        key: the tokens that make two facts one: the figures, the words of a name.
        weak: a number too common to be missed where it is left out; a name that may be none.
        initials: of a name, with those of titles.
        opens: whether a name begins a sentence, so that its first capital says little.
    """

    kind: str
    first: int
    last: int
    start: int
    end: int
    value: tuple[Any, ...] = ()
    hedge: str = ""
    unit: str = ""
    key: Sequence[int] = ()
    weak: bool = False
    initials: str = ""
    opens: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """One text's part of a passage; tokens are counted from the passage's first.

    Attributes:
        text: the whole raw text.
        hashes, starts, ends: of its tokens.
        roles: what the lexicon says of each token, and 0 after the last.
        begins: what each token begins with: CAPITAL, FIGURE, NUMERAL or 0.
        partner: the token of the other side each is aligned with, or -1.
        gap: the gap that each token stands in, or -1.
        lexicon: of the passage's language.
        around: uint64, hashes of the passage and the words around it.
        outside: hashes of the few words before and after the passage.
    """

    text: str
    hashes: list[int]
    starts: list[int]
    ends: list[int]
    roles: list[int]
    begins: list[int]
    partner: list[int]
    gap: list[int]
    lexicon: Lexicon
    around: NDArray[np.uint64]
    outside: tuple[list[int], list[int]]

    def find(self, i: int, role: int) -> tuple[int, Any]:
        """Length in tokens and value of the longest form of some role at a token; (0, "")."""
        if i < len(self.roles) and self.roles[i] & role:
            for rest, kind, value in self.lexicon.forms[self.hashes[i]]:
                if kind & role:
                    n = len(rest)
                    if not n or tuple(self.hashes[i + 1 : i + 1 + n]) == rest:
                        return n + 1, value
        return 0, ""

    def word(self, i: int) -> str:
        """A token as it is written."""
        return self.text[self.starts[i] : self.ends[i]]

    def joined(self, i: int, between: str = BETWEEN) -> bool:
        """Whether only some characters stand between a token and the next; False at the end."""
        if i + 1 >= len(self.hashes):
            return False
        return not self.text[self.ends[i] : self.starts[i + 1]].strip(between)

    def token_after(self, i: int, position: int) -> int:
        """The first token after i that starts at a place in code points or after it."""
        return bisect.bisect_left(self.starts, position, i)

    def gap_of(self, mention: Mention) -> int:
        """The gap that a fact stands in, or -1 where all of its words are aligned."""
        return max(self.gap[mention.first : mention.last])
