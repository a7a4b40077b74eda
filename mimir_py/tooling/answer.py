"""The envelopes of an answer, in the shapes existing clients read.

An answer's payload travels twice: as JSON text in `content[0].text`, and parsed in
`structuredContent`. A failed call has `isError`; its text is either the envelope once more (so that
clients find the message at `json(text).content[0].text`) or `{"error": message}`, by tool.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from mimir_py.values import clean_text, unstorable_character

MOST_MESSAGE_CHARS: Final = 2_000
MOST_NAME_CHARS: Final = 200
_ENTRIES_KEPT: Final = 100
# How JSON writes the NUL; a text of just these characters costs a look, no more.
_NUL: Final = "\\u0000"


def success(payload: Mapping[str, Any]) -> dict[str, Any]:
    """An answer that worked."""
    return _enveloped(payload)


def failure(message: str, *, soft: bool = False) -> dict[str, Any]:
    """An answer that says what went wrong and what to do."""
    message = clipped(clean_text(message), MOST_MESSAGE_CHARS)
    if soft:
        return {**_enveloped({"error": message}), "isError": True}
    inner = {"content": [{"text": message, "type": "text"}], "isError": True}
    return {**_enveloped(inner), "isError": True}


def to_json(payload: Mapping[str, Any]) -> str:
    """Compact JSON with characters as they are; no NaN."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def size(payload: Mapping[str, Any]) -> int:
    """Bytes of the payload as text."""
    return len(to_json(payload).encode(errors="surrogatepass"))


def clipped(text: str, most: int) -> str:
    """`text`, or its beginning and end around an ellipsis."""
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def largest(highest: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `highest` that fits, where all below one that fits do; else 0."""
    low = 0
    while low < highest:
        middle = (low + highest + 1) // 2
        low, highest = (middle, highest) if fits(middle) else (low, middle - 1)
    return low


def fitted(payload: dict[str, Any], cap: int) -> dict[str, Any]:
    """`payload` cut to `cap` bytes (0: no limit): long names first, then the ends of long lists.

    For answers that have no better way of their own to be shorter.
    """
    if not cap or size(payload) <= cap:
        return payload
    entries = 10 * _ENTRIES_KEPT
    while size(payload) > cap and entries:
        payload = {**_shortened(payload, entries), "truncated": True}
        entries //= 2
    return payload


def _shortened(value: Any, entries: int) -> Any:
    if isinstance(value, str):
        return clipped(value, MOST_NAME_CHARS)
    if isinstance(value, dict):
        kept = list(value.items())[:entries]
        return {clipped(name, MOST_NAME_CHARS): _shortened(item, entries) for name, item in kept}
    if isinstance(value, list | tuple):
        return [_shortened(item, entries) for item in value[:entries]]
    return value


def _enveloped(payload: Mapping[str, Any]) -> dict[str, Any]:
    text = to_json(payload)
    if _NUL in text or unstorable_character(text) is not None:
        payload = _cleaned(payload)
        text = to_json(payload)
    return {"content": [{"type": "text", "text": text}], "structuredContent": payload}


def _cleaned(value: Any) -> Any:
    """The same with every character marked that cannot be written or read back faithfully."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {_cleaned(name): _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value
