"""The application that every command is a part of."""

from __future__ import annotations

from typing import Annotated

import typer

from dedupe._version import __version__

__all__ = ["app"]

app = typer.Typer(
    name="dedupe",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
