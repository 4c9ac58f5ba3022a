"""The connection to the embedded index's tables: transactions, waiting, and errors in plain words."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.request import pathname2url

from dedupe.errors import DedupeError, IndexDamagedError, IndexLockedError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["begin", "connect", "plainly", "transaction"]

_CACHE_KB = 16_000
_SHORT_WAIT, _LONG_WAIT = 0.0002, 0.005
"""Seconds between two tries to become the writer: transactions take about a millisecond."""


def connect(path: Path, *, writable: bool) -> sqlite3.Connection:
    """A connection that any one thread may use at a time; transactions are begun by hand."""
    mode = "rwc" if writable else "ro"
    connection = sqlite3.connect(
        f"file:{pathname2url(str(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=0,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
    connection.execute("PRAGMA temp_store = MEMORY")
    if writable:
        # Safe against a process that dies at any moment; a power cut may lose the last seconds.
        connection.execute("PRAGMA synchronous = NORMAL")
    else:
        connection.execute("PRAGMA query_only = ON")
    return connection


def begin(connection: sqlite3.Connection, path: Path, timeout: float) -> None:
    """Become the writer, waiting `timeout` seconds at most.

    Raises:
        IndexLockedError: another one has been writing all the time.
    """
    deadline = time.monotonic() + timeout
    wait = _SHORT_WAIT
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not _is_busy(error):
                raise
            if time.monotonic() > deadline:
                raise IndexLockedError(
                    f"{path.parent}: another process has been writing to the index for "
                    f"{timeout:g} seconds; wait for it, or allow more with timeout="
                ) from error
            time.sleep(random.uniform(wait / 2, wait))  # noqa: S311 -- so that two do not meet again
            wait = min(2 * wait, _LONG_WAIT)
        else:
            return


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path, timeout: float) -> Iterator[None]:
    """A transaction that writes: all of it, or after an error nothing."""
    with plainly(path):
        begin(connection, path, timeout)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _is_busy(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@contextmanager
def plainly(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into this program's."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(error, path) from error


def _translated(error: sqlite3.Error, path: Path) -> DedupeError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
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
    return OutputError(f"{path}: cannot be read or written ({error})")
