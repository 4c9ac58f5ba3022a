"""The tools that `benchmarks.peers` times: each from a Parquet file to pairs, in its own process.

`python -m benchmarks.tools gaoya CORPUS.parquet OUT/`

A tool writes `OUT/pairs.parquet` (ids a, b) and, if it puts articles into groups,
`OUT/documents.parquet` (id, family), and prints a line of JSON: `pairs`, `inner` (seconds from
the texts in memory to pairs, without starting Python and importing packages; dedupe has no
entrance but files, so its own reading is in its figure) and, where the tool tells them, `stages`.

Settings: word 5-grams, lower case, split at white space; 128 hashes where a tool leaves it
open; pairs are those that the tool itself estimates at or above its threshold.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib.util
import json
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["TOOLS", "Found", "Tool", "flat_shingles", "has_pairs_only", "missing"]

WIDTH = 5
NUM_PERM = 128
BANDS = 32
"""Of 4 rows each: for J ≥ .7 as good as certain, .9998."""
THRESHOLD = 0.7
LOW_THRESHOLD = 0.15
CHUNK = 2000
"""Articles shingled at a time: bounds memory, and keeps numpy's passes in the cache."""
THREADS = 2


@dataclass(slots=True)
class Found:
    """What a tool found.

    Attributes:
        a, b: pairs, as row numbers, or as ids from a tool that gives ids, in whatever it gives.
        inner: see above.
        families: the group of each article, None where alone; only from tools that make groups.
        stages: seconds by stage.
    """

    a: Sequence[int] | NDArray[np.int64] | pl.Series
    b: Sequence[int] | NDArray[np.int64] | pl.Series
    inner: float
    families: pl.DataFrame | None = None
    stages: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tool:
    """One row of the table.

    Attributes:
        title: its name there, with what matters of its settings.
        run: path of the corpus to what was found; None if it only passes over the text.
        needs: modules that must be there.
    """

    title: str
    run: Callable[[Path], Found]
    needs: tuple[str, ...] = ()


def missing(tool: Tool) -> list[str]:
    """The modules a tool needs that are not installed."""
    return [name for name in tool.needs if importlib.util.find_spec(name) is None]


def has_pairs_only() -> bool:
    """Whether this dedupe can leave passages out; if not, its row includes aligning every pair."""
    from dedupe.config import Config

    return "passages" in Config.__dataclass_fields__


def dedupe_pairs(path: Path) -> Found:
    """Pairs and families of dedupe at its defaults, without passages where that can be left out."""
    import dedupe

    scan = dedupe.scan
    settings: dict[str, Any] = {"passages": False} if has_pairs_only() else {}
    started = time.perf_counter()
    result = scan(path, **settings)
    return Found(
        result.pairs["a"],
        result.pairs["b"],
        time.perf_counter() - started,
        result.documents.select("id", "family"),
        result.run["seconds"],
    )


def bare(path: Path) -> Found:
    """Read the file, tokenise and hash every word, in two threads; and nothing else."""
    from collections import deque
    from concurrent.futures import ThreadPoolExecutor

    from dedupe.config import Config
    from dedupe.corpus import read_corpus
    from dedupe.tokens import tokenise

    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        pending: deque[Any] = deque()
        for batch in read_corpus([path], Config(), []):
            pending.append(pool.submit(tokenise, batch))
            if len(pending) > THREADS:
                pending.popleft().result()
    return Found([], [], time.perf_counter() - started)


def gaoya(path: Path) -> Found:
    """The fastest settings of gaoya with 5-grams: 20 bands of 5 rows, 32-bit hashes."""
    return _gaoya(path, 20, 5, THRESHOLD)


def gaoya_low(path: Path) -> Found:
    """The same with bands that find pairs of low resemblance as well."""
    return _gaoya(path, 64, 2, LOW_THRESHOLD)


def _gaoya(path: Path, bands: int, rows: int, threshold: float) -> Found:
    import gaoya

    texts = _texts(path)
    started = time.perf_counter()
    index = gaoya.minhash.MinHashStringIndex(
        32, threshold, bands, rows, None, "word", True, (WIDTH, WIDTH)
    )
    index.par_bulk_insert_docs(list(range(len(texts))), texts)
    found = index.par_bulk_query(texts)
    pairs = [(a, b) for a, row in enumerate(found) for b in row if a < b]
    return Found(*_columns(pairs), time.perf_counter() - started)


