"""Sorted runs: postings of older articles in files that are written once and mapped into memory.

A run holds the postings of a stretch of articles, by the upper bits of their keys: a directory
of buckets, and in each the remaining bits, ascending, with the article of each entry. Runs are
written aside, brought to the disk and renamed; of several that lie side by side one is made by
merging. Two keys that agree in all bits that are kept are taken for one: of a thousand keys of
one article one is, at ten million articles, and candidates are verified on the text anyway.
"""

from __future__ import annotations

import itertools
import json
import mmap
import os
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xxhash

from dedupe._jit import kernel
from dedupe.errors import IndexDamagedError, OutputError
from dedupe.index._recent import is_among

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["DamagedRunError", "Entries", "Run", "merge_runs", "sorted_entries", "write_run"]

_MAGIC = b"dedupe\x00r"
FORMAT = 1
"""Of run files."""

KEY_BITS = 44
"""Upper bits of a key that are kept."""
_DROPPED = np.uint64(64 - KEY_BITS)
_MIN_BITS, _MAX_BITS = 12, 30
_BUCKET = 16
"""Entries of a bucket, about: coarse sketches have small hashes and fill the first buckets more."""

_PAGE = 4096
_READ = 1 << 20
"""Bytes read at a time to check a file."""
_PART = 1 << 18
"""Entries merged at a time: a few milliseconds, so that who waits for the interpreter gets it."""


class DamagedRunError(IndexDamagedError):
    """A run is not as it was written.

    Attributes:
        path: of its file.
    """

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(
            f"{path}: the file is damaged: {what}; opening the index for writing makes it anew "
            "from what the index keeps"
        )
        self.path = path


class Entries(NamedTuple):
    """Postings as entries, by key and then by article.

    Attributes:
        keys: uint64 (n,), upper bits of the keys.
        holders: uint32 (n,), articles.
    """

    keys: NDArray[np.uint64]
    holders: NDArray[np.uint32]


def sorted_entries(keys: NDArray[np.uint64], holders: NDArray[np.uint32]) -> Entries:
    """Entries of whole keys, whose articles ascend, in order."""
    upper = keys >> _DROPPED
    order = np.argsort(upper, kind="stable")
    return Entries(upper[order], holders[order])


@kernel
def _fill_directory(
    keys: NDArray[np.uint64], shift: np.uint64, directory: NDArray[np.int64]
) -> None:
    """Count entries of each bucket, one place up, into the directory."""
    for k in range(len(keys)):
        directory[np.int64(keys[k] >> shift) + 1] += 1


