"""Which sketch finds partial reuse at what price; resemblance LSH for comparison.

`python -m benchmarks.ablation CORPUS.parquet ORACLE.parquet`
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numba import njit

from benchmarks.grams import Grams, Postings, grams, postings, read_words
from benchmarks.oracle import WIDTH
from benchmarks.tables import BUCKET_NAMES, BUCKETS, bucket_of, markdown, read_corpus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from benchmarks.grams import Corpus

__all__ = ["Result", "Truth", "lsh", "measure", "signatures", "sketches"]

WIDTHS = (3, 4, 5)
SCALES = (4, 8, 16, 32)
MINIMUMS = (1, 2, 3)
MAX_POSTING = 200
"""Keys in more articles than this are skipped here, to compare sketches and not hub handling; a
system that skips them blindly loses the most syndicated story."""
LSH_SHAPES = ((32, 4), (25, 5), (64, 2))
"""(bands, rows); 25 by 5 is the peers' usual choice for a Jaccard of about .5."""
NUM_PERM = 128
SEED = 1
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class Truth:
    """The oracle's pairs as article numbers, grouped by the later article.

    Attributes:
        earlier: int32 (n_pairs,).
        offsets: int64 (n_articles + 1,), the pairs of every later article.
        buckets: containment bucket and same_source of every pair, in the same order.
    """

    earlier: NDArray[np.int32]
    offsets: NDArray[np.int64]
    buckets: pl.DataFrame

    @classmethod
    def from_pairs(cls, pairs: pl.DataFrame, corpus: pl.DataFrame) -> Truth:
        """Number the oracle's pairs that fall into a containment bucket."""
        number = corpus.select("id").with_row_index("number")
        table = (
            pairs.filter(pl.col("containment") >= BUCKETS[0])
            .join(number.rename({"id": "a", "number": "na"}), on="a")
            .join(number.rename({"id": "b", "number": "nb"}), on="b")
            .with_columns(
                bucket=bucket_of("containment"),
                earlier=pl.min_horizontal("na", "nb"),
                later=pl.max_horizontal("na", "nb"),
            )
            .sort("later", "earlier")
        )
        per_article = np.bincount(table["later"].to_numpy(), minlength=len(corpus))
        return cls(
            table["earlier"].to_numpy().astype(np.int32),
            np.concatenate(([0], np.cumsum(per_article))),
            table.select("bucket", "same_source"),
        )


@dataclass(frozen=True, slots=True)
class Result:
    """What one candidate stage proposes.

    Attributes:
        name: the stage and its settings.
        keys: index keys per article.
        candidates: pairs it proposes.
        skipped: keys skipped as too common.
        found: bool (n_pairs,), which of the oracle's pairs are among the candidates.
    """

    name: str
    keys: float
    candidates: int
    skipped: int
    found: NDArray[np.bool_]


def sketches(corpus: Corpus, truth: Truth, max_posting: int = MAX_POSTING) -> Iterator[Result]:
    """Scaled MinHash for every combination of width, scale and shared hashes."""
    for width in WIDTHS:
        held = grams(corpus, width)
        for scale in SCALES:
            sketch = held.sketch(scale)
            index = postings(sketch, max_posting)
            candidates, counts = measure(index, truth)
            for minimum in MINIMUMS:
                yield Result(
                    name=f"sketch w={width}, s={scale}, ≥ {minimum} shared",
                    keys=len(sketch.hashes) / max(len(sketch), 1),
                    candidates=int(candidates[minimum - 1]),
                    skipped=index.skipped,
                    found=counts >= minimum,
                )


def lsh(corpus: Corpus, truth: Truth) -> Iterator[Result]:
    """MinHash LSH over the oracle's n-grams: pairs that agree in a whole band."""
    held = grams(corpus, WIDTH)
    matrix = signatures(held)
    for bands, rows in LSH_SHAPES:
        keys = np.sort(_band_keys(matrix, bands, rows), axis=1)
        offsets = np.arange(len(held) + 1, dtype=np.int64) * bands
        candidates, counts = measure(postings(Grams(keys.reshape(-1), offsets)), truth)
        yield Result(
            name=f"MinHash LSH {bands} x {rows}",
            keys=bands,
            candidates=int(candidates[0]),
            skipped=0,
            found=counts >= 1,
        )


def signatures(held: Grams) -> NDArray[np.uint32]:
    """MinHash signatures uint32 (n_articles, NUM_PERM) by `a·h + b` modulo 2^32, a odd.

    The formula is datasketch's affine32; the input hashes are this package's.
    """
    random = np.random.default_rng(SEED)
    factors = random.integers(0, 1 << 32, NUM_PERM, np.uint32) | np.uint32(1)
    terms = random.integers(0, 1 << 32, NUM_PERM, np.uint32)
    hashes = (held.hashes >> np.uint64(32)).astype(np.uint32)
    matrix: NDArray[np.uint32] = _minima(hashes, held.offsets, factors, terms)
    return matrix


