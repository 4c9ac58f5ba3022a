"""Which numbers, dates, names and negations an edit changed."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, tricky_text

import dedupe
from dedupe.facts import ChangedFact, changed_facts
from dedupe.facts._forms import NAMED_FIELDS, NUMBERED_FIELDS, PLAIN_FIELDS, listed_forms
from dedupe.facts._lexicon import hashes_of, lexicon_of
from dedupe.tokens import Tokens, tokenise_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEEDS = Path(__file__).parent.parent / "seeds"
TABLES = tomllib.loads((Path(dedupe.__file__).parent / "data" / "facts.toml").read_text("utf-8"))


def aligned(a: Tokens, b: Tokens) -> NDArray[np.int64]:
    """The token of a that each token of b is aligned with, by the standard library."""
    partner = np.full(len(b.hashes), -1, np.int64)
    matcher = difflib.SequenceMatcher(None, a.hashes.tolist(), b.hashes.tolist(), autojunk=False)
    for i, j, n in matcher.get_matching_blocks():
        partner[j : j + n] = np.arange(i, i + n)
    return partner


def inverse(partner: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """The token of b that each of n tokens of a is aligned with."""
    of_a = np.full(n, -1, np.int64)
    of_a[partner[partner >= 0]] = np.flatnonzero(partner >= 0)
    return of_a


def changed(a: str, b: str) -> list[ChangedFact]:
    """The changed facts of two texts read as one passage."""
    of_a, of_b = tokenise_text(a), tokenise_text(b)
    span = (0, len(of_a.hashes), 0, len(of_b.hashes))
    return changed_facts(a, b, of_a, of_b, span, aligned(of_a, of_b))


def brief(a: str, b: str) -> list[tuple[str, str, str]]:
    """Kind and both wordings of the changed facts of two texts."""
    return [(fact.kind, fact.a, fact.b) for fact in changed(a, b)]


def reported(x: str, y: str) -> list[tuple[str, str, str]]:
    """What is said of two wordings in one place of an English report."""
    sentence = (
        "The minister told reporters on the day before that {} in the old harbour of the town."
    )
    return brief(sentence.format(x), sentence.format(y))


# Numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("90 %", "85 %"),
        ("about 100", "100"),
        ("100", "at least 100"),
        ("nearly 50", "more than 50"),
        ("$5 million", "$6 million"),
        ("$1.5 billion", "$1.5 million"),
        ("$5m", "€5m"),
        ("5 days", "5 weeks"),
        ("2.5 percent", "2.5 percentage points"),
        ("12.5", "12.7"),
        ("-5 degrees", "5 degrees"),
        ("four thousand", "5,000"),
        ("hundreds", "300"),
        ("third", "fourth"),
        ("10 miles", "20 kilometers"),
        ("3-1", "1-3"),
        ("F-16", "F-35"),
        ("9:30 a.m.", "9:45 a.m."),
        ("1980s", "1990s"),
        ("55 or more", "55"),
    ],
)
def test_numbers_that_differ(x: str, y: str) -> None:
    """A number is reported with its hedge, currency and unit."""
    assert reported(f"they saw {x} boats", f"they saw {y} boats") == [("number", x, y)]


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("4,000", "4000"),
        ("4,000", "four thousand"),
        ("ten", "10"),
        ("85 percent", "85 %"),
        ("85 per cent", "85%"),
        ("25 percent", "a quarter of"),
        ("twenty-five", "25"),
        ("a hundred and five", "105"),
        ("3.5 million", "3,500,000"),
        ("3½", "three and a half"),
        ("half a million", "500,000"),
        ("two dozen", "24"),
        ("US$5m", "5 million dollars"),
        ("2m", "two million"),
        ("2m", "two metres"),
        ("about 100", "roughly 100"),
        ("up to 100", "as many as 100"),
        ("two weeks", "14 days"),
        ("two decades", "20 years"),
        ("10 miles", "16 kilometers"),
        ("6 feet (1.8 meters)", "6ft"),
        ("7:30 p.m.", "7.30pm"),
        ("15mg", "15 mg"),
        ("5-10", "5 to 10"),
        ("3rd", "third"),
        ("the two", "the"),
        ("0-86850-029-1", "0868500291"),
        ("only 100", "100"),
        ("22 millions", "22 million"),
        ("$100 to $150 billion", "$100 billion to $150 billion"),
        ("more than 660 pounds", "more than 300 kilograms (660 pounds)"),
    ],
)
def test_numbers_written_otherwise(x: str, y: str) -> None:
    """The same value in another form, or in another unit, is no change."""
    assert reported(f"they saw {x} boats", f"they saw {y} boats") == []


def test_numbers_left_out() -> None:
    """A number that only one text gives is reported at the place where the other has none."""
    a = "The captain, 47, was found by the crew of another boat on the next morning."
    b = "The captain was found by the crew of another boat on the next morning."
    assert changed(a, b) == [ChangedFact("number", "47", "", 13, 15, 12, 12)]
    assert changed(b, a) == [ChangedFact("number", "", "47", 12, 12, 13, 15)]


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("they saw 47 boats and then 12 boats", "they saw 12 boats and then 47 boats"),
        ("two people died", "people died"),
        ("he left, which at the time cost him 500 of his own crowns a year, for good", "he left"),
        ("they saw “6 boats", "they saw “6boats"),
        ("the harbour holds 60 boats and 60 boats came", "the harbour holds 60 boats, all came"),
    ],
)
def test_numbers_that_moved_or_go_with_a_clause(x: str, y: str) -> None:
    """Numbers in another order, small words, dropped clauses and repetitions are not reported."""
    assert reported(x, y) == []


# Dates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("Friday", "Monday"),
        ("May 3", "May 4"),
        ("May 3, 1970", "May 3, 1971"),
        ("3 June", "3 July"),
        ("2014", "2015"),
        ("2012-13", "2013-14"),
        ("2014-05-03", "2014-05-04"),
        ("3.5.2014", "4.5.2014"),
        ("April 20-26", "March 2"),
        ("Aug. 26", "Sept. 9"),
    ],
)
def test_dates_that_differ(x: str, y: str) -> None:
    """A date is reported whole."""
    assert reported(f"it was in {x} when he left", f"it was in {y} when he left") == [
        ("date", x, y)
    ]


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("May 3", "3 May"),
        ("May 3", "3rd of May"),
        ("May 3, 2014", "2014-05-03"),
        ("Monday, May 3", "May 3"),
        ("Sept. 9", "September 9"),
        ("Friday", "yesterday"),
        ("Friday", "May 3"),
        ("on Friday", ""),
        ("it may rain", "it might rain"),
    ],
)
def test_dates_written_otherwise(x: str, y: str) -> None:
    """Another form, more or less of a date, and what cannot be compared are no change."""
    assert reported(f"it was in {x} when he left", f"it was in {y} when he left") == []


# Names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y", "kept"),
    [
        ("Mustafa Bali", "Omar Alloush", None),
        ("Mustafa Bali", "Omar Bali", None),
        ("Raqqa", "Mosul", None),
        ("the IAEA", "the OPCW", ("IAEA", "OPCW")),
        ("Mohammed Ali", "Muhammad Ali", None),
        ("Innate Therapeutics", "Innate Theraputics", None),
        ("University of Chicago", "University of Michigan", None),
    ],
)
def test_names_that_differ(x: str, y: str, kept: tuple[str, str] | None) -> None:
    """A name in the place of another is reported, and so is another spelling."""
    assert reported(f"they knew {x} had been", f"they knew {y} had been") == [
        ("name", *(kept or (x, y)))
    ]


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("Brett McGurk", "McGurk"),
        ("U.S. President Donald Trump", "Trump"),
        ("Mr. Bali", "President Bali"),
        ("Iraq’s army", "the Iraqi army"),
        ("Syria", "Syrian"),
        ("French", "France"),
        ("the Islamic State", "the IS"),
        ("the Syrian Democratic Forces", "the SDF"),
        ("the Department of Homeland Security", "the DHS"),
        ("the Justice Department", "the DOJ"),
        ("United States", "U.S."),
        ("Florida", "Fla."),
        ("Guantánamo", "Guantanamo"),
        ("Christopher Stevens", "Chris Stevens"),
        ("Raul Labrador of Idaho", "Idaho’s Raul Labrador"),
        ("Bali and Omar", "Omar and Bali"),
        ("Mustafa Bali", "the spokesman"),
        ("", "Mustafa Bali and"),
    ],
)
def test_names_that_are_one(x: str, y: str) -> None:
    """Shorter, inflected, abbreviated, moved and dropped names are no change."""
    assert reported(f"they knew {x} had been", f"they knew {y} had been") == []


def test_capitals_that_are_no_names() -> None:
    """Words that begin a sentence, and words of headlines, are no names."""
    rest = "was said to have been in the town when the storm came over the hills."
    assert brief(f"It rained. Everybody {rest}", f"It rained. Nobody else {rest}") == []
    assert (
        brief(
            "President Wins Vote After Long Night Of Fierce Debate In Parliament",
            "President Loses Vote After Long Night Of Fierce Debate In Parliament",
        )
        == []
    )


def test_names_that_begin_a_sentence() -> None:
    """A single word at a sentence's beginning is a name where it is one elsewhere."""
    a = "Today the mayor met Bali in town. Bali said the talks with the other side went well."
    b = "Today the mayor met Omar in town. Omar said the talks with the other side went well."
    assert brief(a, b) == [("name", "Bali", "Omar"), ("name", "Bali", "Omar")]


