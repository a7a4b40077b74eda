"""Mutators of the structure of one message: well-formed JSON, or nearly, that says odd things."""

import json
from random import Random
from typing import Final

from .bad_lines import as_line, escaped
from .good_messages import Message, request

# Parsers differ on depths between these.
_SURELY_READ: Final = 800
_SURELY_REFUSED: Final = 5_000
_DEEPEST: Final = 100_000
_OVER_LONG: Final = 16 * 1_048_576
_ODD_VALUES: Final = (
    None, True, False, 0, -1, 1.5, 2**63, 10**30, "", "x", "\x00", "é🧠", "\ud800", [], [1], {},
    {"a": 1}, [[[[]]]], "mimir_recall", "tools/call", "2.0", {"name": "mimir_health"},
)  # fmt: skip
_UNUSABLE_IDS: Final = ("null", "true", "false", "{}", '{"a":1}', "[]", "[1]", "1e400", "-1e999")
_ODD_IDS: Final = (
    "-0",
    "0",
    "-7",
    "1.5",
    "1e22",
    "-0.25",
    '""',
    '"0"',
    '"\\ud83d"',
    '"é🧠"',
    '"\\n"',
)
_METHODS: Final = (
    "", " ", "tools", "tools/", "tools/erase", "TOOLS/LIST", "resources/list", "prompts/get",
    "initialize ", "\x00", "\ud800", "x" * 10_000, "notifications/initialized", "rpc.x",
    "logging/setLevel", "server/discover", "sampling/createMessage", "__init__", "ping\n",
    "completion/complete",
)  # fmt: skip


def _with_id(message: Message, raw: str) -> bytes:
    """The message with that text for its id."""
    message = {**message, "id": "@", "jsonrpc": "2.0"}
    return escaped(message).replace(b'"@"', raw.encode(), 1)


def batch(message: Message, dice: Random) -> bytes:
    return json.dumps([message] * dice.randint(1, 3)).encode()


def odd_batch(message: Message, dice: Random) -> bytes:
    return json.dumps(dice.choice([[], [1], [[message]], [message, None], [{}, message]])).encode()


def scalar(message: Message, dice: Random) -> bytes:
    return dice.choice([b"1", b'"ping"', b"null", b"true", b"-1.5e3", b'""', b"0" * 50, b"1" * 50])


def version(message: Message, dice: Random) -> bytes:
    return escaped({**message, "jsonrpc": dice.choice(["1.0", "2", "2.00", 2.0, 2, None, ["2.0"]])})


def no_version(message: Message, dice: Random) -> bytes:
    return escaped({name: value for name, value in message.items() if name != "jsonrpc"})


def unusable_id(message: Message, dice: Random) -> bytes:
    return _with_id(message, dice.choice(_UNUSABLE_IDS))


def odd_id(message: Message, dice: Random) -> bytes:
    number = str(dice.randrange(10**9))
    long = [f'"{number * 500}"', number * 40, f"-{number * 40}", f"{number}.5", f"{number}e3"]
    return _with_id(message, dice.choice([*_ODD_IDS, *long]))


def endless_number(message: Message, dice: Random) -> bytes:
    digits = "7" * dice.choice([5_000, 100_000])
    if dice.random() < 0.5:
        return _with_id(message, digits)
    return escaped({**message, "more": "@"}).replace(b'"@"', digits.encode())


def no_id(message: Message, dice: Random) -> bytes:
    return escaped({name: value for name, value in message.items() if name != "id"})


def duplicate_key(message: Message, dice: Random) -> bytes:
    name = dice.choice(["id", "method", "jsonrpc", "params"])
    value = dice.choice(_ODD_VALUES)
    pair = f"{json.dumps(name)}:{json.dumps(value)}".encode()
    line = escaped(message)
    return dice.choice([b"{" + pair + b"," + line[1:], line[:-1] + b"," + pair + b"}"])


def duplicate_id(message: Message, dice: Random) -> bytes:
    return b"\n".join([as_line(message)] * dice.randint(2, 4))


def method_of_a_type(message: Message, dice: Random) -> bytes:
    return escaped({**message, "method": dice.choice(_ODD_VALUES)})


def unknown_method(message: Message, dice: Random) -> bytes:
    return escaped({**message, "method": dice.choice(_METHODS)})


def params_of_a_type(message: Message, dice: Random) -> bytes:
    return escaped({**message, "params": dice.choice(_ODD_VALUES)})


def odd_member(message: Message, dice: Random) -> bytes:
    """One value somewhere in it is another, or missing."""
    message = json.loads(json.dumps(message))
    holder = message
    while True:
        name = dice.choice(sorted(holder))
        if isinstance(holder[name], dict) and holder[name] and dice.random() < 0.7:
            holder = holder[name]
            continue
        if dice.random() < 0.2:
            del holder[name]
        else:
            holder[name] = dice.choice(_ODD_VALUES)
        return escaped(message)


