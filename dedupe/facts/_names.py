"""Names: runs of capitalised words, and whether two of them are one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from dedupe.facts._characters import APOSTROPHES, CAPITAL, QUOTES, SPACE, plain_word
from dedupe.facts._kinds import NAME
from dedupe.facts._roles import FUNCTION, NEVER_NAME, PARTICLE, TITLE, WEEKDAY
from dedupe.facts._sides import Mention, Side

if TYPE_CHECKING:
    from dedupe.facts._lexicon import Lexicon

__all__ = ["in_headline", "name_at", "named", "same_name"]

_MAX_NAME = 6
"""Words of the longest name; a longer run of capitals is a headline."""

_SENTENCE_ENDS = ".!?…:;。！？\n\r\v\f\x85\u2028\u2029"


def _capital(side: Side, i: int) -> int:
    """Place of the capital a token begins with, after an elided article as well; -1 without."""
    if side.begins[i] == CAPITAL:
        return side.starts[i]
    if side.lexicon.elides:
        word = side.word(i)
        at = max(word.find("’"), word.find("'")) + 1
        if 0 < at < len(word) and word[at].isupper():
            return side.starts[i] + at
    return -1


def _opens_sentence(side: Side, i: int) -> bool:
    """Whether a capital may be that of a sentence: after a stop, a dash or a quotation mark."""
    text = side.text
    at = side.starts[i] - 1
    quoted = False
    while at >= 0 and (text[at] in SPACE or text[at] in QUOTES or text[at] in "([*•·"):
        quoted = quoted or text[at] in QUOTES
        at -= 1
    if at < 0 or quoted or text[at] in "—–|>":
        return True
    if text[at] not in _SENTENCE_ENDS:
        return False
    initial = text[at] == "." and text[at - 1 : at].isupper()
    titled = text[at] == "." and i > 0 and side.roles[i - 1] & TITLE
    return not (titled or (initial and text[at - 2 : at - 1] in (*SPACE, "(", "")))


_SHORT_FORM = 3
"""Letters of a word in capitals that may be short for another: "FB", "DoJ"."""


def named(side: Side, name: Mention) -> Mention:
    """A name with the words that are compared: without titles, with the stop of a short form."""
    if name.kind != NAME:
        return name
    words = []
    for k in name.key:
        raw = side.text[max(_capital(side, k), side.starts[k]) : side.ends[k]]
        word = plain_word(raw).rstrip("0123456789") or plain_word(raw)  # the number of a note
        short = side.text[side.ends[k] : side.ends[k] + 1] == "." or (
            raw.isupper() and len(raw) <= _SHORT_FORM
        )
        words.append(word + "." if short else word)
    capitals = (_capital(side, k) for k in range(name.first, name.last))
    initials = "".join(side.text[at] for at in capitals if at >= 0).casefold()
    return name._replace(value=tuple(words), initials=initials)


def _name_goes_on(side: Side, k: int) -> int:
    """Tokens by which a name goes on after token k - 1: 1, with small words more, or 0."""
    if k >= len(side.hashes) or APOSTROPHES.sub("'", side.word(k - 1)[-2:]) == "'s":
        return 0
    if not side.joined(k - 1):
        short = side.roles[k - 1] & TITLE or side.ends[k - 1] - side.starts[k - 1] == 1
        if not short or side.text[side.ends[k - 1] : side.starts[k]] != ". ":
            return 0
    for n in range(3):
        if _capital(side, k + n) >= 0 and not side.roles[k + n] & (FUNCTION | WEEKDAY):
            return n + 1
        if not side.roles[k + n] & PARTICLE or not side.joined(k + n):
            return 0
    return 0


def name_at(side: Side, i: int) -> Mention | None:
    """A run of capitalised words that starts at a token."""
    start = _capital(side, i)
    if start < 0 or side.roles[i] & NEVER_NAME or side.text[start - 1 : start] in ("@", "#", "/"):
        return None
    last = i + 1
    while last - i < _MAX_NAME and (more := _name_goes_on(side, last)):
        last += more
    key = [k for k in range(i, last) if not side.roles[k] & (TITLE | PARTICLE)]
    if all(side.ends[k] - side.starts[k] < 2 for k in key):
        return None
    end, opens, single = side.ends[last - 1], _opens_sentence(side, i), last == i + 1
    if single and side.lexicon.nouns and not side.word(i).isupper():
        return None
    weak = opens and single
    return Mention(NAME, i, last, start, end, key=key, weak=weak, opens=opens and key[0] == i)


def _abbreviates(short: str, long: str) -> bool:
    """Whether a word with a full stop is short for another: "Fla." is Florida."""
    if not short.endswith(".") or short[0] != long[0] or len(short) > min(6, len(long)):
        return False
    rest = iter(long)
    return all(c in rest for c in short[:-1])


def _same_word(a: str, b: str, lexicon: Lexicon) -> bool:
    """Whether two words are forms of one name: "Syria" and "Syrian", "Путин" and "Путина"."""
    if a == b or _abbreviates(a, b) or _abbreviates(b, a):
        return True
    a, b = a.rstrip("."), b.rstrip(".")
    group = lexicon.irregular.get(a, -1)
    if a == b or (group >= 0 and group == lexicon.irregular.get(b)):
        return True
    shared = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
    shared = min(len(a), len(b)) if shared is None else shared
    if len(lexicon.demonyms) > 1:
        stems = range(max(3, shared - 2), shared + 1)
        return any({a[k:], b[k:]} <= lexicon.demonyms for k in stems)
    # Elsewhere the endings of cases are not told from those of other names.
    return shared >= 4 and max(len(a), len(b)) - shared <= 3


def _within(short: tuple[str, ...], long: tuple[str, ...], lexicon: Lexicon) -> bool:
    """Whether the words of a name, or the beginnings of first names, are among another's."""
    rest = list(long)
    for place, word in enumerate(short):
        found = next((w for w in rest if _same_word(word, w, lexicon)), None)
        if found is None and place < len(short) - 1:
            found = next((w for w in rest[:-1] if _begins_alike(word, w)), None)
        if found is None:
            return False
        rest.remove(found)
    return True


