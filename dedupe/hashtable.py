"""Tables of hashes for kernels: open addressing, emptied at no cost.

Keys are hashes and so spread evenly; nothing here hashes them again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dedupe._jit import kernel, leaf

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["maybe_repeated", "table_size", "table_slot"]


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
