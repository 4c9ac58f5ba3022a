"""`dedupe index` and `dedupe query` as people and programs meet them."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command import command

import dedupe
from dedupe.config import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"
TIMEOUT = 120
STORY = "seeds/003_a04aa699db5485b8.txt"
WIRE = "seeds/000_dbfa873eea8ebaca.txt"


def _run(*arguments: str | Path, stdin: bytes = b"") -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    return command(*arguments, stdin=stdin)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Where an index may be made."""
    return tmp_path / "index"


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An index of the five seeds, to ask only."""
    path = tmp_path_factory.mktemp("seeds") / "index"
    assert _run("index", "add", path, "seeds/")[0] == 0
    yield path
    with dedupe.Index.open(path, mode="r") as opened:
        assert len(opened) == 5


# add ------------------------------------------------------------------------------------------


def test_add_counts(index: Path) -> None:
    """A corpus is added once: again nothing is done, and both times it is counted."""
    assert _run("index", "add", index, "seeds/") == (
        *(0, "5 new, 0 unchanged, 0 revised; the index holds 5 articles\n", ""),
    )
    assert _run("index", "add", index, "seeds/") == (
        *(0, "0 new, 5 unchanged, 0 revised; the index holds 5 articles\n", ""),
    )
    assert _run("index", "add", index, "seeds/", "--quiet") == (0, "", "")


def test_add_tells_what_cannot_be_read(index: Path) -> None:
    """Broken lines are told, the others added, and the exit code is 3."""
    rows = b'{"id": "a", "text": "Some words."}\n{"id": "b"\n'
    code, printed, told = _run("index", "add", index, "-", stdin=rows)

    assert code == 3
    assert printed == "1 new, 0 unchanged, 0 revised; the index holds 1 article\n"
    assert told.startswith("dedupe: -:2: not valid JSON")


def test_add_takes_urls_for_ids(index: Path, tmp_path: Path) -> None:
    """A row without an id is known by its URL, so that a filter knows it again."""
    corpus = tmp_path / "news.csv"
    corpus.write_text("url,text\nhttps://x.org/1,Some words\n", encoding="utf-8")
    _run("index", "add", index, corpus)

    row = {"url": "https://x.org/1", "text": "Some words"}
    _, printed, _ = _run("filter", "-i", index, stdin=json.dumps(row).encode())
    assert json.loads(printed)["dedupe"]["status"] == "unchanged"


def test_add_without_texts(index: Path) -> None:
    """An index without texts says of its answers that they are estimates."""
    assert _run("index", "add", index, "seeds/", "--no-text")[0] == 0
    text = (ROOT / WIRE).read_text(encoding="utf-8")
    code, printed, _ = _run("query", index, "-", stdin=text.encode())

    assert code == 0
    assert "keeps no texts" in printed


def test_add_to_nothing_is_a_usage_error(index: Path) -> None:
    """Without a corpus that is there nothing is made."""
    code, printed, told = _run("index", "add", index, "no-such-directory")

    assert (code, printed) == (2, "")
    assert "no-such-directory" in told


# info, remove, compact ------------------------------------------------------------------------


def test_info(seeds: Path) -> None:
    """What an index holds, for people and for programs."""
    code, printed, _ = _run("index", "info", seeds, "--format", "json")
    record = json.loads(printed)
    assert code == 0
    assert record["articles"] == 5
    assert record["settings"]["min_shared_words"] == 19

    code, printed, _ = _run("index", "info", seeds)
    assert code == 0
    assert re.search(r"(?m)^articles +5$", printed)
    assert re.search(r"(?m)^settings\n  shingle +5\n", printed)


def test_remove(index: Path) -> None:
    """What was removed matches nothing any more; what is not there is told, with exit code 3."""
    _run("index", "add", index, "seeds/")
    code, printed, told = _run("index", "remove", index, WIRE, "no-such-id")

    assert (code, printed) == (3, "1 removed\n")
    assert told == f"dedupe: {index}: no article has the id 'no-such-id'\n"
    assert _run("index", "remove", index, WIRE)[:2] == (3, "0 removed\n")
    printed = _run("query", index, STORY, "--format", "json")[1]
    assert WIRE not in json.loads(printed)["of"]


def test_compact(index: Path) -> None:
    """A compacted index says the same as before."""
    _run("index", "add", index, "seeds/")
    before = _run("query", index, STORY)
    assert _run("index", "compact", index) == (0, "", "")
    assert _run("query", index, STORY) == before


@pytest.mark.parametrize(
    "command", [["info"], ["compact"], ["remove", "x"]], ids=["info", "compact", "remove"]
)
def test_an_index_that_is_not_there(index: Path, command: list[str]) -> None:
    """What looks after an index makes none: exit code 2, and the path is named."""
    name, *rest = command
    code, printed, told = _run("index", name, index, *rest)

    assert (code, printed) == (2, "")
    assert str(index) in told
    assert "Traceback" not in told
    assert not index.exists()


# export ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv"])
def test_export_is_a_scan(seeds: Path, tmp_path: Path, ending: str) -> None:
    """The tables of an index are those that a scan of the same articles writes, to the byte."""
    exported, scanned = tmp_path / "exported", tmp_path / "scanned"
    code, printed, told = _run("index", "export", seeds, "-o", exported, "--format", ending)
    _run("scan", "seeds/*.txt", "-o", scanned, "--format", ending, "-q")

    assert (code, told) == (0, "")
    assert printed.startswith("5 articles, 3,062 words: 1 family of 2 articles, 1 pair")
    assert sorted(path.name for path in exported.iterdir()) == [
        *sorted([*(f"{table}.{ending}" for table in TABLES), "errors.jsonl", "run.json"]),
    ]
    for name in TABLES:
        tables = [(out / f"{name}.{ending}").read_bytes() for out in (exported, scanned)]
        assert tables[0] == tables[1], name


def test_export_into_the_index_itself(seeds: Path) -> None:
    """An index is never written over, nor anything that is no scan's."""
    code, printed, told = _run("index", "export", seeds, "-o", seeds)
    assert (code, printed) == (2, "")
    assert "is the index" in told


