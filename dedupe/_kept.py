"""Arrays that are the same in every process, kept on disk beside the code that makes them."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from dedupe._files import written_aside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["code_of", "kept"]

_DIGEST = 16  # bytes of an XXH3 checksum


def code_of(source: str) -> bytes:
    """A module's source, empty if it cannot be read. To be called while the module is imported.

    Later it may be that of another version, which was installed in the meantime.
    """
    try:
        return Path(source).read_bytes()
    except OSError:
        return b""


def kept(
    make: Callable[[], Sequence[NDArray[Any]]], source: str, code: bytes, version: str
) -> list[NDArray[Any]]:
    """What `make` makes, from the file it was kept in, if it is whole and of this code.

    Kept where Python keeps the compiled code of a module. Where that cannot be written, or Python
    is told not to write there, the arrays are made in each process.

    Args:
        make: makes the arrays, the same ones each time.
        source: path of the module that does.
        code: its `code_of`, on all of which they may depend; nothing is kept if it is empty.
        version: of what else they depend on.
    """
    try:
        path = Path(importlib.util.cache_from_source(source)).with_suffix(".arrays")
    except NotImplementedError:  # Python keeps nothing at all
        code = b""
    if not code:
        return list(make())
    key = code + f"\n{version} {np.__version__}".encode()
    found = _read(path, key)
    if found is None:
        found = list(make())
        if not sys.dont_write_bytecode:
            with contextlib.suppress(OSError):
                _write(path, key, found)
    return found


def _read(path: Path, key: bytes) -> list[NDArray[Any]] | None:
    """The arrays of a file, None unless it is as it was written, for this key."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if data[:_DIGEST] != _digest(key, data[_DIGEST:]):
        return None
    stream = io.BytesIO(data[_DIGEST:])
    found = []
    while stream.tell() < len(data) - _DIGEST:
        found.append(np.load(stream, allow_pickle=False))
    return found


def _write(path: Path, key: bytes, arrays: Sequence[NDArray[Any]]) -> None:
    stream = io.BytesIO()
    for array in arrays:
        np.save(stream, array, allow_pickle=False)
    data = stream.getvalue()
    path.parent.mkdir(exist_ok=True)
    # Other processes may read it, or write the same.
    with written_aside(path) as temporary:
        temporary.write_bytes(_digest(key, data) + data)


def _digest(key: bytes, data: bytes) -> bytes:
    return xxhash.xxh3_128(key + data).digest()
