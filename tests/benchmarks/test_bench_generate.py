"""The invented corpora keep what they promise."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from benchmarks import generate
from benchmarks.events import MARKS, OWN_RUN, events
from benchmarks.generate import combine, corpus, corpus_blocks, digest, excerpt, footer, story
from benchmarks.oracle import oracle

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def mixed() -> pl.DataFrame:
    """A small mixed corpus."""
    return corpus(1500, seed=7, shape=generate.Shape(words=300))


def test_same_seed_same_corpus(mixed: pl.DataFrame) -> None:
    """The seed decides every cell, and another seed gives other texts."""
    shape = generate.Shape(words=300)
    assert corpus(1500, seed=7, shape=shape).equals(mixed)
    other = corpus(1500, seed=8, shape=shape)
    assert not set(other["text"]) & set(mixed["text"])


def test_corpus_has_the_size_and_kinds_asked_for(mixed: pl.DataFrame) -> None:
    """Ids are unique, and every kind of article occurs."""
    assert len(mixed) == 1500
    assert mixed["id"].is_unique().all()
    kinds = {"single", "original", "copy", "excerpt", "partial", "digest"}
    assert set(mixed["kind_truth"]) == kinds
    assert (mixed["text"].str.len_chars() > 0).all()


def test_families_are_what_shares_text(mixed: pl.DataFrame) -> None:
    """Pairs the oracle finds without footers are in one family, or one took from the other's."""
    plain = mixed.filter(pl.col("footer_truth").is_null())
    rows = {row["id"]: row for row in plain.iter_rows(named=True)}

    def taken(row: dict[str, list[str] | str | None]) -> set[object]:
        return {row["family_truth"], *(row["contains"] or [])} - {None}

    pairs = oracle(plain.select("id", "source", "text"))
    assert len(pairs) > 100
    assert all(taken(rows[a]) & taken(rows[b]) for a, b in pairs.select("a", "b").iter_rows())


def test_family_truth(mixed: pl.DataFrame) -> None:
    """A family has one original, and its copies are not dated before it."""
    members = mixed.drop_nulls("family_truth")
    first = members.group_by("family_truth").agg(
        originals=(pl.col("kind_truth") == "original").sum(),
        first=pl.col("published").filter(pl.col("kind_truth") == "original").first(),
        earliest=pl.col("published").min(),
    )
    assert (first["originals"] == 1).all()
    assert (first["first"] == first["earliest"]).all()
    assert members["family_truth"].value_counts()["count"].min() == 2


def test_share_truth_is_what_is_left_of_the_original(mixed: pl.DataFrame) -> None:
    """The stated share is the containment that comparing the sets of 5-grams gives, and their number."""
    footers = generate._footers(7, generate.Shape(words=300))

    def held(row: dict[str, Any]) -> set[tuple[str, ...]]:
        text = row["text"]
        if row["footer_truth"]:
            text = text.removesuffix(footers[int(row["footer_truth"].removeprefix("footer"))])
        words = re.findall(r"\w+", text.lower())
        return set(zip(*(words[shift:] for shift in range(5)), strict=False))

    members = mixed.drop_nulls("family_truth").to_dicts()
    originals = {row["family_truth"]: held(row) for row in members if row["share_truth"] is None}
    copies = [row for row in members if row["share_truth"] is not None]
    assert {row["kind_truth"] for row in copies} == {"copy", "excerpt"}
    assert len(originals) + len(copies) == len(members)
    for row in copies:
        first, second = originals[row["family_truth"]], held(row)
        expected = len(first & second) / min(len(first), len(second))
        assert row["share_truth"] == pytest.approx(expected, abs=1e-6)
        assert row["shared_truth"] == len(first & second)


def test_footers_are_shared_by_all_of_a_source(mixed: pl.DataFrame) -> None:
    """A source with a footer ends all its articles with it, in every block."""
    with_footer = mixed.drop_nulls("footer_truth")
    ends = with_footer.select("footer_truth", end=pl.col("text").str.split("\n\n").list.last())
    assert (ends.group_by("footer_truth").agg(pl.col("end").n_unique())["end"] == 1).all()


def test_blocks_are_the_corpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Blocks written one by one make the whole corpus, in either format."""
    monkeypatch.setattr(generate, "BLOCK", 400)
    shape = generate.Shape(words=40)
    whole = corpus(1000, seed=2, shape=shape)
    assert whole["id"].is_unique().all()
    assert [len(block) for block in corpus_blocks(1000, seed=2, shape=shape)] == [400, 400, 200]
    for name in ("c.parquet", "c.jsonl"):
        generate.write(corpus_blocks(1000, seed=2, shape=shape), tmp_path / name)
    assert pl.read_parquet(tmp_path / "c.parquet").equals(whole)
    schema = {name: pl.Series([], dtype=kind).dtype for name, kind in generate.SCHEMA.items()}
    assert pl.read_ndjson(tmp_path / "c.jsonl", schema=schema).equals(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.jsonl", "c.parquet"]


def test_story_is_one_family() -> None:
    """Unedited copies are equal, edited ones share most with the original."""
    frame = story(30, words=300, rates=(0.0, 0.05))
    assert frame["source"].is_unique().all()
    assert (frame["text"] == frame["text"][0]).sum() == 16
    pairs = oracle(frame.select("id", "source", "text"))
    assert len(pairs) == 30 * 29 / 2
    first = pairs.filter(pl.col("a") == frame["id"][0])["containment"]
    assert (first > 0.5).all()


def test_footer_is_all_they_share() -> None:
    """Articles of `footer` share the footer's 5-grams and nothing else."""
    frame = footer(200, words=40, footer_words=40, sources=4)
    pairs = oracle(frame.select("id", "source", "text"), 1)
    assert len(pairs) == 200 * 199 / 2
    assert pairs["shared"].min() == 36
    assert pairs["shared"].quantile(0.9) == 36
    assert frame["source"].n_unique() == 4


