"""The embedded store: a directory with SQLite tables and sorted runs.

    articles.sqlite      articles, texts, pairs, verdicts, and the keys of the articles that came last
    run-0000…-0000….post postings of older articles, immutable, mapped into memory for the most part

Whoever opens it keeps the postings of the last articles in memory, and brings them up to date
with what other processes added at the beginning of each transaction.
"""

from __future__ import annotations

import json
import logging
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import dedupe.index._schema as schema
from dedupe._memory import trim
from dedupe._version import __version__
from dedupe.errors import ConfigError, IndexDamagedError, IndexLockedError, OutputError
from dedupe.index._codec import (
    seal,
    seal_keys,
    seal_sketch,
    signed,
    text_hash,
    unpack_text,
    unseal_keys,
    unseal_sketch,
    unsigned,
)
from dedupe.index._gathering import gather
from dedupe.index._header import HASH_SCHEME, check_settings, check_versions, no_index
from dedupe.index._lately import Lately
from dedupe.index._recent import Recent
from dedupe.index._runs import DamagedRunError, Run, sorted_entries, write_run
from dedupe.index._sqlite import Database, plainly
from dedupe.index._store import Entered, Gathered, Record, Verdict
from dedupe.index._tables import PairTable, SourceTable, VerdictTable
from dedupe.index._upkeep import Upkeep, due_for_merging, quietly, run_name
from dedupe.records import Article

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from numpy.typing import NDArray

    from dedupe.index._store import Hashes, NewArticle

    Sketcher = Callable[[Sequence[bytes], dict[str, Any], int], list[NDArray[np.uint64]]]

__all__ = ["EmbeddedStore"]

_LOG = logging.getLogger("dedupe.index")

DATABASE = "articles.sqlite"

FLUSH_ENTRIES = 1 << 19
"""Postings kept in memory before they become a run, at the end of a transaction: read back within .1 s
on opening."""

RELIEVED_ARTICLES = 2000
"""Articles entered between two times that memory is given back, when many come at a time: takes a
hundredth of the time that they do."""

BROUGHT_PAGES = 3000
"""Pages written to the log, about, from one time that it is brought into the tables to the next."""

_PAGES_OF_ALL = 11
"""Pages that a transaction writes besides one for each article: tables and indexes change all over."""

FAN_OUT = 4
"""Runs of one size, side by side, of which one is made."""

CHECKED_AT_ONCE = 1 << 25
"""Bytes of runs up to which they are checked before the first answer, within 20 ms; else meanwhile."""

_COLUMNS = (
    "number, since, id, source, title, published, url, language, text_hash, words, fingerprint, "
    "family, seal"
)
_RECORDS = 8192
"""Records without texts held in a generation of `Lately`: 6 MB."""

_TRIES = 20
"""Times a transaction is begun anew because runs were merged before they could be opened."""


