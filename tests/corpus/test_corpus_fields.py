"""Which field holds what."""

from __future__ import annotations

import pytest

from dedupe.config import Config
from dedupe.corpus._fields import (
    FieldMissingError,
    Fields,
    clean,
    clean_id,
    host,
    list_names,
    resolve,
)


def test_usual_names() -> None:
    """The usual names are found whatever their case, dashes and underscores."""
    names = ["_id", "Article-Text", "Source_Domain", "datePublished", "HEADLINE", "Link", "lang"]
    assert resolve(names, Config()) == Fields(
        id="_id",
        text="Article-Text",
        source="Source_Domain",
        date="datePublished",
        title="HEADLINE",
        url="Link",
        language="lang",
    )


def test_best_first() -> None:
    """Of several usual names the better one wins, not the first in the file."""
    assert resolve(["content", "body", "text"], Config()).text == "text"
    assert resolve(["content", "body"], Config()).text == "body"


def test_textual_columns_first() -> None:
    """A usual name whose column can hold text goes before a better one that cannot."""
    assert resolve(["text", "body"], Config(), textual={"body"}).text == "body"
    assert resolve(["text", "body"], Config(), textual=()).text == "text"


def test_asked_for() -> None:
    """A field that is asked for is taken as named, or in another case."""
    config = Config(text_field="Story", id_field="url")
    assert resolve(["text", "story", "url"], config)[:2] == ("url", "story")


def test_missing() -> None:
    """What is missing is named, with the fields there are."""
    with pytest.raises(
        FieldMissingError, match="no field of a usual name holds the text"
    ) as caught:
        resolve(["a", "b"], Config())
    assert caught.value.remedy == "name it with --text-field; the fields are: a, b"
    with pytest.raises(FieldMissingError, match="there is no field 'when'") as caught:
        resolve(["text"], Config(date_field="when"))
    assert caught.value.remedy == "choose another --date-field; the fields are: text"
    assert resolve(["text"], Config(date_field="when"), lenient=True).date is None


def test_list_names() -> None:
    """A message lists the first names only."""
    assert list_names([]) == "none"
    assert list_names([str(i) for i in range(23)]).endswith("18, 19 and 3 more")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((" a ", "a"), ("", None), ("  ", None), ("\ud800é", "\ufffdé"), (7, "7"), (7.0, "7")),
        *((7.5, "7.5"), (float("nan"), None), (True, None), (None, None), ([1], None)),
    ],
)
def test_clean(value: object, expected: str | None) -> None:
    """Metadata is text or None, and valid UTF-8."""
    assert clean(value) == expected


def test_clean_id() -> None:
    """Ids of text are kept to the letter; numbers become text."""
    assert [clean_id(v) for v in (" a ", " ", "é\ud800", 7, 7.0, None, True)] == [
        *(" a ", None, "é\ufffd", "7", "7", None, None),
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.Example.com:8080/a", "example.com"),
        ("//cdn.example.com/a", "cdn.example.com"),
        *(("example.com/a", None), ("http://[broken/", None), ("https:///a", None)),
        *(("", None), (None, None)),
    ],
)
def test_host(url: str | None, expected: str | None) -> None:
    """The outlet of a url is its host without "www."."""
    assert host(url) == expected
