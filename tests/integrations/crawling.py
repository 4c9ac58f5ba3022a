"""Crawls in processes of their own, and what they leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Crawl", "crawl", "finish", "start"]

ROOT = Path(__file__).parent.parent.parent
TIMEOUT = 300
"""Seconds for a crawl of nine pages, in which kernels may have to be compiled."""


class Crawl(NamedTuple):
    """What a crawl left.

    Attributes:
        items: that passed the pipelines, by the path of their page.
        stats: of Scrapy.
        log: what it printed.
    """

    items: dict[str, dict[str, Any]]
    stats: dict[str, Any]
    log: str

    def counts(self) -> dict[str, int]:
        """The counts of the pipeline."""
        return {
            name.removeprefix("dedupe/"): value
            for name, value in self.stats.items()
            if name.startswith("dedupe/") and name != "dedupe/seconds"
        }


def start(address: str, out: Path, settings: dict[str, Any]) -> subprocess.Popen[str]:
    """Start a spider, which writes to `out`."""
    out.mkdir()
    return subprocess.Popen(
        [
            sys.executable,
            str(Path(__file__).parent / "crawl.py"),
            address,
            str(out),
            json.dumps(settings),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def finish(process: subprocess.Popen[str], out: Path) -> Crawl:
    """Wait for a spider to end, and read what it left."""
    try:
        _, log = process.communicate(timeout=TIMEOUT)
    finally:
        process.kill()
    assert process.returncode == 0, log
    lines = (out / "items.jsonl").read_text(encoding="utf-8").splitlines()
    items = [json.loads(line) for line in lines]
    stats = json.loads((out / "stats.json").read_text(encoding="utf-8"))
    return Crawl({item["path"]: item for item in items}, stats, log)


def crawl(address: str, out: Path, **settings: Any) -> Crawl:
    """Crawl the newspapers with these settings."""
    return finish(start(address, out, settings), out)
