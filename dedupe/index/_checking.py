"""New articles against those of an index: candidates, then the second half of a scan's matching."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from dedupe._threads import in_slices
from dedupe.align import N_COLUMNS
from dedupe.boilerplate import Known, mark_boilerplate
from dedupe.index._codec import upper_bits
from dedupe.index._furniture import known_roles, learn
from dedupe.index._neighbours import Sketches, find_candidates, gather_local, thin
from dedupe.matching import longer_first, match_pairs
from dedupe.measures import Matches
from dedupe.postings import SPARSE_ARTICLES
from dedupe.sketch import min_shared_hashes, sketch_limit
from dedupe.spool import Columns, Excerpt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.index._neighbours import Counts, Local
    from dedupe.index._reading import Read
    from dedupe.index._store import Gathered, Record, Store
    from dedupe.index._texts import Kept, Texts

__all__ = ["Candidates", "Neighbourhood", "candidates_of", "compare_all"]

_MARKED_PER_TASK = 256


@dataclass(slots=True)
class Candidates:
    """Who may share text with new articles.

    Attributes:
        stored: numbers of the articles of the index among them, ascending.
        pairs: int64 (n_pairs, 2): earlier and later article. Those of the index come first, as in
            `stored`, then the new ones; the later is a new one.
        shared: int64 (n_pairs,), sketch hashes they share.
        left_out: int64 (n_new,), candidates of each that are not looked at.
    """

    stored: list[int]
    pairs: NDArray[np.int64]
    shared: NDArray[np.int64]
    left_out: NDArray[np.int64]


def candidates_of(
    read: Read,
    sketches: Sketches,
    keys: NDArray[np.uint64],
    gathered: Gathered,
    sources: NDArray[np.int32],
    store: Store,
    texts: Texts,
    config: Config,
    scale: int,
    counts: Counts,
    *,
    judge: bool,
) -> Candidates:
    """Candidates by shared sketch hashes.

    Args:
        read: the new articles.
        sketches: theirs, and `keys`, those of all of them, ascending and distinct.
        gathered: postings of the keys.
        sources: int32 (n_new,), of the new articles.
        store: has the others, and `texts` theirs.
        config: the settings.
        scale: of the sketches.
        counts: says which pairs of stored numbers and local ones count.
        judge: whether what is furniture is learnt on the way: not from articles that are not kept.
    """
    least = min_shared_hashes(scale, config)
    if len(sources) == 1 and _shares_little(gathered, least, config):  # as is usual
        return _no_candidates(1)
    local = gather_local(keys, gathered, sketches, sources)
    if len(local.postings.hashes) < least:
        return _no_candidates(len(sources))
    if judge:
        learn(local, store, config, scale, _Sketcher(read, local, store, texts))
    furniture, boilerplate = known_roles(local, store)
    found, kept = find_candidates(local, furniture, boilerplate, least, config, counts)
    n_stored, n_new = len(local.numbers), len(sources)
    left_out = np.bincount(found[~kept, 1] - n_stored, minlength=n_new)
    found = found[kept]
    used = np.unique(found[found[:, 0] < n_stored, 0])
    place = np.concatenate([np.zeros(n_stored, np.int64), np.arange(n_new) + len(used)])
    place[used] = np.arange(len(used))
    return Candidates(local.numbers[used].tolist(), place[found[:, :2]], found[:, 2], left_out)


def _no_candidates(n: int) -> Candidates:
    """None for any of n articles."""
    none = np.empty((0, 2), np.int64)
    return Candidates([], none, none[:, 0], np.zeros(n, np.int64))


def _shares_little(gathered: Gathered, least: int, config: Config) -> bool:
    """Whether nobody holds `least` keys of one new article, and so few each that none is judged."""
    lengths = np.diff(gathered.offsets)
    if np.count_nonzero(lengths) < least:
        return True
    judged = min(config.boilerplate_articles, SPARSE_ARTICLES + 1)
    if gathered.lengths.max() + 1 >= judged:
        return False
    return bool(np.unique(gathered.numbers, return_counts=True)[1].max() < least)


class _Sketcher:
    """Sketches of local articles, made anew from the texts of those that are stored."""

    def __init__(self, read: Read, local: Local, store: Store, texts: Texts) -> None:
        self._read, self._local = read, local
        self._store, self._texts = store, texts

    def __call__(self, wanted: NDArray[np.int64], scale: int) -> Sketches:
        numbers = self._local.numbers
        of_stored = self._keys_of(numbers[wanted[wanted < len(numbers)]].tolist(), scale)
        parts = []
        for k in wanted.tolist():
            if k >= len(numbers):
                keys = self._read.sketches.of(k - len(numbers))
                if not self._store.store_text:  # then no more is kept of the others' either
                    keys = np.unique(upper_bits(keys))
            else:
                keys = of_stored.get(int(numbers[k]), np.empty(0, np.uint64))
            parts.append(keys)
        offsets = np.zeros(len(parts) + 1, np.int64)
        np.cumsum([len(part) for part in parts], out=offsets[1:])
        every = Sketches(offsets, np.concatenate([np.empty(0, np.uint64), *parts]))
        return thin(every, sketch_limit(scale), dense=0)

    def _keys_of(self, numbers: list[int], scale: int) -> dict[int, NDArray[np.uint64]]:
        if not self._store.store_text:
            records = self._store.load(numbers)
            return {r.number: np.unique(upper_bits(r.keys)) for r in records if r.keys is not None}
        records, sketches = self._texts.sketches(numbers, scale)
        return {record.number: sketches.of(k) for k, record in enumerate(records)}


@dataclass(slots=True)
class Neighbourhood:
    """New articles and those of an index that they share text with, compared.

    Attributes:
        records: of those of the index.
        spans: int64 (n, 2), tokens of all articles in `columns`: those of the index, then the new.
        columns: of the tokens.
        fingerprints: uint64 (n,).
        matches: verified pairs; empty if there are none.
    """

    records: list[Record]
    spans: NDArray[np.int64]
    columns: Columns
    fingerprints: NDArray[np.uint64]
    matches: Matches

    @property
    def words(self) -> NDArray[np.int64]:
        """int64 (n,), tokens of each article."""
        return self.spans[:, 1] - self.spans[:, 0]


@dataclass(slots=True)
class _Tokens:
    """Tokens of a few articles, all in memory; see `dedupe.measures.Tokenised`."""

    spans: NDArray[np.int64]
    columns: Columns

    @property
    def words(self) -> NDArray[np.int64]:
        return self.spans[:, 1] - self.spans[:, 0]

    @property
    def spool(self) -> _Tokens:
        return self

    def __len__(self) -> int:
        return len(self.spans)

    def column(self, name: str) -> NDArray[Any]:
        column: NDArray[Any] = getattr(self.columns, name)
        return column

    def excerpt(
        self, articles: NDArray[np.int64], spans: NDArray[np.int64], *names: str
    ) -> Excerpt:
        return Excerpt(articles, spans, [self.column(name) for name in names])


def compare_all(
    read: Read,
    theirs: Kept,
    pairs: NDArray[np.int64],
    known: NDArray[np.uint64],
    config: Config,
    scale: int,
) -> Neighbourhood:
    """Verify and align candidates.

    Args:
        read: the new articles.
        theirs: articles of the index.
        pairs: int64 (n_pairs, 2), numbered as in `Candidates`.
        known: uint64, hashes of boilerplate, ascending.
        config: the settings.
        scale: of the sketches.
    """
    if not len(pairs):
        spans = np.stack([read.offsets[:-1], read.offsets[1:]], axis=1)
        return Neighbourhood([], spans, read.columns, read.fingerprints, _no_matches(len(spans)))
    names = Columns._fields
    columns = Columns(
        *(np.concatenate([getattr(theirs.columns, n), getattr(read.columns, n)]) for n in names)
    )
    offsets = np.concatenate([theirs.offsets, read.offsets[1:] + theirs.offsets[-1]])
    spans = np.stack([offsets[:-1], offsets[1:]], axis=1)
    if len(known):
        wanted, limit = np.unique(pairs), sketch_limit(scale)

        def mark(first: int, last: int) -> None:
            part = wanted[first:last]
            mark_boilerplate(
                part,
                spans,
                columns.hashes,
                columns.grams,
                columns.flags,
                config.shingle,
                limit,
                Known.of_all(len(part), known),
                spans[part, 0],
            )

        in_slices(mark, len(wanted), _MARKED_PER_TASK, config.worker_threads)
    tokens = _Tokens(spans, columns)
    matches = match_pairs(tokens, longer_first(pairs, tokens.words), config, {})
    fingerprints = np.array([record.fingerprint for record in theirs.records], np.uint64)
    return Neighbourhood(
        theirs.records,
        spans,
        columns,
        np.concatenate([fingerprints, read.fingerprints]),
        matches,
    )


@lru_cache(maxsize=8)
def _no_matches(n: int) -> Matches:
    """No pair of n articles."""
    return Matches(
        pairs=np.empty((0, 2), np.int64),
        resemblance=np.empty(0),
        shared_words=np.empty(0, np.int64),
        shares=np.empty((0, 2)),
        net=np.empty((0, 2)),
        net_words=np.empty(0, np.int64),
        body=np.empty((0, 2), np.int64),
        passages=np.empty((0, N_COLUMNS), np.int32),
        masks=np.empty((0, 2), np.uint64),
        reused_words=np.zeros(n, np.int64),
        counts={},
    )
