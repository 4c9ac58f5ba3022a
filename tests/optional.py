"""Optional parts that tests use: skipped by name where absent, unless all are required."""

from __future__ import annotations

import importlib
import os
import shutil
from typing import Any, NoReturn

import pytest

__all__ = ["needs", "needs_program"]


def needs(module: str) -> Any:
    """The module; without it the test is skipped, or fails where DEDUPE_REQUIRE_ALL is set."""
    try:
        return importlib.import_module(module)
    except ImportError:
        _absent(module)


def needs_program(name: str) -> str:
    """The path of a program; without it the same."""
    return shutil.which(name) or _absent(name)


def _absent(name: str) -> NoReturn:
    reason = f"{name} is not installed"
    if os.environ.get("DEDUPE_REQUIRE_ALL"):
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)
