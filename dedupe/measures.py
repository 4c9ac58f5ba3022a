"""Directed shares of verified pairs, raw and net, from alignments or from shared shingles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dedupe._jit import kernel
from dedupe.align import (
    A_END,
    A_START,
    B_END,
    B_START,
    BOILERPLATE,
    NET,
    PAIR,
    ROLE,
    TOTAL,
    net_words,
)
from dedupe.tokens import FURNITURE, QUOTED
from dedupe.verify import flagged, in_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.spool import Excerpt

__all__ = [
    "ASIDE",
    "Matches",
    "Measures",
    "Tokenised",
    "count_flagged",
    "count_reused",
    "coverage",
    "mark_reused",
]

ASIDE = int(QUOTED | FURNITURE)
"""Flags of tokens that net shares leave out."""


class Tokenised(Protocol):
    """What pairs are verified and aligned on: `dedupe.ingest.Articles`, or a few of an index."""

    @property
    def spans(self) -> NDArray[np.int64]:
        """int64 (n, 2), first token and token after the last in the columns."""

    @property
    def words(self) -> NDArray[np.int64]:
        """int64 (n,), tokens of each article."""

    @property
    def spool(self) -> TokenColumns:
        """The tokens."""

    def __len__(self) -> int: ...


class TokenColumns(Protocol):
    """Columns of tokens, as of `dedupe.spool.Spool`."""

    def column(self, name: str) -> NDArray[Any]:
        """One of "hashes", "flags" and "grams" of all tokens."""

    def excerpt(
        self, articles: NDArray[np.int64], spans: NDArray[np.int64], *names: str
    ) -> Excerpt:
        """Some columns, of some articles at least; until the next call in this thread."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Verified pairs of articles and what they share.

    Attributes:
        pairs: int64 (n_pairs, 2), article numbers, the longer article first, ascending.
        resemblance: float64 (n_pairs,), exact Jaccard of the shingle sets.
        shared_words: int64 (n_pairs,), words aligned one to one.
        shares: float64 (n_pairs, 2), share of the words of a found in b, and of b in a.
        net: float64 (n_pairs, 2), the same without quotations and boilerplate.
        net_words: int64 (n_pairs,), shared words that are neither.
        body: int64 (n_pairs, 2), words of a and of b that are neither: what `net` are shares of.
        passages: int32 (n_passages, 9), as in `dedupe.align.Alignment`, by pair; none without
            `config.passages`.
        masks: uint64 (n_pairs, 2), which parts of both articles their passages cover, as
            `coverage` says; 0 where a pair was not aligned.
        reused_words: int64 (n_articles,), words of each article that lie in a passage of any pair
            that was aligned.
        counts: what each stage found, thinned or capped, for the run's record.
    """

    pairs: NDArray[np.int64]
    resemblance: NDArray[np.float64]
    shared_words: NDArray[np.int64]
    shares: NDArray[np.float64]
    net: NDArray[np.float64]
    net_words: NDArray[np.int64]
    body: NDArray[np.int64]
    passages: NDArray[np.int32]
    masks: NDArray[np.uint64]
    reused_words: NDArray[np.int64]
    counts: dict[str, int]


SEGMENTS = 64
"""Parts an article is divided into to see which of it a neighbour covers: the bits of a word."""


@kernel
def _coverage(
    passages: NDArray[np.int32],
    pairs: NDArray[np.int64],
    lengths: NDArray[np.int64],
    out: NDArray[np.uint64],
) -> None:
    for row in range(len(passages)):
        if passages[row, ROLE] == BOILERPLATE:
            continue
        pair = passages[row, PAIR]
        for side in range(2):
            start = np.int64(passages[row, B_START if side else A_START])
            end = np.int64(passages[row, B_END if side else A_END])
            length = lengths[pairs[pair, side]]
            # Segments whose middle the passage covers, and at least the one it starts in.
            first = (start * SEGMENTS + length // 2) // length
            last = (end * SEGMENTS + length // 2) // length
            first = min(first, start * SEGMENTS // length) if last <= first else first
            for bit in range(first, max(last, first + 1)):
                out[pair, side] |= np.uint64(1) << np.uint64(min(bit, SEGMENTS - 1))


def coverage(
    passages: NDArray[np.int32], pairs: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Which 64ths of each article of a pair its passages cover.

    Args:
        passages: as in `dedupe.align.Alignment`.
        pairs: int64 (n_pairs, 2).
        lengths: int64 (n_articles,), tokens of each article.

    Returns:
        uint64 (n_pairs, 2), a bit per segment of a and of b; boilerplate does not count.
    """
    out = np.zeros((len(pairs), 2), np.uint64)
    _coverage(passages, pairs, lengths, out)
    return out


