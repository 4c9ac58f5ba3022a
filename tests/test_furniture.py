"""Lines that are page furniture by their form, and lines that only look a little like it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples

import dedupe
from dedupe.errors import ConfigError
from dedupe.furniture import (
    MAX_LINE,
    MAX_PARAGRAPH,
    find_furniture,
    furniture_reason,
    load_furniture,
    read_phrases,
)

DATA = Path(dedupe.__file__).with_name("data") / "furniture.toml"
SEEDS = Path(__file__).parent.parent / "seeds"

PHRASES = [
    (reason, phrase)
    for reason, table in tomllib.loads(DATA.read_text(encoding="utf-8")).items()
    if reason != "words"
    for phrase in read_phrases(reason, table["phrases"])
]

FURNITURE = {
    "copyright": [
        "© 2024 The Example",
        "Copyright © 2019 The Example Times, LLC. Click here for reprint permission.",
        "(Copyright (c) 2024 The Example Press. All Rights Reserved. No reuse.)",
        "(c) 2020 Example Agency, LLC",
        "COPYRIGHT 2017 EXAMPLE.COM",
        "The Example. All rights reserved.",
        "© dpa-example GmbH – Alle Rechte vorbehalten",
        "Tous droits réservés.",
        "版权所有，未经许可不得转载",
        "無断転載を禁じます",
        "Все права защищены.",
        "جميع الحقوق محفوظة",
    ],
    "newsletter": [
        "Join our Newsletter for the latest news right to your inbox",
        "Sign up for our daily newsletter",
        "Get the day’s stories delivered to your inbox. Sign up here.",
        "Suscríbete a nuestro boletín",
        "Jetzt Newsletter abonnieren",
        "Iscriviti alla newsletter",
        "Подпишитесь на рассылку",
    ],
    "share": [
        "SHARE",
        "Share this article",
        "Share on Facebook",
        "Teilen",
        "Partager sur Facebook",
        "Compartir en WhatsApp",
        "分享到微信",
        "شارك المقال",
        "Paylaş",
    ],
    "follow": [
        "Follow",
        "Follow @example",
        "Follow Jane Doe on Twitter: @jane_doe",
        "Follow us on Facebook and Instagram",
        "Folgen Sie uns auf Facebook",
        "Síguenos",
        "扫码关注我们",
    ],
    "cookies": [
        "We use cookies to improve your experience.",
        "Wir verwenden Cookies, um unsere Website zu verbessern.",
        "By continuing to use this site you agree to our terms.",
        "Accept all",
        "Datenschutz",
    ],
    "caption": [
        "Photo: Jane Doe / The Example",
        "FILE - In this May 3, 2017, file photo, a man crosses a bridge. (AP Photo/Jane Doe, File)",
        "A man crosses a bridge. (AP Photo/Jane Doe)",
        "Enlarge this image toggle caption Jane Doe/AP Jane Doe/AP",
        "Image copyright Getty Images Image caption The bridge was closed",
        "Getty Images",
        "The bridge in May. REUTERS/Jane Doe",
        "The bridge in May (Jane Doe/Reuters)",
        "Foto: Jana Muster/dpa",
        "Crédit photo : Jeanne Dupont",
        "Фото: Иван Петров",
        "图片来源：新华社",
        "写真：山田太郎",
    ],
    "byline": [
        "By Jane Doe",
        "By JANE DOE and LI WEI, Example Press",
        "By Jane Doe | The Example",
        "Von Jana Muster und Max Mustermann",
        "Von Jana Muster, dpa",
        "Par Jeanne Dupont",
        "Por María del Carmen Pérez",
        "Door Jan de Vries",
        "Di Maria Rossi",
        "(Reporting by Jane Doe; Editing by Li Wei)",
        "Jane Doe and Li Wei contributed to this report.",
        "Автор: Иван Петров",
        "责任编辑：王伟",
        "记者：王伟",
    ],
    "updated": [
        "Updated 3:04 p.m. ET",
        "Updated 12 October 2017",
        "Last modified on Tue 3 May 2022 12.30 BST",
        "May 3, 2017",
        "3/5/2024, 12:30",
        "Stand: 3.5.2024, 12:30 Uhr",
        "Zuletzt aktualisiert: 3. Mai 2024",
        "Mis à jour le 3 mai 2024 à 12h30",
        "Actualizado: 3 de mayo de 2024, 12:30 h",
        "Aggiornato il 3 maggio 2024 alle 12:30",
        "Atualizado em 3 de maio de 2024 às 12h30",
        "Обновлено: 3 мая 2024, 12:30",
        "更新时间：2024年5月3日 12:30",
        "更新日時：2024年5月3日 12時30分",
        "Güncelleme: 3 Mayıs 2024 12:30",
        "آخر تحديث: 3 مايو 2024",
        "6 years ago",
    ],
    "related": [
        "Read more: The bridge that never closed",
        "READ ALSO",
        "Related: The bridge that never closed",
        "More from The Example",
        "Lesen Sie auch: Die Brücke",
        "Lire aussi : Le pont",
        "Lea también: El puente",
        "Leggi anche: Il ponte",
        "Leia também: A ponte",
        "Lees ook: De brug",
        "Читайте также: Мост",
        "相关新闻：大桥",
        "関連記事",
        "İlgili Haberler",
        "اقرأ أيضا: الجسر",
        "یہ بھی پڑھیں: پل",
    ],
    "advertisement": [
        "ADVERTISEMENT",
        "Story continues below",
        "Anzeige",
        "Publicité",
        "Реклама",
        "广告",
        "إعلان",
    ],
    "comments": [
        "Comments",
        "12 comments",
        "Comments (12)",
        "Leave a reply",
        "Kommentare",
        "发表评论",
    ],
    "subscribe": [
        "Subscribe",
        "Sign in",
        "Already a subscriber? Log in",
        "Jetzt abonnieren",
        "登录",
    ],
    "contact": ["Send tips to desk@example.com", "Contact Jane Doe at jane@example.com"],
    "disclaimer": ["The opinions expressed by columnists are their own."],
    "navigation": ["Back to top", "Skip to main content", "Zum Inhalt springen", "返回顶部"],
}

BODY = [
    "Follow the money, said the prosecutor.",
    "Follow-up talks begin on Monday.",
    "Share prices fell in Tokyo on Friday.",
    "By the time the police arrived, the bridge was closed.",
    "By Friday the bridge was open",
    "By The Numbers",
    "Copyright law was changed last year.",
    "Copyright cases take years.",
    "Updated rules will apply from 3 May.",
    "Updated by the council, the plan costs 3 million.",
    "Photographs of the bridge were shown to the court.",
    "Photo finish in the senate race",
    "More from habit than from hope, she voted.",
    "More than 300 people came.",
    "Read his lips: no new bridge.",
    "Related fields such as law were not studied.",
    "Comments by the minister angered the union.",
    "Cookies are baked here since 1924.",
    "Sign language was used in court.",
    "Subscribe numbers fell by a third.",
    "Advertisement revenue fell.",
    "Von Menschen und Mäusen",
    "Von Krise zu Krise",
    "Von der Brücke war nichts zu sehen.",
    "Stand der Dinge: 3 Verletzte, 12 Vermisste.",
    "Par exemple, le pont était fermé.",
    "Par contre Marie et Jean sont venus.",
    "Por primera vez, el puente está cerrado.",
    "Foto-Ausstellung eröffnet",
    "Publicité mensongère : le fabricant condamné",
    "Registrati 200 casi in un giorno",
    "Abbonati in calo del 3 per cento",
    "Подробнее о плане министр не рассказал.",
    "Поделиться опытом приехали врачи из трёх стран.",
    "相关新闻发布会将于明天举行",
    "广告收入下降三成",
    "记者：您怎么看待这座大桥的未来？",
    "コメントする予定はないと述べた",
    "会員登録者数は百万人を超えた",
    "1994-2001 0.1",
    "(c) membership in any club",
    "The opinions expressed by voters are many.",
    "Reporting by several papers has shown that the bridge was unsafe.",
    "Contact between the two sides broke off.",
    "",
    " ",
    "—",
    "***",
]


def instance(phrase: str) -> str:
    """A line of a phrase's form."""
    line = phrase.replace("<names>", "Jane Doe").replace("<title>", "The Example")
    line = line.replace("<when>", "3 May 2024, 12:30").replace("<number>", "12")
    return line.replace("<handle>", "@jane_doe").replace("*", " Some Example ")


