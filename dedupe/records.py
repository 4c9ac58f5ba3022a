"""The records everyone uses: one article, and a batch of articles as flat arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Article", "Batch", "encode_text"]


@dataclass(frozen=True, slots=True)
class Article:
    """One document.

    Attributes:
        id: unique within a corpus or index; a path or URL as a rule.
        text: the raw text; every offset reported later counts code points in it.
        source: the outlet, such as a host name.
        url: where it was published.
        title: its headline.
        published: ISO 8601 date or time; times with an offset are kept in UTC ("…Z").
        language: BCP 47 code, where known.
    """

    id: str
    text: str
    source: str | None = None
    url: str | None = None
    title: str | None = None
    published: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Some articles as one UTF-8 buffer and parallel lists, in reading order.

    Attributes:
        ids: article ids.
        text: uint8 (n_bytes,), the texts end to end, valid UTF-8.
        offsets: int64 (n_articles + 1,), byte offsets of each text in `text`.
        sources, titles, published, urls, languages: metadata, None where unknown.
        places: (path, line) each article was read from; line 0 means the whole file.
    """

    ids: list[str]
    text: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    sources: list[str | None]
    titles: list[str | None]
    published: list[str | None]
    urls: list[str | None]
    languages: list[str | None]
    places: list[tuple[str, int]] = field(repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    def articles(self) -> Iterator[Article]:
        """The articles one by one."""
        text = self.text.tobytes()
        offsets = self.offsets.tolist()
        for k, name in enumerate(self.ids):
            yield Article(
                id=name,
                text=text[offsets[k] : offsets[k + 1]].decode(),
                source=self.sources[k],
                url=self.urls[k],
                title=self.titles[k],
                published=self.published[k],
                language=self.languages[k],
            )

    @classmethod
    def from_articles(
        cls, articles: Iterable[Article], places: list[tuple[str, int]] | None = None
    ) -> Batch:
        """Pack articles into one batch; lone surrogates in texts become U+FFFD."""
        rows = list(articles)
        texts = [encode_text(row.text) for row in rows]
        return cls.from_columns(
            ids=[row.id for row in rows],
            texts=texts,
            sources=[row.source for row in rows],
            titles=[row.title for row in rows],
            published=[row.published for row in rows],
            urls=[row.url for row in rows],
            languages=[row.language for row in rows],
            places=places if places is not None else [("", 0)] * len(rows),
        )

    @classmethod
    def from_columns(
        cls,
        *,
        ids: list[str],
        texts: list[bytes],
        sources: list[str | None],
        titles: list[str | None],
        published: list[str | None],
        urls: list[str | None],
        languages: list[str | None],
        places: list[tuple[str, int]],
    ) -> Batch:
        """Pack columns into one batch. `texts` must be valid UTF-8."""
        offsets = np.zeros(len(texts) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)), out=offsets[1:])
        return cls(
            ids=ids,
            text=np.frombuffer(b"".join(texts), np.uint8),
            offsets=offsets,
            sources=sources,
            titles=titles,
            published=published,
            urls=urls,
            languages=languages,
            places=places,
        )

    @classmethod
    def concatenate(cls, batches: Sequence[Batch]) -> Batch:
        """Several batches as one, in their order; one alone is returned as it is."""
        if len(batches) == 1:
            return batches[0]
        offsets = [np.zeros(1, np.int64)]
        base = 0
        for batch in batches:
            offsets.append(batch.offsets[1:] + base)
            base += len(batch.text)

        def join(name: str) -> list[Any]:
            return list(chain.from_iterable(getattr(batch, name) for batch in batches))

        return cls(
            ids=join("ids"),
            text=np.concatenate([np.empty(0, np.uint8), *(batch.text for batch in batches)]),
            offsets=np.concatenate(offsets),
            sources=join("sources"),
            titles=join("titles"),
            published=join("published"),
            urls=join("urls"),
            languages=join("languages"),
            places=join("places"),
        )


def encode_text(text: str) -> bytes:
    """UTF-8 of a text. A lone surrogate (possible in JSON) becomes U+FFFD, one code point for one."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return "".join("�" if "\ud800" <= c <= "\udfff" else c for c in text).encode()
