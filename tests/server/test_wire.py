"""Every line gets the answer the protocol gives it, and the server goes on."""

import json
from typing import Any, Final

import pytest

from tests.server.program import Message, Program, encoded, request, tool_call

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
NOT_INITIALIZED: Final = -32002

_MEBIBYTE: Final = 1_048_576


def _id_and_code(answer: Message) -> tuple[Any, int]:
    assert set(answer) == {"jsonrpc", "id", "error"}
    assert answer["jsonrpc"] == "2.0"
    assert isinstance(answer["error"]["message"], str)
    return answer["id"], answer["error"]["code"]


_BAD_LINES: Final = {
    "broken JSON": (b'{"jsonrpc":"2.0","id":1,\n', None, PARSE_ERROR),
    "no JSON": (b"hello\n", None, PARSE_ERROR),
    "two messages": (b'{"id":1}{"id":2}\n', None, PARSE_ERROR),
    "invalid UTF-8": (b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}\n', None, PARSE_ERROR),
    "UTF-16": ('{"id":1}'.encode("utf-16") + b"\n", None, PARSE_ERROR),
    "NaN": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":NaN}}\n', None, PARSE_ERROR),
    "Infinity": (b'{"jsonrpc":"2.0","id":-Infinity,"method":"ping"}\n', None, PARSE_ERROR),
    "lists 100,000 deep": (b"[" * 100_000 + b"]" * 100_000 + b"\n", None, PARSE_ERROR),
    "objects 100,000 deep": (
        b'{"id":' * 100_000 + b"1" + b"}" * 100_000 + b"\n",
        None,
        PARSE_ERROR,
    ),
    "a control character": (b'{"jsonrpc":"2.0","id":1,"method":"a\x00b"}\n', None, PARSE_ERROR),
    "empty batch": (b"[]\n", None, INVALID_REQUEST),
    "batch": (encoded([request(1, "ping"), request(2, "ping")]), None, INVALID_REQUEST),
    "a string": (b'"ping"\n', None, INVALID_REQUEST),
    "a number": (b"1\n", None, INVALID_REQUEST),
    "null": (b"null\n", None, INVALID_REQUEST),
    "id null": (request(None, "ping"), None, INVALID_REQUEST),
    "id true": (request(True, "ping"), None, INVALID_REQUEST),
    "id object": (request({"a": 1}, "ping"), None, INVALID_REQUEST),
    "id list": (request([1], "ping"), None, INVALID_REQUEST),
    "no jsonrpc": ({"id": 1, "method": "ping"}, 1, INVALID_REQUEST),
    "jsonrpc 1.0": ({"jsonrpc": "1.0", "id": 1, "method": "ping"}, 1, INVALID_REQUEST),
    "jsonrpc a number": ({"jsonrpc": 2.0, "id": 1, "method": "ping"}, 1, INVALID_REQUEST),
    "no method": ({"jsonrpc": "2.0", "id": 1}, 1, INVALID_REQUEST),
    "empty object": ({}, None, INVALID_REQUEST),
    "method a number": (request(1, 5), 1, INVALID_REQUEST),
    "method null": (request(1, None), 1, INVALID_REQUEST),
    "params a list": (request("a", "tools/list", []), "a", INVALID_PARAMS),
    "params a string": (request("a", "ping", "x"), "a", INVALID_PARAMS),
    "call without params": (request(1, "tools/call"), 1, INVALID_PARAMS),
    "call without a name": (request(1, "tools/call", {}), 1, INVALID_PARAMS),
    "name a number": (request(1, "tools/call", {"name": 5}), 1, INVALID_PARAMS),
    "arguments a list": (
        request(1, "tools/call", {"name": "mimir_health", "arguments": []}),
        1,
        INVALID_PARAMS,
    ),
    "unknown method": (request(1, "memory/erase"), 1, METHOD_NOT_FOUND),
    "empty method": (request(1, ""), 1, METHOD_NOT_FOUND),
    "resources": (request("r", "resources/list"), "r", METHOD_NOT_FOUND),
    "prompts": (request("p", "prompts/list"), "p", METHOD_NOT_FOUND),
}


@pytest.mark.parametrize(("line", "id", "code"), _BAD_LINES.values(), ids=_BAD_LINES)
def test_a_bad_line_gets_one_error_and_the_next_call_is_served(
    shared: Program, line: Any, id: Any, code: int
) -> None:
    [answer] = shared.exchange(line, answers=1)

    assert _id_and_code(answer) == (id, code)


_SILENT_LINES: Final = {
    "blank": b"\n",
    "blanks": b" \t \r\n\n  \n",
    "initialized": {"jsonrpc": "2.0", "method": "notifications/initialized"},
    "initialized again": {"jsonrpc": "2.0", "method": "notifications/initialized", "params": {}},
    "unknown notification": {"jsonrpc": "2.0", "method": "notifications/unheard/of"},
    "notification of a method": {"jsonrpc": "2.0", "method": "tools/list"},
    "cancel of an unknown id": {
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": {"requestId": 99},
    },
    "cancel of nothing": {"jsonrpc": "2.0", "method": "notifications/cancelled"},
    "progress of nothing": {
        "jsonrpc": "2.0",
        "method": "notifications/progress",
        "params": {"progressToken": {}, "progress": "x"},
    },
    "a response": {"jsonrpc": "2.0", "id": 1, "result": {}},
    "an error response": {"jsonrpc": "2.0", "id": None, "error": {"code": 1, "message": "no"}},
}


