"""Links that a scan without passages loses are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from benchmarks import links
from dedupe import matching

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Three articles, of which the second is half of the first with words between edited."""
    words = [f"word{k}" for k in range(400)]
    edited = [w if k % 9 else f"edit{k}" for k, w in enumerate(words[:200])]
    texts = [" ".join(words), " ".join([*edited, *(f"other{k}" for k in range(60))]), "no words"]
    path = tmp_path / "corpus.parquet"
    pl.DataFrame({"id": ["a", "b", "c"], "source": ["x", "y", "z"], "text": texts}).write_parquet(
        path
    )
    return path


def test_nothing_is_lost(corpus: Path) -> None:
    """A pair that both scans link is not lost."""
    assert links.row(corpus, {}) == ["corpus.parquet", "defaults", "1", "1", "1", "0", "yes"]


def test_what_is_lost_is_counted(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pair that is not aligned, and has too few words in shared shingles, is."""
    monkeypatch.setattr(matching, "MAY_LINK", 2.0)
    monkeypatch.setattr(matching, "LIKELY", 2.0)
    cells = links.row(corpus, {"threshold": 0.68})
    assert cells == ["corpus.parquet", "threshold 0.68", "1", "0", "1", "1", "no"]
