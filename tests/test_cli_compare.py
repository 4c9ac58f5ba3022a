"""`dedupe compare` as people and programs meet it: whole outputs and exit codes.

Whole outputs stand in `tests/data/`. Where a change of them is wanted, write them anew and read
the difference: `DEDUPE_REGENERATE=1 python -m pytest tests/test_cli_compare.py; git diff tests/data`
"""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from optional import needs

import dedupe

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"
WIRE, STORY = "seeds/000_dbfa873eea8ebaca.txt", "seeds/003_a04aa699db5485b8.txt"

FIELDS = [
    *("a_in_b", "b_in_a", "net_a_in_b", "net_b_in_a", "resemblance"),
    *("kind", "grade", "grade_evidence", "words_a", "words_b", "shared_words"),
    *("net_words_a", "net_words_b", "net_shared_words"),
    *("passages", "paragraphs", "added", "dropped", "changed_facts", "credits_a", "credits_b"),
]


def _run(*arguments: str, stdin: bytes = b"", **environment: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `dedupe compare`."""
    done = subprocess.run(
        [sys.executable, "-m", "dedupe", "compare", *arguments],
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1", **environment},
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def _check_whole(name: str, printed: str) -> None:
    """Compare an output with the file of that name, but for the evidence of the grade."""
    # Its figures have tests of their own.
    printed = re.sub(r"(?m)^(evidence +)[^\n]+$", r"\1…", printed)
    if os.environ.get("DEDUPE_REGENERATE"):
        (DATA / name).write_text(printed, encoding="utf-8")
    assert printed == (DATA / name).read_text(encoding="utf-8")


# Text -----------------------------------------------------------------------------------------


def test_the_seeds_print_this() -> None:
    """The two versions of one wire story, compared: the whole page."""
    code, printed, told = _run(WIRE, STORY)

    _check_whole("compare-seeds.txt", printed)
    assert (code, told) == (0, "")


def test_the_seeds_word_by_word_print_this() -> None:
    """The same with every changed word marked by itself: the whole page."""
    code, printed, told = _run(WIRE, STORY, "--words")

    _check_whole("compare-seeds-words.txt", printed)
    assert (code, told) == (0, "")


def test_the_width_of_a_pipe_does_not_matter() -> None:
    """In a pipe a paragraph is a line, whatever COLUMNS says."""
    assert _run(WIRE, STORY, COLUMNS="40")[1] == _run(WIRE, STORY, COLUMNS="200")[1]


def _on_terminal(**environment: str) -> str:
    """What a terminal of 72 columns is sent."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dedupe", "compare", WIRE, STORY],
        stdin=follower,
        stdout=follower,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if name != "NO_COLOR"},
            "TERM": "xterm",
            "COLUMNS": "72",
            **environment,
        },
    )
    os.close(follower)
    sent = b""
    try:
        while part := os.read(leader, 65536):
            sent += part
    except OSError:  # that is how the end is told
        pass
    os.close(leader)
    assert process.communicate()[1] == b""
    assert process.returncode == 0
    return sent.decode().replace("\r\n", "\n")


def test_a_terminal_is_sent_colours_in_its_width() -> None:
    """On a terminal the view is coloured and wrapped."""
    sent = _on_terminal()
    plain = re.sub(r"\x1b\[[\d;]*m", "", sent)

    assert "\x1b[9;31m" in sent
    assert "[-" not in plain
    assert "▎ moved from ¶16 (41 of 41 words shared)\n" in plain
    assert max(map(len, plain.split("\n"))) <= 72


def test_no_color_is_honoured() -> None:
    """With NO_COLOR a terminal is sent marks."""
    sent = _on_terminal(NO_COLOR="1")

    assert "\x1b[9;31m" not in sent
    assert "{+" in sent


def test_colours_can_be_had_in_a_pipe_and_done_without() -> None:
    """--color wins over what standard output is."""
    assert "\x1b[9;31m" in _run(WIRE, STORY, "--color", "always")[1]
    assert "\x1b" not in _run(WIRE, STORY, "--color", "never", FORCE_COLOR="1", TERM="xterm")[1]


# JSON -----------------------------------------------------------------------------------------


