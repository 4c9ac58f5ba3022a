"""Dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.corpus._dates import parse_date


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2016-09-20", "2016-09-20"),
        ("2016-09-20T12:00:00", "2016-09-20T12:00:00"),
        ("2016-09-20 12:00", "2016-09-20T12:00:00"),
        ("2016-09-20T12:00:00Z", "2016-09-20T12:00:00Z"),
        ("2016-09-20T12:00:00.5+0200", "2016-09-20T10:00:00Z"),
        ("2016-09-20 12:00:00 UTC", "2016-09-20T12:00:00Z"),
        ("2016-09-20 12:00:00 +00:00", "2016-09-20T12:00:00Z"),
        ("2016/9/2 10:00:00", "2016-09-02T10:00:00"),
        ("20160920", "2016-09-20"),
        ("20160920123000", "2016-09-20T12:30:00"),
        ("Tue, 20 Sep 2016 12:00:00 +0200", "2016-09-20T10:00:00Z"),
        ("September 20, 2016", "2016-09-20"),
        ("20 Sep 2016", "2016-09-20"),
        (1474329600, "2016-09-20T00:00:00Z"),
        (1474329600.5, "2016-09-20T00:00:00Z"),
        (1474329600000, "2016-09-20T00:00:00Z"),
        ("1474329600", "2016-09-20T00:00:00Z"),
        (20160920, "2016-09-20"),
        (date(2016, 9, 20), "2016-09-20"),
        (datetime(2016, 9, 20, 12, tzinfo=UTC), "2016-09-20T12:00:00Z"),
    ],
)
def test_understood(value: object, expected: str) -> None:
    """Each notation becomes ISO 8601, and times with an offset become UTC."""
    assert parse_date(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "yesterday", "2016", "09/10/2016", "2016-13-01", "Foo 20, 2016", "9" * 200),
        *("May 32, 2016", "0001-01-01T00:00:00+05:00", "20161301", "2016/13/40"),
        *(None, True, 2016, 0, -1, float("nan"), float("inf"), 1e300, 10**400, [], {}),
    ],
)
def test_not_understood(value: object) -> None:
    """What is no date, or means two days, is None and not an error."""
    assert parse_date(value) is None


@given(st.datetimes(), st.integers(-1439, 1439))
def test_offsets_keep_the_instant(when: datetime, minutes: int) -> None:
    """A time with any offset names the same second after it is read, where the calendar has it."""
    when = when.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = parse_date(when.isoformat())
    if text is None:
        assert when.year in {1, 9999}
    else:
        assert datetime.fromisoformat(text) == when.replace(microsecond=0)


@given(st.text())
def test_any_text(text: str) -> None:
    """No text makes it fail, and what is read reads as itself."""
    found = parse_date(text)
    assert found is None or parse_date(found) == found
