"""Slow plain-Python references that the kernels are compared with, and helpers for the tests.

Each reference is written from the module's documentation, with the standard library's types
only, so that a mistake would have to be made twice.
"""

from __future__ import annotations

import functools
import itertools
import unicodedata
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash
from hypothesis import settings
from hypothesis import strategies as st

from dedupe.quotations import mark_quotations
from dedupe.records import Article, Batch
from dedupe.tokens import AFTER_LETTER, BEFORE_LETTER, BEFORE_SPACE, QUOTED, Tokens, tokenise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

examples = settings(max_examples=60, deadline=None, derandomize=True)
"""Settings of every property test: the same examples each time, kernels may compile."""

MASK = (1 << 64) - 1
MAX_TOKEN_BYTES = 240

# Unicode -------------------------------------------------------------------------------------

NEWLINES = "\n\v\f\r\x85\u2028\u2029"
APOSTROPHES = "'`\u00b4\u2018\u2019\u201b\u2032\uff07\u02b9\u02ba\u02bb\u02bc\u02bd\u02be\u02bf"
APOSTROPHES += "\u0374\u1fef\u1ffd"
JOINED = frozenset(map(chr, [0x345, *range(0x1160, 0x1200), *range(0xD7B0, 0xD7FC)]))
VARIANTS = {"\u06cc": "\u064a", "\u0649": "\u064a", "\u06a9": "\u0643", "\u06c1": "\u0647"}
PRESENTATION = ("<wide>", "<narrow>", "<initial>", "<medial>", "<final>", "<isolated>")

