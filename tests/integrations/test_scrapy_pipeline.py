"""The pipeline by itself: kinds of items, settings, and an index that fails."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from optional import needs

from dedupe.errors import ConfigError, StoreUnavailableError
from dedupe.index import Index

scrapy = needs("scrapy")
attrs = needs("attrs")

from scrapy.exceptions import CloseSpider, DropItem, NotConfigured  # noqa: E402
from scrapy.settings import Settings  # noqa: E402
from scrapy.statscollectors import StatsCollector  # noqa: E402

from dedupe.integrations.scrapy import Addon, DedupePipeline  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def text_of(n: int, words: int = 60) -> str:
    """A text that shares nothing with that of another number."""
    return " ".join(f"word{n}x{k}" for k in range(words))


class Engine:
    """Stands for Scrapy's engine.

    Attributes:
        reasons: with which a spider was to be closed.
    """

    def __init__(self) -> None:
        self.reasons: list[str] = []

    async def close_spider_async(self, *, reason: str) -> None:
        """Note it."""
        self.reasons.append(reason)


class Crawl:
    """A pipeline under a crawler that is none."""

    def __init__(self, **settings: Any) -> None:
        self.engine = Engine()
        crawler: Any = SimpleNamespace(settings=Settings(settings), spider=None, engine=self.engine)
        crawler.stats = StatsCollector(crawler)
        self.stats: StatsCollector = crawler.stats
        self.pipeline = DedupePipeline.from_crawler(crawler)

    def run(self, *items: Any) -> list[Any]:
        """What comes out for each item: the item, or the exception."""

        async def crawl() -> list[Any]:
            await self.pipeline.open_spider()
            try:
                out = []
                for item in items:
                    try:
                        out.append(await self.pipeline.process_item(item))
                    except DropItem as dropped:
                        out.append(dropped)
                return out
            finally:
                await self.pipeline.close_spider()

        return asyncio.run(crawl())

    def counts(self) -> dict[str, int]:
        """The counts of the pipeline."""
        found = {name: n for name, n in self.stats.get_stats().items() if name != "dedupe/seconds"}
        return {name.removeprefix("dedupe/"): n for name, n in found.items()}


@pytest.fixture
def index(tmp_path: Path) -> str:
    """Where an index may be made."""
    return str(tmp_path / "index")


# Kinds of items -------------------------------------------------------------------------------


class ScrapyArticle(scrapy.Item):  # type: ignore[misc, name-defined, unused-ignore]
    """An item of Scrapy's own kind."""

    url = scrapy.Field()
    body = scrapy.Field()
    dedupe = scrapy.Field()


@dataclass
class DataArticle:
    """An item that is a dataclass."""

    url: str
    body: str
    dedupe: dict[str, Any] = field(default_factory=dict)


@attrs.define
class AttrsArticle:
    """An item of attrs."""

    url: str
    body: str
    dedupe: Any = None


TYPES = [dict, ScrapyArticle, DataArticle, AttrsArticle]


def _get(item: Any, name: str) -> Any:
    return item[name] if hasattr(item, "keys") else getattr(item, name)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_items_of_any_type(index: str, kind: Any) -> None:
    """Items of every type that Scrapy takes are tagged, and stay the items they were."""
    items = [kind(url=f"https://x.org/{n}", body=text_of(0)) for n in range(2)]
    out = Crawl(DEDUPE_INDEX=index).run(*items)

    assert all(before is after for before, after in zip(items, out, strict=True))
    first, second = (_get(item, "dedupe") for item in out)
    assert (first["kind"], first["of"], first["best"]) == ("unique", [], None)
    assert (second["kind"], second["of"]) == ("exact", ["https://x.org/0"])
    assert second["best"]["source"] == "x.org"
    assert json.loads(json.dumps(second)) == second


def test_loaders_make_lists(index: str) -> None:
    """Of lists, which item loaders make, the first value counts, and of the text all lines."""
    lines = [text_of(0, 30), text_of(1, 30)]
    items: list[dict[str, Any]] = [
        {"url": ["https://x.org/1"], "body": lines, "title": ["One", "Two"], "author": []},
        {"url": ["https://x.org/2"], "body": "\n\n".join(lines)},
    ]
    first, second = Crawl(DEDUPE_INDEX=index).run(*items)

    assert first["dedupe"]["words"] == 60
    assert second["dedupe"]["of"] == ["https://x.org/1"]
    assert second["dedupe"]["best"]["title"] == "One"
    with Index.open(index, mode="r") as opened:
        article = opened.get("https://x.org/1")
        assert article is not None
        assert article.text == second["body"]


