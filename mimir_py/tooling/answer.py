"""The envelopes of an answer, in the shapes existing clients read.

An answer's payload travels twice: as JSON text in `content[0].text`, and parsed in
`structuredContent`. A failed call has `isError`; its text is either the envelope once more (so that
clients find the message at `json(text).content[0].text`) or `{"error": message}`, by tool.
"""

import json
from collections.abc import Mapping
from typing import Any

from mimir_py.values import clean_text


def success(payload: Mapping[str, Any]) -> dict[str, Any]:
    """An answer that worked."""
    return _enveloped(payload)


def failure(message: str, *, soft: bool = False) -> dict[str, Any]:
    """An answer that says what went wrong and what to do."""
    message = clean_text(message)
    if soft:
        return {**_enveloped({"error": message}), "isError": True}
    inner = {"content": [{"text": message, "type": "text"}], "isError": True}
    return {**_enveloped(inner), "isError": True}


def to_json(payload: Mapping[str, Any]) -> str:
    """Compact JSON with characters as they are; no NaN."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def size(payload: Mapping[str, Any]) -> int:
    """Bytes of the payload as text."""
    return len(to_json(payload).encode())


def _enveloped(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "content": [{"type": "text", "text": to_json(payload)}],
        "structuredContent": payload,
    }
