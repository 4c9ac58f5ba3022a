"""Numbers, dates and names that one side of a passage states otherwise than the other."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from dedupe.facts._amounts import MILLION, comparable, same_number, times
from dedupe.facts._characters import SPACE, ascii_digits
from dedupe.facts._dates import same_date
from dedupe.facts._kinds import DATE, NAME, NUMBER
from dedupe.facts._names import in_headline, named, same_name
from dedupe.facts._numbers import number_at
from dedupe.facts._passages import MAX_GAP, BothSides, Change, Passage, by_gap, lone, without
from dedupe.facts._reading import CONTEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedupe.facts._lexicon import Lexicon
    from dedupe.facts._sides import Mention, Side

__all__ = ["changed_mentions"]

_OTHER_WORDS = {NUMBER: 3, DATE: 3, NAME: 0}
"""Words that say something beside facts which stand in each other's place, in either text."""

_MAX_DROPPED, _OTHER_DROPPED = 7, 2
"""The same for a number left out, all words and those that say something: else a clause is gone."""


def changed_mentions(passage: Passage, xs: list[Mention], ys: list[Mention]) -> Iterator[Change]:
    """Changed numbers, dates and names of a passage."""
    xs, ys = _without_sentence_starts(passage, xs, ys)
    a, b = passage.sides
    pairs, linked_x, linked_y = _linked(a, xs, ys)
    different = (
        (named(a, x), named(b, y))
        for x, y in pairs
        if x.kind == y.kind and a.text[x.start : x.end] != b.text[y.start : y.end]
    )
    for x, y in different:
        if not _differs(x, y, a.lexicon) or (x.kind == NAME and not _may_replace(passage, x, y)):
            continue
        if x.kind != NUMBER or not _other_hedged(passage, x, y):
            yield Change(x, y, -1)
    free_x = [named(a, x) for k, x in enumerate(xs) if k not in linked_x]
    free_y = [named(b, y) for k, y in enumerate(ys) if k not in linked_y]
    left = [_unshared(*sides) for sides in by_gap(passage, free_x, free_y).values()]
    # What is left may still have moved to another gap.
    left_x, left_y = (list(itertools.chain(*(sides[k] for sides in left))) for k in (0, 1))
    for gap, sides in by_gap(passage, *_unshared(left_x, left_y)).items():
        yield from _changed_in_gap(passage, sides, gap)


def _without_sentence_starts(passage: Passage, xs: list[Mention], ys: list[Mention]) -> BothSides:
    """The facts without single capitalised words that begin a sentence and are no name elsewhere."""
    known = set()
    for side, mentions in zip(passage.sides, (xs, ys), strict=True):
        for m in mentions:
            if m.kind == NAME and not m.opens:
                known.update(side.hashes[m.first : m.last])
    kept = []
    for side, mentions in zip(passage.sides, (xs, ys), strict=True):
        kept.append(
            [m for m in mentions if m.kind != NAME or not m.weak or side.hashes[m.first] in known]
        )
    return kept[0], kept[1]


def _linked(
    a: Side, xs: list[Mention], ys: list[Mention]
) -> tuple[list[tuple[Mention, Mention]], set[int], set[int]]:
    """Facts that share an aligned word, one to one; places in xs and ys of all that share any."""
    owner = {token: k for k, y in enumerate(ys) for token in y.key}
    links = {
        (j, owner[a.partner[token]])
        for j, x in enumerate(xs)
        for token in x.key
        if a.partner[token] in owner
    }
    of_x, of_y = Counter(j for j, _ in links), Counter(k for _, k in links)
    pairs = [(xs[j], ys[k]) for j, k in sorted(links) if of_x[j] == of_y[k] == 1]
    return pairs, set(of_x), set(of_y)


def _differs(x: Mention, y: Mention, lexicon: Lexicon) -> bool:
    """Whether two facts that are about one thing state it differently."""
    if x.kind == NUMBER:
        return comparable(x, y) and not same_number(x, y)
    if x.kind == DATE:
        return not same_date(x, y)
    return not same_name(x, y, lexicon)


def _other_hedged(passage: Passage, x: Mention, y: Mention) -> bool:
    """Whether two numbers differ in a hedge only, which stands in the other text as well."""
    if not same_number(x._replace(hedge=""), y._replace(hedge="")):
        return False
    beside = (
        side.partner[k]
        for side, m in zip(passage.sides, (x, y), strict=True)
        for k in range(m.first, m.last)
        if k not in m.key
    )
    return all(partner >= 0 for partner in beside)


def _may_replace(passage: Passage, x: Mention, y: Mention) -> bool:
    """Whether one name stands for the other, which it shares a word with, in one sentence."""
    a, b = passage.sides
    if x.value[-1] != y.value[-1] and (len(x.value) != len(y.value) or x.value[0] != y.value[0]):
        return False
    if in_headline(a, x) or in_headline(b, y):
        return False
    gaps = {a.gap[k] for k in x.key} | {b.gap[k] for k in y.key}
    return not any(gap >= 0 and passage.ends_sentence(gap) for gap in gaps)