def rensa(path: Path) -> Found:
    """Shingles hashed by polars and numpy in two threads: the fastest way into rensa.

    Its index tells of a matrix of signatures only which rows collide, so these are put into a
    second, small index that tells with which.
    """
    import numpy as np
    from rensa import RMinHash, RMinHashLSH

    texts = _texts(path)
    started = time.perf_counter()
    hashes, offsets = flat_shingles(texts)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, NUM_PERM, 42)
    index = RMinHashLSH(THRESHOLD, NUM_PERM, BANDS)
    index.insert_matrix(matrix, 0)
    rows = np.flatnonzero(index.query_duplicate_flags_matrix(matrix))
    shingles = [
        [shingle.tobytes() for shingle in hashes[int(offsets[row]) : int(offsets[row + 1])]]
        for row in rows
    ]
    sketches = RMinHash.from_token_sets(shingles, NUM_PERM, 42)
    a, b = _columns(_rensa_pairs(sketches))
    return Found(rows[list(a)], rows[list(b)], time.perf_counter() - started)


def rensa_python(path: Path) -> Found:
    """The use of rensa that its manual shows: lists of strings, here the shingles."""
    from rensa import RMinHash

    texts = _texts(path)
    started = time.perf_counter()
    sketches = []
    for start in range(0, len(texts), CHUNK):
        chunk = [list(_shingles(text)) for text in texts[start : start + CHUNK]]
        sketches += RMinHash.from_token_sets(chunk, NUM_PERM, 42)
    pairs = _rensa_pairs(sketches)
    return Found(*_columns(pairs), time.perf_counter() - started)


def _rensa_pairs(sketches: list[Any]) -> list[tuple[int, int]]:
    from rensa import RMinHashLSH

    index = RMinHashLSH(THRESHOLD, NUM_PERM, BANDS)
    index.insert_many(sketches)
    return [
        (a, b)
        for a, row in enumerate(index.query_all(sketches))
        for b in row
        if a < b and sketches[a].jaccard(sketches[b]) >= THRESHOLD
    ]


def fastsketch(path: Path) -> Found:
    """FastSketchLSH on the same shingles as rensa, in two threads."""
    import numpy as np
    from FastSketchLSH import LSH, FastSimilaritySketch

    texts = _texts(path)
    started = time.perf_counter()
    hashes, offsets = flat_shingles(texts)
    sketcher = FastSimilaritySketch(size=NUM_PERM, seed=42)
    sketches = sketcher.batch_csr(hashes, offsets, prehashed=True, num_threads=THREADS)
    index = LSH(num_perm=NUM_PERM, num_bands=BANDS)
    index.insert(sketches)
    b, ends = index.query(sketches, format="csr")
    a = np.repeat(np.arange(len(sketches)), np.diff(ends).astype(np.int64))
    b = np.asarray(b).astype(np.int64)
    once = a < b
    a, b = a[once], b[once]
    alike = np.concatenate(
        [
            (sketches[a[start : start + CHUNK]] == sketches[b[start : start + CHUNK]]).mean(axis=1)
            for start in range(0, len(a), CHUNK)
        ]
        or [np.empty(0)]
    )
    near = alike >= THRESHOLD
    return Found(a[near], b[near], time.perf_counter() - started)


def datasketch(path: Path) -> Found:
    """The default permutations of datasketch 2 (affine32) and the fastest hash it may be given."""
    import numpy as np
    import xxhash
    from datasketch import MinHash

    from benchmarks.families import USUAL, Settings, datasketch_pairs

    texts = _texts(path)
    started = time.perf_counter()
    shingles = ([shingle.encode() for shingle in _shingles(text)] for text in texts)
    minhashes = MinHash.bulk(shingles, num_perm=NUM_PERM, hashfunc=xxhash.xxh32_intdigest)
    signatures = np.array([minhash.hashvalues for minhash in minhashes])
    settings = Settings(USUAL.ngram, THRESHOLD)
    pairs = datasketch_pairs(signatures, minhashes, settings)
    return Found(*_columns(pairs), time.perf_counter() - started)


def text_dedup(path: Path) -> Found:
    """text-dedup's own program in this process, with its fastest hash, in as many processes as cores.

    It makes clusters of articles that collide in a band, and reads the file itself.
    """
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")
    import polars as pl
    from text_dedup import minhash

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        settings = (
            f"--path parquet --split train --column text --cache_dir {folder}/cache"
            f" --output {folder}/out --ngram {WIDTH} --num_perm {NUM_PERM} --hash_func xxh3"
            f" --hash_bits 32 --threshold {THRESHOLD} --num_proc {os.cpu_count()} --data_files"
        )
        minhash.main.main([*settings.split(), str(path)], standalone_mode=False)
        inner = time.perf_counter() - started
    ids = pl.read_parquet(path, columns=["id"])
    clusters = [minhash.uf.find(row) for row in range(len(ids))]
    families = ids.with_columns(family=pl.Series(clusters, dtype=pl.String, strict=False))
    sizes = pl.len().over("family")
    families = families.with_columns(pl.when(sizes > 1).then("family"))
    edges = [(row, first) for row, first in enumerate(clusters) if row != first]
    return Found(*_columns(edges), inner, families)


