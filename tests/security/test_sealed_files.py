"""Sealed export files: they come back as they were written, or not at all."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mimir_py.errors import KeyRefused, TransferError
from mimir_py.security.keys import Secret
from mimir_py.security.sealed_files import MAGIC, SealedReader, SealedWriter, is_sealed_file

_KEY = Secret("file", bytes(range(32)))
_PART = 65_536 + 16
_TEXT = "".join(f"line {number} ü\n" for number in range(20_000))


def _sealed(text: str, secret: Secret = _KEY, *, end: bool = True) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, secret)
    for start in range(0, len(text), 7_001):
        writer.write(text[start : start + 7_001])
    if end:
        writer.end()
    return file.getvalue()


def _read(content: bytes, secret: Secret = _KEY) -> str:
    return SealedReader.lines(io.BytesIO(content), secret, "all.sealed").read()


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return _sealed(_TEXT)


def _body(content: bytes) -> int:
    """Where the parts begin."""
    return content.index(b"\n", len(MAGIC)) + 1


@pytest.mark.parametrize(
    "text",
    ["", "x", "x" * 65_535, "x" * 65_536, "x" * 65_537, "x" * 131_072, "zeile\r\nü☕\n"],
    ids=lambda text: str(len(text)),
)
def test_a_sealed_text_comes_back_to_the_byte(text: str) -> None:
    content = _sealed(text)

    assert is_sealed_file(content)
    assert _read(content) == text
    assert len(text) < 100 or text[:100].encode() not in content


def test_a_passphrase_opens_what_it_sealed_and_no_key_does() -> None:
    content = _sealed("a secret", Secret("passphrase", b"correct horse"))

    assert _read(content, Secret("passphrase", b"correct horse")) == "a secret"
    for wrong in (Secret("passphrase", b"correct house"), _KEY):
        with pytest.raises(KeyRefused, match=r"this key does not open all\.sealed"):
            _read(content, wrong)


def test_two_files_of_one_text_share_nothing(sealed: bytes) -> None:
    again = _sealed(_TEXT)

    start = _body(sealed)
    assert sealed[start : start + 32] != again[_body(again) :][:32]


def _swapped(content: bytes, one: int, other: int) -> bytes:
    start = _body(content)
    parts = [content[at : at + _PART] for at in range(start, len(content), _PART)]
    parts[one], parts[other] = parts[other], parts[one]
    return content[:start] + b"".join(parts)


def test_parts_that_were_moved_doubled_or_taken_out_are_found(sealed: bytes) -> None:
    start = _body(sealed)
    first, second = sealed[start : start + _PART], sealed[start + _PART : start + 2 * _PART]
    rest = sealed[start + 2 * _PART :]
    head = sealed[:start]

    for changed in (
        _swapped(sealed, 0, 1),
        _swapped(sealed, 0, -1),
        head + first + first + second + rest,
        head + second + rest,
        head + first + rest,
    ):
        with pytest.raises(TransferError, match=r"all\.sealed: part \d+ was changed, moved or cut"):
            _read(changed)


def test_an_end_that_was_cut_off_is_named(sealed: bytes) -> None:
    start = _body(sealed)

    with pytest.raises(TransferError, match=r"all\.sealed: was cut off after part 2"):
        _read(sealed[: start + 2 * _PART])
    with pytest.raises(TransferError, match="part 3 was changed, moved or cut off"):
        _read(sealed[: start + 2 * _PART + 9])
    with pytest.raises(TransferError, match="part 1 was changed, moved or cut off"):
        _read(sealed[:start])
    with pytest.raises(TransferError, match="its header is not whole"):
        _read(sealed[: start - 1])
    with pytest.raises(TransferError):
        _read(_sealed("x" * 70_000, end=False))


def test_what_was_added_after_the_end_is_named() -> None:
    whole = _sealed("x" * 65_536)

    with pytest.raises(TransferError, match="goes on after its end, which is part 1"):
        _read(whole + b"more")
    with pytest.raises(TransferError):
        _read(_sealed("short") + b"more")


def test_parts_of_another_file_with_the_same_key_are_refused(sealed: bytes) -> None:
    other = _sealed(_TEXT)
    mixed = other[: _body(other)] + sealed[_body(sealed) :]

    with pytest.raises(TransferError, match="part 1 was changed"):
        _read(mixed)


def test_a_header_that_was_changed_is_refused_by_name(sealed: bytes) -> None:
    with pytest.raises(KeyRefused, match=r"header of all\.sealed was changed"):
        _read(sealed.replace(b'"names":true', b'"names":null', 1))


def test_nothing_is_given_of_a_file_that_is_not_whole(sealed: bytes) -> None:
    changed = bytearray(sealed)
    changed[-1] ^= 1

    with pytest.raises(TransferError):
        SealedReader(io.BytesIO(bytes(changed)), _KEY, "all.sealed")


_SMALL = _sealed("some words\nand some more\n")


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(_SMALL) - 1), bit=st.integers(0, 7))
def test_no_bit_can_be_changed_unnoticed(at: int, bit: int) -> None:
    changed = bytearray(_SMALL)
    changed[at] ^= 1 << bit

    with pytest.raises((TransferError, KeyRefused), match=r"all\.sealed"):
        _read(bytes(changed))


@settings(max_examples=60, deadline=None)
@given(length=st.integers(0, len(_SMALL) - 1))
def test_no_end_can_be_cut_off_unnoticed(length: int) -> None:
    with pytest.raises((TransferError, KeyRefused), match=r"all\.sealed"):
        _read(_SMALL[:length])
