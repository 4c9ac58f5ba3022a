"""Two articles compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples

import dedupe

if TYPE_CHECKING:
    from dedupe.classify import Paragraph

SEEDS = Path(__file__).parent.parent / "seeds"


def seed(number: int) -> str:
    """One of the seeds."""
    return next(SEEDS.glob(f"{number:03}_*")).read_text(encoding="utf-8")


A, B = seed(0), seed(3)


@pytest.fixture(scope="module")
def ap() -> dedupe.Comparison:
    """The two versions of the AP story."""
    return dedupe.compare(A, B)


def paragraph(comparison: dedupe.Comparison, side: str, beginning: str) -> Paragraph:
    """The paragraph of one side that begins so."""
    text = A if side == "a" else B
    (found,) = (
        p for p in comparison.paragraphs if p.side == side and text.startswith(beginning, p.start)
    )
    return found


@pytest.mark.parametrize(
    ("beginning", "kind", "source"),
    [
        ("Losing Raqqa", "moved", "Losing Raqqa"),
        ("The latest battle", "kept", "The latest battle"),
        ("On Saturday, the SDF said", "kept", "On Saturday, the SDF said"),
        ("Militants seized Raqqa", "edited", "Militants seized Raqqa"),
        ("U.S. officials have said", "split", "The Observatory said"),
        ("SDF officials deny", "split", "The Observatory said"),
        ("Hundreds of terrified", "split", "Scores of civilians"),
        ("A new video", "split", "Scores of civilians"),
        ("“They are still able", "quotation", "“Our forces are waging"),
    ],
)
def test_where_paragraphs_come_from(
    ap: dedupe.Comparison, beginning: str, kind: str, source: str
) -> None:
    """Each reused paragraph of the shorter version comes from its place in the longer one."""
    found = paragraph(ap, "b", beginning)
    assert (found.kind, found.links[0].number) == (kind, paragraph(ap, "a", source).number)


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        ("Over the past months, Mayadeen", "dropped"),
        ("The town, on the western bank", "dropped"),
        ("The fall of Mayadeen", "dropped"),
        ("Scores of civilians", "split"),
        ("The Observatory said", "split"),
        ("(Copyright (c) 2024", "boilerplate"),
        ("Join our Newsletter", "boilerplate"),
    ],
)
def test_what_became_of_paragraphs(ap: dedupe.Comparison, beginning: str, kind: str) -> None:
    """The Mayadeen paragraphs were dropped, two others taken apart; the footer is furniture."""
    assert paragraph(ap, "a", beginning).kind == kind


def test_the_split_paragraph_has_its_last_sentence_in_front(ap: dedupe.Comparison) -> None:
    """The end of the split paragraph stands before the rest of it."""
    source = paragraph(ap, "a", "Scores of civilians")
    pieces = [p for p in ap.passages if source.start <= p.a_start < source.end]
    assert [A[p.a_start : p.a_end].split()[0] for p in pieces] == ["Earlier", "a"]


def test_added_text(ap: dedupe.Comparison) -> None:
    """A sentence put before a reused quotation is added text."""
    assert any(B[start:end].startswith("They are still able to fight") for start, end in ap.added)
    assert not any("Losing Raqqa" in B[start:end] for start, end in ap.added)


def test_changed_facts(ap: dedupe.Comparison) -> None:
    """The estimate "about 100" became "100"."""
    assert [(f.kind, f.a, f.b) for f in ap.changed_facts] == [("number", "about 100", "100")]


def test_credits(ap: dedupe.Comparison) -> None:
    """The dateline and the copyright line are a source, what somebody told AP a citation."""
    assert [(c.agency, c.role) for c in ap.credits_a] == [
        ("AP", "dateline"),
        ("AP", "citation"),
        ("AP", "copyright"),
    ]
    assert [(c.agency, c.role) for c in ap.credits_b] == [("AP", "citation")]


def test_shares_have_numerator_and_denominator(ap: dedupe.Comparison) -> None:
    """Each share is what it says: shared words over words, raw and net."""
    assert ap.a_in_b == ap.shared_words / ap.words_a
    assert ap.b_in_a == ap.shared_words / ap.words_b
    assert ap.net_a_in_b == ap.net_shared_words / ap.net_words_a
    assert ap.net_b_in_a == ap.net_shared_words / ap.net_words_b
    assert ap.words_a - ap.net_words_a >= 30  # the footer alone
    assert ap.kind == "partial"
    assert ap.grade == "wholly"  # as people graded such texts of COUNTER


def test_scan_and_compare_agree(ap: dedupe.Comparison) -> None:
    """The same alignment fills the passages of a scan."""
    result = dedupe.scan(SEEDS)
    (pair,) = result.pairs.iter_rows(named=True)
    assert pair["shared_words"] == ap.shared_words
    assert [
        (row["a_start"], row["a_end"], row["b_start"], row["b_end"], row["kind"], row["moved"])
        for row in result.passages.iter_rows(named=True)
    ] == [(p.a_start, p.a_end, p.b_start, p.b_end, p.kind, p.moved) for p in ap.passages]


def test_as_a_dictionary(ap: dedupe.Comparison) -> None:
    """Everything goes into JSON and comes back."""
    record = ap.to_dict()
    assert json.loads(json.dumps(record)) == json.loads(json.dumps(record, sort_keys=True))
    assert record["passages"][0]["b_start"] == ap.passages[0].b_start
    assert record["added"][0] == {"start": ap.added[0].start, "end": ap.added[0].end}


def test_identical_texts() -> None:
    """A text is one verbatim passage of itself and its footer another, and nothing is added."""
    same = dedupe.compare(A, A)
    assert (same.kind, same.grade, same.a_in_b, same.resemblance) == ("exact", "wholly", 1, 1)
    assert [(p.kind, p.role) for p in same.passages] == [
        ("verbatim", "body"),
        ("verbatim", "boilerplate"),
    ]
    assert len(dedupe.compare(B, B).passages) == 1
    assert not same.added
    assert {p.kind for p in same.paragraphs} <= {"kept", "boilerplate", "quotation"}


@pytest.mark.parametrize(("a", "b"), [("", ""), ("", A), (A, ""), ("…", "!"), (A, "Nothing here.")])
def test_nothing_shared(a: str, b: str) -> None:
    """Empty and unrelated texts share nothing, and that is no error."""
    found = dedupe.compare(a, b)
    assert (found.kind, found.grade, found.shared_words, found.passages) == ("none", "none", 0, ())


def test_articles_and_settings() -> None:
    """Articles do as well as texts, and settings go by name."""
    found = dedupe.compare(dedupe.Article(id="a", text=A), dedupe.Article(id="b", text=B), near=0.2)
    assert found.kind == "near"
    with pytest.raises(dedupe.ConfigError, match="unknown setting"):
        dedupe.compare(A, B, nearness=1)


def test_hard_wrapped_text(ap: dedupe.Comparison) -> None:
    """Lines broken to fit a width change nothing but offsets."""
    import textwrap

    wrapped = "\n\n".join(textwrap.fill(p, 72) for p in A.split("\n\n"))
    found = dedupe.compare(wrapped, B)
    assert found.shared_words == ap.shared_words
    assert [p.kind for p in found.paragraphs] == [p.kind for p in ap.paragraphs]


def test_one_line(ap: dedupe.Comparison) -> None:
    """Of a text without line breaks the sentences are the units."""
    found = dedupe.compare(" ".join(A.split()), " ".join(B.split()))
    kinds = {p.kind for p in found.paragraphs if p.side == "b"}
    assert {"kept", "added"} <= kinds
    assert abs(found.shared_words - ap.shared_words) <= 20


@given(st.text("ab .\n“”3é中", max_size=80), st.text("ab .\n“”3é中", max_size=80))
@examples
def test_any_text(a: str, b: str) -> None:
    """Spans are in range, passages do not overlap in b, and sides exchange with the texts."""
    found, turned = dedupe.compare(a, b), dedupe.compare(b, a)
    last = 0
    for p in found.passages:
        assert last <= p.b_start < p.b_end <= len(b)
        assert 0 <= p.a_start < p.a_end <= len(a)
        last = p.b_end
    assert found.shared_words == turned.shared_words
    assert {(p.a_start, p.a_end, p.b_start, p.b_end, p.kind) for p in found.passages} == {
        (p.b_start, p.b_end, p.a_start, p.a_end, p.kind) for p in turned.passages
    }
    assert found.added == turned.dropped
