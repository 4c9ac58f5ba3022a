"""An item pipeline for Scrapy, and an add-on that puts it in its place.

    ADDONS = {"dedupe.integrations.scrapy.Addon": 0}
    DEDUPE_INDEX = "news.index"

Every item is looked up in the index by its text, added to it, and gets a tag that says what the
index knows: see `docs/pipelines.md`, which has all settings and stats.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from itemadapter import ItemAdapter
from scrapy.exceptions import CloseSpider, DropItem, NotConfigured
from scrapy.utils.defer import deferred_from_coro

from dedupe._jit import when_compiling
from dedupe.config import Config
from dedupe.corpus._fields import FieldMissingError, list_names
from dedupe.corpus._objects import NoTextError
from dedupe.errors import ConfigError, DedupeError
from dedupe.integrations._calls import IndexCalls, awaited
from dedupe.integrations._items import ItemReader
from dedupe.integrations._tag import COPIES, check_droppable, error_tag, is_dropped, tag_of

if TYPE_CHECKING:
    from typing import Self

    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings

    from dedupe.index import Index, Match
    from dedupe.records import Article

__all__ = ["Addon", "DedupePipeline"]

logger = logging.getLogger(__name__)

PLACE = 500
"""Where the add-on puts the pipeline: after those that clean items, as a rule, and before those
that store them."""

CLOSE_REASON = "dedupe_index_failed"
"""Why a spider was closed whose index could not be opened, or failed."""

_COMPILING = "compiling for this machine, once after installation: up to a minute"

RETRY_SECONDS = 10.0
"""With DEDUPE_ON_ERROR = "pass": for how long items pass at once after the index failed. Each try
takes as long as the index waits for an answer, and the next items wait behind it."""


class Addon:
    """Puts the pipeline into ITEM_PIPELINES, unless it has a place there."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Called by Scrapy before the crawl."""
        settings.setdefault_in_component_priority_dict("ITEM_PIPELINES", DedupePipeline, PLACE)


