"""Kernels compiled, and the same kernels as plain Python.

All other tests of kernels run as plain Python, too, with NUMBA_DISABLE_JIT=1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import asdict
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import examples, tokenise_texts

import dedupe
from dedupe import _jit
from dedupe.align import align_pair, align_pairs
from dedupe.boilerplate import Known, mark_boilerplate
from dedupe.comparing import compare
from dedupe.config import Config
from dedupe.features import extract
from dedupe.grade import measure
from dedupe.lsh import band_candidates, group_by_representative
from dedupe.paragraphs import unwrap
from dedupe.quotations import mark_quotations
from dedupe.records import Article, Batch
from dedupe.scanning import scan
from dedupe.shingle import fill_shingles, fingerprint, shingles
from dedupe.tokens import tokenise
from dedupe.verify import distinct_shingles, grams_of, resemblance, shared_shingles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


ROOT = Path(dedupe.__file__).parent.parent
SEEDS = [str(path) for path in sorted((ROOT / "seeds").glob("*.txt"))]
WIRE, STORY = SEEDS[0], SEEDS[3]


# Texts ---------------------------------------------------------------------------------------

SENTENCES = (
    "The U.S. minister said on Monday that 4,000 people had fled the town of Deir al-Zour.",
    "“We don’t know who did it,” he told reporters, “and we won't guess.”",
    "By JANE DOE\nAssociated Press",
    "Der Präsident sagte: „Das ist nicht wahr“, und ging.",
    "Министр заявил, что 3,5 млн рублей были выплачены.",
    "وقال الرئيس إنّ الحكومة ستدفع ٥٠٠ مليون ليرة",
    "東京で地震があり、約30人がけがをした。",
    "ประชาชนหลายพันคนออกจากเมือง",
    "मंत्री ने कहा कि वह नहीं जाएगा।",
    "정부는 내년 예산을 발표했다.",
    "Sign up for our newsletter. Follow us on Twitter @paper.",
    "| 12 | 7 | 3.5 | 4 | 12 | 7 |",
    "la la la la la la la la la la",
    "",
)

sentences = st.one_of(
    st.sampled_from(SENTENCES), st.text("abc .,\"'“”\n\r中กé\u0301-5", max_size=40)
)
texts = st.lists(sentences, max_size=12).map("\n".join)


@st.composite
def rewrites(draw: st.DrawFn) -> tuple[str, str]:
    """Two texts of which one took sentences of the other, moved and with words changed."""
    source = draw(st.lists(sentences, min_size=1, max_size=12))
    taken = draw(st.lists(st.sampled_from(source), max_size=12))
    own = draw(st.lists(sentences, max_size=3))
    words = "\n".join(draw(st.permutations(taken + own))).split(" ")
    for k in draw(st.lists(st.integers(0, len(words) - 1), max_size=6)):
        words[k] = draw(st.sampled_from(["other", "", "not", "5,000", words[0]]))
    return "\n".join(source), " ".join(words)


# Helpers -------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """A result in which arrays are lists beside their type, so that == compares all of it."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.tolist()
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def in_both_modes(work: Callable[[], Any]) -> None:
    """What work returns is the same, compiled and as plain Python."""
    with budget(inf), _jit.interpreted(wanted=False):
        compiled = plain(work())
    with _jit.interpreted():
        assert plain(work()) == compiled


def plain_scan(path: Path, **config: Any) -> Any:
    """All tables and problems of a scan, as plain rows."""
    result = scan(path, **config)
    tables = result.documents, result.pairs, result.passages, result.families
    return [table.to_dicts() for table in tables], list(map(asdict, result.problems))


@contextmanager
def budget(n_bytes: float, *, loaded: bool = False) -> Iterator[None]:
    """As in a process that has handled so much text without compiled code, or has loaded some."""
    before, prepared = _jit._Spent.n_bytes, _jit._prepared.copy()
    _jit._Spent.n_bytes = n_bytes
    _jit._prepared[:] = [True] if loaded else []
    try:
        yield
    finally:
        _jit._Spent.n_bytes = before
        _jit._prepared[:] = prepared


