"""Memory goes back to the system."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from dedupe.index._memory import give_back


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_give_back() -> None:
    """What lies free between arrays that stay is given back."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    arrays = [np.ones(8000, np.uint8) for _ in range(8000)]  # small: none has pages of its own
    kept = arrays[::100]
    before = resident()
    del arrays
    if give_back():
        assert resident() < before - 30_000_000
    assert len(kept) == 80
