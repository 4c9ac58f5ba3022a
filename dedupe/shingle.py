"""Tokens to shingles: every w consecutive tokens as one uint64.

    polynomial(i) = Σ_{k<w} token[i + k] · B^(w-1-k)   mod 2^64
    shingle(i)    = fmix64(polynomial(i))

with B = 0x9E3779B97F4A7C15 and MurmurHash3's 64-bit finaliser, so that the cost per shingle
does not depend on w. A text of fewer than w tokens has no shingle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dedupe._jit import in_plain_python, kernel, leaf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.tokens import Tokens

    Integer = TypeVar("Integer", bound=np.integer[Any])

__all__ = [
    "distinct",
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


@kernel
def _fingerprints(
    offsets: NDArray[np.int64], hashes: NDArray[np.uint64], out: NDArray[np.uint64]
) -> None:
    for article in range(len(offsets) - 1):
        first, last = offsets[article], offsets[article + 1]
        value = np.uint64(last - first)
        for i in range(first, last):
            value = fmix64(value * BASE + hashes[i])
        out[article] = value


def fingerprints(tokens: Tokens) -> NDArray[np.uint64]:
    """One uint64 per article that equal token sequences share; uint64 (n_articles,)."""
    out = np.empty(len(tokens.offsets) - 1, np.uint64)
    _fingerprints(tokens.offsets, tokens.hashes, out)
    return out


def fingerprint(tokens: NDArray[np.uint64]) -> int:
    """The fingerprint of one article, given its token hashes."""
    out = np.empty(1, np.uint64)
    _fingerprints(np.array([0, len(tokens)], np.int64), np.ascontiguousarray(tokens), out)
    return int(out[0])
