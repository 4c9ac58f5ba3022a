"""Retellings at easier levels."""

from __future__ import annotations

import polars as pl

from benchmarks.levels import retellings, steps
from benchmarks.rewrites import difflib_aligner

STORY = [f"word{k} of the first kind and word{k}a with word{k}b" for k in range(6)]


def levels(easier: list[str]) -> pl.DataFrame:
    """One story in two levels."""
    rows = [("s", "advanced", k, text) for k, text in enumerate(STORY)]
    rows += [("s", "elementary", k, text) for k, text in enumerate(easier)]
    return pl.DataFrame(rows, schema=["story", "level", "paragraph", "text"], orient="row")


def test_a_copy_is_linked_and_in_step() -> None:
    """Every paragraph of a copy has its best link in its own row."""
    found = steps(retellings(levels(STORY), "elementary"), difflib_aligner)
    assert found == (1.0, 1.0)


def test_new_and_displaced_paragraphs() -> None:
    """A new paragraph is not linked; one that stands three rows off is linked, but not in step."""
    found = steps(retellings(levels(["a b c", *STORY[4:]]), "elementary"), difflib_aligner)
    assert found == (2 / 3, 0.0)


def test_missing_levels() -> None:
    """A story without the easier level is no pair."""
    assert list(retellings(levels(STORY), "intermediate")) == []
