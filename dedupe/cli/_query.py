"""`dedupe query`: what an index knows of one article."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from dedupe.cli._app import app
from dedupe.cli._articles import article_at
from dedupe.cli._exits import interruptible
from dedupe.cli._options import (
    DateField,
    IdField,
    SourceField,
    TextField,
    TitleField,
    UrlField,
    check_choice,
    fields_of,
    settings_of,
)
from dedupe.cli._printing import announce_compiling, make_console, print_json
from dedupe.errors import ConfigError, InputError

if TYPE_CHECKING:
    from dedupe.index import Index
    from dedupe.records import Article

_ASKED = "\x00"
"""Id under which an article of a file is looked up: one that no article of an index has, so that
whatever the index has under the name of the file is compared as well."""


@app.command(
    epilog="""
**Examples**

`dedupe query news.index draft.txt` — whose text is in this draft, and what is its own

`pbpaste | dedupe query news.index -` — the same of what was copied

`dedupe query news.index --id https://example.org/story` — an article that the index has

`dedupe query news.index crawl.jsonl:42 --format json | jq .kind` — for programs
"""
)
def query(
    index: Annotated[
        str,
        typer.Argument(
            metavar="INDEX",
            help="The directory of an index, or redis://HOST:PORT/DB.",
            show_default=False,
        ),
    ],
    article: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="A .txt, .md or .html file, FILE:ID for an article of a .jsonl[.gz|.zst], .csv or "
            ".parquet file, or - for text on standard input.",
            show_default=False,
        ),
    ] = None,
    article_id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="Ask about an article of the index instead."),
    ] = None,
    output_format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="text or json.")
    ] = "text",
    color: Annotated[
        str,
        typer.Option(
            metavar="WHEN", help="auto, always or never; auto is on a terminal, without NO_COLOR."
        ),
    ] = "auto",
    id_field: IdField = None,
    text_field: TextField = None,
    source_field: SourceField = None,
    date_field: DateField = None,
    title_field: TitleField = None,
    url_field: UrlField = None,
) -> None:
    """Show what an index knows of an article: whose text it has, and what is its own.

    Nothing is stored. Prints the articles it shares text with, best first, with shares both ways,
    then the article as it reads, each stretch under the number of the article that has it. Its
    own text is green on a terminal, and in {+marks+} elsewhere.
    """
    check_choice("--format", output_format, ("text", "json"))
    check_choice("--color", color, ("auto", "always", "never"))
    if (article is None) == (article_id is None):
        raise ConfigError("name a FILE to ask about, or an article of the index with --id")
    fields = fields_of(id_field, text_field, source_field, date_field, title_field, url_field)
    settings = settings_of(None, fields)
    with interruptible():
        from dedupe.index import Index

        wanted = None if article is None else article_at(article, settings)
        announce_compiling()
        with Index.open(index, mode="r") as opened:
            if wanted is None:
                asked = wanted = _article_of(opened, index, article_id or "")
            else:
                asked = replace(wanted, id=_ASKED)
            match = replace(opened.check(asked), id=wanted.id)
            family = None if match.family is None else opened.family(match.family)
        if output_format == "json":
            print_json(match.to_dict())
            return
        from dedupe._match import print_match

        print_match(make_console(color=color), match, wanted, family)


def _article_of(index: Index, name: str, article_id: str) -> Article:
    found = index.get(article_id)
    if found is None:
        raise InputError(f"{name}: no article has the id {article_id!r}")
    if not found.text:
        raise InputError(f"{name}: keeps no texts; give the article as a file")
    return found
