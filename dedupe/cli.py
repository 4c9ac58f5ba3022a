"""The command line: `dedupe scan` and `dedupe compare`. Prints and exits; nothing below it does.

Data goes to stdout, progress and messages to stderr. Exit codes: 0 done; 1 failed, or
duplicates found with `--fail-on-duplicates` (which wins over 3); 2 usage; 3 done, but some inputs
were unreadable; 130 interrupted.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from dedupe._version import __version__
from dedupe.errors import ConfigError, DedupeError, InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from dedupe.checkpoint import Checkpoint
    from dedupe.comparing import Comparison
    from dedupe.config import Config
    from dedupe.records import Article
    from dedupe.scanning import Progress, ScanResult

__all__ = ["app", "main"]

FAILED, USAGE, SOME_UNREADABLE, INTERRUPTED = 1, 2, 3, 130

_OBJECTS_MADE = 50_000
"""Objects made after which Python looks for garbage among them; 700 otherwise."""

app = typer.Typer(
    name="dedupe",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="TOML file of settings; options given here win."),
]
Near = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Resemblance from which a pair is near.  [default: 0.7]"),
]
Shingle = Annotated[int | None, typer.Option(metavar="W", help="Words per shingle.  [default: 5]")]
IdField = Annotated[str | None, typer.Option(metavar="NAME", help="Column or key of the id.")]
TextField = Annotated[str | None, typer.Option(metavar="NAME", help="Column or key of the text.")]
SourceField = Annotated[
    str | None, typer.Option(metavar="NAME", help="Column or key of the outlet.")
]
DateField = Annotated[str | None, typer.Option(metavar="NAME", help="Column or key of the date.")]
TitleField = Annotated[
    str | None, typer.Option(metavar="NAME", help="Column or key of the headline.")
]
UrlField = Annotated[str | None, typer.Option(metavar="NAME", help="Column or key of the URL.")]


def main() -> None:
    """Entry point of the `dedupe` command."""
    # The process is short, and nearly all of what it makes stays until its end: looking for
    # garbage as often as usual takes .1 s of a scan's start, and .35 s at the end of a large one.
    gc.set_threshold(_OBJECTS_MADE)
    atexit.register(gc.freeze)
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
    from dedupe._terminal import printable

    sys.stderr.write(printable(f"dedupe: {message}") + "\n")
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
        typer.Option(metavar="MB", help="Text read and processed at a time.  [default: 8]"),
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
    # Nobody sees the passages of a summary.
    settings = _settings(config, given, {"passages": output is not None})
    if output is not None:
        from dedupe.output import check_output

        check_output(output, corpus)
    checkpoint = _checkpoint(output, settings)
    try:
        with _interruptible(checkpoint):
            result = _run_scan(corpus, settings, checkpoint, quiet)
            written = _write(result, output)
            if checkpoint is not None:
                checkpoint.clear()
    finally:
        if checkpoint is not None:
            checkpoint.close()
    _report_problems(result, output)
    if not quiet:
        _print_summary(result, written)
    if fail_on_duplicates and result.families.height:
        raise typer.Exit(FAILED)
    if result.problems:
        raise typer.Exit(SOME_UNREADABLE)


@app.command(
    epilog="""
**Examples**

`dedupe compare wire.txt story.html` — what the story took from the wire, and what it did to it

`pandoc draft.docx -t plain | dedupe compare wire.txt -` — with a draft on standard input

`dedupe compare news.jsonl:17 news.jsonl:42` — two articles of a table, by their ids in a scan

