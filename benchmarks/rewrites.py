"""Aligners against rewrites whose truth is known: words, places, paragraphs, passages.

`python -m benchmarks.rewrites [CORPUS.parquet] [--pairs 150] [--seed 1]`

`benchmarks.rewriting` makes the pairs. An aligner gets two texts and says which token of the
second is which of the first, and what it takes for passages. dedupe's own stands beside
difflib, rapidfuzz and greedy string tiling (Wise 1993), all on the same tokens, their blocks
joined to passages by one rule; the last row gets the true passages and finds the words only.

For tuning: `from benchmarks.rewrites import dedupe_aligner, make_pairs, score`, then
`score(make_pairs("CORPUS.parquet"), dedupe_aligner)`.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from benchmarks.rewriting import HARD, Pair, join, make_pairs, tokens_of
from benchmarks.tables import markdown
from dedupe.align import A_START, B_END, align_pair
from dedupe.tokens import PARAGRAPH, QUOTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "ALIGNERS",
    "Aligned",
    "Aligner",
    "Scores",
    "ceiling",
    "dedupe_aligner",
    "difflib_aligner",
    "f1",
    "make_pairs",
    "plagdet",
    "rapidfuzz_aligner",
    "score",
    "tiling_aligner",
]

LINK = 3
"""Copied tokens from which two paragraphs are linked."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """What an aligner says of two texts.

    Attributes:
        partner: int64 (n_b,), the token of a that each token of b is, or -1.
        passages: int64 (n, 4), first token and token after the last in a, the same in b.
    """

    partner: NDArray[np.int64]
    passages: NDArray[np.int64]


Aligner = Callable[[str, str], Aligned]


@dataclass(frozen=True, slots=True)
class Scores:
    """How an aligner does on a set of pairs. Tokens of shared quotations count nowhere but in `quoted`.

    Attributes:
        words: F1 of the tokens of b said to be copied; of each pair, then the mean over pairs.
        provenance: F1 of (token of a, token of b), so that a token said to come from another
            place is wrong on both sides; mean over pairs.
        links: F1 of (paragraph of a, paragraph of b) with `LINK` copied tokens or more between
            them, in truth and as aligned; mean over pairs.
        plagdet: of the passages of all pairs together; see `plagdet`.
        recall, precision, granularity: what plagdet is made of.
        quoted: of the tokens of shared quotations aligned to anything, those that stand in
            marked speech in a or b; nan where none was aligned.
        milliseconds: median per pair, tokens included.
    """

    words: float
    provenance: float
    links: float
    plagdet: float
    recall: float
    precision: float
    granularity: float
    quoted: float
    milliseconds: float


def score(pairs: Sequence[Pair], aligner: Aligner) -> Scores:
    """Run an aligner on pairs and compare with their truth. Only equal tokens count as aligned."""
    aligner(pairs[0].a, pairs[0].b)  # compiles, or imports, what it needs
    shares, seconds, cases, detections = [], [], [], []
    labels = np.zeros(2, np.int64)
    for pair in pairs:
        begun = time.perf_counter()
        aligned = aligner(pair.a, pair.b)
        seconds.append(time.perf_counter() - begun)
        partner = _equal(pair, aligned.partner)
        shares.append(_shares(pair, partner))
        labels += _labels(pair, partner)
        cases.append(_characters(pair, pair.cases))
        detections.append(_characters(pair, _reuse(pair, aligned.passages)))
    words, provenance, links = np.mean(shares, axis=0).tolist()
    recall, precision, granularity, total = plagdet(cases, detections)
    return Scores(
        words=words,
        provenance=provenance,
        links=links,
        plagdet=total,
        recall=recall,
        precision=precision,
        granularity=granularity,
        quoted=float(labels[0] / labels[1]) if labels[1] else math.nan,
        milliseconds=1000 * float(np.median(seconds)),
    )


def f1(true: int, said: int, both: int) -> float:
    """Harmonic mean of precision and recall from sizes of sets; 1 where both are empty."""
    return 2 * both / (true + said) if true + said else 1.0


def plagdet(
    cases: Sequence[NDArray[np.int64]], detections: Sequence[NDArray[np.int64]]
) -> tuple[float, float, float, float]:
    """Recall, precision, granularity and plagdet of Potthast et al. (2010), macro-averaged.

    Args:
        cases: for each pair of texts int64 (n, 4), true passages in code points: start and end
            in a, start and end in b.
        detections: the same, as detected.

    A detection detects a case if they overlap in both texts. The recall of a case is the share
    of its code points, in both texts together, that lie in any detection that detects it;
    recall is the mean over all cases. Precision is the same with the roles exchanged: the mean
    over detections. Granularity is the mean number of detections of those cases that have any.
    Plagdet is the F1 of recall and precision divided by log2(1 + granularity).
    """
    recalls = [_found(case, said) for t, said in zip(cases, detections, strict=True) for case in t]
    precisions = [_found(one, true) for true, d in zip(cases, detections, strict=True) for one in d]
    if not recalls or not precisions:
        both = float(not recalls and not precisions)
        return both, both, 1.0, both
    recall = float(np.mean([share for share, _ in recalls]))
    precision = float(np.mean([share for share, _ in precisions]))
    counts = [count for _, count in recalls if count]
    granularity = float(np.mean(counts)) if counts else 1.0
    harmonic = 2 * recall * precision / (recall + precision) if recall + precision else 0.0
    return recall, precision, granularity, harmonic / math.log2(1 + granularity)


def _found(span: NDArray[np.int64], others: NDArray[np.int64]) -> tuple[float, int]:
    """The share of a passage's code points inside those that overlap it, and their number."""
    a_start, a_end, b_start, b_end = span.tolist()
    near = others[
        (others[:, 0] < a_end)
        & (others[:, 1] > a_start)
        & (others[:, 2] < b_end)
        & (others[:, 3] > b_start)
    ]
    covered_a, covered_b = np.zeros(a_end - a_start, bool), np.zeros(b_end - b_start, bool)
    for first, last, first_b, last_b in near.tolist():
        covered_a[max(first - a_start, 0) : last - a_start] = True
        covered_b[max(first_b - b_start, 0) : last_b - b_start] = True
    total = len(covered_a) + len(covered_b)
    return (int(covered_a.sum()) + int(covered_b.sum())) / total, len(near)


