"""Words, their folds, hashes and spans."""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import Any

import numpy as np
import pytest
import xxhash
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracles import (
    ascii_runs,
    examples,
    hashes_of,
    marks_of,
    tokenise_texts,
    tokens_of,
    tricky_text,
    words_of,
)

from dedupe import tokens as tokens_module
from dedupe.records import Article, Batch
from dedupe.tokens import PARAGRAPH, Marks, Tokens, tokenise, tokenise_text
from dedupe.xxh64 import SHORT, xxh64, xxh64_short

LETTER_LIKE = st.characters(categories=["Lu", "Ll", "Lo", "Mn", "Mc", "Nd"])
HANGUL = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
VIETNAMESE = st.characters(min_codepoint=0x1EA0, max_codepoint=0x1EF9)
# Without the iota subscript, which folds to a letter and so takes part in no reordering.
GREEK = st.characters(min_codepoint=0x1F00, max_codepoint=0x1F7D, categories=["Lu", "Ll"])
MARK = st.sampled_from("\u0301\u0323\u0308\u0327\u0302\u031b\u0303\u3099\u0345")

SENTENCES = {
    "latin": (
        "Das Gesetz, so die F.D.P., koste 4,000 Euro – „zu viel“.",
        "Das Gesetz so die F.D.P koste 4,000 Euro zu viel",
    ),
    "vietnamese": ("Thủ tướng nói: “Giá xăng giảm.”", "Thủ tướng nói Giá xăng giảm"),
    "cyrillic": ("Президент заявил, что всё хорошо.", "Президент заявил что всё хорошо"),
    "ukrainian": ("Об’єднання п’ятьох партій…", "Об’єднання п’ятьох партій"),
    "greek": ("Ο πρωθυπουργός είπε· «τέλος»!", "Ο πρωθυπουργός είπε τέλος"),
    "arabic": ("قالَ الوزيرُ، أمس: «نعم»؟", "قال الوزير أمس نعم"),
    "persian": ("می‌گوید که کتاب‌ها خوب‌اند.", "می‌گوید که کتاب‌ها خوب‌اند"),
    "hebrew": ("הממשלה אישרה, אתמול, את התקציב.", "הממשלה אישרה אתמול את התקציב"),
    "devanagari": ("प्रधानमंत्री ने कहा।", "प्रधानमंत्री ने कहा"),
    "bengali": ("আমার সোনার বাংলা, ২০২৪।", "আমার সোনার বাংলা ২০২৪"),
    "tamil": ("தமிழ்நாடு அரசு அறிவிப்பு.", "தமிழ்நாடு அரசு அறிவிப்பு"),
    "georgian": ("საქართველო — ლამაზი ქვეყანა.", "საქართველო ლამაზი ქვეყანა"),
    "armenian": ("Հայաստանի վարչապետը ասաց։", "Հայաստանի վարչապետը ասաց"),
    "amharic": ("ጠቅላይ፡ሚኒስትሩ ተናገሩ።", "ጠቅላይ ሚኒስትሩ ተናገሩ"),
    "hangul": ("대통령은 어제, 서울에서 말했다.", "대통령은 어제 서울에서 말했다"),
    "han": ("中国总理说:“好”,2024年。", "中 国 总 理 说 好 2024 年"),
    "kana": ("東京でガソリンが値上げ。", "東 京 で ガ ソ リ ン が 値 上 げ"),
    "thai": ("กินข้าวที่ไทย AIS", "กิ น ข้ า ว ที่ ไ ท ย AIS"),
    "lao": ("ສະບາຍດີ ລາວ", "ສ ະ ບ າ ຍ ດີ ລ າ ວ"),
    "khmer": ("ភាសាខ្មែរ។", "ភា សា ខ្ មែ រ"),
    "myanmar": ("မြန်မာ။", "မြ န် မာ"),
}


@examples
@given(tricky_text)
def test_tokens_equal_the_reference(text: str) -> None:
    """Hashes, spans and paragraph flags are those of a tokeniser in plain Python."""
    _, tokens = tokenise_texts([text])
    expected = tokens_of(text)
    assert tokens.hashes.tolist() == [t.hash for t in expected]
    assert tokens.starts.tolist() == [t.start for t in expected]
    assert tokens.ends.tolist() == [t.end for t in expected]
    assert tokens.flags.tolist() == [int(PARAGRAPH) * t.paragraph for t in expected]