def test_fields_by_name(index: str) -> None:
    """Each attribute of an article may come from any field."""
    names = {
        "id": "key",
        "text": "said",
        "source": "paper",
        "url": "at",
        "title": "head",
        "published": "on",
        "language": "tongue",
    }
    values = 7, text_of(0), "Herald", "https://x.org/1", "News", "2017-10-14", "en"
    item = {**dict(zip(names.values(), values, strict=True)), "text": "a teaser"}
    Crawl(DEDUPE_INDEX=index, DEDUPE_FIELDS=names).run(item)

    with Index.open(index, mode="r") as opened:
        article = opened.get("7")
    assert article is not None
    assert article.text == item["said"]
    told = (article.source, article.url, article.title, article.published, article.language)
    assert told == ("Herald", "https://x.org/1", "News", "2017-10-14", "en")


def test_items_without_id_or_url(index: str) -> None:
    """An item with neither is known by what it says: the same item again is unchanged."""
    items = [{"body": text_of(0)}, {"body": text_of(0)}, {"body": text_of(0), "title": "News"}]
    told = [item["dedupe"] for item in Crawl(DEDUPE_INDEX=index).run(*items)]

    assert [(tag["kind"], tag["status"]) for tag in told] == [
        *(("unique", "new"), ("unique", "unchanged"), ("exact", "new")),
    ]


# Items that cannot be looked up or tagged -----------------------------------------------------


def test_items_without_text(index: str, caplog: pytest.LogCaptureFixture) -> None:
    """They go on as they are, are counted, and told once, with the fields there are."""
    items: list[Any] = [
        *({"url": f"https://x.org/{n}", "teaser": "Short."} for n in range(3)),
        DataArticle(url="https://x.org/9", body="  "),
        "no item at all",
    ]
    crawl = Crawl(DEDUPE_INDEX=index)
    with caplog.at_level(logging.WARNING):
        out = crawl.run(*items)

    assert out == items
    assert "dedupe" not in out[0]
    assert crawl.counts() == {"skipped": 5}
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("dedupe: dict: no field of a usual name holds the text, so such items")
    assert first.endswith("DEDUPE_FIELDS, as {'text': …}; this one has: url, teaser")
    assert second.startswith("dedupe: DataArticle: ")


@dataclass(frozen=True)
class FrozenArticle:
    """An item that cannot be changed."""

    url: str
    body: str
    dedupe: None = None


@dataclass
class PlainArticle:
    """An item without a field for the tag."""

    url: str
    body: str


class PlainItem(scrapy.Item):  # type: ignore[misc, name-defined, unused-ignore]
    """The same of Scrapy's own kind."""

    url = scrapy.Field()
    body = scrapy.Field()


@attrs.define
class PlainAttrs:
    """The same of attrs."""

    url: str
    body: str


