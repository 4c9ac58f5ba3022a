"""Encodings."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.corpus._decode import LineDecoder, decode, decode_html, guess_encoding

SENTENCES = {
    "cp1252": [
        "The minister’s office said the café on “Main Street” would reopen — for £3m.",
        "Le président a déclaré mardi que les mesures prises à l'été seraient prolongées.",
        "Die Länder müssen darüber abschließend entscheiden, größere Städte zuerst.",
        "El presidente anunció que la reunión se celebrará mañana. ¿Qué pasará después?",
        "A decisão foi tomada após reunião em São Paulo; as eleições não serão adiadas.",
        "Il governo ha annunciato martedì che la novità è già lì, perché c'è più città.",
        "Hallitus ilmoitti tiistaina, että vaalit pidetään, kertoi pääministeri myöhään.",
        "Valget afholdes i oktober, og udgifterne når flere milliarder på længere sigt.",
    ],
    "cp1250": [
        "Rząd ogłosił we wtorek, że wybory odbędą się w październiku, powiedział premier.",
        "Předseda vlády řekl, že náklady dosáhnou několika miliard a že příští rok klesnou.",
        "A miniszterelnök szerint a költségek több milliárd forintot érnek el, és jövőre nőnek.",
    ],
    "iso8859_2": [
        "Rząd ogłosił we wtorek, że wybory odbędą się w październiku, powiedział premier."
    ],
    "cp1254": ["Başbakan, maliyetin birkaç milyar lirayı bulacağını söyledi; seçim ekim ayında."],
    "cp1257": [
        "Ministras teigė, kad išlaidos sieks kelis milijardus eurų, o rinkimai įvyks spalį."
    ],
    "cp1251": ["Правительство во вторник объявило, что выборы состоятся в октябре этого года."],
    "koi8-r": ["Правительство во вторник объявило, что выборы состоятся в октябре этого года."],
    "cp1253": ["Η κυβέρνηση ανακοίνωσε την Τρίτη ότι οι εκλογές θα διεξαχθούν τον Οκτώβριο."],
    "gb18030": ["政府星期二宣布选举将于十月举行。总理表示费用将达到数十亿元。"],
    "shift_jis": [
        "政府は火曜日、選挙を十月に行うと発表した。首相は費用が数十億円に達すると述べた。"
    ],
}


@pytest.mark.parametrize(
    ("encoding", "text"), [(name, text) for name, texts in SENTENCES.items() for text in texts]
)
def test_without_mark(encoding: str, text: str) -> None:
    """A sentence in a usual encoding of its language is read as it was written."""
    decoded = decode(text.encode(encoding))
    assert decoded is not None
    assert decoded == (text, text.encode())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode(encoding: str) -> None:
    """UTF-8, and the wider encodings with a byte-order mark, are read without the mark."""
    text = "naïve\r\n“Straße” 🦊\x85end"
    assert decode(text.encode(encoding)) == (text, text.encode())


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_mark(encoding: str) -> None:
    """UTF-16 without a mark is told by its zero bytes."""
    text = "The council met on Tuesday in the café."
    assert decode(text.encode(encoding)) == (text, text.encode())


def test_damaged_utf8() -> None:
    """One bad byte in UTF-8 is one U+FFFD; the rest is not read in another encoding."""
    assert decode("café, naïve, é".encode() + b"\xff.") == (
        "café, naïve, é\ufffd.",
        "café, naïve, é\ufffd.".encode(),
    )


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"text with a zero\0byte",
        random.Random(1).randbytes(5000),
        bytes(random.Random(1).choices(range(1, 256), k=5000)),
        b"\x01\x02\x03\x04 text",
    ],
)
def test_binary(data: bytes) -> None:
    """Zero bytes or many control characters are no text."""
    assert decode(data) is None


@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    """Any bytes decode to text in valid UTF-8, or to nothing."""
    decoded = decode(data)
    assert decoded is None or decoded.utf8.decode() == decoded.text
    assert isinstance(decode_html(data), str | None)
    assert isinstance(LineDecoder()(data), str)


@given(st.text())
def test_utf8_is_kept(text: str) -> None:
    """What is UTF-8 and looks like text is not changed by a single code point."""
    decoded = decode(text.encode())
    assert decoded is None or decoded.text == text.removeprefix("\ufeff") or "\0" in text


def test_html_declares() -> None:
    """What a page declares decides where it is not UTF-8, and latin-1 means windows-1252."""
    page = '<html><head><meta charset="{}"></head><body>{}</body></html>'
    for declared, actual, text in (
        ("iso-8859-1", "cp1252", "“é”"),
        ("windows-1251", "cp1251", "Да"),
        ("no-such-code", "cp1252", "Le café où j'étais hier"),
        ("hex", "cp1252", "Le café où j'étais hier"),
    ):
        whole = page.format(declared, text)
        assert decode_html(whole.encode(actual)) == whole
    assert decode_html(page.format("latin-1", "é").encode()) == page.format("latin-1", "é")


def test_lines_remember() -> None:
    """Lines that are not UTF-8 are all read in the encoding that the first of them suggests."""
    decoder = LineDecoder()
    first = "Le président a déclaré que l'été serait là."
    assert decoder(first.encode("cp1252")) == first
    assert decoder(b"\xe9") == "é"
    assert decoder("Да".encode()) == "Да"


def test_guess_without_letters() -> None:
    """Western quotation marks alone are enough for windows-1252."""
    assert guess_encoding("“Yes,” he said – twice".encode("cp1252")) == "cp1252"
