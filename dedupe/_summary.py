"""What `dedupe scan` prints: families by size, then what was skipped or capped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from rich.table import Table
from rich.text import Text

from dedupe._terminal import printable

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from dedupe.scanning import ScanResult

__all__ = ["print_summary"]

SHOWN_FAMILIES = 20

_SHORT_COLUMNS = 5 + 10 + 9 + 10  # size, first seen and reused, and the gaps


def print_summary(console: Console, result: ScanResult, written: list[Path]) -> None:
    """Print a scan's outcome for people; texts from the corpus are never read as markup."""
    counts = result.run["counts"]
    console.print(
        Text(
            f"{counts['articles']:,} articles, {counts['words']:,} words: "
            f"{_plural(counts['families'], 'family', 'families')} of "
            f"{counts['articles_in_families']:,} articles, "
            f"{_plural(counts['pairs'], 'pair', 'pairs')}"
            + (
                f", {_plural(counts['passages'], 'shared passage', 'shared passages')}"
                if result.run["config"]["passages"]
                else ""
            )
        )
    )
    if result.families.height:
        console.print()
        console.print(_family_table(result, console.width))
        more = result.families.height - SHOWN_FAMILIES
        if more > 0:
            console.print(Text(f"… and {_plural(more, 'smaller family', 'smaller families')}"))
    notes = _notes(result)
    if notes:
        console.print()
    for note in notes:
        console.print(Text(note))
    if written:
        console.print()
        console.print(Text("written: " + ", ".join(str(path) for path in written)))


def _plural(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _family_table(result: ScanResult, width: int) -> Table:
    documents = result.documents.filter(pl.col("family").is_not_null())
    reused = {
        family: (least, most)
        for family, least, most in documents.group_by("family")
        .agg(least=pl.col("reused_share").min(), most=pl.col("reused_share").max())
        .iter_rows()
    }
    titles = {
        row["id"]: row["title"] or row["id"]
        for row in documents.select("id", "title").iter_rows(named=True)
    }
    # Long cells are cut here: left to itself a narrow terminal squeezes out the short columns.
    room = max(width - _SHORT_COLUMNS, 30)
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("size", justify="right", min_width=5)
    table.add_column("fullest text")
    table.add_column("sources")
    table.add_column("first seen", min_width=10)
    table.add_column("reused", justify="right", min_width=8)
    for row in result.families.head(SHOWN_FAMILIES).iter_rows(named=True):
        least, most = reused[row["family"]]
        table.add_row(
            f"{row['size']:,}",
            _cut(titles.get(row["representative"], row["representative"]), room * 2 // 3),
            _cut(_sources(row["sources"]), room // 3),
            Text((row["first_seen"] or "")[:10]),
            f"{least:.0%}" if round(least, 2) == round(most, 2) else f"{least:.0%}\u2013{most:.0%}",
        )
    return table


def _cut(text: str, width: int) -> Text:
    line = Text(printable(" ".join(text.split())))
    line.truncate(width, overflow="ellipsis")
    return line


def _sources(sources: list[str]) -> str:
    return ", ".join(sources[:2]) + (f" +{len(sources) - 2}" if len(sources) > 2 else "")


def _notes(result: ScanResult) -> list[str]:
    """One line for everything that was left out, limited or unreadable."""
    counts = result.run["counts"]
    wanted = (
        ("articles_unchanged", "{} that the index had already, as they are"),
        ("articles_revised", "{} that the index had with another text, now replaced"),
        ("round_ups", "{} hold the copy of several families (round-ups) and are in none"),
        ("articles_too_short", "{} shorter than --min-shared-words, which nothing can match"),
        ("articles_with_boilerplate", "{} with text that many unrelated articles carry"),
        ("files_skipped", "{} of other kinds in the directories, not read"),
        ("dates_not_understood", "{} not understood"),
        ("problems", "{} in the input"),
    )
    nouns = {
        "files_skipped": ("file", "files"),
        "dates_not_understood": ("date", "dates"),
        "problems": ("problem", "problems"),
    }
    notes = [
        text.format(_plural(counts[key], *nouns.get(key, ("article", "articles"))))
        for key, text in wanted
        if counts.get(key)
    ]
    if counts.get("postings_limited_to_hubs"):
        notes.append(
            f"{counts['postings_limited_to_hubs']:,} long postings compared with their "
            f"{result.run['config']['hubs']} hubs only"
        )
    if counts.get("pairs_implied_by_groups"):
        notes.append(
            f"{counts['pairs_implied_by_groups']:,} pairs between copies of the same texts "
            "are implied by their groups and not listed"
        )
    recall = result.run.get("expected_recall", {})
    tier = ", ".join(f"{share:.3f} at resemblance {at}" for at, share in recall.items())
    notes.append(
        (f"near-duplicate tier: expected recall {tier}; " if tier else "")
        + f"sketch: 1 shingle in {result.run['scale']}"
    )
    return notes
