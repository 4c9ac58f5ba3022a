"""What `dedupe compare` prints: B as it reads, with what became of A's words; then the rest of A.

B takes three forms on its way: spans, with what stood there in A; pieces of each paragraph; and
lines of these, coloured on a terminal, and elsewhere in the marks of wdiff.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from rich.text import Text

from dedupe._page import Page, count, name_of, percent, safe
from dedupe.classify import ParagraphKind
from dedupe.furniture import is_unspaced
from dedupe.tokens import tokenise_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from dedupe.classify import Edit, Link, Paragraph
    from dedupe.comparing import Comparison, Passage
    from dedupe.credits import Credit
    from dedupe.records import Article

__all__ = ["Piece", "Section", "print_comparison", "sections_of_a", "sections_of_b"]

PieceKind = Literal["same", "deleted", "inserted", "added", "former", "rewritten", "note"]

_MARKS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("deleted", "former"), ("[-", "-]")),
    **dict.fromkeys(("inserted", "added", "rewritten"), ("{+", "+}")),
}

# The eight colours that every terminal has, but for those hard to see on white or on black.
_STYLES: dict[str, str] = {
    "same": "",
    "deleted": "red strike",
    "inserted": "green underline",
    "added": "green",
    "former": "red",
    "rewritten": "magenta",
    "note": "dim",
}
_MOVED, _ASIDE = "cyan", "dim"
_BARS: dict[ParagraphKind, str] = {
    "moved": _MOVED,
    "rewritten": _STYLES["rewritten"],
    "added": _STYLES["added"],
    "dropped": "red",
    "quotation": _ASIDE,
    "boilerplate": _ASIDE,
}
_LEGEND = (
    ("as in A", ""),
    ("moved", _MOVED),
    ("deleted", _STYLES["deleted"]),
    ("inserted", _STYLES["inserted"]),
    ("added", _STYLES["added"]),
    ("rewritten", _STYLES["rewritten"]),
    ("what A had for it", _STYLES["former"]),
    ("quotation, boilerplate", _ASIDE),
)

_GRADES = {
    "wholly": "B is wholly derived from A",
    "partially": "B is partially derived from A",
    "none": "B is not derived from A",
}


class Piece(NamedTuple):
    """Text of one kind.

    Attributes:
        kind: "same" as in A; words "deleted" or "inserted" in a passage; text "added" outside
            passages; "former" text of A for what was "rewritten" in B; a "note" on what follows.
        text: raw; white space at its ends is never marked.
        moved: whether its passage moved.
        aside: whether it is quotation or boilerplate.
    """

    kind: PieceKind
    text: str
    moved: bool = False
    aside: bool = False


class Section(NamedTuple):
    """A paragraph as it is shown.

    Attributes:
        paragraph: None where a text has no words.
        lines: pieces of each line: for B what A had for rewritten text, then the text.
    """

    paragraph: Paragraph | None
    lines: list[list[Piece]]


# B, paragraph by paragraph --------------------------------------------------------------------


class _Span(NamedTuple):
    """A stretch of B of one kind.

    Attributes:
        source: paragraph of A with the same text.
        edit: what stood there in A.
    """

    start: int
    end: int
    kind: PieceKind
    passage: Passage | None = None
    source: int = 0
    edit: Edit | None = None


def sections_of_b(comparison: Comparison, a: str, b: str, *, words: bool = False) -> list[Section]:
    """The paragraphs of B, in order, with every code point of it in one piece, once.

    Args:
        words: show changes word by word, even in what was rewritten.
    """
    paragraphs: list[Paragraph | None] = [p for p in comparison.paragraphs if p.side == "b"]
    ends = [p.end for p in comparison.paragraphs if p.side == "b"]
    places = _Places(comparison, "a", a)
    spans = _with_punctuation(_spans(comparison, places, b, words=words), b, ends)
    sections = []
    at = start = 0
    for paragraph, end in zip(paragraphs or [None], [*ends[:-1], len(b)], strict=True):
        here = []
        while at < len(spans) and (spans[at].start < end or spans[at].end == end):
            here.append(spans[at])
            if spans[at].end > end:  # it goes on in the next paragraph
                break
            at += 1
        sections.append(Section(paragraph, _lines(here, (start, end), paragraph, places, b)))
        start = end
    return sections


def _spans(comparison: Comparison, places: _Places, b: str, *, words: bool) -> list[_Span]:
    """Spans of all words of B, in order."""
    a = places.text
    spans = [_Span(start, end, "added") for start, end in comparison.added]
    for passage in comparison.passages:
        if passage.kind == "rewritten" and not words:
            source = places.number(passage.a_start)
            spans.append(_Span(passage.b_start, passage.b_end, "rewritten", passage, source))
            continue
        left, at = passage.a_start, passage.b_start
        for edit in passage.word_edits if words else passage.edits:
            start = _place(edit, a, b)
            spans += _same(passage, (left, edit.a_start), (at, start), places, b)
            left, at = edit.a_end, max(start, edit.b_end)
            spans.append(_Span(start, at, "inserted", passage, edit=edit))
        spans += _same(passage, (left, passage.a_end), (at, passage.b_end), places, b)
    return sorted(spans, key=lambda span: span[:2])


def _place(edit: Edit, a: str, b: str) -> int:
    """Where in B an edit is shown: of words deleted there, before or after its punctuation."""
    if edit.kind != "deleted":
        return edit.b_start
    if _follows_mark(a, edit.a_start):  # "yes, indeed we": "yes, [-indeed-] we"
        return _next_word(b, edit.b_start)
    if _after_mark(a, edit.a_end) == edit.a_end:  # "sad and tired": "sad, [-and-] tired"
        return _after_mark(b, edit.b_start)
    return edit.b_start  # "on Monday night, they": "on Monday [-night-], they"


def _same(
    passage: Passage, in_a: tuple[int, int], in_b: tuple[int, int], places: _Places, b: str
) -> list[_Span]:
    """A stretch with the same words in both texts, cut where a paragraph of A begins."""
    spans = []
    source, start = places.number(in_a[0]), in_b[0]
    borders = places.starts_within(*in_a)
    if borders:
        of_a = tokenise_text(places.text[in_a[0] : in_a[1]]).starts.tolist()
        of_b = tokenise_text(b[in_b[0] : in_b[1]]).starts.tolist()
        for border in borders:
            k = bisect_left(of_a, border - in_a[0])
            if 0 < k < len(of_b):
                end = _before_mark(b, in_b[0] + of_b[k])
                spans.append(_Span(start, end, "same", passage, source))
                start = end
            source = places.number(border) if k < len(of_b) else source
    return [*spans, _Span(start, in_b[1], "same", passage, source)]


def _with_punctuation(spans: list[_Span], text: str, ends: Sequence[int]) -> list[_Span]:
    """The spans, each with the punctuation around it, so that they cover the text.

    Args:
        ends: of the paragraphs.
    """
    if not spans:
        return [_Span(0, len(text), "added")]
    covering = []
    start = 0
    for span, following in pairwise(spans):
        end = span.end
        if end < following.start:
            border = ends[bisect_right(ends, end - 1)]
            end = border if border <= following.start else _after_mark(text, end)
        covering.append(span._replace(start=start, end=end))
        start = end
    return [*covering, spans[-1]._replace(start=start, end=len(text))]


# Punctuation after a word. A mark that opens belongs to what follows, if anything does at once.
_TAIL = re.compile(r"(?:(?![(\[{“‘«‹„‚「『《〈【（［｛〔]\S)[^\s\w])*")


def _after_mark(text: str, at: int) -> int:
    """Where the punctuation after a word ends that ends at a place."""
    match = _TAIL.match(text, at)
    return match.end() if match else at


def _before_mark(text: str, at: int) -> int:
    """Where the punctuation before a word begins that begins at a place."""
    begin = at
    while begin and not text[begin - 1].isspace():
        begin -= 1
        if _is_word(text[begin]):
            return min(_after_mark(text, begin + 1), at)
    return begin


def _next_word(text: str, at: int) -> int:
    """Where the word after a place begins, or what opens before it."""
    at = _after_mark(text, at)
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _follows_mark(text: str, at: int) -> bool:
    """Whether punctuation parts a word from the one before, such as the comma in "yes, indeed"."""
    while at and text[at - 1].isspace():
        at -= 1
    return at > 0 and not _is_word(text[at - 1])


def _is_word(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNM"


def _lines(
    spans: Sequence[_Span],
    within: tuple[int, int],
    paragraph: Paragraph | None,
    places: _Places,
    b: str,
) -> list[list[Piece]]:
    """A paragraph's lines: what A had for rewritten text, then its own text."""
    former: list[list[Piece]] = []
    pieces: list[Piece] = []
    told: list[str] = []
    for span in spans:
        begins = span.start >= within[0]
        passage = span.passage
        role = "body" if passage is None else _role(passage, paragraph, within)
        if passage is not None and span.source:
            notes = _notes(span, passage.moved, role, paragraph)
            if notes and notes != told:
                pieces.append(Piece("note", f" ‹{', '.join(notes)}› "))
            told = notes
        if passage is not None and span.kind == "rewritten" and begins:
            text = places.excerpt([(passage.a_start, passage.a_end)])
            former.append([Piece("note", f"A ¶{span.source}: "), Piece("former", text)])
        if span.edit is not None and span.edit.kind != "inserted" and begins:
            pieces.append(Piece("deleted", _deleted(span.edit, places.text, b, span.start)))
        text = b[max(span.start, within[0]) : min(span.end, within[1])]
        if text:
            moved = passage is not None and passage.moved
            pieces.append(Piece(span.kind, text, moved, role != "body"))
    return [*former, pieces]


