"""Two-level Unicode tables for the tokeniser, made from `unicodedata` and kept on disk.

Each code point has a class (what it does to a word) and a fold (what is hashed in its place).
The fold is canonical decomposition and full case folding, and beside it: wide, narrow and
Arabic presentation forms become ordinary letters, decimal digits of every script become
0-9, Persian and Urdu keyboard variants of Arabic letters become one letter, and marks that
writers may leave out (Arabic vowel signs, tatweel, Hebrew points) vanish, as do soft
hyphens, joiners and other default-ignorable characters.

A code point that this Python's Unicode version does not know yet is a letter without a
fold: a newer Python, which knows it, then cuts the same words in nearly every text.
"""

from __future__ import annotations

import functools
import unicodedata
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._kept import code_of, kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

__all__ = [
    "APOSTROPHE",
    "IGNORE",
    "MARK",
    "NEWLINE",
    "SEPARATOR",
    "SINGLE",
    "WORD",
    "UnicodeTables",
    "unicode_tables",
]

_CODE = code_of(__file__)

SEPARATOR, WORD, MARK, SINGLE, IGNORE, APOSTROPHE, NEWLINE = range(7)

PAGE_BITS = 8
"""Code points per page of the two-level tables: 2 to this power."""

_LAST = 0x10FFFF
_LAST_DIGIT = 0x39

# Scripts written without spaces between words: every character is a token of its own.
# Blocks of the Unicode Character Database.
_SINGLE_BLOCKS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19FF),  # Tai Le, New Tai Lue, Khmer symbols
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0x2E80, 0x2FDF),  # Han radicals
    (0x3005, 0x3007),  # Han iteration mark, closing mark, zero
    (0x3021, 0x3029),  # Hangzhou numerals
    (0x3031, 0x303C),  # vertical kana repeat marks, Han numerals
    (0x3040, 0x312F),  # hiragana, katakana, bopomofo
    (0x31A0, 0x31FF),  # bopomofo extended, Han strokes, katakana extensions
    (0x3400, 0x4DBF),  # Han extension A
    (0x4E00, 0x9FFF),  # Han
    (0xA000, 0xA48F),  # Yi
    (0xA980, 0xA9FF),  # Javanese, Myanmar extended B
    (0xAA60, 0xAADF),  # Myanmar extended A, Tai Viet
    (0xF900, 0xFAFF),  # Han compatibility
    (0x1AFF0, 0x1B16F),  # kana extensions
    (0x20000, 0x3FFFD),  # Han extensions B and later
)

# Blocks of symbols: what is unassigned there today will be a symbol, not a letter.
_SYMBOL_BLOCKS = ((0x2000, 0x2BFF), (0x1CC00, 0x1CEBF), (0x1F000, 0x1FAFF))

_APOSTROPHES = frozenset(
    [
        *(0x27, 0x60, 0xB4, 0x2018, 0x2019, 0x201B, 0x2032, 0xFF07),
        *range(0x2B9, 0x2C0),
        *(0x0374, 0x1FEF, 0x1FFD),  # canonically equal to U+02B9, U+0060 and U+00B4
    ]
)

_NEWLINES = frozenset([0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029])

# Marks that writers of Arabic and Hebrew script leave out as they please. The hamza and
# madda marks (U+0653 to U+0655) are parts of letters and stay.
_OPTIONAL_MARKS = frozenset(
    cp
    for first, last in (
        (0x0591, 0x05C7),  # Hebrew accents and points
        (0x0610, 0x061A),  # Arabic signs
        (0x064B, 0x0652),  # Arabic vowel signs
        (0x0656, 0x065F),
        (0x0670, 0x0670),
        (0x06D6, 0x06ED),  # Quranic signs
        (0x0898, 0x089F),
        (0x08CA, 0x08FF),
        (0xFB1E, 0xFB1E),  # Hebrew point
    )
    for cp in range(first, last + 1)
    if unicodedata.category(chr(cp)) == "Mn"
)

