"""What became of each paragraph."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples

from dedupe.align import A_END, A_START, B_END, B_START, align_pair
from dedupe.classify import Edit, Paragraph, classify_paragraphs, edits_of, outside
from dedupe.paragraphs import spans_of_paragraphs
from dedupe.quotations import mark_quotations
from dedupe.records import Article, Batch
from dedupe.tokens import FURNITURE, Tokens, tokenise

WORDS = [f"{x}{y}{z}" for x in "bdfglm" for y in "aeiou" for z in ("n", "rk", "st", "lo", "mi")]


def tokens_of(text: str) -> Tokens:
    """Tokens of a text, quotations marked."""
    tokens, marks = tokenise(Batch.from_articles([Article(id="", text=text)]))
    mark_quotations(tokens, marks)
    return tokens


def paragraph(seed: int, n: int = 30) -> str:
    """Some words that no other seed gives."""
    return " ".join(f"{WORDS[(seed * 31 + k) % len(WORDS)]}{seed}x{k}" for k in range(n))


def kinds(a: list[str], b: list[str], furniture: str = "") -> tuple[list[str], list[str]]:
    """The kinds of the paragraphs of two articles given by paragraph; "+" says moved."""
    found = classified("\n".join(a), "\n".join(b), furniture)
    told = [p.kind + ("+" if p.moved else "") for p in found]
    return told[: len(a)], told[len(a) :]


def classified(a: str, b: str, furniture: str = "") -> tuple[Paragraph, ...]:
    """The paragraphs of two texts."""
    of_a, of_b = tokens_of(a), tokens_of(b)
    for text, tokens in ((a, of_a), (b, of_b)):
        if furniture and furniture in text:
            at = text.index(furniture)
            inside = (tokens.starts >= at) & (tokens.starts < at + len(furniture))
            tokens.flags[inside] |= FURNITURE
    aligned, partner = align_pair(of_a.hashes, of_a.flags, of_b.hashes, of_b.flags)
    spans = spans_of_paragraphs(a, of_a), spans_of_paragraphs(b, of_b)
    return classify_paragraphs(of_a, of_b, *spans, aligned.passages, partner)


P = [paragraph(k) for k in range(6)]


def test_kept_added_dropped() -> None:
    """What both have is kept, what one has is dropped or added."""
    assert kinds([P[0], P[1], P[2]], [P[0], P[3], P[2]]) == (
        ["kept", "dropped", "kept"],
        ["kept", "added", "kept"],
    )


def test_moved() -> None:
    """The smaller part of what changed its place has moved."""
    assert kinds([P[0], P[1], P[2]], [P[2], P[0], P[1]]) == (
        ["kept", "kept", "moved+"],
        ["moved+", "kept", "kept"],
    )


def test_edited_and_moved() -> None:
    """An edited paragraph that moved is edited, and says that it moved."""
    edited = P[2].split()
    edited[10] = "new"
    assert kinds([P[0], P[1], P[2]], [" ".join(edited), P[0], P[1]])[1] == [
        "edited+",
        "kept",
        "kept",
    ]


def test_rewritten() -> None:
    """Less than two fifths of equal words is rewritten."""
    words = P[1].split()
    kept = " ".join(words[:11]) + " " + paragraph(9, 19)
    assert kinds([P[0], P[1]], [P[0], kept]) == (["kept", "rewritten"], ["kept", "rewritten"])


def test_sentences_turned_round() -> None:
    """A paragraph of which the halves changed places is edited, though no word is new."""
    words = P[1].split()
    turned = " ".join(words[15:] + words[:15])
    assert kinds([P[0], P[1]], [P[0], turned]) == (["kept", "edited"], ["kept", "edited"])


def test_split() -> None:
    """A paragraph set as two was split, and both are pieces of it."""
    words = P[1].split()
    halves = [" ".join(words[:15]), " ".join(words[15:])]
    assert kinds([P[0], P[1]], [P[0], *halves]) == (["kept", "split"], ["kept", "split", "split"])


def test_merged() -> None:
    """Two paragraphs set as one were merged."""
    assert kinds([P[0], P[1], P[2]], [P[0], f"{P[1]} {P[2]}"]) == (
        ["kept", "merged", "merged"],
        ["kept", "merged"],
    )


def test_quotation() -> None:
    """A paragraph of which most is quoted speech that both have is a quotation."""
    assert kinds([P[0], f"“{P[1]},” she said."], [P[2], f"He said: “{P[1]}.”"]) == (
        ["dropped", "quotation"],
        ["added", "quotation"],
    )


def test_a_quotation_of_ones_own_is_added() -> None:
    """Quoted speech that the other article does not have is added text."""
    assert kinds([P[0]], [P[0], f"“{P[1]},” she said."])[1] == ["kept", "added"]


def test_boilerplate() -> None:
    """Furniture is boilerplate whether the other article has it or not."""
    assert kinds([P[0], P[1]], [P[0], P[1]], P[1]) == (["kept", "boilerplate"],) * 2
    assert kinds([P[0]], [P[0], P[1]], P[1]) == (["kept"], ["kept", "boilerplate"])


def test_links_say_where_from_and_how_much() -> None:
    """A merged paragraph names its sources, the larger one first."""
    short = " ".join(P[1].split()[:12])
    *_, merged = classified("\n".join([P[0], P[1], P[2]]), "\n".join([P[0], f"{short} {P[2]}"]))
    assert [(link.number, link.words) for link in merged.links] == [(3, 30), (2, 12)]
    assert (merged.side, merged.number, merged.words, merged.shared_words) == ("b", 2, 42, 42)


@given(st.integers(0, 10**6))
@examples
def test_links_are_mutual(seed: int) -> None:
    """A paragraph of b linked with one of a is linked from there, by as many words."""
    draw = random.Random(seed)
    a = [paragraph(k, draw.randint(3, 30)) for k in range(5)]
    words = [w for k in draw.sample(range(5), 4) for w in a[k].split() if draw.random() < 0.8]
    b = [" ".join(words[k : k + 20]) for k in range(0, len(words), 20)]
    found = classified("\n".join(a), "\n".join(b))
    links = {
        side: {(p.number, k.number, k.words) for p in found if p.side == side for k in p.links}
        for side in "ab"
    }
    assert {(y, x, n) for x, y, n in links["a"]} == links["b"]
    for p in found:
        assert (p.kind in ("added", "dropped")) == (not p.links)
        assert sum(link.words for link in p.links) <= p.shared_words <= p.words


def changes(a: str, b: str, *, readable: bool) -> list[tuple[str, str, str]]:
    """The edits of the only passage of two texts: kind, text before, text after."""
    of_a, of_b = tokens_of(a), tokens_of(b)
    aligned, partner = align_pair(of_a.hashes, of_a.flags, of_b.hashes, of_b.flags)
    (row,) = aligned.passages
    edits = edits_of(row, partner, of_a, of_b, readable=readable)
    return [(e.kind, a[e.a_start : e.a_end], b[e.b_start : e.b_end]) for e in edits]


def test_edits() -> None:
    """Words exchanged, left out and put in are told with their raw text."""
    words = P[0].split()
    b = [*words[:8], "new", *words[9:15], *words[17:22], "more", "still", *words[22:]]
    assert changes(P[0], " ".join(b), readable=True) == [
        ("replaced", words[8], "new"),
        ("deleted", f"{words[15]} {words[16]}", ""),
        ("inserted", "", "more still"),
    ]


def test_islands_are_shown_as_changed() -> None:
    """A word left standing in a phrase that was replaced is part of it, but not word by word."""
    words = P[0].split()
    b = [*words[:10], "one", "two", words[12], "three", *words[14:]]
    exact = [("replaced", " ".join(words[10:12]), "one two"), ("replaced", words[13], "three")]
    assert changes(P[0], " ".join(b), readable=False) == exact
    assert changes(P[0], " ".join(b), readable=True) == [
        ("replaced", " ".join(words[10:14]), f"one two {words[12]} three")
    ]


@given(st.integers(0, 10**6))
@examples
def test_edits_turn_one_text_into_the_other(seed: int) -> None:
    """Doing the edits to the words of a passage of a gives those of b, readable or not."""
    draw = random.Random(seed)
    a = P[0].split() + P[1].split()
    b: list[str] = []
    for word in a:
        if draw.random() < 0.15:
            b += [f"new{len(b)}"] * draw.randint(1, 2)
        if draw.random() > 0.15:
            b.append(word)
    text_a, text_b = " ".join(a), " ".join(b)
    of_a, of_b = tokens_of(text_a), tokens_of(text_b)
    aligned, partner = align_pair(of_a.hashes, of_a.flags, of_b.hashes, of_b.flags)
    for row in aligned.passages:
        for readable in (True, False):
            edits = edits_of(row, partner, of_a, of_b, readable=readable)
            start, end = (int(of_a.starts[row[A_START]]), int(of_a.ends[row[A_END] - 1]))
            goal = text_b[of_b.starts[row[B_START]] : of_b.ends[row[B_END] - 1]]
            assert apply(text_a, text_b, start, end, edits).split() == goal.split()


def apply(a: str, b: str, start: int, end: int, edits: tuple[Edit, ...]) -> str:
    """Part of a with its edits done, by spans."""
    done = []
    for edit in edits:
        done += [a[start : edit.a_start], f" {b[edit.b_start : edit.b_end]} "]
        start = edit.a_end
    return "".join([*done, a[start:end]])


def test_outside() -> None:
    """Runs of words in no passage are cut at paragraphs."""
    text = "one two three\nfour five\nsix"
    tokens = tokens_of(text)
    spans = spans_of_paragraphs(text, tokens)
    found = outside(tokens, [(1, 2), (5, 6)], spans)
    assert [text[start:end] for start, end in found] == ["one", "three", "four five"]


def test_no_words() -> None:
    """Texts without a word have no paragraphs and nothing outside."""
    assert classified("", "…") == ()
    empty = tokens_of("")
    assert outside(empty, [], []) == ()
    assert not len(np.flatnonzero(empty.flags))
