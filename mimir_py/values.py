"""The words every room speaks: times, identifiers, and text fit to store.

Times are Unix milliseconds (int64). Scores are floats in 0..1. Vectors are little-endian float32
of unit length, as bytes at rest.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

UnixMs = int
Clock = Callable[[], UnixMs]
IdSource = Callable[[str], str]

MAX_UNIX_MS: Final = 2**63 - 1
GLOBAL_WORKSPACE: Final = ""

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def system_clock() -> UnixMs:
    """The current time; the only place that reads the machine's clock."""
    return time.time_ns() // 1_000_000


def random_id(prefix: str) -> str:
    """`prefix`, a dash and 12 random hex digits (48 bits), the contract's id form."""
    return f"{prefix}-{secrets.token_hex(6)}"


def unstorable_character(text: str) -> str | None:
    """Name the first character SQLite or JSON cannot carry faithfully, or `None`.

    SQLite's text functions stop at NUL, and a lone surrogate has no UTF-8 form.
    """
    if _is_storable(text):
        return None
    found = _UNSTORABLE.search(text)
    assert found is not None
    return "a NUL character" if found.group() == "\x00" else "a lone surrogate"


def clean_text(text: str) -> str:
    """`text` with every NUL and lone surrogate replaced by U+FFFD."""
    return text if _is_storable(text) else _UNSTORABLE.sub("\ufffd", text)


def _is_storable(text: str) -> bool:
    # Ten times as fast as to search, and nearly all text is.
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def walk_strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every string inside a JSON value with its path, object names included."""
    stack = [(path, value)]
    while stack:
        here, item = stack.pop()
        if isinstance(item, str):
            yield here, item
        elif isinstance(item, dict):
            for name, inner in item.items():
                yield here, name
                stack.append((f"{here}.{name}" if here else name, inner))
        elif isinstance(item, list):
            stack.extend((f"{here}[{index}]", inner) for index, inner in enumerate(item))
