"""Postings, and the pairs they propose, against dictionaries."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import components, end_to_end, examples

from dedupe.postings import (
    RELATED_WITHIN_SOURCE,
    Postings,
    Roles,
    _sketch_containment,
    assign_roles,
    build_postings,
    candidates,
    strongest,
)

SKETCHES = st.lists(st.sets(st.integers(0, 12), max_size=8).map(sorted), max_size=8)

UNKNOWN = -1


def postings_of(sketches: list[list[int]]) -> Postings:
    """The postings of sketches, article k having the k-th."""
    offsets, values = end_to_end(sketches)
    return build_postings(offsets, values, np.ones(len(values), np.bool_), largest=2**64 - 1)


def roles_of(
    sketches: list[list[int]],
    sources: list[int],
    *,
    within_source: int = 8,
    max_posting: int = 200,
    hubs: int = 4,
) -> Roles:
    """The roles in the postings of these sketches."""
    return assign_roles(
        postings_of(sketches),
        *end_to_end(sketches),
        np.array(sources, np.int32),
        scale=1,
        within_source=within_source,
        max_posting=max_posting,
        hubs=hubs,
    )


def proposed(
    sketches: list[list[int]],
    sources: list[int] | None = None,
    *,
    min_shared: int = 1,
    within_source: int = 8,
    max_posting: int = 200,
    hubs: int = 4,
) -> list[list[int]]:
    """Candidate pairs of articles with these sketches."""
    sources = [UNKNOWN] * len(sketches) if sources is None else sources
    roles = roles_of(
        sketches, sources, within_source=within_source, max_posting=max_posting, hubs=hubs
    )
    numbers = np.array(sources, np.int32)
    found = candidates(postings_of(sketches), roles, numbers, min_shared, max_posting)
    pairs: list[list[int]] = found[:, :2].tolist()
    return pairs


@examples
@given(SKETCHES)
def test_postings_equal_a_dictionary(sketches: list[list[int]]) -> None:
    """Postings are the hashes of two articles or more, with their articles ascending."""
    holders = defaultdict(list)
    for article, hashes in enumerate(sketches):
        for value in hashes:
            holders[value].append(article)
    expected = {h: articles for h, articles in sorted(holders.items()) if len(articles) > 1}
    found = postings_of(sketches)
    lists = [found.articles[a:b].tolist() for a, b in itertools.pairwise(found.offsets)]
    assert found.hashes.tolist() == list(expected)
    assert lists == list(expected.values())


@examples
@given(
    st.lists(st.sets(st.integers(0, 2**61 - 1) | st.integers(0, 9), max_size=8).map(sorted)),
    st.data(),
)
def test_parts_make_up_the_whole(sketches: list[list[int]], data: st.DataObject) -> None:
    """However hashes are dealt out to parts, passes and threads, the postings are the same.

    Entries that are not posted are not there.
    """
    offsets, values = end_to_end(sketches)
    drawn = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    posted = np.array(drawn, np.bool_)
    left = [
        [int(h) for h, kept in zip(values[a:b], posted[a:b], strict=True) if kept]
        for a, b in itertools.pairwise(offsets)
    ]
    whole = postings_of(left)
    for part, passed, threads in ((1, 1, 1), (2, 3, 2), (1 << 16, 1 << 25, 3)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("dedupe.postings._PART", part)
            patch.setattr("dedupe.postings._MOST_PASS", passed)
            found = build_postings(offsets, values, posted, largest=2**61 - 1, threads=threads)
        assert [a.tolist() for a in found] == [a.tolist() for a in whole]


@examples
@given(SKETCHES)
def test_entries_lead_from_articles_to_postings(sketches: list[list[int]]) -> None:
    """Each article's entries are its places in the postings of its hashes."""
    found = postings_of(sketches)
    kept = set(found.hashes.tolist())
    for article, hashes in enumerate(sketches):
        part = slice(found.article_offsets[article], found.article_offsets[article + 1])
        places = found.entries[part]
        assert (found.articles[places] == article).all()
        assert found.hashes[found.posting_of[places]].tolist() == [h for h in hashes if h in kept]


