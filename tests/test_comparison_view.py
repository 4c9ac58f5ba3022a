"""The view of a comparison: B as it reads, marked; then what A has besides."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from dedupe._comparison import print_comparison, sections_of_a, sections_of_b
from dedupe.comparing import compare
from dedupe.records import Article
from dedupe.tokens import tokenise_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dedupe._comparison import Piece, Section

STORM = (
    "The storm reached the coast on Monday night, officials said, and left 12 people dead in "
    "three towns north of the capital.\n"
)
BRIDGE = (
    "A bridge over the river gave way shortly after midnight (local time), cutting the only road "
    "to the harbour for several hours.\n"
)
MINISTER = (
    "The minister of transport promised on Tuesday that the road would be open again before the "
    "end of the week.\n"
)
MAYOR = "“We have never seen anything like this in all our years here,” the mayor said.\n"


def _printed(a: str, b: str, *, words: bool = False, **console: Any) -> str:
    """What is printed: by default as into a pipe."""
    out = io.StringIO()
    print_comparison(
        Console(file=out, highlight=False, **console),
        compare(a, b),
        Article(id="a.txt", text=a),
        Article(id="b.txt", text=b),
        words=words,
    )
    return out.getvalue()


def _body(a: str, b: str, *, words: bool = False) -> list[str]:
    """The lines for B as it reads, without empty ones."""
    printed = _printed(a, b, words=words)
    body = printed.split("== B as it reads ==\n")[1].split("\n== In A, not in B")[0]
    return [line for line in body.split("\n") if line]


def _rest(a: str, b: str) -> list[str]:
    """The lines for what A has and B has not, without empty ones."""
    rest = _printed(a, b).split("== In A, not in B")[1].split("\n== ")[0]
    return [line for line in rest.split("\n")[1:] if line]


def _pieces(sections: Sequence[Section]) -> list[Piece]:
    return [piece for section in sections for line in section.lines for piece in line]


# Paragraphs -----------------------------------------------------------------------------------


def test_a_text_with_itself() -> None:
    """A text compared with itself is kept, all of it, and nothing is missing."""
    text = STORM + BRIDGE

    assert _body(text, text) == [
        "¶1 kept, from ¶1 (22 of 22 words shared)",
        STORM.strip(),
        "¶2 kept, from ¶2 (22 of 22 words shared)",
        BRIDGE.strip(),
    ]
    assert _rest(text, text) == []
    assert "B has the words of A, all 44, in the same order." in _printed(text, text)


def test_a_moved_paragraph() -> None:
    """A paragraph put elsewhere is said to be moved, and from where."""
    lines = _body(STORM + BRIDGE + MINISTER, BRIDGE + MINISTER + STORM)

    assert lines[::2] == [
        "¶1 kept, from ¶2 (22 of 22 words shared)",
        "¶2 kept, from ¶3 (20 of 20 words shared)",
        "¶3 moved from ¶1 (22 of 22 words shared)",
    ]


def test_a_split_paragraph() -> None:
    """Both parts of a paragraph that was split say where they come from."""
    lines = _body(STORM.strip() + " " + BRIDGE + MINISTER, STORM + BRIDGE + MINISTER)

    assert lines[::2] == [
        "¶1 split, from ¶1 (22 of 22 words shared)",
        "¶2 split, from ¶1 (22 of 22 words shared)",
        "¶3 kept, from ¶2 (20 of 20 words shared)",
    ]


def test_a_merged_paragraph() -> None:
    """In a paragraph made of two, each part is marked with where it comes from."""
    lines = _body(STORM + BRIDGE + MINISTER, STORM.strip() + " " + BRIDGE + MINISTER)

    assert lines[:2] == [
        "¶1 merged, from ¶1 and ¶2 (44 of 44 words shared)",
        f"‹¶1› {STORM.strip()} ‹¶2› {BRIDGE.strip()}",
    ]


def test_what_was_dropped_and_added() -> None:
    """What is new is marked as a whole; what was dropped comes after, with its number."""
    assert _body(STORM + BRIDGE, STORM + MINISTER)[2:] == [
        "¶2 added (20 words)",
        "{+" + MINISTER.strip() + "+}",
    ]
    assert _rest(STORM + BRIDGE, STORM + MINISTER) == ["¶2 dropped (22 words)", BRIDGE.strip()]


def test_dropped_parts_have_ellipses() -> None:
    """Of a paragraph that was cut only what is missing is shown, and that more was around it."""
    lines = _rest(STORM.strip() + " " + BRIDGE + MINISTER, BRIDGE + MINISTER)

    assert lines[1:] == [f"{STORM.strip()} …"]


def test_a_quotation_is_called_one() -> None:
    """A paragraph that shares only what somebody said is a quotation."""
    assert _body(STORM + MAYOR, BRIDGE + MAYOR)[2:] == [
        "¶2 quotation, from ¶2 (15 of 15 words shared)",
        MAYOR.strip(),
    ]


def test_furniture_is_called_boilerplate() -> None:
    """Page furniture is boilerplate, shared or not."""
    assert _body(STORM + "Share this article\n", STORM + "Share this article\n")[2:] == [
        "¶2 boilerplate, from ¶2 (3 of 3 words shared)",
        "Share this article",
    ]


def test_nothing_in_common() -> None:
    """Texts without a passage in common are shown as added and dropped."""
    assert _body(STORM, BRIDGE) == ["¶1 added (22 words)", "{+" + BRIDGE.strip() + "+}"]
    assert "no passage of A stands in B" in _printed(STORM, BRIDGE)
    assert "resemblance  0.00: nothing in common" in _printed(STORM, BRIDGE)


@pytest.mark.parametrize("text", ["***", "", "\n\n", " — \n…"])
def test_texts_without_words(text: str) -> None:
    """A text without any word is shown as it is, or, if empty, not at all."""
    shown = " ".join(text.split())

    assert _body(STORM, text) == ([f"{{+{shown}+}}"] if shown else [])
    assert _body(text, STORM)[1:] == ["{+" + STORM.strip() + "+}"]


# Words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("12 people", "14 people", "left [-12-] {+14+} people"),
        ("left 12", "left at least 12", "left {+at least+} 12"),
        ("on Monday night", "on night", "on [-Monday-] night"),
        ("on Monday night,", "on Monday,", "Monday [-night-], officials"),
        ("night, officials", "night, local officials", "night, {+local+} officials"),
        ("said, and left", "said, left", "said, [-and-] left"),
        ("said, and left", "said left", "said [-and-] left"),
        ("Monday night", "Monday, night", "Monday, night"),
        ("on Monday night", "on, night", "on, [-Monday-] night"),
        ("three towns", "“three” towns", "in “three” towns"),
        ("three towns", "“four” towns", "in “[-three-] {+four+}” towns"),
    ],
)
def test_changed_words(old: str, new: str, shown: str) -> None:
    """Changed words are marked where they stand, punctuation and spaces as in B around them."""
    (line,) = _body(STORM, STORM.replace(old, new))[1:]

    assert shown in line
    assert line.count("[-") + line.count("{+") == shown.count("[-") + shown.count("{+")


def test_a_word_deleted_before_a_new_paragraph() -> None:
    """A word that began a sentence is shown as deleted where that sentence begins now."""
    a = STORM.strip() + " Meanwhile a bridge" + BRIDGE.removeprefix("A bridge") + MINISTER
    lines = _body(a, STORM + BRIDGE + MINISTER)

    assert lines[1] == STORM.strip()
    assert lines[3] == "[-Meanwhile-] " + BRIDGE.strip()


def test_words_of_scripts_without_spaces() -> None:
    """Between changed words of scripts without spaces no space is put."""
    a = "国家统计局今天发布数据显示，9月份全国居民消费价格同比上涨1.6%，涨幅比上月回落0.2个百分点。\n"
    (line,) = _body(a, a.replace("今", "昨"))[1:]

    assert line == a.strip().replace("今", "[-今-]{+昨+}")


def test_rewritten_text_stands_below_what_it_was() -> None:
    """Where most words were changed A's text and B's are shown whole, unless words are wanted."""
    a = "At noon, " + STORM + BRIDGE
    b = STORM.replace("12 people", "14 people").replace("The storm", "It", 1) + MINISTER
    comparison = compare(a, b)
    (passage,) = comparison.passages
    passage = replace(passage, kind="rewritten")
    comparison = replace(comparison, passages=(passage,))

    assert [
        [(piece.kind, piece.text) for piece in line]
        for line in sections_of_b(comparison, a, b)[0].lines
    ] == [
        [("note", "A ¶1: "), ("former", "… reached" + STORM.strip().partition("reached")[2])],
        [
            ("added", "It"),
            ("rewritten", " reached" + b.partition("\n")[0].partition(" reached")[2]),
        ],
    ]
    (line,) = sections_of_b(comparison, a, b, words=True)[0].lines
    assert [
        (piece.kind, piece.text) for piece in line if piece.kind in ("deleted", "inserted")
    ] == [
        ("deleted", "12 "),
        ("inserted", "14"),
    ]


# Properties -----------------------------------------------------------------------------------

WORDS = (
    *("river", "town", "said,", "(the", "first)", "“no", "never”", "U.S.-led", "—", "7.5", "rose"),
    *("officials", "in", "of", "May", "and", "سیلاب", "城市", "水", "don’t"),
)
SENTENCES = st.builds(
    lambda words, end: " ".join(words).capitalize() + end,
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=14),
    st.sampled_from([".", "!", "", ".”", "…"]),
)
PARAGRAPHS = st.lists(SENTENCES, max_size=3).map(" ".join)
TEXTS = st.lists(PARAGRAPHS, min_size=1, max_size=6)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, str]:
    """A text, and one made of its paragraphs in another order, edited, and of new ones."""
    ours = draw(TEXTS)
    theirs = draw(TEXTS)
    taken = draw(st.lists(st.sampled_from([*ours, *theirs]), min_size=1, max_size=6))
    edited = []
    for paragraph in taken:
        words = paragraph.split(" ")
        for k in draw(st.lists(st.integers(0, len(words) - 1), max_size=3)):
            words[k] = draw(st.sampled_from(["", "changed", "new words,", words[k]]))
        edited.append(" ".join(words))
    join = draw(st.sampled_from(["\n", "\n\n", " ", "\n***\n"]))
    return "\n".join(ours), join.join(edited)


@settings(max_examples=150, deadline=None)
@given(pairs(), st.booleans())
def test_all_of_b_is_shown_once(pair: tuple[str, str], words: bool) -> None:
    """Every code point of B is in one piece, in order; without its marks the page is B's text."""
    a, b = pair
    sections = sections_of_b(compare(a, b), a, b, words=words)
    shown = [p for p in _pieces(sections) if p.kind not in ("deleted", "former", "note")]

    assert "".join(piece.text for piece in shown) == b

    lines = [line for line in _body(a, b, words=words) if not re.match(r"¶\d|A ¶\d+: ", line)]
    text = re.sub(r"\[-.*?-\]|‹¶?\d*[^›]*›|\{\+|\+\}", "", " ".join(lines))
    assert "".join(text.split()) == "".join(b.split())


