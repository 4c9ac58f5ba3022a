"""Rewrites of articles with known truth: which word of the rewrite comes from where.

`make_pairs` takes articles of a corpus, or invents some, and rewrites each as an editor might:
half of the paragraphs stay, some of them moved, split, merged, or with a sentence gone to
another paragraph; words are exchanged, dropped and added; paragraphs of another article on the
same topic, which has no run of words in common with the first, stand between. Both texts get
the same quotation in unrelated paragraphs, as independent articles do: no reuse.

Texts are put together from words with white space between, which no token crosses. So a word
that was copied gives the same tokens in both texts, and the truth follows from how a rewrite
was made, not from comparing the two.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from benchmarks.generate import Shape
from benchmarks.generate import corpus as generated
from dedupe.quotations import mark_quotations
from dedupe.records import Article, Batch
from dedupe.tokens import Tokens, tokenise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["GAP", "HARD", "Pair", "join", "make_pairs", "tokens_of"]

HARD = 0.45
"""The edit rate of the hard setting."""
MIXED = (0.15, 0.3)
"""The mixed setting: the share of paragraphs without an edit; the others' highest rate."""
GAP = 12
"""Tokens between two stretches, on either side, up to which they count as one passage."""
KINDS = {"replace": 0.575, "drop": 0.2, "add": 0.2, "swap": 0.025}
"""What an edited word undergoes: the shares of all edits."""
KEPT, MOVED, SPLIT, MERGED, WANDERING = 0.5, 0.2, 0.2, 0.2, 0.15
"""Chances of a paragraph to be kept, and of a kept one to be moved, split, merged with the next
kept one, or to lose a sentence to another paragraph. Half of the splits end up apart."""
NEW = (0.3, 0.7)
"""New paragraphs, as a share of those kept."""
QUOTATIONS, QUOTED_WORDS = (1, 3), (10, 40)
"""Shared quotations in a pair of texts, and their words."""
PARAGRAPH, PARAGRAPHS, LETTERS = 15, 8, (2_000, 10_000)
"""Words of a paragraph that is kept or new; how many of these an article needs; its code points."""
SENTENCE = 13
"""Words at least of what a split or a wandering sentence takes along: more than `GAP`."""
RUN = 5
"""Texts on one topic that have no run of so many tokens in common are taken for unrelated."""
POOL, NEIGHBOURS = 1500, 40
"""Articles among which others on the same topic are looked for, and how many are tried."""
ATTRIBUTIONS = (
    ("", ",”", "{} said."),
    ("{} told reporters:", ".”", ""),
    ("As {} put it,", ".”", ""),
    ("", ",”", "according to {}."),
)
"""Before a quotation, at its end, and after it; the two texts never use the same one."""

_BORDER = re.compile(r"\w{3}[.!?][\"'”’)\]]*$")
_CORE = re.compile(r"\w(?:.*\w)?", re.DOTALL)
_MARKS = str.maketrans("", "", '“”„«»"＂「」『』')


@dataclass(frozen=True, slots=True)
class Pair:
    """An article, its rewrite, and the truth about them.

    Attributes:
        a, b: the two texts.
        truth: int64 (n_b,), the token of a that each token of b was copied from, or -1.
        quoted: bool (n_b,), tokens of b in a quotation that both texts have: no reuse.
        cases: int64 (n, 4), reused passages as first token and token after the last in a, and
            the same in b: what the sentences kept became, joined over gaps of up to `GAP`
            tokens in both texts, in order in both, and cut to the outermost copied tokens.
        tokens_a, tokens_b: the texts' tokens, quoted speech marked.
    """

    a: str
    b: str
    truth: NDArray[np.int64]
    quoted: NDArray[np.bool_]
    cases: NDArray[np.int64]
    tokens_a: Tokens
    tokens_b: Tokens


class _Word(NamedTuple):
    """A word of a rewrite with its punctuation; `origin` is its number in a, or below 0."""

    text: str
    origin: int


_NEW, _QUOTED = -1, -2  # origins of words that were not copied


