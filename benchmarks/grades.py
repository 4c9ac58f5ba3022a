"""Graded reuse: wholly, partially or not derived, against what people said.

`python -m benchmarks.grades COUNTER.parquet --levels LEVELS.parquet --versions VERSIONS.parquet`

COUNTER has columns source_text, derived_text and label (WD, PD, ND). The table gives macro F1
of two classes (derived or not) and of three grades, for the grade as shipped, and for grades
whose two cuts were learned on nine tenths and tried on the last (ten times over, shuffled four
times): of the shipped figures, of unigram containment, and of greedy string tiling (tile 3).
Retellings and versions are derived; stories shifted by one against each other, and generated
reports of the same events (`benchmarks.events`), are not.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from benchmarks.events import events
from benchmarks.levels import retellings
from benchmarks.rewrites import tiling_aligner
from benchmarks.rewriting import tokens_of
from benchmarks.tables import markdown
from dedupe.comparing import compare

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cross_validated", "cuts_of", "macro"]

GRADES = {"ND": 0, "PD": 1, "WD": 2}
NAMES = {"none": 0, "partially": 1, "wholly": 2}
FOLDS, ROUNDS = 10, 4

Pairs = Sequence[tuple[str, str]]


def macro(truth: NDArray[np.int64], said: NDArray[np.int64]) -> tuple[float, float]:
    """Macro F1 of derived or not, and of three grades."""
    two = f1_score(truth > 0, said > 0, average="macro")
    return float(two), float(f1_score(truth, said, average="macro", labels=[0, 1, 2]))


def cuts_of(score: NDArray[np.float64], truth: NDArray[np.int64]) -> tuple[float, float]:
    """The two cuts of a score that give the best three grades."""
    places = np.unique(np.quantile(score, np.linspace(0.02, 0.98, 49)))
    # above[g, k]: pairs of grade g that reach place k.
    above = np.stack([(score[truth == g][:, None] >= places).sum(axis=0) for g in range(3)])
    of = np.bincount(truth, minlength=3)
    low, high = np.triu_indices(len(places))
    said = (
        len(truth) - above.sum(0)[low],
        above.sum(0)[low] - above.sum(0)[high],
        above.sum(0)[high],
    )
    right = (of[0] - above[0][low], above[1][low] - above[1][high], above[2][high])
    f1 = sum(2 * r / np.maximum(s + o, 1) for r, s, o in zip(right, said, of, strict=True))
    best = int(np.argmax(f1))
    return float(places[low[best]]), float(places[high[best]])


def cross_validated(
    score: NDArray[np.float64], truth: NDArray[np.int64]
) -> tuple[float, float, float]:
    """Mean macro F1 of two and three classes, cuts learned in the folds; sd of the first."""
    found = []
    for turn in range(ROUNDS):
        said = np.zeros(len(truth), np.int64)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=turn)
        for train, test in folds.split(score[:, None], truth):
            low, high = cuts_of(score[train], truth[train])
            said[test] = (score[test] >= low).astype(np.int64) + (score[test] >= high)
        found.append(macro(truth, said))
    means = np.mean(found, axis=0)
    return float(means[0]), float(means[1]), float(np.std(found, axis=0)[0])


def _two_cuts(
    logit: NDArray[np.float64], aligned: NDArray[np.float64], truth: NDArray[np.int64]
) -> tuple[float, float, float]:
    """As `cross_validated`, with a figure for each cut: derived by one, wholly by the other."""
    found = []
    for turn in range(ROUNDS):
        said = np.zeros(len(truth), np.int64)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=turn)
        for train, test in folds.split(logit[:, None], truth):
            low = _cut(logit[train], truth[train] > 0)
            derived = train[truth[train] > 0]
            high = _cut(aligned[derived], truth[derived] > 1)
            said[test] = (logit[test] >= low).astype(np.int64) * (1 + (aligned[test] >= high))
        found.append(macro(truth, said))
    means = np.mean(found, axis=0)
    return float(means[0]), float(means[1]), float(np.std(found, axis=0)[0])


def _cut(score: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """The cut that gives the best macro F1 of two classes."""
    places = np.unique(score)
    return float(max(places, key=lambda cut: f1_score(truth, score >= cut, average="macro")))


def _containment(a: str, b: str) -> float:
    """Share of the words of b that a has anywhere."""
    return float(np.isin(tokens_of(b).hashes, tokens_of(a).hashes).mean())


def _tiled(a: str, b: str) -> float:
    """Share of the words of b in tiles of three or more."""
    return float((tiling_aligner(3)(a, b).partner >= 0).mean())


def _scores(pairs: Pairs, score: Callable[[str, str], float]) -> NDArray[np.float64]:
    return np.array([score(a, b) for a, b in pairs])


def _derived(pairs: Iterable[tuple[str, str]]) -> tuple[int, float, float]:
    """Pairs, and the shares of them graded derived, and wholly derived."""
    said = np.array([NAMES[compare(a, b).grade] for a, b in pairs])
    return len(said), float((said > 0).mean()), float((said > 1).mean())


def _counter(path: Path) -> str:
    """The table of COUNTER."""
    table = pl.read_parquet(path)
    truth = np.array([GRADES[label] for label in table["label"]])
    pairs = list(table.select("source_text", "derived_text").iter_rows())
    compared = [compare(a, b) for a, b in pairs]
    said = np.array([NAMES[c.grade] for c in compared])
    rows: list[list[object]] = [["the grade, as shipped", *macro(truth, said), None]]
    logit = np.array([c.grade_evidence["logit"] for c in compared])
    aligned = np.array([c.grade_evidence["aligned_share"] for c in compared])
    rows.append(["its two figures, cuts learned", *_two_cuts(logit, aligned, truth)])
    for name, score in (("unigram containment", _containment), ("tiling, tile 3", _tiled)):
        rows.append([name, *cross_validated(_scores(pairs, score), truth)])
    return markdown(["COUNTER", "two classes", "three grades", "sd"], rows)


def _events() -> list[tuple[str, str]]:
    """Generated reports of the same event, every one with every other."""
    texts = events(100)["text"].to_list()
    return [
        (texts[k + x], texts[k + y])
        for k in range(0, len(texts), 3)
        for x, y in permutations(range(3), 2)
    ]


def _others(levels: Path | None, versions: Path | None) -> str:
    """The table of pairs whose answer follows from where they come from."""
    rows: list[list[object]] = [["reports of the same event (none)", *_derived(_events())]]
    if levels is not None:
        table = pl.read_parquet(levels)
        for level in ("intermediate", "elementary"):
            pairs = list(retellings(table, level))
            rows.append([f"advanced → {level} (derived)", *_derived(pairs)])
        shifted = [(a, pairs[k - 1][1]) for k, (a, _) in enumerate(pairs)]
        rows.append(["another story (none)", *_derived(shifted)])
    if versions is not None:
        table = pl.read_parquet(versions).sort("article", "version")
        texts = [part["text"].to_list() for part in table.partition_by("article")]
        rows.append(["next version (derived)", *_derived((t[0], t[1]) for t in texts)])
        rows.append(["last version → first", *_derived((t[-1], t[0]) for t in texts)])
        rows.append(
            [
                "another article (none)",
                *_derived((t[0], texts[k - 1][0]) for k, t in enumerate(texts)),
            ]
        )
    return markdown(["pairs", "number", "derived", "wholly"], rows)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.grades", description=__doc__)
    parser.add_argument("counter", type=Path, help="parquet: source_text, derived_text, label")
    parser.add_argument("--levels", type=Path, help="parquet: story, level, paragraph, text")
    parser.add_argument("--versions", type=Path, help="parquet: article, version, text")
    args = parser.parse_args()
    print(_counter(args.counter), _others(args.levels, args.versions), sep="\n\n")


if __name__ == "__main__":
    main()