def assert_reference(texts: list[str], tokens: Tokens, marks: Marks) -> None:
    """Tokens and marks are those of the reference."""
    for k, text in enumerate(texts):
        part = slice(tokens.offsets[k], tokens.offsets[k + 1])
        found = [
            getattr(tokens, name)[part].tolist() for name in ("starts", "ends", "hashes", "flags")
        ]
        expected = [(t.start, t.end, t.hash, int(PARAGRAPH) * t.paragraph) for t in tokens_of(text)]
        assert list(zip(*found, strict=True)) == expected
        part = slice(marks.offsets[k], marks.offsets[k + 1])
        places, codes = marks.positions[part].tolist(), marks.codes[part].tolist()
        assert list(zip(places, codes, strict=True)) == marks_of(text)
    assert tokens.offsets[-1] == len(tokens.hashes)
    assert marks.offsets[-1] == len(marks.codes)


@settings(examples, max_examples=300)
@given(
    st.lists(st.one_of(ascii_runs, ascii_runs, tricky_text), max_size=4), st.sampled_from("x9'\n ")
)
def test_runs_of_ascii(texts: list[str], around: str) -> None:
    """Nor does it matter where a run stands, what joins it, or what stands beside the batch."""
    batch = Batch.from_articles(Article(id=str(k), text=t) for k, t in enumerate(texts))
    memory = np.full(len(batch.text) + 200, ord(around), np.uint8)
    memory[100:-100] = batch.text
    tokens, marks = tokenise(dataclasses.replace(batch, text=memory[100:-100]))
    assert_reference(texts, tokens, marks)


CONTRACTED = st.builds(
    str.format,
    st.sampled_from(
        ["{0}{1}{2}{3}", "{0}{1}{2}{3}{1}{2}", "{0}{1}{2}{1}{2}{3}", "{3}{1}{2}", "{0}{1}{3}"]
    ),
    st.sampled_from(["it", "U", "4", "x" * 60]),
    st.sampled_from("'’`"),
    st.sampled_from(["s", "t2", "z" * 250, "é", "\u00ad", "4,000"]),
    st.sampled_from([*'" \n\r.,-', "”", "\r\n", "\u0301"]),
)
"""Two runs, an apostrophe, and what may follow them."""


@settings(examples, max_examples=500)
@given(st.integers(0, 63), st.lists(CONTRACTED, max_size=6))
def test_contractions_and_line_breaks(first: int, pieces: list[str]) -> None:
    """Whatever stands beside an apostrophe or a line break, in every place of a window."""
    text = "y" * first + " ".join(pieces)
    tokens, marks = tokenise(Batch.from_articles([Article(id="x", text=text)]))
    assert_reference([text], tokens, marks)


@settings(examples, max_examples=30)
@given(st.lists(st.one_of(ascii_runs, tricky_text), max_size=2))
def test_uncompiled(texts: list[str]) -> None:
    """The kernels do the same as plain Python."""
    batch = Batch.from_articles(Article(id=str(k), text=t) for k, t in enumerate(texts))
    with pytest.MonkeyPatch.context() as patch, np.errstate(over="ignore"):
        for name, value in list(vars(tokens_module).items()):
            if hasattr(value, "py_func"):
                patch.setattr(tokens_module, name, value.py_func)
        tokens, marks = tokenise(batch)
    assert_reference(texts, tokens, marks)


def test_many_pending_tokens() -> None:
    """Tokens that are pending when there is no more room for them are hashed in turn."""
    text = (
        "one \u0436\u0435 \u4eba\u4eba don't " * 3000
        + "\u4eba" * 1500
        + ("\u0436" * 120 + " ") * 100
        + "a " * 1000
    )
    tokens, marks = tokenise(Batch.from_articles([Article(id="x", text=text)]))
    assert_reference([text], tokens, marks)