# Default-ignorable code points that are not of category Cf, and tatweel.
_IGNORED = frozenset(
    [
        *(0x034F, 0x0640, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
    ]
)

# One letter, several keyboards: Persian and Urdu yeh, kaf and heh, and the dotless Arabic yeh.
_KEYBOARD_VARIANTS = {0x06CC: 0x064A, 0x0649: 0x064A, 0x06A9: 0x0643, 0x06C1: 0x0647}


# Categories of separators. Symbols may decompose to letters, so "So" is looked at.
_NEVER_WORDS = frozenset(["Cc", "Co", "Cs", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Zs"])

# Hangul vowels and finals, and the Greek iota subscript, are part of the letter before them
# whether or not they are composed with it.
_JOINED = frozenset([0x0345, *range(0x1160, 0x1200), *range(0xD7B0, 0xD7FC)])

_IRREGULAR = (
    _APOSTROPHES | _NEWLINES | _IGNORED | _JOINED | _OPTIONAL_MARKS | frozenset(_KEYBOARD_VARIANTS)
)

# What a category makes of a character that folds to itself: its class, or `_OTHER` where that has
# to be looked at; `_NEVER` part of a word whatever the fold; `_UNKNOWN` to this Unicode version.
_OTHER, _NEVER, _UNKNOWN = 250, 251, 252
_KIND_OF_CATEGORY = {
    **dict.fromkeys(["Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "No"], WORD),
    **dict.fromkeys(["Mn", "Mc", "Me"], MARK),
    **dict.fromkeys(["Sm", "Sc", "Sk", "So", "Zl", "Zp"], SEPARATOR),
    **dict.fromkeys(["Nd", "Cf"], _OTHER),
    **dict.fromkeys(_NEVER_WORDS, _NEVER),
    "Cn": _UNKNOWN,
}

_WIDTH_AND_SHAPE = ("<wide>", "<narrow>", "<initial>", "<medial>", "<final>", "<isolated>")

_EXPANDS = 1 << 31
"""Bit of a fold entry that says: `offset << 4 | length` into the expansions."""


class UnicodeTables(NamedTuple):
    """What the tokeniser's kernel reads; `p = pages[cp >> 8] << 8 | cp & 255` is the entry.

    Attributes:
        pages: uint16 (0x1100,), page of each block of 256 code points.
        classes: uint8 (n_pages * 256,), one of the class constants of this module.
        combining: uint8 (n_pages * 256,), canonical combining class.
        folds: uint32 (n_pages * 256,), the one folded code point, or with bit 31 set
            `offset << 4 | length` into `expansions`.
        expansions: uint32 (n,), folded code points of those that fold to none or several.
    """

    pages: NDArray[np.uint16]
    classes: NDArray[np.uint8]
    combining: NDArray[np.uint8]
    folds: NDArray[np.uint32]
    expansions: NDArray[np.uint32]


def fold_code_point(cp: int) -> list[int]:
    """The code points hashed in place of this one, in canonical order; maybe none."""
    char = chr(cp)
    if unicodedata.category(char) == "Nd":
        return [0x30 + unicodedata.decimal(char)]
    if unicodedata.decomposition(char).startswith(_WIDTH_AND_SHAPE):
        expanded = unicodedata.normalize("NFKD", char)
        if " " not in expanded:  # a ligature of several words stays what it is
            char = expanded
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", char).casefold())
    points = (_KEYBOARD_VARIANTS.get(ord(c), ord(c)) for c in folded)
    return [p for p in points if not _is_ignored(p)]


@functools.cache
def unicode_tables() -> UnicodeTables:
    """The tables: made in .03 s, once after installation, and read in a process."""
    return UnicodeTables(*kept(_make_tables, __file__, _CODE, unicodedata.unidata_version))


def _make_tables() -> UnicodeTables:
    classes = np.full(_LAST + 1, SEPARATOR, np.uint8)
    combining = np.zeros(_LAST + 1, np.uint8)
    folds = np.arange(_LAST + 1, dtype=np.uint32)
    expansions: list[int] = []
    for first, last in _RANGES:
        for cp in _enter_regular(first, last, classes, combining):
            folded = fold_code_point(cp)
            classes[cp] = _class_of(cp, folded)
            combining[cp] = unicodedata.combining(chr(cp))
            if len(folded) == 1:
                folds[cp] = folded[0]
            else:
                folds[cp] = _EXPANDS | len(expansions) << 4 | len(folded)
                expansions += folded
    for first, last in _SINGLE_BLOCKS:
        block = classes[first : last + 1]
        # Digits of these scripts fold to 0-9 and make words as those do.
        block[(block == WORD) & (folds[first : last + 1] > _LAST_DIGIT)] = SINGLE
    _fill_plain_ranges(classes)
    hangul = _fill_hangul(classes, folds, len(expansions))
    return _two_levels(classes, combining, folds, np.r_[np.array(expansions, np.uint32), hangul])


def _enter_regular(
    first: int, last: int, classes: NDArray[np.uint8], combining: NDArray[np.uint8]
) -> list[int]:
    """Enter code points that fold to themselves, classed by their category; the others, ascending."""
    chars = list(map(chr, range(first, last + 1)))
    kinds = bytes(map(_KIND_OF_CATEGORY.__getitem__, map(unicodedata.category, chars)))
    found = np.frombuffer(kinds, np.uint8)
    unknown = found == _UNKNOWN
    for begin, end in _SYMBOL_BLOCKS:
        unknown[max(begin - first, 0) : max(end + 1 - first, 0)] = False
    part = classes[first : last + 1]
    part[(found == WORD) | unknown] = WORD
    part[found == MARK] = MARK
    for k in np.flatnonzero(found == MARK).tolist():
        combining[first + k] = unicodedata.combining(chars[k])
    others = set(np.flatnonzero(found == _OTHER).tolist())
    others.update(k for k in _folding(chars) if kinds[k] < _NEVER)
    irregular = (cp - first for cp in _IRREGULAR if first <= cp <= last)
    others.update(k for k in irregular if kinds[k] != _UNKNOWN)
    return [first + k for k in sorted(others)]


def _folding(chars: list[str]) -> Iterator[int]:
    """Places of characters that may fold to others, by their case or decomposition.

    Of most blocks none does, which is seen of the whole block at once.
    """
    for begin in range(0, len(chars), 1 << PAGE_BITS):
        block = chars[begin : begin + (1 << PAGE_BITS)]
        text = "".join(block)
        if text.casefold() == text and unicodedata.is_normalized("NFKD", text):
            continue
        for k, char in enumerate(block, begin):
            if char.casefold() != char or _is_folded(unicodedata.decomposition(char)):
                yield k


def _is_folded(decomposition: str) -> bool:
    """Whether a decomposition is canonical, or of width and shape."""
    return decomposition[:1] not in ("", "<") or decomposition.startswith(_WIDTH_AND_SHAPE)


def _is_ignored(cp: int) -> bool:
    return cp in _IGNORED or cp in _OPTIONAL_MARKS or unicodedata.category(chr(cp)) == "Cf"


def _class_of(cp: int, folded: list[int]) -> int:
    if cp in _NEWLINES:
        return NEWLINE
    if cp in _APOSTROPHES:
        return APOSTROPHE
    if _is_ignored(cp) or not folded:
        return IGNORE
    # The fold decides, so that a character and its decomposition do the same.
    category = unicodedata.category(chr(folded[0]))
    if category[0] == "M" or cp in _JOINED:
        return MARK
    if category[0] in "LN":
        return SINGLE if _is_within(folded[0], _SINGLE_BORDERS) else WORD
    return WORD if category == "Cn" and not _is_within(cp, _SYMBOL_BORDERS) else SEPARATOR


def _borders(blocks: Iterable[tuple[int, int]]) -> list[int]:
    return [border for first, last in blocks for border in (first, last + 1)]


_SINGLE_BORDERS, _SYMBOL_BORDERS = _borders(_SINGLE_BLOCKS), _borders(_SYMBOL_BLOCKS)


def _is_within(cp: int, borders: list[int]) -> bool:
    """Whether a code point is in one of the blocks, which begin and end at ascending borders."""
    return bisect_right(borders, cp) % 2 == 1


# Long ranges whose characters have no fold and one class: filled at once, not one by one.
_PLAIN_RANGES = (
    (0x3400, 0x4DBF, SINGLE),
    (0x4E00, 0x9FFF, SINGLE),
    (0x17000, 0x18CFF, WORD),  # Tangut, Khitan
    (0x20000, 0x2F7FF, SINGLE),
    (0x2FA20, 0x3FFFD, SINGLE),
)

# What may be anything but a separator without a fold, plain ranges, Hangul, surrogates and
# private use left out.
_RANGES = (
    (0x0000, 0x33FF),
    (0x4DC0, 0x4DFF),
    (0xA000, 0xABFF),
    (0xD7A4, 0xD7FF),
    (0xF900, 0x16FFF),
    (0x18D00, 0x1FFFF),
    (0x2F800, 0x2FA1F),
    (0xE0000, 0xE01FF),
)


def _fill_plain_ranges(classes: NDArray[np.uint8]) -> None:
    for first, last, kind in _PLAIN_RANGES:
        classes[first : last + 1] = kind


def _fill_hangul(
    classes: NDArray[np.uint8], folds: NDArray[np.uint32], offset: int
) -> NDArray[np.uint32]:
    """Hangul syllables decompose by arithmetic (the Unicode Standard, section 3.12).

    Returns:
        uint32 (n,), their expansions, which start at `offset`.
    """
    syllable = np.arange(11172, dtype=np.uint32)
    trailing = syllable % 28
    jamo = np.stack(
        [0x1100 + syllable // 588, 0x1161 + syllable % 588 // 28, 0x11A7 + trailing], axis=1
    )
    used = np.ones(jamo.shape, bool)
    used[:, 2] = trailing > 0
    lengths = used.sum(axis=1, dtype=np.uint32)
    starts = offset + np.cumsum(lengths, dtype=np.uint32) - lengths
    classes[0xAC00 : 0xAC00 + 11172] = WORD
    folds[0xAC00 : 0xAC00 + 11172] = np.uint32(_EXPANDS) | starts << np.uint32(4) | lengths
    return jamo[used].astype(np.uint32)


def _two_levels(
    classes: NDArray[np.uint8],
    combining: NDArray[np.uint8],
    folds: NDArray[np.uint32],
    expansions: NDArray[np.uint32],
) -> UnicodeTables:
    """Store equal pages once. A page of nothing but separators never reads its folds."""
    size = 1 << PAGE_BITS
    n_pages = (_LAST + 1) // size
    filled = (classes.reshape(n_pages, size) != SEPARATOR).any(axis=1).tolist()
    page_of: dict[bytes, int] = {}
    pages = np.zeros(n_pages, np.uint16)
    kept: list[int] = []
    for page in range(n_pages):
        key = b""
        if filled[page]:
            part = slice(page * size, (page + 1) * size)
            key = classes[part].tobytes() + folds[part].tobytes()
        if key not in page_of:
            page_of[key] = len(kept)
            kept.append(page)
        pages[page] = page_of[key]
    rows = np.array(kept)
    return UnicodeTables(
        pages=pages,
        classes=classes.reshape(n_pages, size)[rows].ravel(),
        combining=combining.reshape(n_pages, size)[rows].ravel(),
        folds=folds.reshape(n_pages, size)[rows].ravel(),
        expansions=expansions.astype(np.uint32),
    )
