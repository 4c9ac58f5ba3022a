"""End to end, from a Parquet file to pairs: dedupe, its peers, and what no tool can be faster than.

`python -m benchmarks.peers CORPUS.parquet --runs 5`

Every run is a cold process that reads the file itself. In each round all tools run once, in an order
of its own, so that a busy machine slows all of them. Timed is the whole process: starting Python,
importing, reading, finding pairs, writing their ids. *Inner* is what the tool took of it, from the
texts in memory to pairs (dedupe has no entrance but files, so its own reading is in it). dedupe's
kernels are compiled once before, as after an install. Recall is worked out afterwards.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Run, cli, emit, machine, median, rounds, run, spread, times, warm
from benchmarks.tools import TOOLS, has_pairs_only, missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

__all__ = ["Recall", "recall", "report"]

FULL, WORDS = "dedupe-full", "wc"
_TITLES = {
    **{name: tool.title for name, tool in TOOLS.items()},
    FULL: "dedupe scan -o, everything aligned and written",
    WORDS: "`wc -w` on the plain text",
}
NAMES = ("dedupe", FULL, *(name for name in TOOLS if name not in ("dedupe", "bare")), "bare", WORDS)
LOWEST = 0.2
"""Containment from which a pair counts in the recall of all."""
BUCKETS = ("0.2-0.3", "0.3-0.5", "0.5-0.8", "≥ 0.8")
_PACKAGES = ("gaoya", "rensa", "fastsketchlsh", "datasketch", "text-dedup", "xxhash")


@dataclass(frozen=True, slots=True)
class Recall:
    """What a tool found of the pairs of different sources.

    Attributes:
        shares: share found in each of `BUCKETS`, then of all from `LOWEST` up; None of no pairs.
        counts: how many pairs there are in each.
        implied: of those found, the ones not listed as pairs, but in one group.
    """

    shares: tuple[float | None, ...]
    counts: tuple[int, ...]
    implied: int


def recall(
    oracle: pl.DataFrame, pairs: pl.DataFrame, documents: pl.DataFrame | None = None
) -> Recall:
    """Recall of pairs of different sources against the oracle, by containment.

    Args:
        oracle: from `benchmarks.oracle`.
        pairs: columns a, b in any order.
        documents: columns id, family: articles of one family count as found pairs.
    """
    import polars as pl

    from benchmarks.recall import join

    wanted = oracle.filter(~pl.col("same_source"), pl.col("containment") >= LOWEST)
    joined = join(wanted, pairs).with_columns(implied=pl.lit(value=False))
    if documents is not None:
        family = documents.select("id", "family")
        joined = (
            joined.join(family.rename({"id": "a", "family": "family_a"}), on="a", how="left")
            .join(family.rename({"id": "b", "family": "family_b"}), on="b", how="left")
            .with_columns(
                implied=(pl.col("family_a") == pl.col("family_b")).fill_null(value=False)
                & ~pl.col("found")
            )
        )
    found = pl.col("found") | pl.col("implied")
    rows = [
        joined.filter(pl.col("bucket") == name).select(found.mean(), n=pl.len()).row(0)
        for name in BUCKETS
    ]
    rows.append(joined.select(found.mean(), n=pl.len()).row(0))
    shares, counts = zip(*rows, strict=True)
    return Recall(shares, counts, int(joined["implied"].sum()))


def report(measured: Mapping[str, Sequence[Run]], recalls: Mapping[str, Recall]) -> str:
    """One row for each tool: medians of its runs, ratios of these medians, and its recall."""
    from benchmarks.tables import markdown

    medians = {name: median(runs) for name, runs in measured.items()}
    inner = {
        name: sorted(run.said["inner"] for run in runs)[len(runs) // 2]
        for name, runs in measured.items()
        if all("inner" in run.said for run in runs)
    }
    rows = []
    for name, runs in measured.items():
        found = recalls.get(name)
        pairs = runs[0].said.get("pairs")
        rows.append(
            [
                _TITLES[name],
                f"{medians[name]:.2f}",
                spread(runs),
                times(medians[name], medians.get("dedupe")),
                f"{inner[name]:.2f}" if name in inner else "",
                times(inner[name], inner.get("dedupe")) if name in inner else "",
                f"{median(runs, 'cpu'):.1f}",
                f"{max(run.peak for run in runs) / 1e9:.2f} GB",
                times(medians[name], medians.get(WORDS)),
                times(medians[name], medians.get("bare")),
                "" if pairs is None else pairs,
                *(("", "", "", "", "") if found is None else found.shares),
            ]
        )
    header = [
        *("tool", "seconds", "range", "÷ dedupe", "inner", "÷ dedupe", "CPU seconds"),
        *("peak memory", "÷ `wc -w`", "÷ bare pass", "pairs"),
        *(f"recall {name}" for name in BUCKETS),
        f"≥ {LOWEST:g}",
    ]
    return markdown(header, rows)


def stages(measured: Mapping[str, Sequence[Run]]) -> str:
    """The seconds of dedupe's stages, medians; nothing if it did not run."""
    from benchmarks.tables import markdown

    told = {
        name: [run.said["stages"] for run in measured[name]]
        for name in ("dedupe", FULL)
        if name in measured
    }
    if not told:
        return ""
    names = list(dict.fromkeys(stage for runs in told.values() for run in runs for stage in run))
    return "Seconds of dedupe's stages, as it tells them itself:\n\n" + markdown(
        ["stage", *(_TITLES[name] for name in told)],
        [
            [
                stage,
                *(
                    f"{_middle([run.get(stage, 0.0) for run in runs]):.2f}"
                    for runs in told.values()
                ),
            ]
            for stage in names
        ],
    )


