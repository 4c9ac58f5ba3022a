"""Which tokens stand in quoted speech."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, quoted_words, tokenise_texts, tricky_text

from dedupe.quotations import MAX_QUOTATION
from dedupe.tokens import QUOTED

QUOTE_MARKS = '"“”„«»「」『』‘’‚＂'


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("He said “we won” today", "we won"),
        ('He said "we won" today', "we won"),
        ("Er sagte: „Wir siegen“, dann", "Wir siegen"),
        ("Powiedział: „Tak jest” dziś", "Tak jest"),
        ("Hän sanoi: ”Kyllä on” tänään", "Kyllä on"),
        ("Il a dit : « Oui, merci » hier", "Oui merci"),
        ("Er sagte: »Ja, gut« heute", "Ja gut"),
        ("首相は「はい」と言った", "は い"),
        ("彼は『いえ』と", "い え"),
        ("She said ‘it’s over’ today", "it’s over"),
        ("Er sagte ‚genau so‘ heute", "genau so"),
        ("“One,” he said. “Two three.” End", "One Two three"),
        ('"One," he said. "Two." End', "One Two"),
        ("“He told me ‘go home’ twice” then", "He told me go home twice"),
        ("«A „b“ c» d", "A b c"),
        ("＂Wide＂ marks", "Wide"),
    ],
)
def test_styles(text: str, quoted: str) -> None:
    """Each newspaper style of quotation marks is understood."""
    assert quoted_words(text) == quoted.split()


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("“One two.\n\n“Three four.” Five", "One two Three four"),
        ("„Eins.\n\n„Zwei.\n\n„Drei.“ Vier", "Eins Zwei Drei"),
        ("« Un.\n\n« Deux. » Trois", "Un Deux"),
        ("“One two\nthree” four", "One two three"),
        ("“One.\u2029“Two.” Three", "One Two"),
        ("“One two\n\nThree four.", ""),
        ("“One\n\nTwo “three” four", "three"),
    ],
)
def test_paragraphs(text: str, quoted: str) -> None:
    """An open quotation goes on where the next paragraph opens again, and else never was one."""
    assert quoted_words(text) == quoted.split()


@pytest.mark.parametrize(
    "text",
    [
        "It’s the ’90s and the dogs’ bowls",
        "Don't say it isn't so, y'all",
        "A “stray mark that never closes",
        "closes” without opening, and more",
        'He is 6 foot 2" tall\nand she 5 foot 9" tall',
        "Rock ’n’ roll ’n’ more",
        "5′ 10″ tall",
        "",
        "“",
        "”“",
    ],
)
def test_apostrophes_and_stray_marks(text: str) -> None:
    """Apostrophes, inches and marks without a partner quote nothing."""
    assert quoted_words(text) == []


@examples
@given(tricky_text)
def test_no_marks_no_quotations(text: str) -> None:
    """A text without quotation marks has no quoted token."""
    assert quoted_words(text.translate(dict.fromkeys(map(ord, QUOTE_MARKS)))) == []


@examples
@given(st.text(st.sampled_from(QUOTE_MARKS + "ab  \n."), max_size=40))
def test_quoted_tokens_stand_between_marks(text: str) -> None:
    """Every quoted token has a quotation mark before and one after it; no other flag changes."""
    _, plain = tokenise_texts([text])
    _, marked = tokenise_texts([text], quotations=True)
    for k, flags in enumerate(marked.flags.tolist()):
        assert flags & ~int(QUOTED) == plain.flags[k]
        if flags & QUOTED:
            before, after = text[: marked.starts[k]], text[marked.ends[k] :]
            assert set(before) & set(QUOTE_MARKS)
            assert set(after) & set(QUOTE_MARKS)


@examples
@given(st.lists(st.text('ab “”"\n', max_size=15), max_size=4))
def test_articles_do_not_affect_each_other(texts: list[str]) -> None:
    """A quotation left open in one article does not reach into the next."""
    _, together = tokenise_texts(texts, quotations=True)
    alone = [tokenise_texts([text], quotations=True)[1] for text in texts]
    assert together.flags.tolist() == [f for tokens in alone for f in tokens.flags.tolist()]


def test_overlong_quotations_are_strays() -> None:
    """A mark that stays open for longer than any speech is a stray one."""
    short, long = ("word " * (n // 5) for n in (MAX_QUOTATION - 10, MAX_QUOTATION + 10))
    assert len(quoted_words(f"“{short}” end")) == len(short) // 5
    assert quoted_words(f"“{long}” end “one” two") == ["one"]


def test_flags() -> None:
    """The flag of quoted speech is set beside that of a paragraph's start."""
    _, tokens = tokenise_texts(["“One” two", "three “four”"], quotations=True)
    assert tokens.flags.tolist() == [3, 0, 1, 2]


def test_marks_that_never_close_cost_linear_time() -> None:
    """A stray mark on each of 300,000 lines is looked at once, and quotes nothing."""
    _, tokens = tokenise_texts(['one " two three four\n' * 300_000], quotations=True)
    assert len(tokens.flags) == 1_200_000
    assert not (tokens.flags & QUOTED).any()
