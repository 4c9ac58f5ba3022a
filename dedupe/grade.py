"""Whether one article derives from another, as the METER corpus asks: wholly, partially, or not.

Journalists rewrite until hardly a phrase is left, and passages alone then see nothing. What is
left is measured on the words that are neither quotation nor page furniture, since independent
reports of one event share those:

- *information*: how much shorter B's letters can be coded by somebody who has read A. It sees
  words, their other forms, spellings and joined words alike, in any language. Two unrelated
  texts of one language share its spelling, the longer A is and the shorter B the more; that
  much is taken off.
- *order*: how much shorter they are coded than the same words of B in reverse, and how many
  more of B's words are in the order of A than of B in reverse. B in reverse has the same words,
  names and numbers, so reports of the same event come out near nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, log1p, sqrt
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from dedupe._jit import in_plain_python, kernel
from dedupe.hashtable import table_size, table_slot
from dedupe.shingle import distinct
from dedupe.tokens import FURNITURE, QUOTED
from dedupe.unicode import SINGLE, WORD, UnicodeTables, unicode_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.tokens import Tokens

__all__ = ["Figures", "Grade", "GradeLabel", "grade_pair", "logits", "measure"]

GradeLabel = Literal["wholly", "partially", "none"]

MIN_WORDS = 20
"""Words besides quotations and furniture that both texts need, else all of their words count.
Texts with fewer words than this altogether are too short for a grade."""

MAX_WORDS = 20_000
"""Words at the beginning of each text that are looked at: order is found in quadratic time."""

UNSEEN = 2.0**-6
"""Probability of a letter that did not occur yet, before anything is known."""

# Bits that an unrelated text of so many letters saves in coding one of so many: its share is
# exp(CHANCE + CHANCE_A * log(letters of a) + CHANCE_B * log(letters of b)), fitted to pairs of
# unrelated articles in English and Urdu of 80 to 20,000 words.
CHANCE, CHANCE_A, CHANCE_B = -0.8, 0.234, -0.504

# What the words of unrelated texts save by their order, for the square root of b's words.
CHANCE_CODED, CHANCE_ORDER = 0.15, 0.45

# Two logits, both of which must speak for it: information, and order. Fitted to COUNTER, with
# reports of the same event and retellings in English beside it (`benchmarks.grades`).
INFORMATION = (5.822, 2.726)
ORDER = (17.473, 2.550, 2.420, 1.137)
DERIVED = -0.4
"""Logit from which b counts as derived: the smallest share of reports of the same event above it
that still tells COUNTER's pairs apart as well as any other."""

WHOLLY = 0.45
"""Share of b's words aligned with a's from which a derived text is wholly derived."""

_FLOOR, _SHIFT = -0.01, 0.03


