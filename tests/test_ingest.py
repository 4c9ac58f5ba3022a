"""What is kept of a corpus does not depend on what was expected of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples

from dedupe import ingest as module
from dedupe.config import Config
from dedupe.features import extract
from dedupe.ingest import Articles, ingest
from dedupe.records import Article, Batch
from dedupe.sketch import choose_scale

BUDGET = 20
"""Shingles from which on the scale rises."""

WORDS = st.lists(st.integers(0, 30), max_size=40)


def read(texts: list[list[int]], likely: int, **settings: int) -> Articles:
    """The columns of texts of numbered words, in batches of two."""
    articles = [
        Article(id=str(k), text=" ".join(f"w{word}" for word in text))
        for k, text in enumerate(texts)
    ]
    batches = [Batch.from_articles(articles[k : k + 2]) for k in range(0, len(articles), 2)]
    return ingest(batches, Config(shingle=2, **settings), [], likely=likely)  # type: ignore[arg-type]


@examples
@given(st.lists(WORDS, max_size=7), st.integers(0, 400), st.integers(1, 3))
def test_a_wrong_guess_of_the_size_changes_nothing(
    texts: list[list[int]], likely: int, threads: int
) -> None:
    """Sketches are of the scale that the corpus asks for, whatever was guessed of its size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "choose_scale", lambda n, c: choose_scale(n, c, BUDGET))
        expected = read(texts, 0)
        found = read(texts, likely, threads=threads)
    assert found.scale == expected.scale
    assert found.ids.to_list() == expected.ids.to_list()
    for name in ("fingerprints", "bands", "sketch_offsets", "sketch"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))


def test_a_guess_that_is_right_saves_the_finer_sketches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first batch is sketched at the scale guessed, and nothing is made again."""
    scales: list[int] = []

    def noted(*args: object, **options: bool) -> object:
        scales.append(args[2])  # type: ignore[arg-type]
        return extract(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "extract", noted)
    monkeypatch.setattr(module, "choose_scale", lambda n, c: choose_scale(n, c, BUDGET))
    found = read([list(range(30))] * 6, 170, threads=1)
    assert found.scale == 8
    assert scales == [8, 8, 8]
