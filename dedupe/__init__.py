"""Near-duplicate and syndication detection for news.

    import dedupe
    result = dedupe.scan("corpus/")     # .documents .pairs .passages .families
    result = dedupe.compare(a, b)       # .a_in_b .b_in_a .passages .paragraphs .kind .grade
    with dedupe.Index.open("news.idx") as index:
        match = index.check_and_add(dedupe.Article(id=url, text=text))  # .kind .of .added

Names are imported when they are first used, so that `import dedupe` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dedupe._version import __version__
from dedupe.errors import (
    ConfigError,
    DedupeError,
    IndexDamagedError,
    IndexLockedError,
    InputError,
    MissingExtraError,
    OutputError,
    Problem,
    StoreUnavailableError,
)

if TYPE_CHECKING:
    from dedupe.classify import Edit, Link, Paragraph, TextSpan
    from dedupe.comparing import Comparison, Passage, compare
    from dedupe.config import Config
    from dedupe.credits import Credit
    from dedupe.facts import ChangedFact
    from dedupe.index import Family, Index, Match, Reuse, ReusedPassage
    from dedupe.records import Article
    from dedupe.scanning import ScanResult, scan

__all__ = [
    "Article",
    "ChangedFact",
    "Comparison",
    "Config",
    "ConfigError",
    "Credit",
    "DedupeError",
    "Edit",
    "Family",
    "Index",
    "IndexDamagedError",
    "IndexLockedError",
    "InputError",
    "Link",
    "Match",
    "MissingExtraError",
    "OutputError",
    "Paragraph",
    "Passage",
    "Problem",
    "Reuse",
    "ReusedPassage",
    "ScanResult",
    "StoreUnavailableError",
    "TextSpan",
    "__version__",
    "compare",
    "scan",
]

_HOMES = {
    "Article": "records",
    "ChangedFact": "facts",
    "Comparison": "comparing",
    "Config": "config",
    "Credit": "credits",
    "Edit": "classify",
    "Family": "index",
    "Index": "index",
    "Link": "classify",
    "Match": "index",
    "Paragraph": "classify",
    "Passage": "comparing",
    "Reuse": "index",
    "ReusedPassage": "index",
    "ScanResult": "scanning",
    "TextSpan": "classify",
    "compare": "comparing",
    "scan": "scanning",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dedupe' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"dedupe.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
