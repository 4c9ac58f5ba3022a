"""Candidates checked on the text: how many shingles two articles really share.

The lower bits of all shingles, their grams, are at hand; two articles' grams are compared by
bits, at a nanosecond each, and those that agree together with a few bits of their first tokens.
Only where these agree, too, are tokens compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._bits import bit_count, load64, prefetch
from dedupe._jit import kernel, leaf
from dedupe.hashtable import fetch, find_bits
from dedupe.shingle import shingles

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "NO_DOUBT",
    "Doubt",
    "distinct_shingles",
    "flagged",
    "grams_of",
    "in_pairs",
    "resemblance",
    "shared_shingles",
    "shared_words",
]

_NO_FLAGS = np.empty(0, np.uint8)


@leaf
def _cover(
    hits: NDArray[np.int64], n: int, w: int, flags: NDArray[np.uint8], aside: np.uint8
) -> tuple[int, int]:
    """Tokens in the first n of some shingles, which ascend; those of them that are not set aside."""
    words, net = 0, 0
    end = 0
    for h in range(n):
        last = hits[h] + w
        for k in range(max(end, hits[h]), last):
            words += 1
            net += np.int64((flags[k] & aside) == 0)
        end = last
    return words, net


class Doubt(NamedTuple):
    """Pairs of which more is to be known than the words in shared shingles.

    Attributes:
        least, most: net shares of these words in either article, from the one to below the other.
        reach: words on either side of a shared shingle that may be common ones, too; 0 has
            nothing counted, for no pair.
    """

    least: float
    most: float
    reach: int


NO_DOUBT = Doubt(1.0, 0.0, 0)

_WORD_SLOTS = 1 << 13
"""Counts of words near shared shingles: 32 kB, which fit the first cache."""


@leaf
def _count_near(
    hits: NDArray[np.int64],
    n: int,
    around: int,
    w: int,
    hashes: NDArray[np.uint64],
    flags: NDArray[np.uint8],
    aside: np.uint8,
    counts: NDArray[np.int32],
    take: bool,
) -> int:
    """Count the words, not set aside, within reach of the first n of some shingles, or take them off.

    Words are told apart by some bits of their hash. Taking off goes no further than what is
    counted; how many were taken.
    """
    taken = 0
    end = 0
    for h in range(n):
        last = min(hits[h] + w + around, len(hashes))
        for k in range(max(end, hits[h] - around), last):
            slot = hashes[k] & np.uint64(_WORD_SLOTS - 1)
            net = (flags[k] & aside) == 0
            if take:
                one = np.int32(net and counts[slot] > 0)
                counts[slot] -= one
                taken += one
            else:
                counts[slot] += np.int32(net)
        end = last
    return taken


_GRAM_BITS = 1 << 16
"""Bits for all grams: 8 kB, which fit the first cache."""

_GRAM = np.uint64(_GRAM_BITS - 1)


@leaf
def _set_bits(grams: NDArray[np.uint16], n: int, bits: NDArray[np.uint64]) -> None:
    """Set the bits of the first n grams, and no others."""
    bits[:] = np.uint64(0)
    for i in range(n):
        gram = np.uint64(grams[i])
        bits[gram >> np.uint64(6)] |= np.uint64(1) << (gram & np.uint64(63))


@leaf
def _set_bits_of_both(
    grams: NDArray[np.uint16], hashes: NDArray[np.uint64], n: int, bits: NDArray[np.uint64]
) -> None:
    """Set a bit for each of the first n grams and its first token together, and no others."""
    bits[:] = np.uint64(0)
    for i in range(n):
        both = (np.uint64(grams[i]) ^ hashes[i]) & _GRAM
        bits[both >> np.uint64(6)] |= np.uint64(1) << (both & np.uint64(63))


@leaf
def _keep_both(
    grams: NDArray[np.uint16],
    hashes: NDArray[np.uint64],
    bits: NDArray[np.uint64],
    hits: NDArray[np.int64],
    n: int,
) -> int:
    """Of the first n hits keep those whose gram and token have their bit; how many."""
    for h in range(n):
        prefetch(hashes, hits[h])
    kept = 0
    for h in range(n):
        j = hits[h]
        both = (np.uint64(grams[j]) ^ hashes[j]) & _GRAM
        hits[kept] = j
        kept += np.int64((bits[both >> np.uint64(6)] >> (both & np.uint64(63))) & np.uint64(1))
    return kept


@leaf
def _repeated_grams(
    grams: NDArray[np.uint16], n: int, bits: NDArray[np.uint64], out: NDArray[np.uint16]
) -> int:
    """Of the first n grams those that stand before as well, into `out`; how many."""
    bits[:] = np.uint64(0)
    repeated = 0
    for i in range(n):
        gram = np.uint64(grams[i])
        bit = np.uint64(1) << (gram & np.uint64(63))
        there = bits[gram >> np.uint64(6)]
        bits[gram >> np.uint64(6)] = there | bit
        out[repeated] = grams[i]
        repeated += np.int64(there & bit != np.uint64(0))
    return repeated


@leaf
def _index_grams(
    grams: NDArray[np.uint16], n: int, head: NDArray[np.int32], following: NDArray[np.int32]
) -> None:
    """Chain the places of each of the first n grams, in their order; `head` is -1 for others."""
    for i in range(n - 1, -1, -1):
        gram = np.int64(grams[i])
        following[i] = head[gram]
        head[gram] = i


@leaf
def _find(
    hashes: NDArray[np.uint64],
    first: int,
    place: int,
    w: int,
    at: int,
    following: NDArray[np.int32],
) -> int:
    """The first place from `at` on in a chain where the w tokens at `place` are, or -1."""
    while at >= 0:
        k = 0
        while k < w and hashes[first + at + k] == hashes[place + k]:
            k += 1
        if k == w:
            return at
        at = np.int64(following[at])
    return -1


_ONES, _LOW, _HIGH = (np.uint64(0x0101010101010101 * byte) for byte in (0x01, 0x7F, 0x80))


@leaf
def flagged(flags: NDArray[np.uint8], wanted: int) -> int:
    """How many tokens have any of the flags wanted, given as one number."""
    mask = _ONES * np.uint64(wanted)
    n, k, last = 0, 0, len(flags)
    while k + 8 <= last:
        found = load64(flags, k) & mask
        # The upper bit of each byte that is not zero: no sum goes beyond its byte.
        n += bit_count((((found & _LOW) + _LOW) | found) & _HIGH)
        k += 8
    while k < last:
        n += np.int64(flags[k] & wanted != 0)
        k += 1
    return n


@leaf
def _share(
    covered: NDArray[np.int64],
    flags_a: NDArray[np.uint8],
    flags_b: NDArray[np.uint8],
    aside: np.uint8,
) -> float:
    """The larger net share of the words in shared shingles."""
    return max(
        covered[2] / max(len(flags_a) - flagged(flags_a, aside), 1),
        covered[3] / max(len(flags_b) - flagged(flags_b, aside), 1),
    )


@kernel
def _verify(
    pairs: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    grams: NDArray[np.uint16],
    flags: NDArray[np.uint8],
    w: int,
    aside: np.uint8,
    enough: int,
    least: float,
    most: float,
    reach: int,
    shared_out: NDArray[np.int64],
    covered: NDArray[np.int64],
) -> None:
    """Count the distinct shingles that pairs share, best sorted by a, and the words that they cover.

    Shingles are told apart by their grams first, then by these and some bits of their first
    tokens: of two long texts dozens of grams agree by chance. Of the few that are left those are
    kept whose tokens are the same in a. Words are counted of pairs that share `enough`, and not at
    all if `covered` is empty; fewer shingles than that are not counted to the end. Of pairs in doubt
    (`least`, `most` and `reach`, as in `Doubt`) common words near shared shingles are counted, too.
    """
    longest_a, longest = 1, 1
    for p in range(len(pairs)):
        longest_a = max(longest_a, spans[pairs[p, 0], 1] - spans[pairs[p, 0], 0])
        longest = max(longest, spans[pairs[p, 1], 1] - spans[pairs[p, 1], 0])
    hits = np.empty(longest + 1, np.int64)
    hits_a = np.empty(longest_a + 1, np.int64)
    bits = np.zeros(_GRAM_BITS // 64, np.uint64)
    bits_of_both = np.zeros(_GRAM_BITS // 64, np.uint64)
    head = np.full(_GRAM_BITS, -1, np.int32)
    following = np.empty(longest_a, np.int32)
    seen = np.full(longest_a, -1, np.int64)  # pair whose b has the shingle at this place of a
    counts = np.empty(_WORD_SLOTS, np.int32)
    a, looked_into, indexed = -1, -1, -1
    for p in range(len(pairs)):
        first, end = spans[pairs[p, 0], 0], spans[pairs[p, 0], 1]
        grams_a, n_a = grams[first:end], end - first - w + 1
        if pairs[p, 0] != a:
            a = pairs[p, 0]
            _set_bits(grams_a, n_a, bits)
        start, stop = spans[pairs[p, 1], 0], spans[pairs[p, 1], 1]
        if p + 1 < len(pairs):
            fetch(grams, spans[pairs[p + 1, 1], 0], spans[pairs[p + 1, 1], 1])
            if pairs[p + 1, 0] != a:
                fetch(grams, spans[pairs[p + 1, 0], 0], spans[pairs[p + 1, 0], 1])
        n_hits = find_bits(grams[start:stop], stop - start - w + 1, bits, hits)
        if n_hits < enough:
            continue
        if looked_into != a:
            looked_into = a
            _set_bits_of_both(grams_a, hashes[first:end], n_a, bits_of_both)
        n_hits = _keep_both(grams[start:stop], hashes[start:stop], bits_of_both, hits, n_hits)
        if n_hits < enough:
            continue
        if indexed != a:
            if indexed >= 0:
                before = spans[indexed, 0]
                for i in range(before, spans[indexed, 1] - w + 1):
                    head[np.int64(grams[i])] = -1
            indexed = a
            _index_grams(grams_a, n_a, head, following)
        shared, kept = 0, 0
        for h in range(n_hits):
            j = hits[h]
            at = np.int64(head[np.int64(grams[start + j])])
            at = _find(hashes, first, start + j, w, at, following)
            if at < 0:
                continue
            hits[kept] = j
            kept += 1
            shared += np.int64(seen[at] != p)
            while at >= 0 and seen[at] != p:
                seen[at] = p
                at = _find(hashes, first, start + j, w, np.int64(following[at]), following)
        shared_out[p] = shared
        if shared >= enough and len(covered):
            n = 0
            for i in range(n_a):
                hits_a[n] = i
                n += np.int64(seen[i] == p)
            marks_a, marks_b = flags[first:end], flags[start:stop]
            covered[p, 0], covered[p, 2] = _cover(hits_a, n, w, marks_a, aside)
            covered[p, 1], covered[p, 3] = _cover(hits, kept, w, marks_b, aside)
            if reach > 0 and least <= _share(covered[p], marks_a, marks_b, aside) < most:
                words_a, words_b = hashes[first:end], hashes[start:stop]
                counts[:] = 0
                _count_near(hits_a, n, reach, w, words_a, marks_a, aside, counts, False)
                covered[p, 4] = _count_near(
                    hits, kept, reach, w, words_b, marks_b, aside, counts, True
                )


@kernel
def _distinct(
    articles: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    grams: NDArray[np.uint16],
    w: int,
    out: NDArray[np.int64],
) -> None:
    """Count the distinct shingles of articles.

    A shingle whose gram no other one of the article has is told by that. There are few others,
    and these are compared with those of the same gram before them, token by token.
    """
    longest = 0
    for k in range(len(articles)):
        longest = max(longest, spans[articles[k], 1] - spans[articles[k], 0])
    bits = np.zeros(_GRAM_BITS // 64, np.uint64)
    again = np.empty(longest + 1, np.uint16)
    places = np.empty(longest + 1, np.int64)
    head = np.full(_GRAM_BITS, -1, np.int32)
    following = np.empty(longest, np.int32)
    for k in range(len(articles)):
        first, end = spans[articles[k], 0], spans[articles[k], 1]
        n = max(end - first - w + 1, 0)
        mine = grams[first:end]
        repeated = _repeated_grams(mine, n, bits, again)
        if repeated == 0:
            out[k] = n
            continue
        _set_bits(again, repeated, bits)
        found = find_bits(mine, n, bits, places)
        distinct = n - found
        for h in range(found):
            i = places[h]
            gram = np.int64(mine[i])
            if _find(hashes, first, first + i, w, np.int64(head[gram]), following) < 0:
                following[i] = head[gram]
                head[gram] = i
                distinct += 1
        for h in range(found):
            head[np.int64(mine[places[h]])] = -1
        out[k] = distinct


def in_pairs(n: int, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Bool (n,), which of n articles are in any pair."""
    found = np.zeros(n, np.bool_)
    found[pairs] = True
    return found


