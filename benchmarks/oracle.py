"""Every pair of articles that shares text: exact counts of shared word 5-grams.

`python -m benchmarks.oracle CORPUS.parquet -o ORACLE.parquet`
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.grams import grams, postings, read_words, shared
from benchmarks.tables import BUCKETS, bucket_of, markdown, read_corpus

__all__ = ["MIN_SHARED", "WIDTH", "oracle", "summary"]

WIDTH = 5
"""Words per n-gram: the usual width of the peers, and the project's own default."""
MIN_SHARED = 15
"""Distinct n-grams a pair must share: as many as a run of 19 words, about one sentence, has."""


def oracle(
    corpus: pl.DataFrame, minimum: int = MIN_SHARED, max_df: int = 0, threads: int = 2
) -> pl.DataFrame:
    """All pairs of articles with at least `minimum` distinct word 5-grams in common.

    Nothing is sampled. An n-gram found in every article counts like any other.

    Args:
        corpus: columns id, source, text.
        minimum: distinct 5-grams two articles must share.
        max_df: for experiments: leave out 5-grams found in more articles; 0 leaves out none.
        threads: worker threads.

    Returns:
        Columns a, b (ids, a < b), shared, size_a, size_b (distinct 5-grams),
        containment (share of the smaller set that is in the larger), same_source.
    """
    held = grams(read_words(corpus["text"]), WIDTH)
    pairs = shared(postings(held, max_df), minimum, threads)
    sizes = np.diff(held.offsets)
    ids, sources = corpus["id"], corpus["source"]
    rank = ids.rank("ordinal").to_numpy()
    swap = rank[pairs.a] > rank[pairs.b]
    a, b = np.where(swap, pairs.b, pairs.a), np.where(swap, pairs.a, pairs.b)
    return pl.DataFrame(
        {
            "a": ids.gather(a),
            "b": ids.gather(b),
            "shared": pairs.count,
            "size_a": sizes[a].astype(np.int32),
            "size_b": sizes[b].astype(np.int32),
            "same_source": (sources.gather(a) == sources.gather(b)).fill_null(value=False),
        }
    ).with_columns(
        containment=(pl.col("shared") / pl.min_horizontal("size_a", "size_b")).cast(pl.Float32)
    )


def summary(pairs: pl.DataFrame) -> str:
    """Number of pairs by containment bucket, between sources and within one."""
    table = (
        pairs.with_columns(bucket=bucket_of("containment"))
        .group_by("bucket")
        .agg(different=(~pl.col("same_source")).sum(), same=pl.col("same_source").sum())
        .sort("bucket", nulls_last=False)
    )
    return markdown(
        ["containment", "different sources", "same source"],
        ((row[0] or f"< {BUCKETS[0]:g}", row[1], row[2]) for row in table.iter_rows()),
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.oracle", description=__doc__)
    parser.add_argument("corpus", type=Path, help="parquet with id, text and perhaps source")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--min-shared", type=int, default=MIN_SHARED)
    parser.add_argument("--max-df", type=int, default=0, help="experiments only; 0 is exact")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    started = time.perf_counter()
    corpus = read_corpus(args.corpus)
    pairs = oracle(corpus, args.min_shared, args.max_df, args.threads)
    pairs.write_parquet(args.output)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{len(corpus):,} articles, {len(pairs):,} pairs, {seconds:.0f} s, {peak:.1f} GB\n")
    print(summary(pairs))


if __name__ == "__main__":
    main()
