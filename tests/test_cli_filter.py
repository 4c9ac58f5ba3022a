"""`dedupe filter` as a part of a pipeline: lines in, the same lines out, each with what is known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from command import command

import dedupe
from dedupe.errors import StoreUnavailableError
from dedupe.index import Index

ROOT = Path(__file__).parent.parent
TIMEOUT = 120

WIRE = (ROOT / "seeds/000_dbfa873eea8ebaca.txt").read_text(encoding="utf-8")
STORY = (ROOT / "seeds/003_a04aa699db5485b8.txt").read_text(encoding="utf-8")
OTHER = (ROOT / "seeds/002_eb0d3b9c0bbd38b6.txt").read_text(encoding="utf-8")

ROWS: list[dict[str, Any]] = [
    {"id": "wire", "text": WIRE, "source": "ap.org", "published": "14 October 2017"},
    {"id": "other", "text": OTHER},
    {"id": "story", "text": STORY, "n": 1.50},
    {"id": "copy", "text": WIRE.upper()},
    {"id": "near", "text": WIRE.replace("Mayadeen", "Al-Mayadin")},
]
KINDS = ["unique", "unique", "partial", "exact", "near"]


def _jsonl(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _command(*arguments: str) -> dict[str, Any]:
    return {
        "args": [sys.executable, "-m", "dedupe", "filter", *arguments],
        "cwd": ROOT,
        "env": {**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"},
    }


def _run(index: Path, stdin: bytes, *arguments: str) -> tuple[int, list[bytes], str]:
    """Exit code, lines of standard output, and standard error."""
    done = command("filter", "--index", index, *arguments, stdin=stdin)
    return done.code, list(done.lines()), done.told


def _tags(lines: list[bytes], field: str = "dedupe") -> dict[str, dict[str, Any]]:
    rows = map(json.loads, lines)
    return {row["id"]: row[field] for row in rows}


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Where an index may be made."""
    return tmp_path / "index"


def test_each_line_is_tagged_and_added(index: Path) -> None:
    """Every line comes out in its place with what came before it, and the index has it then."""
    code, lines, told = _run(index, _jsonl(ROWS))

    assert (code, told) == (0, "")
    tags = _tags(lines)
    assert list(tags) == [row["id"] for row in ROWS]
    assert [tag["kind"] for tag in tags.values()] == KINDS
    assert [tag["of"] for tag in tags.values()][:4] == [[], [], ["wire"], ["wire", "story"]]
    best = tags["story"]["best"]
    assert (best["of"], best["source"], best["published"]) == ("wire", "ap.org", "2017-10-14")
    assert best["article_in_other"] == pytest.approx(340 / 530, abs=1e-4)
    assert "passages" not in best
    with dedupe.Index.open(index, mode="r") as opened:
        assert len(opened) == len(ROWS)


def test_spans_are_of_the_text(index: Path) -> None:
    """Passages and what is its own, taken together, hold the whole text but for marks and spaces."""
    _, lines, _ = _run(index, _jsonl(ROWS[:3]))
    tag = _tags(lines)["story"]
    spans = sorted((part["start"], part["end"]) for part in [*tag["passages"], *tag["added"]])

    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    left = list(STORY)
    for start, end in spans:
        left[start:end] = " " * (end - start)
    assert not any(char.isalnum() for char in left)


def test_the_line_itself_is_not_touched(index: Path) -> None:
    """All of a line stays to the letter: spaces, order, escapes, notation of numbers."""
    line = b' { "text" : "caf\\u00e9 \xc3\xa9",  "id":"a", "n": 1.50e3, "big": 123456789012345678901 } \r\n'
    _, (printed,), _ = _run(index, line)

    kept = line.rstrip()[:-1].rstrip()
    assert printed.startswith(kept + b', "dedupe": {"kind": "unique", ')


def test_a_tag_of_an_earlier_time_is_replaced(index: Path) -> None:
    """A line that went through before has one tag afterwards, the new one, at its end."""
    _, (first,), _ = _run(index, _jsonl(ROWS[:1]))
    _, (second,), _ = _run(index, first)

    assert second.count(b'"dedupe"') == 1
    row = json.loads(second)
    assert list(row) == [*ROWS[0], "dedupe"]
    assert row["dedupe"]["status"] == "unchanged"


def test_other_names(index: Path) -> None:
    """Fields and the key of the result may have any name."""
    rows = [{"key": "a", "said": WIRE}, {"key": "b", "said": WIRE}]
    code, lines, _ = _run(
        index, _jsonl(rows), "--id-field", "key", "--text-field", "said", "--result-field", "known"
    )

    assert code == 0
    (_, tag) = (json.loads(line)["known"] for line in lines)
    assert (tag["kind"], tag["of"]) == ("exact", ["a"])


