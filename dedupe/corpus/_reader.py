"""All files of a corpus to batches."""

from __future__ import annotations

import os
import sys
import weakref
from itertools import groupby
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Self

from dedupe.corpus._decode import decode
from dedupe.corpus._html import load_extractor, read_html, report_unread
from dedupe.corpus._packing import pack
from dedupe.corpus._paths import STDIN, File, find_files, kind_of, shown
from dedupe.corpus._plain import BINARY, EMPTY, MAX_PLAIN, read_plain
from dedupe.corpus._prefetch import Prefetched
from dedupe.corpus._rows import Row, Run
from dedupe.corpus._streams import open_chunks, read_stdin
from dedupe.errors import InputError, Problem
from dedupe.records import Article

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from dedupe.config import Config
    from dedupe.corpus._paths import Files
    from dedupe.corpus._rows import Block
    from dedupe.records import Batch

__all__ = ["CorpusReader", "read_article", "read_corpus"]


class _Reported(NamedTuple):
    """What came up while the articles of one batch were read.

    Attributes:
        problems: in the order they were met.
        unread_dates: dates that were not understood; their articles have none.
    """

    problems: tuple[Problem, ...]
    unread_dates: int


class _Delivery(NamedTuple):
    """A batch and what came with it; None stands for the end."""

    batch: Batch | None
    reported: _Reported


class CorpusReader:
    """An iterator of the batches of a corpus, made by `read_corpus`.

    The same inputs and settings give the same batches in the same order, with the same borders
    and ids, however far ahead they are read: a run that was interrupted knows its batches again.

    It is a context manager: leaving it closes it.

    Attributes:
        files: number of files to read.
        skipped: files of other kinds met in directories and globs, not read.
        total_bytes: size of the files to read; standard input counts 0.
        unread_dates: dates not understood in all batches given out so far.
    """

    def __init__(self, found: Files, run: Run, stdin: BinaryIO | None, prefetch: int) -> None:
        self.files = len(found.files)
        self.skipped = found.skipped
        self.total_bytes = run.total_bytes
        self.unread_dates = 0
        self._problems = run.problems
        self._end = weakref.finalize(self, run.end)
        # The readers report to a list of their own, of which each batch takes its share along.
        run.problems = []
        self._made: Generator[_Delivery] = _deliver(found.files, run, stdin)
        # Standard input is not read ahead: a thread that waits for it could not be stopped.
        self._ahead = 0 if any(file.path == STDIN for file in found.files) else prefetch
        self._deliveries: Generator[_Delivery] | Prefetched[_Delivery] | None = None

    def close(self) -> None:
        """Stop reading and let go of all files; there are no more batches."""
        self._end()
        if self._deliveries is None:
            self._deliveries = self._made
        self._deliveries.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        if self._deliveries is None:
            self._deliveries = Prefetched(self._made, self._ahead) if self._ahead else self._made
        batch, reported = next(self._deliveries)
        self._problems.extend(reported.problems)
        self.unread_dates += reported.unread_dates
        if batch is None:
            raise StopIteration
        return batch


def read_corpus(
    inputs: Sequence[str | os.PathLike[str]],
    config: Config,
    problems: list[Problem],
    *,
    stdin: BinaryIO | None = None,
    progress: Callable[[int, int], None] | None = None,
    prefetch: int = 1,
    lasting_ids: bool = False,
) -> CorpusReader:
    """Read a corpus in batches of at most about `config.chunk_mb` MB of text.

    Memory is bounded by that and the longest article, never by the corpus (but for the list of
    its files). Texts are as in the file: no line end or space is changed, only a byte-order mark
    at the start of a file is removed.

    The id of a `.txt`, `.md` or `.html` file is its path below the directory given, with `/`
    between its parts; or the path as given, for a file, a glob, or where there are several
    inputs. That of a row is its id field; without one, the id of the file, ":" and the line it
    starts on (for Parquet the row), from 1. Ids do not depend on the order of the inputs. That
    ids are unique is not looked at.

    Args:
        inputs: directories, globs (`**` is any number of directories), files, or "-" for JSONL
            on standard input.
        config: `chunk_mb` and the `*_field` settings count.
        problems: what cannot be read is added here, while the batches are read.
        stdin: in place of standard input.
        progress: called now and then with the bytes of input files read, and their total; from
            the thread that reads.
        prefetch: how many batches are made ahead in a thread, beside the one being made; 0 for
            no thread. Each takes its memory. Nothing is read before the first batch is asked for.
        lasting_ids: ids are to hold beyond this run, as those of an index must: a file of a
            directory has its whole path for one, a row without an id its URL; and on standard
            input, where there is no file to name it by, a row without either has a digest of
            what it says.

    Raises:
        InputError: no input is there.
        MissingExtraError: all inputs are HTML pages, and the `html` extra is not installed.
    """
    given = [os.fspath(path) for path in inputs]
    if not given:
        raise InputError("no input was given; name a directory, a file, or - for standard input")
    found = find_files(given, problems, whole_paths=lasting_ids)
    if not found.existing:
        first = problems[-1] if problems else None
        reason = next((p.reason for p in problems if p.path == shown(given[0])), "not readable")
        remedy = first.remedy if first else "check the path"
        raise InputError(f"{given[0]}: {reason}; {remedy}")
    if found.files and all(file.kind == "html" for file in found.files):
        load_extractor()
    total = sum(file.size for file in found.files)
    run = Run(config, problems, progress, total_bytes=total, lasting_ids=lasting_ids)
    return CorpusReader(found, run, stdin, prefetch)


