"""`dedupe index`: fill an index, look after it, and write its tables."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from dedupe.cli._app import app
from dedupe.cli._articles import stdin_of
from dedupe.cli._exits import SOME_UNREADABLE, interruptible
from dedupe.cli._options import (
    ConfigFile,
    DateField,
    IdField,
    SourceField,
    TextField,
    TitleField,
    UrlField,
    check_choice,
    fields_of,
    named_in,
    settings_of,
)
from dedupe.cli._printing import (
    announce_compiling,
    make_console,
    print_json,
    print_problems,
    progress_of,
)
from dedupe.errors import ConfigError, InputError

if TYPE_CHECKING:
    from dedupe.config import Config
    from dedupe.errors import Problem
    from dedupe.index import Index
    from dedupe.scanning import Progress

index_app = typer.Typer(
    name="index",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Fill an index that stays, look after it, and write its tables.",
)
app.add_typer(index_app)

IndexName = Annotated[
    str,
    typer.Argument(
        metavar="INDEX",
        help="The directory of an index, or redis://HOST:PORT/DB.",
        show_default=False,
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No counts and no progress; only problems.")
]


@index_app.command(
    epilog="""
**Examples**

`dedupe index add news.index archive/` — begin an index with what is there already

`zcat crawl.jsonl.gz | dedupe index add news.index -` — from a pipe
"""
)
def add(
    index: IndexName,
    corpus: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS...",
            help="Directories, globs or files: .txt .md .html .jsonl[.gz|.zst] .csv .parquet; "
            "- reads JSONL from standard input.",
            show_default=False,
        ),
    ],
    no_text: Annotated[
        bool,
        typer.Option(
            "--no-text",
            help="Make the index without texts: smaller, but its answers are estimates then.",
        ),
    ] = False,
    config: ConfigFile = None,
    id_field: IdField = None,
    text_field: TextField = None,
    source_field: SourceField = None,
    date_field: DateField = None,
    title_field: TitleField = None,
    url_field: UrlField = None,
    quiet: Quiet = False,
) -> None:
    """Add the articles of a corpus to an index, which is made where there is none.

    An id that the index has with another text is revised; with the same text nothing is done, so
    that an interrupted command can be given again. Without an id a row is known by its URL, or
    by its file and line, and a file by its path as given.
    """
    fields = fields_of(id_field, text_field, source_field, date_field, title_field, url_field)
    settings = settings_of(config, fields)
    stdin = stdin_of(corpus)
    problems: list[Problem] = []
    with interruptible(), ExitStack() as stack:
        from dedupe.index import Index

        announce_compiling()
        bar = stack.enter_context(progress_of(quiet))
        # The index has settings of its own: only what the file names has to agree with them.
        named = named_in(config)
        opened = stack.enter_context(Index.open(index, store_text=not no_text, **named))
        counts = _add_all(opened, corpus, stdin, settings, problems, bar)
        held = len(opened)
    if not quiet:
        from dedupe._page import count

        told = ", ".join(f"{n:,} {status}" for status, n in counts.items())
        typer.echo(f"{told}; the index holds {count(held, 'article')}")
    print_problems(problems, "mend these first to see them")
    if problems:
        raise typer.Exit(SOME_UNREADABLE)


def _add_all(
    index: Index,
    corpus: list[str],
    stdin: BinaryIO | None,
    settings: Config,
    problems: list[Problem],
    bar: Progress | None,
) -> dict[str, int]:
    """Add all articles, a batch at a time: how many were new, unchanged, revised."""
    from dedupe.corpus import read_corpus

    counts = {"new": 0, "unchanged": 0, "revised": 0}
    progress = None
    if bar is not None:
        bar.stage("add")
        progress = bar.bytes_read
    with read_corpus(
        corpus, settings, problems, stdin=stdin, progress=progress, lasting_ids=True
    ) as batches:
        for batch in batches:
            added = index.add_many(batch.articles())
            for status, n in added._asdict().items():
                counts[status] += n
    return counts


@index_app.command()
def info(
    index: IndexName,
    output_format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="text or json.")
    ] = "text",
) -> None:
    """Show what an index holds, its size and its settings."""
    check_choice("--format", output_format, ("text", "json"))
    from dedupe.index import Index

    with Index.open(index, mode="r") as opened:
        record = opened.info()
    if output_format == "json":
        print_json(record)
        return
    from dedupe._page import Page

    Page(make_console()).table(_flat(record))


def _flat(record: dict[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Names and values, those of records within it after it, further in."""
    from dedupe._page import safe

    rows = []
    for name, value in record.items():
        label = above + name.replace("_", " ")
        if isinstance(value, dict):
            rows += [(label, ""), *_flat(value, above + "  ")]
        elif isinstance(value, bool):
            rows.append((label, "yes" if value else "no"))
        elif isinstance(value, int | float):
            rows.append((label, f"{value:,}"))
        else:
            rows.append((label, "–" if value is None else safe(str(value))))
    return rows


@index_app.command()
def compact(index: IndexName) -> None:
    """Make an index small and quick, and find all its families anew."""
    with interruptible():
        from dedupe.index import Index

        with Index.open(_existing(index)) as opened:
            opened.compact()


@index_app.command()
def remove(
    index: IndexName,
    ids: Annotated[
        list[str],
        typer.Argument(metavar="ID...", help="Ids of articles.", show_default=False),
    ],
    quiet: Quiet = False,
) -> None:
    """Remove articles from an index. Exit code 3 if it does not have one of them."""
    with interruptible():
        from dedupe._terminal import printable
        from dedupe.index import Index

        with Index.open(_existing(index)) as opened:
            missing = [article_id for article_id in ids if not opened.remove(article_id)]
    if not quiet:
        typer.echo(f"{len(ids) - len(missing):,} removed")
    for article_id in missing:
        sys.stderr.write(printable(f"dedupe: {index}: no article has the id {article_id!r}") + "\n")
    if missing:
        raise typer.Exit(SOME_UNREADABLE)


@index_app.command(
    epilog="""
**Example**

`dedupe index export news.index -o out/ --format jsonl` — families, pairs and passages of the index
"""
)
def export(
    index: IndexName,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Write the tables and run.json here.",
            show_default=False,
        ),
    ],
    output_format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="parquet, jsonl or csv.")
    ] = "parquet",
    quiet: Quiet = False,
) -> None:
    """Write the tables that a scan of all articles of an index writes."""
    from dedupe.config import FORMATS

    check_choice("--format", output_format, FORMATS)
    with interruptible():
        from dedupe.index import Index
        from dedupe.output import check_output, write_scan

        if output.resolve() == Path(index).resolve():
            raise ConfigError(f"{output} is the index; name another directory with --output")
        check_output(output, [])
        announce_compiling()
        with progress_of(quiet) as bar, Index.open(index, mode="r") as opened:
            result = opened.result(progress=bar)
        settings = {**result.run["config"], "format": output_format}
        result = replace(result, run={**result.run, "config": settings})
        written = write_scan(result, output)
    if not quiet:
        from dedupe._summary import print_summary

        print_summary(make_console(), result, written)


def _existing(index: str) -> str:
    """The name of an index to be changed, which must be there already."""
    if "://" not in index and not (Path(index) / "articles.sqlite").exists():
        raise InputError(f"{index}: there is no index; `dedupe index add` makes one")
    return index