class Figures(NamedTuple):
    """What is measured of a pair, on words besides quotations and furniture.

    Attributes:
        own_a, own_b: such words.
        letters_a, letters_b: their letters, folded.
        bits: to code the letters of b.
        bits_after_a: the same for somebody who has read a.
        reversed_after_a: the same of b's words in reverse.
        in_order: the longest common subsequence of words.
        in_order_reversed: the same with b in reverse.
        words, rare, pairs: shares of b's words, of those that b and a have once at most, and of
            b's different pairs of words that a has.
        aligned: share of b's words that the alignment gives a partner.
        run: the longest run of aligned words.
    """

    own_a: int
    own_b: int
    letters_a: int
    letters_b: int
    bits: float
    bits_after_a: float
    reversed_after_a: float
    in_order: int
    in_order_reversed: int
    words: float
    rare: float
    pairs: float
    aligned: float
    run: int


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade and the figures that spoke for it.

    Attributes:
        label: whether b derives from a.
        evidence: shares in [0, 1] of b in a: `word_containment`, `rare_word_containment`,
            `pair_containment`, `aligned_share`; `longest_run` in words; `information_saved`, the share
            of b's letters that a saves in coding them, beyond chance; `order_saved` and
            `order_share`, how much of that, and of b's words, is due to the order of words, beyond chance;
            `logit`, from which the label follows. Of texts that are too short only `words`.
    """

    label: GradeLabel
    evidence: dict[str, float]


@kernel
def _number(keys: NDArray[np.uint64], out: NDArray[np.int64]) -> int:
    """Number keys from 0 in the order they first come; how many different ones there are."""
    size = table_size(len(keys))
    table = np.zeros(size, np.uint64)
    used = np.full(size, -1, np.int64)
    numbers = np.zeros(size, np.int64)
    n = 0
    for i in range(len(keys)):
        slot = table_slot(table, used, keys[i], 0)
        if used[slot] != 0:
            used[slot] = 0
            table[slot] = keys[i]
            numbers[slot] = n
            n += 1
        out[i] = numbers[slot]
    return n


@in_plain_python(_number)
def _number_sorted(keys: NDArray[np.uint64], out: NDArray[np.int64]) -> int:
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    out[:] = rank[inverse]
    return len(first)


_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@kernel
def _slot(keys: NDArray[np.uint64], key: np.uint64) -> int:
    """Slot of a key other than 0 in a table of 2^k slots, entered if it is new."""
    mask = len(keys) - 1
    slot = np.int64((key * _SPREAD) >> np.uint64(32)) & mask
    while keys[slot] not in (np.uint64(0), key):
        slot = (slot + 1) & mask
    keys[slot] = key
    return slot


@kernel
def _bits(text: NDArray[np.int64], first: int, symbols: int) -> float:
    """Bits to code symbols from `first` on by those before, each by the two before it.

    Probabilities are interpolated from three, two and one symbols (Witten and Bell 1991).
    """
    size = table_size(len(text))
    base = np.uint64(symbols)
    pairs = np.zeros(size, np.uint64)
    triples = np.zeros(size, np.uint64)
    count, count_pair, count_triple = (
        np.zeros(symbols, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
    )
    after, after_pair = np.zeros(symbols, np.int32), np.zeros(size, np.int32)
    kinds, kinds_pair = np.zeros(symbols, np.int32), np.zeros(size, np.int32)
    total = 0
    different = 0
    bits = 0.0
    likelihood = 1.0
    previous, context = -1, -1
    for i in range(len(text)):
        c = text[i]
        pair = -1
        triple = -1
        if previous >= 0:
            pair = _slot(pairs, np.uint64(previous) * base + np.uint64(c) + np.uint64(1))
        if context >= 0:
            triple = _slot(triples, np.uint64(context) * base + np.uint64(c) + np.uint64(1))
        if i >= first:
            p = UNSEEN
            if total > 0:
                p = (count[c] + different * p) / (total + different)
            if previous >= 0 and after[previous] > 0:
                k = kinds[previous]
                p = (count_pair[pair] + k * p) / (after[previous] + k)
            if context >= 0 and after_pair[context] > 0:
                k = kinds_pair[context]
                p = (count_triple[triple] + k * p) / (after_pair[context] + k)
            likelihood *= p
            if likelihood < 1e-200:
                bits -= np.log2(likelihood)
                likelihood = 1.0
        different += count[c] == 0
        count[c] += 1
        total += 1  # noqa: SIM113 -- numba compiles a counter faster than enumerate
        if pair >= 0:
            kinds[previous] += count_pair[pair] == 0
            count_pair[pair] += 1
            after[previous] += 1
        if triple >= 0:
            kinds_pair[context] += count_triple[triple] == 0
            count_triple[triple] += 1
            after_pair[context] += 1
        context = pair
        previous = c
    return bits - np.log2(likelihood)


@in_plain_python(_bits)
def _bits_by_columns(text: NDArray[np.int64], first: int, symbols: int) -> float:
    n = len(text)
    pair = np.full(n, -1, np.int64)
    pair[1:] = text[:-1] * symbols + text[1:]
    triple = np.full(n, -1, np.int64)
    triple[2:] = pair[1:-1] * symbols + text[2:]
    count, count_pair, count_triple = _earlier(text), _earlier(pair), _earlier(triple)
    total = np.arange(n)
    different = np.cumsum(count == 0) - (count == 0)
    with np.errstate(invalid="ignore", divide="ignore"):  # before anything is known
        p = np.where(total > 0, (count + different * UNSEEN) / (total + different), UNSEEN)
    # What followed the symbol before, and the two before, up to now: both begin at the place after.
    for context, counted, start in ((text, count_pair, 1), (pair, count_triple, 2)):
        if n <= start:
            break
        before, seen = context[start - 1 : -1], counted[start:]
        after = _earlier(before)
        kinds = _earlier(before, seen == 0)
        here = p[start:]
        with np.errstate(invalid="ignore"):
            here[:] = np.where(after > 0, (seen + kinds * here) / (after + kinds), here)
    bits = 0.0
    likelihood = 1.0
    for probability in p[first:].tolist():
        likelihood *= probability
        if likelihood < 1e-200:
            bits -= np.log2(likelihood)
            likelihood = 1.0
    return float(bits - np.log2(likelihood))


def _earlier(
    keys: NDArray[np.int64], counted: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """How many equal keys stand before each, or of these how many are counted."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    ones = np.ones(len(keys), np.int64) if counted is None else counted[order].astype(np.int64)
    before = np.cumsum(ones) - ones
    begins = np.ones(len(keys), np.bool_)
    begins[1:] = ordered[1:] != ordered[:-1]
    found = np.empty(len(keys), np.int64)
    found[order] = before - np.maximum.accumulate(np.where(begins, before, 0))
    return found