def _equal(pair: Pair, partner: NDArray[np.int64]) -> NDArray[np.int64]:
    """The partners that are equal tokens, -1 for the others."""
    if len(partner) != len(pair.truth):
        raise ValueError(f"{len(partner)} partners for {len(pair.truth)} tokens")
    equal = partner >= 0
    equal[equal] = pair.tokens_a.hashes[partner[equal]] == pair.tokens_b.hashes[equal]
    return np.where(equal, partner, -1)


def _shares(pair: Pair, partner: NDArray[np.int64]) -> tuple[float, float, float]:
    """F1 of words, of provenance, and of links between paragraphs."""
    true, said = (pair.truth >= 0) & ~pair.quoted, (partner >= 0) & ~pair.quoted
    n_true, n_said = int(true.sum()), int(said.sum())
    words = f1(n_true, n_said, int((true & said).sum()))
    provenance = f1(n_true, n_said, int((true & said & (partner == pair.truth)).sum()))
    linked, as_aligned = set(_links(pair, pair.truth)), set(_links(pair, partner))
    return words, provenance, f1(len(linked), len(as_aligned), len(linked & as_aligned))


def _links(pair: Pair, partner: NDArray[np.int64]) -> dict[tuple[int, int], int]:
    """Linked paragraphs (of a, of b) and the tokens copied between them, quotations aside."""
    a, b = (np.cumsum(t.flags & PARAGRAPH) - 1 for t in (pair.tokens_a, pair.tokens_b))
    copied = np.flatnonzero((partner >= 0) & ~pair.quoted)
    counts = Counter(zip(a[partner[copied]].tolist(), b[copied].tolist(), strict=True))
    return {link: count for link, count in counts.items() if count >= LINK}


