"""The benchmark of the index in Redis measures what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optional import needs, needs_program

from benchmarks import index_redis
from benchmarks.generate import corpus
from dedupe import Article, Index

if TYPE_CHECKING:
    import pytest


def test_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """All is added, by us and by the peer, and every kind of key is counted once."""
    needs("redis")
    needs("datasketch")
    needs_program("redis-server")
    rows = corpus(60, seed=3).select("id", "text").iter_rows()
    articles = [Article(id=name, text=text) for name, text in rows]
    with index_redis.Server() as server:
        url = f"redis://127.0.0.1:{server.port}/0?articles=100&prefix=bench"
        costs = [
            index_redis.one_by_one(server, url, articles[:30]),
            index_redis.together(server, url, articles[30:]),
        ]
        kinds = index_redis.memory_by_kind(server, "bench")
        sizes = map(server.client.memory_usage, server.client.scan_iter("bench:*"))
        total = sum(int(size or 0) for size in sizes)
        monkeypatch.setattr(index_redis, "WARM", 10)
        costs += [
            index_redis.by_threads(server, f"{url}1", articles, 4),
            index_redis.checked_together(server, f"{url}2", articles),
        ]
        for number in "12":
            with Index.open(f"{url}{number}") as index:
                assert len(index) == 60
        costs += index_redis.datasketch(server, articles[:5])
    assert [cost.articles for cost in costs] == [30, 30, 50, 50, 5, 5]
    assert all(cost.seconds > 0 for cost in costs)
    assert sum(kinds.values()) == total
    assert min(kinds[kind] for kind in "aip") > 0
    text = index_redis.report(costs, kinds, 60)
    assert "| `check_and_add` | 30 |" in text
    assert "| postings |" in text