def test_export_without_texts(index: Path, tmp_path: Path) -> None:
    """An index without texts has no tables, and says so."""
    _run("index", "add", index, "seeds/", "--no-text")
    code, printed, told = _run("index", "export", index, "-o", tmp_path / "out")
    assert (code, printed) == (2, "")
    assert "keeps no texts" in told


# What goes wrong ------------------------------------------------------------------------------


def test_a_damaged_index(index: Path) -> None:
    """A file that is not what was written is named, with exit code 1 and no traceback."""
    _run("index", "add", index, "seeds/")
    for path in index.iterdir():
        if path.is_file() and path.stat().st_size:
            data = bytearray(path.read_bytes())
            data[100:] = bytes(len(data) - 100)
            path.write_bytes(data)
    code, _, told = _run("query", index, STORY)

    assert code == 1
    assert told.startswith(f"dedupe: {index}")
    assert "damaged" in told


# query ----------------------------------------------------------------------------------------


def _check_whole(name: str, printed: str) -> None:
    """Compare an output with the file of that name; DEDUPE_REGENERATE writes it anew."""
    if os.environ.get("DEDUPE_REGENERATE"):
        (DATA / name).write_text(printed, encoding="utf-8")
    assert printed == (DATA / name).read_text(encoding="utf-8")


def test_a_story_is_shown(index: Path) -> None:
    """Of a rewritten wire story: the whole page."""
    _run("index", "add", index, WIRE, "seeds/002_eb0d3b9c0bbd38b6.txt")
    code, printed, told = _run("query", index, STORY)

    _check_whole("query-seeds.txt", printed)
    assert (code, told) == (0, "")


def test_a_story_that_is_there_is_shown(seeds: Path) -> None:
    """By its id an article of the index is shown with those that came before it."""
    code, printed, _ = _run("query", seeds, "--id", STORY)

    assert code == 0
    assert "The index has this id with this text." in printed
    assert f"[1] partial  {WIRE}" in printed


def test_a_file_is_compared_with_all(index: Path) -> None:
    """What the index has under the name of the file is not left out."""
    _run("index", "add", index, STORY)
    code, printed, _ = _run("query", index, STORY)

    assert code == 0
    assert f"Exact copy: it has the words of {STORY}, in the same order." in printed


def test_something_new(seeds: Path) -> None:
    """An article that shares nothing is unique, and one too short is told to be."""
    text = " ".join(f"word{k}" for k in range(40))
    assert "Unique: no earlier article" in _run("query", seeds, "-", stdin=text.encode())[1]
    assert "too short" in _run("query", seeds, "-", stdin=b"Some words.")[1]


