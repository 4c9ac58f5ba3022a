"""What is printed, and where: consoles, JSON, problems, and a word on compiling."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from dedupe.errors import Problem
    from dedupe.scanning import Progress

__all__ = [
    "announce_compiling",
    "make_console",
    "print_json",
    "print_problem",
    "print_problems",
    "progress_of",
]

SHOWN_PROBLEMS = 10


def make_console(*, stderr: bool = False, color: str = "auto") -> Console:
    """A console for standard output or error, coloured as `--color` says."""
    from rich.console import Console

    if color == "always":  # wins over NO_COLOR and a dumb terminal
        return Console(
            highlight=False, force_terminal=True, color_system="standard", no_color=False
        )
    if color == "never":
        return Console(highlight=False, color_system=None)
    return Console(stderr=stderr, highlight=False)


def announce_compiling() -> None:
    """Say on a terminal what is done when kernels have to be compiled, which takes up to a minute."""
    from dedupe._jit import when_compiling

    if sys.stderr is not None and sys.stderr.isatty():
        when_compiling(lambda: sys.stderr.write(_COMPILING))


_COMPILING = "dedupe: compiling for this machine, once after installation: up to a minute\n"


def print_json(record: Mapping[str, Any]) -> None:
    """Print a record as JSON: a field a line, and in lists an item a line."""
    import json

    def dumped(value: Any) -> str:
        return _escaped(json.dumps(value, ensure_ascii=False))

    fields = []
    for name, value in record.items():
        items = ",\n    ".join(map(dumped, value)) if isinstance(value, list | tuple) else ""
        fields.append(f'"{name}": ' + (f"[\n    {items}\n  ]" if items else dumped(value)))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as JSON is, whatever the terminal
    sys.stdout.write("{\n  " + ",\n  ".join(fields) + "\n}\n")


def _escaped(printed: str) -> str:
    """JSON with escapes for what could steer a terminal or is no character: the same to a reader."""
    import json

    from dedupe._terminal import printable

    if printable(printed) == printed:
        return printed
    return "".join(c if printable(c) == c else json.dumps(c)[1:-1] for c in printed)


def print_problems(problems: Sequence[Problem], all_in: str) -> None:
    """Print the first problems on standard error, and where the rest can be seen."""
    for problem in problems[:SHOWN_PROBLEMS]:
        print_problem(problem)
    more = len(problems) - SHOWN_PROBLEMS
    if more > 0:
        sys.stderr.write(f"dedupe: and {more} more problems; {all_in}\n")


def print_problem(problem: Problem) -> None:
    """Print a problem on standard error: where, what, and what can be done."""
    from dedupe._terminal import printable

    place = f"{problem.path}:{problem.line}" if problem.line else problem.path
    line = printable(f"dedupe: {place}: {problem.reason}; {problem.remedy}")
    sys.stderr.write(line + "\n")


@contextmanager
def progress_of(quiet: bool) -> Iterator[Progress | None]:
    """A progress bar, where there is a terminal for it."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from dedupe._progress import progress_bar

    with progress_bar(make_console(stderr=True)) as bar:
        yield bar
