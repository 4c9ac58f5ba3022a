"""Known boilerplate marked in articles: which of their tokens are page furniture.

What is known are sketched shingles, one in so many, so the verdict on the tokens between two
of them is the nearest one's. A paragraph is judged by its own shingles alone: copy that
follows a footer in the next paragraph is not judged with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedupe._jit import kernel
from dedupe.hashtable import is_in_set, set_bits
from dedupe.shingle import fill_shingles
from dedupe.tokens import FURNITURE, PARAGRAPH

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["mark_boilerplate"]


_BITS = 1 << 16
"""Bits that say of most hashes at once that they are not known: they fit the first cache."""


@kernel
def _mark_paragraph(
    shingles: NDArray[np.uint64],
    sketched: NDArray[np.int64],
    first: int,
    last: int,
    w: int,
    known: NDArray[np.uint64],
    bits: NDArray[np.uint64],
    flags: NDArray[np.uint8],
) -> None:
    """Mark the tokens of [first, last), each by the sketched shingle in there that is nearest to it."""
    begin = first  # first token the current verdict is for
    previous = -1  # start of the last sketched shingle
    furniture = False
    for k in sketched:
        verdict = is_in_set(shingles[k], known, bits)
        if previous >= 0 and verdict != furniture:
            border = (previous + w + k + 1) // 2
            if furniture:
                for t in range(begin, border):
                    flags[t] |= FURNITURE
            begin = border
        furniture = verdict
        previous = k
    if previous >= 0 and furniture:
        for t in range(begin, last):
            flags[t] |= FURNITURE


@kernel
def _mark(
    articles: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    flags: NDArray[np.uint8],
    begins: NDArray[np.int64],
    w: int,
    limit: np.uint64,
    known: NDArray[np.uint64],
) -> None:
    longest = 1
    for article in articles:
        longest = max(longest, spans[article, 1] - spans[article, 0])
    shingles = np.empty(longest, np.uint64)
    sketched = np.empty(longest + 1, np.int64)
    bits = np.zeros(_BITS // 64, np.uint64)
    set_bits(known, bits)
    for a in range(len(articles)):
        start, end = spans[articles[a], 0], spans[articles[a], 1]
        n = end - start
        here = flags[begins[a] : begins[a] + n]
        found = 0
        for k in range(fill_shingles(hashes[start:end], w, shingles)):
            # Stored in any case, and kept only if it belongs: no branch to mispredict.
            sketched[found] = k
            found += np.int64(shingles[k] <= limit)
        first, begin = 0, 0  # of the paragraph: its first token, and its first sketched shingle
        for k in range(1, n + 1):
            if k == n or here[k] & PARAGRAPH:
                after = begin
                while after < found and sketched[after] <= k - w:
                    after += 1
                _mark_paragraph(shingles, sketched[begin:after], first, k, w, known, bits, here)
                while after < found and sketched[after] < k:  # it goes on in the next paragraph
                    after += 1
                first, begin = k, after


def mark_boilerplate(
    articles: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    flags: NDArray[np.uint8],
    w: int,
    limit: np.uint64,
    known: NDArray[np.uint64],
    begins: NDArray[np.int64] | None = None,
) -> None:
    """Set the `FURNITURE` flag of every token that known boilerplate covers, in place.

    Args:
        articles: int64 (n,), the articles to look at.
        spans: int64 (n_articles, 2), first token and token after the last of each article.
        hashes, flags: the token arrays of `dedupe.tokens.Tokens`.
        w: words per shingle.
        limit, known: the sketch's limit, and its boilerplate hashes, ascending.
        begins: int64 (n,), first token of each of these articles in `flags`, if that is not where
            it is in `hashes`.
    """
    if len(known):
        begins = spans[articles, 0] if begins is None else begins
        _mark(articles, spans, hashes, flags, begins, w, limit, known)
