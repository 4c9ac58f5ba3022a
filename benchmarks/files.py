"""A corpus in other forms: one plain text file, or a directory of `.txt` files; and bare reading.

`python -m benchmarks.files plain CORPUS.parquet CORPUS.txt`
`python -m benchmarks.files split CORPUS.parquet DIRECTORY/`
`python -m benchmarks.files read DIRECTORY/`
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["plain", "read", "split"]

_PER_FOLDER = 1000
_BLOCK = 20_000


def plain(corpus: Path, path: Path) -> None:
    """Write all texts to one file, each followed by a line break."""
    with path.open("w", encoding="utf-8", newline="") as file:
        for text in _texts(corpus):
            file.write(text)
            file.write("\n")


def split(corpus: Path, folder: Path) -> int:
    """Write each text to a file of its own, a thousand to a folder; returns how many."""
    number = -1
    for number, text in enumerate(_texts(corpus)):
        inner = folder / f"{number // _PER_FOLDER:05d}"
        if number % _PER_FOLDER == 0:
            inner.mkdir(parents=True, exist_ok=True)
        (inner / f"{number:08d}.txt").write_text(text, encoding="utf-8", newline="")
    return number + 1


def read(folder: Path) -> int:
    """Open and read every file under a folder, and nothing more; returns the bytes."""
    total = 0
    for top, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(top, name), "rb") as file:  # noqa: PTH118, PTH123 - the bare minimum
                total += len(file.read())
    return total


def _texts(corpus: Path) -> Iterator[str]:
    import polars as pl

    frame = pl.scan_parquet(corpus).select(pl.col("text").fill_null(""))
    for block in frame.collect_batches(chunk_size=_BLOCK, maintain_order=True):
        yield from block["text"]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.files", description=__doc__)
    parser.add_argument("what", choices=("plain", "split", "read"))
    parser.add_argument("path", type=Path)
    parser.add_argument("output", type=Path, nargs="?")
    args = parser.parse_args()
    if args.what == "read":
        print(json.dumps({"bytes": read(args.path)}))
    elif args.what == "plain":
        plain(args.path, args.output)
    else:
        print(json.dumps({"files": split(args.path, args.output)}))


if __name__ == "__main__":
    main()
