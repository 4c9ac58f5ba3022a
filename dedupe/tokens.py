"""Texts to tokens: a folded word's hash, its span in the raw text, and paragraph starts.

Words are runs of letters, marks and digits; characters of scripts without spaces are tokens
of their own. What `dedupe.unicode` folds makes no difference, nor does house style: "U.S."
is "US", "don’t" is "don't" is "dont", "4,000" is "4000". `docs/hashing.md` specifies all of
it, with the hash, so that any program can reproduce a token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._bits import bit_count, load64, trailing_zeros, within64
from dedupe._jit import leaf
from dedupe._memory import PerThread
from dedupe.records import Article, Batch
from dedupe.unicode import (
    APOSTROPHE,
    IGNORE,
    MARK,
    NEWLINE,
    SEPARATOR,
    SINGLE,
    WORD,
    unicode_tables,
)
from dedupe.xxh64 import SHORT, xxh64, xxh64_short

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

_EXPANDS = 1 << 31
"""Entries of the folds from here on are `offset << 4 | length` into the expansions."""

_PENDING = 512
"""Tokens found before they are hashed together: few enough to stay in the first-level cache."""

_FOLDED = 8192
"""Bytes of folded tokens of the general path that may be pending."""

_TOKEN_ROOM = MAX_TOKEN_BYTES + 88
"""Bytes one token may take: one less than the maximum, the longest fold (15 code points), a load."""

_ARTICLE = _FOLDED + _TOKEN_ROOM
"""Where the article stands in the scratch memory: behind the folded tokens."""

_AHEAD = 80
"""Zero bytes after the article: a window of 64 bytes or the two lanes of a token may pass its end."""

_SLACK = 64
"""Room beyond the last token: a window may have 32, and is written four at a time."""


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


class _Pending(NamedTuple):
    """Memory for the article at hand and for tokens that are found but not hashed.

    Attributes:
        scratch: the folded tokens of the general path, and from `_ARTICLE` on the article.
        froms, tos: first byte of each pending token in the scratch memory, and byte after it.
        first, last, sizes: what `xxh64_short` takes.
        data, words: what `xxh64` takes: the same memory, room for one token.
    """

    scratch: NDArray[np.uint8]
    froms: NDArray[np.int64]
    tos: NDArray[np.int64]
    first: NDArray[np.uint64]
    last: NDArray[np.uint64]
    sizes: NDArray[np.uint64]
    data: NDArray[np.uint8]
    words: NDArray[np.uint64]


def tokenise(batch: Batch, *, borrowed: bool = False) -> tuple[Tokens, Marks]:
    """Tokenise every article of a batch; runs without the GIL, in time linear in the text.

    Args:
        batch: the articles.
        borrowed: give out the thread's own arrays, which the next call in this thread writes
            over, and not copies.
    """
    # Two tokens of one byte are a byte apart, and other characters are longer.
    out = _BUFFERS.of(len(batch.text) // 2 + len(batch) + _SLACK)
    longest = int(np.diff(batch.offsets).max(initial=0))
    offsets = np.zeros(len(batch) + 1, np.int64)
    mark_offsets = np.zeros(len(batch) + 1, np.int64)
    text = batch.text.view()
    text.flags.writeable = False  # one kind of array, so that the kernel is compiled once
    _tokenise_batch(
        text,
        batch.offsets,
        *unicode_tables(),
        *_PENDINGS.of(_ARTICLE + longest + _AHEAD),
        offsets,
        mark_offsets,
        *out,
    )
    n, m = offsets[-1], mark_offsets[-1]
    columns = [column[:n] for column in out[:4]]
    marks = [column[:m] for column in out[4:]]
    if not borrowed:
        columns, marks = [c.copy() for c in columns], [c.copy() for c in marks]
    return Tokens(offsets, *columns), Marks(mark_offsets, *marks)


def _make_buffers(room: int) -> _Buffers:
    """Room for so many tokens, and twice as many marks."""
    return _Buffers(
        np.empty(room, np.uint64),
        np.empty(room, np.uint32),
        np.empty(room, np.uint32),
        np.empty(room, np.uint8),
        np.empty(2 * room, np.uint32),
        np.empty(2 * room, np.uint32),
    )


def _make_pending(room: int) -> _Pending:
    """Scratch memory of so many bytes, and what pending tokens take."""
    pending = _PENDING + _SLACK
    words = np.empty(_TOKEN_ROOM >> 3, np.uint64)
    return _Pending(
        np.empty(room, np.uint8),
        np.empty(pending, np.int64),
        np.empty(pending, np.int64),
        np.empty(pending, np.uint64),
        np.empty(pending, np.uint64),
        np.empty(pending, np.uint64),
        words.view(np.uint8),
        words,
    )


_BUFFERS = PerThread(_make_buffers)
_PENDINGS = PerThread(_make_pending)


def tokenise_text(text: str) -> Tokens:
    """The tokens of one text, as a batch of one.

    >>> tokens = tokenise_text("The U.S.-backed force")
    >>> [(int(a), int(b)) for a, b in zip(tokens.starts, tokens.ends)]
    [(0, 3), (4, 7), (9, 15), (16, 21)]
    """
    return tokenise(Batch.from_articles([Article(id="", text=text)]))[0]


@leaf
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


@leaf
def _entry(pages: NDArray[np.uint16], cp: int) -> int:
    return np.int64(pages[cp >> 8]) << 8 | (cp & 255)


@leaf
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


@leaf
def _append_mark(
    pages: NDArray[np.uint16],
    combining: NDArray[np.uint8],
    scratch: NDArray[np.uint8],
    n: int,
    mark: int,
    run: int,
) -> int:
    """Append a mark in canonical order among the `run` marks at the end; the new length."""
    order = combining[_entry(pages, mark)]
    insert = n
    while run > 0 and order > 0:
        previous = insert - 1
        while scratch[previous] & 0xC0 == 0x80:
            previous -= 1
        cp, _ = _decode(scratch, previous)
        if combining[_entry(pages, cp)] <= order:
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


@leaf
def _append_fold(
    pages: NDArray[np.uint16],
    combining: NDArray[np.uint8],
    expansions: NDArray[np.uint32],
    entry: int,
    scratch: NDArray[np.uint8],
    n: int,
    run: int,
) -> tuple[int, int]:
    """Append what an entry of the folds stands for; the new length, and the marks at its end."""
    first, count = np.int64(0), np.int64(1)
    if entry >= _EXPANDS:
        first = (entry - _EXPANDS) >> 4
        count = entry & 15
    for k in range(count):
        folded = np.int64(expansions[first + k]) if entry >= _EXPANDS else entry
        if combining[_entry(pages, folded)] > 0:
            n = _append_mark(pages, combining, scratch, n, folded, min(run, _MAX_MARKS))
            run += 1
        else:
            n = _encode(scratch, n, folded)
            run = 0
    return n, run


@leaf
def _class_at(
    text: NDArray[np.uint8],
    at: int,
    end: int,
    pages: NDArray[np.uint16],
    classes: NDArray[np.uint8],
) -> int:
    """Class of the next character that is neither ignored nor a mark; SEPARATOR at the end."""
    for _ in range(_MAX_MARKS):
        if at >= end:
            return SEPARATOR
        cp, width = _decode(text, at)
        kind = np.int64(classes[_entry(pages, cp)])
        if kind not in (IGNORE, MARK):
            return kind
        at += width
    return SEPARATOR


@leaf
def _digits(text: NDArray[np.uint8], at: int, end: int) -> int:
    """Number of ASCII digits from a byte on, at most 4."""
    n = 0
    while n < 4 and at + n < end and 0x30 <= text[at + n] <= 0x39:
        n += 1
    return n


@leaf
def _joins_acronym(
    text: NDArray[np.uint8],
    dot: int,
    end: int,
    pages: NDArray[np.uint16],
    classes: NDArray[np.uint8],
) -> bool:
    """Whether one letter stands alone after a full stop: "U.S." but not "I.said"."""
    at = dot + 1
    cp, width = 0, 0
    for _ in range(_MAX_MARKS):
        if at >= end:
            return False
        cp, width = _decode(text, at)
        if classes[_entry(pages, cp)] != IGNORE:
            break
        at += width
    if 0x30 <= cp <= 0x39:
        return False
    if classes[_entry(pages, cp)] != WORD:
        return False
    return _class_at(text, at + width, end, pages, classes) != WORD


_END, _SKIP, _FULL_STOP, _DECIMAL = range(4)


@leaf
def _within(
    text: NDArray[np.uint8],
    at: int,
    end: int,
    pages: NDArray[np.uint16],
    classes: NDArray[np.uint8],
    cp: int,
    width: int,
    kind: int,
    acronym: bool,
    digit: bool,
) -> int:
    """What a character that is no part of a word does inside one: `_END` it, or not."""
    if kind == APOSTROPHE:
        return _SKIP if _class_at(text, at + width, end, pages, classes) == WORD else _END
    if cp == 0x2E:
        if acronym and _joins_acronym(text, at, end, pages, classes):
            return _FULL_STOP
        return _DECIMAL if digit and _digits(text, at + 1, end) > 0 else _END
    # A comma groups thousands: "4,000" but not the decimal comma of "3,5".
    if cp == 0x2C and digit and _digits(text, at + 1, end) == 3:
        return _SKIP
    return _END


@leaf
def _mark_code(
    text: NDArray[np.uint8],
    at: int,
    end: int,
    pages: NDArray[np.uint16],
    classes: NDArray[np.uint8],
    cp: int,
    width: int,
    kind: int,
    after_letter: bool,
) -> int:
    """Code for `Marks` of the quotation mark or line break at a byte offset; 0 for others."""
    if kind == NEWLINE:
        crlf = cp == 0x0D and at + 1 < end and text[at + 1] == 0x0A
        return 0 if crlf else 0x0A
    if cp not in (0x22, 0xFF02, 0xAB, 0xBB) and not (
        0x2018 <= cp <= 0x201E or 0x300C <= cp <= 0x300F
    ):
        return 0
    code = cp | (AFTER_LETTER if after_letter else 0)
    if at + width < end:
        following, _ = _decode(text, at + width)
        if following <= 0x20 or following in (0xA0, 0x202F):
            code |= BEFORE_SPACE
        elif classes[_entry(pages, following)] in (WORD, SINGLE):
            code |= BEFORE_LETTER
    return code


@leaf
def _lower(text: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """Copy a text, ASCII letters in lower case, and put zeros behind it."""
    # Indices from zero up, or numba reckons with negative ones and LLVM makes no vectors of it.
    for k in range(len(text)):
        byte = text[k]
        out[k] = byte | 0x20 if 0x41 <= byte <= 0x5A else byte
    for k in range(len(text), len(text) + _AHEAD):
        out[k] = 0


@leaf
def _contraction(
    text: NDArray[np.uint8],
    first: int,
    apostrophe: int,
    width: int,
    end: int,
    classes: NDArray[np.uint8],
) -> int:
    """Where a token ends that an apostrophe joins from two ASCII runs, as it does "it's".

    Args:
        text: with zeros behind it.
        first: where the token begins; the place of the apostrophe if none is open.
        apostrophe, width: its place, and its bytes.
        end: of the text.
        classes: of code points.

    Returns:
        The place of the apostrophe where it joins nothing; -1 where that takes a closer look.
    """
    if first == apostrophe:
        return apostrophe
    begin = at = apostrophe + width
    while at < end and text[at] < 0x80 and classes[text[at]] == WORD:
        at += 1
    if text[at] >= 0x80:
        return -1
    if at == begin:
        return apostrophe
    follows = np.int64(classes[text[at]])
    # After a letter a full stop or a comma is the end; after a digit it may not be. A quotation
    # mark is to know that a letter is before it.
    simple = follows in (SEPARATOR, NEWLINE) and text[at - 1] > 0x39 and text[at] != 0x22
    return at if simple and at - first < MAX_TOKEN_BYTES else -1


_ONE = np.uint64(1)
_BIT_63 = np.uint64(63)
_LAST_BIT = np.uint64(1 << 63)
_ALL = np.uint64((1 << 64) - 1)


@leaf
def _joiners(
    word: np.uint64,
    high: np.uint64,
    digit: np.uint64,
    stop: np.uint64,
    comma: np.uint64,
    apostrophe: np.uint64,
    after_word: np.uint64,
    after_digit: np.uint64,
    after_start: np.uint64,
) -> np.uint64:
    """Which of 64 bytes may go on with the ASCII word before them, those beyond ASCII left out.

    The byte after the last one is not known, and may be anything.
    """
    before_digit = (digit >> _ONE) | _LAST_BIT
    before_letter = ((word | high) >> _ONE) | _LAST_BIT
    number = (stop | comma) & after_digit & before_digit
    return number | (((stop & after_start) | (apostrophe & after_word)) & before_letter)


@leaf
def _hash_pending(
    scratch: NDArray[np.uint8],
    froms: NDArray[np.int64],
    tos: NDArray[np.int64],
    first: NDArray[np.uint64],
    last: NDArray[np.uint64],
    sizes: NDArray[np.uint64],
    data: NDArray[np.uint8],
    words: NDArray[np.uint64],
    out: NDArray[np.uint64],
) -> None:
    """Hash as many pending tokens as there is room for in `out`, from the first on."""
    longer = 0
    for k in range(len(out)):
        at = froms[k]
        size = tos[k] - at
        first[k] = load64(scratch, at)
        last[k] = load64(scratch, at + (size & 8))
        sizes[k] = size
        # Those that are too long for `xxh64_short`, over ends that have been read. No branch.
        tos[longer] = k
        longer += np.int64(size > SHORT)
    xxh64_short(first, last, sizes, out)
    for long in range(longer):
        k = tos[long]
        size = np.int64(sizes[k])
        for lane in range((size + 7) >> 3):
            words[lane] = load64(scratch, froms[k] + 8 * lane)
        out[k] = xxh64(data, words, size)


@leaf
def _tokenise_batch(
    text: NDArray[np.uint8],
    byte_offsets: NDArray[np.int64],
    pages: NDArray[np.uint16],
    classes: NDArray[np.uint8],
    combining: NDArray[np.uint8],
    folds: NDArray[np.uint32],
    expansions: NDArray[np.uint32],
    scratch: NDArray[np.uint8],
    froms: NDArray[np.int64],
    tos: NDArray[np.int64],
    first: NDArray[np.uint64],
    last: NDArray[np.uint64],
    sizes: NDArray[np.uint64],
    data: NDArray[np.uint8],
    words: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    mark_offsets: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    starts: NDArray[np.uint32],
    ends: NDArray[np.uint32],
    flags: NDArray[np.uint8],
    positions: NDArray[np.uint32],
    codes: NDArray[np.uint32],
) -> None:
    """Tokenise article by article.

    Each is read in windows of 64 bytes, every one of them a few masks. Runs of ASCII letters
    and digits are tokens, from their first bit to their last, up to an event: a byte that may
    join two runs, or make a mark, or is not ASCII. What is more than a separator or a contraction
    there is left to `_read_general`, which comes back where the next such run begins. Line breaks
    are marks of their own, and no event: there are as many as all others together.
    """
    n, m = 0, 0
    for article in range(len(byte_offsets) - 1):
        begin, end = byte_offsets[article], byte_offsets[article + 1]
        _lower(text[begin:end], scratch[_ARTICLE:])
        end += _ARTICLE - begin
        at = window = _ARTICLE  # what is before `at` has been read
        shift = _ARTICLE  # byte of a code point less its number
        closed = n  # tokens whose end is known: all, or all but the last
        hashed = n  # tokens that are not pending
        folded = 0  # bytes of the pending folded tokens
        paragraph = True
        last_word, last_digit, last_start = np.uint64(0), np.uint64(0), np.uint64(0)
        while window < end:
            digit = within64(scratch, window, 0x30, 0x39)
            word = within64(scratch, window, 0x61, 0x7A) | digit
            high = within64(scratch, window, 0x80, 0xFF)
            stop = within64(scratch, window, 0x2E, 0x2E)
            comma = within64(scratch, window, 0x2C, 0x2C)
            apostrophe = within64(scratch, window, 0x27, 0x27) | within64(
                scratch, window, 0x60, 0x60
            )
            newline = within64(scratch, window, 0x0A, 0x0A)
            hard = (
                within64(scratch, window, 0x0B, 0x0D) | within64(scratch, window, 0x22, 0x22) | high
            )
            next_window = window + 64
            while at < next_window:
                unread = _ALL << np.uint64(at - window)
                word &= unread
                digit &= unread
                after_word = word << _ONE | last_word
                start = word & ~after_word
                joiner = _joiners(
                    word,
                    high,
                    digit,
                    stop,
                    comma,
                    apostrophe,
                    after_word,
                    digit << _ONE | last_digit,
                    start << _ONE | last_start,
                )
                if word == _ALL:  # this may be too long for one token
                    joiner = _ONE
                event = (joiner | hard) & unread
                before = (event - _ONE) & ~event
                opening = start & before
                closing = after_word & ~word & before
                opened, ended = bit_count(opening), bit_count(closing)
                breaks, begun = newline & unread & before, opening
                for k in range(0, max(opened, ended), 4):
                    to, slot = np.uint64(n + k), np.uint64(n - hashed + k)
                    for _ in range(4):
                        place = window + trailing_zeros(opening)
                        froms[slot] = place
                        starts[to] = place - shift
                        flags[to] = 0
                        opening &= opening - _ONE
                        to += _ONE
                        slot += _ONE
                    to, slot = np.uint64(closed + k), np.uint64(closed - hashed + k)
                    for _ in range(4):
                        place = window + trailing_zeros(closing)
                        tos[slot] = place
                        ends[to] = place - shift
                        closing &= closing - _ONE
                        to += _ONE
                        slot += _ONE
                if paragraph and opened > 0:
                    flags[n] = PARAGRAPH
                    paragraph = False
                while breaks:
                    k = bit_count(begun & (breaks - _ONE) & ~breaks)  # tokens before it
                    if k < opened:
                        flags[n + k] = PARAGRAPH
                    else:
                        paragraph = True
                    positions[m] = window + trailing_zeros(breaks) - shift
                    codes[m] = 0x0A
                    m += 1
                    breaks &= breaks - _ONE
                n += opened
                closed += ended
                if event == 0:
                    at = next_window
                    last_word, last_digit = word >> _BIT_63, digit >> _BIT_63
                    last_start = start >> _BIT_63
                    break
                last_word, last_digit, last_start = np.uint64(0), np.uint64(0), np.uint64(0)
                at = window + trailing_zeros(event)
                cp, width = _decode(scratch, at)
                kind = np.int64(classes[_entry(pages, cp)])
                plain = joiner & event & ~before & (before + _ONE) == 0
                plain &= kind in (SEPARATOR, NEWLINE)
                joined = -1
                if kind == APOSTROPHE:
                    opened_at = froms[closed - hashed] if closed < n else at
                    joined = _contraction(scratch, opened_at, at, width, end, classes)
                if plain or joined == at:
                    code = _mark_code(scratch, at, end, pages, classes, cp, width, kind, closed < n)
                    if code:
                        positions[m] = at - shift
                        codes[m] = code
                        m += 1
                    if closed < n:
                        tos[closed - hashed] = at
                        ends[closed] = at - shift
                        closed += 1
                    paragraph = paragraph or kind == NEWLINE
                    at += width
                    shift += width - 1
                    continue
                if joined > at:
                    froms[closed - hashed] = folded
                    for k in range(opened_at, joined):
                        scratch[folded] = scratch[k]
                        folded += np.int64(k < at or k >= at + width)
                    tos[closed - hashed] = folded
                    at = joined
                    shift += width - 1
                    ends[closed] = at - shift
                else:
                    if closed < n:  # read the token again
                        n -= 1
                        at = froms[n - hashed]
                        paragraph = flags[n] == PARAGRAPH
                    at, shift, n, m, folded, paragraph = _read_general(
                        scratch,
                        at,
                        end,
                        shift,
                        pages,
                        classes,
                        combining,
                        folds,
                        expansions,
                        froms,
                        tos,
                        hashed,
                        folded,
                        paragraph,
                        n,
                        m,
                        starts,
                        ends,
                        flags,
                        positions,
                        codes,
                    )
                closed = n
                if n - hashed >= _PENDING or folded >= _FOLDED:
                    _hash_pending(
                        scratch, froms, tos, first, last, sizes, data, words, hashes[hashed:n]
                    )
                    hashed = n
                    folded = 0
            window = _ARTICLE + ((at - _ARTICLE) & ~63)
            if n - hashed >= _PENDING:
                _hash_pending(
                    scratch, froms, tos, first, last, sizes, data, words, hashes[hashed:closed]
                )
                froms[0] = froms[closed - hashed]  # of the open token, if there is one
                hashed = closed
                folded = 0
        if closed < n:
            tos[closed - hashed] = end
            ends[closed] = end - shift
        _hash_pending(scratch, froms, tos, first, last, sizes, data, words, hashes[hashed:n])
        offsets[article + 1] = n
        mark_offsets[article + 1] = m


@leaf
def _read_general(
    scratch: NDArray[np.uint8],
    at: int,
    end: int,
    shift: int,
    pages: NDArray[np.uint16],
    classes: NDArray[np.uint8],
    combining: NDArray[np.uint8],
    folds: NDArray[np.uint32],
    expansions: NDArray[np.uint32],
    froms: NDArray[np.int64],
    tos: NDArray[np.int64],
    hashed: int,
    folded: int,
    paragraph: bool,
    n: int,
    m: int,
    starts: NDArray[np.uint32],
    ends: NDArray[np.uint32],
    flags: NDArray[np.uint8],
    positions: NDArray[np.uint32],
    codes: NDArray[np.uint32],
) -> tuple[int, int, int, int, int, bool]:
    """Tokenise code point by code point from `at`, where no token is open.

    Stops between tokens: before an ASCII letter or digit, or when enough are pending. Folded
    tokens are put at the beginning of the scratch memory.

    Returns:
        `at`, `shift`, `n`, `m`, `folded` and `paragraph` as they are then.
    """
    first = at
    length = 0  # folded bytes of the open token; 0 where none is open
    single = False  # the open token is a character of a script without spaces
    letters = 0  # letters since its start or its last full stop
    acronym = False  # so far it is letters with full stops between
    digit = False  # its last character is an ASCII digit
    marks = 0  # combining marks at its end
    while at < end:
        if length > 0 and not single:
            run = at
            stop = min(end, at + MAX_TOKEN_BYTES - length)
            while at < stop and scratch[at] < 0x80 and classes[scratch[at]] == WORD:
                scratch[folded + length] = scratch[at]
                length += 1
                at += 1
            if at > run:
                letters += at - run
                digit = scratch[at - 1] <= 0x39
                acronym = acronym and letters == 1
                marks = 0
                ends[n] = at - shift
                if at == end:
                    break
        cp, width = _decode(scratch, at)
        entry = _entry(pages, cp)
        kind = np.int64(classes[entry])
        inside = _END
        if kind in (WORD, SINGLE):
            if length < MAX_TOKEN_BYTES and not single and kind != SINGLE:
                inside = _SKIP
        elif kind in (MARK, IGNORE):
            inside = _SKIP
        elif length > 0 and not single and cp != 0x20:
            inside = _within(scratch, at, end, pages, classes, cp, width, kind, acronym, digit)
            if inside == _DECIMAL and length >= MAX_TOKEN_BYTES:
                inside = _END
        if inside == _END:
            code = _mark_code(scratch, at, end, pages, classes, cp, width, kind, length > 0)
            if code:
                positions[m] = at - shift
                codes[m] = code
                m += 1
            paragraph = paragraph or kind == NEWLINE
            if length > 0:
                froms[n - hashed] = folded
                tos[n - hashed] = folded + length
                n += 1
                folded += length
                length = 0
        elif inside == _FULL_STOP:
            letters = 0
        elif inside == _DECIMAL:  # "3.5" is not "35"
            scratch[folded + length] = 0x2E
            length += 1
        if kind in (WORD, SINGLE):
            if length == 0:
                full = n - hashed >= _PENDING or folded >= _FOLDED
                if at > first and (cp < 0x80 or full):
                    break
                starts[n] = at - shift
                flags[n] = PARAGRAPH if paragraph else np.uint8(0)
                paragraph = False
                single = kind == SINGLE
                acronym = True
                letters = 0
                marks = 0
            letters += 1
            digit = 0x30 <= cp <= 0x39
            acronym = acronym and letters == 1
        fold = np.int64(folds[entry])
        if kind in (WORD, SINGLE) and fold < _EXPANDS:  # it is no mark, and most are such
            length = _encode(scratch, folded + length, fold) - folded
            marks = 0
            ends[n] = at + 1 - shift
        elif kind in (WORD, SINGLE) or (kind == MARK and 0 < length < MAX_TOKEN_BYTES):
            length, marks = _append_fold(
                pages, combining, expansions, fold, scratch, folded + length, marks
            )
            length -= folded
            ends[n] = at + 1 - shift
        at += width
        shift += width - 1
    if length > 0:
        froms[n - hashed] = folded
        tos[n - hashed] = folded + length
        n += 1
        folded += length
    return at, shift, n, m, folded, paragraph
