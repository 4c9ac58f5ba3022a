"""Looking articles up in a store, comparing them with what is there, and keeping them."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dedupe._jit import load_kept
from dedupe._threads import submit
from dedupe.index._checking import Candidates, candidates_of, compare_all
from dedupe.index._codec import text_hash
from dedupe.index._counting import LATEST, Counted, Former
from dedupe.index._families import MOST, settle
from dedupe.index._jobs import Begun, Found, Job, Kept
from dedupe.index._reading import read_articles
from dedupe.index._store import Entered, NewArticle
from dedupe.index._telling import answers, estimated_pairs, pairs_of
from dedupe.index._texts import Texts, nobody
from dedupe.shingle import distinct
from dedupe.sketch import choose_scale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.index._checking import Neighbourhood
    from dedupe.index._jobs import Coming
    from dedupe.index._reading import Read
    from dedupe.index._records import Match, Status
    from dedupe.index._store import Gathered, Record, Store
    from dedupe.records import Article

__all__ = ["BUDGET", "Work"]

BUDGET = 500_000
"""Shingles up to which an index keeps all of them: as many articles as a newsroom has in a day. Then
every second, and so on to an eighth, as in a scan: with all, an article costs up to ten times as much."""


STREAM = 10
"""Articles that are added one by one from which on more are expected: kernels are loaded then."""


class Work:
    """What is done with articles that are read. One thread at a time may ask for it.

    Args:
        store: has all others.
        config: the settings.

    Attributes:
        texts: of the store, read.
    """

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config
        # Threads are for many articles: starting them takes longer than one.
        self._single = replace(config, threads=1)
        self.texts = Texts(store, config)
        self._expects_new = True  # as the last articles were
        self._singly = 0  # articles that were added one by one
        self.reset()

    def reset(self) -> None:
        """Forget what is begun: who asked for it does not come to it, or is in another process."""
        self._begun: Begun | None = None

    def scale(self) -> int:
        """Of sketches, as many shingles as there are by now."""
        return choose_scale(self._store.shingles, self._config, BUDGET)

    def linked_to(self, numbers: list[int]) -> list[int]:
        """Articles that links lead to from some, without those."""
        links = self._store.links_of(numbers, MOST + 1)
        ends = np.unique(np.concatenate([links["later"], links["earlier"]]).astype(np.int64))
        return sorted({*ends.tolist()} - {*numbers})

    def _job(
        self,
        articles: list[Article],
        read: Read,
        coming: Coming | None = None,
        noted: dict[str, Status] | None = None,
    ) -> Job:
        begun = self._begun
        if begun is not None and begun.job.articles is articles:
            return begun.job._replace(coming=coming, noted=noted)
        scale = self.scale()
        sketches = read.thinned(scale)
        keys = sketches.hashes if len(articles) == 1 else distinct(sketches.hashes)
        config = self._config if len(articles) > 1 else self._single
        return Job(articles, read, scale, sketches, keys, config, coming, noted)

    def check(self, articles: list[Article], read: Read) -> list[Match]:
        """What is known of articles; nothing is kept."""
        with self._store.reading():
            job = self._job(articles, read)
            entered = self._status(job)
            sources = self._store.source_numbers([article.source for article in articles])
            former = self._former(entered)
            counts = Counted(self._store, entered, former, alone=True)
            found = self._find(job, self._store.gather(job.keys), sources, entered, counts)
            return answers(self._store, self._config, job, entered, found, None)

    def _former(self, entered: list[Entered]) -> dict[int, Former]:
        """What articles that are revised were, by their place."""
        former = {}
        for k, one in enumerate(entered):
            if one.status == "revised":
                linked = set(self.linked_to([one.number]))
                records = self._store.load([one.number], texts=False)
                family = records[0].family if records else None
                former[k] = Former(one.number, one.since, linked, family)
        return former

    def _status(self, job: Job) -> list[Entered]:
        """What would become of articles."""
        known = self._store.find([article.id for article in job.articles])
        hashes = self._store.text_hashes([there.number for there in known.values()])
        entered = []
        for article, text in zip(job.articles, job.read.texts, strict=True):
            there = known.get(article.id)
            if there is None:
                entered.append(Entered("new", -1, LATEST))
            elif hashes.get(there.number) == text_hash(text):
                entered.append(there)
            else:
                entered.append(Entered("revised", there.number, there.since))
        return entered

    def add(
        self,
        articles: list[Article],
        read: Read,
        coming: Coming | None = None,
        noted: dict[str, Status] | None = None,
    ) -> list[Match]:
        """Keep articles with distinct ids, and answer."""
        if len(articles) == 1:
            self._singly += 1
            if self._singly == STREAM:
                load_kept()
        with self._store.writing():
            job = self._job(articles, read, coming, noted)
            matches: dict[int, Match] = {}
            done = self._keep_new(job)
            if done is None:
                before = self._status(job)
                # What is there is asked about by itself: beside new ones it would be there twice.
                there = [k for k, b in enumerate(before) if b.status == "unchanged"]
                matches = self._ask(job, there)
                done = self._keep(job, before)
            entered, job, kept, found, families = done
            fresh = [entered[k] for k in kept]
            matches |= zip(
                kept, answers(self._store, self._config, job, fresh, found, families), strict=True
            )
            # Where several write at once one may have come since.
            late = [k for k in range(len(articles)) if k not in matches]
            matches |= self._ask(job._replace(articles=articles), late)
            return [matches[k] for k in range(len(articles))]

    def _ask(self, job: Job, places: list[int]) -> dict[int, Match]:
        """Matches of some articles of a job that are there, by their places."""
        if not places:
            return {}
        known = [job.articles[k] for k in places]
        matches = self.check(known, read_articles(known, self._config))
        return dict(zip(places, matches, strict=True))

    def add_only(
        self, articles: list[Article], read: Read, coming: Coming | None = None
    ) -> list[Status]:
        """Keep articles with distinct ids: what became of each."""
        with self._store.writing():
            job = self._job(articles, read, coming)
            done = self._keep_new(job) or self._keep(job, self._status(job))
            return [one.status for one in done.entered]

    def add_in_parts(self, parts: Iterable[tuple[list[Article], Read]]) -> list[Status]:
        """Keep articles as `add_only` does, all at once: what became of each.

        While some are compared in a thread, this one looks up the next.

        Args:
            parts: of articles, all with distinct ids.
        """
        store = self._store
        statuses: list[Status] = []
        with store.writing(), ThreadPoolExecutor(1) as pool:
            compared = _Compared(self._keep_compared)
            for articles, read in parts:
                job = self._job(articles, read)._replace(config=self._single)
                done = self._enter_new(job, self._new(job))
                if done is None:
                    # A revision takes an article away that others are just being compared with.
                    compared.keep_all()
                    settle(store, compared.taken(), self._config)
                    entered = self._keep(job, self._status(job)).entered
                else:
                    entered, gathered = done
                    compared.add(entered, submit(pool, self._looked_up(job, entered, gathered)))
                statuses += [one.status for one in entered]
            settle(store, compared.taken(), self._config)
            compared.keep_all()
            settle(store, compared.taken(), self._config)
        return statuses

    def _keep_new(self, job: Job) -> Kept | None:
        """Keep articles none of whose ids is there: then a store is asked only once. Else None."""
        begun = self._begun
        if begun is not None and begun.job.articles is job.articles:
            self._begun = None
            new = begun.new  # entered, whatever came between
        elif self._expects_new:
            new = self._new(job)
        else:
            return None
        done = self._enter_new(job, new)
        self._expects_new = done is not None
        return None if done is None else self._finished(job, *done, {}, [])

    def _begin_next(self, job: Job) -> None:
        """Let the store enter the articles that come next while this process compares others."""
        if job.coming is None or not self._store.enters_ahead or not self._expects_new:
            return
        if self._begun is not None:  # by who asks for these in the midst
            return
        if job.noted is not None:  # what became of them would not be noted before an error
            return
        articles, reading = job.coming
        if not reading.done() or reading.exception() is not None:
            return
        read = reading.result()
        job = self._job(articles, read)
        self._begun = Begun(job, self._new(job))
        self._store.enter_ahead(self._begun.new, job.keys, read.shingles(self._config))

    def _enter_new(self, job: Job, new: list[NewArticle]) -> tuple[list[Entered], Gathered] | None:
        """Have the store enter a job's articles if none of their ids is there. Else None."""
        shingles = job.read.shingles(self._config)
        return self._store.enter(new, job.keys, shingles, only_new=True)

    def _looked_up(
        self, job: Job, entered: list[Entered], gathered: Gathered
    ) -> Callable[[], Neighbourhood]:
        """What compares articles that were entered just now with those that they may share text with."""
        sources = self._store.source_numbers([article.source for article in job.articles])
        counts = Counted(self._store, entered, {}, alone=False)
        return self._look_up(job, gathered, sources, entered, counts)[2]

    def _keep_compared(self, entered: list[Entered], near: Future[Neighbourhood]) -> set[int]:
        """Keep the pairs of articles once these are compared; those of them that are linked."""
        return self._keep_pairs(entered, pairs_of(near.result(), entered, self._config))

    def _keep_pairs(self, fresh: list[Entered], pairs: NDArray[Any]) -> set[int]:
        """Keep those pairs whose later article was entered just now; those of them that are linked."""
        numbers = {one.number for one in fresh}
        if len(pairs):
            pairs = pairs[np.isin(pairs["later"], list(numbers))]
        self._store.add_pairs(pairs)
        linked = pairs[pairs["links"]]
        return {*linked["later"].tolist(), *linked["earlier"].tolist()} & numbers

    def _keep(self, job: Job, before: list[Entered]) -> Kept:
        """Keep articles, their pairs and families.

        Args:
            job: the articles.
            before: what would become of them, as the store was.
        """
        former = self._former(before)
        revised = [one.number for one in before if one.status == "revised"]
        parted = self.linked_to(revised) if revised else []
        new, shingles = self._new(job), job.read.shingles(self._config)
        self._expects_new = all(one.status == "new" for one in before)
        done = self._store.enter(new, job.keys, shingles)
        assert done is not None  # it was not asked for new ones only
        return self._finished(job, *done, former, parted)

    def _finished(
        self,
        job: Job,
        entered: list[Entered],
        gathered: Gathered,
        former: dict[int, Former],
        parted: list[int],
    ) -> Kept:
        """Keep pairs and families of articles that are entered.

        Args:
            job: the articles.
            entered: what became of them.
            gathered: postings as they were before.
            former: what revised ones were, by their place.
            parted: articles that were linked to these.
        """
        store = self._store
        if job.noted is not None:
            told = zip(job.articles, entered, strict=True)
            job.noted.update((a.id, one.status) for a, one in told if one.status != "unchanged")
        # Sources that come with new articles only get a number.
        sources = store.source_numbers([article.source for article in job.articles])
        kept = [k for k, one in enumerate(entered) if one.status != "unchanged" or one.unfinished]
        if len(kept) < len(entered):
            articles = [job.articles[k] for k in kept]
            read = read_articles(articles, self._config)
            # Looked up by the keys that were gathered, whatever the scale is by now.
            sketches = read.thinned(job.scale)
            job = job._replace(articles=articles, read=read, sketches=sketches)
            former = {kept.index(k): what for k, what in former.items() if k in kept}
            sources = sources[kept]
        fresh = [entered[k] for k in kept]
        counts = Counted(store, fresh, former, alone=False)
        found = self._find(job, gathered, sources, fresh, counts)
        settle(store, parted, self._config)
        ends = self._keep_pairs(fresh, found.pairs)
        return Kept(entered, job, kept, found, settle(store, sorted(ends), self._config))

    def _new(self, job: Job) -> list[NewArticle]:
        """Articles as they are kept."""
        read = job.read
        return [
            NewArticle(
                article=article,
                text_hash=text_hash(text),
                words=words,
                fingerprint=fingerprint,
                keys=job.sketches.of(k),
                body=body if self._store.store_text else b"",
            )
            for k, (article, text, body, words, fingerprint) in enumerate(
                zip(
                    job.articles,
                    read.texts,
                    read.bodies,
                    read.words.tolist(),
                    read.fingerprints.tolist(),
                    strict=True,
                )
            )
        ]

    def _find(
        self,
        job: Job,
        gathered: Gathered,
        sources: NDArray[np.int32],
        entered: list[Entered],
        counts: Counted,
    ) -> Found:
        """Candidates of a job's articles, and what they really share."""
        found, records, compare = self._look_up(job, gathered, sources, entered, counts)
        if not self._store.store_text:
            estimates_kept = estimated_pairs(job, records, found, entered, self._config)
            return Found(records, found, None, estimates_kept, counts.hidden)
        if not counts.alone:
            self._begin_next(job)
        near = compare()
        return Found(records, found, near, pairs_of(near, entered, self._config), counts.hidden)

    def _look_up(
        self,
        job: Job,
        gathered: Gathered,
        sources: NDArray[np.int32],
        entered: list[Entered],
        counts: Counted,
    ) -> tuple[Candidates, list[Record], Callable[[], Neighbourhood]]:
        """Candidates of a job's articles, their records, and what compares them.

        The last asks nothing of the store, and may be done in another thread.
        """
        store = self._store
        found = candidates_of(
            job.read,
            job.sketches,
            job.keys,
            gathered,
            sources,
            store,
            self.texts,
            job.config,
            job.scale,
            counts,
            judge=not counts.alone,
        )
        if store.store_text:
            theirs = self.texts.read(found.stored, job.config.worker_threads)
        else:
            theirs = nobody(store.load(found.stored))
        records = theirs.records
        pairs, shared = _renumbered(found, records, len(entered))
        found = Candidates([r.number for r in records], pairs, shared, found.left_out)
        known = store.known_furniture()[1].values
        compare = partial(compare_all, job.read, theirs, pairs, known, job.config, job.scale)
        return found, records, compare


