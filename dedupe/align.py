"""Which text of one article stands in another: passages, wherever they moved.

`dedupe.chaining` says which token is which; here what lies together in both articles becomes
a passage, with what was changed in it, whether it moved, and the part it plays. Passages off
the heaviest increasing subsequence have moved.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from dedupe._jit import ascending, kernel, leaf
from dedupe.chaining import align_tokens, forget_partners, number_paragraphs
from dedupe.gaps import bridge_space, next_paired
from dedupe.seeds import (
    HELD_B,
    PARAGRAPH_A,
    PARTNER_A,
    PARTNER_B,
    WEIGHTS,
    index_tokens,
    workspace,
)
from dedupe.shingle import fingerprint
from dedupe.tokens import FURNITURE, PARAGRAPH, QUOTED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.seeds import Workspace

__all__ = [
    "BODY",
    "BOILERPLATE",
    "EDITED",
    "PASSAGE_KINDS",
    "PASSAGE_ROLES",
    "QUOTATION",
    "REWRITTEN",
    "VERBATIM",
    "Alignment",
    "PassageKind",
    "PassageRole",
    "align_pair",
    "align_pairs",
    "net_words",
]

VERBATIM, EDITED, REWRITTEN = 0, 1, 2
BODY, QUOTATION, BOILERPLATE = 0, 1, 2

PassageKind = Literal["verbatim", "edited", "rewritten"]
PassageRole = Literal["body", "quotation", "boilerplate"]

PASSAGE_KINDS: tuple[PassageKind, ...] = ("verbatim", "edited", "rewritten")
PASSAGE_ROLES: tuple[PassageRole, ...] = ("body", "quotation", "boilerplate")
"""What the numbers are called in results."""

MAX_GAP = 12
"""Tokens, on either side, that a passage may hold between two that are equal: about a clause."""

READABLE = 0.4
"""Below this share of equal words an edited passage is unreadable as a diff: "rewritten"."""

LOOSE_END, LOOSE_STEP = 100, 60
"""An end of a passage is cut off if it weighs less than this, and this for each token between."""

BRIEF = 6
"""Fewer paired tokens than this are no passage of their own beside furniture, or beside copy."""

WEAK = 0.5
"""Share of what a chain must score that a passage cut out of one must still weigh."""

MAX_PARAGRAPH = 150
"""Tokens of a paragraph within which passages may change their order without having moved."""

BODY_WEIGHS = 16
"""A word of the body holds its passage in place as firmly as so many of a quotation or furniture."""

# Columns of the passage rows.
PAIR, A_START, A_END, B_START, B_END, MATCHED, KIND, MOVED, ROLE = range(9)
N_COLUMNS = 9

# Columns of the totals of a pair.
TOTAL, NET, LEFT_OUT_A, LEFT_OUT_B = range(4)
N_TOTALS = 4


class Alignment(NamedTuple):
    """Passages and totals of aligned pairs.

    Attributes:
        passages: int64 (n_passages, 9): row of the pair; first token and token after the last
            in a, the same in b; equal tokens; kind; moved (0 or 1); role. Ordered by pair,
            then by place in b.
        totals: int64 (n_pairs, 4): equal tokens; those that are neither quotation nor
            boilerplate; those left out of that though they are neither in a; the same for b.
            (What is quotation or boilerplate in an article is known without an alignment.)
    """

    passages: NDArray[np.int64]
    totals: NDArray[np.int64]


@kernel
def _block_start(flags: NDArray[np.uint8], at: int) -> int:
    """First token of the paragraph, or the token itself if the paragraph starts far before."""
    for k in range(at, max(-1, at - MAX_PARAGRAPH), -1):
        if flags[k] & PARAGRAPH:
            return k
    return at


@kernel
def _moved(
    passages: NDArray[np.int64],
    flags_a: NDArray[np.uint8],
    flags_b: NDArray[np.uint8],
) -> None:
    """Mark passages off the heaviest subsequence of paragraphs that is in order on both sides.

    What was put in another order within a paragraph has not moved. Quotations weigh little:
    who is quoted where is not what an order is remembered by.
    """
    n = len(passages)
    keys = np.empty(n, np.int64)
    place_a = np.empty(n, np.int64)
    in_order = True
    for p in range(n):
        place_a[p] = _block_start(flags_a, passages[p, A_START])
        keys[p] = _block_start(flags_b, passages[p, B_START]) * len(flags_a) + place_a[p]
        passages[p, MOVED] = 0
        in_order &= p == 0 or (keys[p] >= keys[p - 1] and place_a[p] >= place_a[p - 1])
    if in_order:
        return
    order = ascending(keys)
    for k in range(n):
        keys[k] = place_a[order[k]]
    rank = np.empty(n, np.int64)  # by place in a, equal places in the order given
    for place, k in enumerate(ascending(keys)):
        rank[k] = place
    # Fenwick tree over rank in a: the best chain that ends at or before a rank.
    weight = np.empty(n + 1, np.int64)
    ending = np.empty(n + 1, np.int64)
    before = np.empty(n, np.int64)
    for k in range(n + 1):
        weight[k], ending[k] = 0, -1
    best_weight, best = 0, -1
    for p in range(n):
        total, previous = 0, -1
        k = rank[p]
        while k > 0:
            if weight[k] > total:
                total, previous = weight[k], ending[k]
            k -= k & -k
        body = passages[order[p], ROLE] == BODY
        total += passages[order[p], MATCHED] * (BODY_WEIGHS if body else 1)
        before[p] = previous
        k = rank[p] + 1
        while k <= n:
            if weight[k] < total:
                weight[k], ending[k] = total, p
            k += k & -k
        if total > best_weight:
            best_weight, best = total, p
    for p in range(n):
        passages[p, MOVED] = 1
    while best >= 0:
        passages[order[best], MOVED] = 0
        best = before[best]


@leaf
def _continues(
    partner_a: NDArray[np.int32], partner_b: NDArray[np.int32], last: int, j: int
) -> bool:
    """Whether tokens `last` and j of b, with none paired between, belong to one passage."""
    i, end_a = partner_b[j], partner_b[last] + 1
    if i < end_a or i - end_a > MAX_GAP or j - last - 1 > MAX_GAP:
        return False
    for k in range(end_a, i):  # noqa: SIM110 -- numba compiles a loop, not a generator
        if partner_a[k] >= 0:
            return False
    return True


@leaf
def _loose(
    partner_b: NDArray[np.int32], weights: NDArray[np.int64], first: int, last: int, step: int
) -> int:
    """Where the block at an end of a passage ends if it is too light for its distance, or -1.

    `first` is the end looked at, `last` the other one, both tokens of b that are paired.
    """
    j = first
    weight = 0
    while True:
        weight += weights[j + 1] - weights[j]
        if j == last or weight >= LOOSE_END + LOOSE_STEP * MAX_GAP:
            return -1
        if partner_b[j + step] != partner_b[j] + step:
            break
        j += step
    following = j + step
    while partner_b[following] < 0:
        following += step
    gap_b = abs(following - j) - 1
    gap_a = abs(partner_b[following] - partner_b[j]) - 1
    return j if weight < LOOSE_END + LOOSE_STEP * max(gap_a, gap_b) else -1


@leaf
def _drop(
    partner_a: NDArray[np.int32], partner_b: NDArray[np.int32], first: int, last: int, step: int
) -> None:
    """Free the tokens of b from first to last, and their partners."""
    for j in range(first, last + step, step):
        if partner_b[j] >= 0:
            partner_a[partner_b[j]] = -1
            partner_b[j] = -1


@leaf
def _trim(
    partner_a: NDArray[np.int32],
    partner_b: NDArray[np.int32],
    weights: NDArray[np.int64],
    first: int,
    last: int,
    enough: int,
) -> tuple[int, int]:
    """Cut loose ends off a passage of b from `first` to `last`; (0, -1) if nothing is left."""
    for step in (1, -1):
        while True:
            begin, end = (first, last) if step > 0 else (last, first)
            cut = _loose(partner_b, weights, begin, end, step)
            if cut < 0:
                break
            _drop(partner_a, partner_b, begin, cut, step)
            cut += step
            while partner_b[cut] < 0:
                cut += step
            if step > 0:
                first = cut
            else:
                last = cut
    weight, j = 0, first
    while j <= last and weight < enough:
        if partner_b[j] >= 0:
            weight += weights[j + 1] - weights[j]
        j += 1
    if weight < enough:
        _drop(partner_a, partner_b, first, last, 1)
        return 0, -1
    return first, last


@leaf
def _settle(
    partner_a: NDArray[np.int32],
    partner_b: NDArray[np.int32],
    weights: NDArray[np.int64],
    held_b: NDArray[np.bool_],
    enough: int,
) -> None:
    """Free what is too thin to be shown: loose ends of passages, and passages that weigh little."""
    first, last = -1, -1
    n_b = len(partner_b)
    j = next_paired(partner_b, held_b, 0, n_b)
    while last >= 0 or j < n_b:
        if last >= 0 and (j == n_b or not _continues(partner_a, partner_b, last, j)):
            _trim(partner_a, partner_b, weights, first, last, enough)
            last = -1
        if j < n_b:
            if last < 0:
                first = j
            last = j
            while last + 1 < n_b and partner_b[last + 1] == partner_b[last] + 1:
                last += 1
            j = next_paired(partner_b, held_b, last + 1, n_b)


@leaf
def _is_brief(
    partner_a: NDArray[np.int32],
    partner_b: NDArray[np.int32],
    flags_a: NDArray[np.uint8],
    flags_b: NDArray[np.uint8],
    j: int,
    furniture: bool,
) -> bool:
    """Whether the tokens from j of b on that are, or are not, furniture are too few to cut at."""
    n = 0
    last = j
    for k in range(j, len(partner_b)):
        if partner_b[k] < 0:
            continue
        if n > 0 and not _continues(partner_a, partner_b, last, k):
            break
        if ((flags_a[partner_b[k]] | flags_b[k]) & FURNITURE != 0) != furniture:
            break
        last = k
        n += 1
        if n >= BRIEF:
            return False
    return True


@kernel
def _passages_of(
    pair: int,
    partner_a: NDArray[np.int32],
    partner_b: NDArray[np.int32],
    held_b: NDArray[np.bool_],
    flags_a: NDArray[np.uint8],
    flags_b: NDArray[np.uint8],
    out: NDArray[np.int64],
    totals: NDArray[np.int64],
) -> int:
    """Passages with kind and role from the tokens that are paired; their number."""
    n = 0
    last = -1
    before = False
    quoted = 0
    n_b = len(partner_b)
    j = next_paired(partner_b, held_b, 0, n_b)
    while j < n_b:
        i = np.int64(partner_b[j])
        marks_a, marks_b = flags_a[i], flags_b[j]
        furniture = (marks_a | marks_b) & FURNITURE != 0
        joined = last >= 0 and _continues(partner_a, partner_b, last, j)
        if joined and furniture != before:
            if _is_brief(partner_a, partner_b, flags_a, flags_b, j, furniture):
                furniture = before
            elif out[n - 1, MATCHED] < BRIEF:
                before = furniture
        if not joined or furniture != before:
            if n > 0:
                _finish(out[n - 1], quoted, before)
            out[n, PAIR] = pair
            out[n, A_START] = i
            out[n, B_START] = j
            out[n, MATCHED] = 0
            quoted = 0
            n += 1
        out[n - 1, A_END] = i + 1
        out[n - 1, B_END] = j + 1
        out[n - 1, MATCHED] += 1
        last = j
        before = furniture
        aside_a = marks_a & (QUOTED | FURNITURE) != 0
        aside_b = marks_b & (QUOTED | FURNITURE) != 0
        quoted += (marks_a | marks_b) & QUOTED != 0
        totals[TOTAL] += 1
        if aside_a or aside_b:
            totals[LEFT_OUT_A] += not aside_a
            totals[LEFT_OUT_B] += not aside_b
        else:
            totals[NET] += 1
        j = next_paired(partner_b, held_b, j + 1, n_b)
    if n > 0:
        _finish(out[n - 1], quoted, before)
        _moved(out[:n], flags_a, flags_b)
    return n


@leaf
def _finish(passage: NDArray[np.int64], quoted: int, furniture: bool) -> None:
    """Decide the kind and the role of a passage."""
    matched = passage[MATCHED]
    longer = max(passage[A_END] - passage[A_START], passage[B_END] - passage[B_START])
    if matched == longer:
        passage[KIND] = VERBATIM
    elif matched >= READABLE * longer:
        passage[KIND] = EDITED
    else:
        passage[KIND] = REWRITTEN
    if furniture:
        passage[ROLE] = BOILERPLATE
    elif 2 * quoted > matched:
        passage[ROLE] = QUOTATION
    else:
        passage[ROLE] = BODY


@kernel
def _align(
    pairs: NDArray[np.int64],
    first: int,
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    flags: NDArray[np.uint8],
    passages: NDArray[np.int64],
    totals: NDArray[np.int64],
    partner: NDArray[np.int32],
    space: Workspace,
    rows: NDArray[np.int64],
    came: NDArray[np.uint8],
) -> tuple[int, int]:
    """Align pairs from `first` on; (passages written, first pair that did not fit).

    `partner` takes the partners of the last pair's b, if it is long enough.
    """
    weights, held_b = space.weights[WEIGHTS], space.held[HELD_B]
    current = -1
    written = 0
    for p in range(first, len(pairs)):
        x, y = pairs[p, 0], pairs[p, 1]
        a = hashes[spans[x, 0] : spans[x, 1]]
        b = hashes[spans[y, 0] : spans[y, 1]]
        # No two passages share a token of b, and after each one is a token that has no partner,
        # or whose partner is elsewhere.
        if written + len(b) > len(passages):
            return written, p
        marks_a, marks_b = flags[spans[x, 0] : spans[x, 1]], flags[spans[y, 0] : spans[y, 1]]
        if x != current:
            current = x
            index_tokens(a, space)
            number_paragraphs(marks_a, space.tokens[PARAGRAPH_A])
        enough = align_tokens(a, b, marks_a, marks_b, space, rows, came)
        partner_a, partner_b = space.tokens[PARTNER_A, : len(a)], space.tokens[PARTNER_B, : len(b)]
        if enough > 0:
            _settle(partner_a, partner_b, weights, held_b, int(WEAK * enough))
        written += _passages_of(
            p,
            partner_a,
            partner_b,
            held_b,
            marks_a,
            marks_b,
            passages[written : written + len(b)],
            totals[p],
        )
        if len(b) <= len(partner):
            for j in range(len(b)):
                partner[j] = partner_b[j]
        forget_partners(len(a), len(b), space)
    return written, len(pairs)


def net_words(
    words: NDArray[np.int64], aside: NDArray[np.int64], totals: NDArray[np.int64]
) -> NDArray[np.int64]:
    """What net shares are of: words of both articles that are quotation or boilerplate in neither.

    Args:
        words: int64 (n_pairs, 2), words of both articles of each pair.
        aside: int64 (n_pairs, 2), those that are quotation or boilerplate in their own article.
        totals: as in `Alignment`; what is so in the other article alone is left out, too.
    """
    return words - aside - totals[:, [LEFT_OUT_A, LEFT_OUT_B]]


NO_PARTNERS = np.empty(0, np.int32)

_local = threading.local()

_KEPT_ROOM = 1 << 16
"""Tokens of a text up to which a thread keeps its workspace for the next pairs: 8 MB."""


def align_pairs(
    pairs: NDArray[np.int64],
    spans: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    flags: NDArray[np.uint8],
) -> Alignment:
    """Align the articles of some pairs.

    Args:
        pairs: int64 (n_pairs, 2), sorted by their first article (for speed).
        spans: int64 (n_articles, 2), first token and token after the last of each article.
        hashes, flags: the token arrays of `dedupe.tokens.Tokens`.
    """
    totals = np.zeros((len(pairs), N_TOTALS), np.int64)
    longest = int(np.diff(spans[pairs.ravel()]).max(initial=1))
    room = (1 << 14) + longest
    space = _local.__dict__.pop("space", None)
    if space is None or space.tokens.shape[1] <= longest:
        space = workspace(longest)
    buffer = np.empty((room, N_COLUMNS), np.int64)
    found = []
    at = 0
    while at < len(pairs):
        used, at = _align(
            pairs, at, spans, hashes, flags, buffer, totals, NO_PARTNERS, space, *bridge_space()
        )
        found.append(buffer[:used].copy())
    if space.tokens.shape[1] <= _KEPT_ROOM:
        _local.space = space
    passages = np.concatenate(found) if found else np.empty((0, N_COLUMNS), np.int64)
    return Alignment(passages, totals)


def align_pair(
    hashes_a: NDArray[np.uint64],
    flags_a: NDArray[np.uint8],
    hashes_b: NDArray[np.uint64],
    flags_b: NDArray[np.uint8],
) -> tuple[Alignment, NDArray[np.int64]]:
    """Align two texts, and say which token of a each token of b is.

    The same whichever text comes first: (b, a) gives the same passages with sides exchanged.

    Returns:
        The alignment of one pair, and int64 (n_b,): for each token of b its token of a, or -1.
    """
    swap = _comes_first(hashes_b, hashes_a)
    if swap:
        hashes_a, flags_a, hashes_b, flags_b = hashes_b, flags_b, hashes_a, flags_a
    n_a, n_b = len(hashes_a), len(hashes_b)
    spans = np.array([[0, n_a], [n_a, n_a + n_b]], np.int64)
    rows = np.empty((n_b + 1, N_COLUMNS), np.int64)
    totals = np.zeros((1, N_TOTALS), np.int64)
    partner = np.full(n_b, -1, np.int32)
    used, _ = _align(
        np.array([[0, 1]], np.int64),
        0,
        spans,
        np.concatenate([hashes_a, hashes_b]),
        np.concatenate([flags_a, flags_b]),
        rows,
        totals,
        partner,
        workspace(max(n_a, n_b, 1)),
        *bridge_space(),
    )
    passages = rows[:used].copy()
    of_b = partner.astype(np.int64)
    if swap:
        passages[:, [A_START, A_END, B_START, B_END]] = passages[
            :, [B_START, B_END, A_START, A_END]
        ]
        passages = passages[np.argsort(passages[:, B_START], kind="stable")]
        totals[:, [LEFT_OUT_A, LEFT_OUT_B]] = totals[:, [LEFT_OUT_B, LEFT_OUT_A]]
        paired = np.flatnonzero(of_b >= 0)
        turned = np.full(n_a, -1, np.int64)
        turned[of_b[paired]] = paired
        of_b = turned
    return Alignment(passages, totals), of_b


def _comes_first(x: NDArray[np.uint64], y: NDArray[np.uint64]) -> bool:
    """Whether x is aligned as the first text, as in a scan: the longer one, or the lower fingerprint."""
    if len(x) != len(y):
        return len(x) > len(y)
    return fingerprint(x) < fingerprint(y)
