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

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dedupe._bits import prefetch
from dedupe._jit import kernel
from dedupe._threads import in_slices, in_threads
from dedupe.hashtable import maybe_repeated, table_size, table_slot
from dedupe.sketch import distinct_ascending

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "SPARSE_ARTICLES",
    "Postings",
    "Roles",
    "assign_roles",
    "build_postings",
    "candidates",
    "postings_of",
    "roles_of",
    "strongest",
]

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

_POSTINGS_PER_TASK = 8192

_AHEAD = 8
"""Entries, or articles, whose memory is fetched before it is their turn: it is anywhere."""

SPARSE_ARTICLES = 24
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


_PART = 1 << 16
"""Entries inverted at a time: their tables stay in the second cache."""

_LEAST_PASS, _MOST_PASS, _PASSES = 1 << 21, 1 << 24, 16
"""Entries dealt out to parts at a time: a sixteenth of all, 25 to 200 MB, in memory that is used again,
and as much for those dealt out before. Each pass looks at every article, and fresh memory costs
more than filling it."""


@kernel
def _part_sizes(
    sketch: NDArray[np.uint64], posted: NDArray[np.bool_], shift: np.uint64, out: NDArray[np.int64]
) -> None:
    for i in range(len(sketch)):
        out[np.int64(sketch[i] >> shift)] += np.int64(posted[i])


@kernel
def _deal_out(
    offsets: NDArray[np.int64],
    sketch: NDArray[np.uint64],
    posted: NDArray[np.bool_],
    shift: np.uint64,
    first: int,
    last: int,
    cursors: NDArray[np.int64],
    starts: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    articles: NDArray[np.int32],
) -> None:
    """Entries of parts [first, last), part by part, each in the order of articles.

    `cursors` says how far each article's sketch, which ascends, was dealt out before.
    """
    ends = starts.copy()
    for article in range(len(offsets) - 1):
        i, end = cursors[article], offsets[article + 1]
        if article + _AHEAD < len(cursors):
            prefetch(sketch, cursors[article + _AHEAD])
            prefetch(posted, cursors[article + _AHEAD])
        while i < end:
            part = np.int64(sketch[i] >> shift)
            if part >= last:
                break
            if posted[i]:
                place = ends[part - first]
                hashes[place] = sketch[i]
                articles[place] = article
                ends[part - first] = place + 1
            i += 1
        cursors[article] = i


@kernel
def _invert_part(
    hashes: NDArray[np.uint64],
    articles: NDArray[np.int32],
    keys_out: NDArray[np.uint64],
    lengths_out: NDArray[np.int64],
    articles_out: NDArray[np.int32],
) -> tuple[int, int]:
    """Postings of one part: its hashes that several articles hold, ascending, and their articles.

    Returns the number of postings and of entries. A table of the hashes and not a sort of the
    entries: a hash that a hundred thousand articles hold costs no more than as many others.
    """
    repeated = maybe_repeated(hashes)
    n = 0
    for i in range(len(hashes)):
        n += np.int64(repeated[i])
    size = table_size(n)
    keys = np.empty(size, np.uint64)
    used = np.full(size, -1, np.int64)
    counts = np.zeros(size, np.int64)
    slots = np.empty(n, np.int64)
    places = np.empty(size, np.int64)  # of the next article
    n = 0
    for i in range(len(hashes)):
        if repeated[i]:
            slot = table_slot(keys, used, hashes[i], 0)
            used[slot] = 0
            keys[slot] = hashes[i]
            counts[slot] += 1
            slots[n] = slot
            n += 1
    postings = 0
    for slot in range(size):
        if counts[slot] > 1:
            keys_out[postings] = keys[slot]
            postings += 1
    distinct_ascending(keys_out[:postings])
    at = 0
    for p in range(postings):
        slot = table_slot(keys, used, keys_out[p], 0)
        lengths_out[p] = counts[slot]
        places[slot] = at
        at += counts[slot]
    n = 0
    for i in range(len(hashes)):
        if repeated[i]:
            slot = slots[n]
            n += 1
            if counts[slot] > 1:
                articles_out[places[slot]] = articles[i]
                places[slot] += 1
    return postings, at


@kernel
def _by_article(
    articles: NDArray[np.int32], article_offsets: NDArray[np.int64], entries: NDArray[np.int64]
) -> None:
    """Positions in `articles`, article by article, ascending."""
    for k in range(len(articles)):
        article_offsets[articles[k] + 1] += 1
    for article in range(len(article_offsets) - 1):
        article_offsets[article + 1] += article_offsets[article]
    ends = article_offsets.copy()
    for k in range(len(articles)):
        entries[ends[articles[k]]] = k
        ends[articles[k]] += 1


