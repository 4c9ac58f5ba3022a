"""What an index asks of whatever keeps its articles: a directory here, or Redis elsewhere.

Articles are numbered in the order in which they come. All that is decided about texts is
decided above this: a store finds postings, keeps records, and makes changes whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from dedupe.index._records import Status
    from dedupe.records import Article

__all__ = [
    "PAIR",
    "UNSEEN",
    "Entered",
    "Gathered",
    "NewArticle",
    "Record",
    "Store",
    "Verdict",
    "mark_of",
    "mixed",
]

UNSEEN = -2
"""Number of a source that no article is from."""

_ODD = 0x9E3779B97F4A7C15


def mixed(keys: NDArray[np.uint64], sources: NDArray[np.int32]) -> NDArray[np.uint64]:
    """One hash for a key and a source; of a key and -1, the key."""
    salted: NDArray[np.uint64] = keys + (
        sources.astype(np.int64).view(np.uint64) + np.uint64(1)
    ) * np.uint64(_ODD)
    return salted


def mark_of(key: int, source: int) -> int:
    """`mixed` of one key and source."""
    return (key + (source + 1) * _ODD) % (1 << 64)


class Hashes(NamedTuple):
    """A set of hashes.

    Attributes:
        values: uint64, ascending.
        bits: uint64 (2^k,), a bit for each value, and others: see `dedupe.hashtable.is_in_set`.
    """

    values: NDArray[np.uint64]
    bits: NDArray[np.uint64]


@dataclass(slots=True)
class NewArticle:
    """An article to be kept.

    Attributes:
        article: as it came.
        text_hash: XXH3 of its UTF-8 text, below 2^63: the same text again is told by it.
        words, fingerprint: of its tokens, as in `dedupe.features.Features`.
        keys: uint64, its sketch: what it is found by, ascending.
        body: the text, compressed, or nothing where texts are not kept.
    """

    article: Article
    text_hash: int
    words: int
    fingerprint: int
    keys: NDArray[np.uint64]
    body: bytes


class Entered(NamedTuple):
    """What became of a new article.

    Attributes:
        status: "unchanged" ones are left as they are, and have the number they had.
        number: of the article.
        since: number of its first version.
        unfinished: it is unchanged, but who entered it did not come to keep its pairs.
    """

    status: Status
    number: int
    since: int
    unfinished: bool = False


@dataclass(slots=True)
class Record:
    """An article that is kept.

    Attributes:
        number: its place in the order in which articles came.
        since: number of its first version; `number` where it was never revised.
        article: with its text if that is kept, else with an empty one.
        text_hash, words, fingerprint: as in `NewArticle`.
        family: fingerprint that names its family, None if it is alone.
        keys: uint64, its sketch, where texts are not kept, and were asked for.
    """

    number: int
    since: int
    article: Article
    text_hash: int
    words: int
    fingerprint: int
    family: int | None
    keys: NDArray[np.uint64] | None = None


class Gathered(NamedTuple):
    """Postings of some keys, each in the order in which articles came.

    Attributes:
        lengths: int64 (n_keys,), articles that hold each key.
        offsets: int64 (n_keys + 1,), where each key's articles begin.
        numbers: int64, the articles; of a long posting only the first.
        sources: int32, number of each article's source, -1 where unknown.
    """

    lengths: NDArray[np.int64]
    offsets: NDArray[np.int64]
    numbers: NDArray[np.int64]
    sources: NDArray[np.int32]


PAIR = np.dtype(
    [
        ("later", np.int64),
        ("earlier", np.int64),
        ("shared", np.uint32),
        ("net", np.uint32),
        ("body_later", np.uint32),
        ("body_earlier", np.uint32),
        ("resemblance", np.float64),
        ("mask_later", np.uint64),
        ("mask_earlier", np.uint64),
        ("links", np.bool_),
    ]
)
"""A verified pair as it is kept: numbers of both articles, shared words, those that are neither
quotation nor boilerplate, what net shares are of, which parts of both are covered, and whether it
may link them into a family. As in `dedupe.measures.Matches`."""


class Verdict(NamedTuple):
    """Whether some text is furniture.

    Attributes:
        key: hash of its shingle.
        source: whose furniture it may be; -1: boilerplate whatever the source.
        length: articles that held it when it was judged.
        furniture: the verdict.
    """

    key: int
    source: int
    length: int
    furniture: bool


class Store(Protocol):
    """Keeps articles, postings, pairs and verdicts. Not to be used by two threads at once.

    Attributes:
        settings: of `dedupe.Config`, those that decide what is found.
        store_text: whether texts are kept.
        writable: whether it may be changed.
        shingles: of all articles that ever came, which the sketches' scale follows.
        most, few: a posting of more articles than `most` is cut to its first `few`.
        chunk_bytes: text to be entered at a time.
        enters_ahead: whether `enter_ahead` does anything.
        in_parts: whether articles may be entered several times in one transaction.
    """

    settings: dict[str, Any]
    store_text: bool
    writable: bool

    @property
    def shingles(self) -> int:
        """See above."""

    most: int
    few: int
    chunk_bytes: int
    enters_ahead: bool
    in_parts: bool

    def reading(self) -> AbstractContextManager[None]:
        """Inside, the store is seen as it is now."""

    def writing(self) -> AbstractContextManager[None]:
        """Inside, changes are made, all of them or, after an error, none.

        Where hosts share a store it is no lock: what is entered is there at once, and after an
        error left unfinished.
        """

    def __len__(self) -> int: ...

    def find(self, ids: Sequence[str]) -> dict[str, Entered]:
        """Those of the ids that are there; the status is "unchanged" and means nothing."""

    def text_hashes(self, numbers: Sequence[int]) -> dict[int, int]:
        """The `text_hash` of some articles."""

    def gather(self, keys: NDArray[np.uint64]) -> Gathered:
        """Postings of keys, which ascend. Removed articles are not in them."""

    def enter(
        self,
        articles: Sequence[NewArticle],
        keys: NDArray[np.uint64],
        shingles: int,
        *,
        only_new: bool = False,
    ) -> tuple[list[Entered], Gathered] | None:
        """Keep new articles, whose ids are distinct, and give postings as they were before.

        An id that is there with another text is revised: the former version is removed, and is
        not in the postings. With `only_new` nothing is kept where one of the ids is there: None.
        """

    def enter_ahead(
        self, articles: Sequence[NewArticle], keys: NDArray[np.uint64], shingles: int
    ) -> None:
        """Begin to enter articles that come next, if all are new.

        `enter`, called next with the same list and `only_new`, gives what became of them.
        """

    def load(self, numbers: Sequence[int], *, texts: bool = True) -> list[Record]:
        """Records in the order of the numbers, those left out that are not there (any more)."""

    def source_numbers(self, names: Sequence[str | None]) -> NDArray[np.int32]:
        """int32 (n,), a number for each source; -1 where unknown. New names get one if writing."""

    def add_pairs(self, pairs: NDArray[Any]) -> None:
        """Keep verified pairs, of dtype `PAIR`."""

    def links_of(self, numbers: Sequence[int], most: int | None = None) -> NDArray[Any]:
        """Pairs, of dtype `PAIR`, that may link one of these articles to another.

        A pair may be there twice. Of those of one article with earlier ones, and of those with
        later ones, no more than `most` are given, if it is named.
        """

    def family_size(self, family: int, most: int) -> int:
        """Articles whose family this is, counted up to `most`."""

    def set_families(self, families: dict[int, int | None]) -> None:
        """Set the family of articles: number to fingerprint."""

    def remove(self, number: int) -> None:
        """Remove an article, with its pairs."""

    def judged_length(self, key: int, source: int) -> int:
        """`Verdict.length` of the last verdict on a key and a source; 0 if there is none."""

    def known_furniture(self) -> tuple[Hashes, Hashes]:
        """Keys mixed with the sources whose furniture they are (`mixed`), and boilerplate keys."""

    def learn(self, verdicts: Sequence[Verdict]) -> None:
        """Keep verdicts; the last on a key and source holds. When only reading, while it is open."""

    def number_with(self, fingerprint: int) -> int | None:
        """The first article with a fingerprint."""

    def numbers(self) -> NDArray[np.int64]:
        """int64, all articles in the order in which they came."""

    def compact(self) -> None:
        """Make the store as small and quick as it can be."""

    def info(self) -> dict[str, Any]:
        """What it holds and takes, for people."""

    def close(self) -> None:
        """Finish what is under way, and let go."""
