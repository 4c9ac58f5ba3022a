"""`dedupe.Index`: checks articles against all that came before, and keeps them."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np

from dedupe.config import Config
from dedupe.errors import ConfigError, IndexLockedError, InputError, StoreUnavailableError
from dedupe.families import linking, linking_shares
from dedupe.index._answers import Asked, answer, estimated, estimates
from dedupe.index._checking import Candidates, candidates_of, compare_all
from dedupe.index._codec import text_hash
from dedupe.index._counting import LATEST, Counted, Former
from dedupe.index._families import MOST, connected, families_of, name_of, number_of, settle
from dedupe.index._forking import watch
from dedupe.index._reading import Read, read_articles, read_texts
from dedupe.index._records import Added, Family, Match
from dedupe.index._store import PAIR, Entered, NewArticle
from dedupe.index._texts import Texts, nobody
from dedupe.index._together import Together
from dedupe.records import Batch, encode_text
from dedupe.scanning import scan_batches
from dedupe.shingle import distinct
from dedupe.sketch import choose_scale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from os import PathLike
    from types import TracebackType

    from numpy.typing import NDArray

    from dedupe.index._checking import Neighbourhood
    from dedupe.index._neighbours import Sketches
    from dedupe.index._records import Status
    from dedupe.index._store import Gathered, Record, Store
    from dedupe.records import Article
    from dedupe.scanning import Progress, ScanResult

    _Coming = tuple[list[Article], Future[Read]]

__all__ = ["SETTINGS", "Index"]

SETTINGS = (
    "shingle",
    "min_shared_words",
    "threshold",
    "near",
    "scale",
    "max_posting",
    "hubs",
    "max_matches",
    "boilerplate_articles",
)
"""The settings that an index is made with and keeps."""

CHUNK_ARTICLES = 1024
"""Articles handled at a time at most; as a rule the store's `chunk_bytes` is reached before."""

PART_ARTICLES = 200
"""Articles of a chunk that are looked up while those before them are compared."""

BUDGET = 500_000
"""Shingles up to which an index keeps all of them: as many articles as a newsroom has in a day. Then
every second, and so on to an eighth, as in a scan: with all, an article costs up to ten times as much."""


ERRORS_OF_ALL = (StoreUnavailableError, IndexLockedError)
"""Errors that who asks together with others is told at once: alone it would be no better."""


class _Turns:
    """Whose turn it is: a lock for threads, and a thread for those who do not wait.

    Args:
        together: the callers who are served together.

    Attributes:
        lock: held by the thread that uses the index.
        user: that thread.
    """

    def __init__(self, together: Together[Article, Match]) -> None:
        self.lock = threading.RLock()
        self.user = 0
        self._together = together
        self._making = threading.Lock()  # held for a moment only, by the loop's thread, too
        self._worker: ThreadPoolExecutor | None = None
        watch(self)

    def worker(self) -> ThreadPoolExecutor:
        """The thread, which does one thing after the other."""
        with self._making:
            if self._worker is None:
                self._worker = ThreadPoolExecutor(1, thread_name_prefix="dedupe-index")
            return self._worker

    def finish(self) -> None:
        """Wait for what the thread has to do yet."""
        with self._making:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.shutdown()

    def before_fork(self) -> None:
        """See `dedupe.index._forking`: the store sees to it that nothing is under way."""

    def after_fork(self, *, in_child: bool) -> None:
        """In the child the threads are not there that have the lock, or something to do."""
        if in_child:
            self.lock = threading.RLock()
            self._making = threading.Lock()
            self._worker = None
            self._together.reset()
            if self.user != threading.get_ident():
                self.user = 0


class _Job(NamedTuple):
    """Some articles with distinct ids, read; as they are to be looked up at the moment.

    Attributes:
        coming: those that come next.
    """

    articles: list[Article]
    read: Read
    scale: int
    sketches: Sketches
    keys: NDArray[np.uint64]
    config: Config
    coming: _Coming | None = None

    def parts(self, most: int) -> Iterator[_Job]:
        """The same articles, no more than so many at a time."""
        for first in range(0, len(self.articles), most):
            last = min(first + most, len(self.articles))
            read = self.read.part(first, last)
            sketches = read.thinned(self.scale)
            keys = distinct(sketches.hashes)
            yield self._replace(
                articles=self.articles[first:last], read=read, sketches=sketches, keys=keys
            )


