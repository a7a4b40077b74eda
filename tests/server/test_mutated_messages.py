"""A thousand damaged messages: none ends the server, none is answered twice or not at all."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from tests.server.program import Message, Program, encoded, request, tool_call

_MESSAGES: Final = 1_000
_AT_ONCE: Final = 50
_SEEDS: Final = (1, 2, 3, 4, 5)
_NEVER: Final = object()

_ODD_VALUES: Final = (
    None, True, False, 0, -1, 1.5, 2**63, 10**30, "", "x", "\x00", "é🧠", [], [1], {}, {"a": 1},
    [[[[]]]], "mimir_recall", "tools/call", "2.0", {"name": "mimir_health"},
)  # fmt: skip


def _good(number: int) -> Iterator[Message]:
    id = f"m-{number}"
    yield request(id, "ping")
    yield request(id, "tools/list", {})
    yield request(id, "initialize", {"protocolVersion": "2025-06-18", "capabilities": {}})
    yield tool_call(id, "health", {})
    yield tool_call(id, "remember", {"category": "c", "key": f"k{number}", "body_json": "some"})
    yield tool_call(id, "recall", {"query": "some", "mode": "fts5", "limit": 2})
    yield tool_call(id, "get_entity", {"id": "mem-000000000000"})
    yield tool_call(id, "forget", {"category": "c", "key": f"k{number - 1}"})
    yield {"jsonrpc": "2.0", "method": "notifications/initialized"}
    yield {
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": {"requestId": f"never-{number}"},
    }


def _cut(line: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(line))
    return line[:start] + line[start + dice.randint(1, 12) :]


def _doubled(line: bytes, dice: random.Random) -> bytes:
    start, stop = sorted(dice.randrange(len(line) + 1) for _ in range(2))
    return line[:stop] + line[start:]


def _raw_bytes(line: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(line) + 1)
    return line[:place] + dice.randbytes(dice.randint(1, 6)) + line[place:]


def _swapped(line: bytes, dice: random.Random) -> bytes:
    message = json.loads(line)
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
        return json.dumps(message).encode()


def _untouched(line: bytes, dice: random.Random) -> bytes:
    return line


_MUTATIONS: Final[tuple[Callable[[bytes, random.Random], bytes], ...]] = (
    _cut, _doubled, _raw_bytes, _swapped, _swapped, _untouched,
)  # fmt: skip


def _expected(line: bytes) -> Any:
    """The id a line is to be answered under, or `_NEVER`; written from the protocol's rules."""
    if not line.strip():
        return _NEVER
    try:
        message = json.loads(line.removeprefix(b"\xef\xbb\xbf").decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    if "method" not in message and ("result" in message or "error" in message):
        return _NEVER
    if "id" in message:
        id = message["id"]
        usable = isinstance(id, str | int | float) and not isinstance(id, bool)
        return id if usable else None
    is_notification = message.get("jsonrpc") == "2.0" and isinstance(message.get("method"), str)
    return _NEVER if is_notification else None


@pytest.mark.parametrize("seed", _SEEDS)
def test_damaged_messages_are_each_answered_once(shared: Program, seed: int) -> None:
    dice = random.Random(seed)
    each = _MESSAGES // len(_SEEDS)

    for start in range(0, each, _AT_ONCE):
        numbers = range(start, start + _AT_ONCE)
        good = [encoded(dice.choice(list(_good(seed * 10_000 + n)))).strip() for n in numbers]
        lines = [dice.choice(_MUTATIONS)(line, dice) for line in good]
        wanted = [_expected(line) for sent in lines for line in sent.split(b"\n")]
        ids = [json.dumps(id) for id in wanted if id is not _NEVER]
        answers = shared.exchange(b"\n".join(lines) + b"\n", answers=len(ids))

        assert Counter(json.dumps(answer["id"]) for answer in answers) == Counter(ids), lines
        assert all(("result" in answer) != ("error" in answer) for answer in answers)
    assert shared.process.poll() is None


def test_the_generator_makes_good_and_bad_messages() -> None:
    dice = random.Random(0)
    lines = [
        mutate(encoded(message).strip(), dice)
        for number in range(50)
        for message in _good(number)
        for mutate in _MUTATIONS
    ]

    kinds = Counter(
        "silent" if id is _NEVER else "null" if id is None else "answered"
        for id in map(_expected, lines)
    )

    assert min(kinds["silent"], kinds["null"], kinds["answered"]) > 100, kinds
