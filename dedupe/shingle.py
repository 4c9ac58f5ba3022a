"""Tokens to shingles: every w consecutive tokens as one uint64.

    polynomial(i) = Σ_{k<w} token[i + k] · B^(w-1-k)   mod 2^64
    shingle(i)    = fmix64(polynomial(i))

with B = 0x9E3779B97F4A7C15 and MurmurHash3's 64-bit finaliser, so that the cost per shingle
does not depend on w. A text of fewer than w tokens has no shingle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dedupe._jit import ascending, in_plain_python, kernel, leaf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.tokens import Tokens

    Integer = TypeVar("Integer", bound=np.integer[Any])

__all__ = [
    "PIECE",
    "distinct",
    "fill_fingerprints",
    "fill_shingles",
    "fingerprint",
    "fingerprints",
    "fmix64",
    "shingle_at",
    "shingles",
]

BASE = np.uint64(0x9E3779B97F4A7C15)
"""Odd, so that multiplying by it loses nothing: 2^64 / golden ratio (Knuth, TAOCP 3, 6.4)."""


PIECE = 1024
"""Shingles hashed at a time."""


@leaf
def fmix64(x: np.uint64) -> np.uint64:
    """MurmurHash3's 64-bit finaliser, a bijection (Appleby, public domain)."""
    x = (x ^ (x >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    x = (x ^ (x >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return x ^ (x >> np.uint64(33))


@kernel
def fill_shingles(tokens: NDArray[np.uint64], w: int, out: NDArray[np.uint64]) -> int:
    """Shingle hashes of one article's token hashes into `out`, in text order; their number."""
    n = len(tokens) - w + 1
    if n <= 0:
        return 0
    # Loops without a carried value, in pieces that stay in the first cache: LLVM makes them loops
    # on vectors, which take 2 ns a shingle where a rolling hash takes 3.3.
    for first in range(0, n, PIECE):
        size = min(PIECE, n - first)
        piece = out[first : first + size]
        token = tokens[first : first + size]
        for i in range(size):
            piece[i] = token[i]
        for k in range(1, w):
            token = tokens[first + k : first + k + size]
            for i in range(size):
                piece[i] = piece[i] * BASE + token[i]
        for i in range(size):
            piece[i] = fmix64(piece[i])
    return n


@leaf
def shingle_at(tokens: NDArray[np.uint64], i: int, w: int) -> np.uint64:
    """The shingle that begins at token i."""
    polynomial = np.uint64(0)
    for k in range(i, i + w):
        polynomial = polynomial * BASE + tokens[k]
    return fmix64(polynomial)


@in_plain_python(fill_shingles)
def _fill_at_once(tokens: NDArray[np.uint64], w: int, out: NDArray[np.uint64]) -> int:
    n = max(len(tokens) - w + 1, 0)
    polynomial: Any = np.zeros(n, np.uint64)
    for k in range(w):
        polynomial = polynomial * BASE + tokens[k : k + n]
    out[:n] = fmix64(polynomial)
    return n


def shingles(tokens: NDArray[np.uint64], w: int) -> NDArray[np.uint64]:
    """Shingle hashes of one article, uint64 (max(0, n_tokens - w + 1),), in text order."""
    out = np.empty(max(0, len(tokens) - w + 1), np.uint64)
    fill_shingles(tokens, w, out)
    return out


def distinct(values: NDArray[Integer]) -> NDArray[Integer]:
    """The different values, ascending: `np.unique`, which imports another tenth of numpy."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


@leaf
def _chained(value: np.uint64, hashes: NDArray[np.uint64], first: int, last: int) -> np.uint64:
    """A fingerprint with tokens [first, last) taken in."""
    for i in range(first, last):
        value = fmix64(value * BASE + hashes[i])
    return value


@kernel
def fill_fingerprints(
    offsets: NDArray[np.int64], hashes: NDArray[np.uint64], out: NDArray[np.uint64]
) -> None:
    """Fingerprints of the articles of a batch, as in `fingerprints`, into `out`.

    Each token waits for the one before it, for four times as long as it takes: so four articles
    of about the same length go side by side.
    """
    n = len(offsets) - 1
    order = ascending(offsets[1:] - offsets[:-1])
    for k in range(0, n - 3, 4):
        a, b, c, d = order[k], order[k + 1], order[k + 2], order[k + 3]
        at_a, at_b, at_c, at_d = offsets[a], offsets[b], offsets[c], offsets[d]
        value_a, value_b = np.uint64(offsets[a + 1] - at_a), np.uint64(offsets[b + 1] - at_b)
        value_c, value_d = np.uint64(offsets[c + 1] - at_c), np.uint64(offsets[d + 1] - at_d)
        shortest = offsets[a + 1] - at_a
        for i in range(shortest):
            value_a = fmix64(value_a * BASE + hashes[at_a + i])
            value_b = fmix64(value_b * BASE + hashes[at_b + i])
            value_c = fmix64(value_c * BASE + hashes[at_c + i])
            value_d = fmix64(value_d * BASE + hashes[at_d + i])
        out[a] = value_a
        out[b] = _chained(value_b, hashes, at_b + shortest, offsets[b + 1])
        out[c] = _chained(value_c, hashes, at_c + shortest, offsets[c + 1])
        out[d] = _chained(value_d, hashes, at_d + shortest, offsets[d + 1])
    for k in range(n - n % 4, n):
        first, last = offsets[order[k]], offsets[order[k] + 1]
        out[order[k]] = _chained(np.uint64(last - first), hashes, first, last)


@in_plain_python(fill_fingerprints)
def _fill_one_by_one(
    offsets: NDArray[np.int64], hashes: NDArray[np.uint64], out: NDArray[np.uint64]
) -> None:
    for article in range(len(offsets) - 1):
        first, last = offsets[article], offsets[article + 1]
        out[article] = _chained(np.uint64(last - first), hashes, first, last)


def fingerprints(tokens: Tokens) -> NDArray[np.uint64]:
    """One uint64 per article that equal token sequences share; uint64 (n_articles,)."""
    out = np.empty(len(tokens.offsets) - 1, np.uint64)
    fill_fingerprints(tokens.offsets, tokens.hashes, out)
    return out


def fingerprint(tokens: NDArray[np.uint64]) -> int:
    """The fingerprint of one article, given its token hashes."""
    out = np.empty(1, np.uint64)
    fill_fingerprints(np.array([0, len(tokens)], np.int64), np.ascontiguousarray(tokens), out)
    return int(out[0])
