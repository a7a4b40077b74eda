"""The line between a host and the SDK: every message gets the answer the protocol says.

The SDK leaves unparseable and invalid messages unanswered, takes only some kinds of id, and knows
the messages only one by one. This gate answers those itself, gives each request an id of its own on
the way in and the caller's back on the way out, and keeps count of what is still unanswered.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from mcp.shared.message import ServerMessageMetadata, SessionMessage
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from mimir_py.values import clean_text

MAX_LINE_BYTES: Final = 16 * 1_048_576
PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
INVALID_PARAMS: Final = -32602
NOT_INITIALIZED: Final = -32002

_MODERN_ENVELOPE: Final = "io.modelcontextprotocol/protocolVersion"
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Forward:
    """A message for the SDK."""

    message: SessionMessage


@dataclass(frozen=True)
class Reply:
    """An answer of the gate's own, as a line without its end."""

    line: bytes


class Gate:
    """One connection's protocol state. Not thread-safe: the event loop owns it.

    `settled` is called whenever a forwarded request has been answered, or never will be.
    """

    def __init__(self, settled: Callable[[], None]) -> None:
        self._settled = settled
        self._initialized = False
        self._initialize_id: int | None = None
        self._last_id = 0
        self._callers_ids: dict[int, Any] = {}

    @property
    def unanswered(self) -> int:
        """Requests forwarded and not answered yet."""
        return len(self._callers_ids)

    def inbound(self, line: bytes) -> Forward | Reply | None:
        """What to do with a line: hand it on, answer it, or (for noise) nothing."""
        try:
            message = json.loads(
                line.removeprefix(_BOM).decode(), parse_int=_number, parse_constant=_refuse
            )
        except UnicodeDecodeError:
            return _error(None, PARSE_ERROR, "Parse error: the line is not UTF-8")
        except RecursionError:
            return _error(None, PARSE_ERROR, "Parse error: nested too deeply")
        except ValueError as error:
            return _error(None, PARSE_ERROR, f"Parse error: {error}")
        if not isinstance(message, dict):
            what = "batches are not supported" if isinstance(message, list) else "not an object"
            return _error(None, INVALID_REQUEST, f"Invalid request: {what}")
        if "method" not in message and ("result" in message or "error" in message):
            return None
        return self._judge(message)

    def overlong(self) -> Reply:
        """The answer to a line over the limit."""
        return _error(
            None, INVALID_REQUEST, f"Invalid request: the line is over {MAX_LINE_BYTES} bytes"
        )

    def outbound(self, message: SessionMessage) -> bytes:
        """A message of the SDK as a line, under the caller's own id."""
        inner = message.message
        if isinstance(inner, JSONRPCResponse):
            body = {"id": self._settle(inner.id), "result": inner.result}
            if inner.id == self._initialize_id:
                self._initialized = True
        elif isinstance(inner, JSONRPCError):
            error = inner.error.model_dump(mode="json", exclude_none=True)
            body = {"id": self._settle(inner.id), "error": error}
            if inner.id == self._initialize_id:
                self._initialize_id = None
        else:
            body = inner.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return _line({"jsonrpc": "2.0", **body})

    def _judge(self, message: dict[str, Any]) -> Forward | Reply | None:
        has_id = "id" in message
        caller_id = message.get("id")
        if has_id and not _usable(caller_id):
            return _error(None, INVALID_REQUEST, "Invalid request: id must be a string or a number")
        fault = _fault(message)
        if fault is not None:
            # A notification is never answered, unless it is no call at all.
            silent = not has_id and fault[0] == INVALID_PARAMS
            return None if silent else _error(caller_id, *fault)
        method: str = message["method"]
        params = message.get("params")
        if not has_id:
            return self._notification(method, params)
        if method.startswith("tools/") and not (self._open or _is_modern(params)):
            return _error(caller_id, NOT_INITIALIZED, "Not initialized: send initialize first")
        if method == "initialize":
            params = _completed(params)
        return self._request(caller_id, method, params)

    @property
    def _open(self) -> bool:
        # The SDK answers initialize before anything sent behind it.
        return self._initialized or self._initialize_id is not None

    def _request(self, caller_id: Any, method: str, params: dict[str, Any] | None) -> Forward:
        self._last_id += 1
        own_id = self._last_id
        self._callers_ids[own_id] = caller_id
        if method == "initialize":
            self._initialize_id = own_id

        async def never_answered() -> None:
            self._settle(own_id)

        request = JSONRPCRequest.model_construct(
            jsonrpc="2.0", id=own_id, method=method, params=params
        )
        metadata = ServerMessageMetadata(on_request_unanswered=never_answered)
        return Forward(SessionMessage(request, metadata))

    def _notification(self, method: str, params: dict[str, Any] | None) -> Forward | None:
        if not method.startswith("notifications/"):
            return None
        if method == "notifications/cancelled":
            wanted = (params or {}).get("requestId")
            own_id = next(
                (own for own, caller in self._callers_ids.items() if _same_id(caller, wanted)), None
            )
            if own_id is None:
                return None
            params = {**(params or {}), "requestId": own_id}
        notification = JSONRPCNotification.model_construct(
            jsonrpc="2.0", method=method, params=params
        )
        return Forward(SessionMessage(notification))

    def _settle(self, own_id: Any) -> Any:
        caller_id = self._callers_ids.pop(own_id, None)
        self._settled()
        return caller_id