@pytest.mark.parametrize(
    "kind", [PlainArticle, PlainItem, PlainAttrs, FrozenArticle], ids=lambda kind: kind.__name__
)
def test_items_without_room_for_a_tag(
    index: str, kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """They are looked up and added, and go on untagged; the log says so once, with a remedy."""
    crawl = Crawl(DEDUPE_INDEX=index)
    items = [kind(url=f"https://x.org/{n}", body=text_of(0)) for n in range(3)]
    with caplog.at_level(logging.WARNING):
        assert crawl.run(*items) == items

    assert crawl.counts() == {"unique": 1, "exact": 2, "untagged": 3}
    (record,) = caplog.records
    message = record.getMessage()
    assert message.startswith(f"dedupe: {kind.__name__}: it has no field 'dedupe'")
    assert "DEDUPE_RESULT_FIELD" in message


def test_another_field_for_the_tag(index: str) -> None:
    """The tag may have any name."""
    (item,) = Crawl(DEDUPE_INDEX=index, DEDUPE_RESULT_FIELD="reuse").run({"body": text_of(0)})
    assert item["reuse"]["kind"] == "unique"
    assert "dedupe" not in item


# Dropping -------------------------------------------------------------------------------------


def _copies() -> Sequence[dict[str, Any]]:
    """One of each kind: unique, exact, near, partial, and the first again."""
    text = text_of(0, 100)
    near = text.replace("word0x50 ", "other ")
    partial = f"{text_of(0, 40)} {text_of(1, 100)}"
    rows = [text, text, near, partial]
    items = [{"url": f"https://x.org/{k}", "body": body} for k, body in enumerate(rows)]
    return [*items, dict(items[0])]


@pytest.mark.parametrize(
    ("settings", "dropped"),
    [
        ({}, []),
        ({"DEDUPE_DROP": ["exact"]}, []),
        ({"DEDUPE_ACTION": "tag"}, []),
        ({"DEDUPE_ACTION": "drop"}, [1, 2]),
        ({"DEDUPE_ACTION": "drop", "DEDUPE_DROP": ["exact"]}, [1]),
        ({"DEDUPE_ACTION": "drop", "DEDUPE_DROP": "exact,unchanged"}, [1, 4]),
        ({"DEDUPE_ACTION": "drop", "DEDUPE_DROP": ["partial", "near"]}, [2, 3]),
    ],
    ids=str,
)
def test_what_is_dropped(index: str, settings: dict[str, Any], dropped: list[int]) -> None:
    """Nothing is, unless asked for; then the kinds that are named, or exact and near copies."""
    crawl = Crawl(DEDUPE_INDEX=index, **settings)
    out = crawl.run(*_copies())

    assert [k for k, item in enumerate(out) if isinstance(item, DropItem)] == dropped
    kinds = {"unique": 2, "exact": 1, "near": 1, "partial": 1, "unchanged": 1}
    assert crawl.counts() == {**kinds, **({"dropped": len(dropped)} if dropped else {})}


def test_a_drop_names_the_earlier_article(index: str) -> None:
    """The message of a dropped item says of which article it is a copy, and how much of one."""
    kinds = ["exact", "near", "unchanged"]
    out = Crawl(DEDUPE_INDEX=index, DEDUPE_ACTION="drop", DEDUPE_DROP=kinds).run(*_copies())

    assert str(out[1]) == "https://x.org/1 has the words of https://x.org/0 (x.org)"
    assert str(out[2]) == (
        "https://x.org/2 is a near copy of https://x.org/0 (x.org): 99% of its words stand there"
    )
    assert str(out[4]) == "https://x.org/0 is in the index with this text"


# Settings -------------------------------------------------------------------------------------


def test_without_an_index() -> None:
    """Without DEDUPE_INDEX the pipeline is not configured, and says what to set."""
    with pytest.raises(NotConfigured, match="DEDUPE_INDEX is not set"):
        Crawl()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"DEDUPE_ACTION": "dorp"}, "DEDUPE_ACTION must be one of tag, drop, not 'dorp'"),
        ({"DEDUPE_ON_ERROR": "ignore"}, "DEDUPE_ON_ERROR must be one of close, pass, not 'ignore'"),
        ({"DEDUPE_DROP": ["exakt"]}, "DEDUPE_DROP may name unique, exact, near, partial, "),
        ({"DEDUPE_FIELDS": {"body": "text"}}, "DEDUPE_FIELDS has no 'body'; it takes id, text, "),
        ({"DEDUPE_FIELDS": {"text": 7}}, r"DEDUPE_FIELDS\['text'\] must name a field, not 7"),
        ({"DEDUPE_CONFIG": {"neer": 0.5}}, "unknown setting 'neer'"),
        ({"DEDUPE_CONFIG": {"near": 5}}, "near must be a number from 0 to 1"),
    ],
    ids=str,
)
def test_settings_without_meaning(index: str, settings: dict[str, Any], told: str) -> None:
    """A crawl with such a setting does not begin, and is told which values there are."""
    with pytest.raises(ConfigError, match=told):
        Crawl(DEDUPE_INDEX=index, **settings)


def test_settings_of_the_index(index: str, caplog: pytest.LogCaptureFixture) -> None:
    """DEDUPE_CONFIG makes a new index; one that is there has to agree, or the spider is closed."""
    Crawl(DEDUPE_INDEX=index, DEDUPE_CONFIG={"min_shared_words": 30}).run()
    with Index.open(index, mode="r") as opened:
        assert opened.info()["settings"]["min_shared_words"] == 30
    with pytest.raises(CloseSpider), caplog.at_level(logging.ERROR):
        Crawl(DEDUPE_INDEX=index, DEDUPE_CONFIG={"min_shared_words": 40}).run()
    assert "min_shared_words" in caplog.text


NAME = "dedupe.integrations.scrapy.DedupePipeline"


