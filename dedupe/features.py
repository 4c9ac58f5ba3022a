"""What candidates are found by: one pass over a batch's tokens makes every article's features."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._jit import kernel
from dedupe.shingle import fill_shingles, fingerprints
from dedupe.signature import fill_signature, permutations
from dedupe.sketch import fill_sketch, sketch_limit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.tokens import Tokens

__all__ = ["Features", "extract"]


class Features(NamedTuple):
    """Features of n articles.

    Attributes:
        fingerprints: uint64 (n,), equal where the folded texts are equal.
        signatures: uint32 (n, num_perm).
        sketch_offsets: int64 (n + 1,), where each sketch starts.
        sketch: uint64, the sketches end to end, each ascending and distinct.
    """

    fingerprints: NDArray[np.uint64]
    signatures: NDArray[np.uint32]
    sketch_offsets: NDArray[np.int64]
    sketch: NDArray[np.uint64]


def extract(tokens: Tokens, config: Config, scale: int) -> Features:
    """Features of the articles of a batch, with sketches of the given scale; without the GIL."""
    n = len(tokens.offsets) - 1
    a, b = permutations(config.num_perm, config.seed)
    signatures = np.empty((n, config.num_perm), np.uint32)
    sketch = np.empty(len(tokens.hashes), np.uint64)
    offsets = np.zeros(n + 1, np.int64)
    _extract(
        tokens.offsets,
        tokens.hashes,
        config.shingle,
        a,
        b,
        sketch_limit(scale),
        signatures,
        offsets,
        sketch,
    )
    return Features(fingerprints(tokens), signatures, offsets, sketch[: offsets[-1]].copy())


@kernel
def _extract(
    token_offsets: NDArray[np.int64],
    token_hashes: NDArray[np.uint64],
    w: int,
    a: NDArray[np.uint32],
    b: NDArray[np.uint32],
    limit: np.uint64,
    signatures: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    sketch: NDArray[np.uint64],
) -> None:
    longest = 0
    for article in range(len(token_offsets) - 1):
        longest = max(longest, token_offsets[article + 1] - token_offsets[article])
    shingles = np.empty(longest, np.uint64)
    used = 0
    for article in range(len(token_offsets) - 1):
        tokens = token_hashes[token_offsets[article] : token_offsets[article + 1]]
        n = fill_shingles(tokens, w, shingles)
        fill_signature(shingles[:n], a, b, signatures[article])
        used += fill_sketch(shingles[:n], limit, sketch[used:])
        offsets[article + 1] = used
