"""Agencies as sources and as listeners, and agencies that are merely mentioned."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples

import dedupe
from dedupe.credits import (
    CLOSING,
    HEAD,
    MAX_MENTIONS,
    TAIL,
    Credit,
    Role,
    find_credits,
    load_agencies,
)
from dedupe.errors import ConfigError

DATA = Path(dedupe.__file__).with_name("data") / "agencies.toml"
SEEDS = Path(__file__).parent.parent / "seeds"

STORY = "The river rose above its banks on Monday and the old bridge was closed."
WHOLE = "the whole line but its full stop"
BODY = "\n\n".join([STORY] * 60)  # longer than all zones at the ends together


def found(text: str) -> list[tuple[str, str, str]]:
    """Credited words, agency and role of each credit in a text."""
    return [(text[c.start : c.end], c.agency, c.role) for c in find_credits(text)]


@pytest.mark.parametrize(
    ("dateline", "agency"),
    [
        ("(AP) —", "AP"),
        ("(Reuters) -", "Reuters"),
        ("BEIRUT (AP) —", "AP"),
        ("ALTOONA, Pa. (AP) —", "AP"),
        ("WASHINGTON/NEW YORK (Reuters) -", "Reuters"),
        ("WASHINGTON, Dec. 5 (UPI) --", "UPI"),
        ("PARIS, May 3 (Xinhua) --", "Xinhua"),
        ("Washington (CNN)", "CNN"),
        ("New York (CNN Business)", "CNN"),
        ("(CNN Wire) —", "CNN"),
        ("NEW YORK (Bloomberg) --", "Bloomberg"),
        ("LONDON (PA) -", "PA"),
        ("BERLIN (dpa) –", "dpa"),
        ("Berlin (dpa/lno) -", "dpa"),
        ("Moskau/Kiew (dpa)", "dpa"),
        ("Bonn (KNA)", "KNA"),
        ("Wien (APA) -", "APA"),
        ("Paris (AFP) –", "AFP"),
        ("ROMA, 3 MAG - (ANSA) -", "ANSA"),
        ("PARÍS, 5 (EFE).-", "EFE"),
        ("Madrid, 12 ene (EFE).-", "EFE"),
        ("Rio de Janeiro (Lusa) -", "Lusa"),
        ("Praha (ČTK) -", "CTK"),
        ("МОСКВА, 3 мая. /ТАСС/", "TASS"),
        ("МОСКВА, 5 мая - РИА Новости. ", "RIA"),
        ("北京 5月3日 电 (新华社)", "Xinhua"),
        ("新华社北京5月3日电", "Xinhua"),
        ("【東京＝共同】", "Kyodo"),
        ("(서울=연합뉴스)", "Yonhap"),
        ("ANKARA (AA) -", "Anadolu"),
        ("JAKARTA (ANTARA) -", "Antara"),
        ("KUALA LUMPUR, 3 Mei (Bernama) --", "Bernama"),
        ("الرياض (واس)", "SPA"),
        ("اسلام آباد ۔ 28 نومبر (اے پی پی)", "APP"),
        ("لاہور(اے پی پی)", "APP"),
    ],
)
def test_datelines(dateline: str, agency: str) -> None:
    """Each style of dateline is a source, with its place and date."""
    assert found(f"{dateline} {STORY}") == [(dateline, agency, "dateline")]
    assert found(f"{dateline}\u00a0{STORY}\n\n{BODY}") == [(dateline, agency, "dateline")]


def test_datelines_with_several_agencies() -> None:
    """Agencies that share a dateline are each credited with all of it."""
    text = "BERLIN (AFP, dpa/Reuters) - " + STORY
    assert found(text) == [
        ("BERLIN (AFP, dpa/Reuters) -", agency, "dateline") for agency in ("AFP", "Reuters", "dpa")
    ]


def test_datelines_within_a_line() -> None:
    """A page whose lines have run together still has its dateline."""
    text = f"Bridge closed By JANE DOE May 3 BEIRUT (AP) — {STORY}"
    assert [(agency, role) for _, agency, role in found(text)] == [("AP", "dateline")]


@pytest.mark.parametrize("text", ["Washington (CNN) ", "(Bloomberg) ", "Moskau (dpa). "])
def test_datelines_without_a_dash_come_first(text: str) -> None:
    """Without a dash a bracket is a dateline near the start of a text only."""
    assert len(text + STORY) < HEAD < len(BODY)
    assert len(find_credits(text + STORY)) == 1
    assert find_credits(BODY + "\n\n" + text + STORY + "\n\n" + BODY) == []


def test_datelines_with_a_dash_may_come_later() -> None:
    """A digest has a dateline before each of its stories."""
    text = "\n\n".join([BODY, "PARIS (AP) — " + STORY, "ROME (AP) — " + STORY, BODY])
    assert [text for text, *_ in found(text)] == ["PARIS (AP) —", "ROME (AP) —"]


@pytest.mark.parametrize(
    ("line", "credit", "agency"),
    [
        ("By JOHN SMITH, Associated Press", "By JOHN SMITH, Associated Press", "AP"),
        ("By JANE DOE and LI WEI, The Associated Press", None, "AP"),
        ("By Jane Doe | Reuters", None, "Reuters"),
        ("By Jane Doe, CNN Chief Correspondent", None, "CNN"),
        ("By Reuters", None, "Reuters"),
        ("By The Associated Press", None, "AP"),
        ("Jane Doe, Associated Press Writer", None, "AP"),
        ("Jane Doe | Reuters", None, "Reuters"),
        ("The Associated Press", None, "AP"),
        ("Von Jana Muster, dpa", None, "dpa"),
        ("Par AFP", None, "AFP"),
        ("Por Agencia EFE", None, "EFE"),
    ],
)
def test_bylines(line: str, credit: str | None, agency: str) -> None:
    """A line of names with an agency is a byline at the head of a text, and not inside it."""
    assert found(f"{line}\n\n{BODY}") == [(credit or line, agency, "byline")]
    assert found(f"Bridge closed\n{line}\n\n{BODY}") == [(credit or line, agency, "byline")]
    assert find_credits(f"{BODY}\n\n{line}\n\n{BODY}") == []


@pytest.mark.parametrize(
    ("line", "credit", "agency"),
    [
        ("Associated Press writer Jane Doe contributed to this report.", WHOLE, "AP"),
        ("Jane Doe and AFP contributed to this story.", WHOLE, "AFP"),
        ("Material from the Associated Press was used in this report.", WHOLE, "AP"),
        ("With files from The Canadian Press", WHOLE, "Canadian Press"),
        (
            "This report includes material from Reuters.",
            "includes material from Reuters",
            "Reuters",
        ),
        (
            "This article is republished from The Conversation under a Creative Commons license.",
            "republished from The Conversation",
            "The Conversation",
        ),
        (
            "The Example Mirror is part of States Newsroom, a network of news bureaus.",
            "is part of States Newsroom",
            "States Newsroom",
        ),
        (
            "© 2013 Example, distributed by Tribune Content Agency, LLC.",
            "distributed by Tribune Content Agency",
            "Tribune News Service",
        ),
        ("(Reporting by Jane Doe; Editing by Li Wei)", "Reporting by …", "Reuters"),
        ("Our Standards: The Thomson Reuters Trust Principles.", "The Thomson …", "Reuters"),
        ("© dpa-infocom, dpa:240503-99-123456/2", "dpa-infocom, …", "dpa"),
        ("Contributing: Jane Doe, The Associated Press", WHOLE, "AP"),
        ("Source: Xinhua", WHOLE, "Xinhua"),
        ("Mit Material von dpa", WHOLE, "dpa"),
        ("Quelle: dpa", WHOLE, "dpa"),
        ("Avec AFP", WHOLE, "AFP"),
        ("(avec l’AFP)", "(avec l’AFP)", "AFP"),
        ("(Con información de EFE)", "Con información de EFE", "EFE"),
        ("Com informações da Agência Brasil", WHOLE, "Agência Brasil"),
        ("По материалам ТАСС", WHOLE, "TASS"),
        ("来源：新华社", WHOLE, "Xinhua"),
        ("(seb/dpa)", "(seb/dpa)", "dpa"),
        (STORY + " (dpa)", "(dpa)", "dpa"),
        (STORY + " (ANSA).", "(ANSA)", "ANSA"),
        ("川が増水し、橋は閉鎖された。（共同）", "（共同）", "Kyodo"),
        (STORY + " /AFP", "/AFP", "AFP"),
    ],
)
def test_footers(line: str, credit: str, agency: str) -> None:
    """Notes on where text comes from are sources at the end of a text."""
    expected = line.rstrip(".") if credit == WHOLE else credit.removesuffix("…")
    footers = [(text, name) for text, name, role in found(f"{BODY}\n\n{line}") if role == "footer"]
    if credit.endswith("…"):
        footers = [(text[: len(expected)], name) for text, name in footers]
    assert footers == [(expected, agency)]


def test_footers_end_texts() -> None:
    """An agency in brackets ends a story, but not a caption or a line in its middle."""
    assert find_credits(f"A man crosses a bridge. (AFP)\n\n{STORY}") == []
    assert find_credits(f"{BODY}\n\nA bridge (AFP)") == []
    assert find_credits(f"{BODY} (AFP)\n\n{'x' * CLOSING}") == []
    assert find_credits(f"{BODY}\n\nSource: Xinhua\n\n{'x' * TAIL}") == []


def test_all_agencies_of_a_footer() -> None:
    """Agencies listed together are all sources."""
    text = f"{BODY}\n\nWith files from Reuters, AFP and The Associated Press"
    assert {(credit.agency, credit.role) for credit in find_credits(text)} == {
        ("Reuters", "footer"),
        ("AFP", "footer"),
        ("AP", "footer"),
    }
    text = f"{BODY}\n\nReuters and the Associated Press contributed to this report."
    assert {credit.agency for credit in find_credits(text)} == {"Reuters", "AP"}


@pytest.mark.parametrize(
    ("line", "credit", "agency"),
    [
        ("©2024 dpa", "©2024 dpa", "dpa"),
        ("© 2020 Bloomberg L.P.", "© 2020 Bloomberg L.P.", "Bloomberg"),
        (
            "Copyright (c) 2024 The Associated Press. All rights reserved",
            "Copyright (c) 2024 The Associated Press",
            "AP",
        ),
        (
            "Copyright The Associated Press. All rights reserved.",
            "Copyright The Associated Press",
            "AP",
        ),
        ("Copyright 2021 by The Canadian Press", "Copyright 2021 by The Canadian Press", None),
        ("© AFP", "© AFP", "AFP"),
    ],
)
def test_copyright(line: str, credit: str, agency: str | None) -> None:
    """A copyright notice is a source."""
    assert found(f"{BODY}\n\n{line}") == [(credit, agency or "Canadian Press", "copyright")]


@pytest.mark.parametrize(
    ("sentence", "citation", "agency"),
    [
        ("She told AFP that it rained.", "told AFP", "AFP"),
        ("“It rained,” he told The Associated Press on Monday.", "told The Associated Press", "AP"),
        ("It rained, according to Reuters.", "according to Reuters", "Reuters"),
        ("It rained, Reuters reported on Monday.", "Reuters reported", "Reuters"),
        ("A report seen by Reuters says so.", "seen by Reuters", "Reuters"),
        ("In an interview with CNN he agreed.", "interview with CNN", "CNN"),
        ("She told Bloomberg that it rained.", "told Bloomberg", "Bloomberg"),
        ("The news agency ANI said it rained.", "ANI said", "ANI"),
        (
            "He told Iran’s semi-official news agency Tasnim that it rained.",
            "told Iran’s semi-official news agency Tasnim",
            "Tasnim",
        ),
        (
            "Xinhua, the official Chinese news agency, said it rained.",
            "Xinhua, the official Chinese news agency, said",
            "Xinhua",
        ),
        ("„Es regnet“, sagte er am Montag der dpa.", "sagte er am Montag der dpa", "dpa"),
        ("Nach dpa-Informationen regnet es.", "dpa-Informationen", "dpa"),
        ("« Il pleut », a déclaré lundi à l’AFP le maire.", "a déclaré lundi à l’AFP", "AFP"),
        ("«Llueve», dijo este lunes a EFE la alcaldesa.", "dijo este lunes a EFE", "EFE"),
        ("«Piove», ha detto all’ANSA il sindaco.", "ha detto all’ANSA", "ANSA"),
        ("“Chove”, disse à Lusa o autarca.", "disse à Lusa", "Lusa"),
        ("Het regent, meldt persbureau ANP.", "meldt persbureau ANP", "ANP"),
        ("Det regnar, säger hon till TT.", "säger hon till TT", "TT"),
        ("Идёт дождь, сообщил ТАСС мэр.", "сообщил ТАСС", "TASS"),
        ("市长告诉新华社，下雨了。", "告诉新华社", "Xinhua"),
        ("ロイターによると、雨が降った。", "ロイターによると", "Reuters"),
        ("시장은 연합뉴스에 말했다.", "연합뉴스에 말했다", "Yonhap"),
        ("قال مصدر لرويترز إن المطر نزل", "لرويترز", "Reuters"),
        ("رائٹرز کے مطابق بارش ہوئی", "رائٹرز کے مطابق", "Reuters"),
    ],
)
def test_citations(sentence: str, citation: str, agency: str) -> None:
    """What an agency was told or reported is a citation, and no source, in many languages."""
    text = f"{BODY}\n\n{sentence} {STORY}\n\n{BODY}"
    assert found(text) == [(citation, agency, "citation")]
    assert not find_credits(text)[0].is_source


def test_all_agencies_of_a_citation() -> None:
    """Agencies told together are all cited."""
    credits_ = found("The mayor told Reuters and AFP that it rained.")
    assert credits_ == [("told Reuters", "Reuters", "citation"), ("AFP", "AFP", "citation")]


@pytest.mark.parametrize(
    "text",
    [
        "Shares in Thomson Reuters rose.",
        "A Reuters/Ipsos poll was published.",
        "He worked at Reuters and at AFP before he became mayor.",
        "Michael Bloomberg said he would run.",
        "Mr. Bloomberg told voters that it rained.",
        "He lives in Pittsburgh (PA) and works there every day of the week.",
        "PITTSBURGH, PA: " + STORY,
        "The American Psychological Association (APA) – the largest of its kind – met.",
        "The American Academy of Pediatrics (AAP) said so. AAP reported a rise.",
        "Americans for Prosperity (AFP) paid. AFP said it would, and told AFP members.",
        "AP students took the test.",
        "The AP Stylebook says otherwise.",
        "(AP Photo/Jane Doe)",
        "Photo: AFP",
        "Jane Doe/AP",
        "(Jonathan Doe/Reuters)\n\n" + STORY,
        "Anthony Doe / AFP / Getty Images\n\n" + STORY,
        "A man crosses a bridge. (AFP)\n\n" + STORY,
        "Image copyright Reuters",
        "First, the Daily Example (via AP): " + STORY,
        "BRIDGE CLOSED AGAIN AFTER RAIN - AP: " + STORY,
        "JANE DOE, CNN: Well, what do you say to that, and to that, and to that?",
        "Read the story at Reuters.com or follow @Reuters or #AFP.",
        "MAPS and TAPS, cats and lots of pots",
        "共同声明于周一发表。",
        "The Conversation was long.",
        "",
    ],
)
def test_mentions(text: str) -> None:
    """Mentions, other meanings, photographs and handles are no credits."""
    assert find_credits(text) == []


def test_a_dateline_explains_no_code() -> None:
    """Places with an agency's initials are not what its name stands for."""
    assert found(f"ASBURY PARK (AP) — {STORY}") == [("ASBURY PARK (AP) —", "AP", "dateline")]