class DedupePipeline:
    """Tags every item with what the index knows of its text, adds it, and drops copies if told to.

    All work with the index is done in a thread of its own.
    """

    def __init__(self, crawler: Crawler) -> None:
        """Read the settings.

        Raises:
            NotConfigured: DEDUPE_INDEX is not set.
            ConfigError: a setting has no meaning.
        """
        assert crawler.stats is not None
        settings = crawler.settings
        self._url = settings.get("DEDUPE_INDEX")
        if not self._url:
            raise NotConfigured(
                "DEDUPE_INDEX is not set, so items are not looked up; set it to the directory of "
                "an index, which is made where there is none, or to redis://HOST:PORT/DB"
            )
        action = _choice(settings, "DEDUPE_ACTION", ("tag", "drop"))
        dropped = check_droppable(settings.getlist("DEDUPE_DROP", list(COPIES)), "DEDUPE_DROP")
        self._dropped = dropped if action == "drop" else frozenset[str]()
        self._closes = _choice(settings, "DEDUPE_ON_ERROR", ("close", "pass")) == "close"
        self._field = settings.get("DEDUPE_RESULT_FIELD", "dedupe")
        self._config = settings.getdict("DEDUPE_CONFIG")
        Config().replace(**self._config)  # before the crawl, what is wrong with them
        self._read = ItemReader(settings.getdict("DEDUPE_FIELDS"), "DEDUPE_FIELDS")
        self._crawler = crawler
        self._stats = crawler.stats
        self._calls: IndexCalls | None = None
        self._seconds = 0.0
        self._failed_until: float | None = None
        self._closing: object = None
        self._told: set[tuple[str, type]] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(crawler)

    async def open_spider(self) -> None:
        """Open the index; where that fails, say why and end the crawl before it begins.

        Raises:
            CloseSpider: the index cannot be opened.
        """
        when_compiling(lambda: self._log(logging.INFO, _COMPILING))
        self._calls = IndexCalls(str(self._url), self._config)
        try:
            held = await awaited(self._calls.call(len))
        except (DedupeError, OSError) as error:
            self._log(logging.ERROR, f"the index cannot be opened: {error}")
            raise CloseSpider(CLOSE_REASON) from error
        self._log(logging.INFO, f"{self._url} holds {held:,} articles")

    async def close_spider(self) -> None:
        """Close the index, once all calls to it are done."""
        calls, self._calls = self._calls, None
        if calls is None:
            return
        try:
            await awaited(calls.close())
        except (DedupeError, OSError) as error:
            self._log(logging.ERROR, f"the index could not be closed: {error}")

    async def process_item(self, item: Any) -> Any:
        """Look an item up, add it, and tag it.

        Raises:
            DropItem: it is a copy, of a kind that is to be dropped.
        """
        if not ItemAdapter.is_item(item):
            self._stats.inc_value("dedupe/skipped")
            return item
        adapter = ItemAdapter(item)
        try:
            article = self._read(adapter)
        except (FieldMissingError, NoTextError) as error:
            self._skip(item, adapter, error)
            return item
        if self._failed_until is not None and time.monotonic() < self._failed_until:
            self._stats.inc_value("dedupe/errors")
            self._put(item, adapter, error_tag("the index does not answer"))
            return item
        try:
            match = await self._look_up(article)
        except (DedupeError, OSError) as error:
            self._fail(error)
            self._put(item, adapter, error_tag(str(error)))
            return item
        if self._failed_until is not None:
            self._failed_until = None
            self._log(logging.INFO, "the index answers again")
        self._count(match)
        if is_dropped(match, self._dropped):
            self._stats.inc_value("dedupe/dropped")
            raise DropItem(_reason(match, self._dropped))
        self._put(item, adapter, tag_of(match))
        return item

    async def _look_up(self, article: Article) -> Match:
        def timed(index: Index) -> tuple[Match, float]:
            start = time.perf_counter()
            match = index.check_and_add(article)
            return match, time.perf_counter() - start

        assert self._calls is not None
        match, seconds = await awaited(self._calls.call(timed))
        self._seconds += seconds
        self._stats.set_value("dedupe/seconds", round(self._seconds, 3))
        return match

    def _count(self, match: Match) -> None:
        self._stats.inc_value(f"dedupe/{match.kind}")
        if match.status != "new":
            self._stats.inc_value(f"dedupe/{match.status}")

    def _skip(self, item: Any, adapter: ItemAdapter, error: Exception) -> None:
        """Let an item without text pass, and say so once for its type."""
        self._stats.inc_value("dedupe/skipped")
        self._warn_once(
            "text",
            item,
            f"{error}, so such items go on without being looked up; name the field of the text in "
            f"DEDUPE_FIELDS, as {{'text': …}}; this one has: {list_names(list(adapter))}",
        )

    def _put(self, item: Any, adapter: ItemAdapter, tag: dict[str, Any]) -> None:
        """Put a tag on an item; one whose type has no place for it goes on without."""
        try:
            adapter[self._field] = tag
        except (KeyError, AttributeError, TypeError, ValueError):
            self._stats.inc_value("dedupe/untagged")
            self._warn_once(
                "tag",
                item,
                f"it has no field {self._field!r} that can be set, so such items go on without a "
                "tag; add that field to the class, or name another in DEDUPE_RESULT_FIELD",
            )

    def _fail(self, error: Exception) -> None:
        """The index failed: close the spider, or let items pass for a while."""
        self._stats.inc_value("dedupe/errors")
        first = self._failed_until is None
        self._failed_until = time.monotonic() + (float("inf") if self._closes else RETRY_SECONDS)
        if not first:
            return
        what = "the spider is closed" if self._closes else "items go on without being looked up"
        self._log(logging.ERROR, f"the index failed, and {what}: {error}")
        if self._closes:
            self._close_spider()

    def _close_spider(self) -> None:
        engine = self._crawler.engine
        assert engine is not None
        # Not awaited: the engine waits for this very item before it closes.
        self._closing = deferred_from_coro(engine.close_spider_async(reason=CLOSE_REASON))

    def _warn_once(self, what: str, item: Any, message: str) -> None:
        if (what, type(item)) not in self._told:
            self._told.add((what, type(item)))
            self._log(logging.WARNING, f"{type(item).__name__}: {message}")

    def _log(self, level: int, message: str) -> None:
        logger.log(level, "dedupe: %s", message, extra={"spider": self._crawler.spider})


def _choice(settings: BaseSettings, name: str, choices: tuple[str, ...]) -> str:
    """A setting that must be one of these; the first is the default."""
    value = settings.get(name, choices[0])
    if value not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    return str(value)


def _reason(match: Match, dropped: frozenset[str]) -> str:
    """Why an item is dropped, in a sentence that names the earlier article."""
    if match.kind not in dropped:
        return f"{match.id} is in the index with this text"
    if not match.reuses:
        return f"{match.id} is {match.kind}"
    best = match.reuses[0]
    named = ", ".join(filter(None, (best.source, best.published)))
    of = f"{best.of} ({named})" if named else best.of
    if best.kind == "exact":
        return f"{match.id} has the words of {of}"
    share = f"{best.article_in_other:.0%} of its words"
    return f"{match.id} is a {best.kind} copy of {of}: {share} stand there"