@dataclass(slots=True)
class _Sentence:
    """A sentence of a text, and where it stands in a: its paragraph and words, or -1."""

    words: list[_Word]
    paragraph: int = -1
    first: int = -1
    last: int = -1


_Paragraph = list[_Sentence]


class _Topic(NamedTuple):
    """An article, one on the same topic, and one to quote from: words by paragraph."""

    source: list[list[str]]
    related: list[list[str]]
    quoted: list[list[str]]


def make_pairs(
    corpus: Path | str | None = None, *, pairs: int = 150, seed: int = 1, rate: float | None = None
) -> list[Pair]:
    """Articles and their rewrites. The same arguments give the same pairs.

    Args:
        corpus: parquet with a column `text`; articles are invented without it.
        pairs: how many.
        seed: draws articles, what is kept, and edits. Pairs of one seed at two rates differ in
            the edits alone.
        rate: share of words edited, in every paragraph; None is the mixed setting, where each
            paragraph has a rate of its own from 0 to .3, some exactly 0.
    """
    topics = _topics(None if corpus is None else str(corpus), pairs, seed)
    return [
        _rewrite(topic, Random(f"{seed} {number}"), Random(f"{seed} {number} {rate}"), rate)
        for number, topic in enumerate(topics)
    ]


def tokens_of(text: str) -> Tokens:
    """The tokens of a text, quoted speech marked."""
    tokens, marks = tokenise(Batch.from_articles([Article(id="", text=text)]))
    mark_quotations(tokens, marks)
    return tokens


def join(blocks: NDArray[np.int64], gap: int = GAP) -> NDArray[np.int64]:
    """Join blocks (a start, a end, b start, b end) to passages, in the order of b.

    A block is joined to the one before it in b where it follows that one in both texts with at
    most `gap` tokens between, in a as in b.
    """
    joined: list[list[int]] = []
    for block in blocks[np.argsort(blocks[:, 2], kind="stable")].tolist():
        gaps = (block[0] - joined[-1][1], block[2] - joined[-1][3]) if joined else (-1, -1)
        if min(gaps) >= 0 and max(gaps) <= gap:
            joined[-1][1], joined[-1][3] = block[1], block[3]
        else:
            joined.append(block)
    return np.array(joined, np.int64).reshape(-1, 4)