def build_postings(
    sketch_offsets: NDArray[np.int64],
    sketch: NDArray[np.uint64],
    posted: NDArray[np.bool_],
    *,
    largest: int,
    threads: int = 1,
) -> Postings:
    """Invert sketches.

    The hashes are dealt out to parts by their upper bits, and each part is inverted for itself,
    in threads; a bounded number of entries is dealt out at a time.

    Args:
        sketch_offsets, sketch: int64 (n + 1,) and uint64, each article's sketch, ascending.
        posted: bool (len(sketch),), the entries that count.
        largest: no hash is larger.
        threads: worker threads.
    """
    n = len(sketch_offsets) - 1
    passes = _Passes(sketch_offsets, sketch, posted, largest)
    found: list[tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int32]]] = []
    inverter = passes.deal_out()
    while inverter is not None:
        # The next entries are dealt out by one thread beside those that invert these.
        parts = [partial(inverter.invert, part) for part in range(len(inverter.sizes))]
        tasks: list[Callable[[], Any]] = [passes.deal_out, *parts]
        inverter, *inverted = in_threads(_called, tasks, threads)
        found += inverted
    lengths = np.concatenate([np.empty(0, np.int64), *(part[1] for part in found)])
    holders = np.concatenate([np.empty(0, np.int32), *(part[2] for part in found)])
    hashes = np.concatenate([np.empty(0, np.uint64), *(part[0] for part in found)])
    return postings_of(hashes, lengths, holders, n)