def test_an_agency_may_explain_its_own_name() -> None:
    """An agency's name in full with its short form in brackets is the agency."""
    text = "The Press Trust of India (PTI) was first. He told PTI that it rained."
    assert ("told PTI", "PTI", "citation") in found(text)


def test_sources() -> None:
    """All roles but citations are sources."""
    sources = [role for role in get_args(Role) if Credit(0, 1, "AP", role).is_source]
    assert sources == ["dateline", "byline", "footer", "copyright"]


def test_seeds() -> None:
    """The wire story is credited to its agency; texts that only cite agencies are not."""
    texts = {path.name[:3]: path.read_text(encoding="utf-8") for path in SEEDS.glob("*.txt")}
    assert found(texts["000"]) == [
        ("BEIRUT (AP) —", "AP", "dateline"),
        ("told The Associated Press", "AP", "citation"),
        ("Copyright (c) 2024 The Associated Press", "AP", "copyright"),
    ]
    for name in ("001", "002", "003", "004"):
        assert not any(credit.is_source for credit in find_credits(texts[name]))
    assert found(texts["003"]) == [("told The Associated Press", "AP", "citation")]


FRAGMENTS = st.sampled_from(
    [
        *(
            "AP",
            "(AP)",
            " — ",
            "Reuters",
            "told ",
            "The ",
            "By ",
            "Jane Doe",
            ", ",
            "\n",
            "©",
            "2024 ",
        ),
        *(
            "(",
            ")",
            "/",
            "dpa",
            "said ",
            " contributed to this report.",
            "with files from ",
            "\u2028",
        ),
        *("新华社", "電", "【", "】", "＝", "ТАСС", "BERLIN ", "\ud800", "\x00", "İ", "ß", STORY),
    ]
)


