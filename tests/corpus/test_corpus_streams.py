"""Chunks and lines."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from dedupe.corpus._streams import StreamDamagedError, open_chunks, read_stdin, split_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DATA = "\n".join(f"line {i * 2654435761 % 2**32}, né" for i in range(60_000)).encode()
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "x": bytes,
    "x.gz": gzip.compress,
    "x.zst": zstandard.ZstdCompressor().compress,
}


def ignore(n_bytes: int) -> None:
    """Take a count of bytes and do nothing."""


@given(st.lists(st.binary(max_size=6).map(lambda b: b.replace(b"\0", b"\n"))), st.integers(1, 8))
def test_split_lines(chunks: list[bytes], limit: int) -> None:
    """Lines are those of the whole, however it is cut; longer ones than the limit are None."""
    whole = b"".join(chunks).split(b"\n")
    expected = [line if len(line) <= limit else None for line in whole]
    if whole[-1] == b"":
        expected.pop()
    assert list(split_lines(iter(chunks), limit)) == expected


@pytest.mark.parametrize("name", COMPRESS)
def test_whole(tmp_path: Path, name: str) -> None:
    """A file is read whole, compressed or not, and all its bytes are counted."""
    path = tmp_path / name
    path.write_bytes(COMPRESS[name](DATA))
    counts: list[int] = []
    assert b"".join(open_chunks(str(path), counts.append)) == DATA
    assert sum(counts) == path.stat().st_size


@pytest.mark.parametrize("name", ["x.gz", "x.zst"])
def test_several_frames(tmp_path: Path, name: str) -> None:
    """Compressed files put end to end are one file."""
    path = tmp_path / name
    path.write_bytes(COMPRESS[name](DATA) + COMPRESS[name](b"\nmore"))
    assert b"".join(open_chunks(str(path), ignore)) == DATA + b"\nmore"


@pytest.mark.parametrize("name", ["x.gz", "x.zst"])
@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_damaged(tmp_path: Path, name: str, damage: str) -> None:
    """What comes before the damage is delivered, then an error is raised."""
    packed = bytearray(COMPRESS[name](DATA))
    half = len(packed) // 2
    packed[half:] = b"" if damage == "cut" else b"\xff" * (len(packed) - half)
    path = tmp_path / name
    path.write_bytes(packed)
    chunks = open_chunks(str(path), ignore)
    read = b""
    with pytest.raises(StreamDamagedError):  # noqa: PT012 -- what came before it counts
        while True:
            read += next(chunks)
    assert DATA.startswith(read[: len(DATA) // 4])
    assert len(read) > len(DATA) // 4


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_marks(tmp_path: Path, encoding: str) -> None:
    """A byte-order mark is removed, and the wider encodings become UTF-8."""
    path = tmp_path / "x"
    path.write_bytes("né 🦊\n".encode(encoding))
    assert b"".join(open_chunks(str(path), ignore)) == "né 🦊\n".encode()


def test_stdin() -> None:
    """Standard input is read in pieces, from any binary stream."""
    assert b"".join(read_stdin(io.BytesIO(b"\xef\xbb\xbf" + DATA))) == DATA
