"""What is kept and told of articles that were looked up: pairs, and a match for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dedupe.families import linking, linking_shares
from dedupe.index._answers import Asked, answer, estimated, estimates
from dedupe.index._families import name_of
from dedupe.index._store import PAIR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.index._checking import Candidates, Neighbourhood
    from dedupe.index._jobs import Found, Job
    from dedupe.index._records import Match
    from dedupe.index._store import Entered, Record, Store

__all__ = ["answers", "estimated_pairs", "pairs_of"]


def pairs_of(near: Neighbourhood, entered: list[Entered], config: Config) -> NDArray[Any]:
    """Verified pairs as they are kept."""
    matches = near.matches
    rows = np.zeros(len(matches.pairs), PAIR)
    if not len(rows):
        return rows
    numbers = np.array(
        [r.number for r in near.records] + [one.number for one in entered], np.int64
    )[matches.pairs]
    turned = numbers[:, 0] < numbers[:, 1]

    def of_side(values: NDArray[Any], *, later: bool) -> NDArray[Any]:
        first, second = (values[:, 1], values[:, 0]) if later else (values[:, 0], values[:, 1])
        return np.where(turned, first, second)

    for name, values in (("body", matches.body), ("mask", matches.masks)):
        rows[f"{name}_later"] = of_side(values, later=True)
        rows[f"{name}_earlier"] = of_side(values, later=False)
    rows["later"], rows["earlier"] = numbers.max(axis=1), numbers.min(axis=1)
    rows["shared"], rows["net"] = matches.shared_words, matches.net_words
    rows["resemblance"] = matches.resemblance
    rows["links"] = linking(linking_shares(near.words, matches), matches, config)
    return rows


def estimated_pairs(
    job: Job, records: list[Record], found: Candidates, entered: list[Entered], config: Config
) -> NDArray[Any]:
    """Pairs as they are kept where there are no texts."""
    words = [record.words for record in records] + job.read.words.tolist()
    numbers = [record.number for record in records] + [one.number for one in entered]
    rows = np.zeros(len(found.pairs), PAIR)
    for k, ((x, y), shared) in enumerate(
        zip(found.pairs.tolist(), found.shared.tolist(), strict=True)
    ):
        estimate = estimated(words[y], words[x], shared, job.scale, config.shingle, equal=False)
        share = estimate.words / max(min(words[x], words[y]), 1)
        if numbers[y] < numbers[x]:  # one that was there before the other came is asked about
            x, y = y, x  # noqa: PLW2901
        rows[k] = (
            numbers[y],
            numbers[x],
            estimate.words,
            estimate.words,
            words[y],
            words[x],
            estimate.resemblance,
            0,
            0,
            share >= config.threshold or estimate.resemblance >= config.near,
        )
    return rows


def answers(
    store: Store,
    config: Config,
    job: Job,
    entered: list[Entered],
    found: Found,
    families: dict[int, int | None] | None,
) -> list[Match]:
    """A match for each article of a job; without families of articles that are not kept."""
    return [
        _answer(store, config, job, k, entered, found, families) for k in range(len(job.articles))
    ]


def _answer(
    store: Store,
    config: Config,
    job: Job,
    k: int,
    entered: list[Entered],
    found: Found,
    families: dict[int, int | None] | None,
) -> Match:
    records = found.records
    asked = Asked(
        job.articles[k],
        entered[k].status,
        int(job.read.words[k]),
        int(found.candidates.left_out[k]),
        found.hidden.get(k, set()),
    )
    family = _family_name(store, config, entered[k], families, found, len(records) + k)
    if found.near is not None:
        others = [(r.since, r.article) for r in found.near.records] + [
            (one.since, article) for one, article in zip(entered, job.articles, strict=True)
        ]
        own = len(found.near.records) + k
        return answer(asked, own, others, found.near, family, config)
    own = len(records) + k
    rows = [
        (int(x), int(shared))
        for (x, y), shared in zip(found.candidates.pairs, found.candidates.shared, strict=True)
        if y == own and not (x < len(records) and records[x].number in asked.hidden)
    ]
    everyone = [(r.since, r.words, r.article) for r in records] + [
        (one.since, int(words), article)
        for one, words, article in zip(entered, job.read.words, job.articles, strict=True)
    ]
    prints = [r.fingerprint for r in records] + job.read.fingerprints.tolist()
    return estimates(
        asked,
        [everyone[other] for other, _ in rows],
        [prints[other] == prints[own] for other, _ in rows],
        [shared for _, shared in rows],
        job.scale,
        family,
        config,
    )


def _family_name(
    store: Store,
    config: Config,
    entered: Entered,
    families: dict[int, int | None] | None,
    found: Found,
    own: int,
) -> str | None:
    """The family of an article that is kept, or that it would join."""
    if families and entered.number in families:
        return name_of(families[entered.number])
    if entered.status == "unchanged":
        records = store.load([entered.number], texts=False)
        return name_of(records[0].family) if records else None
    return _would_join(found, own, config) if families is None else None


def _would_join(found: Found, own: int, config: Config) -> str | None:
    """The family of the article that one that is not kept shares most with, of those it links to."""
    if found.near is None:
        return None
    matches = found.near.matches
    links = linking(linking_shares(found.near.words, matches), matches, config)
    best, family = -1, None
    for row in np.flatnonzero((matches.pairs == own).any(axis=1) & links).tolist():
        other = int(matches.pairs[row].sum()) - own
        if other < len(found.near.records) and matches.net_words[row] > best:
            best = int(matches.net_words[row])
            record = found.near.records[other]
            family = record.fingerprint if record.family is None else record.family
    return name_of(family)