def _begins_alike(a: str, b: str) -> bool:
    """Whether one word is the beginning of the other: "Alex" and "Alexandre"."""
    return min(len(a), len(b)) > 2 and (a.startswith(b) or b.startswith(a))


def same_name(a: Mention, b: Mention, lexicon: Lexicon) -> bool:
    """Whether two names may be one: shortened, turned round, inflected, or abbreviated."""
    for x, y in itertools.product(_readings_of_name(a), _readings_of_name(b)):
        if _within(x, y, lexicon) or _within(y, x, lexicon):
            return True
        spaced = " ".join(x).replace(".", ""), " ".join(y).replace(".", "")
        group = lexicon.irregular.get(spaced[0], -1)
        if group >= 0 and group == lexicon.irregular.get(spaced[1]):
            return True
        if spaced[0].replace(" ", "") == spaced[1].replace(" ", ""):
            return True
    return _is_acronym(a, b) or _is_acronym(b, a)


def _readings_of_name(name: Mention) -> list[tuple[str, ...]]:
    """The words of a name; without a first one whose capital may be that of a sentence."""
    whole = name.value
    return [whole, whole[1:]] if name.opens and len(whole) > 1 else [whole]


def _is_acronym(short: Mention, long: Mention) -> bool:
    """Whether a name is made of the initials of another, or of some with a lower word's."""
    acronym = short.value[0].rstrip(".")
    if len(short.value) > 1 or len(long.initials) < 2 or len(acronym) < 2:
        return False
    return acronym in long.initials or (
        len(long.initials) > 2 and acronym.startswith(long.initials)
    )


def in_headline(side: Side, name: Mention) -> bool:
    """Whether the words around a name have capitals without being names."""
    capitals = shouted = plain = 0
    for i in range(max(0, name.first - 5), min(len(side.hashes), name.last + 5)):
        length = side.ends[i] - side.starts[i]
        if length > 3 and name.first - 1 <= i <= name.last:
            shouted += side.word(i).isupper()
        if length > 3 and not name.first <= i < name.last and not side.roles[i] & FUNCTION:
            capitals += side.begins[i] == CAPITAL
            plain += side.begins[i] == 0
    return shouted > 1 or (capitals > 2 and capitals > 2 * plain)
