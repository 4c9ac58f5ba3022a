"""Token data in memory and on disk."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import examples, tokenise_texts

from dedupe._jit import interpreted
from dedupe._threads import in_threads
from dedupe.config import Config
from dedupe.errors import OutputError
from dedupe.features import extract
from dedupe.places import pack_places
from dedupe.spool import PLACES, Kept, Spool

COLUMNS = {
    "hashes": np.uint64,
    "steps": np.uint16,
    "flags": np.uint8,
    "grams": np.uint16,
}
TEXTS = ["One two.\nThree four", "", "five", "中文 and six"]


def columns_of(text: str) -> Kept:
    """Token data of one text."""
    tokens = tokenise_texts([text])[1]
    steps = pack_places(tokens).steps.copy()
    return Kept(tokens.hashes, steps, tokens.flags, extract(tokens, Config(), 1).grams)


def batches() -> list[Kept]:
    """Token data of a few batches."""
    return [columns_of(text) for text in TEXTS]


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
        tokens = Kept(*(values.astype(dtype) for dtype in COLUMNS.values()))
        small.append(tokens)
        large.append(tokens)
    assert small.spilled == (13 * sum(lengths) > budget)
    for name in COLUMNS:
        assert small.column(name).tolist() == large.column(name).tolist()
    small.close()


@examples
@given(st.data())
def test_an_excerpt_is_what_the_columns_have(data: st.DataObject) -> None:
    """Of articles in any order, again, side by side and empty: the same tokens, from wherever."""
    lengths = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=8))
    ends = np.cumsum(lengths)
    spans = np.stack([ends - lengths, ends], axis=1)[data.draw(st.permutations(range(len(ends))))]
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    n = int(ends[-1])
    tokens = Kept(*(rng.integers(0, 200, n).astype(dtype) for dtype in COLUMNS.values()))
    number = st.integers(0, len(spans) - 1)
    shape = data.draw(st.sampled_from([(-1,), (-1, 2)]))
    limit = data.draw(st.sampled_from([0, 40, 10**6]))
    with (
        pytest.MonkeyPatch.context() as patch,
        closing(Spool(0)) as small,
        closing(Spool(10**9)) as large,
    ):
        patch.setattr("dedupe.spool._READ_AT_MOST", limit)
        for spool in (small, large):
            spool.append(tokens)
            spool.column("flags")[::2] |= 1
        for names in data.draw(st.lists(st.permutations(list(COLUMNS)), min_size=1, max_size=3)):
            drawn = data.draw(st.lists(st.tuples(number, number), max_size=6))
            articles = np.array(drawn, np.int64).reshape(shape)
            for spool in (small, large):
                with interpreted(wanted=data.draw(st.booleans())):
                    found = spool.excerpt(articles, spans, *names)
                assert found.rows.shape == articles.shape
                for name, column in zip(names, found.columns, strict=True):
                    assert column.dtype == COLUMNS[name]
                    for row, article in zip(found.rows.flat, articles.flat, strict=True):
                        mine = column[slice(*found.spans[row])]
                        assert mine.tolist() == spool.column(name)[slice(*spans[article])].tolist()


def test_an_excerpt_is_of_its_articles_alone() -> None:
    """Articles are read where the data is in files, unless there are too many; else nothing is."""
    spans = np.array([[0, 2], [2, 4], [4, 5]])
    small, large = Spool(0), Spool(10**9)
    for tokens in batches():
        small.append(tokens)
        large.append(tokens)
    found = small.excerpt(np.array([2, 0, 1]), spans, "hashes")
    assert len(found.columns[0]) == 5
    again = small.excerpt(np.array([2]), spans, "hashes")
    assert np.shares_memory(again.columns[0], found.columns[0])
    (whole,) = large.excerpt(np.array([2]), spans, "hashes").columns
    assert np.shares_memory(whole, large.column("hashes"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedupe.spool._READ_AT_MOST", 15)
        (whole,) = small.excerpt(np.array([1]), spans, "hashes").columns
        assert np.shares_memory(whole, small.column("hashes"))
        patch.setattr("dedupe.spool._READ_AT_MOST", 16)
        assert len(small.excerpt(np.array([1]), spans, "hashes").columns[0]) == 2
        patch.setattr("dedupe.spool._CAN_READ", 0)
        (whole,) = small.excerpt(np.array([1]), spans, "hashes").columns
        assert np.shares_memory(whole, small.column("hashes"))
    small.close()


@pytest.mark.parametrize("plain", [False, True])
def test_threads_have_excerpts_of_their_own(*, plain: bool) -> None:
    """What one thread reads does not change what another one has."""
    n, size = 200, 50
    values = np.arange(n * size)
    spool = Spool(0)
    spool.append(Kept(*(values.astype(dtype) for dtype in COLUMNS.values())))
    spans = np.stack([np.arange(n), np.arange(n) + 1], axis=1) * size

    def look(article: int) -> bool:
        with interpreted(wanted=plain):
            found = spool.excerpt(np.array([article, n - 1 - article]), spans, "hashes", "grams")
        return all(
            (column[slice(*found.spans[found.rows[0]])] == values[slice(*spans[article])]).all()
            for column in found.columns
        )

    assert all(in_threads(look, range(n), 4))
    spool.close()


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Files that were cut off, or fail, end in an error that says where they are."""
    spans, both = np.array([[0, 2], [2, 3]]), np.array([0, 1])
    spool = Spool(0, directory=tmp_path)
    spool.append(batches()[0])
    os.truncate(tmp_path / "hashes.bin", 17)
    assert len(spool.excerpt(both[:1], spans, "hashes").columns[0]) == 2
    with pytest.raises(OutputError, match=re.escape(f"{tmp_path} (the file is shorter")):
        spool.excerpt(both, spans, "hashes")
    spool._files["grams"].close()
    with (tmp_path / "grams.bin").open("ab") as unreadable:
        spool._files["grams"] = unreadable
        with pytest.raises(OutputError, match=re.escape(f"{tmp_path} (Bad file descriptor)")):
            spool.excerpt(both, spans, "grams")
    spool.close()


