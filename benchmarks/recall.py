"""What a scan at its defaults finds of the oracle's pairs, and whether what it reports is true.

`python -m benchmarks.recall CORPUS.parquet ORACLE.parquet`
"""

from __future__ import annotations

import argparse
import re
import time
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numba import njit

from benchmarks.grams import grams, read_words
from benchmarks.oracle import WIDTH
from benchmarks.tables import BUCKET_NAMES, bucket_of, markdown, read_corpus

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.grams import Grams

__all__ = ["furniture", "join", "same_words", "shared_with", "unequal_passages"]

MIN_CONFIRMED = 10
"""Distinct 5-grams a reported pair must share by the oracle's words: below `MIN_SHARED`, because
the two split words differently (apostrophes, hyphens, ligatures)."""
FURNITURE_ARTICLES = 8
"""Articles of one source a 5-gram must be in to count as page furniture; dedupe's default."""
EXAMPLES = 10
_ALPHANUMERIC = re.compile(r"[^\W_]+")


def join(oracle: pl.DataFrame, reported: pl.DataFrame) -> pl.DataFrame:
    """The oracle's pairs with a column `found`; reported pairs may name a and b in any order."""
    keys = reported.select(
        a=pl.min_horizontal("a", "b"), b=pl.max_horizontal("a", "b"), found=pl.lit(value=True)
    ).unique()
    return (
        oracle.with_columns(bucket=bucket_of("containment"))
        .join(keys, on=["a", "b"], how="left")
        .with_columns(pl.col("found").fill_null(value=False))
    )


def recall_table(pairs: pl.DataFrame) -> str:
    """Found, all and recall by containment bucket, between sources and within one."""
    rows: list[list[object]] = []
    for title, same in (("different sources", False), ("same source", True)):
        counted = (
            pairs.filter(pl.col("same_source") == same, pl.col("bucket").is_not_null())
            .group_by("bucket")
            .agg(pl.col("found").sum(), pl.len(), share=pl.col("found").mean())
        )
        by_name = {row[0]: row[1:] for row in counted.iter_rows()}
        rows += [[title, name, *by_name.get(name, (0, 0, None))] for name in BUCKET_NAMES]
    return markdown(["pairs", "containment", "found", "of", "recall"], rows)


