"""The embedded index's tables of sources, pairs and verdicts, and what is kept of them in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dedupe.index._codec import signed, unsigned
from dedupe.index._links import Links
from dedupe.index._store import PAIR, UNSEEN, Verdict
from dedupe.index._verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dedupe.index._sqlite import Database

__all__ = ["PairTable", "SourceTable", "VerdictTable"]

_MEASURES = np.dtype(
    [(name, PAIR[name].newbyteorder("<")) for name in PAIR.names[2:-1]]  # type: ignore[index]
)
"""What is kept of a pair beside the two articles and whether it links them."""

_LINKS = "SELECT later, earlier, measures FROM pairs WHERE links AND"


class SourceTable:
    """The numbers of sources, which they keep.

    Args:
        database: has the table.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def number_of(self, name: str, *, new: bool) -> int:
        """The number of a source. One that has none gets one, if `new`; else it is `UNSEEN`."""
        known = self._numbers.get(name)
        if known is not None:
            return known
        execute = self._database.connection.execute
        row = execute("SELECT number FROM sources WHERE name = ?", (name,)).fetchone()
        if row is not None:
            number = int(row[0])
        elif new:
            number = int(execute("INSERT INTO sources (name) VALUES (?)", (name,)).lastrowid or 0)
        else:
            return UNSEEN
        self._numbers[name] = number
        self._names[number] = name
        return number

    def name_of(self, number: int | None) -> str | None:
        """The source with a number."""
        if number is None or number < 0:
            return None
        if number not in self._names:
            row = self._database.connection.execute(
                "SELECT name FROM sources WHERE number = ?", (number,)
            ).fetchone()
            self._names[number] = row[0] if row else ""
        return self._names[number]


class PairTable:
    """Verified pairs.

    Args:
        database: has the table.

    Attributes:
        links: those that link two articles, of articles that were asked for lately.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.links = Links(self._fetch_links)

    def add(self, pairs: NDArray[Any]) -> None:
        """See `dedupe.index._store.Store.add_pairs`."""
        if not len(pairs):
            return
        measures = np.empty(len(pairs), _MEASURES)
        for name in _MEASURES.names or ():
            measures[name] = pairs[name]
        packed, size = measures.tobytes(), _MEASURES.itemsize
        ends = (pairs[name].tolist() for name in ("later", "earlier", "links"))
        self._database.connection.executemany(
            "INSERT OR REPLACE INTO pairs VALUES (?, ?, ?, ?)",
            [
                (later, earlier, links, packed[k * size : (k + 1) * size])
                for k, (later, earlier, links) in enumerate(zip(*ends, strict=True))
            ],
        )
        self.links.add(pairs)

    def links_of(self, numbers: Sequence[int], most: int | None) -> NDArray[Any]:
        """See `dedupe.index._store.Store.links_of`."""
        if most is not None:
            return self.links.of(numbers, most)
        rows: list[Any] = []
        found, missing = self.links.all_of(numbers)
        for end in ("later", "earlier"):
            rows += self._database.rows(f"{_LINKS} {end} IN", missing)
        return np.concatenate([found, _unpacked(rows)])

    def remove(self, number: int) -> None:
        """Remove all pairs of an article."""
        execute = self._database.connection.execute
        for one, other in (("later", "earlier"), ("earlier", "later")):
            rows = execute(f"SELECT {other} FROM pairs WHERE {one} = ?", (number,))  # noqa: S608
            self.links.forget([row[0] for row in rows])
            execute(f"DELETE FROM pairs WHERE {one} = ?", (number,))  # noqa: S608
        self.links.forget([number])

    def _fetch_links(self, number: int, most: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Links of an article with earlier ones, and with later ones, up to `most` of each."""
        execute = self._database.connection.execute
        asked = number, most
        earlier = execute(f"{_LINKS} later = ? ORDER BY earlier LIMIT ?", asked).fetchall()
        later = execute(f"{_LINKS} earlier = ? ORDER BY later LIMIT ?", asked).fetchall()
        return _unpacked(earlier), _unpacked(later)


def _unpacked(rows: Sequence[Any]) -> NDArray[Any]:
    found = np.empty(len(rows), PAIR)
    found["later"] = [row[0] for row in rows]
    found["earlier"] = [row[1] for row in rows]
    measures = np.frombuffer(b"".join(row[2] for row in rows), _MEASURES)
    for name in _MEASURES.names or ():
        found[name] = measures[name]
    found["links"] = True
    return found


class VerdictTable(Verdicts):
    """Verdicts on furniture.

    Args:
        database: has the table.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(self._length)
        self._database = database
        self._seen = -1

    def _length(self, key: int, source: int) -> int:
        row = self._database.connection.execute(
            "SELECT length FROM verdicts WHERE key = ? AND source = ?", (signed(key), source)
        ).fetchone()
        return 0 if row is None else int(row[0])

    def read_on(self) -> None:
        """Take over verdicts that came since this was done; at first, those on furniture."""
        execute = self._database.connection.execute
        if self._seen < 0:
            (last,) = execute("SELECT max(place) FROM verdicts").fetchone()
            rows = execute("SELECT key, source FROM verdicts WHERE furniture").fetchall()
            marked = np.array(rows, np.int64).reshape(-1, 2)
            self.fill(marked[:, 0].view(np.uint64), marked[:, 1].astype(np.int32))
            self._seen = last or 0
            return
        rows = execute(
            "SELECT place, key, source, length, furniture FROM verdicts WHERE place > ? "
            "ORDER BY place",
            (self._seen,),
        ).fetchall()
        if rows:
            self.add(Verdict(unsigned(r[1]), r[2], r[3], bool(r[4])) for r in rows)
            self._seen = rows[-1][0]

    def learn(self, verdicts: Sequence[Verdict], *, keep: bool) -> None:
        """See `dedupe.index._store.Store.learn`; they are kept for others, too, if that is wanted."""
        self.add(verdicts)
        if keep:
            self._database.connection.executemany(
                "INSERT OR REPLACE INTO verdicts (key, source, length, furniture) "
                "VALUES (?, ?, ?, ?)",
                [(signed(v.key), v.source, v.length, v.furniture) for v in verdicts],
            )
