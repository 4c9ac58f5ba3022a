"""Tables of hashes for kernels: open addressing, emptied at no cost; and sets that stay as they are.

Keys are hashes and so spread evenly; nothing here hashes them again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dedupe._bits import prefetch
from dedupe._jit import kernel, leaf

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "fetch",
    "find_bits",
    "is_among",
    "is_in_set",
    "maybe_repeated",
    "set_bits",
    "table_size",
    "table_slot",
]


@leaf
def table_slot(keys: NDArray[np.uint64], used: NDArray[np.int64], key: np.uint64, mark: int) -> int:
    """Slot of a key in an open-addressing table of 2^k slots, or of the free one it may take.

    A slot is taken where `used` equals `mark`: raising the mark empties the table at no cost.
    """
    mask = len(keys) - 1
    slot = np.int64(key >> np.uint64(20)) & mask
    while used[slot] == mark and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@kernel
def table_size(n: int) -> int:
    """Slots for n keys, at most half of them taken."""
    size = 16
    while size < 2 * n:
        size *= 2
    return size


@kernel
def maybe_repeated(keys: NDArray[Any]) -> NDArray[np.bool_]:
    """False for keys, unsigned and evenly spread, that surely occur once.

    Counters shared by keys that collide: most keys of most corpora are held once, and this
    drops nearly all of those before a sort or a table has to deal with them.
    """
    size = 1024
    while size < 4 * len(keys):
        size *= 2
    mask = np.uint64(size - 1)
    counts = np.zeros(size, np.uint8)
    for i in range(len(keys)):
        slot = np.uint64(keys[i]) & mask
        if counts[slot] < 2:
            counts[slot] += np.uint8(1)
    out = np.empty(len(keys), np.bool_)
    for i in range(len(keys)):
        out[i] = counts[np.uint64(keys[i]) & mask] > 1
    return out


@leaf
def is_among(values: NDArray[Any], value: Any) -> bool:
    """Whether a number is among some, which ascend."""
    # No `np.searchsorted`: to load a kernel with that, numba imports all it knows of numpy.
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low < len(values) and values[low] == value


@kernel
def set_bits(hashes: NDArray[np.uint64], bits: NDArray[np.uint64]) -> None:
    """Set the bit of each hash, numbered by its lower bits, in 2^k words."""
    mask = np.uint64(64 * len(bits) - 1)
    for k in range(len(hashes)):
        bit = hashes[k] & mask
        bits[bit >> np.uint64(6)] |= np.uint64(1) << (bit & np.uint64(63))


@leaf
def is_in_set(key: np.uint64, values: NDArray[np.uint64], bits: NDArray[np.uint64]) -> bool:
    """Whether a hash is among ascending values; the bits, from `set_bits`, say no of most at once."""
    bit = key & np.uint64(64 * len(bits) - 1)
    if (bits[bit >> np.uint64(6)] >> (bit & np.uint64(63))) & np.uint64(1) == 0:
        return False
    return is_among(values, key)


@leaf
def find_bits(
    keys: NDArray[np.uint16], n: int, bits: NDArray[np.uint64], out: NDArray[np.int64]
) -> int:
    """Places of the first n keys whose bits, of 65,536, are set, into `out`; how many."""
    found = 0
    for i in range(n):
        key = np.uint64(keys[i])
        # Stored in any case, and kept only if it is one: no branch to mispredict.
        out[found] = i
        found += np.int64((bits[key >> np.uint64(6)] >> (key & np.uint64(63))) & np.uint64(1))
    return found


_FETCHED = 2048
"""Grams of an article that are fetched while another one is looked at: 4 kB. Articles are everywhere
in memory, from where a first line takes longer than comparing hundreds of grams."""


@leaf
def fetch(grams: NDArray[np.uint16], first: int, last: int) -> None:
    """Have the grams of an article on their way, for `find_bits`."""
    for k in range(first, min(last, first + _FETCHED), 32):
        prefetch(grams, k)
