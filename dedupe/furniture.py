"""Page furniture by form: "Share this article", "Photo: …", "© 2024 …", told line by line.

Copies of one story come with the furniture of different pages, and unrelated stories of one
page share theirs, so reused text is counted with and without it. Here it is told by its form
alone, from the phrases in `data/furniture.toml`: a line is furniture when the *whole* line is of
such a form and short enough, never because a phrase occurs in it. What a site repeats in forms
of its own is for a comparison of its articles to find.

A line costs a few dictionary lookups, by its first and last word. Only where one hits is an
expression tried. Expressions are made from phrases, so none can take long: all that can repeat
is bounded by the length of the line, and no text is gone over twice for two `*`.
"""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dedupe.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = [
    "Furniture",
    "Rule",
    "Words",
    "are_names",
    "find_furniture",
    "furniture_reason",
    "is_unspaced",
    "load_furniture",
    "plain",
    "read_data",
    "read_entries",
    "read_phrases",
]

MAX_LINE = 1000
"""Code points of a line, decoration included, above which it is body text without a look."""

MAX_PARAGRAPH = 3000
"""The same for a paragraph, which may hold several lines of furniture."""

_DATA = Path(__file__).with_name("data")
_DEFAULT_LONGEST = 200  # code points, where a reason does not say
_MAX_NAMES, _MAX_WHEN = 90, 80  # code points
_MAX_UNSPACED_NAME = 5  # code points of a person's name in Chinese, Japanese or Korean
_LAST_REACH = 32  # code points in which the last word is looked for
_SHORT = 60  # code points up to which every line is looked at
_GLANCES = (8, 6, 4, 2, 1)  # code points of either end of a line that tell whether it is worth more

# What may stand around a line and makes no difference. "(c)" has become "©" before it goes.
_MARKS = " \t\r\n\u00a0\u200b\ufeff•·●○■□▪▫◆►▶▸▼→›»>*#|+=_~-–—―\"'“”„«‘’:.…,"
_BEFORE = _MARKS + "([{<【「『（［〈《¿¡"
_AFTER = _MARKS + ")]}】」』）］〉》;!！。：，"