@pytest.mark.parametrize(
    ("reason", "line"), [(reason, line) for reason, lines in FURNITURE.items() for line in lines]
)
def test_furniture(reason: str, line: str) -> None:
    """Lines of each form are told in many languages."""
    assert furniture_reason(line) == reason


@pytest.mark.parametrize("line", BODY)
def test_body(line: str) -> None:
    """Sentences and headlines that begin like furniture are none."""
    assert furniture_reason(line) is None


@pytest.mark.parametrize("reason", FURNITURE)
def test_every_phrase_is_found(reason: str) -> None:
    """An instance of each phrase is furniture: no index leaves any out."""
    missed = []
    for line in (instance(phrase) for name, phrase in PHRASES if name == reason):
        found = furniture_reason(line)
        # Some lines invite to subscribe to a newsletter.
        if found != reason and (found, reason) != ("subscribe", "newsletter"):
            missed.append((line, found))
    assert missed == []


def test_every_reason_is_tested() -> None:
    """The examples above know all reasons of the data."""
    assert {reason for reason, _ in PHRASES} == set(FURNITURE)


def test_no_phrase_stands_twice() -> None:
    """Each phrase of the data has one reason."""
    folded = [phrase.casefold() for _, phrase in PHRASES]
    assert len(set(folded)) == len(folded)


