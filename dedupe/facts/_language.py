"""Which language a passage is in."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from dedupe.facts._lexicon import hashes_of, places_of, tables_of_languages

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BEGINNING", "SAMPLE", "language_of"]

SAMPLE = 60
"""Tokens on either side of a passage that tell its language as well: a passage may be short."""

BEGINNING = 1000
"""Tokens from the beginning of a text that tell the language of a passage that does not."""

_FAMILIAR = 0.08
"""Share of the commonest words below which a text is in none of the languages known."""


@functools.cache
def _function_words() -> tuple[NDArray[np.uint64], NDArray[np.int64], list[str]]:
    """Hashes of the commonest words, ascending; languages (n_words, n_languages) that have each."""
    function, _ = tables_of_languages()
    words = [(word, k) for k, listed in enumerate(function.values()) for word in listed.split()]
    hashed = hashes_of([word for word, _ in words])
    hashes, rows = np.unique(np.array([h[0] for h in hashed], np.uint64), return_inverse=True)
    languages = np.zeros((len(hashes), len(function)), np.int64)
    languages[rows, [k for _, k in words]] = 1
    return hashes, languages, list(function)


def language_of(*samples: NDArray[np.uint64]) -> str:
    """The language whose commonest words make up most of the samples, or ""."""
    known, languages, names = _function_words()
    scores = np.zeros(len(names), np.int64)
    for words in samples:
        scores += languages[places_of(words, known)[1]].sum(axis=0)
    best = int(scores.argmax())
    return names[best] if scores[best] >= max(1, _FAMILIAR * sum(map(len, samples))) else ""
