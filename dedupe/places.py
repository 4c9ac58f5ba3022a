"""Where tokens stand in their texts: two bytes a token, for the offsets of passages.

A token begins few characters after the one before it ends, and is short itself. Both numbers fit a
byte, but for those that are listed by themselves: behind long runs of signs, or of a word with
hundreds of marks that count for nothing. First and last character as they are take four times as
much memory, and as much of a disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._jit import in_plain_python, kernel
from dedupe._memory import PerThread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.tokens import Tokens

__all__ = ["NOWHERE", "Places", "pack_places", "spans_of"]

FAR = np.uint16(0xFFFF)
"""Stands for a token that is listed: no other gap is of 255."""

_BYTE = np.int64(0xFF)


class Places(NamedTuple):
    """Where the tokens of a batch stand.

    Attributes:
        steps: uint16 (n_tokens,), code points since the token before, or the beginning of the
            text, in the lower byte, and code points of the token in the upper one; or `FAR`.
        far: int64 (m, 3), each token that is `FAR`, its first code point and the one after its last.
    """

    steps: NDArray[np.uint16]
    far: NDArray[np.int64]


NOWHERE = Places(np.empty(0, np.uint16), np.empty((0, 3), np.int64))
"""What there is of tokens whose places are not wanted."""


def _make_steps(n: int) -> NDArray[np.uint16]:
    return np.empty(n, np.uint16)


_STEPS = PerThread(_make_steps)


def pack_places(tokens: Tokens) -> Places:
    """The places of the tokens of a batch; the next call in this thread writes over the steps."""
    n = len(tokens.starts)
    steps = _STEPS.of(n)[:n]
    if not _pack(tokens.offsets, tokens.starts, tokens.ends, steps):
        return Places(steps, NOWHERE.far)
    far = np.flatnonzero(steps == FAR)
    return Places(steps, np.stack([far, tokens.starts[far], tokens.ends[far]], axis=1))


@kernel
def _pack(
    offsets: NDArray[np.int64],
    starts: NDArray[np.uint32],
    ends: NDArray[np.uint32],
    steps: NDArray[np.uint16],
) -> int:
    """Fill in the steps; how many tokens are `FAR`."""
    far = 0
    for article in range(len(offsets) - 1):
        before = np.int64(0)
        for k in range(offsets[article], offsets[article + 1]):
            gap, length = np.int64(starts[k]) - before, np.int64(ends[k]) - np.int64(starts[k])
            is_far = (gap >= _BYTE) | (length > _BYTE)
            steps[k] = FAR if is_far else np.uint16(length << 8 | gap)
            far += int(is_far)
            before = gap + length + before
    return far


@in_plain_python(_pack)
def _pack_at_once(
    offsets: NDArray[np.int64],
    starts: NDArray[np.uint32],
    ends: NDArray[np.uint32],
    steps: NDArray[np.uint16],
) -> int:
    before = np.zeros(len(ends), np.int64)
    before[1:] = ends[:-1]
    firsts = offsets[:-1][np.diff(offsets) > 0]
    before[firsts] = 0
    gaps, lengths = starts - before, ends.astype(np.int64) - starts
    is_far = (gaps >= _BYTE) | (lengths > _BYTE)
    steps[:] = np.where(is_far, FAR, lengths << 8 | gaps)
    return int(is_far.sum())


@kernel
def _unpack(
    first: int,
    last: int,
    steps: NDArray[np.uint16],
    begin: int,
    far: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> None:
    """The first code points of tokens [first, last), an article's, and the ones after their last.

    In `far` the first one is `begin`.
    """
    low, high = 0, len(far)
    while low < high:
        middle = (low + high) >> 1
        if far[middle, 0] < begin:
            low = middle + 1
        else:
            high = middle
    end = np.int64(0)
    for k in range(first, last):
        step = np.int64(steps[k])
        start = end + (step & _BYTE)
        end = start + (step >> 8)
        if step == np.int64(FAR):
            start, end = far[low, 1], far[low, 2]
            low += 1
        starts[k - first], ends[k - first] = start, end


@kernel
def _spans(
    rows: NDArray[np.int64],
    articles: NDArray[np.int64],
    steps: NDArray[np.uint16],
    begins: NDArray[np.int64],
    far: NDArray[np.int64],
    out: NDArray[np.uint32],
) -> None:
    longest = 0
    for row in range(len(rows)):
        article = rows[row, 0]
        longest = max(longest, articles[article, 1] - articles[article, 0])
    starts, ends = np.empty(longest, np.int64), np.empty(longest, np.int64)
    held = -1  # the article whose places are there
    for row in range(len(rows)):
        article = rows[row, 0]
        if article != held:
            held = article
            first, last = articles[article, 0], articles[article, 1]
            _unpack(first, last, steps, begins[row], far, starts, ends)
        out[row, 0] = starts[rows[row, 1]]
        out[row, 1] = ends[rows[row, 2] - 1]


def spans_of(
    rows: NDArray[np.int64],
    articles: NDArray[np.int64],
    places: Places,
    begins: NDArray[np.int64] | None = None,
) -> NDArray[np.uint32]:
    """Code points at which tokens in a row start and end.

    Args:
        rows: int64 (n, 3), an article, its first of these tokens and the one after the last; best
            with those of an article together.
        articles: int64 (n_articles, 2), first token and token after the last of each article.
        places: of all tokens, `far` by token.
        begins: int64 (n,), first token of each of these articles in `far`, if that is not where it
            is in `steps`.

    Returns:
        uint32 (n, 2).
    """
    out = np.empty((len(rows), 2), np.uint32)
    begins = articles[rows[:, 0], 0] if begins is None else begins
    _spans(rows, articles, places.steps, begins, places.far, out)
    return out
