"""The Unicode tables, entry by entry."""

from __future__ import annotations

import unicodedata

import numpy as np
from oracles import fold, kind, tokenise_texts

from dedupe.unicode import (
    APOSTROPHE,
    IGNORE,
    MARK,
    NEWLINE,
    SEPARATOR,
    SINGLE,
    WORD,
    fold_code_point,
    unicode_tables,
)

CLASS_NAMES = {
    SEPARATOR: "separator",
    WORD: "word",
    MARK: "mark",
    SINGLE: "single",
    IGNORE: "ignored",
    APOSTROPHE: "apostrophe",
    NEWLINE: "newline",
}

ASSIGNED = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in ("Cn", "Cs")]

SPACED_LIGATURE = "\ufdfa"  # its 18 letters and spaces are no one's word


def entry(char: str) -> int:
    """Index of a character in the tables."""
    return int(unicode_tables().pages[ord(char) >> 8]) << 8 | ord(char) & 255


def folded(char: str) -> str:
    """What the tables fold a character to."""
    tables = unicode_tables()
    value = int(tables.folds[entry(char)])
    if value < 1 << 31:
        return chr(value)
    first, length = (value & 0x7FFFFFFF) >> 4, value & 15
    return "".join(map(chr, tables.expansions[first : first + length]))


def test_letters_are_no_marks() -> None:
    """What a letter folds to, where it is one code point, has no place among marks."""
    tables = unicode_tables()
    letter = np.isin(tables.classes, (WORD, SINGLE)) & (tables.folds < 1 << 31)
    folds = np.unique(tables.folds[letter])
    entries = tables.pages[folds >> 8].astype(np.int64) << 8 | folds & 255
    assert len(folds) > 20_000
    assert not tables.combining[entries].any()


def test_class_of_every_character() -> None:
    """Every assigned character has the class that the documentation gives it."""
    classes = unicode_tables().classes
    found = {c: CLASS_NAMES[int(classes[entry(c)])] for c in ASSIGNED}
    assert {c: k for c, k in found.items() if k != kind(c)} == {}


def test_fold_of_every_character() -> None:
    """Every character that is part of a word folds as the documentation says."""
    parts = [c for c in ASSIGNED if kind(c) in ("word", "mark", "single") and c != SPACED_LIGATURE]
    assert {c: folded(c) for c in parts if folded(c) != fold(c)} == {}


def test_combining_class_of_every_character() -> None:
    """Every character that is part of a word has its canonical combining class."""
    combining = unicode_tables().combining
    parts = [c for c in ASSIGNED if kind(c) in ("word", "mark", "single")]
    assert [c for c in parts if combining[entry(c)] != unicodedata.combining(c)] == []


def test_folding_twice_is_folding_once() -> None:
    """What a character folds to folds to itself."""
    for char in ASSIGNED:
        once = [chr(p) for p in fold_code_point(ord(char))]
        assert [chr(p) for c in once for p in fold_code_point(ord(c))] == once


def test_unknown_code_points_are_letters() -> None:
    """A code point of no Unicode version yet is a letter that folds to itself, outside symbols."""
    classes = unicode_tables().classes
    unassigned = ["\u0378", "\u0ff0", "\u2fe0", "\ua7f0", "\U0001056b"]
    assert [unicodedata.category(c) for c in unassigned] == ["Cn"] * 5
    assert [(CLASS_NAMES[int(classes[entry(c)])], folded(c)) for c in unassigned] == [
        ("word", c) for c in unassigned
    ]
    assert CLASS_NAMES[int(classes[entry("\u20c5")])] == "separator"


def test_canonical_equivalents_hash_alike() -> None:
    """A character, its NFC and its NFD give the same tokens, inside a word and alone."""
    # The three are canonically equal to an apostrophe, which they are not classed as.
    composed = [c for c in ASSIGNED if unicodedata.normalize("NFD", c) != c]
    assert len(composed) > 13_000
    for template in ("{}", "a{}b", "a\u0301{}\u0323"):
        tokens = [
            tokenise_texts(template.format(variant) for variant in variants)[1]
            for variants in (
                composed,
                [unicodedata.normalize("NFC", c) for c in composed],
                [unicodedata.normalize("NFD", c) for c in composed],
            )
        ]
        for other in tokens[1:]:
            assert np.array_equal(tokens[0].offsets, other.offsets)
            assert np.array_equal(tokens[0].hashes, other.hashes)


def test_tables_are_built_once() -> None:
    """A process builds the tables once."""
    assert unicode_tables() is unicode_tables()
