"""Two articles compared: which text was reused, how it was edited or moved, what was added."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dedupe._jit import kernels_for
from dedupe.align import (
    A_END,
    A_START,
    B_END,
    B_START,
    BOILERPLATE,
    KIND,
    MATCHED,
    MOVED,
    NET,
    PASSAGE_KINDS,
    PASSAGE_ROLES,
    ROLE,
    TOTAL,
    VERBATIM,
    align_pair,
    net_words,
)
from dedupe.classify import Edit, Paragraph, TextSpan, classify_paragraphs, edits_of, outside
from dedupe.config import Config
from dedupe.credits import Credit, find_credits
from dedupe.facts import ChangedFact, changed_facts
from dedupe.furniture import find_furniture
from dedupe.grade import grade_pair
from dedupe.paragraphs import spans_of_paragraphs, unwrap
from dedupe.quotations import mark_quotations
from dedupe.records import Article, Batch, encode_text
from dedupe.shingle import distinct, shingles
from dedupe.tokens import FURNITURE, QUOTED, Tokens, tokenise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dedupe.align import Alignment, PassageKind, PassageRole

__all__ = ["Comparison", "Passage", "compare", "text_bytes"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of b that comes from a stretch of a; spans in code points of the raw texts.

    Attributes:
        kind: "verbatim", "edited", or "rewritten" where less than 40 % of its words are equal.
        moved: whether it stands elsewhere than the text around it.
        role: "body", "quotation" or "boilerplate".
        words: equal words in it.
        edits: what changed in it, phrase by phrase.
        word_edits: what changed in it, word by word.
    """

    a_start: int
    a_end: int
    b_start: int
    b_end: int
    kind: PassageKind
    moved: bool
    role: PassageRole
    words: int
    edits: tuple[Edit, ...]
    word_edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two articles share. Spans are code points of the raw texts, the end excluded.

    Attributes:
        a_in_b: share of the words of a that b has: `shared_words / words_a`.
        b_in_a: share of the words of b that a has: `shared_words / words_b`.
        net_a_in_b, net_b_in_a: the same without quotations and boilerplate, above and below the
            line: `net_shared_words / net_words_a` and `net_shared_words / net_words_b`.
        resemblance: Jaccard of the two sets of shingles.
        kind: "exact" (the same words), "near" (resemblance of `near` or more), "partial" (some
            passage) or "none".
        grade: whether b derives from a: "wholly", "partially" or "none".
        grade_evidence: the figures that spoke for the grade; see `dedupe.grade`.
        words_a, words_b, shared_words: words, and those that are aligned one to one.
        net_words_a, net_words_b, net_shared_words: the same without quotations and boilerplate.
        passages: in the order of b.
        paragraphs: those of a, then those of b.
        added, dropped: spans of b, and of a, that are in no passage, cut at the paragraphs.
        changed_facts: numbers, names, dates and negations that differ inside passages.
        credits_a, credits_b: agencies named as a source, or cited.
    """

    a_in_b: float
    b_in_a: float
    net_a_in_b: float
    net_b_in_a: float
    resemblance: float
    kind: Literal["exact", "near", "partial", "none"]
    grade: Literal["wholly", "partially", "none"]
    grade_evidence: dict[str, float]
    words_a: int
    words_b: int
    shared_words: int
    net_words_a: int
    net_words_b: int
    net_shared_words: int
    passages: tuple[Passage, ...]
    paragraphs: tuple[Paragraph, ...]
    added: tuple[TextSpan, ...]
    dropped: tuple[TextSpan, ...]
    changed_facts: tuple[ChangedFact, ...]
    credits_a: tuple[Credit, ...]
    credits_b: tuple[Credit, ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain dicts, lists, strings and numbers: what `--format json` prints."""
        record = asdict(self)
        record["added"] = [{"start": s, "end": e} for s, e in self.added]
        record["dropped"] = [{"start": s, "end": e} for s, e in self.dropped]
        return record


@dataclass(frozen=True, slots=True)
class _Text:
    """One of the two texts, read: its tokens with their flags, its paragraphs, its credits."""

    raw: str
    tokens: Tokens
    paragraphs: list[tuple[int, int]]
    credits: tuple[Credit, ...]


def compare(
    a: str | Article, b: str | Article, config: Config | None = None, **settings: Any
) -> Comparison:
    """Which text of a stands in b, edited and moved how, and what b has of its own.

    Only `grade` takes a for the source; everything else holds either way: exchanging a and b
    exchanges the sides of the result.

    Args:
        a, b: texts, or articles.
        config: settings, of which `near` and `shingle` matter here; or give single ones by name.

    Raises:
        ConfigError: a setting is unknown or has no meaning.

    Example:
        >>> result = compare(first, second)  # doctest: +SKIP
        >>> f"{result.shared_words} of {result.words_b} words"  # doctest: +SKIP
        '340 of 530 words'
    """
    config = (config or Config()).replace(**settings)
    left, right = (Article(id="", text=x) if isinstance(x, str) else x for x in (a, b))
    with kernels_for(text_bytes(left, right)):
        return _compare(_read(left), _read(right), config)


def text_bytes(*articles: Article) -> int:
    """UTF-8 bytes of the texts."""
    return sum(len(encode_text(article.text)) for article in articles)