def very_deep(message: Message, dice: Random) -> bytes:
    return _deepened(message, dice, dice.choice([_SURELY_REFUSED, _DEEPEST]))


def deep(message: Message, dice: Random) -> bytes:
    return _deepened(message, dice, dice.randint(2, _SURELY_READ))


def _deepened(message: Message, dice: Random, depth: int) -> bytes:
    nested = dice.choice(["[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth])
    params = message.get("params")
    inner = params.get("arguments", params) if isinstance(params, dict) else None
    holder = dice.choice([message, params, inner])
    if not isinstance(holder, dict):
        holder = message
    name = dice.choice([*sorted(holder), "more"])
    before = holder.get(name, None)
    holder[name] = "@@"
    line = escaped(message).replace(b'"@@"', nested.encode())
    holder[name] = before
    return line


def no_number(message: Message, dice: Random) -> bytes:
    word = dice.choice(
        ["NaN", "Infinity", "-Infinity", "nan", "+1", "01", "1.", ".5", "0x10", "1_0"]
    )
    return escaped({**message, "more": "@"}).replace(b'"@"', word.encode())


def cancel(message: Message, dice: Random) -> bytes:
    """Cancels something that is not running, or that has no name."""
    params = dice.choice(
        [
            {},
            None,
            [],
            {"requestId": None},
            {"requestId": {}},
            {"requestId": 10**40},
            {"requestId": ""},
        ]
    )
    return escaped({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})


def cancelled(message: Message, dice: Random) -> bytes:
    """A request that is cancelled right behind."""
    if "id" not in message:
        return as_line(message)
    params = {"requestId": message["id"], "reason": dice.choice(["", None, 5, "\ud800", []])}
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}
    return as_line(message) + b"\n" + escaped(cancel)


def response(message: Message, dice: Random) -> bytes:
    result = dice.choice(
        [{"result": {}}, {"error": {"code": 1, "message": "no"}}, {"result": None, "error": None}]
    )
    if dice.random() < 0.5:
        return escaped({"jsonrpc": "2.0", "id": dice.choice(_ODD_VALUES), **result})
    return escaped({**message, **result})


def missing_member(message: Message, dice: Random) -> bytes:
    message = dict(message)
    del message[dice.choice(sorted(message))]
    return escaped(message)


def long(message: Message, dice: Random) -> bytes:
    return escaped({**message, "more": dice.choice(["x", "\x00", "é", "\ud800"]) * 100_000})


def over_long(message: Message, dice: Random) -> bytes:
    # One in many, and long only now and then: it is read, if not kept.
    if dice.random() < 0.97:
        return b"\n" + as_line(message)
    return escaped({**message, "more": "x" * (_OVER_LONG + dice.randint(0, 2_000_000))})


def wide(message: Message, dice: Random) -> bytes:
    params = message.get("params")
    wide = {str(number): None for number in range(3_000)}
    return escaped({**message, "params": {**(params if isinstance(params, dict) else {}), **wide}})


def odd_meta(message: Message, dice: Random) -> bytes:
    params = message.get("params")
    odd = dice.choice(_ODD_VALUES)
    meta = dice.choice(
        [
            odd,
            {"progressToken": odd},
            {"io.modelcontextprotocol/protocolVersion": odd},
            {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "\ud800": odd},
            {"io.modelcontextprotocol/clientCapabilities": odd},
        ]
    )
    return escaped(
        {**message, "params": {**(params if isinstance(params, dict) else {}), "_meta": meta}}
    )


def escaped_names(message: Message, dice: Random) -> bytes:
    """Names written as escapes are the same names."""
    return escaped(message).replace(b'"id"', b'"\\u0069d"').replace(b'"method"', b'"m\\u0065thod"')


def odd_case(message: Message, dice: Random) -> bytes:
    name = dice.choice(sorted(message))
    rest = {key: value for key, value in message.items() if key != name}
    return escaped({**rest, dice.choice([name.upper(), f" {name}", f"{name}\x00"]): message[name]})


def strange_tool(message: Message, dice: Random) -> bytes:
    name = dice.choice(
        ["", "recall", "mimir_", "mneme_recall", "\ud800", "../x", "x" * 10_000, "\x00"]
    )
    return escaped(request(message.get("id", "m-x"), "tools/call", {"name": name, "arguments": {}}))


def strange_arguments(message: Message, dice: Random) -> bytes:
    params = {"name": "mimir_recall", "arguments": dice.choice(_ODD_VALUES)}
    return escaped(request(message.get("id", "m-x"), "tools/call", params))
