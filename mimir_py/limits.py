"""How much a caller may store under one name, and the check that says so."""

from dataclasses import dataclass

from mimir_py.errors import InvalidInput


@dataclass(frozen=True)
class Limits:
    """The most a memory may hold, in bytes and counts."""

    body_bytes: int
    name_bytes: int
    tags: int


def check_name(field: str, value: str, limit: int) -> None:
    """Refuse a name over `limit` bytes.

    Raises:
        InvalidInput: names the field and the limit.
    """
    # No character takes more than four bytes.
    if 4 * len(value) <= limit:
        return
    size = len(value.encode())
    if size > limit:
        raise InvalidInput(field, f"is {size} bytes; the limit is {limit}")
