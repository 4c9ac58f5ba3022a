"""Furniture marked from known boilerplate, against asking every token for its nearest shingle."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from aligned import Text, corpus_of, mixed
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, shingles_of, uint64

from dedupe.boilerplate import Known, known_by_article, mark_boilerplate
from dedupe.tokens import FURNITURE, PARAGRAPH, QUOTED
from dedupe.verify import grams_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EVERY = (1 << 64) - 1
"""The limit of a sketch that keeps every shingle."""


def marked(
    texts: list[Text],
    w: int,
    known: set[int],
    *,
    limit: int = EVERY,
    articles: Sequence[int] | None = None,
) -> list[list[int]]:
    """Flags of each text after boilerplate is marked in some of them, in all by default."""
    spans, hashes, flags = corpus_of(texts)
    numbers = np.array(range(len(texts)) if articles is None else articles, np.int64)
    of_all = Known.of_all(len(numbers), uint64(sorted(known)))
    mark_in_both_ways(numbers, spans, hashes, flags, w, limit, of_all)
    return [flags[first:last].tolist() for first, last in spans]


def mark_in_both_ways(
    numbers: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    flags: NDArray[np.uint8],
    w: int,
    limit: int,
    known: Known,
) -> None:
    """Mark articles, which gives the same where each has its own part of what is known."""
    grams, begins = grams_of(hashes, w), spans[numbers, 0]
    sketches = [
        sorted({s for s in shingles_of(hashes[slice(*spans[k])].tolist(), w) if s <= limit})
        for k in numbers
    ]
    ends = np.cumsum([0, *map(len, sketches)])
    sketch = uint64([s for one in sketches for s in one])
    mine = known_by_article(ends, sketch, known.hashes, 2)
    again = flags.copy()
    for target, found in ((flags, known), (again, mine)):
        mark_boilerplate(numbers, spans, hashes, grams, target, w, np.uint64(limit), found, begins)
    assert again.tolist() == flags.tolist()


@examples
@given(
    st.lists(st.sets(st.integers(0, 99)), max_size=6),
    st.sets(st.integers(0, 99)),
    st.sampled_from([1, 2**40]),
    st.integers(1, 3),
)
def test_what_is_known_of_each_article(
    sketches: list[set[int]], known: set[int], scale: int, size: int
) -> None:
    """Each article's own part of what is known, ascending, however the work is cut."""
    ends = np.cumsum([0, *map(len, sketches)])
    sketch = uint64([scale * s for one in sketches for s in sorted(one)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedupe.boilerplate._ARTICLES_PER_TASK", size)
        found = known_by_article(ends, sketch, uint64([scale * s for s in sorted(known)]), 2)
    assert [found.hashes[slice(*span)].tolist() for span in found.spans] == [
        [scale * s for s in sorted(one & known)] for one in sketches
    ]
    assert found.found.tolist() == [bool(one & known) for one in sketches]


def paragraphs_of(text: Text) -> list[range]:
    """The tokens of each paragraph."""
    starts = [k for k in range(len(text.tokens)) if k == 0 or text.has(k, PARAGRAPH)]
    return [range(*ends) for ends in itertools.pairwise([*starts, len(text.tokens)])]


def expected_flags(text: Text, w: int, known: set[int], limit: int) -> list[int]:
    """Flags where each token asks the sketched shingle of its paragraph with the nearest middle.

    Of two that are as near it is the first.
    """
    flags = list(text.flags)
    for place in paragraphs_of(text):
        shingles = shingles_of([text.tokens[k] for k in place], w)
        sketched = [k for k, shingle in enumerate(shingles) if shingle <= limit]
        for k in range(len(place) if sketched else 0):
            nearest = min(sketched, key=lambda s: abs((2 * s + w) - (2 * k + 1)))
            if shingles[nearest] in known:
                flags[place[k]] |= int(FURNITURE)
    return flags


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Text], int, int, set[int]]:
    """Texts with paragraphs, words per shingle, a sketch's limit, and known shingles."""
    w = draw(st.integers(1, 5))
    rows = draw(
        st.lists(
            st.lists(st.integers(0, draw(st.sampled_from([1, 5, 99]))), max_size=40), max_size=4
        )
    )
    flag = st.sampled_from([0, 0, 0, 0, int(PARAGRAPH), int(QUOTED)])
    texts = [
        Text(mixed(row), draw(st.lists(flag, min_size=len(row), max_size=len(row)))) for row in rows
    ]
    shingles = sorted({s for text in texts for s in shingles_of(text.tokens, w)})
    known = draw(st.sets(st.sampled_from(shingles))) if shingles else set()
    limit = EVERY // draw(st.sampled_from([1, 2, 4, 8]))
    return texts, w, limit, known | draw(st.sets(st.integers(0, EVERY), max_size=2))


