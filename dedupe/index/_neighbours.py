"""Who may share text with new articles: the postings of their keys, counted as in a scan.

The new articles and those in their postings are numbered as a corpus of their own, in the order
in which they came; then the second tier of a scan does what it does (`dedupe.postings`), for
pairs of which a new article is the later one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

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


def thin(full: Sketches, limit: np.uint64) -> Sketches:
    """Sketches of long articles up to a limit; of short ones all."""
    offsets = np.zeros(len(full.offsets), np.int64)
    hashes = np.empty(len(full.hashes), np.uint64)
    _thin(full.offsets, full.hashes, limit, DENSE, offsets, hashes)
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
    numbers, first, place = np.unique(gathered.numbers, return_index=True, return_inverse=True)
    n_new = len(sources)
    of_stored = np.repeat(np.arange(len(keys)), np.diff(gathered.offsets))
    of_new = np.searchsorted(keys, sketches.hashes)
    new = np.repeat(np.arange(n_new), np.diff(sketches.offsets)) + len(numbers)
    key_of = np.concatenate([of_stored, of_new])
    holders = np.concatenate([place.reshape(-1), new])
    order = np.argsort(key_of, kind="stable")  # stored ones stay before new ones
    added = np.bincount(of_new, minlength=len(keys))
    here = np.diff(gathered.offsets) + added
    shared = here > 1
    kept = order[np.repeat(shared, here)]
    postings = postings_of(
        keys[shared], here[shared], holders[kept].astype(np.int32), len(numbers) + n_new
    )
    return Local(
        numbers,
        np.concatenate([gathered.sources[first], sources]).astype(np.int32),
        postings,
        (gathered.lengths + added)[shared],
    )


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
