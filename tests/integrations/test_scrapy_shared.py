"""Spiders in several processes that share an index in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from crawling import finish, start
from newspapers import PAGES, newspapers
from optional import needs
from redis_server import RedisServer

import dedupe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the newspapers are."""
    needs("scrapy")
    with newspapers() as served:
        yield served


def test_two_spiders_share_an_index(address: str, tmp_path: Path) -> None:
    """Of the same page crawled by two processes at once, one is told that it is new."""
    with RedisServer() as server:
        outs = [tmp_path / name for name in ("one", "two")]
        started = [start(address, out, {"DEDUPE_INDEX": server.url()}) for out in outs]
        crawls = [finish(process, out) for process, out in zip(started, outs, strict=True)]
        with dedupe.Index.open(server.url(), mode="r") as opened:
            assert len(opened) == len(PAGES)

    tags = [{path: item["dedupe"] for path, item in crawl.items.items()} for crawl in crawls]
    for page in PAGES:
        told = [of[page.path] for of in tags]
        assert sorted(tag["status"] for tag in told) == ["new", "unchanged"]
    for crawl in crawls:
        assert "errors" not in crawl.counts()
        assert crawl.stats["finish_reason"] == "finished"
    # Which of two copies is the first depends on who was quicker; that one of them is does not.
    for one, two in (("/post/troops", "/gazette/troops"), ("/voa/loses", "/tribune/loses")):
        new = [
            of[path]["kind"] for of in tags for path in (one, two) if of[path]["status"] == "new"
        ]
        assert sorted(kind == "unique" for kind in new) == [False, True]


def test_a_server_that_goes_away_ends_the_crawl(address: str, tmp_path: Path) -> None:
    """A crawl whose server is not there ends before anything is fetched, with a line that says why."""
    with RedisServer() as server:
        url = server.url()
    crawl = finish(start(address, tmp_path / "out", {"DEDUPE_INDEX": url}), tmp_path / "out")

    assert crawl.stats["finish_reason"] == "dedupe_index_failed"
    assert "response_received_count" not in crawl.stats
    assert "ERROR: dedupe: the index cannot be opened: " in crawl.log
    assert "Traceback" not in crawl.log