@kernel
def count_flagged(
    articles: NDArray[np.int64],
    spans: NDArray[np.int64],
    flags: NDArray[np.uint8],
    wanted: int,
    out: NDArray[np.int64],
) -> None:
    """Count the tokens of some articles that have any of the flags wanted.

    Args:
        articles: int64, the articles counted in.
        spans: int64 (n_articles, 2), first token and token after the last of each article.
        flags: uint8, of each token.
        wanted: the flags, as one number.
        out: int64 (n_articles,), takes the counts.
    """
    for a in range(len(articles)):
        article = articles[a]
        out[article] = flagged(flags[spans[article, 0] : spans[article, 1]], wanted)


@kernel
def mark_reused(
    spans: NDArray[np.int64],
    pairs: NDArray[np.int64],
    passages: NDArray[np.int32],
    reused: NDArray[np.bool_],
) -> None:
    """Mark the words of passages on both sides. Threads may mark at once.

    Args:
        spans: int64 (n_articles, 2), first token and token after the last of each article.
        pairs: int64 (n_pairs, 2), those that the passages are of.
        passages: as in `Matches`.
        reused: bool, of each token.
    """
    for row in range(len(passages)):
        a, b = pairs[passages[row, PAIR], 0], pairs[passages[row, PAIR], 1]
        for k in range(passages[row, A_START], passages[row, A_END]):
            reused[spans[a, 0] + k] = True
        for k in range(passages[row, B_START], passages[row, B_END]):
            reused[spans[b, 0] + k] = True


def count_reused(
    spans: NDArray[np.int64], pairs: NDArray[np.int64], reused: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """int64 (n_articles,), words of each article that are marked: none of an article in no pair."""
    words = np.zeros(len(spans), np.int64)
    here = np.flatnonzero(in_pairs(len(spans), pairs))
    count_flagged(here, spans, reused.view(np.uint8), 1, words)
    return words


class Measures:
    """Directed shares of pairs, raw and net: at first of words in shared shingles.

    Args:
        articles: the corpus.
        pairs: int64 (n_pairs, 2).
        covered: int64 (n_pairs, 5), as from `dedupe.verify.shared_words`.
        flags: of the tokens, boilerplate marked in the articles of the pairs.

    Attributes:
        pairs: int64 (n_pairs, 2).
        words, aside: int64 (n_pairs, 2), words of both articles, and those of them that are
            quotation or boilerplate.
        shared_words, shares, net, net_words, body: as in `Matches`.
    """

    def __init__(
        self,
        articles: Tokenised,
        pairs: NDArray[np.int64],
        covered: NDArray[np.int64],
        flags: NDArray[np.uint8],
    ) -> None:
        aside = np.zeros(len(articles), np.int64)
        here = np.flatnonzero(in_pairs(len(articles), pairs))
        count_flagged(here, articles.spans, flags, ASIDE, aside)
        self.pairs = pairs
        self.words = articles.words[pairs].reshape(-1, 2)
        self.aside = aside[pairs].reshape(-1, 2)
        self.shared_words = covered[:, :2].min(axis=1)
        self.net_words = covered[:, 2:4].min(axis=1)
        self.shares = covered[:, :2] / np.maximum(self.words, 1)
        self.body = self.words - self.aside
        self.net = covered[:, 2:4] / np.maximum(self.body, 1)

    def take(self, rows: NDArray[np.int64], totals: NDArray[np.int64]) -> None:
        """Take over what an alignment of some of the pairs says: totals as in its record."""
        # What is left of each article without quotations and boilerplate, its own or the other's.
        self.body[rows] = net_words(self.words[rows], self.aside[rows], totals)
        self.shared_words[rows] = totals[:, TOTAL]
        self.net_words[rows] = totals[:, NET]
        self.shares[rows] = totals[:, [TOTAL]] / np.maximum(self.words[rows], 1)
        self.net[rows] = totals[:, [NET]] / np.maximum(self.body[rows], 1)
