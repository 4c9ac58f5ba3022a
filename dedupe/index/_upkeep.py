"""Upkeep of an embedded index's run files: merging, checking and making them anew.

Readers and writers go on meanwhile: a run is published by a row in the table `runs`, in a short
transaction, after its file is whole; the files of former runs are deleted after that. A process
that dies in between leaves a file that no row names, which the next writer deletes.
"""

from __future__ import annotations

import contextlib
import logging
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from dedupe.errors import DedupeError, IndexDamagedError
from dedupe.index._codec import unpack_keys, unpack_text
from dedupe.index._runs import Entries, Run, damaged, merge_runs, sorted_entries, write_run
from dedupe.index._sqlite import connect, plainly, transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from threading import Event

    from numpy.typing import NDArray

    Sketcher = Callable[[Sequence[bytes]], list[NDArray[np.uint64]]]

__all__ = ["Upkeep", "due_for_merging", "run_name"]

_LOG = logging.getLogger("dedupe.index")

_LOADED = 512
"""Articles read at a time to make a run anew."""


def run_name(first: int, last: int, generation: int) -> str:
    """The name of a new run's file, which was never used before."""
    return f"run-{first:010}-{last:010}-{generation:06}.post"


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


class Upkeep:
    """Looks after the run files of a directory.

    Args:
        path: the directory.
        file: its tables.
        timeout: seconds to wait for a writer.
        store_text: whether texts are kept.
        sketcher: makes keys of texts.
    """

    def __init__(
        self, path: Path, file: Path, timeout: float, *, store_text: bool, sketcher: Sketcher
    ) -> None:
        self._path = path
        self._file = file
        self._timeout = timeout
        self._store_text = store_text
        self._sketcher = sketcher

    @contextlib.contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether no other process looks after this index at the moment; none does inside."""
        lock = _try_lock(self._path / ".upkeep.lock")
        try:
            yield lock is not None
        finally:
            if lock is not None:
                lock.close()

    def verify(self, runs: Sequence[Run], stop: Event) -> list[IndexDamagedError]:
        """Check run files against their checksums; what is wrong."""
        found = []
        for run in runs:
            if stop.is_set():
                break
            try:
                run.verify()
            except IndexDamagedError as error:
                found.append(error)
            except OSError as error:  # merged and deleted meanwhile
                if run.path.exists():
                    found.append(damaged(run.path, error.strerror or str(error)))
        return found

    def merge(self, runs: Sequence[Run]) -> None:
        """Make one run of some, and publish it if they are still there."""
        connection = connect(self._file, writable=True)
        try:
            with plainly(self._file):
                first, last = runs[0].first, runs[-1].last
                generation, removed = _state(connection, first, last)
                path = self._path / run_name(first, last, generation)
                sources = np.concatenate([run.sources for run in runs])
                merge_runs(path, runs, removed, sources)
                names = [run.path.name for run in runs]
                published = self._publish(connection, names, path, first, last, removed)
            for gone in names if published else [path.name]:
                (self._path / gone).unlink(missing_ok=True)
        finally:
            connection.close()

    def _publish(
        self,
        connection: sqlite3.Connection,
        names: Sequence[str],
        path: Path,
        first: int,
        last: int,
        removed: NDArray[np.int64],
    ) -> bool:
        """Let a new run stand in for some; whether those were still there."""
        with transaction(connection, self._file, self._timeout):
            there = {row[0] for row in connection.execute("SELECT name FROM runs")}
            if not there.issuperset(names):
                return False
            connection.executemany("DELETE FROM runs WHERE name = ?", [(n,) for n in names])
            connection.execute("INSERT INTO runs VALUES (?, ?, ?)", (path.name, first, last))
            connection.executemany(
                "DELETE FROM removed WHERE number = ?", [(int(n),) for n in removed]
            )
            connection.execute(
                "UPDATE state SET generation = generation + 1, removals = removals + 1"
            )
        return True

    def rebuild(self, path: Path) -> None:
        """Make a damaged run anew from the texts, or keys, that the index keeps."""
        connection = connect(self._file, writable=True)
        try:
            with plainly(self._file):
                row = connection.execute(
                    "SELECT first, last FROM runs WHERE name = ?", (path.name,)
                ).fetchone()
                if row is None:  # it is not used any more
                    return
                first, last = row
                generation, _ = _state(connection, first, last)
                fresh = self._path / run_name(first, last, generation)
                entries, sources = self._entries(connection, first, last)
                write_run(fresh, [entries], len(entries.keys), first, sources)
                removed = np.empty(0, np.int64)
                published = self._publish(connection, [path.name], fresh, first, last, removed)
            (path if published else fresh).unlink(missing_ok=True)
        finally:
            connection.close()
        _LOG.warning("%s was damaged and has been made anew", path)

    def _entries(
        self, connection: sqlite3.Connection, first: int, last: int
    ) -> tuple[Entries, NDArray[np.int32]]:
        sources = np.full(last - first + 1, -1, np.int32)
        keys: list[NDArray[np.uint64]] = [np.empty(0, np.uint64)]
        holders: list[NDArray[np.uint32]] = [np.empty(0, np.uint32)]
        for start in range(first, last + 1, _LOADED):
            rows = connection.execute(
                "SELECT number, source, body, id FROM articles JOIN bodies USING (number) "
                "WHERE number BETWEEN ? AND ? ORDER BY number",
                (start, min(start + _LOADED - 1, last)),
            ).fetchall()
            for row, its in zip(rows, self._keys_of(rows), strict=True):
                sources[row[0] - first] = -1 if row[1] is None else row[1]
                keys.append(its)
                holders.append(np.full(len(its), row[0], np.uint32))
        return sorted_entries(np.concatenate(keys), np.concatenate(holders)), sources

    def _keys_of(self, rows: Sequence[Any]) -> list[NDArray[np.uint64]]:
        if not self._store_text:
            return [unpack_keys(body) for _, _, body, _ in rows]
        return self._sketcher([unpack_text(body, name) for _, _, body, name in rows])

    def tidy(self, connection: sqlite3.Connection) -> None:
        """Delete files that no row names: what processes left that died."""
        used = {row[0] for row in connection.execute("SELECT name FROM runs")}
        for path in self._path.glob("run-*.post"):
            if path.name not in used:
                path.unlink(missing_ok=True)
        for path in self._path.glob(".run-*.part"):
            path.unlink(missing_ok=True)


def quietly(work: Callable[[], None]) -> IndexDamagedError | None:
    """Do what need not be done now; damage that was found, and other failures to the log."""
    try:
        work()
    except IndexDamagedError as error:
        return error
    except (DedupeError, OSError) as error:
        _LOG.warning("upkeep of the index was put off: %s", error)
    return None


def _state(connection: sqlite3.Connection, first: int, last: int) -> tuple[int, NDArray[np.int64]]:
    """A generation for a new name, and removed articles between two."""
    generation = connection.execute("SELECT generation FROM state").fetchone()[0] + 1
    rows = connection.execute(
        "SELECT number FROM removed WHERE number BETWEEN ? AND ? ORDER BY number", (first, last)
    )
    return generation, np.array([row[0] for row in rows], np.int64)


def _try_lock(path: Path) -> IO[bytes] | None:
    """A lock file held, or None if another process holds it."""
    file = path.open("ab")
    try:
        import fcntl
    except ImportError:  # not on this system: publishing sees to it that nothing is done twice
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