def test_what_was_not_looked_at_is_told(index: Path) -> None:
    """Where more articles share text than are looked at, it says how many more there are."""
    shared = " ".join(f"word{k}" for k in range(60))
    rows = [
        {"id": str(n), "text": f"{shared} {' '.join(f'own{n}x{k}' for k in range(80 + n))}"}
        for n in range(12)
    ]
    _run("index", "add", index, "-", stdin="\n".join(map(json.dumps, rows)).encode())
    match = json.loads(_run("query", index, "-", "--format", "json", stdin=shared.encode())[1])
    _, printed, _ = _run("query", index, "-", stdin=shared.encode())

    assert match["left_out"] == 12 - len(match["of"]) > 0
    assert f"{match['left_out']} more candidates not looked at, being more than" in printed


def test_query_as_json(seeds: Path) -> None:
    """The JSON is that of `Match.to_dict`, with the id of the file."""
    code, printed, _ = _run("query", seeds, STORY, "--format", "json")
    record = json.loads(printed)

    assert code == 0
    assert (record["id"], record["kind"]) == (STORY, "exact")
    assert set(record) == set(dedupe.Match.__dataclass_fields__)


def test_query_does_not_add(seeds: Path) -> None:
    """The index is as it was: see also the end of `seeds`."""
    text = " ".join(f"word{k}" for k in range(40)).encode()
    first, second = (_run("query", seeds, "-", stdin=text) for _ in range(2))
    assert first == second


def test_markup_and_escapes_are_only_text(index: Path) -> None:
    """Nothing of an article steers the terminal."""
    text = " ".join(f"word{k}" for k in range(40))
    row = {"id": "\x1b[2Ja", "text": text, "title": "[red]\x1b[2JBoo[/red]"}
    _run("index", "add", index, "-", stdin=json.dumps(row).encode())
    _, printed, _ = _run("query", index, "-", stdin=f"\x1b[2J{text}".encode())

    assert "\x1b" not in printed
    assert "[red]" in printed


def test_on_a_terminal_it_is_coloured_and_wrapped(seeds: Path) -> None:
    """On a terminal the article's own text is green, and no line is wider than it."""
    leader, follower = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    done = subprocess.run(
        [sys.executable, "-m", "dedupe", "query", str(seeds), "--id", STORY],
        stdout=subprocess.PIPE,
        stderr=follower,
        cwd=ROOT,
        env={**environment, "TERM": "xterm", "COLUMNS": "80", "FORCE_COLOR": "1"},
        check=False,
        timeout=TIMEOUT,
    )
    os.close(follower)
    os.close(leader)
    assert done.returncode == 0
    assert b"\x1b[32m" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--id"),
        ([STORY, "--id", "x"], "--id"),
        (["no-such-file.txt"], "no-such-file.txt"),
        (["--id", "no-such-id"], "no article has the id 'no-such-id'"),
        ([STORY, "--format", "xml"], "--format must be one of text, json"),
        ([STORY, "--color", "green"], "--color must be one of auto, always, never"),
    ],
)
def test_usage_errors(seeds: Path, arguments: list[str], told: str) -> None:
    """What cannot be done is told in a sentence, with exit code 2."""
    code, printed, error = _run("query", seeds, *arguments)

    assert (code, printed) == (2, "")
    assert told in error
    assert "Traceback" not in error


def test_scan_with_an_index(index: Path, tmp_path: Path) -> None:
    """A corpus is checked against an index and added: tables and summary, and again nothing new."""
    out = tmp_path / "out"
    code, printed, told = _run("scan", WIRE, "--index", index)
    assert (code, told) == (0, "")
    assert printed.startswith("1 articles, 938 words: 0 families of 0 articles, 0 pairs")
    code, printed, _ = _run("scan", STORY, "--index", index, "-o", out, "--format", "jsonl")
    assert code == 0
    assert printed.startswith("1 articles, 530 words: 1 family of 1 articles, 1 pair, 9 shared")
    (document,) = map(json.loads, (out / "documents.jsonl").read_text().splitlines())
    assert (document["kind"], document["status"], document["origin"]) == ("partial", "new", WIRE)
    (family,) = map(json.loads, (out / "families.jsonl").read_text().splitlines())
    assert (family["size"], family["family"]) == (2, document["family"])
    assert "1 article that the index had already" in _run("scan", STORY, "--index", index)[1]


def test_scan_with_an_index_of_other_settings(index: Path) -> None:
    """What is asked for and clashes with the index is named."""
    assert _run("scan", WIRE, "--index", index)[0] == 0
    code, _, told = _run("scan", WIRE, "--index", index, "--threshold", "0.5")
    assert code == 2
    assert "threshold is 0.3 there and 0.5 here" in told
    code, _, told = _run("scan", WIRE, "--index", index, "--no-passages")
    assert code == 2
    assert "leave it out with --index" in told