@pytest.mark.parametrize(
    ("given", "place"),
    [({}, 500), ({NAME: 77}, 77), ({DedupePipeline: 78}, 78), ({NAME: None}, None)],
    ids=["none", "name", "class", "off"],
)
def test_the_add_on_keeps_a_place_that_was_given(given: dict[Any, Any], place: int | None) -> None:
    """The pipeline has the place that the user gave it, or else the add-on's."""
    settings = Settings({"ITEM_PIPELINES": given})
    Addon().update_settings(settings)
    (found,) = settings.getdict("ITEM_PIPELINES").values()
    assert found == place


# An index that fails --------------------------------------------------------------------------


GONE = "the server at x:6379 does not answer"


class Failing:
    """Stands for an index whose server goes away and comes back.

    Attributes:
        answers: whether it does.
        asked: how often it was.
    """

    def __init__(self, index: Index) -> None:
        self.answers = True
        self.asked = 0
        self._index = index

    def __len__(self) -> int:
        return len(self._index)

    def check_and_add(self, article: Any) -> Any:
        """As an index, or not."""
        self.asked += 1
        if not self.answers:
            raise StoreUnavailableError(GONE)
        return self._index.check_and_add(article)

    def close(self) -> None:
        """As an index."""
        self._index.close()


@pytest.fixture
def failing(index: str, monkeypatch: pytest.MonkeyPatch) -> Failing:
    """The index that pipelines open."""
    found = Failing(Index.open(index))
    monkeypatch.setattr(Index, "open", lambda *_, **__: found)
    return found


def _items(n: int) -> list[dict[str, Any]]:
    return [{"url": f"https://x.org/{k}", "body": text_of(0)} for k in range(n)]


@pytest.mark.parametrize("action", ["tag", "drop"])
def test_a_failing_index_closes_the_spider(
    failing: Failing, action: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The spider is closed, once; what is under way goes on, and is never told to be unique."""
    crawl = Crawl(DEDUPE_INDEX="x", DEDUPE_ACTION=action)
    failing.answers = False
    with caplog.at_level(logging.ERROR):
        out = crawl.run(*_items(3))

    assert crawl.engine.reasons == ["dedupe_index_failed"]
    assert [item["dedupe"]["kind"] for item in out] == [None] * 3
    assert out[0]["dedupe"]["error"] == GONE
    assert crawl.counts() == {"errors": 3}
    assert failing.asked == 1
    (record,) = caplog.records
    assert record.getMessage() == f"dedupe: the index failed, and the spider is closed: {GONE}"
    assert record.exc_info is None


def test_a_failing_index_lets_items_pass(
    failing: Failing, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With DEDUPE_ON_ERROR = "pass" items go on without a kind, and it is asked again by and by."""
    now = 1000.0
    monkeypatch.setattr("dedupe.integrations.scrapy.time.monotonic", lambda: now)
    crawl = Crawl(DEDUPE_INDEX="x", DEDUPE_ON_ERROR="pass")
    items = _items(6)

    async def steps() -> None:
        nonlocal now
        await crawl.pipeline.open_spider()
        for item in items[:2]:
            await crawl.pipeline.process_item(item)
        failing.answers = False
        for item in items[2:4]:
            await crawl.pipeline.process_item(item)
        failing.answers = True
        await crawl.pipeline.process_item(items[4])
        now += 11
        await crawl.pipeline.process_item(items[5])
        await crawl.pipeline.close_spider()

    with caplog.at_level(logging.INFO):
        asyncio.run(steps())

    assert [item["dedupe"]["kind"] for item in items] == [
        *("unique", "exact", None, None, None, "exact"),
    ]
    assert failing.asked == 4
    assert crawl.counts() == {"unique": 1, "exact": 2, "errors": 3}
    assert crawl.engine.reasons == []
    told = [record.getMessage() for record in caplog.records if record.name.startswith("dedupe")]
    assert told[1:] == [
        f"dedupe: the index failed, and items go on without being looked up: {GONE}",
        "dedupe: the index answers again",
    ]


def test_an_index_that_cannot_be_opened(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The spider is closed with a reason of its own, and the log says why without a trace."""
    place = tmp_path / "file"
    place.write_text("not an index", encoding="utf-8")
    with pytest.raises(CloseSpider) as closed, caplog.at_level(logging.ERROR):
        Crawl(DEDUPE_INDEX=str(place)).run()

    assert closed.value.reason == "dedupe_index_failed"
    (record,) = caplog.records
    assert record.getMessage().startswith("dedupe: the index cannot be opened: ")
    assert record.exc_info is None