@kernel
def _in_order(a: NDArray[np.int64], b: NDArray[np.int64], different: int) -> int:
    """Length of the longest common subsequence of numbered words (Hyyrö 2004, 64 words at once)."""
    carry = np.zeros(len(a), np.uint64)
    where = np.zeros(different, np.uint64)
    one = np.uint64(1)
    length = 0
    for first in range(0, len(b), 64):
        last = min(first + 64, len(b))
        for j in range(first, last):
            where[b[j]] |= one << np.uint64(j - first)
        row = ~np.uint64(0)
        for i in range(len(a)):
            match = row & where[a[i]]
            half = row + match
            full = half + carry[i]
            carry[i] = np.uint64(half < row) | np.uint64(full < half)
            row = full | (row & ~match)
        for j in range(first, last):
            where[b[j]] = np.uint64(0)
            length += (row >> np.uint64(j - first)) & one == np.uint64(0)
    return length


@in_plain_python(_in_order)
def _in_order_at_once(a: NDArray[np.int64], b: NDArray[np.int64], different: int) -> int:
    where = [0] * different
    for j, word in enumerate(b.tolist()):
        where[word] |= 1 << j
    row = full = (1 << len(b)) - 1
    for word in a.tolist():
        match = row & where[word]
        row = ((row + match) | (row & ~match)) & full
    return len(b) - row.bit_count()


