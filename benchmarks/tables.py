"""Corpora in, Markdown tables out."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = ["BUCKETS", "BUCKET_NAMES", "bucket_of", "markdown", "read_corpus"]

BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)
"""Lower bounds of the containment buckets; the last one is open above."""
BUCKET_NAMES = (
    *(f"{low:g}-{high:g}" for low, high in itertools.pairwise(BUCKETS)),
    f"≥ {BUCKETS[-1]:g}",
)


def read_corpus(path: Path | str) -> pl.DataFrame:
    """The columns id, source and text of a parquet file; source is null where there is none."""
    frame = pl.read_parquet(path)
    if "source" not in frame.columns:
        frame = frame.with_columns(source=pl.lit(None, pl.String))
    return frame.select(pl.col("id").cast(pl.String), "source", pl.col("text").fill_null(""))


def bucket_of(column: str) -> pl.Expr:
    """The name of the containment bucket a share falls into, null below the first."""
    expression = pl.lit(None, pl.String)
    for low, name in zip(BUCKETS, BUCKET_NAMES, strict=True):
        expression = pl.when(pl.col(column) >= low).then(pl.lit(name)).otherwise(expression)
    return expression.cast(pl.Enum(BUCKET_NAMES))


def markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; numbers are shown as they are given, floats with three decimals."""
    lines = [header, ["---"] * len(header)]
    lines.extend([_cell(value) for value in row] for row in rows)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
