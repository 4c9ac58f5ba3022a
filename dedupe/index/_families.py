"""Families of an index: the same clusters as a scan's, of the articles that links lead to.

Articles that no chain of links connects have no bearing on each other, so the clusters of one
connected part are those that a scan of everything finds in it.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import polars as pl

from dedupe.cluster import near_components
from dedupe.families import find_clusters, find_families
from dedupe.index._records import Family
from dedupe.index._store import PAIR
from dedupe.ingest import Articles, numbered
from dedupe.matching import turned
from dedupe.measures import Matches
from dedupe.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.index._store import Record, Store

T = TypeVar("T", bound=np.generic)

__all__ = ["Part", "connected", "families_of", "name_of", "number_of", "settle"]

MOST = 64
"""Articles of a connected part up to which its families are found anew with every article that
joins it. Of a larger one a new article gets the family of the one it shares most with, until
the family is asked for or the index compacted."""


class Part(NamedTuple):
    """Articles that links connect.

    Attributes:
        numbers: int64, of the articles, ascending.
        links: between them, of dtype `PAIR`.
        border: int64, those of them of which not all links were followed, ascending.
    """

    numbers: NDArray[np.int64]
    links: NDArray[np.void]
    border: NDArray[np.int64]


def name_of(fingerprint: int | None) -> str | None:
    """A family's name."""
    return None if fingerprint is None else f"f{fingerprint:016x}"


def number_of(name: str) -> int | None:
    """The fingerprint in a family's name; None if it is no such name."""
    if len(name) != 17 or name[0] != "f":
        return None
    try:
        return int(name[1:], 16)
    except ValueError:
        return None


def connected(store: Store, numbers: Sequence[int], most: int | None = None) -> Part:
    """The articles that links lead to from some, step by step.

    Args:
        store: has the links.
        numbers: of the articles to begin with.
        most: connected articles from which on no more steps are taken from them.
    """
    every = frontier = np.unique(np.array(numbers, np.int64))
    roots = np.arange(len(every))
    border = np.empty(0, np.int64)
    links = [np.empty(0, PAIR)]
    while len(frontier):
        found = store.links_of(frontier.tolist(), None if most is None else most + 1)
        links.append(found)
        ends = np.unique(np.concatenate([found["later"], found["earlier"]]))
        frontier = np.setdiff1d(ends, every, assume_unique=True)
        before, every = every, np.union1d(every, frontier)
        if most is not None and len(frontier):
            roots = _joined(before, roots, every, found)
            reached = roots[np.searchsorted(every, frontier)]
            large = np.bincount(roots, minlength=len(every))[reached] > most
            border = np.concatenate([border, frontier[large]])
            frontier = frontier[~large]
    joined = np.concatenate(links)
    _, first = np.unique((joined["later"] << 32) | joined["earlier"], return_index=True)
    return Part(every, joined[first], np.sort(border))


def _joined(
    before: NDArray[np.int64],
    roots: NDArray[np.int64],
    every: NDArray[np.int64],
    links: NDArray[np.void],
) -> NDArray[np.int64]:
    """int64, roots of all articles, from those `before` with their roots, and more links."""
    place = np.searchsorted(every, before)
    known = np.stack([place, place[roots]], axis=1)
    return near_components(len(every), np.concatenate([known, _places(every, links)]))


def _places(numbers: NDArray[np.int64], links: NDArray[np.void]) -> NDArray[np.int64]:
    """int64 (n_links, 2), where the ends of links are in numbers, which ascend."""
    return np.stack(
        [np.searchsorted(numbers, links[name]) for name in ("later", "earlier")], axis=1
    )


_NO_TOKENS = Spool(0)


def families_of(
    store: Store, part: Part, config: Config
) -> tuple[list[Record], list[tuple[Family, list[int]]]]:
    """The records of a part, and its families with their members' numbers."""
    records = _ordered(store, part)
    found = find_families(_articles(records), _matches(part.links, records), config)
    families = []
    for family in found.families:
        members = sorted((records[k] for k in family.members), key=lambda r: (r.since, r.number))
        families.append(
            (
                Family(
                    name=family.name,
                    members=tuple(record.article.id for record in members),
                    representative=records[family.representative].article.id,
                    first_seen=family.first_seen,
                    sources=tuple(family.sources),
                ),
                [record.number for record in members],
            )
        )
    return records, families


def _articles(records: Sequence[Record]) -> Articles:
    """Records as the families of a scan are made of, in its order."""
    n = len(records)
    words = _column(records, "words", np.int64)

    def column(name: str) -> pl.Series:
        return pl.Series([getattr(record.article, name) for record in records], dtype=pl.String)

    names = [record.article.id for record in records]
    return Articles(
        ids=column("id"),
        sources=column("source"),
        titles=column("title"),
        published=column("published"),
        source_of=numbered([record.article.source for record in records]),
        # Not by polars, whose threads are not there after a fork.
        by_id=np.array(sorted(range(n), key=names.__getitem__), np.int64),
        spans=np.stack([np.zeros(n, np.int64), words], axis=1),
        fingerprints=_column(records, "fingerprint", np.uint64),
        bands=np.empty((n, 0), np.uint32),
        sketch_offsets=np.zeros(n + 1, np.int64),
        sketch=np.empty(0, np.uint64),
        scale=1,
        spool=_NO_TOKENS,
        n_read=n,
        text_bytes=0,
    )