# Negations ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y", "a", "b"),
    [
        ("it was not over", "it was over", "not", ""),
        ("it was over", "it was never over", "", "never"),
        ("they didn't attack the town", "they attacked the town", "didn't", ""),
        ("they don’t attack", "they do attack", "don’t", ""),
        ("they left with no boats", "they left with boats", "no", ""),
        ("none of them left", "all of them left", "none", ""),
        ("they did not win it", "they won it", "not", ""),
    ],
)
def test_negations(x: str, y: str, a: str, b: str) -> None:
    """A negation that only one text has is reported."""
    assert reported(x, y) == [("negation", a, b)]


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("it was not over", "it wasn’t over"),
        ("it was not over", "it was never over"),
        ("he did not act", "he failed to act"),
        ("it is not generally allowed", "it is generally not allowed"),
        ("not only 50 came", "50 came"),
        ("without doubt it was so", "it was so"),
        ("they ruled out a truce", "they did not recommend a truce"),
        ("it was not without its critics", "it had its critics"),
        ("it was No. 5 that came", "it was number 5 that came"),
        ("they left, which was not what had been asked of them, and", "they left and"),
    ],
)
def test_negations_said_otherwise(x: str, y: str) -> None:
    """Other words for a negation, moved ones, and rewritten clauses are not reported."""
    assert reported(x, y) == []


