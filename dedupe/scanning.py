"""The batch driver: a corpus in, tables out."""

from __future__ import annotations

import threading
import time
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from math import inf
from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from dedupe._garbage import fewer_collections
from dedupe._jit import is_interpreted, kernels_for
from dedupe._threads import in_threads
from dedupe._version import __version__
from dedupe.config import Config
from dedupe.corpus import read_corpus
from dedupe.families import find_families
from dedupe.ingest import ingest
from dedupe.lsh import expected_recall
from dedupe.matching import find_matches
from dedupe.records import Article, Batch
from dedupe.tables import Ranks, documents_table, families_table, pairs_table, passages_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import polars as pl

    from dedupe.checkpoint import Checkpoint
    from dedupe.errors import Problem
    from dedupe.families import Families
    from dedupe.ingest import Articles
    from dedupe.measures import Matches

__all__ = ["Progress", "ScanResult", "scan", "scan_batches"]

RECALL_AT = (0.5, 0.7, 0.9)
"""Resemblances at which a run states the expected recall of its banding."""


class Progress(Protocol):
    """What a scan tells while it works; see `dedupe.cli` for one that draws bars."""

    def stage(self, name: str) -> None:
        """A stage begins: "read", "near-duplicates", "postings", "verify", "align", "families"."""

    def bytes_read(self, done: int, total: int) -> None:
        """Input bytes read so far, of all of them (0: not known)."""


class _Silent:
    def stage(self, name: str) -> None:
        pass

    def bytes_read(self, done: int, total: int) -> None:
        pass


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan found. The tables' columns are described in `docs/output.md`.

    Attributes:
        documents, pairs, passages, families: polars frames.
        run: version, configuration, counts of every stage, seconds by stage: `run.json`.
        problems: inputs that could not be read or used: `errors.jsonl`.
    """

    documents: pl.DataFrame
    pairs: pl.DataFrame
    passages: pl.DataFrame
    families: pl.DataFrame
    run: dict[str, Any]
    problems: list[Problem]


def scan(
    inputs: str | PathLike[str] | Sequence[str | PathLike[str]],
    config: Config | None = None,
    *,
    progress: Progress | None = None,
    stdin: BinaryIO | None = None,
    checkpoint: Checkpoint | None = None,
    **settings: Any,
) -> ScanResult:
    """Find every family, pair and shared passage in a corpus.

    Args:
        inputs: directories, globs or files (.txt .md .html .jsonl .csv .parquet, and .gz and
            .zst of .jsonl), or "-" for JSONL on standard input; one or several.
        config: all settings; or give single ones by name: `scan("news/", threshold=0.5)`.
        progress: told of stages and bytes read.
        stdin: read in place of standard input for "-".
        checkpoint: keeps finished chunks once their tokens do not fit into memory, and has those
            of an interrupted run to go on from. Whoever made it clears it when the output is
            written. Without one, an interrupted run begins anew.

    Raises:
        ConfigError: a setting is unknown or has no meaning.
        InputError: there is nothing to read at all.
        MissingExtraError: the inputs need an extra that is not installed.

    Example:
        >>> result = scan("seeds/")  # doctest: +SKIP
        >>> result.families["size"].to_list()  # doctest: +SKIP
        [2]
    """
    config = (config or Config()).replace(**settings)
    paths = [inputs] if isinstance(inputs, str | PathLike) else list(inputs)
    progress = progress or _Silent()
    clock = _Clock(progress)
    problems: list[Problem] = []
    clock.stage("read")
    prefetch = max(1, min(_PREFETCH, int(_PREFETCH_MB / config.chunk_mb)))
    reader = read_corpus(
        paths, config, problems, stdin=stdin, progress=progress.bytes_read, prefetch=prefetch
    )
    large = reader.total_bytes >= _SURELY_LARGE and not is_interpreted()
    ahead = _LoadedAhead(config) if large else None
    try:
        result = _scan(reader, config, problems, clock, reader.total_bytes, checkpoint)
    finally:
        reader.close()
        if ahead is not None:
            ahead.close()
    result.run["counts"]["files_skipped"] = reader.skipped
    result.run["counts"]["dates_not_understood"] = reader.unread_dates
    return result


def scan_batches(
    batches: Iterable[Batch],
    config: Config,
    *,
    expected_bytes: int = 0,
    progress: Progress | None = None,
) -> ScanResult:
    """The same for articles that are at hand as batches.

    Args:
        batches: the articles.
        config: the settings.
        expected_bytes: of text, if that is known.
        progress: told of stages.
    """
    clock = _Clock(progress or _Silent())
    clock.stage("read")
    return _scan(iter(batches), config, [], clock, expected_bytes, None)


@fewer_collections()
def _scan(
    reader: Iterator[Batch],
    config: Config,
    problems: list[Problem],
    clock: _Clock,
    expected_bytes: int,
    checkpoint: Checkpoint | None,
) -> ScanResult:
    """Batches to tables."""
    batches, n_bytes = _peeked(reader)
    with kernels_for(n_bytes):
        articles = ingest(
            batches,
            config,
            problems,
            expected=expected_bytes * _TOKENS_A_BYTE,
            likely=expected_bytes // _BYTES_A_TOKEN,
            checkpoint=checkpoint,
        )
        try:
            matches = find_matches(articles, config, clock.stage)
            clock.stage("families")
            ranks = Ranks(articles)
            families, tables = _families_and_pairs(articles, matches, ranks, config)
            clock.stage("tables")
            tables |= _tables_of_articles(articles, matches, families, ranks)
            problems.sort()
            seconds = clock.finish()
            run = _run_record(config, articles, matches, families, problems, seconds)
        finally:
            articles.spool.close()
    run["counts"]["passages"] = tables["passages"].height
    return ScanResult(**tables, run=run, problems=problems)


_PREFETCH, _PREFETCH_MB = 16, 64
"""Batches, and MB of text, read ahead at most: what can be read while numba is imported and
compiled code is loaded."""

_SURELY_LARGE = 4_000_000
"""Bytes of files from which on there is too much text for plain Python, whatever the files."""

_ARTICLE_BYTES = 320
"""An article counts as so many more bytes of text where plain Python is to be quick enough: of
headlines each one's bands take longer than its words."""

