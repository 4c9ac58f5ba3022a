"""The examples of docs/pipelines.md, run in their order in a directory of their own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from ast import literal_eval
from configparser import ConfigParser
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from newspapers import newspapers
from optional import needs

import dedupe
from dedupe.integrations._items import ItemReader

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/pipelines.md").read_text(encoding="utf-8")
WIRE, STORY = (ROOT / f"seeds/{n}.txt" for n in ("000_dbfa873eea8ebaca", "003_a04aa699db5485b8"))
TIMEOUT = 300

SECTIONS = {
    title: re.findall(r"(?ms)^```(\w+)\n(.*?)^```", text)
    for title, text in re.findall(r"(?ms)^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE)
}
"""The examples under each heading: language and text."""


def examples(title: str, language: str) -> list[str]:
    """The examples of a language under the heading that starts like this."""
    (section,) = (found for name, found in SECTIONS.items() if name.startswith(title))
    return [text for kind, text in section if kind == language]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with what the examples take for granted."""
    path = tmp_path_factory.mktemp("pipelines")
    (path / "archive").mkdir()
    shutil.copy(WIRE, path / "archive" / "wire.txt")
    shutil.copy(STORY, path / "draft.txt")
    story = STORY.read_text(encoding="utf-8")
    rows = [
        {"url": "https://herald.example/raqqa", "title": "Final battle", "text": story},
        {"url": "https://times.example/raqqa", "text": story},
        {"url": "https://times.example/other", "text": " ".join(f"word{k}" for k in range(50))},
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (path / "crawl.jsonl").write_text(lines, encoding="utf-8")
    (path / "bin").mkdir()
    for name in ("dedupe", "scrapy"):
        program = path / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {name} "$@"\n')
        program.chmod(0o755)
    return path


def run(place: Path, *command: str, **environment: str) -> str:
    """What a command prints that has to end well."""
    done = subprocess.run(
        command,
        cwd=place,
        env={
            **os.environ,
            "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT}:{place}",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def kinds_of(path: Path) -> list[str]:
    """The kinds that stand in a file."""
    return [row["dedupe"]["kind"] for row in rows_of(path)]


def test_every_example_is_run() -> None:
    """No example of the page is left out below."""
    kept = {title: [kind for kind, _ in found] for title, found in SECTIONS.items() if found}
    assert kept == {
        "Any program: `dedupe filter`": ["sh", "json", "sh"],
        "One article: `dedupe query`": ["sh"],
        "Scrapy": ["python", "python", "sh"],
        "Python": ["python", "python"],
        "Crawlee": ["python"],
        "news-please": ["python", "ini"],
    }


def test_filter_and_query(place: Path) -> None:
    """The commands do what is said of them, and the tag that is shown is the one that comes."""
    first, second = examples("Any program", "sh")
    (shown,) = examples("Any program", "json")
    run(place, "bash", "-ec", first)
    assert kinds_of(place / "tagged.jsonl") == ["partial", "exact", "unique"]
    tag, example = rows_of(place / "tagged.jsonl")[0]["dedupe"], json.loads(shown)["dedupe"]
    assert example["passages"] == tag["passages"][:1]
    assert example["added"] == tag["added"][:1]
    for name in ("passages", "added", "family"):
        del example[name], tag[name]
    assert example == tag

    run(place, "bash", "-ec", second)
    assert kinds_of(place / "kept.jsonl") == ["partial", "unique"]
    assert kinds_of(place / "unique.jsonl") == ["unique"]
    assert kinds_of(place / "changed.jsonl") == []
    assert kinds_of(place / "looked-up.jsonl") == ["partial", "exact", "unique"]

    (query,) = examples("One article", "sh")
    printed = run(place, "bash", "-ec", query)
    assert printed.count("== Shares text with ==") == 2
    assert json.loads((place / "draft.json").read_text(encoding="utf-8"))["kind"] == "exact"


def test_scrapy(place: Path) -> None:
    """The spider with these settings writes tagged articles."""
    needs("scrapy")
    settings, spider = examples("Scrapy", "python")
    (command,) = examples("Scrapy", "sh")
    shutil.rmtree(place / "news.index", ignore_errors=True)
    with newspapers() as address:
        for text in (settings, spider.replace("https://herald.example", address)):
            name = text.split("\n", 1)[0].removeprefix("# ")
            (place / name).write_text(text, encoding="utf-8")
        run(
            place, "bash", "-ec", command, SCRAPY_SETTINGS_MODULE="settings"
        )  # fmt: skip

    # In which order pages come is left to Scrapy.
    kinds = kinds_of(place / "articles.jsonl")
    assert kinds.count("unique") == 4
    assert len(kinds) == 8


def test_python(place: Path) -> None:
    """The calls print the passages, and with asyncio one of two copies is told from the other."""
    shutil.rmtree(place / "news.index", ignore_errors=True)
    run(place, "dedupe", "index", "add", "news.index", "archive/")
    plain, with_asyncio = examples("Python", "python")
    assert "verbatim archive/wire.txt Losing Raqqa, in many ways" in run(
        place, sys.executable, "-c", plain
    )
    told = literal_eval(run(place, sys.executable, "-c", with_asyncio))
    assert told == ["https://a.example/1", "https://b.example/2 is of https://a.example/1"]


class _Crawler:
    """Stands for a crawler of Crawlee, which visits one page twice under two addresses."""

    def __init__(self) -> None:
        self.router = self
        self.pushed: list[dict[str, Any]] = []
        self._handle: Callable[[Any], Any] | None = None

    def default_handler(self, handle: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """As a router."""
        self._handle = handle
        return handle

    async def run(self, urls: list[str]) -> None:
        """Visit the pages."""
        paragraphs = [
            SimpleNamespace(get_text=lambda text=text: text)
            for text in STORY.read_text(encoding="utf-8").split("\n")
        ]
        soup = SimpleNamespace(select=lambda _: paragraphs)
        assert self._handle is not None

        async def push_data(row: dict[str, Any]) -> None:
            self.pushed.append(row)

        for url in (*urls, f"{urls[0]}again"):
            request = SimpleNamespace(url=url)
            await self._handle(SimpleNamespace(request=request, soup=soup, push_data=push_data))


def test_crawlee(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The handler pushes what is no copy."""
    crawler = _Crawler()
    module: Any = ModuleType("crawlee.crawlers")
    module.BeautifulSoupCrawler = lambda: crawler
    monkeypatch.setitem(sys.modules, "crawlee", ModuleType("crawlee"))
    monkeypatch.setitem(sys.modules, "crawlee.crawlers", module)
    monkeypatch.chdir(tmp_path)
    (example,) = examples("Crawlee", "python")
    exec(example, {"asyncio": asyncio})  # noqa: S102

    (row,) = crawler.pushed
    assert row["url"] == "https://herald.example/"
    assert json.loads(json.dumps(row))["dedupe"]["kind"] == "unique"


def test_news_please(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An article of news-please is looked up; the settings name fields that its items have."""
    page = SimpleNamespace(
        url="https://herald.example/raqqa", maintext="Some words.", source_domain="x", title=None
    )
    module: Any = ModuleType("newsplease")
    module.NewsPlease = SimpleNamespace(from_url=lambda _: page)
    monkeypatch.setitem(sys.modules, "newsplease", module)
    monkeypatch.chdir(tmp_path)
    (example,) = examples("news-please", "python")
    exec(example, {})  # noqa: S102
    with dedupe.Index.open("news.index", mode="r") as index:
        assert page.url in index

    (example,) = examples("news-please", "ini")
    config = ConfigParser()
    config.optionxform = str  # type: ignore[assignment, method-assign]
    config.read_string(example)
    fields = literal_eval(config["Scrapy"]["DEDUPE_FIELDS"])
    item = {"article_text": "Some words.", "source_domain": b"x.org", "url": "https://x.org/1"}
    extracted = {"article_title": "News", "article_publish_date": "2017-10-14 10:00:00"}
    article = ItemReader(fields, "DEDUPE_FIELDS")({**item, **extracted, "article_language": "en"})
    assert article == dedupe.Article(
        id="https://x.org/1",
        url="https://x.org/1",
        text="Some words.",
        source="x.org",
        title="News",
        published="2017-10-14T10:00:00",
        language="en",
    )
    assert "dedupe.integrations.scrapy.DedupePipeline" in literal_eval(
        config["Scrapy"]["ITEM_PIPELINES"]
    )
