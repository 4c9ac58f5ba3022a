"""What a scan without passages does not see for aligning fewer pairs.

`python -m benchmarks.links CORPUS.parquet [CORPUS.parquet ...]`

Every corpus is scanned with and without passages, at several settings. With passages all pairs
are aligned; a linked pair of these (a net share of at least `threshold`, or a near-duplicate) that
is not one without was lost. Whether families are the same is told, too.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from benchmarks.tables import markdown
from dedupe.config import Config
from dedupe.scanning import scan

if TYPE_CHECKING:
    from dedupe.scanning import ScanResult

SETTINGS: tuple[dict[str, float], ...] = (
    {},
    {"threshold": 0.1},
    {"threshold": 0.5},
    {"threshold": 0.7},
    {"shingle": 3},
    {"shingle": 8},
    {"shingle": 12, "min_shared_words": 24, "threshold": 0.7},
)


def linked(result: ScanResult, config: Config) -> pl.DataFrame:
    """Ids of the pairs that link two articles by their shares."""
    net = pl.max_horizontal("net_a_in_b", "net_b_in_a") >= config.threshold
    return result.pairs.filter(net | (pl.col("resemblance") >= config.near)).select("a", "b")


def row(corpus: Path, settings: dict[str, float]) -> list[str]:
    """One line of the table."""
    config = Config().replace(**settings)
    full, quick = (scan(corpus, config, passages=passages) for passages in (True, False))
    links, found = linked(full, config), linked(quick, config)
    lost = links.join(found, on=["a", "b"], how="anti").height
    members = [result.documents.select("id", "family", "origin") for result in (full, quick)]
    counts = quick.run["counts"]
    told = ", ".join(f"{name} {value:g}" for name, value in settings.items()) or "defaults"
    cells = [corpus.name, told, f"{counts['pairs_verified']:,}", f"{counts['pairs_aligned']:,}"]
    same = "yes" if members[0].equals(members[1]) else "no"
    return [*cells, f"{links.height:,}", str(lost), same]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="+", type=Path)
    arguments = parser.parse_args()
    head = ["corpus", "settings", "pairs", "aligned", "linked", "lost", "same families, origins"]
    print(markdown(head, [row(path, one) for path in arguments.corpora for one in SETTINGS]))


if __name__ == "__main__":
    main()
