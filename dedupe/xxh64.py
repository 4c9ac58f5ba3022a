"""XXH64 for kernels: the hash of a token, computed where the token is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xxhash

from dedupe._jit import in_plain_python, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["xxh64"]

_P1 = np.uint64(0x9E3779B185EBCA87)
_P2 = np.uint64(0xC2B2AE3D27D4EB4F)
_P3 = np.uint64(0x165667B19E3779F9)
_P4 = np.uint64(0x85EBCA77C2B2AE63)
_P5 = np.uint64(0x27D4EB2F165667C5)


@kernel
def _rotl(x: np.uint64, r: int) -> np.uint64:
    return (x << np.uint64(r)) | (x >> np.uint64(64 - r))


@kernel
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
            v1 = _rotl(v1 + words[lane] * _P2, 31) * _P1
            v2 = _rotl(v2 + words[lane + 1] * _P2, 31) * _P1
            v3 = _rotl(v3 + words[lane + 2] * _P2, 31) * _P1
            v4 = _rotl(v4 + words[lane + 3] * _P2, 31) * _P1
            pos += 32
        h = _rotl(v1, 1) + _rotl(v2, 7) + _rotl(v3, 12) + _rotl(v4, 18)
        for v in (v1, v2, v3, v4):
            h = (h ^ (_rotl(v * _P2, 31) * _P1)) * _P1 + _P4
    else:
        h = _P5
    h += np.uint64(n)
    while pos + 8 <= n:
        h = _rotl(h ^ (_rotl(words[pos >> 3] * _P2, 31) * _P1), 27) * _P1 + _P4
        pos += 8
    if pos + 4 <= n:
        lane32 = np.uint64(0)
        for k in range(4):
            lane32 |= np.uint64(data[pos + k]) << np.uint64(8 * k)
        h = _rotl(h ^ (lane32 * _P1), 23) * _P2 + _P3
        pos += 4
    while pos < n:
        h = _rotl(h ^ (np.uint64(data[pos]) * _P5), 11) * _P1
        pos += 1
    h = (h ^ (h >> np.uint64(33))) * _P2
    h = (h ^ (h >> np.uint64(29))) * _P3
    return h ^ (h >> np.uint64(32))


@in_plain_python(xxh64)
def _xxh64_of_bytes(data: NDArray[np.uint8], words: NDArray[np.uint64], n: int) -> np.uint64:
    del words
    return np.uint64(xxhash.xxh64_intdigest(data[:n].tobytes()))
