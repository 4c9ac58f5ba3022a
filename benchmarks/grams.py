r"""Word n-grams of a corpus and their postings, independent of `dedupe`'s own kernels.

The oracle and the ablation judge the core, so nothing here may come from it: words are runs of
`\w` in the lower-cased text, numbered exactly; only n-grams are hashed, to 64 bits (among 4·10^7
different n-grams one collision is expected in 20,000 runs).
"""

from __future__ import annotations

import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Corpus", "Grams", "Postings", "Shared", "grams", "postings", "read_words", "shared"]

_WORD = re.compile(r"\w+")
_CHUNK = 512
"""Articles counted per task: large enough to hide the thread pool, small enough to balance."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """The words of a corpus.

    Attributes:
        words: int32 (n_words,), vocabulary numbers of all words in reading order.
        offsets: int64 (n_articles + 1,), where each article's words begin.
        size: number of different words.
    """

    words: NDArray[np.int32]
    offsets: NDArray[np.int64]
    size: int

    def __len__(self) -> int:
        return len(self.offsets) - 1


@dataclass(frozen=True, slots=True)
class Grams:
    """The distinct n-grams of every article.

    Attributes:
        hashes: uint64 (n,), ascending within an article.
        offsets: int64 (n_articles + 1,).
    """

    hashes: NDArray[np.uint64]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def of(self, article: int) -> NDArray[np.uint64]:
        """The distinct n-grams of one article, ascending."""
        return self.hashes[self.offsets[article] : self.offsets[article + 1]]

    def sketch(self, scale: int) -> Grams:
        """Scaled MinHash (FracMinHash): the hashes below 2^64 / scale."""
        keep = self.hashes < np.uint64((1 << 64) // scale) if scale > 1 else self.hashes >= 0
        before = np.concatenate(([0], np.cumsum(keep)))
        return Grams(self.hashes[keep], before[self.offsets])


@dataclass(frozen=True, slots=True)
class Postings:
    """Keys held by at least two articles, in both directions.

    Attributes:
        lists: int32 (n,), the articles of every key, ascending within a key.
        list_offsets: int64 (n_keys + 1,).
        keys: int32 (n,), the keys of every article.
        key_offsets: int64 (n_articles + 1,).
        skipped: number of keys left out because too many articles hold them.
    """

    lists: NDArray[np.int32]
    list_offsets: NDArray[np.int64]
    keys: NDArray[np.int32]
    key_offsets: NDArray[np.int64]
    skipped: int


@dataclass(frozen=True, slots=True)
class Shared:
    """Pairs of articles and how many keys they share.

    Attributes:
        a, b: int32 (n_pairs,), with a < b, ordered by b, then a.
        count: int32 (n_pairs,).
    """

    a: NDArray[np.int32]
    b: NDArray[np.int32]
    count: NDArray[np.int32]


def read_words(texts: Iterable[str]) -> Corpus:
    """Split texts into lower-cased words and number the vocabulary."""
    vocabulary: defaultdict[str, int] = defaultdict()
    vocabulary.default_factory = vocabulary.__len__
    rows = []
    for text in texts:
        words = _WORD.findall(text.lower())
        rows.append(np.fromiter(map(vocabulary.__getitem__, words), np.int32, len(words)))
    return Corpus(
        np.concatenate(rows) if rows else np.zeros(0, np.int32), _offsets(rows), len(vocabulary)
    )


def grams(corpus: Corpus, width: int) -> Grams:
    """The distinct n-grams of `width` words of every article."""
    hashes = _hash_grams(corpus.words, width)
    rows = [
        np.unique(hashes[start : max(start, end - width + 1)])
        for start, end in zip(corpus.offsets[:-1], corpus.offsets[1:], strict=True)
    ]
    return Grams(np.concatenate(rows) if rows else np.zeros(0, np.uint64), _offsets(rows))


def postings(held: Grams, max_length: int = 0) -> Postings:
    """Invert: the articles of every key that at least two hold.

    Args:
        held: the keys of every article.
        max_length: leave out keys held by more articles than this; 0 leaves out none.
    """
    n_articles = len(held)
    order = np.argsort(held.hashes, kind="stable")
    ordered = held.hashes[order]
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    del ordered
    lengths = np.diff(np.append(np.flatnonzero(first), len(first)))
    keep = lengths >= 2
    too_long = lengths > max_length if max_length else np.zeros(len(lengths), bool)
    keep &= ~too_long
    article = np.repeat(np.arange(n_articles, dtype=np.int32), np.diff(held.offsets))
    kept = np.repeat(keep, lengths)
    number = np.repeat(np.cumsum(keep, dtype=np.int32) - np.int32(1), lengths)
    number[~kept] = -1
    keys = np.empty(len(order), np.int32)
    keys[order] = number
    lists = article[order[kept]]
    counts = np.bincount(article[keys >= 0], minlength=n_articles)
    return Postings(
        lists=lists,
        list_offsets=np.concatenate(([0], np.cumsum(lengths[keep]))),
        keys=keys[keys >= 0],
        key_offsets=np.concatenate(([0], np.cumsum(counts))),
        skipped=int(too_long.sum()),
    )


def shared(index: Postings, minimum: int, threads: int = 2) -> Shared:
    """All pairs of articles that share at least `minimum` keys (ScanCount, exact)."""
    n_articles = len(index.key_offsets) - 1
    starts = range(0, n_articles, _CHUNK)
    with ThreadPoolExecutor(threads) as pool:
        parts = list(
            pool.map(
                lambda start: _scan_count(
                    index.lists,
                    index.list_offsets,
                    index.keys,
                    index.key_offsets,
                    start,
                    min(start + _CHUNK, n_articles),
                    minimum,
                ),
                starts,
            )
        )
    if not parts:
        return Shared(*(np.zeros(0, np.int32) for _ in range(3)))
    return Shared(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _offsets(rows: list[NDArray[np.int32]] | list[NDArray[np.uint64]]) -> NDArray[np.int64]:
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in rows], out=offsets[1:])
    return offsets


@njit(cache=True, nogil=True)
def _mix(value: np.uint64) -> np.uint64:
    """Splitmix64's finaliser: a bijection of 64-bit numbers that spreads every bit."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True)
