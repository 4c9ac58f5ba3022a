"""Invented event coverage: independent articles that share names, numbers and quotations.

`python -m benchmarks.events -o events.parquet`

Three reporters write about one event. They were at the same press conference, so names, figures
and long quotations agree; every other sentence is their own: no run of `OWN_RUN` words of it is in
another article of the event. So at least nine tenths of what a pair shares is inside quotation
marks; the rest is attributions and stock phrases. No pair is syndication: a tool that joins one
mistakes quoted speech for copy.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["OWN_RUN", "STOCK", "events"]

MARKS = (("“", "”"), ('"', '"'), ("«", "»"), ("„", "“"))
"""Quotation marks; each article of an event uses another pair of them."""
STOCK = (
    "This is a developing story and will be updated as details emerge.",
    "Sign up for our newsletter to get the day in your inbox.",
    "All rights reserved. No part may be republished without permission.",
)
"""Phrases a newsroom's system adds."""
OWN_RUN = 5
"""Words; the width of the peers' shingles, so that what is shared is exactly what is meant."""
LONG_QUOTE = 45
"""Words from which a quotation may run over two paragraphs, the mark repeated on the second."""
USED = 0.5
"""Chance that a reporter uses a quotation. Of 300 pairs 200 then share text, half of these more
than .15 of the shorter article's 5-grams, the closest .37."""
TOPIC = 0.3
"""Share of content words from the event's own list: pairs then have a unigram resemblance of .14
to .27 (tenth and ninetieth percentile), far above unrelated articles."""
_WORD = re.compile(r"\w+")
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvw", "aeiou"


@dataclass(slots=True)
class _Event:
    """What the reporters have in common: names, words of the topic, and who said what."""

    people: list[str]
    place: str
    numbers: list[int]
    topic: list[str]
    quotes: list[tuple[str, list[list[str]]]] = field(default_factory=list)


@dataclass(slots=True)
class _Draft:
    """One article being written; `quotations` are code point spans, marks included."""

    text: str = ""
    quotations: list[tuple[int, int]] = field(default_factory=list)

    def add(self, paragraph: str) -> int:
        """Add a paragraph; returns where it starts."""
        self.text += "\n\n" * bool(self.text)
        start = len(self.text)
        self.text += paragraph
        return start


class _Reporter:
    """Writes sentences from a small grammar over invented words, never repeating a run."""

    def __init__(self, random: np.random.Generator, event: _Event, lexicon: list[str]) -> None:
        self.random = random
        self.event = event
        self.lexicon = lexicon

    def sentence(self, taken: set[tuple[str, ...]], avoid: set[tuple[str, ...]]) -> str:
        """A sentence with no run of words in `avoid`; its own runs are added to `taken`."""
        while True:
            words = " ".join(self._clause())
            text = words[0].upper() + words[1:] + "."
            runs = _runs(text)
            if not runs & avoid:
                taken |= runs
                return text

    def quotation(self, words: int) -> list[list[str]]:
        """Sentences of somebody's speech, as words, at least `words` in all."""
        sentences: list[list[str]] = []
        while sum(map(len, sentences)) < words:
            sentence = [str(self._choice(("We", "They", "I", "You", "People"))), *self._predicate()]
            if self._chance(0.5):
                sentence += ["because", *self._clause()]
            sentences.append(" ".join(sentence).split())
        return sentences

    def _clause(self) -> list[str]:
        lead = [*self._phrase(), ","] if self._chance(0.3) else []
        tail = [word for _ in range(self.random.integers(0, 3)) for word in self._phrase()]
        return " ".join([*lead, *self._noun_phrase(), *self._predicate(), *tail]).replace(
            " ,", ","
        ).split()  # fmt: skip

    def _predicate(self) -> list[str]:
        verb = self._word() + str(self._choice(("ed", "s", "es", "ed")))
        if self._chance(0.25):
            return [verb, "that", *self._noun_phrase(), self._word() + "ed", *self._noun_phrase()]
        return [verb, *self._noun_phrase()]

    def _phrase(self) -> list[str]:
        preposition = self._choice(
            ("in", "on", "after", "near", "with", "despite", "for", "before")
        )
        return [str(preposition), *self._noun_phrase()]

    def _noun_phrase(self) -> list[str]:
        kind = self.random.random()
        if kind < 0.12:
            return [str(self._choice(self.event.people))]
        if kind < 0.2:
            return [self.event.place]
        if kind < 0.3:
            return [str(self._choice(self.event.numbers)), self._word() + "s"]
        article = str(self._choice(("the", "the", "a", "its", "their", "this")))
        if kind < 0.55:
            return [article, self._word() + "y", self._word()]
        if kind < 0.65:
            return [article, self._word(), "of", self.event.place]
        return [article, self._word()]

    def _word(self) -> str:
        """A word: of the event's topic now and then, else from the lexicon by Zipf's law."""
        if self._chance(TOPIC):
            return str(self._choice(self.event.topic))
        rank = int(len(self.lexicon) ** self.random.random()) - 1
        return self.lexicon[rank]

    def _choice(self, values: Sequence[object]) -> object:
        return values[int(self.random.integers(0, len(values)))]

    def _chance(self, share: float) -> bool:
        return bool(self.random.random() < share)