@pytest.mark.parametrize("line", _SILENT_LINES.values(), ids=_SILENT_LINES)
def test_what_asks_for_no_answer_gets_none(shared: Program, line: Any) -> None:
    assert shared.exchange(line, answers=0) == []


@pytest.mark.parametrize(
    "notification",
    [
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": [1]},
        {"jsonrpc": "2.0", "method": "tools/call", "params": {"arguments": []}},
    ],
    ids=["params a list", "a call that is wrong"],
)
def test_a_notification_that_is_wrong_gets_no_answer_either(
    shared: Program, notification: Message
) -> None:
    """JSON-RPC 2.0, 4.1: a client is not told of errors in its notifications."""
    assert shared.exchange(notification, answers=0) == []


@pytest.mark.parametrize(
    "id",
    ["a", "", "1", "emoji 🧠", "x" * 5_000, 0, -1, 2**63, int("9" * 400), 1.5, -0.25, 1e22],
    ids=str,
)
def test_an_id_comes_back_as_it_was(shared: Program, id: Any) -> None:
    [answer] = shared.exchange(request(id, "ping"), answers=1)

    assert answer == {"jsonrpc": "2.0", "id": id, "result": {}}
    assert type(answer["id"]) is type(id)


def test_an_id_that_utf_8_has_no_form_for_comes_back_as_it_was(shared: Program) -> None:
    [answer] = shared.exchange(b'{"jsonrpc":"2.0","id":"\\ud83d","method":"ping"}\n', answers=1)

    assert answer == {"jsonrpc": "2.0", "id": "\ud83d", "result": {}}


def test_an_id_beyond_every_number_is_refused(shared: Program) -> None:
    """1e400 parses as infinity, which has no JSON: it cannot be echoed."""
    [answer] = shared.exchange(b'{"jsonrpc":"2.0","id":1e400,"method":"ping"}\n', answers=1)

    assert answer["id"] is None
    assert answer["error"]["code"] in (PARSE_ERROR, INVALID_REQUEST)


def test_two_requests_with_one_id_are_both_answered(shared: Program) -> None:
    answers = shared.exchange(
        tool_call(7, "get_entity", {"id": "first"}),
        tool_call(7, "get_entity", {"id": "second"}),
        answers=2,
    )

    texts = [answer["result"]["content"][0]["text"] for answer in answers]
    assert [answer["id"] for answer in answers] == [7, 7]
    assert ["first" in texts[0], "second" in texts[1]] == [True, True]


@pytest.mark.parametrize(
    "frame",
    [b"\xef\xbb\xbf%s\n", b"%s\r\n", b"  %s \t\n", b"\n\r\n%s\n\n"],
    ids=["BOM", "CRLF", "indented", "between blank lines"],
)
def test_a_message_is_read_however_its_line_is_dressed(shared: Program, frame: bytes) -> None:
    line = frame % encoded(request(1, "ping")).strip()

    assert shared.exchange(line, answers=1) == [{"jsonrpc": "2.0", "id": 1, "result": {}}]


def test_a_message_may_arrive_in_any_pieces(shared: Program) -> None:
    line = encoded(request(1, "ping")) + encoded(request("ü", "ping"))

    for byte in line[:-1]:
        shared.send(bytes([byte]))
    answers = shared.exchange(line[-1:], answers=2)

    assert [answer["id"] for answer in answers] == [1, "ü"]


def test_a_line_over_the_limit_is_skipped_whole(shared: Program) -> None:
    overlong = b'{"jsonrpc":"2.0","id":1,"x":"' + b"a" * 17 * _MEBIBYTE + b'"}\n'

    answers = shared.exchange(overlong, request(2, "ping"), answers=2)

    assert _id_and_code(answers[0]) == (None, INVALID_REQUEST)
    assert answers[1] == {"jsonrpc": "2.0", "id": 2, "result": {}}


def test_a_long_line_within_the_limit_is_read(shared: Program) -> None:
    padded = request(1, "ping", {"_meta": {"note": "a" * 15 * _MEBIBYTE}})

    assert shared.exchange(padded, answers=1) == [{"jsonrpc": "2.0", "id": 1, "result": {}}]


def test_an_unknown_field_of_a_message_does_no_harm(shared: Program) -> None:
    extended = {**request(1, "ping"), "trace": [1], "result_hint": None}

    assert shared.exchange(extended, answers=1) == [{"jsonrpc": "2.0", "id": 1, "result": {}}]


def test_tools_are_refused_until_initialize_has_worked(fresh: Program) -> None:
    call = {"name": "mimir_health"}
    unopened = [fresh.ask("tools/list"), fresh.ask("tools/call", call), fresh.ask("ping")]
    failed = fresh.ask("initialize", {"capabilities": {"roots": 5}})
    still_unopened = fresh.ask("tools/call", call)
    opened = fresh.initialize()

    codes = [answer.get("error", {}).get("code") for answer in unopened]
    assert codes == [NOT_INITIALIZED, NOT_INITIALIZED, None]
    assert failed["error"]["code"] == INVALID_PARAMS
    assert still_unopened["error"]["code"] == NOT_INITIALIZED
    assert "result" in opened
    assert fresh.call("health") == {"status": "healthy"}


def test_the_last_line_needs_no_end(fresh: Program) -> None:
    fresh.initialize()
    fresh.send(encoded(tool_call("last", "health", {})).rstrip(b"\n"))
    fresh.end_input()

    [answer] = fresh.rest()
    assert answer["id"] == "last"
    assert json.loads(answer["result"]["content"][0]["text"]) == {"status": "healthy"}
