"""Clusters of verified pairs."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import components, covered_segments, examples, pairs_array

from dedupe.align import BODY, BOILERPLATE, QUOTATION
from dedupe.cluster import cluster, find_round_ups
from dedupe.measures import coverage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Link = tuple[int, int, float, bool]
Row = tuple[int, int, float, float, int]

WHOLE = 2**64 - 1
HALVES = (2**32 - 1, (2**32 - 1) << 32)
THIRDS = tuple(((1 << 21) - 1) << shift for shift in (0, 21, 42))


def clusters_of(n: int, links: list[Link], round_ups: frozenset[int] = frozenset()) -> list[int]:
    """Clusters of links (a, b, weight, near)."""
    labels: list[int] = cluster(
        n,
        pairs_array([(a, b) for a, b, _, _ in links]),
        np.array([weight for _, _, weight, _ in links], np.float64),
        np.array([near for _, _, _, near in links], np.bool_),
        np.array([k in round_ups for k in range(n)], np.bool_),
    ).tolist()
    return labels


def all_near(*members: int) -> list[Link]:
    """Near links between all of some articles."""
    return [(a, b, 0.95, True) for a, b in itertools.combinations(members, 2)]


def all_partial(*members: int, weight: float = 0.5) -> list[Link]:
    """Partial links between all of some articles."""
    return [(a, b, weight, False) for a, b in itertools.combinations(members, 2)]


# Coverage ------------------------------------------------------------------------------------


@st.composite
def passages_of_a_pair(draw: st.DrawFn) -> tuple[list[int], list[list[int]]]:
    """Lengths of two articles and some passages (a span in each, role) between them."""
    lengths = draw(st.lists(st.integers(1, 500), min_size=2, max_size=2))
    rows = []
    for _ in range(draw(st.integers(0, 4))):
        row = [0]
        for length in lengths:
            start = draw(st.integers(0, length - 1))
            row += [start, draw(st.integers(start + 1, length))]
        rows.append([*row, 5, 0, 0, draw(st.sampled_from([BODY, QUOTATION, BOILERPLATE]))])
    return lengths, rows


@examples
@given(passages_of_a_pair())
def test_coverage_equals_fractions(case: tuple[list[int], list[list[int]]]) -> None:
    """A bit is set where a passage other than boilerplate covers the middle of a 64th."""
    lengths, rows = case
    masks = coverage(
        np.array(rows, np.int32).reshape(-1, 9), pairs_array([(0, 1)]), np.array(lengths)
    )
    counted = [row for row in rows if row[8] != BOILERPLATE]
    for side, length in enumerate(lengths):
        segments = [
            covered_segments(row[1 + 2 * side], row[2 + 2 * side], length) for row in counted
        ]
        assert int(masks[0, side]) == sum(1 << s for s in set().union(*segments))


def test_coverage_of_whole_articles() -> None:
    """A passage over all of an article, long or short, sets every bit it can."""
    passages = np.array([[0, 0, 640, 0, 2, 5, 0, 0, BODY]])
    masks = coverage(passages, pairs_array([(0, 1)]), np.array([640, 2]))
    assert masks.tolist() == [[2**64 - 1, 2**64 - 1]]


def test_coverage_belongs_to_its_pair() -> None:
    """Passages set the bits of their own pair only."""
    passages = np.array([[1, 0, 32, 32, 64, 5, 0, 0, BODY]])
    masks = coverage(passages, pairs_array([(0, 1), (1, 2)]), np.array([64, 64, 64]))
    assert masks.tolist() == [[0, 0], [HALVES[0], HALVES[1]]]


# Round-ups -----------------------------------------------------------------------------------


def round_ups_of(
    n: int,
    neighbours: list[Row],
    near: Sequence[tuple[int, int]] = (),
    outlets: Sequence[int] | None = None,
) -> list[int]:
    """Round-ups of rows (article, neighbour, share of each found in the other, area in article)."""
    rows = [*neighbours, *((a, b, 0.95, 0.95, WHOLE) for a, b in near)]
    found = find_round_ups(
        n,
        pairs_array([(a, b) for a, b, *_ in rows]),
        np.array([[x, y] for _, _, x, y, _ in rows], np.float64).reshape(-1, 2),
        np.array([[mask, WHOLE] for *_, mask in rows], np.uint64).reshape(-1, 2),
        np.arange(len(rows)) >= len(neighbours),
        np.array(range(n) if outlets is None else outlets, np.int64),
    )
    return np.flatnonzero(found).tolist()


def test_round_up_of_three_stories() -> None:
    """An article with three stories in separate parts of itself is a round-up."""
    rows = [(0, k + 1, 0.3, 0.9, mask) for k, mask in enumerate(THIRDS)]
    assert round_ups_of(4, rows) == [0]


def test_round_up_of_two_families() -> None:
    """Two stories make a round-up where one of them is in more than one other article."""
    rows = [(0, 1, 0.5, 0.9, HALVES[0]), (0, 2, 0.5, 0.9, HALVES[1])]
    assert round_ups_of(4, rows) == []
    assert round_ups_of(4, [*rows, (0, 3, 0.5, 0.9, HALVES[0])]) == [0]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda row: (*row[:2], 0.3, 0.4, row[4]), id="stories mostly elsewhere"),
        pytest.param(lambda row: (*row[:2], 0.7, 0.9, row[4]), id="articles of its own extent"),
        pytest.param(lambda row: (*row[:4], THIRDS[0]), id="excerpts of one part"),
    ],
)
def test_what_is_no_round_up(change: Callable[[Row], Row]) -> None:
    """Loose links, equals and copies of one part make no round-up."""
    rows = [change((0, k + 1, 0.3, 0.9, mask)) for k, mask in enumerate(THIRDS)]
    assert round_ups_of(4, rows) == []


def test_overlapping_excerpts_are_one_story() -> None:
    """Excerpts that overlap like tiles on a roof are of one long report."""
    rows = [(0, k + 1, 0.3, 0.9, ((1 << 16) - 1) << 12 * k) for k in range(5)]
    assert round_ups_of(6, rows) == []


def stories(printings: int, first: int = 1) -> list[Row]:
    """Each third of article 0 is printed by itself by so many others, numbered from `first` on."""
    masks = THIRDS * printings
    return [(0, first + k, 0.3, 0.9, mask) for k, mask in enumerate(masks)]


@pytest.mark.parametrize(
    ("share", "area"), [(0.95, WHOLE), (0.66, THIRDS[0] | THIRDS[2])], ids=["whole", "cut"]
)
def test_report_printed_whole_is_no_round_up(share: float, area: int) -> None:
    """Where more print several parts together than print one, all of it is one report."""
    copies = [(0, 4 + k, share, 0.9, area) for k in range(9)]
    assert round_ups_of(13, stories(1)) == [0]
    assert round_ups_of(13, [*stories(1), *copies]) == []


def test_digest_printed_by_several_is_a_round_up() -> None:
    """A digest that others print as well is one if its stories are printed by themselves more often."""
    copies = [(0, 10 + k, 0.9, 0.9, WHOLE) for k in range(5)]
    assert round_ups_of(15, [*stories(3), *copies]) == [0]


def test_near_duplicates_count_as_printings() -> None:
    """Near-duplicates of a report speak for the whole, those of an excerpt for that excerpt."""
    reprints = [(0, 4 + k) for k in range(8)]
    assert round_ups_of(12, stories(1), reprints) == []
    excerpts = [(1, 12 + k) for k in range(8)]
    assert round_ups_of(20, stories(1), [*reprints, *excerpts])[0] == 0


def test_versions_of_one_outlet_count_once() -> None:
    """Versions of one outlet's live blog do not make it a report, copies in many outlets do."""
    reprints = [(0, 4 + k) for k in range(8)]
    assert round_ups_of(12, stories(1), reprints) == []
    one_outlet = [0, 1, 2, 3, *[0] * 8]
    assert round_ups_of(12, stories(1), reprints, one_outlet)[0] == 0