@examples
@given(st.lists(st.binary(min_size=16, max_size=16), max_size=20), st.data())
def test_short_xxh64(rows: list[bytes], data: st.DataObject) -> None:
    """Many short strings are hashed as each of them alone, whatever follows them."""
    sizes = [data.draw(st.integers(0, SHORT)) for _ in rows]
    lanes = np.frombuffer(b"".join(rows), np.uint64).reshape(-1, 2)
    last = [pair[size // 8] for pair, size in zip(lanes, sizes, strict=True)]
    plain: Any = xxh64_short
    for function in (xxh64_short, plain.py_func):
        out = np.empty(len(rows), np.uint64)
        with np.errstate(over="ignore"):
            function(lanes[:, 0].copy(), np.array(last, np.uint64), np.array(sizes, np.uint64), out)
        assert out.tolist() == [
            xxhash.xxh64_intdigest(row[:size]) for row, size in zip(rows, sizes, strict=True)
        ]


@examples
@given(st.lists(tricky_text, max_size=5))
def test_a_batch_is_its_articles(texts: list[str]) -> None:
    """An article's tokens do not depend on the articles around it."""
    _, tokens = tokenise_texts(texts)
    for k, text in enumerate(texts):
        alone = tokenise_text(text)
        part = slice(tokens.offsets[k], tokens.offsets[k + 1])
        for name in ("hashes", "starts", "ends", "flags"):
            assert np.array_equal(getattr(tokens, name)[part], getattr(alone, name))
    assert tokens.offsets[-1] == len(tokens.hashes)


@examples
@given(tricky_text)
def test_spans_are_words_of_the_text(text: str) -> None:
    """Spans are in range, ascending and apart, and each alone is the same one token."""
    tokens = tokenise_text(text)
    starts, ends = tokens.starts.tolist(), tokens.ends.tolist()
    assert all(a < b for a, b in zip(starts, ends, strict=True))
    assert all(b <= a for b, a in zip(ends, starts[1:], strict=False))
    assert max(ends, default=0) <= len(text)
    for a, b, value in zip(starts, ends, tokens.hashes.tolist(), strict=True):
        assert hashes_of(text[a:b]) == [value]


@examples
@given(st.binary(max_size=240))
def test_xxh64(data: bytes) -> None:
    """The hash of up to 240 bytes is XXH64 with seed 0, as the xxhash package computes it."""
    words = np.zeros(34, np.uint64)
    scratch = words.view(np.uint8)
    scratch[: len(data)] = np.frombuffer(data, np.uint8)
    assert int(xxh64(scratch, words, len(data))) == xxhash.xxh64_intdigest(data)


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("Straße", "strasse"),
        ("ΣΊΣΥΦΟΣ", "σι\u0301συφοσ"),
        ("İstanbul", "i\u0307stanbul"),
        ("ﬁnal", "final"),
        ("ＡＰ１２", "ap12"),
        ("٢٠٢٤", "2024"),
        ("۲۰۲۴", "2024"),
        ("२०२४", "2024"),
        ("ｶﾞ", "カ\u3099"),
        ("ﻛﺘﺎﺏ", "كتاب"),
        ("한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8"),
        ("3.5", "3.5"),
        ("4,000", "4000"),
        ("U.S.", "us"),
        ("don’t", "dont"),
    ],
)
def test_hash_of_folded_words(raw: str, folded: str) -> None:
    """A word's hash is XXH64 of the UTF-8 of its documented fold."""
    assert hashes_of(raw) == [xxhash.xxh64_intdigest(folded.encode())]


@examples
@given(st.text(LETTER_LIKE, min_size=1, max_size=12))
def test_normal_forms_make_no_difference(text: str) -> None:
    """NFC and NFD of a text have the same hashes."""
    composed, decomposed = (unicodedata.normalize(f, text) for f in ("NFC", "NFD"))
    assert hashes_of(composed) == hashes_of(decomposed)


@examples
@given(st.text(st.one_of(HANGUL, VIETNAMESE, GREEK), min_size=1, max_size=10))
def test_composed_scripts_hash_as_their_parts(text: str) -> None:
    """Hangul, Vietnamese and polytonic Greek have the hashes of their normal forms."""
    forms = (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text))
    assert len({tuple(hashes_of(form)) for form in forms}) == 1


@examples
@given(st.sampled_from("aoeuAO"), st.lists(MARK, max_size=6))
def test_order_of_marks_makes_no_difference(letter: str, marks: list[str]) -> None:
    """Marks in any order hash like their canonical order, where that is canonically the same."""
    assume("\u0345" not in marks)  # folds to a letter
    text = letter + "".join(marks) + "x"
    expected = hashes_of(unicodedata.normalize("NFC", text))
    assert hashes_of(text) == expected == hashes_of(unicodedata.normalize("NFD", text))


