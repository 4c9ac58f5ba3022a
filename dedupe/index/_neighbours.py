"""Who may share text with new articles: the postings of their keys, counted as in a scan.

The new articles and those in their postings are numbered as a corpus of their own, in the order
in which they came; then the second tier of a scan does what it does (`dedupe.postings`), for
pairs of which a new article is the later one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._bits import bit_count
from dedupe._jit import kernel
from dedupe.postings import candidates, postings_of, roles_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.index._store import Gathered
    from dedupe.postings import Postings

    Counts = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int8]]

__all__ = [
    "COUNTS",
    "COUNTS_FOR_FAMILIES",
    "Local",
    "Sketches",
    "find_candidates",
    "gather_local",
    "thin",
]

COUNTS, COUNTS_FOR_FAMILIES = 1, 2
"""What a pair of candidates counts for: for all, or not as something that was there before."""

DENSE = 128
"""Articles of at most so many shingles keep all of them in their sketch: one that keeps an eighth
would see too little of two short ones."""


class Sketches(NamedTuple):
    """Sketches of n new articles.

    Attributes:
        offsets: int64 (n + 1,), where each begins in `hashes`.
        hashes: uint64, each ascending and distinct.
    """

    offsets: NDArray[np.int64]
    hashes: NDArray[np.uint64]

    def of(self, article: int) -> NDArray[np.uint64]:
        """The sketch of one article."""
        return self.hashes[self.offsets[article] : self.offsets[article + 1]]


@kernel
def _thin(
    offsets: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    limit: np.uint64,
    dense: int,
    out_offsets: NDArray[np.int64],
    out: NDArray[np.uint64],
) -> None:
    n = 0
    for article in range(len(offsets) - 1):
        first, last = offsets[article], offsets[article + 1]
        for e in range(first, last):
            if last - first > dense and hashes[e] > limit:
                break
            out[n] = hashes[e]
            n += 1
        out_offsets[article + 1] = n


def thin(full: Sketches, limit: np.uint64, dense: int = DENSE) -> Sketches:
    """Sketches of long articles up to a limit; of those of up to `dense` shingles all."""
    offsets = np.zeros(len(full.offsets), np.int64)
    hashes = np.empty(len(full.hashes), np.uint64)
    _thin(full.offsets, full.hashes, limit, dense, offsets, hashes)
    return Sketches(offsets, hashes[: offsets[-1]].copy())


class Local(NamedTuple):
    """A corpus of the articles in some postings, and then the new ones.

    Attributes:
        numbers: int64 (n_stored,), the articles in the postings, ascending.
        source_of: int32 (n_stored + n_new,), number of each article's source, -1 where unknown.
        postings: of the keys that two or more of them hold.
        lengths: int64 (n_postings,), articles that hold each key, those left out counted.
    """

    numbers: NDArray[np.int64]
    source_of: NDArray[np.int32]
    postings: Postings
    lengths: NDArray[np.int64]


def gather_local(
    keys: NDArray[np.uint64],
    gathered: Gathered,
    sketches: Sketches,
    sources: NDArray[np.int32],
) -> Local:
    """Put postings and new articles together.

    Args:
        keys: uint64, those of the sketches, ascending and distinct.
        gathered: their postings.
        sketches: of the new articles.
        sources: int32 (n_new,), of the new articles.
    """
    numbers, sources_there, place = _numbered(gathered.numbers, gathered.sources)
    n_new = len(sources)
    key_of = np.searchsorted(keys, sketches.hashes)
    added = np.zeros(len(keys), np.int64)
    _count(key_of, added)
    here = np.diff(gathered.offsets) + added
    shared = here > 1
    holders = np.empty(int(here[shared].sum()), np.int32)
    _fill_holders(gathered.offsets, place, sketches.offsets, key_of, here, len(numbers), holders)
    postings = postings_of(keys[shared], here[shared], holders, len(numbers) + n_new)
    return Local(
        numbers,
        np.concatenate([sources_there, sources]).astype(np.int32),
        postings,
        (gathered.lengths + added)[shared],
    )


_SPREAD = 8
"""Words of a bitmap for each entry up to which one is made: else sorting takes less."""


def _numbered(
    articles: NDArray[np.int64], sources: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """The articles of postings, ascending, their sources, and the place of each entry's among them."""
    low, high = int(articles.min(initial=0)), int(articles.max(initial=0))
    words = ((high - low) >> 6) + 1
    if words > _SPREAD * len(articles):
        numbers, first, place = np.unique(articles, return_index=True, return_inverse=True)
        return numbers, sources[first], place.reshape(-1)
    bits, before = np.zeros(words, np.uint64), np.empty(words, np.int64)
    n = _mark(articles, low, bits, before)
    numbers, sources_there = np.empty(n, np.int64), np.empty(n, np.int32)
    place = np.empty(len(articles), np.int64)
    _place(articles, sources, low, bits, before, numbers, sources_there, place)
    return numbers, sources_there, place


