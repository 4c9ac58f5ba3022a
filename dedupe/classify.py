"""What became of each paragraph, and which words changed: an alignment as an editor reads it.

Paragraphs of two articles are linked, m to n, by the words they share in passages. What a
paragraph is called follows from its links: one that went to two others was split, one made
of two was merged, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from dedupe.align import A_END, A_START, B_END, B_START, MOVED, READABLE
from dedupe.tokens import FURNITURE, QUOTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedupe.tokens import Tokens

__all__ = [
    "Edit",
    "Link",
    "Paragraph",
    "ParagraphKind",
    "TextSpan",
    "classify_paragraphs",
    "edits_of",
    "outside",
]

ParagraphKind = Literal[
    "kept",
    "edited",
    "rewritten",
    "split",
    "merged",
    "moved",
    "added",
    "dropped",
    "quotation",
    "boilerplate",
]

MIN_LINK, SMALL = 5, 0.5
"""Shared words that link two paragraphs; or this share of the words of the smaller one."""

ISLAND = 2
"""Equal words between two changes that are shown as changed with them, if more changed around them."""


class TextSpan(NamedTuple):
    """A span of a raw text in code points, the end excluded."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of words inside a passage; spans in code points of the raw texts.

    Attributes:
        kind: "replaced", "deleted" (b_start equals b_end) or "inserted" (a_start equals a_end).
    """

    kind: Literal["replaced", "deleted", "inserted"]
    a_start: int
    a_end: int
    b_start: int
    b_end: int


@dataclass(frozen=True, slots=True)
class Link:
    """A paragraph of the other article that shares text.

    Attributes:
        number: of that paragraph, from 1.
        words: equal words, aligned one to one.
    """

    number: int
    words: int


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of one of two articles, and what became of it, or where it comes from.

    Attributes:
        side: "a" or "b".
        number: from 1, in the order of the text.
        start, end: code points of the raw text.
        kind: of b what it is: kept, edited, rewritten, split off one that was split, merged from
            several, moved (kept, elsewhere), added; or quotation or boilerplate. Of a what was
            done with it; then dropped is the counterpart of added.
        moved: whether it was put in another place, whatever its kind.
        words: its words.
        shared_words: those of them that the other article has.
        links: paragraphs of the other article with its text, most words first.
    """

    side: Literal["a", "b"]
    number: int
    start: int
    end: int
    kind: ParagraphKind
    moved: bool
    words: int
    shared_words: int
    links: tuple[Link, ...]


def classify_paragraphs(
    tokens_a: Tokens,
    tokens_b: Tokens,
    spans_a: Sequence[tuple[int, int]],
    spans_b: Sequence[tuple[int, int]],
    passages: NDArray[np.int64],
    partner: NDArray[np.int64],
) -> tuple[Paragraph, ...]:
    """All paragraphs of a, then all of b.

    Args:
        tokens_a, tokens_b: of one text each, quotations and furniture marked.
        spans_a, spans_b: the paragraphs, in code points, in order.
        passages: as in `dedupe.align.Alignment`.
        partner: int64 (n_b,), the token of a that each token of b is, or -1.
    """
    of_a = _paragraph_of(tokens_a, spans_a)
    of_b = _paragraph_of(tokens_b, spans_b)
    paired = np.flatnonzero(partner >= 0)
    side_a = _Side(tokens_a, of_a, len(spans_a))
    side_b = _Side(tokens_b, of_b, len(spans_b))
    side_a.count(partner[paired])
    side_b.count(paired)
    table = _linked(of_a[partner[paired]], of_b[paired], side_a.words, side_b.words)
    side_b.turned[: int(of_b.max(initial=-1)) + 1] = _out_of_order(of_b, paired, partner)
    side_a.turned[[x for x, y, _ in table if side_b.turned[y]]] = True
    side_a.moved = _moved(passages[:, [A_START, A_END, MOVED]], partner[paired], of_a, side_a)
    side_b.moved = _moved(passages[:, [B_START, B_END, MOVED]], paired, of_b, side_b)
    links_a: list[list[Link]] = [[] for _ in spans_a]
    links_b: list[list[Link]] = [[] for _ in spans_b]
    for x, y, words in table:
        links_a[x].append(Link(y + 1, words))
        links_b[y].append(Link(x + 1, words))
    found: list[Paragraph] = []
    for name, spans, side, links, others, other in (
        ("a", spans_a, side_a, links_a, links_b, side_b),
        ("b", spans_b, side_b, links_b, links_a, side_a),
    ):
        for k, (start, end) in enumerate(spans):
            found.append(
                Paragraph(
                    side="a" if name == "a" else "b",
                    number=k + 1,
                    start=start,
                    end=end,
                    kind=_kind(name, k, links, others, side, other),
                    moved=bool(side.moved[k]) and bool(links[k]),
                    words=int(side.words[k]),
                    shared_words=int(side.shared[k]),
                    links=tuple(sorted(links[k], key=lambda link: (-link.words, link.number))),
                )
            )
    return tuple(found)


