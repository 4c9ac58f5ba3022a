"""A progress bar on standard error for the command line."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

__all__ = ["progress_bar"]


class _Bars:
    """Implements `dedupe.scanning.Progress`: a bar while reading, then a line per stage."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("read", total=None)

    def stage(self, name: str) -> None:
        self._progress.update(self._task, description=name, total=None, completed=0)

    def bytes_read(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total or None)


@contextmanager
def progress_bar(console: Console) -> Iterator[_Bars]:
    """Show progress until the block ends, then leave the terminal as it was."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bars(progress)
