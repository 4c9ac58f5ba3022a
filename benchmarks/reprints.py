"""Reprints among saved pages, found from the `.html` files directly.

`python -m benchmarks.reprints DIRECTORY` scans the pages below a directory at default
settings and prints the families found and every pair's shares.
"""

from __future__ import annotations

import argparse

import polars as pl

import dedupe
from benchmarks.tables import markdown


def main() -> None:
    """Scan the pages and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory")
    result = dedupe.scan(f"{parser.parse_args().directory.rstrip('/')}/*.htm*")
    family = dict(result.documents.select("id", "family").iter_rows())
    pairs = result.pairs.with_columns(family=pl.col("a").replace_strict(family))
    print(f"{result.documents.height} pages, {result.families.height} families\n")
    columns = ("a", "b", "a_in_b", "b_in_a", "resemblance", "shared_words", "family")
    rows = [
        [value if isinstance(value, str) else f"{value:.3g}" for value in row]
        for row in pairs.select(columns).fill_null("").iter_rows()
    ]
    print(markdown(columns, rows))
    for problem in result.problems:
        print(f"{problem.path}: {problem.reason}")


if __name__ == "__main__":
    main()
