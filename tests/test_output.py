"""Files of a scan: whole or absent, and the same bytes for the same input."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import dedupe
from benchmarks import generate
from dedupe.output import check_output, write_scan

SEEDS = Path(__file__).parent.parent / "seeds"


def _bytes(directory: Path) -> dict[str, bytes]:
    """Every file but `run.json`, which tells seconds."""
    return {p.name: p.read_bytes() for p in directory.iterdir() if p.name != "run.json"}


@pytest.mark.parametrize("file_format", ["parquet", "jsonl", "csv"])
def test_every_format_holds_the_tables(tmp_path: Path, file_format: str) -> None:
    """Each format reads back as the frames that were written."""
    result = dedupe.scan(SEEDS, format=file_format)
    names = [path.name for path in write_scan(result, tmp_path)]

    suffix = {"parquet": ".parquet", "jsonl": ".jsonl", "csv": ".csv"}[file_format]
    tables = [f"{name}{suffix}" for name in ("documents", "pairs", "passages", "families")]
    assert names == [*tables, "errors.jsonl", "run.json"]
    path = tmp_path / f"passages{suffix}"
    if file_format == "parquet":
        passages = pl.read_parquet(path)
    else:
        passages = pl.read_ndjson(path) if file_format == "jsonl" else pl.read_csv(path)
    assert passages.rows() == result.passages.rows()
    assert json.loads((tmp_path / "run.json").read_text())["counts"]["families"] == 1


def test_bytes_do_not_depend_on_order_threads_or_chunks(tmp_path: Path) -> None:
    """Shuffled input, other thread counts and chunk sizes write the same bytes."""
    frame = generate.corpus(500, seed=3, shape=generate.Shape(words=90))
    written = []
    for run, (seed, threads, chunk) in enumerate([(0, 1, 16.0), (1, 2, 0.05), (2, 2, 0.002)]):
        source = tmp_path / f"{run}.parquet"
        frame.sample(fraction=1, shuffle=True, seed=seed).write_parquet(source)
        out = tmp_path / f"out{run}"
        write_scan(dedupe.scan(source, threads=threads, chunk_mb=chunk), out)
        written.append(_bytes(out))

    assert len(written[0]["pairs.parquet"]) > 1000
    assert written[1] == written[0]
    assert written[2] == written[0]


def test_another_format_replaces_the_earlier_tables(tmp_path: Path) -> None:
    """A directory never holds the tables of two runs."""
    write_scan(dedupe.scan(SEEDS, format="csv"), tmp_path)
    write_scan(dedupe.scan(SEEDS, format="jsonl"), tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("documents.jsonl", "errors.jsonl", "families.jsonl", "pairs.jsonl", "passages.jsonl"),
        "run.json",
    ]


def test_a_failed_write_leaves_no_finished_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a table cannot be written, `run.json` is gone and nothing half-written is left."""
    result = dedupe.scan(SEEDS, format="jsonl")
    write_scan(result, tmp_path)

    def fail(_: pl.DataFrame, path: Path) -> None:
        path.write_text('{"half', encoding="utf-8")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_ndjson", fail)
    with pytest.raises(dedupe.OutputError, match="No space left"):
        write_scan(result, tmp_path)

    assert not (tmp_path / "run.json").exists()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Writing below a file fails with an error that names the place."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(dedupe.OutputError, match="file"):
        write_scan(dedupe.scan(SEEDS), tmp_path / "file" / "out")


def test_problems_are_one_line_each(tmp_path: Path) -> None:
    """`errors.jsonl` has a JSON object per problem, in order."""
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"id": "a", "text": "one two"}\n{"id": \n[]\n', encoding="utf-8")
    write_scan(dedupe.scan(broken), tmp_path / "out")

    lines = (tmp_path / "out" / "errors.jsonl").read_text(encoding="utf-8").splitlines()
    problems = [json.loads(line) for line in lines]
    assert [problem["line"] for problem in problems] == [2, 3]
    assert all(set(p) == {"path", "line", "reason", "remedy", "id"} for p in problems)


def test_output_within_the_corpus_is_not_read_again(tmp_path: Path) -> None:
    """Scanning a directory twice, with the output inside it, gives the same both times."""
    for seed in SEEDS.iterdir():
        (tmp_path / seed.name).write_bytes(seed.read_bytes())
    for out in (tmp_path / "out", tmp_path):
        for file_format in ("jsonl", "parquet"):
            result = dedupe.scan(tmp_path, format=file_format)
            assert result.documents.height == 5
            assert result.problems == []
            write_scan(result, out)
    assert dedupe.scan(tmp_path / "*.*").documents.height == 5


@pytest.mark.parametrize("name", ["documents.jsonl", "pairs.parquet", "errors.jsonl"])
def test_an_input_is_never_written_over(tmp_path: Path, name: str) -> None:
    """A corpus named like a table is refused as the place of that table, before any work."""
    (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(dedupe.ConfigError, match="written over"):
        check_output(tmp_path, [str(tmp_path / name)])


def test_files_that_are_no_scans_are_left_alone(tmp_path: Path) -> None:
    """A directory with somebody's own documents.csv is no place for results."""
    (tmp_path / "documents.csv").write_text("id,text\n", encoding="utf-8")
    with pytest.raises(dedupe.ConfigError, match="not from a scan"):
        check_output(tmp_path, ["-"])

    check_output(tmp_path / "new", ["-"])
    write_scan(dedupe.scan(SEEDS), tmp_path / "new")
    check_output(tmp_path / "new", ["-"])
    assert not [p for p in (tmp_path / "new").iterdir() if p.name.startswith(".")]


def test_a_full_disk_is_an_output_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What polars raises when it cannot write is told like any other failure to write."""

    def fail(*_: object, **__: object) -> None:
        raise pl.exceptions.ComputeError("No space left on device (os error 28)\nmore")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", fail)
    with pytest.raises(dedupe.OutputError, match=r"\(No space left on device \(os error 28\)\)"):
        write_scan(dedupe.scan(SEEDS), tmp_path)
