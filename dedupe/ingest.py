"""Batches of articles to the columns that the rest works on, in an order that is theirs alone.

Articles are numbered by their fingerprint, then their id: an order that depends on what they
say and not on where or when they were read, and that is as good as random.
"""

from __future__ import annotations

import itertools
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._jit import is_interpreted
from dedupe.errors import Problem
from dedupe.features import Features, extract
from dedupe.paragraphs import unwrap
from dedupe.quotations import mark_quotations
from dedupe.records import Batch
from dedupe.sketch import choose_scale, sketch_limit
from dedupe.spool import Spool
from dedupe.tokens import tokenise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.tokens import Tokens

__all__ = ["Articles", "ingest"]


@dataclass(frozen=True, slots=True)
class Articles:
    """A corpus as columns; row k everywhere is article number k.

    Attributes:
        ids, sources, titles, published: metadata, None where unknown.
        spans: int64 (n, 2), first token and token after the last in the spool's columns.
        fingerprints: uint64 (n,), ascending; equal where the folded texts are equal.
        signatures: uint32 (n, num_perm).
        sketch_offsets, sketch: int64 (n + 1,) and uint64, each article's sketch, ascending.
        scale: the sketch's scale.
        spool: the tokens.
        n_read: articles read, those with a repeated id included.
        text_bytes: UTF-8 bytes of text read.
    """

    ids: list[str]
    sources: list[str | None]
    titles: list[str | None]
    published: list[str | None]
    spans: NDArray[np.int64]
    fingerprints: NDArray[np.uint64]
    signatures: NDArray[np.uint32]
    sketch_offsets: NDArray[np.int64]
    sketch: NDArray[np.uint64]
    scale: int
    spool: Spool
    n_read: int
    text_bytes: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def words(self) -> NDArray[np.int64]:
        """int64 (n,), tokens of each article."""
        return self.spans[:, 1] - self.spans[:, 0]

    def source_numbers(self) -> NDArray[np.int32]:
        """int32 (n,), a number for each source in alphabetical order, -1 where unknown."""
        names = sorted({s for s in self.sources if s is not None})
        number = {name: k for k, name in enumerate(names)}
        return np.array([-1 if s is None else number[s] for s in self.sources], np.int32)


class _Read(NamedTuple):
    """What is kept of each batch as it comes in, in reading order."""

    batches: list[Batch]
    features: list[Features]
    scales: list[int]
    lengths: list[NDArray[np.int64]]


def ingest(batches: Iterable[Batch], config: Config, problems: list[Problem]) -> Articles:
    """Read all batches, a few at a time in worker threads, and keep what later stages need.

    Repeated ids are settled here: equal texts count once; of different ones the fullest is
    kept, and the others become problems. So does every article without a word.
    """
    spool = Spool(config.memory_mb * 1_000_000)
    read = _Read([], [], [], [])
    text_bytes = 0
    for batch, tokens, features, scale in _process(batches, config):
        spool.append(tokens)
        text_bytes += len(batch.text)
        read.batches.append(_without_text(batch))
        read.features.append(features)
        read.scales.append(scale)
        read.lengths.append(np.diff(tokens.offsets))
    scale = choose_scale(_count_shingles(read.lengths, config.shingle), config)
    return _arrange(read, scale, spool, text_bytes, config, problems)


def _process(
    batches: Iterable[Batch], config: Config
) -> Iterator[tuple[Batch, Tokens, Features, int]]:
    """Tokens and features of each batch, in order, with a bounded number of batches under way."""

    def work(batch: Batch, scale: int) -> tuple[Batch, Tokens, Features, int]:
        tokens, marks = tokenise(batch)
        unwrap(tokens, marks)
        mark_quotations(tokens, marks)
        return batch, tokens, extract(tokens, config, scale), scale

    if is_interpreted():  # in this thread alone, and threads would not make it faster
        done = 0
        for batch in batches:
            finished = work(batch, choose_scale(done, config))
            done += _count_shingles([np.diff(finished[1].offsets)], config.shingle)
            yield finished
        return
    threads = config.worker_threads
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[tuple[Batch, Tokens, Features, int]]] = deque()
        done = 0  # shingles of the batches finished
        for batch in batches:
            # What suffices for the batches done is never too coarse for the whole, whatever
            # order they come in: sketches are thinned to the final scale at the end.
            scale = choose_scale(done, config)
            pending.append(pool.submit(work, batch, scale))
            if len(pending) > threads:
                finished = pending.popleft().result()
                done += _count_shingles([np.diff(finished[1].offsets)], config.shingle)
                yield finished
        while pending:
            yield pending.popleft().result()


def _without_text(batch: Batch) -> Batch:
    return Batch(
        ids=batch.ids,
        text=np.empty(0, np.uint8),
        offsets=batch.offsets,
        sources=batch.sources,
        titles=batch.titles,
        published=batch.published,
        urls=[],
        languages=[],
        places=batch.places,
    )