def _role(passage: Passage, paragraph: Paragraph | None, within: tuple[int, int]) -> str:
    """The part a passage plays in a paragraph: where it goes beyond, that of the paragraph."""
    if paragraph is None or (within[0] <= passage.b_start and passage.b_end <= within[1]):
        return passage.role
    return paragraph.kind if paragraph.kind in ("quotation", "boilerplate") else "body"


def _notes(span: _Span, moved: bool, role: str, paragraph: Paragraph | None) -> list[str]:
    """What is to be said of a span that its paragraph's heading does not say."""
    if paragraph is None:
        return []
    notes = [f"¶{span.source}"] if len(paragraph.links) > 1 else []
    if moved and not paragraph.moved:
        notes.append("moved")
    if role not in ("body", paragraph.kind):
        notes.append(role)
    return notes


def _deleted(edit: Edit, a: str, b: str, at: int) -> str:
    """Words of A that are deleted at a place of B, spaced from what stands around it there."""
    text = a[edit.a_start : edit.a_end]
    if edit.kind == "replaced":
        return text if is_unspaced(text[-1]) else f"{text} "
    following = b[at : at + 1]
    before = " " if a[edit.a_start - 1 : edit.a_start].isspace() else ""
    after = " " if following and _is_word(following) and not is_unspaced(following) else ""
    return before + text + after


