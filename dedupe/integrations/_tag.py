"""What is put on an item or a line: a match as plain, compact JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dedupe.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dedupe.index import Match
    from dedupe.index._records import Reuse

__all__ = ["COPIES", "DROPPABLE", "check_droppable", "error_tag", "is_dropped", "tag_of"]

COPIES = ("exact", "near")
"""What is dropped where copies are to be dropped and nothing else is said."""

DROPPABLE = ("unique", "exact", "near", "partial", "unchanged")
"""Kinds of matches that can be dropped, and the status of an article that came before as it is."""

_DIGITS = 4
"""Digits of a share in a tag: a word in ten thousand."""


def tag_of(match: Match) -> dict[str, Any]:
    """A match as a tag, whose fields are those of `Match`; `best` is the first of its reuses."""
    return {
        "kind": match.kind,
        "status": match.status,
        "of": list(match.of),
        "family": match.family,
        "words": match.words,
        "added_words": match.added_words,
        "best": _best(match.reuses[0]) if match.reuses else None,
        "passages": [asdict(passage) for passage in match.passages],
        "added": None
        if match.added is None
        else [{"start": start, "end": end} for start, end in match.added],
        "verified": match.verified,
        "left_out": match.left_out,
        "too_short": match.too_short,
    }


def error_tag(reason: str) -> dict[str, Any]:
    """The tag of what could not be looked up: it has no kind, and is never "unique"."""
    return {"kind": None, "error": reason}


def is_dropped(match: Match, kinds: Iterable[str]) -> bool:
    """Whether a match is of a kind, or has a status, that is to be dropped."""
    return match.kind in kinds or match.status in kinds


def check_droppable(kinds: Iterable[str], where: str) -> frozenset[str]:
    """The kinds to be dropped.

    Raises:
        ConfigError: one of them is no kind.
    """
    wanted = frozenset(kinds)
    unknown = sorted(map(str, wanted - set(DROPPABLE)))
    if unknown:
        raise ConfigError(f"{where} may name {', '.join(DROPPABLE)}, not {unknown[0]!r}")
    return wanted


def _best(reuse: Reuse) -> dict[str, Any]:
    best = {name: value for name, value in asdict(reuse).items() if name != "passages"}
    return {
        name: round(value, _DIGITS) if isinstance(value, float) else value
        for name, value in best.items()
    }