def test_json_of_the_seeds() -> None:
    """JSON has every field of a comparison, with the values that Python gives."""
    code, printed, told = _run(WIRE, STORY, "--format", "json")
    record = json.loads(printed)
    a, b = (ROOT.joinpath(name).read_text(encoding="utf-8") for name in (WIRE, STORY))
    result = dedupe.compare(a, b)

    assert (code, told) == (0, "")
    assert list(record) == FIELDS
    assert record == json.loads(json.dumps(result.to_dict()))
    assert (record["a_in_b"], record["b_in_a"]) == (result.a_in_b, result.b_in_a)
    assert record["kind"] == "partial"
    assert {"a_start", "a_end", "b_start", "b_end", "kind", "moved", "role"} <= set(
        record["passages"][0]
    )
    assert [p["kind"] for p in record["paragraphs"]] == [p.kind for p in result.paragraphs]
    assert printed.endswith("}\n")
    assert "\\u2019" not in printed


def test_json_has_an_item_a_line() -> None:
    """Each field, and in lists each item, stands on a line of its own."""
    lines = _run(WIRE, STORY, "--format", "json")[1].split("\n")

    assert lines[1].startswith('  "a_in_b": 0.')
    assert all(json.loads(line.strip(" ,")) for line in lines if line.startswith("    "))


def test_json_is_safe_to_look_at(tmp_path: Path) -> None:
    """What could steer a terminal is escaped; other letters are as they are."""
    a, b = tmp_path / "a.txt", tmp_path / "b.txt"
    words = "the mayor of Zürich told the council that {} people had left their homes since May."
    a.write_text(words.format("\u202e12"), encoding="utf-8")
    b.write_text(words.format("1\u00ad4"), encoding="utf-8")
    code, printed, _ = _run(str(a), str(b), "--format", "json", PYTHONIOENCODING="latin-1")

    assert code == 0
    assert json.loads(printed)["changed_facts"][0]["b"] == "1\u00ad4"
    assert "\u00ad" not in printed


# Inputs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [0, 1])
def test_either_article_on_standard_input(side: int) -> None:
    """A dash stands for a text on standard input, in the place of either article."""
    given = [WIRE, STORY]
    stdin = (ROOT / given[side]).read_bytes()
    given[side] = "-"
    code, printed, _ = _run(*given, stdin=stdin)
    expected = _run(WIRE, STORY)[1].replace((WIRE, STORY)[side], "standard input")

    assert (code, printed) == (0, expected)