# Languages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (
            "Er sagte, dass etwa 100 Kämpfer am Montag, dem 3. Mai, in der Stadt nicht aufgaben.",
            "Er sagte, dass 100 Kämpfer am Dienstag, dem 4. Mai, in der Stadt aufgaben.",
            "number:etwa 100>100 date:Montag>Dienstag date:3. Mai>4. Mai negation:nicht>",
        ),
        (
            "Die Zahl der Toten stieg auf dreiundzwanzig, sagte der Minister Karl Weiß der Zeitung.",
            "Die Zahl der Toten stieg auf 24, sagte der Minister Franz Weiß der Zeitung.",
            "number:dreiundzwanzig>24 name:Minister Karl Weiß>Minister Franz Weiß",
        ),
        (
            "Il a dit que près de 100 combattants n’ont pas quitté la ville d’Alep le 3 mai.",
            "Il a dit que plus de 100 combattants ont quitté la ville d’Homs le 4 mai.",
            "number:près de 100>plus de 100 name:Alep>Homs date:3 mai>4 mai",
        ),
        (
            "El gobierno dijo que unos 100 combatientes no salieron de la ciudad el 3 de mayo.",
            "El gobierno dijo que 100 combatientes salieron de la ciudad el 4 de mayo.",
            "number:unos 100>100 negation:no> date:3 de mayo>4 de mayo",
        ),
        (
            "Il governo ha detto che circa 12,5 milioni di euro non sono stati spesi nel 2014.",
            "Il governo ha detto che 12,7 milioni di euro sono stati spesi nel 2015.",
            "number:circa 12,5 milioni di euro>12,7 milioni di euro negation:non> date:2014>2015",
        ),
        (
            "По его словам, около 100 боевиков 3 мая не сдались в этом городе на севере.",
            "По его словам, 120 боевиков 4 мая сдались в этом городе на севере.",
            "number:около 100>120 date:3 мая>4 мая negation:не>",
        ),
        (
            "पुलिस ने कहा कि लगभग १०० लोग सोमवार को शहर से नहीं गए थे।",
            "पुलिस ने कहा कि २०० लोग मंगलवार को शहर से गए थे।",
            "number:लगभग १००>२०० date:सोमवार>मंगलवार negation:नहीं>",
        ),
        (
            "وقال المتحدث إن نحو ١٠٠ مقاتل لم يغادروا المدينة في يوم الجمعة بعد المعارك",
            "وقال المتحدث إن ١٢٠ مقاتل لم يغادروا المدينة في يوم السبت بعد المعارك",
            "number:نحو ١٠٠>١٢٠ date:الجمعة>السبت",
        ),
        (
            "警方说，约三万人在5月3日没有离开这座城市。",
            "警方说，四万人在5月4日离开这座城市。",
            "number:约三万人>四万人 date:5月3日>5月4日 negation:没有>",
        ),
        (
            "警察は約三万人が5月3日に来なかったと発表した。",
            "警察は四万人が5月4日に来たと発表した。",
            "number:約三万人>四万人 date:5月3日>5月4日 negation:なかった>",
        ),
        (
            "경찰은 이날 약 100만명이 5월 3일 도시를 떠났다고 밝혔다",
            "경찰은 이날 약 120만명이 5월 4일 도시를 떠났다고 밝혔다",
            "number:약 100만명이>약 120만명이 date:5월 3일>5월 4일",
        ),
        (
            "Polis bu sabah kentte yaklaşık 100 kişinin 2014'te öldüğünü ve bir kişinin kaldığını söyledi",
            "Polis bu sabah kentte 100 kişinin 2014'te öldüğünü ve bir kişinin kaldığını söyledi",
            "number:yaklaşık 100>100",
        ),
    ],
)
def test_languages(a: str, b: str, expected: str) -> None:
    """Hedges, units, dates and negations of each language are known, and digits of each script."""
    found = " ".join(f"{kind}:{x}>{y}" for kind, x, y in brief(a, b))
    assert found == expected