def test_short_reads_of_far_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adjacent articles are read at once, beyond 4 GB too, and again where little came of it."""
    n, asked, read = 1 << 29, [], os.preadv
    values = np.arange(100, dtype=np.uint64)
    with closing(Spool(0)) as spool:
        spool.append(batches()[0])
        file = spool._files["hashes"]
        file.seek(8 * n)
        file.write(values.tobytes())
        spool.n_tokens = n + len(values)

        def little(descriptor: int, parts: list[memoryview], place: int) -> int:
            asked.append(len(parts[0]))
            return read(descriptor, [parts[0][:30]], place)

        monkeypatch.setattr(os, "preadv", little)
        spans = np.array([[50, 53], [3, 6], [6, 9], [90, 91]]) + n
        found = spool.excerpt(np.arange(4), spans, "hashes")
    assert found.columns[0].tolist() == [3, 4, 5, 6, 7, 8, 50, 51, 52, 90]
    assert found.spans[found.rows].tolist() == [[6, 9], [0, 3], [3, 6], [9, 10]]
    assert asked == [48, 18, 24, 8]


@pytest.mark.parametrize("budget", [0, 10**9])
def test_empty_spool(budget: int) -> None:
    """A spool of no tokens has empty columns of the right types."""
    spool = Spool(budget)
    assert {name: spool.column(name).dtype for name in COLUMNS} == COLUMNS
    spool.append(columns_of(""))
    assert [len(spool.column(name)) for name in COLUMNS] == [0] * 4
    found = spool.excerpt(np.array([[0, 0]]), np.array([[0, 0]]), *COLUMNS)
    assert found.rows.tolist() == [[0, 0]]
    assert found.spans.tolist() == [[0, 0]]
    assert [len(column) for column in found.columns] == [0] * 4


def test_close_deletes_the_files() -> None:
    """Closing closes every temporary file, which deletes it; closing again does nothing."""
    spool = Spool(0)
    spool.append(batches()[0])
    files = list(spool._files.values())
    assert [file.closed for file in files] == [False] * 4
    spool.close()
    spool.close()
    assert [file.closed for file in files] == [True] * 4
    assert spool.spilled  # as a run's record says afterwards


def test_columns_can_be_written_to_without_changing_the_file(tmp_path: Path) -> None:
    """A column read from disk is writable, as kernels need it: changes are seen here, not on disk."""
    spool = Spool(0, directory=tmp_path)
    spool.append(batches()[0])
    spool.column("flags")[:] = 9
    assert set(spool.column("flags").tolist()) == {9}
    assert (tmp_path / "flags.bin").read_bytes() == batches()[0].flags.tobytes()
    spool.close()


@pytest.mark.parametrize("budget", [0, 10**5, 10**9])
@pytest.mark.parametrize("places", [True, False])
def test_threads_add_at_once(budget: int, *, places: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch is whole and where `append` says, whatever order threads come in.

    So it is where a system writes at a file's own position alone.
    """
    if not places:
        monkeypatch.delattr(os, "pwrite", raising=False)
    spool = Spool(budget)
    tokens = [columns_of(f"word{k} " * (k % 7 + 1)) for k in range(200)]
    firsts = in_threads(spool.append, tokens, 4)
    hashes = spool.column("hashes")
    for first, batch in zip(firsts, tokens, strict=True):
        assert hashes[first : first + len(batch.hashes)].tolist() == batch.hashes.tolist()
    assert spool.n_tokens == sum(len(batch.hashes) for batch in tokens)
    spool.close()


