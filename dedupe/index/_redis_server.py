"""The Redis server that keeps an index: its address, its scripts, and what to do when it is away."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from dedupe.errors import ConfigError, MissingExtraError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

__all__ = ["SCHEMES", "Address", "Ahead", "Server", "read_address"]

SCHEMES = ("redis", "rediss", "unix")

PATIENCE = 5.0
"""Seconds of trying again, if `timeout` does not end it before."""

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0

ANSWER_SECONDS = 10.0
"""Within which an answer has to begin: a script with hundreds of articles takes a fraction of one."""

CONNECT_SECONDS = 3.0

_PARTS = {
    "create": ("create",),
    "find": ("common", "find"),
    "load": ("common", "load"),
    "gather": ("common", "postings", "gather"),
    "enter": ("common", "changing", "postings", "enter"),
    "write": ("common", "changing", "write"),
    "remove": ("common", "changing", "remove"),
    "sources": ("common", "sources"),
    "named": ("common", "named"),
    "count": ("common", "count"),
    "compact": ("common", "compact"),
}
"""What each script is put together from."""


@cache
def _script(name: str) -> tuple[str, str]:
    """A script's text, and the name that the server gives it."""
    folder = files("dedupe.index") / "lua"
    text = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in _PARTS[name])
    return text, hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 -- the server's own naming


def _packed(words: Sequence[bytes | str | float]) -> bytes:
    """A command as it is sent: in one piece, which the library's own packing is not."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        packed = word if isinstance(word, bytes) else str(word).encode()
        parts += (b"$%d\r\n" % len(packed), packed, b"\r\n")
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Address:
    """Where an index is.

    Attributes:
        url: for the client library; may hold a password.
        shown: for messages; holds none.
        prefix: of all keys.
        expire: seconds that an article stays; None if the address does not say.
        articles: about how many it is made for; None if the address does not say.
    """

    url: str
    shown: str
    prefix: str
    expire: float | None
    articles: int | None

    def __repr__(self) -> str:
        return f"Address({self.shown})"


def read_address(url: str) -> Address:
    """Take an address apart.

    Raises:
        ConfigError: it makes no sense. The message does not repeat what may be a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise ConfigError(
            "the address of the Redis index cannot be read; write "
            "redis://user:password@host:port/db?prefix=name, and in a password %40 for @, %2F for "
            "/, %23 for #, %3F for ?"
        ) from None
    asked = dict(query)
    host = "" if parts.scheme == "unix" else parts.hostname or "localhost"
    host = f"[{host}]" if ":" in host else host
    where = host if port is None or parts.scheme == "unix" else f"{host}:{port}"
    prefix = asked.pop("prefix", "dedupe")
    shown = f"{parts.scheme}://{where}{parts.path}?prefix={prefix}"
    if not prefix or not all(c.isascii() and (c.isalnum() or c in "_.-:") for c in prefix):
        raise ConfigError(
            f"{parts.scheme}://{where}{parts.path}: the prefix must be of letters, digits and _ . - :"
        )
    expire = _number(shown, asked.pop("expire", None), "expire", "seconds")
    articles = _number(shown, asked.pop("articles", None), "articles", "articles")
    strange = [name for name in asked if name != "db" and not name.startswith("ssl_")]
    if strange or parts.fragment:
        raise ConfigError(
            f"{shown}: {strange[0] if strange else '#'!r} is not known here; there are prefix, "
            "expire, articles, db and ssl_…"
        )
    plain = urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(asked), ""))
    return Address(plain, shown, prefix, expire, None if articles is None else int(articles))


def _number(shown: str, text: str | None, name: str, unit: str) -> float | None:
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e12:
        raise ConfigError(f"{shown}: {name} must be a number of {unit} above 0, not {text!r}")
    return number


def _library() -> ModuleType:
    try:
        import redis
    except ImportError as error:
        raise MissingExtraError(
            "an index in Redis needs the redis extra; install it with: pip install "
            "'dedupe-news[redis]'"
        ) from error
    return redis


@dataclass(slots=True)
class Ahead:
    """The answer, when it has come, to a script that was sent ahead, or the error that there was."""

    answer: Any = None
    error: Exception | None = None


