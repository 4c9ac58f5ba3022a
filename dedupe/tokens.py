"""Texts to tokens: a folded word's hash, its span in the raw text, and paragraph starts.

Words are runs of letters, marks and digits; characters of scripts without spaces are tokens
of their own. What `dedupe.unicode` folds makes no difference, nor does house style: "U.S."
is "US", "don’t" is "don't" is "dont", "4,000" is "4000". `docs/hashing.md` specifies all of
it, with the hash, so that any program can reproduce a token.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._jit import kernel
from dedupe.records import Article, Batch
from dedupe.unicode import (
    APOSTROPHE,
    IGNORE,
    MARK,
    NEWLINE,
    SEPARATOR,
    SINGLE,
    WORD,
    UnicodeTables,
    unicode_tables,
)
from dedupe.xxh64 import xxh64

if TYPE_CHECKING:
    from numpy.typing import NDArray


__all__ = [
    "AFTER_LETTER",
    "BEFORE_LETTER",
    "BEFORE_SPACE",
    "FURNITURE",
    "PARAGRAPH",
    "QUOTED",
    "Marks",
    "Tokens",
    "tokenise",
    "tokenise_text",
]

PARAGRAPH = np.uint8(1)
"""Flag: the first token after a line break."""
QUOTED = np.uint8(2)
"""Flag: the token stands in quoted speech (set by `dedupe.quotations`)."""
FURNITURE = np.uint8(4)
"""Flag: the token is page furniture (set by `dedupe.boilerplate` in a scan, by form in `compare`)."""

MAX_TOKEN_BYTES = 240
"""A token ends when its folded UTF-8 is this long: base64 and other run-on junk is cut."""

_MAX_MARKS = 30
"""Marks put in canonical order after one letter: the Stream-Safe limit of UAX #15."""

_SCRATCH = 272  # folded bytes of one token, whole 8-byte lanes

# Folded byte of each ASCII letter and digit, 0 for every other byte.
_ASCII_FOLD = np.zeros(256, np.uint8)
for _byte in b"abcdefghijklmnopqrstuvwxyz0123456789":
    _ASCII_FOLD[[_byte, ord(chr(_byte).upper())]] = _byte


class Tokens(NamedTuple):
    """The tokens of a batch of articles, end to end.

    Attributes:
        offsets: int64 (n_articles + 1,), where each article's tokens start.
        hashes: uint64 (n_tokens,), XXH64 with seed 0 of each token's folded UTF-8.
        starts: uint32 (n_tokens,), first code point of each token in its article's raw text.
        ends: uint32 (n_tokens,), code point after the last one.
        flags: uint8 (n_tokens,), `PARAGRAPH`, `QUOTED` and `FURNITURE`.
    """

    offsets: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    starts: NDArray[np.uint32]
    ends: NDArray[np.uint32]
    flags: NDArray[np.uint8]


class Marks(NamedTuple):
    """What may delimit quoted speech in a batch of articles: quotation marks and line breaks.

    Attributes:
        offsets: int64 (n_articles + 1,), where each article's marks start.
        positions: uint32 (n_marks,), code point of each mark in its article's raw text.
        codes: uint32 (n_marks,), the code point itself (0x0A for any line break), with
            `AFTER_LETTER`, `BEFORE_LETTER` and `BEFORE_SPACE` where they apply.
    """

    offsets: NDArray[np.int64]
    positions: NDArray[np.uint32]
    codes: NDArray[np.uint32]


AFTER_LETTER, BEFORE_LETTER, BEFORE_SPACE = 1 << 21, 1 << 22, 1 << 23


class _Buffers(NamedTuple):
    """Roomy arrays a batch is tokenised into."""

    hashes: NDArray[np.uint64]
    starts: NDArray[np.uint32]
    ends: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    positions: NDArray[np.uint32]
    codes: NDArray[np.uint32]


