"""Page furniture in a stream is learnt, kept, and told to others, and ends as a scan has it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from indexing import article, block, in_children

import dedupe
from dedupe import Index

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dedupe import Article

FOOTER = 7_000
"""The paragraph that is under every article of a source."""


def page(number: int, source: str | None = "s", paragraphs: int = 4) -> Article:
    """An article of its own with the footer."""
    own = [100 * number + k for k in range(paragraphs)]
    return article(f"{source}{number}", [*own, FOOTER], source)


def scanned(path: Path, articles: Sequence[Article]) -> dict[frozenset[str], tuple[str, float]]:
    """Pairs of a scan, with what is shared without furniture."""
    corpus = path / "corpus.jsonl"
    corpus.write_text(
        "".join(
            json.dumps({"id": one.id, "text": one.text, "source": one.source}) + "\n"
            for one in articles
        )
    )
    return {
        frozenset((row["a"], row["b"])): (row["kind"], max(row["net_a_in_b"], row["net_b_in_a"]))
        for row in dedupe.scan(corpus).pairs.iter_rows(named=True)
    }


def test_footer_of_a_source(tmp_path: Path) -> None:
    """From the eighth article on the footer of a source proposes nobody, and is nobody's text."""
    pages = [page(number) for number in range(14)]
    with Index.open(tmp_path / "idx") as index:
        matches = [index.check_and_add(one) for one in pages]
        assert [bool(match.of) for match in matches] == [False] + [True] * 6 + [False] * 7
        assert {match.family for match in matches} == {None}
        assert index.check(page(99)).kind == "unique"
        # Who takes the story, footer and all, is told so, and the footer is known for what it is.
        copy = index.check(article("copy", [300, 301, 302, 303, FOOTER], "s"))
        assert copy.of == ("s3",)
    assert scanned(tmp_path, pages) == {}


@pytest.mark.parametrize("store_text", [True, False])
def test_footer_with_and_without_texts(tmp_path: Path, *, store_text: bool) -> None:
    """A footer is learnt whether texts are kept or sketches alone."""
    pages = [page(number) for number in range(14)]
    with Index.open(tmp_path / "idx", store_text=store_text) as index:
        told = [len(index.check_and_add(one).of) for one in pages]
        assert told == [0, 1, 2, 3, 4, 5, 6] + [0] * 7
    with Index.open(tmp_path / "batch", store_text=store_text) as index:
        told = [len(match.of) for match in index.check_and_add_many(pages)]
        assert told == [0] * 14


def test_footer_in_a_batch(tmp_path: Path) -> None:
    """In a batch that is enough by itself nobody is proposed, as in a scan."""
    with Index.open(tmp_path / "idx") as index:
        matches = index.check_and_add_many(page(number) for number in range(14))
        assert {match.kind for match in matches} == {"unique"}
        assert index.info()["pairs"] == 0


def test_verdicts_last(tmp_path: Path) -> None:
    """Verdicts are there when the index is opened again, also after it was compacted."""
    with Index.open(tmp_path / "idx") as index:
        index.add_many(page(number) for number in range(10))
        known = index.info()["verdicts"]
        assert known > 0
    for mode in ("r", "rw"):
        with Index.open(tmp_path / "idx", mode=mode) as index:
            assert index.info()["verdicts"] == known
            assert index.check(page(99)).kind == "unique"
    with Index.open(tmp_path / "idx") as index:
        index.compact()
        assert index.info()["verdicts"] == known
        assert index.check(page(99)).kind == "unique"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no forks")
def test_verdicts_are_told(tmp_path: Path) -> None:
    """What another process learnt is known at once, also after it compacted the index."""
    with Index.open(tmp_path / "idx") as index:
        index.add_many(page(number, "other") for number in range(10))
        known = index.info()["verdicts"]

        def learn() -> None:
            with Index.open(tmp_path / "idx") as theirs:
                theirs.compact()
                theirs.add_many(page(number, "s") for number in range(10))
                theirs.compact()
                theirs.add_many(page(number, "third") for number in range(10))

        in_children([learn])
        assert index.info()["verdicts"] > known
        store = index._store
        for source in ("s", "third"):
            assert not [of for of in index.check(page(99, source)).of if of.startswith(source)]
        own, everywhere = store.known_furniture()
        with Index.open(tmp_path / "idx", mode="r") as fresh:
            again = fresh._store.known_furniture()
            assert [known.values.tolist() for known in again] == [
                own.values.tolist(), everywhere.values.tolist()
            ]  # fmt: skip


def test_updates_are_no_furniture(tmp_path: Path) -> None:
    """A story that one source prints ten times, each time longer, stays what it is."""
    pages = [article(f"s{k}", range(5 + k), "s") for k in range(12)]
    with Index.open(tmp_path / "idx", max_matches=99) as index:
        for k, one in enumerate(pages):
            match = index.check_and_add(one)
            assert (match.kind == "unique") == (k == 0)
            assert len(match.of) == k
        family = index.family("s0")
        assert family is not None
        assert len(family.members) == 12
        index.compact()
        assert len(index.check(article("x", range(8), "s")).of) == 12
    assert len(scanned(tmp_path, pages)) == 12 * 11 // 2


def test_unknown_sources(tmp_path: Path) -> None:
    """Of articles whose source nobody knows it takes two dozen to tell a footer."""
    pages = [page(number, None) for number in range(40)]
    with Index.open(tmp_path / "idx") as index:
        matches = [index.check_and_add(one) for one in pages]
        silent = [k for k, match in enumerate(matches) if not match.reuses or all(
            reuse.net_article_in_other == 0 for reuse in match.reuses)]  # fmt: skip
        assert set(range(25, 40)) <= set(silent)
        assert matches[10].of
        assert {match.family for match in matches[25:]} == {None}
        index.compact()
        assert {index.family(one.id) for one in pages[25:]} == {None}
    assert all(net == 0 for _, net in scanned(tmp_path, pages).values())


def test_footer_and_story(tmp_path: Path) -> None:
    """Copies between pages with a footer are found as before, and shares leave the footer out."""
    pages = [page(number) for number in range(12)]
    copies = [article(f"c{n}", [100 * n, 100 * n + 1, 9000 + n, FOOTER], "s") for n in range(6)]
    with Index.open(tmp_path / "idx") as index:
        index.add_many(pages)
        for n, one in enumerate(copies):
            (reuse,) = index.check_and_add(one).reuses
            assert reuse.of == f"s{n}"
            assert reuse.net_article_in_other == pytest.approx(2 / 3, abs=0.02)
            assert reuse.article_in_other == pytest.approx(3 / 4, abs=0.02)
            text = one.text
            roles = {text[p.start : p.start + 12]: p.role for p in reuse.passages}
            footer = [role for start, role in roles.items() if start == block(FOOTER)[:12]]
            assert footer in ([], ["boilerplate"])
    found = scanned(tmp_path, [*pages, *copies])
    assert set(found) == {frozenset((f"s{n}", f"c{n}")) for n in range(6)}
