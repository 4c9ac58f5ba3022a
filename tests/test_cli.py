"""The command line as people and programs meet it: whole outputs and exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import dedupe

ROOT = Path(__file__).parent.parent


def _run(
    *arguments: str, stdin: bytes = b"", cwd: Path = ROOT
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "dedupe", *arguments],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=environment,
        check=False,
    )


def test_scan_of_the_seeds_prints_this() -> None:
    """The summary of the seeds, whole."""
    done = _run("scan", "seeds/")

    assert done.stdout.decode() == (
        "5 articles, 3,062 words: 1 family of 2 articles, 1 pair\n"
        "\n"
        " size  fullest text              sources  first seen    reused\n"
        "    2  000_dbfa873eea8ebaca.txt                        43%–76%\n"
        "\n"
        "near-duplicate tier: expected recall 0.873 at resemblance 0.5, 1.000 at resemblance 0.7, "
        "1.000 at \nresemblance 0.9; sketch: 1 shingle in 1\n"
    )
    assert done.stderr == b""
    assert done.returncode == 0


def test_output_directory_holds_six_files(tmp_path: Path) -> None:
    """With --output the tables, the errors and the run are written, and named."""
    done = _run("scan", "seeds/", "-o", str(tmp_path / "out"), "--format", "jsonl", "--quiet")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("documents.jsonl", "errors.jsonl", "families.jsonl", "pairs.jsonl", "passages.jsonl"),
        "run.json",
    ]
    family = json.loads((tmp_path / "out" / "families.jsonl").read_text(encoding="utf-8"))
    assert family["size"] == 2


def test_unreadable_inputs_are_named_and_exit_3(tmp_path: Path) -> None:
    """Broken lines are told with file, line and remedy; the others are scanned."""
    corpus = tmp_path / "news.jsonl"
    corpus.write_text('{"id": "a", "text": "Some words."}\n{"id": "b"\n', encoding="utf-8")
    done = _run("scan", str(corpus))

    assert done.returncode == 3
    assert done.stdout.decode().startswith("1 article")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"dedupe: {corpus}:2: ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no-such-directory"], "no-such-directory"),
        (["seeds/", "--format", "xml"], "format must be one of parquet, jsonl, csv"),
        (["seeds/", "--threshold", "7"], "threshold must be a number from 0 to 1"),
        (["seeds/", "--min-shared-words", "3"], "min_shared_words"),
        (["seeds/", "--config", "no-such.toml"], "no-such.toml"),
        (["seeds/", "--output", "README.md"], "README.md is a file"),
        ([], "Missing argument"),
        (["seeds/", "--no-such-option"], "No such option"),
    ],
)
def test_usage_errors_exit_2_and_say_what_to_do(arguments: list[str], told: str) -> None:
    """What cannot be done is told in a sentence, without a traceback, with exit code 2."""
    done = _run("scan", *arguments)

    assert done.returncode == 2
    assert done.stdout == b""
    assert told in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_fail_on_duplicates_exits_1() -> None:
    """With --fail-on-duplicates a family found is a failure."""
    assert _run("scan", "seeds/", "--fail-on-duplicates", "-q").returncode == 1
    assert _run("scan", "seeds/001_51cbd81e112f65bc.txt", "--fail-on-duplicates").returncode == 0


def test_jsonl_on_standard_input() -> None:
    """A dash reads JSONL from standard input."""
    text = " ".join(f"word{k}" for k in range(40))
    rows = b"".join(json.dumps({"id": k, "text": text}).encode() + b"\n" for k in range(3))
    done = _run("scan", "-", stdin=rows)

    assert done.returncode == 0
    assert done.stdout.decode().startswith("3 articles, 120 words: 1 family of 3 articles, 3 pairs")


def test_settings_from_a_file_and_options_over_them(tmp_path: Path) -> None:
    """Options win over the settings of a TOML file."""
    settings = tmp_path / "dedupe.toml"
    settings.write_text('min-shared-words = 10\nformat = "csv"\n', encoding="utf-8")
    out = tmp_path / "out"
    done = _run(
        *("scan", "seeds/", "--config", str(settings), "--format", "jsonl", "-o", str(out), "-q")
    )

    assert (done.returncode, done.stderr) == (0, b"")
    config = json.loads((out / "run.json").read_text(encoding="utf-8"))["config"]
    assert (config["min_shared_words"], config["format"]) == (10, "jsonl")


def test_markup_and_escapes_in_titles_are_only_text(tmp_path: Path) -> None:
    """Titles cannot colour or clear the terminal."""
    text = " ".join(f"word{k}" for k in range(40))
    rows = [{"id": k, "text": text, "title": "[red]\x1b[2JBoo[/red]"} for k in "ab"]
    corpus = tmp_path / "c.jsonl"
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    printed = _run("scan", str(corpus)).stdout

    assert b"\x1b" not in printed
    assert b"[red]" in printed


def test_progress_only_on_a_terminal() -> None:
    """On a terminal progress is drawn on standard error, and standard output stays clean."""
    leader, follower = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "dedupe", "scan", "seeds/"],
        stdout=subprocess.PIPE,
        stderr=follower,
        cwd=ROOT,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
        check=False,
    )
    os.close(follower)
    drawn = os.read(leader, 65536)
    os.close(leader)

    assert b"read" in drawn
    assert done.stdout.decode().startswith("5 articles")
    assert b"\x1b" not in done.stdout


def test_help_shows_examples_and_every_option() -> None:
    """Help has examples, and an option for each field and each setting of weight."""
    printed = _run("scan", "--help").stdout.decode()

    for option in (
        *("--output", "--config", "--threshold", "--min-shared-words", "--near", "--format"),
        *("--id-field", "--text-field", "--source-field", "--date-field", "--title-field"),
        *("--threads", "--fail-on-duplicates"),
    ):
        assert option in printed
    assert "Examples" in printed


def test_the_commands_help_mentions_the_defaults_there_are() -> None:
    """The defaults that help states are those of the configuration."""
    printed = " ".join(_run("scan", "--help").stdout.decode().replace("│", " ").split())
    config = dedupe.Config()

    assert f"[default: {config.threshold:g}]" in printed
    assert f"[default: {config.min_shared_words}]" in printed
    assert f"[default: {config.memory_mb}]" in printed


def test_version() -> None:
    """--version prints the version."""
    assert _run("--version").stdout.decode() == f"dedupe {dedupe.__version__}\n"
