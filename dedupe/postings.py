"""Tier two: postings of sketch hashes find partial reuse, and learn what is boilerplate.

A posting is the articles whose sketches hold one hash. Pairs are counted article by article
against the articles before it in each of its postings ("ScanCount", Li, Lu and Lu 2008), in
a dense array of counters, so no pair of a posting is ever written down.

Long postings are where others lose data or time. Dropping them loses the most syndicated
story; expanding them costs the square of their length. Here a posting longer than
`max_posting` compares every article with its first `hubs` articles only. The order of
articles is a pseudo-random one that depends on their text alone, so the hubs of a story are
the same copies in all its postings, and are ordinary copies of it.

Text that many otherwise unrelated articles carry is not reuse but furniture: a posting whose
articles share little else is set aside as boilerplate, and counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._jit import ascending, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Postings", "Roles", "assign_roles", "build_postings", "candidates"]

RELATED = 0.6
"""Sketch containment from which two articles that share a posting count as related."""

RELATED_WITHIN_SOURCE = 0.7
"""The same within one source, whose templates can be half of a short article."""

SOME_CONTAINMENT, VARIED = 0.15, 0.8
"""Two articles also count as related that share this much, and at most this part of what each
shares with the crowd: cuts and rewrites of one story differ in what they keep, while page
furniture is the same wherever it stands. Pairs of generated furniture (up to half of each
article) never pass; of heavily cut and edited stories a fifth to nine tenths do."""

COPY_SHARE, COPY_WORDS = 0.25, 100
"""So are two that share this part of the smaller one and about so many words: furniture is
shorter, but a wire story of two hundred words may be printed with other local copy each time."""

SOME_RELATED = 0.15
"""A posting is reuse if this share of its sampled pairs is related. Within one source, half."""

CROWD = 16
"""A posting of at least one sixteenth of another's length is of the same crowd."""

_SAMPLED_PAIRS = 64
"""Pairs looked at to decide on a posting: a share of .15 is then known within about .05."""

_COMPARED = 512
"""Hashes of each sketch looked at to estimate a containment: an error of about .02."""

_SPARSE_ARTICLES = 24
"""Text in more articles than this, of unknown sources, is boilerplate if they are unrelated."""


class Postings(NamedTuple):
    """Sketch hashes that at least two articles hold.

    Attributes:
        hashes: uint64 (n_postings,), ascending.
        offsets: int64 (n_postings + 1,), where each posting starts in `articles`.
        articles: int32, the postings end to end, each ascending.
        article_offsets: int64 (n_articles + 1,), where each article's entries start.
        entries: int64, positions in `articles`, article by article: the article's places.
        posting_of: int32, the posting each position in `articles` belongs to.
    """

    hashes: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    articles: NDArray[np.int32]
    article_offsets: NDArray[np.int64]
    entries: NDArray[np.int64]
    posting_of: NDArray[np.int32]


