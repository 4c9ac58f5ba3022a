"""A page for a person: wrapped lines, titles and tables, on a terminal or in a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from dedupe._terminal import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from dedupe.records import Article

__all__ = ["Page", "count", "name_of", "percent", "safe"]

WIDEST = 100
"""Columns used of a terminal: longer lines are hard to read."""


class Page:
    """A console, with what it can show.

    Attributes:
        width: columns that lines are wrapped to; 0 where they are not.
        marks: whether there are no colours, so that marks have to stand for them.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self.width = min(console.width, WIDEST) if console.is_terminal else 0
        self.marks = console.color_system is None or console.no_color

    def text(self, text: Text | str = "", style: str = "", margin: Text | None = None) -> None:
        """Print a line, wrapped if this is a terminal, with the margin before every line."""
        line = Text(text, style="" if self.marks else style) if isinstance(text, str) else text
        margin = margin or Text()
        if not self.width:
            self._console.file.write(f"{margin.plain}{line.plain}\n")
            return
        room = max(self.width - cell_len(margin.plain), 20)
        for part in line.wrap(self._console, room, overflow="fold") or [line]:
            part.rstrip()  # or white space at its end would be struck out
            self._console.print(margin + part, soft_wrap=True)

    def title(self, text: str) -> None:
        """Print what comes next."""
        self.text(text if self.width else f"== {text} ==", "bold")
        self.text()

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Print rows, their cells below each other."""
        widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = [cell + " " * (w - cell_len(cell)) for cell, w in zip(row, widths, strict=True)]
            self.text("  ".join(cells).rstrip())


# Marks that join letters, break lines or turn a single mark, and show nothing themselves. Letters
# of Persian and Urdu, and emoji, need the two joiners; the rest a terminal is better off without.
_INVISIBLE = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u2060\ufeff]+")
_JOINERS = re.compile("([\u200c\u200d]+)")


def safe(text: str) -> str:
    """A text for a terminal: white space as single spaces, and nothing that steers or reorders."""
    text = _INVISIBLE.sub("", re.sub(r"\s+", " ", text))
    return "".join(
        part if k % 2 else printable(part) for k, part in enumerate(_JOINERS.split(text))
    )


def name_of(article: Article) -> str:
    """What an article is called: its id, or standard input."""
    return "standard input" if article.id == "-" else safe(article.id)


def percent(share: float) -> str:
    """A share in whole per cent, where only nothing is 0 and only all is 100."""
    if 0 < share < 0.01:
        return "<1 %"
    return f"{min(round(100 * share), 99) if share < 1 else 100} %"


def count(n: int, noun: str) -> str:
    """A number of things: "1 word", "1,200 words"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
