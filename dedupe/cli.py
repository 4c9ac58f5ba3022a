"""The command line: `dedupe scan`. Prints and exits; nothing below it does.

Data goes to stdout, progress and messages to stderr. Exit codes: 0 done; 1 failed, or
duplicates found with `--fail-on-duplicates` (which wins over 3); 2 usage; 3 done, but some inputs
were unreadable; 130 interrupted.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from dedupe._version import __version__
from dedupe.errors import ConfigError, DedupeError, InputError, MissingExtraError

if TYPE_CHECKING:
    from rich.console import Console

    from dedupe.config import Config
    from dedupe.scanning import Progress, ScanResult

__all__ = ["app", "main"]

FAILED, USAGE, SOME_UNREADABLE, INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(
    name="dedupe",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Entry point of the `dedupe` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a title must not fail on a narrow encoding
            stream.reconfigure(errors="replace")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except DedupeError as error:
        usage = isinstance(error, ConfigError | InputError | MissingExtraError)
        _fail(str(error), USAGE if usage else FAILED)
    except OSError as error:
        # Nothing more can be printed, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # whoever read has enough
            sys.exit(FAILED)
        _fail(f"cannot print the results ({error.strerror or error})", FAILED)


def _fail(message: str, code: int) -> NoReturn:
    sys.stderr.write(f"dedupe: {message}\n")
    sys.exit(code)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dedupe {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Find rewrites and reprints of the same news copy, and the text they share."""


@app.command(
    epilog="""
**Examples**

`dedupe scan news/` — families in a directory of .txt, .md and .html files

`dedupe scan news.parquet -o out/ --text-field body` — and write all tables to out/

`zcat crawl.jsonl.gz | dedupe scan - --format jsonl -o out/` — from a pipe

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
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TOML file of settings; options given here win."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Share of one article's words, net of quotations and boilerplate, that must "
            "stand in the other for the two to be family.  [default: 0.25]",
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
    near: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", help="Resemblance from which a pair is near.  [default: 0.7]"
        ),
    ] = None,
    shingle: Annotated[
        int | None, typer.Option(metavar="W", help="Words per shingle.  [default: 5]")
    ] = None,
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
    id_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column or key of the id.")
    ] = None,
    text_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column or key of the text.")
    ] = None,
    source_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column or key of the outlet.")
    ] = None,
    date_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column or key of the date.")
    ] = None,
    title_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column or key of the headline.")
    ] = None,
    url_field: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column or key of the URL.")
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", help="Worker threads; 0 takes one per processor.  [default: 0]"),
    ] = None,
    chunk_mb: Annotated[
        float | None,
        typer.Option(metavar="MB", help="Text read and processed at a time.  [default: 16]"),
    ] = None,
    memory_mb: Annotated[
        int | None,
        typer.Option(
            metavar="MB",
            help="Token data kept in memory; more goes to a temporary file.  [default: 4000]",
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
        "id_field": id_field,
        "text_field": text_field,
        "source_field": source_field,
        "date_field": date_field,
        "title_field": title_field,
        "url_field": url_field,
        "threads": threads,
        "chunk_mb": chunk_mb,
        "memory_mb": memory_mb,
    }
    settings = _settings(config, {k: v for k, v in given.items() if v is not None})
    if output is not None:
        from dedupe.output import check_output

        check_output(output, corpus)
    try:
        result = _run_scan(corpus, settings, quiet)
        written = _write(result, output)
    except KeyboardInterrupt:
        _fail("interrupted", INTERRUPTED)
    _report_problems(result, output)
    if not quiet:
        _print_summary(result, written)
    if fail_on_duplicates and result.families.height:
        raise typer.Exit(FAILED)
    if result.problems:
        raise typer.Exit(SOME_UNREADABLE)


def _settings(path: Path | None, given: dict[str, Any]) -> Config:
    from dedupe.config import Config

    return Config.from_toml(path, **given) if path is not None else Config().replace(**given)


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def _run_scan(corpus: list[str], settings: Config, quiet: bool) -> ScanResult:
    from dedupe.scanning import scan as scan_corpus

    if "-" in corpus and sys.stdin is None:
        raise InputError("standard input is closed; pipe JSONL into it, or name files")
    stdin = sys.stdin.buffer if "-" in corpus else None
    if quiet or not sys.stderr.isatty():
        return scan_corpus(corpus, settings, stdin=stdin)
    from dedupe._progress import progress_bar

    with progress_bar(_console(stderr=True)) as progress:
        bar: Progress = progress
        return scan_corpus(corpus, settings, stdin=stdin, progress=bar)


def _write(result: ScanResult, output: Path | None) -> list[Path]:
    if output is None:
        return []
    from dedupe.output import write_scan

    return write_scan(result, output)


SHOWN_PROBLEMS = 10


def _report_problems(result: ScanResult, output: Path | None) -> None:
    if not result.problems:
        return
    from dedupe._summary import printable

    for problem in result.problems[:SHOWN_PROBLEMS]:
        place = f"{problem.path}:{problem.line}" if problem.line else problem.path
        line = printable(f"dedupe: {place}: {problem.reason}; {problem.remedy}")
        sys.stderr.write(line + "\n")
    more = len(result.problems) - SHOWN_PROBLEMS
    if more > 0:
        where = f"all are in {output / 'errors.jsonl'}" if output else "-o DIR lists them all"
        sys.stderr.write(f"dedupe: and {more} more problems; {where}\n")


def _print_summary(result: ScanResult, written: list[Path]) -> None:
    from dedupe._summary import print_summary

    print_summary(_console(), result, written)


if __name__ == "__main__":
    main()
