"""What a kept index was made with, and whether it fits: the same for every store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dedupe._version import __version__
from dedupe.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HASH_SCHEME", "check_settings", "check_versions", "no_index"]

HASH_SCHEME = 1
"""Of tokens and shingles, as `docs/hashing.md` has it: what was indexed under another finds nothing."""


def check_versions(place: str, meta: Mapping[str, str], *, form: int) -> None:
    """See that this version of dedupe understands an index.

    Args:
        place: names the index in messages.
        meta: its `format`, `hash_scheme` and `made_by`.
        form: the format that this version has.

    Raises:
        ConfigError: it does not.
    """
    for name, ours in (("format", form), ("hash_scheme", HASH_SCHEME)):
        theirs = int(meta.get(name, "0"))
        if theirs > ours:
            raise ConfigError(
                f"{place}: the index has {name} {theirs}, made by dedupe "
                f"{meta.get('made_by')}; this is dedupe {__version__}, which knows {name} up "
                f"to {ours}; install a newer one"
            )
        if theirs < ours:
            remedy = (
                "open it once with mode='rw'"
                if name == "format"
                else "make a new index of its articles"
            )
            raise ConfigError(
                f"{place}: the index has {name} {theirs}, and this version has {ours}; {remedy}"
            )


def check_settings(place: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """See that an index has the settings asked for.

    Raises:
        ConfigError: the message names those that clash.
    """
    clashes = [
        f"{name} is {there[name]!r} there and {value!r} here"
        for name, value in here.items()
        if there[name] != value
    ]
    if clashes:
        raise ConfigError(
            f"{place}: the index was made with other settings: {'; '.join(clashes)}; leave "
            "them out, or make another index"
        )


def no_index(place: object) -> InputError:
    """The error of an index that is not there, and is opened for reading only."""
    return InputError(
        f"{place}: there is no index here; the first article that is added makes one (with mode='rw')"
    )
