"""Articles, as they are named on the command line."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from dedupe.errors import InputError

if TYPE_CHECKING:
    from dedupe.config import Config
    from dedupe.records import Article

__all__ = ["article_at", "stdin_of"]


def stdin_of(corpus: list[str]) -> BinaryIO | None:
    """Standard input, if it is among the names of a corpus."""
    if "-" not in corpus:
        return None
    if sys.stdin is None:
        raise InputError("standard input is closed; pipe JSONL into it, or name files")
    return sys.stdin.buffer


def article_at(given: str, settings: Config) -> Article:
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

    problems: list[Problem] = []
    for batch in read_corpus([table], settings, problems):
        for wanted in (article_id, given):
            if wanted in batch.ids:
                k = batch.ids.index(wanted)
                return replace(next(islice(batch.articles(), k, None)), id=given)
    unread = f" ({problems[0].reason}; {problems[0].remedy})" if problems else ""
    raise InputError(
        f"{table}: no article has the id {article_id!r}{unread}; ids are those of `dedupe scan`, "
        "or line numbers where there is no id field"
    )
