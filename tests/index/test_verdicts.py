"""The last verdict on a text holds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dedupe.index._furniture import _mark_known
from dedupe.index._store import Verdict, mixed
from dedupe.index._verdicts import Verdicts

verdicts = st.builds(
    Verdict,
    key=st.integers(0, 6).map(lambda k: k * 0x2492492492492492),
    source=st.integers(-1, 2),
    length=st.integers(1, 100),
    furniture=st.booleans(),
)


@settings(deadline=None)
@given(st.lists(st.lists(verdicts, max_size=6), max_size=8))
def test_as_a_dictionary(batches: list[list[Verdict]]) -> None:
    """After any verdicts what is known is what a dictionary of the last ones says."""
    kept, last = Verdicts(), {}
    for batch in batches:
        kept.add(batch)
        last.update({(verdict.key, verdict.source): verdict for verdict in batch})
        own, everywhere = (known.values for known in kept.furniture())
        marked = [v for v in last.values() if v.furniture]
        expected = mixed(
            np.array([v.key for v in marked if v.source >= 0], np.uint64),
            np.array([v.source for v in marked if v.source >= 0], np.int32),
        )
        assert own.tolist() == sorted(expected.tolist())
        assert everywhere.tolist() == sorted(v.key for v in marked if v.source < 0)
        assert len(kept) == len(last)
    for (key, source), verdict in last.items():
        assert kept.length(key, source) == verdict.length
    assert kept.length(1, 0) == 0


@given(st.lists(verdicts, unique_by=lambda v: (v.key, v.source)), st.lists(verdicts, max_size=4))
def test_many_at_once(first: list[Verdict], then: list[Verdict]) -> None:
    """Where those on furniture come at once, and others are asked for, all is as one by one."""
    kept = {(v.key, v.source): v.length for v in first}
    one_by_one, at_once = Verdicts(), Verdicts(lambda key, source: kept.get((key, source), 0))
    one_by_one.add(first)
    marked = [v for v in first if v.furniture]
    at_once.fill(
        np.array([v.key for v in marked], np.uint64),
        np.array([v.source for v in marked], np.int32),
    )
    for some in (one_by_one, at_once):
        some.add(then)
    for a, b in zip(one_by_one.furniture(), at_once.furniture(), strict=True):
        assert a.values.tolist() == b.values.tolist()
    for v in (*first, *then):
        assert one_by_one.length(v.key, v.source) == at_once.length(v.key, v.source) > 0
    assert at_once.length(1, 0) == one_by_one.length(1, 0) == 0


@given(
    st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=40),
    st.lists(st.integers(0, 2**64 - 1), max_size=20),
    st.integers(1, 60),
)
@settings(deadline=None)
def test_known(values: list[int], others: list[int], times: int) -> None:
    """Those hashes are marked that are in the set, whatever it was before and however large."""
    kept = Verdicts()
    first = [Verdict(value * times % 2**64, -1, 1, furniture=True) for value in range(200 * times)]
    kept.add(first)
    kept.furniture()
    kept.add([verdict._replace(furniture=False) for verdict in first if verdict.key not in values])
    kept.add(Verdict(value, -1, 2, furniture=True) for value in values)
    known = kept.furniture()[1]
    asked = np.array([*values, *others, *(verdict.key for verdict in first[:50])], np.uint64)
    marked = np.zeros(len(asked), np.bool_)
    _mark_known(asked, *known, marked)
    assert marked.tolist() == [int(key) in values for key in asked]