def test_copies_of_a_single_part_do_not_speak_for_the_whole() -> None:
    """A digest most of which is one widely printed story is a round-up nevertheless."""
    masks = [((1 << 44) - 1) << 20, (1 << 10) - 1, ((1 << 10) - 1) << 10]
    rows = [(0, k + 1, share, 0.9, masks[k]) for k, share in enumerate((0.69, 0.15, 0.15))]
    rows += [(0, 4, 0.15, 0.9, masks[1]), *((0, 5 + k, 0.69, 0.9, masks[0]) for k in range(20))]
    assert round_ups_of(25, rows) == [0]


@examples
@given(st.permutations([(0, k + 1, 0.3, 0.9, mask) for k, mask in enumerate(THIRDS * 2)]))
def test_round_ups_do_not_depend_on_order(rows: list[Row]) -> None:
    """The pairs' order, and which article of a pair comes first, makes no difference."""
    n = 8
    assert round_ups_of(n, rows) == [0]
    swapped = find_round_ups(
        n,
        pairs_array([(b, a) for a, b, *_ in rows]),
        np.array([[y, x] for _, _, x, y, _ in rows]),
        np.array([[2**64 - 1, mask] for *_, mask in rows], np.uint64),
        np.zeros(len(rows), np.bool_),
        np.arange(n),
    )
    assert np.flatnonzero(swapped).tolist() == [0]


