"""Files, compressed or not, as bounded chunks of bytes and as lines."""

from __future__ import annotations

import codecs
import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "MAX_LINE",
    "StreamDamagedError",
    "open_chunks",
    "read_stdin",
    "split_blocks",
    "split_lines",
]

# Longest line that is read, in bytes. No article is near it.
MAX_LINE = 64_000_000

_CHUNK = 1 << 18
# A zstd block of 128 KiB can be 4 bytes when compressed, and what one call decompresses is held
# in memory: this many bytes at a time bound it to 64 MB.
_ZSTD_PIECE = 2048

_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class StreamDamagedError(Exception):
    """Compressed data ends too early or is corrupt; everything before was delivered."""


def open_chunks(path: str, advance: Callable[[int], None]) -> Iterator[bytes]:
    """The contents of a file in chunks, decompressed by the file's ending, always as UTF-8.

    UTF-16 and UTF-32 with a byte-order mark become UTF-8; that of UTF-8 is removed. `advance`
    is told how many bytes of the file were read. Bytes without a mark are left as they are.

    Raises:
        OSError: the file cannot be read.
        StreamDamagedError: compressed data is truncated or corrupt.
    """
    lower = path.lower()
    if lower.endswith(".gz"):
        return _without_mark(_gzip_chunks(path, advance))
    if lower.endswith(".zst"):
        return _without_mark(_zstd_chunks(path, advance))
    return _without_mark(_plain_chunks(path, advance))


def read_stdin(stream: BinaryIO) -> Iterator[bytes]:
    """Standard input in chunks, as `open_chunks`; what was piped in is passed on at once."""
    read = getattr(stream, "read1", stream.read)
    return _without_mark(iter(lambda: read(_CHUNK), b""))


def split_lines(chunks: Iterator[bytes], limit: int = MAX_LINE) -> Iterator[bytes | None]:
    r"""Lines without their `\n`; None stands for a line of more than `limit` bytes.

    Such a line is never held in memory. A last line without `\n` is a line.
    """
    for lines in split_blocks(chunks, limit):
        yield from lines


def split_blocks(chunks: Iterator[bytes], limit: int = MAX_LINE) -> Iterator[list[bytes | None]]:
    """The lines of `split_lines`, those together that end in one chunk."""
    parts: list[bytes] = []
    size = 0
    too_long = False
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        size += len(first)
        if size > limit:
            parts.clear()
            too_long = True
        else:
            parts.append(first)
        if not others:
            continue
        last = others.pop()
        lines: list[bytes | None] = [None if too_long else b"".join(parts)]
        if len(chunk) > limit:  # where a decompressor made it so
            lines.extend(line if len(line) <= limit else None for line in others)
        else:
            lines.extend(others)
        yield lines
        size = len(last)
        too_long = size > limit
        parts = [] if too_long else [last]
    if size:
        yield [None if too_long else b"".join(parts)]


def _plain_chunks(path: str, advance: Callable[[int], None]) -> Iterator[bytes]:
    with Path(path).open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            advance(len(chunk))
            yield chunk


def _gzip_chunks(path: str, advance: Callable[[int], None]) -> Iterator[bytes]:
    with Path(path).open("rb") as file, gzip.GzipFile(fileobj=file) as unzipped:
        at = 0
        while True:
            try:
                # `read` would throw away what it has when the next piece turns out damaged.
                chunk = unzipped.read1(_CHUNK)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise StreamDamagedError(str(error)) from error
            advance(file.tell() - at)
            at = file.tell()
            if not chunk:
                return
            yield chunk


def _zstd_chunks(path: str, advance: Callable[[int], None]) -> Iterator[bytes]:
    # Not `stream_reader`: it takes a truncated file for a complete one.
    import zstandard

    context = zstandard.ZstdDecompressor()
    with Path(path).open("rb") as file:
        frame = None
        while piece := file.read(_ZSTD_PIECE):
            advance(len(piece))
            while piece:
                frame = frame or context.decompressobj()
                try:
                    chunk = frame.decompress(piece)
                except zstandard.ZstdError as error:
                    raise StreamDamagedError(str(error)) from error
                if chunk:
                    yield chunk
                piece = b""
                if frame.eof:
                    piece = frame.unused_data
                    frame = None
        if frame is not None:
            raise StreamDamagedError("the file ends within a frame")


def _without_mark(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = b""
    for chunk in chunks:
        first += chunk
        if len(first) >= 4:
            break
    first = first.removeprefix(codecs.BOM_UTF8)
    wide = next((encoding for mark, encoding in _WIDE_MARKS if first.startswith(mark)), None)
    if wide is None:
        if first:
            yield first
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(wide)("replace")
    yield decoder.decode(first).encode()
    for chunk in chunks:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()
