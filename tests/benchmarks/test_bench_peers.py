"""Recall and tables of the comparison with other tools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import tools
from benchmarks.generate import story
from benchmarks.measure import Run
from benchmarks.oracle import oracle
from benchmarks.peers import BUCKETS, NAMES, notes, recall, report, stages
from benchmarks.tools import TOOLS, Tool, flat_shingles, missing

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = st.lists(
    st.lists(st.sampled_from(["a", "B", "b", "ñ", "字", "\n", " "]), max_size=15).map(" ".join),
    max_size=6,
)


def truth() -> pl.DataFrame:
    """Five pairs: one in each bucket, and one within a source."""
    return pl.DataFrame(
        {
            "a": ["1", "1", "1", "1", "2"],
            "b": ["2", "3", "4", "5", "3"],
            "containment": pl.Series([0.2, 0.35, 0.6, 0.9, 0.9], dtype=pl.Float32),
            "same_source": [False, False, False, False, True],
        }
    )


def pairs(*rows: tuple[str, str]) -> pl.DataFrame:
    """Pairs as a tool writes them."""
    return pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")


def test_recall_by_containment() -> None:
    """A pair counts in its bucket and in the sum, in either order; one within a source does not."""
    found = recall(truth(), pairs(("2", "1"), ("1", "5"), ("2", "3"), ("7", "8")))
    assert found.shares == (1.0, 0.0, 0.0, 1.0, 0.5)
    assert found.counts == (1, 1, 1, 1, 4)
    assert found.implied == 0


def test_members_of_a_family_are_found() -> None:
    """Two articles in one family are a found pair; two that are alone are not."""
    documents = pl.DataFrame({"id": list("12345"), "family": ["f", None, "f", "g", None]})
    found = recall(truth(), pairs(("1", "3"), ("1", "4")), documents)
    assert found.shares == (0.0, 1.0, 1.0, 0.0, 0.5)
    assert found.implied == 0
    assert recall(truth(), pairs(), documents).implied == 1


def test_recall_of_everything_and_nothing() -> None:
    """The oracle's own pairs have a recall of 1; buckets without pairs have none."""
    exact = oracle(story(12, words=200, rates=(0.02,)).select("id", "source", "text"))
    everything = recall(exact, exact)
    assert everything.shares[-1] == 1.0
    assert everything.counts[-1] == sum(everything.counts[:-1]) > 0
    assert {s for s, n in zip(everything.shares, everything.counts, strict=True) if not n} <= {None}
    assert recall(exact, pairs()).shares[-1] == 0.0


def test_report_divides_medians() -> None:
    """Every tool's median stands against dedupe's, wc's and the bare pass's."""
    measured = {
        "dedupe": [Run(s, 8, 2_000_000_000, 0, {"pairs": 5, "inner": s - 1}) for s in (4, 6, 5)],
        "gaoya": [Run(10, 1, 1, 0, {"pairs": 2, "inner": 8})],
        "bare": [Run(2.5, 1, 1, 0, {"inner": 2})],
        "wc": [Run(2, 1, 1, 0, {})],
    }
    rows = table(report(measured, {"dedupe": recall(truth(), pairs(("1", "2")))}))
    assert len({len(row) for row in rows}) == 1
    by_name = {row[0]: row for row in rows}
    assert by_name[TOOLS["dedupe"].title][1:11] == [
        "5.00", "4.00–6.00", "1.00", "4.00", "1.00", "8.0", "2.00 GB", "2.50", "2.00", "5",
    ]  # fmt: skip
    assert by_name[TOOLS["dedupe"].title][11:] == ["1.000", "0.000", "0.000", "0.000", "0.250"]
    assert by_name[TOOLS["gaoya"].title][3:6] == ["2.00", "8.00", "2.00"]
    assert len(rows[0]) == 11 + len(BUCKETS) + 1


def test_report_without_dedupe() -> None:
    """Ratios to tools that did not run are left empty."""
    rows = table(report({"gaoya": [Run(10, 1, 1, 0, {"inner": 8})]}, {}))
    assert rows[-1][3] == rows[-1][8] == ""


def test_stages_are_medians() -> None:
    """A stage is the median of its runs, and 0 where a mode has none such."""
    runs = [Run(1, 1, 1, 0, {"stages": {"read": s}}) for s in (1.0, 3.0, 2.0)]
    full = [Run(1, 1, 1, 0, {"stages": {"read": 5.0, "align": 6.0}})]
    rows = table(stages({"dedupe": runs, "dedupe-full": full}))
    assert stages({"gaoya": runs}) == ""
    assert rows[4:] == [["read", "2.00", "5.00"], ["align", "0.00", "6.00"]]


def test_absent_tools_are_named() -> None:
    """A tool whose package is missing is left out by its name."""
    tool = Tool("nobody's tool", tools.bare, ("json", "no_such_module"))
    assert missing(tool) == ["no_such_module"]
    assert "FastSketchLSH" in notes({}, {"fastsketch": ["FastSketchLSH"]}, aligned=False)
    assert set(TOOLS) < set(NAMES)


@given(TEXTS)
def test_flat_shingles_are_the_word_5_grams(texts: list[str]) -> None:
    """Hashed by columns, texts have the 5-grams that joining strings gives them, one for one."""
    hashes, offsets = flat_shingles(texts)
    expected = [list(tools._shingles(text)) for text in texts]
    assert np.diff(offsets).tolist() == [len(shingles) for shingles in expected]
    flat = [shingle for shingles in expected for shingle in shingles]
    assert len(dict(zip(flat, hashes.tolist(), strict=True))) == len(set(hashes.tolist()))
    assert len(set(zip(flat, hashes.tolist(), strict=True))) == len(set(flat))


def test_shingles_in_words() -> None:
    """Lower case, split at white space, five words each."""
    assert list(tools._shingles("A b\nC  d e F.")) == ["a b c d e", "b c d e f."]
    assert list(tools._shingles("too few words")) == []


@pytest.mark.parametrize("name", ["rensa", "rensa-python", "fastsketch", "gaoya", "datasketch"])
def test_peers_find_copies(name: str, tmp_path: Path) -> None:
    """Each tool finds the pairs of equal articles, by the right rows."""
    tool = TOOLS[name]
    if missing(tool):
        pytest.skip(f"no {', '.join(missing(tool))}")
    path = tmp_path / "corpus.parquet"
    frame = pl.concat([story(2, seed=seed, words=80, rates=(0.0,)) for seed in range(1, 4)])
    frame.write_parquet(path)
    found = tool.run(path)
    assert sorted(zip(map(int, found.a), map(int, found.b), strict=True)) == [
        (0, 1),
        (2, 3),
        (4, 5),
    ]


def table(markdown: str) -> list[list[str]]:
    """The cells of a Markdown table."""
    return [re.split(r" \| ", line[2:-2]) for line in markdown.splitlines()]
