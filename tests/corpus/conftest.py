"""Helpers for the tests of the readers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from dedupe.config import Config
from dedupe.corpus import read_corpus

if TYPE_CHECKING:
    from pathlib import Path

    from dedupe.errors import Problem
    from dedupe.records import Batch

Rows = list[dict[str, Any]]
Reader = Callable[..., tuple[Rows, list["Problem"]]]


def to_rows(batches: list[Batch]) -> Rows:
    """The articles of some batches, each with what is known of it."""
    rows = []
    for batch in batches:
        data = batch.text.tobytes()
        for i, (path, line) in enumerate(batch.places):
            row = {
                "id": batch.ids[i],
                "text": data[batch.offsets[i] : batch.offsets[i + 1]].decode(),
                "source": batch.sources[i],
                "title": batch.titles[i],
                "published": batch.published[i],
                "url": batch.urls[i],
                "language": batch.languages[i],
                "place": f"{path}:{line}",
            }
            rows.append({key: value for key, value in row.items() if value is not None})
    return rows


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Reads inputs, relative to a fresh directory, with settings: (articles, problems)."""
    monkeypatch.chdir(tmp_path)

    def run(*inputs: str, stdin: Any = None, **settings: Any) -> tuple[Rows, list[Problem]]:
        problems: list[Problem] = []
        batches = list(read_corpus(inputs, Config(**settings), problems, stdin=stdin))
        return to_rows(batches), problems

    return run
