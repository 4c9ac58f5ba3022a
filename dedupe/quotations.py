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
from dedupe.tokens import QUOTED, _decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.records import Batch
    from dedupe.tokens import Tokens

__all__ = ["mark_quotations"]

MAX_QUOTATION = 4000
"""Code points after which an open mark counts as stray: three times a long spoken paragraph."""

_NONE, _DOUBLE, _LOW, _RIGHT, _GUILLEMET, _REVERSED, _CORNER, _SINGLE, _LOW_SINGLE, _STRAIGHT = (
    range(10)
)


_LINE_BREAKS = (0x0A, 0x0D, 0x85, 0x2028, 0x2029)


@kernel
def _opens(cp: int, before_is_letter: bool, after: int) -> int:
    """The kind of quotation a mark opens, or _NONE; `after` is the next code point."""
    space_after = after <= 0x20 or after in (0xA0, 0x202F)
    if cp == 0x201C:
        return _DOUBLE
    if cp == 0x201E:
        return _LOW
    if cp == 0x201D and not before_is_letter and not space_after:
        return _RIGHT
    if cp == 0xAB and not before_is_letter:
        return _GUILLEMET
    if cp == 0xBB and not before_is_letter and not space_after:
        return _REVERSED
    if cp in (0x300C, 0x300E):
        return _CORNER
    if cp == 0x2018 and not before_is_letter:
        return _SINGLE
    if cp == 0x201A and not before_is_letter:
        return _LOW_SINGLE
    if cp in (0x22, 0xFF02):
        return _STRAIGHT
    return _NONE


@kernel
def _closes(kind: int, cp: int, after_is_letter: bool) -> bool:
    """Whether a mark closes an open quotation of this kind."""
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
        return cp == 0x2019 and not after_is_letter
    if kind == _LOW_SINGLE:
        return cp in (0x2018, 0x2019) and not after_is_letter
    return kind == _STRAIGHT and cp in (0x22, 0xFF02)


@kernel
def _is_letter(cp: int) -> bool:
    """Letter or digit, as far as telling an apostrophe from a closing mark needs it."""
    return (
        0x30 <= cp <= 0x39
        or 0x41 <= (cp & ~0x20) <= 0x5A
        or 0xC0 <= cp < 0x2000
        or 0x2C00 <= cp < 0x3000
    )


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
def _next_line(text: NDArray[np.uint8], at: int, end: int) -> tuple[int, bool]:
    """First code point of the next line with any text (0 at the end), and: a line was empty."""
    empty = False
    while at < end:
        cp, width = _decode(text, at)
        if cp == 0x0D and at + 1 < end and text[at + 1] == 0x0A:
            at += 1  # the line feed breaks the line
            continue
        if cp in _LINE_BREAKS:
            empty = True
        elif cp not in (0x20, 0x09, 0xA0, 0x3000):
            return cp, empty
        at += width
    return 0, True


@kernel
def _mark(
    text: NDArray[np.uint8],
    byte_offsets: NDArray[np.int64],
    offsets: NDArray[np.int64],
    starts: NDArray[np.uint32],
    flags: NDArray[np.uint8],
) -> None:
    for article in range(len(byte_offsets) - 1):
        at, end = byte_offsets[article], byte_offsets[article + 1]
        token, last_token = offsets[article], offsets[article + 1]
        position = 0
        kind = _NONE
        opened = 0
        before = 0
        while at < end:
            # Most bytes are nothing to us: ASCII but for the newline and the straight mark.
            byte = text[at]
            if byte < 0x80 and byte != 0x22 and byte != 0x0A and byte != 0x0D:  # noqa: PLR1714
                before = np.int64(byte)
                at += 1
                position += 1
                continue
            cp, width = _decode(text, at)
            at += width
            position += 1
            if cp == 0x0D and at < end and text[at] == 0x0A:
                continue  # the line feed breaks the line
            if cp in _LINE_BREAKS:
                if kind != _NONE:
                    first, empty = _next_line(text, at, end)
                    continued = _opens(first, False, 0x41) == kind
                    if continued:
                        token = _flag(starts, flags, token, last_token, opened, position)
                    if continued or empty or kind == _STRAIGHT:
                        kind = _NONE
                before = 0x0A
                continue
            after = 0
            if at < end:
                after, _ = _decode(text, at)
            if kind != _NONE and position - opened > MAX_QUOTATION:
                kind = _NONE
            if kind != _NONE:
                if _closes(kind, cp, _is_letter(after)):
                    token = _flag(starts, flags, token, last_token, opened, position)
                    kind = _NONE
            else:
                kind = _opens(cp, _is_letter(before), after)
                opened = position
            before = cp


def mark_quotations(batch: Batch, tokens: Tokens) -> None:
    """Set the `QUOTED` flag of every token in quoted speech, in place; without the GIL."""
    _mark(batch.text, batch.offsets, tokens.offsets, tokens.starts, tokens.flags)
