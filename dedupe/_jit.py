"""One place that says how kernels run: compiled by numba, or as the plain Python they are.

Importing numba and loading compiled code takes longer than comparing two short articles in
plain Python, and compiling, once after installation, up to a minute. So numba is imported when
the first kernel is to run compiled, and what is small enough is run without it. The results
are the same to the last bit.
"""

from __future__ import annotations

import functools
import pickle
import sys
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    F = TypeVar("F", bound=Callable[..., Any])
    Hook = TypeVar("Hook", bound=Callable[[], object])

__all__ = [
    "Kernel",
    "ascending",
    "before_compiling",
    "in_plain_python",
    "interpreted",
    "is_interpreted",
    "kernel",
    "kernels_for",
    "leaf",
    "load_kept",
    "small_enough",
    "when_compiling",
]

INTERPRETED_BYTES = 32_000
"""UTF-8 bytes of text that a process handles without compiled code.

Loading that takes 0.5 s, as does plain Python for news of 50,000 bytes (compare) or 100,000
(scan), and for two versions of one text of 20,000; random words out of ten, which match everywhere, take 2 s at this size.
"""


class Kernel:
    """A function on flat arrays that runs compiled, or in plain Python inside `interpreted`.

    Nothing is imported, read or compiled before the first call. In compiled code a kernel stands
    for its compiled function; see `compiled`.

    Attributes:
        py_func: the function as it was written.
    """

    py_func: Callable[..., Any]

    def __init__(self, function: Callable[..., Any], **options: bool) -> None:
        functools.update_wrapper(self, function)
        self._options = options
        self.py_func = function
        self._compiled: Callable[..., Any] | None = None
        self._plain: Callable[..., Any] | None = None
        self._plain_source = function
        _kernels.append(self)

    def __call__(self, *args: Any) -> Any:
        if _is_interpreted.get():
            with np.errstate(over="ignore"):  # hashes are arithmetic modulo 2^64
                return (self._plain or self.plain())(*args)
        return (self._compiled or self.compiled())(*args)

    def __repr__(self) -> str:
        return f"<kernel {self.py_func.__module__}.{self.py_func.__qualname__}>"

    def compiled(self) -> Any:
        """The numba dispatcher: compiles for the types it is called with, or loads what is kept."""
        with _lock:
            if self._compiled is None:
                _prepare()
                self._compiled = _dispatcher(self.py_func, self._options)
            return self._compiled

    def load_kept(self) -> None:
        """Load what is kept of it compiled, for all types that it was ever called with."""
        compiled = self.compiled()
        try:
            kept, codegen = compiled._cache, compiled.targetctx.codegen()  # noqa: SLF001
            keys, key_of = kept._cache_file._load_index(), kept._index_key  # noqa: SLF001
            signatures = [key[0] for key in keys if key == key_of(key[0], codegen)]
        except (AttributeError, TypeError, OSError):  # nothing is kept, or in another way
            return
        for signature in signatures:
            compiled.compile(signature)

    def plain(self) -> Callable[..., Any]:
        """The function as plain Python in which other kernels are plain functions, too.

        So the mode is looked at once, where Python calls a kernel, and not at each of the calls
        of kernels by kernels, which are made for every character.
        """
        with _lock:
            if self._plain is None:
                self._plain = _plain_version(self._plain_source)
            return self._plain

    @property
    def _numba_type_(self) -> Any:
        """What numba takes a kernel for where compiled code calls one: its dispatcher."""
        return self.compiled()._numba_type_


_kernels: list[Kernel] = []


def load_kept() -> None:
    """Load the compiled code that is kept of all kernels there are by now: .3 s, once a process.

    For who handles one small thing after the other, of which else one and then another one would
    wait for the kernels that it is the first to call. Nothing where kernels are interpreted.
    """
    if _prepared and not is_interpreted():
        for one in _kernels:
            one.load_kept()


def kernel(function: F) -> F:
    """Make a function a kernel; see `Kernel`."""
    return cast("F", Kernel(function))


def leaf(function: F) -> F:
    """A kernel that makes no array, and keeps none that it is given, so that it counts none.

    numba counts a reference to every array at each call of a kernel and on its return, by calls
    of its own and atomic instructions: dearer than what a small kernel does for one character.
    """
    return cast("F", Kernel(function, _nrt=False))


def in_plain_python(of: F) -> Callable[[F], F]:
    """Run a function in place of a kernel where kernels are interpreted.

    For the few kernels that numpy does much faster than a loop in plain Python; a test compares
    the two.
    """

    def enter(function: F) -> F:
        cast("Kernel", of)._plain_source = function  # noqa: SLF001 -- this module's own
        return function

    return enter


_is_interpreted: ContextVar[bool] = ContextVar("interpreted", default=False)
# One for all: compiling a kernel, or making it plain, does the same to those that it calls.
_lock = threading.RLock()