def _rewrite(topic: _Topic, structure: Random, edits: Random, rate: float | None) -> Pair:
    """Rewrite one article. `structure` draws what goes where, `edits` the words."""
    source = [_sentences(words) for words in topic.source]
    eligible = [k for k, words in enumerate(topic.source) if len(words) >= PARAGRAPH]
    kept = [k for k in eligible if structure.random() < KEPT]
    if not 3 <= len(kept) <= len(eligible) - 2:
        kept = sorted(structure.sample(eligible, len(eligible) // 2))
    fresh = _fresh(topic.related, len(kept), structure)
    _quote(topic.quoted, [source[k] for k in eligible if k not in kept], fresh, structure)
    _number(source)
    paragraphs = _arrange([list(source[k]) for k in kept], fresh, structure)
    rates = {k: _mixed(edits) if rate is None else rate for k in kept}
    vocabulary = [word for words in topic.related for word in map(_bare, words) if word]
    rewrite = [
        [
            replace(sentence, words=list(_edited(sentence.words, rates[k], vocabulary, edits)))
            if (k := sentence.paragraph) >= 0
            else sentence
            for sentence in paragraph
        ]
        for paragraph in paragraphs
    ]
    return _pair(source, rewrite)


def _sentences(words: list[str]) -> _Paragraph:
    """A paragraph by its sentences, as far as full stops and capitals tell."""
    borders = [
        k
        for k in range(1, len(words))
        if _BORDER.search(words[k - 1]) and not words[k].lstrip("\"'“‘«„(")[:1].islower()
    ]
    return [
        _Sentence([_Word(word, _NEW) for word in words[first:last]])
        for first, last in pairwise([0, *borders, len(words)])
    ]


def _number(source: list[_Paragraph]) -> None:
    """Say of every word and sentence of a where it stands."""
    at = 0
    for k, paragraph in enumerate(source):
        for sentence in paragraph:
            sentence.paragraph, sentence.first = k, at
            at += len(sentence.words)
            sentence.last = at
            sentence.words = [
                word._replace(origin=sentence.first + i) for i, word in enumerate(sentence.words)
            ]


def _fresh(related: list[list[str]], kept: int, random: Random) -> list[_Paragraph]:
    """New paragraphs."""
    usable = [words for words in related if len(words) >= PARAGRAPH]
    count = min(len(usable), max(2, round(random.uniform(*NEW) * kept)))
    return [_sentences(words) for words in random.sample(usable, count)]


def _quote(
    quoted: list[list[str]], dropped: list[_Paragraph], fresh: list[_Paragraph], random: Random
) -> None:
    """Put quotations into paragraphs of a that are not kept and into new ones of b."""
    count = min(random.randint(*QUOTATIONS), len(dropped), len(fresh))
    speech = _speech(quoted, count, random)
    places = zip(random.sample(dropped, count), random.sample(fresh, count), strict=True)
    names = [w for words in quoted for w in map(_bare, words[1:]) if w.istitle() and len(w) > 3]
    for words, place in zip(speech, places, strict=False):
        name = random.choice(names) if names else "Kosta"
        for paragraph, form in zip(place, random.sample(ATTRIBUTIONS, 2), strict=True):
            at = random.choice((0, len(paragraph)))
            paragraph.insert(at, _Sentence(_quotation(words, name, form)))


def _speech(quoted: list[list[str]], count: int, random: Random) -> list[list[str]]:
    """Whole sentences to quote, cut at the highest number of words, without marks inside."""
    found: list[list[str]] = []
    for paragraph in random.sample(quoted, len(quoted)):
        words = [word.translate(_MARKS) for word in paragraph]
        words = [word for word in words if _bare(word)]
        spoken: list[_Word] = []
        for sentence in _sentences(words):
            spoken += sentence.words
            if len(spoken) >= QUOTED_WORDS[0] and len(found) < count:
                found.append([word.text for word in spoken[: QUOTED_WORDS[1]]])
                break
    return found


def _quotation(words: list[str], name: str, form: tuple[str, str, str]) -> list[_Word]:
    """A quotation with its attribution."""
    before, end, after = form
    last = words[-1].rstrip(".,;:!?…-–—")
    speech = ["“" + words[0], *words[1:-1], last + end]
    return [
        *(_Word(word, _NEW) for word in before.format(name).split()),
        *(_Word(word, _QUOTED) for word in speech),
        *(_Word(word, _NEW) for word in after.format(name).split()),
    ]


def _arrange(body: list[_Paragraph], fresh: list[_Paragraph], random: Random) -> list[_Paragraph]:
    """Split, merge and move the paragraphs kept, and put the new ones between."""
    wandering = [_wanderer(paragraph, random) for paragraph in body]
    moved: list[_Paragraph] = []
    placed: list[_Paragraph] = []
    for paragraph in body:
        at = _border(paragraph, random) if random.random() < SPLIT else 0
        if at:
            apart = random.random() < 0.5
            (moved if apart else placed).append(paragraph[:at])
            placed.append(paragraph[at:])
        elif random.random() < MOVED:
            moved.append(paragraph)
        elif placed and random.random() < MERGED:
            placed[-1].extend(paragraph)
        else:
            placed.append(paragraph)
    for paragraph in [*moved, *fresh]:
        placed.insert(random.randint(0, len(placed)), paragraph)
    for sentence in wandering:
        if sentence is not None:
            others = [p for p in placed if all(s.paragraph != sentence.paragraph for s in p)]
            host = random.choice(others)
            host.insert(random.randint(0, len(host)), sentence)
    return placed


def _wanderer(paragraph: _Paragraph, random: Random) -> _Sentence | None:
    """Take a sentence out of a paragraph of three or more, now and then."""
    long = [k for k, sentence in enumerate(paragraph) if len(sentence.words) >= SENTENCE]
    if len(paragraph) < 3 or not long or random.random() >= WANDERING:
        return None
    return paragraph.pop(random.choice(long))


def _border(paragraph: _Paragraph, random: Random) -> int:
    """A border between sentences with enough words on both sides, or 0."""
    sizes = np.cumsum([len(sentence.words) for sentence in paragraph])
    fits = (sizes >= SENTENCE) & (sizes[-1] - sizes >= SENTENCE)
    borders = (np.flatnonzero(fits) + 1).tolist()
    return random.choice(borders) if borders else 0


def _mixed(random: Random) -> float:
    """The rate of a paragraph in the mixed setting."""
    untouched, highest = MIXED
    return 0.0 if random.random() < untouched else random.uniform(0, highest)


def _edited(
    words: list[_Word], rate: float, vocabulary: list[str], random: Random
) -> Iterator[_Word]:
    """Edit words at a rate; see `KINDS`. Words that come in are never those they stand for."""
    kinds, shares = list(KINDS), list(KINDS.values())
    k = 0
    while k < len(words):
        word = words[k]
        if random.random() >= rate:
            yield word
            k += 1
            continue
        kind = random.choices(kinds, shares)[0]
        if kind == "replace":
            yield _Word(_instead(word.text, vocabulary, random), _NEW)
        elif kind == "add":
            for _ in range(random.randint(1, 4)):
                yield _Word(_instead(word.text, vocabulary, random, edges=False), _NEW)
            yield word
        elif kind == "swap":
            middle = k + random.randint(1, 2)
            last = min(middle + random.randint(1, 2), len(words))
            yield from words[middle:last]
            yield from words[k:middle]
            k = max(middle, last) - 1
        k += 1


def _instead(word: str, vocabulary: list[str], random: Random, *, edges: bool = True) -> str:
    """Another word, with the punctuation of the one it stands for."""
    core = _bare(word)
    other = random.choice(vocabulary)
    while other.casefold() == core.casefold():
        other = random.choice(vocabulary)
    if not edges:
        return other
    before, after = word.split(core, 1) if core else ("", word)
    return before + other + after


@functools.lru_cache(maxsize=1 << 17)
def _bare(word: str) -> str:
    """A word without the punctuation around it; empty where it is nothing else."""
    core = _CORE.search(word)
    return core[0] if core else ""


def _pair(source: list[_Paragraph], rewrite: list[_Paragraph]) -> Pair:
    """Put both texts together and turn words into tokens."""
    a, tokens_a, first_a = _text(source)
    b, tokens_b, first_b = _text(rewrite)
    words = [word for paragraph in rewrite for sentence in paragraph for word in sentence.words]
    origin = np.array([word.origin for word in words], np.int64)
    word_of = np.repeat(np.arange(len(words)), np.diff(first_b))
    within = np.arange(len(word_of)) - first_b[word_of]
    copied = origin[word_of] >= 0
    truth = np.where(copied, first_a[origin[word_of]] + within, -1)
    return Pair(
        a=a,
        b=b,
        truth=truth,
        quoted=origin[word_of] == _QUOTED,
        cases=_cases(rewrite, truth, first_a, first_b),
        tokens_a=tokens_a,
        tokens_b=tokens_b,
    )


def _text(paragraphs: list[_Paragraph]) -> tuple[str, Tokens, NDArray[np.int64]]:
    """A text, its tokens, and the first token of each word, the end of the last one included."""
    lines = [[w.text for sentence in paragraph for w in sentence.words] for paragraph in paragraphs]
    text = "\n\n".join(" ".join(line) for line in lines if line)
    tokens = tokens_of(text)
    # As str.split sees it, words are what stands between white space: their ends in the text.
    ends = [match.end() for match in re.finditer(r"\S+", text)]
    first = np.searchsorted(tokens.starts, np.array([0, *ends]))
    return text, tokens, first.astype(np.int64)


def _cases(
    rewrite: list[_Paragraph],
    truth: NDArray[np.int64],
    first_a: NDArray[np.int64],
    first_b: NDArray[np.int64],
) -> NDArray[np.int64]:
    """What each sentence of a became, joined, and cut to the outermost copied tokens."""
    rows, at = [], 0
    for sentence in chain.from_iterable(rewrite):
        end = at + len(sentence.words)
        if sentence.first >= 0 and end > at:
            spans = first_a[[sentence.first, sentence.last]], first_b[[at, end]]
            rows.append(np.concatenate(spans))
        at = end
    cut = []
    for _, _, start, end in join(np.array(rows, np.int64).reshape(-1, 4)).tolist():
        inside = np.flatnonzero(truth[start:end] >= 0) + start
        if len(inside):
            origins = truth[inside]
            cut.append((origins.min(), origins.max() + 1, inside[0], inside[-1] + 1))
    return np.array(cut, np.int64).reshape(-1, 4)


@functools.lru_cache(maxsize=4)
def _topics(corpus: str | None, pairs: int, seed: int) -> list[_Topic]:
    """Articles to rewrite, each with one on its topic and one to quote from."""
    if corpus is None:
        shape = Shape(words=500, in_families=0, digests=0, partials=0, footers=0)
        texts = generated(4 * pairs + 40, seed=seed, shape=shape)["text"].to_list()
        usable = [text for text in texts if _usable(text)][: 3 * pairs]
        near = [[(k + step) % len(usable) for step in (1, 2, 3)] for k in range(len(usable))]
    else:
        usable = _pool(corpus, max(POOL, 10 * pairs), seed)
        near = _nearest(usable, 2 * pairs)
    runs = functools.cache(lambda k: _runs(usable[k]))
    found: list[_Topic] = []
    for k, others in enumerate(near):
        apart = [other for other in others if not runs(k) & runs(other)]
        speakers = [other for other in apart[1:] if not runs(apart[0]) & runs(other)]
        if speakers and len(found) < pairs:
            articles = (k, apart[0], speakers[0])
            found.append(_Topic(*(_paragraphs(usable[article]) for article in articles)))
    if len(found) < pairs:
        raise SystemExit(f"the corpus has articles for {len(found)} pairs, not {pairs}")
    return found


def _pool(corpus: str, size: int, seed: int) -> list[str]:
    """Usable articles in an order drawn by the seed, each text once."""
    texts = pl.read_parquet(corpus, columns=["text"])["text"].drop_nulls()
    order = np.random.default_rng(seed).permutation(len(texts)).tolist()
    pool: dict[str, None] = {}
    for text in map(texts.__getitem__, order):
        if len(pool) == size:
            break
        if _usable(text):
            pool[text] = None
    return list(pool)


def _usable(text: str) -> bool:
    """Whether an article has the length, and enough paragraphs, none of them twice."""
    if not LETTERS[0] <= len(text) <= LETTERS[1]:
        return False
    long = [" ".join(words) for words in _paragraphs(text) if len(words) >= PARAGRAPH]
    return len(long) >= PARAGRAPHS and len(set(long)) == len(long)


def _paragraphs(text: str) -> list[list[str]]:
    """The words of every line that has any."""
    return [words for line in text.splitlines() if (words := line.split())]


def _nearest(texts: list[str], count: int) -> list[list[int]]:
    """For each of the first `count` texts the others most like it by tf-idf, nearest first."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    tfidf = TfidfVectorizer(sublinear_tf=True, min_df=2, max_df=0.1, dtype=np.float32)
    weights = tfidf.fit_transform(texts)
    likeness = (weights[:count] @ weights.T).toarray()
    np.fill_diagonal(likeness, -1)
    order = np.argsort(-likeness, axis=1, kind="stable")[:, :NEIGHBOURS]
    nearest: list[list[int]] = order.tolist()
    return nearest


def _runs(text: str) -> set[int]:
    """Every run of `RUN` tokens of a text, as a number."""
    hashes = tokens_of(text).hashes
    windows = np.lib.stride_tricks.sliding_window_view(hashes, RUN)
    powers = np.uint64(0x9E3779B97F4A7C15) ** np.arange(RUN, dtype=np.uint64)
    runs: set[int] = set((windows * powers).sum(axis=1).tolist())
    return runs