class _Compared:
    """Articles that are being compared, in their order.

    Args:
        keep: keeps their pairs, once they are; gives those of them that are linked.
    """

    def __init__(self, keep: Callable[[list[Entered], Future[Neighbourhood]], set[int]]) -> None:
        self._keep = keep
        self._begun: deque[tuple[list[Entered], Future[Neighbourhood]]] = deque()
        self._linked: set[int] = set()

    def add(self, entered: list[Entered], near: Future[Neighbourhood]) -> None:
        """Some more, of which all but the last are kept by now."""
        self._begun.append((entered, near))
        self._keep_but(1)

    def keep_all(self) -> None:
        """Keep the pairs of all of them."""
        self._keep_but(0)

    def _keep_but(self, most: int) -> None:
        while len(self._begun) > most:
            self._linked |= self._keep(*self._begun.popleft())

    def taken(self) -> list[int]:
        """Those that were kept since this was asked for, and are linked; ascending."""
        linked, self._linked = sorted(self._linked), set()
        return linked


def _renumbered(
    found: Candidates, records: list[Record], n_new: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of articles that are there still, numbered by the records, and then the new ones."""
    there = {record.number: k for k, record in enumerate(records)}
    place = np.array(
        [there.get(number, -1) for number in found.stored]
        + [len(records) + k for k in range(n_new)],
        np.int64,
    )
    kept = (place[found.pairs] >= 0).all(axis=1)
    return place[found.pairs[kept]], found.shared[kept]
