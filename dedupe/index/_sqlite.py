"""The embedded index's tables as one process sees them: the connection, transactions, waiting.

How safe it is: `synchronous` is NORMAL, with which a transaction is safe against a process that
dies at any moment, and against a system that does; a power cut may take back the transactions
of the last seconds, which the system has not written yet, whole ones, the last first. Before files
are deleted that only a transaction made needless, that transaction is brought to the disk
(`durable`).
"""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import pathname2url

from dedupe.errors import (
    ConfigError,
    DedupeError,
    IndexDamagedError,
    IndexLockedError,
    OutputError,
)
from dedupe.index._forking import watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Database", "plainly"]

_CACHE_KB = 16_000
_LOG_PAGES = 12000
"""Pages in the log, 48 MB, from which on a transaction brings what is left of it into the file. Most of
it has been brought there before (`bring_log`), in a thread, and nobody had to wait for it."""

_LOG_BYTES = 64_000_000
"""To which a log is cut that grew while a reader kept it from being emptied."""

_VARIABLES = 512
"""Numbers asked for in one statement."""

_EMPTYING = 200
"""Milliseconds to wait for readers before the log is left as it is."""

_SHORT_WAIT, _LONG_WAIT = 0.0002, 0.005
"""Seconds between two tries to become the writer: transactions take about a millisecond."""

_inherited: list[sqlite3.Connection] = []
"""Connections of a parent process: the library forbids even closing them."""


