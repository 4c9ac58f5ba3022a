"""What the persistent index costs as it grows: time for an article, memory, disk, opening.

`python -m benchmarks.index CORPUS.parquet --articles 1000000 --every 100000 -o benchmarks/results/index.md`

Articles are added by `add_many`; before each further hundred thousand some are checked and added
one by one, each timed. datasketch's MinHashLSH, in memory, takes the first of the same articles in
the same run: it finds near-duplicates only, and keeps neither texts nor anything on disk. For both on
Redis see `benchmarks.index_redis`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from dedupe import Article

__all__ = ["articles_of", "datasketch", "embedded", "percentiles"]

BATCH = 2000
"""Articles added at a time."""


WARM = 30_000
"""Articles of an index that is not measured."""


def articles_of(corpus: Path, first: int, last: int) -> Iterator[Article]:
    """Articles [first, last) of a corpus, read by another process: its memory is not the index's."""
    from dedupe import Article

    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    reader = context.Process(target=_read, args=(corpus, first, last, sender), daemon=True)
    reader.start()
    sender.close()
    try:
        while True:
            for name, source, title, published, text in receiver.recv():
                yield Article(id=name, source=source, title=title, published=published, text=text)
    except EOFError:
        reader.join()
        if reader.exitcode:
            raise RuntimeError(f"{corpus} could not be read") from None
    finally:
        receiver.close()
        reader.join()


def _read(corpus: Path, first: int, last: int, sender: Connection) -> None:
    import polars as pl

    frame = pl.scan_parquet(corpus).select("id", "source", "title", "published", "text")
    rows = frame.slice(first, last - first)
    with contextlib.suppress(BrokenPipeError):
        for some in rows.collect_batches(chunk_size=500, maintain_order=True):
            sender.send(some.rows())


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Milliseconds: the median, and what 90 and 99 of 100 stay below, and the most."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    return {
        "median": 1000 * statistics.median(ordered),
        "p90": at(0.9),
        "p99": at(0.99),
        "most": 1000 * ordered[-1],
    }


def embedded(
    corpus: Path, url: str, n: int, every: int, probes: int, *, store_text: bool = True
) -> list[dict[str, Any]]:
    """Fill an index; a record of each step."""
    from dedupe import Index

    steps: list[dict[str, Any]] = []
    articles = articles_of(corpus, 0, n)
    opening = time.perf_counter()
    index = Index.open(url, store_text=store_text)
    try:
        opening = time.perf_counter() - opening
        for first in range(0, n, every):
            last = min(first + every, n)
            # The probes come first: on an index as the step before left it.
            timed = []
            for article in list(islice(articles, min(probes, last - first))):
                began = time.perf_counter()
                index.check_and_add(article)
                timed.append(time.perf_counter() - began)
            spent = 0.0
            for start in range(min(first + probes, last), last, BATCH):
                some = list(islice(articles, min(BATCH, last - start)))
                began = time.perf_counter()
                index.add_many(some)
                spent += time.perf_counter() - began
            added = max(0, last - first - probes)
            steps.append(
                {
                    "articles": last,
                    "before": first,
                    "opening": opening,
                    "added_per_second": added / spent if spent else None,
                    **percentiles(timed),
                    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                    **_disk(Path(url)),
                }
            )
            print(_line(steps[-1]), file=sys.stderr, flush=True)
            index.close()
            opening = time.perf_counter()
            index = Index.open(url)
            opening = time.perf_counter() - opening
        steps.append(_last_step(corpus, index, n, probes, opening))
        print(_line(steps[-1]), file=sys.stderr, flush=True)
    finally:
        index.close()
    return steps


def _last_step(corpus: Path, index: Any, n: int, probes: int, opening: float) -> dict[str, Any]:
    """Probes of the full index: its first articles once more under other ids."""
    from dataclasses import replace

    timed = []
    for article in list(articles_of(corpus, 0, probes)):
        again = replace(article, id=f"again {article.id}")
        began = time.perf_counter()
        index.check_and_add(again)
        timed.append(time.perf_counter() - began)
    return {
        "articles": n,
        "before": n,
        "copies": True,
        "opening": opening,
        "added_per_second": None,
        **percentiles(timed),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "tables": 0,
        "runs": 0,
    }


def _disk(directory: Path) -> dict[str, int]:
    sizes = {path.name: path.stat().st_size for path in directory.iterdir()}
    runs = sum(size for name, size in sizes.items() if name.startswith("run-"))
    return {"tables": sum(sizes.values()) - runs, "runs": runs}


def _line(step: dict[str, Any]) -> str:
    rate = step["added_per_second"]
    return (
        f"{step['before']:,} to {step['articles']:,}: add_many {rate or 0:,.0f}/s; check_and_add "
        f"median {step['median']:.2f} p90 {step['p90']:.2f} p99 {step['p99']:.2f} "
        f"most {step['most']:.1f} ms; peak {step['peak'] / 1e6:.0f} MB; "
        f"disk {(step['tables'] + step['runs']) / max(step['articles'], 1):.0f} B/article; "
        f"opened in {step['opening']:.3f} s"
    )


