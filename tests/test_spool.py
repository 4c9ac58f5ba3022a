"""Token data in memory and on disk."""

from __future__ import annotations

import errno
import tempfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, tokenise_texts

from dedupe.errors import OutputError
from dedupe.spool import Spool
from dedupe.tokens import Tokens

COLUMNS = {"hashes": np.uint64, "starts": np.uint32, "ends": np.uint32, "flags": np.uint8}
TEXTS = ["One two.\nThree four", "", "five", "中文 and six"]


def batches() -> list[Tokens]:
    """Tokens of a few batches."""
    return [tokenise_texts([text])[1] for text in TEXTS]


@pytest.mark.parametrize("budget", [0, 1, 60, 100, 10**9])
@pytest.mark.parametrize("read_between", [False, True])
def test_columns_are_the_batches_end_to_end(budget: int, *, read_between: bool) -> None:
    """Whatever fits into memory, a column is all batches in order, also while they come in."""
    spool = Spool(budget)
    for k, tokens in enumerate(batches()):
        spool.append(tokens)
        if read_between:
            assert len(spool.column("hashes")) == sum(len(t.hashes) for t in batches()[: k + 1])
    assert spool.spilled == (budget < 1000)
    assert spool.n_tokens == sum(len(tokens.hashes) for tokens in batches())
    for name, dtype in COLUMNS.items():
        column = spool.column(name)
        assert column.dtype == dtype
        assert column.tolist() == [v for t in batches() for v in getattr(t, name).tolist()]
    spool.close()


@examples
@given(st.lists(st.integers(0, 5), max_size=6), st.integers(0, 200))
def test_memory_and_disk_hold_the_same(lengths: list[int], budget: int) -> None:
    """A spool that spills and one that does not give equal columns."""
    small, large = Spool(budget), Spool(10**9)
    for k, n in enumerate(lengths):
        values = np.arange(n) + k
        tokens = Tokens(
            np.array([0, n]),
            values.astype(np.uint64),
            values.astype(np.uint32),
            values.astype(np.uint32),
            values.astype(np.uint8),
        )
        small.append(tokens)
        large.append(tokens)
    assert small.spilled == (17 * sum(lengths) > budget)
    for name in COLUMNS:
        assert small.column(name).tolist() == large.column(name).tolist()
    small.close()


@pytest.mark.parametrize("budget", [0, 10**9])
def test_empty_spool(budget: int) -> None:
    """A spool of no tokens has empty columns of the right types."""
    spool = Spool(budget)
    assert {name: spool.column(name).dtype for name in COLUMNS} == COLUMNS
    spool.append(tokenise_texts([""])[1])
    assert [len(spool.column(name)) for name in COLUMNS] == [0, 0, 0, 0]


def test_close_deletes_the_files() -> None:
    """Closing closes every temporary file, which deletes it; closing again does nothing."""
    spool = Spool(0)
    spool.append(batches()[0])
    files = list(spool._files.values())
    assert [file.closed for file in files] == [False] * 4
    spool.close()
    spool.close()
    assert [file.closed for file in files] == [True] * 4
    assert not spool.spilled


def test_columns_can_be_written_to_without_changing_the_file() -> None:
    """A column read from disk is writable, as kernels need it, and a private copy."""
    spool = Spool(0)
    spool.append(batches()[0])
    spool.column("flags")[:] = 9
    assert spool.column("flags").tolist() == batches()[0].flags.tolist()
    spool.close()


def test_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full ends in an error that says where to free space."""

    def no_space(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", no_space)
    with pytest.raises(
        OutputError, match=r"\(No space left on device\); free space there"
    ) as error:
        Spool(0).append(batches()[0])
    assert tempfile.gettempdir() in str(error.value)
