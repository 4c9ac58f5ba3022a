"""Families against known truth, and against independent coverage of one event.

`python -m benchmarks.families VERSIONS.parquet` (columns article, version, text; the versions of
an article are one family)

Every tool clusters the versions; the peers do so at their defaults and at whichever settings of a
grid agree best with this very truth, an advantage that `dedupe`, at its defaults, does not get.
The same settings then cluster the articles of `benchmarks.events`, where every join is wrong.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.clusters import adjusted_rand, components, joined
from benchmarks.events import events
from benchmarks.tables import markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Settings", "datasketch_pairs", "dedupe_labels", "gaoya_pairs"]

NGRAMS = (1, 2, 3, 5)
SHAPES = ((20, 5), (32, 4), (42, 3), (64, 2))
"""gaoya's (bands, rows): its default, and ever more willing ones."""
THRESHOLDS = (0.02, 0.03, *(round(0.05 * step, 2) for step in range(1, 20)))
NUM_PERM = 128
"""datasketch's default."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a peer.

    Attributes:
        ngram: words per shingle.
        threshold: Jaccard from which a pair counts.
        bands, rows: LSH shape; 0 leaves them to datasketch, which derives them.
        checked: drop candidates whose signatures agree less than the threshold.
    """

    ngram: int
    threshold: float
    bands: int = 0
    rows: int = 0
    checked: bool = True

    def __str__(self) -> str:
        shape = f"{self.bands} x {self.rows}, " if self.bands else ""
        return f"{shape}{self.ngram}-grams, J ≥ {self.threshold:g}" + (
            "" if self.checked else ", unchecked"
        )


GAOYA_DEFAULT = Settings(ngram=1, threshold=0.75, bands=20, rows=5)
"""Its default but for case, which is folded for every tool here."""
DATASKETCH_DEFAULT = Settings(ngram=5, threshold=0.9, checked=False)
"""datasketch shingles nothing itself: 5-grams, as everybody does who uses it on news."""
USUAL = Settings(ngram=5, threshold=0.7, bands=20, rows=5)
"""What deduplication pipelines use (5-grams, J ≥ .7)."""

Pairs = list[tuple[int, int]]


def gaoya_pairs(texts: list[str], shape: tuple[int, int], ngram: int) -> dict[float, Pairs]:
    """Pairs of gaoya at each of `THRESHOLDS` and its default's, from one index."""
    import gaoya

    bands, rows = shape
    index = gaoya.minhash.MinHashStringIndex(
        32, THRESHOLDS[0], bands, rows, None, "word", True, (ngram, ngram)
    )  # fmt: skip
    index.par_bulk_insert_docs(list(range(len(texts))), texts)
    found = [
        (a, b, similarity)
        for a, row in enumerate(index.par_bulk_query(texts, return_similarity=True))
        for b, similarity in row
        if a < b
    ]
    return {
        threshold: [(a, b) for a, b, similarity in found if similarity >= threshold]
        for threshold in THRESHOLDS
    }


def datasketch_pairs(
    signatures: NDArray[np.uint32], minhashes: Sequence[object], settings: Settings
) -> Pairs:
    """Pairs of datasketch's MinHashLSH: what its query returns, checked on the signatures if asked for."""
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=settings.threshold, num_perm=NUM_PERM)
    pairs = []
    for number, minhash in enumerate(minhashes):
        pairs += [(int(other), number) for other in index.query(minhash)]
        index.insert(number, minhash)
    if not settings.checked or not pairs:
        return pairs
    a, b = np.array(pairs).T
    agree = (signatures[a] == signatures[b]).mean(axis=1) >= settings.threshold
    return [pair for pair, keep in zip(pairs, agree.tolist(), strict=True) if keep]


