"""Running processes and measuring them; what the machine is. Used by every timed benchmark.

Only the standard library is imported here, and nothing large by the programs that time others: on
Linux a process starts with the peak memory of the one that started it.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = [
    "Run",
    "cli",
    "emit",
    "environment",
    "machine",
    "median",
    "rounds",
    "run",
    "run_until_killed",
    "spread",
    "times",
    "warm",
]

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes per unit of `ru_maxrss`, which the systems do not agree on."""
_SAMPLE = 0.2
"""Seconds between two looks at a process and its children; a look takes less than a millisecond."""
_BLOCK = 512
"""Bytes per unit of `st_blocks`, by POSIX."""
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Run:
    """One process, from its start to its end, with all of its children.

    Attributes:
        seconds: wall time.
        cpu: seconds of processor time, user and system.
        peak: peak resident memory in bytes: the largest process as the system counts it, or the
            largest sum over the process and its children that was seen, shared pages once.
        disk: most bytes seen on disk in unnamed temporary files and in the folders watched.
        said: its last line of output, where that is JSON.
    """

    seconds: float
    cpu: float
    peak: int
    disk: int
    said: dict[str, Any]


def run(
    command: Sequence[str], *, env: dict[str, str] | None = None, folders: Sequence[Path] = ()
) -> Run:
    """Run a command to its end and measure it.

    Args:
        command: what to run.
        env: its environment; `environment()` if None.
        folders: what they hold counts as `disk`.

    Raises:
        RuntimeError: it failed; the message ends with the last it wrote to standard error.
    """
    started = time.perf_counter()
    with _started(command, env) as (process, errors):
        sampler = _Sampler(process.pid, folders)
        with sampler:
            assert process.stdout is not None
            output = process.stdout.read().decode()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            tail = errors.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {tail}")
    last = output.splitlines()[-1] if output else ""
    return Run(
        seconds=seconds,
        cpu=usage.ru_utime + usage.ru_stime,
        peak=max(usage.ru_maxrss * _RSS_UNIT, sampler.memory),
        disk=sampler.disk,
        said=json.loads(last) if last.startswith("{") else {},
    )


def run_until_killed(command: Sequence[str], after: float | None) -> tuple[float, bool]:
    """Run a command and kill it, with all its children, `after` seconds later, as `kill -9` does.

    None lets it end by itself.

    Returns:
        Seconds it ran, and whether it was killed: it may end before.

    Raises:
        RuntimeError: it ended by itself, and failed.
    """
    with _started(command, None) as (process, errors):
        started = time.perf_counter()
        try:
            process.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        seconds = time.perf_counter() - started
        if process.returncode == -signal.SIGKILL:
            return seconds, True
        if process.returncode:
            errors.seek(0)
            tail = errors.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {tail}")
        return seconds, False


def rounds(
    jobs: Mapping[str, Callable[[], Run]], runs: int, *, seed: int = 1
) -> dict[str, list[Run]]:
    """Run all jobs in turn, `runs` times, each round in an order of its own.

    So whatever slows the machine for a while slows all of them, and none always follows the same.
    """
    order = list(jobs)
    shuffle = random.Random(seed).shuffle
    measured: dict[str, list[Run]] = {name: [] for name in jobs}
    for number in range(runs):
        shuffle(order)
        for name in order:
            measured[name].append(jobs[name]())
            print(
                f"round {number + 1}: {name} {measured[name][-1].seconds:.2f} s",
                file=sys.stderr,
                flush=True,
            )
    return measured


def median(runs: Sequence[Run], name: str = "seconds") -> float:
    """The median of one attribute."""
    return float(statistics.median(getattr(run, name) for run in runs))


def spread(runs: Sequence[Run]) -> str:
    """The least and the most seconds, for a table."""
    seconds = [run.seconds for run in runs]
    return f"{min(seconds):.2f}–{max(seconds):.2f}"


def times(value: float, other: float | None) -> str:
    """A ratio for a table; nothing where there is nothing to divide by."""
    return f"{value / other:.2f}" if other else ""


def cli(*arguments: str | Path) -> list[str]:
    """The command `dedupe` with arguments, of the package that this interpreter imports."""
    return [sys.executable, "-m", "dedupe", *map(str, arguments)]


