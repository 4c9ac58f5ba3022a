"""The oracle, the ablation and the checks of `benchmarks.recall` against brute force."""

from __future__ import annotations

import itertools
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import ablation
from benchmarks.generate import combine, corpus, footer, story
from benchmarks.grams import grams, postings, read_words, shared
from benchmarks.oracle import WIDTH, oracle, summary
from benchmarks.recall import furniture, join, same_words, shared_with, unequal_passages
from benchmarks.tables import bucket_of, markdown

TEXTS = st.lists(
    st.lists(st.sampled_from(["a", "B", "b,", "c.", "ñ", "字", "1"]), max_size=40).map(" ".join),
    max_size=7,
)


def runs(text: str, width: int = WIDTH) -> set[tuple[str, ...]]:
    """The distinct word n-grams of a text."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + width]) for i in range(len(words) - width + 1)}


def frame(texts: list[str], sources: list[str | None] | None = None) -> pl.DataFrame:
    """A corpus whose ids are not in alphabetical order."""
    ids = [f"{9 - i}" for i in range(len(texts))]
    sources = sources or [None] * len(texts)
    return pl.DataFrame(
        {"id": ids, "source": sources, "text": texts}, schema=dict.fromkeys(("id", "source", "text"), pl.String)
    )  # fmt: skip


@settings(deadline=None)
@given(TEXTS, st.integers(1, 4))
def test_oracle_equals_brute_force(texts: list[str], minimum: int) -> None:
    """The oracle finds exactly the pairs, counts and sizes that comparing all sets finds."""
    table = frame(texts)
    sets = dict(zip(table["id"], map(runs, texts), strict=True))
    expected = {
        (a, b, len(sets[a] & sets[b]), len(sets[a]), len(sets[b]))
        for a, b in itertools.combinations(sorted(sets), 2)
        if len(sets[a] & sets[b]) >= minimum
    }
    found = oracle(table, minimum)
    assert set(found.select("a", "b", "shared", "size_a", "size_b").iter_rows()) == expected
    assert len(found) == len(expected)
    for row in found.iter_rows(named=True):
        containment = row["shared"] / min(row["size_a"], row["size_b"])
        assert row["containment"] == pytest.approx(containment)


@settings(deadline=None)
@given(TEXTS, st.integers(2, 4))
def test_max_df_leaves_out_what_too_many_hold(texts: list[str], max_df: int) -> None:
    """With max_df, n-grams in more articles do not count."""
    sets = [runs(text) for text in texts]
    held = {gram: sum(gram in other for other in sets) for one in sets for gram in one}
    table = frame(texts)
    found = oracle(table, 1, max_df)
    by_id = dict(zip(table["id"], sets, strict=True))
    for a, b in itertools.combinations(sorted(by_id), 2):
        expected = sum(held[gram] <= max_df for gram in by_id[a] & by_id[b])
        row = found.filter(pl.col("a") == a, pl.col("b") == b)["shared"].to_list()
        assert row == ([expected] if expected else [])


@settings(deadline=None)
@given(TEXTS)
def test_merge_counts_what_sets_count(texts: list[str]) -> None:
    """Counting shared n-grams of given pairs agrees with set intersection."""
    held = grams(read_words(texts), WIDTH)
    pairs = np.array(list(itertools.combinations(range(len(texts)), 2)), np.int64).reshape(-1, 2)
    expected = [len(runs(texts[a]) & runs(texts[b])) for a, b in pairs]
    assert shared_with(held, pairs[:, 0], pairs[:, 1]).tolist() == expected


def test_same_source_needs_a_source() -> None:
    """Two articles without a source are not of the same source."""
    text = "one two three four five six"
    found = oracle(frame([text] * 4, ["x", "x", None, None]), 1)
    same = {(a, b) for a, b, flag in found.select("a", "b", "same_source").iter_rows() if flag}
    assert same == {("8", "9")}


def test_chunks_do_not_change_the_pairs() -> None:
    """A corpus larger than one task gives each pair once, whatever the number of threads."""
    table = combine(story(40, words=60), corpus(1200, seed=3), footer(100)).select(
        "id", "source", "text"
    )
    one, two = oracle(table, threads=1), oracle(table, threads=2)
    assert one.equals(two)
    assert one.select("a", "b").is_unique().all()
    assert "0.8" in summary(one)


def test_sketch_is_a_subset_in_proportion() -> None:
    """A sketch keeps about one hash in `scale`, and the same ones in every article."""
    held = grams(read_words(corpus(50, seed=5)["text"]), 3)
    sketch = held.sketch(8)
    assert np.isin(sketch.hashes, held.hashes).all()
    assert len(sketch.hashes) == pytest.approx(len(held.hashes) / 8, rel=0.1)
    assert held.sketch(1).hashes.tolist() == held.hashes.tolist()


def test_ablation_counts_like_the_oracle() -> None:
    """Candidates counted without keeping them are the pairs that keeping them gives."""
    table = corpus(300, seed=2).select("id", "source", "text")
    truth = ablation.Truth.from_pairs(oracle(table), table)
    words = read_words(table["text"])
    index = postings(grams(words, WIDTH).sketch(4))
    candidates, counts = ablation.measure(index, truth)
    kept = {
        (a, b): count
        for a, b, count in zip(*(c.tolist() for c in _columns(shared(index, 1))), strict=True)
    }
    levels = [sum(count >= minimum for count in kept.values()) for minimum in (1, 2, 3)]
    assert candidates.tolist() == levels
    later = np.repeat(np.arange(len(table)), np.diff(truth.offsets))
    expected = [kept.get((int(a), int(b)), 0) for a, b in zip(truth.earlier, later, strict=True)]
    assert counts.tolist() == expected


def test_lsh_finds_the_equal_and_the_close() -> None:
    """Equal articles agree in every band; signatures estimate resemblance."""
    table = combine(story(10, rates=(0.0,)), footer(30, footer_words=5), seed=None)
    words = read_words(table["text"])
    truth = ablation.Truth.from_pairs(oracle(table.select("id", "source", "text")), table)
    results = list(ablation.lsh(words, truth))
    assert all(result.found.all() for result in results)
    matrix = ablation.signatures(grams(words, WIDTH))
    assert (matrix[0] == matrix[9]).all()
    text = ablation.table(results, truth, between_sources=True)
    assert text.count("\n") == 1 + len(ablation.LSH_SHAPES)


def test_furniture_is_what_many_articles_of_the_source_hold() -> None:
    """A pair that shares a footer only is furniture; one that shares a story besides is not."""
    pages = footer(12, sources=1)
    same = pages["text"].to_list()
    same[1] = same[0]
    table = pages.with_columns(text=pl.Series(same))
    held = grams(read_words(table["text"]), WIDTH)
    first, second = np.array([0, 2, 0]), np.array([1, 3, 5])
    assert furniture(held, table["source"], first, second).tolist() == [False, True, True]


def test_reported_pairs_match_in_any_order() -> None:
    """The join does not depend on which article a reported pair names first."""
    truth = pl.DataFrame({"a": ["x", "x"], "b": ["y", "z"], "containment": [0.4, 0.06]})
    found = join(truth, pl.DataFrame({"a": ["z", "q"], "b": ["x", "x"]}))
    assert found.sort("b")["found"].to_list() == [False, True]


def test_verbatim_means_the_same_words() -> None:
    """Case, width, spaces and punctuation may differ in a verbatim passage; letters may not."""
    assert same_words("The ﬁrst  “Word”", "the first word")
    assert same_words("the U.S. govern\u00adment", "The US government")
    assert not same_words("the first word", "the first words")
    texts = pl.DataFrame({"id": ["x", "y"], "text": ["aa bb cc", "AA bb, dd"]})
    spans = {"a_start": [0, 0, 6], "a_end": [5, 8, 8], "b_start": [0, 0, 7], "b_end": [5, 9, 9]}
    kinds = ["verbatim", "verbatim", "edited"]
    passages = pl.DataFrame({"a": ["x"] * 3, "b": ["y"] * 3, **spans, "kind": kinds})
    assert unequal_passages(texts, passages)["b_end"].to_list() == [9]


def test_buckets_are_closed_below() -> None:
    """A bucket holds its lower bound; below the first there is none."""
    shares = pl.DataFrame({"share": [0.04, 0.05, 0.1, 0.79, 0.8, 1.0]})
    names = shares.select(bucket_of("share")).to_series().to_list()
    assert names == [None, "0.05-0.1", "0.1-0.2", "0.5-0.8", "≥ 0.8", "≥ 0.8"]


def test_markdown_table() -> None:
    """Integers get separators, floats three decimals, nothing for None."""
    text = markdown(["a", "b", "c"], [[1234, 0.5, None]])
    assert text == "| a | b | c |\n| --- | --- | --- |\n| 1,234 | 0.500 |  |"


def _columns(pairs: object) -> list[np.ndarray[tuple[int], np.dtype[np.int32]]]:
    return [getattr(pairs, name) for name in ("a", "b", "count")]