@examples
@given(st.lists(FRAGMENTS).map("".join))
def test_spans(text: str) -> None:
    """Credits are in order, distinct, and their spans are within the text and not empty."""
    credits_ = find_credits(text)
    assert credits_ == sorted(set(credits_))
    assert all(0 <= credit.start < credit.end <= len(text) for credit in credits_)


@examples
@given(st.lists(FRAGMENTS).map("".join), st.integers(0, 3))
def test_plain_paragraphs_do_not_matter(text: str, count: int) -> None:
    """What is found far inside a text does not depend on how far."""
    before, after = (f"{STORY}\n\n" * (60 + count), f"\n\n{BODY}")
    moved = find_credits(before + text + after)
    fixed = find_credits(BODY + "\n\n" + text + after)
    shift = len(before) - len(BODY) - 2
    assert moved == [
        Credit(credit.start + shift, credit.end + shift, credit.agency, credit.role)
        for credit in fixed
    ]


@pytest.mark.parametrize(
    "unit",
    [
        *("a", " ", "(", "AP ", "(AP", "(AP) — ", "told AP ", "© AP ", ", AP", "By Jane Doe, "),
        *(
            "Reuters agency a b c d ",
            "新华社北京",
            "\n",
            "AP\n",
            "\x85",
            "l'AFP' ",
            "Reporting by ",
        ),
        "copyright 2000 by the ",
    ],
)
def test_hostile_texts(unit: str) -> None:
    """Endless lines cost linear time, and at most so many names are looked at."""
    text = unit * (200_000 // len(unit))
    assert len(find_credits(text)) <= 2 * MAX_MENTIONS


def test_a_line_of_a_megabyte() -> None:
    """Length alone costs next to nothing, in one line and of unbalanced brackets."""
    for unit in ("(", "AP (", "told "):
        assert find_credits(unit * (1_000_000 // len(unit))) == []


def test_both_ends_of_a_hostile_text_count() -> None:
    """Where there are too many names, the first and the last are looked at."""
    text = f"BERLIN (dpa) – {STORY}\n" + "AP " * 5000 + "\nWith files from Reuters"
    assert [(agency, role) for _, agency, role in found(text)] == [
        ("dpa", "dateline"),
        ("Reuters", "footer"),
    ]


def test_own_agencies(tmp_path: Path) -> None:
    """A user's file adds agencies, names and wording, and leaves agencies out."""
    path = tmp_path / "own.toml"
    path.write_text(
        "[agencies]\n"
        'Example = { names = "Example Wire | EXW", dateline = "XW", footers = "Wired by * of XW" }\n'
        "AFP = { off = true }\n"
        '"AP" = { names = ["Asociated Press"] }\n'
        "[wording.en]\n"
        'told = "whispered to"\n',
        encoding="utf-8",
    )
    own = load_agencies(path)
    text = f"RIVERTON (XW) — {STORY}\n\nShe whispered to Example Wire. He told AFP.\n\n{BODY}"
    text += "\n\nAsociated Press contributed to this report.\n\nWired by Jane Doe of XW"
    credits_ = [(text[c.start : c.end], c.agency, c.role) for c in find_credits(text, own)]
    assert credits_ == [
        ("RIVERTON (XW) —", "Example", "dateline"),
        ("whispered to Example Wire", "Example", "citation"),
        ("Asociated Press contributed to this report", "AP", "footer"),
        ("Wired by Jane Doe of XW", "Example", "footer"),
    ]
    assert "AFP" in {credit.agency for credit in find_credits(text)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[agencies]\nX = 3", r"\[agencies\] X must be a table"),
        ("[agencies.X]\nnames = 3", r"\[agencies\] X names must be phrases, not 3"),
        ("[agencies.X]\nname = 'x'", r"\[agencies\] X: unknown entry 'name'; known are other"),
        ("[agencies.X]\noff = 'yes'", r"\[agencies\] X off must be true or false, not 'yes'"),
        ("[wording.en]\ntelling = 'x'", r"\[wording.en\]: unknown entry 'telling'"),
        ("[wording]\nen = 'x'", r"\[wording.en\] must be a table"),
        ("[names]\nx = 'x'", r"unknown entry 'names'; known are agencies, wording"),
        ("agencies = ", "not valid TOML"),
    ],
)
def test_bad_files(tmp_path: Path, content: str, message: str) -> None:
    """An entry that makes no sense is named, with the file."""
    path = tmp_path / "own.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as caught:
        load_agencies(path)
    assert str(path) in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    """A file that cannot be read is named."""
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load_agencies(tmp_path / "nowhere.toml")


def test_no_form_has_two_agencies() -> None:
    """Each form of a name in the data is one agency's, and no more than one kind of form."""
    agencies = tomllib.loads(DATA.read_text(encoding="utf-8"))["agencies"]
    forms = [
        form.strip()
        for agency in agencies.values()
        for kind, value in agency.items()
        if kind != "footers"
        for form in value.split("|")
    ]
    assert sorted(form for form in set(forms) if forms.count(form) > 1) == []
    assert set(agencies) == {agency for agency, _ in load_agencies().forms.values()}


def test_every_name_makes_a_dateline() -> None:
    """Every form that is no other's name is found in a dateline."""
    missed = []
    for form, (agency, kind) in load_agencies().forms.items():
        text = f"BERLIN, 3 May ({form}) — {STORY}"
        credits_ = [(credit.agency, credit.role) for credit in find_credits(text)]
        if kind not in ("other", "cited") and (agency, "dateline") not in credits_:
            missed.append(form)
    assert missed == []


def test_the_data_is_read_once() -> None:
    """The built-in agencies are read on first use and kept."""
    assert load_agencies() is load_agencies()


def test_a_footer_ends_with_its_first_phrase() -> None:
    """Of several phrases the first one ends the credit, whatever order they are kept in."""
    text = (
        "AP writer Jane Doe contributed reporting from Paris and Li Wei contributed to this report."
    )
    (credit,) = find_credits(text)
    assert text[credit.start : credit.end] == "AP writer Jane Doe contributed reporting"


def test_a_footer_begins_with_its_own_sentence() -> None:
    """The sentence before an agency's name is no part of the credit."""
    text = "She spoke in Berlin on Monday. AP writer Jane Doe contributed to this report."
    (credit,) = find_credits(text)
    assert text[credit.start :].startswith("AP writer")
