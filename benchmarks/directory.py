"""What reading thousands of small files costs beside one Parquet file.

`python -m benchmarks.directory CORPUS.parquet --runs 3`

The same texts are scanned from a directory of `.txt` files and from a Parquet file with the names and
texts of these files and nothing else, so that both scans find the same. And the files are opened and
read by a program that does no more than that. The last line says how much longer the directory
takes than both of the others together.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Run, emit, machine, median, rounds, run, spread, warm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["report"]

DIRECTORY, PARQUET, BARE = "scan of the directory", "scan of the Parquet file", "bare reading"


def report(measured: Mapping[str, Sequence[Run]]) -> str:
    """The table, and the ratio."""
    from benchmarks.tables import markdown

    table = markdown(
        ["", "seconds", "range", "CPU seconds", "peak memory", "pairs"],
        [
            [
                name,
                f"{median(runs):.2f}",
                spread(runs),
                f"{median(runs, 'cpu'):.2f}",
                f"{max(run.peak for run in runs) / 1e9:.2f} GB",
                runs[0].said.get("pairs"),
            ]
            for name, runs in measured.items()
        ],
    )
    both = median(measured[PARQUET]) + median(measured[BARE])
    ratio = median(measured[DIRECTORY]) / both
    return f"{table}\n\nDirectory ÷ (Parquet + bare reading): {ratio:.2f}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.directory", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path, help="write the report here as well")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        files, out = Path(name) / "files", Path(name) / "out"
        made = _program("files", "split", args.corpus, files).said["files"]
        table = Path(name) / "texts.parquet"
        _program("files", "alike", args.corpus, table)
        warm()
        jobs = {
            DIRECTORY: partial(_program, "tools", "dedupe", files, out),
            PARQUET: partial(_program, "tools", "dedupe", table, out),
            BARE: partial(_program, "files", "read", files),
        }
        measured = rounds(jobs, args.runs)
    size = measured[BARE][0].said["bytes"] / 1e6
    parts = [
        "# A directory of files",
        f"{made:,} files, {size:,.0f} MB; medians of {args.runs} rounds, files in the system's cache.",
        machine(),
        report(measured),
    ]
    emit("\n\n".join(parts), args.output)


def _program(name: str, *arguments: str | Path) -> Run:
    return run([sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)])


if __name__ == "__main__":
    main()
