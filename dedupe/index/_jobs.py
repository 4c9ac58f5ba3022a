"""Articles on their way into an index, and what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from concurrent.futures import Future

    import numpy as np
    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.index._checking import Candidates, Neighbourhood
    from dedupe.index._neighbours import Sketches
    from dedupe.index._reading import Read
    from dedupe.index._records import Status
    from dedupe.index._store import Entered, NewArticle, Record
    from dedupe.records import Article

    Coming = tuple[list[Article], Future[Read]]

__all__ = ["Begun", "Found", "Job", "Kept"]


class Job(NamedTuple):
    """Some articles with distinct ids, read; as they are to be looked up at the moment.

    Attributes:
        coming: those that come next.
        noted: gets what became of them, by their ids, as soon as they are entered.
    """

    articles: list[Article]
    read: Read
    scale: int
    sketches: Sketches
    keys: NDArray[np.uint64]
    config: Config
    coming: Coming | None = None
    noted: dict[str, Status] | None = None


class Begun(NamedTuple):
    """Articles that the store enters already, while others are compared."""

    job: Job
    new: list[NewArticle]


class Found(NamedTuple):
    """What is known of the articles of a job.

    Attributes:
        records: of the articles of the index that they share text with, or may.
        candidates: who was looked at; numbered as `records`, then the articles of the job.
        near: the comparison; None where texts are not kept.
        pairs: of dtype `PAIR`, to be kept; the articles of the job by their numbers.
        hidden: for revised ones, by their place, articles that have from what they were what they
            share with them: these are not told.
    """

    records: list[Record]
    candidates: Candidates
    near: Neighbourhood | None
    pairs: NDArray[Any]
    hidden: dict[int, set[int]]


class Kept(NamedTuple):
    """What became of the articles of a job.

    Attributes:
        entered: of all of them.
        job: of those that are new, or were not finished, and `places`, where these were.
        found: what is known of these.
        families: by number.
    """

    entered: list[Entered]
    job: Job
    places: list[int]
    found: Found
    families: dict[int, int | None]