def run_python(code: str, *args: str, **environment: str) -> str:
    """What a new process prints; its caches are those of this one unless the environment says."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *args],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "0", "PYTHONPATH": str(ROOT), **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def spans_of(offsets: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """First token and token after the last of each article."""
    return np.stack([offsets[:-1], offsets[1:]], axis=1)


# The two modes give the same -----------------------------------------------------------------


@examples
@given(st.lists(texts, max_size=4))
def test_tokens_marks_and_flags(found: list[str]) -> None:
    """Tokens, marks, paragraphs and quotations are the same in both modes."""

    def work() -> Any:
        articles = [Article(id=str(k), text=text) for k, text in enumerate(found)]
        tokens, marks = tokenise(Batch.from_articles(articles))
        before = tokens.flags.copy()
        unwrap(tokens, marks)
        mark_quotations(tokens, marks)
        return tokens, marks, before

    in_both_modes(work)


@examples
@given(st.lists(texts, max_size=4), st.integers(1, 6), st.sampled_from([1, 2, 8]))
def test_features(found: list[str], w: int, scale: int) -> None:
    """Shingles, fingerprints, band keys and sketches are the same in both modes."""
    _, tokens = tokenise_texts(found)
    config = Config(shingle=w, bands=4)
    in_both_modes(lambda: extract(tokens, config, scale))
    in_both_modes(lambda: (shingles(tokens.hashes, w), fingerprint(tokens.hashes)))


@examples
@given(st.lists(texts, min_size=2, max_size=5), st.integers(1, 5))
def test_verification_and_bands(found: list[str], w: int) -> None:
    """Shared shingles, resemblances, bands, near groups and boilerplate are the same in both modes."""
    _, tokens = tokenise_texts(found)
    spans, hashes = spans_of(tokens.offsets), tokens.hashes
    n = len(found)
    pairs = np.array([(i, j) for i in range(n) for j in range(i + 1, n)], np.int64)
    limit = np.uint64(2**63)

    def work() -> Any:
        shared = shared_shingles(pairs, spans, hashes, w)
        bands = extract(tokens, Config(shingle=w), 1).bands
        near = band_candidates(bands, np.diff(tokens.offsets) >= w)
        known = np.unique(shingles(hashes, w))
        flags = tokens.flags.copy()
        grams = grams_of(hashes, w)
        every_second = Known.of_all(n, known[known <= limit][::2])
        mark_boilerplate(
            np.arange(n), spans, hashes, grams, flags, w, limit, every_second, spans[:, 0]
        )
        groups = group_by_representative(n, near)
        sizes = distinct_shingles(np.arange(n), spans, hashes, w)
        return shared, resemblance(pairs, shared, sizes), near, groups, flags

    in_both_modes(work)


@examples
@given(rewrites())
def test_alignment_and_grade(pair: tuple[str, str]) -> None:
    """Alignments and what is measured for the grade are the same in both modes, to the last bit."""
    a, b = (tokenise_texts([text])[1] for text in pair)
    n_a, n_b = len(a.hashes), len(b.hashes)
    hashes, flags = np.concatenate([a.hashes, b.hashes]), np.concatenate([a.flags, b.flags])
    spans = np.array([[0, n_a], [n_a, n_a + n_b]], np.int64)

    def work() -> Any:
        aligned, partner = align_pair(a.hashes, a.flags, b.hashes, b.flags)
        both = align_pairs(np.array([[0, 1], [1, 0]], np.int64), spans, hashes, flags)
        return aligned, partner, both, measure(pair[0], a, pair[1], b, partner) if n_b else None

    if min(n_a, n_b):
        in_both_modes(work)


@examples
@given(rewrites())
def test_comparisons(pair: tuple[str, str]) -> None:
    """All that compare() says is the same in both modes."""
    in_both_modes(lambda: compare(*pair).to_dict())


@settings(examples, max_examples=15)
@given(st.lists(rewrites(), max_size=3), st.integers(1, 12))
def test_scans(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str, str]], least: int
) -> None:
    """All tables of a scan are the same in both modes."""
    path = tmp_path_factory.mktemp("scan") / "news.jsonl"
    lines = [
        json.dumps({"id": f"{k}{side}", "text": text, "source": "ab"[k % 2]})
        for k, pair in enumerate(found)
        for side, text in zip("xy", pair, strict=True)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")

    config = {"min_shared_words": least, "shingle": min(3, least), "boilerplate_articles": 3}
    in_both_modes(lambda: plain_scan(path, **config))


def test_seeds() -> None:
    """The seeds' whole comparison and scan are the same in both modes."""
    a, b = (Path(path).read_text(encoding="utf-8") for path in (WIRE, STORY))
    in_both_modes(lambda: compare(a, b).to_dict())
    in_both_modes(lambda: plain_scan(ROOT / "seeds"))


