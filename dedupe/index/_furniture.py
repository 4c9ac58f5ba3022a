"""What is page furniture in a stream: judged as in a scan, when enough articles hold it.

A scan sees every posting whole. Here a text is judged when eight articles of a source hold it (or
two dozen of unknown sources), and again whenever as many more do: on the articles that hold it,
as a corpus of their own, by the same function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dedupe._jit import kernel
from dedupe.hashtable import is_in_set
from dedupe.index._codec import upper_bits
from dedupe.index._store import Verdict, mixed
from dedupe.postings import SPARSE_ARTICLES, assign_roles, build_postings
from dedupe.sketch import sketch_limit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.index._neighbours import Local, Sketches
    from dedupe.index._store import Store

    SketchesOf = Callable[[NDArray[np.int64], int], Sketches]

__all__ = ["known_roles", "learn"]

MOST_JUDGED = 384
"""Articles looked at at a time to judge what they hold: 64 pairs of a posting are sampled."""


def known_roles(local: Local, store: Store) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Bool (n_entries,), bool (n_postings,): what is known as furniture, and as boilerplate."""
    own, everywhere = store.known_furniture()
    postings = local.postings
    boilerplate = np.zeros(len(postings.hashes), np.bool_)
    _mark_known(postings.hashes, *everywhere, boilerplate)
    furniture = np.zeros(len(postings.articles), np.bool_)
    if len(own.values):
        sources = local.source_of[postings.articles]
        of_source = mixed(postings.hashes[postings.posting_of], sources)
        _mark_known(of_source, *own, furniture)
        furniture &= sources >= 0
    return furniture, boilerplate


@kernel
def _mark_known(
    hashes: NDArray[np.uint64],
    values: NDArray[np.uint64],
    bits: NDArray[np.uint64],
    out: NDArray[np.bool_],
) -> None:
    """Mark those hashes that are in a set, given as in `Hashes`."""
    for k in range(len(hashes)):
        out[k] = is_in_set(hashes[k], values, bits)


def learn(local: Local, store: Store, config: Config, scale: int, sketches_of: SketchesOf) -> None:
    """Judge what has not been judged, or not since half as many articles held it.

    Args:
        local: some articles and their postings.
        store: keeps the verdicts.
        config: the settings.
        scale: of the sketches.
        sketches_of: gives the sketches of some of the local articles, to a scale.
    """
    due = _due(local, store, config)
    if not due:
        return
    postings = local.postings
    wanted = np.unique(np.concatenate([_members(local, p, s) for p, s, _ in due]))
    if len(wanted) > MOST_JUDGED:
        wanted = wanted[np.linspace(0, len(wanted) - 1, MOST_JUDGED).astype(np.int64)]
    sketches = sketches_of(wanted, scale)
    sources = local.source_of[wanted]
    found = build_postings(
        sketches.offsets,
        sketches.hashes,
        np.ones(len(sketches.hashes), np.bool_),
        largest=int(sketch_limit(1)),
    )
    roles = assign_roles(
        found,
        sketches.offsets,
        sketches.hashes,
        sources,
        scale=scale,
        within_source=config.boilerplate_articles,
        max_posting=config.max_posting,
        hubs=config.hubs,
    )
    marked = np.flatnonzero(roles.furniture)
    own = set(
        zip(
            found.hashes[found.posting_of[marked]].tolist(),
            sources[found.articles[marked]].tolist(),
            strict=True,
        )
    )
    everywhere = set(found.hashes[roles.boilerplate].tolist())
    verdicts = []
    # Where no texts are kept sketches are of the upper bits alone.
    seen = postings.hashes if store.store_text else upper_bits(postings.hashes)
    for posting, source, length in due:
        key, looked_up = int(postings.hashes[posting]), int(seen[posting])
        yes = looked_up in everywhere if source < 0 else (looked_up, source) in own
        verdicts.append(Verdict(key, source, length, yes))
        if source >= 0:
            verdicts.append(Verdict(key, -1, length, looked_up in everywhere))
    store.learn(verdicts)


@kernel
def _count_sources(
    offsets: NDArray[np.int64],
    articles: NDArray[np.int32],
    source_of: NDArray[np.int32],
    counts: NDArray[np.int64],
    least: int,
    sparse: int,
    out: NDArray[np.int64],
) -> int:
    """Posting, source and articles of what many articles of one source hold, or of unknown ones (-1).

    `counts` is zero for every source, before and after.
    """
    n = 0
    for posting in range(len(offsets) - 1):
        first, last = offsets[posting], offsets[posting + 1]
        if last - first < least:
            continue
        unknown = 0
        for k in range(first, last):
            source = source_of[articles[k]]
            if source >= 0:
                counts[source] += 1
            else:
                unknown += 1
        for k in range(first, last):
            source = source_of[articles[k]]
            if source >= 0:
                if counts[source] >= least:
                    out[n, 0], out[n, 1], out[n, 2] = posting, source, counts[source]
                    n += 1
                counts[source] = 0
        if last - first > sparse and 2 * unknown >= last - first:
            out[n, 0], out[n, 1], out[n, 2] = posting, -1, last - first
            n += 1
    return n


def _due(local: Local, store: Store, config: Config) -> list[tuple[int, int, int]]:
    """Posting, source and number of articles of what is to be judged."""
    postings = local.postings
    least = config.boilerplate_articles
    # No posting has more such sources than fit into it, and one row for the unknown ones.
    out = np.empty((len(postings.articles) // least + len(postings.hashes), 3), np.int64)
    counts = np.zeros(int(local.source_of.max(initial=-1)) + 1, np.int64)
    n = _count_sources(
        postings.offsets,
        postings.articles,
        local.source_of,
        counts,
        least,
        SPARSE_ARTICLES,
        out,
    )
    which, source_of, count = out[:n].T
    # A posting that is listed in part grows unseen: its whole length counts.
    whole, listed = local.lengths[which], np.diff(postings.offsets)[which]
    lengths = np.where(whole > listed, whole, count).tolist()
    keys = postings.hashes[which].tolist()
    rows = zip(which.tolist(), source_of.tolist(), lengths, keys, strict=True)
    return [
        (posting, source, length)
        for posting, source, length, key in rows
        if length >= 2 * store.judged_length(key, source)
    ]


def _members(local: Local, posting: int, source: int) -> NDArray[np.int64]:
    """Articles of a posting that are of a source; all of them for -1."""
    first, last = local.postings.offsets[posting], local.postings.offsets[posting + 1]
    members = local.postings.articles[first:last].astype(np.int64)
    return members if source < 0 else members[local.source_of[members] == source]
