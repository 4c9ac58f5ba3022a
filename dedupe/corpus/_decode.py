"""Bytes of unknown encoding to text."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from dedupe.records import encode_text

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Decoded", "LineDecoder", "decode", "decode_html", "guess_encoding", "looks_binary"]

# How much of a file is looked at to tell its encoding, in bytes.
_SAMPLE = 1_000_000
# How much of a file is looked at for control characters, in bytes.
_HEAD = 65_536
# Random bytes hold 11 % of these control characters, text hardly any.
_MOST_CONTROLS = 0.05
_CONTROLS = bytes(c for c in (*range(32), 127) if c not in b"\t\n\v\f\r")
# Text of which more than this share could not be decoded is not text.
_MOST_UNDECODED = 0.1

# UTF-32 first: its little-endian mark starts with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FIRST_OF_MARK = frozenset(mark[:1] for mark, _ in _MARKS)
_MULTIBYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_ASCII_LETTER = re.compile(rb"[A-Za-z]")
# What is not ASCII, without the rest: only that tells encodings apart.
_WORD = re.compile(rb"[\x80-\xff]+")
_WORDS = 10_000

# Letters beyond ASCII of languages in the Latin script, and the encodings they are written in. In
# all of these encodings most bytes are some letter, so a detector of plausible text often names a
# neighbour: cp775 for French, cp1250 for Portuguese, iso8859_10 for Polish. Only in the right one
# do the letters make up the alphabet of one language.
_WESTERN = (
    "àâæçéèêëîïôœùûü",  # French
    "äöüßéè",  # German
    "áéíñóúüªº",  # Spanish, Galician
    "áàâãçéêíóôõúüªº",  # Portuguese
    "àèéìíîòóùúª",  # Italian
    "àçèéíïòóúü·",  # Catalan
    "áâäçéèêëíïóôöúûü",  # Dutch, and loan words in English
    "åäöéüà",  # Swedish, Finnish
    "æøåéóòôêâ",  # Danish, Norwegian
    "áðéíóúýþæö",  # Icelandic
    "äöõüšž",  # Estonian
    "ëç",  # Albanian
)
_CENTRAL = (
    "ąćęłńóśźż",  # Polish
    "áčďéěíňóřšťúůýž",  # Czech
    "áäčďéíĺľňóôŕšťúýž",  # Slovak
    "áéíóöőúüű",  # Hungarian
    "čćđšž",  # Croatian, Slovene
    "ăâîşţ",  # Romanian
)
_TURKISH = ("âçğıİîöşüû",)
_BALTIC = ("ąčęėįšųūž", "āčēģīķļņšūž")  # Lithuanian, Latvian
_LATIN = (
    ("cp1252", _WESTERN),
    ("cp1250", _CENTRAL),
    ("iso8859_2", _CENTRAL),
    ("cp1254", _TURKISH),
    ("cp1257", _BALTIC),
    ("mac_roman", _WESTERN),
    ("cp850", _WESTERN),
)
# Signs that belong to no language.
_SIGNS = frozenset("“”‘’‚„–—…«»‹›¡¿€£¢¥§°·•©®™†‡½¼¾×\xa0\xad")
# Foreign names hold other letters; in the wrong encoding far more of the letters are others.
_FITS = 0.95
_LIKELY = 0.6
# Cyrillic, Greek or Hebrew read as windows-1252 is nearly all accented letters; no language in the
# Latin script comes near one in three.
_MOST_ACCENTED = 0.33

_META_CHARSET = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,500}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE
)
_META_WITHIN = 4096
# https://encoding.spec.whatwg.org/#names-and-labels: on the web these mean windows-1252.
_WEB_LATIN = frozenset({"iso8859-1", "ascii", "cp1252"})


class Decoded(NamedTuple):
    """A text, and the same in UTF-8."""

    text: str
    utf8: bytes


def decode(data: bytes) -> Decoded | None:
    """The text of a whole file, without its byte-order mark; None where it looks binary.

    A byte-order mark decides; else UTF-8 if the bytes are valid UTF-8 or UTF-8 with a few
    damaged places (these become U+FFFD); else UTF-16 without mark, where every other byte is
    zero; else what `guess_encoding` says. Line ends are kept as they are.
    """
    encoding = _marked(data)
    if encoding is None and b"\0" not in data:
        if looks_binary(data):
            return None
        try:
            return Decoded(data.decode(), data)
        except UnicodeDecodeError:
            encoding = "utf-8" if _damaged_utf8(data) else guess_encoding(data)
    encoding = encoding or _bare_utf16(data)
    if encoding is None:
        return None
    text = data.decode(encoding, "replace")
    utf8 = encode_text(text)
    if text.count("\ufffd") > _MOST_UNDECODED * len(text) or looks_binary(utf8):
        return None
    return Decoded(text, utf8)


def decode_html(data: bytes) -> str | None:
    """The text of a page: as `decode`, but what the page declares goes before a guess."""
    if _marked(data) is None and not looks_binary(data):
        # Zero bytes occur in pages and mean nothing.
        data = data.replace(b"\0", b"")
        try:
            return data.decode()
        except UnicodeDecodeError:
            declared = _declared(data)
            if declared:
                return data.decode(declared, "replace")
    decoded = decode(data)
    return decoded.text if decoded else None


def looks_binary(data: bytes) -> bool:
    """Whether many of the first bytes are control characters."""
    head = data[:_HEAD]
    return len(head) - len(head.translate(None, _CONTROLS)) > _MOST_CONTROLS * len(head)


def guess_encoding(data: bytes) -> str:
    """The encoding of text that is not UTF-8.

    First the encodings of the Latin script are told apart by the alphabets of the languages
    written in them; charset-normalizer decides what fits none.
    """
    sample = data[:_SAMPLE]
    # Of all accented letters some thousands are enough.
    near = b" ".join(_WORD.findall(sample)[:_WORDS])
    scores = {encoding: _fit(near.decode(encoding, "replace"), a) for encoding, a in _LATIN}
    latin = max(scores, key=lambda encoding: scores[encoding])  # the first of equals
    accented = len(_NOT_ASCII.findall(sample))
    letters = accented + len(_ASCII_LETTER.findall(sample))
    if scores[latin] >= _FITS and accented <= _MOST_ACCENTED * letters:
        return latin
    from charset_normalizer import from_bytes  # most corpora are UTF-8 and never need it

    best = from_bytes(sample).best()
    if best is None:
        return "cp1252"
    return latin if _is_latin(str(best)) and scores[latin] >= _LIKELY else best.encoding


class LineDecoder:
    """Decodes the lines of one file: UTF-8, or what the first line that is not suggests."""

    def __init__(self) -> None:
        self._other = ""

    def __call__(self, line: bytes) -> str:
        """The text of a line, without failing."""
        try:
            return line.decode()
        except UnicodeDecodeError:
            if _damaged_utf8(line):
                return line.decode("utf-8", "replace")
            if not self._other:
                self._other = guess_encoding(line)
            return line.decode(self._other, "replace")


def _marked(data: bytes) -> str | None:
    if data[:1] not in _FIRST_OF_MARK:
        return None
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)


def _bare_utf16(data: bytes) -> str | None:
    """UTF-16 without a mark: of ASCII text, every other byte is zero."""
    head = data[:_HEAD]
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = len(head) / 2
    if half >= 8 and odd > 0.7 * half and even < 0.02 * half:
        return "utf-16-le"
    if half >= 8 and even > 0.7 * half and odd < 0.02 * half:
        return "utf-16-be"
    return None


def _damaged_utf8(data: bytes) -> bool:
    """Whether invalid UTF-8 is UTF-8 with few damaged places.

    By chance, bytes of another encoding hardly ever form UTF-8's sequences; so where most of the
    bytes beyond ASCII do, the encoding is certain and the rest is damage.
    """
    sample = data[:_SAMPLE]
    in_sequences = sum(len(m[0]) for m in _MULTIBYTE.finditer(sample))
    return in_sequences > 0.8 * len(_NOT_ASCII.findall(sample))


def _declared(data: bytes) -> str | None:
    match = _META_CHARSET.search(data, 0, _META_WITHIN)
    if not match:
        return None
    try:
        name = codecs.lookup(match[1].decode("ascii", "replace")).name
        "".encode(name)  # codecs such as "hex" are not of text
    except (LookupError, ValueError, TypeError):
        return None
    return "cp1252" if name in _WEB_LATIN else name


def _fit(text: str, alphabets: Iterable[str]) -> float:
    """Largest share, over alphabets, of the letters beyond ASCII that are in the alphabet."""
    counts = Counter(c for c in text if c > "\x7f" and c not in _SIGNS)
    total = counts.total()
    if not total:
        return 1.0
    return (
        max(
            sum(n for c, n in counts.items() if c in alphabet or c.lower() in alphabet)
            for alphabet in alphabets
        )
        / total
    )


def _is_latin(text: str) -> bool:
    """Whether most letters beyond ASCII are of the Latin script."""
    letters = [c for c in text[:_HEAD] if c > "\x7f" and c.isalpha()]
    return sum(c < "\u0250" or "\u1e00" <= c <= "\u1eff" for c in letters) * 2 >= len(letters)
