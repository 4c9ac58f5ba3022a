"""What the package offers to its users."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from optional import needs

import dedupe

if TYPE_CHECKING:
    from types import ModuleType

HEAVY = ("numpy", "numba", "polars", "datasketch", "typer", "rich", "trafilatura", "zstandard")

MODULES = sorted(
    ".".join(["dedupe", *path.relative_to(Path(dedupe.__file__).parent).with_suffix("").parts])
    for path in Path(dedupe.__file__).parent.rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py")
)


def test_all_is_sorted() -> None:
    """The public names are in order, each once, and what dir() shows."""
    assert sorted(set(dedupe.__all__)) == dedupe.__all__ == dir(dedupe)


@pytest.mark.parametrize("name", dedupe.__all__)
def test_public_names_exist(name: str) -> None:
    """Every public name can be imported, and is the same object each time."""
    assert getattr(dedupe, name) is getattr(dedupe, name)


def test_unknown_names() -> None:
    """Any other name is an attribute error that names it."""
    with pytest.raises(AttributeError, match=r"^module 'dedupe' has no attribute 'sacn'$"):
        _ = dedupe.sacn  # type: ignore[attr-defined, unused-ignore]


def test_import_is_light() -> None:
    """`import dedupe` loads no dependency."""
    code = f"import sys, dedupe; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(dedupe.__file__).parent.parent,
    )
    assert done.stdout == "[]\n"


def test_star_import() -> None:
    """Every name of the list can be imported with a star."""
    names: dict[str, object] = {}
    exec("from dedupe import *", names)  # noqa: S102
    assert set(dedupe.__all__) <= set(names)


@pytest.mark.parametrize("module", MODULES)
def test_public_names_are_documented(module: str) -> None:
    """Every module has a docstring, and so has every public function, class, method in it."""
    found = _module(module)
    undocumented = [module] if not found.__doc__ else []
    for name, value in vars(found).items():
        plain = getattr(value, "py_func", value)  # of a kernel
        if name.startswith("_") or getattr(plain, "__module__", None) != module:
            continue
        if not (inspect.isclass(plain) or inspect.isfunction(plain)):
            continue
        # A dataclass or named tuple without a docstring is given its signature for one.
        if not plain.__doc__ or plain.__doc__.startswith(f"{name}("):
            undocumented.append(name)
        undocumented += [
            f"{name}.{attribute}"
            for attribute, member in vars(plain).items()
            if inspect.isclass(plain)
            and not attribute.startswith("_")
            and (inspect.isfunction(member) or isinstance(member, property | classmethod))
            and not (getattr(member, "__doc__", None))
        ]
    assert undocumented == []


@pytest.mark.parametrize("module", MODULES)
def test_lists_of_names_are_sorted(module: str) -> None:
    """Every module's own `__all__` is sorted, without repetition, and names what it defines."""
    found = _module(module)
    names = getattr(found, "__all__", [])
    assert sorted(names, key=_by_case) == names
    assert len(set(names)) == len(names)
    assert [name for name in names if not hasattr(found, name)] == []


def _module(name: str) -> ModuleType:
    """A module of the package; skipped where what it is made for is not installed."""
    if name == "dedupe.integrations.scrapy":
        needs("scrapy")
    return importlib.import_module(name)


def _by_case(name: str) -> tuple[int, str]:
    """Constants first, then classes, then functions: the order ruff keeps."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name
