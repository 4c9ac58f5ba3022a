"""Tables of the embedded index, and how older ones become today's."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from dedupe.errors import IndexDamagedError
from dedupe.index._codec import seal_sketch, unseal_keys

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

__all__ = ["FORMAT", "MIGRATIONS", "create"]

FORMAT = 2
"""Of the tables and files. Raised with every change that an older version could not read."""

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE state (
    next INTEGER NOT NULL,         -- number of the next article
    articles INTEGER NOT NULL,     -- that are there
    flushed INTEGER NOT NULL,      -- number of the last article whose postings are in a run
    generation INTEGER NOT NULL,   -- raised when runs come or go
    removals INTEGER NOT NULL,     -- raised when an article is removed
    shingles INTEGER NOT NULL      -- of all articles that ever came
);
CREATE TABLE articles (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    since INTEGER NOT NULL,        -- number of the first version
    source INTEGER,
    title TEXT, published TEXT, url TEXT, language TEXT,
    text_hash INTEGER NOT NULL,
    words INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL,
    family INTEGER,                -- fingerprint that names it
    seal INTEGER NOT NULL          -- checksum of the row, but for the family
);
CREATE INDEX articles_by_family ON articles (family) WHERE family IS NOT NULL;
CREATE INDEX articles_by_fingerprint ON articles (fingerprint);
CREATE TABLE bodies (
    number INTEGER PRIMARY KEY,
    body BLOB NOT NULL             -- text, or else keys
);
CREATE TABLE recent (number INTEGER PRIMARY KEY, source INTEGER NOT NULL, keys BLOB NOT NULL);
CREATE TABLE sources (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE pairs (
    later INTEGER NOT NULL, earlier INTEGER NOT NULL, links INTEGER NOT NULL, measures BLOB NOT NULL,
    PRIMARY KEY (later, earlier)
) WITHOUT ROWID;
CREATE INDEX pairs_by_earlier ON pairs (earlier, later, links);
CREATE TABLE runs (name TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE removed (
    number INTEGER PRIMARY KEY     -- in runs still
);
CREATE TABLE verdicts (
    place INTEGER PRIMARY KEY AUTOINCREMENT,  -- others read on from the last that they know
    key INTEGER NOT NULL, source INTEGER NOT NULL, length INTEGER NOT NULL, furniture INTEGER NOT NULL,
    UNIQUE (key, source)
);
INSERT INTO state VALUES (1, 0, 0, 0, 0, 0);
"""


def create(connection: sqlite3.Connection) -> None:
    """Make the tables, inside the transaction that is open."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def _shorten_sketches(connection: sqlite3.Connection) -> None:
    """From format 1: sketches in the place of texts have the bits that count only.

    Runs of that format are made anew as they are found.
    """
    row = connection.execute("SELECT value FROM meta WHERE name = 'store_text'").fetchone()
    if row[0] == "yes":
        return
    last = -1
    while True:
        rows = connection.execute(
            "SELECT number, body FROM bodies WHERE number > ? ORDER BY number LIMIT 1000", (last,)
        ).fetchall()
        if not rows:
            return
        for number, body in rows:
            # What is damaged stays so, and is told when it is read.
            with contextlib.suppress(IndexDamagedError):
                shorter = seal_sketch(unseal_keys(body, str(number)))
                connection.execute("UPDATE bodies SET body = ? WHERE number = ?", (shorter, number))
        last = rows[-1][0]


MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _shorten_sketches}
"""By the format that a step begins with, what makes the next one of it. Steps are never changed."""
