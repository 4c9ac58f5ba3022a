"""How time, memory and disk grow with the corpus, and whether everything is still found.

`python -m benchmarks.growth --sizes 10000 30000 100000 -o benchmarks/results/growth.md`

Corpora are generated, so the truth is known at any size: who is whose copy or excerpt, and how
much of its text is left. Each is scanned once by a process of its own. Found counts a copy or an
excerpt whose containment with its original is a fifth or more and which is listed as a pair, or
stands in a family, with another of its story. A plot is written beside the report, as `.svg`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Run, cli, environment, machine, run, warm
from benchmarks.plot import Panel, Series, loglog
from benchmarks.tools import has_pairs_only

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["Score", "Step", "plot", "report", "score"]

WORDS = 575
"""Median words of an article: a million articles are 3.4 GB of text."""
LOWEST = 0.2
LARGE = 500
"""Copies from which a family must be whole: the largest of every block of 50,000 articles is."""
MODES = {"pairs": "pairs and families", "full": "everything aligned and written"}


@dataclass(frozen=True, slots=True)
class Score:
    """What was found of a generated corpus.

    Attributes:
        copies, found: copies and excerpts with a containment of `LOWEST` or more that share with
            their original what makes a pair; of these found.
        too_short: copies and excerpts of such a containment that share less, and count nowhere.
        large, whole: families of `LARGE` or more such members; of these in one family, entirely.
        largest: members of the largest of them.
        least: the least share of such a family that is in one family.
        strangers: articles in a family with whose story they share nothing.
        in_families: articles in families.
    """

    copies: int
    found: int
    too_short: int
    large: int
    whole: int
    largest: int
    least: float
    strangers: int
    in_families: int


@dataclass(frozen=True, slots=True)
class Step:
    """One corpus, scanned.

    Attributes:
        articles, text: articles, and bytes of their texts.
        measured: the process.
        score: what was found.
    """

    articles: int
    text: int
    measured: Run
    score: Score


def score(truth: pl.DataFrame, pairs: pl.DataFrame, documents: pl.DataFrame) -> Score:
    """Compare a scan with the truth of a generated corpus.

    Args:
        truth: the corpus, without its texts.
        pairs: columns a, b.
        documents: columns id, family.
    """
    import polars as pl

    from benchmarks.oracle import MIN_SHARED

    told = truth.join(documents.select("id", "family"), on="id", how="left")
    story = truth.select("id", "family_truth").drop_nulls()
    listed = (
        pairs.select("a", "b")
        .join(story.rename({"id": "a", "family_truth": "first"}), on="a")
        .join(story.rename({"id": "b", "family_truth": "second"}), on="b")
        .filter(pl.col("first") == pl.col("second"))
    )
    found = pl.concat([listed["a"], listed["b"]]).unique()
    together = pl.len().over("family_truth", "family") > 1
    told = told.with_columns(
        found=pl.col("id").is_in(found.implode())
        | (pl.col("family").is_not_null() & pl.col("family_truth").is_not_null() & together)
    )
    alike = told.filter(
        pl.col("family_truth").is_not_null(), pl.col("share_truth").fill_null(1) >= LOWEST
    )
    # The original itself has neither.
    kept = alike.filter(pl.col("shared_truth").fill_null(MIN_SHARED) >= MIN_SHARED)
    copies = kept.filter(pl.col("kind_truth").is_in(["copy", "excerpt"]))
    large = (
        kept.group_by("family_truth")
        .agg(pl.len(), share=pl.col("family").drop_nulls().value_counts().struct.field("count").max() / pl.len())
        .filter(pl.col("len") >= LARGE)
        .with_columns(pl.col("share").fill_null(0.0))
    )  # fmt: skip
    return Score(
        copies=len(copies),
        found=int(copies["found"].sum()),
        too_short=len(alike) - len(kept),
        large=len(large),
        whole=int((large["share"] == 1).sum()),
        largest=_number(large["len"].max()),
        least=float(large["share"].min() or 0.0) if len(large) else 1.0,  # type: ignore[arg-type]
        strangers=_strangers(told),
        in_families=int(told["family"].is_not_null().sum()),
    )


def _number(value: Any) -> int:
    return int(value or 0)


def _strangers(told: pl.DataFrame) -> int:
    """Members of families that hold nothing of the story that most of the family are copies of."""
    import polars as pl

    members = told.drop_nulls("family")
    main = (
        members.drop_nulls("family_truth")
        .group_by("family", "family_truth")
        .len()
        .sort("len", "family_truth", descending=True)
        .group_by("family", maintain_order=True)
        .agg(main=pl.col("family_truth").first())
    )
    at_home = (pl.col("family_truth") == pl.col("main")).fill_null(value=False) | pl.col(
        "contains"
    ).list.contains(pl.col("main")).fill_null(value=False)
    return len(members.join(main, on="family", how="left").filter(~at_home))


def report(steps: Sequence[Step]) -> str:
    """What each corpus cost, and what was found in it."""
    from benchmarks.tables import markdown

    header = [
        *(
            "articles",
            "text",
            "seconds",
            "per 10,000",
            "CPU seconds",
            "peak memory",
            "disk",
            "pairs",
        ),
        *("recall", "share too little", "large families whole", "least share", "strangers"),
    ]
    return markdown(
        header,
        [
            [
                step.articles,
                _size(step.text),
                f"{step.measured.seconds:.1f}",
                f"{step.measured.seconds / step.articles * 10_000:.2f}",
                f"{step.measured.cpu:.1f}",
                _size(step.measured.peak),
                _size(step.measured.disk),
                step.measured.said.get("pairs"),
                f"{step.score.found / max(1, step.score.copies):.4f} of {step.score.copies:,}",
                f"{step.score.too_short:,}",
                f"{step.score.whole} of {step.score.large}",
                f"{step.score.least:.4f}",
                f"{step.score.strangers:,} of {step.score.in_families:,}",
            ]
            for step in steps
        ],
    )


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def stages(steps: Sequence[Step]) -> str:
    """Seconds by stage, a column for each corpus."""
    from benchmarks.tables import markdown

    names = list(dict.fromkeys(name for step in steps for name in step.measured.said["stages"]))
    return markdown(
        ["stage", *(f"{step.articles:,}" for step in steps)],
        [
            [name, *(f"{step.measured.said['stages'].get(name, 0.0):.1f}" for step in steps)]
            for name in names
        ],
    )


def plot(steps: dict[str, list[Step]]) -> str:
    """Seconds and peak memory against articles, a line for each mode."""

    def line(mode: str, name: str, unit: float) -> Series:
        values = [(float(s.articles), getattr(s.measured, name) / unit) for s in steps[mode]]
        return Series(mode, values)

    return loglog(
        [
            Panel("seconds", "articles", [line(m, "seconds", 1) for m in steps], "proportional"),
            Panel("peak memory, GB", "articles", [line(m, "peak", 1e9) for m in steps], "proportional"),
        ]
    )  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    parser.add_argument("--words", type=int, default=WORDS, help="median words of an article")
    parser.add_argument("--modes", choices=MODES, nargs="+", default=list(MODES))
    parser.add_argument(
        "--corpora", type=Path, help="keep the corpora here, and use those that are"
    )
    parser.add_argument(
        "-o", "--output", type=Path, help="write the report here, and a plot beside it"
    )
    parser.add_argument("--child", nargs=2, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(_score_files(*args.child)))
        return
    warm()
    steps: dict[str, list[Step]] = {mode: [] for mode in args.modes}
    with tempfile.TemporaryDirectory() as name:
        for size in args.sizes:
            folder = args.corpora or Path(name)
            corpus = _corpus(folder, size, args.words)
            for mode in args.modes:
                steps[mode].append(_step(corpus, size, mode, Path(name)))
            if not args.corpora:
                corpus.unlink()
            # After every size: a run of hours should not lose what it has.
            text = _text(steps, args.words, args.output)
    print(text)


def _corpus(folder: Path, articles: int, words: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"generated-{articles}-{words}.parquet"
    if not path.exists() or not _has_truth(path):
        size = ["--articles", str(articles), "--words", str(words)]
        run([sys.executable, "-m", "benchmarks.generate", *size, "-o", str(path)])
    return path


def _has_truth(path: Path) -> bool:
    """Whether a corpus that was kept has every column: an earlier version of them wrote fewer."""
    import polars as pl

    from benchmarks.generate import SCHEMA

    return SCHEMA.keys() <= pl.read_parquet_schema(path).keys()


def _step(corpus: Path, articles: int, mode: str, folder: Path) -> Step:
    """Scan a corpus in one mode and score what it wrote."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        out, temporary = Path(name) / "out", Path(name) / "tmp"
        temporary.mkdir()
        env = environment(TMPDIR=str(temporary))
        if mode == "pairs":
            command = [sys.executable, "-m", "benchmarks.tools", "dedupe", str(corpus), str(out)]
        else:
            command = cli("scan", corpus, "-o", out, "--quiet")
        measured = run(command, env=env, folders=[out, temporary])
        if mode == "full":
            said = json.loads((out / "run.json").read_text(encoding="utf-8"))
            measured.said.update(stages=said["seconds"], pairs=said["counts"]["pairs"])
        told = run(
            [sys.executable, "-m", "benchmarks.growth", "--child", str(corpus), str(out)]
        ).said
        print(
            f"{articles:,} articles, {mode}: {measured.seconds:.1f} s", file=sys.stderr, flush=True
        )
        return Step(articles, told.pop("text"), measured, Score(**told))