class _Begun(NamedTuple):
    """Articles that the store enters already, while others are compared."""

    job: _Job
    new: list[NewArticle]


class _Found(NamedTuple):
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


class _Kept(NamedTuple):
    """What became of the articles of a job.

    Attributes:
        entered: of all of them.
        job: of those that are new, or were not finished, and `places`, where these were.
        found: what is known of these.
        families: by number.
    """

    entered: list[Entered]
    job: _Job
    places: list[int]
    found: _Found
    families: dict[int, int | None]


class Index:
    """Articles that came, and what they share.

    Open one with `Index.open`, and close it, or use it in a `with` statement. An index may be used
    by several threads, which wait for each other; by several processes, each of which opens
    it; and after a fork.

    Example:
        >>> with Index.open("news.idx") as index:  # doctest: +SKIP
        ...     match = index.check_and_add(Article(id=url, text=text))
        ...     match.kind, match.of
        ('near', ('https://example.com/first',))
    """

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config
        self._texts = Texts(store, config)
        # Threads are for many articles: starting them takes longer than one.
        self._single = replace(config, threads=1)
        self._together: Together[Article, Match] = Together(ERRORS_OF_ALL)
        self._turns = _Turns(self._together)
        # What became of articles that are served together, and of those that came to nothing.
        self._noted: dict[str, Status] | None = None
        self._left: dict[str, Status] = {}
        self._begun: _Begun | None = None
        self._expects_new = True  # as the last articles were
        self._closed = False

    @classmethod
    def open(
        cls,
        url_or_path: str | PathLike[str],
        config: Config | None = None,
        *,
        mode: Literal["r", "rw"] = "rw",
        store_text: bool | None = None,
        timeout: float = 30.0,
        **settings: Any,
    ) -> Index:
        """Open an index, or make one.

        Args:
            url_or_path: a directory; or `redis://host:port/db?prefix=news&expire=2592000` for one
                that many hosts share (extra `redis`).
            config: settings for a new index; those of one that is there have to agree. Without, an
                index keeps the settings that it has. Single ones may be given by name.
            mode: "rw" to add articles, and to make an index where there is none; "r" to ask only.
            store_text: whether a new index keeps the texts, compressed; it does unless that is
                False. Without them an index is smaller, and gives estimates without spans.
            timeout: seconds to wait while another process is writing, or a server does not answer
                (five at most).

        Raises:
            ConfigError: the settings clash with those of the index, or a newer version made it.
            InputError: there is no index to read.
            IndexLockedError: another process has been writing for longer than `timeout`.
            IndexDamagedError: a file is not what was written.
            StoreUnavailableError: the server does not answer.
        """
        if mode not in ("r", "rw"):
            raise ConfigError(f"mode must be 'r' or 'rw', not {mode!r}")
        given = (config or Config()).replace(**settings)
        wanted = {name: getattr(given, name) for name in SETTINGS}
        if config is None:
            wanted = {name: value for name, value in wanted.items() if name in settings}
        defaults = {name: getattr(Config(), name) for name in SETTINGS}
        store = _open_store(
            url_or_path,
            wanted,
            defaults,
            writable=mode == "rw",
            store_text=store_text is not False,
            timeout=timeout,
        )
        if store_text not in (None, store.store_text):
            store.close()
            keeps = "keeps texts" if store.store_text else "keeps no texts"
            raise ConfigError(
                f"the index {keeps}, and store_text is {store_text!r} here; leave it out, or make "
                "another index"
            )
        return cls(store, given.replace(**{n: store.settings[n] for n in SETTINGS}, passages=True))

    @property
    def config(self) -> Config:
        """The settings."""
        return self._config

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish what is under way, and let go of the files or the server. Again: nothing."""
        self._turns.finish()
        with self._turns.lock:
            if not self._closed:
                self._closed = True
                self._store.close()

    def __len__(self) -> int:
        """Articles that are in it."""
        with self._using():
            return len(self._store)

    def __contains__(self, article_id: object) -> bool:
        """Whether an article with this id is in it."""
        with self._using(), self._store.reading():
            return isinstance(article_id, str) and self._there(article_id) is not None

    # Asking

    def check(self, article: Article) -> Match:
        """What is known of an article's text; nothing is kept."""
        return self.check_many([article])[0]

    def check_many(self, articles: Iterable[Article]) -> list[Match]:
        """The same for many, at the speed of a batch. They do not count for each other."""
        with self._using():
            return [match for some in self._read(articles) for match in self._check(*some[:2])]

    def check_and_add(self, article: Article) -> Match:
        """What is known of an article's text, which is then kept, in one step.

        Of two processes that add the same text at the same moment one is told "unique", the
        other that it is a copy. An id that is there with another text is revised: the new text
        replaces the old one, and is no copy of it. The same text again changes nothing.

        Threads that call at the same moment are served as by `check_and_add_many`.
        """
        if (
            self._turns.user == threading.get_ident()
        ):  # in the midst of a call that asks for articles
            return self.check_and_add_many([article])[0]
        request = self._together.join(_checked(article))
        return self._together.wait(request, self._serve)

    def check_and_add_many(self, articles: Iterable[Article]) -> list[Match]:
        """The same for many, each checked against those before it, at the speed of a batch.

        They are kept some hundreds at a time: after an error the first ones may be there.
        """
        with self._using():
            return [match for some in self._read(articles) for match in self._add(*some)]

    async def acheck_and_add(self, article: Article) -> Match:
        """`check_and_add` for asyncio: in the order of the calls, in a thread of the index."""
        if self._closed:  # and else the thread says so
            raise ConfigError("the index is closed; open it anew with Index.open")
        worker, together = self._turns.worker(), self._together
        request = together.join(_checked(article))
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(worker, together.wait, request, self._serve)
        except asyncio.CancelledError:
            together.leave(request)
            raise

    def _serve(self, articles: list[Article]) -> list[Match]:
        """Check and add articles of several callers; after an error each comes again alone.

        A store that hosts share has them then already: what became of them is remembered, and told.
        """
        with self._using():
            if len(articles) == 1:
                status = self._left.pop(articles[0].id, None)
                match = self.check_and_add_many(articles)[0]
                if status is not None and match.status == "unchanged":
                    match = replace(match, status=status)
                return [match]
            self._noted = {}
            try:
                return self.check_and_add_many(articles)
            except ERRORS_OF_ALL:
                raise
            except Exception:
                self._left |= self._noted
                raise
            finally:
                self._noted = None

    # Keeping

    def add(self, article: Article) -> Status:
        """Keep an article: whether it is new, unchanged or revised."""
        added = self.add_many([article])
        return "new" if added.new else "revised" if added.revised else "unchanged"

    def add_many(self, articles: Iterable[Article]) -> Added:
        """Keep many articles. What they share is found and kept as by `check_and_add`."""
        counts = {"new": 0, "unchanged": 0, "revised": 0}
        with self._using():
            for some in self._read(articles):
                for status in self._add_only(*some):
                    counts[status] += 1
        return Added(**counts)

    def update(self, article: Article) -> Match:
        """Replace the text of an article that is there; what is known of the new one.

        Raises:
            InputError: no article has this id.
        """
        with self._using(), self._store.writing():
            if self._there(article.id) is None:
                raise InputError(
                    f"no article of the index has the id {article.id!r}; add it with check_and_add"
                )
            return self._add([_checked(article)], read_articles([article], self._config))[0]

    def remove(self, article_id: str) -> bool:
        """Remove an article and all that is known of it; whether it was there."""
        with self._using(), self._store.writing():
            found = self._there(article_id)
            if found is None:
                return False
            neighbours = self._linked_to([found.number])
            self._store.remove(found.number)
            settle(self._store, neighbours, self._config)
            return True

    # Looking

    def get(self, article_id: str) -> Article | None:
        """An article as it was added; its text is empty where the index keeps no texts."""
        with self._using(), self._store.reading():
            found = self._there(article_id)
            records = [] if found is None else self._store.load([found.number])
            return records[0].article if records else None

    def family(self, article_id: str) -> Family | None:
        """The family of an article, as a scan of all articles would find it; None if it is alone.

        Args:
            article_id: an article's id, or a name that a family had at some time.
        """
        with self._using(), self._store.reading():
            found = self._there(article_id)
            number = found.number if found is not None else None
            fingerprint = number_of(article_id)
            if number is None and fingerprint is not None:
                number = self._store.number_with(fingerprint)
            if number is None:
                return None
            _, families = families_of(self._store, connected(self._store, [number]), self._config)
            return next((family for family, members in families if number in members), None)

    def families(self, article_ids: Iterable[str]) -> list[Family]:
        """The families of some articles, each once, by name; see `family`."""
        with self._using(), self._store.reading():
            ids = [name for name in article_ids if _is_text(name)]
            numbers = {there.number for there in self._store.find(ids).values()}
            part = connected(self._store, sorted(numbers))
            _, families = families_of(self._store, part, self._config)
            found = [family for family, members in families if numbers.intersection(members)]
        return sorted(found, key=lambda family: family.name)

    def info(self) -> dict[str, Any]:
        """What the index holds and takes, and its settings."""
        with self._using():
            return {
                **self._store.info(),
                "scale": self._scale(),
                "settings": {name: getattr(self._config, name) for name in SETTINGS},
            }

    def articles(self) -> Iterator[Article]:
        """All articles, in the order in which they came."""
        with self._using(), self._store.reading():
            numbers = self._store.numbers().tolist()
        for first in range(0, len(numbers), CHUNK_ARTICLES):
            with self._using(), self._store.reading():
                records = self._store.load(numbers[first : first + CHUNK_ARTICLES])
            yield from (record.article for record in records)

    def result(self, *, progress: Progress | None = None) -> ScanResult:
        """The tables of a scan of all articles that are there: what `dedupe.scan` would say of them.

        Args:
            progress: told of stages.

        Raises:
            ConfigError: the index keeps no texts.
        """
        if not self._store.store_text:
            raise ConfigError(
                "the index keeps no texts, so that no tables can be made of it; scan the corpus "
                "itself, or make an index with store_text=True"
            )

        def batches() -> Iterator[Batch]:
            for some in self._chunks(self.articles()):
                yield Batch.from_articles(some)

        return scan_batches(batches(), self._config, progress=progress)

    def compact(self) -> None:
        """Make the index small and quick, and find all families anew.

        Links within a source are looked at again: what is page furniture is known only when some
        articles have it, and the first ones may have been linked by it.
        """
        with self._using():
            with self._store.writing():
                linked = self._relinked()
                settle(self._store, linked.tolist(), self._config, most=None)
            self._store.compact()

    def _relinked(self) -> NDArray[np.int64]:
        """Numbers of all articles that links lead to; links within a source are measured anew."""
        numbers = self._store.numbers()
        found = [np.empty(0, np.int64)]
        for first in range(0, len(numbers), CHUNK_ARTICLES):
            some = numbers[first : first + CHUNK_ARTICLES].tolist()
            links = self._store.links_of(some)
            links = links[np.isin(links["later"], some)]  # each once
            found += [links["later"].astype(np.int64), links["earlier"].astype(np.int64)]
            if self._store.store_text and len(links):
                self._store.add_pairs(self._measured_anew(links))
        return np.unique(np.concatenate(found))

    def _measured_anew(self, links: NDArray[Any]) -> NDArray[Any]:
        """Those links whose articles are of one source, or both of none that is known, as they are now."""
        ends = np.unique(np.concatenate([links["later"], links["earlier"]])).tolist()
        source = {r.number: r.article.source for r in self._store.load(ends, texts=False)}
        pairs = [
            (int(later), int(earlier))
            for later, earlier in zip(links["later"], links["earlier"], strict=True)
            if source.get(int(later), "") == source.get(int(earlier))
        ]
        wanted = sorted({number for pair in pairs for number in pair})
        theirs = self._texts.read(wanted, self._config.worker_threads)
        place = {record.number: k for k, record in enumerate(theirs.records)}
        rows = [(place[x], place[y]) for x, y in pairs if x in place and y in place]
        nothing = read_texts([], self._config)
        known = self._store.known_furniture()[1]
        near = compare_all(
            nothing,
            theirs,
            np.array(rows, np.int64).reshape(-1, 2),
            known,
            self._config,
            self._scale(),
        )
        return self._pairs(near, [])

    # Working

    @contextmanager
    def _using(self) -> Iterator[None]:
        """Inside, no other thread uses the index."""
        with self._turns.lock:
            if self._closed:
                raise ConfigError("the index is closed; open it anew with Index.open")
            before, self._turns.user = self._turns.user, threading.get_ident()
            try:
                yield
            finally:
                self._turns.user = before

    def _there(self, article_id: str) -> Entered | None:
        """Where an article is, if it is there."""
        return self._store.find([article_id]).get(article_id) if _is_text(article_id) else None

    def _linked_to(self, numbers: list[int]) -> list[int]:
        """Articles that links lead to from some, without those."""
        links = self._store.links_of(numbers, MOST + 1)
        ends = np.unique(np.concatenate([links["later"], links["earlier"]]).astype(np.int64))
        return sorted({*ends.tolist()} - {*numbers})

    def _scale(self) -> int:
        return choose_scale(self._store.shingles, self._config, BUDGET)

    def _chunks(self, articles: Iterable[Article]) -> Iterator[list[Article]]:
        """Articles some hundreds at a time, no id twice in a chunk."""
        some: list[Article] = []
        ids: set[str] = set()
        n_bytes = 0
        for article in articles:
            full = n_bytes > self._store.chunk_bytes or len(some) == CHUNK_ARTICLES
            if some and (full or article.id in ids):
                yield some
                some, ids, n_bytes = [], set(), 0
            some.append(_checked(article))
            ids.add(article.id)
            n_bytes += len(article.text)
        if some:
            yield some

    def _read(
        self, articles: Iterable[Article]
    ) -> Iterator[tuple[list[Article], Read, _Coming | None]]:
        """Articles and what was read of them, and those that come next, which are read meanwhile."""
        chunks = self._chunks(articles)
        some, following = next(chunks, None), next(chunks, None)
        if some is None:
            return
        if following is None:
            yield some, read_articles(some, self._config), None
            return
        with ThreadPoolExecutor(1) as pool:
            ahead = [(some, pool.submit(read_articles, some, self._config))]
            while ahead:
                if following is not None:
                    ahead.append((following, pool.submit(read_articles, following, self._config)))
                    following = next(chunks, None)
                some, read = ahead.pop(0)
                yield some, read.result(), ahead[0] if ahead else None

    def _job(self, articles: list[Article], read: Read, coming: _Coming | None = None) -> _Job:
        begun = self._begun
        if begun is not None and begun.job.articles is articles:
            return begun.job._replace(coming=coming)
        scale = self._scale()
        sketches = read.thinned(scale)
        keys = sketches.hashes if len(articles) == 1 else distinct(sketches.hashes)
        config = self._config if len(articles) > 1 else self._single
        return _Job(articles, read, scale, sketches, keys, config, coming)

    def _check(self, articles: list[Article], read: Read) -> list[Match]:
        with self._store.reading():
            job = self._job(articles, read)
            entered = self._status(job)
            sources = self._store.source_numbers([article.source for article in articles])
            former = self._former(entered)
            counts = Counted(self._store, entered, former, alone=True)
            found = self._find(job, self._store.gather(job.keys), sources, entered, counts)
            return self._answers(job, entered, found, None)

    def _former(self, entered: list[Entered]) -> dict[int, Former]:
        """What articles that are revised were, by their place."""
        former = {}
        for k, one in enumerate(entered):
            if one.status == "revised":
                linked = set(self._linked_to([one.number]))
                records = self._store.load([one.number], texts=False)
                family = records[0].family if records else None
                former[k] = Former(one.number, one.since, linked, family)
        return former

    def _status(self, job: _Job) -> list[Entered]:
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

    def _add(
        self, articles: list[Article], read: Read, coming: _Coming | None = None
    ) -> list[Match]:
        """Keep articles with distinct ids, and answer."""
        with self._store.writing():
            job = self._job(articles, read, coming)
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
            matches |= zip(kept, self._answers(job, fresh, found, families), strict=True)
            # Where several write at once one may have come since.
            late = [k for k in range(len(articles)) if k not in matches]
            matches |= self._ask(job._replace(articles=articles), late)
            return [matches[k] for k in range(len(articles))]

    def _ask(self, job: _Job, places: list[int]) -> dict[int, Match]:
        """Matches of some articles of a job that are there, by their places."""
        if not places:
            return {}
        known = [job.articles[k] for k in places]
        matches = self._check(known, read_articles(known, self._config))
        return dict(zip(places, matches, strict=True))

    def _add_only(
        self, articles: list[Article], read: Read, coming: _Coming | None
    ) -> list[Status]:
        store = self._store
        with store.writing():
            job = self._job(articles, read, coming)
            if store.in_parts and store.store_text and len(articles) > PART_ARTICLES:
                before = self._status(job)
                # A revision takes an article away that others are just being compared with.
                if all(one.status == "new" for one in before):
                    self._keep_in_parts(job)
                    return ["new"] * len(articles)
                done = self._keep(job, before)
            else:
                done = self._keep_new(job) or self._keep(job, self._status(job))
            return [one.status for one in done.entered]

    def _keep_new(self, job: _Job) -> _Kept | None:
        """Keep articles none of whose ids is there: then a store is asked only once. Else None."""
        if not self._expects_new:
            return None
        begun, self._begun = self._begun, None
        there = begun is not None and begun.job.articles is job.articles
        new = begun.new if begun is not None and there else self._new(job)
        shingles = job.read.shingles(self._config)
        done = self._store.enter(new, job.keys, shingles, only_new=True)
        self._expects_new = done is not None
        return None if done is None else self._finished(job, *done, {}, [])

    def _begin_next(self, coming: _Coming | None) -> None:
        """Let the store enter the articles that come next while this process compares others."""
        if coming is None or not self._store.enters_ahead or not self._expects_new:
            return
        if self._noted is not None:  # what became of them would not be noted before an error
            return
        articles, reading = coming
        if not reading.done() or reading.exception() is not None:
            return
        read = reading.result()
        job = self._job(articles, read)
        self._begun = _Begun(job, self._new(job))
        self._store.enter_ahead(self._begun.new, job.keys, read.shingles(self._config))

    def _keep_in_parts(self, job: _Job) -> None:
        """Keep new articles as `_keep` does, some of them after the others.

        While some are compared in threads, this one looks up the next.
        """
        store = self._store
        ends: set[int] = set()
        compared: list[tuple[list[Entered], Future[Neighbourhood]]] = []
        with ThreadPoolExecutor(1) as pool:
            for part in job.parts(PART_ARTICLES):
                sources = store.source_numbers([article.source for article in part.articles])
                shingles = part.read.shingles(self._config)
                done = store.enter(self._new(part), part.keys, shingles)
                assert done is not None  # it was not asked for new ones only
                entered, gathered = done
                counts = Counted(store, entered, {}, alone=False)
                *_, compare = self._look_up(part, gathered, sources, entered, counts)
                compared.append((entered, pool.submit(compare)))
                if len(compared) > 1:
                    ends |= self._keep_compared(*compared.pop(0))
            ends |= self._keep_compared(*compared.pop())
        settle(store, sorted(ends), self._config)

    def _keep_compared(self, entered: list[Entered], near: Future[Neighbourhood]) -> set[int]:
        """Keep the pairs of articles once these are compared; those of them that are linked."""
        return self._keep_pairs(entered, self._pairs(near.result(), entered))

    def _keep_pairs(self, fresh: list[Entered], pairs: NDArray[Any]) -> set[int]:
        """Keep those pairs whose later article was entered just now; those of them that are linked."""
        numbers = {one.number for one in fresh}
        if len(pairs):
            pairs = pairs[np.isin(pairs["later"], list(numbers))]
        self._store.add_pairs(pairs)
        linked = pairs[pairs["links"]]
        return {*linked["later"].tolist(), *linked["earlier"].tolist()} & numbers

    def _keep(self, job: _Job, before: list[Entered]) -> _Kept:
        """Keep articles, their pairs and families.

        Args:
            job: the articles.
            before: what would become of them, as the store was.
        """
        former = self._former(before)
        revised = [one.number for one in before if one.status == "revised"]
        parted = self._linked_to(revised) if revised else []
        new, shingles = self._new(job), job.read.shingles(self._config)
        self._expects_new = all(one.status == "new" for one in before)
        done = self._store.enter(new, job.keys, shingles)
        assert done is not None  # it was not asked for new ones only
        return self._finished(job, *done, former, parted)

    def _finished(
        self,
        job: _Job,
        entered: list[Entered],
        gathered: Gathered,
        former: dict[int, Former],
        parted: list[int],
    ) -> _Kept:
        """Keep pairs and families of articles that are entered.

        Args:
            job: the articles.
            entered: what became of them.
            gathered: postings as they were before.
            former: what revised ones were, by their place.
            parted: articles that were linked to these.
        """
        store = self._store
        if self._noted is not None:
            told = zip(job.articles, entered, strict=True)
            self._noted |= {a.id: one.status for a, one in told if one.status != "unchanged"}
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
        return _Kept(entered, job, kept, found, settle(store, sorted(ends), self._config))

    def _new(self, job: _Job) -> list[NewArticle]:
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
        job: _Job,
        gathered: Gathered,
        sources: NDArray[np.int32],
        entered: list[Entered],
        counts: Counted,
    ) -> _Found:
        """Candidates of a job's articles, and what they really share."""
        found, records, compare = self._look_up(job, gathered, sources, entered, counts)
        if not self._store.store_text:
            estimates_kept = self._estimated(job, records, found, entered)
            return _Found(records, found, None, estimates_kept, counts.hidden)
        if not counts.alone:
            self._begin_next(job.coming)
        near = compare()
        return _Found(records, found, near, self._pairs(near, entered), counts.hidden)

    def _look_up(
        self,
        job: _Job,
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
            self._texts,
            job.config,
            job.scale,
            counts,
            judge=not counts.alone,
        )
        if store.store_text:
            theirs = self._texts.read(found.stored, job.config.worker_threads)
        else:
            theirs = nobody(store.load(found.stored))
        records = theirs.records
        pairs, shared = _renumbered(found, records, len(entered))
        found = Candidates([r.number for r in records], pairs, shared, found.left_out)
        known = store.known_furniture()[1]
        compare = partial(compare_all, job.read, theirs, pairs, known, job.config, job.scale)
        return found, records, compare

    def _pairs(self, near: Neighbourhood, entered: list[Entered]) -> NDArray[Any]:
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
        rows["links"] = linking(linking_shares(near.words, matches), matches, self._config)
        return rows

    def _estimated(
        self, job: _Job, records: list[Record], found: Candidates, entered: list[Entered]
    ) -> NDArray[Any]:
        """Pairs as they are kept where there are no texts."""
        words = [record.words for record in records] + job.read.words.tolist()
        numbers = [record.number for record in records] + [one.number for one in entered]
        rows = np.zeros(len(found.pairs), PAIR)
        for k, ((x, y), shared) in enumerate(
            zip(found.pairs.tolist(), found.shared.tolist(), strict=True)
        ):
            estimate = estimated(
                words[y], words[x], shared, job.scale, self._config.shingle, equal=False
            )
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
                share >= self._config.threshold or estimate.resemblance >= self._config.near,
            )
        return rows

    def _answers(
        self,
        job: _Job,
        entered: list[Entered],
        found: _Found,
        families: dict[int, int | None] | None,
    ) -> list[Match]:
        """A match for each article of a job; without families of articles that are not kept."""
        return [self._answer(job, k, entered, found, families) for k in range(len(job.articles))]

    def _answer(
        self,
        job: _Job,
        k: int,
        entered: list[Entered],
        found: _Found,
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
        family = self._family_name(entered[k], families, found, len(records) + k)
        if found.near is not None:
            others = [(r.since, r.article) for r in found.near.records] + [
                (one.since, article) for one, article in zip(entered, job.articles, strict=True)
            ]
            own = len(found.near.records) + k
            return answer(asked, own, others, found.near, family, self._config)
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
            self._config,
        )

    def _family_name(
        self,
        entered: Entered,
        families: dict[int, int | None] | None,
        found: _Found,
        own: int,
    ) -> str | None:
        """The family of an article that is kept, or that it would join."""
        if families and entered.number in families:
            return name_of(families[entered.number])
        if entered.status == "unchanged":
            records = self._store.load([entered.number], texts=False)
            return name_of(records[0].family) if records else None
        return self._would_join(found, own) if families is None else None

    def _would_join(self, found: _Found, own: int) -> str | None:
        """The family of the article that one that is not kept shares most with, of those it links to."""
        if found.near is None:
            return None
        matches = found.near.matches
        links = linking(linking_shares(found.near.words, matches), matches, self._config)
        best, family = -1, None
        for row in np.flatnonzero((matches.pairs == own).any(axis=1) & links).tolist():
            other = int(matches.pairs[row].sum()) - own
            if other < len(found.near.records) and matches.net_words[row] > best:
                best = int(matches.net_words[row])
                record = found.near.records[other]
                family = record.fingerprint if record.family is None else record.family
        return name_of(family)


