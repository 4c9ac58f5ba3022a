"""What an interrupted run has done: chunks of a corpus that need not be computed again.

A chunk is what is kept of one batch: metadata, features, and where its tokens lie in the spool.
With an output directory, and once the tokens no longer fit into memory, every finished chunk is
kept in a directory of work beside the output:

    run.json         what the work is for: version and settings
    chunk-00012.npz  one finished chunk, written aside and renamed after its tokens
    hashes.bin, …    the spool's columns
    lock             held by the run at work

The next run of the same version and settings reads the corpus again, which is cheap, and takes
over every chunk whose batch is still the same, by its text and metadata; so a corpus that
changed in between, or that comes from a pipe, is no danger. What does not fit is thrown away.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import shutil
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
import xxhash

from dedupe._version import __version__
from dedupe.errors import OutputError
from dedupe.spool import PLACES, Spool

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from dedupe.config import Config
    from dedupe.features import Features
    from dedupe.places import Places
    from dedupe.records import Batch
    from dedupe.tokens import Tokens

__all__ = ["Checkpoint", "Chunk", "checksum"]

FORMAT = 4
"""Of the files; chunks of another format are thrown away."""

_ARRAYS = ("starts", "lengths", "fingerprints", "bands", "sketch_offsets", "sketch", "far")
_NUMBERS = ("first", "end", "scale", "text_bytes", "text_hash", "checksum")

_DIGEST = 8  # bytes of an XXH3 checksum

# The settings that chunks depend on.
_SETTINGS = ("shingle", "bands", "rows", "scale", "chunk_mb", "passages")


@dataclass(slots=True)
class Chunk:
    """What is kept of one batch of n articles.

    Attributes:
        metadata: columns `METADATA`, n rows.
        starts, lengths: int64 (n,), first token in the spool and tokens of each article.
        fingerprints, bands, sketch_offsets, sketch: as in `dedupe.features.Features`.
        far: as in `dedupe.places.Places`, by the number of the token in the spool.
        first, end: its first token in the spool, and the one after its last.
        scale: of its sketches.
        text_bytes: UTF-8 bytes of text.
        text_hash: XXH3 of the texts and of their borders.
        checksum: XXH3 of its tokens, taken before they were written: what is read back later may
            not be what was meant.
    """

    METADATA: ClassVar = {
        "id": pl.String,
        "source": pl.String,
        "title": pl.String,
        "published": pl.String,
        "path": pl.String,
        "line": pl.Int64,
    }

    metadata: pl.DataFrame
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    fingerprints: NDArray[np.uint64]
    bands: NDArray[np.uint32]
    sketch_offsets: NDArray[np.int64]
    sketch: NDArray[np.uint64]
    far: NDArray[np.int64]
    first: int
    end: int
    scale: int
    text_bytes: int
    text_hash: int
    checksum: int

    def __len__(self) -> int:
        return len(self.starts)

    @classmethod
    def of(
        cls,
        batch: Batch,
        tokens: Tokens,
        features: Features,
        places: Places,
        *,
        first: int,
        scale: int,
        checksum: int | None,
    ) -> Chunk:
        """What is kept of a batch whose tokens begin at `first` in the spool, sketched at a scale.

        Without a checksum the chunk is not to outlast this run, and its texts are not hashed.
        """
        return cls(
            metadata=_metadata(batch),
            starts=tokens.offsets[:-1] + first,
            lengths=np.diff(tokens.offsets),
            fingerprints=features.fingerprints,
            bands=features.bands,
            sketch_offsets=features.sketch_offsets,
            sketch=features.sketch,
            far=places.far + np.array([first, 0, 0]),
            first=first,
            end=first + len(tokens.hashes),
            scale=scale,
            text_bytes=len(batch.text),
            text_hash=0 if checksum is None else _hash(batch.offsets, batch.text),
            checksum=checksum or 0,
        )

    def is_of(self, batch: Batch) -> bool:
        """Whether this is the chunk of a batch."""
        return (
            len(self) == len(batch)
            and self.text_hash == _hash(batch.offsets, batch.text)
            and self.metadata.equals(_metadata(batch))
        )

    def shingles(self, config: Config) -> int:
        """Shingles of all its articles."""
        return int(np.maximum(self.lengths - config.shingle + 1, 0).sum())

    def drop_features(self) -> None:
        """Free what was copied elsewhere."""
        self.sketch = np.empty(0, np.uint64)
        self.bands = np.empty((0, 0), np.uint32)


def _metadata(batch: Batch) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": batch.ids,
            "source": batch.sources,
            "title": batch.titles,
            "published": batch.published,
            "path": [path for path, _ in batch.places],
            "line": [line for _, line in batch.places],
        },
        schema=Chunk.METADATA,
    )


def _hash(*arrays: NDArray[Any]) -> int:
    hasher = xxhash.xxh3_64()
    for array in arrays:
        hasher.update(np.ascontiguousarray(array).data)
    return hasher.intdigest()


def checksum(columns: Iterable[NDArray[Any]]) -> int:
    """XXH3 of the columns of some tokens, in the order of the spool."""
    return _hash(*columns)


class Checkpoint:
    """The directory of work of one run; `close` it, or `clear` it when the output is written.

    Attributes:
        directory: where it is.
        chunks: what an earlier run of the same kind has finished, from the first batch on.
        kept: how many chunks another run would find.

    Raises:
        OutputError: the directory cannot be made, or another run is at work in it.
    """

    def __init__(self, directory: Path, config: Config) -> None:
        self.directory = directory
        self.chunks: list[Chunk] = []
        self.kept = 0
        header = {
            "format": FORMAT,
            "version": __version__,
            "unicode": unicodedata.unidata_version,
            "settings": {name: getattr(config, name) for name in _SETTINGS},
        }
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(directory / "lock")
            if _read_header(directory / "run.json") == header:
                self.chunks = _load(directory, () if config.passages else PLACES)
            else:
                self._throw_away(0)
                _write_aside(directory / "run.json", json.dumps(header).encode())
        except OSError as error:
            raise _cannot_write(directory, error) from error
        self.kept = len(self.chunks)

    def take_over(self, n: int) -> list[Chunk]:
        """The first n chunks; those after them were of another corpus, and are thrown away."""
        self._throw_away(n)
        self.kept = n
        taken, self.chunks = self.chunks[:n], []
        return taken

    def keep(self, chunks: list[Chunk]) -> None:
        """Keep the chunks that are not kept yet; all their tokens are in the files of the spool."""
        try:
            for number in range(self.kept, len(chunks)):
                _save(_path(self.directory, number), chunks[number])
        except OSError as error:
            raise _cannot_write(self.directory, error) from error
        self.kept = len(chunks)

    def _throw_away(self, first: int) -> None:
        """Delete the chunks from number `first` on; all of them go with their tokens."""
        for path in self.directory.glob("chunk-*.npz"):
            if int(path.stem.removeprefix("chunk-")) >= first:
                path.unlink()
        if first == 0:
            for path in self.directory.glob("*.bin"):
                path.unlink()

    def close(self) -> None:
        """Let another run take over. Without any chunk nothing is left behind."""
        if self.kept:
            self._lock.close()
        else:
            self.clear()

    def clear(self) -> None:
        """Delete all of it: the work is done. Nothing more once the lock was let go."""
        if self._lock.closed:  # what is there now may be another run's
            return
        with contextlib.suppress(OSError):
            for path in self.directory.iterdir():
                if path.name != "lock":
                    path.unlink()
        # The lock is held to the end: another run may wait for the directory.
        self._lock.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def _cannot_write(directory: Path, error: OSError) -> OutputError:
    return OutputError(
        f"cannot write to {directory} ({error.strerror or error}); "
        "free space there, or name another directory with --output"
    )


def _lock(path: Path) -> IO[bytes]:
    """A file that this process alone holds; the system lets go of it when the process ends."""
    file = path.open("ab")
    try:
        import fcntl
    except ImportError:  # not on this system: two runs at once would be the user's fault
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            return path.open("ab")  # a file system without locks
        raise OutputError(
            f"another scan is at work in {path.parent}; wait for it, or name another directory "
            "with --output"
        ) from None
    return file


def _path(directory: Path, number: int) -> Path:
    return directory / f"chunk-{number:06}.npz"


def _read_header(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _write_aside(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(data)
    temporary.replace(path)


def _save(path: Path, chunk: Chunk) -> None:
    metadata = io.BytesIO()
    chunk.metadata.write_ipc(metadata)
    data = io.BytesIO()
    np.savez(
        data,
        metadata=np.frombuffer(metadata.getbuffer(), np.uint8),
        numbers=np.array([getattr(chunk, name) for name in _NUMBERS], np.uint64),
        **{name: getattr(chunk, name) for name in _ARRAYS},
    )
    whole = data.getvalue()
    _write_aside(path, whole + xxhash.xxh3_64_digest(whole))


def _read_whole(path: Path) -> bytes:
    """The file without the checksum at its end; `ValueError` if that is of other content."""
    data = path.read_bytes()
    whole, checksum = data[:-_DIGEST], data[-_DIGEST:]
    if xxhash.xxh3_64_digest(whole) != checksum:
        raise ValueError(f"{path} is damaged")
    return whole


def _load(directory: Path, without: Collection[str]) -> list[Chunk]:
    """Chunks from the first on that are whole, with their tokens."""
    chunks: list[Chunk] = []
    spool = Spool.reopen(directory, without=without)
    while spool is not None:
        try:
            with np.load(io.BytesIO(_read_whole(_path(directory, len(chunks))))) as data:
                numbers = dict(zip(_NUMBERS, data["numbers"].tolist(), strict=True))
                metadata = pl.read_ipc(io.BytesIO(data["metadata"].tobytes()))
                arrays = {name: data[name] for name in _ARRAYS}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile, pl.exceptions.PolarsError):
            break
        chunk = Chunk(metadata=metadata, **arrays, **numbers)
        columns = [column[chunk.first : chunk.end] for column in spool.columns()]
        if any(len(c) < chunk.end - chunk.first for c in columns) or (
            checksum(columns) != chunk.checksum  # a power cut may have lost some
        ):
            break
        chunks.append(chunk)
    if spool is not None:
        spool.close()
    return chunks