def test_ids(index: Path) -> None:
    """Without an id the URL is the id; without both it is a digest, the same for the same line."""
    rows = [{"text": OTHER, "url": "https://x.org/1"}, {"text": WIRE}, {"text": STORY, "id": None}]
    _, first, _ = _run(index, _jsonl(rows))
    _, second, _ = _run(index, _jsonl(rows[::-1]))

    assert {json.loads(line)["dedupe"]["status"] for line in first} == {"new"}
    assert {json.loads(line)["dedupe"]["status"] for line in second} == {"unchanged"}
    digest = json.loads(first[2])["dedupe"]["of"][0]
    assert digest.startswith("sha256:")
    with dedupe.Index.open(index, mode="r") as opened:
        assert "https://x.org/1" in opened
        assert digest in opened


def test_revised(index: Path) -> None:
    """An id that comes with another text replaces the former, and is no copy of it."""
    rows = [{"id": "a", "text": WIRE}, {"id": "a", "text": WIRE + "\n\nThis was updated."}]
    _, lines, _ = _run(index, _jsonl(rows))

    told = [json.loads(line)["dedupe"] for line in lines]
    assert [(tag["kind"], tag["status"]) for tag in told] == [
        ("unique", "new"),
        ("unique", "revised"),
    ]


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--drop", "exact,near"], ["wire", "other", "story"]),
        (["--drop", "partial"], ["wire", "other", "copy", "near"]),
        (["--drop", "unique"], ["story", "copy", "near"]),
        (["--only-unique"], ["wire", "other"]),
    ],
)
def test_kinds_are_left_out(index: Path, options: list[str], left: list[str]) -> None:
    """Lines of the kinds named are left out; the others keep their order, and all are added."""
    code, lines, _ = _run(index, _jsonl(ROWS), *options)

    assert code == 0
    assert list(_tags(lines)) == left
    with dedupe.Index.open(index, mode="r") as opened:
        assert len(opened) == len(ROWS)


def test_what_came_before_is_left_out(index: Path) -> None:
    """With --drop unchanged a second run of the same lines gives nothing."""
    _run(index, _jsonl(ROWS))
    assert _run(index, _jsonl(ROWS), "--drop", "unchanged") == (0, [], "")


def test_no_add(index: Path) -> None:
    """With --no-add lines are looked up in the index as it is, and it stays so."""
    _run(index, _jsonl(ROWS[:1]))
    code, lines, _ = _run(index, _jsonl(ROWS[1:]), "--no-add")

    assert code == 0
    assert {name: tag["of"] for name, tag in _tags(lines).items()} == {
        "other": [],
        "story": ["wire"],
        "copy": ["wire"],
        "near": ["wire"],
    }
    with dedupe.Index.open(index, mode="r") as opened:
        assert len(opened) == 1


BROKEN = [
    b'{"id": "a", "text": "one two"',
    b"[1, 2]",
    b'{"id": "b"}',
    b'{"id": "c", "text": "  "}',
    b'{"id": "d", "text": 7}',
    b"",
    b'{"id": "e", "text": "three four"}',
]


def test_broken_lines(index: Path) -> None:
    """Lines that are no objects are left out, those without text have no kind; all are told."""
    code, lines, told = _run(index, b"\n".join(BROKEN))

    assert code == 3
    tags = _tags(lines)
    assert list(tags) == ["b", "c", "d", "e"]
    assert [tag["kind"] for tag in tags.values()] == [None, None, None, "unique"]
    assert all("error" in tag for tag in tags.values() if tag["kind"] is None)
    places = [line.split(": ")[1] for line in told.splitlines()]
    assert places == ["-:1", "-:2", "-:3", "-:4", "-:5"]


def test_broken_lines_passed(index: Path) -> None:
    """With --pass-broken such lines come out as they came in, in their place."""
    code, lines, _ = _run(index, b"\n".join(BROKEN), "--pass-broken")

    assert code == 3
    assert lines[:2] == BROKEN[:2]
    assert len(lines) == 6


def test_many_broken_lines_are_counted(index: Path) -> None:
    """Standard error is bounded: of many lines with the same fault twenty are listed."""
    code, lines, told = _run(index, b"{\n" * 1000)

    assert (code, lines) == (3, [])
    assert len(told.splitlines()) == 21
    assert "980 more lines like it" in told


def test_a_line_too_long(index: Path) -> None:
    """A line of more than 64 MB is never held: it is told and left out, the next one is answered."""
    data = b'{"text": "' + b"x" * 64_000_000 + b'"}\n' + _jsonl(ROWS[:1])
    code, lines, told = _run(index, data, "--pass-broken")

    assert code == 3
    assert list(_tags(lines)) == ["wire"]
    assert told.startswith("dedupe: -:1: a line of more than 64 MB; ")


