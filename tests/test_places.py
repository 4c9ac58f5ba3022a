"""Places of tokens in two bytes are the places that the tokens have."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, tokenise_texts

from dedupe._jit import interpreted
from dedupe.places import FAR, Places, pack_places, spans_of
from dedupe.tokens import Tokens

NUMBERS = st.integers(0, 5) | st.integers(250, 260) | st.integers(0, 70_000)
ARTICLES = st.lists(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=8), min_size=1, max_size=5)


def tokens_at(articles: list[list[tuple[int, int]]]) -> Tokens:
    """Tokens with these gaps before them and these lengths."""
    starts: list[int] = []
    ends: list[int] = []
    for article in articles:
        at = 0
        for gap, length in article:
            starts.append(at + gap)
            at += gap + length
            ends.append(at)
    offsets = np.cumsum([0, *map(len, articles)])
    n = len(starts)
    columns = np.array(starts, np.uint32), np.array(ends, np.uint32)
    return Tokens(offsets, np.zeros(n, np.uint64), *columns, np.zeros(n, np.uint8))


@examples
@given(ARTICLES, st.data())
def test_places_come_back(articles: list[list[tuple[int, int]]], data: st.DataObject) -> None:
    """Tokens in a row, of any articles, start and end where these tokens do."""
    tokens = tokens_at(articles)
    spans = np.stack([tokens.offsets[:-1], tokens.offsets[1:]], axis=1)
    filled = [k for k, article in enumerate(articles) if article]
    rows, expected = [], []
    for _ in range(data.draw(st.integers(0, 6)) if filled else 0):
        article = data.draw(st.sampled_from(filled))
        first = data.draw(st.integers(0, len(articles[article]) - 1))
        last = data.draw(st.integers(first + 1, len(articles[article])))
        rows.append([article, first, last])
        at = int(spans[article, 0])
        expected.append([int(tokens.starts[at + first]), int(tokens.ends[at + last - 1])])
    with interpreted(wanted=data.draw(st.booleans())):
        places, array = pack_places(tokens), np.array(rows, np.int64).reshape(-1, 3)
        found = spans_of(array, spans, places)
        # Steps elsewhere than the tokens are numbered.
        moved = Places(np.concatenate([np.empty(3, np.uint16), places.steps]), places.far)
        begins = spans[array[:, 0], 0]
        assert spans_of(array, spans + 3, moved, begins).tolist() == expected
    assert found.tolist() == expected


@examples
@given(ARTICLES)
def test_plain_python_packs_the_same(articles: list[list[tuple[int, int]]]) -> None:
    """Numpy packs as the kernel does, and what is listed is what does not fit."""
    tokens = tokens_at(articles)
    packed = pack_places(tokens)
    compiled = Places(packed.steps.copy(), packed.far)
    with interpreted():
        plain = pack_places(tokens)
    assert [part.tolist() for part in compiled] == [part.tolist() for part in plain]
    pieces = [piece for article in articles for piece in article]
    far = [k for k, (gap, length) in enumerate(pieces) if gap > 254 or length > 255]
    assert compiled.far[:, 0].tolist() == far == np.flatnonzero(compiled.steps == FAR).tolist()


def test_a_word_of_marks_and_a_line_of_signs() -> None:
    """Text that is hardly any has tokens far from the ones before, and very long ones."""
    _, tokens = tokenise_texts(["one" + " -" * 200 + " two", "a" + "\u200b" * 300 + "b c"])
    found = pack_places(tokens)
    assert found.far.tolist() == [[1, 404, 407], [2, 0, 302]]
