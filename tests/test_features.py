"""Features of a batch against the features of each article."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, shingles_of, tokenise_texts

from dedupe.config import Config
from dedupe.features import extract
from dedupe.shingle import fingerprints
from dedupe.signature import signature

TEXTS = st.lists(st.text("ab \n中", max_size=30), max_size=6)


@examples
@given(TEXTS, st.integers(1, 4), st.sampled_from([1, 2, 8]))
def test_features_are_those_of_each_article(texts: list[str], w: int, scale: int) -> None:
    """A batch has the fingerprints, signatures and sketches of its articles' shingles."""
    config = Config(shingle=w, num_perm=8, bands=2, seed=4)
    _, tokens = tokenise_texts(texts)
    found = extract(tokens, config, scale)
    rows = [
        shingles_of(tokens.hashes[a:b].tolist(), w)
        for a, b in zip(tokens.offsets, tokens.offsets[1:], strict=False)
    ]
    sketches = [sorted({h for h in row if h < 2**64 // scale}) for row in rows]
    assert found.fingerprints.tolist() == fingerprints(tokens).tolist()
    assert found.signatures.shape == (len(texts), 8)
    assert found.signatures.tolist() == [
        signature(np.array(row, np.uint64), 8, 4).tolist() for row in rows
    ]
    assert found.sketch_offsets.tolist() == np.cumsum([0, *map(len, sketches)]).tolist()
    assert found.sketch.tolist() == [h for row in sketches for h in row]
