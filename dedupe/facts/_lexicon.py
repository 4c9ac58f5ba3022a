"""What `data/facts.toml` says of a language, by hashes of its words."""

from __future__ import annotations

import functools
import itertools
import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dedupe.facts._forms import alternatives, listed_forms
from dedupe.facts._roles import SCALE, UNIT
from dedupe.tokens import PARAGRAPH, tokenise_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Lexicon", "hashes_of", "lexicon_of", "places_of", "tables_of_languages"]

_DATA = Path(__file__).parent.parent / "data" / "facts.toml"


class _Form(NamedTuple):
    """A word or phrase of a list: hashes of its words after the first, and what it means."""

    rest: tuple[int, ...]
    role: int
    value: Any


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What is known of a language.

    Attributes:
        words: uint64 (n,), hashes of the words that begin its forms, ascending.
        roles: int64 (n,), what those forms may be.
        forms: the forms by the hash of their first word, the longest first.
        suffixes: units and scales that may be written to a number, "5km".
        decimal: the decimal mark, "" where it is not known.
        years: whether words before a year, and a month, are known.
        demonyms: endings by which the forms of a name differ.
        irregular: group of names and their adjectives, by folded words.
        elides: whether an article may be written to a name, "l’Irak".
        nouns: whether all nouns have capitals.
    """

    words: NDArray[np.uint64]
    roles: NDArray[np.int64]
    forms: dict[int, list[_Form]]
    suffixes: dict[str, _Form]
    decimal: str
    years: bool
    demonyms: frozenset[str]
    irregular: dict[str, int]
    elides: bool
    nouns: bool


@functools.cache
def tables_of_languages() -> tuple[dict[str, str], dict[str, str]]:
    """The commonest words of each language, and the text of each language's table.

    A table is parsed when its language is met: all of them take 10 ms.
    """
    head, *tables = re.split(r"^(?=\[)", _DATA.read_text(encoding="utf-8"), flags=re.MULTILINE)
    function = tomllib.loads(head + tables[0])["function"]
    return function, {table[1 : table.index("]")]: table for table in tables[1:]}


def hashes_of(forms: Sequence[str]) -> list[tuple[int, ...]]:
    """Token hashes of each form."""
    tokens = tokenise_text("\n".join(forms))
    first = np.flatnonzero(tokens.flags & PARAGRAPH).tolist()
    hashes = tokens.hashes.tolist()
    return [tuple(hashes[i:j]) for i, j in itertools.pairwise([*first, len(hashes)])]


@functools.cache
def lexicon_of(language: str) -> Lexicon:
    """What is known of a language; of "" what is the same in all."""
    function, tables = tables_of_languages()
    table = tomllib.loads(tables[language])[language] if language else {}
    table["function"] = function.get(language, "")
    listed = [*listed_forms(table), *listed_forms(tomllib.loads(tables["common"])["common"])]
    forms: dict[int, list[_Form]] = defaultdict(list)
    suffixes: dict[str, _Form] = {}
    hashed = hashes_of([form for form, _, _ in listed])
    for (form, role, value), (first, *rest) in zip(listed, hashed, strict=True):
        entry = _Form(tuple(rest), role, value)
        forms[first].append(entry)
        if role & (UNIT | SCALE):
            suffixes.setdefault(form, entry)
    for entries in forms.values():
        entries.sort(key=lambda entry: -len(entry.rest))
    words = sorted(forms)
    roles = [functools.reduce(lambda x, form: x | form.role, forms[w], 0) for w in words]
    groups = enumerate(table.get("irregular", "").split())
    return Lexicon(
        words=np.array(words, np.uint64),
        roles=np.array(roles, np.int64),
        forms=dict(forms),
        suffixes=suffixes,
        decimal=table.get("decimal", ""),
        years="before_year" in table,
        demonyms=frozenset(["", *table.get("demonyms", "").split()]),
        irregular={form: k for k, item in groups for form in alternatives(item)},
        elides="elision" in table,
        nouns="nouns" in table,
    )


def places_of(
    words: NDArray[np.uint64], known: NDArray[np.uint64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which words are among known ones, ascending, and the places of those that are."""
    places = known.searchsorted(words)
    found = known[np.minimum(places, len(known) - 1)] == words
    return found, places[found]
