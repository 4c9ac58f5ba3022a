"""How texts and numbers are packed for keeping."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import xxhash
import zstandard

from dedupe.errors import IndexDamagedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "KEY_BITS",
    "pack_keys",
    "pack_text",
    "seal",
    "seal_keys",
    "seal_sketch",
    "signed",
    "text_hash",
    "unpack_keys",
    "unpack_text",
    "unseal_keys",
    "unseal_sketch",
    "unsigned",
    "upper_bits",
]

_LEVEL = 1
"""Of zstd: 3 takes nearly twice the time and saves a hundredth."""

MAX_TEXT = 1 << 30
"""Bytes of a text that is unpacked: damage must not ask for more."""

KEY_BITS = 41
"""Upper bits of a hash that count: all others are left out where postings and sketches are kept."""
_LOWER = np.uint64(64 - KEY_BITS)
_COUNTING = np.uint64((1 << 64) - (1 << 64 - KEY_BITS))

_local = threading.local()


def _compressor() -> zstandard.ZstdCompressor:
    found: zstandard.ZstdCompressor | None = getattr(_local, "compressor", None)
    if found is None:
        found = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        _local.compressor = found
    return found


def _decompressor() -> zstandard.ZstdDecompressor:
    found: zstandard.ZstdDecompressor | None = getattr(_local, "decompressor", None)
    if found is None:
        found = zstandard.ZstdDecompressor()
        _local.decompressor = found
    return found


def pack_text(text: bytes) -> bytes:
    """A text, compressed, with a checksum."""
    return _compressor().compress(text)


def unpack_text(body: bytes, of: str) -> bytes:
    """The text again.

    Raises:
        IndexDamagedError: it is not what was packed; `of` names the article.
    """
    try:
        if zstandard.frame_content_size(body) > MAX_TEXT:
            raise zstandard.ZstdError("it claims to be longer than any text")  # noqa: TRY301
        return _decompressor().decompress(body, max_output_size=MAX_TEXT)
    except zstandard.ZstdError as error:
        raise IndexDamagedError(
            f"the kept text of {of!r} is damaged ({error}); remove the article from the index and "
            "add it anew"
        ) from error


def text_hash(text: bytes) -> int:
    """XXH3 of a text, below 2^63 as SQL's integers are."""
    return xxhash.xxh3_64_intdigest(text) >> 1


def seal(*values: object) -> int:
    """A checksum of some numbers and strings, below 2^63."""
    return xxhash.xxh3_64_intdigest(repr(values).encode("utf-8", "surrogatepass")) >> 1


def pack_keys(keys: NDArray[np.uint64]) -> bytes:
    """Hashes as little-endian bytes."""
    return keys.astype("<u8", copy=False).tobytes()


def unpack_keys(packed: bytes) -> NDArray[np.uint64]:
    """The hashes again."""
    return np.frombuffer(packed, "<u8").astype(np.uint64)


def seal_keys(keys: NDArray[np.uint64]) -> bytes:
    """Hashes as bytes, with a checksum."""
    packed = pack_keys(keys)
    return packed + xxhash.xxh3_64_digest(packed)


def unseal_keys(sealed: bytes, of: str) -> NDArray[np.uint64]:
    """The hashes again.

    Raises:
        IndexDamagedError: they are not what was packed; `of` names the article.
    """
    return unpack_keys(_unsealed(sealed, of))


def _unsealed(sealed: bytes, of: str) -> bytes:
    packed = sealed[:-8]
    if xxhash.xxh3_64_digest(packed) != sealed[-8:]:
        raise IndexDamagedError(
            f"the kept sketch of {of} is damaged; remove the article from the index and add it anew"
        )
    return packed


def upper_bits(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hashes with zeros for what does not count."""
    return keys & _COUNTING


def seal_sketch(keys: NDArray[np.uint64]) -> bytes:
    """The upper bits of hashes, in as few bytes as they fit in, with a checksum."""
    upper = keys >> _LOWER
    most = int(upper.max()) if len(upper) else 0
    width = max(1, -(-most.bit_length() // 8))
    narrow = upper.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :width]
    packed = bytes([width]) + narrow.tobytes()
    return packed + xxhash.xxh3_64_digest(packed)


def unseal_sketch(sealed: bytes, of: str) -> NDArray[np.uint64]:
    """The upper bits of the hashes again; the others are zeros.

    Raises:
        IndexDamagedError: they are not what was packed; `of` names the article.
    """
    packed = _unsealed(sealed, of)
    narrow = np.frombuffer(packed, np.uint8, offset=1).reshape(-1, packed[0])
    wide = np.zeros((len(narrow), 8), np.uint8)
    wide[:, : packed[0]] = narrow
    return wide.view("<u8").reshape(-1).astype(np.uint64) << _LOWER


def signed(number: int) -> int:
    """A uint64 as SQL's integers are."""
    return number - (1 << 64) if number >= 1 << 63 else number


def unsigned(number: int) -> int:
    """The uint64 again."""
    return number + (1 << 64) if number < 0 else number