def environment(**changes: str) -> dict[str, str]:
    """This process's environment with changes.

    Python may keep bytecode in it, as installers do for every package: where that is forbidden, a
    source tree is compiled again in each process, which takes .1 s of a scan.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **changes}


def warm() -> None:
    """Scan a small invented corpus in both ways, so that numba has compiled dedupe's kernels."""
    with tempfile.TemporaryDirectory() as name:
        path, out = Path(name) / "warm.parquet", Path(name) / "out"
        generate = ["-m", "benchmarks.generate", "--articles", "3000", "--words", "120"]
        run([sys.executable, *generate, "-o", str(path)])
        run([sys.executable, "-m", "benchmarks.tools", "dedupe", str(path), str(out)])
        run(cli("scan", path, "-o", Path(name) / "full", "--quiet"))


def emit(report: str, output: Path | None) -> None:
    """Print a report, and write it to a file if one is named."""
    print(report)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(report + "\n", encoding="utf-8")


def machine(packages: Sequence[str] = ()) -> str:
    """What a report was measured on, and with which versions, as a Markdown list."""
    versions = [f"Python {platform.python_version()}"]
    for package in ("dedupe-news", "numba", "numpy", "polars", *packages):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{package} {importlib.metadata.version(package)}")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    hardware = f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory"
    return (
        f"- machine: {hardware}, {platform.system()} {platform.release()}\n"
        f"- versions: {', '.join(versions)}{_commit()}"
    )


@contextlib.contextmanager
def _started(
    command: Sequence[str], env: dict[str, str] | None
) -> Iterator[tuple[subprocess.Popen[bytes], Any]]:
    """A process in a session of its own, which ends with this block whatever happens in it."""
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(  # noqa: S603 - our own
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment() if env is None else env,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process, errors
        except BaseException:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
            raise


class _Sampler:
    """Looks at a session's processes now and then: what they hold in memory and on disk together.

    Their files may have no name any more, so they are found by the descriptors that are open.
    """

    def __init__(self, session: int, folders: Sequence[Path]) -> None:
        self._session = session
        self._folders = folders
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._others: set[str] = set()
        self.memory = 0
        self.disk = 0

    def __enter__(self) -> None:
        if _PROC.is_dir() or self._folders:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_SAMPLE):
            processes = _processes(self._session, self._others)
            if len(processes) > 1:  # the system's own figure is exact for one
                self.memory = max(self.memory, sum(map(_proportional, processes)))
            files = dict(entry for process in processes for entry in _unnamed(process))
            for folder in self._folders:
                files.update(_held(folder))
            self.disk = max(self.disk, sum(files.values()))


def _processes(session: int, others: set[str]) -> list[Path]:
    """The processes of a session; those of others are added to `others` and not looked at again."""
    found = []
    for name in os.listdir(_PROC):  # noqa: PTH208 - names alone, and often
        if not name.isdigit() or name in others:
            continue
        try:
            # The name, in brackets, may hold anything; the session is the 4th field after it.
            stat = (_PROC / name / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(stat[3]) == session:
            found.append(_PROC / name)
        elif int(stat[1]) != os.getpid():  # one of ours may be about to begin its session
            others.add(name)
    return found


def _proportional(process: Path) -> int:
    """Bytes a process holds, its part of those it shares with others."""
    with contextlib.suppress(OSError):
        for line in (process / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _unnamed(process: Path) -> Iterator[tuple[tuple[int, int], int]]:
    """Files without a name that a process has open, and their bytes on disk."""
    with contextlib.suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                status = descriptor.stat()
                if status.st_nlink == 0 and status.st_blocks:
                    yield (status.st_dev, status.st_ino), status.st_blocks * _BLOCK


def _held(folder: Path) -> Iterator[tuple[tuple[int, int], int]]:
    """The files of a folder, and their bytes on disk."""
    for top, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(top, name))  # noqa: PTH118 - as os.walk gives it
                yield (status.st_dev, status.st_ino), status.st_blocks * _BLOCK


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    """The commit that is checked out, where there is one."""
    try:
        command = ["git", "rev-parse", "--short", "HEAD"]
        done = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603 - our own
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f", commit {done.stdout.strip()}"
