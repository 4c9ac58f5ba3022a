"""Optional parts that tests use: skipped by name where absent, unless all are required."""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest

__all__ = ["needs"]


def needs(module: str) -> Any:
    """The module; without it the test is skipped, or fails where DEDUPE_REQUIRE_ALL is set."""
    try:
        return importlib.import_module(module)
    except ImportError:
        reason = f"{module} is not installed"
        if os.environ.get("DEDUPE_REQUIRE_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)