@settings(max_examples=100, deadline=None)
@given(pairs())
def test_all_words_of_a_are_shown(pair: tuple[str, str]) -> None:
    """Word by word, what is shared, deleted and dropped is all of A."""
    a, b = pair
    comparison = compare(a, b)
    deleted = [
        piece.text
        for piece in _pieces(sections_of_b(comparison, a, b, words=True))
        if piece.kind == "deleted"
    ]
    dropped = [piece.text for piece in _pieces(sections_of_a(comparison, a))]
    words = sum(len(tokenise_text(text).starts) for text in deleted + dropped)

    assert words + comparison.shared_words == comparison.words_a


# Terminals ------------------------------------------------------------------------------------


def _on_terminal(a: str, b: str, width: int = 60, **console: Any) -> str:
    return _printed(
        a, b, **{"force_terminal": True, "width": width, "color_system": "standard", **console}
    )


def test_a_terminal_has_colours_and_no_marks() -> None:
    """On a terminal words are coloured, lines fit, and a legend explains."""
    changed = STORM.replace("12 people", "14 people").replace("Monday night", "Monday")
    printed = _on_terminal(STORM, changed)

    assert "\x1b[9;31m12\x1b[0m \x1b[4;32m14\x1b[0m" in printed
    assert "[-" not in printed
    assert "inserted" in printed
    plain = re.sub(r"\x1b\[[\d;]*m", "", printed)
    assert max(map(len, plain.split("\n"))) <= 60
    assert " ¶1 ▎ edited, from ¶1" in plain


