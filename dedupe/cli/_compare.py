"""`dedupe compare`."""

from __future__ import annotations

from typing import Annotated

import typer

from dedupe.cli._app import app
from dedupe.cli._articles import article_at
from dedupe.cli._exits import interruptible
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
    check_choice,
    fields_of,
    settings_of,
)
from dedupe.cli._printing import announce_compiling, make_console, print_json
from dedupe.errors import ConfigError


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
    check_choice("--format", output_format, ("text", "json"))
    check_choice("--color", color, ("auto", "always", "never"))
    if a == b == "-":
        raise ConfigError("- can stand for A or for B, not for both; name a file for one of them")
    given = {
        "near": near,
        "shingle": shingle,
        **fields_of(id_field, text_field, source_field, date_field, title_field, url_field),
    }
    settings = settings_of(config, given)
    with interruptible():
        from dedupe._jit import kernels_for
        from dedupe.comparing import compare as compare_articles
        from dedupe.comparing import text_bytes

        left, right = article_at(a, settings), article_at(b, settings)
        announce_compiling()
        with kernels_for(text_bytes(left, right)):
            comparison = compare_articles(left, right, settings)
            if output_format == "json":
                print_json(comparison.to_dict())
                return
            from dedupe._comparison import print_comparison

            print_comparison(make_console(color=color), comparison, left, right, words=words)
