"""What a scan of a generated corpus is worth, and the plot of it."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from benchmarks import growth
from benchmarks.generate import Shape, corpus
from benchmarks.growth import Score, Step, plot, report, score
from benchmarks.measure import Run
from benchmarks.oracle import MIN_SHARED
from benchmarks.plot import Panel, Series, loglog

NO_PAIRS = pl.DataFrame(schema={"a": pl.String, "b": pl.String})


@pytest.fixture(scope="module")
def truth() -> pl.DataFrame:
    """A generated corpus."""
    return corpus(900, seed=3, shape=Shape(words=120)).drop("text")


def counted(truth: pl.DataFrame) -> pl.DataFrame:
    """The copies and excerpts that are a pair with their original."""
    return truth.filter(
        pl.col("share_truth") >= growth.LOWEST, pl.col("shared_truth") >= MIN_SHARED
    )


def told(truth: pl.DataFrame, family: pl.Expr) -> pl.DataFrame:
    """What a scan might say of it."""
    return truth.select("id", family.alias("family"))


def test_the_truth_itself_is_perfect(truth: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the true families every copy is found and every large family whole."""
    monkeypatch.setattr(growth, "LARGE", 50)
    found = score(truth, NO_PAIRS, told(truth, pl.col("family_truth")))
    assert found.found == found.copies == len(counted(truth)) > 100
    assert found.whole == found.large > 0
    assert found.least == 1.0
    assert found.strangers == 0
    assert found.in_families == truth["family_truth"].count()