def measure(
    index: Postings, truth: Truth, threads: int = 2
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Count candidates without keeping them.

    Returns:
        int64 (3,): pairs with at least 1, 2, 3 shared keys; int32 (n_pairs,): the shared keys of
        each of the oracle's pairs.
    """
    n_articles = len(index.key_offsets) - 1
    counts = np.zeros(len(truth.earlier), np.int32)

    def chunk(start: int) -> NDArray[np.int64]:
        totals: NDArray[np.int64] = _count(
            index.lists,
            index.list_offsets,
            index.keys,
            index.key_offsets,
            start,
            min(start + _CHUNK, n_articles),
            truth.earlier,
            truth.offsets,
            counts,
        )
        return totals

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(chunk, range(0, n_articles, _CHUNK)))
    return np.sum(parts, axis=0, dtype=np.int64), counts


def table(results: list[Result], truth: Truth, *, between_sources: bool) -> str:
    """Recall by containment bucket, over all pairs or those between sources only."""
    buckets = truth.buckets["bucket"]
    chosen = ~(truth.buckets["same_source"] & between_sources)
    rows = []
    for result in results:
        recall = (
            pl.DataFrame({"bucket": buckets, "found": result.found})
            .filter(chosen)
            .group_by("bucket")
            .agg(pl.col("found").mean())
        )
        by_name = dict(recall.iter_rows())
        rows.append(
            [
                result.name,
                round(result.keys),
                result.candidates,
                *(by_name.get(n) for n in BUCKET_NAMES),
            ]
        )
    return markdown(["method", "keys/article", "candidates", *BUCKET_NAMES], rows)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.ablation", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("oracle", type=Path, help="from `python -m benchmarks.oracle`")
    parser.add_argument("--max-posting", type=int, default=MAX_POSTING, help="0 skips none")
    args = parser.parse_args()
    frame = read_corpus(args.corpus)
    truth = Truth.from_pairs(pl.read_parquet(args.oracle), frame)
    corpus = read_words(frame["text"])
    results = [*sketches(corpus, truth, args.max_posting), *lsh(corpus, truth)]
    print(
        f"{len(frame):,} articles. Keys in more than {args.max_posting or 'any'} articles are skipped here"
    )
    print(f"for the sketches (at most {max(r.skipped for r in results):,} keys), not for LSH.\n")
    print("Recall of all pairs by containment:\n")
    print(table(results, truth, between_sources=False))
    print("\nRecall of pairs between different sources:\n")
    print(table(results, truth, between_sources=True))


@njit(cache=True, nogil=True)
def _minima(
    hashes: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    factors: NDArray[np.uint32],
    terms: NDArray[np.uint32],
) -> NDArray[np.uint32]:
    matrix = np.full((len(offsets) - 1, len(factors)), np.uint32(0xFFFFFFFF), np.uint32)
    for article in range(len(offsets) - 1):
        row = matrix[article]
        for value in hashes[offsets[article] : offsets[article + 1]]:
            for k in range(len(factors)):
                row[k] = min(row[k], np.uint32(factors[k] * value + terms[k]))
    return matrix


def _band_keys(matrix: NDArray[np.uint32], bands: int, rows: int) -> NDArray[np.uint64]:
    """One uint64 key per article and band: FNV-1a over the rows, seeded with the band."""
    keys = np.empty((len(matrix), bands), np.uint64)
    for band in range(bands):
        key = np.full(len(matrix), 0xCBF29CE484222325 ^ band, np.uint64)
        for row in range(band * rows, (band + 1) * rows):
            key = (key ^ matrix[:, row].astype(np.uint64)) * np.uint64(0x100000001B3)
            key ^= key >> np.uint64(29)
        keys[:, band] = key
    return keys


@njit(cache=True, nogil=True)
def _count(
    lists: NDArray[np.int32],
    list_offsets: NDArray[np.int64],
    keys: NDArray[np.int32],
    key_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    earlier: NDArray[np.int32],
    pair_offsets: NDArray[np.int64],
    pair_counts: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Shared keys of articles start…stop with every earlier one; fills `pair_counts`."""
    counts = np.zeros(stop, np.int32)
    totals = np.zeros(3, np.int64)
    for article in range(start, stop):
        for key in keys[key_offsets[article] : key_offsets[article + 1]]:
            for other in lists[list_offsets[key] : list_offsets[key + 1]]:
                if other >= article:
                    break
                counts[other] += 1
        for pair in range(pair_offsets[article], pair_offsets[article + 1]):
            pair_counts[pair] = counts[earlier[pair]]
        for other in range(article):
            for level in range(min(counts[other], 3)):
                totals[level] += 1
            counts[other] = 0
    return totals


if __name__ == "__main__":
    main()