@contextmanager
def interpreted(*, wanted: bool = True) -> Iterator[None]:
    """Run the kernels called inside as plain Python, if wanted; in this thread alone.

    Threads that are started inside are not concerned, nor are those that run compiled kernels
    meanwhile.
    """
    before = _is_interpreted.set(wanted)
    try:
        yield
    finally:
        _is_interpreted.reset(before)


def is_interpreted() -> bool:
    """Whether kernels called from here run as plain Python."""
    return _is_interpreted.get()


@contextmanager
def kernels_for(n_bytes: float) -> Iterator[None]:
    """Run kernels on so much text in the quicker way; inside another such choice, in that way."""
    with interpreted(wanted=is_interpreted() or small_enough(n_bytes)):
        yield


class _Spent:
    """Text handled without compiled code so far."""

    n_bytes = 0.0


def small_enough(n_bytes: float) -> bool:
    """Whether so much text is better handled without compiled code; yes makes it count.

    What is small by itself may come in a loop: all of it together may take as long as loading
    compiled code, from where on that is worth it. Where code has been loaded, it is used.
    """
    with _lock:
        if _prepared or _Spent.n_bytes + n_bytes > INTERPRETED_BYTES:
            return False
        _Spent.n_bytes += n_bytes
        return True


def _plain_version(function: Callable[..., Any]) -> Callable[..., Any]:
    copy = FunctionType(
        function.__code__,
        _plain_globals(function.__globals__),
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    return cast("Callable[..., Any]", functools.update_wrapper(copy, function))


_plain_modules: dict[int, dict[str, Any]] = {}


def _plain_globals(names: dict[str, Any]) -> dict[str, Any]:
    """A module's names, with plain functions in place of kernels.

    Like compiled code, it does not see names that are changed later.
    """
    found = _plain_modules.get(id(names))
    if found is None:
        # Entered before it is filled, since the kernels of a module call each other.
        found = _plain_modules[id(names)] = dict(names)
        for name, value in names.items():
            if isinstance(value, Kernel):
                found[name] = value.plain()
    return found


def _dispatcher(function: Callable[..., Any], options: dict[str, bool]) -> Any:
    """Numba's compiler for a function, for threads, kept on disk where possible.

    `nogil` lets worker threads run kernels side by side; it compiles far faster than
    `parallel=True`. Where no cache directory can be written numba compiles in memory.
    """
    numba: Any = import_module("numba")
    if numba.config.DISABLE_JIT:
        return _without_compiler(function)
    njit: Any = numba.njit
    try:
        compiled = njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # "no locator available": nowhere to keep the compiled code
        compiled = njit(nogil=True, **options)(function)
    compile_for = compiled.compile
    general: Any = numba.types.unliteral

    def compile_once(signature: Any) -> Any:
        # A call with a constant would compile the kernel anew, for that constant.
        return compile_for(tuple(general(kind) for kind in signature))

    compiled.compile = compile_once
    _load_without_compiler(compiled)
    return compiled


def _load_without_compiler(compiled: Any) -> None:
    """Let kept code be loaded without what only compiling needs.

    Before numba looks for it, it imports how all that it can compile is compiled, and scipy
    where that is installed: .4 of the .6 s from `import numba` to the first kernel. The
    compiler does so itself; of all of it, loaded code needs the runtime for arrays. This is not
    in numba's interface: where it has changed, everything is imported as before.
    """
    try:
        runtime: Any = import_module("numba.core.runtime").rtsys
        kept = compiled._cache  # noqa: SLF001
        _read_without_modules(kept._cache_file)  # noqa: SLF001
        load, guarded = kept._load_overload, kept._guard_against_spurious_io_errors  # noqa: SLF001
        kept._impl.rebuild = _without_bitcode(kept._impl.rebuild)  # noqa: SLF001
    except (ImportError, AttributeError):  # or nothing is kept
        return

    def load_overload(signature: Any, context: Any) -> Any:
        runtime.initialize(context)
        with guarded():
            return load(signature, context)

    kept.load_overload = load_overload


def _read_without_modules(files: Any) -> None:
    """Have the files of kept code read without importing the modules that numba's part of it is from.

    For each of numba's functions that a kernel was compiled with, its module is named, for names
    that only code which goes back to Python looks up there: `numba.np.arrayobj` and what it imports
    take .05 s. Such code is not made of kernels; if it were, a name would be missing there.
    """
    environments: Any = import_module("numba.core.environment")
    make: Any = environments.Environment
    known, rebuild = environments.lookup_environment, environments._rebuild_env  # noqa: SLF001
    remembered, path_of = make._memo, files._data_path  # noqa: SLF001

    def rebuilt(module: str, constants: list[Any], name: str) -> Any:
        if not module.startswith("numba.") or module in sys.modules or known(name) is not None:
            return rebuild(module, constants, name)
        made = make({"__name__": module})
        made.consts[:] = constants
        made.env_name = name
        remembered[name] = made
        return made

    class Reader(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            found = super().find_class(module, name)
            return rebuilt if found is rebuild else found

    def load(name: str) -> Any:
        with open(path_of(name), "rb") as file:  # noqa: PTH123 -- as numba does it
            return Reader(file).load()

    files._load_data  # noqa: B018, SLF001 -- raises where it has another name
    files._load_data = load  # noqa: SLF001


def _without_bitcode(rebuild: Callable[..., Any]) -> Callable[..., Any]:
    """What makes kept code of what was read, and looks at its bitcode only if that is asked for.

    Beside machine code numba keeps bitcode, for kernels that are compiled later and call this one,
    and reads all of it: without that, loading takes .17 CPU seconds in place of .26.
    """

    def rebuilt(context: Any, payload: Any) -> Any:
        try:
            (name, kind, (code, bitcode)), described, *others = payload
            codegen = context.codegen()
            enter: Any = codegen._engine._load_defined_symbols  # noqa: SLF001
            defined: set[str] = codegen._engine._defined_symbols  # noqa: SLF001
            names = {
                described.llvm_func_name,
                described.llvm_cpython_wrapper_name,
                described.llvm_cfunc_wrapper_name,
            }
            _look_up_linking(codegen)
        except (AttributeError, TypeError, ValueError):  # numba keeps or links code in another way
            return rebuild(context, payload)
        names -= defined
        defined.update(names)
        try:
            found = rebuild(context, ((name, kind, (code, _empty_bitcode())), described, *others))
        except BaseException:
            defined -= names
            raise
        _link_later(found.library, bitcode, enter)
        return found

    return rebuilt


@functools.cache
def _look_up_linking(codegen: Any) -> None:
    """Raise an `AttributeError` unless a library has what `_link_later` puts in place."""
    library = codegen.create_library("")
    library._shared_module = library._shared_module  # noqa: SLF001
    library._get_module_for_linking = library._get_module_for_linking  # noqa: SLF001


def _link_later(library: Any, bitcode: bytes, enter: Callable[[Any], object]) -> None:
    """Have a library of code look at its bitcode when something links it, and enter its symbols."""
    library._shared_module = None  # noqa: SLF001

    def for_linking() -> Any:
        if library._shared_module is None:  # noqa: SLF001
            module = import_module("llvmlite.binding").parse_bitcode(bitcode)
            enter(module)
            library._shared_module = module  # noqa: SLF001
        return library._shared_module  # noqa: SLF001

    library._get_module_for_linking = for_linking  # noqa: SLF001


@functools.cache
def _empty_bitcode() -> bytes:
    made: bytes = import_module("llvmlite.binding").parse_assembly("").as_bitcode()
    return made


def _without_compiler(function: Callable[..., Any]) -> Callable[..., Any]:
    """What stands for the compiled function where NUMBA_DISABLE_JIT forbids compiling."""
    plain = _plain_version(function)

    def run(*args: Any) -> Any:
        with np.errstate(over="ignore"):
            return plain(*args)

    return run


_hooks: list[Callable[[], object]] = []
_tellers: list[Callable[[], object]] = []
_prepared: list[bool] = []


def before_compiling(hook: Hook) -> Hook:
    """Call a function once, before anything is compiled or loaded; at once if it is too late.

    For what has to be told to numba, which must not be imported earlier; it must not compile
    anything itself. A decorator, too.
    """
    with _lock:
        if _prepared:
            hook()
        else:
            _hooks.append(hook)
    return hook


def when_compiling(tell: Callable[[], object]) -> None:
    """Call a function once, when compiling begins: not where compiled code is loaded from disk."""
    with _lock:
        _tellers.append(tell)


def _prepare() -> None:
    """What is done once, before the first kernel is compiled; the lock is held."""
    if _prepared:
        return
    _prepared.append(True)
    event: Any = import_module("numba.core.event")

    class Listener(event.Listener):  # type: ignore[misc]
        def on_start(self, _: Any) -> None:
            with _lock:
                tellers = _tellers.copy()
                _tellers.clear()
            for tell in tellers:
                tell()

        def on_end(self, _: Any) -> None:
            pass

    event.register("numba:compile", Listener())
    for hook in _hooks:
        hook()


@kernel
def ascending(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Stable order of int64 keys.

    One place for kernels to sort in, by merging: numba takes two seconds to compile its own
    sort, again for every kind of array, and as part of each kernel that calls for it.
    """
    n = len(keys)
    order = np.empty(n, np.int64)
    other = np.empty(n, np.int64)
    for k in range(n):
        order[k] = k
    width = 1
    while width < n:
        for first in range(0, n, 2 * width):
            middle, last = min(first + width, n), min(first + 2 * width, n)
            i, j = first, middle
            for k in range(first, last):
                if i < middle and (j == last or keys[order[i]] <= keys[order[j]]):
                    other[k] = order[i]
                    i += 1
                else:
                    other[k] = order[j]
                    j += 1
        order, other = other, order
        width *= 2
    return order