TOOLS: dict[str, Tool] = {
    "dedupe": Tool("dedupe, pairs and families", dedupe_pairs),
    "gaoya": Tool("gaoya, 20 × 5, J ≥ .7", gaoya, ("gaoya",)),
    "gaoya-low": Tool("gaoya, 64 × 2, J ≥ .15", gaoya_low, ("gaoya",)),
    "rensa": Tool("rensa, shingles by polars, J ≥ .7", rensa, ("rensa",)),
    "rensa-python": Tool("rensa, shingles by Python, J ≥ .7", rensa_python, ("rensa",)),
    "fastsketch": Tool("FastSketchLSH, shingles by polars, J ≥ .7", fastsketch, ("FastSketchLSH",)),
    "datasketch": Tool("datasketch, affine32, J ≥ .7", datasketch, ("datasketch", "xxhash")),
    "text-dedup": Tool("text-dedup minhash, J ≥ .7", text_dedup, ("text_dedup",)),
    "bare": Tool("bare pass", bare),
}


def flat_shingles(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Hashes of the word 5-grams of all texts end to end, and where each text's begin.

    Words are hashed by polars, five words to a shingle by numpy, both without the GIL.

    Returns:
        uint64 (n,) and uint64 (n_texts + 1,).
    """
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    starts = range(0, len(texts), CHUNK)
    with ThreadPoolExecutor(THREADS) as pool:
        parts = list(pool.map(lambda start: _chunk(texts[start : start + CHUNK]), starts))
    empty = (np.empty(0, np.uint64), np.empty(0, np.int64))
    hashes, counts = zip(empty, *parts, strict=True)
    offsets = np.concatenate(([0], np.cumsum(np.concatenate(counts))))
    return np.concatenate(hashes), offsets.astype(np.uint64)


def _chunk(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Shingles of some texts, and how many each has."""
    import numpy as np
    import polars as pl

    words = pl.Series(texts, dtype=pl.String).str.to_lowercase().str.replace_all(r"\s+", " ")
    split = words.str.strip_chars(" ").str.split(" ")
    lengths = split.list.len().to_numpy().astype(np.int64)
    hashed = split.explode().hash(seed=42).to_numpy()
    found = np.zeros(len(hashed), np.uint64)
    mixed = hashed[: max(0, len(hashed) - WIDTH + 1)].copy()
    for shift in range(1, WIDTH):
        mixed *= np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        mixed += hashed[shift : shift + len(mixed)]
    found[: len(mixed)] = mixed
    # The last four words of a text start no shingle of it.
    counts = np.maximum(lengths - WIDTH + 1, 0)
    within = np.arange(len(hashed)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return found[within < np.repeat(counts, lengths)], counts


def _shingles(text: str) -> Iterator[str]:
    """The word 5-grams of a text, as strings."""
    words = text.lower().split()
    return map(" ".join, zip(*(words[shift:] for shift in range(WIDTH)), strict=False))


def _texts(path: Path) -> list[str]:
    import polars as pl

    return pl.read_parquet(path, columns=["text"])["text"].fill_null("").to_list()


def _columns(pairs: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [a for a, _ in pairs], [b for _, b in pairs]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.tools", description=__doc__)
    parser.add_argument("tool", choices=sorted(TOOLS))
    parser.add_argument("corpus", type=Path)
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    _start_like_a_command()
    found = TOOLS[args.tool].run(args.corpus)
    said: dict[str, Any] = {"inner": found.inner, "stages": found.stages}
    if args.tool != "bare":
        said["pairs"] = len(found.a)
        _write(found, args.corpus, args.output)
    print(json.dumps(said))


def _start_like_a_command() -> None:
    """What the command `dedupe` sets before all else, for every tool alike.

    Nothing here multiplies matrices, for which numpy starts threads; and what a tool has made by
    the end of the process is not looked through for garbage once more.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(200_000)  # dedupe's OBJECTS_MADE, without importing it for other tools
    atexit.register(gc.freeze)


def _write(found: Found, corpus: Path, output: Path) -> None:
    import polars as pl

    output.mkdir(parents=True, exist_ok=True)
    a, b = (
        pl.Series(column, dtype=None if len(column) else pl.String) for column in (found.a, found.b)
    )
    if a.dtype != pl.String:
        ids = pl.read_parquet(corpus, columns=["id"])["id"].cast(pl.String)
        a, b = ids.gather(a), ids.gather(b)
    pl.DataFrame({"a": a, "b": b}).write_parquet(output / "pairs.parquet")
    if found.families is not None:
        found.families.write_parquet(output / "documents.parquet")


if __name__ == "__main__":
    main()