def _score_files(corpus: Path, out: Path) -> dict[str, Any]:
    import polars as pl

    truth = pl.read_parquet(
        corpus,
        columns=["id", "family_truth", "kind_truth", "contains", "share_truth", "shared_truth"],
    )
    size = pl.scan_parquet(corpus).select(pl.col("text").str.len_bytes().sum())
    pairs = pl.read_parquet(out / "pairs.parquet", columns=["a", "b"])
    documents = pl.read_parquet(out / "documents.parquet", columns=["id", "family"])
    text = int(size.collect(engine="streaming").item())
    return {"text": text, **asdict(score(truth, pairs, documents))}


def _text(steps: dict[str, list[Step]], words: int, output: Path | None) -> str:
    """The whole report, written to `output` with its plot if there is one."""
    sizes = " ".join(str(step.articles) for step in next(iter(steps.values())))
    command = f"python -m benchmarks.growth --sizes {sizes} --words {words} --modes"
    parts = [
        "# Growth",
        f"`{command} {' '.join(steps)}`: generated corpora, one run each.",
        machine(),
    ]
    if "pairs" in steps and not has_pairs_only():
        parts.append("This dedupe cannot leave passages out: both modes align every pair.")
    for mode, done in steps.items():
        parts += [f"## {MODES[mode].capitalize()}", report(done), "Seconds by stage:", stages(done)]
    parts.append(
        "*Recall* is of copies and excerpts that have with their original a containment of a fifth or"
        " more and 15 different word 5-grams or more, without which two articles are no pair; those that"
        " *share too little* have the first and not the second, most in a text of a few lines, and count"
        f" nowhere else, found or not; *large families* have {LARGE} or more members that count, and *least"
        " share* is how much of one stands in a single family at least; *strangers* are articles in a"
        " family with whose story they share nothing; *disk* is the most seen at one time in temporary"
        " files and in the output."
    )
    if output:
        picture = output.with_suffix(".svg")
        output.parent.mkdir(parents=True, exist_ok=True)
        picture.write_text(plot(steps), encoding="utf-8")
        parts.insert(3, f"![Seconds and peak memory against articles]({picture.name})")
    text = "\n\n".join(parts)
    if output:
        output.write_text(text + "\n", encoding="utf-8")
    return text


if __name__ == "__main__":
    main()
