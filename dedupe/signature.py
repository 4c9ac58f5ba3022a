"""MinHash signatures, bit for bit those of datasketch 2.x with the `affine32` scheme.

    premix(h)   = MurmurHash3's 32-bit finaliser of a shingle's low 32 bits
    row k       = min over shingles of  a[k] · premix(h) + b[k]   mod 2^32

Two articles agree in a row with a probability equal to their resemblance (Broder 1997).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dedupe._jit import in_plain_python, kernel
from dedupe.errors import MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fill_signature", "lean_minhashes", "permutations", "signature"]

EMPTY_ROW = np.uint32(0xFFFFFFFF)
"""A row of a signature of no shingle at all."""


def permutations(num_perm: int, seed: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Multipliers (odd) and addends of datasketch's affine32 permutations.

    Returns:
        a, b: uint32 (num_perm,) each.
    """
    # datasketch draws from numpy's legacy generator; so must we, to give the same numbers.
    generator = np.random.RandomState(seed)
    a = generator.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    b = generator.randint(0, 1 << 32, num_perm, dtype=np.uint32)
    return a, b


@kernel
def fill_signature(
    shingles: NDArray[np.uint64],
    a: NDArray[np.uint32],
    b: NDArray[np.uint32],
    out: NDArray[np.uint32],
) -> None:
    """The signature of one article's shingles into `out`, uint32 (num_perm,)."""
    out[:] = EMPTY_ROW
    for i in range(len(shingles)):
        h = np.uint32(shingles[i] & np.uint64(0xFFFFFFFF))
        h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
        h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
        h = np.uint32(h ^ (h >> np.uint32(16)))
        for k in range(len(a)):
            out[k] = min(out[k], np.uint32(a[k] * h + b[k]))


@in_plain_python(fill_signature)
def _fill_by_columns(
    shingles: NDArray[np.uint64],
    a: NDArray[np.uint32],
    b: NDArray[np.uint32],
    out: NDArray[np.uint32],
) -> None:
    h = shingles.astype(np.uint32)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    for k in range(len(a)):
        out[k] = (a[k] * h + b[k]).min(initial=EMPTY_ROW)


def signature(
    shingles: NDArray[np.uint64], num_perm: int = 128, seed: int = 1
) -> NDArray[np.uint32]:
    """The signature of one article's shingle hashes, uint32 (num_perm,)."""
    a, b = permutations(num_perm, seed)
    out = np.empty(num_perm, np.uint32)
    fill_signature(shingles, a, b, out)
    return out


def lean_minhashes(signatures: NDArray[np.uint32], seed: int = 1) -> list[Any]:
    """Signatures as `datasketch.LeanMinHash` objects, for users who keep datasketch indexes.

    Args:
        signatures: uint32 (n_articles, num_perm).
        seed: the seed they were made with.

    Raises:
        MissingExtraError: datasketch is not installed.
    """
    try:
        from datasketch import LeanMinHash
    except ImportError as error:
        raise MissingExtraError(
            "datasketch is not installed; run: pip install 'dedupe-news[datasketch]'"
        ) from error
    return [LeanMinHash(seed=seed, hashvalues=row, scheme="affine32") for row in signatures]
