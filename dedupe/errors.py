"""What can go wrong, as a tree of exceptions, and the record of an input that could not be read.

```
DedupeError
├── ConfigError         an option has no meaning, or two clash            (exit code 2)
├── InputError          nothing can be read at all: no such path, no text column  (2)
├── OutputError         the results cannot be written where asked         (exit code 1)
├── MissingExtraError   an optional part is not installed                 (exit code 2)
├── IndexLockedError    another process is writing to the index           (exit code 1)
├── IndexDamagedError   files of an index are not what was written        (exit code 1)
└── StoreUnavailableError  the server that keeps an index does not answer  (exit code 1)
```

An input that is broken while others are fine raises nothing: it becomes a `Problem`, is
written to `errors.jsonl`, and the run ends with exit code 3.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ConfigError",
    "DedupeError",
    "IndexDamagedError",
    "IndexLockedError",
    "InputError",
    "MissingExtraError",
    "OutputError",
    "Problem",
    "StoreUnavailableError",
]


class DedupeError(Exception):
    """Base of every error raised on purpose. Its message is one plain sentence with a remedy."""


class ConfigError(DedupeError):
    """An option has a value without meaning, or two options clash."""


class InputError(DedupeError):
    """Nothing can be read: the whole job has no input."""


class OutputError(DedupeError):
    """What is written, results or the temporary files of a scan, cannot be, or not be read again."""


class MissingExtraError(DedupeError):
    """An optional dependency is needed and not installed; the message names the extra."""


class IndexLockedError(DedupeError):
    """Another process has been writing to the index for longer than was to be waited."""


class IndexDamagedError(DedupeError):
    """A file of an index is not what was written; the message names it and says how to repair it."""


class StoreUnavailableError(DedupeError):
    """The server that keeps an index did not answer, again and again: nothing is known of the article."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One input that could not be read or used; a line of `errors.jsonl`.

    Attributes:
        path: the file as the user would name it; "-" for standard input.
        line: 1-based line (or row, for tables) in that file; 0 where the whole file is meant.
        reason: what is wrong, in plain words.
        remedy: what the user can do about it.
        id: the article's id where one was read, else "".
    """

    path: str
    line: int
    reason: str
    remedy: str
    id: str = ""