class _Side:
    """Counts by paragraph of one article: words, shared ones, quoted shared ones, furniture."""

    def __init__(self, tokens: Tokens, of: NDArray[np.int64], n: int) -> None:
        self._of = of
        self._n = n
        self._quoted = tokens.flags & QUOTED != 0
        self.words = np.bincount(of, minlength=n)
        self.furniture = np.bincount(of[tokens.flags & FURNITURE != 0], minlength=n)
        self.shared = np.zeros(n, np.int64)
        self.quoted = np.zeros(n, np.int64)
        self.moved = np.zeros(n, np.bool_)
        self.turned = np.zeros(n, np.bool_)

    def count(self, paired: NDArray[np.int64]) -> None:
        """Count the tokens that are paired."""
        self.shared = np.bincount(self._of[paired], minlength=self._n)
        self.quoted = np.bincount(self._of[paired[self._quoted[paired]]], minlength=self._n)


def _paragraph_of(tokens: Tokens, spans: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """int64 (n_tokens,), the paragraph that each token is in."""
    starts = np.array([start for start, _ in spans], np.int64)
    return np.searchsorted(starts, tokens.starts.astype(np.int64), side="right") - 1


def _out_of_order(
    of_b: NDArray[np.int64], paired: NDArray[np.int64], partner: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Paragraphs of b in which some word stands before one that it follows in a."""
    turned = np.zeros(int(of_b.max(initial=-1)) + 1, np.bool_)
    back = np.diff(partner[paired]) < 0
    turned[of_b[paired[1:]][back & (np.diff(of_b[paired]) == 0)]] = True
    return turned


def _linked(
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    words_a: NDArray[np.int64],
    words_b: NDArray[np.int64],
) -> list[tuple[int, int, int]]:
    """Paragraphs of a and b that share enough words, and how many, in order."""
    width = len(words_b)
    keys, counts = np.unique(x * width + y, return_counts=True)
    found = []
    for key, words in zip(keys.tolist(), counts.tolist(), strict=True):
        k, m = divmod(key, width)
        if words >= MIN_LINK or words >= SMALL * min(words_a[k], words_b[m]):
            found.append((k, m, words))
    return found


def _moved(
    rows: NDArray[np.int64], paired: NDArray[np.int64], of: NDArray[np.int64], side: _Side
) -> NDArray[np.bool_]:
    """Paragraphs of whose shared words most are in passages that moved."""
    moved = np.zeros(len(of) + 1, np.int64)
    for start, end, has in rows.tolist():
        if has:
            moved[start] += 1
            moved[end] -= 1
    inside = np.cumsum(moved)[:-1] > 0
    counts = np.bincount(of[paired[inside[paired]]], minlength=len(side.words))
    return 2 * counts > side.shared


def _kind(
    name: str,
    k: int,
    links: list[list[Link]],
    others: list[list[Link]],
    side: _Side,
    other: _Side,
) -> ParagraphKind:
    """What a paragraph is called."""
    mine = links[k]
    if 2 * side.furniture[k] > side.words[k]:
        return "boilerplate"
    if not mine:
        return "dropped" if name == "a" else "added"
    if 2 * side.quoted[k] > side.words[k]:
        return "quotation"
    several = len(mine) > 1
    shares = any(len(others[link.number - 1]) > 1 for link in mine)
    if several:
        return "split" if name == "a" else "merged"
    if shares:
        return "merged" if name == "a" else "split"
    (link,) = mine
    longer = max(int(side.words[k]), int(other.words[link.number - 1]))
    if link.words == longer and not side.turned[k]:
        return "moved" if side.moved[k] else "kept"
    return "edited" if link.words >= READABLE * longer else "rewritten"


def edits_of(
    passage: NDArray[np.int64],
    partner: NDArray[np.int64],
    tokens_a: Tokens,
    tokens_b: Tokens,
    *,
    readable: bool,
) -> tuple[Edit, ...]:
    """The word changes inside a passage, in order.

    `readable` joins changes that only one or two equal words part, and fewer of these than
    were changed around them: a phrase replaced reads better than its confetti.
    """
    a, _, b, end_b = passage[[A_START, A_END, B_START, B_END]].tolist()
    gaps: list[list[int]] = []
    for j in range(b, end_b):
        i = int(partner[j])
        if i < 0:
            continue
        if i > a or j > b:
            gaps.append([a, i, b, j])
        a, b = i + 1, j + 1
    if readable:
        gaps = _joined(gaps)
    return tuple(_edit(gap, tokens_a, tokens_b) for gap in gaps)


def _joined(gaps: list[list[int]]) -> list[list[int]]:
    joined: list[list[int]] = []
    for gap in gaps:
        if joined:
            last = joined[-1]
            island = gap[0] - last[1]
            changed = max(last[1] - last[0], last[3] - last[2]) + max(
                gap[1] - gap[0], gap[3] - gap[2]
            )
            if island <= ISLAND and changed > 2 * island:
                last[1], last[3] = gap[1], gap[3]
                continue
        joined.append(list(gap))
    return joined


def _edit(gap: list[int], tokens_a: Tokens, tokens_b: Tokens) -> Edit:
    a, end_a, b, end_b = gap
    starts = _raw(tokens_a, a, end_a)
    places = _raw(tokens_b, b, end_b)
    if a == end_a:
        return Edit("inserted", *starts, *places)
    return Edit("deleted" if b == end_b else "replaced", *starts, *places)


def _raw(tokens: Tokens, first: int, last: int) -> TextSpan:
    """Raw span of some tokens; of none, the place after the token before."""
    if first == last:
        at = int(tokens.ends[first - 1]) if first else 0
        return TextSpan(at, at)
    return TextSpan(int(tokens.starts[first]), int(tokens.ends[last - 1]))


def outside(
    tokens: Tokens,
    covered: Sequence[tuple[int, int]],
    paragraphs: Sequence[tuple[int, int]],
) -> tuple[TextSpan, ...]:
    """Runs of words that are in no passage, cut at the paragraphs, in code points.

    Args:
        covered: first token and token after the last of each passage.
        paragraphs: spans in code points.
    """
    marks = np.zeros(len(tokens.starts) + 1, np.int64)
    for start, end in covered:
        marks[start] += 1
        marks[end] -= 1
    free = np.cumsum(marks)[:-1] == 0
    of = _paragraph_of(tokens, paragraphs)
    found = []
    k = 0
    while k < len(free):
        if free[k]:
            last = k
            while last + 1 < len(free) and free[last + 1] and of[last + 1] == of[k]:
                last += 1
            found.append(_raw(tokens, k, last + 1))
            k = last
        k += 1
    return tuple(found)
