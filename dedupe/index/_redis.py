"""The store that many hosts share: a Redis server.

What `Index` does with an article is here a few scripts, each of which the server runs as a whole
and alone (`lua/`):

    enter    looks the id up, keeps the article and its postings, and tells what there was before
    load     texts of those that may share text with it
    write    its pairs and families, and that it is finished

So of two clients that add the same text at the same moment one is told that it is unique, the
other that it is a copy: `enter` is one step. What follows is not: a client that ends between the
steps leaves an article whose pairs are not kept. It is found and compared like any other; it is
marked, and finished when the same article is added again.

A bucket of keys is a small hash, which Redis keeps as one stretch of memory (listpack): some 17
bytes for a key and its article. Redis Cluster is not supported: its scripts see one server's keys.
"""

from __future__ import annotations

import json
import os
import secrets
import struct
from contextlib import contextmanager, suppress
from dataclasses import replace
from math import log2
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dedupe._version import __version__
from dedupe.errors import ConfigError, StoreUnavailableError
from dedupe.index._header import HASH_SCHEME, check_settings, check_versions, no_index
from dedupe.index._redis_codec import (
    PAIR_BYTES,
    STAMPED_BYTES,
    Buckets,
    digest,
    pack_article,
    pack_numbers,
    pack_pairs,
    pack_verdicts,
    stamp_of,
    unpack_article,
    unpack_pairs,
    wants_more,
    with_family,
)
from dedupe.index._redis_known import Known
from dedupe.index._redis_server import Server, read_address
from dedupe.index._redis_shelf import Shelf
from dedupe.index._store import UNSEEN, Entered, Gathered, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from dedupe.index._records import Status
    from dedupe.index._redis_server import Ahead
    from dedupe.index._store import Hashes, NewArticle, Verdict

__all__ = ["FORMAT", "RedisStore", "bucket_bits"]

FORMAT = 1
"""Of what is in Redis. Raised with every change that an older version could not read."""

ARTICLES = 1_000_000
"""About how many articles an index is made for, where its address does not say."""

KEYS_OF_ARTICLE = 72
"""Of 575 words, the usual article of news, at scale 8, which an index of so many has."""

FIELDS_OF_BUCKET = 128
"""Keys in a bucket when the index is full. Of 64 one takes 16.6 bytes, of 128 15.7, of 8 24.6, of 1
158; to read one takes 2.1, 2.6, 1.4 and 2.0 µs. Beyond 512 (hash-max-listpack-entries) it would
become a table of 60 bytes a key and more."""

QUARTERS = 4
"""Slices of the time that an article stays: it is kept for a quarter of it longer at most."""

BEGINNING = 768
"""Bytes of an article that are read where its text is not wanted: names and addresses fit as a rule."""

AHEAD = 64
"""Pairs of a neighbour that are read ahead; a family of as many articles is not looked through with
every article that joins it (`dedupe.index._families.MOST`), and so nothing is read ahead of it."""

SHELF_BYTES = 32_000_000
"""Of articles that were read, which are not sent and unpacked again for each copy of a story."""

MOST_LARGE = 100_000
"""Large families remembered as such."""

SCANNED = 512
"""Keys that are asked for at a time when compacting."""

_ENTERED = struct.Struct("<3I")
_ID = struct.Struct("<IIQ")
"""What is known of an id: number, number of the first version, hash of the text."""

_STATUS: dict[int, Status] = {0: "new", 1: "revised", 2: "unchanged", 3: "unchanged"}
_UNFINISHED, _AGAIN = 3, 4
_FAMILY = struct.Struct("<I?Q")
_ALL_PAIRS = 1 << 30


class _Ahead(NamedTuple):
    """Articles that are entered ahead, what was sent for it, and what was told, as soon as it was."""

    articles: Sequence[NewArticle]
    sent: Ahead
    told: list[Any]


class _Links(NamedTuple):
    """Pairs of an article as they were read: no more than a limit, all if that is `_ALL_PAIRS`."""

    packed: bytes
    limit: int


_NOTHING = _Links(b"", -1)


def bucket_bits(articles: int) -> int:
    """Bits of a bucket for an index of about so many articles."""
    return min(24, max(8, round(log2(max(articles, 1) * KEYS_OF_ARTICLE / FIELDS_OF_BUCKET))))


