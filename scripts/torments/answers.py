"""The answers that JSON-RPC and MCP give to a line, whatever is in it."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
LONGEST_LINE: Final = 16 * 1_048_576

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Answer:
    """What one line must be answered with: under which id, and with one of which error codes.

    No codes: anything, a result too. An `optional` answer may be missing.
    """

    id: Any
    codes: frozenset[int] = frozenset()
    optional: bool = False


_INVALID: Final = Answer(None, frozenset({INVALID_REQUEST}))


def expected(data: bytes) -> list[Answer]:
    """The answers to lines that are sent together, from the rules of JSON-RPC and MCP."""
    lines = data.split(b"\n")
    cancelled = {json.dumps(_cancelled_by(line)) for line in lines if b"cancelled" in line}
    return [
        Answer(answer.id, answer.codes, optional=json.dumps(answer.id) in cancelled)
        for line in lines
        if (answer := _expected_of(line))
    ]


def _cancelled_by(line: bytes) -> Any:
    """The id a line takes back, if it does."""
    try:
        params = _parsed(line).get("params")
    except (AttributeError, ValueError, RecursionError):
        return None
    return params.get("requestId") if isinstance(params, dict) else None


def _parsed(line: bytes) -> Any:
    return json.loads(line.removeprefix(_BOM).decode(), parse_int=_integer, parse_constant=_refuse)


def _expected_of(line: bytes) -> Answer | None:
    if len(line) > LONGEST_LINE:
        return _INVALID
    if not line.strip():
        return None
    try:
        message = _parsed(line)
    except (ValueError, RecursionError):
        return Answer(None, frozenset({PARSE_ERROR}))
    return _expected_of_object(message) if isinstance(message, dict) else _INVALID


def _expected_of_object(message: Mapping[str, Any]) -> Answer | None:
    if "method" not in message and ("result" in message or "error" in message):
        return None
    id = message.get("id")
    if "id" in message and not _is_usable(id):
        return _INVALID
    if message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str):
        return Answer(id, _INVALID.codes)
    return Answer(id) if "id" in message else None


class Ledger:
    """What must still be answered, and what was wrong with the answers so far."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._waiting: dict[str, list[Answer]] = {}

    def want(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            self._waiting.setdefault(json.dumps(answer.id), []).append(answer)

    def take(self, message: Mapping[str, Any]) -> None:
        """Tick an answer off, or note that nobody asked for it or that it is another."""
        if message.get("jsonrpc") != "2.0" or ("result" in message) == ("error" in message):
            self.faults.append(f"no answer of the protocol: {str(message)[:200]}")
        code = message.get("error", {}).get("code")
        waiting = self._waiting.get(json.dumps(message.get("id")), [])
        fitting = [answer for answer in waiting if not answer.codes or code in answer.codes]
        if fitting:
            waiting.remove(fitting[0])
        elif waiting:
            wrong = waiting.pop()
            self.faults.append(f"{code} in place of {sorted(wrong.codes)}: {str(message)[:200]}")
        else:
            self.faults.append(f"nobody asked for {str(message)[:200]}")

    @property
    def missing(self) -> list[str]:
        """The ids that must be answered and are not."""
        waiting = (answer for answers in self._waiting.values() for answer in answers)
        return [json.dumps(answer.id)[:80] for answer in waiting if not answer.optional]


def _is_usable(id: Any) -> bool:
    if isinstance(id, float):
        return math.isfinite(id)
    return isinstance(id, str | int) and not isinstance(id, bool)


def _integer(digits: str) -> float | int:
    return int(digits) if len(digits) <= 4_000 else math.inf


def _refuse(name: str) -> None:
    raise ValueError(name)