@examples
@given(SKETCHES, st.integers(1, 4))
def test_candidates_equal_brute_force(sketches: list[list[int]], min_shared: int) -> None:
    """Where nothing is furniture, the candidates are all pairs that share enough hashes."""
    expected = [
        [i, j]
        for i, j in itertools.combinations(range(len(sketches)), 2)
        if len(set(sketches[i]) & set(sketches[j])) >= min_shared
    ]
    assert sorted(proposed(sketches, min_shared=min_shared, within_source=9)) == expected


@examples
@given(SKETCHES, st.lists(st.integers(0, 8), max_size=3), st.integers(2, 5))
def test_slices_make_up_the_whole(
    sketches: list[list[int]], cuts: list[int], max_posting: int
) -> None:
    """Candidates of slices of the articles, one after the other, are those of all articles."""
    n = len(sketches)
    sources = np.zeros(n, np.int32)
    postings = postings_of(sketches)
    roles = roles_of(sketches, [0] * n, within_source=3, max_posting=max_posting, hubs=1)
    edges = sorted({0, n, *(cut for cut in cuts if cut < n)})
    parts = [
        candidates(postings, roles, sources, 1, max_posting, first, last).tolist()
        for first, last in itertools.pairwise(edges)
    ]
    whole = candidates(postings, roles, sources, 1, max_posting).tolist()
    assert list(itertools.chain.from_iterable(parts)) == whole


@examples
@given(
    SKETCHES,
    st.lists(st.integers(UNKNOWN, 1), min_size=8, max_size=8),
    st.integers(2, 5),
    st.integers(1, 3),
)
def test_candidates_follow_the_roles(
    sketches: list[list[int]], sources: list[int], max_posting: int, min_shared: int
) -> None:
    """A posting proposes a pair unless it is too long and neither is a hub, or both are furniture."""
    sources = sources[: len(sketches)]
    postings = postings_of(sketches)
    roles = roles_of(sketches, sources, within_source=3, max_posting=max_posting, hubs=2)
    shared: Counter[tuple[int, int]] = Counter()
    for first, last in itertools.pairwise(postings.offsets.tolist()):
        for x, y in itertools.combinations(range(first, last), 2):
            i, j = int(postings.articles[x]), int(postings.articles[y])
            hub = last - first <= max_posting or roles.is_hub[x] or roles.is_hub[y]
            own = roles.furniture[x] and roles.furniture[y] and sources[i] == sources[j]
            shared[i, j] += int(hub and not own)
    found = candidates(postings, roles, np.array(sources, np.int32), min_shared, max_posting)
    expected = [[*pair, n] for pair, n in sorted(shared.items()) if n >= min_shared]
    assert sorted(found.tolist()) == expected


@examples
@given(SKETCHES, st.data(), st.integers(1, 4))
def test_pairs_of_different_sources_may_share_fewer(
    sketches: list[list[int]], data: st.DataObject, min_shared: int
) -> None:
    """What is asked of two sources is the lesser of the articles' two, of one what is asked of all."""
    n = len(sketches)
    sources = data.draw(st.lists(st.integers(UNKNOWN, 1), min_size=n, max_size=n))
    least = data.draw(st.lists(st.integers(1, 4), min_size=n, max_size=n))
    expected = []
    for i, j in itertools.combinations(range(n), 2):
        shared = len(set(sketches[i]) & set(sketches[j]))
        asked = min(least[i], least[j]) if sources[i] != sources[j] else min_shared
        if shared >= asked:
            expected.append([i, j, shared])
    found = candidates(
        postings_of(sketches),
        roles_of(sketches, sources, within_source=9),
        np.array(sources, np.int32),
        min_shared,
        200,
        between_sources=np.array(least, np.int32),
    )
    assert sorted(found.tolist()) == expected


