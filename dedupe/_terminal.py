"""Text from anywhere made safe to print on a terminal."""

from __future__ import annotations

import unicodedata

__all__ = ["printable"]

_UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")  # escapes, and marks that reorder what is read


def printable(text: str) -> str:
    """A text from the input, safe for a terminal: no control or format character of it survives."""
    return "".join("\ufffd" if unicodedata.category(c) in _UNSAFE else c for c in text)
