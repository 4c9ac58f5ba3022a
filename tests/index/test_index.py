"""The index answers at once what a scan of everything would find."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dedupe
from dedupe import Article, Index

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = "seeds"
"""The texts that every copy of this project has."""


def block(number: int, words: int = 24) -> str:
    """A paragraph of words that no other number has."""
    return " ".join(f"w{number}x{k}" for k in range(words)) + ".\n"


def article(name: str, blocks: list[int], source: str | None = None) -> Article:
    """An article of some paragraphs."""
    return Article(id=name, text="".join(map(block, blocks)), source=source)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """An empty index."""
    return Index.open(tmp_path / "news.idx")


def test_kinds(index: Index) -> None:
    """New text is unique; the same words are exact; most of them near; some of them partial."""
    with index:
        first = index.check_and_add(article("first", [1, 2, 3, 4, 5, 6, 7, 8]))
        assert (first.kind, first.status, first.of, first.family) == ("unique", "new", (), None)
        exact = index.check_and_add(article("exact", [1, 2, 3, 4, 5, 6, 7, 8]))
        assert (exact.kind, exact.of) == ("exact", ("first",))
        near = index.check_and_add(article("near", [1, 2, 3, 4, 5, 6, 7]))
        assert (near.kind, near.of) == ("near", ("exact", "first")[::-1])
        partial = index.check_and_add(article("partial", [8, 20, 21]))
        assert partial.kind == "partial"
        assert set(partial.of) == {"first", "exact"}
        text = article("partial", [8, 20, 21]).text
        assert [text[s:e] for s, e in partial.added or ()] == [
            block(20).rstrip(".\n"), block(21).rstrip(".\n")
        ]  # fmt: skip
        assert [text[p.start : p.end] for p in partial.passages] == [block(8).rstrip(".\n")]


@st.composite
def corpora(draw: st.DrawFn) -> list[Article]:
    """Articles that share whole paragraphs."""
    pool = draw(st.integers(1, 12))
    return [
        article(
            f"a{k}",
            draw(st.lists(st.integers(1, pool), min_size=1, max_size=5, unique=True)),
            draw(st.sampled_from([None, "x", "y"])),
        )
        for k in range(draw(st.integers(1, 10)))
    ]


@settings(max_examples=40, deadline=None)
@given(corpora(), st.integers(1, 4), st.data())
def test_a_stream_ends_where_a_scan_does(
    tmp_path_factory: pytest.TempPathFactory,
    articles: list[Article],
    size: int,
    data: st.DataObject,
) -> None:
    """In any order and any batches the verified pairs and families are those of a scan."""
    order = data.draw(st.permutations(articles))
    path = tmp_path_factory.mktemp("stream")
    with Index.open(path / "idx", max_matches=99) as index:
        found = {}
        for first in range(0, len(order), size):
            for match in index.check_and_add_many(order[first : first + size]):
                for reuse in match.reuses:
                    found[frozenset((match.id, reuse.of))] = (
                        reuse.kind, reuse.shared_words, round(reuse.resemblance, 6)
                    )  # fmt: skip
        families = {a.id: index.family(a.id) for a in order}
    corpus = path / "corpus.jsonl"
    corpus.write_text("".join(line(a) for a in articles))
    scanned = dedupe.scan(corpus, max_group_pairs=10**6)  # a scan lists fewer of large groups
    expected = {
        frozenset((row["a"], row["b"])): (
            row["kind"], row["shared_words"], round(row["resemblance"], 6)
        )
        for row in scanned.pairs.iter_rows(named=True)
    }  # fmt: skip
    assert found == expected
    told = {name: family.name if family else None for name, family in families.items()}
    assert told == dict(scanned.documents.select("id", "family").iter_rows())


def line(one: Article) -> str:
    """An article as a line of JSON."""
    import json

    return json.dumps({"id": one.id, "text": one.text, "source": one.source}) + "\n"


def test_result_is_a_scan(tmp_path: Path) -> None:
    """The tables of an index are those of a scan of the same articles."""
    articles = [
        Article(id=path.name, text=path.read_text(encoding="utf-8"))
        for path in sorted(pathlib.Path(SEEDS).glob("*.txt"))
    ]
    with Index.open(tmp_path / "idx") as index:
        index.add_many(reversed(articles))
        result = index.result()
    scanned = dedupe.scan(SEEDS)
    for table in ("documents", "pairs", "passages", "families"):
        assert getattr(result, table).equals(getattr(scanned, table))


def test_scan_into(tmp_path: Path) -> None:
    """A corpus checked against an index has the tables of a scan, and is in it afterwards."""
    from dedupe.index import scan_into

    corpus = tmp_path / "seeds.jsonl"
    texts = {path.name: path.read_text("utf-8") for path in pathlib.Path(SEEDS).glob("*.txt")}
    corpus.write_text("".join(line(Article(id=k, text=text)) for k, text in texts.items()))
    with Index.open(tmp_path / "idx") as index:
        told = scan_into(index, corpus)
        again = scan_into(index, corpus)
    scanned = dedupe.scan(corpus)
    assert told.families.equals(scanned.families)
    assert told.pairs.equals(scanned.pairs)
    assert told.passages.equals(scanned.passages)
    same = ["id", "words", "family"]
    assert told.documents.select(same).equals(scanned.documents.select(same))
    assert set(told.documents["status"]) == {"new"}
    assert set(again.documents["status"]) == {"unchanged"}
    assert again.pairs.equals(told.pairs)
