"""Alignment word by word where matches leave off: in gaps between them, and at their ends.

Global in a gap, with a free end before and after a block; affine gap costs (Gotoh 1982). Only
a bounded number of tokens is looked at, so the time is linear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedupe._jit import leaf
from dedupe.tokens import PARAGRAPH

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BLOCK_BITS", "bridge_space", "fill_gaps", "last_paired", "next_paired"]

MAX_GAP = 24
"""Tokens in either text that a gap may have to be aligned: about a sentence."""

EXTENSION = 12
"""Tokens looked at before and after a block."""

MISMATCH, GAP_OPEN, GAP_EXTEND = 60, 150, 40
"""Cost of a word replaced, of leaving words out or adding some, and of each of these."""


FEW = 24
"""Pairs of tokens that are compared each with each."""

BLOCK_BITS = 5
"""Blocks of 32 tokens are passed over at once where none has a partner: most texts share little."""


@leaf
def next_paired(partner: NDArray[np.int32], held: NDArray[np.bool_], at: int, stop: int) -> int:
    """First token from `at` on that has a partner, or `stop`.

    `held` says of each block of tokens whether any of them may have one.
    """
    while at < stop:
        if not held[at >> BLOCK_BITS]:
            at = ((at >> BLOCK_BITS) + 1) << BLOCK_BITS
        elif partner[at] < 0:
            at += 1
        else:
            return at
    return stop


@leaf
def last_paired(partner: NDArray[np.int32], held: NDArray[np.bool_], at: int) -> int:
    """Last token up to `at` that has a partner, or -1."""
    while at >= 0:
        if not held[at >> BLOCK_BITS]:
            at = ((at >> BLOCK_BITS) << BLOCK_BITS) - 1
        elif partner[at] < 0:
            at -= 1
        else:
            return at
    return -1


@leaf
def _have_common(
    a: NDArray[np.int32],
    b: NDArray[np.int32],
    at_a: int,
    at_b: int,
    n_a: int,
    n_b: int,
    step: int,
    seen: NDArray[np.int32],
) -> bool:
    """Whether any of these tokens are equal; `seen` is zero for each word, and stays so."""
    if n_a * n_b <= FEW:
        for y in range(n_b):
            word = b[at_b + step * y]
            for x in range(n_a):
                if word > 0 and a[at_a + step * x] == word:
                    return True
        return False
    for x in range(n_a):
        seen[a[at_a + step * x]] = 1
    common = 0
    for y in range(n_b):
        word = b[at_b + step * y]
        common += (word > 0) & (seen[word] > 0)
    for x in range(n_a):
        seen[a[at_a + step * x]] = 0
    return common > 0


def bridge_space() -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Room for aligning gaps word by word."""
    return np.zeros((3, MAX_GAP + 1), np.int64), np.zeros((MAX_GAP + 1, MAX_GAP + 1), np.uint8)


@leaf
def _bridge(
    a: NDArray[np.int32],
    b: NDArray[np.int32],
    weights: NDArray[np.int64],
    at_a: int,
    at_b: int,
    n_a: int,
    n_b: int,
    step: int,
    open_end: bool,
    partner_a: NDArray[np.int32],
    partner_b: NDArray[np.int32],
    held_a: NDArray[np.bool_],
    held_b: NDArray[np.bool_],
    rows: NDArray[np.int64],
    came: NDArray[np.uint8],
) -> int:
    """Align n_a by n_b tokens from (at_a, at_b) on, in steps of 1 or -1, and enter the partners.

    With an open end the best beginning is taken, or nothing. Returns the tokens paired.
    """
    low = -(1 << 40)
    match, skip_a, skip_b = rows[0], rows[1], rows[2]
    for y in range(n_b + 1):
        match[y] = 0 if y == 0 else low
        skip_a[y] = low
        skip_b[y] = -GAP_OPEN - GAP_EXTEND * y if y else low
    best, best_x, best_y = 0, 0, 0
    for x in range(1, n_a + 1):
        diagonal = max(match[0], skip_a[0], skip_b[0])
        came_diagonal = 0
        if diagonal == skip_a[0]:
            came_diagonal = 1
        if diagonal == match[0]:
            came_diagonal = 0
        match[0] = low
        skip_a[0] = -GAP_OPEN - GAP_EXTEND * x
        skip_b[0] = low
        came[x, 0] = 4
        for y in range(1, n_b + 1):
            old_match, old_a, old_b = match[y], skip_a[y], skip_b[y]
            how = came_diagonal
            token = at_b + step * (y - 1)
            if a[at_a + step * (x - 1)] == b[token]:
                match[y] = diagonal + weights[token + 1] - weights[token]
            else:
                match[y] = diagonal - MISMATCH
            if old_match - GAP_OPEN >= old_a:
                skip_a[y] = old_match - GAP_OPEN - GAP_EXTEND
            else:
                skip_a[y] = old_a - GAP_EXTEND
                how |= 4
            if match[y - 1] - GAP_OPEN >= skip_b[y - 1]:
                skip_b[y] = match[y - 1] - GAP_OPEN - GAP_EXTEND
            else:
                skip_b[y] = skip_b[y - 1] - GAP_EXTEND
                how |= 8
            came[x, y] = how
            if match[y] > best:
                best, best_x, best_y = match[y], x, y
            diagonal = max(old_match, old_a, old_b)
            came_diagonal = 0 if diagonal == old_match else (1 if diagonal == old_a else 2)
    x, y, state = n_a, n_b, 0
    if open_end:
        x, y = best_x, best_y
    elif skip_a[n_b] > match[n_b] and skip_a[n_b] >= skip_b[n_b]:
        state = 1
    elif skip_b[n_b] > match[n_b]:
        state = 2
    paired = 0
    while x > 0 and y > 0:
        how = came[x, y]
        if state == 0:
            i, j = at_a + step * (x - 1), at_b + step * (y - 1)
            if a[i] == b[j]:
                partner_a[i] = j
                partner_b[j] = i
                held_a[i >> BLOCK_BITS] = True
                held_b[j >> BLOCK_BITS] = True
                paired += 1
            state = how & 3
            x -= 1
            y -= 1
        elif state == 1:
            state = 1 if how & 4 else 0
            x -= 1
        else:
            state = 2 if how & 8 else 0
            y -= 1
    return paired


