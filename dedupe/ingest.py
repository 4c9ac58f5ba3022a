"""Batches of articles to the columns that the rest works on, in an order that is theirs alone.

Articles are numbered by their fingerprint, then their id: an order that depends on what they
say and not on where or when they were read, and that is as good as random.
"""

from __future__ import annotations

import itertools
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from dedupe._jit import is_interpreted, kernel
from dedupe._threads import in_threads
from dedupe.checkpoint import Chunk, checksum
from dedupe.errors import Problem
from dedupe.features import extract
from dedupe.paragraphs import unwrap
from dedupe.places import NOWHERE, pack_places
from dedupe.quotations import mark_quotations
from dedupe.sketch import choose_scale, sketch_limit
from dedupe.spool import PLACES, Kept, Spool
from dedupe.tokens import Tokens, tokenise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from dedupe.checkpoint import Checkpoint
    from dedupe.config import Config
    from dedupe.records import Batch

__all__ = ["Articles", "ingest", "numbered", "tokens_of"]


@dataclass(slots=True)
class Articles:
    """A corpus as columns; row k everywhere is article number k.

    Attributes:
        ids, sources, titles, published: str metadata, null where unknown.
        source_of: int32 (n,), as from `numbered`, of the sources.
        by_id: int64 (n,), the numbers of the articles in the order of their ids.
        spans: int64 (n, 2), first token and token after the last in the spool's columns.
        fingerprints: uint64 (n,), ascending; equal where the folded texts are equal.
        bands: uint32 (n, bands), keys of the near-duplicate tier.
        sketch_offsets, sketch: int64 (n + 1,) and uint64, each article's sketch, ascending.
        scale: the sketch's scale.
        spool: the tokens.
        n_read: articles read, those with a repeated id included.
        text_bytes: UTF-8 bytes of text read.
        far: int64 (m, 3), as in `dedupe.places.Places`, of all tokens, by token; none without
            passages.
    """

    ids: pl.Series
    sources: pl.Series
    titles: pl.Series
    published: pl.Series
    source_of: NDArray[np.int32]
    by_id: NDArray[np.int64]
    spans: NDArray[np.int64]
    fingerprints: NDArray[np.uint64]
    bands: NDArray[np.uint32]
    sketch_offsets: NDArray[np.int64]
    sketch: NDArray[np.uint64]
    scale: int
    spool: Spool
    n_read: int
    text_bytes: int
    far: NDArray[np.int64] = field(default_factory=lambda: NOWHERE.far)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def words(self) -> NDArray[np.int64]:
        """int64 (n,), tokens of each article."""
        return self.spans[:, 1] - self.spans[:, 0]

    def drop_features(self) -> None:
        """Free what candidates were found by: half a gigabyte of a million articles."""
        self.bands = self.bands[:0].copy()
        self.sketch = self.sketch[:0].copy()


def numbered(names: Sequence[str | None]) -> NDArray[np.int32]:
    """int32 (n,), a number for each name in alphabetical order, -1 where there is none."""
    # Not by polars' `rank`: its threads are not there after a fork, and it would wait for them.
    distinct = sorted(name for name in set(names) if name is not None)
    number_of: dict[str | None, int] = {name: k for k, name in enumerate(distinct)}
    number_of[None] = -1
    return np.fromiter(map(number_of.__getitem__, names), np.int32, len(names))


def tokens_of(batch: Batch, *, borrowed: bool = False) -> Tokens:
    """The tokens of a batch, with paragraphs and quotations marked.

    Args:
        batch: some articles.
        borrowed: give out arrays that this thread's next call writes over.
    """
    tokens, marks = tokenise(batch, borrowed=borrowed)
    unwrap(tokens, marks)
    mark_quotations(tokens, marks)
    return tokens


def ingest(
    batches: Iterable[Batch],
    config: Config,
    problems: list[Problem],
    *,
    expected: int = 0,
    likely: int = 0,
    checkpoint: Checkpoint | None = None,
) -> Articles:
    """Read all batches, a few at a time in worker threads, and keep what later stages need.

    Repeated ids are settled here: equal texts count once; of different ones the fullest is
    kept, and the others become problems. So does every article without a word.

    Args:
        batches: of the corpus.
        config: the settings.
        problems: what is wrong is added here.
        expected: tokens expected at most, 0 where that is not known.
        likely: tokens that there are as a rule where so much is to be read; a guess that may be
            wrong, and then costs time.
        checkpoint: chunks that an interrupted run finished, and where to keep those finished now.
    """
    directory = checkpoint.directory if checkpoint is not None else None
    without = () if config.passages else PLACES
    spool = Spool(config.memory_mb * 1_000_000, expected, directory, without=without)
    try:
        chunks: list[Chunk] = []
        batches = iter(batches)
        if checkpoint is not None and checkpoint.chunks:
            chunks, batches = _resume(checkpoint, batches, spool)
        done = sum(chunk.shingles(config) for chunk in chunks)
        checked = checkpoint is not None
        for chunk in _process(batches, config, spool, done, likely, checked=checked):
            chunks.append(chunk)
            if checkpoint is not None and spool.spilled:
                checkpoint.keep(chunks)
        scale = choose_scale(sum(chunk.shingles(config) for chunk in chunks), config)
        _refine_sketches(chunks, scale, spool, config)
        return _arrange(chunks, scale, spool, config, problems)
    except BaseException:
        spool.close()
        raise