@pytest.mark.parametrize("form", ["text", "json"])
def test_printed_seeds(form: str) -> None:
    """What the command prints of the seeds is the same, whether or not it uses compiled code."""
    code = (
        "import sys; from dedupe import _jit, cli; _jit._Spent.n_bytes = float(sys.argv.pop(1));"
        "cli.main()"
    )
    args = "compare", WIRE, STORY, "--format", form
    assert run_python(code, "0", *args) == run_python(code, "inf", *args)


# What runs how -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", [["--help"], ["compare", WIRE, STORY], ["scan", str(ROOT / "seeds")]]
)
def test_small_inputs_need_no_compiler(command: list[str]) -> None:
    """The command handles the seeds without importing numba, let alone compiling."""
    code = """
import sys
from dedupe import cli
try:
    cli.main()
except SystemExit as stop:
    assert not stop.code
print("numba" in sys.modules, file=sys.stdout)
"""
    assert run_python(code, *command).splitlines()[-1] == "False"


def test_a_library_call_needs_no_compiler() -> None:
    """So does `dedupe.compare` of two short texts, and importing everything."""
    code = """
import sys, dedupe, dedupe.cli, dedupe.comparing, dedupe.scanning
dedupe.compare("one two three four " * 5, "one two three four " * 6)
print("numba" in sys.modules)
"""
    assert run_python(code) == "False\n"