# Clusters ------------------------------------------------------------------------------------


def test_no_pairs() -> None:
    """Without links every article is its own cluster."""
    assert clusters_of(3, []) == [0, 1, 2]
    assert clusters_of(0, []) == []


def test_round_up_joins_none_of_its_families() -> None:
    """A digest of three families is left alone and keeps them apart."""
    families = [all_near(0, 1, 2), all_near(3, 4, 5), all_near(6, 7, 8)]
    links = [*itertools.chain(*families), *((k, 9, 0.95, False) for k in range(9))]
    expected = [0, 0, 0, 3, 3, 3, 6, 6, 6, 9]
    assert clusters_of(10, links, frozenset({9})) == expected


def test_reprints_of_a_round_up_are_a_family() -> None:
    """Near-duplicates of a round-up belong together, like any others."""
    links = [
        *all_near(0, 1),
        *all_near(2, 3),
        *((a, b, 0.9, False) for a in (0, 1) for b in (2, 3)),
    ]
    assert clusters_of(4, links, frozenset({2, 3})) == [0, 0, 2, 2]


@pytest.mark.parametrize("weight", [0.3, 0.69, 0.99])
def test_weak_bridge_does_not_merge_families(weight: float) -> None:
    """One link between two families, however strong, does not make them one."""
    links = [*all_near(0, 1, 2, 3), *all_near(4, 5, 6, 7), (3, 4, weight, False)]
    assert clusters_of(8, links) == [0, 0, 0, 0, 4, 4, 4, 4]


def test_one_article_between_two_families_merges_nothing() -> None:
    """An article that links to a member of each of two families leaves them apart."""
    links = [*all_near(0, 1, 2, 3), *all_near(4, 5, 6, 7), (0, 8, 0.3, False), (4, 8, 0.3, False)]
    labels = clusters_of(9, links)
    assert labels[:8] == [0, 0, 0, 0, 4, 4, 4, 4]


def test_families_that_share_a_lot_are_one() -> None:
    """Two clusters of which most members link to each other are merged."""
    links = [*all_near(0, 1, 2), *all_near(3, 4, 5)]
    links += [(a, b, 0.4, False) for a in (0, 1, 2) for b in (3, 4, 5)]
    assert clusters_of(6, links) == [0] * 6


def test_pair_of_partial_copies() -> None:
    """Two articles with one link, and nothing else, are a family."""
    assert clusters_of(3, [(1, 2, 0.25, False)]) == [0, 1, 1]


def test_excerpt_joins_on_one_strong_link() -> None:
    """A lone article most of which is in one member joins it."""
    links = [*all_near(0, 1, 2), (0, 3, 0.9, False)]
    assert clusters_of(4, links) == [0, 0, 0, 0]


@st.composite
def graphs(draw: st.DrawFn, most: int = 12) -> tuple[int, list[Link], frozenset[int]]:
    """Articles, links of few different weights between them, and round-ups."""
    n = draw(st.integers(2, most))
    pairs = draw(st.sets(st.sampled_from([*itertools.combinations(range(n), 2)]), max_size=3 * n))
    weight = st.sampled_from([0.3, 0.5, 0.7, 0.9])
    links = [(a, b, draw(weight), draw(st.integers(0, 3)) == 0) for a, b in sorted(pairs)]
    return n, links, frozenset(draw(st.sets(st.integers(0, n - 1), max_size=2)))


Graph = tuple[int, list[Link], frozenset[int]]


@examples
@given(graphs(), st.data())
def test_clusters_do_not_depend_on_order(graph: Graph, data: st.DataObject) -> None:
    """Any order of the links, and of the two articles of each, gives the same clusters."""
    n, links, round_ups = graph
    shuffled = data.draw(st.permutations(links))
    turned = [
        (b, a, w, near) if data.draw(st.booleans()) else (a, b, w, near)
        for a, b, w, near in shuffled
    ]
    assert clusters_of(n, turned, round_ups) == clusters_of(n, links, round_ups)