def _labels(pair: Pair, partner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Aligned tokens of shared quotations: those in marked speech, and all."""
    at = np.flatnonzero((partner >= 0) & pair.quoted)
    marked = (pair.tokens_a.flags[partner[at]] | pair.tokens_b.flags[at]) & QUOTED
    return np.array([np.count_nonzero(marked), len(at)])


def _reuse(pair: Pair, passages: NDArray[np.int64]) -> NDArray[np.int64]:
    """The passages of which no more than half lies in a shared quotation of b."""
    before = np.concatenate([[0], np.cumsum(pair.quoted)])
    inside = before[passages[:, 3]] - before[passages[:, 2]]
    reuse: NDArray[np.int64] = passages[2 * inside <= passages[:, 3] - passages[:, 2]]
    return reuse


def _characters(pair: Pair, passages: NDArray[np.int64]) -> NDArray[np.int64]:
    """Passages in code points."""
    a, b = pair.tokens_a, pair.tokens_b
    columns = (a.starts, a.ends, b.starts, b.ends)
    spans = [column[passages[:, k] - k % 2].astype(np.int64) for k, column in enumerate(columns)]
    return np.stack(spans, axis=1)


def dedupe_aligner(a: str, b: str) -> Aligned:
    """The alignment of dedupe itself."""
    x, y = tokens_of(a), tokens_of(b)
    alignment, partner = align_pair(x.hashes, x.flags, y.hashes, y.flags)
    return Aligned(partner, alignment.passages[:, A_START : B_END + 1])


def difflib_aligner(a: str, b: str) -> Aligned:
    """The matching blocks of difflib, joined."""
    x, y = (tokens_of(text).hashes.tolist() for text in (a, b))
    matcher = difflib.SequenceMatcher(None, x, y, autojunk=False)
    return _from_blocks([tuple(block) for block in matcher.get_matching_blocks()], len(y))


def rapidfuzz_aligner(a: str, b: str) -> Aligned:
    """The words that rapidfuzz's Levenshtein operations keep, joined."""
    x, y = (tokens_of(text).hashes.tolist() for text in (a, b))
    kept = [o for o in _rapidfuzz().Levenshtein.opcodes(x, y) if o.tag == "equal"]
    return _from_blocks(
        [(o.src_start, o.dest_start, o.src_end - o.src_start) for o in kept], len(y)
    )


def tiling_aligner(tile: int) -> Aligner:
    """Greedy string tiling with tiles of at least `tile` tokens, joined."""

    def align(a: str, b: str) -> Aligned:
        x, y = tokens_of(a).hashes, tokens_of(b).hashes
        tiles = np.empty((len(y), 3), np.int64)
        count = _tile(x, y, tile, tiles)
        return _from_blocks([tuple(row) for row in tiles[:count].tolist()], len(y))

    return align


@njit(cache=True, nogil=True)
def _tile(a: NDArray[np.uint64], b: NDArray[np.uint64], tile: int, out: NDArray[np.int64]) -> int:
    """Take the longest matches of free tokens, again and again; their number."""
    taken_a, taken_b = np.zeros(len(a), np.bool_), np.zeros(len(b), np.bool_)
    matches = np.empty((len(a) + len(b), 2), np.int64)
    lengths = np.zeros(len(b) + 1, np.int64)
    n = 0
    while True:
        longest, found = tile, 0
        lengths[:] = 0
        for i in range(len(a)):
            for j in range(len(b) - 1, -1, -1):  # lengths[j] is still that of the row above
                if a[i] == b[j] and not taken_a[i] and not taken_b[j]:
                    lengths[j + 1] = lengths[j] + 1
                else:
                    lengths[j + 1] = 0
                length = lengths[j + 1]
                if length > longest:
                    longest, found = length, 0
                if length == longest and found < len(matches):
                    matches[found] = i + 1, j + 1
                    found += 1
        if found == 0:
            return n
        for m in range(found):
            i, j = matches[m, 0] - longest, matches[m, 1] - longest
            if not (taken_a[i : i + longest].any() or taken_b[j : j + longest].any()):
                taken_a[i : i + longest] = True
                taken_b[j : j + longest] = True
                out[n] = i, j, longest
                n += 1


def ceiling(pairs: Sequence[Pair]) -> Aligner:
    """An aligner that knows the true passages, and finds a longest common subsequence in each."""
    subsequence = _rapidfuzz().LCSseq
    known = {(pair.a, pair.b): pair for pair in pairs}

    def align(a: str, b: str) -> Aligned:
        pair = known[a, b]
        x, y = pair.tokens_a.hashes.tolist(), pair.tokens_b.hashes.tolist()
        partner = np.full(len(y), -1, np.int64)
        for a_start, a_end, b_start, b_end in pair.cases.tolist():
            for o in subsequence.opcodes(x[a_start:a_end], y[b_start:b_end]):
                if o.tag == "equal":
                    at = np.arange(o.dest_start, o.dest_end)
                    partner[b_start + at] = a_start + o.src_start + at - o.dest_start
        return Aligned(partner, pair.cases)

    return align


def _from_blocks(blocks: Sequence[tuple[int, ...]], tokens: int) -> Aligned:
    """An alignment from matching blocks (start in a, start in b, length), joined."""
    partner = np.full(tokens, -1, np.int64)
    rows = [(i, i + length, j, j + length) for i, j, length in blocks if length]
    for i, i_end, j, j_end in rows:
        partner[j:j_end] = np.arange(i, i_end)
    return Aligned(partner, join(np.array(rows, np.int64).reshape(-1, 4)))


def _rapidfuzz() -> Any:
    """The module of rapidfuzz used here: a peer, not everywhere installed."""
    return importlib.import_module("rapidfuzz.distance")


ALIGNERS: dict[str, Aligner] = {
    "dedupe": dedupe_aligner,
    "greedy string tiling, tile 3": tiling_aligner(3),
    "greedy string tiling, tile 5": tiling_aligner(5),
    "rapidfuzz opcodes": rapidfuzz_aligner,
    "difflib": difflib_aligner,
}
"""What is compared, but for the ceiling."""


def report(mixed: Sequence[Pair], hard: Sequence[Pair]) -> str:
    """The table of all aligners in both settings: of quotations the lower share, time of the mixed one."""
    aligners = {**ALIGNERS, "true passages (ceiling)": ceiling([*mixed, *hard])}
    rows: list[list[object]] = []
    for name, aligner in aligners.items():
        scores = [score(pairs, aligner) for pairs in (mixed, hard)]
        cells: list[object] = [
            cell for s in scores for cell in (s.words, s.provenance, s.links, s.plagdet)
        ]
        quoted = min(s.quoted for s in scores)
        cells += [None if math.isnan(quoted) else quoted, f"{scores[0].milliseconds:.1f}"]
        rows.append([name, *cells])
    settings = ("mixed", f"{HARD:.0%}")
    measures = ("words", "provenance", "links", "plagdet")
    columns = [f"{setting}: {measure}" for setting in settings for measure in measures]
    return markdown(["method", *columns, "quotations told", "ms/pair"], rows)


def dump(pair: Pair, aligner: Aligner = dedupe_aligner) -> str:
    """A rewrite for reading, paragraph by paragraph, with the truth and what an aligner says.

    Words stand as they are where both agree that they are new; =copied where both name the
    same place; -missed; +wrongly copied; ~said to come from another place; "quoted.
    """
    partner = _equal(pair, aligner(pair.a, pair.b).partner)
    links, found = _links(pair, pair.truth), _links(pair, partner)
    tokens = pair.tokens_b
    number = np.cumsum(tokens.flags & PARAGRAPH) - 1
    lines = []
    for paragraph, group in groupby(range(len(number)), lambda k: int(number[k])):
        sides = [
            ", ".join(f"{a} ({count})" for (a, b), count in sorted(side.items()) if b == paragraph)
            for side in (links, found)
        ]
        lines.append(f"\n[{paragraph}] from {sides[0] or 'nowhere'}; said: {sides[1] or 'nowhere'}")
        words = (
            _marked(pair, partner, k) + pair.b[tokens.starts[k] : tokens.ends[k]] for k in group
        )
        lines.append(" ".join(words))
    return "\n".join(lines)


def _marked(pair: Pair, partner: NDArray[np.int64], k: int) -> str:
    """The mark of a token in `dump`."""
    true, said = int(pair.truth[k]), int(partner[k])
    if pair.quoted[k]:
        return '"'
    if true == said:
        return "=" if true >= 0 else ""
    if said < 0:
        return "-"
    return "+" if true < 0 else "~"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.rewrites", description=__doc__)
    parser.add_argument("corpus", nargs="?", type=Path, help="parquet: text; else invented")
    parser.add_argument("--pairs", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dump", type=int, metavar="N", help="print the Nth pair instead")
    parser.add_argument("--hard", action="store_true", help="with --dump: of the hard setting")
    parser.add_argument("--out", type=Path, help="write the table here, too")
    args = parser.parse_args()
    if args.dump is not None:
        rate = HARD if args.hard else None
        pair = make_pairs(args.corpus, pairs=args.pairs, seed=args.seed, rate=rate)[args.dump]
        print(pair.a, dump(pair), sep="\n")
        return
    mixed, hard = (
        make_pairs(args.corpus, pairs=args.pairs, seed=args.seed, rate=rate)
        for rate in (None, HARD)
    )
    table = report(mixed, hard)
    print(table)
    if args.out is not None:
        args.out.write_text(table + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
