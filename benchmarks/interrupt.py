"""Killed at random moments and started again: is the result the same, and what was saved?

`python -m benchmarks.interrupt CORPUS.parquet -o DIR --kills 10`

`dedupe scan CORPUS -o OUT` runs once undisturbed. Then it is killed (`kill -9`) at random moments
and started again with the same output, until it ends by itself; and so again, in new directories,
until it was killed often enough. Every file written must have the same bytes as undisturbed;
`run.json` all but its seconds.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import cli, emit, machine, run_until_killed, warm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Trial", "differences", "report", "saved", "trial"]

VARYING = ("seconds", "resumed")
"""What may differ in `run.json`: how long it took, and that it went on from an earlier run."""
REACH = 0.6
"""A run is killed within this share of the undisturbed time, so that most runs are."""


@dataclass(slots=True)
class Trial:
    """One output directory, from the first start to the end.

    Attributes:
        killed: seconds of each run that was killed.
        last: seconds of the run that ended by itself.
        wrong: files that differ from the undisturbed ones, are missing, or were left over.
    """

    killed: list[float] = field(default_factory=list)
    last: float = 0.0
    wrong: list[str] = field(default_factory=list)


def trial(
    run: Callable[[float | None], tuple[float, bool]], whole: float, kills: int, draw: random.Random
) -> Trial:
    """Start, kill and start again until a run ends, at most `kills` times killed.

    Args:
        run: runs the scan for at most so many seconds; returns seconds, and whether it was killed.
        whole: seconds of the undisturbed run.
        kills: after so many the next run is let alone.
        draw: when to kill.
    """
    done = Trial()
    while True:
        left = len(done.killed) < kills
        seconds, killed = run(draw.uniform(0, REACH * whole) if left else None)
        if not killed:
            done.last = seconds
            return done
        done.killed.append(seconds)


def saved(done: Trial, whole: float) -> float:
    """Share of the time before the kills that did not have to be spent again.

    1 if the runs together took as long as the undisturbed one, 0 if the last started from nothing.
    """
    lost = sum(done.killed)
    return 1 - (lost + done.last - whole) / lost if lost else 1.0


def differences(expected: Path, found: Path) -> list[str]:
    """Names of the files that differ between two output directories, or are in one only."""
    names = {path.relative_to(top) for top in (expected, found) for path in top.rglob("*")}
    return sorted(
        str(name)
        for name in names
        if not (expected / name).is_dir() and _content(expected / name) != _content(found / name)
    )


def _content(path: Path) -> object:
    if not path.is_file():
        return None
    data = path.read_bytes()
    if path.name != "run.json":
        return data
    record = json.loads(data)
    return {key: value for key, value in record.items() if key not in VARYING}


def report(trials: Sequence[Trial], whole: float) -> str:
    """A row for each output directory, and the sum."""
    from benchmarks.tables import markdown

    rows = [
        [
            number,
            len(done.killed),
            ", ".join(f"{seconds:.1f}" for seconds in done.killed),
            f"{done.last:.1f}",
            f"{saved(done, whole):.0%}" if done.killed else "",
            ", ".join(done.wrong) or "the same",
        ]
        for number, done in enumerate(trials, 1)
    ]
    header = ["trial", "kills", "after seconds", "last run", "work saved", "files"]
    lost = sum(sum(done.killed) for done in trials)
    spent = sum(sum(done.killed) + done.last for done in trials)
    all_saved = 1 - (spent - whole * len(trials)) / lost if lost else 1.0
    wrong = sum(bool(done.wrong) for done in trials)
    return (
        f"{markdown(header, rows)}\n\nUndisturbed {whole:.1f} s. Killed"
        f" {sum(len(done.killed) for done in trials)} times in {len(trials)} trials; {all_saved:.0%} of"
        f" {lost:.1f} s of work saved; {wrong} trials with other files than undisturbed."
    )


def main() -> None:
    """Command line; exit code 1 if anything differed."""
    parser = argparse.ArgumentParser(prog="benchmarks.interrupt", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="a directory to work in")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, help="write the report here as well")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    warm()
    undisturbed = args.output / "undisturbed"
    _empty(undisturbed)
    whole, _ = _scan(args.corpus, undisturbed, None)
    draw = random.Random(args.seed)
    trials: list[Trial] = []
    while (left := args.kills - sum(len(done.killed) for done in trials)) > 0:
        folder = args.output / f"trial{len(trials) + 1}"
        _empty(folder)

        def scan(after: float | None, folder: Path = folder) -> tuple[float, bool]:
            return _scan(args.corpus, folder, after)

        trials.append(trial(scan, whole, left, draw))
        trials[-1].wrong = differences(undisturbed, folder)
        print(f"trial {len(trials)}: {trials[-1]}", file=sys.stderr, flush=True)
    parts = ["# Interrupted runs", machine(), report(trials, whole)]
    emit("\n\n".join(parts), args.report)
    sys.exit(any(done.wrong for done in trials))


def _scan(corpus: Path, out: Path, after: float | None) -> tuple[float, bool]:
    return run_until_killed(cli("scan", corpus, "-o", out, "--quiet"), after)


def _empty(folder: Path) -> None:
    """Remove what an earlier use of this benchmark left."""
    if folder.exists():
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
