"""Shares of pairs, and what is reused of an article, against sets."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, pairs_array

from dedupe.measures import count_flagged, count_reused, mark_reused

SPANS = np.array([[20 * k, 20 * (k + 1)] for k in (2, 0, 3, 1)], np.int64)


@st.composite
def passages(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[list[int]]]:
    """Pairs of four articles of 20 words and passages between them."""
    pairs = draw(
        st.lists(st.sampled_from([(0, 1), (0, 2), (1, 3), (2, 3)]), min_size=1, max_size=4)
    )
    rows = []
    for _ in range(draw(st.integers(0, 8))):
        row = [draw(st.integers(0, len(pairs) - 1))]
        for _ in range(2):
            start = draw(st.integers(0, 19))
            row += [start, draw(st.integers(start + 1, 20))]
        rows.append([*row, 1, 0, 0, 0])
    return pairs, rows


@examples
@given(passages())
def test_reused_words_equal_sets(case: tuple[list[tuple[int, int]], list[list[int]]]) -> None:
    """Words in passages shared with whomever count once."""
    pairs, rows = case
    tokens: set[int] = set()
    for pair, a, a_end, b, b_end, *_ in rows:
        for article, start, end in ((pairs[pair][0], a, a_end), (pairs[pair][1], b, b_end)):
            tokens |= {int(SPANS[article, 0]) + k for k in range(start, end)}
    array = np.array(rows, np.int32).reshape(-1, 9)
    marked = np.zeros(80, np.bool_)
    mark_reused(SPANS, pairs_array(pairs), array, marked)
    found = count_reused(SPANS, pairs_array(pairs), marked)
    assert found.tolist() == [sum(a <= k < b for k in tokens) for a, b in SPANS.tolist()]


@examples
@given(
    st.lists(st.integers(0, 255), max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=4),
    st.integers(0, 255),
)
def test_flagged_tokens_are_counted_one_by_one(
    flags: list[int], spans: list[tuple[int, int]], wanted: int
) -> None:
    """Whatever the flags beside those wanted, and wherever articles begin and end."""
    rows = [sorted(min(end, len(flags)) for end in span) for span in spans]
    out = np.full(len(rows), -1, np.int64)
    here = np.arange(0, len(rows), 2)
    count_flagged(here, np.array(rows, np.int64), np.array(flags, np.uint8), wanted, out)
    for k, (first, last) in enumerate(rows):
        expected = sum(flag & wanted != 0 for flag in flags[first:last])
        assert out[k] == (-1 if k % 2 else expected)