def slow_clusters(n: int, links: list[Link], round_ups: frozenset[int]) -> list[int]:
    """The clusters by the rules as they are written, every link looked at in every round."""
    label = components(
        n, [(a, b) for a, b, _, near in links if near and (a in round_ups) == (b in round_ups)]
    )
    rest = [
        (a, b, w)
        for a, b, w, near in links
        if not {a, b} & round_ups and not (near and (a in round_ups) == (b in round_ups))
    ]

    def bundles() -> list[tuple[float, tuple[int, int], list[int]]]:
        found: dict[tuple[int, int], list[Link]] = {}
        for a, b, w in rest:
            if label[a] != label[b]:
                low, high = sorted((a, b), key=lambda k: label[k])
                found.setdefault((label[low], label[high]), []).append((low, high, w, False))
        return sorted(
            (-max(w for *_, w, _ in members), roots, [len({m[s] for m in members}) for s in (0, 1)])
            for roots, members in found.items()
        )

    def join(one: int, other: int) -> None:
        for k in range(n):
            if label[k] in {one, other}:
                label[k] = min(one, other)

    while True:
        size, merged, grown = Counter(label), set[int](), set[int]()
        now = {root: root for root in size}
        for least, (x, y), members in bundles():
            lone = 1 in {size[x], size[y]}
            if {x, y} & merged or (not lone and {x, y} & grown):
                continue
            ends = ((size[x], size[y], members[0]), (size[y], size[x], members[1]))
            if any(count < quorum(here, there, -least) for here, there, count in ends):
                continue
            one, other = now[x], now[y]
            join(one, other)
            now = {k: min(one, other) if v in {one, other} else v for k, v in now.items()}
            if lone and size[x] != size[y]:
                merged.add(x if size[x] < size[y] else y)
                grown.add(y if size[x] < size[y] else x)
            else:
                merged |= {x, y}
        if not merged:
            break
    size, attached, hosts = Counter(label), set[int](), set[int]()
    now = {root: root for root in size}
    for least, (x, y), members in bundles():
        satellite, host, count = (x, y, members[0]) if size[x] <= size[y] else (y, x, members[1])
        if size[satellite] > 3 or (count < size[satellite] and -least < 0.7):
            continue
        if satellite in attached | hosts or host in attached:
            continue
        one, other = now[satellite], now[host]
        join(one, other)
        now = {k: min(one, other) if v in {one, other} else v for k, v in now.items()}
        attached.add(satellite)
        hosts.add(host)
    return label


def quorum(size: int, other: int, weight: float) -> int:
    """Members of a cluster of `size` that must link to one of size `other`."""
    if other == 1:
        return 1 if weight >= 0.7 else min(3, -(-size // 2))
    return 1 if size == 1 else min(3, max(2, -(-size // 2)))


@examples
@given(graphs(16))
def test_clusters_equal_the_slow_ones(graph: Graph) -> None:
    """Looking only at clusters that have changed gives what looking at all of them gives."""
    assert clusters_of(*graph) == slow_clusters(*graph)


@examples
@given(graphs())
def test_clusters_keep_their_promises(graph: Graph) -> None:
    """Near pairs are together, others only where links connect them; the label is the lowest."""
    n, links, round_ups = graph
    labels = clusters_of(n, links, round_ups)
    allowed = [(a, b) for a, b, _, near in links if not {a, b} & round_ups or near]
    connected = components(n, allowed)
    for a, b, _, near in links:
        if near and (a in round_ups) == (b in round_ups):
            assert labels[a] == labels[b]
    for article, label in enumerate(labels):
        assert label == labels.index(label) <= article
        assert connected[article] == connected[label]
        assert (article in round_ups) == (label in round_ups)


@examples
@given(st.integers(1, 6), st.integers(1, 6), st.sampled_from([0.3, 0.7, 0.9]))
def test_complete_families_are_found(one: int, other: int, weight: float) -> None:
    """Two groups in which all link to all, and nobody to the other group, are two clusters."""
    n = one + other
    links = [*all_partial(*range(one), weight=weight), *all_partial(*range(one, n), weight=weight)]
    assert clusters_of(n, links) == [0] * one + [one] * other
