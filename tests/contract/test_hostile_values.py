"""Every argument of every tool against values nobody should send.

Each call is answered, says which argument is wrong without telling of our insides, changes nothing
when it fails, and leaves a server and a store that work. `scripts/torture --only S2` sends all
values to each argument, and makes several hostile at once.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from scripts.torments.hostile import VALUES, arguments, digest, fault, line, writes
from tests.server.program import Message, Program, run, serving

_PAIRS: Final = list(arguments())
# Each pair gets a third of the values, its neighbours the others.
_SHARES: Final = 3


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "memory.db"


@pytest.fixture(scope="module")
def program(store: Path) -> Iterator[Program]:
    with serving(store) as running:
        running.call("remember", category="hostile", key="other", body_json="an ordinary memory")
        yield running


def _answers(program: Program, tool: str, argument: str, values: Sequence[str]) -> list[Message]:
    lines = [line(number, tool, {argument: value}) for number, value in enumerate(values)]
    answers = program.exchange(*lines, answers=len(lines))
    assert sorted(answer["id"] for answer in answers) == list(range(len(values)))
    return sorted(answers, key=lambda answer: int(answer["id"]))


@pytest.mark.parametrize(("tool", "argument"), _PAIRS)
def test_hostile_values_are_answered_by_name(
    program: Program, store: Path, tool: str, argument: str
) -> None:
    values = VALUES[_PAIRS.index((tool, argument)) % _SHARES :: _SHARES]
    answers = _answers(program, tool, argument, values)

    faults = {
        value[:60]: found
        for value, answer in zip(values, answers, strict=True)
        if (found := fault(answer, {argument: value}))
    }
    assert faults == {}
    if writes(tool):
        refused = [v for v, a in zip(values, answers, strict=True) if "isError" in a["result"]]
        before = digest(store)
        again = _answers(program, tool, argument, refused)
        worked = [answer for answer in again if "isError" not in answer["result"]]
        assert worked or digest(store) == before
    # What was stored on the way must not keep anything else from being found.
    for mode in ("fts5", "hybrid"):
        assert program.call("recall", query="ordinary", mode=mode, limit=1)["total"] == 1
    program.call("recall", query="", limit=50)


def test_what_is_remembered_shows_in_the_digest(program: Program, store: Path) -> None:
    before = digest(store)
    program.call("recall", query="ordinary")
    unchanged = digest(store)
    program.call("remember", category="hostile", key="digested", body_json="something more")

    assert unchanged == before
    assert digest(store) != before


@pytest.mark.parametrize(
    "message",
    [
        "mimir_remember failed unexpectedly (TypeError)",
        "key: SQLite: no such table",
        'key: File "x.py"',
        "something is wrong",
    ],
)
def test_an_error_that_tells_too_much_or_too_little_is_caught(message: str) -> None:
    text = json.dumps({"error": message})

    assert fault({"result": {"isError": True, "content": [{"text": text}]}}, {"key": "1"})


def test_the_store_is_sound_after_all_of_it(program: Program, store: Path) -> None:
    checked = run("doctor", "--db", store, "--json", home=program.log.parent)

    assert checked.returncode == 0, checked.stdout
    assert "fault" not in [finding["level"] for finding in json.loads(checked.stdout)]


def test_a_body_with_a_number_beyond_floats_does_not_hide_other_memories(tmp_path: Path) -> None:
    """`1e400` is JSON, but a reader that makes infinity of it cannot write it again."""
    with serving(tmp_path / "memory.db") as program:
        program.call("remember", category="c", key="good", body_json="the pump in hall two")
        body = '{"content":"the pump in hall one","flow":1e400}'
        result = program.result("remember", {"category": "c", "key": "odd", "body_json": body})

        for arguments in ({"query": ""}, {"query": "pump", "mode": "fts5"}, {"query": "pump hall"}):
            keys = [item["key"] for item in program.call("recall", **arguments)["items"]]
            assert "good" in keys
        assert "isError" in result or {"good", "odd"} == set(keys)
