"""`dedupe.scan`: a corpus in, tables out, whatever the order, threads and chunks."""

from __future__ import annotations

import gc
import json
import random
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import dedupe
from benchmarks import generate
from dedupe import scanning
from dedupe._garbage import OBJECTS_MADE
from dedupe.checkpoint import Checkpoint
from dedupe.config import Config
from dedupe.corpus import read_corpus
from dedupe.families import find_families
from dedupe.shingle import shingles
from dedupe.sketch import FEW, sketch_limit
from dedupe.tokens import tokenise_text

if TYPE_CHECKING:
    from dedupe.scanning import ScanResult

SEEDS = Path(__file__).parent.parent / "seeds"
AP = ["000_dbfa873eea8ebaca.txt", "003_a04aa699db5485b8.txt"]
AGENCY_SENTENCE = ["001_51cbd81e112f65bc.txt", "002_eb0d3b9c0bbd38b6.txt"]
TABLES = ("documents", "pairs", "passages", "families")


def _write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _scan_frame(frame: pl.DataFrame, directory: Path, **settings: Any) -> ScanResult:
    path = directory / "corpus.parquet"
    frame.write_parquet(path)
    return dedupe.scan(path, **settings)


def _assert_same(one: ScanResult, other: ScanResult) -> None:
    for name in TABLES:
        assert_frame_equal(getattr(one, name), getattr(other, name))


def test_the_two_ap_pieces_are_the_only_family() -> None:
    """The seeds have one family at default settings: the two versions of the wire story."""
    result = dedupe.scan(SEEDS)

    assert result.families.rows() == [("f5c7d8599fbb26455", 2, AP[0], None, [])]
    documents = result.documents
    assert documents.filter(pl.col("family").is_not_null())["id"].to_list() == AP
    assert documents["words"].to_list() == [938, 450, 448, 530, 696]
    assert documents["origin"].to_list() == [None, None, None, AP[0], None]
    assert result.pairs.select("a", "b", "kind").rows() == [(*AP, "partial")]
    assert result.problems == []


@pytest.mark.parametrize("threshold", [700, 0, 900_000])
def test_garbage_is_looked_for_less_often(threshold: int) -> None:
    """During a scan Python looks for garbage seldom, or never as before; then as it did before."""
    before = gc.get_threshold()
    seen: dict[str, int] = {}

    class Watch(scanning._Silent):
        def stage(self, name: str) -> None:
            seen[name] = gc.get_threshold()[0]

    gc.set_threshold(threshold, *before[1:])
    try:
        dedupe.scan(SEEDS, progress=Watch())
        after = gc.get_threshold()
    finally:
        gc.set_threshold(*before)
    del seen["read"]  # said before
    assert set(seen.values()) == {max(threshold, OBJECTS_MADE) if threshold else 0}
    assert after == (threshold, *before[1:])


def test_scans_that_overlap_look_for_garbage_as_before() -> None:
    """Of two scans under way at once the last to end leaves the setting as the first found it."""
    before = gc.get_threshold()
    both = threading.Barrier(2)
    first_ended = threading.Event()
    seen: list[int] = []

    class Watch(scanning._Silent):
        def __init__(self, *, waits: bool) -> None:
            self._waits = waits

        def stage(self, name: str) -> None:
            if name == "tables":
                both.wait(60)
                if self._waits:
                    first_ended.wait(60)
                    seen.append(gc.get_threshold()[0])

    gc.set_threshold(700, *before[1:])
    try:
        watch = Watch(waits=True)
        thread = threading.Thread(target=dedupe.scan, args=(SEEDS,), kwargs={"progress": watch})
        thread.start()
        dedupe.scan(SEEDS, progress=Watch(waits=False))
        first_ended.set()
        thread.join()
        after = gc.get_threshold()
    finally:
        gc.set_threshold(*before)
    assert seen == [OBJECTS_MADE]
    assert after == (700, *before[1:])


