"""From articles to verified pairs: in what order, and of which tokens, work is done."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, pairs_array

from dedupe import matching
from dedupe._jit import interpreted
from dedupe.align import PAIR
from dedupe.config import Config
from dedupe.ingest import ingest
from dedupe.matching import find_matches
from dedupe.records import Article, Batch

NUMBERS = st.integers(0, 9)


@examples
@given(st.lists(st.tuples(NUMBERS, NUMBERS).filter(lambda pair: pair[0] != pair[1]), unique=True))
def test_pairs_of_an_article_stay_together(pairs: list[tuple[int, int]]) -> None:
    """Every pair is there once, and those of one first article follow each other, in order."""
    pairs.sort()
    order = matching._by_families(pairs_array(pairs), 10).tolist()
    assert sorted(order) == list(range(len(pairs)))
    firsts = [pairs[k][0] for k in order]
    assert sum(a != b for a, b in pairwise(firsts)) == max(len(set(firsts)) - 1, 0)
    for first in set(firsts):
        mine = [k for k in order if pairs[k][0] == first]
        assert mine == sorted(mine)


def test_families_stay_together() -> None:
    """Families whose articles are everywhere in a corpus come one after the other."""
    family_of = [k % 4 for k in range(40)]
    pairs = [(a, b) for a in range(40) for b in range(a) if family_of[a] == family_of[b]]
    order = matching._by_families(pairs_array(sorted(pairs)), 40).tolist()
    families = [family_of[sorted(pairs)[k][0]] for k in order]
    assert families == sorted(families)


def corpus() -> list[Article]:
    """Stories in several versions, mixed; some share a footer, a few nothing but two paragraphs."""
    chosen = random.Random(5)
    articles = []
    for number in range(90):
        story = number % 31
        words = [f"story{story}x{k}" for k in range(90)]
        for place in chosen.sample(range(90), chosen.choice([0, 1, 4])):
            words[place] = f"own{number}x{place}"
        start = chosen.randrange(0, 50)
        text = " ".join(words[start:] if number % 5 == 0 else words)
        if number % 2 == 0:
            text += "\n\n" + " ".join(f"footer{k}" for k in range(40))
        articles.append(Article(f"{chosen.random()}", text, source=f"paper{number % 4}"))
    return articles


@pytest.mark.parametrize("passages", [False, True])
@pytest.mark.parametrize("size", [1, 7, 512])
@pytest.mark.parametrize("plain", [False, True])
def test_slices_and_files_change_nothing(
    monkeypatch: pytest.MonkeyPatch, size: int, *, passages: bool, plain: bool
) -> None:
    """Matches are the same, and in order, however work is cut and wherever tokens are."""
    batch = Batch.from_articles(corpus())

    def matches(**settings: Any) -> Any:
        config = Config(threads=2, passages=passages, boilerplate_articles=3, **settings)
        articles = ingest([batch], config, [])
        assert articles.spool.spilled == (config.memory_mb == 0)
        found = find_matches(articles, config)
        articles.spool.close()
        return found

    expected = matches()
    for name in ("_PAIRS_PER_TASK", "_ALIGNED_PER_TASK", "_SIZES_PER_TASK"):
        monkeypatch.setattr(matching, name, size)
    with interpreted(wanted=plain):
        found = matches(memory_mb=0)
    assert found.pairs.tolist() == sorted(found.pairs.tolist())
    assert (np.diff(found.passages[:, PAIR]) >= 0).all()
    assert bool(len(found.passages)) == passages
    assert found.counts == expected.counts
    assert found.counts["articles_with_boilerplate"] > 0
    for field in ("pairs", "resemblance", "shared_words", "shares", "net", "net_words", "body",
                  "passages", "masks", "reused_words"):  # fmt: skip
        assert getattr(found, field).tolist() == getattr(expected, field).tolist(), field
