"""From texts and their tokens to the sides and gaps of a passage."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._jit import kernel
from dedupe.facts._characters import CURRENCIES, MINUS, PERCENT, beginnings, is_minus
from dedupe.facts._language import SAMPLE
from dedupe.facts._lexicon import Lexicon, places_of
from dedupe.facts._reading import CONTEXT
from dedupe.facts._sides import Gap, Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.tokens import Tokens

__all__ = ["gaps_of", "part_of", "resigned", "side_of", "written_alike"]


class _Part(NamedTuple):
    """A text's part of a passage as arrays.

    Attributes:
        text: the whole raw text.
        hashes, starts, ends: of the tokens.
        first: where `codes` begin: before the sign that may stand before the first token.
        codes: uint32, the code points of the passage.
        around: hashes of the passage and the words around it.
        outside: hashes of the few words before and after it.
    """

    text: str
    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    first: int
    codes: NDArray[np.uint32]
    around: NDArray[np.uint64]
    outside: tuple[NDArray[np.uint64], NDArray[np.uint64]]


def part_of(text: str, tokens: Tokens, first: int, last: int) -> _Part:
    """A text's part of a passage, from its first token to the one after its last."""
    starts = tokens.starts[first:last].astype(np.int64)
    ends = tokens.ends[first:last].astype(np.int64)
    begin = max(0, int(starts[0]) - 2)
    piece = text[begin : int(ends[-1]) + 2].encode("utf-32-le", "surrogatepass")
    around = tokens.hashes[max(0, first - SAMPLE) : last + SAMPLE]
    outside = tokens.hashes[max(0, first - CONTEXT) : first], tokens.hashes[last : last + CONTEXT]
    codes = np.frombuffer(piece, np.uint32)
    return _Part(text, tokens.hashes[first:last], starts, ends, begin, codes, around, outside)


def side_of(
    part: _Part, partner: NDArray[np.int64], gaps: list[tuple[int, int]], lexicon: Lexicon
) -> Side:
    """A side of a passage, with the gaps its tokens stand in, read in a language."""
    gap = [-1] * len(part.hashes)
    for k, (first, last) in enumerate(gaps):
        gap[first:last] = [k] * (last - first)
    roles = np.zeros(len(part.hashes), np.int64)
    found, places = places_of(part.hashes, lexicon.words)
    roles[found] = lexicon.roles[places]
    begins = beginnings(part.codes[part.starts - part.first])
    return Side(
        text=part.text,
        hashes=part.hashes.tolist(),
        starts=part.starts.tolist(),
        ends=part.ends.tolist(),
        roles=[*roles.tolist(), 0],
        begins=begins.tolist(),
        partner=partner.tolist(),
        gap=gap,
        lexicon=lexicon,
        around=part.around,
        outside=(part.outside[0].tolist(), part.outside[1].tolist()),
    )


@kernel
def _find_gaps(
    partner: NDArray[np.int64],
    a_first: int,
    partner_a: NDArray[np.int64],
    partner_b: NDArray[np.int64],
    out: NDArray[np.int64],
) -> int:
    """Partners from the passage's start, and its gaps (firsts, lasts, rank) into out; how many."""
    n = rank = i = j = 0
    partner_a[:] = -1
    for k in range(len(partner_b) + 1):
        at = len(partner_a)
        if k < len(partner_b):
            at = partner[k] - a_first
            if at < i or at >= len(partner_a):
                partner_b[k] = -1
                continue
            partner_a[at] = k
            partner_b[k] = at
        if at > i or k > j:
            out[n, 0], out[n, 1], out[n, 2], out[n, 3], out[n, 4] = i, j, at, k, rank
            n += 1
        i, j = at + 1, k + 1
        rank += 1
    return n


def gaps_of(
    passage: tuple[int, int, int, int], partner: NDArray[np.int64]
) -> tuple[list[Gap], NDArray[np.int64], NDArray[np.int64]]:
    """Gaps of a passage, and the partners of its tokens in a and in b, from its start."""
    a_first, a_last, b_first, b_last = passage
    partner_a = np.empty(a_last - a_first, np.int64)
    partner_b = np.empty(b_last - b_first, np.int64)
    found = np.empty((len(partner_b) + 1, 5), np.int64)
    n = _find_gaps(partner[b_first:b_last], a_first, partner_a, partner_b, found)
    gaps = [Gap((g[0], g[1]), (g[2], g[3]), g[4]) for g in found[:n].tolist()]
    return gaps, partner_a, partner_b


_SIGNS = np.zeros(1 << 16, np.bool_)
_SIGNS[[ord(sign) for sign in (*PERCENT, *CURRENCIES, *MINUS)]] = True


def _signs(part: _Part) -> dict[int, str]:
    """Signs that tokenising leaves out, by the token before or after which they stand."""
    places = np.flatnonzero(_SIGNS[np.minimum(part.codes, len(_SIGNS) - 1)]) + part.first
    found: dict[int, str] = defaultdict(str)
    following = part.starts.searchsorted(places).tolist()
    for at, token in zip(places.tolist(), following, strict=True):
        sign = part.text[at]
        if sign in MINUS and not is_minus(part.text, at):
            continue
        before = sign not in PERCENT and token < len(part.starts)
        if before and part.starts[token] <= at + 2:
            found[token] += sign
        elif token:
            found[token - 1] += sign
    return found


def resigned(
    a: _Part, b: _Part, partner_a: NDArray[np.int64], partner_b: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Aligned tokens whose signs differ: "$5" and "€5"."""
    signs_a, signs_b = _signs(a), _signs(b)
    pairs = {(i, int(partner_a[i])) for i in signs_a} | {(int(partner_b[j]), j) for j in signs_b}
    aligned = (pair for pair in pairs if min(pair) >= 0)
    return sorted((i, j) for i, j in aligned if signs_a.get(i, "") != signs_b.get(j, ""))


def written_alike(
    text_a: str, text_b: str, tokens_a: Tokens, tokens_b: Tokens, passage: tuple[int, int, int, int]
) -> bool:
    """Whether a passage is the same to the last sign, and the sign before it."""
    a_first, a_last, b_first, b_last = passage
    a_start, a_end = int(tokens_a.starts[a_first]), int(tokens_a.ends[a_last - 1])
    b_start, b_end = int(tokens_b.starts[b_first]), int(tokens_b.ends[b_last - 1])
    piece_a, piece_b = (
        text_a[max(0, a_start - 2) : a_end + 2],
        text_b[max(0, b_start - 2) : b_end + 2],
    )
    return piece_a == piece_b
