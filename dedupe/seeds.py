"""What two texts have in common: maximal matches seeded by rare words and word pairs.

A word or word pair seeds matches if it stands in few places of both texts. In tables, lists
and refrains, where every pair is frequent, the shortest run of 4, 8, 16... tokens that is
rare does. So there are about as many matches as tokens, in any text.

Words weigh their self-information, in hundredths of a nat: -log of their share of both texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dedupe._jit import kernel, leaf
from dedupe.hashtable import table_size, table_slot
from dedupe.shingle import fill_shingles, shingle_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Workspace",
    "by_start",
    "index_tokens",
    "log",
    "maximal_matches",
    "repeated_matches",
    "repeats",
    "weigh",
    "workspace",
]

MAX_PAIRINGS = 16
"""Places in both texts together, multiplied, at which a word or word pair still seeds matches."""

FEW_PAIRINGS, SEEDS = 4, 2
"""The same for a word where that would give more seeds than this for each token; then 1."""

REPEAT = 3
"""Word pairs in a row that are too frequent to seed: from there on longer runs are looked for."""

ONE_IN = 4
"""Up to one in so many places a run is hashed by itself; of more, all runs of the text at once."""

MOST = 450
"""The most that a word may weigh: rare words come in names, and names come together by themselves."""

LEAST = 10
"""The least that a word weighs, so that a text of one word over and over is something, too."""

_LOG = (100 * np.log(np.maximum(np.arange(1 << 12), 1))).astype(np.int64)

_FREQUENT = -2
"""Stands in `starts` for a word pair that is too frequent to seed; -1 for no seed at all."""


# Rows of the arrays of a workspace. Of the tokens of a and b: number of the word, and paragraph;
# what is found: partner. Of the words of a: how often they are in both, the first place in a,
# and where seeds of them start; of its word pairs the same. Of b: where seeds start, and what is
# listed on the way.
(
    WORDS_A,
    WORDS_B,
    PARAGRAPH_A,
    PARAGRAPH_B,
    PARTNER_A,
    PARTNER_B,
    IN_A,
    IN_B,
    HEAD,
    START_OF,
    PAIRS_IN_A,
    PAIRS_IN_B,
    PAIR_HEAD,
    STARTS,
    LISTED,
    FOUND,
) = range(16)
NUMBERS, PAIR_NUMBERS = range(2)
BITS, PAIR_BITS = range(2)
WEIGHTS, WEIGHT_OF = range(2)
HELD_A, HELD_B = range(2)


class Workspace(NamedTuple):
    """Arrays that one thread uses for one pair of texts after another; see `workspace`.

    Words are numbered from 1 by their first place in a; 0 is a word that a does not have. So are
    word pairs, by their last place. Few arrays of many rows, since each array that a kernel is
    given makes it longer to compile.

    Attributes:
        tokens: int32, by token, by word or by word pair. Partners are -1 before each pair of texts.
        table: uint32, hash tables of the numbers of words and of word pairs of a. There is nothing
            else in them, so that they stay in the first cache. Unsigned, since what is read there
            is an index, and one that may be negative is dearer.
        keys, pair_keys: uint64, int64, the words and the word pairs, by number.
        bits: uint64, which hashes are not in them.
        following: int32, the next place of the same word of a, then of the same word pair.
        weights: int64, summed up over the tokens of b, and by word.
        diagonals: int32, how far matches reach; zero before and after.
        cells: int32, of `dedupe.chaining`: -1 before and after.
        held: bool, blocks of `dedupe.gaps`.
    """

    tokens: NDArray[np.int32]
    table: NDArray[np.uint32]
    keys: NDArray[np.uint64]
    pair_keys: NDArray[np.int64]
    bits: NDArray[np.uint64]
    following: NDArray[np.int32]
    weights: NDArray[np.int64]
    diagonals: NDArray[np.int32]
    cells: NDArray[np.int32]
    held: NDArray[np.bool_]


def workspace(longest: int) -> Workspace:
    """Room for texts of up to so many tokens."""
    size = int(table_size(longest))
    tokens = np.zeros((16, longest + 1), np.int32)
    tokens[[PARTNER_A, PARTNER_B]] = -1
    return Workspace(
        tokens=tokens,
        table=np.zeros((2, size), np.uint32),
        keys=np.zeros(longest + 1, np.uint64),
        pair_keys=np.zeros(longest + 1, np.int64),
        bits=np.zeros((2, size // 8), np.uint64),
        following=np.zeros(2 * longest, np.int32),
        weights=np.zeros((2, longest + 1), np.int64),
        diagonals=np.zeros(2 * longest + 2, np.int32),
        cells=np.full(longest // 64 + 4, -1, np.int32),
        held=np.zeros((2, longest // 32 + 2), np.bool_),
    )


@leaf
def log(x: int) -> int:
    """Hundredths of the natural logarithm, of a number of at least 1."""
    value = 0
    while x >= len(_LOG):
        x >>= 1
        value += 69
    return value + _LOG[x]


@kernel
def _pair_hash(word: int, following: int) -> int:
    """Bits from the 14th on tell pairs of numbered words apart. No product is beyond 63 bits."""
    # The compiler does not know that, and where an index may be negative it asks each time.
    return ((word * 0x9E3779B1) ^ (following * 0x85EBCA77)) & 0x7FFFFFFFFFFFFFFF


@kernel
def index_tokens(a: NDArray[np.uint64], space: Workspace) -> None:
    """Number the words of a text, and enter the places of its words and word pairs.

    Bits beside the tables say from the first cache that a word or pair is not there.
    """
    n = len(a)
    size = table_size(n)
    mask = size - 1
    keys, numbers, bits = space.keys, space.table[NUMBERS], space.bits[BITS]
    words, in_a, head, following = (
        space.tokens[WORDS_A],
        space.tokens[IN_A],
        space.tokens[HEAD],
        space.following,
    )
    pair_numbers, pair_keys, pair_bits = (
        space.table[PAIR_NUMBERS],
        space.pair_keys,
        space.bits[PAIR_BITS],
    )
    pairs_in_a, pair_head = space.tokens[PAIRS_IN_A], space.tokens[PAIR_HEAD]
    for slot in range(size):
        numbers[slot] = 0
        pair_numbers[slot] = 0
    for k in range(size // 8):
        bits[k] = np.uint64(0)
        pair_bits[k] = np.uint64(0)
    for k in range(n + 1):
        in_a[k], pairs_in_a[k] = 0, 0
        head[k], pair_head[k] = -1, -1
    bit_mask = np.uint64(8 * size - 1)
    found = 0
    # Whether a word is new cannot be foretold: it is entered again if it is not.
    for i in range(n):
        key = a[i]
        slot = np.int64(key >> np.uint64(20)) & mask
        word = np.int64(numbers[slot])
        while (word != 0) & (keys[word] != key):
            slot = (slot + 1) & mask
            word = np.int64(numbers[slot])
        found += int(word == 0)
        word = found if word == 0 else word
        keys[word] = key
        numbers[slot] = word
        bit = key & bit_mask
        bits[np.int64(bit >> np.uint64(6))] |= np.uint64(1) << (bit & np.uint64(63))
        words[i] = word
    words[n] = -1  # equal to no word of b
    found = 0
    for i in range(n - 1, -1, -1):
        word = np.int64(words[i])
        following[i] = head[word]
        head[word] = i
        in_a[word] += 1
        if i == n - 1:
            continue
        after = np.int64(words[i + 1])
        pair = word << 32 | after
        hashed = _pair_hash(word, after) >> 14
        slot = hashed >> 3 & mask
        number = np.int64(pair_numbers[slot])
        while (number != 0) & (pair_keys[number] != pair):
            slot = (slot + 1) & mask
            number = np.int64(pair_numbers[slot])
        found += int(number == 0)
        number = found if number == 0 else number
        pair_keys[number] = pair
        pair_numbers[slot] = number
        bit = np.uint64(hashed & (8 * size - 1))
        pair_bits[np.int64(bit >> np.uint64(6))] |= np.uint64(1) << (bit & np.uint64(63))
        following[n + i] = pair_head[number]
        pair_head[number] = n + i
        pairs_in_a[number] += 1


@kernel
def weigh(a: NDArray[np.uint64], b: NDArray[np.uint64], space: Workspace) -> tuple[int, int, int]:
    """Number b's words, sum up their weights, and find the seeds.

    The row `STARTS` says for each token of b at which node of a, a word or a word pair, its seeds
    start, -1 for none. Branches are few here: which words a has cannot be foretold.

    Returns:
        How many matches there may be, the number of pairings up to which a word seeds (fewer
        in long texts, where most words that are in both mean nothing), and how many tokens
        in a row, at most, begin word pairs that are too frequent.
    """
    n_a, n = len(a), len(b)
    mask = table_size(n_a) - 1
    keys, numbers, bits = space.keys, space.table[NUMBERS], space.bits[BITS]
    words, in_a, in_b, head = (
        space.tokens[WORDS_B],
        space.tokens[IN_A],
        space.tokens[IN_B],
        space.tokens[HEAD],
    )
    weight_of, weights = space.weights[WEIGHT_OF], space.weights[WEIGHTS]
    start_of, starts, listed, found = (
        space.tokens[START_OF],
        space.tokens[STARTS],
        space.tokens[LISTED],
        space.tokens[FOUND],
    )
    bit_mask = np.uint64(8 * (mask + 1) - 1)
    n_listed = 0
    for j in range(n):
        bit = b[j] & bit_mask
        there = bits[np.int64(bit >> np.uint64(6))] >> (bit & np.uint64(63)) & np.uint64(1)
        words[j] = 0
        listed[n_listed] = j
        n_listed += np.int64(there)
    words[n] = 0
    # The numbers of the words that are in both are listed, too.
    n_words = 0
    in_b[0] = 1
    for k in range(n_listed):
        key = b[listed[k]]
        slot = np.int64(key >> np.uint64(20)) & mask
        word = np.int64(numbers[slot])
        while (word != 0) & (keys[word] != key):
            slot = (slot + 1) & mask
            word = np.int64(numbers[slot])
        words[listed[k]] = word
        found[n_words] = word
        n_words += np.int64(in_b[word] == 0)
        in_b[word] += 1
    total = log(n_a + n)
    many, some = 0, 0
    for k in range(n_words):
        word = found[k]
        together = np.int64(in_a[word]) + np.int64(in_b[word])
        places = np.int64(in_a[word]) * np.int64(in_b[word])
        weight_of[word] = min(MOST, max(LEAST, total - log(together)))
        if places <= MAX_PAIRINGS:
            many += places
            if places <= FEW_PAIRINGS:
                some += places
    pairings = MAX_PAIRINGS
    if many > SEEDS * n:
        pairings = FEW_PAIRINGS if some <= SEEDS * n else 1
    seeds = 2
    for k in range(n_words):
        word = found[k]
        places = np.int64(in_a[word]) * np.int64(in_b[word])
        in_b[word] = 0
        start_of[word] = -1
        if places <= pairings:
            start_of[word] = head[word]
            seeds += places
    start_of[0] = -1
    weight_of[0] = 0
    weight = np.int64(0)
    weights[0] = 0
    n_listed = 0
    for j in range(n):
        word = words[j]
        weight += weight_of[word]
        weights[j + 1] = weight
        starts[j] = start_of[word]
        listed[n_listed] = j
        n_listed += np.int64((start_of[word] < 0) & (word != 0) & (words[j + 1] != 0))
    more, frequent = _seed_by_pairs(n_listed, mask, space)
    return seeds + more, pairings, frequent


@kernel
def _seed_by_pairs(n_listed: int, mask: int, space: Workspace) -> tuple[int, int]:
    """Enter seeds of the listed tokens, whose words are too frequent, by their word pairs."""
    words, starts, listed, found = (
        space.tokens[WORDS_B],
        space.tokens[STARTS],
        space.tokens[LISTED],
        space.tokens[FOUND],
    )
    numbers, pair_keys, pair_bits = (
        space.table[PAIR_NUMBERS],
        space.pair_keys,
        space.bits[PAIR_BITS],
    )
    pairs_in_a, pairs_in_b, pair_head = (
        space.tokens[PAIRS_IN_A],
        space.tokens[PAIRS_IN_B],
        space.tokens[PAIR_HEAD],
    )
    bit_mask = 8 * (mask + 1) - 1
    n = 0
    for k in range(n_listed):
        j = listed[k]
        hashed = _pair_hash(np.int64(words[j]), np.int64(words[j + 1])) >> 14
        bit = np.uint64(hashed & bit_mask)
        there = pair_bits[np.int64(bit >> np.uint64(6))] >> (bit & np.uint64(63)) & np.uint64(1)
        listed[n] = j
        found[n] = hashed >> 3 & mask
        n += np.int64(there)
    for k in range(n):
        j = listed[k]
        pair = np.int64(words[j]) << 32 | np.int64(words[j + 1])
        slot = np.int64(found[k])
        number = np.int64(numbers[slot])
        while (number != 0) & (pair_keys[number] != pair):
            slot = (slot + 1) & mask
            number = np.int64(numbers[slot])
        found[k] = number
        pairs_in_b[number] += 1
    seeds, longest = 0, 0
    run, last = 0, -1
    for k in range(n):
        number = np.int64(found[k])
        if number == 0:
            continue
        if np.int64(pairs_in_a[number]) * np.int64(pairs_in_b[number]) <= MAX_PAIRINGS:
            starts[listed[k]] = pair_head[number]
            seeds += pairs_in_a[number]
        else:
            j = np.int64(listed[k])
            starts[j] = _FREQUENT
            run = run + 1 if j == last + 1 else 1
            last = j
            longest = max(longest, run)
    for k in range(n):
        pairs_in_b[found[k]] = 0
    return seeds, longest


@leaf
def _grow(
    a: NDArray[np.int32],
    b: NDArray[np.int32],
    n_b: int,
    i: int,
    j: int,
    diagonals: NDArray[np.int32],
    matches: NDArray[np.int32],
    n: int,
) -> int:
    """Extend a seed to a maximal match (start in b, start in a, length), unless one has it.

    The texts are numbered words, with unequal numbers after their last ones. Seeds come in order
    of their place in b: `diagonals` says how far matches reach.
    """
    diagonal = i - j + n_b
    low = diagonals[diagonal]
    if low > j:
        return n
    first = j
    while first > low and first - j + i > 0 and a[first - 1 - j + i] == b[first - 1]:
        first -= 1
    last = j + 1
    while a[last - j + i] == b[last]:
        last += 1
    diagonals[diagonal] = last
    matches[n, 0] = first
    matches[n, 1] = first - j + i
    matches[n, 2] = last - first
    return n + 1


@leaf
def _clear(
    diagonals: NDArray[np.int32], matches: NDArray[np.int32], first: int, n: int, n_b: int
) -> None:
    """Forget how far matches reach."""
    for m in range(first, n):
        diagonals[matches[m, 1] - matches[m, 0] + n_b] = 0


@leaf
def maximal_matches(n_a: int, n_b: int, space: Workspace, matches: NDArray[np.int32]) -> int:
    """Maximal matches that hold a seed; their number."""
    a, b, starts, following = (
        space.tokens[WORDS_A],
        space.tokens[WORDS_B],
        space.tokens[STARTS],
        space.following,
    )
    listed, diagonals = space.tokens[LISTED], space.diagonals
    n_listed = 0
    for j in range(n_b):
        listed[n_listed] = j
        n_listed += np.int64(starts[j] >= 0)
    n = 0
    if a[0] == b[0]:
        n = _grow(a, b, n_b, 0, 0, diagonals, matches, n)
    for k in range(n_listed):
        j = np.int64(listed[k])
        node = np.int64(starts[j])
        offset = n_a if node >= n_a else 0
        while node >= 0:
            n = _grow(a, b, n_b, node - offset, j, diagonals, matches, n)
            node = np.int64(following[node])
    if a[n_a - 1] == b[n_b - 1]:
        n = _grow(a, b, n_b, n_a - 1, n_b - 1, diagonals, matches, n)
    _clear(diagonals, matches, 0, n, n_b)
    return n


@kernel
def repeats(starts: NDArray[np.int32], n_b: int, out: NDArray[np.bool_]) -> int:
    """Mark tokens of b that begin runs of word pairs too frequent to seed; their number.

    Running text has hardly any; tables, lists and refrains consist of them.
    """
    n = 0
    run = 0
    for j in range(n_b - 1, -1, -1):
        run = run + 1 if starts[j] == _FREQUENT else 0
        out[j] = run >= REPEAT
        n += run >= REPEAT
    return n


@kernel
def _once(matches: NDArray[np.int32]) -> NDArray[np.int32]:
    """Matches by their start in b without those that were found again by longer runs."""
    kept = 0
    for m in range(len(matches)):
        again = False
        k = kept - 1
        while k >= 0 and matches[k, 0] == matches[m, 0] and not again:
            again = matches[k, 1] == matches[m, 1]
            k -= 1
        for column in range(3):
            matches[kept, column] = matches[m, column]
        kept += not again
    return matches[:kept]


@kernel
def by_start(matches: NDArray[np.int32], n_b: int) -> NDArray[np.int32]:
    """The matches ordered by their start in b; as they are if they are in order."""
    n = len(matches)
    k = 1
    while k < n and matches[k - 1, 0] <= matches[k, 0]:
        k += 1
    if k >= n:
        return matches
    counts = np.empty(n_b + 1, np.int32)
    for j in range(n_b + 1):
        counts[j] = 0
    for k in range(n):
        counts[matches[k, 0] + 1] += 1
    for j in range(n_b):
        counts[j + 1] += counts[j]
    out = np.empty((n, 3), np.int32)
    for k in range(n):
        place = counts[matches[k, 0]]
        counts[matches[k, 0]] += 1
        out[place, 0] = matches[k, 0]
        out[place, 1] = matches[k, 1]
        out[place, 2] = matches[k, 2]
    return out


@kernel
def _hash_runs(
    tokens: NDArray[np.uint64], places: NDArray[np.int32], n: int, w: int, out: NDArray[np.uint64]
) -> int:
    """Hashes of the runs of w tokens at n places, by place; how many of these have such a run.

    Those that have none are left out of the places.
    """
    kept = 0
    for k in range(n):
        places[kept] = places[k]
        kept += np.int64(places[k] + w <= len(tokens))
    if ONE_IN * kept > len(tokens):
        fill_shingles(tokens, w, out)
    else:
        for k in range(kept):
            out[places[k]] = shingle_at(tokens, np.int64(places[k]), w)
    return kept


@kernel
def repeated_matches(
    a: NDArray[np.uint64],
    b: NDArray[np.uint64],
    marked: NDArray[np.bool_],
    space: Workspace,
    matches: NDArray[np.int32],
    n: int,
) -> NDArray[np.int32]:
    """Matches in repetitive text: seeded by the shortest run of 4, 8, 16... tokens that is rare.

    Of what is frequent however long, the first place in both texts is taken. The runs of b that
    are looked for go into a table, and those of a are run past it: of longer runs only those that
    begin where shorter ones were frequent.
    """
    words_a, words_b = space.tokens[WORDS_A], space.tokens[WORDS_B]
    places_a, places_b = np.empty(len(a), np.int32), np.empty(len(b), np.int32)
    n_b = 0
    for j in range(len(b)):
        if marked[j]:
            places_b[n_b] = j
            n_b += 1
    n_a = len(a)
    for k in range(n_a):
        places_a[k] = n_a - 1 - k  # the last first, so that a slot's list begins with the first
    size = table_size(n_b)
    keys = np.empty(size, np.uint64)
    used = np.empty(size, np.int64)
    for slot in range(size):
        used[slot] = -1
    bits = np.empty(size // 4, np.uint64)
    bit_mask = np.uint64(16 * size - 1)
    head = np.empty(size, np.int32)
    in_a = np.empty(size, np.int32)
    in_b = np.empty(size, np.int32)
    following = np.empty(len(a), np.int32)
    grams = np.empty(max(len(a), len(b)), np.uint64)
    slots_a, slots_b = np.empty(len(a), np.int32), np.empty(len(b), np.int32)
    w = REPEAT + 1
    while n_b > 0 and w <= min(len(a), len(b)):
        for k in range(len(bits)):
            bits[k] = np.uint64(0)
        n_b = _hash_runs(b, places_b, n_b, w, grams)
        for k in range(n_b):
            gram = grams[places_b[k]]
            slot = table_slot(keys, used, gram, w)
            if used[slot] != w:
                used[slot] = w
                keys[slot] = gram
                head[slot] = -1
                in_a[slot] = 0
                in_b[slot] = 0
                bit = gram & bit_mask
                bits[np.int64(bit >> np.uint64(6))] |= np.uint64(1) << (bit & np.uint64(63))
            in_b[slot] += 1
            slots_b[k] = slot
        n_a = _hash_runs(a, places_a, n_a, w, grams)
        kept = 0
        for k in range(n_a):
            i = np.int64(places_a[k])
            bit = grams[i] & bit_mask
            there = bits[np.int64(bit >> np.uint64(6))] >> (bit & np.uint64(63))
            if there & np.uint64(1) == np.uint64(0):
                continue
            slot = table_slot(keys, used, grams[i], w)
            if used[slot] == w:
                following[i] = head[slot]
                head[slot] = i
                in_a[slot] += 1
                places_a[kept] = i
                slots_a[kept] = slot
                kept += 1
        n_a = kept
        seeds = 0
        for k in range(n_b):
            seeds += min(int(in_a[slots_b[k]]), MAX_PAIRINGS)
        more = np.empty((n + seeds, 3), np.int32)
        for m in range(n):
            for column in range(3):
                more[m, column] = matches[m, column]
        matches = more
        before = n
        last_level = 2 * w > min(len(a), len(b))
        kept = 0
        for k in range(n_b):
            slot, j = np.int64(slots_b[k]), np.int64(places_b[k])
            i = np.int64(head[slot])
            rare = np.int64(in_a[slot]) * np.int64(in_b[slot]) <= MAX_PAIRINGS
            if not rare:
                places_b[kept] = j
                kept += 1
                if not last_level:
                    continue
                head[slot] = -1
            while i >= 0:
                n = _grow(words_a, words_b, len(b), i, j, space.diagonals, matches, n)
                i = np.int64(following[i]) if rare else -1
        n_b = kept
        kept = 0
        for k in range(n_a):
            slot = np.int64(slots_a[k])
            places_a[kept] = places_a[k]
            kept += np.int64(in_a[slot]) * np.int64(in_b[slot]) > MAX_PAIRINGS
        n_a = kept
        _clear(space.diagonals, matches, before, n, len(b))
        w *= 2
    return _once(by_start(matches[:n], len(b)))