def _compare(left: _Text, right: _Text, config: Config) -> Comparison:
    of_a, of_b = left.tokens, right.tokens
    aligned, partner = align_pair(of_a.hashes, of_a.flags, of_b.hashes, of_b.flags)
    jaccard = _resemblance(of_a, of_b, config.shingle)
    grade = grade_pair(left.raw, of_a, right.raw, of_b, partner)
    rows = aligned.passages
    return Comparison(
        **_shares(of_a, of_b, aligned),
        resemblance=jaccard,
        kind=_kind(of_a, of_b, jaccard, len(rows), config),
        grade=grade.label,
        grade_evidence=grade.evidence,
        passages=tuple(_passage(row, partner, of_a, of_b) for row in rows),
        paragraphs=classify_paragraphs(
            of_a, of_b, left.paragraphs, right.paragraphs, rows, partner
        ),
        added=outside(of_b, rows[:, [B_START, B_END]].tolist(), right.paragraphs),
        dropped=outside(of_a, rows[:, [A_START, A_END]].tolist(), left.paragraphs),
        changed_facts=_facts(left, right, rows, partner),
        credits_a=left.credits,
        credits_b=right.credits,
    )


def _read(article: Article) -> _Text:
    tokens, marks = tokenise(Batch.from_articles([article]))
    unwrap(tokens, marks)
    mark_quotations(tokens, marks)
    paragraphs = spans_of_paragraphs(article.text, tokens)
    # What is told by its form stands on one line, however the text was broken.
    text = _unbroken(article.text, paragraphs)
    reasons = find_furniture(text, paragraphs)
    furniture = [span for span, reason in zip(paragraphs, reasons, strict=True) if reason]
    borders = np.array(furniture, np.int64).reshape(-1, 2)
    for first, last in np.searchsorted(tokens.starts.astype(np.int64), borders).tolist():
        tokens.flags[first:last] |= FURNITURE
    return _Text(article.text, tokens, paragraphs, tuple(find_credits(text)))


def _unbroken(text: str, paragraphs: list[tuple[int, int]]) -> str:
    """The text with blanks for the line breaks inside its paragraphs; all offsets stay."""
    parts = []
    done = 0
    for start, end in paragraphs:
        parts += [text[done:start], text[start:end].translate(_BREAKS)]
        done = end
    return "".join([*parts, text[done:]])


_BREAKS = dict.fromkeys(map(ord, "\n\r\v\f\x85\u2028\u2029"), " ")


def _resemblance(of_a: Tokens, of_b: Tokens, w: int) -> float:
    """Jaccard of the sets of shingles; of texts too short for one, whether they are equal."""
    x, y = distinct(shingles(of_a.hashes, w)), distinct(shingles(of_b.hashes, w))
    both = len(np.intersect1d(x, y, assume_unique=True))
    union = len(x) + len(y) - both
    if not union:
        return float(len(of_a.hashes) > 0 and np.array_equal(of_a.hashes, of_b.hashes))
    return both / union


def _kind(
    of_a: Tokens, of_b: Tokens, jaccard: float, n_passages: int, config: Config
) -> Literal["exact", "near", "partial", "none"]:
    if len(of_a.hashes) and np.array_equal(of_a.hashes, of_b.hashes):
        return "exact"
    if jaccard >= config.near:
        return "near"
    return "partial" if n_passages else "none"


def _shares(of_a: Tokens, of_b: Tokens, aligned: Alignment) -> dict[str, Any]:
    """Shares both ways, raw and net, with what is above and below the line."""
    totals = aligned.totals[0]
    words = [len(of.hashes) for of in (of_a, of_b)]
    aside = [int((of.flags & (QUOTED | FURNITURE) != 0).sum()) for of in (of_a, of_b)]
    net_of = net_words(np.array([words]), np.array([aside]), aligned.totals)[0].tolist()
    shared, net = int(totals[TOTAL]), int(totals[NET])
    return {
        "a_in_b": shared / max(words[0], 1),
        "b_in_a": shared / max(words[1], 1),
        "net_a_in_b": net / max(net_of[0], 1),
        "net_b_in_a": net / max(net_of[1], 1),
        "words_a": words[0],
        "words_b": words[1],
        "shared_words": shared,
        "net_words_a": net_of[0],
        "net_words_b": net_of[1],
        "net_shared_words": net,
    }


def _passage(
    row: NDArray[np.int64], partner: NDArray[np.int64], of_a: Tokens, of_b: Tokens
) -> Passage:
    verbatim = row[KIND] == VERBATIM
    return Passage(
        a_start=int(of_a.starts[row[A_START]]),
        a_end=int(of_a.ends[row[A_END] - 1]),
        b_start=int(of_b.starts[row[B_START]]),
        b_end=int(of_b.ends[row[B_END] - 1]),
        kind=PASSAGE_KINDS[row[KIND]],
        moved=bool(row[MOVED]),
        role=PASSAGE_ROLES[row[ROLE]],
        words=int(row[MATCHED]),
        edits=() if verbatim else edits_of(row, partner, of_a, of_b, readable=True),
        word_edits=() if verbatim else edits_of(row, partner, of_a, of_b, readable=False),
    )


def _facts(
    left: _Text, right: _Text, rows: NDArray[np.int64], partner: NDArray[np.int64]
) -> tuple[ChangedFact, ...]:
    found: list[ChangedFact] = []
    for row in rows:
        # Verbatim passages, too: "$5m" and "€5m" have the same words.
        if row[ROLE] != BOILERPLATE:
            a, end_a, b, end_b = row[[A_START, A_END, B_START, B_END]].tolist()
            found += changed_facts(
                left.raw, right.raw, left.tokens, right.tokens, (a, end_a, b, end_b), partner
            )
    return tuple(found)
