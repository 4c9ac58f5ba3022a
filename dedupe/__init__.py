"""Near-duplicate and syndication detection for news.

    import dedupe
    result = dedupe.scan("corpus/")     # .documents .pairs .passages .families

Names are imported when they are first used, so that `import dedupe` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dedupe._version import __version__
from dedupe.errors import (
    ConfigError,
    DedupeError,
    InputError,
    MissingExtraError,
    OutputError,
    Problem,
)

if TYPE_CHECKING:
    from dedupe.config import Config
    from dedupe.records import Article
    from dedupe.scanning import ScanResult, scan

__all__ = [
    "Article",
    "Config",
    "ConfigError",
    "DedupeError",
    "InputError",
    "MissingExtraError",
    "OutputError",
    "Problem",
    "ScanResult",
    "__version__",
    "scan",
]

_HOMES = {"Article": "records", "Config": "config", "ScanResult": "scanning", "scan": "scanning"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dedupe' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"dedupe.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
