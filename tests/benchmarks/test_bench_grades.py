"""Scores of graded reuse."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")

from benchmarks.grades import cross_validated, cuts_of, macro

TRUTH = np.repeat([0, 1, 2], 20)


def test_macro_f1() -> None:
    """All right is 1; everything called derived is right for one class of two."""
    assert macro(TRUTH, TRUTH) == (1.0, 1.0)
    two, three = macro(TRUTH, np.full(60, 2))
    assert two == pytest.approx(0.4)
    assert three == pytest.approx(1 / 6)


def test_cuts_part_grades_that_can_be_parted() -> None:
    """Of a score that orders the grades the cuts part them, in the folds as well."""
    score = TRUTH + np.tile(np.linspace(0, 0.3, 20), 3)
    low, high = cuts_of(score, TRUTH)
    assert 0.2 < low <= 1.1 < high <= 2.1
    assert cross_validated(score, TRUTH)[1] > 0.95


def test_a_score_that_says_nothing() -> None:
    """A constant score reaches no more than one class."""
    assert cross_validated(np.zeros(60), TRUTH)[1] < 0.4