@kernel
def _find_in_run(
    directory: NDArray[np.int64],
    suffixes: NDArray[np.uint32],
    shift: np.uint64,
    wanted: NDArray[np.uint64],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> None:
    mask = (np.uint64(1) << shift) - np.uint64(1)
    for k in range(len(wanted)):
        key = wanted[k] >> np.uint64(20)
        bucket = np.int64(key >> shift)
        suffix = key & mask
        # Within the file even if the directory is damaged, which is found out in time.
        high = min(max(directory[bucket + 1], 0), len(suffixes))
        low = min(max(directory[bucket], 0), high)
        end = high
        while low < high:
            middle = (low + high) >> 1
            if np.uint64(suffixes[middle]) < suffix:
                low = middle + 1
            else:
                high = middle
        starts[k] = low
        # Most keys are held by nobody or one; of others the end is found by steps that double.
        step = 1
        last = low
        while last < end and np.uint64(suffixes[last]) == suffix:
            low_end = last
            last += step
            step *= 2
            if last >= end or np.uint64(suffixes[last]) != suffix:
                high = min(last, end)
                low = low_end + 1
                while low < high:
                    middle = (low + high) >> 1
                    if np.uint64(suffixes[middle]) == suffix:
                        low = middle + 1
                    else:
                        high = middle
                last = low
                break
        lengths[k] = last - starts[k]


@kernel
def _take_from_run(
    holders: NDArray[np.uint32],
    sources: NDArray[np.int32],
    first: int,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    ends: NDArray[np.int64],
    removed: NDArray[np.int64],
    cursors: NDArray[np.int64],
    out_numbers: NDArray[np.int64],
    out_sources: NDArray[np.int32],
) -> None:
    for k in range(len(starts)):
        at = cursors[k]
        for e in range(starts[k], starts[k] + lengths[k]):
            if at == ends[k]:
                break
            number = np.int64(holders[e])
            if is_among(removed, number):
                continue
            place = number - first
            out_numbers[at] = number
            out_sources[at] = sources[place] if 0 <= place < len(sources) else -1
            at += 1
        cursors[k] = at


class Run:
    """A run file, open.

    Attributes:
        path: of the file.
        first, last: numbers of the first and the last article it covers.
        entries: how many it has.
        n_bytes: size of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        header, start = _read_header(path)
        self.first, self.last = int(header["first"]), int(header["last"])
        self.entries = int(header["entries"])
        self._bits = int(header["bits"])
        self._checksums: dict[str, str] = header["checksums"]
        sizes = _section_sizes(int(header["room"]), self._bits, self.last - self.first + 1)
        self.n_bytes = start + sum(_padded(size) for size, _ in sizes.values())
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size != self.n_bytes:
                    raise DamagedRunError(path, "it is not as long as it was when it was written")
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise DamagedRunError(path, error.strerror or str(error)) from error
        self._sections: dict[str, NDArray[Any]] = {}
        self._sizes = {name: _padded(size) for name, (size, _) in sizes.items()}
        for name, (size, kind) in sizes.items():
            count = size // np.dtype(kind).itemsize
            if name in {"suffixes", "holders"}:
                count = self.entries
            self._sections[name] = np.frombuffer(self._map, kind, count, start)
            start += _padded(size)

    @property
    def sources(self) -> NDArray[np.int32]:
        """int32, number of the source of each article from the first on, -1 where unknown."""
        return self._sections["sources"]

    @property
    def _shift(self) -> np.uint64:
        return np.uint64(KEY_BITS - self._bits)

    def verify(self) -> None:
        """Compare everything with the checksums, reading the file anew: a map may hide the disk.

        Raises:
            DamagedRunError: the file is not what was written.
        """
        place = _PAGE
        buffer = bytearray(_READ)
        try:
            with self.path.open("rb") as file:
                for name, array in self._sections.items():
                    file.seek(place)
                    left, hasher = array.nbytes, xxhash.xxh3_64()
                    while left and (n := file.readinto(memoryview(buffer)[: min(left, _READ)])):
                        hasher.update(memoryview(buffer)[:n])
                        left -= n
                    if left or hasher.hexdigest() != self._checksums[name]:
                        raise DamagedRunError(self.path, f"its {name} are not what was written")
                    place += self._sizes[name]
        except OSError as error:
            raise DamagedRunError(self.path, error.strerror or str(error)) from error

    def find(self, wanted: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the entries of each key start, and how many there are."""
        starts = np.empty(len(wanted), np.int64)
        lengths = np.empty(len(wanted), np.int64)
        sections = self._sections
        _find_in_run(
            sections["directory"], sections["suffixes"], self._shift, wanted, starts, lengths
        )
        return starts, lengths

    def take(
        self,
        starts: NDArray[np.int64],
        lengths: NDArray[np.int64],
        ends: NDArray[np.int64],
        removed: NDArray[np.int64],
        cursors: NDArray[np.int64],
        numbers: NDArray[np.int64],
        sources: NDArray[np.int32],
    ) -> None:
        """Write articles of entries from `cursors` on, which move, up to `ends`; no removed ones."""
        _take_from_run(
            self._sections["holders"],
            self._sections["sources"],
            self.first,
            starts,
            lengths,
            ends,
            removed,
            cursors,
            numbers,
            sources,
        )

    def entries_between(self, low: int, high: int) -> Entries:
        """Entries whose keys' upper `_MIN_BITS` bits are in [low, high)."""
        directory = self._sections["directory"]
        step = 1 << (self._bits - _MIN_BITS)
        offsets = directory[low * step : high * step + 1]
        first, last = int(offsets[0]), int(offsets[-1])
        buckets = np.repeat(np.arange(low * step, high * step, dtype=np.uint64), np.diff(offsets))
        suffixes = self._sections["suffixes"][first:last].astype(np.uint64)
        return Entries((buckets << self._shift) | suffixes, self._sections["holders"][first:last])

    def bounds(self) -> NDArray[np.int64]:
        """int64 (2^12 + 1,), entries before each value of the keys' upper bits."""
        return self._sections["directory"][:: 1 << (self._bits - _MIN_BITS)].copy()

    def relieve(self) -> None:
        """Give back what was looked at: it counts as this process's memory until then."""
        if hasattr(self._map, "madvise"):  # not on every system
            self._map.madvise(mmap.MADV_DONTNEED)


def _padded(size: int) -> int:
    return -(-size // _PAGE) * _PAGE


def _section_sizes(
    entries: int, bits: int, articles: int
) -> dict[str, tuple[int, type[np.generic]]]:
    """Bytes and kind of each section, in their order in the file."""
    return {
        "directory": (8 * ((1 << bits) + 1), np.int64),
        "suffixes": (4 * entries, np.uint32),
        "holders": (4 * entries, np.uint32),
        "sources": (4 * articles, np.int32),
    }


def _read_header(path: Path) -> tuple[dict[str, Any], int]:
    """The header, and where the sections begin."""
    try:
        with path.open("rb") as file:
            head = file.read(_PAGE)
    except OSError as error:
        raise DamagedRunError(path, error.strerror or str(error)) from error
    text, _, _ = head[len(_MAGIC) + 8 :].partition(b"\0")
    if head[: len(_MAGIC)] != _MAGIC or head[len(_MAGIC) : len(_MAGIC) + 8] != _sealed(text):
        raise DamagedRunError(path, "its head is not what was written")
    header: dict[str, Any] = json.loads(text)
    if header["format"] != FORMAT:
        raise DamagedRunError(path, f"its format {header['format']} is not {FORMAT}")
    return header, _PAGE


def _sealed(text: bytes) -> bytes:
    return xxhash.xxh3_64_digest(text)


def _bits_for(entries: int) -> int:
    return min(_MAX_BITS, max(_MIN_BITS, (entries // _BUCKET).bit_length()))


def write_run(
    path: Path, parts: Iterable[Entries], room: int, first: int, sources: NDArray[np.int32]
) -> None:
    """Write a run aside and rename it to its name.

    Args:
        path: its name.
        parts: entries, part by part in the order of keys, of which one is held at a time.
        room: how many entries there are at most.
        first: number of the first article.
        sources: int32, number of the source of every article from the first on.

    Raises:
        OutputError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            _write_sections(file, parts, room, first, np.ascontiguousarray(sources, np.int32))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        raise OutputError(
            f"cannot write {path} ({error.strerror or error}); free space there: what the index "
            "held is safe"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    """Bring the names in a directory to the disk."""
    if os.name == "nt":  # which does so by itself, and opens no directories
        return
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _write_sections(
    file: IO[bytes],
    parts: Iterable[Entries],
    room: int,
    first: int,
    sources: NDArray[np.int32],
) -> None:
    """The sections, those of entries as they come, and the head at last."""
    bits = _bits_for(room)
    shift = np.uint64(KEY_BITS - bits)
    mask = (np.uint64(1) << shift) - np.uint64(1)
    sizes = _section_sizes(room, bits, len(sources))
    places, at = {}, _PAGE
    for name, (size, _) in sizes.items():
        places[name], at = at, at + _padded(size)
    file.truncate(at)
    directory = np.zeros((1 << bits) + 1, np.int64)
    hashers = {name: xxhash.xxh3_64() for name in sizes}

    def put(name: str, array: NDArray[Any]) -> None:
        file.seek(places[name])
        file.write(array.data)
        places[name] += array.nbytes
        hashers[name].update(array.data)

    entries = 0
    for part in parts:
        if len(part.keys):
            _fill_directory(part.keys, shift, directory)
            put("suffixes", (part.keys & mask).astype(np.uint32))
            put("holders", np.ascontiguousarray(part.holders))
            entries += len(part.keys)
    np.cumsum(directory, out=directory)
    put("directory", directory)
    put("sources", sources)
    header = {
        "format": FORMAT,
        "first": first,
        "last": first + len(sources) - 1,
        "room": room,
        "entries": entries,
        "bits": bits,
        "checksums": {name: hasher.hexdigest() for name, hasher in hashers.items()},
    }
    text = json.dumps(header).encode()
    file.seek(0)
    file.write((_MAGIC + _sealed(text) + text).ljust(_PAGE, b"\0"))


def merge_runs(
    path: Path, runs: Sequence[Run], removed: NDArray[np.int64], sources: NDArray[np.int32]
) -> None:
    """Make one run of some that lie side by side, in their order.

    Args:
        path: name of the new run.
        runs: the old ones, which are checked first: damage must not be carried on.
        removed: int64, ascending, articles that are left out.
        sources: int32, of every article from the first run's first to the last run's last.

    Raises:
        DamagedRunError: one of them is damaged.
        OutputError: it cannot be written.
    """
    for run in runs:
        run.verify()
    totals = np.sum([run.bounds() for run in runs], axis=0)
    cuts = _cuts(totals)
    gone = removed.astype(np.uint32)

    def parts() -> Iterator[Entries]:
        for low, high in itertools.pairwise(cuts):
            found = [run.entries_between(low, high) for run in runs]
            keys = np.concatenate([part.keys for part in found])
            holders = np.concatenate([part.holders for part in found])
            if len(gone):
                kept = ~np.isin(holders, gone)
                keys, holders = keys[kept], holders[kept]
            order = np.argsort(keys, kind="stable")
            yield Entries(keys[order], holders[order])
        for run in runs:
            run.relieve()

    write_run(path, parts(), int(totals[-1]), runs[0].first, sources)


def _cuts(totals: NDArray[np.int64]) -> list[int]:
    """Borders of parts of about `_PART` entries, as values of the keys' upper bits."""
    cuts = [0]
    while cuts[-1] < len(totals) - 1:
        after = int(np.searchsorted(totals, totals[cuts[-1]] + _PART, side="right")) - 1
        cuts.append(min(len(totals) - 1, max(after, cuts[-1] + 1)))
    return cuts
