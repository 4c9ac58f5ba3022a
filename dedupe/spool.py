"""Token data of a corpus: four columns, in memory while they fit, then in files.

The rest of the program sees arrays either way: of files, whole columns are mapped into memory, and
the few articles that a slice of work needs are read (`Spool.excerpt`). A page of a mapped file that
is touched here and there costs more than to read the article that it was touched for, and counts as
this process's memory until it is given back.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import tempfile
import threading
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dedupe._jit import kernel
from dedupe._memory import give_back, take
from dedupe.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["PLACES", "Columns", "Excerpt", "Kept", "Spool"]

_COLUMNS: dict[str, type[np.generic]] = {
    "hashes": np.uint64,
    "steps": np.uint16,
    "flags": np.uint8,
    "grams": np.uint16,
}

PLACES = ("steps",)
"""The columns that only passages need."""

_FIRST_ROOM = 1 << 20
"""Tokens there is room for at first."""

_RELIEVE_AFTER = 8_000_000
"""Bytes of mapped files looked at after which they are given back. The system maps much around every
page that is touched (see below), so that articles here and there count ten times their size and more."""

_READ_AT_MOST = 1 << 26
"""Bytes of an excerpt that are read; a slice of longer articles sees the mapped files."""

_CAN_READ = hasattr(os, "preadv")
"""Whether this system reads at a place of a file; where it does not, all is mapped."""

_WRITTEN = 1 << 18
"""Bytes written at once. What is written at once Linux keeps as one piece, up to a few megabytes, and
maps all of it where a byte of it is touched: of files written by batches, 500 articles here and
there counted as 560 MB of this process, and a million articles had a peak of 6.4 GB before they were
aligned, now of 3.3. Pieces of 64 kB save a fifth more of these pages and take a quarter longer to map."""


class Columns(NamedTuple):
    """Data of the tokens of a batch; see `dedupe.tokens.Tokens` and `dedupe.features.Features`."""

    hashes: NDArray[np.uint64]
    starts: NDArray[np.uint32]
    ends: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    grams: NDArray[np.uint16]


class Kept(NamedTuple):
    """What a spool keeps of them: starts and ends as the steps of `dedupe.places.Places`."""

    hashes: NDArray[np.uint64]
    steps: NDArray[np.uint16]
    flags: NDArray[np.uint8]
    grams: NDArray[np.uint16]


class Excerpt(NamedTuple):
    """The tokens of some articles, for kernels.

    Attributes:
        rows: int64, the articles that were asked for, in the same shape, as numbers of `spans`.
        spans: int64 (n, 2), first token of each article in the columns and the one after its last.
        columns: those that were asked for, in that order.
    """

    rows: NDArray[np.int64]
    spans: NDArray[np.int64]
    columns: list[NDArray[Any]]


class Spool:
    """Collects batches of tokens; `close` deletes temporary files.

    Args:
        budget_bytes: token data kept in memory; beyond, all of it goes to files.
        expected: tokens expected, if anything is known: room for them is set aside, which
            costs nothing until they come.
        directory: where files are made, under the names of the columns, to outlast this
            process; without one they are temporary and have no name.
        without: columns that are not kept.

    Attributes:
        n_tokens: tokens there are.
        spilled: whether the data went to files.
    """

    def __init__(
        self,
        budget_bytes: int,
        expected: int = 0,
        directory: Path | None = None,
        *,
        without: Collection[str] = (),
    ) -> None:
        self._columns = {name: np.dtype(d) for name, d in _COLUMNS.items() if name not in without}
        self._budget = budget_bytes
        self._directory = directory
        room = max(_FIRST_ROOM, min(expected, budget_bytes // self.token_bytes))
        self._memory: dict[str, mmap.mmap] = {}
        self._arrays = {name: self._take(name, room) for name in self._columns}
        self._room = room
        self._files: dict[str, IO[bytes]] = {}
        self._maps: dict[str, tuple[int, NDArray[Any], mmap.mmap]] = {}
        self._lock = threading.Lock()
        self._copied = threading.Condition(self._lock)
        self._written = threading.Lock()
        self._copying = 0
        self._looked_at = 0
        self._broken: OutputError | None = None
        self._local = threading.local()
        self.n_tokens = 0
        self.spilled = False

    @property
    def token_bytes(self) -> int:
        """Bytes of one token in all columns."""
        return sum(dtype.itemsize for dtype in self._columns.values())

    def append(self, tokens: Kept) -> int:
        """Add the tokens of a batch; the place of the first. Threads may add at once.

        Each has a place of its own, and they are copied or written side by side.

        Raises:
            OutputError: the files' directory is full or cannot be written, now or before: what
                was written of a batch then is not whole, and no other batch begins.
        """
        n = len(tokens.hashes)
        with self._lock:
            while self._broken is None and not self._files:
                last = self.n_tokens + n
                spill = last * self.token_bytes > self._budget
                if not spill and last <= self._room:
                    break
                if self._copying:
                    self._copied.wait()
                elif spill:
                    self._spill()
                else:
                    self._make_room(last)
            if self._broken is not None:
                raise self._broken
            first = self.n_tokens
            arrays = {} if self._files else self._arrays
            self._copying += not self._files
            self.n_tokens = first + n
        if not arrays:
            self._write({name: getattr(tokens, name) for name in self._columns}, first)
            return first
        # Side by side: memory is touched for the first time here, which takes most of the time.
        try:
            for name, array in arrays.items():
                array[first : first + n] = getattr(tokens, name)
        finally:
            with self._lock:
                self._copying -= 1
                self._copied.notify_all()
        return first

    @classmethod
    def reopen(cls, directory: Path, *, without: Collection[str] = ()) -> Spool | None:
        """The files that an earlier process left, or None."""
        spool = cls(0, directory=directory, without=without)
        try:
            spool._open("r+b")
        except OutputError:
            spool.close()
            return None
        spool.n_tokens = min(
            os.fstat(file.fileno()).st_size // spool._columns[name].itemsize
            for name, file in spool._files.items()
        )
        return spool

    def adopt(self, n_tokens: int) -> None:
        """Take over the first tokens of the files that an earlier process left in the directory."""
        self._open("r+b")
        for name, file in self._files.items():
            file.truncate(n_tokens * self._columns[name].itemsize)
        self.n_tokens = n_tokens
        self._arrays = {}
        self._memory = {}

    def _make_room(self, needed: int) -> None:
        if needed <= self._room:
            return
        self._room = max(needed, 2 * self._room)
        for name, array in self._arrays.items():
            larger = self._take(name, self._room)
            larger[: self.n_tokens] = array[: self.n_tokens]
            self._arrays[name] = larger

    def _take(self, name: str, n: int) -> NDArray[Any]:
        """Room for n tokens in a column."""
        array, memory = take(n, self._columns[name])
        if memory is not None:
            self._memory[name] = memory
        return array

    def _spill(self) -> None:
        self._open("w+b")
        self._write({name: array[: self.n_tokens] for name, array in self._arrays.items()}, 0)
        self._arrays = {}
        self._memory = {}

    def _open(self, mode: str) -> None:
        try:
            for name in self._columns:
                # Whole columns of a batch are written at once: buffers would only hide failures.
                if self._directory is None:
                    file: IO[bytes] = tempfile.TemporaryFile(buffering=0, prefix="dedupe-")  # noqa: SIM115
                else:
                    file = (self._directory / f"{name}.bin").open(mode, buffering=0)
                self._files[name] = file
        except OSError as error:
            raise self._cannot_write(error) from error
        self.spilled = True

    def _write(self, columns: dict[str, NDArray[Any]], first: int) -> None:
        """Write columns from a token on, beside other threads, which write theirs."""
        try:
            for name, array in columns.items():
                data = memoryview(np.ascontiguousarray(array).data).cast("B")
                place = first * array.itemsize
                while len(data):  # a system may write less than it is given
                    n = self._write_at(self._files[name], data[:_WRITTEN], place)
                    data, place = data[n:], place + n
        except OSError as error:
            raise self._broken_by(error) from error

    def _write_at(self, file: IO[bytes], data: memoryview, place: int) -> int:
        """Write at a place of a file; the bytes written."""
        if hasattr(os, "pwrite"):
            return os.pwrite(file.fileno(), data, place)
        with self._written:  # as a file has one position
            file.seek(place)
            return file.write(data)

    def _broken_by(self, error: OSError) -> OutputError:
        """The error of a write that failed: what was written of it is not whole."""
        self._broken = self._cannot_write(error)
        return self._broken

    @property
    def _where(self) -> str:
        if self._directory is None:
            return f"the temporary directory {tempfile.gettempdir()}"
        return str(self._directory)

    def _cannot_write(self, error: OSError) -> OutputError:
        if self._directory is None:
            remedy = "free space there, or set TMPDIR or --memory-mb"
        else:
            remedy = "free space there, set --memory-mb, or name another directory with --output"
        return OutputError(
            f"cannot write token data to {self._where} ({error.strerror or error}); {remedy}"
        )

    def column(self, name: str) -> NDArray[Any]:
        """One of "hashes", "steps", "flags", "grams" of all tokens, as one array.

        Changes to a column are kept in memory only: kernels mark flags in place.
        """
        with self._lock:
            if not self._files:
                column: NDArray[Any] = self._arrays[name][: self.n_tokens]
                return column
            if self.n_tokens == 0:
                return np.empty(0, self._columns[name])
            held = self._maps.get(name)
            if held is None or held[0] != self.n_tokens:
                mapped = mmap.mmap(
                    self._files[name].fileno(),
                    self.n_tokens * self._columns[name].itemsize,
                    access=mmap.ACCESS_COPY,
                )
                held = self._maps[name] = (
                    self.n_tokens, np.frombuffer(mapped, self._columns[name]), mapped
                )  # fmt: skip
            return held[1]

    def columns(self) -> list[NDArray[Any]]:
        """All columns that are kept, in order."""
        return [self.column(name) for name in self._columns]

    def kept_of(self, tokens: Kept) -> list[NDArray[Any]]:
        """Of a batch's columns those that are kept, in order."""
        return [getattr(tokens, name) for name in self._columns]

    def excerpt(
        self, articles: NDArray[np.int64], spans: NDArray[np.int64], *names: str
    ) -> Excerpt:
        """What a slice of work needs of some columns: all of them in memory, or its articles alone.

        The arrays hold until the next call in this thread. Nothing written to them is kept where the
        data went to files.

        Args:
            articles: int64, of any shape; an article may come again.
            spans: int64 (n_articles, 2), first token of each article and the one after its last.
            *names: of the columns, as for `column`.

        Raises:
            OutputError: the files cannot be read.
        """
        if not self._files:
            return Excerpt(articles, spans, [self.column(name) for name in names])
        distinct, places = np.unique(articles, return_inverse=True)
        order = np.argsort(spans[distinct, 0])  # as they stand in the files
        read = spans[distinct[order]]
        ends = np.cumsum(read[:, 1] - read[:, 0])
        n = int(ends[-1]) if len(ends) else 0
        n_bytes = n * sum(self._columns[name].itemsize for name in names)
        if n_bytes > _READ_AT_MOST or not _CAN_READ:
            self.relieve(n_bytes)  # of what slices before this one looked at
            return Excerpt(articles, spans, [self.column(name) for name in names])
        number = np.empty(len(order), np.int64)
        number[order] = np.arange(len(order))
        rows = number[places].reshape(articles.shape)
        here = np.stack([ends - (read[:, 1] - read[:, 0]), ends], axis=1)
        return Excerpt(rows, here, [self._read(name, read, n) for name in names])

    def _read(self, name: str, spans: NDArray[np.int64], n: int) -> NDArray[Any]:
        """The n tokens of some spans of a column, end to end, in an array that this thread keeps."""
        kept: NDArray[Any] | None = getattr(self._local, name, None)
        if kept is None or len(kept) < n:
            # Not of the heap, which would keep the room when the thread has ended.
            kept, _ = take(max(n + n // 2, 1 << 16), self._columns[name])
            setattr(self._local, name, kept)
        out = kept[:n]
        if name == "flags":  # as they were changed, which is not in the file
            _copy(self.column(name), spans, out)
            return out
        try:
            _read_spans(self._files[name].fileno(), spans, out)
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(
                f"cannot read token data from {self._where} ({reason}); start again, and leave what "
                "is there alone meanwhile"
            ) from error
        return out

    def relieve(self, looked_at: int) -> None:
        """Count bytes that were looked at, and now and then give mapped files back to the system.

        Flags stay, as they may have been changed.
        """
        if not self._files:
            return
        with self._lock:
            self._looked_at += looked_at
            if self._looked_at < _RELIEVE_AFTER:
                return
            self._looked_at = 0
            for name, (_, _, mapped) in self._maps.items():
                if name != "flags" and hasattr(mapped, "madvise"):  # not on every system
                    mapped.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Close the files, of which temporary ones are deleted, and give up the columns."""
        self._maps.clear()
        for file in self._files.values():
            with contextlib.suppress(OSError):  # nothing is left to be written
                file.close()
        self._files.clear()
        self._local = threading.local()
        self._arrays = {name: np.empty(0, dtype) for name, dtype in self._columns.items()}
        give_back(list(self._memory.values()), self.n_tokens * self.token_bytes)
        self._memory = {}
        self._room = self.n_tokens = 0


def _read_spans(descriptor: int, spans: NDArray[np.int64], out: NDArray[Any]) -> None:
    """Read spans of a file of numbers end to end, adjacent ones at once.

    Raises:
        OSError: the file cannot be read, or is shorter.
    """
    if not len(out):
        return
    firsts = np.flatnonzero(np.append(True, spans[1:, 0] != spans[:-1, 1]))
    lasts = np.append(firsts[1:], len(spans)) - 1
    places = np.stack([spans[firsts, 0], spans[lasts, 1]], axis=1) * out.itemsize
    left = memoryview(out.view(np.uint8).data)
    for first, last in places.tolist():
        place = first
        while place < last:  # a system may read less than it is asked for
            n = os.preadv(descriptor, [left[: last - place]], place)
            if n == 0:
                raise OSError(errno.EIO, "the file is shorter than it was")
            left = left[n:]
            place += n


@kernel
def _copy(column: NDArray[np.uint8], spans: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
    """Copy spans of a column end to end."""
    at = 0
    for k in range(len(spans)):
        n = spans[k, 1] - spans[k, 0]
        out[at : at + n] = column[spans[k, 0] : spans[k, 1]]
        at += n