# A, what is left of it ------------------------------------------------------------------------


class _Places:
    """A text by its paragraphs."""

    def __init__(self, comparison: Comparison, side: str, text: str) -> None:
        self.text = text
        self.paragraphs = [p for p in comparison.paragraphs if p.side == side]
        self._starts = [p.start for p in self.paragraphs]

    def number(self, at: int) -> int:
        """The paragraph that a place is in, from 1."""
        return max(bisect_right(self._starts, at), 1)

    def starts_within(self, start: int, end: int) -> list[int]:
        """Where paragraphs begin between two places."""
        return self._starts[bisect_right(self._starts, start) : bisect_left(self._starts, end)]

    def excerpt(self, spans: Sequence[tuple[int, int]]) -> str:
        """Some of the text, with "…" for what is left out of the paragraphs it is from."""
        first = self.paragraphs[self.number(spans[0][0]) - 1]
        last = self.paragraphs[self.number(spans[-1][1] - 1) - 1]
        parts = []
        for start, end in spans:
            parts.append((_before_mark(self.text, start), _after_mark(self.text, end)))
        text = " … ".join(self.text[start:end] for start, end in parts)
        before = "… " if parts[0][0] > first.start else ""
        return before + text + (" …" if parts[-1][1] < last.end else "")


def sections_of_a(comparison: Comparison, a: str) -> list[Section]:
    """The paragraphs of A of which B leaves out more than single words, with what it leaves out."""
    places = _Places(comparison, "a", a)
    sections = []
    for number, spans in groupby(comparison.dropped, key=lambda span: places.number(span.start)):
        paragraph = places.paragraphs[number - 1]
        aside = paragraph.kind in ("quotation", "boilerplate")
        piece = Piece("same", places.excerpt(list(spans)), aside=aside)
        sections.append(Section(paragraph, [[piece]]))
    return sections