def dedupe_labels(articles: pl.DataFrame) -> list[str]:
    """The family of each article by `dedupe.scan` at its defaults; its own id where alone."""
    import dedupe

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.parquet"
        # Nothing but what a reader of news has: no column with the truth.
        articles.select(pl.col("^(id|source|published|text)$")).write_parquet(path)
        documents = dedupe.scan(path).documents
    families = dict(documents.select("id", "family").iter_rows())
    return [families[name] or f"alone {name}" for name in articles["id"]]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.families", description=__doc__)
    parser.add_argument("versions", type=Path, help="parquet: article, version, text")
    parser.add_argument("--triples", type=int, default=100, help="events of three articles each")
    parser.add_argument("--no-dedupe", action="store_true", help="the peers only")
    args = parser.parse_args()
    versions = pl.read_parquet(args.versions)
    coverage = events(args.triples)
    truth, texts = versions["article"].to_list(), versions["text"].to_list()
    rows: list[list[object]] = []
    if not args.no_dedupe:
        ids = pl.Series("id", [f"v{number}" for number in range(len(texts))])
        found = dedupe_labels(pl.DataFrame([ids, versions["text"]]))
        stories = dedupe_labels(coverage)
        rows.append(["dedupe", "default", *_scores(truth, found, coverage, stories)])
    for name, runs in (("gaoya", _gaoya), ("datasketch", _datasketch)):
        rows += _peer(name, runs, truth, texts, coverage)
    print(f"{len(texts):,} versions of {len(set(truth)):,} articles; ", end="")
    print(f"{args.triples} events of 3 articles each, {3 * args.triples} pairs, none a reprint.\n")
    header = ["tool", "settings", "versions: ARI", "events: pairs joined", "other pairs joined"]
    print(markdown(header, rows))


def _scores(
    truth: Sequence[object], found: Sequence[object], coverage: pl.DataFrame, stories: Sequence[object]
) -> list[object]:  # fmt: skip
    wrong = joined(coverage["event"].to_list(), stories)
    return [adjusted_rand(truth, found), wrong, joined([0] * len(stories), stories) - wrong]


def _peer(
    name: str,
    runs: Callable[[list[str], Iterable[Settings]], Iterator[tuple[Settings, Pairs]]],
    truth: list[str],
    texts: list[str],
    coverage: pl.DataFrame,
) -> list[list[object]]:
    """Rows for a peer: its defaults, the usual settings, and the best of its grid."""
    default = GAOYA_DEFAULT if name == "gaoya" else DATASKETCH_DEFAULT
    usual = USUAL if name == "gaoya" else Settings(ngram=5, threshold=0.7)
    labels = {s: components(len(texts), pairs) for s, pairs in runs(texts, _grid(name))}
    best = max(labels, key=lambda settings: adjusted_rand(truth, labels[settings].tolist()))
    chosen = [("default", default), ("usual", usual), ("best here", best)]
    stories = coverage["text"].to_list()
    on_events = {
        s: components(len(stories), pairs) for s, pairs in runs(stories, [s for _, s in chosen])
    }
    return [
        [
            name,
            f"{title}: {settings}",
            *_scores(truth, labels[settings].tolist(), coverage, on_events[settings].tolist()),
        ]
        for title, settings in chosen
    ]


def _grid(name: str) -> list[Settings]:
    if name == "gaoya":
        return [
            Settings(ngram=ngram, threshold=threshold, bands=bands, rows=rows)
            for (bands, rows), ngram, threshold in itertools.product(SHAPES, NGRAMS, THRESHOLDS)
        ]
    return [
        Settings(ngram=ngram, threshold=threshold, checked=checked)
        for ngram, threshold, checked in itertools.product(NGRAMS, THRESHOLDS, (False, True))
    ]


def _gaoya(texts: list[str], wanted: Iterable[Settings]) -> Iterator[tuple[Settings, Pairs]]:
    by_index: dict[tuple[int, int, int], list[Settings]] = {}
    for settings in wanted:
        by_index.setdefault((settings.bands, settings.rows, settings.ngram), []).append(settings)
    for (bands, rows, ngram), group in by_index.items():
        found = gaoya_pairs(texts, (bands, rows), ngram)
        for settings in group:
            yield settings, found[settings.threshold]


def _datasketch(texts: list[str], wanted: Iterable[Settings]) -> Iterator[tuple[Settings, Pairs]]:
    from datasketch import MinHash

    by_ngram: dict[int, list[Settings]] = {}
    for settings in wanted:
        by_ngram.setdefault(settings.ngram, []).append(settings)
    for ngram, group in by_ngram.items():
        shingles = [_shingles(text, ngram) for text in texts]
        minhashes = MinHash.bulk(shingles, num_perm=NUM_PERM)
        signatures = np.array([minhash.hashvalues for minhash in minhashes])
        for settings in group:
            yield settings, datasketch_pairs(signatures, minhashes, settings)


def _shingles(text: str, ngram: int) -> list[bytes]:
    words = text.lower().split()
    count = max(1, len(words) - ngram + 1)
    return [" ".join(words[start : start + ngram]).encode() for start in range(count)]


if __name__ == "__main__":
    main()
