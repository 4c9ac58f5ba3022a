"""Families, from texts to their description."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples

from dedupe.config import Config
from dedupe.families import Families, find_families
from dedupe.ingest import Articles, ingest
from dedupe.matching import find_matches
from dedupe.records import Article, Batch

CONFIG = Config(threads=1, bands=16)


def story(name: str, n: int = 120) -> str:
    """A text of words of its own."""
    return " ".join(f"{name}{k}" for k in range(n))


def families_of(articles: list[Article]) -> tuple[Articles, Families]:
    """The families of a small corpus."""
    problems: list[object] = []
    read = ingest([Batch.from_articles(articles)], CONFIG, problems)  # type: ignore[arg-type]
    assert problems == []
    return read, find_families(read, find_matches(read, CONFIG), CONFIG)


def described(articles: list[Article]) -> list[dict[str, object]]:
    """Families with ids in place of numbers, in order of their ids; names left out."""
    read, found = families_of(articles)
    rows: list[dict[str, object]] = [
        {
            "members": sorted(read.ids[k] for k in family.members),
            "representative": read.ids[family.representative],
            "first_seen": family.first_seen,
            "sources": family.sources,
        }
        for family in found.families
    ]
    return sorted(rows, key=lambda row: str(row["members"]))


def origins(articles: list[Article]) -> dict[str, str]:
    """Which article each derived article derives from, by id."""
    read, found = families_of(articles)
    return {
        read.ids[k]: read.ids[origin]
        for k, origin in enumerate(found.origin.tolist())
        if origin >= 0
    }


def test_family_of_reprints() -> None:
    """A family tells its members, the fullest of them, the first date and the sources."""
    text = story("a")
    articles = [
        Article("x", text + " by x", source="x.com", published="2024-03-02"),
        Article("y", text, source="y.com", published="2024-03-01"),
        Article("z", text + " also printed by z", source="x.com", published="2024-03-03"),
        Article("other", story("b"), source="b.com", published="2024-01-01"),
    ]
    assert described(articles) == [
        {
            "members": ["x", "y", "z"],
            "representative": "z",
            "first_seen": "2024-03-01",
            "sources": ["x.com", "y.com"],
        }
    ]


def test_round_up_of_three_stories() -> None:
    """A digest of three stories leaves three families, belongs to none, and is marked."""
    stories = {name: story(name) for name in "abc"}
    articles = [
        Article(f"{n}{k}", f"{text} {n} copy{k}") for n, text in stories.items() for k in range(3)
    ]
    digest = Article("digest", " ".join(stories.values()))
    read, found = families_of([*articles, digest])
    members = sorted(sorted(read.ids[k] for k in family.members) for family in found.families)
    assert members == [[f"{n}{k}" for k in range(3)] for n in "abc"]
    assert [read.ids[k] for k in np.flatnonzero(found.round_ups).tolist()] == ["digest"]


def thirds(text: str) -> list[str]:
    """A text in three pieces."""
    words = text.split()
    step = len(words) // 3
    return [" ".join(words[k : k + step]) for k in range(0, 3 * step, step)]


def test_report_of_which_excerpts_circulate() -> None:
    """A report, its edited copies and excerpts from separate parts of it are one family."""
    text = story("a", 360)
    # One word in sixteen is another one: no copy is near another.
    copies = [
        " ".join(f"x{k}" if (i + k) % 16 == 0 else word for i, word in enumerate(text.split()))
        for k in range(1, 8)
    ]
    articles = [
        *(Article(f"whole{k}", copy) for k, copy in enumerate([text, *copies])),
        *(Article(f"part{k}", part) for k, part in enumerate(thirds(text))),
    ]
    _, found = families_of(articles)
    assert [len(family.members) for family in found.families] == [len(articles)]
    assert not found.round_ups.any()


@pytest.mark.parametrize("outlets", [1, 5])
def test_digest_that_several_print(outlets: int) -> None:
    """Reprints of a digest are a family of their own beside those of its stories."""
    stories = {name: story(name) for name in "abc"}
    articles = [
        Article(f"{n}{k}", f"{text} {n} copy{k}", source=f"{n}{k}.com")
        for n, text in stories.items()
        for k in range(3)
    ]
    digest = " ".join(stories.values())
    articles += [
        Article(f"digest{k}", f"{digest} edition{k}", source=f"d{k % outlets}.com")
        for k in range(5)
    ]
    read, found = families_of(articles)
    members = sorted(sorted(read.ids[k] for k in family.members) for family in found.families)
    expected = [[f"{n}{k}" for k in range(3)] for n in "abc"]
    assert members == [*expected, [f"digest{k}" for k in range(5)]]


def test_unrelated_articles() -> None:
    """Articles that share nothing form no family, and derive from nothing."""
    articles = [Article(name, story(name)) for name in "abc"]
    assert described(articles) == []
    assert origins(articles) == {}


def test_origin_is_the_earliest() -> None:
    """A copy derives from the earlier published article that holds most of it, dates known."""
    text = story("a")
    dates = {"late": "2024-03-03", "first": "2024-03-01", "mid": "2024-03-02"}
    articles = [Article(name, f"{text} {name}", published=date) for name, date in dates.items()]
    assert origins(articles) == {"mid": "first", "late": "first"}


def test_origin_without_dates_is_the_fullest() -> None:
    """Where a date is missing the fuller text counts as the earlier one."""
    articles = [
        Article("short", story("a", 60), published="2024-01-01"),
        Article("full", story("a", 120)),
    ]
    assert origins(articles) == {"short": "full"}


@examples
@given(st.permutations(range(8)))
def test_order_of_input_makes_no_difference(order: list[int]) -> None:
    """Families, with their names, are the same for any order of reading."""
    articles = [
        Article(f"{n}{k}", f"{story(n)} {n} copy{k}", published=f"2024-01-0{k + 1}")
        for n in "ab"
        for k in range(4)
    ]
    _, expected = families_of(articles)
    _, found = families_of([articles[k] for k in order])
    assert found.families == expected.families
    assert found.origin.tolist() == expected.origin.tolist()
    assert all(len(family.name) == 17 for family in found.families)


def test_name_is_the_lowest_fingerprint() -> None:
    """A family is named after the lowest fingerprint of its members."""
    articles = [Article(str(k), f"{story('a')} {k}") for k in range(3)]
    read, found = families_of(articles)
    assert [family.name for family in found.families] == [f"f{int(read.fingerprints.min()):016x}"]


def test_records_are_frozen() -> None:
    """A family cannot be changed."""
    _, found = families_of([Article(str(k), story("a")) for k in range(2)])
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.families[0].name = "g"  # type: ignore[misc]
