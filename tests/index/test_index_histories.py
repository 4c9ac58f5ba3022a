"""Whatever an index went through, it is as one that was made of what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from indexing import article

import dedupe.index._embedded as embedded
from dedupe import Index

if TYPE_CHECKING:
    from pathlib import Path

    from dedupe import Match

blocks = st.lists(st.integers(1, 9), min_size=0, max_size=4, unique=True)
names = st.sampled_from("abcdefg")
events = st.lists(
    st.one_of(
        st.tuples(st.just("add"), names, blocks),
        st.tuples(st.just("add many"), st.lists(st.tuples(names, blocks), max_size=5)),
        st.tuples(st.just("update"), names, blocks),
        st.tuples(st.just("remove"), names),
        st.tuples(st.just("check"), blocks),
        st.tuples(st.sampled_from(["flush", "compact", "reopen", "look"])),
    ),
    max_size=25,
)


def apply(index: Index, event: tuple[Any, ...], model: dict[str, tuple[int, list[int]]]) -> None:
    """Let something happen to an index and to what is known of it: ids with their age and text."""
    what, *rest = event
    if what == "update" and rest[0] not in model:
        what = "add"
    if what in {"add", "update", "add many"}:
        some = rest[0] if what == "add many" else [tuple(rest)]
        articles = [article(name, text) for name, text in some]
        if what == "add many":
            matches = index.check_and_add_many(articles)
        else:
            matches = [(index.update if what == "update" else index.check_and_add)(articles[0])]
        for (name, text), match in zip(some, matches, strict=True):
            before = model.get(name)
            status = "new" if before is None else "unchanged" if before[1] == text else "revised"
            assert match.status == status
            age = before[0] if before else 1 + max((age for age, _ in model.values()), default=0)
            model[name] = (age, text)
    elif what == "remove":
        assert index.remove(rest[0]) == (rest[0] in model)
        model.pop(rest[0], None)
    elif what == "check":
        index.check(article("asked", rest[0]))
    elif what == "compact":
        index.compact()
    elif what == "flush":
        store = index._store
        assert isinstance(store, embedded.EmbeddedStore)
        store._flush(least=0)
    elif what == "look":
        len(index)
        index.info()


def seen(match: Match) -> tuple[Any, ...]:
    """What a match says, but for the name of the family."""
    return match.kind, match.of, match.passages, match.added, [r.shared_words for r in match.reuses]


@settings(max_examples=60, deadline=None)
@given(events, st.booleans())
def test_histories(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[Any, ...]], store_text: bool
) -> None:
    """After changes and upkeep in any order two views are that of a new index of what is left."""
    path: Path = tmp_path_factory.mktemp("history")
    model: dict[str, tuple[int, list[int]]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "FLUSH_ENTRIES", 150)
        patch.setattr(embedded, "FAN_OUT", 2)
        patch.setattr("os.fsync", lambda _: None)
        index = Index.open(path / "idx", store_text=store_text)
        reader = Index.open(path / "idx", mode="r")
        for event in history:
            if event[0] == "reopen":
                index.close()
                index = Index.open(path / "idx")
            else:
                apply(index, event, model)
            assert len(reader) == len(model)
        left = [
            article(name, text) for name, (_, text) in sorted(model.items(), key=lambda i: i[1])
        ]
        with Index.open(path / "fresh", store_text=store_text) as fresh:
            fresh.add_many(left)
            asked = [*left, article("asked", [1, 2, 3, 4]), article("other", [5, 6, 7, 8, 9])]
            for view in (index, reader):
                for one in asked:
                    assert seen(view.check(one)) == seen(fresh.check(one))
                ids = [one.id for one in left]
                assert view.families(ids) == fresh.families(ids)
                assert [view.check(one).family for one in left] == [
                    fresh.check(one).family for one in left
                ]
            assert index.info()["pairs"] == fresh.info()["pairs"]
        reader.close()
        index.close()
