r"""Paragraphs and sentences of a text: the units in which reuse is shown.

A line is a paragraph, except where lines were broken to fit a width, as in plain-text e-mail:
there a break counts only if it comes early or an empty line follows. A text without any
break is shown by its sentences.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from dedupe._jit import kernel
from dedupe.tokens import PARAGRAPH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.tokens import Marks, Tokens

__all__ = ["sentences", "spans_of_paragraphs", "unwrap"]

NARROWEST, WIDEST = 40, 130
"""Code points of the longest line of a text whose lines were broken to fit a width."""

FULL = 0.6
"""Share of the breaks between lines of such a text that the next word would not have fitted before."""

LONG_LINE = 0.7
"""Share of the width that a line broken for it has at least, in a text with empty lines."""

LONG_PARAGRAPH, NEARLY_ALL = 200, 0.7
"""Words of a paragraph that is shown by its sentences if it has this share of the whole text."""

_LINE_BREAK = 0x0A


@kernel
def _line_width(
    positions: NDArray[np.uint32], codes: NDArray[np.uint32], last: int
) -> tuple[int, int]:
    """The longest line between line breaks, in code points, and how many breaks there are.

    `last` is where the last token ends.
    """
    widest, n, begin = 0, 0, 0
    for m in range(len(codes)):
        if codes[m] == _LINE_BREAK:
            at = np.int64(positions[m])
            widest = max(widest, at - begin)
            begin = at + 1
            n += 1
            if widest > WIDEST:
                return widest, n
    return max(widest, last - begin), n


@kernel
def _unwrap_one(
    positions: NDArray[np.uint32],
    codes: NDArray[np.uint32],
    starts: NDArray[np.uint32],
    ends: NDArray[np.uint32],
    flags: NDArray[np.uint8],
) -> None:
    n = len(starts)
    if n == 0:
        return
    width, breaks = _line_width(positions, codes, np.int64(ends[n - 1]))
    if breaks < 2 or width < NARROWEST or width > WIDEST:
        return
    empty = 0
    for settle in range(2):
        inner, full = 0, 0
        spaced = empty > 0
        token = 0
        begin = 0
        for m in range(len(codes)):
            if codes[m] != _LINE_BREAK:
                continue
            at = np.int64(positions[m])
            while token < n and starts[token] < at:
                token += 1
            blank = token == 0 or ends[token - 1] <= begin
            empty += blank
            following = m + 1
            while following < len(codes) and codes[following] != _LINE_BREAK:
                following += 1
            end = np.int64(positions[following]) if following < len(codes) else 1 << 40
            # Only a break between two lines that both hold words may be one for width.
            if not blank and token < n and starts[token] < end:
                word = np.int64(ends[token]) - np.int64(starts[token])
                inner += 1
                filled = at - begin + 1 + word > width
                full += filled
                # Where empty lines part the paragraphs, a long line needs no such proof: it may
                # have been broken at a hyphen.
                if settle and (filled or (spaced and at - begin > LONG_LINE * width)):
                    flags[token] &= ~PARAGRAPH
                    codes[m] = 0
            begin = at + 1
        if full < FULL * inner or full < 2:
            return


@kernel
def _unwrap(
    mark_offsets: NDArray[np.int64],
    positions: NDArray[np.uint32],
    codes: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    starts: NDArray[np.uint32],
    ends: NDArray[np.uint32],
    flags: NDArray[np.uint8],
) -> None:
    for article in range(len(offsets) - 1):
        first, last = offsets[article], offsets[article + 1]
        first_mark, last_mark = mark_offsets[article], mark_offsets[article + 1]
        _unwrap_one(
            positions[first_mark:last_mark],
            codes[first_mark:last_mark],
            starts[first:last],
            ends[first:last],
            flags[first:last],
        )


def unwrap(tokens: Tokens, marks: Marks) -> None:
    """Take back line breaks that are there for the width of the lines, in place.

    The `PARAGRAPH` flag of the tokens after them goes, and their marks (code 0 stands for
    nothing), so that quotations run on across them. Runs without the GIL.
    """
    _unwrap(
        marks.offsets,
        marks.positions,
        marks.codes,
        tokens.offsets,
        tokens.starts,
        tokens.ends,
        tokens.flags,
    )


def spans_of_paragraphs(text: str, tokens: Tokens) -> list[tuple[int, int]]:
    """First code point of each paragraph of a text, and the one after its last, without white space.

    Every token is in one; a text without any word has no paragraph. A text that is nearly all
    one long paragraph gives its sentences instead.
    """
    firsts = np.flatnonzero(tokens.flags & PARAGRAPH)
    if not len(tokens.starts):
        return []
    sizes = np.diff(np.r_[firsts, len(tokens.starts)])
    begins = [_line_begin(text, int(tokens.starts[k])) for k in firsts.tolist()]
    borders = [*begins, len(text)]
    spans = []
    for k, size in enumerate(sizes.tolist()):
        span = _stripped(text, borders[k], borders[k + 1])
        whole = len(sizes) == 1 or size >= max(LONG_PARAGRAPH, NEARLY_ALL * len(tokens.starts))
        spans += _sentence_spans(text, *span, tokens) if whole else [span]
    return spans


def _line_begin(text: str, at: int) -> int:
    """Where the line of a word begins: what stands before it, such as a quotation mark, is part of it."""
    for k in range(at, 0, -1):
        if text[k - 1] in "\n\r\v\f\x85\u2028\u2029":
            return k
    return 0


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _sentence_spans(text: str, start: int, end: int, tokens: Tokens) -> list[tuple[int, int]]:
    """Sentences of a span that hold a word; a piece without one goes with the sentence before."""
    found: list[tuple[int, int]] = []
    begin = start
    for first, last in sentences(text, start, end):
        k = bisect_left(tokens.starts, first)
        if k < len(tokens.starts) and tokens.starts[k] < last:
            found.append((begin if not found else first, last))
        elif found:
            found[-1] = (found[-1][0], last)
    return found


# An end mark of a sentence and what closes with it. In scripts with spaces a space follows.
_SENTENCE_END = re.compile(
    r"""(?:[.!?…]{1,8}["'”’»«“)\]]{0,4}(?=\s)|[。！？｡]{1,8}[」』”’）]{0,4}|[।॥۔؟።။]{1,8}["”’»)]{0,4})"""
)
# Words before a full stop that ends no sentence. Single letters are initials.
_ABBREVIATIONS = frozenset(
    [
        "a.m",
        "adm",
        "al",
        "apr",
        "aug",
        "av",
        "bzw",
        "ca",
        "cf",
        "co",
        "col",
        "corp",
        "dec",
        "dept",
        "dr",
        "e.g",
        "etc",
        "ex",
        "feb",
        "fig",
        "gen",
        "gob",
        "gov",
        "hon",
        "i.e",
        "inc",
        "jan",
        "jr",
        "jul",
        "jun",
        "lt",
        "ltd",
        "mar",
        "mgr",
        "mio",
        "mr",
        "mrd",
        "mrs",
        "ms",
        "mt",
        "no",
        "nov",
        "nr",
        "oct",
        "p.m",
        "prof",
        "rep",
        "rev",
        "rt",
        "sen",
        "sep",
        "sept",
        "sgt",
        "sr",
        "sra",
        "srta",
        "st",
        "str",
        "tel",
        "univ",
        "usw",
        "vgl",
        "vs",
        "z.b",
    ]
)


def sentences(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Spans of the sentences of a text, or of a part of it, without the white space between them.

    Simple rules for all languages: an end mark ends a sentence unless a small letter follows
    or an abbreviation or initial stands before it.

    >>> text = "Mr. Bali spoke. He left!"
    >>> [text[a:b] for a, b in sentences(text)]
    ['Mr. Bali spoke.', 'He left!']
    """
    end = len(text) if end is None else end
    found = []
    begin = start
    for match in _SENTENCE_END.finditer(text, start, end):
        if match.group().startswith(".") and _is_abbreviation(text, begin, match.start()):
            continue
        following = match.end()
        while following < end and text[following].isspace():
            following += 1
        if following < end and text[following].islower():
            continue
        if following > begin:
            found.append((begin, match.end()))
            begin = following
    last = _stripped(text, begin, end)
    return [*found, last] if last[0] < last[1] else found


def _is_abbreviation(text: str, begin: int, stop: int) -> bool:
    first = stop
    while first > begin and stop - first < 8 and not text[first - 1].isspace():
        first -= 1
    word = text[first:stop].lstrip("(\"'“‘«").casefold()
    # "J. Smith", and "am 3. Mai".
    initial = (len(word) == 1 and word.isalpha()) or (len(word) <= 2 and word.isdecimal())
    return initial or word in _ABBREVIATIONS or bool(_INITIALS.fullmatch(word))


_INITIALS = re.compile(r"(?:\w\.){1,4}\w")
