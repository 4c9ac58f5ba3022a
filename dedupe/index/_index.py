"""`dedupe.Index`: checks articles against all that came before, and keeps them."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from dedupe.config import Config
from dedupe.errors import ConfigError, IndexLockedError, InputError, StoreUnavailableError
from dedupe.index._ahead import ReadAhead
from dedupe.index._checking import compare_all
from dedupe.index._families import connected, families_of, number_of, settle
from dedupe.index._forking import watch
from dedupe.index._reading import Read, read_articles, read_texts
from dedupe.index._records import Added, Family, Match
from dedupe.index._telling import pairs_of
from dedupe.index._together import Together
from dedupe.index._work import BUDGET, Work
from dedupe.records import Batch, encode_text
from dedupe.scanning import scan_batches
from dedupe.sketch import choose_scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from os import PathLike
    from types import TracebackType

    from numpy.typing import NDArray

    from dedupe.index._jobs import Coming
    from dedupe.index._records import Status
    from dedupe.index._store import Entered, Store
    from dedupe.records import Article
    from dedupe.scanning import Progress, ScanResult

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

CHUNK_ARTICLES = 4096
"""Articles that come, handled at a time at most; as a rule their bytes reach their bound before."""

LOADED_ARTICLES = 1024
"""Articles that are there, loaded at a time."""

TOGETHER_BYTES = 8_000_000
"""Of articles added in one transaction, of whose parts some are read while others are compared."""

PART_ARTICLES, PART_BYTES = 200, 1_000_000
"""Articles of such a part, and bytes that it has before the last: they are looked up while those before
them are compared."""

PARTS_AHEAD = 4
"""Such parts that are read before they are looked up."""

ERRORS_OF_ALL = (StoreUnavailableError, IndexLockedError)
"""Errors that who asks together with others is told at once: alone it would be no better."""


@dataclass(eq=False)
class _Asked:
    """An article that one of several callers has checked and added.

    Attributes:
        left: what became of it when it was served and there was an error, or an interrupt.
    """

    article: Article
    left: Status | None = None


class _Turns:
    """Whose turn it is: a lock for threads, and a thread for those who do not wait.

    Args:
        together: the callers who are served together.
        work: what they are served with.

    Attributes:
        lock: held by the thread that uses the index.
        user: that thread.
    """

    def __init__(self, together: Together[_Asked, Match], work: Work) -> None:
        self.lock = threading.RLock()
        self.user = 0
        self._together = together
        self._work = work
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
            self._work.reset()
            if self.user != threading.get_ident():
                self.user = 0


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
        self._work = Work(store, config)
        self._together: Together[_Asked, Match] = Together(ERRORS_OF_ALL)
        self._turns = _Turns(self._together, self._work)
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
            return [match for some in self._read(articles) for match in self._work.check(*some[:2])]

    def check_and_add(self, article: Article) -> Match:
        """What is known of an article's text, which is then kept, in one step.

        Of two processes that add the same text at the same moment one is told "unique", the
        other that it is a copy. An id that is there with another text is revised: the new text
        replaces the old one, and is no copy of it. The same text again changes nothing.

        Threads that call at the same moment are served as by `check_and_add_many`.
        """
        # In the midst of a call that asks for articles nobody else is served.
        if self._turns.user == threading.get_ident():
            return self.check_and_add_many([article])[0]
        request = self._together.join(_Asked(_checked(article)))
        return self._together.wait(request, self._serve)

    def check_and_add_many(self, articles: Iterable[Article]) -> list[Match]:
        """The same for many, each checked against those before it, at the speed of a batch.

        They are kept some hundreds at a time: after an error the first ones may be there.
        """
        with self._using():
            return [match for some in self._read(articles) for match in self._work.add(*some)]

    async def acheck_and_add(self, article: Article) -> Match:
        """`check_and_add` for asyncio: in the order of the calls, in a thread of the index."""
        if self._closed:  # and else the thread says so
            raise ConfigError("the index is closed; open it anew with Index.open")
        worker, together = self._turns.worker(), self._together
        request = together.join(_Asked(_checked(article)))
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(worker, together.wait, request, self._serve)
        except asyncio.CancelledError:
            together.leave(request)
            raise

    def _serve(self, asked: list[_Asked], told: list[Match]) -> None:
        """Check and add articles of several callers. After an error those not told come again.

        They may be kept by then: what became of them is remembered, and told at last.
        """
        with self._using():
            for some, read, coming in self._read(one.article for one in asked):
                theirs = asked[len(told) : len(told) + len(some)]
                noted: dict[str, Status] = {}
                try:
                    matches = self._work.add(some, read, coming, noted)
                    told += map(_as_left, matches, theirs)
                except BaseException:
                    for one in theirs:
                        one.left = noted.get(one.article.id, one.left)
                    raise

    # Keeping

    def add(self, article: Article) -> Status:
        """Keep an article: whether it is new, unchanged or revised."""
        added = self.add_many([article])
        return "new" if added.new else "revised" if added.revised else "unchanged"

    def add_many(self, articles: Iterable[Article]) -> Added:
        """Keep many articles. What they share is found and kept as by `check_and_add`.

        They are kept some thousands at a time. If what gives the articles fails, or one of them
        cannot be kept, those before it are kept; after another error the first ones may be.
        """
        counts = {"new": 0, "unchanged": 0, "revised": 0}
        with self._using():
            for status in self._add_only(articles):
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
            return self._work.add([_checked(article)], read_articles([article], self._config))[0]

    def remove(self, article_id: str) -> bool:
        """Remove an article and all that is known of it; whether it was there."""
        with self._using(), self._store.writing():
            found = self._there(article_id)
            if found is None:
                return False
            neighbours = self._work.linked_to([found.number])
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
                "scale": self._work.scale(),
                "settings": {name: getattr(self._config, name) for name in SETTINGS},
            }

    def articles(self) -> Iterator[Article]:
        """All articles, in the order in which they came."""
        with self._using(), self._store.reading():
            numbers = self._store.numbers().tolist()
        for first in range(0, len(numbers), LOADED_ARTICLES):
            with self._using(), self._store.reading():
                records = self._store.load(numbers[first : first + LOADED_ARTICLES])
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
            for some in self._chunks(self.articles(), self._store.chunk_bytes):
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
        for first in range(0, len(numbers), LOADED_ARTICLES):
            some = numbers[first : first + LOADED_ARTICLES].tolist()
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
        theirs = self._work.texts.read(wanted, self._config.worker_threads)
        place = {record.number: k for k, record in enumerate(theirs.records)}
        rows = [(place[x], place[y]) for x, y in pairs if x in place and y in place]
        nothing = read_texts([], self._config)
        known = self._store.known_furniture()[1].values
        near = compare_all(
            nothing,
            theirs,
            np.array(rows, np.int64).reshape(-1, 2),
            known,
            self._config,
            self._work.scale(),
        )
        return pairs_of(near, [], self._config)

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
                if not before:  # what an error kept this thread from coming to
                    self._work.reset()

    def _there(self, article_id: str) -> Entered | None:
        """Where an article is, if it is there."""
        return self._store.find([article_id]).get(article_id) if _is_text(article_id) else None

    def _chunks(self, articles: Iterable[Article], most: int) -> Iterator[list[Article]]:
        """Articles together, until they have more than `most` bytes; no id twice in a chunk.

        Before an error of what gives the articles, or of one of them, those that came before it.
        """
        some: list[Article] = []
        ids: set[str] = set()
        n_bytes = 0
        try:
            for article in articles:
                full = n_bytes > most or len(some) == CHUNK_ARTICLES
                if some and (full or article.id in ids):
                    yield some
                    some, ids, n_bytes = [], set(), 0
                some.append(_checked(article))
                ids.add(article.id)
                n_bytes += _size(article)
        except Exception:
            if some:
                yield some
            raise
        if some:
            yield some

    def _read(
        self, articles: Iterable[Article]
    ) -> Iterator[tuple[list[Article], Read, Coming | None]]:
        """Articles and what was read of them, and those that come next, which are read meanwhile."""
        return self._read_chunks(self._chunks(articles, self._store.chunk_bytes))

    def _read_chunks(
        self, chunks: Iterator[list[Article]]
    ) -> Iterator[tuple[list[Article], Read, Coming | None]]:
        some, following = next(chunks, None), next(chunks, None)
        if some is None:
            return
        if following is None:
            yield some, read_articles(some, self._config), None
            return
        with ReadAhead(self._config) as ahead:
            ahead.put(some)
            while ahead.first is not None:
                if following is not None:
                    ahead.put(following)
                    following = next(chunks, None)
                some, read = ahead.take()
                yield some, read, ahead.first

    def _add_only(self, articles: Iterable[Article]) -> Iterator[Status]:
        """Keep articles, up to an error of what gives them; what became of each."""
        errors: list[Exception] = []
        in_parts = self._store.in_parts and self._store.store_text
        most = TOGETHER_BYTES if in_parts else self._store.chunk_bytes
        chunks = _before_errors(self._chunks(articles, most), errors)
        if in_parts:
            yield from self._add_in_parts(chunks)
        else:
            for some in self._read_chunks(chunks):
                yield from self._work.add_only(*some)
        if errors:
            raise errors[0]

    def _add_in_parts(self, chunks: Iterator[list[Article]]) -> Iterator[Status]:
        """Keep articles, each chunk in a transaction; what became of each.

        Of these some are looked up while those before them are compared and the next ones read.
        """
        parted = map(_parts, chunks)
        some, following = next(parted, None), next(parted, None)
        if some is None:
            return
        if following is None and len(some) == 1:
            yield from self._work.add_only(some[0], read_articles(some[0], self._config))
            return
        with ReadAhead(self._config, PARTS_AHEAD) as ahead:
            ahead.put(*some)
            while some is not None:
                ahead.put(*following or ())
                yield from self._work.add_in_parts(ahead.take() for _ in some)
                some, following = following, next(parted, None)


def _before_errors(
    chunks: Iterator[list[Article]], errors: list[Exception]
) -> Iterator[list[Article]]:
    """Chunks up to an error, which is noted: to be raised when they are kept."""
    try:
        yield from chunks
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is raised later
        errors.append(error)


def _size(article: Article) -> int:
    """Bytes of an article's text, or somewhat more."""
    return len(article.text) if article.text.isascii() else 3 * len(article.text)


def _parts(articles: list[Article]) -> list[list[Article]]:
    """Articles a few at a time."""
    parts: list[list[Article]] = []
    n_bytes = 0
    for article in articles:
        if not parts or len(parts[-1]) == PART_ARTICLES or n_bytes > PART_BYTES:
            parts.append([])
            n_bytes = 0
        parts[-1].append(article)
        n_bytes += _size(article)
    return parts


def _as_left(match: Match, asked: _Asked) -> Match:
    """What is told of an article that may have been kept before there was an error."""
    if asked.left is not None and match.status == "unchanged":
        return replace(match, status=asked.left)
    return match


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