def _is_text(value: object) -> bool:
    """Whether it is a string that can be written: one without half a character in it."""
    if not isinstance(value, str):
        return False
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _checked(article: Article) -> Article:
    """An article as it can be kept.

    Raises:
        InputError: it has no usable id, or something else in it is no string.
    """
    if not article.id:
        raise InputError("an article for the index needs an id, such as its URL")
    if not _is_text(article.id):
        raise InputError(
            f"{article.id!r} cannot be the id of an article: an id is a string of whole characters"
        )
    changed = {}
    for name, value in (
        ("text", article.text),
        ("source", article.source),
        ("url", article.url),
        ("title", article.title),
        ("published", article.published),
        ("language", article.language),
    ):
        if value is None and name != "text":
            continue
        if isinstance(value, date) and name == "published":
            changed[name] = value.isoformat()
        elif not isinstance(value, str):
            raise InputError(
                f"the {name} of the article {article.id!r} is {value!r}; it must be a string"
            )
        elif name != "text" and not value.isascii() and not _is_text(value):
            changed[name] = encode_text(value).decode()  # as is done with texts
    return replace(article, **changed) if changed else article


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


def _open_store(
    url_or_path: str | PathLike[str],
    settings: dict[str, Any],
    defaults: dict[str, Any],
    *,
    writable: bool,
    store_text: bool,
    timeout: float,
) -> Store:
    text = str(url_or_path)

    def sketcher(
        texts: Sequence[bytes], settings: dict[str, Any], shingles: int
    ) -> list[NDArray[np.uint64]]:
        config = Config(**settings)
        thinned = read_texts(list(texts), config).thinned(choose_scale(shingles, config, BUDGET))
        return [thinned.of(k) for k in range(len(texts))]

    if "://" in text:
        if text.partition("://")[0] not in ("redis", "rediss", "unix"):
            raise ConfigError("unknown kind of index; name a directory, or redis://host:port/db")
        from dedupe.index._redis import RedisStore

        return RedisStore(
            text,
            settings,
            writable=writable,
            store_text=store_text,
            timeout=timeout,
            defaults=defaults,
        )
    from dedupe.index._embedded import EmbeddedStore

    return EmbeddedStore(
        Path(url_or_path),
        settings,
        writable=writable,
        store_text=store_text,
        timeout=timeout,
        sketcher=sketcher,
        defaults=defaults,
    )