def test_digest_holds_every_story() -> None:
    """The round-up contains the original of each story, and the stories share nothing."""
    frame = digest(4, copies=2, words=120)
    roundup = frame.row(-1, named=True)
    assert roundup["contains"] == [f"story{n}" for n in range(4)]
    originals = frame.filter(pl.col("kind_truth") == "original")["text"]
    assert all(text in roundup["text"] for text in originals)
    pairs = oracle(originals.to_frame("text").with_row_index("id").with_columns(
        pl.col("id").cast(pl.String), source=pl.lit(None, pl.String)))  # fmt: skip
    assert not len(pairs)


def test_excerpt_is_part_of_the_original() -> None:
    """Without words of its own an excerpt stands in the original as it is."""
    original, part = excerpt(600, share=0.3)["text"]
    assert part in original
    assert 0.3 <= len(part.split()) / len(original.split()) < 0.7
    _, longer = excerpt(600, share=0.3, own=500)["text"]
    assert longer.startswith(part)


def test_combine_keeps_cases_apart() -> None:
    """Combined cases keep their families, and ids are unique."""
    frame = combine(story(5), story(5, seed=2), footer(10))
    assert frame["id"].is_unique().all()
    assert frame["family_truth"].n_unique() == 3
    assert (
        combine(story(5), footer(3), seed=None)["text"].to_list()[:5] == story(5)["text"].to_list()
    )


def test_command_line(tmp_path: Path) -> None:
    """The command writes the corpus that the function returns."""
    path = tmp_path / "corpus.parquet"
    command = ["-m", "benchmarks.generate", "--articles", "60", "--words", "50", "-o", str(path)]
    subprocess.run([sys.executable, *command], check=True)
    assert pl.read_parquet(path).equals(corpus(60, shape=generate.Shape(words=50)))


@pytest.fixture(scope="module")
def coverage() -> pl.DataFrame:
    """The event set of the family benchmark."""
    return events()


def test_events_are_the_same_each_time(coverage: pl.DataFrame) -> None:
    """The seed decides the event set."""
    assert events().equals(coverage)
    assert events(2, seed=5)["text"].to_list() != events(2)["text"].to_list()


def test_events_share_quotations_only(coverage: pl.DataFrame) -> None:
    """Nine tenths of what two articles on an event share are quoted in both, up to .3 and more."""
    both, quoted, highest = 0, 0, 0.0
    for event in coverage.partition_by("event"):
        runs = [_runs(*row) for row in event.select("text", "quotations").iter_rows()]
        for first, second in itertools.combinations(runs, 2):
            common = first.keys() & second.keys()
            both += len(common)
            quoted += sum(first[run] and second[run] for run in common)
            highest = max(highest, len(common) / min(len(first), len(second)))
    assert both > 3000
    assert quoted / both >= 0.9
    assert 0.3 <= highest < 0.5


def test_events_do_not_share_with_other_events(coverage: pl.DataFrame) -> None:
    """Articles on different events have stock phrases in common at most."""
    pairs = oracle(coverage.select("id", "source", "text"), 1).with_columns(
        one_event=pl.col("a").str.head(5) == pl.col("b").str.head(5)
    )
    assert (pairs.filter(~pl.col("one_event"))["shared"] < 15).all()


def test_quotations_are_in_marks(coverage: pl.DataFrame) -> None:
    """A span starts with an opening mark and ends with the closing one, or a paragraph's end."""
    styles = set()
    for text, spans in coverage.select("text", "quotations").iter_rows():
        for span in spans:
            quotation = text[span["start"] : span["end"]]
            closing = {mark[1] for mark in MARKS if mark[0] == quotation[0]}
            assert closing
            assert quotation[-1] in closing or text[span["end"] : span["end"] + 2] == "\n\n"
            styles.add(quotation[0])
    assert styles == {mark[0] for mark in MARKS}


def _runs(text: str, spans: list[dict[str, int]]) -> dict[tuple[str, ...], bool]:
    """The 5-grams of a text, and whether each stands inside a quotation."""
    words = [(m.group().lower(), m.start(), m.end()) for m in re.finditer(r"\w+", text)]
    found: dict[tuple[str, ...], bool] = {}
    for i in range(len(words) - OWN_RUN + 1):
        run = words[i : i + OWN_RUN]
        inside = any(s["start"] <= run[0][1] and run[-1][2] <= s["end"] for s in spans)
        key = tuple(word for word, _, _ in run)
        found[key] = found.get(key, False) or inside
    return found