@pytest.mark.parametrize("stage", ["near-duplicates", "tables"])
def test_a_scan_that_fails_looks_for_garbage_as_before(stage: str) -> None:
    """A scan whose progress raises leaves the setting as it was."""
    before = gc.get_threshold()

    class Failing(scanning._Silent):
        def stage(self, name: str) -> None:
            if name == stage:
                assert gc.get_threshold()[0] == OBJECTS_MADE
                raise KeyError(name)

    gc.set_threshold(700, *before[1:])
    try:
        with pytest.raises(KeyError, match=stage):
            dedupe.scan(SEEDS, progress=Failing())
        after = gc.get_threshold()
    finally:
        gc.set_threshold(*before)
    assert after == (700, *before[1:])


@pytest.mark.parametrize(("chunk_mb", "batches"), [(None, 16), (0.001, 16), (16, 4), (500, 1)])
def test_what_is_read_ahead(chunk_mb: float | None, batches: int) -> None:
    """At most 64 MB are read ahead, as they are by default, and at most 16 batches."""
    asked: list[int] = []

    def read(*args: Any, prefetch: int, **others: Any) -> Any:
        asked.append(prefetch)
        return read_corpus(*args, prefetch=prefetch, **others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "read_corpus", read)
        dedupe.scan(SEEDS, chunk_mb=chunk_mb or Config().chunk_mb)
    assert asked == [batches]


def test_directed_shares_of_the_ap_pair() -> None:
    """Of the AP pair, over a third of the longer and most of the shorter text is shared."""
    (pair,) = dedupe.scan(SEEDS).pairs.iter_rows(named=True)

    assert pair["shared_words"] == 340
    assert pair["a_in_b"] == pytest.approx(340 / 938)
    assert pair["b_in_a"] == pytest.approx(340 / 530)
    assert 0 < pair["net_a_in_b"] < pair["a_in_b"]
    assert pair["resemblance"] == pytest.approx(0.2068, abs=1e-4)


def test_the_shared_agency_sentence_is_a_passage_but_no_family() -> None:
    """With ten words as the minimum the sentence 001 and 002 share is shown, and links nobody.

    Both go on to how much of the city is taken, in other words.
    """
    result = dedupe.scan(SEEDS, min_shared_words=10)

    passages = result.passages.filter(a=AGENCY_SENTENCE[0], b=AGENCY_SENTENCE[1])
    (passage,) = passages.iter_rows(named=True)
    text = (SEEDS / passage["a"]).read_text(encoding="utf-8")
    shared = text[passage["a_start"] : passage["a_end"]]
    sentence = "The Syrian Democratic Forces (SDF), an alliance of Kurdish and Arab fighters"
    assert shared == f"{sentence}, have taken control of around 90 percent of the city"
    text = (SEEDS / passage["b"]).read_text(encoding="utf-8")
    other = text[passage["b_start"] : passage["b_end"]]
    assert other.lower().startswith(sentence.lower())
    assert other.endswith("they have captured around 90% of the city")
    assert (passage["kind"], passage["role"]) == ("edited", "body")
    assert result.families["size"].to_list() == [2]


def test_the_paragraph_that_led_moved_within_the_ap_story() -> None:
    """Verbatim paragraphs of the AP story are found as they stand, at their raw offsets."""
    result = dedupe.scan(SEEDS)
    texts = [(SEEDS / name).read_text(encoding="utf-8") for name in AP]

    verbatim = []
    for row in result.passages.filter(kind="verbatim").iter_rows(named=True):
        a = texts[0][row["a_start"] : row["a_end"]]
        b = texts[1][row["b_start"] : row["b_end"]]
        assert a.replace("U.S.", "US") == b.replace("U.S.", "US") or a.lower() == b.lower()
        verbatim.append(b)
    assert any(text.startswith("Losing Raqqa, in many ways the symbol") for text in verbatim)


def test_shuffled_rows_give_the_same_tables(tmp_path: Path) -> None:
    """The order of articles in the input changes nothing."""
    frame = generate.corpus(600, seed=5, shape=generate.Shape(words=120))
    expected = _scan_frame(frame, tmp_path)
    assert expected.families.height > 10

    for seed in range(3):
        shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
        _assert_same(_scan_frame(shuffled, tmp_path), expected)