def _resume(
    checkpoint: Checkpoint, batches: Iterator[Batch], spool: Spool
) -> tuple[list[Chunk], Iterator[Batch]]:
    """The chunks of an earlier run that are of the first batches, and the other batches."""
    same = 0
    following: list[Batch] = []
    for batch in batches:
        if same == len(checkpoint.chunks) or not checkpoint.chunks[same].is_of(batch):
            following.append(batch)
            break
        same += 1
    chunks = checkpoint.take_over(same)
    if chunks:
        spool.adopt(max(chunk.end for chunk in chunks))
    return chunks, itertools.chain(following, batches)


def _process(
    batches: Iterable[Batch],
    config: Config,
    spool: Spool,
    done: int,
    likely: int,
    *,
    checked: bool,
) -> Iterator[Chunk]:
    """Tokens and features of each batch, in order, with a bounded number of batches under way.

    `done` is the number of shingles before the first batch, `likely` a guess at that of all;
    `checked` asks for checksums.
    """

    def work(batch: Batch, scale: int) -> Chunk:
        tokens = tokens_of(batch, borrowed=True)
        features = extract(tokens, config, scale, borrowed=True)
        places = pack_places(tokens) if config.passages else NOWHERE
        columns = Kept(tokens.hashes, places.steps, tokens.flags, features.grams)
        known = checksum(spool.kept_of(columns)) if checked else None
        first = spool.append(columns)
        return Chunk.of(batch, tokens, features, places, first=first, scale=scale, checksum=known)

    if is_interpreted():  # in this thread alone, and threads would not make it faster
        for batch in batches:
            chunk = work(batch, choose_scale(max(done, likely), config))
            done += chunk.shingles(config)
            yield chunk
        return
    threads = config.worker_threads
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[Chunk]] = deque()
        for batch in batches:
            # What suffices for the batches done is never too coarse for the whole, whatever
            # order they come in: sketches are thinned to the final scale at the end. Where the
            # guess is, they are made again then.
            scale = choose_scale(max(done, likely), config)
            pending.append(pool.submit(work, batch, scale))
            if len(pending) > threads:
                chunk = pending.popleft().result()
                done += chunk.shingles(config)
                yield chunk
        while pending:
            yield pending.popleft().result()


def _refine_sketches(chunks: list[Chunk], scale: int, spool: Spool, config: Config) -> None:
    """Make the sketches that are too coarse again, from the tokens, which are all at hand."""
    hashes = spool.column("hashes")
    none = np.empty(0, np.uint32), np.empty(0, np.uint32), np.empty(0, np.uint8)

    def refine(chunk: Chunk) -> None:
        offsets = np.append(chunk.starts, chunk.end) - chunk.first
        tokens = Tokens(offsets, hashes[chunk.first : chunk.end], *none)
        features = extract(tokens, config, scale, borrowed=True)
        chunk.sketch_offsets, chunk.sketch = features.sketch_offsets, features.sketch
        chunk.scale = scale
        spool.relieve(tokens.hashes.nbytes)

    coarse = [chunk for chunk in chunks if chunk.scale > scale]
    in_threads(refine, coarse, config.worker_threads)


def _arrange(
    chunks: list[Chunk], scale: int, spool: Spool, config: Config, problems: list[Problem]
) -> Articles:
    """Number the articles and bring every column into that order."""
    none = pl.DataFrame(schema=Chunk.METADATA)
    metadata = pl.concat([none, *(chunk.metadata for chunk in chunks)], rechunk=True)
    lengths = _joined(np.int64, [chunk.lengths for chunk in chunks])
    prints = _joined(np.uint64, [chunk.fingerprints for chunk in chunks])
    starts = _joined(np.int64, [chunk.starts for chunk in chunks])
    ids = metadata["id"]
    _report_empty(metadata, lengths, problems)
    kept = _settle_ids(metadata, lengths, prints, problems)
    rank_of_id = np.empty(len(ids), np.int64)
    rank_of_id[ids.arg_sort().to_numpy()] = np.arange(len(ids))
    order = kept[np.lexsort((rank_of_id[kept], prints[kept]))]
    place = np.full(len(ids), -1, np.int64)
    place[order] = np.arange(len(order))
    far = np.concatenate([NOWHERE.far, *(chunk.far for chunk in chunks)])
    offsets, sketch, bands = _gather_features(chunks, place, len(order), scale, config)
    ordered = metadata[order]
    numbers = np.empty(len(ids), np.int64)
    numbers[rank_of_id] = place
    return Articles(
        ids=ordered["id"],
        sources=ordered["source"],
        titles=ordered["title"],
        published=ordered["published"],
        source_of=numbered(ordered["source"].to_list()),
        by_id=numbers[numbers >= 0],
        spans=np.stack([starts, starts + lengths], axis=1)[order],
        fingerprints=prints[order],
        bands=bands,
        sketch_offsets=offsets,
        sketch=sketch,
        scale=scale,
        spool=spool,
        n_read=len(ids),
        text_bytes=sum(chunk.text_bytes for chunk in chunks),
        far=far[np.argsort(far[:, 0])],
    )


