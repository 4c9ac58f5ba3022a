"""A Redis server of the tests' own, on a free port, which can be killed and started again."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

from optional import needs, needs_program

__all__ = ["RedisServer", "free_port"]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class RedisServer:
    """A server that keeps nothing on disk, unless it is told to.

    Args:
        options: more of its options, such as `("--maxmemory", "8mb")`.
    """

    def __init__(self, *options: str) -> None:
        self._program = needs_program("redis-server")
        self._library = needs("redis")
        self._folder = Path(tempfile.mkdtemp(prefix="dedupe-redis-"))
        self._options = options
        self.port = free_port()
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = {
            "--port": str(self.port),
            "--bind": "127.0.0.1",
            "--save": "",
            "--appendonly": "no",
            "--dir": str(self._folder),
        }
        given = [word for pair in words.items() for word in pair]
        self._process = subprocess.Popen(
            [self._program, *given, *self._options], stdout=subprocess.DEVNULL
        )
        end = time.monotonic() + 20
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(100)[:1] in (b"+", b"-") and self._loaded():
                        return
            except OSError:
                if time.monotonic() > end or self._process.poll() is not None:
                    self.kill()
                    raise
            time.sleep(0.02)

    def _loaded(self) -> bool:
        """Whether it has read its data, or wants a password first."""
        with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.sendall(b"GET x\r\n")
            return not connection.recv(100).startswith(b"-LOADING")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """Let it not answer."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        self._process.send_signal(signal.SIGCONT)

    def url(self, prefix: str = "dedupe", **more: object) -> str:
        """Address of an index."""
        query = "".join(f"&{name}={value}" for name, value in more.items())
        return f"redis://127.0.0.1:{self.port}/0?prefix={prefix}{query}"

    def client(self, **more: Any) -> Any:
        """A plain connection to it."""
        return self._library.Redis(port=self.port, **more)
