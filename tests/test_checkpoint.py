"""Finished chunks outlast the run, and are taken over only where they belong."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from dedupe.checkpoint import Checkpoint, Chunk
from dedupe.config import Config
from dedupe.errors import OutputError
from dedupe.ingest import ingest
from dedupe.records import Article, Batch
from dedupe.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dedupe.ingest import Articles

CONFIG = Config(threads=1, memory_mb=0)


FAR = " -" * 200 + " behind" + " l" + "\u200b" * 300 + "ong"
"""Two tokens whose places are listed."""


def batch(number: int, text: str = "") -> Batch:
    """Three articles, with two, four and six tokens whose places are listed."""
    words = text or " ".join(f"w{number}x{k}" for k in range(50))
    return Batch.from_articles(
        [
            Article(f"{number}-{k}", f"{words} {k}{FAR * (k + 1)} end", source=None, title="Ü\n")
            for k in range(3)
        ]
    )


def read(batches: list[Batch], work: Path, config: Config = CONFIG) -> tuple[Articles, int]:
    """What is read, and the number of batches taken over from an earlier run."""
    checkpoint = Checkpoint(work, config)
    taken: list[int] = []
    take_over = checkpoint.take_over

    def counted(n: int) -> list[Chunk]:
        taken.append(n)
        return take_over(n)

    checkpoint.take_over = counted  # type: ignore[method-assign]
    articles = ingest(batches, config, [], checkpoint=checkpoint)
    checkpoint.close()
    return articles, sum(taken)


def chunks_of(work: Path, config: Config) -> list[Chunk]:
    """The chunks that a run with this configuration would find."""
    checkpoint = Checkpoint(work, config)
    checkpoint.close()
    return checkpoint.chunks


def interrupted(batches: list[Batch], work: Path, config: Config = CONFIG) -> None:
    """A run that dies after these batches."""

    def dying() -> Iterator[Batch]:
        yield from batches
        raise KeyboardInterrupt

    checkpoint = Checkpoint(work, config)
    with pytest.raises(KeyboardInterrupt):
        ingest(dying(), config, [], checkpoint=checkpoint)
    checkpoint.close()


def assert_same(one: Articles, other: Articles) -> None:
    """Two corpora are the same to all later stages."""
    assert one.ids.to_list() == other.ids.to_list()
    assert one.titles.to_list() == other.titles.to_list()
    for name in ("fingerprints", "bands", "sketch_offsets", "sketch"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    kept = ("hashes", "flags", "grams")
    for column in (*kept, "steps") if one.spool.token_bytes == 13 else kept:
        for a, b in zip(one.spans.tolist(), other.spans.tolist(), strict=True):
            left = one.spool.column(column)[a[0] : a[1]]
            right = other.spool.column(column)[b[0] : b[1]]
            assert left.tolist() == right.tolist()
    assert far_of(one) == far_of(other)


def far_of(articles: Articles) -> list[list[list[int]]]:
    """Of each article the tokens whose places are listed, counted from its first, and these."""
    found = []
    for first, last in articles.spans.tolist():
        mine = articles.far[(articles.far[:, 0] >= first) & (articles.far[:, 0] < last)]
        found.append((mine - [first, 0, 0]).tolist())
    assert sum(map(len, found)) == len(articles.far)
    assert (np.diff(articles.far[:, 0]) > 0).all()
    return found


@pytest.mark.parametrize("done", [0, 1, 3, 8])
@pytest.mark.parametrize("change", [{}, {"threads": 3}, {"passages": False}])
def test_a_run_goes_on_where_it_was_interrupted(
    done: int, change: dict[str, Any], tmp_path: Path
) -> None:
    """What was kept of the first batches is taken over, and the result is that of one run."""
    config = CONFIG.replace(**change)
    batches = [batch(k) for k in range(8)]
    interrupted(batches[:done], tmp_path / "work", config)
    found, known = read(batches, tmp_path / "work", config)
    # Batches still under way when the run died are lost.
    assert max(0, done - config.threads - 1) <= known <= done
    expected = ingest(batches, config.replace(memory_mb=100), [])
    assert_same(found, expected)
    listed = [2, 4, 6] * len(batches) if config.passages else [0] * len(found)
    assert sorted(map(len, far_of(found))) == sorted(listed)
    found.spool.close()


def test_sketches_of_a_wrong_guess_are_made_again_after_an_interruption(tmp_path: Path) -> None:
    """A chunk remembers its scale: one sketched too coarsely is sketched anew by the next run."""
    batches = [batch(k) for k in range(4)]
    checkpoint = Checkpoint(tmp_path / "work", CONFIG)
    ingest(batches[:2], CONFIG, [], likely=10**9, checkpoint=checkpoint).spool.close()
    checkpoint.close()
    assert [chunk.scale for chunk in chunks_of(tmp_path / "work", CONFIG)] == [8, 8]
    found, known = read(batches, tmp_path / "work")
    assert known == 2
    assert_same(found, ingest(batches, CONFIG.replace(memory_mb=100), []))
    found.spool.close()


def test_nothing_is_left_where_all_fitted_into_memory(tmp_path: Path) -> None:
    """A run that needs no files leaves no directory behind."""
    read([batch(1)], tmp_path / "work", CONFIG.replace(memory_mb=100))
    assert list(tmp_path.iterdir()) == []


def test_a_changed_corpus_is_read_anew_from_the_change_on(tmp_path: Path) -> None:
    """Chunks are taken over as long as their batches are the same, by text and metadata."""
    batches = [batch(k) for k in range(4)]
    read(batches, tmp_path / "work")[0].spool.close()
    batches[2] = batch(2, "another text " * 20)
    found, known = read(batches, tmp_path / "work")
    assert known == 2
    assert_same(found, ingest(batches, CONFIG.replace(memory_mb=100), []))
    found.spool.close()
    found, known = read([batches[1], batches[0]], tmp_path / "work")
    assert known == 0
    assert_same(found, ingest([batches[1], batches[0]], CONFIG.replace(memory_mb=100), []))
    found.spool.close()


def test_borders_between_articles_count(tmp_path: Path) -> None:
    """The same text and ids with another border between two articles is another batch."""
    words = [f"w{k}" for k in range(40)]

    def cut(at: int) -> Batch:
        texts = " ".join(words[:at]) + " ", " ".join(words[at:])
        return Batch.from_articles([Article(str(k), text) for k, text in enumerate(texts)])

    read([cut(10)], tmp_path / "work")[0].spool.close()
    found, known = read([cut(20)], tmp_path / "work")
    assert known == 0
    assert found.words.tolist() == [20, 20]
    found.spool.close()


def test_a_batch_that_could_not_be_written_is_not_kept(tmp_path: Path) -> None:
    """After a failed write nothing more is added, and no chunk is kept whose tokens are not there."""
    batches = [batch(k) for k in range(6)]
    write, calls = Spool._write, []

    def failing(spool: Spool, columns: dict[str, Any], first: int) -> None:
        calls.append(1)
        if len(calls) == 4:
            spool._write_at(spool._files["hashes"], memoryview(b"12345678"), 8 * first)
            raise spool._broken_by(OSError(errno.ENOSPC, "No space left on device"))
        write(spool, columns, first)

    checkpoint = Checkpoint(tmp_path / "work", CONFIG.replace(threads=2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Spool, "_write", failing)
        with pytest.raises(OutputError, match="No space left"):
            ingest(batches, CONFIG.replace(threads=2), [], checkpoint=checkpoint)
    checkpoint.close()
    found, known = read(batches, tmp_path / "work")
    assert 0 < known <= 3
    assert_same(found, ingest(batches, CONFIG.replace(memory_mb=100), []))
    found.spool.close()


@pytest.mark.parametrize("change", [{"shingle": 4}, {"scale": 2}, {"bands": 16}])
def test_other_settings_begin_anew(change: dict[str, int], tmp_path: Path) -> None:
    """Chunks made with other settings are thrown away."""
    read([batch(1)], tmp_path / "work")[0].spool.close()
    assert chunks_of(tmp_path / "work", CONFIG.replace(threshold=0.7))
    assert chunks_of(tmp_path / "work", CONFIG.replace(**change)) == []


def test_another_version_begins_anew(tmp_path: Path) -> None:
    """Chunks of another version of the program are thrown away."""
    read([batch(1)], tmp_path / "work")[0].spool.close()
    header = json.loads((tmp_path / "work" / "run.json").read_text())
    header["version"] = "0.0.0"
    (tmp_path / "work" / "run.json").write_text(json.dumps(header))
    assert chunks_of(tmp_path / "work", CONFIG) == []


@pytest.mark.parametrize("name", ["chunk-000001.npz", "hashes.bin", "flags.bin"])
@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
def test_damaged_files(name: str, damage: str, tmp_path: Path) -> None:
    """A cut, changed or missing file costs the chunks from it on, never a wrong result."""
    batches = [batch(k) for k in range(3)]
    read(batches, tmp_path / "work")[0].spool.close()
    path = tmp_path / "work" / name
    data = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "flip":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    else:
        path.unlink()
    found, known = read(batches, tmp_path / "work")
    assert known < 3
    assert_same(found, ingest(batches, CONFIG.replace(memory_mb=100), []))
    found.spool.close()


def test_one_run_at_a_time(tmp_path: Path) -> None:
    """A second run in the same directory is refused while the first is at work."""
    pytest.importorskip("fcntl")
    checkpoint = Checkpoint(tmp_path / "work", CONFIG)
    with pytest.raises(OutputError, match="another scan is at work in"):
        Checkpoint(tmp_path / "work", CONFIG)
    checkpoint.close()
    Checkpoint(tmp_path / "work", CONFIG).clear()
    assert not (tmp_path / "work").exists()


def test_what_another_run_has_begun_stays(tmp_path: Path) -> None:
    """Closing after clearing leaves alone what another run has put there since."""
    first = Checkpoint(tmp_path / "work", CONFIG)
    first.clear()
    second = Checkpoint(tmp_path / "work", CONFIG)
    first.close()
    assert (tmp_path / "work" / "run.json").exists()
    second.close()


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    """Where the work cannot be kept, the error names the directory and the remedy."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write to .*file.work .*--output"):
        Checkpoint(tmp_path / "file" / "work", CONFIG)


def test_metadata_is_kept_to_the_letter(tmp_path: Path) -> None:
    """Ids, titles and nulls come back as they were."""
    read([batch(7)], tmp_path / "work")[0].spool.close()
    (chunk,) = chunks_of(tmp_path / "work", CONFIG)
    assert chunk.metadata["title"].to_list() == ["Ü\n"] * 3
    assert chunk.metadata["source"].to_list() == [None] * 3
    assert chunk.metadata.schema == pl.Schema(chunk.METADATA)