class Server:
    """Runs scripts on a Redis server, trying again for some seconds if it is away.

    Every script may be run twice, if the answer to the first was lost: they are made for it.

    Args:
        address: of the index.
        timeout: seconds after which to give up, if fewer than `PATIENCE`.
    """

    def __init__(self, address: Address, timeout: float) -> None:
        self._redis = _library()
        self._address = address
        self._timeout = timeout
        self._connection: Any = None
        self._owed: tuple[bool, str, tuple[Any, ...], Ahead] | None = None
        self._pid = os.getpid()

    def _connected(self) -> Any:
        """The connection. The library's client above it takes as long again as a script here."""
        if self._pid != os.getpid():  # the parent's connection is its own, and what it is owed
            self._connection = self._owed = None
            self._pid = os.getpid()
        if self._connection is None:
            answer = max(0.1, min(self._timeout, ANSWER_SECONDS))
            options = {
                "connection_class": self._redis.Connection,
                **self._redis.connection.parse_url(self._address.url),
                "socket_timeout": answer,
                "socket_connect_timeout": min(answer, CONNECT_SECONDS),
                "retry": self._redis.retry.Retry(self._redis.backoff.NoBackoff(), 0),
                "protocol": 2,
            }
            self._connection = options.pop("connection_class")(**options)
        return self._connection

    def _exchange(self, *words: bytes | str | float) -> Any:
        """Send a command, and read its answer."""
        connection = self._connected()
        whole = False
        try:
            connection.send_packed_command([_packed(words)])
            answer = connection.read_response()
            whole = True
        except self._redis.exceptions.ResponseError:
            whole = True
            raise
        finally:
            if not whole:  # an answer that is not read must not be taken for that of what follows
                connection.disconnect()
        return answer

    def _evaluate(self, name: str, arguments: tuple[Any, ...]) -> Any:
        text, sha = _script(name)
        try:
            return self._exchange("EVALSHA", sha, 0, *arguments)
        except self._redis.exceptions.NoScriptError:
            return self._exchange("EVAL", text, 0, *arguments)

    def run(self, name: str, *arguments: bytes | str | float) -> Any:
        """Run a script. Its text is sent only where the server does not have it (any more)."""
        self.settle()
        return self._patiently(lambda: self._evaluate(name, arguments))

    def command(self, *words: bytes | str | float) -> Any:
        """Run a command."""
        self.settle()
        return self._patiently(lambda: self._exchange(*words))

    def post(self, name: str, *arguments: bytes | str | float) -> None:
        """Run a script whose answer nobody waits for; whether it did, the next call sees to."""
        self._send(name, arguments)

    def send_ahead(self, name: str, *arguments: bytes | str | float) -> Ahead:
        """Run a script whose answer is asked for later; see `answer`."""
        return self._send(name, arguments)

    def answer(self, ahead: Ahead) -> Any:
        """The answer to what was sent ahead."""
        if self._owed is not None and self._owed[-1] is ahead:
            self.settle()
        if ahead.error is not None:
            raise ahead.error
        return ahead.answer

    def _send(self, name: str, arguments: tuple[Any, ...]) -> Ahead:
        self.settle()
        sent = False
        try:
            words = ("EVALSHA", _script(name)[1], 0, *arguments)
            self._connected().send_packed_command([_packed(words)])
            sent = True
        except (self._redis.exceptions.RedisError, OSError):
            pass  # what is wrong will be said when it is tried again
        finally:
            if not sent:
                self._connection.disconnect()
        ahead = Ahead()
        self._owed = (sent, name, arguments, ahead)
        return ahead

    def settle(self) -> None:
        """Read the answer to what was posted; where it was lost, run it again.

        After an interrupt it is owed still, and run again by the next call.
        """
        connection = self._connected()
        if self._owed is None:
            return
        sent, name, arguments, ahead = self._owed
        if sent:
            self._owed = (False, name, arguments, ahead)
            answered = False
            try:
                ahead.answer = connection.read_response()
                answered = True
            except (self._redis.exceptions.RedisError, OSError):
                pass  # what is wrong will be said when it is tried again
            finally:
                if not answered:
                    connection.disconnect()
            if answered:
                self._owed = None
                return
        try:
            ahead.answer = self._patiently(lambda: self._evaluate(name, arguments))
        except Exception as error:
            ahead.error, self._owed = error, None
            raise
        self._owed = None

    def _patiently(self, work: Callable[[], Any]) -> Any:
        """Do something, again if the server is away."""
        end = time.monotonic() + min(self._timeout, PATIENCE)
        pause = 0.0
        while True:
            try:
                return work()
            except (self._redis.exceptions.RedisError, OSError) as error:
                passing, said = self._explained(error)
                # A connection that was idle may be closed: once is tried again in any case.
                if not passing or (pause and time.monotonic() + pause > end):
                    raise said from error
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE) or FIRST_PAUSE

    def _explained(self, error: Exception) -> tuple[bool, Exception]:
        """Whether trying again may help, and what to say if not."""
        shown, errors, text = self._address.shown, self._redis.exceptions, str(error)
        refused = isinstance(error, errors.AuthenticationError | errors.NoPermissionError)
        if refused or "unauthenticated" in text:
            return False, StoreUnavailableError(
                f"{shown}: the server refuses the name or password, or does not allow them what an "
                f"index needs ({text}); give them as redis://name:password@host"
            )
        if isinstance(error, errors.OutOfMemoryError) or "OOM command" in text:
            return False, StoreUnavailableError(
                f"{shown}: the server's memory is full, and nothing was added; raise its maxmemory, "
                "or make an index with expire=SECONDS"
            )
        if text.startswith("GONE"):
            return False, StoreUnavailableError(
                f"{shown}: the index that was opened is not there any more: the server was emptied, "
                "or restarted without its data (see appendonly); open it again to begin a new one"
            )
        if text.startswith("FULL"):
            return False, StoreUnavailableError(
                f"{shown}: four thousand million articles have come, and there are no numbers left; "
                "make a new index"
            )
        if any(word in text for word in ("WRONGTYPE", "MOVED", "CROSSSLOT", "cluster")):
            what = (
                "another program has keys of this prefix; choose another with ?prefix="
                if "WRONGTYPE" in text
                else "this is a Redis Cluster, on which an index cannot be kept; use one server"
            )
            return False, ConfigError(f"{shown}: {what}")
        if isinstance(error, errors.ReadOnlyError) or "READONLY" in text:
            return True, StoreUnavailableError(
                f"{shown}: the server is a replica, which only reads; name the primary server, or "
                "open the index with mode='r'"
            )
        away = (errors.ConnectionError, errors.TimeoutError, OSError)
        if isinstance(error, away):
            return True, StoreUnavailableError(
                f"{shown}: the server does not answer ({text}); see that it runs and can be reached, "
                "and do this again: nothing is known of the article"
            )
        passing = text.startswith(("BUSY", "LOADING", "TRYAGAIN", "MASTERDOWN"))
        return passing, StoreUnavailableError(f"{shown}: the server cannot do this now ({text})")

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None and self._pid == os.getpid():
            self._connection.disconnect()
        self._connection = self._owed = None