def test_encodings(index: Path) -> None:
    """What comes out is UTF-8, whatever came in, and half a character does no harm."""
    data = '{"id": "a", "text": "Ça va très bien, déjà vu à l’été"}\n'.encode("cp1252")
    data += b'{"id": "b\\ud800", "text": "one \\udc00 two"}\n'
    code, lines, _ = _run(index, data)

    assert code == 0
    first, second = (json.loads(line.decode()) for line in lines)
    assert first["text"].startswith("Ça va très bien")
    assert second["id"] == "b\ud800"


def test_a_line_is_answered_at_once(index: Path) -> None:
    """Of a pipe that stays open each line is answered when it comes, not at the end."""
    with subprocess.Popen(
        **_command("-i", str(index)), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            for row, kind in zip(ROWS, KINDS, strict=True):
                process.stdin.write(_jsonl([row]))
                process.stdin.flush()
                answer = json.loads(process.stdout.readline())
                assert (answer["id"], answer["dedupe"]["kind"]) == (row["id"], kind)
            process.stdin.close()
            assert process.wait(TIMEOUT) == 0
        finally:
            process.kill()


def test_one_at_a_time_or_together_is_the_same(index: Path, tmp_path: Path) -> None:
    """Lines that wait together are told what they would be told one by one."""
    _, together, _ = _run(index, _jsonl(ROWS))
    single = [_run(tmp_path / "single", _jsonl([row]))[1][0] for row in ROWS]
    assert len(together) == len(single)
    for answers in zip(together, single, strict=True):
        first, second = map(json.loads, answers)
        # The family may be one that a later line founded which was there already.
        assert second["dedupe"].pop("family") in (None, first["dedupe"].pop("family"))
        assert first == second


def test_whoever_reads_may_stop(index: Path) -> None:
    """Where the reader has enough the filter ends without a word, and the index is sound."""
    with subprocess.Popen(
        **_command("-i", str(index)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        try:
            process.stdin.write(_jsonl(ROWS[:1]))
            process.stdin.flush()
            process.stdout.readline()
            process.stdout.close()
            process.stdin.write(_jsonl(ROWS[1:]))
            process.stdin.close()
            assert process.wait(TIMEOUT) == 1
            assert process.stderr.read() == b""
        finally:
            process.kill()
    with dedupe.Index.open(index) as opened:
        assert len(opened) >= 1


def test_an_index_that_fails(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was answered is written and right, the rest is not; exit code 1, and it says why."""
    look_up = Index.check_and_add_many
    batches = iter(range(10))

    def failing(self: Index, articles: Any) -> Any:
        if next(batches):
            raise StoreUnavailableError("the server is away")
        return look_up(self, articles)

    monkeypatch.setattr(Index, "check_and_add_many", failing)
    rows = [{"id": str(k), "text": f"word{k} " * 5} for k in range(200)]
    code, lines, told = _run(index, _jsonl(rows))

    assert (code, told) == (1, "dedupe: the server is away\n")
    assert list(_tags(lines)) == [row["id"] for row in rows[:64]]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["--drop", "exakt"],
            "--drop may name unique, exact, near, partial, unchanged, not 'exakt'",
        ),
        (["--result-field", ""], "--result-field"),
        (["--config", "no-such.toml"], "no-such.toml"),
        (["--no-add"], "index"),
    ],
)
def test_usage_errors(index: Path, arguments: list[str], told: str) -> None:
    """What cannot be done is told in a sentence, with exit code 2, and no index is made."""
    code, lines, error = _run(index, b"", *arguments)

    assert (code, lines) == (2, [])
    assert told in error
    assert "Traceback" not in error
    assert not index.exists()


def test_settings_of_a_file_have_to_agree(index: Path, tmp_path: Path) -> None:
    """A file's settings are those of a new index; only those that it names must be an old one's."""
    given, other, silent = (tmp_path / f"{name}.toml" for name in ("given", "other", "silent"))
    given.write_text("min-shared-words = 12\n", encoding="utf-8")
    other.write_text("min-shared-words = 13\n", encoding="utf-8")
    silent.write_text('text-field = "text"\n', encoding="utf-8")
    assert _run(index, _jsonl(ROWS[:1]), "--config", str(given))[0] == 0
    assert _run(index, _jsonl(ROWS[:1]), "--config", str(silent))[0] == 0
    code, _, told = _run(index, _jsonl(ROWS[:1]), "--config", str(other))

    assert code == 2
    assert "min_shared_words" in told
