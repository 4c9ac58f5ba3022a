"""Quoted speech: which tokens of a text stand between quotation marks.

Independent articles about one event share what people said, word for word; no threshold on
shared text tells that from copying. So quotations are marked here and reported apart.

Understood are “…”, „…“, „…”, ”…”, «…», »…«, 「…」, 『…』, ‘…’, ‚…‘ and "…". A quotation ends
with its paragraph unless the next one opens with a quotation mark again, as newspapers set
speech of several paragraphs; where it does not, the opening mark was a stray one. Straight
marks, which do not say whether they open or close, pair up within a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedupe._jit import kernel
from dedupe.tokens import AFTER_LETTER, BEFORE_LETTER, BEFORE_SPACE, QUOTED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.tokens import Marks, Tokens

__all__ = ["mark_quotations"]

MAX_QUOTATION = 4000
"""Code points after which an open mark counts as stray: three times a long spoken paragraph."""

_NONE, _DOUBLE, _LOW, _RIGHT, _GUILLEMET, _REVERSED, _CORNER, _SINGLE, _LOW_SINGLE, _STRAIGHT = (
    range(10)
)


_CODE_POINT = (1 << 21) - 1
_LINE_BREAK = 0x0A


@kernel
def _opens(code: int) -> int:
    """The kind of quotation a mark opens, or _NONE."""
    cp = code & _CODE_POINT
    after_letter = code & AFTER_LETTER != 0
    before_space = code & BEFORE_SPACE != 0
    if cp == 0x201C:
        return _DOUBLE
    if cp == 0x201E:
        return _LOW
    if cp == 0x201D and not after_letter and not before_space:
        return _RIGHT
    if cp == 0xAB and not after_letter:
        return _GUILLEMET
    if cp == 0xBB and not after_letter and not before_space:
        return _REVERSED
    if cp in (0x300C, 0x300E):
        return _CORNER
    if cp == 0x2018 and not after_letter:
        return _SINGLE
    if cp == 0x201A and not after_letter:
        return _LOW_SINGLE
    if cp in (0x22, 0xFF02):
        return _STRAIGHT
    return _NONE


@kernel
def _closes(kind: int, code: int) -> bool:
    """Whether a mark closes an open quotation of this kind."""
    cp = code & _CODE_POINT
    before_letter = code & BEFORE_LETTER != 0
    if kind in (_DOUBLE, _RIGHT):
        return cp == 0x201D
    if kind == _LOW:
        return cp in (0x201C, 0x201D)
    if kind == _GUILLEMET:
        return cp == 0xBB
    if kind == _REVERSED:
        return cp == 0xAB
    if kind == _CORNER:
        return cp in (0x300D, 0x300F)
    if kind == _SINGLE:  # also an apostrophe
        return cp == 0x2019 and not before_letter
    if kind == _LOW_SINGLE:
        return cp in (0x2018, 0x2019) and not before_letter
    return kind == _STRAIGHT and cp in (0x22, 0xFF02)


@kernel
def _flag(
    starts: NDArray[np.uint32],
    flags: NDArray[np.uint8],
    at: int,
    last: int,
    opened: int,
    closed: int,
) -> int:
    """Flag tokens that start in [opened, closed), from token `at` on; the token after."""
    while at < last and starts[at] < opened:
        at += 1
    while at < last and starts[at] < closed:
        flags[at] |= QUOTED
        at += 1
    return at


@kernel
def _next_line(
    mark: int,
    last_mark: int,
    positions: NDArray[np.uint32],
    codes: NDArray[np.uint32],
    word: int,
) -> tuple[int, bool]:
    """The mark that opens the next line with any word, 0 if none does, and: a line was empty.

    `word` is where the next token starts.
    """
    empty = False
    for k in range(mark + 1, last_mark):
        if positions[k] >= word:
            return 0, empty
        if codes[k] & _CODE_POINT != _LINE_BREAK:
            return np.int64(codes[k]), empty
        empty = True
    return 0, empty


@kernel
def _mark(
    mark_offsets: NDArray[np.int64],
    positions: NDArray[np.uint32],
    codes: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    starts: NDArray[np.uint32],
    flags: NDArray[np.uint8],
) -> None:
    for article in range(len(offsets) - 1):
        token, last_token = offsets[article], offsets[article + 1]
        first_mark, last_mark = mark_offsets[article], mark_offsets[article + 1]
        kind = _NONE
        opened = 0
        for mark in range(first_mark, last_mark):
            position, code = np.int64(positions[mark]), np.int64(codes[mark])
            if kind != _NONE and position - opened > MAX_QUOTATION:
                kind = _NONE
            if code & _CODE_POINT == _LINE_BREAK:
                if kind == _NONE:
                    continue
                # What stands before the open mark is settled; looking at it again for every line
                # would cost the square of a text whose marks never close.
                while token < last_token and starts[token] < opened:
                    token += 1
                following = token
                while following < last_token and starts[following] < position:
                    following += 1
                if following == last_token:
                    break
                opening, empty = _next_line(
                    mark, last_mark, positions, codes, np.int64(starts[following])
                )
                continued = opening != 0 and _opens(opening & ~BEFORE_SPACE) == kind
                if continued:
                    token = _flag(starts, flags, token, last_token, opened, position)
                if continued or empty or kind == _STRAIGHT:
                    kind = _NONE
            elif kind == _NONE:
                kind = _opens(code)
                opened = position
            elif _closes(kind, code):
                token = _flag(starts, flags, token, last_token, opened, position)
                kind = _NONE


def mark_quotations(tokens: Tokens, marks: Marks) -> None:
    """Set the `QUOTED` flag of every token in quoted speech, in place; without the GIL."""
    _mark(
        marks.offsets,
        marks.positions,
        marks.codes,
        tokens.offsets,
        tokens.starts,
        tokens.flags,
    )