def tokenise(batch: Batch) -> tuple[Tokens, Marks]:
    """Tokenise every article of a batch; runs without the GIL, in time linear in the text."""
    # Two tokens of one byte are a byte apart, and other characters are longer.
    out = _buffers(len(batch.text) // 2 + len(batch) + 1)
    offsets = np.zeros(len(batch) + 1, np.int64)
    mark_offsets = np.zeros(len(batch) + 1, np.int64)
    _tokenise_batch(batch.text, batch.offsets, unicode_tables(), offsets, mark_offsets, out)
    n, m = offsets[-1], mark_offsets[-1]
    tokens = Tokens(
        offsets,
        out.hashes[:n].copy(),
        out.starts[:n].copy(),
        out.ends[:n].copy(),
        out.flags[:n].copy(),
    )
    return tokens, Marks(mark_offsets, out.positions[:m].copy(), out.codes[:m].copy())


_local = threading.local()

_KEPT_ROOM = 1 << 24
"""Tokens a thread's buffers are kept for; a text needing more gets buffers of its own."""


def _buffers(room: int) -> _Buffers:
    """Room for so many tokens and twice as many marks, kept by each thread.

    Fresh memory costs a page fault every 4 kB, which is dearer than filling it.
    """
    kept: _Buffers | None = getattr(_local, "buffers", None)
    if kept is None or len(kept.hashes) < room:
        kept = _Buffers(
            np.empty(room, np.uint64),
            np.empty(room, np.uint32),
            np.empty(room, np.uint32),
            np.empty(room, np.uint8),
            np.empty(2 * room, np.uint32),
            np.empty(2 * room, np.uint32),
        )
        if room <= _KEPT_ROOM:
            _local.buffers = kept
    return kept


def tokenise_text(text: str) -> Tokens:
    """The tokens of one text, as a batch of one.

    >>> tokens = tokenise_text("The U.S.-backed force")
    >>> [(int(a), int(b)) for a, b in zip(tokens.starts, tokens.ends)]
    [(0, 3), (4, 7), (9, 15), (16, 21)]
    """
    return tokenise(Batch.from_articles([Article(id="", text=text)]))[0]


@kernel
def _decode(text: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """The code point at a byte offset of valid UTF-8, and its length in bytes."""
    b = np.int64(text[at])
    if b < 0x80:
        return b, 1
    if b < 0xE0:
        return (b & 0x1F) << 6 | (np.int64(text[at + 1]) & 0x3F), 2
    c = (np.int64(text[at + 1]) & 0x3F) << 6 | (np.int64(text[at + 2]) & 0x3F)
    if b < 0xF0:
        return (b & 0x0F) << 12 | c, 3
    return (b & 0x07) << 18 | c << 6 | (np.int64(text[at + 3]) & 0x3F), 4


@kernel
def _entry(tables: UnicodeTables, cp: int) -> int:
    return np.int64(tables.pages[cp >> 8]) << 8 | (cp & 255)


@kernel
def _encode(scratch: NDArray[np.uint8], n: int, cp: int) -> int:
    """Append a code point's UTF-8; the new length."""
    if cp < 0x80:
        scratch[n] = cp
        return n + 1
    if cp < 0x800:
        scratch[n] = 0xC0 | cp >> 6
        scratch[n + 1] = 0x80 | cp & 0x3F
        return n + 2
    if cp < 0x10000:
        scratch[n] = 0xE0 | cp >> 12
        scratch[n + 1] = 0x80 | cp >> 6 & 0x3F
        scratch[n + 2] = 0x80 | cp & 0x3F
        return n + 3
    scratch[n] = 0xF0 | cp >> 18
    scratch[n + 1] = 0x80 | cp >> 12 & 0x3F
    scratch[n + 2] = 0x80 | cp >> 6 & 0x3F
    scratch[n + 3] = 0x80 | cp & 0x3F
    return n + 4


@kernel
def _append_mark(
    tables: UnicodeTables, scratch: NDArray[np.uint8], n: int, mark: int, run: int
) -> int:
    """Append a mark in canonical order among the `run` marks at the end; the new length."""
    combining = tables.combining[_entry(tables, mark)]
    insert = n
    while run > 0 and combining > 0:
        previous = insert - 1
        while scratch[previous] & 0xC0 == 0x80:
            previous -= 1
        cp, _ = _decode(scratch, previous)
        if tables.combining[_entry(tables, cp)] <= combining:
            break
        insert = previous
        run -= 1
    end = _encode(scratch, n, mark)
    if insert < n:  # rotate the mark from the end to its place
        width = end - n
        for k in range(n - 1, insert - 1, -1):
            scratch[k + width] = scratch[k]
        _encode(scratch, insert, mark)
    return end


@kernel
def _append_fold(
    tables: UnicodeTables, scratch: NDArray[np.uint8], n: int, cp: int, run: int
) -> tuple[int, int]:
    """Append what a code point folds to; the new length, and the marks at its end."""
    entry = tables.folds[_entry(tables, cp)]
    first, count = np.int64(0), np.int64(1)
    if entry & np.uint32(1 << 31):
        first = np.int64(entry & np.uint32(0x7FFFFFFF)) >> 4
        count = np.int64(entry & np.uint32(15))
    for k in range(count):
        folded = np.int64(entry)
        if entry & np.uint32(1 << 31):
            folded = np.int64(tables.expansions[first + k])
        if tables.combining[_entry(tables, folded)] > 0:
            n = _append_mark(tables, scratch, n, folded, min(run, _MAX_MARKS))
            run += 1
        else:
            n = _encode(scratch, n, folded)
            run = 0
    return n, run


@kernel
def _class_at(text: NDArray[np.uint8], at: int, end: int, tables: UnicodeTables) -> int:
    """Class of the next character that is neither ignored nor a mark; SEPARATOR at the end."""
    for _ in range(_MAX_MARKS):
        if at >= end:
            return SEPARATOR
        cp, width = _decode(text, at)
        kind = np.int64(tables.classes[_entry(tables, cp)])
        if kind not in (IGNORE, MARK):
            return kind
        at += width
    return SEPARATOR


@kernel
def _is_digit(text: NDArray[np.uint8], at: int, end: int) -> bool:
    return at < end and 0x30 <= text[at] <= 0x39


@kernel
def _joins_acronym(text: NDArray[np.uint8], dot: int, end: int, tables: UnicodeTables) -> bool:
    """Whether one letter stands alone after a full stop: "U.S." but not "I.said"."""
    at = dot + 1
    cp, width = 0, 0
    for _ in range(_MAX_MARKS):
        if at >= end:
            return False
        cp, width = _decode(text, at)
        if tables.classes[_entry(tables, cp)] != IGNORE:
            break
        at += width
    if 0x30 <= cp <= 0x39:
        return False
    if tables.classes[_entry(tables, cp)] != WORD:
        return False
    return _class_at(text, at + width, end, tables) != WORD


@kernel
def _joins_number(text: NDArray[np.uint8], at: int, end: int) -> bool:
    """Whether a comma groups thousands: "4,000" but not the decimal comma of "3,5"."""
    for k in range(1, 4):
        if not _is_digit(text, at + k, end):
            return False
    return not _is_digit(text, at + 4, end)


_END, _SKIP, _FULL_STOP, _DECIMAL = range(4)


@kernel
def _within(
    text: NDArray[np.uint8],
    at: int,
    end: int,
    tables: UnicodeTables,
    cp: int,
    width: int,
    kind: int,
    acronym: bool,
    digit: bool,
) -> int:
    """What a character that is no part of a word does inside one: `_END` it, or not."""
    if kind == APOSTROPHE:
        return _SKIP if _class_at(text, at + width, end, tables) == WORD else _END
    if cp == 0x2E:
        if acronym and _joins_acronym(text, at, end, tables):
            return _FULL_STOP
        return _DECIMAL if digit and _is_digit(text, at + 1, end) else _END
    if cp == 0x2C and digit and _joins_number(text, at, end):
        return _SKIP
    return _END


@kernel
def _mark_code(
    text: NDArray[np.uint8],
    after: int,
    end: int,
    classes: NDArray[np.uint8],
    pages: NDArray[np.uint16],
    cp: int,
    after_letter: bool,
) -> int:
    """Code of a quotation mark for `Marks`, or 0; `after` is the byte that follows it."""
    if cp not in (0x22, 0xFF02, 0xAB, 0xBB) and not (
        0x2018 <= cp <= 0x201E or 0x300C <= cp <= 0x300F
    ):
        return 0
    code = cp | (AFTER_LETTER if after_letter else 0)
    if after < end:
        following, _ = _decode(text, after)
        kind = classes[np.int64(pages[following >> 8]) << 8 | (following & 255)]
        if following <= 0x20 or following in (0xA0, 0x202F):
            code |= BEFORE_SPACE
        elif kind in (WORD, SINGLE):
            code |= BEFORE_LETTER
    return code


@kernel
def _tokenise_batch(
    text: NDArray[np.uint8],
    byte_offsets: NDArray[np.int64],
    tables: UnicodeTables,
    offsets: NDArray[np.int64],
    mark_offsets: NDArray[np.int64],
    out: _Buffers,
) -> None:
    words = np.zeros(_SCRATCH // 8, np.uint64)
    scratch = words.view(np.uint8)
    n, m = 0, 0
    for article in range(len(byte_offsets) - 1):
        first, last = byte_offsets[article], byte_offsets[article + 1]
        n, m = _tokenise_one(
            text,
            first,
            last,
            tables,
            scratch,
            words,
            n,
            m,
            out.hashes,
            out.starts,
            out.ends,
            out.flags,
            out.positions,
            out.codes,
        )
        offsets[article + 1] = n
        mark_offsets[article + 1] = m


@kernel
def _tokenise_one(
    text: NDArray[np.uint8],
    at: int,
    end: int,
    tables: UnicodeTables,
    scratch: NDArray[np.uint8],
    words: NDArray[np.uint64],
    n: int,
    m: int,
    hashes: NDArray[np.uint64],
    starts: NDArray[np.uint32],
    ends: NDArray[np.uint32],
    flags: NDArray[np.uint8],
    positions: NDArray[np.uint32],
    codes: NDArray[np.uint32],
) -> tuple[int, int]:
    """Tokenise one article from byte `at` to `end`; tokens and marks so far."""
    # Reading a field of a tuple counts a reference, which is too dear for every character.
    pages, classes = tables.pages, tables.classes
    position = 0  # code points read
    length = 0  # folded bytes of the open token; 0 where none is open
    single = False  # the open token is a character of a script without spaces
    letters = 0  # letters since its start or its last full stop
    acronym = False  # so far it is letters with full stops between
    digit = False  # its last character is an ASCII digit
    marks = 0  # combining marks at its end
    token_end = 0
    paragraph = True
    while at < end:
        if length > 0 and not single:
            # Most of most texts: more ASCII letters and digits of an open word.
            run = at
            stop = min(end, at + MAX_TOKEN_BYTES - length)
            while at < stop:
                folded = _ASCII_FOLD[text[at]]
                if folded == 0:
                    break
                scratch[length] = folded
                length += 1
                at += 1
            if at > run:
                position += at - run
                letters += at - run
                digit = text[at - 1] <= 0x39
                acronym = acronym and letters == 1
                marks = 0
                token_end = position
                if at == end:
                    break
        if text[at] < 0x80:
            cp, width = np.int64(text[at]), 1
            kind = np.int64(classes[cp])  # page 0 comes first
        else:
            cp, width = _decode(text, at)
            kind = np.int64(classes[np.int64(pages[cp >> 8]) << 8 | (cp & 255)])
        if kind in (WORD, SINGLE):
            if length > 0 and (length >= MAX_TOKEN_BYTES or single or kind == SINGLE):
                hashes[n] = xxh64(scratch, words, length)
                ends[n] = token_end
                n += 1
                length = 0
            if length == 0:
                starts[n] = position
                flags[n] = PARAGRAPH if paragraph else np.uint8(0)
                paragraph = False
                single = kind == SINGLE
                acronym = True
                letters = 0
                marks = 0
            if cp < 0x80:
                scratch[length] = _ASCII_FOLD[cp]
                length += 1
                marks = 0
            else:
                length, marks = _append_fold(tables, scratch, length, cp, marks)
            letters += 1
            digit = 0x30 <= cp <= 0x39
            acronym = acronym and letters == 1
            token_end = position + 1
        elif kind == MARK:
            if 0 < length < MAX_TOKEN_BYTES:
                length, marks = _append_fold(tables, scratch, length, cp, marks)
                token_end = position + 1
        elif cp == 0x20:
            if length > 0:
                hashes[n] = xxh64(scratch, words, length)
                ends[n] = token_end
                n += 1
                length = 0
        elif kind != IGNORE:
            inside = _END
            if length > 0 and not single and (kind == APOSTROPHE or cp in (0x2C, 0x2E)):
                inside = _within(text, at, end, tables, cp, width, kind, acronym, digit)
            if inside == _FULL_STOP:
                letters = 0
            elif inside == _DECIMAL and length < MAX_TOKEN_BYTES:  # "3.5" is not "35"
                scratch[length] = 0x2E
                length += 1
            elif inside != _SKIP:
                if kind == NEWLINE:
                    if cp != 0x0D or at + 1 == end or text[at + 1] != 0x0A:
                        positions[m] = position
                        codes[m] = 0x0A
                        m += 1
                elif cp == 0x22 or cp >= 0xAB:
                    code = _mark_code(text, at + width, end, classes, pages, cp, length > 0)
                    if code:
                        positions[m] = position
                        codes[m] = code
                        m += 1
                if length > 0:
                    hashes[n] = xxh64(scratch, words, length)
                    ends[n] = token_end
                    n += 1
                    length = 0
            paragraph = paragraph or kind == NEWLINE
        at += width
        position += 1
    if length > 0:
        hashes[n] = xxh64(scratch, words, length)
        ends[n] = token_end
        n += 1
    return n, m
