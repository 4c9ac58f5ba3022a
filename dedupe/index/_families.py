"""Families of an index: the same clusters as a scan's, of the articles that links lead to.

Articles that no chain of links connects have no bearing on each other, so the clusters of one
connected part are those that a scan of everything finds in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from dedupe.families import find_families
from dedupe.index._records import Family
from dedupe.index._store import PAIR
from dedupe.ingest import Articles
from dedupe.matching import longer_first
from dedupe.measures import Matches
from dedupe.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.index._store import Record, Store

__all__ = ["Part", "connected", "families_of", "name_of", "number_of", "settle"]

MOST = 200
"""Articles of a connected part up to which its families are found anew with every article that
joins it. Of a larger one a new article gets the family of the one it shares most with, until
the family is asked for or the index compacted."""


class Part(NamedTuple):
    """Articles that links connect.

    Attributes:
        numbers: of the articles, ascending.
        links: between them, of dtype `PAIR`.
        whole: whether these are all.
    """

    numbers: list[int]
    links: NDArray[np.void]
    whole: bool


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


def connected(store: Store, number: int, most: int | None = None) -> Part:
    """The articles that links lead to from one, step by step; no more than `most`, if given."""
    numbers = {number}
    found: dict[tuple[int, int], np.void] = {}
    frontier = [number]
    while frontier and (most is None or len(numbers) <= most):
        following = set()
        for link in store.links_of(frontier):
            later, earlier = int(link["later"]), int(link["earlier"])
            found[later, earlier] = link
            following |= {later, earlier}
        frontier = sorted(following - numbers)
        numbers |= following
    ends = numbers
    links = [link for (x, y), link in sorted(found.items()) if x in ends and y in ends]
    return Part(sorted(numbers), np.array(links, PAIR), not frontier)


_NO_TOKENS = Spool(0)


def families_of(
    store: Store, part: Part, config: Config
) -> tuple[list[Record], list[tuple[Family, list[int]]]]:
    """The records of a part, and its families with their members' numbers."""
    records = store.load(part.numbers, texts=False)
    records.sort(key=lambda record: (record.fingerprint, record.article.id))
    place = {record.number: k for k, record in enumerate(records)}
    rows = [
        row for row in part.links if int(row["later"]) in place and int(row["earlier"]) in place
    ]
    found = find_families(_articles(records), _matches(rows, records, place), config)
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
    words = np.array([record.words for record in records], np.int64)

    def column(name: str) -> pl.Series:
        return pl.Series([getattr(record.article, name) for record in records], dtype=pl.String)

    return Articles(
        ids=column("id"),
        sources=column("source"),
        titles=column("title"),
        published=column("published"),
        spans=np.stack([np.zeros(n, np.int64), words], axis=1),
        fingerprints=np.array([record.fingerprint for record in records], np.uint64),
        bands=np.empty((n, 0), np.uint32),
        sketch_offsets=np.zeros(n + 1, np.int64),
        sketch=np.empty(0, np.uint64),
        scale=1,
        spool=_NO_TOKENS,
        n_read=n,
        text_bytes=0,
    )


def _matches(rows: Sequence[np.void], records: Sequence[Record], place: dict[int, int]) -> Matches:
    """Kept pairs as a scan has them."""
    kept = np.array(rows, PAIR)
    ends = np.array(
        [(place[int(row["later"])], place[int(row["earlier"])]) for row in rows], np.int64
    ).reshape(-1, 2)
    words = np.array([record.words for record in records], np.int64)
    order, turned = _order(ends, words)
    kept, pairs = kept[order], np.where(turned[:, None], ends[:, ::-1], ends)[order]
    turned = turned[order]

    def sides(later: str, earlier: str) -> NDArray[np.generic]:
        both = np.stack([kept[later], kept[earlier]], axis=1)
        return np.where(turned[:, None], both[:, ::-1], both)

    body = sides("body_later", "body_earlier").astype(np.int64)
    shared, net = kept["shared"].astype(np.int64), kept["net"].astype(np.int64)
    return Matches(
        pairs=pairs,
        resemblance=kept["resemblance"],
        shared_words=shared,
        shares=shared[:, None] / np.maximum(words[pairs].reshape(-1, 2), 1),
        net=net[:, None] / np.maximum(body, 1),
        net_words=net,
        body=body,
        passages=np.empty((0, 9), np.int32),
        masks=sides("mask_later", "mask_earlier").astype(np.uint64),
        reused_words=np.zeros(len(records), np.int64),
        counts={},
    )


def _order(
    ends: NDArray[np.int64], words: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The order of pairs in a scan, and which of them are turned in it."""
    low_first = np.sort(ends, axis=1)
    sorted_pairs = longer_first(low_first, words)
    place = {(int(x), int(y)): k for k, (x, y) in enumerate(sorted_pairs)}
    at = np.array(
        [place.get((int(x), int(y)), place.get((int(y), int(x)), -1)) for x, y in ends], np.int64
    )
    order = np.argsort(at, kind="stable")
    turned = np.array([(int(x), int(y)) not in place for x, y in ends], np.bool_)
    return order, turned


def settle(
    store: Store, numbers: Sequence[int], config: Config, *, most: int | None = MOST
) -> dict[int, int | None]:
    """Find the families of some articles anew, and keep them.

    Returns:
        the family of each of the articles whose part was looked at, by number.
    """
    settled: dict[int, int | None] = {}
    for number in numbers:
        if number in settled:
            continue
        part = connected(store, number, most)
        if not part.whole:
            settled[number] = _nearest_family(store, part, number)
            store.set_families({number: settled[number]})
            continue
        records, families = families_of(store, part, config)
        of = {n: number_of(family.name) for family, members in families for n in members}
        changed = {r.number: of.get(r.number) for r in records if r.family != of.get(r.number)}
        if changed:
            store.set_families(changed)
        settled |= {record.number: of.get(record.number) for record in records}
    return settled


def _nearest_family(store: Store, part: Part, number: int) -> int | None:
    """The family of the article that one shares most with."""
    links = part.links[(part.links["later"] == number) | (part.links["earlier"] == number)]
    if not len(links):
        return None
    others = np.where(links["later"] == number, links["earlier"], links["later"]).astype(np.int64)
    order = np.lexsort((others, -links["net"].astype(np.int64)))
    for record in store.load(others[order].tolist(), texts=False):
        if record.family is not None:
            return record.family
    return None
