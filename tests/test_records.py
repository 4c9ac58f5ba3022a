"""Articles and batches."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples

from dedupe.records import Article, Batch, encode_text

ANY_TEXT = st.text(st.characters(), max_size=20)  # lone surrogates included
OPTIONAL = st.none() | st.text(max_size=3)
ARTICLES = st.lists(
    st.builds(
        Article,
        id=st.text(max_size=3),
        text=ANY_TEXT,
        source=OPTIONAL,
        url=OPTIONAL,
        title=OPTIONAL,
        published=OPTIONAL,
        language=OPTIONAL,
    ),
    max_size=4,
)


@examples
@given(ARTICLES)
def test_batch_holds_its_articles(articles: list[Article]) -> None:
    """Texts and metadata of a batch are those of its articles, in order."""
    batch = Batch.from_articles(iter(articles))
    data = batch.text.tobytes()
    texts = [data[a:b] for a, b in zip(batch.offsets, batch.offsets[1:], strict=False)]
    assert len(batch) == len(articles)
    assert texts == [encode_text(article.text) for article in articles]
    assert batch.ids == [article.id for article in articles]
    assert batch.sources == [article.source for article in articles]
    assert batch.titles == [article.title for article in articles]
    assert batch.published == [article.published for article in articles]
    assert batch.urls == [article.url for article in articles]
    assert batch.languages == [article.language for article in articles]
    assert batch.places == [("", 0)] * len(articles)


def test_places() -> None:
    """A batch remembers where its articles were read, if it is told."""
    batch = Batch.from_articles([Article("a", "x")], [("corpus.jsonl", 7)])
    assert batch.places == [("corpus.jsonl", 7)]


@examples
@given(ANY_TEXT)
def test_encoding_keeps_every_offset(text: str) -> None:
    """UTF-8 has one code point for each of the text's, lone surrogates as U+FFFD."""
    expected = "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in text)
    assert encode_text(text).decode() == expected


def test_articles_are_frozen() -> None:
    """An article cannot be changed."""
    article = Article("a", "text")
    with pytest.raises(dataclasses.FrozenInstanceError):
        article.text = "other"  # type: ignore[misc]