@examples
@given(SKETCHES, st.data(), st.integers(2, 4))
def test_furniture_equals_brute_force(
    sketches: list[list[int]], data: st.DataObject, within_source: int
) -> None:
    """Text of several articles of a source is furniture if most neighbours share little else."""
    number = st.integers(UNKNOWN, 1)
    sources = data.draw(st.lists(number, min_size=len(sketches), max_size=len(sketches)))
    postings = postings_of(sketches)
    expected = []
    for members in np.split(postings.articles, postings.offsets[1:-1]):
        furniture = set()
        for source in (0, 1):
            mine = [k for k in members.tolist() if sources[k] == source]
            related = sum(
                len({*sketches[a]} & {*sketches[b]})
                >= RELATED_WITHIN_SOURCE * min(len(sketches[a]), len(sketches[b]))
                for a, b in itertools.pairwise(mine)
            )
            if len(mine) >= within_source and related < (len(mine) - 1) / 2:
                furniture |= {*mine}
        expected += [k in furniture for k in members.tolist()]
    roles = roles_of(sketches, sources, within_source=within_source)
    assert roles.furniture.tolist() == expected


@examples
@given(st.integers(0, 2**32 - 1), st.integers(1, 1500), st.integers(1, 1500))
def test_containment_of_long_sketches_is_that_of_their_lowest_hashes(
    seed: int, size_a: int, size_b: int
) -> None:
    """Of two sketches at most 512 hashes each are compared, in order."""
    random = np.random.default_rng(seed)
    a, b = (
        sorted(random.choice(2 * max(size_a, size_b), size, replace=False).tolist())
        for size in (size_a, size_b)
    )
    i, j, shared = 0, 0, 0
    while i < min(size_a, 512) and j < min(size_b, 512):
        shared += a[i] == b[j]
        i, j = i + (a[i] <= b[j]), j + (b[j] <= a[i])
    whole = i == size_a or j == size_b
    offsets, values = end_to_end([a, b])
    found = _sketch_containment(values, offsets, 0, 1)
    assert found == shared / max(1, min(size_a, size_b) if whole else min(i, j))


def test_no_articles() -> None:
    """No articles have no postings, roles or candidates."""
    assert [array.tolist() for array in postings_of([])] == [[], [0], [], [0], [], []]
    roles = roles_of([], [])
    assert [roles.furniture.tolist(), roles.is_hub.tolist()] == [[], []]
    assert [roles.common.tolist(), roles.boilerplate.tolist()] == [[], []]
    assert proposed([]) == []


def story(n: int, *, shared: int = 30, own: int = 5) -> list[list[int]]:
    """Sketches of copies of one story: most of their hashes in common."""
    return [[*range(shared), *range(1000 + k * own, 1000 + (k + 1) * own)] for k in range(n)]


def with_footer(n: int, *, footer: int = 5, own: int = 50, first: int = 10**6) -> list[list[int]]:
    """Sketches of unrelated articles with the same footer."""
    return [[*range(footer), *range(first + k * own, first + (k + 1) * own)] for k in range(n)]


@pytest.mark.parametrize("sources", [[UNKNOWN] * 60, list(range(60)), [0] * 60])
def test_syndicated_story_stays_connected(sources: list[int]) -> None:
    """A story in more articles than a posting may compare has its hubs' pairs, and no others."""
    found = proposed(story(60), sources, min_shared=15, max_posting=20, hubs=4)
    assert sorted(found) == [[i, j] for i in range(4) for j in range(i + 1, 60)]
    assert components(60, found) == [0] * 60


def test_postings_up_to_the_bound_compare_all() -> None:
    """A posting as long as allowed is compared all against all."""
    found = proposed(story(20), min_shared=15, max_posting=20, hubs=4)
    assert sorted(found) == [list(pair) for pair in itertools.combinations(range(20), 2)]


def test_two_long_stories_stay_apart() -> None:
    """Two syndicated stories are each connected and not with one another."""
    other = [[h + 10**5 for h in sketch] for sketch in story(50)]
    found = proposed(story(40) + other, min_shared=15, max_posting=20, hubs=4)
    assert components(90, found) == [0] * 40 + [40] * 50


def test_furniture_proposes_no_pair_within_its_source() -> None:
    """An outlet's footer links none of its articles with each other, but still with others."""
    sketches = [*with_footer(10), [*range(5), *range(5000, 5050)]]
    found = proposed(sketches, [7] * 10 + [8], min_shared=3)
    assert sorted(found) == [[i, 10] for i in range(10)]


