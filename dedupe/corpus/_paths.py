"""Inputs (directories, globs, files, "-") to the list of files, each once."""

# Paths are strings here: a Path for each of many small files is slow.
# ruff: noqa: PTH112, PTH114, PTH116, PTH118, PTH119, PTH120, PTH122

from __future__ import annotations

import fnmatch
import os
import re
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dedupe.config import FORMATS, PROBLEMS_FILE, TABLES
from dedupe.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["STDIN", "File", "Files", "find_files", "kind_of", "shown"]

STDIN = "-"

_KINDS = {
    ".txt": "text",
    ".md": "markdown",
    ".html": "html",
    ".htm": "html",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".jsonl.gz": "jsonl",
    ".jsonl.zst": "jsonl",
    ".ndjson.gz": "jsonl",
    ".ndjson.zst": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}
_READABLE = ".txt .md .html .jsonl[.gz|.zst] .csv .parquet"
_MAGIC = re.compile(r"[*?\[]")

# What a scan leaves in its output directory. A second scan over a directory that holds the
# first one's output must not take that for articles.
_OUTPUT = frozenset(
    [PROBLEMS_FILE, *(f"{table}.{ending}" for table in TABLES for ending in FORMATS)]
)


class File(NamedTuple):
    """One file to read.

    Attributes:
        path: as the operating system knows it.
        place: as the user would name it.
        id: what the ids of its articles are made of.
        kind: "text", "markdown", "html", "jsonl", "csv" or "parquet".
        size: bytes.
    """

    path: str
    place: str
    id: str
    kind: str
    size: int


@dataclass(slots=True)
class Files:
    """What the inputs came to.

    Attributes:
        files: in the order of the inputs, sorted by id within each.
        skipped: files of other kinds met in directories and globs.
        existing: inputs that are there, readable or not.
    """

    files: list[File] = field(default_factory=list)
    skipped: int = 0
    existing: int = 0


def kind_of(name: str) -> str | None:
    """The kind of a file by the ending of its name, or None."""
    dot = name.rfind(".")
    if dot > 0 and name[dot - 1] not in "./\\":  # not a hidden file without an ending
        ending = name[dot:].lower()
        if ending in _KINDS:  # nearly always, and faster than what follows
            return _KINDS[ending]
    base, ending = os.path.splitext(name.lower())
    if ending in {".gz", ".zst"}:
        ending = os.path.splitext(base)[1] + ending
    return _KINDS.get(ending)


def is_output(path: str, name: str) -> bool:
    """Whether a file is a scan's output: one of its names, beside its `errors.jsonl`."""
    return name in _OUTPUT and os.path.lexists(os.path.join(os.path.dirname(path), PROBLEMS_FILE))


def shown(path: str) -> str:
    r"""A path as text: `/` between its parts, and bytes that are not UTF-8 as `\xff`."""
    if os.sep != "/":
        path = path.replace(os.sep, "/")
    if path.isascii():
        return path
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def find_files(
    inputs: Sequence[str], problems: list[Problem], *, whole_paths: bool = False
) -> Files:
    """List the files of all inputs.

    Directories are walked without their hidden entries; symbolic links are followed, and no
    directory is entered twice. A file that is reached in two ways is listed once, under the id
    that sorts first, a real path before a symbolic link. What is not there becomes a problem.

    Args:
        inputs: directories, globs, files, "-".
        problems: what is not there is added here.
        whole_paths: ids are paths as given, and not below a directory, even of a single one.
    """
    search = _Search(problems, several=whole_paths or len(set(inputs)) > 1)
    for given in dict.fromkeys(inputs):
        if given == STDIN:
            search.found[STDIN] = (False, File(STDIN, STDIN, STDIN, "jsonl", 0))
            search.result.existing += 1
        else:
            search.add_input(given)
    search.result.files = [file for _, file in search.found.values()]
    return search.result


