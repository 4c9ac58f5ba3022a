"""Heavy rewriting by people: a story retold at an easier level, paragraph by paragraph.

`python -m benchmarks.levels LEVELS.parquet` (columns story, level, paragraph, text; the level
"advanced" is the source) No word-level truth is known, but retold paragraphs stay roughly in
step. So the table says of the paragraphs of each easier level how many are linked to any of
the source, and how many best to one in the same row or a neighbouring one; where the retelling
left out two paragraphs or more, even a right link counts as a miss.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from benchmarks.rewrites import ALIGNERS, Aligner
from benchmarks.rewriting import tokens_of
from benchmarks.tables import markdown
from dedupe.tokens import PARAGRAPH

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Steps", "retellings", "steps"]

SOURCE = "advanced"
LINK = 3
"""Equal words, aligned, that link a paragraph to another."""


class Steps(NamedTuple):
    """Shares in [0, 1], of all paragraphs of the retellings: linked, and linked in step."""

    linked: float
    in_step: float


def retellings(levels: pl.DataFrame, level: str) -> Iterator[tuple[str, str]]:
    """Every story at the source's level and at another one, a paragraph on each line."""
    texts: dict[tuple[str, str], list[str]] = {}
    columns = levels.sort("story", "level", "paragraph").select("story", "level", "text")
    for story, name, text in columns.iter_rows():
        texts.setdefault((story, name), []).append(" ".join(text.split()))
    for (story, name), paragraphs in texts.items():
        if name == SOURCE and (story, level) in texts:
            yield "\n".join(paragraphs), "\n".join(texts[story, level])


def steps(pairs: Iterator[tuple[str, str]], aligner: Aligner) -> Steps:
    """How many paragraphs an aligner links, and how many in step."""
    n, linked, in_step = 0, 0, 0
    for a, b in pairs:
        partner = aligner(a, b).partner
        row_a, row_b = (np.cumsum(tokens_of(text).flags & PARAGRAPH) - 1 for text in (a, b))
        for row in range(int(row_b[-1]) + 1 if len(row_b) else 0):
            there = partner[(row_b == row) & (partner >= 0)]
            n += 1
            if len(there) >= LINK:
                linked += 1
                best = int(np.argmax(np.bincount(row_a[there])))
                in_step += abs(best - row) <= 1
    return Steps(linked / max(n, 1), in_step / max(n, 1))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.levels", description=__doc__)
    parser.add_argument("levels", type=Path, help="parquet: story, level, paragraph, text")
    levels = pl.read_parquet(parser.parse_args().levels)
    easier = [name for name in levels["level"].unique().sort().to_list() if name != SOURCE]
    rows: list[list[object]] = []
    for name, aligner in ALIGNERS.items():
        found = [steps(retellings(levels, level), aligner) for level in easier]
        rows.append([name, *(share for pair in found for share in pair)])
    columns = [f"{level}: {what}" for level in easier for what in ("linked", "in step")]
    print(markdown(["method", *columns], rows))


if __name__ == "__main__":
    main()