def _hash_grams(words: NDArray[np.int32], width: int) -> NDArray[np.uint64]:
    """Hash of the `width` words from every position; positions too near the end get 0."""
    hashes = np.zeros(len(words), np.uint64)
    for start in range(len(words) - width + 1):
        value = np.uint64(0x9E3779B97F4A7C15)
        for word in words[start : start + width]:
            value = _mix(value + np.uint64(word) + np.uint64(1))
        hashes[start] = value
    return hashes


@njit(cache=True, nogil=True)
def _scan_count(
    lists: NDArray[np.int32],
    list_offsets: NDArray[np.int64],
    keys: NDArray[np.int32],
    key_offsets: NDArray[np.int64],
    start: int,
    stop: int,
    minimum: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Count for articles start…stop the keys shared with every earlier article."""
    counts = np.zeros(stop, np.int32)
    capacity = 1024
    found = np.empty((3, capacity), np.int32)
    size = 0
    for article in range(start, stop):
        for key in keys[key_offsets[article] : key_offsets[article + 1]]:
            for other in lists[list_offsets[key] : list_offsets[key + 1]]:
                if other >= article:
                    break
                counts[other] += 1
        for other in range(article):
            if counts[other] >= minimum:
                if size == capacity:
                    capacity *= 2
                    larger = np.empty((3, capacity), np.int32)
                    larger[:, :size] = found
                    found = larger
                found[0, size] = other
                found[1, size] = article
                found[2, size] = counts[other]
                size += 1
            counts[other] = 0
    return found[0, :size].copy(), found[1, :size].copy(), found[2, :size].copy()
