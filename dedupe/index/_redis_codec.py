"""Articles, pairs, keys and verdicts as bytes in Redis. The scripts in `lua/` know these shapes, too."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from dedupe.errors import IndexDamagedError
from dedupe.index._codec import pack_keys, unpack_keys, unpack_text
from dedupe.index._store import PAIR, Record, Verdict
from dedupe.records import Article

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dedupe.index._store import NewArticle

__all__ = [
    "PAIR_BYTES",
    "STAMPED_BYTES",
    "Buckets",
    "digest",
    "pack_article",
    "pack_numbers",
    "pack_pairs",
    "pack_verdicts",
    "stamp_of",
    "unpack_article",
    "unpack_pairs",
    "unpack_verdicts",
    "wants_more",
    "with_family",
]

_HEAD = struct.Struct("<??Q8sI")
"""Unfinished, has a family, the family, token of who entered it, first version: of the scripts."""

_FIXED = struct.Struct("<QQQiII")
"""Fingerprint, seal, text hash, source, words, bytes of the names that follow."""

_STAMP_AT = 10
"""Where the token is: what is before it, the family above all, changes."""

STAMPED_BYTES = _HEAD.size + 16
"""From the beginning of an article to the end of its stamp."""

_PAIR = np.dtype(
    [
        (name, "<f8" if name == "resemblance" else "<u8" if name.startswith("mask") else "<u4")
        for name in PAIR.names or ()
        if name != "links"
    ]
    + [("links", "u1")]
)
"""The fields of `PAIR` in their order."""

PAIR_BYTES = _PAIR.itemsize

_VERDICT = np.dtype([("key", "<u8"), ("source", "<i4"), ("length", "<u4"), ("furniture", "u1")])


def digest(article_id: str) -> bytes:
    """What stands for an id: 16 bytes."""
    return xxhash.xxh3_128_digest(article_id.encode("utf-8", "surrogatepass"))


def pack_numbers(numbers: Sequence[int] | NDArray[Any]) -> bytes:
    """Numbers in four bytes each."""
    return np.asarray(numbers, "<u4").tobytes()


# Articles


def _sealed(fingerprint: int, rest: bytes) -> int:
    """Checksum of what is kept of an article but for its text, which has its own."""
    return xxhash.xxh3_64_intdigest(rest, seed=fingerprint)


def pack_article(new: NewArticle, source: int, *, store_text: bool) -> bytes:
    """An article without its head, which the script gives it."""
    article = new.article
    names = json.dumps(
        [article.id, article.title, article.published, article.url, article.language],
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode("utf-8", "surrogatepass")
    fixed = _FIXED.pack(new.fingerprint, 0, new.text_hash, source, new.words, len(names))
    seal = _sealed(new.fingerprint, fixed[16:] + names)
    body = new.body if store_text else pack_keys(new.keys)
    return fixed[:8] + seal.to_bytes(8, "little") + fixed[16:] + names + body


def stamp_of(blob: bytes) -> bytes:
    """What tells an article from any other that had or has its number.

    The token says who entered it, the seal of what: a call that is sent again after the server lost
    it may give the number of one of its articles to another.
    """
    return blob[_STAMP_AT:STAMPED_BYTES]


def wants_more(blob: bytes) -> bool:
    """Whether the beginning of an article is too short to have all but its text."""
    start = _HEAD.size + _FIXED.size
    if len(blob) < start:
        return False  # damaged: the whole will be no better
    return len(blob) < start + int(_FIXED.unpack_from(blob, _HEAD.size)[-1])


def unpack_article(
    number: int,
    blob: bytes,
    name_of: Callable[[int], str | None],
    *,
    store_text: bool,
    body: bool,
    place: str,
) -> Record:
    """The article again.

    Args:
        number: of the article.
        blob: what is kept of it; without `body` its beginning is enough.
        name_of: gives the name of a source by its number.
        store_text: whether a text is kept, or keys.
        body: whether these are wanted.
        place: names the index in messages.

    Raises:
        IndexDamagedError: it is not what was packed.
    """
    try:
        _, has_family, family, _, since = _HEAD.unpack_from(blob)
        at = _HEAD.size
        fingerprint, seal, text_hash, source, words, length = _FIXED.unpack_from(blob, at)
        end = at + _FIXED.size + length
        if _sealed(fingerprint, blob[at + 16 : end]) != seal:
            raise ValueError  # noqa: TRY301
        names = json.loads(blob[at + _FIXED.size : end].decode("utf-8", "surrogatepass"))
        name, title, published, url, language = names
    except (struct.error, ValueError) as error:
        raise IndexDamagedError(
            f"{place}: the record of article {number} is damaged; was something else written "
            "under the index's keys? Delete it there, and add the article anew"
        ) from error
    text, keys = "", None
    if body and store_text:
        text = unpack_text(blob[end:], name).decode()
    elif body:
        keys = unpack_keys(blob[end:])
    return Record(
        number=number,
        since=since,
        article=Article(
            id=name,
            text=text,
            source=name_of(source),
            title=title,
            published=published,
            url=url,
            language=language,
        ),
        text_hash=text_hash,
        words=words,
        fingerprint=fingerprint,
        family=family if has_family else None,
        keys=keys,
    )


def with_family(record: Record, blob: bytes) -> Record:
    """A record that was read before with the family that it has now: all else stays as it is.

    Args:
        record: of the article.
        blob: what is kept of it, of which the beginning is enough.
    """
    _, has_family, family, _, _ = _HEAD.unpack_from(blob)
    return Record(
        number=record.number,
        since=record.since,
        article=record.article,
        text_hash=record.text_hash,
        words=record.words,
        fingerprint=record.fingerprint,
        family=family if has_family else None,
        keys=record.keys,
    )


# Pairs and verdicts


def pack_pairs(pairs: NDArray[Any]) -> bytes:
    """Pairs of dtype `PAIR`."""
    return pairs.astype(_PAIR).tobytes()


def unpack_pairs(packed: bytes) -> NDArray[Any]:
    """Pairs of dtype `PAIR` again."""
    return np.frombuffer(packed, _PAIR).astype(PAIR)


def pack_verdicts(verdicts: Sequence[Verdict]) -> bytes:
    """Verdicts, 17 bytes each."""
    return np.array(verdicts, _VERDICT).tobytes()


def unpack_verdicts(packed: bytes) -> list[Verdict]:
    """The verdicts again."""
    return [
        Verdict(key, source, length, bool(furniture))
        for key, source, length, furniture in np.frombuffer(packed, _VERDICT).tolist()
    ]


# Keys


class Buckets:
    """Where keys are: the low bits of a key are its bucket, its high six bytes its name in it.

    Args:
        bits: of a bucket, at most 24. Under 16 the bits between are left out: those that are
            there, 60 and more, tell keys apart.
    """

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self._mask = np.uint64((1 << bits) - 1)

    def pack(self, keys: NDArray[np.uint64]) -> bytes:
        """Keys as three bytes of the bucket and six of the name each."""
        packed = np.empty((len(keys), 9), np.uint8)
        plain = np.ascontiguousarray(keys, "<u8")
        packed[:, :3] = (plain & self._mask).astype("<u8").view(np.uint8).reshape(-1, 8)[:, :3]
        packed[:, 3:] = plain.view(np.uint8).reshape(-1, 8)[:, 2:]
        return packed.tobytes()