# Lines ----------------------------------------------------------------------------------------


def _line(pieces: Iterable[Piece], *, marks: bool) -> Text:
    """Pieces as one line: in marks, those of one sort in a row as one, or in colours."""
    line = Text()
    spaced = False
    for _, group in groupby(pieces, key=_brackets if marks else None):
        row = list(group)
        text = safe("".join(piece.text for piece in row))
        core = text.strip(" ")
        spaced = spaced or text.startswith(" ")
        if not core:
            continue
        if spaced and line:
            line.append(" ")
        opening, closing = _brackets(row[0]) if marks else ("", "")
        line.append(f"{opening}{core}{closing}", "" if marks else _style(row[0]))
        spaced = text.endswith(" ")
    return line


def _brackets(piece: Piece) -> tuple[str, str]:
    return _MARKS.get(piece.kind, ("", ""))


def _style(piece: Piece) -> str:
    if piece.kind != "same":  # a change matters even in a quotation
        return _STYLES[piece.kind]
    return " ".join([_MOVED] * piece.moved + [_ASIDE] * piece.aside)


# The page -------------------------------------------------------------------------------------


def print_comparison(
    console: Console, comparison: Comparison, a: Article, b: Article, *, words: bool = False
) -> None:
    """Print a comparison for an editor; texts are never read as markup.

    Lines are wrapped for a terminal only: elsewhere a paragraph is a line, so that two results
    can be compared.

    Args:
        words: show changes word by word, even in what was rewritten.
    """
    page = _Page(console)
    _print_head(page, comparison, a, b)
    page.title("B as it reads")
    for section in sections_of_b(comparison, a.text, b.text, words=words):
        page.section(section)
    missing = comparison.words_a - comparison.shared_words
    page.title(f"In A, not in B: {missing:,} of {count(comparison.words_a, 'word')}")
    dropped = sections_of_a(comparison, a.text)
    if missing and not dropped:
        page.text("only words that are marked above")
        page.text()
    for section in dropped:
        page.section(section)
    _print_facts(page, comparison)
    _print_credits(page, comparison)
    _print_figures(page, comparison)


class _Page(Page):
    """A page of paragraphs."""

    def section(self, section: Section) -> None:
        """Print a paragraph under its number and what became of it."""
        paragraph = section.paragraph
        margin = None
        if paragraph is not None:
            bar = "" if self.marks else _BARS.get(paragraph.kind, "")
            number, heading = f"¶{paragraph.number}", _heading(paragraph)
            if self.width:
                margin = Text.assemble(" " * 6, ("▎ ", bar))
                first = Text.assemble(f"{number:>5} ", ("▎ ", bar))
                self.text(heading, f"bold {bar}".rstrip(), margin=first)
            else:
                self.text(f"{number} {heading}")
        for pieces in section.lines:
            self.text(_line(pieces, marks=self.marks), margin=margin)
        self.text()


def _heading(paragraph: Paragraph) -> str:
    """What became of a paragraph, and where its words are in the other article."""
    way = "from" if paragraph.side == "b" else "to"
    links = _numbers(paragraph.links)
    kind = paragraph.kind
    if links and kind == "moved":
        name = f"moved {way} {links}"
    elif links:
        name = f"{kind}, {'moved ' if paragraph.moved else ''}{way} {links}"
    else:
        name = kind
    words = count(paragraph.words, "word")
    shared = f"{paragraph.shared_words:,} of {words} shared" if paragraph.shared_words else words
    return f"{name} ({shared})"


def _numbers(links: Iterable[Link]) -> str:
    *rest, last = [f"¶{n}" for n in sorted(link.number for link in links)] or [""]
    return f"{', '.join(rest)} and {last}" if rest else last


