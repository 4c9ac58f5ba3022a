"""What every reader yields and reports to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dedupe.corpus._dates import parse_date
from dedupe.errors import Problem
from dedupe.records import Article

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.records import Batch

__all__ = ["Block", "FileLog", "Row", "Run", "is_blank"]

# Problems of one reason in one file that are listed one by one; the rest become a count.
_LISTED = 20

# Dates that are remembered as they are written; a hundred years have 36,525 days.
_REMEMBERED = 50_000

# Progress is reported when this much more was read, in bytes.
_PROGRESS_STEP = 1_000_000

# First bytes of the UTF-8 of white space: ASCII, NEL and NBSP, U+1680, U+2000…U+205F, U+3000.
_MAYBE_BLANK = frozenset(b"\t\n\v\f\r\x1c\x1d\x1e\x1f \xc2\xe1\xe2\xe3")


class Row(NamedTuple):
    """One article as it was read; `text` is valid UTF-8 and not blank."""

    id: str
    text: bytes
    source: str | None
    title: str | None
    published: str | None
    url: str | None
    language: str | None
    place: tuple[str, int]

    def article(self) -> Article:
        """The same as the record that everyone uses."""
        return Article(
            id=self.id,
            text=self.text.decode(),
            source=self.source,
            url=self.url,
            title=self.title,
            published=self.published,
            language=self.language,
        )


class Block(Protocol):
    """Articles that are packed by columns, some at a time.

    Attributes:
        lengths: int64 (n,), bytes of each text.
    """

    lengths: NDArray[np.int64]

    def take(self, first: int, last: int) -> Batch:
        """The articles from `first` to before `last`."""


@dataclass(slots=True)
class Run:
    """The state that the readers of one run share.

    Attributes:
        config: the settings.
        problems: where problems go.
        unread_dates: dates that were there and not understood.
        total_bytes: size of all input files, from the file system; standard input counts 0.
        done_bytes: how much of that was read.
        stop: set when nobody wants more.
        lasting_ids: whether ids are to hold beyond this run: see `read_corpus`.
        unread_pages: HTML pages left out because the `html` extra is not installed.
    """

    config: Config
    problems: list[Problem]
    progress: Callable[[int, int], None] | None = None
    total_bytes: int = 0
    done_bytes: int = 0
    unread_dates: int = 0
    stop: bool = False
    lasting_ids: bool = False
    unread_pages: list[str] = field(default_factory=list)
    _told: int = field(default=0, repr=False)
    _dates: dict[str, str | None] = field(default_factory=dict, repr=False)

    def end(self) -> None:
        """Have the readers stop as soon as they can."""
        self.stop = True

    def advance(self, n_bytes: int) -> None:
        """Count bytes of input files as read, and report progress now and then."""
        self.done_bytes += n_bytes
        if self.progress and self.done_bytes - self._told >= _PROGRESS_STEP:
            self._tell()

    def finish(self) -> None:
        """Report progress for the last time."""
        if self.progress:
            self._tell()

    def _tell(self) -> None:
        self._told = self.done_bytes
        # A file may have grown since it was measured; more than all is not reported.
        if self.progress:
            self.progress(min(self.done_bytes, self.total_bytes), self.total_bytes)

    def id_of(self, url: str | None) -> str | None:
        """What a URL is worth as the id of a row that has no other."""
        return url if self.lasting_ids else None

    def date(self, value: object) -> str | None:
        """A date as ISO 8601; one that is not understood is counted and None."""
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            published = parse_date(value)
        elif value in self._dates:  # an outlet has many articles a day
            published = self._dates[value]
        else:
            if len(self._dates) >= _REMEMBERED:
                self._dates.clear()
            published = self._dates[value] = parse_date(value)
        if published is None:
            self.unread_dates += 1
        return published

    def dates(self, values: Iterable[str | None]) -> list[str | None]:
        """`date` of each value."""
        known = self._dates.get
        # One that is known and was understood needs no call.
        return [(value and known(value)) or self.date(value) for value in values]


class FileLog:
    """The problems of one file. Many lines with the same reason become one problem."""

    def __init__(self, problems: list[Problem], path: str) -> None:
        self._problems = problems
        self._path = path
        self._seen: Counter[str] = Counter()
        self._first_unlisted: dict[str, tuple[int, str]] = {}

    def add(
        self, line: int, reason: str, remedy: str, *, detail: str = "", article: str = ""
    ) -> None:
        """Note a problem; `article` is an id. Those with one `reason` are alike, whatever `detail`."""
        self._seen[reason] += 1
        if self._seen[reason] <= _LISTED:
            told = f"{reason}: {detail}" if detail else reason
            self._problems.append(Problem(self._path, line, told, remedy, article))
        else:
            self._first_unlisted.setdefault(reason, (line, remedy))

    def close(self) -> None:
        """Add one problem for each reason that had more lines than are listed."""
        for reason, (line, remedy) in self._first_unlisted.items():
            more = self._seen[reason] - _LISTED
            lines = "line" if more == 1 else "lines"
            told = f"{reason} … and {more} more {lines} like it"
            self._problems.append(Problem(self._path, line, told, remedy))
        self._first_unlisted.clear()


def is_blank(text: bytes) -> bool:
    """Whether a text (valid UTF-8) is empty or white space only."""
    # Most texts start with a letter and need no second look.
    if text and text[0] not in _MAYBE_BLANK:
        return False
    return not text or text.decode().isspace()
