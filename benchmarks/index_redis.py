"""What the index in Redis costs: articles a second from one process, and memory for each.

`python -m benchmarks.index_redis CORPUS.parquet --articles 5000 -o benchmarks/results/index_redis.md`

A Redis server of its own is started on this machine. Articles are checked and added one by one, at
the scale that a large index has, and then as many more by `add_many`; into indexes of their own the
first ones are checked and added by four threads of one process, each one by one, and all at once.
Then datasketch's MinHashLSH with Redis storage asks and takes the same articles, which finds
near-duplicates only and keeps no texts. Seconds of processor time are given for both sides, since wall time is of a machine that may
be shared; memory is what the server's grew by, and what each kind of key takes of it.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from benchmarks.measure import emit, machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dedupe import Article

__all__ = [
    "Cost",
    "Server",
    "by_threads",
    "checked_together",
    "datasketch",
    "memory_by_kind",
    "one_by_one",
    "report",
    "together",
]

SCALE = 8
"""The scale of an index of half a million articles and more."""

WARM = 300
"""Articles that every index has before anything is measured: they compile, and begin it."""

THREADS = (4, 16, 64)
"""Articles that are on their way at once: in a small scraper, in Scrapy at its defaults, in a large one."""

KINDS = {
    "a": "articles with their texts",
    "p": "postings",
    "l": "long postings",
    "e": "pairs",
    "i": "ids",
    "f": "names of families",
    "c": "sizes of families",
}
"""Kinds of keys, by the letter after the prefix."""


class Server:
    """A Redis server that keeps nothing on disk."""

    def __enter__(self) -> Self:
        import redis

        self._folder = tempfile.mkdtemp(prefix="dedupe-bench-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        words = {"--port": self.port, "--bind": "127.0.0.1", "--save": "", "--dir": self._folder}
        program = shutil.which("redis-server") or "redis-server"
        self._process = subprocess.Popen(  # noqa: S603 - our own
            [program, *(str(word) for pair in words.items() for word in pair)],
            stdout=subprocess.DEVNULL,
        )
        self.client = redis.Redis(port=self.port)
        for _ in range(200):
            with contextlib.suppress(redis.ConnectionError):
                self.client.ping()
                return self
            time.sleep(0.05)
        raise TimeoutError("redis-server does not start")

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def cpu(self) -> float:
        """Seconds of processor time that it took."""
        told: dict[str, Any] = self.client.info("cpu")
        return float(told["used_cpu_user"] + told["used_cpu_sys"])

    def memory(self) -> int:
        """Bytes that it holds."""
        return int(self.client.info("memory")["used_memory"])


@dataclass(frozen=True, slots=True)
class Cost:
    """What some articles cost.

    Attributes:
        name: of what was done.
        articles: how many.
        seconds: wall time.
        client, server: seconds of processor time on both sides.
        grown: bytes that the server's memory grew by.
    """

    name: str
    articles: int
    seconds: float
    client: float
    server: float
    grown: int


def _cost(server: Server, name: str, articles: int, work: Callable[[], object]) -> Cost:
    grown, spent = server.memory(), server.cpu()
    wall, own = time.perf_counter(), time.process_time()
    work()
    seconds, client = time.perf_counter() - wall, time.process_time() - own
    return Cost(name, articles, seconds, client, server.cpu() - spent, server.memory() - grown)


def one_by_one(server: Server, url: str, articles: Sequence[Article]) -> Cost:
    """Check and add articles one by one."""
    from dedupe import Index

    with Index.open(url, scale=SCALE) as index:
        return _cost(
            server,
            "`check_and_add`",
            len(articles),
            lambda: [index.check_and_add(article) for article in articles],
        )


def together(server: Server, url: str, articles: Sequence[Article]) -> Cost:
    """Add articles many at a time."""
    from dedupe import Index

    with Index.open(url, scale=SCALE) as index:
        return _cost(server, "`add_many`", len(articles), lambda: index.add_many(articles))


def by_threads(server: Server, url: str, articles: Sequence[Article], threads: int) -> Cost:
    """Check and add articles one by one in each of some threads."""
    from dedupe import Index

    with Index.open(url, scale=SCALE) as index, ThreadPoolExecutor(threads) as pool:
        index.check_and_add_many(articles[:WARM])
        return _cost(
            server,
            f"`check_and_add`, {threads} threads",
            len(articles) - WARM,
            lambda: deque(pool.map(index.check_and_add, articles[WARM:]), 0),
        )


def checked_together(server: Server, url: str, articles: Sequence[Article]) -> Cost:
    """Check and add articles many at a time."""
    from dedupe import Index

    with Index.open(url, scale=SCALE) as index:
        index.check_and_add_many(articles[:WARM])
        return _cost(
            server,
            "`check_and_add_many`",
            len(articles) - WARM,
            lambda: index.check_and_add_many(articles[WARM:]),
        )


def datasketch(server: Server, articles: Sequence[Article]) -> Iterator[Cost]:
    """The same by datasketch: making MinHashes of 128 permutations, then asking and inserting."""
    from datasketch import MinHash, MinHashLSH

    storage = {
        "type": "redis",
        "basename": b"peer",
        "redis": {"host": "127.0.0.1", "port": server.port},
    }
    index = MinHashLSH(threshold=0.7, num_perm=128, storage_config=storage)
    made: list[Any] = []

    def make() -> None:
        for article in articles:
            words = re.findall(r"\w+", article.text.lower())
            grams = {" ".join(words[k : k + 5]).encode() for k in range(max(1, len(words) - 4))}
            minhash = MinHash(num_perm=128)
            minhash.update_batch(grams)
            made.append(minhash)

    def insert() -> None:
        for article, minhash in zip(articles, made, strict=True):
            index.query(minhash)
            index.insert(article.id, minhash)

    yield _cost(server, "datasketch: MinHashes", len(articles), make)
    yield _cost(server, "datasketch: `query` and `insert`", len(articles), insert)


def memory_by_kind(server: Server, prefix: str) -> Counter[str]:
    """Bytes of all keys of an index, by kind."""
    found: Counter[str] = Counter()
    names = server.client.scan_iter(f"{prefix}:*", count=1000)
    while some := list(islice(names, 1000)):
        pipe = server.client.pipeline(transaction=False)
        for name in some:
            pipe.memory_usage(name)
        for name, size in zip(some, pipe.execute(), strict=True):
            kind = chr(name[len(prefix) + 1])
            # "n0", "o0" and so on are of the whole; so are names like "state".
            found[kind if kind in KINDS and name[-5:] != b"state" else ""] += size or 0
    return found


def report(costs: Sequence[Cost], kinds: Counter[str], articles: int) -> str:
    """Tables of what was measured."""
    lines = [
        "| what | articles | a second | client ms/article | server ms/article | bytes/article |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {c.name} | {c.articles:,} | {c.articles / c.seconds:,.0f} | "
        f"{1000 * c.client / c.articles:.2f} | {1000 * c.server / c.articles:.2f} | "
        f"{c.grown / c.articles:,.0f} |"
        for c in costs
    ]
    lines += ["", "| keys of the index | bytes/article |", "| --- | ---: |"]
    lines += [
        f"| {KINDS.get(kind, 'of the whole')} | {size / articles:,.0f} |"
        for kind, size in kinds.most_common()
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--articles", type=int, default=4000, help="one by one, and again together")
    parser.add_argument("--peer", type=int, default=1000, help="articles for datasketch; 0: none")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    import redis

    from benchmarks.index import articles_of

    n = options.articles
    articles = list(articles_of(options.corpus, 0, WARM + 2 * n))
    with Server() as server:
        url = f"redis://127.0.0.1:{server.port}/0?articles={4 * n}&prefix="
        one_by_one(server, f"{url}bench", articles[:WARM])
        costs = [
            one_by_one(server, f"{url}bench", articles[WARM : WARM + n]),
            *(by_threads(server, f"{url}{k}", articles[: WARM + n], k) for k in THREADS),
            checked_together(server, f"{url}many", articles[: WARM + n]),
            together(server, f"{url}bench", articles[WARM + n :]),
        ]
        kinds = memory_by_kind(server, "bench")
        held = len(articles)
        if options.peer:
            costs += datasketch(server, articles[: options.peer])
        version = server.client.info("server")["redis_version"]
    words = sum(len(article.text.split()) for article in articles) / held
    emit(
        "# The index in Redis\n\n"
        f"{machine(('datasketch', 'redis'))}\n\n"
        f"Redis {version} on the same machine, redis-py {redis.__version__}; {held:,} articles of "
        f"{words:.0f} words, scale {SCALE}.\n\n" + report(costs, kinds, held),
        options.output,
    )


if __name__ == "__main__":
    main()