def test_nothing_found(truth: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan that says nothing finds nothing."""
    monkeypatch.setattr(growth, "LARGE", 50)
    found = score(truth, NO_PAIRS, told(truth, pl.lit(None, pl.String)))
    assert (found.found, found.whole, found.least, found.in_families) == (0, 0, 0.0, 0)


def test_pairs_count_within_a_story_only(truth: pl.DataFrame) -> None:
    """A copy listed with its original is found; one listed with another story's is not."""
    kept = counted(truth).unique("family_truth", maintain_order=True)
    original = truth.filter(pl.col("kind_truth") == "original").select("family_truth", b="id")
    right = kept.join(original, on="family_truth").select(a="id", b="b")
    nobody = told(truth, pl.lit(None, pl.String))
    assert score(truth, right, nobody).found == len(right)
    wrong = right.with_columns(b=pl.col("b").shift(1, fill_value=pl.col("b").last()))
    assert score(truth, wrong, nobody).found == 0


def test_a_torn_family_is_not_whole(truth: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large family with one member in another is not whole, and its share is less than 1."""
    monkeypatch.setattr(growth, "LARGE", 50)
    kept = counted(truth)
    largest = kept["family_truth"].value_counts(sort=True)["family_truth"][0]
    member = kept.filter(pl.col("family_truth") == largest)["id"][0]
    torn = pl.when(pl.col("id") == member).then(pl.lit("other")).otherwise("family_truth")
    found = score(truth, NO_PAIRS, told(truth, torn))
    assert found.whole == found.large - 1
    assert 0.9 < found.least < 1
    assert found.found == found.copies - 1


def test_what_is_no_pair_counts_nowhere(
    truth: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy with a fifth of its original that shares too little to be a pair is told apart."""
    monkeypatch.setattr(growth, "LARGE", 50)
    largest = counted(truth)["family_truth"].value_counts(sort=True)["family_truth"][0]
    lost = counted(truth).filter(pl.col("family_truth") == largest)["id"][0]
    before = score(truth, NO_PAIRS, told(truth, pl.col("family_truth")))
    # All of a text of a sentence: 14 5-grams of 14.
    little = pl.when(pl.col("id") == lost).then(pl.lit(MIN_SHARED - 1)).otherwise("shared_truth")
    alone = pl.when(pl.col("id") == lost).then(None).otherwise("family_truth")
    for family in (alone, pl.col("family_truth")):
        found = score(truth.with_columns(shared_truth=little), NO_PAIRS, told(truth, family))
        assert found.too_short == before.too_short + 1
        assert found.found == found.copies == before.copies - 1
        assert found.whole == found.large
    just = score(truth, NO_PAIRS, told(truth, alone))
    assert just.found == just.copies - 1
    assert just.whole == just.large - 1


def test_strangers(truth: pl.DataFrame) -> None:
    """Articles with a passage of the story belong to it, others in its family are strangers."""
    story = truth.filter(pl.col("contains").list.len() == 1, pl.col("kind_truth") == "partial")
    name, partial = story["contains"][0][0], story["id"][0]
    single = truth.filter(pl.col("kind_truth") == "single")["id"][0]
    for id_, strangers in ((partial, 0), (single, 1)):
        joined = pl.when(pl.col("id") == id_).then(pl.lit(name)).otherwise("family_truth")
        assert score(truth, NO_PAIRS, told(truth, joined)).strangers == strangers
    pair = truth.filter(pl.col("kind_truth") == "single")["id"][:2].implode()
    footer_only = pl.when(pl.col("id").is_in(pair)).then(pl.lit("glued"))
    assert score(truth, NO_PAIRS, told(truth, footer_only)).strangers == 2


def step(articles: int, seconds: float) -> Step:
    """A corpus scanned."""
    measured = Run(
        seconds, seconds, 1_500_000_000, 2_000_000, {"stages": {"read": 1.0}, "pairs": 1234}
    )
    return Step(articles, articles * 3000, measured, Score(100, 99, 7, 2, 1, 2000, 0.5, 3, 150))


def test_report_has_a_row_for_each_size() -> None:
    """Seconds stand beside seconds per 10,000 articles."""
    rows = report([step(1000, 2), step(20_000, 60)]).splitlines()
    assert len(rows) == 4
    assert rows[3].startswith("| 20,000 | 60 MB | 60.0 | 30.00 | 60.0 | 1.50 GB | 2 MB |")
    assert "| 1,234 | 0.9900 of 100 | 7 | 1 of 2 | 0.5000 | 3 of 150" in rows[3]


def test_plot_is_well_formed_and_inside_its_page() -> None:
    """The SVG parses, and every point of it lies within the page."""
    steps = {"pairs": [step(10**k, 3.0 * 7**k) for k in range(3, 7)], "full": [step(1000, 0.5)]}
    svg = ET.fromstring(plot(steps))  # noqa: S314 - our own
    space = "{http://www.w3.org/2000/svg}"
    circles = svg.findall(f".//{space}circle")
    assert len(circles) == 2 * (4 + 1) + 2 * 2  # points, and the names of the lines
    width, height = float(svg.get("width", 0)), float(svg.get("height", 0))
    for circle in circles:
        assert 0 <= float(circle.get("cx", -1)) <= width
        assert 0 <= float(circle.get("cy", -1)) <= height
    numbers = re.findall(r"-?\d+\.?\d*", "".join(p.get("d", "") for p in svg.iter(f"{space}path")))
    assert all(math.isfinite(float(n)) and 0 <= float(n) <= width for n in numbers)


def test_slope_1_is_parallel_to_the_guide() -> None:
    """On logarithmic axes a proportional series lies on the guide."""
    points = [(1e3, 2.0), (1e4, 20.0), (1e5, 200.0)]
    svg = loglog([Panel("a & b", "x", [Series("<one>", points)], "proportional")])
    assert "a &amp; b" in svg
    assert "&lt;one&gt;" in svg
    paths = dict(re.findall(r'class="(guide|line s0)" d="M([^"]+)"', svg))
    slopes = []
    for name in ("guide", "line s0"):
        (x0, y0), *_, (x1, y1) = (map(float, p.split()) for p in paths[name].split("L"))
        slopes.append((y1 - y0) / (x1 - x0))
    assert slopes[0] == pytest.approx(slopes[1], rel=0.01)