def _print_head(page: _Page, comparison: Comparison, a: Article, b: Article) -> None:
    indent = Text("   ")
    for side, article, words in (("a", a, comparison.words_a), ("b", b, comparison.words_b)):
        page.text(f"{side.upper()}  {name_of(article)}", "bold")
        known = (article.title, article.source, article.published)
        if any(known):
            page.text(", ".join(safe(value) for value in known if value), margin=indent)
        kinds = Counter(p.kind for p in comparison.paragraphs if p.side == side)
        counts = [f"{kinds[kind]:,} {kind}" for kind in get_args(ParagraphKind) if kinds[kind]]
        size = f"{count(words, 'word')}, {count(kinds.total(), 'paragraph')}"
        page.text(": ".join([size, ", ".join(counts)] if counts else [size]), margin=indent)
    page.text()
    page.text(_verdict(comparison), "bold")
    page.text()
    if not page.marks:
        page.text(Text("  ").join(Text(name, style) for name, style in _LEGEND))
        page.text()


def _verdict(comparison: Comparison) -> str:
    """The outcome in a sentence."""
    c = comparison
    if c.kind == "exact":
        return f"B has the words of A, all {c.words_a:,}, in the same order."
    grade = _GRADES[c.grade]
    if not c.shared_words:
        joint = ", though" if c.grade != "none" else ":"
        return f"{grade}{joint} no passage of A stands in B."
    joint = ", though" if c.grade == "none" else ":"
    return (
        f"{grade}{joint} {c.shared_words:,} of its {count(c.words_b, 'word')} "
        f"({percent(c.b_in_a)}) stand in A, and make up {percent(c.a_in_b)} of A's {c.words_a:,}."
    )


def _print_facts(page: _Page, comparison: Comparison) -> None:
    if not comparison.changed_facts:
        return
    of_a, of_b = _Places(comparison, "a", ""), _Places(comparison, "b", "")
    page.title("Facts that differ in reused text, A → B")
    page.table(
        [
            (
                fact.kind,
                f"¶{of_a.number(fact.a_start)} → ¶{of_b.number(fact.b_start)}",
                f"{safe(fact.a).strip() or '–'} → {safe(fact.b).strip() or '–'}",
            )
            for fact in comparison.changed_facts
        ]
    )
    page.text()


def _print_credits(page: _Page, comparison: Comparison) -> None:
    if not comparison.credits_a and not comparison.credits_b:
        return
    page.title("Credits")
    for side, found in (("a", comparison.credits_a), ("b", comparison.credits_b)):
        places = _Places(comparison, side, "")
        sources = [credit for credit in found if credit.is_source]
        cited = [credit for credit in found if not credit.is_source]
        told = f"from {_credited(sources, places)}" if sources else "names no source"
        told += f"; cites {_credited(cited, places)}" if cited else ""
        page.text(f"{side.upper()}  {told}")
    page.text()


def _credited(found: Sequence[Credit], places: _Places) -> str:
    """Agencies, each with where it is named, and as what unless it is cited."""
    named: dict[str, list[str]] = {}
    for credit in found:
        role = f"{credit.role} " if credit.is_source else ""
        named.setdefault(credit.agency, []).append(f"{role}¶{places.number(credit.start)}")
    return ", ".join(
        f"{safe(agency)} ({', '.join(dict.fromkeys(where))})" for agency, where in named.items()
    )


def _print_figures(page: _Page, comparison: Comparison) -> None:
    c = comparison
    page.title("Shared words")
    page.table(
        [
            ("", "A in B", "B in A"),
            (
                "all words",
                _share(c.shared_words, c.words_a, c.a_in_b),
                _share(c.shared_words, c.words_b, c.b_in_a),
            ),
            (
                "without quotations and boilerplate",
                _share(c.net_shared_words, c.net_words_a, c.net_a_in_b),
                _share(c.net_shared_words, c.net_words_b, c.net_b_in_a),
            ),
        ]
    )
    page.text()
    evidence = ", ".join(
        f"{name.replace('_', ' ')} {value:,.{0 if float(value).is_integer() else 2}f}"
        for name, value in c.grade_evidence.items()
    )
    page.table(
        [
            ("resemblance", f"{c.resemblance:.2f}: {_KINDS[c.kind]}"),
            ("grade", f"{c.grade} derived" if c.grade != "none" else "not derived"),
            ("evidence", evidence),
        ]
    )


_KINDS = {
    "exact": "the same words",
    "near": "a near-duplicate",
    "partial": "parts in common",
    "none": "nothing in common",
}


def _share(part: int, whole: int, share: float) -> str:
    return f"{part:,} of {whole:,} ({percent(share)})"
