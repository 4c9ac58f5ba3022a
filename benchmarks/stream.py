"""What a stream of articles ends in, beside a scan of all of them.

`python -m benchmarks.stream CORPUS.parquet --seed 1`

The articles are added to an index in random order. Of the pairs of a scan at its defaults: how
many does the index have, by the larger net share of the two? And do its families join the same
articles, before and after it is compacted? `Index.result` gives the scan's own tables in any case.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.tables import markdown

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from dedupe import Article, Index, ScanResult

__all__ = ["main"]

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3)
"""Lower bounds of the rows; the last one is open above."""

Pair = tuple[str, str]


def _articles(corpus: Path, seed: int) -> list[Article]:
    import polars as pl

    from dedupe import Article

    frame = pl.read_parquet(corpus)
    if "source" not in frame.columns:
        frame = frame.with_columns(source=pl.lit(None, pl.String))
    rows = frame.select(pl.col("id").cast(pl.String), "source", pl.col("text").fill_null(""))
    articles = [Article(id=a, source=b, text=c) for a, b, c in rows.iter_rows()]
    random.Random(seed).shuffle(articles)
    return articles


def _joined(groups: Iterable[Iterable[str]]) -> set[Pair]:
    """Pairs of members of one group."""
    return {pair for group in groups for pair in itertools.combinations(sorted(group), 2)}


def _streamed(index: Index, ids: list[str]) -> set[Pair]:
    return _joined(family.members for family in index.families(ids))


def _scanned(result: ScanResult) -> set[Pair]:
    families = result.documents.drop_nulls("family").group_by("family").agg("id")
    return _joined(families["id"].to_list())


def _by_share(pairs: pl.DataFrame, sources: dict[str, str | None], found: set[Pair]) -> str:
    counts = {low: [0, 0, 0, 0] for low in SHARES}
    for a, b, one, other in pairs.select("a", "b", "net_a_in_b", "net_b_in_a").iter_rows():
        row = counts[max(low for low in SHARES if low <= max(one, other))]
        apart = sources[a] != sources[b]
        row[2 * apart] += 1
        row[2 * apart + 1] += (a, b) in found
    return markdown(
        ["net share of at least", "of one source", "in the index", "of two", "in the index"],
        [[low, *row] for low, row in counts.items()],
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.stream", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--seed", type=int, default=1, help="of the order")
    parser.add_argument("--singly", action="store_true", help="check and add one by one")
    args = parser.parse_args()
    from dedupe import Index, scan

    articles = _articles(args.corpus, args.seed)
    ids = [article.id for article in articles]
    found: set[Pair] = set()
    with tempfile.TemporaryDirectory() as name, Index.open(Path(name) / "index") as index:
        size = 1 if args.singly else 1000
        for first in range(0, len(articles), size):
            for match in index.check_and_add_many(articles[first : first + size]):
                found |= {(min(match.id, of), max(match.id, of)) for of in match.of}
        before = _streamed(index, ids)
        index.compact()
        after = _streamed(index, ids)
    result = scan(args.corpus)
    sources = dict(result.documents.select("id", "source").iter_rows())
    expected = _scanned(result)
    print(_by_share(result.pairs, sources, found))
    print()
    print(
        markdown(
            ["families", "pairs of articles joined", "as the scan"],
            [
                ["of the scan", len(expected), len(expected)],
                ["of the index", len(before), len(before & expected)],
                ["of the index, compacted", len(after), len(after & expected)],
            ],
        )
    )


if __name__ == "__main__":
    main()
