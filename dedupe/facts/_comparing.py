"""From two texts of one passage to the facts that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedupe.facts._changes import changed_mentions
from dedupe.facts._kinds import ChangedFact
from dedupe.facts._language import BEGINNING, SAMPLE, language_of
from dedupe.facts._lexicon import lexicon_of
from dedupe.facts._negations import changed_negations
from dedupe.facts._parts import gaps_of, part_of, resigned, side_of, written_alike
from dedupe.facts._passages import Change, Passage
from dedupe.facts._reading import Statements, statements_in, with_context

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dedupe.facts._sides import Gap
    from dedupe.tokens import Tokens

__all__ = ["changed_facts"]

_NEAR = 10
"""Words on either side of a change that must be much the same in both texts."""

_SAME_FOR_SUBSTITUTE, _SAME_FOR_DROPPED = 0.4, 0.6
"""Share of those words that must be aligned. Of changes below it half are none: two passages
follow one pattern, or a sentence was written anew."""


def changed_facts(
    text_a: str,
    text_b: str,
    tokens_a: Tokens,
    tokens_b: Tokens,
    passage: tuple[int, int, int, int],
    partner: NDArray[np.int64],
) -> list[ChangedFact]:
    """The numbers, dates, names and negations that differ between two texts of one passage.

    Time is linear in the passage. Swapping the texts gives the same facts, swapped.

    Args:
        text_a, text_b: the raw texts.
        tokens_a, tokens_b: their tokens, as `dedupe.tokens.tokenise_text` gives them.
        passage: first token and token after the last in a, then in b.
        partner: int64 (n_tokens_b,), the equal token of a that each token of b is aligned
            with, or -1; ascending within the passage.

    Returns:
        The changes, by their place in b.
    """
    a_first, a_last, b_first, b_last = passage
    if a_first == a_last or b_first == b_last:
        return []
    if written_alike(text_a, text_b, tokens_a, tokens_b, passage):
        return []
    gaps, partner_a, partner_b = gaps_of(passage, partner)
    a = part_of(text_a, tokens_a, a_first, a_last)
    b = part_of(text_b, tokens_b, b_first, b_last)
    spots = resigned(a, b, partner_a, partner_b)
    if not gaps and not spots:
        return []
    language = language_of(*(part.around[: 3 * SAMPLE] for part in (a, b)))
    # A table tells no language, but the text around it may.
    language = language or language_of(*(t.hashes[:BEGINNING] for t in (tokens_a, tokens_b)))
    lexicon = lexicon_of(language)
    side_a = side_of(a, partner_a, _spans(gaps, 0), lexicon)
    side_b = side_of(b, partner_b, _spans(gaps, 1), lexicon)
    both = Passage((side_a, side_b), gaps, {})
    stated_a, stated_b = _stated(both, spots)
    changes = [*changed_mentions(both, stated_a.facts, stated_b.facts)]
    changes += changed_negations(both, stated_a, stated_b)
    facts = {_fact(both, change) for change in changes if _among_the_same(both, change)}
    return sorted(facts, key=lambda f: (f.b_start, f.b_end, f.a_start, f.a_end, f.kind))


def _spans(gaps: list[Gap], side: int) -> list[tuple[int, int]]:
    """Tokens of one side that gaps hold."""
    return [(gap.first[side], gap.last[side]) for gap in gaps]


def _stated(passage: Passage, spots: list[tuple[int, int]]) -> list[Statements]:
    """What each side states around the gaps that may hold a fact, and around some aligned tokens."""
    telling = [gap for gap in passage.gaps if passage.says_something(gap)]
    found = []
    for k, side in enumerate(passage.sides):
        spans = sorted(_spans(telling, k) + [(spot[k], spot[k]) for spot in spots])
        found.append(statements_in(side, with_context(spans, len(side.hashes))))
    return found


def _among_the_same(passage: Passage, change: Change) -> bool:
    """Whether a change stands, in both texts, among words that are the same."""
    both = change.a is not None and change.b is not None
    enough = _SAME_FOR_SUBSTITUTE if both else _SAME_FOR_DROPPED
    for k, (side, mention) in enumerate(zip(passage.sides, change[:2], strict=True)):
        first = last = passage.gaps[change.gap].first[k] if mention is None else mention.first
        if mention is not None:
            last = mention.last
        near = side.partner[max(0, first - _NEAR) : first] + side.partner[last : last + _NEAR]
        if sum(token >= 0 for token in near) < enough * max(len(near), 1):
            return False
    return True


def _fact(passage: Passage, change: Change) -> ChangedFact:
    """A change as it is reported."""
    spans = []
    for k, (side, mention) in enumerate(zip(passage.sides, change[:2], strict=True)):
        if mention:
            spans.append((mention.start, mention.end))
        else:
            first = passage.gaps[change.gap].first[k]
            at = side.starts[first] if first < len(side.starts) else side.ends[-1]
            spans.append((at, at))
    (a_start, a_end), (b_start, b_end) = spans
    kind = next(mention.kind for mention in change[:2] if mention)
    a, b = passage.sides
    return ChangedFact(kind, a.text[a_start:a_end], b.text[b_start:b_end], *spans[0], *spans[1])