def _count_shingles(lengths: list[NDArray[np.int64]], w: int) -> int:
    return sum(int(np.maximum(part - w + 1, 0).sum()) for part in lengths)


def _arrange(
    read: _Read,
    scale: int,
    spool: Spool,
    text_bytes: int,
    config: Config,
    problems: list[Problem],
) -> Articles:
    """Number the articles and bring every column into that order."""
    chain = itertools.chain.from_iterable
    ids = list(chain(batch.ids for batch in read.batches))
    places = list(chain(batch.places for batch in read.batches))
    lengths = np.concatenate([np.empty(0, np.int64), *read.lengths])
    ends = np.cumsum(lengths)
    prints = np.concatenate([np.empty(0, np.uint64), *(f.fingerprints for f in read.features)])
    _report_empty(ids, places, lengths, problems)
    kept = _settle_ids(read, ids, places, lengths, prints, problems)
    rank_of_id = np.empty(len(ids), np.int64)
    rank_of_id[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
    order = kept[np.lexsort((rank_of_id[kept], prints[kept]))]
    signatures = np.concatenate(
        [np.empty((0, config.num_perm), np.uint32), *(f.signatures for f in read.features)]
    )
    offsets, sketch = _reorder_sketches(read, sketch_limit(scale), order)

    def pick(column: list[list[str | None]]) -> list[str | None]:
        flat = list(chain(column))
        return [flat[k] for k in order.tolist()]

    return Articles(
        ids=[ids[k] for k in order.tolist()],
        sources=pick([batch.sources for batch in read.batches]),
        titles=pick([batch.titles for batch in read.batches]),
        published=pick([batch.published for batch in read.batches]),
        spans=np.stack([ends - lengths, ends], axis=1)[order],
        fingerprints=prints[order],
        signatures=signatures[order],
        sketch_offsets=offsets,
        sketch=sketch,
        scale=scale,
        spool=spool,
        n_read=len(ids),
        text_bytes=text_bytes,
    )


def _report_empty(
    ids: list[str],
    places: list[tuple[str, int]],
    lengths: NDArray[np.int64],
    problems: list[Problem],
) -> None:
    problems.extend(
        Problem(
            *places[k],
            reason="the text has no word in it",
            remedy="check that the text field holds the article's text",
            id=ids[k],
        )
        for k in np.flatnonzero(lengths == 0).tolist()
    )


def _settle_ids(
    read: _Read,
    ids: list[str],
    places: list[tuple[str, int]],
    lengths: NDArray[np.int64],
    prints: NDArray[np.uint64],
    problems: list[Problem],
) -> NDArray[np.int64]:
    """Rows to keep so that every id is there once; int64, ascending."""
    if len(set(ids)) == len(ids):
        return np.arange(len(ids))
    chain = itertools.chain.from_iterable
    metadata = [
        tuple(value or "" for value in row)
        for row in zip(
            chain(batch.published for batch in read.batches),
            chain(batch.sources for batch in read.batches),
            chain(batch.titles for batch in read.batches),
            strict=True,
        )
    ]
    rows: dict[str, list[int]] = {}
    for k, name in enumerate(ids):
        rows.setdefault(name, []).append(k)
    kept = []
    for name, same in rows.items():
        # The fullest text, and of equals one that does not depend on the reading order.
        best = min(same, key=lambda k: (-int(lengths[k]), int(prints[k]), metadata[k], places[k]))
        kept.append(best)
        for k in same:
            if k == best:
                continue
            equal = prints[k] == prints[best]
            where = f"{places[best][0]}:{places[best][1]}" if places[best][1] else places[best][0]
            problems.append(
                Problem(
                    *places[k],
                    reason=f"id {name!r} is used again, with "
                    + ("the same text" if equal else "another text"),
                    remedy=f"the one at {where} was kept; give every article its own id",
                    id=name,
                )
            )
    return np.array(sorted(kept), np.int64)


def _reorder_sketches(
    read: _Read, limit: np.uint64, order: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Sketches of all articles in their new order, thinned to one scale."""
    sketches = []
    sizes = []
    for features in read.features:
        below = np.r_[0, np.cumsum(features.sketch <= limit)]
        sizes.append(np.diff(below[features.sketch_offsets]))
        sketches.append(features.sketch[features.sketch <= limit])
    size = np.concatenate([np.empty(0, np.int64), *sizes])
    flat = np.concatenate([np.empty(0, np.uint64), *sketches])
    starts = np.cumsum(size) - size
    offsets = np.zeros(len(order) + 1, np.int64)
    np.cumsum(size[order], out=offsets[1:])
    source = np.repeat(starts[order] - offsets[:-1], size[order]) + np.arange(offsets[-1])
    return offsets, flat[source]