def shared_with(held: Grams, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Distinct n-grams each pair of articles (by number) shares."""
    counts: NDArray[np.int64] = _shared_counts(held.hashes, held.offsets, a, b)
    return counts


def furniture(
    held: Grams, sources: pl.Series, a: NDArray[np.int64], b: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether everything a pair of one source shares is in many articles of that source.

    Args:
        held: n-grams of every article.
        sources: the source of every article.
        a: the first article of each pair, by number.
        b: the second.

    Returns:
        bool (n_pairs,): every shared n-gram is in `FURNITURE_ARTICLES` articles or more.
    """
    number = sources.rank("dense").fill_null(0).to_numpy().astype(np.uint64)
    # One key per n-gram and source; sources are few, so a product spreads them well enough.
    owner = np.repeat(number, np.diff(held.offsets)) * np.uint64(0x9E3779B97F4A7C15)
    keys = np.sort(held.hashes ^ owner)
    result = np.zeros(len(a), bool)
    for pair, (first, second) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        common = np.intersect1d(held.of(first), held.of(second), assume_unique=True)
        wanted = common ^ (number[first : first + 1] * np.uint64(0x9E3779B97F4A7C15))
        articles = np.searchsorted(keys, wanted, "right") - np.searchsorted(keys, wanted, "left")
        result[pair] = bool((articles >= FURNITURE_ARTICLES).all())
    return result


def same_words(first: str, second: str) -> bool:
    """Whether two raw spans say the same: equal letters and digits after NFKC and case folding.

    Spaces and punctuation do not count, so U.S. equals US, and a soft hyphen splits no word.
    """
    return _folded(first) == _folded(second)


def unequal_passages(corpus: pl.DataFrame, passages: pl.DataFrame) -> pl.DataFrame:
    """The passages called verbatim whose raw spans do not say the same."""
    texts = dict(corpus.select("id", "text").iter_rows())
    verbatim = passages.filter(pl.col("kind") == "verbatim")
    columns = ("a", "b", "a_start", "a_end", "b_start", "b_end")
    equal = [
        same_words(texts[a][a_start:a_end], texts[b][b_start:b_end])
        for a, b, a_start, a_end, b_start, b_end in verbatim.select(columns).iter_rows()
    ]
    return verbatim.filter(~pl.Series(equal, dtype=pl.Boolean))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.recall", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("oracle", type=Path, help="from `python -m benchmarks.oracle`")
    args = parser.parse_args()
    import dedupe

    corpus = read_corpus(args.corpus)
    started = time.perf_counter()
    result = dedupe.scan(args.corpus)
    seconds = time.perf_counter() - started
    pairs = join(pl.read_parquet(args.oracle), result.pairs)
    print(f"{len(corpus):,} articles, {len(result.pairs):,} pairs reported, {seconds:.1f} s\n")
    print(recall_table(pairs))
    held = grams(read_words(corpus["text"]), WIDTH)
    _print_misses(pairs, corpus, held)
    _print_truth(result.pairs, result.passages, corpus, held)


def _print_misses(pairs: pl.DataFrame, corpus: pl.DataFrame, held: Grams) -> None:
    missed = pairs.filter(~pl.col("found"), pl.col("bucket").is_not_null())
    within = _numbered(missed.filter("same_source"), corpus)
    all_furniture = furniture(held, corpus["source"], *_numbers(within))
    table = (
        within.with_columns(furniture=pl.Series(all_furniture, dtype=pl.Boolean))
        .group_by("bucket")
        .agg(pl.col("furniture").sum(), pl.len(), share=pl.col("furniture").mean())
        .sort("bucket")
    )
    print(f"\nMissed within a source, and of these all furniture (every shared {WIDTH}-gram in")
    print(f"{FURNITURE_ARTICLES} articles of the source or more):\n")
    print(markdown(["containment", "furniture", "missed", "share"], table.iter_rows()))
    other = within.filter(~pl.Series(all_furniture, dtype=pl.Boolean))
    for title, rest in (
        ("between sources", missed.filter(~pl.col("same_source"))),
        ("within a source, not all furniture", other),
    ):
        print(f"\nMissed {title}: {len(rest):,}; the closest:")
        _print_examples(rest.sort("containment", "a", "b", descending=[True, False, False]))


def _print_truth(
    reported: pl.DataFrame, passages: pl.DataFrame, corpus: pl.DataFrame, held: Grams
) -> None:
    numbered = _numbered(reported, corpus)
    counts = shared_with(held, *_numbers(numbered))
    numbered = numbered.with_columns(shared=pl.Series(counts))
    wrong = unequal_passages(corpus, passages)
    verbatim = int((passages["kind"] == "verbatim").sum())
    with_wrong = wrong.select("a", "b").unique()
    few = numbered.filter(pl.col("shared") < MIN_CONFIRMED)
    confirmed = numbered.join(few, on=["a", "b"], how="anti").join(
        with_wrong, on=["a", "b"], how="anti"
    )
    rows = [
        ["pairs reported", len(reported)],
        [f"sharing ≥ {MIN_CONFIRMED} 5-grams by the oracle's words", len(numbered) - len(few)],
        ["passages called verbatim", verbatim],
        ["of these not equal in the raw texts", len(wrong)],
        ["pairs confirmed in both ways", len(confirmed)],
        ["share confirmed", len(confirmed) / max(len(reported), 1)],
    ]
    print("\nTruth of what is reported:\n")
    print(markdown(["", "count"], rows))
    if len(few):
        print("\nPairs sharing fewer:")
        _print_examples(few.sort("shared", "a", "b"))
    if len(with_wrong):
        print("\nPairs with an unequal verbatim passage:")
        _print_examples(with_wrong.sort("a", "b"))


def _print_examples(pairs: pl.DataFrame) -> None:
    """Ids only: a report may be published, the texts may not."""
    for row in pairs.head(EXAMPLES).iter_rows(named=True):
        extra = {k: row[k] for k in ("containment", "resemblance", "shared") if k in row}
        print(f"- {row['a']} {row['b']} " + " ".join(f"{k}={v:.3g}" for k, v in extra.items()))


def _numbered(pairs: pl.DataFrame, corpus: pl.DataFrame) -> pl.DataFrame:
    """Pairs with the row numbers of their articles in the corpus as `number_a`, `number_b`."""
    number = corpus.select("id").with_row_index("number")
    return pairs.join(
        number.rename({"id": "a", "number": "number_a"}), on="a", maintain_order="left"
    ).join(number.rename({"id": "b", "number": "number_b"}), on="b", maintain_order="left")


def _numbers(pairs: pl.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return (
        pairs["number_a"].to_numpy().astype(np.int64),
        pairs["number_b"].to_numpy().astype(np.int64),
    )


def _folded(text: str) -> str:
    return "".join(_ALPHANUMERIC.findall(unicodedata.normalize("NFKC", text).casefold()))


@njit(cache=True, nogil=True)
def _shared_counts(
    hashes: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Merge two ascending runs per pair."""
    counts = np.zeros(len(first), np.int64)
    for pair in range(len(first)):
        i, end_i = offsets[first[pair]], offsets[first[pair] + 1]
        j, end_j = offsets[second[pair]], offsets[second[pair] + 1]
        while i < end_i and j < end_j:
            if hashes[i] == hashes[j]:
                counts[pair] += 1
                i += 1
                j += 1
            elif hashes[i] < hashes[j]:
                i += 1
            else:
                j += 1
    return counts


if __name__ == "__main__":
    main()
