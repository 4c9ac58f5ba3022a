"""Alignment word by word where matches leave off: in gaps between them, and at their ends.

Global in a gap, with a free end before and after a block; affine gap costs (Gotoh 1982). Only
a bounded number of tokens is looked at, so the time is linear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedupe._jit import kernel
from dedupe.tokens import PARAGRAPH

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["bridge_space", "fill_gaps"]

MAX_GAP = 24
"""Tokens in either text that a gap may have to be aligned: about a sentence."""

EXTENSION = 12
"""Tokens looked at before and after a block."""

MISMATCH, GAP_OPEN, GAP_EXTEND = 60, 150, 40
"""Cost of a word replaced, of leaving words out or adding some, and of each of these."""


@kernel
def bridge_space() -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Room for aligning gaps word by word."""
    return np.zeros((3, MAX_GAP + 1), np.int64), np.zeros((MAX_GAP + 1, MAX_GAP + 1), np.uint8)


@kernel
def _bridge(
    a: NDArray[np.uint64],
    b: NDArray[np.uint64],
    weights: NDArray[np.int64],
    at_a: int,
    at_b: int,
    n_a: int,
    n_b: int,
    step: int,
    open_end: bool,
    partner_a: NDArray[np.int32],
    partner_b: NDArray[np.int32],
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


@kernel
def _free_run(partner: NDArray[np.int32], at: int, stop: int, step: int, most: int) -> int:
    """Tokens from `at` on, in steps, that have no partner, up to (without) `stop`."""
    n = 0
    while at != stop and partner[at] < 0 and n < most:
        at += step
        n += 1
    return n


@kernel
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


@kernel
def fill_gaps(
    a: NDArray[np.uint64],
    b: NDArray[np.uint64],
    flags_a: NDArray[np.uint8],
    flags_b: NDArray[np.uint8],
    weights: NDArray[np.int64],
    partner_a: NDArray[np.int32],
    partner_b: NDArray[np.int32],
    rows: NDArray[np.int64],
    came: NDArray[np.uint8],
) -> None:
    """Align the gaps between blocks, then what stands before and after them."""
    j = 0
    while j < len(b):
        i = partner_b[j]
        j += 1
        if i < 0:
            continue
        gap_b = _free_run(partner_b, j, len(b), 1, MAX_GAP)
        gap_a = _free_run(partner_a, i + 1, len(a), 1, MAX_GAP)
        inside = j + gap_b < len(b) and partner_b[j + gap_b] == i + 1 + gap_a
        if gap_a > 0 and gap_b > 0 and inside:
            _bridge(
                a, b, weights, i + 1, j, gap_a, gap_b, 1, False, partner_a, partner_b, rows, came
            )
            j += gap_b
    for step in (1, -1):
        j = 0 if step > 0 else len(b) - 1
        while 0 <= j < len(b):
            i = partner_b[j]
            j += step
            if i < 0:
                continue
            if step < 0 and (flags_b[j + 1] | flags_a[i]) & PARAGRAPH:
                continue
            gap_b = _within_paragraph(partner_b, flags_b, j, step)
            gap_a = _within_paragraph(partner_a, flags_a, i + step, step)
            if gap_a > 0 and gap_b > 0:
                end_a, end_b = i + step * (1 + gap_a), j + step * gap_b
                if end_a >= 0 and 0 <= end_b < len(b) and partner_b[end_b] == end_a:
                    continue  # a gap that has been aligned
                _bridge(
                    a,
                    b,
                    weights,
                    i + step,
                    j,
                    gap_a,
                    gap_b,
                    step,
                    True,
                    partner_a,
                    partner_b,
                    rows,
                    came,
                )