def _column(records: Sequence[Record], name: str, kind: type[T]) -> NDArray[T]:
    return np.fromiter(map(attrgetter(name), records), kind, len(records))


def _ordered(store: Store, part: Part) -> list[Record]:
    """The records of a part in the order of a scan, which is by content."""
    records = store.load(part.numbers.tolist(), texts=False)
    records.sort(key=attrgetter("article.id"))
    records.sort(key=attrgetter("fingerprint"))
    return records


def _family_of_each(records: Sequence[Record], part: Part, config: Config) -> list[int | None]:
    """The family of each of the records of a part, as `families_of` finds and names them."""
    prints = _column(records, "fingerprint", np.uint64)
    words = _column(records, "words", np.int64)
    sources = numbered([record.article.source for record in records])
    matches = _matches(part.links, records)
    roots = find_clusters(words, prints, sources, matches, config).roots
    alone = np.bincount(roots, minlength=len(roots))[roots] == 1
    return [
        None if one else name
        for name, one in zip(prints[roots].tolist(), alone.tolist(), strict=True)
    ]


def _matches(links: NDArray[np.void], records: Sequence[Record]) -> Matches:
    """Kept pairs as a scan has them: of records that are there, the longer article first."""
    numbers, words = _column(records, "number", np.int64), _column(records, "words", np.int64)
    by_number = np.argsort(numbers)
    ends = np.stack([links["later"], links["earlier"]], axis=1).reshape(-1, 2)
    at = np.minimum(np.searchsorted(numbers[by_number], ends), len(numbers) - 1)
    places = by_number[at]
    there = (numbers[places] == ends).all(axis=1)
    links, places = links[there], places[there]
    # In the order of `longer_first`, each with its link beside it.
    pairs = turned(np.sort(places, axis=1), words)
    order = np.argsort(pairs[:, 0] * len(records) + pairs[:, 1])
    links, places, pairs = links[order], places[order], pairs[order]
    swapped = (places[:, 0] != pairs[:, 0])[:, None]

    def sides(name: str) -> NDArray[np.generic]:
        both = np.stack([links[f"{name}_later"], links[f"{name}_earlier"]], axis=1)
        return np.where(swapped, both[:, ::-1], both)

    body = sides("body").astype(np.int64)
    shared, net = links["shared"].astype(np.int64), links["net"].astype(np.int64)
    return Matches(
        pairs=pairs,
        resemblance=links["resemblance"].astype(np.float64),
        shared_words=shared,
        shares=shared[:, None] / np.maximum(words[pairs].reshape(-1, 2), 1),
        net=net[:, None] / np.maximum(body, 1),
        net_words=net,
        body=body,
        passages=np.empty((0, 9), np.int32),
        masks=sides("mask").astype(np.uint64),
        reused_words=np.zeros(len(records), np.int64),
        counts={},
    )


def settle(
    store: Store, numbers: Sequence[int], config: Config, *, most: int | None = MOST
) -> dict[int, int | None]:
    """Find the families of some articles anew, and keep them.

    Args:
        store: has the articles and their links.
        numbers: of the articles.
        config: the settings.
        most: articles of a part up to which that is done exactly; None: always.

    Returns:
        the family of each of the articles whose part was looked at, by number.
    """
    settled: dict[int, int | None] = {}
    if not numbers:
        return settled
    if most is not None:
        settled = _large_families(store, numbers, most)
        store.set_families(settled)
    rest = [number for number in numbers if number not in settled]
    if not rest:
        return settled
    part = connected(store, rest, most)
    records = _ordered(store, part)
    families = _family_of_each(records, part, config)
    of = {record.number: family for record, family in zip(records, families, strict=True)}
    if len(part.border):
        # Of parts that go on beyond the border what is known stays.
        open_parts = _parts_with(part, part.border)
        records = [r for r in records if r.family is None or r.number not in open_parts]
    settled |= {record.number: of[record.number] for record in records}
    store.set_families({r.number: of[r.number] for r in records if r.family != of[r.number]})
    return {**dict.fromkeys(rest), **settled}


def _parts_with(part: Part, some: NDArray[np.int64]) -> set[int]:
    """Articles that links connect to some."""
    roots = near_components(len(part.numbers), _places(part.numbers, part.links))
    marked = np.isin(roots, roots[np.searchsorted(part.numbers, some)])
    return set(part.numbers[marked].tolist())


def _large_families(store: Store, numbers: Sequence[int], most: int) -> dict[int, int | None]:
    """Of articles that share most with one of a large family that family; not the others."""
    links = store.links_of(numbers)
    own = np.concatenate([links["later"], links["earlier"]])
    others = np.concatenate([links["earlier"], links["later"]])
    net = np.concatenate([links["net"], links["net"]]).astype(np.int64)
    asked = np.isin(own, numbers)
    own, others, net = own[asked], others[asked], net[asked]
    order = np.lexsort((others, -net, own))
    own, first = np.unique(own[order], return_index=True)
    best = dict(zip(own.tolist(), others[order][first].tolist(), strict=True))
    family_of = {r.number: r.family for r in store.load(sorted({*best.values()}), texts=False)}
    sizes: dict[int, int] = {}
    found: dict[int, int | None] = {}
    for number, other in best.items():
        family = family_of.get(other)
        if family is None:
            continue
        if family not in sizes:
            sizes[family] = store.family_size(family, most)
        if sizes[family] == most:
            found[number] = family
    return found