# Default_Ignorable_Code_Point of the Unicode Character Database, and tatweel.
IGNORABLE = frozenset(
    map(
        chr,
        [
            *(0x00AD, 0x034F, 0x0640, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
            *range(0x180B, 0x1810),
            *range(0x200B, 0x2010),
            *range(0x202A, 0x202F),
            *range(0x2060, 0x2070),
            *range(0xFE00, 0xFE10),
            *range(0xE0000, 0xE1000),
        ],
    )
)

# Beginnings of the names of characters in scripts that put no spaces between words.
SINGLE_NAMES = (
    *("THAI ", "LAO ", "KHMER ", "MYANMAR ", "TAI ", "NEW TAI LUE ", "BALINESE ", "JAVANESE "),
    *("CJK ", "KANGXI ", "YI ", "HANGZHOU ", "VERTICAL KANA ", "VERTICAL IDEOGRAPHIC "),
    *("IDEOGRAPHIC ITERATION", "IDEOGRAPHIC CLOSING", "IDEOGRAPHIC NUMBER", "MASU "),
    *("HIRAGANA ", "KATAKANA ", "KATAKANA-HIRAGANA ", "HENTAIGANA ", "BOPOMOFO "),
)


def is_optional_mark(char: str) -> bool:
    """Whether writers of Arabic or Hebrew may leave a mark out: all but hamza and madda."""
    return (
        unicodedata.category(char) == "Mn"
        and unicodedata.name(char, "").startswith(("HEBREW ", "ARABIC "))
        and not "\u0653" <= char <= "\u0655"
    )


def is_ignored(char: str) -> bool:
    """Whether a character makes no difference to a word."""
    return char in IGNORABLE or unicodedata.category(char) == "Cf" or is_optional_mark(char)


@functools.cache
def fold(char: str) -> str:
    """What is hashed in place of a character."""
    if unicodedata.category(char) == "Nd":
        return str(unicodedata.decimal(char))
    if unicodedata.decomposition(char).startswith(PRESENTATION):
        expanded = unicodedata.normalize("NFKD", char)
        char = char if " " in expanded else expanded
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", char).casefold())
    return "".join(VARIANTS.get(c, c) for c in folded if not is_ignored(c))


@functools.cache
def kind(char: str) -> str:
    """What a character does to a word."""
    if char in NEWLINES:
        return "newline"
    if char in APOSTROPHES:
        return "apostrophe"
    if is_ignored(char):
        return "ignored"
    if unicodedata.category(char)[0] in "PZ" or unicodedata.category(char) in ("Cc", "Co"):
        return "separator"
    folded = fold(char)
    if not folded:
        return "ignored"
    category = unicodedata.category(folded[0])
    if category[0] == "M" or char in JOINED:
        return "mark"
    if category[0] not in "LN":
        return "separator"
    return "single" if unicodedata.name(folded[0], "").startswith(SINGLE_NAMES) else "word"


# Tokens --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Token:
    """A token as the reference sees it."""

    folded: str
    start: int
    end: int
    paragraph: bool

    @property
    def hash(self) -> int:
        """XXH64 of the folded UTF-8, by the xxhash package."""
        return xxhash.xxh64_intdigest(self.folded.encode())


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text."""
    out = []
    at, paragraph = 0, True
    while at < len(text):
        what = kind(text[at])
        if what in ("word", "single"):
            read = _read_word if what == "word" else _read_single
            folded, end, following = read(text, at)
            out.append(Token(unicodedata.normalize("NFD", folded), at, end, paragraph))
            at, paragraph = following, False
        else:
            paragraph = paragraph or what == "newline"
            at += 1
    return out


def _read_single(text: str, start: int) -> tuple[str, int, int]:
    folded, end, at = fold(text[start]), start + 1, start + 1
    while at < len(text) and kind(text[at]) in ("mark", "ignored"):
        if kind(text[at]) == "mark":
            folded, end = folded + fold(text[at]), at + 1
        at += 1
    return folded, end, at


def _read_word(text: str, start: int) -> tuple[str, int, int]:
    folded, end, at = fold(text[start]), start + 1, start + 1
    letters, acronym, digit = 1, True, text[start] in "0123456789"
    while at < len(text):
        char, what = text[at], kind(text[at])
        full = len(folded.encode()) >= MAX_TOKEN_BYTES
        if what == "word":
            if full:
                break
            folded, end, letters = folded + fold(char), at + 1, letters + 1
            acronym, digit = acronym and letters == 1, char in "0123456789"
        elif what == "mark":
            if not full:
                folded, end = folded + fold(char), at + 1
        elif char == "." and acronym and _is_lone_letter(text, at + 1):
            letters = 0
        elif char == "." and not full and digit and _digits(text, at + 1):
            folded += "."
        elif not (
            what == "ignored"
            or (what == "apostrophe" and _next_kind(text, at + 1) == "word")
            or (char == "," and digit and _digits(text, at + 1) == 3)
        ):
            break
        at += 1
    return folded, end, at


def _digits(text: str, at: int) -> int:
    """Number of ASCII digits from a place on."""
    return len(list(itertools.takewhile(lambda c: c in "0123456789", text[at:])))


def _is_lone_letter(text: str, at: int) -> bool:
    while at < len(text) and kind(text[at]) == "ignored":
        at += 1
    return (
        at < len(text)
        and text[at] not in "0123456789"
        and kind(text[at]) == "word"
        and _next_kind(text, at + 1) != "word"
    )


def _next_kind(text: str, at: int) -> str:
    kinds = (kind(c) for c in text[at:])
    return next((k for k in kinds if k not in ("mark", "ignored")), "separator")


QUOTATION_MARKS = (
    '"\uff02\u00ab\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u300c\u300d\u300e\u300f'
)


def marks_of(text: str) -> list[tuple[int, int]]:
    """Place and code of each quotation mark and line break that is not within a token."""
    tokens = tokens_of(text)
    within = {at for t in tokens for at in range(t.start, t.end)}
    ends = {t.end for t in tokens}
    out = []
    end = -1  # of the last token before
    for at, char in enumerate(text):
        end = at if at in ends else end
        if at in within:
            continue
        if char in NEWLINES and text[at : at + 2] != "\r\n":
            out.append((at, 0x0A))
        if char in QUOTATION_MARKS:
            open_token = end >= 0 and all(kind(c) in ("ignored", "mark") for c in text[end:at])
            code = ord(char) | (AFTER_LETTER if open_token else 0)
            if text[at + 1 : at + 2] and (text[at + 1] <= " " or text[at + 1] in "\u00a0\u202f"):
                code |= BEFORE_SPACE
            elif text[at + 1 : at + 2] and kind(text[at + 1]) in ("word", "single"):
                code |= BEFORE_LETTER
            out.append((at, code))
    return out


def tokenise_texts(texts: Iterable[str], *, quotations: bool = False) -> tuple[Batch, Tokens]:
    """A batch of these texts and its tokens, with quotations marked if asked for."""
    batch = Batch.from_articles(Article(id=str(k), text=t) for k, t in enumerate(texts))
    tokens, marks = tokenise(batch)
    if quotations:
        mark_quotations(tokens, marks)
    return batch, tokens


def hashes_of(text: str) -> list[int]:
    """Token hashes of one text, by the kernel."""
    hashes: list[int] = tokenise_texts([text])[1].hashes.tolist()
    return hashes


def words_of(text: str) -> list[str]:
    """Raw spans of the tokens of one text, by the kernel."""
    _, tokens = tokenise_texts([text])
    return [text[a:b] for a, b in zip(tokens.starts, tokens.ends, strict=True)]


def quoted_words(text: str) -> list[str]:
    """Raw spans of the tokens in quoted speech."""
    _, tokens = tokenise_texts([text], quotations=True)
    spans = zip(tokens.starts, tokens.ends, tokens.flags, strict=True)
    return [text[a:b] for a, b, flags in spans if flags & QUOTED]


# Shingles, signatures, sketches --------------------------------------------------------------


def fmix(x: int) -> int:
    """MurmurHash3's 64-bit finaliser on Python's integers."""
    x = ((x ^ x >> 33) * 0xFF51AFD7ED558CCD) & MASK
    x = ((x ^ x >> 33) * 0xC4CEB9FE1A85EC53) & MASK
    return x ^ x >> 33


def shingles_of(tokens: Sequence[int], w: int) -> list[int]:
    """Every shingle from the polynomial as it is written in the documentation."""
    base = 0x9E3779B97F4A7C15
    return [
        fmix(sum(tokens[i + k] * base ** (w - 1 - k) for k in range(w)) & MASK)
        for i in range(len(tokens) - w + 1)
    ]


def uint64(values: Iterable[int]) -> NDArray[np.uint64]:
    """An array of hashes."""
    return np.array(list(values), np.uint64)


def pairs_array(pairs: Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    """An array of pairs, (n, 2) even where n is 0."""
    return np.array(list(pairs), np.int64).reshape(-1, 2)


def end_to_end(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Offsets (n + 1,) and values of rows of hashes, one after the other."""
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    return offsets, uint64(itertools.chain.from_iterable(rows))


def spans_of(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Spans (n, 2) and values of rows of hashes, one after the other."""
    offsets, values = end_to_end(rows)
    return np.stack([offsets[:-1], offsets[1:]], axis=1), values


# Alignment -----------------------------------------------------------------------------------


def tiled_tokens(a: Sequence[int], b: Sequence[int], w: int) -> int:
    """Tokens that greedy string tiling covers: Wise 1993, figure 1, by trying everything."""
    free_a, free_b = [True] * len(a), [True] * len(b)
    covered = 0
    while True:
        best = (0, 0, 0)
        for i, j in itertools.product(range(len(a)), range(len(b))):
            n = 0
            while (
                i + n < len(a)
                and j + n < len(b)
                and a[i + n] == b[j + n]
                and free_a[i + n]
                and free_b[j + n]
            ):
                n += 1
            best = max(best, (n, -i, -j))
        n, i, j = best[0], -best[1], -best[2]
        if n < w:
            return covered
        covered += n
        free_a[i : i + n] = free_b[j : j + n] = [False] * n


def common_tokens(a: Sequence[int], b: Sequence[int]) -> int:
    """Size of the intersection of two multisets: no alignment matches more."""
    return (Counter(a) & Counter(b)).total()


# Clusters ------------------------------------------------------------------------------------


def covered_segments(start: int, end: int, length: int) -> set[int]:
    """The 64ths of an article whose middle a passage covers, else the one it starts in."""
    middles = {s: Fraction((2 * s + 1) * length, 128) for s in range(64)}
    return {s for s, middle in middles.items() if start < middle <= end} or {start * 64 // length}


def components(n: int, pairs: Iterable[Sequence[int]]) -> list[int]:
    """Lowest member of each article's connected component, by relabelling until it settles."""
    label = list(range(n))
    edges = [tuple(pair) for pair in pairs]
    changed = True
    while changed:
        changed = False
        for x, y in edges:
            low = min(label[x], label[y])
            changed = changed or label[x] != label[y]
            label[x] = label[y] = low
    return label


# Strategies ----------------------------------------------------------------------------------

LETTERS = (
    "aZ\u00e9\u00c5\u00df\u0130\u0131\u01c6\ufb01"  # Latin, with a ligature
    "\u0416\u0451\u0419"  # Cyrillic
    "\u0391\u03c3\u03c2\u1f85\u1fb4"  # Greek, polytonic too
    "\u0628\u0649\u06cc\u06a9\u0643\u0622\ufe91"  # Arabic, with a presentation form
    "\u05d0\ufb2a"  # Hebrew
    "\u0915\u0958\u093f\u09cb"  # Devanagari, Bengali
    "\u10d0\u0531\u1200"  # Georgian, Armenian, Ethiopic
    "\ud55c\uac00\u1112\u1161\u11ab"  # Hangul, whole and in parts
    "\u4eba\u3042\u30ab\uff76\uff9e"  # Han and kana, narrow too
    "\u0e01\u0e32\u0e49\u0e94\u1780\u17b6\u1000\u102c"  # Thai, Lao, Khmer, Myanmar
    "\uff21\uff11\u0661\u0967"  # wide letters, digits
)
MARKS = "\u0301\u0323\u0308\u0327\u0345\u064e\u0651\u05b0\u094d\u3099\u20dd"
GLUE = "''\u2019\u02bc`..,,-\u2013\u2014_/\u00ad\u200b\u200c\u200d\ufe0f\u034f\u0640"
SPACES = " \u00a0\t\n\r\x85\u2028\u2029\v\f\u3000"
DIGITS = "0135"

tricky_text = st.one_of(
    st.text(st.one_of(*map(st.sampled_from, (LETTERS, MARKS, GLUE, SPACES, DIGITS))), max_size=40),
    st.text(st.sampled_from("US.ab-'4,03 \u0301\n"), max_size=30),
    st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=25),
)
"""Text in which every rule of the tokeniser has something to do."""

_PIECES = (
    *("a", "I", "U.S", "don", "t", "4", "000", "3.5", "word", "letters", "Sentences", "NEWSPAPER"),
    *("\u00e9", "\u0436", "\u4eba", "\ud55c", "\u0628", "\u0301", "\u00ad", "\u200b", "\U0001f525"),
    *(
        "'",
        "`",
        "\u2019",
        "\u02bc",
        ".",
        ",",
        "-",
        "\u2014",
        '"',
        "\u201c",
        "\u201d",
        "\x00",
        "\x7f",
    ),
    *(" ", " ", " ", ". ", ", ", "\n", "\r\n", "\x85", "\u2028", "/", ":", "@", "[", "{", "^"),
)

ascii_runs = st.builds(
    lambda first, pieces, last: "x" * (first % 7) + " " * (first // 7) + "".join(pieces) + last,
    st.integers(0, 150),
    st.lists(
        st.one_of(
            st.sampled_from(_PIECES),
            st.sampled_from(_PIECES),
            st.builds(str.__mul__, st.sampled_from(("a", "Z9", "7", "ab ")), st.integers(1, 140)),
        ),
        max_size=30,
    ),
    st.sampled_from(("", "end", "\u00e9", "9", "it's")),
)
"""Runs of ASCII of every length, and what may join them, at every place of a window of 64 bytes."""


def permutation(items: Sequence[Any]) -> st.SearchStrategy[list[Any]]:
    """Any order of some items."""
    return st.permutations(items).map(list)
