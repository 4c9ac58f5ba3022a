"""Agencies an article names: as the source of its text, or as somebody that was told something.

"(AP) —" before a story, "Reuters" in its byline and "dpa contributed to this report" after it
say where text comes from. "told AFP" says nothing of the kind, and an agency that is merely
mentioned says nothing at all. So a credit here has a form and a place; the names and the words
of the forms, in many languages, stand in `data/agencies.toml`.

- A *dateline* stands at the start of a line, after a place and a date of at most `MAX_PLACE`
  code points. Without a dash after its bracket it counts in the first `HEAD` code points only.
- A *byline* is a line of names with an agency, in the first `HEAD` or the last `TAIL`.
- A *copyright* notice stands anywhere.
- A *footer* says that an agency contributed, anywhere; that text is from an agency, in the
  first `HEAD` or last `TAIL`; or is the agency in brackets at the end of a line, in the last
  `CLOSING` code points.
- A *citation* stands anywhere.

Credits of photographs are none of these: they belong to captions (see `dedupe.furniture`).
Only what surrounds an agency's name is looked at, at most `REACH` code points on either side
of the first and last `MAX_MENTIONS` names.
"""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from dedupe.errors import ConfigError
from dedupe.furniture import (
    are_names,
    furniture_reason,
    is_unspaced,
    load_furniture,
    plain,
    read_data,
    read_entries,
    read_phrases,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dedupe.furniture import Words

__all__ = ["Agencies", "Credit", "Role", "find_credits", "load_agencies"]

HEAD = 1500
"""Code points at the start of a text in which bylines and notes on its source are looked for."""

TAIL = 2500
"""Code points at the end of a text in which footers are looked for: pages append teasers."""

CLOSING = 600
"""Code points at the end of a text in which an agency in brackets ends the story, not a caption."""

REACH = 250
"""Code points on either side of an agency's name that are looked at, within its line."""

MAX_MENTIONS = 500
"""Names of agencies looked at from either end of a text; one of more is no news article."""

MAX_PLACE = 80
"""Longest place and date before a dateline's bracket, in code points."""

Role = Literal["dateline", "byline", "footer", "copyright", "citation"]


@dataclass(frozen=True, slots=True, order=True)
class Credit:
    """A place where a text names an agency as a source.

    Attributes:
        start, end: span in the raw text, in code points: the dateline with its place, the whole
            byline, the notice, or the citation's words.
        agency: the name an agency is reported under, such as "AP" or "Reuters".
        role: what the agency is named as.
    """

    start: int
    end: int
    agency: str
    role: Role

    @property
    def is_source(self) -> bool:
        """Whether text of the article comes from the agency; False for a citation."""
        return self.role != "citation"


class _Phrases(NamedTuple):
    """Phrases to be found right before or right after an agency's name.

    Attributes:
        words: their words, casefolded, one space apart.
        unspaced: phrases in scripts without spaces, as they are.
    """

    words: frozenset[str]
    unspaced: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agencies:
    """Agencies and wording, ready to be looked for.

    Attributes:
        forms: agency and kind ("names", "codes", "dateline", "cited", "other") of each form.
        capitalised: forms by their first word.
        small: forms that begin with no capital letter from A to Z.
        foreign: forms in scripts other than Latin.
        footers: parts of lines that only one agency writes, in turn, with the agency.
        wording: phrases of all languages by their use; see `data/agencies.toml`.
        words: what tells dates and names of people.
    """

    forms: Mapping[str, tuple[str, str]]
    capitalised: Mapping[str, Sequence[str]]
    small: Sequence[str]
    foreign: Sequence[str]
    footers: Sequence[tuple[Sequence[str], str]]
    wording: Mapping[str, _Phrases]
    words: Words


class _Mention(NamedTuple):
    """An agency's name in a text.

    Attributes:
        start, end: its span, in code points.
        agency, kind: as in `Agencies.forms`.
        form: the name as written.
        left, right: the rest of its line, as far as `REACH` goes.
        opens, closes: whether `left` and `right` reach the ends of the line.
        length: length of the whole text, in code points.
    """

    start: int
    end: int
    agency: str
    kind: str
    form: str
    left: str
    right: str
    opens: bool
    closes: bool
    length: int

    @property
    def line_start(self) -> int:
        """Where `left` starts: the line, where `opens`."""
        return self.start - len(self.left)

    @property
    def line_end(self) -> int:
        """Where `right` ends: the line, where `closes`."""
        return self.end + len(self.right)

    @property
    def at_an_end(self) -> bool:
        """Whether it stands near the start or the end of the text."""
        return self.start < HEAD or self.length - self.end < TAIL


# Finding -------------------------------------------------------------------------------------

_CAPITALISED = re.compile(r"[A-Z][A-Za-z0-9]*")
_FOREIGN = re.compile(r"[\u0370-\u1dff\u2e80-\ud7ff]")
# All bytes of UTF-8 but those a letter from Greek to Hangul starts with; most punctuation
# starts with 0xE2. Taking them away is ten times as fast as looking for the letters.
_LATIN = bytes(byte for byte in range(256) if not 0xCD <= byte <= 0xED or byte == 0xE2)


def find_credits(text: str, agencies: Agencies | None = None) -> list[Credit]:
    """The credits in a text, by where they start.

    Takes time linear in the text, however long its lines are.

    Args:
        text: an article.
        agencies: agencies and wording to look for; the built-in ones by default.

    >>> for credit in find_credits("BERLIN (AP) — It rained, the mayor told AFP."):
    ...     print(credit)
    Credit(start=0, end=13, agency='AP', role='dateline')
    Credit(start=35, end=43, agency='AFP', role='citation')
    """
    rules = agencies or load_agencies()
    text = plain(text)
    found = set(_signatures(text, rules))
    mentions = list(_mentions(text, rules))
    elsewhere = {mention.form for mention in mentions if _is_explained(mention, rules)}
    last: Credit | None = None
    last_end = 0
    for mention in mentions:
        credit = None
        if mention.form not in elsewhere:
            credit = _classify(mention, rules)
            if credit is None and last and _LIST.fullmatch(text, last_end, mention.start):
                credit = _credit(mention, last.role, mention.start, mention.end)
        if credit:
            found.add(credit)
        last, last_end = credit, mention.end
    return sorted(found)


def _mentions(text: str, rules: Agencies) -> Iterator[_Mention]:
    found = _occurrences(text, rules)
    if len(found) > 2 * MAX_MENTIONS:
        found = found[:MAX_MENTIONS] + found[-MAX_MENTIONS:]
    for start, form in found:
        agency, kind = rules.forms[form]
        if kind == "other":
            continue
        end = start + len(form)
        left = text[max(0, start - REACH) : start]
        right = text[end : end + REACH]
        line_left = (left + "|").splitlines()[-1][:-1]
        line_right = ("|" + right).splitlines()[0][1:]
        yield _Mention(
            start,
            end,
            agency,
            kind,
            form,
            line_left,
            line_right,
            opens=start <= REACH or len(line_left) < len(left),
            closes=len(text) - end <= REACH or len(line_right) < len(right),
            length=len(text),
        )


def _occurrences(text: str, rules: Agencies) -> list[tuple[int, str]]:
    """Where forms of agencies' names stand, in order, the longest where several do."""
    words = rules.capitalised.keys() & set(_CAPITALISED.findall(text))
    forms = [form for word in words for form in rules.capitalised[word]]
    found: list[tuple[int, str]] = []
    for form in itertools.chain(forms, rules.small, rules.foreign if _is_foreign(text) else ()):
        start = text.find(form)
        while start >= 0:
            found.append((start, form))
            start = text.find(form, start + len(form))
    found.sort(key=lambda occurrence: (occurrence[0], -len(occurrence[1])))
    kept: list[tuple[int, str]] = []
    end = 0
    for start, form in found:
        if start >= end and _stands_alone(text, start, start + len(form)):
            kept.append((start, form))
            end = start + len(form)
    return kept


def _is_foreign(text: str) -> bool:
    """Whether a text has letters of other scripts than Latin."""
    encoded = b"" if text.isascii() else text.encode("utf-8", "surrogatepass")
    return bool(encoded.translate(None, _LATIN))


def _without_agencies(text: str, rules: Agencies) -> str:
    for start, form in reversed(_occurrences(text, rules)):
        text = text[:start] + text[start + len(form) :]
    return text


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a name is no part of a longer word, a web address or a handle."""
    before, after = text[start - 1 : start], text[end : end + 2]
    joined = (
        before.isalnum() and not is_unspaced(before) and not is_unspaced(text[start]),
        after[:1].isalnum() and not is_unspaced(after) and not is_unspaced(text[end - 1]),
        before in ("@", "#"),
        after[:1] == "." and after[1:].islower(),
    )
    return not any(joined)


def _is_explained(mention: _Mention, rules: Agencies) -> bool:
    """Whether a text says that a short form means something else in it.

    "Americans for Prosperity (AFP)" is not Agence France-Presse, here and in all that follows.
    """
    if not mention.left.endswith("(") or not mention.right.startswith(")"):
        return False
    words = _NAME.findall(mention.left[-80:-1])
    initials = "".join(word[0] for word in words if word[0].isupper())
    every_initial = "".join(word[0].upper() for word in words)
    if len(mention.form) < 2 or not (
        initials.endswith(mention.form) or every_initial.endswith(mention.form)
    ):
        return False
    own = any(
        rules.forms[form][0] == mention.agency
        for _, form in _occurrences(mention.left[-80:-1], rules)
    )
    return not own and not _is_upper_place(mention.left[:-1])


def _classify(mention: _Mention, rules: Agencies) -> Credit | None:
    """What a name is a credit for, if any."""
    found = _dateline(mention, rules)
    if found:
        return found
    found = _copyright(mention, rules) or _whole_line(mention, rules) or _footer(mention, rules)
    if found:
        return None if _is_caption(mention) else found
    return _closing(mention, rules) or _citation(mention, rules)


def _credit(mention: _Mention, role: Role, start: int, end: int) -> Credit:
    return Credit(start, end, mention.agency, role)


def _is_caption(mention: _Mention) -> bool:
    line = mention.left + mention.form + mention.right
    return mention.opens and mention.closes and furniture_reason(line) == "caption"


# Datelines -----------------------------------------------------------------------------------

_OPENING = re.compile(
    r"(?P<place>[^()\[\]【】（）]*?)\s*"
    r"(?P<open>[(\[【（]|(?:^|(?<=[\s.]))/(?!\s))(?P<inside>[^()\[\]【】（）]{0,60})"
)
_CLOSING = re.compile(r"(?P<inside>[^()\[\]【】（）]{0,60}?)(?P<close>\s*[)\]】）]|/(?!\w))")
_PAIRS = {"(": ")", "[": "]", "【": "】", "（": "）", "/": "/"}
_DASH = re.compile(r"[\s.,]{0,3}(?:[-–—―−‑]+|[:=＝])[-–—―−‑]*")
_RUN_ON = re.compile(
    r"(?:^|[\s\"”])(?P<place>[A-ZÀ-Þ][A-ZÀ-Þ.' -]{2,40}(?:, [A-Z][\w.]{0,12}){0,2}"
    r"(?:,? [A-Z][a-z]{2,8}\.? \d{1,2})?) ?\($"
)
_AFTER_PLACE = re.compile(r"(?P<place>.{2,60}?)\s*[-–—,.]\s*")
_BEFORE_TEXT = re.compile(r"\s*(?:[.,:]?\s*(?P<dash>[-–—]+)\s|[.:]\s|$)")
_NAME_FIRST = re.compile(r"\s*[-–—]+\s+\S")
_CHINESE = re.compile(
    r"[\s，,]{0,2}[\u4e00-\u9fff·\s]{1,14}(?:\d{1,2}\s?月)?\s?\d{1,2}\s?日\s?[电電讯訊]"
)
_NO_PLACE = re.compile(r"[!?;:\"“”„«»<>]|\. [a-z]")
_LETTERS = re.compile(r"[^\W\d_]+")
_NAME = re.compile(r"[^\W\d_][\w'.-]*")
_EDGES = " \t\u200b\ufeff•·*-–—―|>\"“”'"


def _dateline(mention: _Mention, rules: Agencies) -> Credit | None:
    """A credit for "BERLIN (dpa) –", "【東京＝共同】", "МОСКВА, 3 мая - РИА Новости." and the like."""
    if not mention.opens or len(mention.left) > MAX_PLACE + 60:
        return _dateline_run_on(mention)
    opening = _OPENING.fullmatch(mention.left)
    closing = _CLOSING.match(mention.right)
    if opening is None or closing is None or _PAIRS[opening["open"]] != closing["close"].strip():
        return _dateline_without_brackets(mention, rules) or _dateline_run_on(mention)
    rest = mention.right[closing.end() :]
    dash = _DASH.match(rest)
    place = opening["place"].strip(_EDGES)
    equal = opening["inside"].rstrip()[-1:] in ("=", "＝")
    if (
        not _is_desk(opening["inside"], rules)
        or not _is_desk(closing["inside"], rules)
        or not _is_place(place, mention.form, rules)
        or not (dash or equal or _starts_story(mention, place, rest))
    ):
        return _dateline_run_on(mention)
    start = mention.start - len(mention.left.lstrip(_EDGES))
    end = mention.end + closing.end() + (dash.end() if dash else 0)
    return _credit(mention, "dateline", start, end)


def _starts_story(mention: _Mention, place: str, rest: str) -> bool:
    """Whether what follows a bracket without a dash is the first sentence of a story."""
    story = rest.lstrip(" .\"“”'«„")
    if mention.start >= HEAD or len(story) < 20 or story[0].islower():
        return False
    return mention.kind != "dateline" or not mention.form.isascii() or _is_upper_place(place)


def _dateline_run_on(mention: _Mention) -> Credit | None:
    """A dateline within a line, near the start: where a page's lines have run together."""
    if mention.start >= HEAD or not mention.left.endswith("("):
        return None
    found = _RUN_ON.search(mention.left, max(0, len(mention.left) - MAX_PLACE))
    dash = _DASH.match(mention.right[1:]) if mention.right[:1] == ")" else None
    if not found or not dash:
        return None
    start = mention.line_start + found.start("place")
    return _credit(mention, "dateline", start, mention.end + 1 + dash.end())


def _dateline_without_brackets(mention: _Mention, rules: Agencies) -> Credit | None:
    """A credit for "МОСКВА, 5 мая - РИА Новости.", "AFP - " or "新华社北京5月3日电"."""
    if mention.kind == "dateline" or "(" in mention.left:
        return None
    left = mention.left.strip(_EDGES + "[【（据據")
    end = 0
    if not left:
        dash = _NAME_FIRST.match(mention.right) if mention.start < HEAD else None
        chinese = _CHINESE.match(mention.right)
        end = chinese.end() if chinese else dash.end() - 1 if dash else 0
    else:
        before, after = _AFTER_PLACE.fullmatch(mention.left), _BEFORE_TEXT.match(mention.right)
        if before and after and _is_place(before["place"], mention.form, rules):
            dated = re.search(r"\d", before["place"]) is not None
            short = _is_upper_place(before["place"]) and before["place"].count(" ") < 3
            if dated or (short and after["dash"]):
                end = after.end()
    if not end:
        return None
    start = mention.start - len(mention.left.lstrip(_EDGES))
    return _credit(mention, "dateline", start, mention.end + end)


def _is_desk(text: str, rules: Agencies) -> bool:
    """Whether what stands beside an agency in brackets is other agencies, desks or a place.

    "dpa/lno", "AFP, dpa", "東京＝共同", but not "Jane Doe/AP", the credit of a photograph.
    """
    rest = _without_agencies(text, rules)
    return all(
        word.lower() == word.upper()
        or (word.isascii() and word.islower() and len(word) <= 6 and word != "via")
        for word in _LETTERS.findall(rest)
    )


def _is_upper_place(place: str) -> bool:
    words = _LETTERS.findall(place)
    return bool(words) and words[0].isupper() and len(words[0]) > 2


def _is_place(place: str, form: str, rules: Agencies) -> bool:
    """Whether a text is a place, a date, both or empty."""
    words = _LETTERS.findall(place)
    if len(place) > MAX_PLACE or len(words) > 10 or _NO_PLACE.search(place):
        return False
    small = [word for word in words if word[0].islower()]
    if len(small) > 4 or (words and words[0][0].islower()):
        return False
    known = rules.wording["places"].words
    if not all(word.casefold() in known for word in small):
        return False
    initials = "".join(word[0] for word in words if word[0].isupper())
    plain_words = not re.search(r"[\d,/]", place) and not _is_upper_place(place)
    return not (plain_words and len(form) > 1 and initials.endswith(form))


# Notices, lines and footers ------------------------------------------------------------------

_NOTICE = re.compile(
    r"(?:©|\([cC]\)|\b(?i:copyright))"
    r"(?:[\s\d,.:–—/-]|©|\([cC]\)|\b(?i:copyright|by|the|thomson|and|und|et)\b)*"
)
_ALONE = 300  # code points at either end of a text where a line of only a name is a credit
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_SENTENCE_END = re.compile(r"(?<![A-Z])(?<!Jr)(?<!Sen)(?<!Gov)[.!?][\"”')]*\s+(?=[A-Z])")
_BRACKETED = re.compile(r"[(（\[【](?P<inside>[^()（）\[\]【】]{0,60})$")
_BRACKET_END = re.compile(r"(?P<inside>[^()（）\[\]【】]{0,60}?)[)）\]】](?P<stop>[\s.。]*)")
_ENDS = '.!?…。！？"”»“'  # a story's last sentence, not a caption or the title of a link
_THE = re.compile(r"(?:^|\s)[Tt]he$")
_SEPARATE = re.compile(r"[,|]\s*(?:The )?$")
_SIGNED = re.compile(r"[.!?\"”»)…]\s*(?P<sign>[-–—/]+\s*(?:The )?)$")


def _copyright(mention: _Mention, rules: Agencies) -> Credit | None:
    """A credit for "© 2024 dpa" or "Copyright The Associated Press. All rights reserved."."""
    window = mention.left[-80:]
    notice = next((m for m in _NOTICE.finditer(window) if m.end() == len(window)), None)
    if notice is None:
        return None
    after = mention.right[:120]
    if not (
        _YEAR.search(notice[0])
        or _YEAR.search(after[:12])
        or any(phrase in after.casefold() for phrase in rules.wording["rights"].words)
        or (mention.closes and not after.strip(_EDGES + ".)") and mention.at_an_end)
    ):
        return None
    start = mention.start - len(window) + notice.start()
    return _credit(mention, "copyright", start, mention.end)


def _whole_line(mention: _Mention, rules: Agencies) -> Credit | None:
    """A credit for a byline, or a line such as "Source: Xinhua" or "Contributing: …"."""
    if not mention.opens or not mention.at_an_end or mention.kind == "dateline":
        return None
    left, right = mention.left.strip(_EDGES), mention.right.strip(_EDGES + ".")
    ends = mention.closes and _is_title(right, rules)
    role = _byline(mention, left, right, rules, ends=ends) or (
        (_alone(mention, left, right, rules) or _labelled(left, right, rules)) if ends else None
    )
    if role is None:
        return None
    start = mention.start - len(mention.left.lstrip(_EDGES))
    return _credit(mention, role, start, mention.line_end if ends else mention.end)


def _byline(
    mention: _Mention, left: str, right: str, rules: Agencies, *, ends: bool
) -> Role | None:
    """The role of "By Jane Doe, Associated Press", also where the story follows in its line."""
    names = _after_label(left, rules.wording["byline"])
    if names is not None:
        people = _THE.sub("", names).rstrip(_EDGES + ",/")
        if not people:
            return "byline" if ends else None
        separate = bool(_SEPARATE.search(names)) or people.isupper()
        return "byline" if (ends or separate) and are_names(people, rules.words) else None
    # Without "By" a bar or what the person is must tell it from the credit of a photograph.
    marked = mention.left.rstrip().endswith("|") or _LETTERS.search(right)
    people = left.rstrip(_EDGES + ",")
    near = ends and mention.start < HEAD and marked and _is_role(right, rules)
    return "byline" if near and are_names(people, rules.words) else None


def _alone(mention: _Mention, left: str, right: str, rules: Agencies) -> Role | None:
    """The role of a line with nothing but an agency's name."""
    # A short one alone on a line is as often the credit of a photograph.
    telling = mention.kind == "names" and (len(mention.form) > 5 or mention.form.islower())
    if not telling or _THE.sub("", left) or not _is_role(right, rules):
        return None
    if mention.start < _ALONE:
        return "byline"
    return "footer" if mention.length - mention.end < _ALONE else None


def _labelled(left: str, right: str, rules: Agencies) -> Role | None:
    """The role of "Source: Xinhua", "Contributing: Jane Doe, AP" or "Mit dpa"."""
    rest = _after_label(left, rules.wording["source"])
    if rest is not None and _is_title(rest, rules):
        return "footer"
    rest = _after_label(left, rules.wording["with"])
    if rest is None or not _LIST.fullmatch(rest):
        return None
    return "footer" if _LIST.fullmatch(_without_agencies(right, rules)) else None


def _after_label(text: str, labels: _Phrases) -> str | None:
    """What follows a label at the start of a text; None where there is none."""
    for label in labels.unspaced:
        if text.startswith(label):
            return text[len(label) :].strip(" :：")
    parts = text.split(maxsplit=4)
    for count in range(min(4, len(parts)), 0, -1):
        if " ".join(_WORDS.findall(" ".join(parts[:count]).casefold())) in labels.words:
            return " ".join(parts[count:])
    return None


def _is_role(text: str, rules: Agencies) -> bool:
    """Whether what follows an agency's name is nothing, or a kind of writer, or a date."""
    known = rules.wording["roles"].words
    return all(word in known for word in _LETTERS.findall(text.casefold()))


def _is_title(text: str, rules: Agencies) -> bool:
    """Whether a text is only names and roles, no sentence."""
    known = (rules.wording["roles"].words, rules.words.links, rules.words.particles)
    if len(text) > 100 or _SENTENCE_END.search(text):
        return False
    small = [word for word in _LETTERS.findall(text) if word[0].islower()]
    return all(any(word in words for words in known) for word in small)


def _closing(mention: _Mention, rules: Agencies) -> Credit | None:
    """A credit for "(dpa)", "(avec AFP)" or "/AFP" at the end of a text."""
    if not mention.closes or mention.length - mention.end > CLOSING:
        return None
    if mention.opens and mention.line_start == 0 and mention.line_end < mention.length:
        return None  # a headline or a caption: the story is still to come
    opening, closing = _BRACKETED.search(mention.left), _BRACKET_END.fullmatch(mention.right)
    if opening and closing:
        text = mention.left[: opening.start()].rstrip()
        ends = not text or text[-1] in _ENDS or closing["stop"]
        inside = opening["inside"]
        for label in ("source", "with"):
            rest = _after_label(inside, rules.wording[label])
            inside = inside if rest is None else rest
        if ends and _is_desk(inside, rules) and _is_desk(closing["inside"], rules):
            end = mention.line_end - len(closing["stop"])
            return _credit(mention, "footer", mention.line_start + opening.start(), end)
    signed = _SIGNED.search(mention.left)
    if signed and mention.length - mention.line_end < 3 and not mention.right.strip(_EDGES + "."):
        return _credit(mention, "footer", mention.line_start + signed.start("sign"), mention.end)
    return None


def _footer(mention: _Mention, rules: Agencies) -> Credit | None:
    """A credit for "AP writers … contributed to this report" or "with files from Reuters"."""
    after = mention.right.lower()
    found = ((after.find(phrase), -len(phrase)) for phrase in rules.wording["contributed"].words)
    at, length = min((pair for pair in found if pair[0] >= 0), default=(-1, 0))
    if at >= 0 and not _SENTENCE_END.search(mention.right[:at]):
        start = mention.line_start if mention.opens else mention.start
        # With the first letter of the name: a sentence ends where a capital follows.
        for end in _SENTENCE_END.finditer(mention.left + mention.form[:1]):
            start = mention.line_start + end.end()
        return _credit(mention, "footer", start, mention.end + at - length)
    if mention.at_an_end:
        start = _before(mention, "from", rules)[0]
        if start >= 0:
            return _credit(mention, "footer", start, mention.end)
    return None


def _signatures(text: str, rules: Agencies) -> Iterator[Credit]:
    """Footers that do without the agency's name, near the end of a text."""
    offset = max(0, len(text) - TAIL)
    tail = text[offset:].lower()
    for parts, agency in rules.footers:
        start = at = tail.find(parts[0])
        for part in parts[1:]:
            at = tail.find(part, at, start + 2 * REACH) if at >= 0 else at
        if at >= 0 and "\n" not in tail[start:at]:
            end = tail.find("\n", at)
            end = min(end if end >= 0 else len(tail), start + 2 * REACH)
            yield Credit(offset + start, offset + end, agency, "footer")


# Citations -----------------------------------------------------------------------------------

_WORDS = re.compile(r"\w+")
_BREAK = re.compile(r"[.!?;:,()\[\]\"“”„«»。！？；：，、」』）（]")
_ASIDE = re.compile(r",[^,.!?]{3,60},")
_LIST = re.compile(
    r"(?:[\s,;/&+،、·|–—'-]|\b(?:and|und|et|y|e|och|og|en|i|и|the|The|la|l|d|de)\b|و|和)*"
)
_CONTEXT = 90  # code points on either side that can hold a citation's words
_SKIPPED = 8  # words between those and the agency
_MAX_PHRASE = 4  # words of a phrase


def _citation(mention: _Mention, rules: Agencies) -> Credit | None:
    """A credit for "told AFP", "according to the news agency ANSA" or "Reuters reported"."""
    if mention.kind == "dateline":
        return None
    if mention.kind == "cited":
        return _credit(mention, "citation", mention.start, mention.end)
    start, named = _before(mention, "told", rules)
    if start < 0:
        start, named = _before(mention, "according", rules)
        start = start if named or mention.kind == "names" else -1
    if start >= 0:
        return _credit(mention, "citation", start, mention.end)
    end = _after(mention, named or mention.kind == "names", rules)
    return _credit(mention, "citation", mention.start, end) if end >= 0 else None


def _before(mention: _Mention, use: str, rules: Agencies) -> tuple[int, bool]:
    """Where a phrase before a name starts, or -1, and whether a word for agency is between."""
    phrases, between = rules.wording[use], rules.wording["between"].words
    window = mention.left[-_CONTEXT:]
    for phrase in phrases.unspaced:
        if window.rstrip(_EDGES).endswith(phrase):
            return mention.start - len(window) + window.rindex(phrase), False
    window = _BREAK.split(window)[-1]
    words = list(_WORDS.finditer(window))
    named = False
    for _ in range(_SKIPPED):
        for count in range(min(_MAX_PHRASE, len(words)), 0, -1):
            if " ".join(word[0] for word in words[-count:]).casefold() in phrases.words:
                return mention.start - len(window) + words[-count].start(), named
        word = words.pop()[0].casefold() if words else ""
        named = named or word in rules.wording["agency"].words
        if not named and word not in between:
            break
    return -1, named


def _after(mention: _Mention, named: bool, rules: Agencies) -> int:
    """Where a phrase after a name ends, or -1; `named` where the name can only be an agency's."""
    reported, said = rules.wording["reported"], rules.wording["said"]
    between, agency = rules.wording["between"].words, rules.wording["agency"].words
    right, offset = mention.right, mention.end
    aside = _ASIDE.match(right)
    if aside and not agency.isdisjoint(_WORDS.findall(aside[0].casefold())):
        right, offset, named = right[aside.end() :], offset + aside.end(), True
    for phrase in reported.unspaced + (said.unspaced if named else ()):
        if right[: len(phrase) + 2].lstrip(_EDGES).startswith(phrase):
            return offset + right.index(phrase) + len(phrase)
    words = list(_WORDS.finditer(_BREAK.split(right[:_CONTEXT], maxsplit=1)[0]))
    for skipped in range(min(_SKIPPED, len(words))):
        for count in range(min(_MAX_PHRASE, len(words) - skipped), 0, -1):
            some = words[skipped : skipped + count]
            phrase = " ".join(word[0] for word in some).casefold()
            if phrase in reported.words or (named and phrase in said.words):
                return offset + some[-1].end()
        word = words[skipped][0].casefold()
        named = named or word in agency
        if word not in agency and word not in between:
            break
    return -1


# Reading the data ----------------------------------------------------------------------------

_KINDS = ("other", "dateline", "codes", "names", "cited")  # the later wins where two claim a form
_USES = (
    *("told", "according", "reported", "said", "between", "agency", "from", "contributed"),
    *("with", "source", "byline", "roles", "rights"),
)
_MIN_UPPER = 5  # letters of a name whose upper case is as good


def load_agencies(path: Path | None = None) -> Agencies:
    """The built-in agencies and wording, with those of a file of the same format added.

    Raises:
        ConfigError: the file cannot be read, or an entry makes no sense; the message names both.
    """
    return _builtin() if path is None else _build(path)


@functools.cache
def _builtin() -> Agencies:
    return _build(None)


def _build(path: Path | None) -> Agencies:
    agencies: dict[str, dict[str, list[str]]] = {}
    wording: dict[str, list[str]] = {use: [] for use in _USES}
    for where, tables in read_data("agencies.toml", path):
        for part, table in read_entries(where, tables, ("agencies", "wording")):
            for name, entry in read_entries(f"{where}: [{part}]", table):
                if part == "agencies":
                    _add_agency(f"{where}: [{part}] {name}", entry, agencies.setdefault(name, {}))
                else:
                    for use, value in read_entries(f"{where}: [{part}.{name}]", entry, _USES):
                        wording[use] += read_phrases(f"{where}: [{part}.{name}] {use}", value)
    words = load_furniture().words
    forms = _forms(agencies)
    capitalised: dict[str, list[str]] = {}
    for form in forms:
        first = _CAPITALISED.match(form)
        if first:
            capitalised.setdefault(first[0], []).append(form)
    others = [form for form in forms if not _CAPITALISED.match(form)]
    return Agencies(
        forms,
        capitalised,
        [form for form in others if not _FOREIGN.match(form)],
        [form for form in others if _FOREIGN.match(form)],
        _footers(agencies),
        _wording(wording, words),
        words,
    )


def _footers(agencies: Mapping[str, Mapping[str, Sequence[str]]]) -> list[tuple[list[str], str]]:
    return [
        ([part.strip().lower() for part in footer.split("*") if part.strip()], name)
        for name, agency in agencies.items()
        for footer in (() if "off" in agency else agency.get("footers", ()))
    ]


def _wording(found: Mapping[str, Sequence[str]], words: Words) -> dict[str, _Phrases]:
    """Phrases by their use, with the words of dates wherever single words may stand."""
    wording = {use: list(phrases) for use, phrases in found.items()}
    for use in ("between", "agency", "roles"):
        wording[use] = " ".join(wording[use]).casefold().split()
    wording["between"] += words.when
    wording["roles"] += words.when
    wording["places"] = list((words.when | words.particles) - words.never)
    between = frozenset(wording["between"])
    for phrase in found["told"]:  # "sagte der" also finds "sagte am Montag der"
        start, _, last = phrase.rpartition(" ")
        if start and last.casefold() in between:
            wording["told"].append(start)
    return {use: _phrases(phrases) for use, phrases in wording.items()}


def _add_agency(where: str, entry: Any, agency: dict[str, list[str]]) -> None:
    for name, value in read_entries(where, entry, (*_KINDS, "footers", "off")):
        if name == "off":
            if type(value) is not bool:
                raise ConfigError(f"{where} off must be true or false, not {value!r}")
            agency.pop(name, None)
            if value:
                agency[name] = []
        else:
            agency.setdefault(name, []).extend(read_phrases(f"{where} {name}", value))


def _forms(agencies: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[str, tuple[str, str]]:
    """Agency and kind of every form of a name."""
    forms: dict[str, tuple[str, str]] = {}
    for kind in _KINDS:
        for name, agency in agencies.items():
            for form in () if "off" in agency else agency.get(kind, ()):
                forms[form] = (name, kind)
                if kind == "names" and len(form) >= _MIN_UPPER:
                    forms.setdefault(form.upper(), (name, kind))
    return forms


def _phrases(phrases: Sequence[str]) -> _Phrases:
    unspaced = [phrase for phrase in phrases if is_unspaced(phrase[0])]
    words = {" ".join(_WORDS.findall(phrase.casefold())) for phrase in phrases}
    return _Phrases(frozenset(words), tuple(unspaced))
