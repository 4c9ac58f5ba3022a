"""Scaled MinHash (FracMinHash): the shingle hashes below 2^64 / s stand for all of them.

Two articles share about 1/s of their common shingles in their sketches, whatever their
lengths: unlike a signature, a sketch sees a short text inside a long one (Irber et al. 2022,
"Lightweight compositional analysis of metagenomes with FracMinHash"; Broder 1997's mod-m
sketches). Sketches of a smaller scale contain those of a larger one, so a run may start at
s = 1 and thin out as the corpus grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedupe._jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.config import Config

__all__ = [
    "FEW",
    "MAX_SCALE",
    "choose_scale",
    "distinct_ascending",
    "fill_sketch",
    "min_shared_by_size",
    "min_shared_hashes",
    "sketch_limit",
]

MAX_SCALE = 8
"""Largest scale chosen by itself: at 16 recall at containment .1–.2 falls to .86 (docs/design.md)."""

SKETCH_BUDGET = 5_000_000
"""Sketch hashes a corpus may have before the scale doubles: about 80 MB with their articles."""

FEW = 10
"""Hashes of a sketch of which one is enough: a tenth, half of the fifth of an article from which a
scan is to miss nothing."""


def choose_scale(n_shingles: int, config: Config, budget: int = SKETCH_BUDGET) -> int:
    """The scale for a corpus of so many shingles: as configured, else the smallest affordable."""
    if config.scale:
        return config.scale
    scale = 1
    while scale < MAX_SCALE and n_shingles > scale * budget:
        scale *= 2
    return scale


def sketch_limit(scale: int) -> np.uint64:
    """The largest hash that belongs to a sketch of this scale."""
    return np.uint64((1 << 64) // scale - 1)


def min_shared_hashes(scale: int, config: Config) -> int:
    """Sketch hashes a candidate pair must share.

    At s = 1 the sketch is the whole text, and the number is exact. Above, half the expected
    number (so that sampling loses few), and at least two: one shared hash in eight hundred
    words is chance more often than reuse.
    """
    if scale == 1:
        return config.min_shared_shingles
    return max(min(2, config.min_shared_shingles), _half_expected(scale, config))


def min_shared_by_size(sizes: NDArray[np.int64], scale: int, config: Config) -> NDArray[np.int32]:
    """Sketch hashes that a pair of different sources must share: the lesser of its articles' two.

    Of an article with few hashes a single one is a large part, and more than chance; and to ask
    for two loses most there, where the text shared is little: of fifteen shingles one in eight
    keeps none or one in four of ten cases. Within a source it is furniture more often than reuse,
    of which so small a sketch tells too little.

    Args:
        sizes: int64 (n,), hashes in each article's sketch that are not known to be boilerplate.
        scale: of the sketches.
        config: the settings.

    Returns:
        int32 (n,).
    """
    usual = min_shared_hashes(scale, config)
    of_few = usual if scale == 1 else max(1, _half_expected(scale, config))
    return np.where(sizes <= FEW, of_few, usual).astype(np.int32)


def _half_expected(scale: int, config: Config) -> int:
    """Half the hashes that sketches are expected to share of the least that a pair shares."""
    return config.min_shared_shingles // (2 * scale)


@kernel
def distinct_ascending(hashes: NDArray[np.uint64]) -> int:
    """Sort hashes in place and leave each once; how many are left.

    They are spread evenly, so each is put where it belongs by its size, at most a few places off,
    and moved up by insertion: linear, and no sort that takes seconds to compile.
    """
    n = len(hashes)
    if n < 2:
        return n
    least, largest = hashes[0], hashes[0]
    for i in range(n):
        least, largest = min(least, hashes[i]), max(largest, hashes[i])
    shift = np.uint64(0)
    while ((largest - least) >> shift) >= np.uint64(1 << 31):
        shift += np.uint64(1)
    # A bucket of each hash, in order: its place between the least and the largest.
    width = ((largest - least) >> shift) + np.uint64(1)
    starts = np.zeros(n + 1, np.int64)
    for i in range(n):
        starts[np.int64((((hashes[i] - least) >> shift) * np.uint64(n)) // width) + 1] += 1
    for k in range(n):
        starts[k + 1] += starts[k]
    placed = np.empty(n, np.uint64)
    for i in range(n):
        bucket = np.int64((((hashes[i] - least) >> shift) * np.uint64(n)) // width)
        placed[starts[bucket]] = hashes[i]
        starts[bucket] += 1
    kept = 0
    for i in range(n):
        value = placed[i]
        k = kept
        while k > 0 and hashes[k - 1] > value:
            k -= 1
        if k > 0 and hashes[k - 1] == value:
            continue
        for m in range(kept, k, -1):
            hashes[m] = hashes[m - 1]
        hashes[k] = value
        kept += 1
    return kept


@kernel
def fill_sketch(shingles: NDArray[np.uint64], limit: np.uint64, out: NDArray[np.uint64]) -> int:
    """The distinct shingles up to `limit`, ascending, into `out`; their number."""
    n = 0
    for i in range(len(shingles)):
        if shingles[i] <= limit:
            out[n] = shingles[i]
            n += 1
    return distinct_ascending(out[:n])