def events(triples: int = 100, *, seed: int = 1) -> pl.DataFrame:
    """Articles in threes about one event each.

    Returns:
        Columns id, source, published, text, event, quotations (code point spans with their marks).
    """
    random = np.random.default_rng(seed)
    lexicon = _names(random, 3000, (2, 3))
    rows = []
    for number in range(triples):
        event = _event(random, lexicon)
        written: set[tuple[str, ...]] = set()
        day = np.datetime64("2022-03-01T06:00:00") + np.timedelta64(number, "D")
        for order, style in enumerate(random.permutation(len(MARKS))[:3].tolist()):
            draft = _write(_Reporter(random, event, lexicon), MARKS[style], written)
            rows.append(
                {
                    "id": f"e{number:04d}-{order}",
                    "source": f"desk{int(random.integers(0, 40)) * 3 + order}.example",
                    "published": f"{day + np.timedelta64(int(random.integers(0, 600)), 'm')}Z",
                    "text": draft.text,
                    "event": number,
                    "quotations": [{"start": start, "end": end} for start, end in draft.quotations],
                }
            )
    return pl.DataFrame(rows)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.events", description=__doc__)
    parser.add_argument("--triples", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True, help=".parquet")
    args = parser.parse_args()
    events(args.triples, seed=args.seed).write_parquet(args.output)


def _event(random: np.random.Generator, lexicon: list[str]) -> _Event:
    people = [
        f"{first.capitalize()} {last.capitalize()}"
        for first, last in zip(_names(random, 3, (2,)), _names(random, 3, (2, 3)), strict=True)
    ]
    event = _Event(
        people=people,
        place=_names(random, 1, (2, 3))[0].capitalize(),
        numbers=random.integers(3, 5000, 4).tolist(),
        topic=_names(random, 40, (1, 2, 3)),
    )
    speaker = _Reporter(random, event, lexicon)
    for number in range(int(random.integers(2, 6))):
        words = int(random.integers(12, 50))
        event.quotes.append((people[number % len(people)], speaker.quotation(words)))
    return event


def _write(reporter: _Reporter, marks: tuple[str, str], written: set[tuple[str, ...]]) -> _Draft:
    """One article; `written` holds the runs of the event's other articles and gets this one's."""
    random, event = reporter.random, reporter.event
    mine: set[tuple[str, ...]] = set()

    def own(low: int, high: int) -> str:
        count = int(random.integers(low, high))
        return " ".join(reporter.sentence(mine, written) for _ in range(count))

    draft = _Draft()
    used = random.permutation(np.flatnonzero(random.random(len(event.quotes)) < USED))
    for _ in range(int(random.integers(2, 10))):
        draft.add(own(2, 4))
    for number in used.tolist():
        speaker, sentences = event.quotes[number]
        _quote(draft, reporter, speaker, [" ".join(s) + "." for s in sentences], marks)
        for _ in range(int(random.integers(1, 4))):
            draft.add(own(1, 4))
    draft.add(own(1, 3))
    if random.random() < 0.3:
        draft.add(STOCK[int(random.integers(0, len(STOCK)))])
    written |= mine
    return draft


def _quote(
    draft: _Draft, reporter: _Reporter, speaker: str, sentences: list[str], marks: tuple[str, str]
) -> None:
    """Add a quotation: whole, split by its attribution, or over two paragraphs."""
    random = reporter.random
    opening, closing = marks
    verb = ("said", "told reporters", "added", "insisted", "wrote")[int(random.integers(0, 5))]
    by = f"{speaker} {verb}" if random.random() < 0.5 else f"{verb} {speaker}"
    middle = len(sentences) // 2
    words = sum(len(sentence.split()) for sentence in sentences)
    pick = random.random()
    if middle and pick < 0.3:
        first = " ".join(sentences[:middle]).removesuffix(".") + ","
        second = " ".join(sentences[middle:])
        before = f"{opening}{first}{closing}"
        start = draft.add(f"{before} {by}. {opening}{second}{closing}")
        draft.quotations.append((start, start + len(before)))
        draft.quotations.append((len(draft.text) - len(second) - 2, len(draft.text)))
    elif middle and words >= LONG_QUOTE and pick < 0.6:
        lead = f"{by[0].upper()}{by[1:]}: "
        start = draft.add(f"{lead}{opening}{' '.join(sentences[:middle])}")
        draft.quotations.append((start + len(lead), len(draft.text)))
        start = draft.add(f"{opening}{' '.join(sentences[middle:])}{closing}")
        draft.quotations.append((start, len(draft.text)))
    else:
        speech = f"{opening}{' '.join(sentences).removesuffix('.')},{closing}"
        start = draft.add(f"{speech} {by}.")
        draft.quotations.append((start, start + len(speech)))


def _names(random: np.random.Generator, count: int, lengths: Sequence[int]) -> list[str]:
    """Different invented words of some syllables each."""
    found: dict[str, None] = {}
    pick: Callable[[str], str] = lambda letters: letters[int(random.integers(0, len(letters)))]  # noqa: E731
    while len(found) < count:
        syllables = lengths[int(random.integers(0, len(lengths)))]
        word = "".join(pick(_CONSONANTS) + pick(_VOWELS) for _ in range(syllables))
        found[word + pick("nrslt")] = None
    return list(found)


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return {tuple(words[i : i + OWN_RUN]) for i in range(len(words) - OWN_RUN + 1)}


if __name__ == "__main__":
    main()
