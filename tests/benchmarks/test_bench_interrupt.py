"""Kills, restarts and what they are compared with."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from benchmarks.interrupt import Trial, differences, report, saved, trial

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def scan(work: float, *, resumes: bool) -> Callable[[float | None], tuple[float, bool]]:
    """A scan of so many seconds, which goes on where it was killed, or starts anew."""
    left = [work]

    def run(after: float | None) -> tuple[float, bool]:
        if after is None or after >= left[0]:
            return left[0], False
        left[0] -= after if resumes else 0
        return after, True

    return run


@pytest.mark.parametrize("resumes", [True, False])
def test_what_resuming_saves(resumes: bool) -> None:
    """A scan that goes on where it was saves all of its work, one that starts anew nothing."""
    done = trial(scan(10, resumes=resumes), 10, 4, random.Random(3))
    assert 0 < len(done.killed) <= 4
    assert all(seconds <= 6 for seconds in done.killed)
    assert saved(done, 10) == pytest.approx(1.0 if resumes else 0.0)


def test_no_kill_loses_nothing() -> None:
    """A run that was never killed has nothing to save."""
    assert saved(trial(scan(10, resumes=False), 10, 0, random.Random(1)), 10) == 1.0


def write(folder: Path, **run: object) -> Path:
    """An output directory."""
    folder.mkdir()
    (folder / "pairs.parquet").write_bytes(b"pairs")
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return folder


def test_only_seconds_may_differ(tmp_path: Path) -> None:
    """run.json is compared without its seconds, everything else byte by byte."""
    one = write(tmp_path / "one", counts=1, seconds={"read": 1.0})
    two = write(tmp_path / "two", counts=1, seconds={"read": 2.0})
    assert differences(one, two) == []
    (two / "run.json").write_text(json.dumps({"counts": 2, "seconds": {}}), encoding="utf-8")
    assert differences(one, two) == ["run.json"]
    (two / "pairs.parquet").write_bytes(b"other")
    (two / "left").mkdir()
    (two / "left" / "part.tmp").write_bytes(b"")
    (one / "errors.jsonl").write_bytes(b"")
    assert differences(one, two) == ["errors.jsonl", "left/part.tmp", "pairs.parquet", "run.json"]


def test_report_sums_the_trials() -> None:
    """Saved work is of all trials together, and differing files are named."""
    trials = [Trial([5.0], 5.0), Trial([5.0], 10.0, ["pairs.parquet"])]
    text = report(trials, 10)
    assert "| 1 | 1 | 5.0 | 5.0 | 100% | the same |" in text
    assert "| 2 | 1 | 5.0 | 10.0 | 0% | pairs.parquet |" in text
    assert "Killed 2 times in 2 trials; 50% of 10.0 s of work saved; 1 trials" in text
