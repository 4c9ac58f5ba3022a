"""Upkeep of an embedded index's run files: merging, checking and making them anew.

Readers and writers go on meanwhile: a run is published by a row in the table `runs`, in a short
transaction, after its file is whole; the files of former runs are deleted after that. A process
that dies in between leaves a file that no row names, which the next writer deletes. Files are
deleted only inside a transaction that writes, or after one that took their rows away: so what a
row names is there.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import math
import secrets
import threading
import time
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe.errors import DedupeError, IndexDamagedError
from dedupe.index._codec import unpack_text, unseal_sketch
from dedupe.index._forking import watch
from dedupe.index._runs import (
    DamagedRunError,
    Entries,
    Run,
    merge_runs,
    sorted_entries,
    write_run,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from threading import Event

    from numpy.typing import NDArray

    from dedupe.index._sqlite import Database

    Sketcher = Callable[[Sequence[bytes]], list[NDArray[np.uint64]]]

__all__ = ["Upkeep", "due_for_merging", "quietly", "run_name"]

_LOG = logging.getLogger("dedupe.index")

_WAIT = 0.05
"""Seconds between two tries to look after the index alone."""

_ABANDONED = 3600
"""Seconds after which a file is a dead process's where nobody can be asked whether it is."""

_LOADED = 512
"""Articles read at a time to make a run anew."""

REBUILT_ENTRIES = 1 << 22
"""Postings of a run that is made anew: of a large one several are made, for each takes 100 MB."""


def run_name(first: int, last: int) -> str:
    """The name of a new run's file, which nobody else uses."""
    return f"run-{first:010}-{last:010}-{secrets.token_hex(4)}.post"


