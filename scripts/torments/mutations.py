"""Messages nobody should send, made from good ones.

A mutator takes a good message and returns the bytes of one or more lines. `answers.expected` says
from the bytes alone what must come back, so a mutator need not know what it has made.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

Message = dict[str, Any]

# Parsers differ on depths between these.
_SURELY_READ: Final = 800
_SURELY_REFUSED: Final = 5_000
_DEEPEST: Final = 100_000
_OVER_LONG: Final = 16 * 1_048_576
_BOM: Final = b"\xef\xbb\xbf"
_NOT_UTF_8: Final = (
    b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80", b"\xe2\x82", b"\xfc",
)  # fmt: skip
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


@dataclass(frozen=True)
class Sent:
    """The bytes of one try, ending in a newline."""

    mutator: str
    data: bytes


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


def tries(dice: Random, count: int, first: int = 0) -> Iterator[Sent]:
    """`count` tries, each mutator as often as any other."""
    names = sorted(MUTATORS)
    for number in range(first, first + count):
        name = names[number % len(names)]
        message = dice.choice(good_messages(number))
        made = MUTATORS[name](message, dice)
        yield Sent(name, made if made.endswith(b"\n") else made + b"\n")


# Mutators of the text of one message -------------------------------------------------------------


def _line(message: Message) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode(errors="surrogatepass")


def _escaped(message: Message) -> bytes:
    return json.dumps(message).encode()


def _with_id(message: Message, raw: str) -> bytes:
    """The message with that text for its id."""
    message = {**message, "id": "@", "jsonrpc": "2.0"}
    return _escaped(message).replace(b'"@"', raw.encode(), 1)


def _untouched(message: Message, dice: Random) -> bytes:
    return _line(message)


def _cut(message: Message, dice: Random) -> bytes:
    line = _line(message)
    start = dice.randrange(len(line))
    return line[:start] + line[start + dice.randint(1, 12) :]


def _truncated(message: Message, dice: Random) -> bytes:
    line = _line(message)
    return line[: dice.randrange(len(line))]


def _doubled_part(message: Message, dice: Random) -> bytes:
    line = _line(message)
    start, stop = sorted(dice.randrange(len(line) + 1) for _ in range(2))
    return line[:stop] + line[start:]


def _raw_bytes(message: Message, dice: Random) -> bytes:
    return _inserted(_line(message), dice.randbytes(dice.randint(1, 6)), dice)


def _flipped_bit(message: Message, dice: Random) -> bytes:
    line = bytearray(_line(message))
    line[dice.randrange(len(line))] ^= 1 << dice.randrange(8)
    return bytes(line)


def _swapped_bytes(message: Message, dice: Random) -> bytes:
    line = bytearray(_line(message))
    one, other = (dice.randrange(len(line)) for _ in range(2))
    line[one], line[other] = line[other], line[one]
    return bytes(line)


def _nul(message: Message, dice: Random) -> bytes:
    return _inserted(_line(message), b"\x00", dice)


def _not_utf_8(message: Message, dice: Random) -> bytes:
    return _inserted(_line(message), dice.choice(_NOT_UTF_8), dice)


def _utf_16(message: Message, dice: Random) -> bytes:
    return _escaped(message).decode().encode(dice.choice(["utf-16", "utf-16-le", "utf-16-be"]))


def _utf_32(message: Message, dice: Random) -> bytes:
    return _escaped(message).decode().encode(dice.choice(["utf-32", "utf-32-be"]))


def _latin_1(message: Message, dice: Random) -> bytes:
    return json.dumps({**message, "ä": "é"}, ensure_ascii=False).encode("latin-1")


def _bom(message: Message, dice: Random) -> bytes:
    return _BOM * dice.choice([1, 1, 2]) + _line(message)


def _crlf(message: Message, dice: Random) -> bytes:
    return dice.choice([b"", b"\r\n"]) + _line(message) + b"\r\n"


def _blanks(message: Message, dice: Random) -> bytes:
    blank = dice.choice([b" ", b"\t", b"\r", b"\x0b", b"\x0c", b"\xc2\xa0", b"\n\n", b" \n"])
    return blank + _line(message) + dice.choice([b"", blank])


def _split(message: Message, dice: Random) -> bytes:
    return _inserted(_line(message), b"\n", dice)


def _pretty(message: Message, dice: Random) -> bytes:
    return json.dumps(message, indent=1).encode()


def _two_on_a_line(message: Message, dice: Random) -> bytes:
    return _line(message) + dice.choice([b"", b" ", b",", b"\r", b"\x1e"]) + _line(message)


def _interleaved(message: Message, dice: Random) -> bytes:
    one, other = _line(message), _line(request(f"{message.get('id')}-b", "ping"))
    place, other_place = dice.randrange(len(one)), dice.randrange(len(other))
    return one[:place] + other[:other_place] + b"\n" + one[place:] + other[other_place:]


def _not_quite_json(message: Message, dice: Random) -> bytes:
    line = _line(message)
    return dice.choice(
        [
            line.replace(b'"', b"'"),
            line[:-1] + b",}",
            b"// a comment\n" + line,
            b"/* */" + line,
            line.replace(b":", b"="),
            b"data: " + line,
            b"Content-Length: %d\r\n\r\n%s" % (len(line), line),
            line.replace(b"{", b"{\x1f", 1),
        ]
    )


def _inserted(line: bytes, what: bytes, dice: Random) -> bytes:
    place = dice.randrange(len(line) + 1)
    return line[:place] + what + line[place:]


# Mutators of its structure -----------------------------------------------------------------------


def _batch(message: Message, dice: Random) -> bytes:
    return json.dumps([message] * dice.randint(1, 3)).encode()


def _odd_batch(message: Message, dice: Random) -> bytes:
    return json.dumps(dice.choice([[], [1], [[message]], [message, None], [{}, message]])).encode()


def _scalar(message: Message, dice: Random) -> bytes:
    return dice.choice([b"1", b'"ping"', b"null", b"true", b"-1.5e3", b'""', b"0" * 50, b"1" * 50])


def _version(message: Message, dice: Random) -> bytes:
    return _escaped(
        {**message, "jsonrpc": dice.choice(["1.0", "2", "2.00", 2.0, 2, None, ["2.0"]])}
    )


def _no_version(message: Message, dice: Random) -> bytes:
    return _escaped({name: value for name, value in message.items() if name != "jsonrpc"})


def _unusable_id(message: Message, dice: Random) -> bytes:
    return _with_id(message, dice.choice(_UNUSABLE_IDS))


def _odd_id(message: Message, dice: Random) -> bytes:
    number = str(dice.randrange(10**9))
    long = [f'"{number * 500}"', number * 40, f"-{number * 40}", f"{number}.5", f"{number}e3"]
    return _with_id(message, dice.choice([*_ODD_IDS, *long]))


def _endless_number(message: Message, dice: Random) -> bytes:
    digits = "7" * dice.choice([5_000, 100_000])
    if dice.random() < 0.5:
        return _with_id(message, digits)
    return _escaped({**message, "more": "@"}).replace(b'"@"', digits.encode())


def _no_id(message: Message, dice: Random) -> bytes:
    return _escaped({name: value for name, value in message.items() if name != "id"})


def _duplicate_key(message: Message, dice: Random) -> bytes:
    name = dice.choice(["id", "method", "jsonrpc", "params"])
    value = dice.choice(_ODD_VALUES)
    pair = f"{json.dumps(name)}:{json.dumps(value)}".encode()
    line = _escaped(message)
    return dice.choice([b"{" + pair + b"," + line[1:], line[:-1] + b"," + pair + b"}"])


def _duplicate_id(message: Message, dice: Random) -> bytes:
    return b"\n".join([_line(message)] * dice.randint(2, 4))


def _method_of_a_type(message: Message, dice: Random) -> bytes:
    return _escaped({**message, "method": dice.choice(_ODD_VALUES)})


def _unknown_method(message: Message, dice: Random) -> bytes:
    return _escaped({**message, "method": dice.choice(_METHODS)})


def _params_of_a_type(message: Message, dice: Random) -> bytes:
    return _escaped({**message, "params": dice.choice(_ODD_VALUES)})


def _odd_member(message: Message, dice: Random) -> bytes:
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
        return _escaped(message)


def _very_deep(message: Message, dice: Random) -> bytes:
    return _deepened(message, dice, dice.choice([_SURELY_REFUSED, _DEEPEST]))


def _deep(message: Message, dice: Random) -> bytes:
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
    line = _escaped(message).replace(b'"@@"', nested.encode())
    holder[name] = before
    return line


def _no_number(message: Message, dice: Random) -> bytes:
    word = dice.choice(
        ["NaN", "Infinity", "-Infinity", "nan", "+1", "01", "1.", ".5", "0x10", "1_0"]
    )
    return _escaped({**message, "more": "@"}).replace(b'"@"', word.encode())


def _cancel(message: Message, dice: Random) -> bytes:
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
    return _escaped({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})


def _cancelled(message: Message, dice: Random) -> bytes:
    """A request that is cancelled right behind."""
    if "id" not in message:
        return _line(message)
    params = {"requestId": message["id"], "reason": dice.choice(["", None, 5, "\ud800", []])}
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}
    return _line(message) + b"\n" + _escaped(cancel)


def _response(message: Message, dice: Random) -> bytes:
    result = dice.choice(
        [{"result": {}}, {"error": {"code": 1, "message": "no"}}, {"result": None, "error": None}]
    )
    if dice.random() < 0.5:
        return _escaped({"jsonrpc": "2.0", "id": dice.choice(_ODD_VALUES), **result})
    return _escaped({**message, **result})


def _missing_member(message: Message, dice: Random) -> bytes:
    message = dict(message)
    del message[dice.choice(sorted(message))]
    return _escaped(message)


def _long(message: Message, dice: Random) -> bytes:
    return _escaped({**message, "more": dice.choice(["x", "\x00", "é", "\ud800"]) * 100_000})


def _over_long(message: Message, dice: Random) -> bytes:
    # One in many, and long only now and then: it is read, if not kept.
    if dice.random() < 0.97:
        return b"\n" + _line(message)
    return _escaped({**message, "more": "x" * (_OVER_LONG + dice.randint(0, 2_000_000))})


def _wide(message: Message, dice: Random) -> bytes:
    params = message.get("params")
    wide = {str(number): None for number in range(3_000)}
    return _escaped({**message, "params": {**(params if isinstance(params, dict) else {}), **wide}})


def _odd_meta(message: Message, dice: Random) -> bytes:
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
    return _escaped(
        {**message, "params": {**(params if isinstance(params, dict) else {}), "_meta": meta}}
    )


def _escaped_names(message: Message, dice: Random) -> bytes:
    """Names written as escapes are the same names."""
    return _escaped(message).replace(b'"id"', b'"\\u0069d"').replace(b'"method"', b'"m\\u0065thod"')


def _odd_case(message: Message, dice: Random) -> bytes:
    name = dice.choice(sorted(message))
    rest = {key: value for key, value in message.items() if key != name}
    return _escaped({**rest, dice.choice([name.upper(), f" {name}", f"{name}\x00"]): message[name]})


def _strange_tool(message: Message, dice: Random) -> bytes:
    name = dice.choice(
        ["", "recall", "mimir_", "mneme_recall", "\ud800", "../x", "x" * 10_000, "\x00"]
    )
    return _escaped(
        request(message.get("id", "m-x"), "tools/call", {"name": name, "arguments": {}})
    )


def _strange_arguments(message: Message, dice: Random) -> bytes:
    params = {"name": "mimir_recall", "arguments": dice.choice(_ODD_VALUES)}
    return _escaped(request(message.get("id", "m-x"), "tools/call", params))


_ALL: Final[tuple[Callable[[Message, Random], bytes], ...]] = (
    _untouched, _cut, _truncated, _doubled_part, _raw_bytes, _flipped_bit, _swapped_bytes, _nul,
    _not_utf_8, _utf_16, _utf_32, _latin_1, _bom, _crlf, _blanks, _split, _pretty, _two_on_a_line,
    _interleaved, _not_quite_json, _batch, _odd_batch, _scalar, _version, _no_version, _unusable_id,
    _odd_id, _endless_number, _no_id, _duplicate_key, _duplicate_id, _method_of_a_type,
    _unknown_method, _params_of_a_type, _odd_member, _very_deep, _deep, _no_number, _cancel,
    _cancelled, _response, _missing_member, _long, _over_long, _wide, _odd_meta, _escaped_names,
    _odd_case, _strange_tool, _strange_arguments,
)  # fmt: skip
MUTATORS: Final = {mutator.__name__.strip("_"): mutator for mutator in _ALL}
