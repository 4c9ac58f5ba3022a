"""Token data of a whole corpus: in memory while it is small, in a temporary file beyond.

A token takes 17 bytes. What does not fit the budget is written to an unnamed temporary file
and memory-mapped, so that the system may drop and reread its pages as it sees fit.
"""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

from dedupe.errors import OutputError

if TYPE_CHECKING:
    from typing import IO

    from numpy.typing import NDArray

    from dedupe.tokens import Tokens

__all__ = ["Spool"]

_COLUMNS: dict[str, type[np.generic]] = {
    "hashes": np.uint64,
    "starts": np.uint32,
    "ends": np.uint32,
    "flags": np.uint8,
}


class Spool:
    """Collects batches of tokens in order; `close` frees the temporary file."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._held: dict[str, list[NDArray[Any]]] = {name: [] for name in _COLUMNS}
        self._bytes = 0
        self._files: dict[str, IO[bytes]] = {}
        self.n_tokens = 0

    @property
    def spilled(self) -> bool:
        """Whether the data went to a temporary file."""
        return bool(self._files)

    def append(self, tokens: Tokens) -> None:
        """Add the tokens of a batch.

        Raises:
            OutputError: the temporary directory is full or cannot be written.
        """
        self.n_tokens += len(tokens.hashes)
        for name in _COLUMNS:
            array = getattr(tokens, name)
            self._held[name].append(array)
            self._bytes += array.nbytes
        if self._bytes > self._budget:
            self._spill()

    def _spill(self) -> None:
        try:
            for name in _COLUMNS:
                if name not in self._files:
                    self._files[name] = tempfile.TemporaryFile(prefix="dedupe-")  # noqa: SIM115
                for array in self._held[name]:
                    array.tofile(self._files[name])
                self._held[name].clear()
        except OSError as error:
            raise OutputError(
                f"cannot write token data to the temporary directory {tempfile.gettempdir()} "
                f"({error.strerror or error}); free space there, or set TMPDIR or --memory-mb"
            ) from error
        self._bytes = 0

    def column(self, name: str) -> NDArray[Any]:
        """One of "hashes", "starts", "ends", "flags" of all tokens, as one array."""
        if self._files:
            self._spill()
            file = self._files[name]
            file.flush()
            if self.n_tokens == 0:
                return np.empty(0, _COLUMNS[name])
            # Copy-on-write: kernels are compiled for writable arrays, and flags are added later.
            mapped = np.memmap(file, dtype=_COLUMNS[name], mode="c", shape=(self.n_tokens,))
            return np.asarray(mapped)
        if len(self._held[name]) != 1:
            self._held[name] = [np.concatenate([np.empty(0, _COLUMNS[name]), *self._held[name]])]
        return self._held[name][0]

    def close(self) -> None:
        """Delete the temporary file."""
        for file in self._files.values():
            file.close()
        self._files.clear()
