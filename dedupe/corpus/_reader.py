"""All files of a corpus to batches."""

from __future__ import annotations

import os
import sys
from itertools import groupby
from typing import TYPE_CHECKING, BinaryIO

from dedupe.corpus._decode import decode
from dedupe.corpus._html import load_extractor, read_html, report_unread
from dedupe.corpus._paths import STDIN, File, find_files, kind_of, shown
from dedupe.corpus._plain import BINARY, EMPTY, MAX_PLAIN, read_plain
from dedupe.corpus._rows import Row, Run
from dedupe.corpus._streams import open_chunks, read_stdin
from dedupe.errors import InputError, Problem
from dedupe.records import Article, Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dedupe.config import Config

__all__ = ["CorpusReader", "read_article", "read_corpus"]


class CorpusReader:
    """An iterator of the batches of a corpus, made by `read_corpus`.

    Attributes:
        files: number of files to read.
        skipped: files of other kinds met in directories and globs, not read.
        total_bytes: size of the files to read; standard input counts 0.
    """

    def __init__(self, files: list[File], skipped: int, run: Run, stdin: BinaryIO | None) -> None:
        self.files = len(files)
        self.skipped = skipped
        self.total_bytes = run.total_bytes
        self._run = run
        self._batches = _pack(_read_files(files, run, stdin), run)

    @property
    def unread_dates(self) -> int:
        """Dates met so far that were not understood; their articles have none."""
        return self._run.unread_dates

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        return next(self._batches)


def read_corpus(
    inputs: Sequence[str | os.PathLike[str]],
    config: Config,
    problems: list[Problem],
    *,
    stdin: BinaryIO | None = None,
    progress: Callable[[int, int], None] | None = None,
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
        progress: called now and then with the bytes of input files read, and their total.

    Raises:
        InputError: no input is there.
        MissingExtraError: all inputs are HTML pages, and the `html` extra is not installed.
    """
    given = [os.fspath(path) for path in inputs]
    if not given:
        raise InputError("no input was given; name a directory, a file, or - for standard input")
    found = find_files(given, problems)
    if not found.existing:
        first = problems[-1] if problems else None
        reason = next((p.reason for p in problems if p.path == shown(given[0])), "not readable")
        remedy = first.remedy if first else "check the path"
        raise InputError(f"{given[0]}: {reason}; {remedy}")
    if found.files and all(file.kind == "html" for file in found.files):
        load_extractor()
    total = sum(file.size for file in found.files)
    run = Run(config, problems, progress, total_bytes=total)
    return CorpusReader(found.files, found.skipped, run, stdin)


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
        return Article(
            id=row.id,
            text=row.text.decode(),
            source=row.source,
            url=row.url,
            title=row.title,
            published=row.published,
            language=row.language,
        )
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


def _read_files(files: Iterable[File], run: Run, stdin: BinaryIO | None) -> Iterator[Row]:
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


def _read_rows(file: File, run: Run, stdin: BinaryIO | None) -> Iterator[Row]:
    if file.kind == "parquet":
        from dedupe.corpus._parquet import read_parquet  # polars takes a third of a second

        return read_parquet(file, run)
    from dedupe.corpus._csv import read_csv
    from dedupe.corpus._jsonl import read_jsonl

    if file.path == STDIN:
        return read_jsonl(file, run, read_stdin(stdin or sys.stdin.buffer))
    chunks = open_chunks(file.path, run.advance)
    return read_csv(file, run, chunks) if file.kind == "csv" else read_jsonl(file, run, chunks)


def _pack(rows: Iterator[Row], run: Run) -> Iterator[Batch]:
    limit = run.config.chunk_mb * 1e6
    held: list[Row] = []
    size = 0
    for row in rows:
        if held and size + len(row.text) > limit:
            yield _to_batch(held)
            held = []
            size = 0
        held.append(row)
        size += len(row.text)
    if held:
        yield _to_batch(held)
    run.finish()


def _to_batch(rows: list[Row]) -> Batch:
    ids, texts, sources, titles, published, urls, languages, places = map(
        list, zip(*rows, strict=True)
    )
    return Batch.from_columns(
        ids=ids,
        texts=texts,
        sources=sources,
        titles=titles,
        published=published,
        urls=urls,
        languages=languages,
        places=places,
    )
