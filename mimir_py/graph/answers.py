"""Short forms of memories, and making an answer fit: pure rules."""

import json
from collections.abc import Mapping
from typing import Any, Final

from mimir_py.tooling.answer import clipped, size

SNIPPET_CHARS: Final = 120
_BODY_BYTES: Final = (4_000, 1_000, 240, 0)
_ENTRIES_KEPT: Final = 5
_NAME_CHARS: Final = 200
# A comma and a space.
_BETWEEN_ROWS: Final = 2


def snippet(body_json: str, most: int = SNIPPET_CHARS) -> str:
    """The beginning of what a body says, on one line: `content`, `summary`, or all of it."""
    body = json.loads(body_json)
    said = body_json
    if isinstance(body, str):
        said = body
    elif isinstance(body, dict):
        texts = (body.get(name) for name in ("content", "summary"))
        said = next((text for text in texts if isinstance(text, str) and text.strip()), said)
    line = " ".join(said.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def escaped(text: str) -> str:
    """Text that cannot be taken for markup."""
    return text.replace("<", "&lt;").replace(">", "&gt;")


def fitted(answer: dict[str, Any], rows: str, cap: int) -> dict[str, Any]:
    """The answer within `cap` bytes (0: no limit).

    Bodies give way first, then all but a few links or members of each row, then the last rows.
    """
    if not cap or size(answer) <= cap:
        return answer
    answer = {**answer, "truncated": True}
    for most in _BODY_BYTES:
        if not any(_is_long(item, most) for item in (*answer.values(), *answer[rows])):
            continue
        answer = {
            name: [_shortened(item, most) for item in value]
            if name == rows
            else _shortened(value, most)
            for name, value in answer.items()
        }
        if size(answer) <= cap:
            return answer
    whole = answer[rows]
    left, kept = cap - size({**answer, rows: []}), 0
    for row in whole:
        left -= size(row) + _BETWEEN_ROWS
        if left < 0:
            break
        kept += 1
    answer[rows] = whole[:kept]
    if "total" in answer:
        answer["total"] = kept
    return answer


def _is_long(value: Any, most: int) -> bool:
    """Whether `_shortened` would make it shorter."""
    if not isinstance(value, Mapping):
        return False
    return any(
        len(inner.encode()) > most
        if name == "body_json" and isinstance(inner, str)
        else _is_name(name, inner) or (not most and isinstance(inner, list))
        for name, inner in value.items()
    )


def _shortened(value: Any, most: int) -> Any:
    if not isinstance(value, Mapping):
        return value
    short: dict[str, Any] = {
        n: clipped(v, _NAME_CHARS) if _is_name(n, v) else v for n, v in value.items()
    }
    body = short.get("body_json")
    if isinstance(body, str) and len(body.encode()) > most:
        short["body_json"] = body.encode()[:most].decode(errors="ignore")
        short["truncated"] = True
    if not most:
        for name, inner in short.items():
            if isinstance(inner, list):
                short[name] = [_shortened(item, most) for item in inner[:_ENTRIES_KEPT]]
    return short


def _is_name(field: str, value: Any) -> bool:
    return isinstance(value, str) and field != "body_json" and len(value) > _NAME_CHARS