_TOKENS_A_BYTE = 1
"""Tokens that room is set aside for, for each byte of input: more than any file holds, but for
very well compressed ones. Room that is not used costs nothing."""

_BYTES_A_TOKEN = 6
"""Bytes of input for a token, of plain text in languages with spaces; of compressed text half as many,
of pages of HTML ten times. From this the scale of the first sketches is guessed, of which an
eighth suffices for a large corpus: sketching all shingles of its first part took .1 of 5 CPU seconds."""


def _families_and_pairs(
    articles: Articles, matches: Matches, ranks: Ranks, config: Config
) -> tuple[Families, dict[str, pl.DataFrame]]:
    """Families, and beside them the tables that they have no part in. The tokens are given up."""

    def passages_found() -> pl.DataFrame:
        table = passages_table(articles, matches, ranks, config)
        articles.spool.close()  # nothing else looks at tokens, and giving memory back takes a while
        return table

    # Each takes one thread for the most part; the longest comes first.
    work: list[Callable[[], Any]] = [
        passages_found,
        lambda: find_families(articles, matches, config),
        lambda: pairs_table(articles, matches, ranks, config),
    ]
    passages, families, pairs = in_threads(lambda part: part(), work, config.worker_threads)
    return families, {"pairs": pairs, "passages": passages}


def _tables_of_articles(
    articles: Articles, matches: Matches, families: Families, ranks: Ranks
) -> dict[str, pl.DataFrame]:
    return {
        "documents": documents_table(articles, matches, families, ranks),
        "families": families_table(articles, families),
    }


def _peeked(batches: Iterator[Batch]) -> tuple[Iterator[Batch], float]:
    """The same batches, and the bytes of text in them: infinite where there is a second one."""
    first = list(islice(batches, 2))
    if len(first) > 1:
        return chain(first, batches), inf
    n_bytes = sum(len(batch.text) + _ARTICLE_BYTES * len(batch) for batch in first)
    return chain(first, batches), n_bytes


class _LoadedAhead:
    """Loads the compiled code of a scan in a thread, while the first batches are read.

    It does so by a scan of a few words. Without it nothing happens beside the reading of two
    batches, and then nothing beside the loading.
    """

    def __init__(self, config: Config) -> None:
        self._closed = False
        # None of the settings but one changes what is called, and some would find nothing here.
        self._config = Config(threads=1, passages=config.passages)
        self._thread = threading.Thread(target=self._run, name="dedupe-load", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End after the stage that is under way."""
        self._closed = True
        self._thread.join()

    def _run(self) -> None:
        # What fails here is done again by the scan itself, which says so.
        with suppress(Exception):
            words = [f"word{k}" for k in range(_WORDS)]
            texts = [words, [*words[:-9], "end"], [*words[: _WORDS // 2], *words[:9]]]
            rows = [Article(id=str(k), text=" ".join(text)) for k, text in enumerate(texts)]
            articles = ingest([Batch.from_articles(rows)], self._config, [])
            try:
                matches = find_matches(articles, self._config, self._go_on)
                self._go_on()
                ranks = Ranks(articles)
                families, _ = _families_and_pairs(articles, matches, ranks, self._config)
                self._go_on()
                _tables_of_articles(articles, matches, families, ranks)
            finally:
                articles.spool.close()

    def _go_on(self, _: str = "") -> None:
        if self._closed:
            raise InterruptedError


_WORDS = 60
"""Words of a text that are enough for each stage to find something."""


class _Clock:
    """Seconds by stage, each stage announced as it begins."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._seconds: dict[str, float] = {}
        self._name = ""
        self._began = 0.0

    def stage(self, name: str) -> None:
        self._end()
        self._name, self._began = name, time.perf_counter()
        self._progress.stage(name)

    def finish(self) -> dict[str, float]:
        self._end()
        return self._seconds

    def _end(self) -> None:
        if self._name:
            self._seconds[self._name] = round(time.perf_counter() - self._began, 3)
        self._name = ""


def _run_record(
    config: Config,
    articles: Articles,
    matches: Matches,
    families: Families,
    problems: list[Problem],
    seconds: dict[str, float],
) -> dict[str, Any]:
    """What `run.json` says."""
    words = articles.words
    return {
        "version": __version__,
        "config": config.to_dict(),
        "scale": articles.scale,
        "threads": config.worker_threads,
        "unicode": unicodedata.unidata_version,
        "expected_recall": {
            f"{at:.1f}": round(expected_recall(at, config.bands, config.rows), 4)
            for at in RECALL_AT
        },
        "counts": {
            "articles_read": articles.n_read,
            "articles": len(articles),
            "text_bytes": articles.text_bytes,
            "words": int(words.sum()),
            "articles_too_short": int((words < config.min_shared_words).sum()),
            **matches.counts,
            "pairs": len(matches.pairs),
            "families": len(families.families),
            "articles_in_families": sum(len(f.members) for f in families.families),
            "round_ups": int(families.round_ups.sum()),
            "problems": len(problems),
            "tokens_spilled_to_disk": articles.spool.spilled,
        },
        "seconds": seconds,
    }
