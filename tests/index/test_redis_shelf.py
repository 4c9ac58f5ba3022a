"""Articles that were read are at hand again, those used last, and take no more room than they may."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from dedupe import Article
from dedupe.index._redis_shelf import RECORD_BYTES, Shelf
from dedupe.index._store import Record


def record(number: int, text: str) -> Record:
    """An article of some text."""
    article = Article(id=str(number), text=text)
    return Record(number, number, article, number, 1, number, None)


@given(
    st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["put", "put name", "get", "drop"]))),
    st.integers(0, 4),
)
def test_used_last(steps: list[tuple[int, str]], room: int) -> None:
    """What is here is what was put here or asked for last, as much as there is room for."""
    of = RECORD_BYTES + sys.getsizeof("x" * 1000)
    shelf = Shelf(room * of)
    held: list[tuple[int, bool]] = []  # those used last at the end
    for number, step in steps:
        before = dict(held)
        if step.startswith("put"):
            shelf.put(record(number, "x" * 1000), b"%d" % number, texts=step == "put")
        elif step == "drop":
            shelf.drop(number)
        else:
            found = shelf.get(number, texts=True)
            assert (found is not None) == before.get(number, False)
            assert found is None or (found[0].number, found[1]) == (number, b"%d" % number)
            if found is None:
                continue
        held = [one for one in held if one[0] != number]
        if step != "drop":
            held.append((number, before[number] if step == "get" else step == "put"))
        held = held[-room:] if room else []
    for number in range(1, 7):
        assert (shelf.get(number, texts=False) is not None) == (number in dict(held))
    shelf.clear()
    assert shelf.get(1, texts=False) is None
