"""Handshakes of every protocol version, the official client in both eras, and the envelopes."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from mcp import Client, StdioServerParameters

from mimir_py import __version__
from mimir_py.app import CATALOGUE
from tests.server.program import MIMIR, Message, Program, environment, error_text, request, serving

SOFT_TOOLS: Final = ("reindex", "stats", "workspace_list")
HINTS: Final = {
    "remember": {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True},
    "get_entity": {"readOnlyHint": True},
    "forget": {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True},
    "recall": {"readOnlyHint": True},
    "recall_layer": {"readOnlyHint": True},
    "semantic_search": {"readOnlyHint": True},
    "workspace_list": {"readOnlyHint": True},
    "embed": {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True},
    "reindex": {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True},
    "health": {"readOnlyHint": True},
    "stats": {"readOnlyHint": True},
}
_LATEST: Final = "2025-11-25"


def test_a_call_is_served_right_behind_initialize(fresh: Program) -> None:
    """Some clients never send `initialized`."""
    answer = fresh.ask("initialize", {"protocolVersion": "2024-11-05"})
    healthy = fresh.ask("tools/call", {"name": "mimir_health"})["result"]

    result = answer["result"]
    assert result["protocolVersion"] == "2024-11-05"
    assert result["serverInfo"] == {"name": "mimir", "title": "Mimir", "version": __version__}
    assert result["capabilities"] == {"tools": {"listChanged": False}}
    assert "mimir_recall" in result["instructions"]
    assert "mimir_remember" in result["instructions"]
    assert healthy == {
        "content": [{"type": "text", "text": '{"status":"healthy"}'}],
        "structuredContent": {"status": "healthy"},
    }


def test_any_handshake_is_met_half_way(fresh: Program) -> None:
    asked: list[Any] = [
        {},
        None,
        {"protocolVersion": 5, "capabilities": None, "clientInfo": "me"},
        {"protocolVersion": "1999-12-31"},
        {"protocolVersion": _LATEST},
        {"protocolVersion": "2025-03-26"},
        {"protocolVersion": "2025-06-18"},
    ]

    answers = [fresh.ask("initialize", params)["result"] for params in asked]

    versions = [answer["protocolVersion"] for answer in answers]
    assert versions[:3] == ["2025-06-18"] * 3
    assert versions[3:] == [_LATEST, _LATEST, "2025-03-26", "2025-06-18"]
    assert fresh.call("health") == {"status": "healthy"}


@pytest.mark.parametrize(
    ("mode", "version"),
    [("legacy", _LATEST), ("auto", "2026-07-28")],
)
async def test_the_official_client_lists_remembers_recalls_and_sees_errors(
    tmp_path: Path, mode: Any, version: str
) -> None:
    server = StdioServerParameters(
        command=str(MIMIR),
        args=["serve", "--db", str(tmp_path / "memory.db")],
        env=environment(tmp_path),
    )
    fact = {"category": "decision", "key": "queue", "body_json": '{"content":"use NATS"}'}

    async with Client(server, mode=mode) as client:
        listed = await client.list_tools()
        remembered = await client.call_tool("mimir_remember", fact)
        recalled = await client.call_tool("mimir_recall", {"query": "message queue"})
        missing = await client.call_tool("mimir_get_entity", {"id": "mem-none"})

        assert client.protocol_version == version
        assert client.server_info.name == "mimir"
        assert "long-term memory" in str(client.instructions)
    assert [tool.name for tool in listed.tools] == [tool.spec.name for tool in CATALOGUE.tools]
    assert remembered.structured_content["action"] == "created"
    assert [item["content"] for item in recalled.structured_content["items"]] == ["use NATS"]
    assert missing.is_error is True
    assert missing.structured_content == {
        "content": [{"text": "Entity not found: mem-none", "type": "text"}],
        "isError": True,
    }


def test_hints_say_what_the_tools_do(shared: Program) -> None:
    tools = shared.ask("tools/list")["result"]["tools"]

    hints = {tool["name"].removeprefix("mimir_"): tool["annotations"] for tool in tools}
    for suffix, own in HINTS.items():
        assert hints[suffix] == {**own, "openWorldHint": False}, suffix
    for given in hints.values():
        reads = {"readOnlyHint": True, "openWorldHint": False}
        assert given == reads or set(given) == {*reads, "destructiveHint", "idempotentHint"}


def test_a_listing_is_complete_and_small(shared: Program) -> None:
    tools = shared.ask("tools/list")["result"]["tools"]

    for tool in tools:
        assert tool["title"]
        assert tool["description"]
        assert tool["inputSchema"]["type"] == "object"
        assert tool["outputSchema"]["type"] == "object"
        assert len(_compact(tool["outputSchema"])) <= 200
    assert len(_compact(tools)) <= 45_000


def test_a_lean_listing_is_eight_tools_and_six_kilobytes_at_most(tmp_path: Path) -> None:
    with serving(tmp_path / "memory.db", "--tools", "lean") as program:
        tools = program.ask("tools/list")["result"]["tools"]
        unlisted = program.refusal("embed")

    assert {"mimir_remember", "mimir_recall"} <= {tool["name"] for tool in tools}
    assert len(tools) <= 8
    assert "Unknown tool" not in unlisted
    assert len(_compact(tools)) <= 6_000


@pytest.mark.parametrize("suffix", HINTS)
@pytest.mark.parametrize("prefix", ["mimir_", "mneme_", "perseus_vault_"])
def test_a_tool_answers_to_all_its_names(shared: Program, prefix: str, suffix: str) -> None:
    result = shared.ask("tools/call", {"name": prefix + suffix})["result"]

    text = result["content"][0]["text"]
    assert "Unknown tool" not in text
    assert ("isError" not in result) or f"Invalid {suffix} arguments" in text


@pytest.mark.parametrize(
    "name",
    [
        "perseus_vault_mimir_recall",
        "mneme_mimir_recall",
        "recall",
        "mimir_",
        "MIMIR_RECALL",
        "",
        "x",
    ],
)
def test_any_other_name_is_unknown(shared: Program, name: str) -> None:
    result = shared.ask("tools/call", {"name": name, "arguments": {}})["result"]

    assert error_text(result) == f"Unknown tool: {name}"
    assert result["structuredContent"]["isError"] is True


def test_a_hard_error_is_nested_twice_as_in_the_contract(shared: Program) -> None:
    answer = shared.ask("tools/call", {"name": "mimir_get_entity", "arguments": {"id": "mem-x"}})

    inner = {"content": [{"text": "Entity not found: mem-x", "type": "text"}], "isError": True}
    assert answer["result"] == {
        "content": [{"type": "text", "text": _compact(inner).decode()}],
        "isError": True,
        "structuredContent": inner,
    }


@pytest.mark.parametrize("tool", SOFT_TOOLS)
def test_a_soft_error_is_one_field_and_flagged(shared: Program, tool: str) -> None:
    result = shared.result(tool, {"stray": "a NUL: \x00"})

    assert result["isError"] is True
    assert list(result["structuredContent"]) == ["error"]
    assert result["structuredContent"]["error"].startswith(f"Invalid {tool} arguments: stray: ")
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]


@pytest.mark.parametrize("tool", [suffix for suffix in HINTS if suffix not in SOFT_TOOLS])
def test_every_other_tool_fails_in_the_hard_shape(shared: Program, tool: str) -> None:
    result = shared.result(tool, {"stray": "a NUL: \x00"})

    assert result["isError"] is True
    assert list(result["structuredContent"]) == ["content", "isError"]
    assert "stray" in error_text(result)


def test_the_text_and_the_structured_content_are_the_same(shared: Program) -> None:
    body = {"content": "ünïcode 🧠 and \u2028 more", "n": 1.5, "deep": {"list": [1, None, True]}}
    results = [
        shared.result("remember", {"category": "c", "key": "same", "body_json": body}),
        shared.result("recall", {"query": "ünïcode", "include_confidence": True}),
        shared.result("stats"),
        shared.result("workspace_list"),
        shared.result("recall", {}),
    ]

    for result in results:
        text = result["content"][0]["text"]
        assert json.loads(text) == result["structuredContent"]
        assert text == _compact(result["structuredContent"]).decode()
    assert "ünïcode 🧠" in results[1]["content"][0]["text"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (None, "Missing params"),
        ({}, "Missing tool name"),
        ({"arguments": {}}, "Missing tool name"),
        ({"name": None}, "Missing tool name"),
    ],
    ids=str,
)
def test_a_call_that_names_no_tool_has_invalid_params(
    shared: Program, params: Any, message: str
) -> None:
    answer = shared.ask("tools/call", params)

    assert answer["error"] == {"code": -32602, "message": message}


@pytest.mark.parametrize("call", [{}, {"arguments": None}, {"arguments": {}}], ids=str)
def test_arguments_may_be_left_out_or_null(shared: Program, call: Message) -> None:
    result = shared.ask("tools/call", {"name": "mimir_health", **call})["result"]

    assert result["structuredContent"] == {"status": "healthy"}


def test_calls_of_the_2026_protocol_need_no_initialize(fresh: Program) -> None:
    envelope = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }

    fresh.send(request(1, "server/discover", {"_meta": envelope}))
    fresh.send(request(2, "tools/call", {"name": "mimir_health", "_meta": envelope}))

    assert "2026-07-28" in fresh.answer(1)["result"]["supportedVersions"]
    assert fresh.answer(2)["result"]["structuredContent"] == {"status": "healthy"}


def _compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