@examples
@given(st.data())
def test_invisible_characters_make_no_difference(data: st.DataObject) -> None:
    """Soft hyphens, zero-width characters and variation selectors change no word."""
    text = data.draw(st.text("abé 中กี'’-\n", max_size=20))
    at = data.draw(st.integers(0, len(text)))
    invisible = data.draw(st.sampled_from("\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe0f\u034f"))
    assert hashes_of(text[:at] + invisible + text[at:]) == hashes_of(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("don’t", "don't"),
        ("don’t", "dont"),
        ("rock`n´roll", "rock'n'roll"),
        ("“Yes,” he said", '"Yes," he said'),
        ("«Ja»", "„Ja“"),
        ("war—and peace", "war - and peace"),
        ("a\u00a0b\u202fc", "a b c"),
        ("a\r\nb", "a\nb"),
        ("U.S.", "US"),
        ("U.S.-backed", "US-backed"),
        ("U.S.S.R.", "USSR"),
        ("J.K. Rowling", "JK Rowling"),
        ("10 p.m. today", "10 pm today"),
        ("4,000", "4000"),
        ("1,234,567", "1234567"),
        ("4,000.50", "4000.50"),
        ("ĳsland", "ĳSLAND"),
        ("مُحَمَّدٌ", "محمد"),
        ("كتـــاب", "كتاب"),
        ("שָׁלוֹם", "שלום"),
        ("کتاب", "كتاب"),
        ("علی", "على"),
        ("ＮＨＫ", "NHK"),
    ],
)
def test_house_style_makes_no_difference(one: str, other: str) -> None:
    """What newsrooms set each in their own way has one hash."""
    assert hashes_of(one) == hashes_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3.5", "35"),
        ("3,5", "35"),
        ("4,0000", "40000"),
        ("4,00", "400"),
        ("I.said", "Isaid"),
        ("resume", "résumé"),
        ("أ", "ا"),
        ("سوأ", "سوا"),
        ("カ", "ガ"),
        ("U S", "US"),
    ],
)
def test_what_makes_a_difference(one: str, other: str) -> None:
    """Decimals, accents and hamza are not folded away."""
    assert hashes_of(one) != hashes_of(other)


@pytest.mark.parametrize("script", SENTENCES)
def test_sentences(script: str) -> None:
    """A sentence's tokens are its words, or its characters with their marks."""
    text, expected = SENTENCES[script]
    assert words_of(text) == expected.split()


def test_spans_leave_punctuation_out() -> None:
    """A span ends with the last letter, mark or digit of its word."""
    text = "The U.S.-backed 'Rock ’n’ roll', $4,000.50!"
    assert words_of(text) == ["The", "U.S", "backed", "Rock", "n", "roll", "4,000.50"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"])
def test_paragraph_starts(newline: str) -> None:
    """The first token of a text and after any line break, of any kind, starts a paragraph."""
    _, tokens = tokenise_texts([f"one two{newline}{newline}“three four{newline} five", "six seven"])
    assert tokens.flags.tolist() == [1, 0, 1, 0, 1, 1, 0]


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "—…!?", "\u200b\u00ad", "\u0301\u0301", "''", "😀"]
)
def test_texts_without_words(text: str) -> None:
    """A text without letters and digits has no token."""
    tokens = tokenise_text(text)
    assert [array.tolist() for array in tokens] == [[0, 0], [], [], [], []]


def test_no_articles() -> None:
    """An empty batch has no tokens."""
    tokens, _ = tokenise(Batch.from_articles([]))
    assert [array.tolist() for array in tokens] == [[0], [], [], [], []]


def test_base64_is_cut() -> None:
    """A run of 10,000 letters and digits is cut into tokens of 240 bytes that lose nothing."""
    text = "aB3d" * 2500
    _, tokens = tokenise_texts([text])
    assert tokens.starts.tolist() == list(range(0, 10_000, 240))
    assert tokens.ends.tolist() == [*range(240, 10_000, 240), 10_000]
    pieces = [text[a : a + 240].lower() for a in range(0, 10_000, 240)]
    assert tokens.hashes.tolist() == [xxhash.xxh64_intdigest(p.encode()) for p in pieces]


@pytest.mark.parametrize("mark", ["\u0301", "\u0323", "\u094d", "\U0001d165", "\u3099"])
def test_marks_without_end_are_dropped(mark: str) -> None:
    """Of 10,000 marks on one letter those that fit into a token count, and the next word lives."""
    _, tokens = tokenise_texts(["a" + mark * 10_000 + " end"])
    kept = -(-239 // len(mark.encode()))
    expected = [xxhash.xxh64_intdigest(w.encode()) for w in ("a" + mark * kept, "end")]
    assert tokens.hashes.tolist() == expected
    assert tokens.starts.tolist() == [0, 10_002]
    assert tokens.ends.tolist() == [1 + kept, 10_005]


def test_lone_surrogates() -> None:
    """A lone surrogate, as JSON may hold, separates words and keeps offsets right."""
    batch = Batch.from_articles([Article(id="x", text="one\ud800two")])
    tokens, _ = tokenise(batch)
    assert tokens.starts.tolist() == [0, 4]
    assert tokens.ends.tolist() == [3, 7]


def test_article_with_many_short_tokens() -> None:
    """The room made for tokens suffices for texts of nothing but one-byte words."""
    _, tokens = tokenise_texts(["a b " * 1000, "c", "", "中" * 500])
    assert np.diff(tokens.offsets).tolist() == [2000, 1, 0, 500]