@pytest.mark.parametrize(
    "settings",
    [
        {"threads": 1},
        {"threads": 2},
        {"threads": 7},
        {"chunk_mb": 0.01},
        {"chunk_mb": 0.001, "threads": 2},
        {"memory_mb": 0},
    ],
)
def test_threads_chunks_and_memory_give_the_same_tables(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    """How the work is cut, and where token data is kept, changes nothing."""
    frame = generate.corpus(400, seed=6, shape=generate.Shape(words=100))

    _assert_same(_scan_frame(frame, tmp_path, **settings), _scan_frame(frame, tmp_path))


def _with_gaps(number: int, story: int) -> str:
    """An article of its own words and of a story's, with places that two bytes do not hold."""
    chosen = random.Random(number)
    line, marked = " -" * chosen.randint(130, 300), f"m{number}" + "\u200b" * 300 + "m"
    own = [f"own{number}x{k}" for k in range(chosen.randint(5, 60))]
    own.insert(chosen.randrange(len(own)), f"{line} {marked}")
    return f"{' '.join(own)}{line} {_told(story)}{line} {marked}{line}"


def _told(story: int) -> str:
    """A story in the same words everywhere, with such places in it."""
    words = [f"story{story}x{k}" for k in range(60)]
    words[20] += " -" * 150
    words[40] += "\u200b" * 300 + "s"
    return " ".join(words)


@pytest.mark.parametrize("memory_mb", [0, 1000])
@pytest.mark.parametrize("threads", [1, 2])
def test_passages_behind_gaps_and_long_tokens(tmp_path: Path, memory_mb: int, threads: int) -> None:
    """Passages are at their raw offsets where tokens are far apart or long, in any of many chunks."""
    texts = {f"n{k:03}": _with_gaps(k, k % 40) for k in range(80)}
    path = _write_jsonl(
        tmp_path / "corpus.jsonl", [{"id": name, "text": text} for name, text in texts.items()]
    )
    result = dedupe.scan(path, chunk_mb=0.01, threads=threads, memory_mb=memory_mb)
    found = set()
    for row in result.passages.iter_rows(named=True):
        for side in "ab":
            name = row[side]
            text = texts[name][row[f"{side}_start"] : row[f"{side}_end"]]
            assert text == _told(int(name[1:]) % 40)
            found.add(name)
    assert found == {*texts}
    assert result.passages.height == 40
    assert bool(result.run["counts"]["tokens_spilled_to_disk"]) == (memory_mb == 0)


def test_a_file_each_gives_what_one_table_gives(tmp_path: Path) -> None:
    """A directory of text files and a table of the same texts have the same families."""
    frame = generate.corpus(150, seed=7, shape=generate.Shape(words=80))
    directory = tmp_path / "texts"
    directory.mkdir()
    for name, text in frame.select("id", "text").iter_rows():
        (directory / name).with_suffix(".txt").write_text(text, encoding="utf-8")

    as_files = dedupe.scan(directory)
    as_table = _scan_frame(frame.select("id", "text"), tmp_path)

    assert as_files.families["family"].to_list() == as_table.families["family"].to_list()
    assert as_files.pairs.height == as_table.pairs.height


def test_a_story_printed_two_thousand_times_is_one_family(tmp_path: Path) -> None:
    """Two thousand edited copies of one story are one complete family, in linear many pairs."""
    result = _scan_frame(generate.story(copies=2000), tmp_path)

    assert result.families["size"].to_list() == [2000]
    assert result.documents["family"].null_count() == 0
    assert result.pairs.height < 2000 * 64
    assert result.run["counts"]["pairs_implied_by_groups"] > 0


@pytest.mark.parametrize("dropped", [[], ["source"]])
def test_a_footer_of_thirty_thousand_articles_links_nobody(
    tmp_path: Path, dropped: list[str]
) -> None:
    """A footer that is up to half of 30,000 otherwise unrelated articles makes no pair."""
    result = _scan_frame(generate.footer(articles=30000).drop(dropped), tmp_path)

    assert result.families.height == 0
    assert result.pairs.height == 0
    assert result.run["counts"]["articles_with_boilerplate"] == 30000


@pytest.mark.parametrize("copies", [2, 5])
def test_a_round_up_of_three_stories_leaves_three_families(tmp_path: Path, copies: int) -> None:
    """A digest of three stories is marked, and joins none of their families."""
    frame = generate.digest(3, copies=copies)
    result = _scan_frame(frame, tmp_path)

    assert result.families["size"].to_list() == [copies] * 3
    marked = result.documents.filter("round_up")
    digests = frame.filter(pl.col("kind_truth") == "digest")["id"].to_list()
    assert marked["id"].to_list() == digests
    assert marked["family"].to_list() == [None]


def test_generated_families_are_found(tmp_path: Path) -> None:
    """In a mixed corpus no two stories merge, and nearly every copy is in its story's family."""
    frame = generate.corpus(2500, seed=8)
    result = _scan_frame(frame, tmp_path)
    truth = frame.select("id", "family_truth", "kind_truth").join(result.documents, on="id")

    copies = truth.filter(pl.col("family_truth").is_not_null())
    mixed = (
        copies.filter(pl.col("family").is_not_null())
        .group_by("family")
        .agg(pl.col("family_truth").n_unique())
    )
    assert (mixed["family_truth"] == 1).all()
    assert copies["family"].null_count() <= 0.02 * copies.height
    single = truth.filter(pl.col("kind_truth") == "single")
    # Footers of fewer than eight articles cannot be learned, and some are a quarter of a brief.
    assert single.height - single["family"].null_count() <= 0.02 * single.height


def test_tiny_texts_and_empty_ones(tmp_path: Path) -> None:
    """Texts too short to match are listed alone and counted; those without a word are problems."""
    rows = [
        {"id": "one", "text": "Breaking news soon."},
        {"id": "two", "text": "Breaking news soon."},
    ]
    rows += [{"id": "marks", "text": "… — !"}]
    result = dedupe.scan(_write_jsonl(tmp_path / "tiny.jsonl", rows))

    assert result.documents["id"].to_list() == ["marks", "one", "two"]
    assert result.pairs.height == 0
    assert result.run["counts"]["articles_too_short"] == 3
    (problem,) = result.problems
    assert (problem.id, problem.line) == ("marks", 3)


def test_repeated_ids_keep_the_fullest_text(tmp_path: Path) -> None:
    """Of two texts with one id the longer is kept, whichever comes first, and the other is named."""
    long, short = "a fuller text of several more words than that", "a short text"
    for order in ([long, short], [short, long]):
        rows = [{"id": "same", "text": text} for text in order]
        result = dedupe.scan(_write_jsonl(tmp_path / "ids.jsonl", rows))

        assert result.documents.select("id", "words").rows() == [("same", 9)]
        (problem,) = result.problems
        assert problem.id == "same"
        assert problem.line == order.index(short) + 1
        assert "another text" in problem.reason


def test_exact_copies_and_origin_by_date(tmp_path: Path) -> None:
    """Copies in other clothes are exact, and derive from the one published first."""
    random.seed(1)
    words = [f"word{random.randrange(10**6)}" for _ in range(60)]
    rows = [
        {"id": "b", "text": " ".join(words), "published": "2024-03-02", "source": "Second"},
        {"id": "a", "text": "\n".join(words).upper(), "published": "2024-03-03"},
        {"id": "c", "text": " — ".join(words), "published": "2024-03-01", "source": "First"},
    ]
    result = dedupe.scan(_write_jsonl(tmp_path / "dated.jsonl", rows))

    assert result.pairs["kind"].to_list() == ["exact"] * 3
    assert result.pairs["resemblance"].to_list() == [1.0] * 3
    assert result.documents.select("id", "origin").rows() == [("a", "c"), ("b", "c"), ("c", None)]
    (family,) = result.families.iter_rows(named=True)
    assert family["first_seen"] == "2024-03-01"
    assert family["sources"] == ["First", "Second"]


def test_shared_quotations_alone_make_no_family(tmp_path: Path) -> None:
    """Two reports that share long quotations are a pair, but net of them share nothing."""
    random.seed(2)

    def sentence(n: int) -> str:
        return " ".join(f"w{random.randrange(10**6)}" for _ in range(n))

    quote = f"“{sentence(60)},” the minister said."
    rows = [{"id": name, "text": f"{sentence(80)}.\n\n{quote}\n\n{sentence(40)}."} for name in "ab"]
    result = dedupe.scan(_write_jsonl(tmp_path / "quotes.jsonl", rows))

    (pair,) = result.pairs.iter_rows(named=True)
    assert pair["a_in_b"] > 0.3
    assert pair["net_a_in_b"] < 0.05
    assert result.passages["role"].to_list() == ["quotation"]
    assert result.families.height == 0


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    """A corpus that is not there raises an error that names it."""
    with pytest.raises(dedupe.InputError, match="no-such-corpus"):
        dedupe.scan(tmp_path / "no-such-corpus")


def test_unknown_settings_are_refused() -> None:
    """A misspelt setting is an error that lists the settings there are."""
    with pytest.raises(dedupe.ConfigError, match="treshold"):
        dedupe.scan(SEEDS, treshold=0.5)


def test_an_empty_directory_gives_empty_tables(tmp_path: Path) -> None:
    """A corpus without an article gives tables with their columns and no row."""
    result = dedupe.scan(tmp_path)

    assert [getattr(result, name).height for name in TABLES] == [0, 0, 0, 0]
    assert result.pairs.schema == dedupe.scan(SEEDS).pairs.schema
    assert result.passages.schema == dedupe.scan(SEEDS).passages.schema
    assert result.run["counts"]["articles"] == 0


def test_the_run_states_expected_recall() -> None:
    """The record of a run says what the near-duplicate tier is expected to find."""
    run = dedupe.scan(SEEDS).run

    assert run["expected_recall"] == {"0.5": 0.8732, "0.7": 0.9998, "0.9": 1.0}
    assert run["scale"] == 1
    assert set(run["seconds"]) == {
        *("read", "near-duplicates", "postings", "verify", "align", "families", "tables"),
    }


@pytest.mark.parametrize("copies", [5, 100, 300])
def test_copies_of_a_round_up_are_all_marked_and_a_family(tmp_path: Path, copies: int) -> None:
    """Equal texts share family and round-up mark, however few of their pairs are listed."""
    random.seed(3)
    stories = [" ".join(f"w{random.randrange(10**6)}" for _ in range(100)) for _ in range(3)]
    digest = "\n\n".join(stories)
    rows = [{"id": f"digest{k}", "text": digest} for k in range(copies)]
    rows += [{"id": f"story{k}", "text": text} for k, text in enumerate(stories)]
    documents = dedupe.scan(_write_jsonl(tmp_path / "digests.jsonl", rows)).documents

    digests = documents.filter(pl.col("id").str.starts_with("digest"))
    assert digests["round_up"].to_list() == [True] * copies
    assert digests["family"].n_unique() == 1
    assert digests["family"].null_count() == 0
    assert digests["origin"].null_count() == 1
    assert documents.filter(pl.col("id").str.starts_with("story"))["family"].null_count() == 3


@pytest.mark.parametrize("budget", [2_000, 20_000, 50_000])
def test_no_chunk_or_order_matters_where_the_scale_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    """The sketch's scale follows the whole corpus, not what happened to be read first."""
    monkeypatch.setattr("dedupe.sketch.SKETCH_BUDGET", budget)
    frame = generate.corpus(400, seed=4, shape=generate.Shape(words=60))
    expected = _scan_frame(frame, tmp_path)

    for seed, settings in enumerate([{"chunk_mb": 0.002}, {"chunk_mb": 0.02, "threads": 1}]):
        shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
        result = _scan_frame(shuffled, tmp_path, **settings)
        _assert_same(result, expected)
        hashes = [run.run["counts"]["sketch_hashes"] for run in (result, expected)]
        assert hashes[0] == hashes[1]


@pytest.mark.parametrize("articles", [10, 25, 250])
@pytest.mark.parametrize("known", [True, False])
def test_one_block_of_wire_copy_with_other_local_text_is_a_family(
    tmp_path: Path, articles: int, *, known: bool
) -> None:
    """The same 150 words in many papers, each with as much text of its own, are copy."""
    random.seed(4)

    def sentence(n: int) -> str:
        return " ".join(f"w{random.randrange(10**6)}" for _ in range(n))

    block = sentence(150)
    rows = [
        {
            "id": f"a{k}",
            "text": f"{sentence(75)}\n\n{block}\n\n{sentence(75)}",
            "source": f"paper{k}" if known else None,
        }
        for k in range(articles)
    ]
    result = dedupe.scan(_write_jsonl(tmp_path / "block.jsonl", rows))

    assert result.families["size"].to_list() == [articles]


def test_furniture_within_a_source_is_left_out_and_across_sources_told(tmp_path: Path) -> None:
    """An outlet's newsletter form links none of its pages, and marks those found elsewhere."""
    random.seed(5)

    def sentence(n: int) -> str:
        return " ".join(f"w{random.randrange(10**6)}" for _ in range(n))

    form = sentence(40)
    rows = [
        {"id": f"a{k:02}", "text": f"{sentence(200)}\n{form}", "source": "one.example"}
        for k in range(12)
    ]
    rows += [{"id": "other", "text": f"{sentence(200)}\n{form}", "source": "two.example"}]
    result = dedupe.scan(_write_jsonl(tmp_path / "form.jsonl", rows))

    assert result.pairs.select("a", "b").rows() == [(f"a{k:02}", "other") for k in range(12)]
    assert result.passages["role"].unique().to_list() == ["boilerplate"]
    assert result.pairs["net_a_in_b"].to_list() == [0.0] * 12
    assert result.families.height == 0


@pytest.mark.parametrize("max_posting", [2, 11, 12, 200])
@pytest.mark.parametrize("hubs", [1, 4, 1000])
def test_no_story_is_lost_to_the_limits_of_postings(
    tmp_path: Path, max_posting: int, hubs: int
) -> None:
    """Whatever postings may hold, twelve articles with one block of text stay connected."""
    random.seed(6)
    block = " ".join(f"w{random.randrange(10**6)}" for _ in range(80))
    rows = []
    for k in range(12):
        own = " ".join(f"w{random.randrange(10**6)}" for _ in range(80))
        rows.append({"id": f"a{k:02}", "text": f"{own}\n{block}"})
    path = _write_jsonl(tmp_path / "limits.jsonl", rows)
    result = dedupe.scan(path, max_posting=max_posting, hubs=hubs)

    assert result.families["size"].to_list() == [12]


def test_net_shares_leave_out_the_same_words_above_and_below_the_line(tmp_path: Path) -> None:
    """Of a text whose shared form is quoted, only the body's own share remains."""
    random.seed(7)

    def sentence(n: int) -> str:
        return " ".join(f"w{random.randrange(10**6)}" for _ in range(n))

    form, shared = f"“{sentence(60)}”", sentence(20)
    rows = [
        {"id": f"a{k:02}", "text": f"{sentence(200)}\n{form}", "source": "one.example"}
        for k in range(12)
    ]
    rows += [
        {"id": name, "text": f"{sentence(60)}\n{shared}\n{sentence(1)}\n{form}", "source": name}
        for name in ("x", "y")
    ]
    result = dedupe.scan(_write_jsonl(tmp_path / "net.jsonl", rows))

    (pair,) = result.pairs.filter(a="x", b="y").iter_rows(named=True)
    assert pair["a_in_b"] == pytest.approx(80 / 141)
    assert pair["net_a_in_b"] == pytest.approx(20 / 81)
    assert pair["net_b_in_a"] == pytest.approx(20 / 81)


def test_equal_texts_under_one_id_keep_the_same_metadata_in_any_order(tmp_path: Path) -> None:
    """Of two rows with one id and text, the same one is kept whichever comes first."""
    rows = [{"id": "x", "text": "one text", "source": s} for s in ("b.example", "a.example")]
    for order in (rows, rows[::-1]):
        result = dedupe.scan(_write_jsonl(tmp_path / "twice.jsonl", order))
        assert result.documents["source"].to_list() == ["a.example"]


def test_dates_to_the_second_decide_who_was_first(tmp_path: Path) -> None:
    """A time with a fraction of a second is not before the full second."""
    text = " ".join(f"word{k}" for k in range(40))
    rows = [
        {"id": "late", "text": text, "published": "2024-03-01T05:00:01.5Z"},
        {"id": "early", "text": text, "published": "2024-03-01T06:00:01+01:00"},
        {"id": "first", "text": text, "published": "2024-03-01T05:00:00.5Z"},
    ]
    result = dedupe.scan(_write_jsonl(tmp_path / "times.jsonl", rows))

    assert result.families["first_seen"].to_list() == ["2024-03-01T05:00:00Z"]
    assert result.documents.filter(id="late")["origin"].to_list() == ["first"]


def test_texts_too_short_to_match_imply_no_pairs(tmp_path: Path) -> None:
    """Copies that can match nothing are not counted as pairs that were left unlisted."""
    rows = [
        {"id": str(k), "text": "Only ten words are not enough for any pair."} for k in range(400)
    ]
    run = dedupe.scan(_write_jsonl(tmp_path / "short.jsonl", rows)).run

    assert run["counts"]["pairs"] == 0
    assert run["counts"]["pairs_implied_by_groups"] == 0
    assert run["counts"]["exact_copies"] == 399


@pytest.mark.parametrize("corpus", ["seeds", "mixed"])
def test_families_are_the_same_without_passages(corpus: str, tmp_path: Path) -> None:
    """Without passages the pairs, families and origins are those of a full scan, and no passage is.

    Shares of what may be family are those of the alignment; others are of words in shared
    shingles, which edited words are not.
    """
    path = SEEDS
    if corpus == "mixed":
        path = tmp_path / "corpus.parquet"
        generate.corpus(600, seed=3).write_parquet(path)
    full, quick = dedupe.scan(path), dedupe.scan(path, passages=False)

    assert_frame_equal(full.families, quick.families)
    assert quick.passages.height == 0
    assert quick.passages.schema == full.passages.schema
    assert_frame_equal(full.documents.drop("reused_share"), quick.documents.drop("reused_share"))
    known = ["a", "b", "kind", "resemblance"]
    assert_frame_equal(full.pairs.select(known), quick.pairs.select(known))
    linked = full.pairs["net_a_in_b"].to_numpy() >= 0.3
    assert_frame_equal(full.pairs.filter(linked), quick.pairs.filter(linked))
    assert (quick.pairs["shared_words"] <= full.pairs["shared_words"] + 10).all()
    assert full.run["counts"]["pairs_aligned"] == full.run["counts"]["pairs_verified"]
    if corpus == "mixed":  # the others are not, and of generated pairs few do not link
        counts = quick.run["counts"]
        assert int(linked.sum()) < counts["pairs_aligned"] < 0.96 * counts["pairs_verified"]


def _with_one_hash(length: int) -> tuple[str, str]:
    """Two texts of so many words that share 24, and of these one hash of a sketch of scale 8."""
    for seed in range(1000):
        chosen = random.Random(seed)
        texts = [
            [f"word{chosen.random()}".replace(".", "") for _ in range(length)] for _ in range(2)
        ]
        texts[1][:24] = texts[0][:24]
        sketches = [
            {h for h in shingles(tokenise_text(" ".join(t)).hashes, 5) if h <= sketch_limit(8)}
            for t in texts
        ]
        few = max(map(len, sketches)) <= FEW if length < 100 else min(map(len, sketches)) > FEW
        if len(sketches[0] & sketches[1]) == 1 and few:
            return " ".join(texts[0]), " ".join(texts[1])
    raise AssertionError


@pytest.mark.parametrize(("length", "sources", "found"), [
    (60, ("one", "other"), 1), (60, ("one", "one"), 0), (60, (None, None), 0), (400, ("one", "other"), 0),
])  # fmt: skip
def test_one_hash_is_enough_between_sources_for_short_articles(
    length: int, sources: tuple[str | None, str | None], found: int, tmp_path: Path
) -> None:
    """And for no others, which would mostly be verified in vain."""
    rows = [
        {"id": str(k), "text": text, "source": source}
        for k, (text, source) in enumerate(zip(_with_one_hash(length), sources, strict=True))
    ]
    result = dedupe.scan(_write_jsonl(tmp_path / "corpus.jsonl", rows), scale=8)
    assert result.run["counts"]["partial_candidates"] == found
    assert len(result.pairs) == found


@pytest.mark.parametrize("fails", [False, True])
def test_loading_ahead_changes_nothing(*, fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan of large files loads its code in a thread, which ends with it, and may fail."""
    expected = dedupe.scan(SEEDS)
    begun: list[threading.Thread] = []
    start = threading.Thread.start

    def note(thread: threading.Thread) -> None:
        begun.extend([thread] if thread.name == "dedupe-load" else [])
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", note)
    monkeypatch.setattr(scanning, "_SURELY_LARGE", 1)
    monkeypatch.setattr(scanning, "_WORDS", "none" if fails else 60)
    _assert_same(dedupe.scan(SEEDS), expected)
    (thread,) = begun
    assert not thread.is_alive()


def test_a_scan_of_next_to_nothing_reaches_every_stage() -> None:
    """What is scanned to load code ahead comes to its end, with pairs and a family."""
    found: list[Any] = []

    def find(articles: Any, matches: Any, config: Config) -> None:
        found.extend([len(matches.pairs), find_families(articles, matches, config).families])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "find_families", find)
        scanning._LoadedAhead(Config())._thread.join()
    n_pairs, (family,) = found
    assert n_pairs == len(family.members) == 3


def test_an_interrupted_scan_goes_on(tmp_path: Path) -> None:
    """With a directory of work a scan that died takes over its chunks, and gives the same tables."""
    path = tmp_path / "corpus.parquet"
    generate.corpus(400, seed=5).write_parquet(path)
    expected = dedupe.scan(path, chunk_mb=0.2)
    config = Config(chunk_mb=0.2, memory_mb=0)

    class Dying:
        def stage(self, name: str) -> None:
            if name == "verify":
                raise KeyboardInterrupt

        def bytes_read(self, done: int, total: int) -> None:
            pass

    checkpoint = Checkpoint(tmp_path / "work", config)
    with pytest.raises(KeyboardInterrupt):
        dedupe.scan(path, config, progress=Dying(), checkpoint=checkpoint)
    checkpoint.close()
    kept = sorted((tmp_path / "work").glob("chunk-*.npz"))
    assert len(kept) > 2
    before = [chunk.stat().st_mtime_ns for chunk in kept]
    checkpoint = Checkpoint(tmp_path / "work", config)
    found = dedupe.scan(path, config, checkpoint=checkpoint)
    checkpoint.close()
    _assert_same(found, expected)
    assert [chunk.stat().st_mtime_ns for chunk in kept] == before


def test_limits_on_pairs_keep_families(tmp_path: Path) -> None:
    """With few partners and group pairs fewer pairs are listed and others counted; families stay."""
    path = tmp_path / "corpus.parquet"
    generate.story(60, rates=(0.0, 0.0, 0.1), words=300).write_parquet(path)
    every = dedupe.scan(path, max_group_pairs=10**6, max_partners=10**6, passages=False)
    few = dedupe.scan(path, max_group_pairs=4, max_partners=3, passages=False)
    assert every.run["counts"]["pairs_implied_by_groups"] == 0
    assert every.run["counts"]["candidates_left_out"] == 0
    assert few.pairs.height < every.pairs.height / 4
    assert few.run["counts"]["pairs_implied_by_groups"] > 0
    assert few.run["counts"]["candidates_left_out"] > 0
    assert few.families["size"].to_list() == every.families["size"].to_list() == [60]