def notes(recalls: Mapping[str, Recall], absent: Mapping[str, list[str]], aligned: bool) -> str:
    """What a reader of the table must know besides."""
    lines = []
    counts = next((found.counts for found in recalls.values()), ())
    if counts:
        number = ", ".join(
            f"{count:,} at {name}"
            for name, count in zip((*BUCKETS, f"≥ {LOWEST:g}"), counts, strict=True)
        )
        lines.append(f"- Pairs of different sources by the exact oracle: {number}.")
    implied = [f"{_TITLES[n]} {found.implied:,}" for n, found in recalls.items() if found.implied]
    if implied:
        lines.append(
            "- Found as members of one family or cluster, and not listed as pairs: "
            + "; ".join(implied)
            + "."
        )
    if aligned:
        lines.append(
            "- This dedupe cannot leave passages out: its first row aligns every pair too."
        )
    lines += [f"- Left out: {_TITLES[n]} (no {', '.join(m)})." for n, m in absent.items()]
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.peers", description=__doc__)
    parser.add_argument("corpus", type=Path, nargs="?", help="one is generated if there is none")
    parser.add_argument("--articles", type=int, default=20_000, help="to generate")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=NAMES, nargs="+", default=NAMES, metavar="TOOL",
                        help=", ".join(NAMES))  # fmt: skip
    parser.add_argument(
        "--oracle", type=Path, help="from `python -m benchmarks.oracle`, to save its time"
    )
    parser.add_argument("-o", "--output", type=Path, help="write the report here as well")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = args.corpus or _generated(folder, args.articles)
        absent = {n: m for n in args.only if n in TOOLS and (m := missing(TOOLS[n]))}
        names = [n for n in args.only if n not in absent]
        plain = folder / "corpus.txt"
        _in_child("plain", corpus, plain)
        if {"dedupe", FULL, "bare"} & set(names):
            warm()
        jobs = {n: partial(_run, n, corpus, plain, folder / n) for n in names}
        measured = rounds(jobs, args.runs)
        oracle = args.oracle or folder / "oracle.parquet"
        if not args.oracle:
            run([sys.executable, "-m", "benchmarks.oracle", str(corpus), "-o", str(oracle)])
        emit(_whole_report(corpus, oracle, folder, measured, absent, args.runs), args.output)


def _run(name: str, corpus: Path, plain: Path, out: Path) -> Run:
    """One tool, once."""
    if name == WORDS:
        return run(["wc", "-w", str(plain)])
    if name != FULL:
        return run([sys.executable, "-m", "benchmarks.tools", name, str(corpus), str(out)])
    measured = run(cli("scan", corpus, "-o", out, "--quiet"))
    said = json.loads((out / "run.json").read_text(encoding="utf-8"))
    measured.said.update(stages=said["seconds"], pairs=said["counts"]["pairs"])
    measured.said["inner"] = sum(said["seconds"].values())
    return measured


def _whole_report(
    corpus: Path,
    oracle: Path,
    folder: Path,
    measured: Mapping[str, Sequence[Run]],
    absent: Mapping[str, list[str]],
    runs: int,
) -> str:
    import polars as pl

    from benchmarks.tables import read_corpus

    truth = pl.read_parquet(oracle)
    recalls = {}
    for name in measured:
        if (folder / name / "pairs.parquet").exists():
            grouped = folder / name / "documents.parquet"
            documents = pl.read_parquet(grouped) if grouped.exists() else None
            recalls[name] = recall(
                truth, pl.read_parquet(folder / name / "pairs.parquet"), documents
            )
    texts = read_corpus(corpus)["text"]
    aligned = "dedupe" in measured and not has_pairs_only()
    size = int(texts.str.len_bytes().sum()) / 1e6
    parts = [
        "# From a file to pairs",
        f"{len(texts):,} articles, {size:,.0f} MB of text; medians of {runs} rounds.",
        machine(_PACKAGES),
        report(measured, recalls),
        notes(recalls, absent, aligned),
        stages(measured),
    ]
    return "\n\n".join(part for part in parts if part)


def _generated(folder: Path, articles: int) -> Path:
    path = folder / "corpus.parquet"
    size = ["--articles", str(articles)]
    run([sys.executable, "-m", "benchmarks.generate", *size, "-o", str(path)])
    return path


def _in_child(what: str, corpus: Path, path: Path) -> None:
    """Large work that must not be done in the process that starts the tools."""
    run([sys.executable, "-m", "benchmarks.files", what, str(corpus), str(path)])


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    main()
