"""XXH64 for kernels: the hash of a token, computed where the token is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xxhash

from dedupe._bits import rotate_left
from dedupe._jit import in_plain_python, leaf

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SHORT", "xxh64", "xxh64_short"]

_P1 = np.uint64(0x9E3779B185EBCA87)
_P2 = np.uint64(0xC2B2AE3D27D4EB4F)
_P3 = np.uint64(0x165667B19E3779F9)
_P4 = np.uint64(0x85EBCA77C2B2AE63)
_P5 = np.uint64(0x27D4EB2F165667C5)

SHORT = 15
"""Most bytes that `xxh64_short` hashes: two lanes, of which the second is not whole."""

_4, _8, _32 = (np.uint64(n) for n in (4, 8, 32))


@leaf
def xxh64(data: NDArray[np.uint8], words: NDArray[np.uint64], n: int) -> np.uint64:
    """XXH64, seed 0, of the first n bytes; `words` is the same memory seen as uint64.

    Source: the xxHash specification, https://github.com/Cyan4973/xxHash (BSD).
    """
    pos = 0
    if n >= 32:
        v1 = _P1 + _P2
        v2 = _P2
        v3 = np.uint64(0)
        v4 = np.uint64(0) - _P1
        while pos + 32 <= n:
            lane = pos >> 3
            v1 = rotate_left(v1 + words[lane] * _P2, 31) * _P1
            v2 = rotate_left(v2 + words[lane + 1] * _P2, 31) * _P1
            v3 = rotate_left(v3 + words[lane + 2] * _P2, 31) * _P1
            v4 = rotate_left(v4 + words[lane + 3] * _P2, 31) * _P1
            pos += 32
        h = rotate_left(v1, 1) + rotate_left(v2, 7) + rotate_left(v3, 12) + rotate_left(v4, 18)
        for v in (v1, v2, v3, v4):
            h = (h ^ (rotate_left(v * _P2, 31) * _P1)) * _P1 + _P4
    else:
        h = _P5
    h += np.uint64(n)
    while pos + 8 <= n:
        h = rotate_left(h ^ (rotate_left(words[pos >> 3] * _P2, 31) * _P1), 27) * _P1 + _P4
        pos += 8
    if pos + 4 <= n:
        lane32 = np.uint64(0)
        for k in range(4):
            lane32 |= np.uint64(data[pos + k]) << np.uint64(8 * k)
        h = rotate_left(h ^ (lane32 * _P1), 23) * _P2 + _P3
        pos += 4
    while pos < n:
        h = rotate_left(h ^ (np.uint64(data[pos]) * _P5), 11) * _P1
        pos += 1
    h = (h ^ (h >> np.uint64(33))) * _P2
    h = (h ^ (h >> np.uint64(29))) * _P3
    return h ^ (h >> np.uint64(32))


@leaf
def xxh64_short(
    first: NDArray[np.uint64],
    last: NDArray[np.uint64],
    sizes: NDArray[np.uint64],
    out: NDArray[np.uint64],
) -> None:
    """XXH64, seed 0, of as many strings of at most `SHORT` bytes as there is room for in `out`.

    `first` has the first 8 bytes of each string, `last` those from its last whole lane on (the
    same where it has none); what they hold beyond its `sizes` is not looked at. Every string
    takes every step and keeps the result of those that it has bytes for: that takes no branch,
    and LLVM makes it a loop on vectors.
    """
    for i in range(len(out)):
        size = sizes[i]
        h = _P5 + size
        whole = rotate_left(h ^ (rotate_left(first[i] * _P2, 31) * _P1), 27) * _P1 + _P4
        h = whole if size >= _8 else h
        tail = last[i]
        half = rotate_left(h ^ ((tail & np.uint64(0xFFFFFFFF)) * _P1), 23) * _P2 + _P3
        h = half if size & _4 else h
        tail = tail >> _32 if size & _4 else tail
        left = size & np.uint64(3)
        for k in range(3):
            byte = (tail >> np.uint64(8 * k)) & np.uint64(0xFF)
            one = rotate_left(h ^ (byte * _P5), 11) * _P1
            h = one if np.uint64(k) < left else h
        h = (h ^ (h >> np.uint64(33))) * _P2
        h = (h ^ (h >> np.uint64(29))) * _P3
        out[i] = h ^ (h >> _32)


@in_plain_python(xxh64)
def _xxh64_of_bytes(data: NDArray[np.uint8], words: NDArray[np.uint64], n: int) -> np.uint64:
    del words
    return np.uint64(xxhash.xxh64_intdigest(data[:n].tobytes()))