def datasketch(corpus: Path, n: int, probes: int) -> dict[str, Any]:
    """Datasketch's MinHashLSH on the same articles: 128 permutations of word 5-grams, J ≥ .7."""
    from datasketch import MinHash, MinHashLSH

    lsh = MinHashLSH(threshold=0.7, num_perm=128)
    timed = []
    for article in articles_of(corpus, 0, n):
        start = time.perf_counter()
        words = article.text.lower().split()
        sketch = MinHash(num_perm=128)
        sketch.update_batch(
            [" ".join(words[i : i + 5]).encode() for i in range(max(len(words) - 4, 0))]
        )
        lsh.query(sketch)
        lsh.insert(article.id, sketch)
        timed.append(time.perf_counter() - start)
    return {
        "articles": len(timed),
        "added_per_second": len(timed) / sum(timed),
        **percentiles(timed[-probes:]),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def report(steps: dict[str, list[dict[str, Any]]], peer: dict[str, Any] | None, n: int) -> str:
    """The tables."""
    from benchmarks.tables import markdown

    header = [
        *("articles before", "add_many / s", "median ms", "p90", "p99", "most", "peak MB"),
        *("tables B/article", "runs B/article", "opened in s"),
    ]
    parts = []
    for name, rows in steps.items():
        table = markdown(
            header,
            [
                [
                    f"{row['before']:,}" + (" (copies)" if row.get("copies") else ""),
                    f"{row['added_per_second']:,.0f}" if row["added_per_second"] else "",
                    *(f"{row[key]:.2f}" for key in ("median", "p90", "p99", "most")),
                    f"{row['peak'] / 1e6:,.0f}",
                    f"{row['tables'] / row['articles']:,.0f}" if row["tables"] else "",
                    f"{row['runs'] / row['articles']:,.0f}" if row["tables"] else "",
                    f"{row['opening']:.3f}",
                ]
                for row in rows
            ],
        )
        parts += [f"## {name}", table]
    if peer:
        parts += [
            "## datasketch, MinHashLSH in memory",
            (
                f"{peer['articles']:,} articles: {peer['added_per_second']:,.0f} a second, the last ones "
                f"{peer['median']:.2f} ms (p99 {peer['p99']:.2f}); peak {peer['peak'] / 1e6:,.0f} MB."
            ),
        ]
    parts.append(
        "*Before*: articles in the index when the timed ones were checked and added, one by one. "
        "*Copies*: articles that are there already, under other ids. "
        f"*Opened*: closed and opened again before each step. {n:,} articles in all."
    )
    return "\n\n".join(parts)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.index", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--every", type=int, default=10_000, help="articles in a step")
    parser.add_argument("--probes", type=int, default=1000, help="articles timed in each step")
    parser.add_argument("--peer", type=int, default=10_000, help="articles for datasketch; 0: none")
    parser.add_argument("--no-text", action="store_true", help="also an index without texts")
    parser.add_argument("--directory", type=Path, help="keep the indexes here")
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--child", choices=["text", "bare", "datasketch"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(_child(args)))
        return
    from benchmarks.measure import emit, machine, warm

    warm()
    with contextlib.ExitStack() as stack:
        folder = args.directory or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # Runs come with the first ones and are merged: every kernel is compiled then.
        first = argparse.Namespace(**{**vars(args), "articles": min(args.articles, WARM)})
        _in_process(first, "text", folder)
        steps = {"Embedded index": _in_process(args, "text", folder)}
        if args.no_text:
            steps["Embedded index without texts"] = _in_process(args, "bare", folder)
        peer = _in_process(args, "datasketch", folder) if args.peer else None
    command = f"`python -m benchmarks.index CORPUS --articles {args.articles} --every {args.every}`"
    text = "\n\n".join(
        ["# The persistent index", command, machine(), report(steps, peer, args.articles)]
    )
    emit(text, args.output)


def _child(args: argparse.Namespace) -> Any:
    if args.child == "datasketch":
        return datasketch(args.corpus, min(args.peer, args.articles), args.probes)
    url = args.directory / f"{args.child}.idx"
    shutil.rmtree(url, ignore_errors=True)
    return embedded(
        args.corpus,
        str(url),
        args.articles,
        args.every,
        args.probes,
        store_text=args.child == "text",
    )


def _in_process(args: argparse.Namespace, child: str, folder: Path) -> Any:
    numbers = {
        "--articles": args.articles,
        "--every": args.every,
        "--probes": args.probes,
        "--peer": args.peer,
    }
    options = [text for name, value in numbers.items() for text in (name, str(value))]
    command = [sys.executable, "-m", "benchmarks.index", str(args.corpus), *options]
    done = subprocess.run(  # noqa: S603
        [*command, "--child", child, "--directory", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
