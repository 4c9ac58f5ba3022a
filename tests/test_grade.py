"""Whether one article derives from another."""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples

from dedupe.align import align_pair
from dedupe.grade import MIN_WORDS, Figures, Grade, grade_pair, logits, measure
from dedupe.quotations import mark_quotations
from dedupe.records import Article, Batch
from dedupe.tokens import Tokens, tokenise

SEEDS = Path(__file__).parent.parent / "seeds"
TEXTS = {path.name[:3]: path.read_text(encoding="utf-8") for path in sorted(SEEDS.glob("*.txt"))}


def tokens_of(text: str) -> Tokens:
    """Tokens of a text, quotations marked."""
    tokens, marks = tokenise(Batch.from_articles([Article(id="", text=text)]))
    mark_quotations(tokens, marks)
    return tokens


def figures(a: str, b: str) -> Figures:
    """The figures of two texts."""
    of_a, of_b = tokens_of(a), tokens_of(b)
    _, partner = align_pair(of_a.hashes, of_a.flags, of_b.hashes, of_b.flags)
    return measure(a, of_a, b, of_b, partner)


def grade(a: str, b: str) -> Grade:
    """The grade of two texts."""
    of_a, of_b = tokens_of(a), tokens_of(b)
    _, partner = align_pair(of_a.hashes, of_a.flags, of_b.hashes, of_b.flags)
    return grade_pair(a, of_a, b, of_b, partner)


@pytest.mark.parametrize("a", TEXTS)
@pytest.mark.parametrize("b", TEXTS)
def test_only_the_two_versions_derive_from_each_other(a: str, b: str) -> None:
    """Of five texts on the same days only the AP versions are told to derive from one another."""
    derived = a == b or {a, b} == {"000", "003"}
    assert (grade(TEXTS[a], TEXTS[b]).label != "none") == derived


def test_an_excerpt_is_wholly_derived_and_the_whole_partially() -> None:
    """A part of an article is its own; the article is only in part the excerpt's."""
    text = TEXTS["004"]
    part = text[: len(text) // 5]
    assert grade(text, part).label == "wholly"
    assert grade(part, text).label != "wholly"


@pytest.mark.parametrize(("a", "b"), [("", ""), ("", "word " * 50), ("a b c", "a b d"), ("…", "!")])
def test_texts_too_short_for_a_grade(a: str, b: str) -> None:
    """Fewer words than `MIN_WORDS` give no grade and say how many there are."""
    found = grade(a, b)
    assert found.label == "none"
    assert found.evidence["words"] < MIN_WORDS


def test_equal_texts_are_wholly_derived() -> None:
    """Even a short text derives wholly from itself."""
    assert grade("Two words", "two WORDS").label == "wholly"


@given(st.integers(0, 10**6), st.integers(MIN_WORDS, 200), st.integers(MIN_WORDS, 200))
@examples
def test_random_words_derive_from_nothing(seed: int, n_a: int, n_b: int) -> None:
    """Texts of words drawn alike are not derived; all figures are finite, shares in range."""
    draw = random.Random(seed)
    words = [f"{x}{y}{z}" for x in "bdfgklmnprst" for y in "aeiou" for z in ("", "n", "rs")]
    a, b = (" ".join(draw.choices(words, k=n)) for n in (n_a, n_b))
    found = grade(a, b)
    assert found.label == "none"
    assert all(math.isfinite(value) for value in found.evidence.values())
    assert all(0 <= found.evidence[k] <= 1 for k in found.evidence if k.endswith("containment"))
    assert found == grade(a, b)


@given(st.lists(st.integers(0, 5), max_size=70), st.lists(st.integers(0, 5), max_size=70))
@examples
def test_the_longest_common_subsequence(a: list[int], b: list[int]) -> None:
    """The bit-parallel length is that of the table of all prefixes."""
    from dedupe.grade import _in_order

    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            best = max(table[i][j + 1], table[i + 1][j])
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else best
    found = _in_order(np.array(a, np.int64), np.array(b, np.int64), 6)
    assert found == table[len(a)][len(b)]


@pytest.mark.parametrize("language", ["en", "ur", "zh"])
def test_rewriting_is_seen_without_a_phrase_left(language: str) -> None:
    """Every third word exchanged leaves few phrases; words and their order still tell, anywhere."""
    draw = random.Random(3)
    letters = {"en": "abcdefghij", "ur": "ابپتثجحخدذ", "zh": "国家新闻社会经济政治"}[language]
    vocabulary = ["".join(draw.choices(letters, k=draw.randint(3, 7))) for _ in range(400)]
    a = draw.choices(vocabulary, k=250)
    b = [w if k % 3 else draw.choice(vocabulary) for k, w in enumerate(a)]
    unrelated = draw.choices(vocabulary, k=250)
    assert grade(" ".join(a), " ".join(b)).label != "none"
    assert grade(" ".join(a), " ".join(unrelated)).label == "none"


def test_more_of_the_source_speaks_more_for_it() -> None:
    """The logits rise with the share of a text that is copied."""
    own = TEXTS["004"].split()
    other = TEXTS["001"].split()
    mixed = [" ".join(own[:n] + other[: 400 - n]) for n in (0, 100, 200, 300)]
    found = [logits(figures(TEXTS["004"], text)) for text in mixed]
    assert found == sorted(found)


def test_hostile_letters() -> None:
    """Lone surrogates, ligatures and marks are measured like any letter."""
    text = "\ud800 ﷺ ﬃ é " * 40
    other = "quite another text of some words " * 10
    assert grade(text, other).label == "none"