@leaf
def _free_run(partner: NDArray[np.int32], at: int, stop: int, step: int, most: int) -> int:
    """Tokens from `at` on, in steps, that have no partner, up to (without) `stop`."""
    n = 0
    while at != stop and partner[at] < 0 and n < most:
        at += step
        n += 1
    return n


@leaf
def _within_paragraph(
    partner: NDArray[np.int32], flags: NDArray[np.uint8], at: int, step: int
) -> int:
    """Tokens without a partner from `at` on, in steps, to the border of the paragraph at most."""
    n = 0
    while 0 <= at < len(partner) and partner[at] < 0 and n < EXTENSION:
        if step > 0 and flags[at] & PARAGRAPH:
            break
        n += 1
        if step < 0 and flags[at] & PARAGRAPH:
            break
        at += step
    return n


@leaf
def fill_gaps(
    a: NDArray[np.int32],
    b: NDArray[np.int32],
    flags_a: NDArray[np.uint8],
    flags_b: NDArray[np.uint8],
    weights: NDArray[np.int64],
    partner_a: NDArray[np.int32],
    partner_b: NDArray[np.int32],
    held_a: NDArray[np.bool_],
    held_b: NDArray[np.bool_],
    seen: NDArray[np.int32],
    rows: NDArray[np.int64],
    came: NDArray[np.uint8],
) -> int:
    """Align the gaps between blocks, then what stands before and after them; the tokens paired.

    The texts are numbered words, 0 for one of b that a does not have; `seen` is for
    `_have_common`.
    """
    paired = 0
    n_a, n_b = len(flags_a), len(flags_b)
    j = next_paired(partner_b, held_b, 0, n_b)
    while j < n_b:
        while j + 1 < n_b and partner_b[j + 1] >= 0:
            j += 1
        i = np.int64(partner_b[j]) + 1
        j += 1
        if j < n_b and partner_b[j] < 0 and i < n_a and partner_a[i] < 0:
            gap_b = _free_run(partner_b, j, n_b, 1, MAX_GAP)
            gap_a = _free_run(partner_a, i, n_a, 1, MAX_GAP)
            if j + gap_b < n_b and partner_b[j + gap_b] == i + gap_a:
                if _have_common(a, b, i, j, gap_a, gap_b, 1, seen):
                    paired += _bridge(
                        a,
                        b,
                        weights,
                        i,
                        j,
                        gap_a,
                        gap_b,
                        1,
                        False,
                        partner_a,
                        partner_b,
                        held_a,
                        held_b,
                        rows,
                        came,
                    )
                j += gap_b
        j = next_paired(partner_b, held_b, j, n_b)
    for step in (1, -1):
        j = -step if step > 0 else n_b
        while True:
            if step > 0:
                j = next_paired(partner_b, held_b, j + 1, n_b)
            else:
                j = last_paired(partner_b, held_b, j - 1)
            if not 0 <= j < n_b:
                break
            while 0 <= j + step < n_b and partner_b[j + step] >= 0:
                j += step
            beside = j + step
            if not 0 <= beside < n_b:
                continue
            i = np.int64(partner_b[j])
            if step < 0 and (flags_b[j] | flags_a[i]) & PARAGRAPH:
                continue
            other = i + step
            if not 0 <= other < n_a or partner_a[other] >= 0:
                continue
            following = beside + step
            if 0 <= following < n_b and 0 <= partner_b[following] == other + step:
                continue  # one word for another
            gap_b = _within_paragraph(partner_b, flags_b, beside, step)
            gap_a = _within_paragraph(partner_a, flags_a, i + step, step)
            if gap_a > 0 and gap_b > 0:
                end_a, end_b = i + step * (1 + gap_a), beside + step * gap_b
                if end_a >= 0 and 0 <= end_b < n_b and partner_b[end_b] == end_a:
                    continue  # a gap that has been aligned
                if not _have_common(a, b, i + step, beside, gap_a, gap_b, step, seen):
                    continue
                paired += _bridge(
                    a,
                    b,
                    weights,
                    i + step,
                    beside,
                    gap_a,
                    gap_b,
                    step,
                    True,
                    partner_a,
                    partner_b,
                    held_a,
                    held_b,
                    rows,
                    came,
                )
    return paired