@pytest.mark.parametrize(
    "line",
    [
        "share this article",
        "SHARE THIS ARTICLE",
        "  • Share\u00a0this  article »",
        "[Share this article]",
        "“Share this article.”",
        "— Share this article —",
        "Share this article:\r",
    ],
)
def test_decoration_makes_no_difference(line: str) -> None:
    """Case, spaces, bullets, brackets and closing punctuation do not count."""
    assert furniture_reason(line) == "share"


def test_apostrophes() -> None:
    """Typographic apostrophes are those of the phrases."""
    assert furniture_reason("Don’t miss: The bridge") == "related"
    assert furniture_reason("Partager l’article") == "share"


def test_stars_keep_words_whole() -> None:
    """A phrase does not end within a word."""
    assert furniture_reason("Share this articles") is None
    assert furniture_reason("Subscribe now!") == "subscribe"
    assert furniture_reason("Subscribe nowhere") is None


def test_lines_are_bounded() -> None:
    """A line longer than its reason allows is body text, however it begins."""
    assert furniture_reason("Read more: " + "x" * 180) == "related"
    assert furniture_reason("Read more: " + "x" * 200) is None
    assert furniture_reason("© 2024 The Example " + " " * MAX_LINE) is None


def test_paragraphs() -> None:
    """Each paragraph gets its reason; one of several lines needs all of them to be furniture."""
    parts = [
        "Body text.",
        "Share\nFollow us on Facebook",
        "Share\nBody text.",
        "",
        "\n \n",
        "Print",
    ]
    spans, at = [], 0
    for part in parts:
        spans.append((at, at + len(part)))
        at += len(part) + 2
    found = find_furniture("\n\n".join(parts), spans)
    assert found == [None, "share", None, None, None, "share"]


def test_long_paragraphs_are_body() -> None:
    """A paragraph of very many lines of furniture is not looked at."""
    text = "Share\n" * MAX_PARAGRAPH
    assert find_furniture(text, [(0, 60), (0, len(text))]) == ["share", None]


def test_inside_rules_see_only_their_line() -> None:
    """A photograph's credit in one paragraph makes no caption of another."""
    text = "A bridge. (AP Photo/Jane Doe)\nThe bridge is closed, said Jane Doe"
    assert find_furniture(text, [(0, 29), (30, len(text))]) == ["caption", None]


@examples
@given(
    st.lists(st.sampled_from([*BODY, *(line for lines in FURNITURE.values() for line in lines)]))
)
def test_paragraphs_agree_with_lines(lines: list[str]) -> None:
    """A text's paragraphs are told as each line is on its own."""
    text = "\n".join(lines)
    spans = [match.span() for match in re.finditer(r"[^\n]*\n?", text)][: len(lines)]
    assert find_furniture(text, spans) == [furniture_reason(line) for line in lines]


@examples
@given(st.lists(st.sampled_from(["bridge", "river", "talks", "city", "closed"]), min_size=3))
def test_plain_sentences_are_body(words: list[str]) -> None:
    """Sentences without any word of furniture are never furniture."""
    assert furniture_reason("The " + " ".join(words) + ".") is None