def grams_of(hashes: NDArray[np.uint64], w: int) -> NDArray[np.uint16]:
    """The lower 16 bits of the shingle that begins at each token, 0 where none does."""
    grams = np.zeros(len(hashes), np.uint16)
    every = shingles(hashes, w)
    grams[: len(every)] = every.astype(np.uint16)
    return grams


def shared_shingles(
    pairs: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    w: int,
    grams: NDArray[np.uint16] | None = None,
) -> NDArray[np.int64]:
    """Exact number of distinct shingles that both articles of each candidate pair have.

    Args:
        pairs: int64 (n_pairs, 2), sorted by their first article (for speed, not correctness).
        spans: int64 (n_articles, 2), first token and token after the last of each article.
        hashes: uint64, token hashes.
        w: words per shingle.
        grams: uint16, as in `dedupe.features.Features`, where they are at hand.

    Returns:
        int64 (n_pairs,).
    """
    if grams is None:
        grams = grams_of(hashes, w)
    shared = np.zeros(len(pairs), np.int64)
    none = np.empty((0, 5), np.int64)
    if len(pairs):
        _verify(pairs, spans, hashes, grams, _NO_FLAGS, w, np.uint8(0), 0, *NO_DOUBT, shared, none)
    return shared


def shared_words(
    pairs: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    grams: NDArray[np.uint16],
    flags: NDArray[np.uint8],
    w: int,
    aside: int,
    enough: int,
    doubt: Doubt = NO_DOUBT,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Shared shingles, and the words that stand in them: what is shared without an alignment.

    Args:
        pairs, spans, hashes, grams, w: as for `shared_shingles`.
        flags: uint8, of each token.
        aside: flags of tokens that do not count for net shares.
        enough: shared shingles from which a pair's words are counted.
        doubt: pairs of which common words near shared shingles are counted, too.

    Returns:
        int64 (n_pairs,), as `shared_shingles`, or too few where they are not enough; int64
        (n_pairs, 5), words of a, words of b, those of them without such a flag, and how many
        without are within reach in a and in b alike, wherever there (and hardly any too many; 0
        where there is no doubt); 0 where too few shingles are shared.
    """
    shared = np.zeros(len(pairs), np.int64)
    covered = np.zeros((len(pairs), 5), np.int64)
    if len(pairs):
        _verify(
            pairs, spans, hashes, grams, flags, w, np.uint8(aside), enough, *doubt, shared, covered
        )
    return shared, covered


def distinct_shingles(
    articles: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    w: int,
    grams: NDArray[np.uint16] | None = None,
) -> NDArray[np.int64]:
    """Exact number of distinct shingles of some articles.

    Args:
        articles: int64 (n,).
        spans, hashes, w, grams: as for `shared_shingles`.

    Returns:
        int64 (n,).
    """
    sizes = np.zeros(len(articles), np.int64)
    _distinct(articles, spans, hashes, grams_of(hashes, w) if grams is None else grams, w, sizes)
    return sizes


def resemblance(
    pairs: NDArray[np.int64], shared: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Exact Jaccard of the shingle sets of each pair; 0 where both are empty.

    Args:
        pairs: int64 (n_pairs, 2).
        shared: int64 (n_pairs,), as from `shared_shingles`.
        sizes: int64 (n_articles,), as from `distinct_shingles`, of the articles of the pairs.
    """
    sides = sizes[pairs].reshape(-1, 2)
    jaccard: NDArray[np.float64] = shared / np.maximum(sides.sum(axis=1) - shared, 1)
    return jaccard