@kernel
def _mark(
    articles: NDArray[np.int64], low: int, bits: NDArray[np.uint64], before: NDArray[np.int64]
) -> int:
    """Set the bit of each article, from the one `low` on; how many there are, and before each word."""
    for article in articles:
        bit = article - low
        bits[bit >> 6] |= np.uint64(1) << np.uint64(bit & 63)
    n = 0
    for word in range(len(bits)):
        before[word] = n
        n += bit_count(bits[word])
    return n


@kernel
def _place(
    articles: NDArray[np.int64],
    sources: NDArray[np.int32],
    low: int,
    bits: NDArray[np.uint64],
    before: NDArray[np.int64],
    numbers: NDArray[np.int64],
    sources_there: NDArray[np.int32],
    place: NDArray[np.int64],
) -> None:
    """Places of articles among those that are marked, whose numbers and sources are filled in."""
    for k in range(len(articles)):
        bit = articles[k] - low
        below = (np.uint64(1) << np.uint64(bit & 63)) - np.uint64(1)
        at = before[bit >> 6] + bit_count(bits[bit >> 6] & below)
        numbers[at], sources_there[at] = articles[k], sources[k]
        place[k] = at


@kernel
def _count(values: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    """Add to the counts how often each value is there."""
    for k in range(len(values)):
        counts[values[k]] += 1


@kernel
def _fill_holders(
    stored_offsets: NDArray[np.int64],
    stored: NDArray[np.int64],
    new_offsets: NDArray[np.int64],
    key_of: NDArray[np.int64],
    here: NDArray[np.int64],
    n_stored: int,
    out: NDArray[np.int32],
) -> None:
    """Articles of the keys that two or more hold, the stored ones of each before the new.

    Args:
        stored_offsets, stored: stored articles of each key.
        new_offsets: of the new articles in `key_of`, the keys that each holds.
        here: articles that hold each key.
        n_stored: number of the first new article.
        out: room for them.
    """
    cursors = np.full(len(here), -1, np.int64)
    at = 0
    for key in range(len(here)):
        if here[key] > 1:
            for k in range(stored_offsets[key], stored_offsets[key + 1]):
                out[at] = stored[k]
                at += 1
            cursors[key] = at
            at += here[key] - (stored_offsets[key + 1] - stored_offsets[key])
    for article in range(len(new_offsets) - 1):
        for k in range(new_offsets[article], new_offsets[article + 1]):
            cursor = cursors[key_of[k]]
            if cursor >= 0:
                out[cursor] = n_stored + article
                cursors[key_of[k]] += 1


def find_candidates(
    local: Local,
    furniture: NDArray[np.bool_],
    boilerplate: NDArray[np.bool_],
    min_shared: int,
    config: Config,
    counts: Counts,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Pairs of local numbers that share enough keys, the later a new article.

    Args:
        local: the articles and their postings.
        furniture: bool (n_entries,), as in `dedupe.postings.Roles`.
        boilerplate: bool (n_postings,), the same.
        min_shared: keys a pair must share.
        config: the settings.
        counts: says how pairs count, before the strongest are chosen: 0, not at all, `COUNTS` or
            `COUNTS_FOR_FAMILIES`.

    Returns:
        int64 (n_pairs, 3), earlier, later, keys shared; bool (n_pairs,), those to be looked at.
    """
    n = len(local.source_of)
    # What is boilerplate and frequent proposes nothing; of what is cut to its first articles the
    # length does not tell, so it is taken out here.
    silent = boilerplate & (local.lengths > config.max_posting)
    postings = local.postings
    if silent.any():
        lengths = np.diff(postings.offsets)
        entries = np.repeat(~silent, lengths)
        postings = postings_of(
            postings.hashes[~silent], lengths[~silent], postings.articles[entries], n
        )
        furniture, boilerplate = furniture[entries], boilerplate[~silent]
    roles = roles_of(
        postings, furniture, boilerplate, max_posting=config.max_posting, hubs=config.hubs
    )
    found = candidates(
        postings, roles, local.source_of, min_shared, config.max_posting, len(local.numbers), n
    )
    how = counts(local.numbers, found)
    found, how = found[how > 0], how[how > 0]
    kept = np.zeros(len(found), np.bool_)
    for one in (COUNTS, COUNTS_FOR_FAMILIES):
        rows = np.flatnonzero(how == one)
        kept[rows] = _strongest_of_each(found[rows], config.max_matches)
    return found, kept


def _strongest_of_each(found: NDArray[np.int64], most: int) -> NDArray[np.bool_]:
    """Bool (n_pairs,): for each later article the pairs that share most; of equals the earlier."""
    order = np.lexsort((found[:, 0], -found[:, 2], found[:, 1]))
    later = found[order, 1]
    begins = np.r_[True, later[1:] != later[:-1]] if len(later) else np.empty(0, np.bool_)
    first = np.maximum.accumulate(np.where(begins, np.arange(len(later)), 0))
    kept = np.zeros(len(found), np.bool_)
    kept[order] = np.arange(len(later)) - first < most
    return kept