class _Search:
    """Files found so far, by real path, each with whether a symbolic link led to it.

    `met` holds those of the present input: (whether by a link, real path, file).
    """

    def __init__(self, problems: list[Problem], *, several: bool) -> None:
        self.problems = problems
        self.several = several
        self.result = Files()
        self.found: dict[str, tuple[bool, File]] = {}
        self.met: list[tuple[bool, str, File]] = []
        self.real_directories: dict[str, str] = {}

    def add_input(self, given: str) -> None:
        problem = _look(given)
        if problem is None:
            self.result.existing += 1
            self._add_path(given, explicit=True)
        elif _MAGIC.search(given) and not os.path.lexists(given):
            matches = sorted(_expand(given, self.problems))
            if not matches:
                self._problem(given, "no file matches", "check the pattern and its directory")
            else:
                self.result.existing += 1
            for match in matches:
                self._add_path(match, explicit=False)
        else:
            self.problems.append(problem)
        self._keep()

    def _add_path(self, path: str, *, explicit: bool) -> None:
        if os.path.isdir(path):
            within = "" if explicit and not self.several else shown(os.path.join(path, ""))
            self._add_directory(path, within)
            return
        kind = kind_of(path)
        if kind is None or (not explicit and is_output(path, os.path.basename(path))):
            if explicit:
                reason = "not a kind of file that can be read"
                self._problem(path, reason, f"readable are {_READABLE}")
            else:
                self.result.skipped += 1
            return
        problem = _look(path)
        if problem:
            self.problems.append(problem)
            return
        link = os.path.islink(path)
        status = os.stat(path)
        file = File(path, shown(path), shown(path), kind, status.st_size)
        self.met.append((link, self._real(path, link=link), file))

    def _add_directory(self, top: str, within: str) -> None:
        start = len(os.path.join(top, ""))
        for path, real, entries in _walk(top, self.problems):
            # What the files of a directory have in common is worked out once.
            below = os.path.join(path, "")
            place, name, key = shown(below), within + shown(below[start:]), os.path.join(real, "")
            for entry in entries:
                kind = None if is_output(entry.path, entry.name) else kind_of(entry.name)
                try:
                    status = entry.stat() if kind else None
                except OSError as error:
                    self.problems.append(_unreadable(entry.path, error))
                    continue
                if kind is None or status is None or not stat.S_ISREG(status.st_mode):
                    self.result.skipped += 1
                    continue
                link = entry.is_symlink()
                told = shown(entry.name)
                file = File(
                    *(entry.path, place + told, name + told, kind),
                    status.st_size,
                )
                target = os.path.realpath(entry.path) if link else key + entry.name
                self.met.append((link, target, file))

    def _real(self, path: str, *, link: bool) -> str:
        """The real path; that of each directory is looked up once."""
        if link:
            return os.path.realpath(path)
        base, name = os.path.split(path)
        if base not in self.real_directories:
            self.real_directories[base] = os.path.realpath(base)
        return os.path.join(self.real_directories[base], name)

    def _keep(self) -> None:
        """Add the files met in one input to those found, each once and under its best id."""
        best: dict[str, tuple[bool, File]] = {}
        for link, key, file in self.met:
            known = best.get(key) or self.found.get(key)
            if known is None or (link, file.id) < (known[0], known[1].id):
                best[key] = (link, file)
        self.met.clear()
        self.found.update(sorted(best.items(), key=lambda item: item[1][1].id))

    def _problem(self, path: str, reason: str, remedy: str) -> None:
        self.problems.append(Problem(shown(path), 0, reason, remedy))


def _walk(top: str, problems: list[Problem]) -> Iterator[tuple[str, str, list[os.DirEntry[str]]]]:
    """Every directory from `top` down, once: its path, its real path and its visible files.

    Directories behind symbolic links come last, so that a file has its real name where it has
    one, and only if no other way led to them; that is also what ends a loop of links.
    """
    entered = set()
    pending = [top]
    links: list[str] = []
    while pending or links:
        if not pending:
            links.sort(reverse=True)
            pending.append(links.pop())
        path = pending.pop()
        real = os.path.realpath(path)
        if real in entered:
            continue
        entered.add(real)
        try:
            with os.scandir(path) as scan:
                entries = [entry for entry in scan if not entry.name.startswith(".")]
        except OSError as error:
            problems.append(_unreadable(path, error))
            continue
        files = []
        for entry in entries:
            if not _is_directory(entry):
                files.append(entry)
            elif entry.is_symlink():
                links.append(entry.path)
            else:
                pending.append(entry.path)
        yield path, real, files


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # such as a link to itself; reading it as a file will say so
        return False


def _expand(pattern: str, problems: list[Problem]) -> set[str]:
    """The paths that match a glob; `**` is any number of directories. Links cannot make it loop."""
    drive, rest = os.path.splitdrive(pattern)
    root = drive + (os.sep if rest.startswith(("/", os.sep)) else "")
    parts = [part for part in re.split(r"[/\\]" if os.sep == "\\" else "/", rest) if part]
    found = {root}
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            if index and parts[index - 1] == "**":
                continue
            found = {path for base in found for path in _descend(base, problems, files=last)}
        elif _MAGIC.search(part):
            found = {
                path
                for base in found
                for path in _children(base, part, problems, directories=not last)
            }
        else:
            joined = (os.path.join(base, part) for base in found)
            found = {path for path in joined if os.path.lexists(path)}
    return found


def _descend(base: str, problems: list[Problem], *, files: bool) -> Iterator[str]:
    """`base` and all directories below, as they are reached from it; or all files below."""
    top = base or os.curdir
    cut = 0 if base else len(os.path.join(top, ""))
    if not os.path.isdir(top):
        return
    for path, _, entries in _walk(top, problems):
        if files:
            yield from (entry.path[cut:] for entry in entries)
        else:
            yield path[cut:]


def _children(
    base: str, pattern: str, problems: list[Problem], *, directories: bool
) -> Iterator[str]:
    matches = re.compile(fnmatch.translate(pattern)).match
    try:
        with os.scandir(base or os.curdir) as scan:
            for entry in scan:
                if entry.name.startswith(".") and not pattern.startswith("."):
                    continue
                if matches(entry.name) and (not directories or _is_directory(entry)):
                    yield os.path.join(base, entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        problems.append(_unreadable(base, error))


def _look(path: str) -> Problem | None:
    """What is wrong with a path, if anything."""
    try:
        os.stat(path)
    except FileNotFoundError as error:
        if os.path.islink(path):
            return _unreadable(path, error)
        return Problem(shown(path), 0, "no such file or directory", "check the path")
    except (OSError, ValueError) as error:  # ValueError: a zero byte in a path
        return _unreadable(path, error)
    return None


def _unreadable(path: str, error: OSError | ValueError) -> Problem:
    if os.path.islink(path) and isinstance(error, FileNotFoundError):
        return Problem(shown(path), 0, "a symbolic link to nothing", "mend or remove the link")
    reason = getattr(error, "strerror", None) or str(error)
    return Problem(shown(path), 0, f"cannot be read: {reason}", "check its permissions")
