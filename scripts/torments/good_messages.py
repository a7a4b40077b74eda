"""Messages as clients send them."""

from collections.abc import Mapping
from typing import Any

Message = dict[str, Any]


def good_messages(number: int) -> list[Message]:
    """Messages as clients send them, all under the id `m-<number>`."""
    id = f"m-{number}"
    return [
        request(id, "ping"),
        request(id, "tools/list", {}),
        request(id, "initialize", {"protocolVersion": "2025-06-18", "capabilities": {}}),
        call(id, "health", {}),
        call(id, "remember", {"category": "c", "key": f"k{number % 50}", "body_json": "some"}),
        call(id, "recall", {"query": "some", "mode": "fts5", "limit": 2}),
        call(id, "get_entity", {"id": "mem-000000000000"}),
        call(id, "forget", {"category": "c", "key": f"k{(number - 1) % 50}"}),
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {
            "jsonrpc": "2.0",
            "method": "notifications/cancelled",
            "params": {"requestId": f"never-{number}"},
        },
    ]


def request(id: Any, method: str, params: Any = None) -> Message:
    message = {"jsonrpc": "2.0", "id": id, "method": method}
    return message if params is None else {**message, "params": params}


def call(id: Any, tool: str, arguments: Mapping[str, Any]) -> Message:
    return request(id, "tools/call", {"name": f"mimir_{tool}", "arguments": dict(arguments)})