def due_for_merging(sizes: Sequence[int], smallest: int, fan_out: int) -> tuple[int, int] | None:
    """The first and the one after the last of some runs of one size, side by side, enough to merge.

    Every entry is then written as often as there are sizes, each `fan_out` times the one before.

    >>> due_for_merging([64, 16, 10, 11, 12, 10], 10, 4)
    (2, 6)
    """
    levels = [0 if n < smallest * fan_out else _level(n // smallest, fan_out) for n in sizes]
    last = len(levels)
    while last:
        first = last
        while first and levels[first - 1] == levels[last - 1]:
            first -= 1
        if last - first >= fan_out:
            return first, last
        last = first
    return None


def _level(ratio: int, fan_out: int) -> int:
    level = 0
    while ratio >= fan_out:
        ratio //= fan_out
        level += 1
    return level


class _Fresh(NamedTuple):
    """A run file that no row names yet, and the articles it covers."""

    path: Path
    first: int
    last: int


class Upkeep:
    """Looks after the run files of a directory.

    Args:
        path: the directory.
        database: its tables.
        store_text: whether texts are kept.
        sketcher: makes keys of texts.
    """

    def __init__(
        self, path: Path, database: Database, *, store_text: bool, sketcher: Sketcher
    ) -> None:
        self._path = path
        self._database = database
        self._store_text = store_text
        self._sketcher = sketcher
        self._lock = _Lock(path / ".upkeep.lock")

    @contextlib.contextmanager
    def alone(self, patience: float = 0) -> Iterator[bool]:
        """Whether no other process looks after this index; none does inside.

        Where the system has no such locks nothing is damaged, only done twice.

        Args:
            patience: seconds to wait for another process to finish.
        """
        deadline = time.monotonic() + patience
        while not (taken := self._lock.take()) and time.monotonic() < deadline:
            time.sleep(_WAIT)
        try:
            yield taken
        finally:
            if taken:
                self._lock.release()

    def runs(self) -> list[Run]:
        """The runs there are, each open."""
        with self._database.reading():
            return [Run(self._path / name) for name in self._names()]

    def _names(self) -> list[str]:
        rows = self._database.connection.execute("SELECT name FROM runs ORDER BY first")
        return [row[0] for row in rows]

    def verify(self, runs: Sequence[Run], stop: Event) -> list[DamagedRunError]:
        """Check run files against their checksums; what is wrong, if a row still names it."""
        found = []
        for run in runs:
            if stop.is_set():
                break
            try:
                run.verify()
            except DamagedRunError as error:
                found.append(error)
        return found

    def uses(self, path: Path) -> bool:
        """Whether a run is one of those there are now."""
        with self._database.reading():
            return path.name in self._names()

    def merge(self, runs: Sequence[Run]) -> None:
        """Make one run of some, and publish it if they are still there."""
        first, last = runs[0].first, runs[-1].last
        with self._database.reading():
            rows = self._database.connection.execute(
                "SELECT number FROM removed WHERE number BETWEEN ? AND ? ORDER BY number",
                (first, last),
            )
            removed = np.array([row[0] for row in rows], np.int64)
        fresh = _Fresh(self._path / run_name(first, last), first, last)
        sources = np.concatenate([run.sources for run in runs])
        merge_runs(fresh.path, runs, removed, sources)
        self._publish([run.path for run in runs], [fresh], removed)

    def _publish(
        self, old: Sequence[Path], fresh: Sequence[_Fresh], removed: NDArray[np.int64]
    ) -> bool:
        """Let new runs stand in for old ones if those are still there; delete which are not used."""
        self._database.sync()
        with self._database.writing(durable=True):
            execute = self._database.connection.execute
            there = set(self._names()).issuperset(path.name for path in old)
            # Who tidied up may have taken a new one for a dead process's.
            published = there and all(one.path.exists() for one in fresh)
            if published:
                for path in old:
                    execute("DELETE FROM runs WHERE name = ?", (path.name,))
                for path, first, last in fresh:
                    execute("INSERT INTO runs VALUES (?, ?, ?)", (path.name, first, last))
                for number in removed.tolist():
                    execute("DELETE FROM removed WHERE number = ?", (number,))
                execute("UPDATE state SET generation = generation + 1, removals = removals + 1")
        _delete(old if published else [one.path for one in fresh])
        return published

    def rebuild(self, path: Path) -> None:
        """Make a damaged run anew from the texts, or sketches, that the index keeps."""
        with self._database.reading():
            row = self._database.connection.execute(
                "SELECT first, last FROM runs WHERE name = ?", (path.name,)
            ).fetchone()
            if row is None:  # it is not used any more
                return
            fresh = list(self._made_anew(*row))
        if self._publish([path], fresh, np.empty(0, np.int64)):
            _LOG.warning("%s could not be used and has been made anew", path)

    def _made_anew(self, first: int, last: int) -> Iterator[_Fresh]:
        """New runs of the articles between two."""
        begin, n = first, 0
        keys: list[NDArray[np.uint64]] = []
        holders: list[NDArray[np.uint32]] = []
        sources: list[NDArray[np.int32]] = []
        for start in range(first, last + 1, _LOADED):
            end = min(start + _LOADED - 1, last)
            some = np.full(end - start + 1, -1, np.int32)
            for number, source, its in self._sketches(start, end):
                some[number - start] = source
                keys.append(its)
                holders.append(np.full(len(its), number, np.uint32))
                n += len(its)
            sources.append(some)
            if n >= REBUILT_ENTRIES or end == last:
                fresh = _Fresh(self._path / run_name(begin, end), begin, end)
                entries = _joined(keys, holders)
                write_run(fresh.path, [entries], n, begin, np.concatenate(sources))
                yield fresh
                begin, n = end + 1, 0
                keys, holders, sources = [], [], []

    def _sketches(self, first: int, last: int) -> Iterator[tuple[int, int, NDArray[np.uint64]]]:
        """Number, source and keys of articles between two; of those whose text is damaged none."""
        rows = self._database.connection.execute(
            "SELECT number, source, id, body FROM articles JOIN bodies USING (number) "
            "WHERE number BETWEEN ? AND ? ORDER BY number",
            (first, last),
        ).fetchall()
        whole, texts = [], []
        for number, source, name, body in rows:
            try:
                if not self._store_text:
                    yield number, source, unseal_sketch(body, repr(name))
                else:
                    texts.append(unpack_text(body, name))
                    whole.append((number, source))
            except IndexDamagedError as error:
                _LOG.warning("%s; until then no copy of it is found", error)
        for (number, source), keys in zip(whole, self._sketcher(texts), strict=True):
            yield number, source, keys

    def keys_of(self, number: int) -> NDArray[np.uint64]:
        """What an article is found by, made anew; nothing if it is damaged."""
        return next((keys for _, _, keys in self._sketches(number, number)), np.empty(0, np.uint64))

    def tidy(self) -> None:
        """Delete files that no row names: what processes left that died."""
        with self._database.reading():
            if not self._strays():
                return
        with self.alone() as alone:
            if alone:
                # No other writes a run at the moment: who flushes is a writer.
                with self._database.writing():
                    _delete(self._strays())

    def _strays(self) -> list[Path]:
        used = set(self._names())
        files = [path for path in self._path.glob("run-*.post") if path.name not in used]
        files += self._path.glob(".run-*.part")
        before = time.time() - (0 if _has_locks() else _ABANDONED)
        return [path for path in files if _changed(path) <= before]


def _changed(path: Path) -> float:
    """When a file was written to last; never if it is gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return math.inf


def _joined(keys: list[NDArray[np.uint64]], holders: list[NDArray[np.uint32]]) -> Entries:
    if not keys:
        return Entries(np.empty(0, np.uint64), np.empty(0, np.uint32), 0)
    return sorted_entries(np.concatenate(keys), np.concatenate(holders))


def _delete(paths: Sequence[Path]) -> None:
    """Delete files that are not used; some systems do not let go of one that somebody has open."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def quietly(work: Callable[[], None]) -> DedupeError | OSError | None:
    """Do what need not be done now; a failure goes to the log, and is given back."""
    try:
        work()
    except (DedupeError, OSError) as error:
        _LOG.warning("upkeep of the index was put off: %s", error)
        # With their frames they would keep runs open, and files on the disk that are deleted.
        cause: BaseException | None = error
        while cause is not None:
            cause.__traceback__ = None
            cause = cause.__cause__ or cause.__context__
        return error
    return None


def _has_locks() -> bool:
    """Whether the system has locks that end with the process that holds them; Windows has others."""
    return importlib.util.find_spec("fcntl") is not None


class _Lock:
    """A lock for one thread of one process, which the system takes back when the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taken = threading.Lock()
        self._file: IO[bytes] | None = None
        watch(self)

    def take(self) -> bool:
        """Whether the lock was free."""
        if not self._taken.acquire(blocking=False):
            return False
        if not _has_locks():
            return True
        import fcntl

        try:
            file = self._path.open("ab")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BaseException:
                file.close()
                raise
        except BaseException as error:
            self._taken.release()
            if isinstance(error, BlockingIOError):
                return False
            raise
        self._file = file
        return True

    def release(self) -> None:
        """Let go of it, also for a child that was forked meanwhile."""
        if self._file is not None:
            import fcntl

            fcntl.flock(self._file, fcntl.LOCK_UN)
            self._file.close()
            self._file = None
        self._taken.release()

    def before_fork(self) -> None:
        """See `Watched`."""

    def after_fork(self, *, in_child: bool) -> None:
        """See `Watched`: the lock is the parent's."""
        if in_child:
            self._taken = threading.Lock()
            if self._file is not None:
                self._file.close()
                self._file = None