class Database:
    """A file of tables, and the connection to it, which is closed before a fork and made anew.

    Args:
        path: of the file.
        writable: whether it may be changed; it is made then where it is not there.
        timeout: seconds to wait for others.

    Attributes:
        gate: held by the thread that uses the connection.
    """

    def __init__(self, path: Path, *, writable: bool, timeout: float) -> None:
        self.path = path
        self.writable = writable
        self.timeout = timeout
        self.gate = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._opened_so_far = 0
        self._still: tuple[int, int] | None = None
        watch(self)

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, opened if need be; transactions are begun by hand.

        Raises:
            ConfigError: it is a parent process's, and no Python code forked.
        """
        if self._connection is None:
            self._connection = self._connect()
            self._opened_so_far += 1
            self._pid = os.getpid()
        elif self._pid != os.getpid():
            raise ConfigError(
                f"{self.path.parent}: this process was forked while the index was in use; open "
                "the index after the fork"
            )
        return self._connection

    @property
    def _log(self) -> Path:
        """What transactions are written to at first."""
        return self.path.with_name(f"{self.path.name}-wal")

    def rows(self, statement: str, numbers: Sequence[int]) -> Iterator[Any]:
        """Rows of a statement that ends with IN, for numbers: some hundreds are asked for at a time."""
        for first in range(0, len(numbers), _VARIABLES):
            some = list(numbers[first : first + _VARIABLES])
            # Filled up with the last: a statement of each length would be compiled and kept.
            some += some[-1:] * ((1 << (len(some) - 1).bit_length()) - len(some))
            marks = ",".join("?" * len(some))
            # All of them: who meets damage stops asking, and may close the tables.
            yield from self.connection.execute(f"{statement} ({marks})", some).fetchall()

    def written(self) -> tuple[int, int]:
        """What changes whenever another connection has written to the tables.

        In a transaction that has read already, it is that of what is seen there.
        """
        row = self.connection.execute("PRAGMA data_version").fetchone()
        return self._opened_so_far, row[0]

    def close(self) -> None:
        """Let go of the file."""
        with self.gate:
            if self._connection is None:
                return
            if self._pid == os.getpid():
                self._connection.close()
            else:
                _inherited.append(self._connection)
            self._connection = None

    # Forks

    def before_fork(self) -> None:
        """Close the connection once no thread uses it."""
        self.gate.acquire()
        if self._connection is not None and not self._connection.in_transaction:
            self.close()

    def after_fork(self, *, in_child: bool) -> None:
        """Let threads use it again."""
        if in_child:
            self.gate = threading.RLock()
        else:
            self.gate.release()

    # Transactions

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Inside, the tables stay as they are seen first."""
        with self.gate, plainly(self.path):
            try:
                self._rest()
                self.connection.execute("BEGIN")
                yield
            finally:
                self._rest()
            if self._still is not None and self._still != self._state():
                raise IndexLockedError(
                    f"{self.path.parent}: the index was written to while it was read, which "
                    "cannot be told in time where the directory cannot be written to; ask again"
                )

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[None]:
        """Inside, changes are made: all of them, or after an error none.

        Args:
            durable: whether they are on the disk afterwards, even should the power go.

        Raises:
            IndexLockedError: another one has been writing for longer than is waited.
        """
        with self.gate, plainly(self.path):
            if durable:
                self.connection.execute("PRAGMA synchronous = FULL")
            try:
                self._rest()
                self._become_writer()
                yield
                self.connection.execute("COMMIT")
            finally:
                self._rest()
                if durable:
                    self.connection.execute("PRAGMA synchronous = NORMAL")

    def sync(self) -> None:
        """Bring what was written so far to the disk, so that a durable transaction has less to do.

        Nobody waits for it: what this cannot do that transaction does.
        """
        with contextlib.suppress(OSError), self._log.open("rb+") as log:
            os.fsync(log.fileno())

    def bring_log(self) -> None:
        """Bring what is in the log into the file, as far as nobody reads what was there before.

        Others may write meanwhile, by connections of their own.
        """
        with self.gate, plainly(self.path):
            self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def vacuum(self) -> None:
        """Make the file as small as what is in it."""
        with self.gate, plainly(self.path):
            self._rest()
            self.connection.execute("VACUUM")
            # Others cannot write while the log is to be emptied, so those who read are not waited
            # for: whoever lets go of the file as the last one empties it.
            self.connection.execute(f"PRAGMA busy_timeout = {_EMPTYING}")
            try:
                self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                self.connection.execute(f"PRAGMA busy_timeout = {self._patience}")

    def _rest(self) -> None:
        """Leave a transaction that was not finished, as after an interrupt at a bad moment."""
        if self._connection is not None and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        if self._still is not None and self._still != self._state():
            self.close()

    def _become_writer(self) -> None:
        # The library itself waits up to a tenth of a second between two tries.
        connection = self.connection
        connection.execute("PRAGMA busy_timeout = 0")
        deadline = time.monotonic() + self.timeout
        wait = _SHORT_WAIT
        try:
            while True:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError as error:
                    if not _is_busy(error):
                        raise
                    if time.monotonic() > deadline:
                        raise IndexLockedError(
                            f"{self.path.parent}: another process has been writing to the index "
                            f"for {self.timeout:g} seconds; wait for it, or allow more with timeout="
                        ) from error
                    # Not in step with another one that waits.
                    time.sleep(random.uniform(wait / 2, wait))  # noqa: S311
                    wait = min(2 * wait, _LONG_WAIT)
                else:
                    return
        finally:
            connection.execute(f"PRAGMA busy_timeout = {self._patience}")

    @property
    def _patience(self) -> int:
        """Milliseconds the library waits, as for another one that repairs the log."""
        return int(self.timeout * 1000)

    # Connecting

    def _connect(self) -> sqlite3.Connection:
        self._still = None
        if self.writable:
            return self._opened("mode=rwc")
        try:
            return self._opened("mode=ro")
        except sqlite3.OperationalError as error:
            # The library keeps notes beside the file, and cannot where nothing may be written.
            # If nobody else writes either, it can do without them.
            unwritable = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
            state = self._state()
            if _code(error) not in unwritable:
                raise
            if state is None:
                raise OutputError(
                    f"{self.path}: what was written last is in a log beside it, which cannot be "
                    "read where nothing may be written; open the index with mode='rw' once, or let "
                    "this user write to the directory"
                ) from error
            connection = self._opened("mode=ro&immutable=1")
            self._still = state
            return connection

    def _opened(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{pathname2url(str(self.path.absolute()))}?{mode}",
            uri=True,
            timeout=self.timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
            connection.execute("PRAGMA temp_store = MEMORY")
            if self.writable:
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
                connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
            else:
                connection.execute("PRAGMA query_only = ON")
                connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    def _state(self) -> tuple[int, int] | None:
        """What changes when the file is written to; None if somebody may be at it, or has been."""
        with contextlib.suppress(FileNotFoundError):
            if self._log.stat().st_size:
                return None
        with contextlib.suppress(OSError):
            found = self.path.stat()
            return found.st_mtime_ns, found.st_size
        return None


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}


@contextmanager
def plainly(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into this program's."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(error, path) from error


def _translated(error: sqlite3.Error, path: Path) -> DedupeError:
    code = _code(error)
    if _is_busy(error):
        return IndexLockedError(f"{path}: another process is using it ({error}); try again")
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return IndexDamagedError(
            f"{path}: the file is damaged ({error}); restore it from a copy, or save what can be "
            "read with `sqlite3 articles.sqlite .recover`"
        )
    if code == sqlite3.SQLITE_FULL:
        return OutputError(
            f"{path}: the disk is full; free space there: all that was acknowledged is safe"
        )
    if code == sqlite3.SQLITE_IOERR:
        return OutputError(
            f"{path}: the disk or the system refused ({error}); see that there is space, no quota "
            "is used up and the disk is sound: all that was acknowledged is safe"
        )
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}:
        return OutputError(
            f"{path}: may not be opened as asked ({error}); see who may read and write there, or "
            "open the index with mode='r'"
        )
    return OutputError(f"{path}: cannot be read or written ({error})")