def _fold(
    points: NDArray[np.uint32], stops: NDArray[np.int64], tables: UnicodeTables
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Folded letters and digits, without marks, and where each word, which stopped at `stops`, does."""

    def entries(of: NDArray[Any]) -> NDArray[np.int64]:
        return tables.pages[of >> 8].astype(np.int64) << 8 | (of & 255)

    at = entries(points)
    kinds = tables.classes[at]
    letter = (kinds == WORD) | (kinds == SINGLE)
    folds = tables.folds[at].astype(np.int64)
    several = folds >> 31 == 1
    lengths = np.where(several, folds & 15, 1) * letter
    ends = np.cumsum(lengths)
    source = np.repeat(np.arange(len(points)), lengths)
    out = folds[source]
    late = np.flatnonzero(several[source])
    of = source[late]
    out[late] = tables.expansions[((folds[of] & 0x7FFFFFFF) >> 4) + late - (ends[of] - lengths[of])]
    kept = np.ones(len(out), np.bool_)
    kept[late] = tables.combining[entries(out[late])] == 0
    kept_before = np.r_[0, np.cumsum(kept)]
    return out[kept].astype(np.uint64), kept_before[ends[stops - 1]]


def _letters(
    text: str, of: Tokens, own: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Folded letters of some words of a text, and where each word stops among them."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    starts, ends = of.starts[own].astype(np.int64), of.ends[own].astype(np.int64)
    stops = np.cumsum(ends - starts)
    places = np.arange((ends - starts).sum()) + np.repeat(ends - stops, ends - starts)
    return _fold(points[places], stops, unicode_tables())


def _own(of: Tokens, partner: NDArray[np.bool_]) -> tuple[NDArray[np.int64], bool]:
    """The words besides quotations and furniture, and whether there are enough of them."""
    own = np.flatnonzero(of.flags[: len(partner)] & (QUOTED | FURNITURE) == 0)
    return own, len(own) >= MIN_WORDS


def measure(
    text_a: str, of_a: Tokens, text_b: str, of_b: Tokens, partner: NDArray[np.int64]
) -> Figures:
    """The figures of a pair; `partner` int64 (n_b,) is the token of a that each of b is, or -1."""
    own_a, enough_a = _own(of_a, np.ones(MAX_WORDS, np.bool_))
    own_b, enough_b = _own(of_b, np.ones(MAX_WORDS, np.bool_))
    if not (enough_a and enough_b):
        own_a = np.arange(min(len(of_a.hashes), MAX_WORDS))
        own_b = np.arange(min(len(of_b.hashes), MAX_WORDS))
    letters_a, _ = _letters(text_a, of_a, own_a)
    letters_b, stops = _letters(text_b, of_b, own_b)
    letters = np.empty(len(letters_a) + len(letters_b), np.int64)
    symbols = _number(np.concatenate([letters_a, letters_b]) * _SPREAD, letters)
    first = len(letters_a)
    back = np.concatenate(
        [letters[:first], *(w for w in np.split(letters[first:], stops[:-1])[::-1])]
    )
    words = np.empty(len(own_a) + len(own_b), np.int64)
    different = _number(np.concatenate([of_a.hashes[own_a], of_b.hashes[own_b]]), words)
    words_a, words_b = words[: len(own_a)], words[len(own_a) :]
    count_a = np.bincount(words_a, minlength=different)
    count_b = np.bincount(words_b, minlength=different)
    once = (count_b == 1) & (count_a <= 1)
    pairs_a, pairs_b = (distinct(x[:-1] * different + x[1:]) for x in (words_a, words_b))
    return Figures(
        own_a=len(own_a),
        own_b=len(own_b),
        letters_a=first,
        letters_b=len(letters_b),
        bits=_bits(letters[first:], 0, symbols),
        bits_after_a=_bits(letters, first, symbols),
        reversed_after_a=_bits(back, first, symbols),
        in_order=_in_order(words_a, words_b, different),
        in_order_reversed=_in_order(words_a, words_b[::-1].copy(), different),
        words=_share(count_a[count_b > 0] > 0),
        rare=_share(count_a[once] > 0),
        pairs=len(np.intersect1d(pairs_a, pairs_b, assume_unique=True)) / max(len(pairs_b), 1),
        aligned=_share(partner[own_b] >= 0),
        run=_longest_run(partner[own_b]),
    )


def _share(of: NDArray[np.bool_]) -> float:
    return float(of.mean()) if len(of) else 0.0


def _longest_run(partner: NDArray[np.int64]) -> int:
    """Most words in a row whose partners follow each other, too."""
    if not (partner >= 0).any():
        return 0
    follows = (partner[1:] >= 0) & (partner[1:] == partner[:-1] + 1) & (partner[:-1] >= 0)
    breaks = np.flatnonzero(~follows)
    return int(np.diff(np.r_[-1, breaks, len(follows)]).max())


def _excess(figures: Figures) -> tuple[float, float, float]:
    """What b saves by a, by the order of its words, and in their order, beyond chance."""
    chance = exp(CHANCE + CHANCE_A * log(figures.letters_a) + CHANCE_B * log(figures.letters_b))
    saved = 1 - figures.bits_after_a / figures.bits
    coded = (figures.reversed_after_a - figures.bits_after_a) / figures.bits
    order = (figures.in_order - figures.in_order_reversed) / figures.own_b
    root = sqrt(figures.own_b)
    return saved - chance, coded - CHANCE_CODED / root, order - CHANCE_ORDER / root


def logits(figures: Figures) -> tuple[float, float]:
    """How much information, and how much order, speak for b being derived from a."""
    saved, coded, order = (log(max(x, _FLOOR) + _SHIFT) for x in _excess(figures))
    aligned = log(figures.aligned + _SHIFT)
    information = INFORMATION[0] + INFORMATION[1] * saved
    return information, ORDER[0] + ORDER[1] * coded + ORDER[2] * order + ORDER[3] * aligned


def grade_pair(
    text_a: str, of_a: Tokens, text_b: str, of_b: Tokens, partner: NDArray[np.int64]
) -> Grade:
    """Whether b derives from a: wholly, partially, or not.

    Args:
        text_a, of_a: the raw text of a and its tokens, quotations and furniture marked.
        text_b, of_b: the same of b.
        partner: int64 (n_b,), the token of a that each token of b is aligned with, or -1.
    """
    if np.array_equal(of_a.hashes, of_b.hashes) and len(of_b.hashes):
        return Grade("wholly", {"aligned_share": 1.0, "word_containment": 1.0})
    words = min(len(of_a.hashes), len(of_b.hashes))
    if words < MIN_WORDS:
        return Grade("none", {"words": float(words)})
    figures = measure(text_a, of_a, text_b, of_b, partner)
    information, order = logits(figures)
    # A soft minimum: both must speak for it.
    logit = min(information, order) - log1p(exp(-abs(information - order)))
    saved, coded, ordered = _excess(figures)
    label: GradeLabel = "none"
    if logit >= DERIVED:
        label = "wholly" if figures.aligned >= WHOLLY else "partially"
    evidence = {
        "word_containment": figures.words,
        "rare_word_containment": figures.rare,
        "pair_containment": figures.pairs,
        "aligned_share": figures.aligned,
        "longest_run": float(figures.run),
        "information_saved": saved,
        "order_saved": coded,
        "order_share": ordered,
        "logit": logit,
    }
    return Grade(label, {name: round(value, 4) for name, value in evidence.items()})