def test_an_html_page(tmp_path: Path) -> None:
    """The article of an HTML page is compared, and its headline shown."""
    needs("trafilatura")
    text = ROOT.joinpath(STORY).read_text(encoding="utf-8")
    page = tmp_path / "story.html"
    paragraphs = "".join(f"<p>{line}</p>" for line in text.splitlines())
    page.write_text(
        "<html><head><title>Battle for Raqqa</title></head><body><nav>Home</nav><article>"
        f"<h1>Battle for Raqqa</h1>{paragraphs}</article></body></html>",
        encoding="utf-8",
    )
    code, printed, told = _run(STORY, str(page))

    assert (code, told) == (0, "")
    assert f"B  {page}\n   Battle for Raqqa" in printed
    assert "words shared)\nLosing Raqqa, in many ways" in printed
    assert ": 530 of its " in printed


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Articles with ids, in JSONL, CSV and Parquet; and without, in JSONL."""
    texts = [ROOT.joinpath(name).read_text(encoding="utf-8") for name in (WIRE, STORY)]
    rows = [
        {"id": f"https://ex.com/{k}", "text": text, "title": f"Title {k}"}
        for k, text in enumerate(texts)
    ]
    import polars as pl

    frame = pl.DataFrame(rows)
    frame.write_ndjson(tmp_path / "t.jsonl")
    frame.write_csv(tmp_path / "t.csv")
    frame.write_parquet(tmp_path / "t.parquet")
    frame.select(pl.col("text").alias("copy")).write_ndjson(tmp_path / "u.jsonl")
    return tmp_path


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_articles_of_tables(tables: Path, ending: str) -> None:
    """FILE:ID is an article of a table."""
    table = tables / f"t.{ending}"
    code, printed, told = _run(f"{table}:https://ex.com/0", f"{table}:https://ex.com/1")

    assert (code, told) == (0, "")
    assert printed.startswith(f"A  {table}:https://ex.com/0\n   Title 0\n   938 words")
    assert f"B  {table}:https://ex.com/1\n   Title 1\n   530 words" in printed


def test_articles_of_tables_without_ids(tables: Path) -> None:
    """Without an id field FILE:LINE is an article, as in a scan; fields can be named."""
    table = tables / "u.jsonl"
    code, printed, told = _run(f"{table}:2", f"{table}:1", "--text-field", "copy")

    assert (code, told) == (0, "")
    assert printed.startswith(f"A  {table}:2\n   530 words")


def test_a_file_with_itself() -> None:
    """A file can be compared with itself."""
    code, printed, _ = _run(STORY, STORY)

    assert code == 0
    assert "B has the words of A, all 530, in the same order." in printed


# Settings and errors --------------------------------------------------------------------------


def test_settings(tmp_path: Path) -> None:
    """--near decides what is near, --shingle what resemblance is; options win over a file."""
    settings = tmp_path / "dedupe.toml"
    settings.write_text("near = 0.1\nshingle = 1\n", encoding="utf-8")
    given = (WIRE, STORY, "--format", "json")
    records = [
        json.loads(_run(*given, *more)[1])
        for more in (
            (),
            ("--near", "0.1"),
            ("--config", str(settings)),
            ("--config", str(settings), "--shingle", "5"),
        )
    ]

    assert [record["kind"] for record in records] == ["partial", "near", "near", "near"]
    assert records[0]["resemblance"] == records[3]["resemblance"] != records[2]["resemblance"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no-such.txt", STORY], "no-such.txt: no such file or directory; check the path"),
        ([WIRE, "no-such.txt"], "no-such.txt: no such file"),
        ([WIRE, "seeds"], "seeds: is a directory; give a .txt"),
        ([WIRE, "LICENSE"], "LICENSE: holds no single article; give a .txt"),
        (["-", "-"], "- can stand for A or for B, not for both; name a file"),
        (["-", STORY], "standard input: empty"),
        ([WIRE], "Missing argument"),
        ([WIRE, STORY, "--format", "xml"], "--format must be one of text, json, not 'xml'"),
        ([WIRE, STORY, "--color", "red"], "--color must be one of auto, always, never"),
        ([WIRE, STORY, "--near", "7"], "near must be a number from 0 to 1"),
        ([WIRE, STORY, "--config", "no-such.toml"], "no-such.toml"),
        ([f"{WIRE}:7", STORY], f"{WIRE}: no article has the id '7'"),
    ],
)
def test_usage_errors_exit_2_and_say_what_to_do(arguments: list[str], told: str) -> None:
    """What cannot be compared is told in a sentence, without a traceback, with exit code 2."""
    code, printed, message = _run(*arguments)

    assert (code, printed) == (2, "")
    assert told in message
    assert "Traceback" not in message


def test_a_table_is_no_article(tables: Path) -> None:
    """A table alone is refused, with how to name one of its articles."""
    table = str(tables / "t.csv")

    assert _run(table, STORY) == (
        2,
        "",
        f"dedupe: {table}: holds many articles; name one as {table}:ID\n",
    )


def test_a_broken_line_of_a_table_is_told(tmp_path: Path) -> None:
    """Where an article is not found, what could not be read may be why."""
    table = tmp_path / "t.jsonl"
    table.write_text('{"id": "a", "text": "Some words."}\n{"id": "b"\n', encoding="utf-8")
    code, _, told = _run(f"{table}:b", STORY)

    assert code == 2
    assert told.startswith(f"dedupe: {table}: no article has the id 'b' (")


def test_a_closed_pipe_is_no_traceback() -> None:
    """Whoever reads may stop reading."""
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m dedupe compare {WIRE} {STORY} | head -n 1'],  # noqa: S607
        capture_output=True,
        cwd=ROOT,
        check=False,
    )

    assert done.stdout.decode() == f"A  {WIRE}\n"
    assert b"Traceback" not in done.stderr


def test_help_has_examples_and_every_option() -> None:
    """Help has examples, and every option with its default."""
    printed = " ".join(_run("--help")[1].replace("│", " ").split())

    for option in ("--format", "--words", "--color", "--config", "--near", "--shingle"):
        assert option in printed
    assert "Examples" in printed
    assert f"[default: {dedupe.Config().near:g}]" in printed
    assert f"[default: {dedupe.Config().shingle}]" in printed
