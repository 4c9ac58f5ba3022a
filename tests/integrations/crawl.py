"""A spider in a process of its own: `python crawl.py ADDRESS OUT SETTINGS`.

Crawls the newspapers at an address, one page after the other. Writes the items that passed the
pipelines to OUT/items.jsonl, and the stats to OUT/stats.json. With the setting BREAK_AFTER the
index fails after so many articles.
"""

from __future__ import annotations

import json
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import scrapy
from scrapy.crawler import CrawlerProcess

from dedupe.errors import StoreUnavailableError
from dedupe.index import Index

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.http import Response

    from dedupe.index import Match
    from dedupe.records import Article


class Papers(scrapy.Spider):
    """Follows the front page to all articles."""

    name = "papers"

    def parse(self, response: Response) -> Iterator[Any]:
        """The links of the front page, in their order."""
        for k, link in enumerate(response.css("a::attr(href)").getall()):
            yield response.follow(link, self.parse_article, priority=-k)

    def parse_article(self, response: Response) -> Iterator[dict[str, Any]]:
        """An article, with fields such as spiders have."""
        path = "/" + response.url.split("/", maxsplit=3)[3]
        yield {
            "path": path,
            "url": response.url,
            "outlet": path.split("/")[1],
            "headline": response.css("h1::text").get(),
            "date": response.css("time::attr(datetime)").get(),
            "body": response.css("article p::text").getall(),
        }


def break_index(after: int) -> None:
    """Have every index of this process fail once it was asked so often."""
    check_and_add = Index.check_and_add
    asked = count(1)

    def failing(index: Index, article: Article) -> Match:
        if next(asked) > after:
            raise StoreUnavailableError("the server is away")
        return check_and_add(index, article)

    Index.check_and_add = failing  # type: ignore[assignment, method-assign]


def main() -> None:
    """Crawl once."""
    address, out, given = sys.argv[1:]
    settings = json.loads(given)
    if "BREAK_AFTER" in settings:
        break_index(settings["BREAK_AFTER"])
    items = Path(out, "items.jsonl")
    process = CrawlerProcess(
        {
            "ADDONS": {"dedupe.integrations.scrapy.Addon": 0},
            "CONCURRENT_REQUESTS": 1,
            "FEEDS": {items: {"format": "jsonlines", "overwrite": True}},
            "LOG_LEVEL": "INFO",
            "ROBOTSTXT_OBEY": False,
            "DOWNLOAD_TIMEOUT": 20,
            "CLOSESPIDER_TIMEOUT": 240,
            "TELNETCONSOLE_ENABLED": False,
            **settings,
        }
    )
    crawler = process.create_crawler(Papers)
    process.crawl(crawler, start_urls=[address + "/"])
    process.start()
    assert crawler.stats is not None
    stats = json.dumps(crawler.stats.get_stats(), default=str)
    Path(out, "stats.json").write_text(stats, encoding="utf-8")


if __name__ == "__main__":
    main()
