"""What came before decides, not how often it came or was asked about."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dedupe import Article, ConfigError, Index

if TYPE_CHECKING:
    from pathlib import Path


def words(seed: int, n: int) -> str:
    """Some words that no other seed has in this order."""
    draw = random.Random(seed)
    return " ".join(f"w{draw.randrange(10**6)}" for _ in range(n))


BLOCK = words(0, 60)


def with_block(k: int) -> Article:
    """One of the articles of a source that share a block."""
    return Article(id=f"p{k}", text=f"{words(100 + k, 200)} {BLOCK}", source="s.com")


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """An empty index."""
    return Index.open(tmp_path / "index")


def test_adding_again_judges_nothing(index: Index) -> None:
    """Articles that come again are no further articles that hold a text."""
    some = [with_block(k) for k in range(5)]
    with index:
        index.add_many(some)
        assert index.add_many(some).unchanged == 5
        match = index.check_and_add(with_block(9))
        assert (match.kind, len(match.of)) == ("partial", 5)


def test_asking_judges_nothing(index: Index) -> None:
    """Articles that were only asked about do not count as some that hold a text."""
    with index:
        index.add(with_block(0))
        index.check_many([with_block(k) for k in range(10, 30)])
        assert index.check_and_add(with_block(1)).of == ("p0",)


def test_what_comes_later_takes_no_place(index: Index) -> None:
    """However many copies follow, an article is told of the one before it."""
    first = Article(id="a", text=words(1, 300))
    second = Article(id="b", text=f"{words(1, 300)[: len(words(1, 150))]} {words(2, 300)}")
    with index:
        index.add(first)
        assert index.check_and_add(second).of == ("a",)
        for k in range(12):
            index.add(replace(second, id=f"copy {k}", text=f"{second.text} and {k}"))
        assert index.check(second).of == ("a",)
        assert index.check_and_add(second).of == ("a",)
        revised = index.check_and_add(replace(second, text=f"{second.text} revised"))
        assert (revised.status, revised.of) == ("revised", ("a",))


def test_known_ones_take_no_place_in_a_batch(index: Index) -> None:
    """An article is told the same beside others that are there already."""
    known = [with_block(k) for k in range(6)]
    new = with_block(7)
    with index:
        index.add_many(known)
        alone = index.check_many([new])[0]
        beside = index.check_and_add_many([*known, new])[-1]
        assert (beside.of, beside.left_out) == (alone.of, alone.left_out)


def test_a_revision_into_the_text_of_another_is_a_copy(index: Index) -> None:
    """A placeholder that is filled with another's text has it from there."""
    with index:
        index.add(Article(id="first", text=words(3, 40)))
        index.add(Article(id="second", text=words(4, 200)))
        filled = Article(id="first", text=words(4, 200))
        assert index.check(filled).of == ("second",)
        match = index.check_and_add(filled)
        assert (match.status, match.kind, match.of) == ("revised", "exact", ("second",))


@pytest.mark.parametrize("scale", [1, 2, 8])
def test_estimates_of_short_articles(tmp_path: Path, scale: int) -> None:
    """Without texts short articles that share a third of theirs are no copies, at any scale."""
    shared = words(5, 30)
    with Index.open(tmp_path / "bare", store_text=False, scale=scale) as bare:
        bare.add(Article(id="a", text=f"{words(6, 70)} {shared}"))
        match = bare.check(Article(id="b", text=f"{words(7, 70)} {shared}"))
        assert (match.kind, match.verified) == ("partial", False)
        assert match.reuses[0].article_in_other == pytest.approx(0.3, abs=0.01)


def test_whether_texts_are_kept_is_a_setting(tmp_path: Path) -> None:
    """An index that keeps texts is not opened as one that does not; unsaid, it is as it is."""
    with Index.open(tmp_path / "index") as index:
        assert index.info()["texts_stored"]
    with pytest.raises(ConfigError, match="keeps texts"):
        Index.open(tmp_path / "index", store_text=False)
    Index.open(tmp_path / "index", store_text=True).close()
