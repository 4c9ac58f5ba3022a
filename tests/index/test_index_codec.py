"""What is packed for keeping comes out as it went in, or is known to be damaged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedupe.errors import IndexDamagedError
from dedupe.index._codec import (
    pack_keys,
    pack_text,
    seal,
    seal_keys,
    seal_sketch,
    signed,
    text_hash,
    unpack_keys,
    unpack_text,
    unseal_keys,
    unseal_sketch,
    unsigned,
    upper_bits,
)

uint64s = st.integers(0, 2**64 - 1)


@given(st.text())
def test_texts(text: str) -> None:
    """A text is kept byte for byte."""
    assert unpack_text(pack_text(text.encode()), "it").decode() == text


@given(st.binary(min_size=1, max_size=200), st.data())
def test_damaged_texts(text: bytes, data: st.DataObject) -> None:
    """With any bit changed, or any part missing, a text is the same or known to be damaged."""
    packed = bytearray(pack_text(text))
    at = data.draw(st.integers(0, 8 * len(packed) - 1))
    packed[at // 8] ^= 1 << at % 8
    cut = data.draw(st.sampled_from([len(packed), at // 8]))
    try:
        found = unpack_text(bytes(packed[:cut]), "'it'")
    except IndexDamagedError as error:
        assert "'it'" in str(error)  # noqa: PT017
    else:
        # A record has the hash of its text, and so does not take this for it.
        assert found == text or text_hash(found) != text_hash(text)


def test_texts_that_claim_to_be_huge() -> None:
    """Damage does not make this ask for more memory than there is."""
    packed = bytearray(pack_text(bytes(1 << 20)))
    huge = bytes(packed[:4]) + bytes([packed[4] | 0xC0]) + b"\xff" * 8 + bytes(packed[9:])
    with pytest.raises(IndexDamagedError, match="of 'it' is damaged"):
        unpack_text(huge, "it")
    with pytest.raises(IndexDamagedError):
        unpack_text(b"", "it")


@given(st.lists(uint64s))
@example([0, 2**64 - 1])
def test_keys(numbers: list[int]) -> None:
    """Hashes are kept as they are, with or without a checksum."""
    keys = np.array(numbers, np.uint64)
    assert unpack_keys(pack_keys(keys)).tolist() == numbers
    assert unseal_keys(seal_keys(keys), "it").tolist() == numbers


@given(st.lists(uint64s, max_size=20), st.data())
def test_damaged_keys(numbers: list[int], data: st.DataObject) -> None:
    """With any bit changed, or any part missing, sealed hashes are known to be damaged."""
    sealed = bytearray(seal_keys(np.array(numbers, np.uint64)))
    at = data.draw(st.integers(0, 8 * len(sealed) - 1))
    with pytest.raises(IndexDamagedError, match="of 'it' is damaged"):
        unseal_keys(bytes(sealed[: at // 8]), "'it'")
    sealed[at // 8] ^= 1 << at % 8
    with pytest.raises(IndexDamagedError, match="of 'it' is damaged"):
        unseal_keys(bytes(sealed), "'it'")


@given(st.lists(uint64s, max_size=20), st.integers(0, 40), st.data())
def test_sketches(numbers: list[int], scale: int, data: st.DataObject) -> None:
    """Of a sketch the upper bits are kept, in few bytes, and damage is known."""
    keys = np.array(numbers, np.uint64) >> np.uint64(scale)
    sealed = seal_sketch(keys)
    assert unseal_sketch(sealed, "it").tolist() == [key >> 23 << 23 for key in keys.tolist()]
    assert upper_bits(keys).tolist() == [key >> 23 << 23 for key in keys.tolist()]
    assert len(sealed) <= 9 + len(keys) * (6 if scale == 0 else 5)
    broken = bytearray(sealed)
    at = data.draw(st.integers(0, 8 * len(sealed) - 1))
    broken[at // 8] ^= 1 << at % 8
    with pytest.raises(IndexDamagedError, match="of 'it' is damaged"):
        unseal_sketch(bytes(broken), "'it'")


@given(uint64s)
def test_numbers(number: int) -> None:
    """A uint64 comes back out of a signed integer of 64 bits."""
    assert -(2**63) <= signed(number) < 2**63
    assert unsigned(signed(number)) == number


@given(st.lists(st.none() | st.integers() | st.text()), st.data())
def test_seals(values: list[object], data: st.DataObject) -> None:
    """The checksum of a record fits into SQL's integers, and tells records apart."""
    assert 0 <= seal(*values) < 2**63
    other = data.draw(st.lists(st.none() | st.integers() | st.text()))
    assert (seal(*values) == seal(*other)) == (values == other)