def test_unknown_languages() -> None:
    """In a language of which nothing is known figures and names are compared all the same."""
    a = "Aliambia kituo hicho kwamba watu 40 walifika Kisumu mapema asubuhi hiyo"
    b = "Aliambia kituo hicho kwamba watu 50 walifika Mombasa mapema asubuhi hiyo"
    assert brief(a, b) == [("number", "40", "50"), ("name", "Kisumu", "Mombasa")]


def test_each_language_uses_its_own_words() -> None:
    """A word that negates in one language does not in another: "no" in Japanese names, "die"."""
    a = "De regering zei dat het pas in de zomer van dit jaar klaar zal zijn met het werk."
    b = "De regering zei dat het in de zomer van dit jaar klaar zal zijn met het werk."
    assert brief(a, b) == []


@pytest.mark.parametrize("language", ["", *TABLES["function"]])
def test_word_lists(language: str) -> None:
    """Every field of a language is known, and every form is at least one token."""
    lexicon = lexicon_of(language)
    assert set(lexicon.forms) == set(lexicon.words.tolist())
    known = {*NUMBERED_FIELDS, *NAMED_FIELDS, *PLAIN_FIELDS}
    known |= {"decimal", "joined", "one", "demonyms", "irregular", "elision", "nouns"}
    table = TABLES.get(language, {})
    assert set(table) <= known
    forms = [form for form, _, _ in listed_forms(table)]
    assert len(hashes_of(forms)) == len(forms) if forms else not language


def test_languages_have_weekdays_or_figures() -> None:
    """Seven weekdays and twelve months, where a language lists them."""
    for language, table in TABLES.items():
        assert len(table.get("weekdays", "").split()) in (0, 7), language
        assert len(table.get("months", "").split()) in (0, 12), language


# The seeds, and any text ----------------------------------------------------------------------


def test_seeds() -> None:
    """The two versions of the wire story differ in one hedge where both tell of the surrender."""
    a, b = (next(SEEDS.glob(f"{n}_*.txt")).read_text("utf-8") for n in ("000", "003"))
    of_a, of_b = tokenise_text(a), tokenise_text(b)
    span = []
    for text, tokens, end in ((a, of_a, "surrendered"), (b, of_b, "surrendered")):
        places = text.index("told The Associated Press"), text.index(end)
        span += np.searchsorted(tokens.starts, places).tolist()
        span[-1] += 1
    partner = np.full(len(of_b.hashes), -1, np.int64)
    pieces = [
        Tokens(np.array([0, last - first]), *(field[first:last] for field in tokens[1:]))
        for tokens, first, last in ((of_a, *span[:2]), (of_b, *span[2:]))
    ]
    inside = aligned(*pieces)
    partner[span[2] : span[3]] = np.where(inside >= 0, inside + span[0], -1)
    found = changed_facts(a, b, of_a, of_b, (span[0], span[1], span[2], span[3]), partner)
    assert [(fact.kind, fact.a, fact.b) for fact in found] == [("number", "about 100", "100")]