def _usable(caller_id: Any) -> bool:
    if isinstance(caller_id, float):
        return math.isfinite(caller_id)
    return isinstance(caller_id, str | int) and not isinstance(caller_id, bool)


def _same_id(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _fault(message: dict[str, Any]) -> tuple[int, str] | None:
    """Why an object is no JSON-RPC call, as (code, message)."""
    if message.get("jsonrpc") != "2.0":
        return INVALID_REQUEST, 'Invalid request: jsonrpc must be "2.0"'
    if not isinstance(message.get("method"), str):
        return INVALID_REQUEST, "Invalid request: method must be a string"
    params = message.get("params")
    if params is not None and not isinstance(params, dict):
        return INVALID_PARAMS, "Invalid params: must be an object"
    return _fault_of_call(params) if message["method"] == "tools/call" else None


def _fault_of_call(params: dict[str, Any] | None) -> tuple[int, str] | None:
    if params is None:
        return INVALID_PARAMS, "Missing params"
    if not isinstance(params.get("name"), str):
        return INVALID_PARAMS, "Missing tool name"
    if not isinstance(params.get("arguments", {}), dict | None):
        return INVALID_PARAMS, "Invalid params: arguments must be an object"
    return None


def _is_modern(params: dict[str, Any] | None) -> bool:
    meta = (params or {}).get("_meta")
    return isinstance(meta, dict) and _MODERN_ENVELOPE in meta


def _completed(params: dict[str, Any] | None) -> dict[str, Any]:
    """`initialize` as terse clients send it, with what the SDK insists on."""
    given = dict(params or {})
    if not isinstance(given.get("protocolVersion"), str):
        given["protocolVersion"] = "2025-06-18"
    if not isinstance(given.get("capabilities"), dict):
        given["capabilities"] = {}
    info = given.get("clientInfo")
    named = info if isinstance(info, dict) else {}
    given["clientInfo"] = {"name": "unknown", "version": "", **named}
    return given


def _error(caller_id: Any, code: int, message: str) -> Reply:
    return Reply(
        _line(
            {
                "jsonrpc": "2.0",
                "id": caller_id,
                "error": {"code": code, "message": message},
            }
        )
    )


def _line(body: dict[str, Any]) -> bytes:
    try:
        return _dumped(body, as_is=True).encode()
    except UnicodeEncodeError:
        # An id goes back as it came, as escapes; no other text may carry what UTF-8 cannot.
        own = {name: value for name, value in body.items() if name != "id"}
        clean = json.loads(clean_text(_dumped(own, as_is=True)))
        return _dumped({**clean, "id": body.get("id")}, as_is=False).encode()


def _dumped(body: dict[str, Any], *, as_is: bool) -> str:
    return json.dumps(body, ensure_ascii=not as_is, separators=(",", ":"))


def _number(digits: str) -> int | float:
    """An integer; one of more digits than Python reads is infinite, as too large a float is."""
    try:
        return int(digits)
    except ValueError:
        return -math.inf if digits.startswith("-") else math.inf


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
