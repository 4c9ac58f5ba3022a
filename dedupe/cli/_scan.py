"""`dedupe scan`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dedupe.cli._app import app
from dedupe.cli._articles import stdin_of
from dedupe.cli._exits import FAILED, SOME_UNREADABLE, interruptible
from dedupe.cli._options import (
    ConfigFile,
    DateField,
    IdField,
    Near,
    Shingle,
    SourceField,
    TextField,
    TitleField,
    UrlField,
    fields_of,
    named_in,
    settings_of,
)
from dedupe.cli._printing import announce_compiling, make_console, print_problems, progress_of
from dedupe.errors import ConfigError

if TYPE_CHECKING:
    from dedupe.checkpoint import Checkpoint
    from dedupe.config import Config
    from dedupe.scanning import ScanResult


@app.command(
    epilog="""
**Examples**

`dedupe scan news/` — families in a directory of .txt, .md and .html files

`dedupe scan news.parquet -o out/ --text-field body` — and write all tables to out/

`zcat crawl.jsonl.gz | dedupe scan - --format jsonl -o out/` — from a pipe

`dedupe scan today.jsonl --index news.index -o out/` — what today's articles share with all before, and keep them

`dedupe scan "2024-*.jsonl" --min-shared-words 40 --threshold 0.5` — only long, clear reuse
"""
)
def scan(
    corpus: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS...",
            help="Directories, globs or files: .txt .md .html .jsonl[.gz|.zst] .csv .parquet; "
            "- reads JSONL from standard input.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Write tables, errors.jsonl and run.json here."
        ),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(
            metavar="INDEX",
            help="Check the articles against an index, a directory or redis://HOST:PORT/DB, and "
            "add them: the tables tell what they share with those before them.",
            show_default=False,
        ),
    ] = None,
    config: ConfigFile = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Share of one article's words, net of quotations and boilerplate, that must "
            "stand in the other for the two to be family.  [default: 0.3]",
        ),
    ] = None,
    min_shared_words: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Report pairs that share at least as much text as a run of N words.  "
            "[default: 19]",
        ),
    ] = None,
    near: Near = None,
    shingle: Shingle = None,
    scale: Annotated[
        int | None,
        typer.Option(
            metavar="S",
            help="Sketch one shingle in S; 0 follows the size of the corpus.  [default: 0]",
        ),
    ] = None,
    output_format: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="FORMAT", help="parquet, jsonl or csv.  [default: parquet]"
        ),
    ] = None,
    passages: Annotated[
        bool | None,
        typer.Option(
            "--passages/--no-passages",
            help="Align every pair, not only those that may link families.  "
            "[default: with --output]",
            show_default=False,
        ),
    ] = None,
    id_field: IdField = None,
    text_field: TextField = None,
    source_field: SourceField = None,
    date_field: DateField = None,
    title_field: TitleField = None,
    url_field: UrlField = None,
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", help="Worker threads; 0 takes one per processor.  [default: 0]"),
    ] = None,
    chunk_mb: Annotated[
        float | None,
        typer.Option(metavar="MB", help="Text read and processed at a time.  [default: 4]"),
    ] = None,
    memory_mb: Annotated[
        int | None,
        typer.Option(
            metavar="MB",
            help="Token data kept in memory; more goes to files, and a run with --output that is "
            "interrupted goes on from them.  [default: 1000]",
        ),
    ] = None,
    fail_on_duplicates: Annotated[
        bool,
        typer.Option("--fail-on-duplicates", help="Exit with 1 if any family is found."),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No summary and no progress; only problems.")
    ] = False,
) -> None:
    """Find every family, pair and shared passage in a corpus.

    Prints a summary; with `--output` also writes documents, pairs, passages and families as
    tables, `errors.jsonl` and `run.json`.
    """
    given = {
        "threshold": threshold,
        "min_shared_words": min_shared_words,
        "near": near,
        "shingle": shingle,
        "scale": scale,
        "format": output_format,
        "passages": passages,
        **fields_of(id_field, text_field, source_field, date_field, title_field, url_field),
        "threads": threads,
        "chunk_mb": chunk_mb,
        "memory_mb": memory_mb,
    }
    # Nobody sees the passages of a summary.
    settings = settings_of(config, given, {"passages": output is not None})
    if output is not None:
        from dedupe.output import check_output

        check_output(output, corpus)
    # What came to an index is there: the same command again goes on from it.
    checkpoint = None if index else _checkpoint(output, settings)
    try:
        with interruptible(checkpoint):
            if index:
                result = _scan_into(index, corpus, config, given, quiet)
            else:
                result = _run_scan(corpus, settings, checkpoint, quiet)
            written = _write(result, output)
            if checkpoint is not None:
                checkpoint.clear()
    finally:
        if checkpoint is not None:
            checkpoint.close()
    all_in = f"all are in {output / 'errors.jsonl'}" if output else "-o DIR lists them all"
    print_problems(result.problems, all_in)
    if not quiet:
        _print_summary(result, written)
    if fail_on_duplicates and result.families.height:
        raise typer.Exit(FAILED)
    if result.problems:
        raise typer.Exit(SOME_UNREADABLE)


def _checkpoint(output: Path | None, settings: Config) -> Checkpoint | None:
    """Where a scan that writes keeps what it has finished."""
    if output is None:
        return None
    from dedupe.checkpoint import Checkpoint
    from dedupe.output import work_directory

    return Checkpoint(work_directory(output), settings)


def _run_scan(
    corpus: list[str], settings: Config, checkpoint: Checkpoint | None, quiet: bool
) -> ScanResult:
    from dedupe.scanning import scan as scan_corpus

    stdin = stdin_of(corpus)
    if not quiet and sys.stderr.isatty():
        announce_compiling()
    with progress_of(quiet) as bar:
        return scan_corpus(corpus, settings, stdin=stdin, checkpoint=checkpoint, progress=bar)


def _scan_into(
    index: str, corpus: list[str], config: Path | None, given: dict[str, Any], quiet: bool
) -> ScanResult:
    """Check a corpus against an index, whose own settings hold where none are named."""
    from dedupe.index import Index, scan_into

    if given["passages"] is False:
        raise ConfigError("--no-passages: an index aligns all it finds; leave it out with --index")
    named = named_in(config)
    named |= {name: value for name, value in given.items() if value is not None}
    stdin = stdin_of(corpus)
    announce_compiling()
    with progress_of(quiet) as bar, Index.open(index, **named) as opened:
        progress = None
        if bar is not None:
            bar.stage("index")
            progress = bar.bytes_read
        return scan_into(opened, corpus, stdin=stdin, progress=progress)


def _write(result: ScanResult, output: Path | None) -> list[Path]:
    if output is None:
        return []
    from dedupe.output import write_scan

    return write_scan(result, output)


def _print_summary(result: ScanResult, written: list[Path]) -> None:
    from dedupe._summary import print_summary

    print_summary(make_console(), result, written)