@examples
@given(st.text(max_size=80), st.sampled_from([phrase for _, phrase in PHRASES]), st.text())
def test_any_text_is_accepted(before: str, phrase: str, after: str) -> None:
    """No text raises, control characters and lone surrogates included."""
    for text in (before, after, before + phrase, phrase + after, "\ud800" + phrase + "\x00"):
        assert furniture_reason(text) in {None, *(reason for reason, _ in PHRASES)}


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        " ",
        "(",
        "© ",
        "by Jane ",
        "(AP Photo/",
        "photo: ",
        "share ",
        "sign up for ",
        "\x85",
        "3 ",
    ],
)
def test_hostile_lines(unit: str) -> None:
    """A line of a megabyte is passed over, and its head costs no more than any line."""
    text = unit * (1_000_000 // len(unit))
    furniture_reason(text[:MAX_LINE])
    spans = [(at, at + MAX_LINE) for at in range(0, len(text), MAX_LINE)]
    assert furniture_reason(text) is None
    assert len(find_furniture(text, [(0, len(text)), *spans])) == len(spans) + 1


def test_seeds() -> None:
    """The furniture of a wire story as a local station printed it is found, and nothing else."""
    text = (SEEDS / "000_dbfa873eea8ebaca.txt").read_text(encoding="utf-8")
    spans = [match.span() for match in re.finditer(r"[^\n]+", text)]
    found = find_furniture(text, spans)
    assert found[-2:] == ["copyright", "newsletter"]
    assert set(found[:-2]) == {None}


def test_own_phrases(tmp_path: Path) -> None:
    """A user's file adds phrases, reasons and words, and turns reasons off."""
    path = tmp_path / "own.toml"
    path.write_text(
        '[share]\nphrases = ["Pass it on*"]\n'
        "[recipe]\nlongest = 30\nphrases = 'cook this | serves <number>'\n"
        "[related]\noff = true\n"
        "[updated]\nphrases = ['nachgeführt <when>']\n"
        "[words]\nwhen = 'heumonat'\n",
        encoding="utf-8",
    )
    own = load_furniture(path)
    assert furniture_reason("Pass it on to friends", own) == "share"
    assert furniture_reason("Share this article", own) == "share"
    assert furniture_reason("COOK THIS", own) == "recipe"
    assert furniture_reason("Serves 4", own) == "recipe"
    assert furniture_reason("Serves many", own) is None
    assert furniture_reason("Read more: The bridge", own) is None
    assert furniture_reason("Nachgeführt 3. Heumonat 1924", own) == "updated"
    assert find_furniture("Serves 4", [(0, 8)], own) == ["recipe"]
    assert furniture_reason("Pass it on to friends") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[share]\nphrases = 3", r"\[share\] phrases must be phrases, not 3"),
        ("[share]\nphrases = ['a', 3]", r"\[share\] phrases must be phrases"),
        ("[share]\nphrases = '*'", r"\[share\] phrases: '\*' has no words of its own"),
        ("[share]\nphrases = '* <names>'", "has no words of its own"),
        ("[share]\nphrases = '...'", "has no words of its own"),
        ("[share]\nlongest = 0", r"\[share\] longest must be from 1 to \d+, not 0"),
        ("[share]\nlongest = true", r"\[share\] longest must be"),
        ("[share]\noff = 1", r"\[share\] off must be true or false, not 1"),
        ("[share]\nphrase = 'x'", r"\[share\]: unknown entry 'phrase'; known are longest, phrases"),
        ("[words]\nwhat = 'x'", r"\[words\]: unknown entry 'what'"),
        ("share = 'x'", r"\[share\] must be a table"),
        ("[share", "not valid TOML"),
    ],
)
def test_bad_files(tmp_path: Path, content: str, message: str) -> None:
    """An entry that makes no sense is named, with the file."""
    path = tmp_path / "own.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as caught:
        load_furniture(path)
    assert str(path) in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    """A file that cannot be read is named."""
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load_furniture(tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(b"[share]\nphrases = 'caf\xe9'")
    with pytest.raises(ConfigError, match=r"latin\.toml: not valid TOML"):
        load_furniture(tmp_path / "latin.toml")


def test_the_data_is_read_once() -> None:
    """The built-in phrases are read on first use and kept."""
    assert load_furniture() is load_furniture()