def _joined(kind: type[np.generic], parts: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([np.empty(0, kind), *parts])


def _gather_features(
    chunks: list[Chunk], place: NDArray[np.int64], n: int, scale: int, config: Config
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint32]]:
    """Sketches, thinned to one scale, and band keys of n articles in their order.

    `place` is the number of each article read, -1 for those left out. The chunks' own arrays are
    freed one by one, so that hardly more than one copy of all sketches is held.
    """
    limit = sketch_limit(scale)
    offsets = np.zeros(n + 1, np.int64)
    borders = np.cumsum([0, *map(len, chunks)]).tolist()
    places = [place[first:last] for first, last in itertools.pairwise(borders)]
    for chunk, here in zip(chunks, places, strict=True):
        _count_below(chunk.sketch_offsets, chunk.sketch, limit, here, offsets)
    np.cumsum(offsets, out=offsets)
    sketch = np.empty(offsets[-1], np.uint64)
    bands = np.zeros((n, config.bands), np.uint32)

    def put(k: int) -> None:
        chunk, here = chunks[k], places[k]
        _place_sketches(chunk.sketch_offsets, chunk.sketch, here, offsets, sketch)
        bands[here[here >= 0]] = chunk.bands[here >= 0]
        chunk.drop_features()

    in_threads(put, range(len(chunks)), config.worker_threads)
    return offsets, sketch, bands


@kernel
def _count_below(
    offsets: NDArray[np.int64],
    sketch: NDArray[np.uint64],
    limit: np.uint64,
    place: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Hashes up to the limit of each sketch, which ascends, into counts[place + 1]."""
    for k in range(len(place)):
        if place[k] >= 0:
            last = offsets[k + 1]
            while last > offsets[k] and sketch[last - 1] > limit:
                last -= 1
            counts[place[k] + 1] = last - offsets[k]


@kernel
def _place_sketches(
    offsets: NDArray[np.int64],
    sketch: NDArray[np.uint64],
    place: NDArray[np.int64],
    out_offsets: NDArray[np.int64],
    out: NDArray[np.uint64],
) -> None:
    """The first hashes of each sketch, which ascends, to where they belong: as many as fit there."""
    for k in range(len(place)):
        if place[k] >= 0:
            at = out_offsets[place[k]]
            for e in range(offsets[k], offsets[k] + out_offsets[place[k] + 1] - at):
                out[at + e - offsets[k]] = sketch[e]


def _report_empty(
    metadata: pl.DataFrame, lengths: NDArray[np.int64], problems: list[Problem]
) -> None:
    for path, line, name in (
        metadata[np.flatnonzero(lengths == 0)].select("path", "line", "id").iter_rows()
    ):
        problems.append(
            Problem(
                path,
                line,
                reason="the text has no word in it",
                remedy="check that the text field holds the article's text",
                id=name,
            )
        )


def _settle_ids(
    metadata: pl.DataFrame,
    lengths: NDArray[np.int64],
    prints: NDArray[np.uint64],
    problems: list[Problem],
) -> NDArray[np.int64]:
    """Rows to keep so that every id is there once; int64, ascending."""
    repeated = metadata["id"].is_duplicated().to_numpy()
    if not repeated.any():
        return np.arange(len(metadata))
    kept = np.flatnonzero(~repeated).tolist()
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for k in np.flatnonzero(repeated).tolist():
        name, source, title, published, path, line = metadata.row(k)
        told = tuple(value or "" for value in (published, source, title))
        # The fullest text, and of equals one that does not depend on the reading order.
        rank = (-int(lengths[k]), int(prints[k]), told, (path, line))
        rows.setdefault(name, []).append((rank, k))
    for name, same in rows.items():
        (_, fingerprint, _, (kept_path, kept_line)), best = min(same)
        kept.append(best)
        where = f"{kept_path}:{kept_line}" if kept_line else kept_path
        for (_, other, _, place), k in same:
            if k != best:
                text = "the same text" if other == fingerprint else "another text"
                problems.append(
                    Problem(
                        path=place[0],
                        line=place[1],
                        reason=f"id {name!r} is used again, with {text}",
                        remedy=f"the one at {where} was kept; give every article its own id",
                        id=name,
                    )
                )
    return np.array(sorted(kept), np.int64)
