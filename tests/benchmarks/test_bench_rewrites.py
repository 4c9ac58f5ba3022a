"""Rewrites with known truth, and the scores of aligners."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import needs

from benchmarks import rewrites
from benchmarks.generate import Shape, corpus
from benchmarks.rewrites import (
    ALIGNERS,
    Aligned,
    ceiling,
    dump,
    f1,
    plagdet,
    score,
    tiling_aligner,
)
from benchmarks.rewriting import HARD, Pair, join, make_pairs, tokens_of
from dedupe.tokens import PARAGRAPH, QUOTED

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SETTINGS = [(1, None), (2, HARD), (3, 0.0), (4, None), (5, 0.7)]
"""Seeds and edit rates."""


@pytest.fixture(scope="module", params=SETTINGS, ids=str)
def some(request: pytest.FixtureRequest) -> list[Pair]:
    """A few pairs of invented articles."""
    seed, rate = request.param
    return make_pairs(pairs=5, seed=seed, rate=rate)


def rows(*values: tuple[int, int, int, int]) -> NDArray[np.int64]:
    """Passages."""
    return np.array(values, np.int64).reshape(-1, 4)


def pair_of(a: str, b: str, truth: list[int], quoted: tuple[int, ...] = ()) -> Pair:
    """A pair made by hand, all of it one case."""
    tokens_a, tokens_b = tokens_of(a), tokens_of(b)
    marked = np.isin(np.arange(len(truth)), quoted)
    whole = rows((0, len(tokens_a.hashes), 0, len(tokens_b.hashes)))
    return Pair(a, b, np.array(truth), marked, whole, tokens_a, tokens_b)


def scored(pair: Pair, partner: list[int]) -> rewrites.Scores:
    """Scores of given partners, the cases given away."""
    return score([pair], lambda _a, _b: Aligned(np.array(partner), pair.cases))


def runs(hashes: NDArray[np.uint64], width: int = 5) -> set[tuple[int, ...]]:
    """The runs of so many tokens."""
    return {tuple(hashes[k : k + width].tolist()) for k in range(len(hashes) - width + 1)}


def test_copied_tokens_are_equal(some: list[Pair]) -> None:
    """Every token of the truth is the same word in both texts, and none was copied twice."""
    for pair in some:
        assert len(pair.truth) == len(pair.quoted) == len(tokens_of(pair.b).hashes)
        copied = np.flatnonzero(pair.truth >= 0)
        origins = pair.truth[copied]
        assert len(copied) > 20
        assert (pair.tokens_a.hashes[origins] == pair.tokens_b.hashes[copied]).all()
        assert len(np.unique(origins)) == len(origins)
        assert not pair.quoted[copied].any()


def test_cases_hold_the_copied_tokens(some: list[Pair]) -> None:
    """Every copied token lies in a case on both sides, and cases begin and end with one."""
    for pair in some:
        held = np.zeros(len(pair.truth), bool)
        for a_start, a_end, b_start, b_end in pair.cases.tolist():
            origins = pair.truth[b_start:b_end]
            assert origins[0] >= 0
            assert origins[-1] >= 0
            assert {a_start, a_end - 1} <= set(origins.tolist())
            held[b_start:b_end] |= (a_start <= origins) & (origins < a_end)
        assert (held == (pair.truth >= 0)).all()


def test_quotations_are_marked_speech_of_both_texts(some: list[Pair]) -> None:
    """Shared quotations stand in quotation marks in both texts, word for word."""
    for pair in some:
        assert pair.quoted.any()
        assert (pair.tokens_b.flags[pair.quoted] & QUOTED).all()
        of_a = runs(pair.tokens_a.hashes[(pair.tokens_a.flags & QUOTED) > 0], 10)
        edges = np.flatnonzero(np.diff(np.r_[0, pair.quoted.view(np.int8), 0]))
        for first, last in edges.reshape(-1, 2).tolist():
            assert last - first >= 10
            assert runs(pair.tokens_b.hashes[first:last], 10) <= of_a


def test_new_paragraphs_are_unrelated(some: list[Pair]) -> None:
    """Some paragraphs are new, and these share no run of five words with the article."""
    new = 0
    for pair in some:
        starts = np.flatnonzero(pair.tokens_b.flags & PARAGRAPH)
        of_a = runs(pair.tokens_a.hashes)
        for first, last in zip(starts, [*starts[1:], len(pair.truth)], strict=True):
            if (pair.truth[first:last] < 0).all() and not pair.quoted[first:last].any():
                assert not runs(pair.tokens_b.hashes[first:last]) & of_a
            new += int((pair.truth[first:last] < 0).all())
    assert new >= len(some)


def test_rewrites_are_rearranged() -> None:
    """Over a few pairs there are moves, splits and merges, and half of the article is left."""
    pairs = make_pairs(pairs=12, rate=0.0)
    moved = split = merged = 0
    for pair in pairs:
        origins = pair.truth[pair.truth >= 0]
        moved += int((np.diff(origins) < 0).any())
        a, b = (np.cumsum(t.flags & PARAGRAPH) for t in (pair.tokens_a, pair.tokens_b))
        links = {(int(a[i]), int(b[j])) for j, i in enumerate(pair.truth.tolist()) if i >= 0}
        split += len(links) - len({x for x, _ in links})
        merged += len(links) - len({y for _, y in links})
    assert moved >= 6
    assert split >= 3
    assert merged >= 3
    kept = [np.count_nonzero(pair.truth >= 0) / len(pair.tokens_a.hashes) for pair in pairs]
    assert 0.35 < np.mean(kept) < 0.6


def test_edits_come_at_their_rate() -> None:
    """Of edited words 77.5 % are gone, and nothing but edits depends on the rate."""
    plain, hard = make_pairs(pairs=12, rate=0.0), make_pairs(pairs=12, rate=HARD)
    assert [pair.a for pair in plain] == [pair.a for pair in hard]
    left, whole = (sum(np.count_nonzero(p.truth >= 0) for p in pairs) for pairs in (hard, plain))
    assert left / whole == pytest.approx(1 - 0.775 * HARD, abs=0.03)


def test_same_seed_same_pairs() -> None:
    """A seed gives the same pairs again, another seed others."""
    first, again, other = (
        [(pair.a, pair.b) for pair in make_pairs(pairs=3, seed=seed)] for seed in (7, 7, 8)
    )
    assert first == again
    assert len(set(first) | set(other)) == 6


def test_pairs_from_a_corpus(tmp_path: Path) -> None:
    """A parquet file gives the articles; one with too few of them is refused."""
    needs("sklearn.feature_extraction.text")
    path = tmp_path / "corpus.parquet"
    frame = corpus(60, shape=Shape(words=500, in_families=0, digests=0, partials=0, footers=0))
    frame.write_parquet(path)
    pairs = make_pairs(path, pairs=4)
    texts = {" ".join(text.split()) for text in frame["text"]}
    for pair in pairs:
        assert (pair.truth >= 0).any()
        kept = pair.a.split("\n\n")
        assert sum(any(paragraph in text for text in texts) for paragraph in kept) >= len(kept) - 3
    with pytest.raises(SystemExit, match="not 1000"):
        make_pairs(path, pairs=1000)


def test_truth_scores_one(some: list[Pair]) -> None:
    """The truth itself gets full marks, and no quotation is aligned."""
    known = {(pair.a, pair.b): Aligned(pair.truth, pair.cases) for pair in some}
    scores = score(some, lambda a, b: known[a, b])
    assert (scores.words, scores.provenance, scores.links) == (1, 1, 1)
    assert scores.plagdet == 1
    assert math.isnan(scores.quoted)


def test_nothing_scores_nothing(some: list[Pair]) -> None:
    """An aligner that finds nothing gets nothing."""
    scores = score(some, lambda _, b: Aligned(np.full(len(tokens_of(b).hashes), -1), rows()))
    assert (scores.words, scores.provenance, scores.links, scores.plagdet) == (0, 0, 0, 0)


def test_another_place_is_wrong_twice() -> None:
    """The right word from the wrong place counts as a word, but neither as found nor as right."""
    pair = pair_of("the cat and the dog", "the dog", [0, 4])
    scores = scored(pair, [3, 4])
    assert (scores.words, scores.provenance) == (1, 0.5)


def test_unequal_tokens_are_not_aligned() -> None:
    """A partner that is another word counts as none; partners must be as many as tokens."""
    pair = pair_of("one two three", "one two three", [0, 1, 2])
    assert scored(pair, [0, 1, 1]).words == pytest.approx(0.8)
    with pytest.raises(ValueError, match="2 partners for 3 tokens"):
        scored(pair, [0, 1])


def test_links_need_three_tokens() -> None:
    """Paragraphs are linked by three copied tokens, not by two."""
    a, b = "one two three\n\nfour five six", "four five six\n\none two new"
    pair = pair_of(a, b, [3, 4, 5, 0, 1, -1])
    assert scored(pair, [3, 4, 5, 0, 1, -1]).links == 1
    assert scored(pair, [3, 4, 5, -1, -1, -1]).links == 1
    assert scored(pair, [3, 4, -1, 0, 1, -1]).links == 0


def test_shared_quotations_count_only_as_labels() -> None:
    """Aligned or not, they change no score; of those aligned the share in marked speech counts."""
    a, b = "one two three “yes we can” four", "one two three “yes we can” she said"
    pair = pair_of(a, b, [0, 1, 2, -1, -1, -1, -1, -1], quoted=(3, 4, 5))
    plain, found = (scored(pair, [0, 1, 2, *spoken, -1, -1]) for spoken in ([-1] * 3, [3, 4, 5]))
    assert plain.words == found.words == found.provenance == found.links == 1
    assert found.quoted == 1
    unmarked = pair_of(a.replace("“", ""), b.replace("“", ""), pair.truth.tolist(), (3, 4, 5))
    assert scored(unmarked, [0, 1, 2, 3, 4, -1, -1, -1]).quoted == 0
    spoken = score([pair], lambda _a, _b: Aligned(pair.truth, rows((3, 6, 3, 6), (0, 7, 0, 8))))
    assert (spoken.precision, spoken.granularity) == (1, 1)


def test_plagdet_by_hand() -> None:
    """Two halves of one case: all found, all right, granularity 2, plagdet 1 / log2 3."""
    case = rows((0, 100, 0, 100))
    halves = rows((0, 50, 0, 50), (50, 100, 50, 100))
    assert plagdet([case], [case]) == pytest.approx((1, 1, 1, 1))
    assert plagdet([case], [halves]) == pytest.approx((1, 1, 2, 1 / math.log2(3)))
    # 50 of 100 code points in a and all in b, either way round.
    assert plagdet([case], [rows((50, 150, 0, 100))]) == pytest.approx((0.75, 0.75, 1, 0.75))
    # Precision is a mean over detections: a right one and one that overlaps in a alone.
    said = rows((0, 100, 0, 100), (0, 100, 200, 300))
    assert plagdet([case], [said]) == pytest.approx((1, 0.5, 1, 2 / 3))


def test_plagdet_keeps_pairs_apart() -> None:
    """Passages of one pair detect no case of another, and a case nobody found has no granularity."""
    case, none = rows((0, 100, 0, 100)), rows()
    assert plagdet([case, none], [none, case]) == pytest.approx((0, 0, 1, 0))
    assert plagdet([case, case], [case, none]) == pytest.approx((0.5, 1, 1, 2 / 3))
    assert plagdet([none], [none]) == pytest.approx((1, 1, 1, 1))
    assert plagdet([case], [none]) == pytest.approx((0, 0, 1, 0))


SPANS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(1, 6), st.integers(0, 9), st.integers(1, 6)).map(
        lambda s: (s[0], s[0] + s[1], s[2], s[2] + s[3])
    ),
    min_size=1,
    max_size=4,
)


@given(SPANS, SPANS)
def test_plagdet_equals_its_definition(
    cases: list[tuple[int, int, int, int]], detections: list[tuple[int, int, int, int]]
) -> None:
    """Recall, precision and granularity are those of sets of code points, after the paper."""

    def points(span: tuple[int, int, int, int]) -> tuple[set[int], set[int]]:
        return set(range(*span[:2])), set(range(*span[2:]))

    def shares(
        of: list[tuple[int, int, int, int]], by: list[tuple[int, int, int, int]]
    ) -> list[float]:
        found = []
        for a, b in map(points, of):
            near = [(x, y) for x, y in map(points, by) if a & x and b & y]
            in_a, in_b = (set[int]().union(*(sides[k] for sides in near)) for k in (0, 1))
            found.append((len(a & in_a) + len(b & in_b)) / (len(a) + len(b)))
        return found

    recall, precision = np.mean(shares(cases, detections)), np.mean(shares(detections, cases))
    counts = [
        sum(bool(a & x and b & y) for x, y in map(points, detections))
        for a, b in map(points, cases)
    ]
    detected = [count for count in counts if count]
    said = plagdet([rows(*cases)], [rows(*detections)])
    assert said[:2] == pytest.approx((recall, precision))
    assert said[2] == pytest.approx(sum(detected) / len(detected) if detected else 1)


def test_f1_of_sets() -> None:
    """Two of three said are among the four true ones; nothing against nothing is right."""
    assert f1(4, 3, 2) == pytest.approx(4 / 7)
    assert f1(0, 0, 0) == 1


def test_join_by_hand() -> None:
    """Blocks are joined over small gaps, in order in both texts, and never over large ones."""
    near = rows((0, 5, 0, 5), (17, 20, 5, 8))
    assert join(near[::-1]).tolist() == [[0, 20, 0, 8]]
    assert join(rows((0, 5, 0, 5), (18, 20, 5, 7))).tolist() == [[0, 5, 0, 5], [18, 20, 5, 7]]
    assert join(rows((8, 9, 0, 1), (0, 5, 1, 6))).tolist() == [[8, 9, 0, 1], [0, 5, 1, 6]]
    assert join(rows()).shape == (0, 4)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from("xyz"), max_size=25),
    st.lists(st.sampled_from("xyz"), max_size=25),
    st.integers(1, 4),
)
def test_tiling_leaves_no_tile(a: list[str], b: list[str], tile: int) -> None:
    """Tokens are equal and used once, in runs of a tile or more, and no tile is left free."""
    partner = tiling_aligner(tile)(" ".join(a), " ".join(b)).partner.tolist()
    used = [i for i in partner if i >= 0]
    assert len(set(used)) == len(used)
    assert all(a[i] == b[j] for j, i in enumerate(partner) if i >= 0)
    free_a = "".join("-" if i in used else letter for i, letter in enumerate(a))
    free_b = "".join("+" if partner[j] >= 0 else letter for j, letter in enumerate(b))
    assert not any(free_b[j : j + tile] in free_a for j in range(len(b) - tile + 1))


def test_tiling_takes_the_longest_first() -> None:
    """Of two places the longer match wins, wherever it is."""
    aligned = tiling_aligner(2)("a b c x a b c d", "a b c d")
    assert aligned.partner.tolist() == [4, 5, 6, 7]
    assert aligned.passages.tolist() == [[4, 8, 0, 4]]


@pytest.mark.parametrize("name", ALIGNERS)
def test_every_aligner_runs(name: str) -> None:
    """Each one finds most of a mildly edited rewrite, and labels what was said."""
    if "rapidfuzz" in name:
        pytest.importorskip("rapidfuzz")
    scores = score(make_pairs(pairs=4, rate=0.1), ALIGNERS[name])
    assert scores.provenance > 0.5
    assert 0.5 < scores.words <= 1
    assert 0 < scores.plagdet <= 1
    assert scores.quoted == 1 or math.isnan(scores.quoted)
    assert scores.milliseconds > 0


def test_known_passages_are_the_ceiling() -> None:
    """Who knows the passages finds the words, but for the swapped ones."""
    pytest.importorskip("rapidfuzz")
    pairs = make_pairs(pairs=4, rate=HARD)
    assert score(pairs, ceiling(pairs)).provenance > 0.95


def test_dump_marks_every_word() -> None:
    """Copied and found, missed, wrongly found, misplaced, and spoken words are told apart."""
    pair = pair_of("the cat and the dog", "the cat the dog and “the”", [0, 1, 3, -1, 2, -1], (5,))
    text = dump(pair, lambda _a, _b: Aligned(np.array([0, -1, 0, 4, 2, -1]), pair.cases))
    assert text.splitlines()[1:] == [
        "[0] from 0 (4); said: 0 (4)",
        '=the -cat ~the +dog =and "the',
    ]


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command prints a row per method and keeps the table, or prints one pair."""
    pytest.importorskip("rapidfuzz")
    out = tmp_path / "table.md"
    monkeypatch.setattr("sys.argv", ["rewrites", "--pairs", "2", "--out", str(out)])
    rewrites.main()
    lines = out.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2 + len(ALIGNERS) + 1
    assert {line.count("|") for line in lines} == {12}


def test_command_shows_a_pair(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One pair is printed with its truth."""
    monkeypatch.setattr("sys.argv", ["rewrites", "--pairs", "2", "--dump", "1", "--hard"])
    rewrites.main()
    assert "\n[0] from " in capsys.readouterr().out