def test_what_is_small() -> None:
    """Text is small until all of it together is worth loading compiled code, or that is loaded."""
    most = _jit.INTERPRETED_BYTES
    with budget(0):
        assert _jit.small_enough(most // 2)
        assert not _jit.small_enough(most)
        assert _jit.small_enough(most // 2)
        assert not _jit.small_enough(2)
        assert not _jit.small_enough(inf)
    with budget(0, loaded=True):
        assert not _jit.small_enough(1)


def test_an_outer_choice_holds_inside() -> None:
    """Inside a choice for all of a command, a smaller part does not choose anew."""
    with budget(0), _jit.kernels_for(1):
        assert _jit.is_interpreted()
        with _jit.kernels_for(inf):
            assert _jit.is_interpreted()
    with _jit.interpreted(wanted=False):
        assert not _jit.is_interpreted()


def test_the_mode_is_a_thread_s_own() -> None:
    """Other threads run compiled kernels while one runs them as plain Python."""
    modes = []
    with _jit.interpreted():
        thread = threading.Thread(target=lambda: modes.append(_jit.is_interpreted()))
        thread.start()
        thread.join()
        assert _jit.is_interpreted()
    assert modes == [False]


def test_an_error_ends_the_mode() -> None:
    """The mode ends with its block, however that ends."""
    before = _jit.is_interpreted()
    with pytest.raises(ZeroDivisionError), _jit.interpreted(wanted=not before):
        _ = 1 / 0
    assert _jit.is_interpreted() == before


# Compiling -----------------------------------------------------------------------------------


def test_kernels_are_documented_functions() -> None:
    """A kernel has the name and the docstring of its function, and is shown by its name."""
    found: Any = fill_shingles
    assert (found.__name__, found.__module__) == ("fill_shingles", "dedupe.shingle")
    assert found.__doc__ == found.py_func.__doc__
    assert repr(found) == "<kernel dedupe.shingle.fill_shingles>"


def test_compiled_code_of_others_may_call_kernels() -> None:
    """A user's compiled function calls a kernel like any compiled function."""
    from numba import njit

    @njit
    def number(tokens: Any, out: Any) -> int:
        return fill_shingles(tokens, 2, out)

    tokens = np.arange(5, dtype=np.uint64)
    out = np.empty(4, np.uint64)
    assert number(tokens, out) == 4
    assert out.tolist() == shingles(tokens, 2).tolist()


KERNELS = """
import sys, threading
import numpy as np
from dedupe import _jit
from dedupe.shingle import fill_shingles, shingles
{before}
told = []
_jit.before_compiling(lambda: told.append("prepared"))
_jit.when_compiling(lambda: told.append("compiling"))
assert not told and "numba" not in sys.modules
out = [None] * 4
def work(k):
    out[k] = shingles(np.arange(9, dtype=np.uint64), 3).tolist()
threads = [threading.Thread(target=work, args=[k]) for k in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert out[1:] == out[:1] * 3, out
_jit.before_compiling(lambda: told.append("late"))
stats = fill_shingles.compiled().stats
hits, misses = sum(stats.cache_hits.values()), sum(stats.cache_misses.values())
print(hits, misses, bool(stats.cache_path), *told, sum(out[0]))
"""


def test_compiled_code_is_kept(tmp_path: Path) -> None:
    """A first process compiles, once for all threads, and says so; a second one loads."""
    expected = sum(shingles(np.arange(9, dtype=np.uint64), 3).tolist())
    code = KERNELS.format(before="")
    first, second = (run_python(code, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2))
    assert first == f"0 1 True prepared compiling late {expected}\n"
    assert second == f"1 0 True prepared late {expected}\n"


def test_kept_code_goes_into_what_is_compiled_later(tmp_path: Path) -> None:
    """A kernel compiled anew calls another one that was loaded, and both do what they always do."""
    code = """
import sys
import numpy as np
from dedupe.sketch import distinct_ascending, fill_sketch
hashes = np.arange(99, dtype=np.uint64)[::-1].copy()
distinct_ascending(hashes)
(loaded,) = distinct_ascending.compiled().overloads.values()
found = [
    loaded.library.get_pointer_to_function(name) != 0
    for name in (
        loaded.fndesc.llvm_func_name,
        loaded.fndesc.llvm_cpython_wrapper_name,
        loaded.fndesc.llvm_cfunc_wrapper_name,
    )
]
if sys.argv[1] == "both":
    out = np.empty(200, np.uint64)
    n = fill_sketch(np.repeat(hashes, 2), np.uint64(49), out)
    print(sum(distinct_ascending.compiled().stats.cache_hits.values()), out[:n].tolist() == [*range(50)], *found)
"""
    for which in ("one", "both"):
        said = run_python(code, which, NUMBA_CACHE_DIR=str(tmp_path))
    assert said == "1 True True True True\n"


def test_kept_code_is_loaded_without_numba_s_implementations(tmp_path: Path) -> None:
    """A kernel that makes arrays imports how numba makes them when it is compiled, and only then."""
    code = """
import sys
import numpy as np
from dedupe.sketch import distinct_ascending
hashes = np.array([5, 3, 5], np.uint64)
print(distinct_ascending(hashes), *hashes[:2], "numba.np.arrayobj" in sys.modules)
"""
    first, second = (run_python(code, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2))
    assert first == "2 3 5 True\n"
    assert second == "2 3 5 False\n"


def test_all_that_is_kept_can_be_loaded_at_once(tmp_path: Path) -> None:
    """What earlier processes compiled, for all types, and nothing is compiled or called for it."""
    code = """
import sys
import numpy as np
from dedupe import _jit
from dedupe.hashtable import maybe_repeated, table_size
from dedupe.shingle import fill_shingles, shingles
told = []
_jit.when_compiling(lambda: told.append("compiling"))
_jit.load_kept()
assert "numba" not in sys.modules
if sys.argv[1] == "first":
    shingles(np.arange(9, dtype=np.uint64), 3)
    for kind in (np.uint64, np.uint16):
        maybe_repeated(np.arange(9, dtype=kind))
else:
    table_size.compiled()
    with _jit.interpreted():
        _jit.load_kept()
        assert not fill_shingles.compiled().overloads
    _jit.load_kept()
    print(*told, *(len(one.compiled().overloads) for one in (fill_shingles, maybe_repeated, table_size)))
"""
    run_python(code, "first", NUMBA_CACHE_DIR=str(tmp_path))
    assert run_python(code, "second", NUMBA_CACHE_DIR=str(tmp_path)) == "1 2 0\n"


@pytest.mark.parametrize("settings", [{"NUMBA_DISABLE_JIT": "1"}, {}])
def test_where_nothing_is_kept_nothing_is_loaded(settings: dict[str, str]) -> None:
    """Where kernels are compiled in memory, or not at all, the same call does nothing."""
    code = """
import sys
from dedupe import _jit
from dedupe.hashtable import table_size
nowhere = "from numba.core import caching; caching.CacheImpl._locator_classes = []"
_jit.before_compiling(lambda: exec(nowhere))
assert table_size(100) == 256
_jit.load_kept()
print(table_size(100), len(getattr(table_size.compiled(), "overloads", [1])))
"""
    assert run_python(code, **settings) == "256 1\n"


class Kept:
    """Stands for what numba loads kept code with, all but one name; notes what it was asked for."""

    def __init__(self, lacking: str = "") -> None:
        self.asked: list[Any] = []
        self.defined = {"before"}
        self.fails = False
        library = {"_shared_module": None, "_get_module_for_linking": list}
        engine = {"_defined_symbols": self.defined, "_load_defined_symbols": self.asked.append}
        names = ("llvm_func_name", "llvm_cpython_wrapper_name", "llvm_cfunc_wrapper_name")
        for parts in (library, engine):
            parts.pop(lacking, None)
        self._library = library
        self._engine = SimpleNamespace(**engine)
        described = dict(zip(names, ("before", "one", "two"), strict=True))
        described.pop(lacking, None)
        self.payload: Any = (
            ("name", "object", (b"code", b"bits")),
            SimpleNamespace(**described),
            7,
        )

    def create_library(self, _: str) -> SimpleNamespace:
        """An empty library of code."""
        return SimpleNamespace(**self._library)

    def codegen(self) -> Kept:
        """What makes code of a context, which this is, too."""
        return self

    def rebuild(self, _: Any, payload: Any) -> SimpleNamespace:
        """What numba makes of the payload, unless it fails."""
        self.asked.append(payload)
        if self.fails:
            raise OSError
        return SimpleNamespace(library=self.create_library(""))


@pytest.mark.parametrize(
    "lacking",
    [
        "_shared_module",
        "_get_module_for_linking",
        "_defined_symbols",
        "_load_defined_symbols",
        "llvm_func_name",
        "llvm_cfunc_wrapper_name",
    ],
)
def test_another_numba_reads_its_bitcode(lacking: str) -> None:
    """Where numba has one name less than is relied on, kept code is loaded as numba does it."""
    numba = Kept(lacking)
    _jit._without_bitcode(numba.rebuild)(numba, numba.payload)
    assert len(numba.asked) == 1
    assert numba.asked[0] is numba.payload
    assert numba.defined == {"before"}


@pytest.mark.parametrize(
    "payload", [None, (), (("name", "bitcode", b"bits"), None), ("name", b"code", b"bits"), (7, 8)]
)
def test_code_that_is_kept_otherwise(payload: Any) -> None:
    """What numba keeps in another form is loaded as numba does it."""
    numba = Kept()
    _jit._without_bitcode(numba.rebuild)(numba, payload)
    assert len(numba.asked) == 1
    assert numba.asked[0] is payload
    assert numba.defined == {"before"}


def test_bitcode_is_left_out() -> None:
    """Without anything lacking, code is loaded without bitcode, and its names are entered."""
    numba = Kept()
    _jit._without_bitcode(numba.rebuild)(numba, numba.payload)
    ((name, kind, (code, bitcode)), described, other) = numba.asked[0]
    assert (name, kind, code, other) == ("name", "object", b"code", 7)
    assert described is numba.payload[1]
    assert bitcode not in (b"", b"bits")
    assert numba.defined == {"before", "one", "two"}


def test_names_of_code_that_cannot_be_loaded() -> None:
    """Code that fails to load leaves no name defined that was not before."""
    numba = Kept()
    numba.fails = True
    with pytest.raises(OSError):  # noqa: PT011 -- as it was raised
        _jit._without_bitcode(numba.rebuild)(numba, numba.payload)
    assert numba.asked[0] is not numba.payload
    assert numba.defined == {"before"}


def test_loading_needs_nothing_for_compiling() -> None:
    """A process that only loads compiled code does not import how numba compiles numpy, or scipy."""
    code = """
import sys, dedupe
from dedupe import _jit
_jit._Spent.n_bytes = float("inf")
dedupe.scan(sys.argv[1])
print("numba" in sys.modules, "numba.np.arraymath" in sys.modules, "scipy.linalg" in sys.modules)
"""
    run_python(code, str(ROOT / "seeds"))  # compiles what is not kept so far
    assert run_python(code, str(ROOT / "seeds")) == "True False False\n"


def test_without_a_place_for_compiled_code() -> None:
    """Where no cache directory can be written, kernels are compiled in memory."""
    expected = sum(shingles(np.arange(9, dtype=np.uint64), 3).tolist())
    # What numba is left with where it can write neither beside the package nor to the home.
    nowhere = "from numba.core import caching; caching.CacheImpl._locator_classes = []"
    code = KERNELS.format(before=f"_jit.before_compiling(lambda: exec({nowhere!r}))")
    assert run_python(code) == f"0 1 False prepared compiling late {expected}\n"


def test_compiling_may_be_forbidden() -> None:
    """With NUMBA_DISABLE_JIT everything runs as plain Python, without a warning."""
    code = """
import dedupe
words = [str(word) for word in range(5000)]
print(dedupe.compare(" ".join(words), " ".join(words[2000:2300])).b_in_a)
"""
    assert run_python(code, NUMBA_DISABLE_JIT="1") == "1.0\n"


def test_compiling_is_announced_on_a_terminal(tmp_path: Path) -> None:
    """The command says on a terminal that it compiles, once; not where it loads, or is piped."""
    code = """
import io, sys
import numpy as np
from dedupe.cli import _printing
from dedupe.shingle import fingerprint, shingles
class Terminal(io.StringIO):
    def isatty(self):
        return bool(int(sys.argv[1]))
sys.stderr = Terminal()
_printing.announce_compiling()
shingles(np.arange(9, dtype=np.uint64), 3)
fingerprint(np.arange(9, dtype=np.uint64))
print(sys.stderr.getvalue(), end="")
"""
    cache = str(tmp_path)
    said = "dedupe: compiling for this machine, once after installation: up to a minute\n"
    assert run_python(code, "1", NUMBA_CACHE_DIR=cache) == said
    assert run_python(code, "1", NUMBA_CACHE_DIR=cache) == ""
    assert run_python(code, "0", NUMBA_CACHE_DIR=cache + "/other") == ""