_USUAL = (("’", "'"), ("‘", "'"), ("\u00a0", " "), ("：", ":"), ("İ", "I"))
_COPYRIGHT = re.compile(r"\([cC]\)(?=[ ,]*(?:19|20)\d\d)|(?<=[tT] )\([cC]\)")
_WORD = re.compile(r"\w+|\S")
_ASCII = re.compile(r"[ -~]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"\d+")
_NUMERIC_DATE = re.compile(r"\b\d{1,4}([./-])\d{1,2}\1\d{2,4}\b")
_NAME_WORD = re.compile(r"[^\W\d_][\w.'-]*|[,|/&·•—–]")
_PLACEHOLDERS = ("*", "<names>", "<title>", "<when>", "<number>", "<handle>")
_PLACEHOLDER = re.compile("(" + "|".join(map(re.escape, _PLACEHOLDERS)) + ")")
_DATE = "<when>"
_OWN_WORD = re.compile(r"[^\W\d_]|©|@")

# The number in a group's name keeps several in one phrase apart.
_FORMS = {
    "<names>": rf"(?P<names%d>[^\W\d_][\w.,'&|/·•—– -]{{1,{_MAX_NAMES - 1}}}?)",
    "<title>": rf"(?P<title%d>\w[^.!?]{{0,{_MAX_NAMES - 1}}}?)",
    "<when>": rf"(?P<when%d>\w[\w .,:;/()+·•|'—–-]{{0,{_MAX_WHEN - 1}}}?)",
    "<number>": r"(?P<number%d>\d[\d.,]{0,8}[km]?)",
    "<handle>": r"(?P<handle%d>@\w{1,30})",
}


class Words(NamedTuple):
    """Words that tell dates and names, casefolded: the table `words` of the data."""

    when: frozenset[str]
    particles: frozenset[str]
    links: frozenset[str]
    never: frozenset[str]


class Rule(NamedTuple):
    """A phrase, the reason it stands for, and the longest line it is looked for in."""

    phrase: str
    reason: str
    longest: int


@dataclass(frozen=True, slots=True)
class Furniture:
    """Phrases of page furniture, ready to be looked up.

    Attributes:
        whole: reason of each line that is furniture as it stands.
        first, last: rules to try on a line, by its first or last word.
        inside: rules that neither begin nor end with a word, with a text that the line must hold.
        starts, ends: how longer lines begin and end that are worth a look.
        dates: the rule for a line that is a date and nothing else, if there is one.
        longest: the longest line any rule looks at, in code points.
        words: what tells dates and names.
    """

    whole: Mapping[str, str]
    first: Mapping[str, Sequence[Rule]]
    last: Mapping[str, Sequence[Rule]]
    inside: Sequence[tuple[bytes, Rule]]
    starts: frozenset[str]
    ends: frozenset[str]
    dates: Rule | None
    longest: int
    words: Words


# Looking at lines ----------------------------------------------------------------------------


def find_furniture(
    text: str, paragraphs: Sequence[tuple[int, int]], furniture: Furniture | None = None
) -> list[str | None]:
    r"""The reason each paragraph is page furniture, or None where it is not.

    A paragraph of several lines is furniture when all its lines are, for the reason of its first.

    Args:
        text: an article.
        paragraphs: spans of its paragraphs, in code points.
        furniture: phrases to look for; the built-in ones by default.

    >>> text = "Rivers rose.\n\nShare this article\n\n© 2024 The Example"
    >>> find_furniture(text, [(0, 12), (14, 32), (34, 52)])
    [None, 'share', 'copyright']
    """
    rules = furniture or load_furniture()
    text = plain(text)
    inside = _inside(text, rules)
    return [_paragraph_reason(text[start:end], rules, inside) for start, end in paragraphs]


def furniture_reason(line: str, furniture: Furniture | None = None) -> str | None:
    """The reason a line is page furniture, such as "share" or "caption", or None.

    Lines longer than the reason's `longest` are none of its furniture.

    >>> furniture_reason("By Jane Doe and Li Wei, The Example")
    'byline'
    >>> furniture_reason("By the time Jane Doe arrived, it was over.")
    """
    if len(line) > MAX_LINE:
        return None
    rules = furniture or load_furniture()
    line = plain(line)
    return _line_reason(line, rules, _inside(line, rules))


def _paragraph_reason(paragraph: str, rules: Furniture, inside: Sequence[Rule]) -> str | None:
    if len(paragraph) > MAX_PARAGRAPH:
        return None
    reason = None
    for line in paragraph.splitlines():
        if line and not line.isspace():
            found = _line_reason(line, rules, inside)
            if found is None:
                return None
            reason = reason or found
    return reason


def _line_reason(line: str, rules: Furniture, inside: Sequence[Rule]) -> str | None:
    """The reason of a line that `plain` has seen, given the inside rules that may fit."""
    if len(line) > MAX_LINE:
        return None
    if "(c)" in line or "(C)" in line:
        line = _COPYRIGHT.sub("©", line)
    text = line.lstrip(_BEFORE).rstrip(_AFTER)
    if not 1 < len(text) <= rules.longest or not (inside or _may_match(text, rules)):
        return None
    text = _squeezed(text)
    folded = text.casefold()
    found = rules.whole.get(folded)
    if found is None:
        for rule in _candidates(folded, rules, inside):
            if len(text) <= rule.longest and _matches(rule.phrase, text, rules.words):
                return rule.reason
    return found


def _may_match(text: str, rules: Furniture) -> bool:
    """A look at both ends of a line that most lines do not pass."""
    if len(text) <= _SHORT:
        return True
    start, end = text[: _GLANCES[0]].casefold(), text[-_GLANCES[0] :].casefold()
    return any(start[:length] in rules.starts or end[-length:] in rules.ends for length in _GLANCES)


def plain(text: str) -> str:
    """A text of the same length with plain apostrophes, colons, spaces and capital i."""
    if text.isascii():
        return text
    for mark, usual in _USUAL:
        text = text.replace(mark, usual)
    return text


def _squeezed(text: str) -> str:
    """A text with single spaces, and none before a colon, where French puts one."""
    return " ".join(text.split()).replace(" :", ":")


def _inside(text: str, rules: Furniture) -> list[Rule]:
    """The rules for text inside lines whose words do occur in a text."""
    folded = text.encode("utf-8", "surrogatepass").lower()  # of bytes, which is much faster
    return [rule for probe, rule in rules.inside if probe in folded]


def _candidates(folded: str, rules: Furniture, inside: Sequence[Rule]) -> Iterator[Rule]:
    """The rules worth trying on a line."""
    first = _WORD.match(folded)
    if first:
        yield from rules.first.get(_key(first[0]), ())
    last = _WORD.findall(folded, max(0, len(folded) - _LAST_REACH))
    if last:
        yield from rules.last.get(_key(last[-1], last=True), ())
    yield from inside
    if rules.dates and len(folded) <= _SHORT:
        yield rules.dates


def _key(word: str, *, last: bool = False) -> str:
    """What a word is looked up by: where words are not spaced out, two letters of it."""
    if is_unspaced(word[-1] if last else word[0]):
        return word[-2:] if last else word[:2]
    return word


def is_unspaced(char: str) -> bool:
    """Whether a letter is of a script that puts no spaces between words, or hangs endings on."""
    return char >= "\u0e00" and (char <= "\u0eff" or "\u2e80" <= char <= "\ud7ff")


def _matches(phrase: str, text: str, words: Words) -> bool:
    """Whether a whole line is of a phrase's form."""
    if phrase == _DATE:
        return _is_date(text, words)
    match = _expression(phrase).fullmatch(text)
    return match is not None and all(
        _CHECKS[group.rstrip("0123456789")](value, words)
        for group, value in match.groupdict().items()
    )


@functools.cache
def _expression(phrase: str) -> re.Pattern[str]:
    """A phrase as a regular expression for the whole line."""
    segments = [""]  # what stands between two stars
    pieces = [piece for piece in _PLACEHOLDER.split(phrase) if piece]
    for k, piece in enumerate(pieces):
        if piece == "*":
            segments.append("")
            continue
        form = _FORMS[piece] % k if piece in _FORMS else re.escape(piece).replace(r":\ ", r":\ ?")
        if k and pieces[k - 1] == "*" and _is_spaced_word(piece[0]):
            form = r"\b" + form
        if k + 1 < len(pieces) and pieces[k + 1] == "*" and _is_spaced_word(piece[-1]):
            form += r"\b"
        segments[-1] += form
    # Of a segment between stars the first occurrence is as good as any: atomic, so that no
    # text is gone over twice. The last segment stands at the end.
    between = "".join(f"(?>.*?{segment})" for segment in segments[1:-1])
    end = f".*{segments[-1]}" if len(segments) > 1 else ""
    return re.compile(segments[0] + between + end, re.IGNORECASE)


def _is_spaced_word(char: str) -> bool:
    return char.isalnum() and not is_unspaced(char)


def are_names(text: str, words: Words) -> bool:
    """Whether a text is the names of people, with what they work for or not.

    At least two capitalised words come before the first comma, "and" or "of"; every other word
    is capitalised or one that stands in names. Scripts without capitals pass.
    """
    parts = _NAME_WORD.findall(text)
    if not parts or _DIGITS.search(text) or parts[0].casefold() in words.never:
        return False
    person, first = 0, True
    for part in parts:
        low = part.casefold().rstrip(".")
        if not part[0].isalpha() or low in words.links:
            first = False
        elif low not in words.particles:
            if part[0].islower() or (is_unspaced(part[0]) and len(part) > _MAX_UNSPACED_NAME):
                return False
            person += first
    return person >= 2 or (person == 1 and is_unspaced(parts[0][0]))


def _is_title(text: str, words: Words) -> bool:
    """Whether every word of a text is capitalised or one that stands in names."""
    return all(
        not part[0].islower()
        or part.casefold() in words.links
        or part.casefold() in words.particles
        for part in _LETTERS.findall(text)
    )


def _is_when(text: str, words: Words) -> bool:
    """Whether a text is a date, a time or both."""
    return bool(_DIGITS.search(text)) and all(
        run in words.when or (is_unspaced(run[0]) and words.when.issuperset(run))
        for run in _LETTERS.findall(text.casefold())
    )


def _is_date(text: str, words: Words) -> bool:
    """Whether a text is a full date or a date and time, and nothing else."""
    numbers = _DIGITS.findall(text)
    if len(numbers) < 2 or not (":" in text or any(len(number) == 4 for number in numbers)):
        return False
    return bool(_NUMERIC_DATE.search(text) or _LETTERS.search(text)) and _is_when(text, words)


# What the text for a placeholder must be.
_CHECKS: dict[str, Callable[[str, Words], bool]] = {
    "names": are_names,
    "title": _is_title,
    "when": _is_when,
    "number": lambda _text, _words: True,
    "handle": lambda _text, _words: True,
}


# Reading the phrases -------------------------------------------------------------------------


def load_furniture(path: Path | None = None) -> Furniture:
    """The built-in phrases, with those of a file of the same format added.

    Raises:
        ConfigError: the file cannot be read, or an entry makes no sense; the message names both.
    """
    return _builtin() if path is None else _build(path)


@functools.cache
def _builtin() -> Furniture:
    return _build(None)


def _build(path: Path | None) -> Furniture:
    reasons: dict[str, _Reason] = {}
    words: dict[str, list[str]] = {name: [] for name in Words._fields}
    for where, tables in read_data("furniture.toml", path):
        for name, table in tables.items():
            if name == "words":
                for kind, value in read_entries(f"{where}: [words]", table, Words._fields):
                    found = " ".join(read_phrases(f"{where}: [words] {kind}", value))
                    words[kind] += found.casefold().split()
            else:
                reasons.setdefault(name, _Reason()).read(f"{where}: [{name}]", table)
    index = _Index({}, {}, {}, [], [], [])
    for name, reason in reasons.items():
        if not reason.off:
            for where, phrases in reason.phrases:
                for phrase in phrases:
                    index.add(where, phrase, name, reason.longest)
    return index.furniture(Words(**{name: frozenset(found) for name, found in words.items()}))


@dataclass(slots=True)
class _Reason:
    """What the data files say of one reason; phrases with the entry they come from."""

    longest: int = _DEFAULT_LONGEST
    off: bool = False
    phrases: list[tuple[str, list[str]]] = field(default_factory=list)

    def read(self, where: str, table: Any) -> None:
        """Add a table of a data file."""
        for name, value in read_entries(where, table, ("longest", "phrases", "off")):
            if name == "phrases":
                entry = f"{where} {name}"
                self.phrases.append((entry, read_phrases(entry, value)))
            elif name == "off":
                if type(value) is not bool:
                    raise ConfigError(f"{where} off must be true or false, not {value!r}")
                self.off = value
            elif type(value) is not int or not 0 < value <= MAX_LINE:
                raise ConfigError(f"{where} longest must be from 1 to {MAX_LINE}, not {value!r}")
            else:
                self.longest = value


class _Index(NamedTuple):
    """What `Furniture` is made of, while it is made."""

    whole: dict[str, str]
    first: dict[str, list[Rule]]
    last: dict[str, list[Rule]]
    inside: list[tuple[bytes, Rule]]
    starts: list[str]
    ends: list[str]

    def add(self, where: str, phrase: str, reason: str, longest: int) -> None:
        """Put a phrase where the lines it may match will be looked up."""
        pieces = _PLACEHOLDER.split(phrase)
        pieces[0] = pieces[0].lstrip(_BEFORE)
        pieces[-1] = pieces[-1].rstrip(_AFTER)
        form = "".join(pieces)
        literals = [piece.casefold() for piece in pieces[::2]]
        if form != _DATE and not any(map(_OWN_WORD.search, literals)):
            raise ConfigError(f"{where}: {phrase!r} has no words of its own")
        if len(pieces) == 1 and len(form) <= _SHORT:
            self.whole.setdefault(literals[0], reason)
            return
        rule = Rule(form, reason, longest)
        if literals[0]:
            key = _WORD.findall(literals[0])[0]
            self.first.setdefault(_key(key), []).append(rule)
            self.starts.append(literals[0].replace(": ", ":"))
        elif literals[-1]:
            key = _WORD.findall(literals[-1])[-1]
            self.last.setdefault(_key(key, last=True), []).append(rule)
            self.ends.append(literals[-1])
        else:
            probes = [run for text in literals for run in _ASCII.findall(text)] or literals
            self.inside.append((max(probes, key=len).strip().encode(), rule))

    def furniture(self, words: Words) -> Furniture:
        """All of it, as it will be used."""
        rules = [rule for some in (*self.first.values(), *self.last.values()) for rule in some]
        rules += [rule for _, rule in self.inside]
        lengths = [rule.longest for rule in rules] + [len(phrase) for phrase in self.whole]
        return Furniture(
            whole=self.whole,
            first=self.first,
            last=self.last,
            inside=[(probe, rule) for probe, rule in self.inside if probe],
            starts=frozenset(start[: _glance(start)] for start in self.starts),
            ends=frozenset(end[-_glance(end) :] for end in self.ends),
            dates=next((rule for probe, rule in self.inside if not probe), None),
            longest=max(lengths, default=0),
            words=words,
        )


def _glance(text: str) -> int:
    """The longest of `_GLANCES` that fits into a text."""
    return next(length for length in _GLANCES if length <= len(text))


def read_data(name: str, path: Path | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tables of a built-in data file and of a user's, if any, each with the file's name.

    Raises:
        ConfigError: the user's file cannot be read or is not TOML.
    """
    yield name, tomllib.loads((_DATA / name).read_text(encoding="utf-8"))
    if path is not None:
        try:
            yield str(path), tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: not valid TOML: {error}") from error


def read_entries(where: str, table: Any, known: Sequence[str] = ()) -> Iterator[tuple[str, Any]]:
    """The entries of a table of a data file; one unknown, if any are known, raises `ConfigError`."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table")
    for name, value in table.items():
        if known and name not in known:
            raise ConfigError(f"{where}: unknown entry {name!r}; known are {', '.join(known)}")
        yield name, value


def read_phrases(where: str, value: Any) -> list[str]:
    """Phrases of a data file: a list of texts, or one text with line breaks or "|" between them."""
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        raise ConfigError(f"{where} must be phrases, not {value!r}")
    if not isinstance(value, list):
        texts = value.replace("\n", "|").split("|")
    return [phrase for phrase in map(_squeezed, map(plain, texts)) if phrase]
