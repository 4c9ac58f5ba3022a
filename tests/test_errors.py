"""The tree of exceptions."""

from __future__ import annotations

import dataclasses

import pytest

from dedupe import errors
from dedupe.errors import DedupeError, Problem


def test_tree_in_the_docstring() -> None:
    """The docstring draws every exception, each right below the base."""
    classes = [
        value
        for name, value in vars(errors).items()
        if name in errors.__all__ and value not in (DedupeError, Problem)
    ]
    drawing = (errors.__doc__ or "").split("```")[1]
    drawn = [line.split()[1] for line in drawing.splitlines() if "──" in line]
    assert sorted(drawn) == sorted(cls.__name__ for cls in classes)
    assert {cls.__bases__ for cls in classes} == {(DedupeError,)}
    assert DedupeError.__bases__ == (Exception,)


def test_problems_sort_by_place() -> None:
    """Problems are ordered by file, then line."""
    rows = [Problem("b", 1, "r", "m"), Problem("a", 10, "r", "m"), Problem("a", 9, "r", "m", "id")]
    assert sorted(rows) == [rows[2], rows[1], rows[0]]


def test_problems_are_frozen() -> None:
    """A problem is a record of fixed fields, whose id may be unknown."""
    problem = Problem("a.txt", 0, "is empty", "remove it")
    assert dataclasses.asdict(problem) == {
        "path": "a.txt",
        "line": 0,
        "reason": "is empty",
        "remedy": "remove it",
        "id": "",
    }
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.line = 3  # type: ignore[misc]