Case = tuple[list[Text], int, int, set[int]]


@examples
@given(cases())
def test_marks_equal_the_nearest_verdict(case: Case) -> None:
    """A token is furniture if the sketched shingle nearest to it is known, in its paragraph."""
    texts, w, limit, known = case
    expected = [expected_flags(text, w, known, limit) for text in texts]
    assert marked(texts, w, known, limit=limit) == expected


@examples
@given(cases(), st.sets(st.integers(0, 3)))
def test_only_the_articles_asked_for_are_marked(case: Case, asked: set[int]) -> None:
    """Other articles keep their flags, and marking once more changes nothing."""
    texts, w, limit, known = case
    articles = sorted(k for k in asked if k < len(texts))
    whole = marked(texts, w, known, limit=limit)
    once = marked(texts, w, known, limit=limit, articles=articles)
    assert once == [whole[k] if k in asked else text.flags for k, text in enumerate(texts)]
    again = [Text(text.tokens, flags) for text, flags in zip(texts, whole, strict=True)]
    assert marked(again, w, known, limit=limit) == whole


def furniture_of(tokens: list[int], known: set[int], borders: tuple[int, ...] = ()) -> str:
    """Which tokens are furniture ("x"), for shingles of three words."""
    text = Text(mixed(tokens), [int(PARAGRAPH) * (k in borders) for k in range(len(tokens))])
    ((*flags,),) = marked([text], 3, known)
    return "".join("x" if flag & int(FURNITURE) else "." for flag in flags)


COPY, FORM = list(range(10)), list(range(20, 26))
KNOWN = set(shingles_of(mixed(FORM), 3))


def test_a_form_within_copy() -> None:
    """Where every shingle is sketched, a form is furniture up to half a shingle from copy."""
    assert furniture_of(FORM, KNOWN) == "xxxxxx"
    assert furniture_of([*COPY, *FORM, *COPY], KNOWN) == "...........xxxx..........."
    assert furniture_of([*FORM, *COPY], KNOWN) == "xxxxx..........."
    assert furniture_of([*COPY, *FORM], KNOWN) == "...........xxxxx"


@pytest.mark.parametrize("n", [9, 10])
def test_tokens_between_two_verdicts(n: int) -> None:
    """Tokens between two sketched shingles go with the nearer one, and one halfway with the first."""
    for first in range(0, 10_000, 100):
        tokens = mixed(range(first, first + n))
        start, *inner, end = shingles_of(tokens, 3)
        if max(start, end) < min(inner):
            break
    else:
        pytest.fail("no numbering has its first and last shingle alone below a limit")
    text = Text(tokens, [0] * n)
    limit = max(start, end)
    one, other = [int(FURNITURE)], [0]
    before, after = (n + 1) // 2, n // 2
    assert marked([text], 3, {start}, limit=limit) == [one * before + other * after]
    assert marked([text], 3, {end}, limit=limit) == [other * before + one * after]
    assert marked([text], 3, {start, end}, limit=limit) == [one * n]


def test_no_verdict_reaches_into_another_paragraph() -> None:
    """A paragraph is judged by its own shingles, and not at all if it is too short for one."""
    known = {*KNOWN, *shingles_of(mixed([24, 25, 1, 2]), 3)}
    assert furniture_of([*FORM, 1, 2], known) == "xxxxxxxx"
    assert furniture_of([*FORM, 1, 2], known, (6,)) == "xxxxxx.."
    assert furniture_of([*FORM, *COPY], KNOWN, (6,)) == "xxxxxx.........."
    assert furniture_of([*FORM, *COPY], KNOWN, (2, 6)) == "..xxxx.........."


@pytest.mark.parametrize("tokens", [[], [20], [20, 21]])
def test_texts_shorter_than_a_shingle(tokens: list[int]) -> None:
    """Texts of fewer words than a shingle are never marked."""
    assert furniture_of(tokens, KNOWN) == "." * len(tokens)


def test_nothing_known() -> None:
    """Without known boilerplate, or without articles, nothing is marked."""
    assert furniture_of([*COPY, *FORM], set()) == "." * 16
    assert marked([], 3, KNOWN) == []
