"""What `dedupe query` prints: what an index knows of an article, and the article as it reads."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from dedupe._page import Page, count, name_of, percent, safe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from dedupe.index import Match
    from dedupe.index._records import Family, Reuse, ReusedPassage
    from dedupe.records import Article

__all__ = ["print_match"]

_OWN = "green"
_ASIDE = "dim"
_INDENT = Text("   ")


def print_match(console: Console, match: Match, article: Article, family: Family | None) -> None:
    """Print what an index knows of an article; texts are never read as markup.

    Lines are wrapped for a terminal only: elsewhere a paragraph is a line.

    Args:
        console: where it goes.
        match: what the index said.
        article: what it was asked about.
        family: the one that the match names.
    """
    page = Page(console)
    page.text(name_of(article), "bold")
    known = (article.title, article.source, article.published)
    if any(known):
        page.text(", ".join(safe(value) for value in known if value), margin=_INDENT)
    own = f", {match.added_words:,} of them its own" if match.reuses else ""
    page.text(f"{count(match.words, 'word')}{own}", margin=_INDENT)
    page.text()
    page.text(_verdict(match), "bold")
    for note in _notes(match, family):
        page.text(note)
    page.text()
    if match.reuses:
        page.title("Shares text with")
        for number, reuse in enumerate(match.reuses, 1):
            _print_reuse(page, number, reuse)
        page.text()
    if match.passages:
        page.title("As it reads")
        for block in _blocks(match, article.text):
            _print_block(page, block)


def _verdict(match: Match) -> str:
    """The outcome in a sentence."""
    if match.too_short:
        return "It is too short to be found in anything."
    if not match.reuses:
        return "Unique: no earlier article of the index shares text with it."
    best = match.reuses[0]
    of = safe(best.of)
    if best.kind == "exact":
        return f"Exact copy: it has the words of {of}, in the same order."
    name = "Near copy" if best.kind == "near" else "Partial reuse"
    return f"{name}: {percent(best.article_in_other)} of its words stand in {of}."


def _notes(match: Match, family: Family | None) -> Iterable[str]:
    if match.status == "unchanged":
        yield "The index has this id with this text."
    if match.status == "revised":
        yield "The index has this id with another text."
    if family is not None:
        first = f", first seen {family.first_seen[:10]}" if family.first_seen else ""
        sources = f" from {count(len(family.sources), 'source')}" if family.sources else ""
        members = count(len(family.members), "article")
        yield f"Family {family.name}: {members}{sources}{first}."
    if not match.verified:
        yield "The index keeps no texts: shares are estimates, and passages are not known."
    if match.left_out:
        yield f"{count(match.left_out, 'more candidate')} not looked at, being more than max_matches."


def _print_reuse(page: Page, number: int, reuse: Reuse) -> None:
    page.text(f"[{number}] {reuse.kind}  {safe(reuse.of)}", "bold")
    known = (reuse.title, reuse.source, reuse.published, reuse.url)
    told = [safe(value) for value in known if value and value != reuse.of]
    if told:
        page.text(", ".join(told), margin=_INDENT)
    page.text(
        f"{count(reuse.shared_words, 'word')}: {percent(reuse.article_in_other)} of this article, "
        f"{percent(reuse.other_in_article)} of that one; without quotations and boilerplate "
        f"{percent(reuse.net_article_in_other)} and {percent(reuse.net_other_in_article)}; "
        f"resemblance {reuse.resemblance:.2f}",
        margin=_INDENT,
    )


# The article as it reads ----------------------------------------------------------------------


class _Block(NamedTuple):
    """A stretch of the article.

    Attributes:
        number: of the earlier article that has it, 0 where it is the article's own.
        passages: that it is made of.
        text: raw.
    """

    number: int
    passages: list[ReusedPassage]
    text: str


def _blocks(match: Match, text: str) -> list[_Block]:
    """The article in stretches that are of one earlier article, or its own: all of its text."""
    numbers = {of: k for k, of in enumerate(match.of, 1)}
    pieces: list[tuple[int, int, ReusedPassage | None]] = [
        (numbers[passage.of], passage.start, passage) for passage in match.passages
    ]
    pieces += [(0, start, None) for start, _ in match.added or ()]
    pieces.sort(key=lambda piece: piece[1])
    groups = [list(group) for _, group in groupby(pieces, key=lambda piece: piece[0])]
    # White space and marks between two stretches stay with the first of them.
    ends = [group[0][1] for group in groups[1:]] + [len(text)]
    blocks = []
    start = 0
    for group, end in zip(groups, ends, strict=True):
        passages = [passage for _, _, passage in group if passage is not None]
        blocks.append(_Block(group[0][0], passages, text[start:end]))
        start = end
    return blocks


def _print_block(page: Page, block: _Block) -> None:
    aside = bool(block.passages) and all(passage.role != "body" for passage in block.passages)
    style = _ASIDE if aside else "" if block.number else _OWN
    margin = None
    if page.width:
        margin = Text.assemble(" " * 6, ("▎ ", style))
        label = f"[{block.number}]" if block.number else ""
        first = Text.assemble(f"{label:>5} ", ("▎ ", style))
        page.text(_heading(block), f"bold {style}".rstrip(), margin=first)
    else:
        page.text(f"[{block.number}] {_heading(block)}" if block.number else _heading(block))
    for line in re.split(r"\s*\n\s*", block.text.strip()):
        told = safe(line)
        if page.marks and not block.number:
            told = f"{{+{told}+}}"
        page.text(told, style, margin)
    page.text()


def _heading(block: _Block) -> str:
    if not block.number:
        return "its own"
    kinds = dict.fromkeys(passage.kind for passage in block.passages)
    roles = dict.fromkeys(passage.role for passage in block.passages if passage.role != "body")
    moved = ["moved"] * any(passage.moved for passage in block.passages)
    words = count(sum(passage.words for passage in block.passages), "word")
    return f"{', '.join([*kinds, *moved, *roles])} ({words} shared)"
