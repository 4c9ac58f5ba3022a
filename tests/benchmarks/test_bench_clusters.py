"""Clusters, and their score."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import needs

from benchmarks.clusters import adjusted_rand, components, joined
from benchmarks.events import events
from benchmarks.families import Settings, dedupe_labels
from benchmarks.generate import combine, footer, story

LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=30)


def test_adjusted_rand_by_hand() -> None:
    """Cells 2 1 0 / 0 1 2: index 2, expected 6·3/15 = 1.2, maximum 4.5, so .8 / 3.3."""
    assert adjusted_rand([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2]) == pytest.approx(0.8 / 3.3)


def test_adjusted_rand_at_its_ends() -> None:
    """Equal clusterings score 1 under any names; all apart against all together scores 0."""
    assert adjusted_rand(["x", "x", "y"], [5, 5, 1]) == 1.0
    assert adjusted_rand([0, 1, 2], [0, 1, 2]) == 1.0
    assert adjusted_rand([0, 0, 0, 0], [0, 1, 2, 3]) == 0.0


@settings(deadline=None)  # the first example imports scikit-learn
@given(LABELS)
def test_adjusted_rand_equals_scikit_learn(labels: list[tuple[int, int]]) -> None:
    """The score is scikit-learn's."""
    metrics = needs("sklearn.metrics")
    truth, found = zip(*labels, strict=True)
    expected = metrics.adjusted_rand_score(truth, found)
    assert adjusted_rand(truth, found) == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=15))
def test_components_are_the_closure(pairs: list[tuple[int, int]]) -> None:
    """Two items have one label exactly if a chain of pairs connects them."""
    reach = {item: {item} for item in range(10)}
    for _ in range(10):
        for a, b in pairs:
            reach[a] |= reach[b]
            reach[b] |= reach[a]
    labels = components(10, pairs)
    for a in range(10):
        assert {b for b in range(10) if labels[b] == labels[a]} == reach[a]


def test_joined_counts_pairs_of_one_group() -> None:
    """Only pairs in one group and one cluster count."""
    assert joined([0, 0, 0, 1, 1], [7, 7, 7, 7, 8]) == 3


def test_settings_are_readable() -> None:
    """Settings print as they stand in the table."""
    assert str(Settings(5, 0.7, 20, 5)) == "20 x 5, 5-grams, J ≥ 0.7"
    assert str(Settings(1, 0.9, checked=False)) == "1-grams, J ≥ 0.9, unchecked"


def test_dedupe_joins_copies_and_no_event() -> None:
    """At its defaults dedupe joins the copies of a story, and no articles that share quotations."""
    frame = combine(story(6, words=200), footer(20, words=120))
    labels = dedupe_labels(frame)
    truth = [family or name for family, name in frame.select("family_truth", "id").iter_rows()]
    assert adjusted_rand(truth, labels) == 1.0
    coverage = events(20)
    labels = dedupe_labels(coverage)
    assert len(set(labels)) == len(coverage)