def test_fewer_articles_than_furniture_takes() -> None:
    """Text in fewer articles of a source than configured is reuse, not furniture."""
    found = proposed(with_footer(7), [7] * 7, min_shared=3)
    assert sorted(found) == [list(pair) for pair in itertools.combinations(range(7), 2)]


def test_related_articles_of_one_source_are_no_furniture() -> None:
    """One outlet's many copies of a story all remain candidates."""
    found = proposed(story(12), [7] * 12, min_shared=3)
    assert sorted(found) == [list(pair) for pair in itertools.combinations(range(12), 2)]


def test_story_of_a_source_with_a_footer() -> None:
    """Two copies of a story in an outlet are found beside the footer that all its pages have."""
    sketches = with_footer(10)
    sketches[9] = [*range(5), *sketches[3][5:45], *range(9000, 9010)]
    assert proposed(sketches, [7] * 10, min_shared=3) == [[3, 9]]


def test_roles_of_a_footer() -> None:
    """A source's footer is furniture and boilerplate; the entries of its stories are neither."""
    sketches = with_footer(10)
    sketches[9] = [*range(5), *sketches[3][5:45], *range(9000, 9010)]
    roles = roles_of(sketches, [7] * 10)
    assert roles.furniture.tolist() == [True] * 50 + [False] * 80
    assert roles.boilerplate.tolist() == [True] * 5 + [False] * 40
    assert not roles.is_hub.any()
    assert not roles.common.any()


def test_common_text_links_nobody() -> None:
    """A notice on unrelated pages, in a long posting, is boilerplate without pairs."""
    sketches = with_footer(60)
    roles = roles_of(sketches, [UNKNOWN] * 60, max_posting=20)
    assert roles.common.tolist() == [True] * 5
    assert roles.boilerplate.tolist() == [True] * 5
    assert proposed(sketches, [UNKNOWN] * 60, min_shared=3, max_posting=20) == []


def test_text_that_many_known_sources_carry_once_is_copy() -> None:
    """The same text on one page each of sixty outlets meets its hubs, and is no boilerplate."""
    sketches = with_footer(60)
    roles = roles_of(sketches, list(range(60)), max_posting=20)
    assert not roles.boilerplate.any()
    found = proposed(sketches, list(range(60)), min_shared=3, max_posting=20, hubs=4)
    assert sorted(found) == [[i, j] for i in range(4) for j in range(i + 1, 60)]


def test_more_hubs_than_a_posting_has() -> None:
    """Hubs of one posting are never those of the next."""
    notice = [[h + 10**7 for h in sketch] for sketch in with_footer(60)]
    found = proposed(story(25) + notice, [UNKNOWN] * 85, min_shared=3, max_posting=20, hubs=1000)
    assert sorted(found) == [list(pair) for pair in itertools.combinations(range(25), 2)]


def test_one_outlets_furniture_on_a_few_pages_elsewhere() -> None:
    """In a long posting of one outlet's furniture, the few pages of others meet every page."""
    elsewhere = with_footer(2, first=10**7)
    found = proposed(
        with_footer(60) + elsewhere, [7] * 60 + [8, 9], min_shared=3, max_posting=20, hubs=4
    )
    assert sorted(found) == sorted([[i, j] for j in (60, 61) for i in range(60)] + [[60, 61]])


@examples
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda p: p[0] < p[1]),
        st.integers(1, 3),
        max_size=15,
    ),
    st.integers(1, 4),
)
def test_strongest_of_either_side_stay(found: dict[tuple[int, int], int], most: int) -> None:
    """A pair stays if it is among the strongest of one of its articles; of equals the first stays."""
    rows = [(*pair, n) for pair, n in sorted(found.items())]
    expected = set()
    for article in range(6):
        own = sorted((row for row in rows if article in row[:2]), key=lambda row: -row[2])
        expected |= set(own[:most])
    array = np.array(rows, np.int64).reshape(-1, 3)
    kept = strongest(array, 6, most)
    assert [tuple(row) for row in array[kept].tolist()] == [r for r in rows if r in expected]