class EmbeddedStore:
    """See `dedupe.index._store.Store`.

    Args:
        path: the directory; made where it is not there and may be written.
        settings: what the index is to be made with, or what it has to agree with; of those not
            named it keeps its own.
        writable: whether it may be changed.
        store_text: whether texts are kept, where it is new.
        timeout: seconds to wait for another writer.
        sketcher: makes keys of texts, to repair what is damaged: takes the texts, the settings, and
            the shingles that ever came.
        defaults: what a new index has for settings not named.
    """

    enters_ahead = False

    chunk_bytes = 2_000_000
    in_parts = True

    def __init__(
        self,
        path: Path,
        settings: dict[str, Any],
        *,
        writable: bool,
        store_text: bool,
        timeout: float,
        sketcher: Sketcher,
        defaults: dict[str, Any],
    ) -> None:
        self.path = path
        self.writable = writable
        self._file = path / DATABASE
        self._timeout = timeout
        self._ensure_there()
        self._depth = 0
        self._writes = False
        self._background: dict[str, threading.Thread] = {}
        self._logged = 0
        self._closing = threading.Event()
        self._damaged: list[DamagedRunError] = []
        self._database = Database(self._file, writable=writable, timeout=timeout)
        self._forget()
        try:
            with self._database.gate, plainly(self._file):
                self._open(settings, defaults, store_text=store_text)
            # A scan counts a posting of up to `max_posting` once, a stream each time one more comes.
            self.few = int(self.settings["hubs"])
            self.most = min(int(self.settings["max_posting"]), 2 * self.few)
            self._upkeep = Upkeep(
                path,
                self._database,
                store_text=self.store_text,
                sketcher=lambda texts: sketcher(texts, self.settings, self.shingles),
            )
            with self.reading():
                pass
            self._check_runs()
            if writable:
                quietly(self._upkeep.tidy)
        except BaseException:
            self.close()
            raise

    # Opening

    def _ensure_there(self) -> None:
        if self._file.exists():
            return
        if not self.writable:
            raise no_index(self.path)
        if self.path.exists() and not self.path.is_dir():
            raise ConfigError(f"{self.path}: is a file; name a directory for the index")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            others = [entry.name for entry in self.path.iterdir()]
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be made ({error.strerror or error})") from error
        strange = [name for name in others if not name.startswith((DATABASE, "run-", "."))]
        if strange:
            raise ConfigError(
                f"{self.path}: is a directory with other files ({strange[0]}); name a new one for "
                "the index"
            )

    def _open(
        self, settings: dict[str, Any], defaults: dict[str, Any], *, store_text: bool
    ) -> None:
        """Make the tables, or see that those there fit."""
        if not self.writable and not self._has_tables():
            raise no_index(self.path)
        if self.writable:
            self._connection.execute("PRAGMA journal_mode = WAL")
            with self._database.writing():
                if not self._has_tables():  # nobody was quicker
                    schema.create(self._connection)
                    self._write_meta({**defaults, **settings}, store_text=store_text)
                else:
                    self._migrate()
        meta = dict(self._connection.execute("SELECT name, value FROM meta").fetchall())
        check_versions(str(self.path), meta, form=schema.FORMAT)
        self.settings = {**defaults, **json.loads(meta["settings"])}
        self.store_text = meta["store_text"] == "yes"
        check_settings(str(self.path), self.settings, settings)

    def _has_tables(self) -> bool:
        rows = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = {row[0] for row in rows}
        if names and "state" not in names:
            raise ConfigError(f"{self._file}: is another program's; name a new directory")
        return bool(names)

    def _write_meta(self, settings: dict[str, Any], *, store_text: bool) -> None:
        self._connection.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [
                ("format", str(schema.FORMAT)),
                ("hash_scheme", str(HASH_SCHEME)),
                ("made_by", __version__),
                ("settings", json.dumps(settings)),
                ("store_text", "yes" if store_text else "no"),
            ],
        )

    def _migrate(self) -> None:
        """Bring tables of an older format up to date, one numbered step after the other."""
        row = self._connection.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()
        found = int(row[0])
        while found < schema.FORMAT and found in schema.MIGRATIONS:
            schema.MIGRATIONS[found](self._connection)
            found += 1
            self._connection.execute(
                "UPDATE meta SET value = ? WHERE name = 'format'", (str(found),)
            )

    def _check_runs(self) -> None:
        """Compare runs with their checksums: few at once, many meanwhile."""

        def check() -> None:
            self._damaged += self._upkeep.verify(self._runs, self._closing)

        if sum(run.n_bytes for run in self._runs) > CHECKED_AT_ONCE:
            self._keep_up(check)
            return
        check()
        self._mend()

    def _forget(self) -> None:
        """Forget what is kept in memory: the next transaction reads it anew."""
        self._recent = Recent()
        self._runs: list[Run] = []
        self._pending: list[tuple[int, int, NDArray[np.uint64]]] = []
        self._flushed = self._generation = self._removals = -1
        self._seen = 0
        self._removed = np.empty(0, np.int64)
        self._sources = SourceTable(self._database)
        self._pairs = PairTable(self._database)
        self._verdicts = VerdictTable(self._database)
        self._written = (-1, -1)
        self._found: tuple[tuple[str, ...], dict[str, Entered]] | None = None
        self._lately: Lately[int, Record] = Lately(_RECORDS)
        self._next = self._relieved = self._count = self.shingles = 0

    # Transactions

    @property
    def _connection(self) -> sqlite3.Connection:
        return self._database.connection

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Inside, the store is seen as it is now; within another transaction nothing changes."""
        with self._database.gate:
            if self._depth:
                yield
                return
            with self._up_to_date(self._database.reading):
                yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Inside, changes are made: all of them, or after an error none."""
        if not self.writable:
            raise ConfigError(f"{self.path}: the index is open for reading only; use mode='rw'")
        with self._database.gate:
            if self._depth:
                assert self._writes, "who only reads does not begin to write"
                yield
                return
            self._writes = True
            changes = None
            try:
                with self._up_to_date(self._database.writing):
                    before, changes = self._state(), self._connection.total_changes
                    first = self._next
                    yield
                    self._write_state(before)
                self._take_in()
                self._seen = self._next - 1
                self._pairs.links.settled()
            except BaseException:
                if self._pending or changes is None or self._connection.total_changes != changes:
                    self._forget()
                raise
            finally:
                self._writes = False
            if self._recent.n_entries >= FLUSH_ENTRIES:
                self._put_off(self._flush)
                self._put_off(self._merge_behind)
            self._logged += _PAGES_OF_ALL + self._next - first
            if self._logged >= BROUGHT_PAGES:
                self._logged = 0
                self._start("dedupe-log", partial(quietly, self._bring))
            relieve = self._next - first > 1 and self._next - self._relieved >= RELIEVED_ARTICLES
            if relieve:
                self._relieved = self._next
        if relieve:
            trim()

    def _bring(self) -> None:
        """Bring the log into the tables, by a connection that does nothing else.

        While it writes and waits for the disk others go on, and so does this process's writer.
        """
        tables = Database(self._file, writable=True, timeout=self._timeout)
        try:
            tables.bring_log()
        finally:
            tables.close()

    def _take_in(self) -> None:
        """Have the postings of what was entered in memory: after an error all is read anew."""
        self._recent.add_all(self._pending)
        self._pending.clear()

    @contextmanager
    def _up_to_date(self, begin: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
        """A transaction in which all that other processes did is known, and every run is open."""
        for _ in range(_TRIES):
            self._mend()
            with begin():
                if self._caught_up():
                    self._depth = 1
                    try:
                        yield
                    finally:
                        self._depth = 0
                    return
        raise self._damaged[-1]

    def _caught_up(self) -> bool:
        """Take over what other processes did; False if a run is damaged, or was merged just now."""
        try:
            self._catch_up()
        except DamagedRunError as error:
            self._damaged.append(error)
            self._forget()
            return False
        except BaseException:
            self._forget()
            raise
        return True

    def _catch_up(self) -> None:
        state = self._connection.execute(
            "SELECT next, articles, flushed, generation, removals, shingles FROM state"
        ).fetchone()
        self._next, self._count, flushed, generation, removals, self.shingles = state
        written = self._database.written()
        self._found = None
        if written != self._written:
            self._lately.clear()
            self._pairs.links.clear()
            self._written = written
        if generation != self._generation:
            self._open_runs()
            self._generation = generation
        if flushed != self._flushed:
            self._recent.clear()
            self._seen = self._flushed = flushed
        if self._next - 1 > self._seen:
            rows = self._connection.execute(
                "SELECT number, source, keys FROM recent WHERE number > ? ORDER BY number",
                (self._seen,),
            )
            self._recent.add_all([(row[0], row[1], self._keys(row[0], row[2])) for row in rows])
            self._seen = self._next - 1
        if removals != self._removals:
            rows = self._connection.execute("SELECT number FROM removed ORDER BY number")
            self._removed = np.array([row[0] for row in rows], np.int64)
            self._removals = removals
        self._verdicts.read_on()

    def _keys(self, number: int, sealed: bytes) -> NDArray[np.uint64]:
        try:
            return unseal_keys(sealed, f"article {number}")
        except IndexDamagedError:
            _LOG.warning("%s: keys of article %d were damaged; made anew", self._file, number)
            return self._upkeep.keys_of(number)

    def _state(self) -> tuple[int, int, int, int]:
        return self._next, self._count, self.shingles, self._removals

    def _write_state(self, before: tuple[int, int, int, int]) -> None:
        if self._state() != before:
            self._connection.execute(
                "UPDATE state SET next = ?, articles = ?, shingles = ?, removals = ?", self._state()
            )

    def _open_runs(self) -> None:
        held = {run.path.name: run for run in self._runs}
        rows = self._connection.execute("SELECT name FROM runs ORDER BY first").fetchall()
        self._runs = [held.get(name) or Run(self.path / name) for (name,) in rows]

    # Upkeep

    def _put_off(self, work: Callable[[], None]) -> None:
        """Do what may fail without harm to what was acknowledged."""
        error = quietly(work)
        if isinstance(error, DamagedRunError):
            self._damaged.append(error)
        elif error is not None:
            quietly(self._upkeep.tidy)

    def _start(self, name: str, work: Callable[[], object]) -> None:
        """Do something in the background, unless a thread of that name is doing something already.

        Where no thread can be started it is left to the next time.
        """
        before = self._background.get(name)
        if before is not None and before.is_alive():
            return
        thread = threading.Thread(target=work, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            _LOG.warning("upkeep of %s was put off: %s", self.path, error)
        else:
            self._background[name] = thread

    def _keep_up(self, work: Callable[[], None]) -> None:
        """Look after runs in the background."""
        self._start("dedupe-upkeep", partial(self._put_off, work))

    def _mend(self) -> None:
        """Make damaged runs anew, or say how that is done."""
        while self._damaged:  # to which checks in the background append
            error = self._damaged[0]
            if not self._upkeep.uses(error.path):  # it was merged, or made anew, meanwhile
                self._damaged.remove(error)
            elif self.writable:
                self._upkeep.rebuild(error.path)
            else:
                raise error

    def _flush(self, *, least: int | None = None) -> None:
        """Make a run of the postings in memory."""
        least = FLUSH_ENTRIES if least is None else least
        with self._up_to_date(self._database.writing):
            if self._recent.n_entries < least or self._next - 1 <= self._flushed:
                return
            first, last = self._flushed + 1, self._next - 1
            keys, holders = self._recent.entries()
            kept = ~np.isin(holders, self._removed)
            sources = np.full(last - first + 1, -1, np.int32)
            rows = self._connection.execute(
                "SELECT number, source FROM articles WHERE number BETWEEN ? AND ?", (first, last)
            )
            for number, source in rows:
                sources[number - first] = source
            name = run_name(first, last)
            entries = sorted_entries(keys[kept], holders[kept].astype(np.uint32))
            write_run(self.path / name, [entries], len(entries.keys), first, sources)
            self._connection.execute("INSERT INTO runs VALUES (?, ?, ?)", (name, first, last))
            self._connection.execute("DELETE FROM recent")
            self._connection.execute("DELETE FROM removed WHERE number >= ?", (first,))
            self._connection.execute(
                "UPDATE state SET flushed = ?, generation = generation + 1, removals = removals + 1",
                (last,),
            )

    def _merge_behind(self) -> None:
        """Merge runs in the background if there are many of one size."""
        with self.reading():
            due = self._due(self._runs)
        if due is not None:
            self._keep_up(self._merge)

    def _due(self, runs: Sequence[Run]) -> tuple[int, int] | None:
        return due_for_merging([run.entries for run in runs], FLUSH_ENTRIES, FAN_OUT)

    def _merge(self) -> None:
        with self._upkeep.alone() as alone:
            while alone and not self._closing.is_set():
                runs = self._upkeep.runs()
                due = self._due(runs)
                if due is None:
                    return
                self._upkeep.merge(runs[slice(*due)])

    def compact(self) -> None:
        """See `Store`: one run of all postings, without what was removed; tables as small as can be."""
        self._wait()
        self._flush(least=0)
        with self._upkeep.alone(self._timeout) as alone:
            if not alone:
                raise IndexLockedError(
                    f"{self.path}: another process is looking after the index; try again"
                )
            self._merge_all()
        self._upkeep.tidy()
        self._database.vacuum()

    def _merge_all(self) -> None:
        for _ in range(_TRIES):
            with self.reading():
                runs, removed = self._runs, len(self._removed)
            if len(runs) < 2 and not (runs and removed):
                return
            try:
                self._upkeep.merge(runs)
            except DamagedRunError as error:
                self._damaged.append(error)
            else:
                return

    def _wait(self) -> None:
        for thread in list(self._background.values()):
            thread.join()

    def info(self) -> dict[str, Any]:
        """See `Store`."""
        with self.reading():
            execute = self._connection.execute
            n_pairs, n_links = execute("SELECT count(*), sum(links) FROM pairs").fetchone()
            in_families = execute("SELECT count(family) FROM articles").fetchone()[0]
            return {
                "kind": "embedded",
                "path": str(self.path),
                "format": schema.FORMAT,
                "hash_scheme": HASH_SCHEME,
                "articles": self._count,
                "ever_added": self._next - 1,
                "pairs": n_pairs,
                "links": n_links or 0,
                "articles_in_families": in_families,
                "sources": execute("SELECT count(*) FROM sources").fetchone()[0],
                "verdicts": execute("SELECT count(*) FROM verdicts").fetchone()[0],
                "runs": len(self._runs),
                "postings_in_runs": sum(run.entries for run in self._runs),
                "postings_in_memory": self._recent.n_entries,
                "bytes_of_tables": self._file.stat().st_size,
                "bytes_of_runs": sum(run.n_bytes for run in self._runs),
                "texts_stored": self.store_text,
            }

    def close(self) -> None:
        """See `Store`."""
        self._closing.set()
        self._wait()
        self._database.close()
        self._forget()

    # Postings

    def gather(self, keys: NDArray[np.uint64]) -> Gathered:
        """See `Store`."""
        try:
            return gather([*self._runs, self._recent], keys, self._removed, self.most, self.few)
        except DamagedRunError as error:
            self._damaged.append(error)  # the next transaction mends it
            raise

    def source_numbers(self, names: Sequence[str | None]) -> NDArray[np.int32]:
        """See `Store`."""
        out = np.full(len(names), -1, np.int32)
        for k, name in enumerate(names):
            if name is not None:
                out[k] = self._sources.number_of(name, new=self._writes)
        return out

    # Articles

    def __len__(self) -> int:
        with self.reading():
            return self._count

    def find(self, ids: Sequence[str]) -> dict[str, Entered]:
        """See `Store`; who enters articles has asked for them just before."""
        asked = tuple(ids)
        if self._found is not None and self._found[0] == asked:
            return self._found[1]
        found = {}
        execute = self._connection.execute
        for name in ids:
            row = execute("SELECT number, since FROM articles WHERE id = ?", (name,)).fetchone()
            if row is not None:
                found[name] = Entered("unchanged", row[0], row[1])
        self._found = asked, found
        return found

    def text_hashes(self, numbers: Sequence[int]) -> dict[int, int]:
        """See `Store`."""
        return dict(
            self._database.rows("SELECT number, text_hash FROM articles WHERE number IN", numbers)
        )

    def enter(
        self,
        articles: Sequence[NewArticle],
        keys: NDArray[np.uint64],
        shingles: int,  # noqa: ARG002 -- counted below, without articles that are there
        *,
        only_new: bool = False,
    ) -> tuple[list[Entered], Gathered] | None:
        """See `Store`."""
        known = self.find([new.article.id for new in articles])
        if known and only_new:
            return None
        hashes = self.text_hashes([there.number for there in known.values()])
        entered = []
        fresh: list[tuple[int, int, NewArticle]] = []
        for new in articles:
            there = known.get(new.article.id)
            if there is not None and hashes[there.number] == new.text_hash:
                entered.append(there)
                continue
            number = self._next
            self._next += 1
            if there is not None:
                self.remove(there.number)
            since = number if there is None else there.since
            entered.append(Entered("new" if there is None else "revised", number, since))
            fresh.append((number, since, new))
        self._take_in()  # what this transaction entered before
        gathered = self.gather(keys)
        self._insert(fresh)
        self._count += len(fresh)
        if fresh:  # what is there already counts once
            width = int(self.settings["shingle"])
            self.shingles += sum(max(new.words - width + 1, 0) for _, _, new in fresh)
        return entered, gathered

    def enter_ahead(
        self, articles: Sequence[NewArticle], keys: NDArray[np.uint64], shingles: int
    ) -> None:
        """See `Store`: there is nobody else here who could do it meanwhile."""

    def _insert(self, fresh: list[tuple[int, int, NewArticle]]) -> None:
        self._found = None
        rows, bodies, recent, pending = [], [], [], []
        for number, since, new in fresh:
            article = new.article
            source = (
                -1 if article.source is None else self._sources.number_of(article.source, new=True)
            )
            row = (
                number,
                since,
                article.id,
                source,
                article.title,
                article.published,
                article.url,
                article.language,
                new.text_hash,
                new.words,
                signed(new.fingerprint),
            )
            rows.append((*row, None, seal(*row)))
            bodies.append((number, new.body if self.store_text else seal_sketch(new.keys)))
            recent.append((number, source, seal_keys(new.keys)))
            pending.append((number, source, new.keys))
        connection = self._connection
        connection.executemany(
            f"INSERT INTO articles ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            rows,
        )
        connection.executemany("INSERT INTO bodies VALUES (?, ?)", bodies)
        connection.executemany("INSERT INTO recent VALUES (?, ?, ?)", recent)
        # Not before all are there: what an interrupt takes back must leave no postings.
        self._pending += pending
        for number, _, _ in fresh:
            self._pairs.links.enter(number)

    def load(self, numbers: Sequence[int], *, texts: bool = True) -> list[Record]:
        """See `Store`."""
        if not texts:
            return self._load_without_texts(numbers)
        found = {
            row[0]: self._record(row, row[13])
            for row in self._database.rows(
                f"SELECT {_COLUMNS}, body FROM articles JOIN bodies USING (number) WHERE number IN",  # noqa: S608
                numbers,
            )
        }
        return [found[number] for number in numbers if number in found]

    def _load_without_texts(self, numbers: Sequence[int]) -> list[Record]:
        lately = self._lately
        found = lately.among(numbers)
        missing = [number for number in numbers if number not in found]
        for row in self._database.rows(f"SELECT {_COLUMNS} FROM articles WHERE number IN", missing):  # noqa: S608
            found[row[0]] = record = self._record(row, None)
            lately.put(row[0], record)
        return [found[number] for number in numbers if number in found]

    def _record(self, row: tuple[Any, ...], body: bytes | None) -> Record:
        name = row[2]
        if body is not None and seal(*row[:11]) != row[12]:
            raise self._damaged_record(name)
        text, keys = "", None
        if body is not None and self.store_text:
            packed = unpack_text(body, name)
            if text_hash(packed) != row[8]:
                raise self._damaged_record(name)
            text = packed.decode()
        elif body is not None:
            keys = unseal_sketch(body, repr(name))
        return Record(
            number=row[0],
            since=row[1],
            article=Article(
                id=name,
                text=text,
                source=self._sources.name_of(row[3]),
                title=row[4],
                published=row[5],
                url=row[6],
                language=row[7],
            ),
            text_hash=row[8],
            words=row[9],
            fingerprint=unsigned(row[10]),
            family=None if row[11] is None else unsigned(row[11]),
            keys=keys,
        )

    def _damaged_record(self, name: str) -> IndexDamagedError:
        return IndexDamagedError(
            f"{self._file}: the record of {name!r} is damaged; remove that article and add it anew"
        )

    def remove(self, number: int) -> None:
        """See `Store`."""
        connection = self._connection
        self._pairs.remove(number)
        self._lately.pop(number)
        self._found = None
        for table in ("articles", "bodies", "recent"):
            connection.execute(f"DELETE FROM {table} WHERE number = ?", (number,))  # noqa: S608
        connection.execute("INSERT OR IGNORE INTO removed VALUES (?)", (number,))
        place = int(np.searchsorted(self._removed, number))
        self._removed = np.insert(self._removed, place, number)
        self._removals += 1
        self._count -= 1

    def numbers(self) -> NDArray[np.int64]:
        """See `Store`."""
        rows = self._connection.execute("SELECT number FROM articles ORDER BY number")
        return np.array([row[0] for row in rows], np.int64)

    def number_with(self, fingerprint: int) -> int | None:
        """See `Store`."""
        row = self._connection.execute(
            "SELECT min(number) FROM articles WHERE fingerprint = ?", (signed(fingerprint),)
        ).fetchone()
        return None if row is None else row[0]

    # Pairs and families

    def add_pairs(self, pairs: NDArray[Any]) -> None:
        """See `Store`."""
        self._pairs.add(pairs)

    def links_of(self, numbers: Sequence[int], most: int | None = None) -> NDArray[Any]:
        """See `Store`."""
        return self._pairs.links_of(numbers, most)

    def family_size(self, family: int, most: int) -> int:
        """See `Store`."""
        row = self._connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM articles WHERE family = ? LIMIT ?)",
            (signed(family), most),
        ).fetchone()
        return int(row[0])

    def set_families(self, families: dict[int, int | None]) -> None:
        """See `Store`."""
        if not families:
            return
        self._connection.executemany(
            "UPDATE articles SET family = ? WHERE number = ?",
            [
                (None if family is None else signed(family), number)
                for number, family in families.items()
            ],
        )
        for number, record in self._lately.among(families).items():
            self._lately.put(number, replace(record, family=families[number]))

    # Furniture

    def judged_length(self, key: int, source: int) -> int:
        """See `Store`."""
        return self._verdicts.length(key, source)

    def known_furniture(self) -> tuple[Hashes, Hashes]:
        """See `Store`."""
        return self._verdicts.furniture()

    def learn(self, verdicts: Sequence[Verdict]) -> None:
        """See `Store`."""
        self._verdicts.learn(verdicts, keep=self._writes)
