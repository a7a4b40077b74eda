"""The searchable text of a memory: its label, and the strings of its parsed body.

JSON source never reaches an index: escapes, field names and punctuation are not words.
"""

import json
import math
from collections.abc import Iterable
from typing import Any, Final

from mimir_py.errors import InvalidInput
from mimir_py.values import clean_text, unstorable_character, walk_strings

MAX_DEPTH: Final = 100
# Text that is itself storable carries an unstorable character only as one of these.
_ESCAPE: Final = "\\u"
_LABEL_IN_CHUNK: Final = 160


def parse_body(body_json: str) -> Any:
    """The value a stored body holds.

    Raises:
        InvalidInput: not JSON, too deep, or holding text that cannot be stored.
    """
    try:
        body = load_json(body_json)
    except ValueError as error:
        raise InvalidInput("body_json", f"is not valid JSON: {error}") from None
    except RecursionError:
        raise InvalidInput("body_json", f"is nested deeper than {MAX_DEPTH} levels") from None
    # Both checks walk the whole body; most bodies cannot fail either.
    if body_json.count("{") + body_json.count("[") > MAX_DEPTH and _depth_over(body, MAX_DEPTH):
        raise InvalidInput("body_json", f"is nested deeper than {MAX_DEPTH} levels")
    if _ESCAPE in body_json:
        _refuse_unstorable(body)
    return body


def load_json(text: str) -> Any:
    """Parse strict JSON: Python's own reader also takes `NaN` and `Infinity`.

    Raises:
        ValueError: not JSON.
    """
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is beyond every floating-point number")
    return number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _refuse_unstorable(body: Any) -> None:
    for path, text in walk_strings(body, "body_json"):
        fault = unstorable_character(text)
        if fault is not None:
            raise InvalidInput(path, f"holds {fault}, which cannot be stored")


def label(category: str, key: str, tags: Iterable[str], topic_path: str) -> str:
    """The words that name a memory, one kind a line."""
    parts = (key, category, " ".join(tags), topic_path)
    return clean_text("\n".join(part for part in parts if part))


def body_text(body: Any) -> str:
    """The strings and numbers of a body, in order, one a line."""
    leaves: list[str] = []
    stack = [body]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            leaves.append(item)
        elif isinstance(item, dict):
            stack.extend(reversed(item.values()))
        elif isinstance(item, list):
            stack.extend(reversed(item))
        elif isinstance(item, int | float) and not isinstance(item, bool):
            leaves.append(str(item))
    return clean_text("\n".join(leaf for leaf in leaves if leaf.strip()))


def chunk_text(label_text: str, body: str, start: int, stop: int) -> str:
    """What is embedded for one chunk: the memory's label, then the chunk."""
    return f"{label_text[:_LABEL_IN_CHUNK]}\n{body[start:stop]}"


def _depth_over(body: Any, limit: int) -> bool:
    level = [body]
    for _ in range(limit):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True
