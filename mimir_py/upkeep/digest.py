"""A number that is the same for stores that hold the same live memories (contract, section 4.20).

The order in which memories are taken does not matter, so that it can be kept up with or made in
slices.
"""

from typing import Final

_OFFSET: Final = 0xCBF29CE484222325
_PRIME: Final = 0x100000001B3
_MASK: Final = 2**64 - 1


def fnv1a(data: bytes, start: int = _OFFSET) -> int:
    """FNV-1a, 64 bits."""
    number = start
    for byte in data:
        number = ((number ^ byte) * _PRIME) & _MASK
    return number


def memory_digest(entity_id: str, body_json: str) -> int:
    """What one memory adds, by exclusive or."""
    return fnv1a(f"{entity_id}\x00{body_json}".encode())


def store_digest(memories: int, count: int) -> str:
    """The digest of a store as 16 hex digits, from what its `count` memories add up to."""
    return f"{fnv1a(count.to_bytes(8, 'little'), memories):016x}"