def read_article(
    path: str | os.PathLike[str], config: Config, *, stdin: BinaryIO | None = None
) -> Article:
    """Read one article: a `.txt`, `.md` or `.html` file, or "-" for plain text on standard input.

    Raises:
        InputError: it is not there, of another kind, or holds no text.
        MissingExtraError: it is an HTML page, and the `html` extra is not installed.
    """
    given = os.fspath(path)
    if given == STDIN:
        return _article_on_stdin(stdin or sys.stdin.buffer)
    if kind_of(given) not in {"text", "markdown", "html"} and os.path.isfile(given):  # noqa: PTH113 -- a string is at hand
        raise InputError(f"{given}: holds no single article; give a .txt, .md or .html file")
    if os.path.isdir(given):  # noqa: PTH112 -- a string is at hand
        raise InputError(f"{given}: is a directory; give a .txt, .md or .html file")
    problems: list[Problem] = []
    files = find_files([given], problems).files
    run = Run(config, problems)
    if len(files) == 1 and files[0].kind == "html":
        load_extractor()
    for row in _read_files(files[:1], run, stdin):
        assert isinstance(row, Row)
        return row.article()
    raise InputError(f"{given}: {problems[0].reason}; {problems[0].remedy}")


def _article_on_stdin(stream: BinaryIO) -> Article:
    data = stream.read(MAX_PLAIN + 1)
    if len(data) > MAX_PLAIN:
        raise InputError(f"standard input: larger than {MAX_PLAIN // 10**6} MB; give one article")
    decoded = decode(data)
    if decoded is None or not decoded.text or decoded.text.isspace():
        reason, remedy = BINARY if decoded is None else EMPTY
        raise InputError(f"standard input: {reason}; {remedy}")
    return Article(id=STDIN, text=decoded.utf8.decode())


def _read_files(files: Iterable[File], run: Run, stdin: BinaryIO | None) -> Iterator[Row | Block]:
    for kind, group in groupby(files, key=_reader_of):
        if kind == "plain":
            yield from read_plain(group, run)
        elif kind == "html":
            yield from read_html(group, run)
        else:
            for file in group:
                yield from _read_rows(file, run, stdin)
    report_unread(run)


def _reader_of(file: File) -> str:
    return "plain" if file.kind in {"text", "markdown"} else file.kind


def _read_rows(file: File, run: Run, stdin: BinaryIO | None) -> Iterator[Row | Block]:
    if file.kind == "parquet":
        from dedupe.corpus._parquet import read_parquet  # polars takes a third of a second

        return read_parquet(file, run)
    from dedupe.corpus._csv import read_csv
    from dedupe.corpus._jsonl import read_jsonl

    if file.path == STDIN:
        return read_jsonl(file, run, read_stdin(stdin or sys.stdin.buffer))
    chunks = open_chunks(file.path, run.advance)
    return read_csv(file, run, chunks) if file.kind == "csv" else read_jsonl(file, run, chunks)


def _deliver(files: list[File], run: Run, stdin: BinaryIO | None) -> Generator[_Delivery]:
    for batch in pack(_read_files(files, run, stdin), run):
        yield _Delivery(batch, _take_report(run))
        del batch  # the other side may be done with it before the next one is made
    run.finish()
    yield _Delivery(None, _take_report(run))


def _take_report(run: Run) -> _Reported:
    """What was reported since the last time."""
    reported = _Reported(tuple(run.problems), run.unread_dates)
    run.problems.clear()
    run.unread_dates = 0
    return reported
