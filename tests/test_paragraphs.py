"""Paragraphs and sentences."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples

from dedupe.paragraphs import sentences, spans_of_paragraphs, unwrap
from dedupe.quotations import mark_quotations
from dedupe.records import Article, Batch
from dedupe.tokens import PARAGRAPH, QUOTED, Tokens, tokenise

SEED = next((Path(__file__).parent.parent / "seeds").glob("000_*")).read_text(encoding="utf-8")
PARAGRAPHS = SEED.split("\n\n")


def tokens_of(text: str) -> Tokens:
    """Tokens of a text with broken lines joined and quotations marked."""
    tokens, marks = tokenise(Batch.from_articles([Article(id="", text=text)]))
    unwrap(tokens, marks)
    mark_quotations(tokens, marks)
    return tokens


def paragraphs_of(text: str) -> list[str]:
    """The paragraphs' texts, white space as single blanks."""
    spans = spans_of_paragraphs(text, tokens_of(text))
    return [" ".join(text[start:end].split()) for start, end in spans]


@pytest.mark.parametrize("separator", ["\n\n", "\n", "\r\n", "\n \n\n", "\u2029"])
def test_a_line_is_a_paragraph(separator: str) -> None:
    """Whatever breaks the lines, each is a paragraph."""
    assert paragraphs_of(separator.join(PARAGRAPHS)) == PARAGRAPHS


@pytest.mark.parametrize("width", [60, 66, 72, 80, 100, 120])
def test_lines_broken_to_fit_a_width_are_joined(width: int) -> None:
    """A text filled to a width, with empty lines between paragraphs, has its paragraphs and flags."""
    text = "\n\n".join(textwrap.fill(p, width, break_on_hyphens=False) for p in PARAGRAPHS)
    assert paragraphs_of(text) == PARAGRAPHS


@pytest.mark.parametrize("width", [60, 66, 72, 80, 100, 120])
def test_lines_may_be_broken_at_hyphens(width: int) -> None:
    """A word broken at its hyphen does not hide that its line was filled."""
    text = "\n\n".join(textwrap.fill(paragraph, width) for paragraph in PARAGRAPHS)
    assert np.array_equal(tokens_of(text).flags, tokens_of(SEED).flags)


def test_lines_broken_without_empty_lines() -> None:
    """Where nothing but a short line ends a paragraph, most are found."""
    text = "\n".join(textwrap.fill(p, 72, break_on_hyphens=False) for p in PARAGRAPHS)
    found = paragraphs_of(text)
    assert len(set(found) & set(PARAGRAPHS)) >= 2 * len(PARAGRAPHS) // 3


def test_quotations_run_on_over_broken_lines() -> None:
    """Straight marks, which pair up within a line, pair up over lines broken for their width."""
    text = textwrap.fill(
        'The mayor told reporters outside the hall that evening: "We will rebuild this bridge before '
        'the winter comes, whatever it may cost the city and its people," and then she left at once '
        "without taking any of the questions that were shouted at her.",
        50,
    )
    tokens = tokens_of(text)
    quoted = [
        text[start:end]
        for start, end, flag in zip(tokens.starts, tokens.ends, tokens.flags, strict=True)
        if flag & QUOTED
    ]
    assert (quoted[0], quoted[-1], len(quoted)) == ("We", "people", 18)


@pytest.mark.parametrize(
    "text",
    [
        "Cast\nActor One\nActor Two\nActor Three With A Name\nActor Four",
        "First\nThis one is a long paragraph of more than forty code points\nlast\nand another one",
        "\n".join(f"{k}. item number {k} of the list of things" for k in range(9)),
        "Ein Satz mit mehr als vierzig Zeichen steht hier.\nNoch einer, der ist kurz.\nEnde.",
    ],
)
def test_lists_and_short_lines_stay(text: str) -> None:
    """Lines that were not filled to a width stay paragraphs of their own."""
    assert paragraphs_of(text) == text.split("\n")


