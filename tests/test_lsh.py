"""Banded candidates and star groups against brute force."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, pairs_array

from dedupe.lsh import band_candidates, expected_recall, group_by_representative

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pairs = list[tuple[int, int]]


@pytest.mark.parametrize(
    ("resemblance", "bands", "rows"),
    [(0.0, 32, 4), (1.0, 32, 4), (0.5, 32, 4), (0.25, 1, 1), (0.75, 20, 5), (0.5, 2, 3)],
)
def test_expected_recall_formula(resemblance: float, bands: int, rows: int) -> None:
    """The recall is 1 - (1 - j^r)^b, in exact fractions."""
    exact = 1 - (1 - Fraction(resemblance) ** rows) ** bands
    assert expected_recall(resemblance, bands, rows) == pytest.approx(float(exact), abs=1e-15)


@pytest.mark.parametrize(
    ("resemblance", "published"),
    [
        (0.2, 0.006),
        (0.3, 0.047),
        (0.4, 0.186),
        (0.5, 0.470),
        (0.6, 0.802),
        (0.7, 0.975),
        (0.8, 0.9996),
    ],
)
def test_expected_recall_published(resemblance: float, published: float) -> None:
    """The values are those of "Mining of Massive Datasets", figure 3.8, for b = 20, r = 5."""
    assert expected_recall(resemblance, 20, 5) == pytest.approx(published, abs=6e-4)


def share_a_band(one: list[int], other: list[int], bands: int, rows: int) -> bool:
    """Whether two signatures agree in all rows of some band."""
    parts = [slice(band * rows, (band + 1) * rows) for band in range(bands)]
    return any(one[part] == other[part] for part in parts)


def banded(rows: NDArray[np.uint32], bands: int, n_rows: int) -> NDArray[np.uint32]:
    """Keys of the bands: a different number for each different content of a band."""
    parts = rows[:, : bands * n_rows].reshape(len(rows), bands, n_rows).astype(np.int64)
    keys: NDArray[np.uint32] = (parts * 3 ** np.arange(n_rows)).sum(axis=2).astype(np.uint32)
    return keys


@examples
@given(
    st.lists(st.lists(st.integers(0, 2), min_size=6, max_size=6), max_size=8),
    st.sampled_from([(3, 2), (2, 3), (6, 1), (1, 6), (2, 2)]),
    st.data(),
)
def test_small_buckets_propose_all_pairs(
    signatures: list[list[int]], banding: tuple[int, int], data: st.DataObject
) -> None:
    """Up to eight articles: the candidates are all pairs that share a band, and no others."""
    n = len(signatures)
    usable = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    keys = banded(np.array(signatures, np.uint32).reshape(n, 6), *banding)
    threads = data.draw(st.integers(1, 2))
    found = band_candidates(keys, np.array(usable, np.bool_), threads)
    assert found.tolist() == [
        [i, j]
        for i, j in itertools.combinations(range(n), 2)
        if usable[i] and usable[j] and share_a_band(signatures[i], signatures[j], *banding)
    ]


def test_bands_are_kept_apart() -> None:
    """Equal values in different bands make no pair."""
    signatures = np.array([[1, 1, 2, 2], [2, 2, 1, 1]], np.uint32)
    keys = banded(signatures, 2, 2)
    assert band_candidates(keys, np.ones(2, np.bool_)).tolist() == []


@pytest.mark.parametrize("n", [10, 100, 1000])
def test_large_buckets_propose_linearly_many_pairs(n: int) -> None:
    """A large bucket gives each article with its first four usable ones."""
    usable = np.ones(n, np.bool_)
    usable[0] = False
    found = band_candidates(np.zeros((n, 2), np.uint32), usable)
    hubs = range(1, 5)
    assert found.tolist() == [[i, j] for i in hubs for j in range(i + 1, n)]


@st.composite
def near_pairs(draw: st.DrawFn) -> tuple[int, Pairs]:
    """A number of articles and some distinct pairs of them, the preferred one first."""
    n = draw(st.integers(0, 9))
    pairs = draw(st.sets(st.sampled_from([*itertools.combinations(range(n), 2)]))) if n > 1 else []
    return n, sorted(pairs)


def stars(n: int, pairs: Pairs) -> list[int]:
    """Greedy star clustering in the words of its docstring."""
    representative: dict[int, int] = {}
    for i in range(n):
        if i not in representative:
            group = [i, *(j for j in range(i + 1, n) if (i, j) in pairs)]
            representative |= {j: i for j in group if j not in representative}
    return [representative[i] for i in range(n)]


@examples
@given(near_pairs(), st.data())
def test_groups_equal_the_reference(case: tuple[int, Pairs], data: st.DataObject) -> None:
    """Representatives are those of plain star clustering, in whatever order the pairs come."""
    n, pairs = case
    groups = group_by_representative(n, pairs_array(data.draw(st.permutations(pairs))))
    assert groups.representative.tolist() == stars(n, pairs)


@examples
@given(near_pairs())
def test_members_are_near_their_representative(case: tuple[int, Pairs]) -> None:
    """Each article is in exactly one group, and near to that group's representative."""
    n, pairs = case
    groups = group_by_representative(n, pairs_array(pairs))
    members = [(i, int(j)) for i in range(n) for j in groups.of(i)]
    assert sorted(j for _, j in members) == list(range(n))
    assert all(i == j or (i, j) in pairs for i, j in members)
    assert all(groups.representative[j] == i for i, j in members)
    assert all(groups.of(i).tolist() == sorted(groups.of(i).tolist()) for i in range(n))
