"""Processes are run and measured as the reports say."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from pathlib import Path

import pytest

from benchmarks import measure
from benchmarks.measure import Run, machine, median, rounds, run, run_until_killed, spread, times

PROC = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")


def test_a_run_says_what_the_process_said_last() -> None:
    """The last line is read if it is JSON; other output is not."""
    code = "print('reading'); print('{\"pairs\": 3}')"
    assert run([sys.executable, "-c", code]).said == {"pairs": 3}
    assert run([sys.executable, "-c", "print('no JSON')"]).said == {}


def test_bytecode_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured may keep bytecode, whatever this process may."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    code = "import json, sys; print(json.dumps({'kept': not sys.dont_write_bytecode}))"
    assert run([sys.executable, "-c", code]).said == {"kept": True}


def test_memory_of_children_counts() -> None:
    """A process is as large as the child it waits for."""
    inner = "x = bytearray(90_000_000)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}], check=True)"
    assert run([sys.executable, "-c", code]).peak >= 90_000_000


def test_a_failure_is_told_with_its_reason() -> None:
    """What the process wrote to standard error is in the message."""
    for start in (run, lambda command: run_until_killed(command, None)):
        with pytest.raises(RuntimeError, match=r"ended with 1.*no such corpus"):
            start([sys.executable, "-c", "raise SystemExit('no such corpus')"])


def test_killed_or_ended() -> None:
    """A run that outlasts its time is killed with its children, another ends by itself."""
    inner = "import time; time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    seconds, killed = run_until_killed([sys.executable, "-c", code], 0.1)
    assert killed
    assert seconds < 60
    assert not run_until_killed([sys.executable, "-c", "pass"], None)[1]


@PROC
def test_unnamed_files_are_seen() -> None:
    """A temporary file that has no name any more counts by what it holds on disk."""
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * 3_000_000)
        file.flush()
        os.fsync(file.fileno())
        key = (os.fstat(file.fileno()).st_dev, os.fstat(file.fileno()).st_ino)
        assert dict(measure._unnamed(Path("/proc/self")))[key] >= 3_000_000
    assert key not in dict(measure._unnamed(Path("/proc/self")))


@PROC
def test_processes_of_a_session() -> None:
    """This process is among those of its session, the first of all processes is not."""
    others: set[str] = set()
    for _ in range(2):  # from the second time on others are known
        found = measure._processes(os.getsid(0), others)
        assert Path(f"/proc/{os.getpid()}") in found
    assert all(os.getsid(int(path.name)) == os.getsid(0) for path in found if path.exists())
    assert not others & {path.name for path in found}


def test_rounds_take_turns() -> None:
    """Each round runs every job once, and the order changes from round to round."""
    order: list[str] = []

    def job(name: str) -> Run:
        order.append(name)
        return Run(len(order), 0, 0, 0, {})

    measured = rounds({name: partial(job, name) for name in "abc"}, 6)
    by_round = ["".join(order[start : start + 3]) for start in range(0, len(order), 3)]
    assert all(sorted(one) == ["a", "b", "c"] for one in by_round)
    assert len(set(by_round)) > 1
    assert sorted(run.seconds for runs in measured.values() for run in runs) == list(range(1, 19))


def test_figures() -> None:
    """Medians, ranges and ratios, as tables show them."""
    runs = [Run(seconds, 2 * seconds, 0, 0, {}) for seconds in (3, 1, 2)]
    assert median(runs) == 2
    assert median(runs, "cpu") == 4
    assert spread(runs) == "1.00–3.00"
    assert times(3, 2) == "1.50"
    assert times(3, None) == ""


def test_the_machine_is_described() -> None:
    """Cores and versions are named, packages that are not there are not."""
    text = machine(["no-such-package"])
    assert f"{os.cpu_count()} cores" in text
    assert "numba " in text
    assert "no-such-package" not in text