WORDS = """about 100 nearly 4,000 $5 million € 12,5 % percent ten twenty five first third May 3 2014 Friday Monday
3. mai not never no don’t failed the The of in to said Mustafa Bali Omar Iraq’s Iraqi U.S. President IS Islamic State
attacked attack town . , ( ) “ ” \n 5 km 3 miles a dozen hundreds of 10:30 2-1 F-16 und nicht etwa der die das près de pas
не около 三 万 人 没 有 月 日 5 １００ २०० 5월 3일 1.000 1,000 -5 half and a p.m. l’Irak d’Alep"""

edited_text = st.lists(st.sampled_from(WORDS.split(" ")), max_size=40).map(" ".join)


@st.composite
def versions(draw: st.DrawFn) -> tuple[str, str]:
    """A text and an edited one: some words left out, some added, some replaced."""
    words = draw(st.lists(st.sampled_from(WORDS.split(" ")), max_size=30))
    other: list[str] = []
    for word in words:
        change = draw(st.sampled_from(["keep"] * 5 + ["drop", "add", "replace"]))
        if change in ("keep", "add"):
            other.append(word)
        if change in ("add", "replace"):
            other.append(draw(st.sampled_from(WORDS.split(" "))))
    return " ".join(words), " ".join(other)


@examples
@given(versions())
def test_swapping_the_texts_swaps_the_facts(pair: tuple[str, str]) -> None:
    """Whichever text is called a, the same is reported of both."""
    a, b = pair
    of_a, of_b = tokenise_text(a), tokenise_text(b)
    partner = aligned(of_a, of_b)
    n_a, n_b = len(of_a.hashes), len(of_b.hashes)
    found = changed_facts(a, b, of_a, of_b, (0, n_a, 0, n_b), partner)
    turned = changed_facts(b, a, of_b, of_a, (0, n_b, 0, n_a), inverse(partner, n_a))
    assert set(found) == {
        ChangedFact(f.kind, f.b, f.a, f.b_start, f.b_end, f.a_start, f.a_end) for f in turned
    }


@examples
@given(versions(), st.data())
def test_spans_are_where_the_facts_stand(pair: tuple[str, str], data: st.DataObject) -> None:
    """Every fact is the text of its span, within the passage, in order of b, and of two wordings."""
    a, b = pair
    of_a, of_b = tokenise_text(a), tokenise_text(b)
    partner = aligned(of_a, of_b)
    span: list[int] = []
    for n in (len(of_a.hashes), len(of_b.hashes)):
        first = data.draw(st.integers(0, n))
        span += [first, data.draw(st.integers(first, n))]
    found = changed_facts(a, b, of_a, of_b, (span[0], span[1], span[2], span[3]), partner)
    for fact in found:
        assert a[fact.a_start : fact.a_end] == fact.a != fact.b == b[fact.b_start : fact.b_end]
        assert fact.kind in ("number", "date", "name", "negation")
    assert [fact.b_start for fact in found] == sorted(fact.b_start for fact in found)


@examples
@given(st.one_of(edited_text, tricky_text))
def test_equal_texts_have_no_changes(text: str) -> None:
    """A text has no changed facts beside itself."""
    assert changed(text, text) == []


@examples
@given(tricky_text, tricky_text)
def test_any_text_can_be_read(a: str, b: str) -> None:
    """No text makes the comparison fail."""
    changed(a, b)


@pytest.mark.parametrize("word", ["about ", "1.1.", "1-", "not ", "Bali ", "$", "May ", "“ ", "a "])
def test_long_rows_of_one_word(word: str) -> None:
    """Twenty thousand words in one gap, or as many gaps, are read once."""
    a, b = f"start {word * 20_000} end", f"start {word * 19_999} other end"
    of_a, of_b = tokenise_text(a), tokenise_text(b)
    n_a, n_b = len(of_a.hashes), len(of_b.hashes)
    nothing = np.full(n_b, -1, np.int64)
    changed_facts(a, b, of_a, of_b, (0, n_a, 0, n_b), nothing)
    every_other = np.where(
        np.arange(n_b) % 2 & (np.arange(n_b) < min(n_a, n_b) - 3), np.arange(n_b), -1
    )
    changed_facts(a, b, of_a, of_b, (0, n_a, 0, n_b), every_other)
