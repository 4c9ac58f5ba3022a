"""Real crawls: spiders in processes of their own, and newspapers on loopback."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from crawling import crawl
from newspapers import PAGES, newspapers
from optional import needs

import dedupe
from dedupe.tokens import tokenise_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = Counter(page.kind for page in PAGES)

REACTORS = {
    "asyncio": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
    "twisted": "twisted.internet.selectreactor.SelectReactor",
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the newspapers are."""
    needs("scrapy")
    with newspapers() as served:
        yield served


@pytest.mark.parametrize("reactor", REACTORS)
def test_every_item_is_tagged(address: str, tmp_path: Path, reactor: str) -> None:
    """With either reactor each article is told what it is, and which earlier one it is of."""
    index = tmp_path / "index"
    crawled = crawl(
        address, tmp_path / "out", DEDUPE_INDEX=str(index), TWISTED_REACTOR=REACTORS[reactor],
        DEDUPE_FIELDS={"source": "outlet"},
    )  # fmt: skip

    told = {path: item["dedupe"] for path, item in crawled.items.items()}
    assert {path: tag["kind"] for path, tag in told.items()} == {p.path: p.kind for p in PAGES}
    for page in PAGES:
        tag = told[page.path]
        assert tag["status"] == "new"
        best = tag["best"]
        assert (best and best["of"]) == (page.of and address + page.of)
        assert best is None or best["source"] == (page.of or "").split("/")[1]
    assert crawled.counts() == KINDS
    assert crawled.stats["dedupe/seconds"] > 0
    assert crawled.stats["finish_reason"] == "finished"
    assert "Traceback" not in crawled.log
    with dedupe.Index.open(index, mode="r") as opened:
        assert len(opened) == len(PAGES)


def test_passages_are_of_the_text_that_was_read(address: str, tmp_path: Path) -> None:
    """The spans of a tag are those of the text, whose paragraphs are parted by blank lines."""
    crawled = crawl(address, tmp_path / "out", DEDUPE_INDEX=str(tmp_path / "index"))
    item = crawled.items["/herald/raqqa"]
    text = "\n\n".join(item["body"])
    wire = next(page.text for page in PAGES if page.path == "/wire/mayadeen")

    verbatim = [p for p in item["dedupe"]["passages"] if p["kind"] == "verbatim"]
    assert verbatim
    for passage in verbatim:
        here = tokenise_text(text[passage["start"] : passage["end"]])
        there = tokenise_text(wire[passage["of_start"] : passage["of_end"]])
        assert here.hashes.tolist() == there.hashes.tolist()
        assert len(here.hashes) == passage["words"]
    assert item["dedupe"]["added"]


def test_copies_are_dropped(address: str, tmp_path: Path) -> None:
    """With DEDUPE_ACTION = "drop" exact and near copies are left out, and the log says of what."""
    crawled = crawl(
        address, tmp_path / "out", DEDUPE_INDEX=str(tmp_path / "index"), DEDUPE_ACTION="drop"
    )

    copies = [page for page in PAGES if page.kind in ("exact", "near")]
    assert set(crawled.items) == {page.path for page in PAGES} - {page.path for page in copies}
    assert crawled.counts() == {**KINDS, "dropped": len(copies)}
    assert crawled.stats["item_dropped_count"] == len(copies)
    for page in copies:
        (line,) = (x for x in crawled.log.splitlines() if f"Dropped: {address}{page.path} " in x)
        assert f"{address}{page.of}" in line


def test_a_second_crawl_knows_the_first(address: str, tmp_path: Path) -> None:
    """The index stays: pages that are crawled again are told to be unchanged, and what they were."""
    index = str(tmp_path / "index")
    crawl(address, tmp_path / "first", DEDUPE_INDEX=index)
    again = crawl(address, tmp_path / "second", DEDUPE_INDEX=index)

    tags = [item["dedupe"] for item in again.items.values()]
    assert {tag["status"] for tag in tags} == {"unchanged"}
    assert again.counts() == {**KINDS, "unchanged": len(PAGES)}


def test_an_index_that_cannot_be_opened_ends_the_crawl(address: str, tmp_path: Path) -> None:
    """Nothing is fetched, and the log says why in a line."""
    (tmp_path / "index").write_text("not an index", encoding="utf-8")
    crawled = crawl(address, tmp_path / "out", DEDUPE_INDEX=str(tmp_path / "index"))

    assert crawled.stats["finish_reason"] == "dedupe_index_failed"
    assert "response_received_count" not in crawled.stats
    assert "ERROR: dedupe: the index cannot be opened: " in crawled.log
    assert "Traceback" not in crawled.log


@pytest.mark.parametrize("reactor", REACTORS)
def test_an_index_that_fails_ends_the_crawl(address: str, tmp_path: Path, reactor: str) -> None:
    """The spider is closed; what was under way has no kind, and no page is called unique by it."""
    crawled = crawl(
        address, tmp_path / "out", DEDUPE_INDEX=str(tmp_path / "index"), BREAK_AFTER=2,
        TWISTED_REACTOR=REACTORS[reactor],
    )  # fmt: skip

    assert crawled.stats["finish_reason"] == "dedupe_index_failed"
    kinds = [item["dedupe"]["kind"] for item in crawled.items.values()]
    assert kinds[:2] == ["unique", "partial"]
    assert set(kinds[2:]) == {None}
    assert crawled.counts()["errors"] == len(kinds) - 2
    assert "Traceback" not in crawled.log


def test_an_index_that_fails_may_let_items_pass(address: str, tmp_path: Path) -> None:
    """With DEDUPE_ON_ERROR = "pass" the crawl goes on, and the items are marked."""
    crawled = crawl(
        address, tmp_path / "out", DEDUPE_INDEX=str(tmp_path / "index"), BREAK_AFTER=2,
        DEDUPE_ON_ERROR="pass",
    )  # fmt: skip

    assert crawled.stats["finish_reason"] == "finished"
    kinds = [item["dedupe"]["kind"] for item in crawled.items.values()]
    assert kinds == ["unique", "partial", *[None] * (len(PAGES) - 2)]


def test_without_an_index_the_crawl_goes_on(address: str, tmp_path: Path) -> None:
    """The pipeline says that it is not configured, and leaves items alone."""
    crawled = crawl(address, tmp_path / "out")

    assert len(crawled.items) == len(PAGES)
    assert all("dedupe" not in item for item in crawled.items.values())
    assert "DEDUPE_INDEX is not set" in crawled.log