@kernel
def _maybe_repeated(sketch: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """False for hashes that surely occur once."""
    size = 1024
    while size < 4 * len(sketch):
        size *= 2
    mask = np.uint64(size - 1)
    counts = np.zeros(size, np.uint8)
    for i in range(len(sketch)):
        slot = sketch[i] & mask
        if counts[slot] < 2:
            counts[slot] += 1
    out = np.empty(len(sketch), np.bool_)
    for i in range(len(sketch)):
        out[i] = counts[sketch[i] & mask] > 1
    return out


def build_postings(sketch: NDArray[np.uint64], articles: NDArray[np.int32], n: int) -> Postings:
    """Invert sketches.

    Args:
        sketch: uint64 (n_entries,), sketch hashes.
        articles: int32 (n_entries,), the article of each, ascending.
        n: number of articles.
    """
    # Most hashes are held once. A table of counters, shared by hashes that collide, drops
    # nearly all of those before the sort, which is what costs time here.
    repeated = _maybe_repeated(sketch)
    sketch, articles = sketch[repeated], articles[repeated]
    order = np.argsort(sketch, kind="stable")
    ordered = sketch[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else order
    lengths = np.diff(np.r_[starts, len(ordered)])
    kept = lengths > 1
    holder = articles[order][np.repeat(kept, lengths)]
    lengths = lengths[kept]
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    entries = np.argsort(holder, kind="stable")
    article_offsets = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(holder, minlength=n), out=article_offsets[1:])
    return Postings(
        hashes=ordered[starts[kept]] if len(starts) else ordered,
        offsets=offsets,
        articles=holder,
        article_offsets=article_offsets,
        entries=entries,
        posting_of=np.repeat(np.arange(len(lengths), dtype=np.int32), lengths),
    )


@kernel
def _sketch_containment(
    sketch: NDArray[np.uint64], offsets: NDArray[np.int64], a: int, b: int
) -> float:
    """Share of the smaller sketch that the other one holds: an estimate of containment.

    Of long sketches the lowest hashes are a sample of the whole.
    """
    first_i, last_i = offsets[a], offsets[a + 1]
    first_j, last_j = offsets[b], offsets[b + 1]
    i, j = first_i, first_j
    shared = 0
    while i < min(last_i, first_i + _COMPARED) and j < min(last_j, first_j + _COMPARED):
        if sketch[i] == sketch[j]:
            shared += 1
            i += 1
            j += 1
        elif sketch[i] < sketch[j]:
            i += 1
        else:
            j += 1
    smaller = min(i - first_i, j - first_j)
    if i == last_i or j == last_j:  # one was read to its end: this is the exact number
        smaller = min(last_i - first_i, last_j - first_j)
    return shared / smaller if smaller > 0 else 0.0


@kernel
def _covered(
    article: int,
    length: int,
    sketch_offsets: NDArray[np.int64],
    article_offsets: NDArray[np.int64],
    entries: NDArray[np.int64],
    posting_of: NDArray[np.int32],
    offsets: NDArray[np.int64],
) -> float:
    """Share of an article's sketch that stands in postings of at least this length."""
    size = sketch_offsets[article + 1] - sketch_offsets[article]
    n = 0
    for e in range(article_offsets[article], article_offsets[article + 1]):
        posting = posting_of[entries[e]]
        if offsets[posting + 1] - offsets[posting] >= length:
            n += 1
    return n / size if size > 0 else 0.0


@kernel
def _unrelated(
    members: NDArray[np.int32],
    postings: Postings,
    sketch_offsets: NDArray[np.int64],
    sketch: NDArray[np.uint64],
    scale: int,
    one_source: bool,
) -> bool:
    """Whether most of some neighbouring pairs of these articles share little text."""
    article_offsets, entries = postings.article_offsets, postings.entries
    posting_of, offsets = postings.posting_of, postings.offsets
    pairs = min(len(members) - 1, _SAMPLED_PAIRS)
    crowd = max(2, len(members) // CROWD)
    related = 0
    for k in range(pairs):
        at = k * (len(members) - 1) // pairs
        a, b = members[at], members[at + 1]
        contained = _sketch_containment(sketch, sketch_offsets, a, b)
        smaller = min(
            sketch_offsets[a + 1] - sketch_offsets[a], sketch_offsets[b + 1] - sketch_offsets[b]
        )
        if contained >= (RELATED_WITHIN_SOURCE if one_source else RELATED) or (
            not one_source and contained >= COPY_SHARE and contained * smaller * scale >= COPY_WORDS
        ):
            related += 1
        elif not one_source and contained >= SOME_CONTAINMENT:
            covered = 1.0
            for article in (a, b):
                share = _covered(
                    article, crowd, sketch_offsets, article_offsets, entries, posting_of, offsets
                )
                covered = min(covered, share)
            related += 1 if contained <= VARIED * covered else 0
    return related < (0.5 if one_source else SOME_RELATED) * pairs


@kernel
def _mark_furniture(
    postings: Postings,
    sketch_offsets: NDArray[np.int64],
    sketch: NDArray[np.uint64],
    scale: int,
    source_of: NDArray[np.int32],
    within_source: int,
    furniture: NDArray[np.bool_],
) -> None:
    """Mark the entries of every source that has many unrelated articles in a posting."""
    offsets, articles = postings.offsets, postings.articles
    for posting in range(len(offsets) - 1):
        first, last = offsets[posting], offsets[posting + 1]
        if last - first < within_source:
            continue
        members = articles[first:last]
        sources = source_of[members]
        order = ascending(sources.astype(np.int64))
        start = 0
        while start < len(order):
            source = sources[order[start]]
            stop = start + 1
            while stop < len(order) and sources[order[stop]] == source:
                stop += 1
            if source >= 0 and stop - start >= within_source:
                of_source = members[order[start:stop]]
                if _unrelated(of_source, postings, sketch_offsets, sketch, scale, True):
                    for k in range(start, stop):
                        furniture[first + order[k]] = True
            start = stop


@kernel
def _find_stock(
    postings: Postings,
    sketch_offsets: NDArray[np.int64],
    sketch: NDArray[np.uint64],
    scale: int,
    source_of: NDArray[np.int32],
    furniture: NDArray[np.bool_],
    stock: NDArray[np.bool_],
) -> None:
    """Mark postings that are mostly furniture, or of many unrelated articles of unknown source.

    Text that many known sources carry once each is what this program looks for.
    """
    offsets, articles = postings.offsets, postings.articles
    for posting in range(len(offsets) - 1):
        first, last = offsets[posting], offsets[posting + 1]
        marked = 0
        unknown = 0
        for k in range(first, last):
            marked += furniture[k]
            unknown += source_of[articles[k]] < 0
        if 2 * marked >= last - first:
            stock[posting] = True
        elif last - first > _SPARSE_ARTICLES and 2 * unknown >= last - first:
            members = articles[first:last]
            stock[posting] = _unrelated(members, postings, sketch_offsets, sketch, scale, False)


@kernel
def _choose_hubs(
    offsets: NDArray[np.int64],
    furniture: NDArray[np.bool_],
    stock: NDArray[np.bool_],
    max_posting: int,
    hubs: int,
    is_hub: NDArray[np.bool_],
) -> None:
    for posting in range(len(offsets) - 1):
        first, last = offsets[posting], offsets[posting + 1]
        if last - first <= max_posting:
            continue
        others = 0
        for k in range(first, last):
            others += not furniture[k]
        if not stock[posting]:
            is_hub[first : min(first + hubs, last)] = True
        elif others < last - first and others <= hubs:
            # One outlet's furniture on a few pages elsewhere: worth telling, and cheap.
            for k in range(first, last):
                is_hub[k] = not furniture[k]


class Roles(NamedTuple):
    """What each entry and posting may propose.

    Attributes:
        furniture: bool (n_entries,), the text is furniture of the article's own source: the
            entry proposes no pair within that source.
        is_hub: bool (n_entries,), the entry of a long posting is compared with all others.
        hubs: int64, the entries that are hubs, ascending.
        hub_offsets: int64 (n_postings + 1,), where each posting's hubs start in `hubs`.
        common: bool (n_postings,), boilerplate in too long a posting to propose any pair but
            those with its hubs, if it has any.
        boilerplate: bool (n_postings,), mostly furniture, or text of many unrelated articles of
            unknown source.
    """

    furniture: NDArray[np.bool_]
    is_hub: NDArray[np.bool_]
    hubs: NDArray[np.int64]
    hub_offsets: NDArray[np.int64]
    common: NDArray[np.bool_]
    boilerplate: NDArray[np.bool_]


def assign_roles(
    postings: Postings,
    sketch_offsets: NDArray[np.int64],
    sketch: NDArray[np.uint64],
    source_of: NDArray[np.int32],
    *,
    scale: int,
    within_source: int,
    max_posting: int,
    hubs: int,
) -> Roles:
    """Tell reuse from furniture, and choose the hubs of long postings.

    Args:
        postings: of the sketches; articles numbered in the order that decides on hubs.
        sketch_offsets, sketch: the sketch of every article, ascending.
        source_of: int32 (n_articles,), number of each article's source, -1 where unknown.
        scale: the sketches' scale.
        within_source: articles of one source from which repeated text may be boilerplate.
        max_posting, hubs: longest posting compared all against all, and what longer ones do.
    """
    furniture = np.zeros(len(postings.articles), np.bool_)
    is_hub = np.zeros(len(postings.articles), np.bool_)
    stock = np.zeros(len(postings.hashes), np.bool_)
    arrays = (postings, sketch_offsets, sketch, scale, source_of)
    _mark_furniture(*arrays, within_source, furniture)
    _find_stock(*arrays, furniture, stock)
    _choose_hubs(postings.offsets, furniture, stock, max_posting, hubs, is_hub)
    hub_entries = np.flatnonzero(is_hub)
    hub_offsets = np.searchsorted(hub_entries, postings.offsets)
    common = stock & (np.diff(postings.offsets) > max_posting)
    return Roles(furniture, is_hub, hub_entries, hub_offsets, common, stock)


@kernel
def _scan_count(
    first_article: int,
    last_article: int,
    postings: Postings,
    roles: Roles,
    source_of: NDArray[np.int32],
    max_posting: int,
    min_shared: int,
    counts: NDArray[np.int32],
    touched: NDArray[np.int32],
    out: NDArray[np.int64],
) -> tuple[int, int]:
    """Pairs (earlier article, article) into out; (pairs, first article that did not fit)."""
    # Reading a field of a tuple counts a reference, which is too dear for every entry.
    offsets, articles, entries = postings.offsets, postings.articles, postings.entries
    posting_of, article_offsets = postings.posting_of, postings.article_offsets
    furniture, is_hub = roles.furniture, roles.is_hub
    hubs, hub_offsets = roles.hubs, roles.hub_offsets
    used = 0
    for article in range(first_article, last_article):
        n_touched = 0
        for e in range(article_offsets[article], article_offsets[article + 1]):
            at = entries[e]
            first = offsets[posting_of[at]]
            # A long posting compares its hubs with everyone, and everyone else with its hubs.
            long = offsets[posting_of[at] + 1] - first > max_posting
            only_hubs = long and not is_hub[at]
            start, stop = first, at
            if only_hubs:
                start, stop = hub_offsets[posting_of[at]], hub_offsets[posting_of[at] + 1]
            for step in range(start, stop):
                k = hubs[step] if only_hubs else step
                if k >= at:
                    break
                other = articles[k]
                if furniture[at] and furniture[k] and source_of[other] == source_of[article]:
                    continue
                if counts[other] == 0:
                    touched[n_touched] = other
                    n_touched += 1
                counts[other] += 1
        if used + n_touched > len(out):
            for t in range(n_touched):
                counts[touched[t]] = 0
            return used, article
        for t in range(n_touched):
            other = touched[t]
            if counts[other] >= min_shared:
                out[used, 0] = other
                out[used, 1] = article
                used += 1
            counts[other] = 0
    return used, last_article


def candidates(
    postings: Postings,
    roles: Roles,
    source_of: NDArray[np.int32],
    min_shared: int,
    max_posting: int,
    first: int = 0,
    last: int | None = None,
) -> NDArray[np.int64]:
    """Pairs of articles that share enough sketch hashes.

    Args:
        postings: of the sketches.
        roles: as `assign_roles` gave them.
        source_of: int32 (n_articles,), number of each article's source, -1 where unknown.
        min_shared: hashes a pair must share.
        max_posting: longest posting compared all against all.
        first, last: look only at articles in this range as the later one of a pair.

    Returns:
        int64 (n_pairs, 2), distinct, earlier article first.
    """
    n = len(postings.article_offsets) - 1
    last = n if last is None else last
    counts = np.zeros(n, np.int32)
    touched = np.empty(n, np.int32)
    buffer = np.empty((max(n, 1 << 16), 2), np.int64)
    found = []
    while first < last:
        used, first = _scan_count(
            first,
            last,
            postings,
            roles,
            source_of,
            max_posting,
            min_shared,
            counts,
            touched,
            buffer,
        )
        found.append(buffer[:used].copy())
    return np.concatenate(found) if found else np.empty((0, 2), np.int64)
