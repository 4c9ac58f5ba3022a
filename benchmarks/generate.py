"""Invented news corpora of any size with known truth.

`python -m benchmarks.generate --articles 100000 --seed 1 -o corpus.parquet`

Words are nonsense syllables with Zipfian frequencies; nothing is taken from real text. The same
seed gives the same corpus. `story`, `footer`, `digest` and `excerpt` plant one case each, for
tests; `combine` mixes them.
"""

from __future__ import annotations

import argparse
import functools
import itertools
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Codes = NDArray[np.int32]

__all__ = [
    "Shape",
    "combine",
    "corpus",
    "corpus_blocks",
    "digest",
    "excerpt",
    "footer",
    "story",
    "write",
]

SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "id": pl.String,
    "source": pl.String,
    "title": pl.String,
    "published": pl.String,
    "text": pl.String,
    "family_truth": pl.String,
    "kind_truth": pl.String,
    "contains": pl.List(pl.String),
    "footer_truth": pl.String,
    "share_truth": pl.Float32,
    "shared_truth": pl.UInt32,
}
VOCABULARY = 50_000
"""Different words; English news of a few million words has about as many."""
ZIPF_SHIFT = 2.7
"""Mandelbrot's shift, the usual fit for English: the commonest word has about 3 % of the text."""
FORMS = 8
"""Spellings of a word: capital or not, times none, comma, full stop, end of paragraph."""
END_OF_PARAGRAPH = 3
BLOCK = 50_000
"""Articles generated at a time: bounds memory to about 1 GB at the usual lengths."""
WIDTH = 5
"""Words per n-gram that `share_truth` and `shared_truth` count, as `benchmarks.oracle` does."""
ROW_GROUP = 10_000
"""Articles written at a time."""
EPOCH = np.datetime64("2021-01-01T00:00:00")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a corpus is made of. Shares are of all articles.

    Attributes:
        words: median words of an article.
        spread: sigma of the lognormal distribution of lengths; .55 as in US web news.
        in_families: articles in families of two or more.
        largest: members of the largest family.
        excerpts: chance that a family member is only an excerpt.
        digests: round-ups of 3 to 6 stories.
        partials: articles of their own with one passage of a story inside.
        sources: outlets, with Zipfian output.
        footers: share of the sources whose articles all carry their footer.
        rates: edit rates of copies, drawn evenly: share of words changed, dropped or added.
    """

    words: int = 800
    spread: float = 0.55
    in_families: float = 0.35
    largest: int = 2000
    excerpts: float = 0.1
    digests: float = 0.01
    partials: float = 0.05
    sources: int = 300
    footers: float = 0.4
    rates: Sequence[float] = (0.0, 0.0, 0.01, 0.03, 0.1, 0.2, 0.3)


@dataclass(slots=True)
class _Row:
    text: str
    kind: str
    family: str | None = None
    contains: list[str] = field(default_factory=list)
    source: int | None = None
    hours: float | None = None
    share: float | None = None
    shared: int | None = None


class _Writer:
    """Draws text. An article is an int32 array of codes: `FORMS * word + form`."""

    def __init__(self, *seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def articles(self, lengths: NDArray[np.int64]) -> list[Codes]:
        """Articles of the given numbers of words, in sentences and paragraphs."""
        if not len(lengths):
            return []
        total = int(lengths.sum())
        table = _zipf()
        words = table[self.random.integers(0, len(table), total, np.int32)]
        chance = self.random.random(total, np.float32)
        # A sentence every 15 words, a paragraph every 4 sentences, a comma every 17 words.
        form = np.searchsorted(np.array([0.875, 0.935, 0.985], np.float32), chance).astype(np.int32)
        ends = np.cumsum(lengths)
        form[ends[lengths > 0] - 1] = END_OF_PARAGRAPH
        capital = np.ones(total, bool)
        capital[1:] = form[:-1] >= 2
        codes = words * FORMS + form + 4 * capital
        return np.split(codes, ends[:-1])

    def article(self, words: int) -> Codes:
        """One article."""
        return self.articles(np.array([words]))[0]

    def lengths(self, count: int, shape: Shape) -> NDArray[np.int64]:
        """Lognormal lengths in words, at least a tenth of the median."""
        drawn = shape.words * np.exp(self.random.normal(0, shape.spread, count))
        lengths: NDArray[np.int64] = np.maximum(drawn, shape.words / 10).astype(np.int64)
        return lengths

    def edit(self, codes: Codes, rate: float, drop_paragraphs: float = 0.0) -> Codes:
        """A copy: of its words 60 % of `rate` replaced, 20 % dropped, 20 % with one put before."""
        if drop_paragraphs:
            parts = paragraphs(codes)
            kept = self.random.random(len(parts)) >= drop_paragraphs
            kept[0] = True
            codes = np.concatenate([p for p, keep in zip(parts, kept, strict=True) if keep])
        if not rate:
            return codes
        chance = self.random.random(len(codes))
        table = _zipf()
        fresh = table[self.random.integers(0, len(table), len(codes))] * FORMS
        edited = np.where(chance < 0.6 * rate, fresh + codes % FORMS, codes)
        times = np.ones(len(codes), np.int64)
        times[(chance >= 0.6 * rate) & (chance < 0.8 * rate)] = 0
        added = (chance >= 0.8 * rate) & (chance < rate)
        times[added] = 2
        result = np.repeat(edited, times)
        starts = np.cumsum(times) - times
        result[starts[added]] = fresh[added]
        return result

    def excerpt(self, codes: Codes, share: float) -> Codes:
        """Consecutive paragraphs, from a random one on, with about `share` of the words."""
        parts = paragraphs(codes)
        wanted = share * len(codes)
        sizes = np.array([len(part) for part in parts])
        room = np.flatnonzero(np.cumsum(sizes[::-1])[::-1] >= wanted)
        first = int(self.random.integers(0, len(room))) if len(room) else 0
        count = int(np.searchsorted(np.cumsum(sizes[first:]), wanted)) + 1
        return np.concatenate(parts[first : first + count])

    def title(self) -> str:
        """A headline of 5 to 9 words."""
        table = _zipf()
        picked = table[self.random.integers(0, len(table), self.random.integers(5, 10))]
        return render(picked * FORMS + 4)


def corpus(articles: int, *, seed: int = 1, shape: Shape | None = None) -> pl.DataFrame:
    """A mixed corpus in shuffled order; see `SCHEMA` for its columns.

    `kind_truth` is one of single, original, copy, excerpt, partial, digest; `family_truth` is the
    family of an original and its copies and excerpts; `contains` names the families a digest or a
    partial article took text from; `footer_truth` names the footer an article carries.
    `share_truth` is the containment of a copy or excerpt and its original: the share of the
    smaller set of word 5-grams that the other has, both without their footers, and `shared_truth`
    is how many these are.
    """
    return pl.concat(corpus_blocks(articles, seed=seed, shape=shape))


def corpus_blocks(
    articles: int, *, seed: int = 1, shape: Shape | None = None
) -> Iterator[pl.DataFrame]:
    """The same as `corpus`, in frames of at most `BLOCK` articles; families stay inside one."""
    shape = shape or Shape()
    for block, start in enumerate(range(0, articles, BLOCK)):
        size = min(BLOCK, articles - start)
        writer = _Writer(seed, block)
        rows = _families(writer, size, shape, f"b{block}-")
        rows += _singles(writer, size - len(rows), shape, [])
        order = writer.random.permutation(len(rows))
        yield _frame([rows[i] for i in order], writer, shape, seed, start)


def story(
    copies: int = 2000,
    *,
    seed: int = 1,
    words: int = 150,
    rates: Sequence[float] = (0.0, 0.02, 0.05),
    drop_paragraphs: float = 0.0,
) -> pl.DataFrame:
    """One story printed `copies` times, each by a source of its own, at edit rates in turn."""
    writer = _Writer(seed, 1001)
    original = writer.article(words)
    rows = [_Row(render(original), "original", "story", source=0, hours=0.0)]
    rows += [
        _Row(
            render(writer.edit(original, rate, drop_paragraphs)), "copy", "story", source=i, hours=i
        )
        for i, rate in zip(range(1, copies), itertools.cycle(rates), strict=False)
    ]
    return _frame(rows, writer, Shape(footers=0, sources=copies), seed, 0)


def footer(
    articles: int = 30_000,
    *,
    seed: int = 1,
    words: int = 40,
    footer_words: int = 40,
    sources: int = 1,
) -> pl.DataFrame:
    """Unrelated articles of one or more sources, all of which end with the same footer."""
    writer = _Writer(seed, 1002)
    shared = render(writer.article(footer_words))
    texts = writer.articles(np.full(articles, words))
    rows = [_Row(render(codes), "single", source=i % sources) for i, codes in enumerate(texts)]
    frame = _frame(rows, writer, Shape(footers=0, sources=sources), seed, 0)
    return frame.with_columns(
        text=pl.col("text") + "\n\n" + pl.lit(shared), footer_truth=pl.lit("footer")
    )


def digest(
    stories: int = 4, *, seed: int = 1, copies: int = 3, words: int = 200, share: float = 1.0
) -> pl.DataFrame:
    """Stories with some copies each, and one round-up (the last row) with `share` of each story."""
    writer = _Writer(seed, 1003)
    originals = [writer.article(words) for _ in range(stories)]
    rows = [
        _Row(render(writer.edit(codes, 0.02 * i)), "copy" if i else "original", f"story{n}")
        for n, codes in enumerate(originals)
        for i in range(copies)
    ]
    parts = [render(writer.excerpt(codes, share)) for codes in originals]
    names = [f"story{n}" for n in range(stories)]
    rows.append(_Row("\n\n".join(parts), "digest", contains=names))
    for number, row in enumerate(rows):
        row.source = number
    return _frame(rows, writer, Shape(footers=0, sources=len(rows)), seed, 0)


def excerpt(words: int = 400, *, seed: int = 1, share: float = 0.3, own: int = 0) -> pl.DataFrame:
    """A story and an article with `share` of it and, if asked for, `own` words of its own."""
    writer = _Writer(seed, 1004)
    original = writer.article(words)
    taken = writer.excerpt(original, share)
    text = np.concatenate([taken, writer.article(own)]) if own else taken
    rows = [
        _Row(render(original), "original", "story", source=0, hours=0.0),
        _Row(render(text), "excerpt", "story", ["story"], source=1, hours=1.0),
    ]
    return _frame(rows, writer, Shape(footers=0, sources=2), seed, 0)


def combine(*frames: pl.DataFrame, seed: int | None = 1) -> pl.DataFrame:
    """Frames as one corpus with ids, families and sources kept apart; shuffled unless seed=None."""
    parts = [
        frame.with_columns(
            source=f"{number}." + pl.col("source"),
            family_truth=f"{number}." + pl.col("family_truth"),
            footer_truth=f"{number}." + pl.col("footer_truth"),
            contains=pl.col("contains").list.eval(f"{number}." + pl.element()),
        )
        for number, frame in enumerate(frames)
    ]
    whole = pl.concat(parts)
    if seed is not None:
        order = np.random.default_rng(seed).permutation(len(whole))
        whole = whole[order.tolist()]
    return whole.with_columns(id=pl.Series([_id(i) for i in range(len(whole))], dtype=pl.String))


def write(blocks: Iterator[pl.DataFrame], path: Path) -> None:
    """Write blocks to one .parquet or .jsonl file, holding one block in memory at a time."""
    if path.suffix == ".jsonl":
        with path.open("wb") as file:
            for block in blocks:
                block.write_ndjson(file)
        return

    def slices(*_: object) -> Iterator[pl.DataFrame]:
        for block in blocks:
            yield from block.iter_slices(ROW_GROUP)

    frame = register_io_source(slices, schema=SCHEMA)
    frame.sink_parquet(path, row_group_size=ROW_GROUP, maintain_order=True)


def render(codes: Codes) -> str:
    """The text of an article."""
    return "".join(_spellings()[codes].tolist()).rstrip()


def paragraphs(codes: Codes) -> list[Codes]:
    """The paragraphs of an article."""
    ends = np.flatnonzero(codes % 4 == END_OF_PARAGRAPH) + 1
    return [part for part in np.split(codes, ends) if len(part)]


def _grams(codes: Codes) -> NDArray[np.uint64]:
    """Hashes of the distinct word 5-grams of an article, ascending."""
    words = (codes // FORMS).astype(np.uint64)
    count = max(0, len(words) - WIDTH + 1)
    mixed = np.zeros(count, np.uint64)
    for shift in range(WIDTH):
        mixed += words[shift : shift + count] + np.uint64(1)
        mixed *= np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return np.unique(mixed)


def _shared(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> int:
    """How many of one ascending set are in another."""
    return len(np.intersect1d(a, b, assume_unique=True))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.generate", description=__doc__)
    parser.add_argument("--articles", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--words", type=int, default=Shape().words, help="median words per article")
    parser.add_argument("--sources", type=int, default=Shape().sources)
    parser.add_argument("-o", "--output", type=Path, required=True, help=".parquet or .jsonl")
    args = parser.parse_args()
    shape = replace(Shape(), words=args.words, sources=args.sources)
    write(corpus_blocks(args.articles, seed=args.seed, shape=shape), args.output)


def _families(writer: _Writer, articles: int, shape: Shape, prefix: str) -> list[_Row]:
    """Families, and the digests and partial articles that take text from them."""
    sizes = _family_sizes(writer, int(articles * shape.in_families), shape.largest)
    originals = writer.articles(writer.lengths(len(sizes), shape))
    rows: list[_Row] = []
    for number, (size, codes) in enumerate(zip(sizes, originals, strict=True)):
        rows += _family(writer, codes, size, shape, f"{prefix}f{number}")
    if not originals:
        return rows
    for _ in range(int(articles * shape.digests)):
        count = int(writer.random.integers(3, 7))
        picked = writer.random.choice(len(originals), min(count, len(originals)), replace=False)
        parts = [writer.excerpt(originals[i], writer.random.uniform(0.3, 1)) for i in picked]
        text = "\n\n".join(f"{writer.title()}\n\n{render(part)}" for part in parts)
        rows.append(_Row(text, "digest", contains=[f"{prefix}f{i}" for i in picked]))
    return rows + _singles(writer, int(articles * shape.partials), shape, originals, prefix)


def _family_sizes(writer: _Writer, members: int, largest: int) -> list[int]:
    """Sizes of a power law (exponent 2.2, as syndication has) from 2 up; the largest is planted."""
    if members < 2:
        return []
    largest = min(largest, max(2, members // 4))
    weights = np.arange(2, largest + 1) ** -2.2
    sizes, left = [largest], members - largest
    for size in writer.random.choice(
        np.arange(2, largest + 1), members, p=weights / weights.sum()
    ).tolist():
        if left < 2:
            break
        sizes.append(min(size, left))
        left -= sizes[-1]
    return sizes


def _family(writer: _Writer, codes: Codes, size: int, shape: Shape, name: str) -> list[_Row]:
    first = float(writer.random.uniform(0, 24 * 365))
    rows = [_Row(render(codes), "original", name, hours=first)]
    grams = _grams(codes)
    rates = writer.random.choice(np.asarray(shape.rates), size - 1)
    delays = writer.random.exponential(18, size - 1)
    shortened = writer.random.random(size - 1) < shape.excerpts
    for rate, delay, short in zip(rates, delays, shortened, strict=True):
        if short:
            copy, kind = writer.excerpt(codes, writer.random.uniform(0.3, 0.8)), "excerpt"
        else:
            dropped = 0.15 if writer.random.random() < 0.5 else 0.0
            copy, kind = writer.edit(codes, rate, dropped), "copy"
        of_copy = _grams(copy)
        shared = _shared(grams, of_copy)
        share = shared / max(1, min(len(grams), len(of_copy)))
        row = _Row(render(copy), kind, name, hours=first + delay, share=share, shared=shared)
        rows.append(row)
    return rows


def _singles(
    writer: _Writer, count: int, shape: Shape, originals: list[Codes], prefix: str = ""
) -> list[_Row]:
    """Articles of their own; where `originals` are given, with a passage of one of them inside."""
    texts = writer.articles(writer.lengths(count, shape))
    if not originals:
        return [_Row(render(codes), "single") for codes in texts]
    rows = []
    for codes in texts:
        source = int(writer.random.integers(0, len(originals)))
        taken = writer.excerpt(originals[source], writer.random.uniform(0.1, 0.4))
        parts = paragraphs(codes)
        place = int(writer.random.integers(0, len(parts) + 1))
        text = render(np.concatenate([*parts[:place], taken, *parts[place:]]))
        rows.append(_Row(text, "partial", contains=[f"{prefix}f{source}"]))
    return rows


def _frame(rows: list[_Row], writer: _Writer, shape: Shape, seed: int, start: int) -> pl.DataFrame:
    """Rows as a table: sources, their footers, dates and titles where not set yet."""
    weights = 1 / np.arange(1, shape.sources + 1)
    drawn = writer.random.choice(shape.sources, len(rows), p=weights / weights.sum()).tolist()
    sources = [
        pick if row.source is None else row.source for row, pick in zip(rows, drawn, strict=True)
    ]
    hours = writer.random.uniform(0, 24 * 365, len(rows))
    hours = np.array([h if r.hours is None else r.hours for r, h in zip(rows, hours, strict=True)])
    published = EPOCH + (hours * 3600).astype("timedelta64[s]")
    footers = _footers(seed, shape)
    ends = [footers.get(source) for source in sources]
    return pl.DataFrame(
        {
            "id": [_id(start + i) for i in range(len(rows))],
            "source": [f"paper{source:04d}.example" for source in sources],
            "title": [writer.title() for _ in rows],
            "published": [f"{moment}Z" for moment in np.datetime_as_string(published)],
            "text": [
                row.text if end is None else f"{row.text}\n\n{end}"
                for row, end in zip(rows, ends, strict=True)
            ],
            "family_truth": [row.family for row in rows],
            "kind_truth": [row.kind for row in rows],
            "contains": [row.contains for row in rows],
            "footer_truth": [
                None if end is None else f"footer{source}"
                for source, end in zip(sources, ends, strict=True)
            ],
            "share_truth": [row.share for row in rows],
            "shared_truth": [row.shared for row in rows],
        },
        schema=SCHEMA,
    )


def _footers(seed: int, shape: Shape) -> dict[int, str]:
    """The footers by source: the same in every block of a corpus."""
    writer = _Writer(seed, 1000)
    with_footer = np.flatnonzero(writer.random.random(shape.sources) < shape.footers)
    texts = writer.articles(writer.random.integers(25, 90, len(with_footer)))
    return {int(s): render(codes) for s, codes in zip(with_footer, texts, strict=True)}


def _id(number: int) -> str:
    return f"g{number:08d}"


@functools.cache
def _zipf() -> NDArray[np.int32]:
    """Words in proportion to their frequency, for sampling by index."""
    weights = 1 / (np.arange(VOCABULARY) + ZIPF_SHIFT)
    slots = np.maximum(1, np.round(weights / weights.sum() * (1 << 21))).astype(np.int64)
    return np.repeat(np.arange(VOCABULARY, dtype=np.int32), slots)


@functools.cache
def _spellings() -> NDArray[np.object_]:
    """The spelling of every code, with the space, punctuation or line break after it."""
    syllables = ["".join(pair) for pair in itertools.product("bcdfghjklmnprstvz", "aeiou")]
    random = np.random.default_rng(0)
    words: list[str] = []
    for count in (1, 2, 3):  # the shorter, the commoner, as in any language
        pool = ["".join(word) for word in itertools.product(syllables, repeat=count)]
        random.shuffle(pool)
        words += pool
    endings = (" ", ", ", ". ", ".\n\n")
    spelled = [
        form + ending
        for word in words[:VOCABULARY]
        for form in (word, word.capitalize())
        for ending in endings
    ]
    return np.array(spelled, object)


if __name__ == "__main__":
    main()
