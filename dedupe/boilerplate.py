"""Known boilerplate marked in articles: which of their tokens are page furniture.

What is known are sketched shingles, one in so many, so the verdict on the tokens between two
of them is the nearest one's. A paragraph is judged by its own shingles alone: copy that
follows a footer in the next paragraph is not judged with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._bits import prefetch
from dedupe._jit import kernel, leaf
from dedupe._threads import in_slices
from dedupe.hashtable import fetch, find_bits, is_among, is_in_set, set_bits
from dedupe.shingle import fill_shingles, shingle_at
from dedupe.tokens import FURNITURE, PARAGRAPH

if TYPE_CHECKING:
    from numpy.typing import NDArray


__all__ = ["Known", "known_by_article", "mark_boilerplate"]

_BITS = 1 << 20
"""Bits that say of nearly all hashes at once that they are not known: they fit the second cache."""

_GRAMS = 1 << 16
"""Bits for all grams: they fit the first one."""

_ARTICLES_PER_TASK = 4096


class Known(NamedTuple):
    """Boilerplate known of each article.

    Attributes:
        spans: int64 (n_articles, 2), where an article's begins in `hashes`, and ends.
        hashes: uint64, sketched shingles, those of an article ascending.
    """

    spans: NDArray[np.int64]
    hashes: NDArray[np.uint64]

    @classmethod
    def of_all(cls, n: int, hashes: NDArray[np.uint64]) -> Known:
        """The same for each of n articles, whether or not it is in there."""
        return cls(np.tile(np.array([0, len(hashes)]), (n, 1)), hashes)

    @property
    def found(self) -> NDArray[np.bool_]:
        """Bool (n_articles,), articles that have some."""
        some: NDArray[np.bool_] = self.spans[:, 0] < self.spans[:, 1]
        return some


def known_by_article(
    offsets: NDArray[np.int64],
    sketch: NDArray[np.uint64],
    known: NDArray[np.uint64],
    threads: int = 1,
) -> Known:
    """What of some boilerplate each article has, by its sketch.

    Args:
        offsets, sketch: int64 (n + 1,) and uint64, each article's sketch, ascending.
        known: uint64, ascending.
        threads: worker threads.
    """
    n = len(offsets) - 1
    counts = np.zeros(n, np.int64)

    def find(first: int, last: int) -> NDArray[np.uint64]:
        here = offsets[first : last + 1]
        found = np.empty(here[-1] - here[0], np.uint64)
        return found[: _known_of(here, sketch, known, counts[first:last], found)].copy()

    parts = in_slices(find, n, _ARTICLES_PER_TASK, threads) if len(known) else []
    ends = np.cumsum(counts)
    hashes = np.concatenate([np.empty(0, np.uint64), *parts])
    return Known(np.stack([ends - counts, ends], axis=1), hashes)


@kernel
def _known_of(
    offsets: NDArray[np.int64],
    sketch: NDArray[np.uint64],
    known: NDArray[np.uint64],
    counts: NDArray[np.int64],
    out: NDArray[np.uint64],
) -> int:
    """Known hashes of some sketches, and how many each has; all of them."""
    bits = np.zeros(_BITS // 64, np.uint64)
    set_bits(known, bits)
    found = 0
    for a in range(len(counts)):
        before = found
        for i in range(offsets[a], offsets[a + 1]):
            if is_in_set(sketch[i], known, bits):
                out[found] = sketch[i]
                found += 1
        counts[a] = found - before
    return found


@leaf
def _mark_paragraph(
    hashes: NDArray[np.uint64],
    w: int,
    limit: np.uint64,
    known: NDArray[np.uint64],
    bits: NDArray[np.uint64],
    shingles: NDArray[np.uint64],
    flags: NDArray[np.uint8],
) -> None:
    """Mark the tokens of a paragraph, each by the sketched shingle in there that is nearest to it."""
    begin = 0  # first token the current verdict is for
    previous = -1  # start of the last sketched shingle
    furniture = False
    for k in range(fill_shingles(hashes, w, shingles)):
        if shingles[k] > limit:
            continue
        verdict = is_in_set(shingles[k], known, bits)
        if previous >= 0 and verdict != furniture:
            border = (previous + w + k + 1) // 2
            if furniture:
                for t in range(begin, border):
                    flags[t] |= FURNITURE
            begin = border
        furniture = verdict
        previous = k
    if furniture:
        for t in range(begin, len(flags)):
            flags[t] |= FURNITURE


@kernel
def _mark(
    articles: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    grams: NDArray[np.uint16],
    flags: NDArray[np.uint8],
    begins: NDArray[np.int64],
    w: int,
    limit: np.uint64,
    known_spans: NDArray[np.int64],
    known: NDArray[np.uint64],
) -> None:
    """Find what is known of each article by its grams, and mark the paragraphs that have some."""
    longest = 1
    for article in articles:
        longest = max(longest, spans[article, 1] - spans[article, 0])
    shingles = np.empty(longest, np.uint64)
    places = np.empty(longest + 1, np.int64)
    bits = np.zeros(_GRAMS // 64, np.uint64)
    mine = known[:0]
    for a in range(len(articles)):
        begin, stop = known_spans[a, 0], known_spans[a, 1]
        if a == 0 or begin != known_spans[a - 1, 0] or stop != known_spans[a - 1, 1]:
            bits[:] = np.uint64(0)
            mine = known[begin:stop]
            set_bits(mine, bits)
        start, end = spans[articles[a], 0], spans[articles[a], 1]
        n = end - start
        words, here = hashes[start:end], flags[begins[a] : begins[a] + n]
        if a + 1 < len(articles):
            fetch(grams, spans[articles[a + 1], 0], spans[articles[a + 1], 1])
        found = find_bits(grams[start:end], n - w + 1, bits, places)
        for h in range(found):
            prefetch(words, places[h])
            prefetch(here, places[h])
        last = 0  # end of the paragraph that was looked at
        for h in range(found):
            first = places[h]
            if first < last:
                continue
            shingle = shingle_at(words, first, w)
            if shingle > limit or not is_among(mine, shingle):
                continue
            last = first + 1
            while first > 0 and not here[first] & PARAGRAPH:
                first -= 1
            while last < n and not here[last] & PARAGRAPH:
                last += 1
            # A shingle that goes on in the next paragraph is of neither: nothing is found then.
            _mark_paragraph(words[first:last], w, limit, mine, bits, shingles, here[first:last])


def mark_boilerplate(
    articles: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    grams: NDArray[np.uint16],
    flags: NDArray[np.uint8],
    w: int,
    limit: np.uint64,
    known: Known,
    begins: NDArray[np.int64],
) -> None:
    """Set the `FURNITURE` flag of every token that known boilerplate covers, in place.

    Args:
        articles: int64 (n,), the articles to look at.
        spans: int64 (n_articles, 2), first token and token after the last of each article.
        hashes, flags: the token arrays of `dedupe.tokens.Tokens`.
        grams: as in `dedupe.features.Features`.
        w: words per shingle.
        limit: the sketch's limit.
        known: boilerplate of each of the n articles.
        begins: int64 (n,), first token of each of these articles in `flags`.
    """
    _mark(articles, spans, hashes, grams, flags, begins, w, limit, *known)
