"""A corpus in other forms: one plain text file, a directory of `.txt` files; and bare reading.

`python -m benchmarks.files plain CORPUS.parquet CORPUS.txt`
`python -m benchmarks.files split CORPUS.parquet DIRECTORY/`
`python -m benchmarks.files alike CORPUS.parquet TEXTS.parquet`
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

__all__ = ["alike", "plain", "read", "split"]

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
        path = folder / _name(number)
        if number % _PER_FOLDER == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return number + 1


def alike(corpus: Path, path: Path) -> None:
    """Write a Parquet file that says what the directory does: these names and texts, no more."""
    import polars as pl

    texts = pl.read_parquet(corpus, columns=["text"])
    names = pl.Series([_name(number) for number in range(len(texts))], dtype=pl.String)
    texts.select(pl.lit(names).alias("id"), pl.col("text").fill_null("")).write_parquet(path)


def read(folder: Path) -> int:
    """Open and read every file under a folder, and nothing more; returns the bytes."""
    total = 0
    for top, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(top, name), "rb") as file:  # noqa: PTH118, PTH123 - the bare minimum
                total += len(file.read())
    return total


def _name(number: int) -> str:
    return f"{number // _PER_FOLDER:05d}/{number:08d}.txt"


def _texts(corpus: Path) -> Iterator[str]:
    import polars as pl

    frame = pl.scan_parquet(corpus).select(pl.col("text").fill_null(""))
    for block in frame.collect_batches(chunk_size=_BLOCK, maintain_order=True):
        yield from block["text"]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.files", description=__doc__)
    parser.add_argument("what", choices=("alike", "plain", "read", "split"))
    parser.add_argument("path", type=Path)
    parser.add_argument("output", type=Path, nargs="?")
    args = parser.parse_args()
    if args.what == "read":
        print(json.dumps({"bytes": read(args.path)}))
    elif args.what == "split":
        print(json.dumps({"files": split(args.path, args.output)}))
    else:
        {"alike": alike, "plain": plain}[args.what](args.path, args.output)


if __name__ == "__main__":
    main()
