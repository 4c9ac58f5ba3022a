"""What starting costs: the command, the import, and two articles.

`python -m benchmarks.startup --runs 9`

Each command is a process of its own, in turn, medians. Beside them stand an empty Python and the
help of a typer program of two commands that do nothing, which is the least such a command line can
take. *First run* has an empty directory for what numba compiles, and no arrays that are kept, as after
an install.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import dedupe
from benchmarks.measure import Run, emit, environment, machine, median, rounds, run, spread, times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["report"]

_CACHE = Path(dedupe.__file__).parent / "__pycache__"

_EMPTY_APP = '''\
import typer

app = typer.Typer()


@app.command()
def one(path: str) -> None:
    """Do nothing with a path."""


@app.command()
def two(path: str) -> None:
    """Do nothing else."""


app()
'''
_ENTRY = "import sys\nfrom dedupe.cli import main\nsys.exit(main())\n"
"""What an installer writes as the command `dedupe`."""
EMPTY, TYPER = "python -c pass", "typer, two empty commands, --help"


def report(measured: Mapping[str, Sequence[Run]]) -> str:
    """Medians, and each against the empty Python and the empty typer program."""
    from benchmarks.tables import markdown

    medians = {name: median(runs) for name, runs in measured.items()}
    header = ["command", "seconds", "range", "CPU seconds", "peak memory",
              "÷ empty Python", "÷ empty typer"]  # fmt: skip
    return markdown(
        header,
        [
            [
                f"`{name}`" if " " in name and "," not in name else name,
                f"{medians[name]:.3f}",
                spread(runs),
                f"{median(runs, 'cpu'):.2f}",
                f"{max(run.peak for run in runs) / 1e6:.0f} MB",
                times(medians[name], medians.get(EMPTY)),
                times(medians[name], medians.get(TYPER)),
            ]
            for name, runs in measured.items()
        ],
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.startup", description=__doc__)
    parser.add_argument("--seeds", type=Path, default=Path("seeds"), help="a few articles")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--first-runs", type=int, default=3, help="of those that compile anew")
    parser.add_argument("-o", "--output", type=Path, help="write the report here as well")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        jobs, first = _jobs(Path(name), args.seeds)
        for job in jobs.values():  # what Python and numba keep on disk is there from now on
            job()
        measured = rounds(jobs, args.runs) | rounds(first, args.first_runs)
    parts = [
        "# Starting",
        f"`python -m benchmarks.startup`: medians of {args.runs} rounds, of {args.first_runs} first runs.",
        machine(["typer"]),
        report(measured),
    ]
    emit("\n\n".join(parts), args.output)


def _jobs(
    folder: Path, seeds: Path
) -> tuple[dict[str, Callable[[], Run]], dict[str, Callable[[], Run]]]:
    """The commands by name: those run warm, and those run each time as for the first time."""
    app, entry = folder / "empty.py", folder / "dedupe_command.py"
    app.write_text(_EMPTY_APP, encoding="utf-8")
    entry.write_text(_ENTRY, encoding="utf-8")
    # As this directory comes first on the path of scripts in another one.
    env = environment(PYTHONPATH=":".join([str(Path.cwd()), *filter(None, sys.path[1:])]))
    a, b = sorted(str(path) for path in seeds.glob("*.txt"))[:2]

    def job(*arguments: str) -> Callable[[], Run]:
        return partial(run, [sys.executable, *arguments], env=env)

    def fresh(*arguments: str) -> Run:
        for kept in _CACHE.glob("*.arrays"):  # as `dedupe._kept` does, made again by this run
            kept.unlink()
        with tempfile.TemporaryDirectory(dir=folder) as cache:
            return run([sys.executable, *arguments], env={**env, "NUMBA_CACHE_DIR": cache})

    compare = (str(entry), "compare", a, b)
    scan = (str(entry), "scan", str(seeds))
    jobs = {
        EMPTY: job("-c", "pass"),
        TYPER: job(str(app), "--help"),
        "dedupe --help": job(str(entry), "--help"),
        "import dedupe": job("-c", "import dedupe"),
        "dedupe compare A B": job(*compare),
        "dedupe scan seeds/": job(*scan),
    }
    first: dict[str, Callable[[], Run]] = {
        "dedupe compare A B, first run": partial(fresh, *compare),
        "dedupe scan seeds/, first run": partial(fresh, *scan),
    }
    return jobs, first


if __name__ == "__main__":
    main()