`dedupe compare wire.txt story.txt --format json | jq .b_in_a` — for programs
"""
)
def compare(
    a: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="The earlier article: a .txt, .md or .html file, FILE:ID for an article of a "
            ".jsonl[.gz|.zst], .csv or .parquet file, or - for text on standard input.",
            show_default=False,
        ),
    ],
    b: Annotated[
        str,
        typer.Argument(
            metavar="B", help="The later one, which may derive from A.", show_default=False
        ),
    ],
    output_format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="text or json.")
    ] = "text",
    words: Annotated[
        bool,
        typer.Option(
            "--words", help="Show changes word by word, even where most words were changed."
        ),
    ] = False,
    color: Annotated[
        str,
        typer.Option(
            metavar="WHEN", help="auto, always or never; auto is on a terminal, without NO_COLOR."
        ),
    ] = "auto",
    config: ConfigFile = None,
    near: Near = None,
    shingle: Shingle = None,
    id_field: IdField = None,
    text_field: TextField = None,
    source_field: SourceField = None,
    date_field: DateField = None,
    title_field: TitleField = None,
    url_field: UrlField = None,
) -> None:
    """Show what B took from A, paragraph by paragraph, and what was done to it.

    Prints B as it reads, each paragraph with what it is (kept, edited, rewritten, split, merged,
    moved, added, quotation, boilerplate), where in A it comes from and its changed words; then
    what B leaves out, facts that differ, credits, and the shares both ways. On a terminal it is
    coloured; elsewhere [-words of A-] and {+words of B+} are marked.
    """
    _check_choice("--format", output_format, ("text", "json"))
    _check_choice("--color", color, ("auto", "always", "never"))
    if a == b == "-":
        raise ConfigError("- can stand for A or for B, not for both; name a file for one of them")
    given = {
        "near": near,
        "shingle": shingle,
        "id_field": id_field,
        "text_field": text_field,
        "source_field": source_field,
        "date_field": date_field,
        "title_field": title_field,
        "url_field": url_field,
    }
    settings = _settings(config, given)
    with _interruptible():
        from dedupe._jit import kernels_for
        from dedupe.comparing import compare as compare_articles
        from dedupe.comparing import text_bytes

        left, right = _read_article(a, settings), _read_article(b, settings)
        _announce_compiling()
        with kernels_for(text_bytes(left, right)):
            comparison = compare_articles(left, right, settings)
            if output_format == "json":
                _print_json(comparison)
                return
            from dedupe._comparison import print_comparison

            print_comparison(_console(color=color), comparison, left, right, words=words)


def _check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{option} must be one of {', '.join(choices)}, not {value!r}")


def _checkpoint(output: Path | None, settings: Config) -> Checkpoint | None:
    """Where a scan that writes keeps what it has finished."""
    if output is None:
        return None
    from dedupe.checkpoint import Checkpoint
    from dedupe.output import work_directory

    return Checkpoint(work_directory(output), settings)


@contextmanager
def _interruptible(checkpoint: Checkpoint | None = None) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        kept = ""
        if checkpoint is not None and checkpoint.kept:
            kept = (
                f"; the same command goes on from what is kept in {checkpoint.directory}, "
                "which may be deleted"
            )
        _fail(f"interrupted{kept}", INTERRUPTED)


def _announce_compiling() -> None:
    """Say on a terminal what is done when kernels have to be compiled, which takes up to a minute."""
    from dedupe._jit import when_compiling

    if sys.stderr is not None and sys.stderr.isatty():
        when_compiling(lambda: sys.stderr.write(_COMPILING))


_COMPILING = "dedupe: compiling for this machine, once after installation: up to a minute\n"


def _settings(
    path: Path | None, options: dict[str, Any], defaults: dict[str, Any] | None = None
) -> Config:
    """Settings of a file and the options that were given, which win."""
    from dedupe.config import Config

    given = {name: value for name, value in options.items() if value is not None}
    if path is not None:
        return Config.from_toml(path, defaults, **given)
    return Config(**(defaults or {})).replace(**given)


def _console(*, stderr: bool = False, color: str = "auto") -> Console:
    from rich.console import Console

    if color == "always":  # wins over NO_COLOR and a dumb terminal
        return Console(
            highlight=False, force_terminal=True, color_system="standard", no_color=False
        )
    if color == "never":
        return Console(highlight=False, color_system=None)
    return Console(stderr=stderr, highlight=False)


def _read_article(given: str, settings: Config) -> Article:
    """A file, standard input, or an article of a table."""
    from dedupe.corpus import read_article
    from dedupe.corpus._paths import kind_of

    if given == "-" and sys.stdin is None:
        raise InputError("standard input is closed; pipe a text into it, or name a file")
    table, article_id = _split_place(given)
    if table:
        return _find_article(table, article_id, given, settings)
    if kind_of(given) in ("jsonl", "csv", "parquet") and Path(given).is_file():
        raise InputError(f"{given}: holds many articles; name one as {given}:ID")
    return read_article(given, settings, stdin=sys.stdin.buffer if given == "-" else None)


def _split_place(given: str) -> tuple[str, str]:
    """The file and the id of "FILE:ID"; nothing where it is the name of a file itself."""
    if os.path.lexists(given):
        return "", ""
    for k, char in enumerate(given):
        if char == ":" and Path(given[:k]).is_file():
            return given[:k], given[k + 1 :]
    return "", ""


def _find_article(table: str, article_id: str, given: str, settings: Config) -> Article:
    """An article by its id; without an id field that is FILE:LINE, as in a scan."""
    from dedupe.corpus import read_corpus
    from dedupe.errors import Problem
    from dedupe.records import Article

    problems: list[Problem] = []
    for batch in read_corpus([table], settings, problems):
        for wanted in (article_id, given):
            if wanted in batch.ids:
                k = batch.ids.index(wanted)
                first, last = batch.offsets[k : k + 2].tolist()
                return Article(
                    id=given,
                    text=batch.text[first:last].tobytes().decode(),
                    source=batch.sources[k],
                    url=batch.urls[k],
                    title=batch.titles[k],
                    published=batch.published[k],
                    language=batch.languages[k],
                )
    unread = f" ({problems[0].reason}; {problems[0].remedy})" if problems else ""
    raise InputError(
        f"{table}: no article has the id {article_id!r}{unread}; ids are those of `dedupe scan`, "
        "or line numbers where there is no id field"
    )


def _print_json(comparison: Comparison) -> None:
    """Print a comparison as JSON: a field a line, and in lists an item a line."""
    import json

    def dumped(value: Any) -> str:
        return _escaped(json.dumps(value, ensure_ascii=False))

    fields = []
    for name, value in comparison.to_dict().items():
        items = ",\n    ".join(map(dumped, value)) if isinstance(value, list | tuple) else ""
        fields.append(f'"{name}": ' + (f"[\n    {items}\n  ]" if items else dumped(value)))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as JSON is, whatever the terminal
    sys.stdout.write("{\n  " + ",\n  ".join(fields) + "\n}\n")


def _escaped(printed: str) -> str:
    """JSON with escapes for what could steer a terminal or is no character: the same to a reader."""
    import json

    from dedupe._terminal import printable

    if printable(printed) == printed:
        return printed
    return "".join(c if printable(c) == c else json.dumps(c)[1:-1] for c in printed)


def _run_scan(
    corpus: list[str], settings: Config, checkpoint: Checkpoint | None, quiet: bool
) -> ScanResult:
    from dedupe.scanning import scan as scan_corpus

    if "-" in corpus and sys.stdin is None:
        raise InputError("standard input is closed; pipe JSONL into it, or name files")
    stdin = sys.stdin.buffer if "-" in corpus else None
    if quiet or not sys.stderr.isatty():
        return scan_corpus(corpus, settings, stdin=stdin, checkpoint=checkpoint)
    _announce_compiling()
    from dedupe._progress import progress_bar

    with progress_bar(_console(stderr=True)) as progress:
        bar: Progress = progress
        return scan_corpus(corpus, settings, stdin=stdin, checkpoint=checkpoint, progress=bar)


def _write(result: ScanResult, output: Path | None) -> list[Path]:
    if output is None:
        return []
    from dedupe.output import write_scan

    return write_scan(result, output)


SHOWN_PROBLEMS = 10


def _report_problems(result: ScanResult, output: Path | None) -> None:
    if not result.problems:
        return
    from dedupe._terminal import printable

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
