"""Features of a batch against the features of each article."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, shingles_of, tokenise_texts, uint64

from dedupe.bands import fill_band_keys, fill_bins
from dedupe.config import Config
from dedupe.features import extract
from dedupe.shingle import fingerprints

TEXTS = st.lists(st.text("ab \n中", max_size=30), max_size=6)


def band_keys(shingles: list[int], bands: int, rows: int) -> list[int]:
    """Band keys of one article by the kernels of `dedupe.bands`."""
    out = np.zeros(bands, np.uint32)
    if shingles:
        bins = np.empty(bands * rows, np.uint64)
        fill_bins(uint64(shingles), bins)
        fill_band_keys(bins, rows, out)
    keys: list[int] = out.tolist()
    return keys


@examples
@given(TEXTS, st.integers(1, 4), st.sampled_from([1, 2, 8]))
def test_features_are_those_of_each_article(texts: list[str], w: int, scale: int) -> None:
    """A batch has the fingerprints, band keys and sketches of its articles' shingles."""
    config = Config(shingle=w, bands=2, rows=3)
    _, tokens = tokenise_texts(texts)
    found = extract(tokens, config, scale)
    rows = [
        shingles_of(tokens.hashes[a:b].tolist(), w)
        for a, b in zip(tokens.offsets, tokens.offsets[1:], strict=False)
    ]
    sketches = [sorted({h for h in row if h < 2**64 // scale}) for row in rows]
    assert found.fingerprints.tolist() == fingerprints(tokens).tolist()
    assert found.bands.shape == (len(texts), 2)
    assert found.bands.tolist() == [band_keys(row, 2, 3) for row in rows]
    assert found.sketch_offsets.tolist() == np.cumsum([0, *map(len, sketches)]).tolist()
    assert found.sketch.tolist() == [h for row in sketches for h in row]
    grams = [[h & 0xFFFF for h in row] for row in rows]
    sizes = np.diff(tokens.offsets).tolist()
    assert found.grams.tolist() == [
        gram
        for row, size in zip(grams, sizes, strict=True)
        for gram in [*row, *[0] * (size - len(row))]
    ]