def _unshared(xs: list[Mention], ys: list[Mention]) -> BothSides:
    """Facts left on each side when as many of equal value are taken away, the first ones."""
    if not xs or not ys:
        return xs, ys
    shared = Counter(map(_value, xs)) & Counter(map(_value, ys))
    return without(xs, shared, _value), without(ys, shared, _value)


def _value(mention: Mention) -> tuple[Any, ...]:
    """What is compared where it is open whether a figure is a year or a count."""
    if mention.kind == DATE:
        year = mention.value[3]
        return (year,) if isinstance(year, int) and not any(mention.value[:3]) else mention.value
    if mention.kind == NAME:
        return (NAME, *mention.value)
    return times(mention.value, MILLION) if mention.unit == "m" else mention.value


def _changed_in_gap(passage: Passage, sides: BothSides, gap: int) -> Iterator[Change]:
    """Changed facts of a gap, kind by kind."""
    for kind in (NUMBER, DATE, NAME):
        xs, ys = ([m for m in mentions if m.kind == kind] for mentions in sides)
        if xs and ys:
            yield from _substituted(passage, xs, ys, gap)
        elif kind == NUMBER and (xs or ys):
            yield from _dropped(passage, xs or ys, gap, 0 if xs else 1)


def _substituted(
    passage: Passage, xs: list[Mention], ys: list[Mention], gap: int
) -> Iterator[Change]:
    """Facts of one kind in a gap that stand in each other's place."""
    if passage.gaps[gap].longest() > MAX_GAP:
        return
    a, b = passage.sides
    kind, lexicon = xs[0].kind, a.lexicon
    if kind == NAME:
        only_x = [x for x in xs if not any(same_name(x, y, lexicon) for y in ys)]
        ys = [y for y in ys if not any(same_name(x, y, lexicon) for x in xs)]
        xs = only_x
        if passage.ends_sentence(gap):
            return
    others = (len(passage.other_words(gap, k, m)) for k, m in enumerate((xs, ys)))
    if len(xs) != len(ys) or max(others) > _OTHER_WORDS[kind]:
        return
    if kind == NAME and any(in_headline(s, m) for s, ms in ((a, xs), (b, ys)) for m in ms):
        return
    for x, y in zip(xs, ys, strict=True):
        placed = passage.framed_alike if kind == NAME else passage.placed_alike
        if placed(x, y, gap) and _differs(x, y, lexicon):
            yield Change(x, y, gap)


def _dropped(passage: Passage, mentions: list[Mention], gap: int, side: int) -> Iterator[Change]:
    """Numbers that one text gives and the other leaves out, in a place otherwise kept."""
    if passage.gaps[gap].longest() > _MAX_DROPPED:
        return
    others = (len(passage.other_words(gap, k, mentions if k == side else [])) for k in (0, 1))
    if max(others) > _OTHER_DROPPED:
        return
    here = passage.sides[side]
    for m in mentions:
        known = passage.around(1 - side).issuperset(here.hashes[m.first : m.last])
        if m.weak or known or _numbers_a_line(here, m) or _written_there(passage, m, gap, side):
            continue
        if not _restated(here, m):
            yield lone(m, gap, side)


def _numbers_a_line(side: Side, number: Mention) -> bool:
    """Whether a number counts the items of a list: "6. Childcare"."""
    before = side.text[max(0, number.start - 2) : number.start].rstrip(SPACE + "(")
    after = side.text[number.end : number.end + 1]
    return before[-1:] in ("", "\n", "\r") and after in (".", ")")


def _restated(side: Side, number: Mention) -> bool:
    """Whether a number says in another unit what the one beside it says: "6 feet (1.8 m)"."""
    near = [number_at(side, k) for k in range(max(0, number.first - CONTEXT), number.first)]
    near = [m for m in near if m and m.last == number.first]
    if number.last < len(side.hashes):
        near.append(number_at(side, number.last))
    other = (m._replace(hedge=number.hedge) for m in near if m and m.unit)
    return any(m.unit != number.unit and same_number(m, number) for m in other)


def _written_there(passage: Passage, number: Mention, gap: int, side: int) -> bool:
    """Whether the other text has the figures in the same gap, run together with a word."""
    here, there = passage.sides[side], passage.sides[1 - side]
    first, last = passage.gaps[gap].first[1 - side], passage.gaps[gap].last[1 - side]
    if first == last:
        return False
    figures = re.findall(r"\d+", ascii_digits(here.text[number.start : number.end]))
    written = ascii_digits(there.text[there.starts[first] : there.ends[last - 1]])
    return bool(figures) and all(f in written for f in figures)
