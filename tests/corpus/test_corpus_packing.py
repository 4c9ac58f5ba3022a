"""Rows and blocks to batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from conftest import to_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from dedupe.config import Config
from dedupe.corpus._packing import pack
from dedupe.corpus._rows import Row, Run
from dedupe.records import Article, Batch

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 100
"""Bytes in a batch: the smallest there is."""

CONFIG = Config(chunk_mb=LIMIT / 1e6)
SIZES = st.lists(st.integers(1, 130), max_size=60)


class ListBlock:
    """A block of articles at hand; counts what is taken."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.taken = 0
        self.lengths = np.array([len(row.text) for row in rows], np.int64)

    def take(self, first: int, last: int) -> Batch:
        """Pack some."""
        self.taken += last - first
        rows = self.rows[first:last]
        return Batch.from_articles(
            [Article(row.id, row.text.decode()) for row in rows], [row.place for row in rows]
        )


def row_of(k: int, size: int) -> Row:
    """Article number k, of so many bytes."""
    return Row(str(k), b"x" * size, None, None, None, None, None, ("f", k))


def greedy(sizes: list[int]) -> list[list[int]]:
    """The articles of each batch, one article after the other."""
    batches: list[list[int]] = []
    size = LIMIT + 1
    for k, more in enumerate(sizes):
        if size + more > LIMIT:
            batches.append([])
            size = 0
        batches[-1].append(k)
        size += more
    return batches


@st.composite
def mixed(draw: Any) -> tuple[list[int], list[Row | ListBlock]]:
    """Sizes of articles, and these as rows and blocks of any length, empty ones among them."""
    sizes = draw(SIZES)
    items: list[Row | ListBlock] = []
    rows = [row_of(k, size) for k, size in enumerate(sizes)]
    while rows:
        n = draw(st.integers(0, 12))
        part, rows = rows[:n], rows[n:]
        items.extend(part if draw(st.booleans()) else [ListBlock(part)])
    return sizes, items


@settings(deadline=None, derandomize=True)
@given(mixed())
def test_borders(given_: tuple[list[int], list[Row | ListBlock]]) -> None:
    """Batches are as full as they can be in order, however the articles come in."""
    sizes, items = given_
    batches = [batch for batch in pack(items, Run(CONFIG, [])) if batch is not None]
    assert [list(map(int, batch.ids)) for batch in batches] == greedy(sizes)
    assert [len(row["text"]) for row in to_rows(batches)] == sizes
    assert [row["place"] for row in to_rows(batches)] == [f"f:{k}" for k in range(len(sizes))]


def test_stop() -> None:
    """A run that is to stop ends at the next article, without a batch of what is held."""
    run = Run(CONFIG, [])

    def rows() -> Iterator[Row]:
        yield row_of(0, 90)
        yield row_of(1, 90)
        run.end()
        yield row_of(2, 90)
        raise AssertionError

    assert [batch.ids for batch in pack(rows(), run) if batch is not None] == [["0"]]
