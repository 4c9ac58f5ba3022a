"""Sorted runs: postings of older articles in files that are written once and mapped into memory.

A run holds the postings of a stretch of articles, by the upper bits of their keys: a directory
of buckets, and in each the remaining bits, ascending, with the article of each entry, in as few
bytes as they fit in: what is looked at stays in memory. Runs are written aside, brought to the disk
and renamed; of several that lie side by side one is made by merging. Two keys that agree in all
bits that are kept are taken for one: at a million articles one key in four hundred is taken for
another article's as well; candidates share several, and are verified on the text anyway.
"""

from __future__ import annotations

import itertools
import json
import mmap
import os
import weakref
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xxhash

from dedupe._bits import load64
from dedupe._files import written_aside
from dedupe._jit import kernel
from dedupe.errors import IndexDamagedError, OutputError
from dedupe.hashtable import is_among
from dedupe.index._codec import KEY_BITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["DamagedRunError", "Entries", "Run", "merge_runs", "sorted_entries", "write_run"]

_MAGIC = b"dedupe\x00r"
FORMAT = 2
"""Of run files."""

_DROPPED = np.uint64(64 - KEY_BITS)
_KEPT_BITS = 38
"""Bits of them that a run keeps: those from the highest on that is set in any. Where all its keys
are of sketches of one hash in eight, which begin with three zeros, nothing is lost."""
_MOST_DROPPED = KEY_BITS - _KEPT_BITS
_MIN_BITS, _MAX_BITS = 12, 30
_BUCKET = 16
"""Entries of a bucket, about."""

MAPPED = 1 << 24
"""Bytes of a run up to which articles of entries are read from its map. Few keys have any, but over
time every page of them is looked at, which counts as the process's memory then. Most of what is
found in a stream of news is of the last days, and so in small runs."""

_WIDE = 1 << 32
"""Entries of a run whose offsets take eight bytes: 50 million articles."""

_PAGE = 4096
_READ = 1 << 20
"""Bytes read at a time to check a file."""
_PART = 1 << 18
"""Entries merged at a time: a few milliseconds, so that who waits for the interpreter gets it."""


_SPARE = 8
"""Bytes that have to follow packed numbers, which are loaded eight at a time whatever their width."""

_RELIEVED = 32
"""Parts merged between two times that what was read of the old runs is given back: 50 MB."""


class DamagedRunError(IndexDamagedError):
    """A run is not as it was written.

    Attributes:
        path: of its file.
    """

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(
            f"{path}: the file cannot be used: {what}; opening the index for writing makes it anew "
            "from what the index keeps"
        )
        self.path = path


class Entries(NamedTuple):
    """Postings as entries, by key and then by article.

    Attributes:
        keys: uint64 (n,), bits of the keys that are kept.
        holders: uint32 (n,), articles.
        dropped: lower bits of the `KEY_BITS` upper ones that are not.
    """

    keys: NDArray[np.uint64]
    holders: NDArray[np.uint32]
    dropped: int


