"""What candidates are found by: every article's features from a batch's tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._jit import kernel
from dedupe._memory import PerThread
from dedupe.bands import EMPTY_BIN, fill_band_keys, lower_bins
from dedupe.shingle import PIECE, fill_fingerprints, fill_shingles
from dedupe.sketch import distinct_ascending, sketch_limit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.tokens import Tokens

__all__ = ["Features", "extract"]

_GRAM = np.uint64(0xFFFF)


class Features(NamedTuple):
    """Features of n articles.

    Attributes:
        fingerprints: uint64 (n,), equal where the folded texts are equal.
        bands: uint32 (n, bands), the key of each band; 0 where an article has no shingle.
        sketch_offsets: int64 (n + 1,), where each sketch starts.
        sketch: uint64, the sketches end to end, each ascending and distinct.
        grams: uint16 (n_tokens,), the lower 16 bits of the shingle that begins at each token, 0
            where none does.
    """

    fingerprints: NDArray[np.uint64]
    bands: NDArray[np.uint32]
    sketch_offsets: NDArray[np.int64]
    sketch: NDArray[np.uint64]
    grams: NDArray[np.uint16]


def _make_room(n: int) -> tuple[NDArray[np.uint64], NDArray[np.uint16]]:
    """Room for sketches and grams of so many tokens."""
    return np.empty(n + 1, np.uint64), np.empty(n, np.uint16)


_ROOM = PerThread(_make_room)


def extract(tokens: Tokens, config: Config, scale: int, *, borrowed: bool = False) -> Features:
    """Features of the articles of a batch; without the GIL.

    Args:
        tokens: of the batch.
        config: the settings.
        scale: of the sketches.
        borrowed: give out the thread's own array of grams, which the next call in this thread
            writes over, and not a copy.
    """
    n = len(tokens.offsets) - 1
    prints = np.empty(n, np.uint64)
    bands = np.zeros((n, config.bands), np.uint32)
    offsets = np.zeros(n + 1, np.int64)
    sketch, grams = _ROOM.of(len(tokens.hashes))
    fill_fingerprints(tokens.offsets, tokens.hashes, prints)
    _extract(
        tokens.offsets,
        tokens.hashes,
        config.shingle,
        sketch_limit(scale),
        config.rows,
        bands,
        offsets,
        sketch,
        grams,
    )
    grams = grams[: len(tokens.hashes)]
    sketch = sketch[: offsets[-1]].copy()
    return Features(prints, bands, offsets, sketch, grams if borrowed else grams.copy())


@kernel
def _extract(
    token_offsets: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    w: int,
    limit: np.uint64,
    rows: int,
    bands: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    sketch: NDArray[np.uint64],
    grams: NDArray[np.uint16],
) -> None:
    """All but the fingerprints, as `shingle`, `bands` and `sketch` define them one by one.

    In pieces that stay in the first cache: shingles and grams are made in vectors.
    """
    bins = np.empty(bands.shape[1] * rows, np.uint64)
    shingles = np.empty(PIECE, np.uint64)
    used = 0
    for article in range(len(token_offsets) - 1):
        first, last = token_offsets[article], token_offsets[article + 1]
        for k in range(len(bins)):
            bins[k] = EMPTY_BIN
        n = np.uint64(used)
        end = max(first, last - w + 1)
        for start in range(first, end, PIECE):
            size = min(PIECE, end - start)
            fill_shingles(hashes[start : start + size + w - 1], w, shingles)
            piece = grams[start : start + size]
            for i in range(size):
                piece[i] = shingles[i] & _GRAM
            for i in range(size):
                # Stored in any case, and kept only if it belongs: no branch to mispredict.
                sketch[n] = shingles[i]
                n += np.uint64(shingles[i] <= limit)
            lower_bins(shingles[:size], bins)
        for i in range(end, last):
            grams[i] = 0
        if end > first:
            fill_band_keys(bins, rows, bands[article])
        used += distinct_ascending(sketch[used : np.int64(n)])
        offsets[article + 1] = used
