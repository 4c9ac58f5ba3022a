"""End to end, from a parquet file to pairs: dedupe, the fastest peer, and `wc -w`.

`python -m benchmarks.peers CORPUS.parquet --runs 3`

Every run is a cold process that reads the file itself; runs of the tools alternate, so that a
busy machine slows all of them. dedupe's kernels are compiled once before, as after an install.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from benchmarks.tables import markdown, read_corpus

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Run", "run"]

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes per unit of `ru_maxrss`, which the systems do not agree on."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process.

    Attributes:
        seconds: wall time from its start to its end.
        peak: peak resident memory in bytes.
        pairs: pairs found, where it counts them.
    """

    seconds: float
    peak: int
    pairs: int | None


def run(command: list[str]) -> Run:
    """Run a command and measure it; its last line of output may be JSON with `pairs`."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own
        assert process.stdout is not None
        output = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    last = output.splitlines()[-1] if output else ""
    pairs = json.loads(last)["pairs"] if last.startswith("{") else None
    return Run(seconds, usage.ru_maxrss * _RSS_UNIT, pairs)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.peers", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=sorted(_TOOLS), help="one tool instead of both")
    parser.add_argument("--child", choices=sorted(_TOOLS), help=argparse.SUPPRESS)
    parser.add_argument("--plain", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.plain:
        _write_plain(args.corpus, args.plain)
        return
    if args.child:
        print(json.dumps({"pairs": _TOOLS[args.child](args.corpus)}))
        return
    tools = [args.only] if args.only else list(_TOOLS)
    if "dedupe" in tools:
        _warm()
    measured: defaultdict[str, list[Run]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "corpus.txt"
        # In a child: a process starts with the peak memory of the one that started it.
        run([sys.executable, "-m", "benchmarks.peers", str(args.corpus), "--plain", str(plain)])
        for _ in range(args.runs):
            for tool in tools:
                command = ["-m", "benchmarks.peers", str(args.corpus), "--child", tool]
                measured[tool].append(run([sys.executable, *command]))
            measured["wc -w"].append(run(["wc", "-w", str(plain)]))
    print(
        f"{pl.scan_parquet(args.corpus).select(pl.len()).collect().item():,} articles; medians of {args.runs} runs.\n"
    )
    print(report(dict(measured)))


def report(measured: dict[str, list[Run]]) -> str:
    """Medians, and every tool's time against dedupe's and against `wc -w`."""
    medians = {tool: statistics.median(r.seconds for r in runs) for tool, runs in measured.items()}
    rows = []
    for tool, runs in measured.items():
        seconds = [r.seconds for r in runs]
        pairs = runs[0].pairs
        rows.append(
            [
                tool,
                f"{medians[tool]:.2f}",
                f"{min(seconds):.2f}-{max(seconds):.2f}",
                f"{max(r.peak for r in runs) / 1e9:.2f} GB",
                "" if pairs is None else pairs,
                f"{medians[tool] / medians['dedupe']:.2f}" if "dedupe" in medians else "",
                f"{medians[tool] / medians['wc -w']:.1f}",
            ]
        )
    header = ["tool", "seconds", "range", "peak memory", "pairs", "÷ dedupe", "÷ `wc -w`"]
    return markdown(header, rows)


def _dedupe(path: Path) -> int:
    import dedupe

    return len(dedupe.scan(path).pairs)


def _gaoya(path: Path) -> int:
    """Pairs of gaoya at its fastest with 5-grams: 20 bands of 5 rows, 32-bit hashes, J ≥ .7."""
    import gaoya

    texts = pl.read_parquet(path, columns=["text"])["text"].to_list()
    index = gaoya.minhash.MinHashStringIndex(32, 0.7, 20, 5, None, "word", True, (5, 5))
    index.par_bulk_insert_docs(list(range(len(texts))), texts)
    found = index.par_bulk_query(texts)
    return sum(a < b for a, row in enumerate(found) for b in row)


_TOOLS: dict[str, Callable[[Path], int]] = {"dedupe": _dedupe, "gaoya": _gaoya}


def _warm() -> None:
    """Let numba compile and cache dedupe's kernels on an invented corpus."""
    from benchmarks.generate import combine, digest, story

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "warm.parquet"
        combine(story(20), digest()).write_parquet(path)
        run([sys.executable, "-m", "benchmarks.peers", str(path), "--child", "dedupe"])


def _write_plain(corpus: Path, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for text in read_corpus(corpus)["text"]:
            file.write(text)
            file.write("\n")


if __name__ == "__main__":
    main()