@given(st.lists(st.text("ab “”.\n", max_size=30), max_size=8))
@examples
def test_every_token_is_in_one_paragraph(parts: list[str]) -> None:
    """Paragraphs are in order, do not overlap, and hold every token whole."""
    text = "\n".join(parts)
    tokens = tokens_of(text)
    spans = spans_of_paragraphs(text, tokens)
    assert all(start < end for start, end in spans)
    assert all(spans[k][1] <= spans[k + 1][0] for k in range(len(spans) - 1))
    assert all(any(s <= at < e for at in tokens.starts.tolist()) for s, e in spans)
    for start, end in zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True):
        assert sum(first <= start and end <= last for first, last in spans) == 1


@given(st.integers(40, 100), st.integers(3, 12))
@examples
def test_joining_only_takes_flags_away(width: int, n: int) -> None:
    """The first word of a text always begins a paragraph, and no word becomes one that was none."""
    text = "\n".join(textwrap.fill(p, width) for p in PARAGRAPHS[:n])
    raw, _ = tokenise(Batch.from_articles([Article(id="", text=text)]))
    joined = tokens_of(text).flags & PARAGRAPH
    assert joined[0] == PARAGRAPH
    assert not (joined & ~raw.flags).any()


def test_a_long_paragraph_among_others_stays() -> None:
    """Only a paragraph that is nearly the whole text is shown by its sentences."""
    long = " ".join(f"Sentence {k} of many words follows." for k in range(60))
    assert paragraphs_of(f"{long}\n{' '.join(PARAGRAPHS)}")[0] == long
    assert len(paragraphs_of(f"Title\n{long}")) == 61


def test_a_piece_without_words_goes_with_a_sentence() -> None:
    """What stands before the first word belongs to the first sentence."""
    assert paragraphs_of("... Hello there. Next one.") == ["... Hello there.", "Next one."]


def test_one_line_gives_its_sentences() -> None:
    """A text without any line break is shown by its sentences."""
    found = paragraphs_of(" ".join(PARAGRAPHS))
    assert found[0] == PARAGRAPHS[0]
    assert found[1].endswith("reign of terror.")
    assert len(found) > len(PARAGRAPHS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. Bali spoke. He left!", ["Mr. Bali spoke.", "He left!"]),
        (
            "The U.S. officials met J. R. Smith. Done.",
            ["The U.S. officials met J. R. Smith.", "Done."],
        ),
        ("“We won.” She left.", ["“We won.”", "She left."]),
        (
            "Am 3. Mai kam z.B. Herr Dr. Meier. Er blieb.",
            ["Am 3. Mai kam z.B. Herr Dr. Meier.", "Er blieb."],
        ),
        ("Er kam um 3.30 Uhr … und ging.", ["Er kam um 3.30 Uhr … und ging."]),
        ("他来了。她走了！「好。」他说。", ["他来了。", "她走了！", "「好。」", "他说。"]),
        ("یہ پہلا جملہ ہے۔ یہ دوسرا ہے۔", ["یہ پہلا جملہ ہے۔", "یہ دوسرا ہے۔"]),
        ("यह पहला है। यह दूसरा है।", ["यह पहला है।", "यह दूसरा है।"]),
        ("هل جاء؟ نعم.", ["هل جاء؟", "نعم."]),
        ("", []),
        ("  \n ", []),
        ("no end", ["no end"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    """Sentences of many languages, with abbreviations, initials, numbers and quotation marks."""
    assert [text[start:end] for start, end in sentences(text)] == expected


def test_hostile_text_has_bounded_matches() -> None:
    """Endless end marks are cut into pieces, none of them lost."""
    text = "a" + "." * 5000 + "”" * 5000 + " b"
    spans = sentences(text)
    assert "".join(text[start:end] for start, end in spans).replace(" ", "") == text.replace(
        " ", ""
    )
