"""A corpus checked against an index, and added to it: the tables of a scan."""

from __future__ import annotations

import time
from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO

import polars as pl

from dedupe._version import __version__
from dedupe.corpus import read_corpus
from dedupe.errors import Problem
from dedupe.scanning import ScanResult
from dedupe.tables import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dedupe.index._index import Index
    from dedupe.index._records import Family, Match, Reuse
    from dedupe.records import Article, Batch

__all__ = ["scan_into"]

_DOCUMENTS = {
    "id": pl.String,
    "source": pl.String,
    "title": pl.String,
    "published": pl.String,
    "words": pl.UInt32,
    "family": pl.String,
    "reused_share": pl.Float32,
    "origin": pl.String,
    "kind": pl.String,
    "status": pl.String,
}
_SHARES = ("resemblance", "a_in_b", "b_in_a", "net_a_in_b", "net_b_in_a")
_PAIRS = {
    "a": pl.String,
    "b": pl.String,
    "kind": pl.String,
    **dict.fromkeys(_SHARES, pl.Float32),
    "shared_words": pl.UInt32,
}
_PASSAGES = {
    "a": pl.String,
    "b": pl.String,
    **dict.fromkeys(("a_start", "a_end", "b_start", "b_end"), pl.UInt32),
    "kind": pl.String,
    "moved": pl.Boolean,
    "role": pl.String,
}


def scan_into(
    index: Index,
    inputs: str | PathLike[str] | Sequence[str | PathLike[str]],
    *,
    add: bool = True,
    stdin: BinaryIO | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ScanResult:
    """Check every article of a corpus against an index, and add it.

    The tables are those of `dedupe.scan`, of the articles of the corpus: pairs and passages with
    those that were in the index before them, and the families that they are in, whose other
    members may be older. Documents have two more columns, `kind` and `status`, as in `Match`.

    Args:
        index: open for writing, unless `add` is False.
        inputs: as for `dedupe.scan`.
        add: whether the articles are kept. Otherwise they do not count for each other.
        stdin: read in place of standard input for "-".
        progress: called now and then with the bytes read, and their total.
    """
    began = time.perf_counter()
    paths = [inputs] if isinstance(inputs, str | PathLike) else list(inputs)
    problems: list[Problem] = []
    tables = _Tables(index.config.threshold)
    reader = read_corpus(
        paths,
        index.config,
        problems,
        stdin=stdin,
        progress=progress,
        prefetch=1,
        lasting_ids=True,
    )
    try:
        check = index.check_and_add_many if add else index.check_many
        for batch in reader:
            articles = list(_usable(batch, problems, tables.seen))
            for article, match in zip(articles, check(articles), strict=True):
                tables.take(article, match)
    finally:
        reader.close()
    families = index.families(tables.ids) if add else []
    problems.sort()
    frames = tables.frames(families)
    held = index.info()
    run = {
        "version": __version__,
        "config": index.config.to_dict(),
        "scale": held["scale"],
        "index": held,
        "counts": {
            "articles": len(tables.documents),
            "words": int(frames["documents"]["words"].sum()),
            **tables.counts(),
            "articles_in_families": len(frames["documents"].drop_nulls("family")),
            "pairs": len(tables.pairs),
            "passages": len(tables.passages),
            "families": len(families),
            "problems": len(problems),
            "files_skipped": reader.skipped,
            "dates_not_understood": reader.unread_dates,
        },
        "seconds": {"index": round(time.perf_counter() - began, 3)},
    }
    return ScanResult(**frames, run=run, problems=problems)


def _usable(batch: Batch, problems: list[Problem], seen: set[str]) -> Iterator[Article]:
    """Articles with a text in them, and each id once; of the others a problem is made."""
    for article, (path, line) in zip(batch.articles(), batch.places, strict=True):
        if not article.text.strip():
            reason = "the text has no word in it"
            remedy = "check that the text field holds the article's text"
        elif article.id in seen:
            reason = f"id {article.id!r} is used again"
            remedy = "the first one was kept; give every article its own id"
        else:
            seen.add(article.id)
            yield article
            continue
        problems.append(Problem(path, line, reason=reason, remedy=remedy, id=article.id))


class _Tables:
    """Rows of the tables, as they come."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self.documents: list[tuple[Any, ...]] = []
        self.pairs: list[tuple[Any, ...]] = []
        self.passages: list[tuple[Any, ...]] = []
        self.ids: list[str] = []
        self.seen: set[str] = set()
        self.left_out = 0

    def take(self, article: Article, match: Match) -> None:
        """Add an article and what is known of it."""
        self.ids.append(match.id)
        self.left_out += match.left_out
        origin = next((r.of for r in match.reuses if _share(r) >= self._threshold), None)
        self.documents.append(
            (
                match.id,
                article.source,
                article.title,
                article.published,
                match.words,
                match.family,
                (match.words - match.added_words) / max(match.words, 1),
                origin,
                match.kind,
                match.status,
            )
        )
        for reuse in match.reuses:
            self._take_pair(match.id, reuse)

    def _take_pair(self, own: str, reuse: Reuse) -> None:
        turned = reuse.of < own
        shares = [
            (reuse.article_in_other, reuse.other_in_article),
            (reuse.net_article_in_other, reuse.net_other_in_article),
        ]
        a, b = (reuse.of, own) if turned else (own, reuse.of)
        flat = [share for both in shares for share in (both[::-1] if turned else both)]
        self.pairs.append((a, b, reuse.kind, reuse.resemblance, *flat, reuse.shared_words))
        for p in reuse.passages:
            spans = [(p.start, p.end), (p.of_start, p.of_end)]
            (a_start, a_end), (b_start, b_end) = spans[::-1] if turned else spans
            self.passages.append((a, b, a_start, a_end, b_start, b_end, p.kind, p.moved, p.role))

    def counts(self) -> dict[str, int]:
        """Articles of each kind and status."""
        found: dict[str, int] = {}
        for row in self.documents:
            for name in (f"articles_{row[-2]}", f"articles_{row[-1]}"):
                found[name] = found.get(name, 0) + 1
        return {**dict(sorted(found.items())), "candidates_left_out": self.left_out}

    def frames(self, families: Sequence[Family]) -> dict[str, pl.DataFrame]:
        """The tables, sorted as those of a scan are."""
        name_of = {member: family.name for family in families for member in family.members}
        documents = pl.DataFrame(self.documents, schema=_DOCUMENTS, orient="row")
        if families:
            documents = documents.with_columns(
                family=pl.Series([name_of.get(name) for name in documents["id"]], dtype=pl.String)
            )
        rows = [
            (f.name, len(f.members), f.representative, f.first_seen, list(f.sources))
            for f in sorted(families, key=lambda f: (-len(f.members), f.name))
        ]
        return {
            "documents": documents.sort("id", maintain_order=True),
            "pairs": pl.DataFrame(self.pairs, schema=_PAIRS, orient="row").sort("a", "b"),
            "passages": pl.DataFrame(self.passages, schema=_PASSAGES, orient="row").sort(
                "a", "b", "b_start", "a_start"
            ),
            "families": pl.DataFrame(rows, schema=FAMILIES, orient="row"),
        }


def _share(reuse: Reuse) -> float:
    return max(reuse.net_article_in_other, reuse.net_other_in_article)
