"""What an index answers: one article's match with what came before it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from dedupe.align import PassageKind, PassageRole
    from dedupe.classify import TextSpan

__all__ = ["Added", "Family", "Match", "MatchKind", "PairKind", "Reuse", "ReusedPassage", "Status"]

PairKind = Literal["exact", "near", "partial"]
MatchKind = Literal["unique", "exact", "near", "partial"]
Status = Literal["new", "unchanged", "revised"]


@dataclass(frozen=True, slots=True)
class ReusedPassage:
    """A stretch of the article that stands in an earlier one; code points of the raw texts.

    Attributes:
        of: id of the earlier article.
        start, end: in the article that was asked about, the end excluded.
        of_start, of_end: in the earlier article.
        kind: "verbatim", "edited", or "rewritten".
        moved: whether it stands elsewhere than the text around it.
        role: "body", "quotation" or "boilerplate".
        words: equal words in it.
    """

    of: str
    start: int
    end: int
    of_start: int
    of_end: int
    kind: PassageKind
    moved: bool
    role: PassageRole
    words: int


@dataclass(frozen=True, slots=True)
class Reuse:
    """What an article and one earlier article share.

    Attributes:
        of: id of the earlier article.
        kind: "exact" (the same words), "near" (resemblance of `near` or more) or "partial".
        source, title, published, url: of the earlier article, None where unknown.
        resemblance: Jaccard of the two sets of shingles.
        article_in_other: share of this article's words that the earlier one has.
        other_in_article: share of the earlier article's words that this one has.
        net_article_in_other, net_other_in_article: the same without quotations and boilerplate.
        shared_words: words aligned one to one.
        passages: in the order of this article; empty where the index keeps no texts.
    """

    of: str
    kind: PairKind
    source: str | None
    title: str | None
    published: str | None
    url: str | None
    resemblance: float
    article_in_other: float
    other_in_article: float
    net_article_in_other: float
    net_other_in_article: float
    shared_words: int
    passages: tuple[ReusedPassage, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """What an index knows of an article's text.

    Attributes:
        id: of the article.
        kind: of the best match; "unique" without one.
        status: "new"; "unchanged" where the index has this id with this text: nothing is done
            then; "revised" where it has the id with another text, which this one replaces.
        of: ids of the articles it shares text with, best first: same words before near before
            partial, then by shared words, then the earlier.
        reuses: what it shares with each of them, in the same order.
        passages: which text was reused: of each stretch the best match that has it, by place.
        added: spans in no passage of any match, cut at the paragraphs: what is its own. None where
            the index keeps no texts, so that spans are not known.
        words, added_words: of the article; of them those that are in no passage of any match.
        family: name of the family it belongs to, None if it is alone. Names are of a member's
            text and may change as members come; `Index.family` knows a family by any name it had,
            as long as the member is there that it was named after.
        verified: False where the index keeps no texts, so that shares are estimates from sketches.
        left_out: candidates not looked at, being more than `max_matches`.
        too_short: it has fewer words than `min_shared_words`, and so matches nothing.
    """

    id: str
    kind: MatchKind
    status: Status
    of: tuple[str, ...]
    reuses: tuple[Reuse, ...]
    passages: tuple[ReusedPassage, ...]
    added: tuple[TextSpan, ...] | None
    words: int
    added_words: int
    family: str | None
    verified: bool
    left_out: int
    too_short: bool

    @property
    def is_unique(self) -> bool:
        """Whether no earlier article shares text with it."""
        return self.kind == "unique"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain dicts, lists, strings and numbers, for JSON."""
        record = asdict(self)
        if self.added is not None:
            record["added"] = [{"start": start, "end": end} for start, end in self.added]
        return record


@dataclass(frozen=True, slots=True)
class Family:
    """Articles of an index that carry the same copy.

    Attributes:
        name: as `dedupe.scan` names it: "f" and the lowest fingerprint of its members.
        members: their ids, in the order in which they came.
        representative: id of the fullest member that is the copy itself.
        first_seen: earliest date of a member, None where no date is known.
        sources: names of the members' sources, in alphabetical order.
    """

    name: str
    members: tuple[str, ...]
    representative: str
    first_seen: str | None
    sources: tuple[str, ...]


class Added(NamedTuple):
    """What `Index.add_many` did: numbers of articles."""

    new: int
    unchanged: int
    revised: int