def test_memory_grows_as_needed() -> None:
    """Where more tokens come than were expected, room is made and nothing is lost."""
    spool = Spool(10**9, expected=1)
    tokens = columns_of(" ".join(map(str, range(400_000))))
    for _ in range(4):
        spool.append(tokens)
    assert spool.column("hashes").tolist() == tokens.hashes.tolist() * 4
    assert not spool.spilled
    spool.close()
    assert len(spool.column("hashes")) == 0


def test_relieving_changes_nothing() -> None:
    """What is given back to the system is read again when it is looked at, and flags stay."""
    spool = Spool(0)
    spool.append(batches()[0])
    before = spool.column("hashes").tolist()
    spool.column("flags")[:] = 9
    spool.relieve(10**12)
    assert spool.column("hashes").tolist() == before
    assert set(spool.column("flags").tolist()) == {9}
    spool.close()


def test_files_of_an_earlier_process(tmp_path: Path) -> None:
    """Files in a directory outlast the spool; what is not taken over of them is cut off."""
    first = Spool(0, directory=tmp_path)
    for tokens in batches():
        first.append(tokens)
    first.close()
    kept = len(batches()[0].hashes)
    again = Spool.reopen(tmp_path)
    assert again is not None
    assert again.n_tokens == sum(len(tokens.hashes) for tokens in batches())
    again.close()
    second = Spool(10**9, directory=tmp_path)
    second.adopt(kept)
    assert second.append(batches()[3]) == kept
    expected = [*batches()[0].hashes.tolist(), *batches()[3].hashes.tolist()]
    assert second.column("hashes").tolist() == expected
    second.close()
    assert Spool.reopen(tmp_path / "nowhere") is None


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


@pytest.mark.parametrize("budget", [0, 10**9])
def test_columns_left_out(budget: int) -> None:
    """Columns that are not wanted are left out, and the others are kept."""
    spool = Spool(budget, without=PLACES)
    spool.append(batches()[0])
    assert spool.token_bytes == 11
    assert spool.column("grams").tolist() == batches()[0].grams.tolist()
    with pytest.raises(KeyError):
        spool.column("steps")
    spool.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_is_full_later(tmp_path: Path) -> None:
    """A write that fails is told, now and at every later batch, and closing is quiet."""
    for name in COLUMNS:
        (tmp_path / f"{name}.bin").symlink_to("/dev/full")
    spool = Spool(0, directory=tmp_path)
    for _ in range(2):
        with pytest.raises(OutputError, match=r"No space left on device.*--output"):
            spool.append(batches()[0])
    spool.close()