def postings_of(
    hashes: NDArray[np.uint64], lengths: NDArray[np.int64], holders: NDArray[np.int32], n: int
) -> Postings:
    """Postings of n articles, from the hashes, how many hold each, and who they are."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    article_offsets = np.zeros(n + 1, np.int64)
    entries = np.empty(len(holders), np.int64)
    _by_article(holders, article_offsets, entries)
    return Postings(
        hashes=hashes,
        offsets=offsets,
        articles=holders,
        article_offsets=article_offsets,
        entries=entries,
        posting_of=np.repeat(np.arange(len(lengths), dtype=np.int32), lengths),
    )


def _called(task: Callable[[], Any]) -> Any:
    return task()


class _Passes:
    """Deals out the entries of sketches to parts, those of some parts in each pass.

    Args:
        offsets, sketch, posted, largest: as for `build_postings`.
    """

    def __init__(
        self,
        offsets: NDArray[np.int64],
        sketch: NDArray[np.uint64],
        posted: NDArray[np.bool_],
        largest: int,
    ) -> None:
        self._arrays = offsets, sketch, posted
        # At least one bit: a shift by all 64 has no meaning.
        bits = max(1, (len(sketch) // _PART).bit_length())
        self._shift = np.uint64(max(0, largest.bit_length() - bits))
        self._sizes = np.zeros((largest >> int(self._shift)) + 1, np.int64)
        _part_sizes(sketch, posted, self._shift, self._sizes)
        self._ends = np.cumsum(self._sizes)
        self._cursors = offsets[:-1].copy()
        self._at_once = min(_MOST_PASS, max(_LEAST_PASS, len(sketch) // _PASSES))
        self._first = 0  # part of the next pass
        none = np.empty(0, np.uint64), np.empty(0, np.int32)
        self._room, self._other_room = none, none

    def deal_out(self) -> _Inverter | None:
        """The next pass, None if there is none; it holds until the one after it is dealt out."""
        first = self._first
        if first == len(self._sizes):
            return None
        done = int(self._ends[first] - self._sizes[first])
        last = int(np.searchsorted(self._ends, done + self._at_once, side="right"))
        self._first = last = max(first + 1, last)
        sizes = self._sizes[first:last]
        starts = self._ends[first:last] - sizes - done
        total = int(sizes.sum())
        room, self._other_room = self._other_room, self._room
        if len(room[0]) < total:
            room = np.empty(total, np.uint64), np.empty(total, np.int32)
        self._room = room
        _deal_out(*self._arrays, self._shift, first, last, self._cursors, starts, *room)
        return _Inverter(starts, sizes, *room)


class _Inverter(NamedTuple):
    """Inverts the parts that were dealt out in one pass."""

    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    articles: NDArray[np.int32]

    def invert(self, part: int) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int32]]:
        """Hashes, lengths and articles of the postings of a part."""
        here = slice(int(self.starts[part]), int(self.starts[part] + self.sizes[part]))
        n = int(self.sizes[part])
        keys, lengths = np.empty(n // 2, np.uint64), np.empty(n // 2, np.int64)
        articles = np.empty(n, np.int32)
        postings, entries = _invert_part(
            self.hashes[here], self.articles[here], keys, lengths, articles
        )
        return keys[:postings].copy(), lengths[:postings].copy(), articles[:entries].copy()


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
    stop_i, stop_j = min(last_i, first_i + _COMPARED), min(last_j, first_j + _COMPARED)
    while i < stop_i and j < stop_j:  # which is the lesser is anyone's guess: no branch on it
        x, y = sketch[i], sketch[j]
        shared += np.int64(x == y)
        i += np.int64(x <= y)
        j += np.int64(y <= x)
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
    enough = (0.5 if one_source else SOME_RELATED) * pairs
    related = 0
    for k in range(pairs):
        if related >= enough or related + pairs - k < enough:  # the others make no difference
            break
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
    return related < enough


@kernel
def _mark_furniture(
    first_posting: int,
    last_posting: int,
    postings: Postings,
    sketch_offsets: NDArray[np.int64],
    sketch: NDArray[np.uint64],
    scale: int,
    source_of: NDArray[np.int32],
    n_sources: int,
    within_source: int,
    furniture: NDArray[np.bool_],
) -> None:
    """Mark the entries of every source that has many unrelated articles in a posting."""
    offsets, articles = postings.offsets, postings.articles
    longest = 0
    for posting in range(first_posting, last_posting):
        longest = max(longest, offsets[posting + 1] - offsets[posting])
    counts = np.zeros(n_sources, np.int64)
    ends = np.zeros(n_sources, np.int64)
    met = np.empty(longest, np.int32)  # sources, in the order met
    ordered = np.empty(longest, np.int64)  # entries, source by source
    for posting in range(first_posting, last_posting):
        first, last = offsets[posting], offsets[posting + 1]
        if last - first < within_source:
            continue
        n_met = 0
        for k in range(first, last):
            source = source_of[articles[k]]
            if source >= 0:
                if counts[source] == 0:
                    met[n_met] = source
                    n_met += 1
                counts[source] += 1
        at = 0
        for m in range(n_met):
            ends[met[m]] = at
            at += counts[met[m]]
        for k in range(first, last):
            source = source_of[articles[k]]
            if source >= 0:
                ordered[ends[source]] = k
                ends[source] += 1
        for m in range(n_met):
            stop, n = ends[met[m]], counts[met[m]]
            counts[met[m]] = 0
            if n >= within_source:
                entries = ordered[stop - n : stop]
                if _unrelated(articles[entries], postings, sketch_offsets, sketch, scale, True):
                    for k in entries:
                        furniture[k] = True


@kernel
def _find_stock(
    first_posting: int,
    last_posting: int,
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
    for posting in range(first_posting, last_posting):
        first, last = offsets[posting], offsets[posting + 1]
        marked = 0
        unknown = 0
        for k in range(first, last):
            marked += np.int64(furniture[k])
            unknown += np.int64(source_of[articles[k]] < 0)
        if 2 * marked >= last - first:
            stock[posting] = True
        elif last - first > SPARSE_ARTICLES and 2 * unknown >= last - first:
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
            others += np.int64(not furniture[k])
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
    threads: int = 1,
) -> Roles:
    """Tell reuse from furniture, and choose the hubs of long postings.

    Args:
        postings: of the sketches; articles numbered in the order that decides on hubs.
        sketch_offsets, sketch: the sketch of every article, ascending.
        source_of: int32 (n_articles,), number of each article's source, -1 where unknown.
        scale: the sketches' scale.
        within_source: articles of one source from which repeated text may be boilerplate.
        max_posting, hubs: longest posting compared all against all, and what longer ones do.
        threads: worker threads.
    """
    furniture = np.zeros(len(postings.articles), np.bool_)
    stock = np.zeros(len(postings.hashes), np.bool_)
    arrays = (postings, sketch_offsets, sketch, scale, source_of)
    n_sources = int(source_of.max(initial=-1)) + 1

    def judge(first: int, last: int) -> None:
        _mark_furniture(first, last, *arrays, n_sources, within_source, furniture)
        _find_stock(first, last, *arrays, furniture, stock)

    in_slices(judge, len(postings.hashes), _POSTINGS_PER_TASK, threads)
    return roles_of(postings, furniture, stock, max_posting=max_posting, hubs=hubs)


def roles_of(
    postings: Postings,
    furniture: NDArray[np.bool_],
    stock: NDArray[np.bool_],
    *,
    max_posting: int,
    hubs: int,
) -> Roles:
    """Roles where it is known what is furniture.

    Args:
        postings: of the sketches.
        furniture, stock: as `furniture` and `boilerplate` in `Roles`.
        max_posting, hubs: as for `assign_roles`.
    """
    is_hub = np.zeros(len(postings.articles), np.bool_)
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
    between_sources: NDArray[np.int32],
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
            if e + _AHEAD < len(entries):
                coming = entries[e + _AHEAD]
                prefetch(posting_of, coming)
                prefetch(articles, coming)
                prefetch(furniture, coming)
                prefetch(is_hub, coming)
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
            least = min_shared
            if source_of[other] != source_of[article]:
                least = min(between_sources[article], between_sources[other])
            if counts[other] >= least:
                out[used, 0] = other
                out[used, 1] = article
                out[used, 2] = counts[other]
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
    between_sources: NDArray[np.int32] | None = None,
) -> NDArray[np.int64]:
    """Pairs of articles that share enough sketch hashes.

    Args:
        postings: of the sketches.
        roles: as `assign_roles` gave them.
        source_of: int32 (n_articles,), number of each article's source, -1 where unknown.
        min_shared: hashes a pair must share.
        max_posting: longest posting compared all against all.
        first, last: look only at articles in this range as the later one of a pair.
        between_sources: int32 (n_articles,), of whose two values the lesser is asked of a pair of
            different sources; if not given, `min_shared` is.

    Returns:
        int64 (n_pairs, 3), distinct: earlier article, later article, hashes they share.
    """
    n = len(postings.article_offsets) - 1
    last = n if last is None else last
    if between_sources is None:
        between_sources = np.full(n, min_shared, np.int32)
    counts = np.zeros(n, np.int32)
    touched = np.empty(n, np.int32)
    buffer = np.empty((max(n, 1 << 16), 3), np.int64)
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
            between_sources,
            counts,
            touched,
            buffer,
        )
        found.append(buffer[:used].copy())
    return np.concatenate(found) if found else np.empty((0, 3), np.int64)


def strongest(found: NDArray[np.int64], n: int, most: int) -> NDArray[np.bool_]:
    """Which candidates are among the `most` strongest of at least one of their articles.

    A story that many print would otherwise be listed with the square of their number. Strong is
    who shares many hashes; of equals the one found first is kept.

    Args:
        found: int64 (n_pairs, 3), as from `candidates`.
        n: number of articles.
        most: pairs that each article keeps at least, if it has so many.

    Returns:
        bool (n_pairs,).
    """
    return _keep_strongest(found, n, most)


@kernel
def _keep_strongest(found: NDArray[np.int64], n: int, most: int) -> NDArray[np.bool_]:
    """Keep the pairs of articles that have few, and of each crowded one those that share most."""
    degrees = np.zeros(n, np.int64)
    for row in range(len(found)):
        for side in range(2):
            degrees[found[row, side]] += 1
    kept = np.empty(len(found), np.bool_)
    for row in range(len(found)):
        kept[row] = degrees[found[row, 0]] <= most or degrees[found[row, 1]] <= most
    starts = np.zeros(n + 1, np.int64)
    for article in range(n):
        starts[article + 1] = starts[article] + (degrees[article] if degrees[article] > most else 0)
    ends = starts[:n].copy()
    rows = np.empty(starts[n], np.int64)
    for row in range(len(found)):
        for side in range(2):
            article = found[row, side]
            if degrees[article] > most:
                rows[ends[article]] = row
                ends[article] += 1
    largest = 0
    for row in range(len(found)):
        largest = max(largest, found[row, 2])
    # Counts of each strength say from which on all are kept, and how many of the last.
    strengths = np.zeros(largest + 1, np.int64)
    for article in range(n):
        first, last = starts[article], starts[article + 1]
        if first == last:
            continue
        for k in range(first, last):
            strengths[found[rows[k], 2]] += 1
        left = most
        level = largest
        while strengths[level] <= left:
            left -= strengths[level]
            level -= 1
        for k in range(first, last):
            strengths[found[rows[k], 2]] = 0
            strength = found[rows[k], 2]
            if strength > level:
                kept[rows[k]] = True
            elif strength == level and left > 0:
                kept[rows[k]] = True
                left -= 1
    return kept