def sorted_entries(keys: NDArray[np.uint64], holders: NDArray[np.uint32]) -> Entries:
    """Entries of whole keys, whose articles ascend, in order."""
    upper = keys >> _DROPPED
    most = int(upper.max()) if len(upper) else 0
    dropped = max(0, most.bit_length() - _KEPT_BITS)
    upper >>= np.uint64(dropped)
    # The place below the key: sorted as one number each, in vectors, a fifth of a stable sort's time.
    bits = np.uint64(len(keys).bit_length())
    if bits > 64 - _KEPT_BITS:
        order = np.argsort(upper, kind="stable")
        return Entries(upper[order], holders[order], dropped)
    upper <<= bits
    upper |= np.arange(len(keys), dtype=np.uint64)
    upper.sort()
    order = (upper & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    upper >>= bits
    return Entries(upper, holders[order], dropped)


@kernel
def _fill_directory(
    keys: NDArray[np.uint64], shift: np.uint64, directory: NDArray[np.uint32]
) -> None:
    """Count entries of each bucket, one place up, into the directory."""
    for k in range(len(keys)):
        directory[np.int64(keys[k] >> shift) + 1] += np.uint64(1)


@kernel
def _narrow_at(packed: NDArray[np.uint8], width: int, k: int) -> np.uint64:
    """The number at a place among such of `width` bytes, the lowest first; see `_SPARE`."""
    return load64(packed, k * width) & ((np.uint64(1) << np.uint64(8 * width)) - np.uint64(1))


@kernel
def _widen(packed: NDArray[np.uint8], width: int, first: int, out: NDArray[np.uint32]) -> None:
    """Numbers from a place on."""
    for k in range(len(out)):
        out[k] = np.uint32(_narrow_at(packed, width, first + k))


@kernel
def _find_in_run(
    directory: NDArray[np.uint32],
    suffixes: NDArray[np.uint8],
    width: int,
    dropped: np.uint64,
    shift: np.uint64,
    wanted: NDArray[np.uint64],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> None:
    mask = (np.uint64(1) << shift) - np.uint64(1)
    entries = np.int64(len(suffixes) // width)
    buckets = np.uint64(len(directory) - 1)
    for k in range(len(wanted)):
        key = wanted[k] >> dropped
        if key >> shift >= buckets:  # larger than any key of the run
            starts[k], lengths[k] = 0, 0
            continue
        bucket = np.int64(key >> shift)
        suffix = key & mask
        # Within the file even if the directory is damaged, which is found out in time.
        high = np.int64(directory[bucket + 1])
        low = np.int64(directory[bucket])
        if low < 0 or high < low or high > entries:
            low = high = np.int64(0)
        end = high
        while low < high:
            middle = (low + high) >> 1
            if _narrow_at(suffixes, width, middle) < suffix:
                low = middle + 1
            else:
                high = middle
        starts[k] = low
        # Most keys are held by nobody or one; of others the end is found by steps that double.
        step = 1
        last = low
        while last < end and _narrow_at(suffixes, width, last) == suffix:
            low_end = last
            last += step
            step *= 2
            if last >= end or _narrow_at(suffixes, width, last) != suffix:
                high = min(last, end)
                low = low_end + 1
                while low < high:
                    middle = (low + high) >> 1
                    if _narrow_at(suffixes, width, middle) == suffix:
                        low = middle + 1
                    else:
                        high = middle
                last = low
                break
        lengths[k] = last - starts[k]


@kernel
def _take_from_run(
    holders: NDArray[np.uint8],
    width: int,
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
            place = np.int64(_narrow_at(holders, width, e))
            number = first + place
            if is_among(removed, number):
                continue
            out_numbers[at] = number
            out_sources[at] = sources[place] if place < len(sources) else -1
            at += 1
        cursors[k] = at


class Run:
    """A run file, open.

    Attributes:
        path: of the file.
        first, last: numbers of the first and the last article it covers.
        entries: how many it has.
        dropped: lower bits of the `KEY_BITS` upper ones of keys that it does not keep.
        n_bytes: size of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        header, start = _read_header(path)
        self.first, self.last = int(header["first"]), int(header["last"])
        self.entries = int(header["entries"])
        self.dropped, self._bits = int(header["dropped"]), int(header["bits"])
        self._checksums: dict[str, str] = header["checksums"]
        articles = self.last - self.first + 1
        self._widths = _widths(self._bits, articles)
        sizes = _section_sizes(int(header["room"]), self._bits, articles)
        self.n_bytes = start + sum(_padded(size) for size, _ in sizes.values())
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size != self.n_bytes:
                    raise DamagedRunError(path, "it is not as long as it was when it was written")
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                self._file = os.dup(file.fileno())
                weakref.finalize(self, os.close, self._file)
        except OSError as error:
            raise DamagedRunError(path, error.strerror or str(error)) from error
        self._sections: dict[str, NDArray[Any]] = {}
        self._sizes = {name: _padded(size) for name, (size, _) in sizes.items()}
        self._places: dict[str, int] = {}
        for name, (size, kind) in sizes.items():
            self._places[name] = start
            count = size // np.dtype(kind).itemsize
            if name in self._widths:
                count = self.entries * self._widths[name]
            self._sections[name] = np.frombuffer(self._map, kind, count, start)
            start += _padded(size)

    @property
    def sources(self) -> NDArray[np.int32]:
        """int32, number of the source of each article from the first on, -1 where unknown."""
        return self._sections["sources"]

    @property
    def _shift(self) -> np.uint64:
        return np.uint64(_KEPT_BITS - self._bits)

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
            sections["directory"],
            sections["suffixes"],
            self._widths["suffixes"],
            _DROPPED + np.uint64(self.dropped),
            self._shift,
            wanted,
            starts,
            lengths,
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
        """Write articles of entries from `cursors` on, which move, up to `ends`; no removed ones.

        Raises:
            DamagedRunError: the file cannot be read, or has become shorter.
        """
        rest = self._widths["holders"], self._sections["sources"], self.first
        into = ends, removed, cursors, numbers, sources
        if self.n_bytes <= MAPPED:
            _take_from_run(self._sections["holders"], *rest, starts, lengths, *into)
            return
        low, high = np.searchsorted(removed, (self.first, self.last + 1))
        left = lengths
        while True:
            # As many as there is room for, and as many more as may have been removed.
            some = np.minimum(left, np.where(cursors < ends, ends - cursors + (high - low), 0))
            if not some.any():
                return
            packed = self._holders(starts, some)
            _take_from_run(packed, *rest, np.cumsum(some) - some, some, *into)
            starts, left = starts + some, left - some

    def _holders(self, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Articles of entries, one after the other, as they are packed, and `_SPARE`.

        They are read from the file: see `MAPPED`.
        """
        width, place = self._widths["holders"], self._places["holders"]
        held = np.flatnonzero(lengths)
        firsts = (place + width * starts[held]).tolist()
        sizes = (width * lengths[held]).tolist()
        read, file = getattr(os, "pread", _read_at), self._file
        try:
            parts = [read(file, n, at) for at, n in zip(firsts, sizes, strict=True)]
        except OSError as error:
            raise DamagedRunError(self.path, error.strerror or str(error)) from error
        packed = np.frombuffer(b"".join([*parts, bytes(_SPARE)]), np.uint8)
        if len(packed) != sum(sizes) + _SPARE:
            raise DamagedRunError(self.path, "it is not as long as it was when it was written")
        return packed

    def entries_between(self, low: int, high: int, dropped: int) -> Entries:
        """Entries with `dropped` bits dropped, whose upper `_MIN_BITS` of those left are in [low, high).

        Args:
            low, high: within [0, 2^12].
            dropped: as many as the run itself drops, or more.
        """
        directory = self._sections["directory"]
        step = 1 << (self._bits - _MIN_BITS)
        low, high = (min(v << (dropped - self.dropped), 1 << _MIN_BITS) for v in (low, high))
        offsets = directory[low * step : high * step + 1].astype(np.int64)
        first, last = int(offsets[0]), int(offsets[-1])
        keys = np.repeat(np.arange(low * step, high * step, dtype=np.uint64), np.diff(offsets))
        keys <<= self._shift
        keys |= self._widened("suffixes", first, last)
        keys >>= np.uint64(dropped - self.dropped)
        holders = self._widened("holders", first, last)
        holders += np.uint32(self.first)
        return Entries(keys, holders, dropped)

    def _widened(self, name: str, first: int, last: int) -> NDArray[np.uint32]:
        numbers = np.empty(last - first, np.uint32)
        _widen(self._sections[name], self._widths[name], first, numbers)
        return numbers

    def bounds(self, dropped: int) -> NDArray[np.int64]:
        """int64 (2^12 + 1,), entries before each value of the upper bits; see `entries_between`."""
        values = np.arange((1 << _MIN_BITS) + 1) << (dropped - self.dropped)
        places = np.minimum(values, 1 << _MIN_BITS) << (self._bits - _MIN_BITS)
        return self._sections["directory"][places].astype(np.int64)

    def relieve(self) -> None:
        """Give back what was looked at: it counts as this process's memory until then."""
        if hasattr(self._map, "madvise"):  # not on every system
            self._map.madvise(mmap.MADV_DONTNEED)


def _read_at(file: int, size: int, place: int) -> bytes:
    """`os.pread` where there is none."""
    os.lseek(file, place, os.SEEK_SET)
    return os.read(file, size)


def _padded(size: int) -> int:
    return -(-size // _PAGE) * _PAGE


def _widths(bits: int, articles: int) -> dict[str, int]:
    """Bytes of a number in the sections that are packed."""
    return {
        "suffixes": -(-(_KEPT_BITS - bits) // 8),
        "holders": -(-max(articles - 1, 1).bit_length() // 8),
    }


def _kind_of_offsets(entries: int) -> type[np.unsignedinteger[Any]]:
    return np.uint32 if entries < _WIDE else np.uint64


def _section_sizes(
    entries: int, bits: int, articles: int
) -> dict[str, tuple[int, type[np.generic]]]:
    """Bytes and kind of each section, in their order in the file."""
    widths, kind = _widths(bits, articles), _kind_of_offsets(entries)
    # Packed numbers are never last: another section follows, of a page at least; see `_SPARE`.
    return {
        "directory": (np.dtype(kind).itemsize * ((1 << bits) + 1), kind),
        "suffixes": (widths["suffixes"] * entries, np.uint8),
        "holders": (widths["holders"] * entries, np.uint8),
        "sources": (4 * articles, np.int32),
    }


def _narrowed(numbers: NDArray[Any], width: int) -> NDArray[np.uint8]:
    """Numbers in `width` bytes each, the lowest first."""
    whole = numbers.astype("<u4").view(np.uint8).reshape(-1, 4)
    return np.ascontiguousarray(whole[:, :width]).reshape(-1)


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
        raise DamagedRunError(path, f"it has format {header['format']}, not {FORMAT}")
    return header, _PAGE


def _sealed(text: bytes) -> bytes:
    return xxhash.xxh3_64_digest(text)


def _bits_for(entries: int) -> int:
    """Bits of the directory: from 22, for 33 million entries, a suffix fits in two bytes."""
    return min(_MAX_BITS, max(_MIN_BITS, (entries // _BUCKET).bit_length()))


def write_run(
    path: Path, parts: Iterable[Entries], room: int, first: int, sources: NDArray[np.int32]
) -> None:
    """Write a run aside and rename it to its name.

    Args:
        path: its name.
        parts: entries, part by part in the order of keys, of which one is held at a time; of all
            the same bits are dropped.
        room: how many entries there are at most.
        first: number of the first article.
        sources: int32, number of the source of every article from the first on.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        with written_aside(path) as temporary, temporary.open("wb") as file:
            _write_sections(file, parts, room, first, np.ascontiguousarray(sources, np.int32))
        _sync_directory(path.parent)
    except OSError as error:
        raise OutputError(
            f"cannot write {path} ({error.strerror or error}); free space there: what the index "
            "held is safe"
        ) from error


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
    shift = np.uint64(_KEPT_BITS - bits)
    mask = (np.uint64(1) << shift) - np.uint64(1)
    widths = _widths(bits, len(sources))
    sizes = _section_sizes(room, bits, len(sources))
    places, at = {}, _PAGE
    for name, (size, _) in sizes.items():
        places[name], at = at, at + _padded(size)
    file.truncate(at)
    directory = np.zeros((1 << bits) + 1, _kind_of_offsets(room))
    hashers = {name: xxhash.xxh3_64() for name in sizes}

    def put(name: str, array: NDArray[Any]) -> None:
        file.seek(places[name])
        file.write(array.data)
        places[name] += array.nbytes
        hashers[name].update(array.data)

    entries = dropped = 0
    for part in parts:
        dropped = part.dropped
        if len(part.keys):
            _fill_directory(part.keys, shift, directory)
            put("suffixes", _narrowed(part.keys & mask, widths["suffixes"]))
            put("holders", _narrowed(part.holders - np.uint32(first), widths["holders"]))
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
        "dropped": dropped,
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
    dropped = max(run.dropped for run in runs)
    totals = np.sum([run.bounds(dropped) for run in runs], axis=0)
    cuts = _cuts(totals)
    gone = removed.astype(np.uint32)

    def parts() -> Iterator[Entries]:
        for k, (low, high) in enumerate(itertools.pairwise(cuts)):
            if k % _RELIEVED == 0:
                for run in runs:
                    run.relieve()
            found = [run.entries_between(low, high, dropped) for run in runs]
            keys = np.concatenate([part.keys for part in found])
            holders = np.concatenate([part.holders for part in found])
            if len(gone):
                kept = ~np.isin(holders, gone)
                keys, holders = keys[kept], holders[kept]
            # Where more is dropped now than before, keys have become one that were not.
            same = all(run.dropped == dropped for run in runs)
            order = np.argsort(keys, kind="stable") if same else np.lexsort((holders, keys))
            yield Entries(keys[order], holders[order], dropped)
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