def test_a_terminal_without_colours_has_marks() -> None:
    """Without colours the marks of a pipe are used, in lines that fit."""
    printed = _on_terminal(STORM, STORM.replace("12", "14"), no_color=True)

    assert "[-12-] {+14+}" in printed
    assert "\x1b[4" not in printed
    assert max(map(len, printed.split("\n"))) <= 60


def test_a_wide_terminal_is_not_filled() -> None:
    """Lines are at most a hundred columns: longer ones are hard to read."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", _on_terminal(STORM * 3, STORM * 3, width=300))

    assert 80 < max(map(len, plain.split("\n"))) <= 100


def test_a_narrow_terminal() -> None:
    """Even the narrowest terminal shows everything."""
    plain = re.sub(r"\x1b\[[\d;]*m|[▎\s]", "", _on_terminal(STORM, STORM, width=10))

    assert "".join(STORM.split()) in plain


def test_wide_letters_fit() -> None:
    """Letters that take two columns are counted as two."""
    text = "国家统计局今天发布数据显示，9月份全国居民消费价格同比上涨1.6%，" * 3 + "\n"
    plain = re.sub(r"\x1b\[[\d;]*m", "", _on_terminal(text, text, width=60))
    lines = [line for line in plain.split("\n") if "国" in line or "显" in line]

    assert len(lines) > 2
    assert all(len(line) + len(re.findall(r"[\u3000-\uffe0]", line)) <= 60 for line in lines)


# Hostile texts --------------------------------------------------------------------------------


def test_texts_are_no_markup_and_no_escapes() -> None:
    """Nothing in a text colours, clears or reorders a terminal."""
    evil = "[red]alert[/red] \x1b[2J\x9b2J \u202eesrever\u2066 :smile: \a\b end\n"
    for printed in (_printed(STORM + evil, BRIDGE + evil), _printed(evil, STORM + evil)):
        assert "[red]alert[/red]" in printed
        assert ":smile:" in printed
        assert not set(printed) & set("\x1b\x9b\u202e\u2066\a\b")


def test_names_and_titles_are_safe() -> None:
    """Nothing in a file's name or a title does either."""
    out = io.StringIO()
    article = Article(id="\x1b[2J.txt", text=STORM, title="[b]Ti\u202etle", source="\x9b1m")
    print_comparison(Console(file=out), compare(STORM, STORM), article, article)

    assert "[b]Ti\ufffdtle, \ufffd1m" in out.getvalue()
    assert not set(out.getvalue()) & set("\x1b\x9b\u202e")


