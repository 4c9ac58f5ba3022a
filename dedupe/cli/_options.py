"""Options that several commands have, and the settings they come to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dedupe.errors import ConfigError

if TYPE_CHECKING:
    from dedupe.config import Config

__all__ = [
    "ConfigFile",
    "DateField",
    "IdField",
    "Near",
    "Shingle",
    "SourceField",
    "TextField",
    "TitleField",
    "UrlField",
    "check_choice",
    "fields_of",
    "named_in",
    "settings_of",
]

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


def settings_of(
    path: Path | None, options: dict[str, Any], defaults: dict[str, Any] | None = None
) -> Config:
    """Settings of a file and the options that were given, which win."""
    from dedupe.config import Config

    given = {name: value for name, value in options.items() if value is not None}
    if path is not None:
        return Config.from_toml(path, defaults, **given)
    return Config(**(defaults or {})).replace(**given)


def fields_of(
    id_field: str | None,
    text_field: str | None,
    source_field: str | None,
    date_field: str | None,
    title_field: str | None,
    url_field: str | None,
) -> dict[str, Any]:
    """The options that name fields, by the names of the settings."""
    return {
        "id_field": id_field,
        "text_field": text_field,
        "source_field": source_field,
        "date_field": date_field,
        "title_field": title_field,
        "url_field": url_field,
    }


def named_in(path: Path | None) -> dict[str, Any]:
    """The settings that a file names: an index has its own, which only these have to agree with."""
    from dedupe.config import read_settings

    return {} if path is None else read_settings(path)


def check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a value that is none of the choices."""
    if value not in choices:
        raise ConfigError(f"{option} must be one of {', '.join(choices)}, not {value!r}")