class RedisStore:
    """See `dedupe.index._store.Store`.

    Args:
        url: `redis://host:port/db?prefix=…&expire=…&articles=…`, or with rediss:// or unix://.
        settings: what the index is to be made with, or what it has to agree with; of those not
            named it keeps its own.
        writable: whether it may be changed.
        store_text: whether texts are kept, where it is new.
        timeout: seconds to try again while the server is away, five at most.
        defaults: settings of a new index that are not named.
    """

    enters_ahead = True

    chunk_bytes = 500_000
    """Text entered at a time: nobody else is served meanwhile."""

    in_parts = False

    def __init__(
        self,
        url: str,
        settings: dict[str, Any],
        *,
        writable: bool,
        store_text: bool,
        timeout: float,
        defaults: dict[str, Any],
    ) -> None:
        self._address = read_address(url)
        self.writable = writable
        self._prefix = f"{self._address.prefix}:"
        self._server = Server(self._address, timeout)
        self._known = Known()
        self._sources: dict[str, int] = {}
        self._source_names: dict[int, str] = {}
        self._finished: list[int] = []
        self._large: set[int] = set()  # families that were found to be large
        self._shelf = Shelf(SHELF_BYTES)
        self._ahead: _Ahead | None = None
        self._absorbing = False  # or an interrupt has come in the midst of it
        self._pid = os.getpid()
        self._depth = 0
        self._writes = False
        self._begin()
        try:
            self._open(settings, defaults, store_text=store_text)
            self._catch_up()
        except BaseException:
            self._server.close()
            raise
        self.few = int(self.settings["hubs"])
        self.most = min(int(self.settings["max_posting"]), 2 * self.few)

    # Opening

    def _open(
        self, settings: dict[str, Any], defaults: dict[str, Any], *, store_text: bool
    ) -> None:
        """Write the header, or see that the one there fits."""
        made = False
        if self.writable:
            made = self._create({**defaults, **settings}, store_text=store_text)
        place = self._address.shown
        packed = self._server.command("HGETALL", self._prefix + "meta")
        meta = {key.decode(): value.decode() for key, value in _pairwise(packed)}
        if not meta:
            raise no_index(place)
        check_versions(place, meta, form=FORMAT)
        self.settings: dict[str, Any] = {**defaults, **json.loads(meta["settings"])}
        self.store_text = meta["store_text"] == "yes"
        self.expire = float(meta["expire"])
        self._epoch = meta["epoch"]
        self._buckets = Buckets(int(meta["bucket_bits"]))
        if made:
            return
        here, there = dict(settings), dict(self.settings)
        if self._address.expire is not None:
            here["expire"], there["expire"] = self._address.expire, self.expire
        check_settings(place, there, here)

    def _create(self, settings: dict[str, Any], *, store_text: bool) -> bool:
        expire = self._address.expire or 0.0
        slices = QUARTERS if expire else 1
        epoch = secrets.token_hex(8)
        meta = {
            "format": FORMAT,
            "hash_scheme": HASH_SCHEME,
            "made_by": __version__,
            "settings": json.dumps(settings),
            "store_text": "yes" if store_text else "no",
            "expire": expire,
            "epoch": epoch,
            "bucket_bits": bucket_bits((self._address.articles or ARTICLES) // slices),
        }
        words = [str(word) for pair in meta.items() for word in pair]
        quarter = max(1, round(expire * 1000 / QUARTERS)) if expire else 0
        return bool(self._server.run("create", self._prefix, epoch, quarter, *words))

    # Transactions

    def _ensure_process(self) -> None:
        """After a fork: what the parent was about to write is its own."""
        if os.getpid() != self._pid:
            self._pid = os.getpid()
            self._depth = 0
            self._writes = False
            self._finished = []
            self._ahead = None
            self._begin()
            if self._absorbing:  # another thread, which is not there to go on
                self._known.set_back()
                self._forget()

    def _begin(self) -> None:
        """Forget what a transaction read and was about to write."""
        self._records: dict[int, Record | None] = {}
        self._names: dict[int, Record | None] = {}
        self._hashes: dict[int, int] = {}
        self._ids: dict[str, bytes] = {}  # what `enter` told of ids, when it entered nothing
        self._links: dict[int, _Links] = {}
        self._sizes: dict[int, int] = {}
        self._asked_sizes: list[int] = []
        self._fresh: set[int] = set()
        self._again: set[int] = set()
        self._unchanged = False
        self._pairs: list[NDArray[Any]] = []
        self._replacing: list[NDArray[Any]] = []
        self._families: dict[int, int | None] = {}
        self._verdicts: list[Verdict] = []

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Inside, what was read once is not read again; others may add articles meanwhile."""
        self._ensure_process()
        if not self._depth:
            self._begin()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Inside, changes are made. This is no lock: `enter` and `remove` are made at once and whole.

        Pairs, families and verdicts are written at the end; after an error they are not, and the
        articles entered stay unfinished.
        """
        self._ensure_process()
        if not self.writable:
            raise ConfigError(
                f"{self._address.shown}: the index is open for reading only; use mode='rw'"
            )
        if self._depth:
            yield
            return
        self._begin()
        self._depth += 1
        self._writes = True
        try:
            yield
            self._finish()
        finally:
            self._depth -= 1
            self._writes = False
            self._begin()

    def _finish(self) -> None:
        """Write what was found out. Where that is nothing, the next call tells who is finished."""
        self._finished += self._fresh
        if self._pairs or self._replacing or self._families or self._verdicts:
            self._collect()
            # Nobody waits for the answer: what is new comes with the next one.
            self._server.post(
                "write", self._prefix, self._epoch, self._known.asked(), *self._to_write(), b"", b""
            )

    def _run(self, script: str, *arguments: bytes | str | int) -> list[Any]:
        """Run a script, and take over what is new."""
        self._collect()
        return self._absorbed(
            self._server.run(script, self._prefix, self._epoch, self._known.asked(), *arguments)
        )

    def _absorbed(self, answer: list[Any]) -> list[Any]:
        """Take over what an answer tells that is new; the rest of it."""
        setbacks = self._known.setbacks
        news, *told = answer
        self._absorbing = True
        while not self._known.absorb(news):
            news, _ = self._server.run("find", self._prefix, self._epoch, self._known.asked(), b"")
        if self._known.setbacks != setbacks:
            self._forget()
        self._absorbing = False
        return told

    def _forget(self) -> None:
        """What was read before a setback may be no more."""
        self._sources.clear()
        self._source_names.clear()
        self._large.clear()
        self._shelf.clear()

    def _catch_up(self) -> None:
        self._ensure_process()
        self._run("find", b"")

    @property
    def shingles(self) -> int:
        """See `Store`: as of the last answer of the server."""
        return self._known.shingles

    # Postings

    def gather(self, keys: NDArray[np.uint64]) -> Gathered:
        """See `Store`."""
        hits, lists = self._run("gather", self._buckets.pack(keys))
        return self._gathered(len(keys), hits, lists)

    def _gathered(
        self, n_keys: int, hits: bytes, lists: bytes, before: int | None = None
    ) -> Gathered:
        """Postings as the scripts give them; those before a number, where that is given."""
        if not hits:
            nothing = np.empty(0, np.int64)
            none = np.zeros(n_keys + 1, np.int64)
            return Gathered(none[1:], none, nothing, nothing.astype(np.int32))
        which, counts, listed = np.frombuffer(hits, "<u4").reshape(-1, 3).astype(np.int64).T
        numbers = np.frombuffer(lists, "<u4").astype(np.int64)
        of = np.repeat(np.arange(len(which)), listed)
        removed = self._known.removed
        if before is not None:
            removed = np.union1d(removed, numbers[numbers >= before])
        if len(removed):
            kept = ~np.isin(numbers, removed)
            numbers, of = numbers[kept], of[kept]
            listed = np.bincount(of, minlength=len(which))
        taken = np.where(counts > self.most, np.minimum(listed, self.few), listed)
        if (taken < listed).any():
            rank = np.arange(len(numbers)) - np.repeat(np.cumsum(listed) - listed, listed)
            numbers = numbers[rank < taken[of]]
        lengths, offsets = np.zeros(n_keys, np.int64), np.zeros(n_keys + 1, np.int64)
        lengths[which] = counts
        offsets[which + 1] = taken
        np.cumsum(offsets, out=offsets)
        return Gathered(lengths, offsets, numbers, self._known.sources_of(numbers))

    def source_numbers(self, names: Sequence[str | None]) -> NDArray[np.int32]:
        """See `Store`."""
        unknown = sorted({n for n in names if n is not None and n not in self._sources})
        unseen: dict[str, int] = {}
        if unknown:
            coded = [name.encode("utf-8", "surrogatepass") for name in unknown]
            (numbers,) = self._run("sources", "1" if self._writes else "0", *coded)
            for name, number in zip(unknown, numbers, strict=True):
                if number == UNSEEN:
                    unseen[name] = number
                else:
                    self._sources[name] = number
                    self._source_names[number] = name
        of = {**self._sources, **unseen} if unseen else self._sources
        return np.array([-1 if name is None else of[name] for name in names], np.int32)

    def _source_name(self, number: int) -> str | None:
        if number < 0:
            return None
        if number not in self._source_names:
            packed = self._server.command("HGETALL", self._prefix + "source")
            for name, value in _pairwise(packed):
                self._source_names[int(value)] = name.decode("utf-8", "surrogatepass")
        return self._source_names.get(number, "")

    # Articles

    def __len__(self) -> int:
        self._catch_up()
        return self._known.count

    def find(self, ids: Sequence[str]) -> dict[str, Entered]:
        """See `Store`."""
        found: dict[str, Entered] = {}
        told = {name: self._ids[name] for name in ids if name in self._ids}
        if len(told) < len(ids):
            (values,) = self._run("find", b"".join(map(digest, ids)))
            told = dict(zip(ids, values, strict=True))
        for name, value in told.items():
            if any(value):
                number, since, text_hash = _ID.unpack(value)
                found[name] = Entered("unchanged", number, since)
                self._hashes[number] = text_hash
        return found

    def text_hashes(self, numbers: Sequence[int]) -> dict[int, int]:
        """See `Store`."""
        missing = [number for number in numbers if number not in self._hashes]
        self._hashes |= {r.number: r.text_hash for r in self.load(missing, texts=False)}
        return {n: self._hashes[n] for n in numbers if n in self._hashes}

    def _packed(
        self,
        articles: Sequence[NewArticle],
        keys: NDArray[np.uint64],
        shingles: int,
        *,
        only_new: bool,
    ) -> list[bytes | str | int]:
        """What the script `enter` is told."""
        sources = self.source_numbers([new.article.source for new in articles])
        heads, kept = [], []
        for new, source in zip(articles, sources.tolist(), strict=True):
            heads.append(
                digest(new.article.id)
                + new.text_hash.to_bytes(8, "little")
                + source.to_bytes(4, "little", signed=True)
            )
            kept.append(pack_article(new, source, store_text=self.store_text))
            whole = len(articles) == 1 and len(new.keys) == len(keys)
            kept.append(b"" if whole else pack_numbers(np.searchsorted(keys, new.keys)))
        return [
            secrets.token_bytes(8),
            self.most,
            self._buckets.pack(keys),
            shingles,
            pack_numbers(self._finished),
            b"".join(heads),
            int(only_new),
            *kept,
        ]

    def enter_ahead(
        self, articles: Sequence[NewArticle], keys: NDArray[np.uint64], shingles: int
    ) -> None:
        """See `Store`: the server works on it while this process goes on."""
        packed = self._packed(articles, keys, shingles, only_new=True)
        self._collect()
        sent = self._server.send_ahead(
            "enter", self._prefix, self._epoch, self._known.asked(), *packed
        )
        self._finished = []
        self._ahead = _Ahead(articles, sent, [])

    def _collect(self) -> None:
        """Take over the answer to what was sent ahead, before anything else is asked.

        It is for `enter` with the same articles, whatever is entered before. An error is told once
        here, and again there.
        """
        ahead = self._ahead
        if ahead is not None and not ahead.told and ahead.sent.error is None:
            ahead.told.extend(self._absorbed(self._server.answer(ahead.sent)))

    def _taken(self, ahead: _Ahead) -> list[Any]:
        """What was told of what was sent ahead."""
        return ahead.told or self._absorbed(self._server.answer(ahead.sent))

    def enter(
        self,
        articles: Sequence[NewArticle],
        keys: NDArray[np.uint64],
        shingles: int,
        *,
        only_new: bool = False,
    ) -> tuple[list[Entered], Gathered] | None:
        """See `Store`. It is one step; sent twice, it is one step."""
        ahead = self._ahead
        if ahead is not None and ahead.articles is articles and only_new:
            self._ahead = None
            statuses, hits, lists = self._taken(ahead)
        else:
            packed = self._packed(articles, keys, shingles, only_new=only_new)
            statuses, hits, lists = self._run("enter", *packed)
            self._finished = []
        self._ids = {}
        if articles and not statuses:
            told = [hits[at : at + _ID.size] for at in range(0, len(hits), _ID.size)]
            self._ids = {n.article.id: value for n, value in zip(articles, told, strict=True)}
            return None
        entered, again = [], []
        for new, (status, number, since) in zip(
            articles, _ENTERED.iter_unpack(statuses), strict=True
        ):
            if status == _AGAIN:
                again.append(number)
                self._again.add(number)
                status = int(number != since)  # noqa: PLW2901
            unfinished = status == _UNFINISHED
            entered.append(Entered(_STATUS[status], number, since, unfinished))
            if unfinished or _STATUS[status] != "unchanged":
                self._fresh.add(number)
                if not unfinished and number not in self._again:  # it need not be read, too
                    self._names[number] = _as_entered(new, number, since)
            else:
                self._unchanged = True
            if unfinished:
                self._again.add(number)
        before = min(again) if again else None
        return entered, self._gathered(len(keys), hits, lists, before)

    def load(self, numbers: Sequence[int], *, texts: bool = True) -> list[Record]:
        """See `Store`."""
        held = self._records if texts else {**self._names, **self._records}
        missing = [number for number in numbers if number not in held]
        if missing:
            read = self._load(missing, texts=texts)
            (self._records if texts else self._names).update(read)
            held = {**held, **read}
        return [record for n in numbers if (record := held[n]) is not None]

    def _load(self, numbers: list[int], *, texts: bool) -> dict[int, Record | None]:
        """Articles as they are there; None where there is none."""
        part = 0 if texts else BEGINNING
        held = {n: one for n in numbers if (one := self._shelf.get(n, texts=texts)) is not None}
        setbacks = self._known.setbacks
        blobs = self._blobs({n: STAMPED_BYTES if n in held else part for n in numbers})
        if any(blobs[n] and stamp_of(blobs[n]) != stamp for n, (_, stamp) in held.items()):
            # The number is another article's: the server lost what it had told, and went on.
            self._known.set_back()
            self._forget()
        if held and self._known.setbacks != setbacks:
            blobs |= self._blobs(dict.fromkeys(held, part))
            held = {}
        if not texts:
            longer = [n for n, blob in blobs.items() if n not in held and wants_more(blob)]
            blobs |= self._blobs(dict.fromkeys(longer, 0)) if longer else {}
        found: dict[int, Record | None] = {}
        for number, blob in blobs.items():
            if not blob:
                found[number] = None
                self._shelf.drop(number)
            elif number in held:
                found[number] = with_family(held[number][0], blob)
            else:
                record = unpack_article(
                    number,
                    blob,
                    self._source_name,
                    store_text=self.store_text,
                    body=texts,
                    place=self._address.shown,
                )
                found[number] = record
                self._shelf.put(record, stamp_of(blob), texts=texts)
        return found

    def _blobs(self, wanted: dict[int, int]) -> dict[int, bytes]:
        """So many bytes of articles from their beginning, all if that is 0; none if there is no such."""
        (blobs,) = self._run("load", np.array([*wanted.items()], "<u4").tobytes())
        return dict(zip(wanted, blobs, strict=True))

    def remove(self, number: int) -> None:
        """See `Store`: at once."""
        records = self.load([number], texts=False)
        ids = b"".join(digest(record.article.id) for record in records)
        self._run("remove", pack_numbers([record.number for record in records]), ids)
        self._links.clear()
        self._records[number] = self._names[number] = None

    def numbers(self) -> NDArray[np.int64]:
        """See `Store`."""
        self._catch_up()
        return self._known.numbers()

    def number_with(self, fingerprint: int) -> int | None:
        """See `Store`, of articles whose fingerprint was the name of a family."""
        named, _ = self._run("named", fingerprint.to_bytes(8, "little"))
        numbers = sorted(np.frombuffer(named, "<u4").tolist())
        found = self.load(numbers, texts=False)
        return next((r.number for r in found if r.fingerprint == fingerprint), None)

    # Pairs and families

    def add_pairs(self, pairs: NDArray[Any]) -> None:
        """See `Store`. Those of articles that were there before are there, too."""
        if not len(pairs):
            return
        if not (self._unchanged or self._again) and self._fresh:
            self._pairs.append(pairs)
            return
        new = _touching(pairs, self._fresh - self._again)
        rest = pairs[~new]
        if self._unchanged:
            rest = rest[_touching(rest, self._again)]
        self._pairs.append(pairs[new])
        self._replacing.append(rest)

    def links_of(self, numbers: Sequence[int], most: int | None = None) -> NDArray[Any]:
        """See `Store`. With `most` each article's first so many pairs are read, twice that at most."""
        limit = _ALL_PAIRS if most is None else 2 * most
        wanted: dict[int, int] = {}
        if self._pairs or self._replacing:
            self._links.clear()
            wanted = self._likely()
        wanted |= {n: limit for n in numbers if self._links.get(n, _NOTHING).limit < limit}
        if wanted:
            self._read_links(wanted)
        found = unpack_pairs(b"".join(self._links[n].packed for n in numbers))
        if most is not None and any(self._links[n].limit != _ALL_PAIRS for n in numbers):
            found = _first(found, numbers, most)
        kept = found["links"]
        if self._known.lossy:
            kept = kept & ~self._known.gone(found["later"]) & ~self._known.gone(found["earlier"])
        return found if kept.all() else found[kept]

    def _likely(self) -> dict[int, int]:
        """Articles whose links will be asked for after those of new ones: theirs, if families are small."""
        ends: set[int] = set()
        for pairs in self._pairs:
            for side in ("later", "earlier"):
                ends |= {*pairs[side][pairs["links"]].tolist()}
        met = {
            n: record.family
            for n in ends
            if (record := self._records.get(n)) is not None and record.family is not None
        }
        self._asked_sizes = sorted({*met.values()} - self._sizes.keys())
        return {n: AHEAD for n in ends if met.get(n) not in self._large}

    def _read_links(self, wanted: dict[int, int]) -> None:
        """Write what is to be written, and read so many pairs of some articles."""
        asked, self._asked_sizes = self._asked_sizes, []
        found, sizes = self._run(
            "write",
            *self._to_write(),
            np.array([*wanted.items()], "<u4").tobytes(),
            np.array(asked, "<u8").tobytes(),
        )
        for (number, limit), packed in zip(wanted.items(), found, strict=True):
            whole = len(packed) < limit * PAIR_BYTES
            self._links[number] = _Links(packed, _ALL_PAIRS if whole else limit)
        self._sizes |= zip(asked, sizes, strict=True)
        if len(self._large) > MOST_LARGE:
            self._large.clear()
        self._large |= {f for f, size in zip(asked, sizes, strict=True) if size >= AHEAD}

    def _to_write(self) -> list[bytes]:
        """What the script `write` is to write, which is then no longer to be written."""
        families = (
            _FAMILY.pack(number, family is not None, family or 0)
            for number, family in self._families.items()
        )
        packed = [
            b"".join(map(pack_pairs, self._pairs)),
            b"".join(families),
            pack_numbers(self._finished),
            pack_verdicts(self._verdicts),
            b"".join(map(pack_pairs, self._replacing)),
        ]
        self._replacing = []
        self._pairs, self._families, self._verdicts, self._finished = [], {}, [], []
        return packed

    def family_size(self, family: int, most: int) -> int:
        """See `Store`."""
        if family not in self._sizes:
            _, self._sizes[family] = self._run("named", family.to_bytes(8, "little"))
        return min(self._sizes[family], most)

    def set_families(self, families: dict[int, int | None]) -> None:
        """See `Store`: with the end of the transaction."""
        self._families |= families
        for number, family in families.items():
            for held in (self._records, self._names):
                record = held.get(number)
                if record is not None:
                    record.family = family

    # Furniture

    def judged_length(self, key: int, source: int) -> int:
        """See `Store`: as of the last answer of the server."""
        return self._known.verdicts.length(key, source)

    def known_furniture(self) -> tuple[Hashes, Hashes]:
        """See `Store`: as of the last answer of the server."""
        return self._known.verdicts.furniture()

    def learn(self, verdicts: Sequence[Verdict]) -> None:
        """See `Store`."""
        self._known.learn(verdicts)
        if self._writes:
            self._verdicts += verdicts

    # Upkeep

    def compact(self) -> None:
        """See `Store`: take removed articles out of postings and pairs, bucket by bucket."""
        self._ensure_process()
        self._catch_up()
        removed = pack_numbers(self._known.removed)
        for kind in ("p", "f", "e"):
            for names in self._scan(kind):
                if names and (removed or kind == "e"):
                    self._run("compact", removed, self.most, *names)

    def _scan(self, kind: str) -> Iterator[list[bytes]]:
        """Names of all keys of a kind without their prefix, some hundreds at a time."""
        cursor: bytes | int = 0
        while True:
            pattern = f"{self._prefix}{kind}*"
            cursor, names = self._server.command("SCAN", cursor, "MATCH", pattern, "COUNT", SCANNED)
            yield [name[len(self._prefix) :] for name in names]
            if int(cursor) == 0:
                return

    def info(self) -> dict[str, Any]:
        """See `Store`. Memory is that of the whole server, pairs are those of articles there."""
        self._ensure_process()
        pairs, links, sources = self._run("count")
        return {
            "kind": "redis",
            "url": self._address.shown,
            "prefix": self._address.prefix,
            "format": FORMAT,
            "hash_scheme": HASH_SCHEME,
            "articles": self._known.count,
            "ever_added": self._known.following - 1,
            "pairs": pairs,
            "links": links,
            "sources": sources,
            "verdicts": len(self._known.verdicts),
            "expire_seconds": self.expire or None,
            "buckets": 1 << self._buckets.bits,
            **self._memory(),
            "texts_stored": self.store_text,
        }

    def _memory(self) -> dict[str, Any]:
        """What the server says of its memory, where it may be asked."""
        try:
            text = self._server.command("INFO", "memory").decode()
        except StoreUnavailableError:
            return {}
        told = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        return {
            "server_bytes": int(told.get("used_memory", 0)),
            "server_most_bytes": int(told.get("maxmemory", 0)) or None,
            "server_evicts": told.get("maxmemory_policy"),
        }

    def close(self) -> None:
        """See `Store`."""
        self._ensure_process()
        if self._finished:
            # They are finished; where that stays unknown, it is found again.
            with suppress(StoreUnavailableError):
                self._run("write", *self._to_write(), b"", b"")
        try:
            self._server.settle()
        finally:
            self._server.close()


def _as_entered(new: NewArticle, number: int, since: int) -> Record:
    """The record, but for its text, of an article that was just entered."""
    return Record(
        number=number,
        since=since,
        article=replace(new.article, text=""),
        text_hash=new.text_hash,
        words=new.words,
        fingerprint=new.fingerprint,
        family=None,
    )


def _touching(pairs: NDArray[Any], numbers: set[int]) -> NDArray[np.bool_]:
    """Which pairs have one of some articles."""
    wanted = np.array(sorted(numbers), np.int64)
    touched: NDArray[np.bool_] = np.isin(pairs["later"], wanted) | np.isin(pairs["earlier"], wanted)
    return touched


def _first(pairs: NDArray[Any], numbers: Sequence[int], most: int) -> NDArray[Any]:
    """Of the pairs of each article with earlier ones, and with later ones, no more than `most`."""
    kept = np.zeros(len(pairs), np.bool_)
    for number in numbers:
        for side in ("later", "earlier"):
            kept[np.flatnonzero(pairs[side] == number)[:most]] = True
    return pairs[kept]


def _pairwise(packed: Any) -> Iterable[tuple[bytes, bytes]]:
    """Names and values of a hash: a dict, or one after the other."""
    return (
        packed.items() if isinstance(packed, dict) else zip(packed[::2], packed[1::2], strict=True)
    )