def test_invisible_letters() -> None:
    """Joiners that a script needs stay; what shows nothing and is not needed goes."""
    text = "می\u200cخواهم به خا\u00adنه بروم و کتاب \u200fبخوانم\ufeff امروز\n"

    assert _body(text, text)[1] == "می\u200cخواهم به خانه بروم و کتاب بخوانم امروز"


def test_white_space_is_single_spaces() -> None:
    """Tabs, other spaces and broken lines of a paragraph are single spaces."""
    text = STORM.replace(" on ", "\t\u3000 on\u00a0")

    assert _body(text, text)[1] == STORM.strip()


# Facts, credits, figures ----------------------------------------------------------------------


def test_facts_that_differ() -> None:
    """Facts that differ are listed with where they stand."""
    printed = _printed(BRIDGE + STORM, STORM.replace("12 people", "14 people"))

    assert "== Facts that differ in reused text, A → B ==\n\nnumber  ¶2 → ¶1  12 → 14\n" in printed


def test_credits() -> None:
    """Sources and who is only cited are told apart."""
    a = "BEIRUT (AP) — " + STORM + "A spokesman told Reuters that the road was closed.\n"

    assert (
        "== Credits ==\n\nA  from AP (dateline ¶1); cites Reuters (¶2)\nB  names no source\n"
        in _printed(a, STORM)
    )


@pytest.mark.parametrize(
    ("n", "shown"), [(1, "(<1 %)"), (199, "(99 %)"), (100, "(50 %)"), (200, "(100 %)")]
)
def test_only_all_is_a_hundred_per_cent(n: int, shown: str) -> None:
    """Shares are rounded, but never to nothing or to all."""
    from dedupe._comparison import _share

    assert _share(n, 201 if n == 1 else 200, n / (201 if n == 1 else 200)).endswith(shown)
