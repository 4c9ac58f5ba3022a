"""What becomes of articles that come again, change, or go; and of texts and ids of every kind."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from indexing import article, block

from dedupe import Article, Index
from dedupe.errors import ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=[True, False], ids=["texts", "sketches"])
def index(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Index]:
    """An empty index, with texts or without."""
    with Index.open(tmp_path / "idx", store_text=request.param) as index:
        yield index


def told(index: Index) -> dict[str, Any]:
    """What an index holds, but for its size on the disk."""
    return {name: n for name, n in index.info().items() if not name.startswith("bytes")}


def test_unchanged(index: Index) -> None:
    """The same text under the same id again changes nothing, and is told what it was told first."""
    index.add(article("a", [1, 2, 3]))
    first = index.check_and_add(article("b", [2, 3, 4], "s"))
    before = told(index)
    for _ in range(3):
        again = index.check_and_add(article("b", [2, 3, 4], "s"))
        assert again.status == "unchanged"
        assert again.of == first.of == ("a",)
        assert again.family == first.family is not None
        assert index.add(article("a", [1, 2, 3])) == "unchanged"
        assert index.update(article("a", [1, 2, 3])).status == "unchanged"
    assert told(index) == before


def test_unchanged_ones_do_not_age_the_index(tmp_path: Path) -> None:
    """An index that is shown the same pages again and again keeps its sketches as fine as they are."""
    some = [article(f"a{k}", range(100 * k, 100 * k + 60)) for k in range(100)]
    with Index.open(tmp_path / "idx") as index:
        index.add_many(some)
        assert index.info()["scale"] == 1
        for _ in range(5):
            assert index.add_many(some).unchanged == 100
        assert index.info()["scale"] == 1


def test_revised(index: Index) -> None:
    """Another text replaces the old one: it is no copy of it, and the old pairs and families go."""
    index.add_many([article("a", [1, 2, 3]), article("b", [1, 2, 3]), article("c", [1, 2, 3, 4])])
    family = index.family("a")
    assert family is not None
    assert family.members == ("a", "b", "c")
    match = index.check_and_add(article("a", [7, 8, 9]))
    assert (match.status, match.kind, match.family) == ("revised", "unique", None)
    assert index.family("a") is None
    left = index.family("b")
    assert left is not None
    assert left.members == ("b", "c")
    assert set(index.check_and_add(article("d", [2, 3])).of) == {"b", "c"}
    assert index.check(article("x", [7, 8, 9])).of == ("a",)
    assert len(index) == 4
    assert index.info()["pairs"] == len({("b", "c"), ("b", "d"), ("c", "d")})


def test_revised_out_of_a_family_of_two(index: Index) -> None:
    """Who is left alone in a family has none, also where it is told from what was kept."""
    index.add_many([article("a", [1, 2, 3]), article("b", [1, 2, 3])])
    index.add(article("a", [5, 6, 7]))
    assert index.family("b") is None
    assert index.info()["articles_in_families"] == 0
    assert index.check_and_add(article("b", [1, 2, 3])).family is None


def test_revised_keeps_its_place(index: Index) -> None:
    """A revised article is as old as its first version: what was copied from that is no source."""
    index.add(article("original", [1, 2, 3]))
    index.add(article("copy", [1, 2, 3, 9]))
    match = index.check_and_add(article("original", [1, 2, 3, 4]))
    assert (match.status, match.kind, match.of) == ("revised", "unique", ())
    assert index.check_and_add(article("copy", [1, 2, 3, 9, 10])).of == ("original",)
    assert index.check(article("new", [1, 2, 3])).of[:2] == ("original", "copy")


@pytest.mark.parametrize("source", [None, "s"])
def test_updates_of_a_story(index: Index, source: str | None) -> None:
    """A story that grows with each version is one article, and no copy of itself."""
    for k in range(1, 12):
        match = index.check_and_add(article("live", range(1, k + 1), source))
        assert match.status == ("new" if k == 1 else "revised")
        assert match.of == ()
    assert len(index) == 1
    assert index.check(article("copy", range(1, 12), source)).of == ("live",)
    index.compact()
    assert index.check(article("copy", range(1, 12), source)).of == ("live",)
    assert index.info()["postings_in_runs"] <= 11 * 24


def test_first_holders_removed(tmp_path: Path) -> None:
    """Of a text that very many have, a copy is found although the first of them are gone."""
    with Index.open(tmp_path / "idx", max_posting=20, hubs=4) as index:
        index.add_many(article(f"a{k}", [1, 2, 100 + k]) for k in range(40))
        for k in range(30):
            assert index.remove(f"a{k}")
        match = index.check(article("x", [1, 2, 500]))
        assert set(match.of) == {"a30", "a31", "a32", "a33"}


def test_remove(index: Index) -> None:
    """A removed article is gone, with its pairs and its place in families; others stay."""
    index.add_many(article(name, [1, 2, 3]) for name in "abc")
    assert index.remove("b")
    assert not index.remove("b")
    assert not index.remove("never there")
    assert ("b" in index, "a" in index, len(index)) == (False, True, 2)
    assert index.get("b") is None
    assert index.check(article("x", [1, 2, 3])).of == ("a", "c")
    family = index.family("a")
    assert family is not None
    assert family.members == ("a", "c")
    assert index.remove("a")
    assert index.family("c") is None
    assert index.info()["pairs"] == 0
    assert index.add(article("b", [1, 2, 3])) == "new"
    assert index.check(article("b", [1, 2, 3])).of == ("c",)


def test_update(index: Index) -> None:
    """Only what is there is updated."""
    with pytest.raises(InputError, match="no article of the index has the id 'a'"):
        index.update(article("a", [1, 2]))
    assert len(index) == 0
    index.add(article("a", [1, 2]))
    assert index.update(article("a", [3, 4])).status == "revised"


def test_get(tmp_path: Path) -> None:
    """An article comes back as it was given; its text only where texts are kept."""
    one = Article(
        id="a", text="Text.\r\n\tÜber alles.", source="s", url="u", title="t",
        published="2024-05-06", language="de",
    )  # fmt: skip
    bare = Article(id="b", text="")
    for store_text in (True, False):
        with Index.open(tmp_path / f"{store_text}", store_text=store_text) as index:
            index.add_many([one, bare])
            kept = index.get("a")
            assert kept is not None
            assert kept == (one if store_text else Article(**{**fields(one), "text": ""}))
            assert index.get("b") == bare
            assert index.get("c") is None
            assert [found.id for found in index.articles()] == ["a", "b"]


def fields(one: Article) -> dict[str, Any]:
    """An article as a dictionary."""
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


def test_families(index: Index) -> None:
    """A family is found by any member and any name it had as it grew; several come once each."""
    names = set()
    for k in range(8):
        match = index.check_and_add(article(f"a{k}", [1, 2, 3, 4, 100 + k], f"s{k % 2}"))
        if match.family:
            names.add(match.family)
    index.add_many([article("b0", [7, 8, 9]), article("b1", [7, 8, 9]), article("alone", [30, 31])])
    family = index.family("a3")
    assert family is not None
    assert family.members == tuple(f"a{k}" for k in range(8))
    assert family.sources == ("s0", "s1")
    for name in names | {family.name}:
        assert index.family(name) == family
    other = index.family("b1")
    assert other is not None
    expected = sorted([family, other], key=lambda f: f.name)
    assert index.families(["a1", "b0", "a2", "alone", "nobody"]) == expected
    assert index.families([]) == []
    assert index.family("alone") is None
    for nothing in ("nobody", "", "f", "f" + "0" * 16, "f" + "x" * 16, "f+000000000000001"):
        assert index.family(nothing) is None


def test_check_of_one_that_is_there(index: Index) -> None:
    """An article that is there is no copy of itself, and checking keeps nothing."""
    index.add_many([article("a", [1, 2, 3]), article("b", [1, 2, 3])])
    before = told(index)
    assert index.check(article("a", [1, 2, 3])).of == ()
    assert index.check(article("b", [1, 2, 3])).of == ("a",)
    revised = index.check(article("b", [1, 2, 3, 4]))
    assert (revised.status, revised.of) == ("revised", ("a",))
    both = index.check_many([article("x", [1, 2, 3]), article("y", [1, 2, 3])])
    assert [match.of for match in both] == [("a", "b"), ("a", "b")]
    assert told(index) == before


def test_repeated_ids_in_a_batch(index: Index) -> None:
    """Of an id that comes several times in a batch each is a version after the other."""
    matches = index.check_and_add_many(
        [
            article("a", [1, 2]),
            article("b", [1, 2]),
            article("a", [1, 2]),
            article("a", [1, 2, 3]),
            article("a", [1, 2, 3]),
            article("b", [1, 2]),
            article("b", [5, 6]),
        ]
    )
    assert [m.status for m in matches] == [
        "new", "new", "unchanged", "revised", "unchanged", "unchanged", "revised"
    ]  # fmt: skip
    assert [m.of for m in matches] == [(), ("a",), (), (), (), ("a",), ()]
    assert len(index) == 2
    added = index.add_many([article("a", [1, 2, 3]), article("b", [1]), article("c", [1])])
    assert added == (1, 1, 1)


def test_copies_in_a_batch(index: Index, tmp_path: Path) -> None:
    """A batch is answered as its articles would be one by one."""
    some = [article(f"a{k}", [k % 4, 10 + k % 3, 50 + k], f"s{k}") for k in range(20)]
    at_once = index.check_and_add_many(some)
    with Index.open(tmp_path / "other", store_text=bool(at_once[0].verified)) as other:
        one_by_one = [other.check_and_add(one) for one in some]
    assert [(m.kind, m.of, m.added, m.added_words) for m in at_once] == [
        (m.kind, m.of, m.added, m.added_words) for m in one_by_one
    ]


def test_very_many_copies(tmp_path: Path) -> None:
    """A text that a thousand articles have is one family, and the thousandth is a copy of the first."""
    with Index.open(tmp_path / "idx") as index:
        for first in range(0, 1000, 250):
            matches = index.check_and_add_many(
                article(f"a{k}", [1, 2, 3], f"s{k}") for k in range(first, first + 250)
            )
        assert {match.kind for match in matches} == {"exact"}
        assert matches[-1].of[0] == "a0"
        assert len(matches[-1].of) <= index.config.max_matches
        assert matches[-1].left_out > 0
        single = index.check_and_add(article("last", [1, 2, 3]))
        assert (single.kind, single.of[0]) == ("exact", "a0")
        family = index.family("last")
        assert family is not None
        assert len(family.members) == 1001
        assert index.remove("a0")
        assert index.check(article("x", [1, 2, 3])).of[0] == "a1"


SCRIPTS = {
    "Latin": "Der Ausschuß für Äußeres tagte gestern. ",
    "Greek": "Η κυβέρνηση ανακοίνωσε νέα μέτρα. ",
    "Cyrillic": "Правительство объявило о новых мерах. ",
    "Arabic": "أعلنت الحكومة عن إجراءات جديدة اليوم. ",
    "Hebrew": "הממשלה הודיעה על צעדים חדשים היום. ",
    "Devanagari": "सरकार ने आज नए उपायों की घोषणा की। ",
    "Han": "政府今天宣布了新的措施并表示将继续努力。",
    "Kana": "せいふはきょうあたらしいそちをはっぴょうした。",
    "Hangul": "정부는 오늘 새로운 조치를 발표했다고 밝혔다. ",
    "Thai": "รัฐบาลประกาศมาตรการใหม่ในวันนี้",
    "Emoji": "🏛️ 👩‍👩‍👧 ❤️ 🇩🇪 word ",
    "Deseret": "𐐀𐐁𐐂 𐐃𐐄𐐅 𐐆𐐇𐐈 ",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts(index: Index, script: str) -> None:
    """A copy is found in any script, with its place in the raw text."""
    sentence = "".join(f"{SCRIPTS[script]}{k} " for k in range(30))
    index.add(Article(id=script, text=sentence))
    match = index.check(Article(id="copy", text=f"\n\n{sentence}"))
    assert (match.kind, match.of) == ("exact", (script,))
    if index.info()["texts_stored"]:
        (passage,) = match.passages
        assert passage.start == passage.of_start + 2


@pytest.mark.parametrize("text", ["", " \n\t ", "…!?—", "\0", "a", "\ufeff", "\u200b" * 99])
def test_texts_with_hardly_a_word(index: Index, text: str) -> None:
    """A text without words is kept, and matches nothing."""
    for name in "abc":
        match = index.check_and_add(Article(id=name, text=text))
        assert (match.kind, match.status, match.too_short) == ("unique", "new", True)
        assert match.family is None
    assert len(index) == 3
    kept = index.get("b")
    assert kept is not None
    assert kept.text == (text if index.info()["texts_stored"] else "")
    index.compact()
    assert index.check_and_add(article("d", [1, 2])).kind == "unique"


def test_odd_characters(index: Index) -> None:
    """Lone surrogates become U+FFFD, in texts and everywhere else; NUL is a character."""
    text = block(1) + "\0 \ud800 \udfff\n" + block(2)
    odd = Article(id="a\0b", text=text, source="s\0\ud800", title="\udc80", url="\0", published="x")
    match = index.check_and_add(odd)
    assert match.status == "new"
    assert index.check_and_add(odd).status == "unchanged"
    kept = index.get("a\0b")
    assert kept is not None
    assert (kept.source, kept.title, kept.url) == ("s\0\ufffd", "\ufffd", "\0")
    if kept.text:
        assert kept.text == text.replace("\ud800", "\ufffd").replace("\udfff", "\ufffd")
    copy = index.check_and_add(Article(id="copy", text=text, source="s\0\ud800"))
    assert (copy.kind, copy.of) == ("exact", ("a\0b",))
    assert copy.reuses[0].title == "\ufffd"
    assert "a" not in index
    family = index.family("copy")
    assert family is not None
    assert family.sources == ("s\0\ufffd",)


def test_ids_that_cannot_be(index: Index) -> None:
    """An id without a character, or with half of one, is refused; asked for it is not there."""
    for bad in ("", "\ud800", "a\udcffb", None, 5, b"x"):
        with pytest.raises(InputError, match="id"):
            index.add(Article(id=bad, text=block(1)))  # type: ignore[arg-type]
    for bad in ("\ud800", "a\udcffb"):
        assert bad not in index
        assert index.get(bad) is None
        assert index.family(bad) is None
        assert index.families([bad]) == []
        assert index.remove(bad) is False
        with pytest.raises(InputError):
            index.update(Article(id=bad, text=""))
    assert len(index) == 0


def test_fields_that_cannot_be(index: Index) -> None:
    """What is no string is refused by name, but for dates; those before it are kept."""
    for name, value in (("text", None), ("title", 5), ("source", b"x"), ("published", 2024)):
        bad = Article(**{"id": "a", "text": block(1), name: value})  # type: ignore[arg-type]
        with pytest.raises(InputError, match=f"the {name} of the article 'a' is"):
            index.add_many([article(f"before {name}", [1, 2]), bad, article("after", [3])])
        assert f"before {name}" in index
        with pytest.raises(InputError, match=f"the {name} of the article 'a' is"):
            index.check_and_add_many([article("answered", [1, 2]), bad])
    assert len(index) == 4
    when = dt.datetime(2024, 5, 6, 7, 8, tzinfo=dt.UTC)
    index.add(Article(id="a", text=block(1), published=when))  # type: ignore[arg-type]
    kept = index.get("a")
    assert kept is not None
    assert kept.published == "2024-05-06T07:08:00+00:00"


@given(st.lists(st.text(min_size=1, max_size=6), unique=True, max_size=12))
@settings(max_examples=25, deadline=None)
def test_any_ids(tmp_path_factory: pytest.TempPathFactory, ids: list[str]) -> None:
    """Ids are told apart by every character of them."""
    usable = [name for name in ids if not any("\ud800" <= c <= "\udfff" for c in name)]
    with Index.open(tmp_path_factory.mktemp("ids") / "idx") as index:
        index.add_many(article(name, [k, k + 1000]) for k, name in enumerate(usable))
        assert [one.id for one in index.articles()] == usable
        for k, name in enumerate(usable):
            assert index.check(article("the copy", [k, k + 1000])).of == (name,)
            assert name in index
            assert index.remove(name)
            assert name not in index


def test_huge_text(tmp_path: Path) -> None:
    """A text of twenty megabytes is an article like others."""
    numbers = list(range(150_000))
    text = "".join(block(number, 14) for number in numbers)
    assert len(text) > 20_000_000
    with Index.open(tmp_path / "idx") as index:
        index.add(article("small", [1, 2, 3]))
        match = index.check_and_add(Article(id="huge", text=text))
        assert match.words == 14 * 150_000
        part = "".join(block(number, 14) for number in numbers[70_000:70_020])
        found = index.check(Article(id="part", text=part))
        assert found.of == ("huge",)
        assert found.passages[0].of_start == text.index(part)
        kept = index.get("huge")
        assert kept is not None
        assert kept.text == text


def test_without_texts(tmp_path: Path) -> None:
    """Without texts answers are estimates, near those with them, and families are known too."""
    with (
        Index.open(tmp_path / "texts") as full,
        Index.open(tmp_path / "sketches", store_text=False) as index,
    ):
        for one in (
            article("a", range(10)),
            article("b", range(10), "s"),
            article("c", [*range(5), *range(20, 25)]),
            article("d", range(40, 50)),
        ):
            match, exact = index.check_and_add(one), full.check_and_add(one)
            assert (match.verified, match.added, match.passages) == (False, None, ())
            assert (exact.verified, exact.added is None) == (True, False)
            assert (match.kind, match.of) == (exact.kind, exact.of)
            for about, true in zip(match.reuses, exact.reuses, strict=True):
                assert about.passages == ()
                assert about.resemblance == pytest.approx(true.resemblance, abs=0.1)
                assert about.article_in_other == pytest.approx(true.article_in_other, abs=0.1)
        assert index.family("a") == full.family("a")
        with pytest.raises(ConfigError, match="keeps no texts"):
            index.result()
    with Index.open(tmp_path / "sketches") as index:
        assert index.info()["texts_stored"] is False
        assert index.check(article("x", range(10))).of[0] == "a"
