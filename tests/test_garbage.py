"""How often Python looks for garbage, while some of a process want it done seldom."""

from __future__ import annotations

import gc
import os
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from indexing import ended, forked

from dedupe._garbage import OBJECTS_MADE, fewer_collections

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def as_usual() -> Iterator[tuple[int, ...]]:
    """The setting before, 700 objects, and what it was put back to in the end."""
    before = gc.get_threshold()
    gc.set_threshold(700, *before[1:])
    yield gc.get_threshold()
    gc.set_threshold(*before)


def test_the_last_puts_the_setting_back(as_usual: tuple[int, ...]) -> None:
    """Of several that overlap, whichever ends first, the last puts back what the first found."""
    first, second = ExitStack(), ExitStack()
    first.enter_context(fewer_collections())
    second.enter_context(fewer_collections())
    first.close()
    assert gc.get_threshold() == (OBJECTS_MADE, *as_usual[1:])
    second.close()
    assert gc.get_threshold() == as_usual


def test_what_others_set_stays(as_usual: tuple[int, ...]) -> None:
    """A setting that somebody else makes meanwhile outlasts it, be it the one there was before."""
    for threshold in (0, 900, 700):
        with fewer_collections():
            gc.set_threshold(threshold)
        assert gc.get_threshold()[0] == threshold
    gc.set_threshold(OBJECTS_MADE + 1)
    with fewer_collections():
        assert gc.get_threshold()[0] == OBJECTS_MADE + 1
        gc.set_threshold(*as_usual)
    assert gc.get_threshold() == as_usual


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_begins_anew(as_usual: tuple[int, ...]) -> None:
    """After a fork the setting is as before, whoever wanted another, and is changed and put back."""
    begun, end = threading.Event(), threading.Event()

    def want() -> None:
        with fewer_collections():
            begun.set()
            end.wait()

    other = threading.Thread(target=want)

    mine = ExitStack()

    def child() -> None:
        assert gc.get_threshold() == as_usual
        with fewer_collections():
            mine.close()
            assert gc.get_threshold()[0] == OBJECTS_MADE
        assert gc.get_threshold() == as_usual

    other.start()
    begun.wait()
    mine.enter_context(fewer_collections())
    try:
        assert ended(forked(child)) == 0
        assert gc.get_threshold()[0] == OBJECTS_MADE
    finally:
        mine.close()
        end.set()
        other.join()
    assert gc.get_threshold() == as_usual
