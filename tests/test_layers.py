"""Imports only go down, and never in a circle."""

from __future__ import annotations

import ast
from pathlib import Path

import dedupe

PACKAGE = Path(dedupe.__file__).parent

# From what prints to the words everyone uses. A module may import those of its own layer and
# of the layers below it. A part with a folder of its own is one entry.
LAYERS = (
    ("__main__",),
    ("cli",),
    ("_comparison", "_match", "_page", "_progress", "_summary", "_terminal"),
    ("report", "integrations", "spark"),
    ("scanning", "comparing", "index", "output"),
    ("tables",),
    ("families",),
    ("cluster", "classify"),
    ("matching",),
    ("measures",),
    ("ingest",),
    ("checkpoint",),
    ("align", "spool", "grade"),
    ("chaining",),
    ("gaps", "seeds"),
    ("verify", "features", "boilerplate", "places"),
    ("lsh", "postings"),
    ("bands", "signature", "sketch"),
    ("facts", "paragraphs", "quotations", "shingle", "credits", "furniture"),
    ("tokens",),
    ("unicode",),
    ("corpus",),
    ("config", "records"),
    ("xxh64", "hashtable"),
    ("errors", "_bits", "_files", "_garbage", "_jit", "_kept", "_memory", "_threads", "_version"),
)

LEVEL = {name: -level for level, names in enumerate(LAYERS) for name in names}

PUBLIC = "dedupe"
"""The package itself names what is public, and so may import from anywhere, but nobody from it."""


def sources() -> dict[str, Path]:
    """Every module of the package by its dotted name below it, the package itself left out."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        if name:
            found[name] = path
    return found


def imported(name: str, path: Path) -> set[str]:
    """Modules of the package that a module imports, anywhere in it, as names below the package.

    Imports inside functions and those for type checking count like all others.
    """
    modules = sources()
    found = set()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            full = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = [PUBLIC, *filter(None, package.split("."))]
                above = above[: len(above) - node.level + 1]
                base = ".".join([*above, *filter(None, [base])])
            full = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        inside = [n.removeprefix("dedupe.") for n in full if n == PUBLIC or n.startswith("dedupe.")]
        known = [n for n in inside if n in modules]
        found |= set(known) or set(inside[:1])
    return found - {name}


def part_of(name: str) -> str:
    """The module or folder that a module belongs to."""
    return name.split(".", maxsplit=1)[0]


def test_every_module_has_a_layer() -> None:
    """A new module must be given its place."""
    unknown = sorted({part_of(name) for name in sources()} - set(LEVEL))
    assert not unknown, f"add {', '.join(unknown)} to LAYERS in tests/test_layers.py"


def test_imports_go_down() -> None:
    """No module imports, at run time or for its types, from a layer above its own."""
    upwards = [
        f"{name} imports {other}"
        for name, path in sources().items()
        for other in imported(name, path) - {PUBLIC}
        if LEVEL[part_of(other)] > LEVEL[part_of(name)]
    ]
    assert sorted(upwards) == []


def test_no_cycles() -> None:
    """Removing modules that import none of the rest, again and again, leaves nothing."""
    remaining = {name: imported(name, path) & set(sources()) for name, path in sources().items()}
    while free := {name for name, others in remaining.items() if not others}:
        remaining = {n: others - free for n, others in remaining.items() if n not in free}
    assert remaining == {}


def test_nobody_imports_the_package() -> None:
    """Modules import from where a thing is made, not from the public package."""
    users = [n for n, p in sources().items() if PUBLIC in imported(n, p)]
    assert users in ([], ["cli"])
