"""Every argument of every tool against values nobody should send.

Each call is answered, says which argument is wrong without telling of our insides, and leaves a
server and a store that work.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from mimir_py.app import CATALOGUE
from tests.server.program import Message, Program, error_text, run, serving, tool_call

_TEXTS: Final = (
    "", " \n\t", "x" * 100_000, "word " * 10_000, "a\x00b", "\ud800", "\u202eمرحبا بالعالم",
    "👩\u200d👩\u200d👧\u200d👦🏳\ufe0f", "Z\u0337\u0322a\u0336" * 50, "ﷺ" * 500, "\u2028\ufeff",
    "'; DROP TABLE entities; --", '" OR 1=1 --', "%", "_", "*", "\\", "../../../../etc/passwd",
    "C:\\Windows\\win.ini", "${HOME}", "%s%n", 'a" NEAR(b', "body:x AND", "NaN", "null", '{"a":',
    "\u001b[31m",
)  # fmt: skip
_NUMBERS: Final = (-1, 0, 2**31, 2**63 - 1, 2**63, -(2**63), 10**400, 1.5, 1e308, 5e-324)
_OTHERS: Final = (
    None, True, [], [[]], ["a", 1], ["\x00"], list(range(10_000)), ["t"] * 10_000, {},
    {"a": "\ud800"}, {"enabled": "yes"}, {"n_variants": 10**9}, {str(n): n for n in range(1_000)},
)  # fmt: skip
_VALUES: Final = (*_TEXTS, *_NUMBERS, *_OTHERS)

_DEEP: Final = "[" * 500 + "]" * 500
_RAW_VALUES: Final = (_DEEP, '{"a":' * 500 + "1" + "}" * 500, "1e400", "-1e400")

_BASES: Final[Mapping[str, Mapping[str, Any]]] = {
    "remember": {"category": "hostile", "key": "k", "body_json": "an ordinary text"},
    "context": {"query": "ordinary", "limit": 3},
    "recall_when": {"context": "ordinary"},
    "extract": {"text": "an ordinary text"},
    "get_entity": {"id": "mem-000000000000"},
    "forget": {"category": "hostile", "key": "nothing"},
    "score": {"category": "hostile", "key": "k", "score": 0.5},
    "follow": {"category": "hostile", "key": "k", "followed": True},
    "correct": {"wrong_approach": "a", "user_correction": "b", "task_context": "c"},
    "bench": {
        "task_description": "a",
        "turns_taken": 1,
        "tokens_used": 1,
        "memory_recall_used": True,
    },
    "memories": {"command": "view"},
    "conflicts": {"category": "c"},
    "supersede": {
        "from_category": "hostile",
        "from_key": "k",
        "to_category": "hostile",
        "to_key": "other",
    },
    "history": {"category": "hostile", "key": "k"},
    "as_of": {"category": "hostile", "key": "k", "as_of_unix_ms": 1},
    "valid_at": {"category": "hostile", "key": "k", "valid_at_unix_ms": 1},
    "bitemporal": {"category": "hostile", "key": "k", "tx_at_unix_ms": 1, "valid_at_unix_ms": 1},
    # Vectors are slow, and no argument but the query reaches them.
    "recall": {"query": "ordinary", "mode": "fts5", "limit": 3},
    "recall_layer": {"layer": "buffer", "limit": 3},
    "semantic_search": {"query": "ordinary", "limit": 3},
    "embed": {"category": "hostile", "key": "other"},
    "timeline": {"limit": 3},
    "state_set": {"key": "hostile", "value_json": "1"},
    "state_get": {"key": "hostile"},
    "state_delete": {"key": "hostile"},
    "link": {"from_category": "hostile", "from_key": "other", "to_id": "mem-000000000000"},
    "unlink": {"from_category": "hostile", "from_key": "other", "to_id": "mem-000000000000"},
    "traverse": {"category": "hostile", "key": "other"},
    "path": {"from_id": "mem-000000000000", "to_id": "mem-000000000000"},
    "related": {"ids": ["mem-000000000000"]},
    "community_summary": {"community_id": "com-0000000000000000"},
    "global_recall": {"query": "ordinary"},
    "prune": {"category": "nothing"},
}

_INSIDES: Final = re.compile(
    r"Traceback|File \"|\.py\b|site-packages|/work/|/tmp/|\bSELECT\b|\bINSERT\b|sqlite|SQLite"
    r"|pydantic|unexpectedly|0x[0-9a-f]{6}"
)
_NAMES_A_MEMORY: Final = re.compile(
    r"(\w[\w ]* failed: )?((Source |Target |'(From|To)' )?[Ee]ntity|Community) not found: "
)


def _arguments() -> Iterator[tuple[str, str]]:
    for tool in CATALOGUE.tools:
        for name in tool.model_fields:
            yield tool.spec.suffix, name


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with serving(tmp_path_factory.mktemp("hostile") / "memory.db") as running:
        running.call("remember", category="hostile", key="other", body_json="an ordinary memory")
        yield running


def _line(id: int, tool: str, argument: str, raw: str) -> bytes:
    call = tool_call(id, tool, {**_BASES.get(tool, {}), argument: "@"})
    return json.dumps(call).replace('"@"', raw).encode() + b"\n"


def _fault(answer: Message, argument: str, value: str) -> str:
    """What is wrong with an answer to a hostile value, if anything."""
    if "error" in answer:
        return f"a protocol error: {answer['error']}"
    if "isError" not in answer["result"]:
        return ""
    message = error_text(answer["result"])
    # A message may quote a value, which is then not our wording.
    own_words = message.replace(value, "") if len(value) > 3 else message
    if _INSIDES.search(own_words):
        return f"tells of our insides: {own_words[:300]}"
    if not re.search(rf"\b{argument}\b", own_words) and not _NAMES_A_MEMORY.match(message):
        return f"does not name the argument: {message[:300]}"
    return ""


@pytest.mark.parametrize(("tool", "argument"), list(_arguments()))
def test_hostile_values_are_answered_by_name(program: Program, tool: str, argument: str) -> None:
    raw = [*map(json.dumps, _VALUES), *_RAW_VALUES]
    lines = [_line(number, tool, argument, value) for number, value in enumerate(raw)]

    answers = program.exchange(*lines, answers=len(lines))

    faults = {
        raw[answer["id"]][:60]: fault
        for answer in answers
        if (fault := _fault(answer, argument, _plain(raw[answer["id"]])))
    }
    assert sorted(answer["id"] for answer in answers) == list(range(len(raw)))
    assert faults == {}
    # What was stored on the way must not keep anything else from being found.
    for mode in ("fts5", "hybrid"):
        assert program.call("recall", query="ordinary", mode=mode, limit=1)["total"] == 1
    program.call("recall", query="", limit=50)


def _plain(raw: str) -> str:
    """The text of a value as a message would quote it."""
    try:
        value = json.loads(raw)
    except RecursionError:
        return raw
    return value if isinstance(value, str) and value else raw


def test_the_store_is_sound_after_all_of_it(program: Program) -> None:
    program.end_input()
    program.exit_code()
    store = program.log.parent.parent / "memory.db"

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
