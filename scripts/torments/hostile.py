"""Values nobody should send, for every argument of every tool there is.

A tool that is added is tried too: its example is what the other arguments are.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, Final

from mimir_py.app import CATALOGUE
from mimir_py.storage.engine import load_engine
from mimir_py.storage.migrations import TABLES
from mimir_py.tooling.schema import input_schema

# None is a real place outside of a test's own home: some tools write where they are told.
_TEXTS: Final = (
    "", " \n\t", "x" * 1_000_000, "word " * 10_000, "a\x00b", "\ud800", "\udfff\ud800",
    "\u202eمرحبا بالعالم", "👩\u200d👩\u200d👧\u200d👦🏳\ufe0f", "Z\u0337\u0322a\u0336" * 50,
    "ﷺ" * 500, "\u2028\ufeff", "\ufffe\uffff", "\U000e0041\U000e0042", "'; DROP TABLE entities; --",
    '" OR 1=1 --', "') UNION SELECT 1 --", "%", "_", "*", "?", "\\", "../../../../etc/passwd",
    "..\\..\\win.ini", "C:\\Windows\\win.ini", "CON", "NUL.txt", "/dev/stdin", "file:///etc/passwd",
    "~no-such-user", "${HOME}", "$(id)", "`id`", "%s%n%x", "{0.__class__}", 'a" NEAR(b',
    "body:x AND",
    "^a* OR (b", "NaN", "null", "-0", '{"a":', "[1,", "\u001b[31m", "<script>alert(1)</script>",
    "\r\n\r\n", "0" * 400, "1e999", "2026-13-45T99:99:99Z",
)  # fmt: skip
_NUMBERS: Final = (
    -1, 0, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**400, 1.5, -0.0, 1e308,
    5e-324,
)  # fmt: skip
_OTHERS: Final = (
    None, True, False, [], [[]], ["a", 1], ["\x00"], [None], list(range(10_000)), ["t"] * 10_000,
    {}, {"": None}, {"a": "\ud800"}, {"\x00": 1}, {"enabled": "yes"}, {"n_variants": 10**9},
    {str(number): number for number in range(1_000)},
)  # fmt: skip
_RAW: Final = (
    "[" * 500 + "]" * 500, '{"a":' * 500 + "1" + "}" * 500, "1e400", "-1e400", "9" * 5_000,
)  # fmt: skip
# As JSON text: some of them Python could not write.
VALUES: Final = (*map(json.dumps, (*_TEXTS, *_NUMBERS, *_OTHERS)), *_RAW)

# Where the example is too slow, or does not show what an argument does.
_BASES: Final[Mapping[str, Mapping[str, Any]]] = {
    "remember": {"category": "hostile", "key": "k", "body_json": "an ordinary text"},
    # Vectors are slow, and no argument but the query reaches them.
    "recall": {"query": "ordinary", "mode": "fts5", "limit": 3},
    "semantic_search": {"query": "ordinary", "limit": 3},
    "embed": {"category": "hostile", "key": "other"},
    # A folder that is there.
    "vault_import": {"vault_dir": "~"},
}
_INSIDES: Final = re.compile(
    r"Traceback|File \"|\.py\b|site-packages|/work/|/tmp/|/home/|\bSELECT\b|\bINSERT\b|\bUPDATE\b"
    r"|sqlite|SQLite(?! database)|pydantic|unexpectedly|set_int_max|0x[0-9a-f]{6}"
)
# A value that is fine may name what is not there.
_NAMES_NOTHING: Final = re.compile(r"not found|does not exist|there is no", re.IGNORECASE)
_LONG: Final = 3

# What is derived, or noted beside the calls.
_DERIVED: Final = frozenset(
    {"changes", "chunks", "embedding_models", "entity_text", "meta", "migrations"}
)
_NOTED: Final = frozenset(
    {"last_accessed_unix_ms", "retrieval_count", "decay_score", "layer", "sealed"}
)


def arguments() -> Iterator[tuple[str, str]]:
    """Every tool, without its prefix, with each of its arguments."""
    for tool in CATALOGUE.tools:
        for name in input_schema(tool)["properties"]:
            yield tool.spec.suffix, name


def writes(tool: str) -> bool:
    found = CATALOGUE.find(f"mimir_{tool}")
    assert found is not None
    return bool(found.shared_arguments())


def base(tool: str) -> dict[str, Any]:
    """Arguments with which a call of the tool works, or finds nothing."""
    found = CATALOGUE.find(f"mimir_{tool}")
    assert found is not None
    return dict(_BASES.get(tool, found.spec.example))


def line(id: Any, tool: str, hostile: Mapping[str, str]) -> bytes:
    """A call with some arguments of the JSON texts given."""
    marks = {name: f"@{number}@" for number, name in enumerate(hostile)}
    params = {"name": f"mimir_{tool}", "arguments": {**base(tool), **marks}}
    text = json.dumps({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
    for name, value in hostile.items():
        text = text.replace(f'"{marks[name]}"', value)
    return text.encode() + b"\n"


def several(dice: Random) -> tuple[str, dict[str, str]]:
    """A tool with up to three of its arguments hostile."""
    pairs = list(arguments())
    tool = dice.choice(pairs)[0]
    names = [name for other, name in pairs if other == tool]
    chosen = dice.sample(names, min(len(names), dice.randint(1, 3)))
    return tool, {name: dice.choice(VALUES) for name in chosen}


def fault(answer: Mapping[str, Any], hostile: Mapping[str, str]) -> str:
    """What is wrong with an answer to hostile values, if anything."""
    result = answer.get("result")
    if result is None:
        return f"a protocol error: {str(answer.get('error'))[:200]}"
    if "isError" not in result:
        return ""
    message = error_text(result)
    # A message may quote a value, which is then not our wording.
    own_words = message
    for value in map(_plain, hostile.values()):
        own_words = own_words.replace(value, "") if len(value) > _LONG else own_words
    if _INSIDES.search(own_words):
        return f"tells of our insides: {own_words[:300]}"
    if any(re.search(rf"\b{name}\b", own_words) for name in hostile):
        return ""
    return "" if _NAMES_NOTHING.search(message) else f"names no argument: {message[:300]}"


def error_text(result: Mapping[str, Any]) -> str:
    """The message of a failed call, from whichever of the two shapes its tool has."""
    inner = json.loads(result["content"][0]["text"])
    return str(inner["error"] if "error" in inner else inner["content"][0]["text"])


def digest(store: Path) -> dict[str, str]:
    """A digest of each table a store remembers with, from outside; derived or counted: left out."""
    path = f"file:{store}?mode=ro"
    with closing(load_engine("auto").dbapi.connect(path, uri=True)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("BEGIN")
        return {table: _digest(connection, table) for table in sorted(set(TABLES) - _DERIVED)}


def _digest(connection: Any, table: str) -> str:
    found = hashlib.sha256()
    cursor = connection.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608  # our own names
    kept = [place for place, column in enumerate(cursor.description) if column[0] not in _NOTED]
    for row in cursor:
        found.update(repr([row[place] for place in kept]).encode())
    return found.hexdigest()


def _plain(raw: str) -> str:
    """The text of a value as a message would quote it."""
    try:
        value = json.loads(raw)
    except (RecursionError, ValueError):
        return raw
    return value if isinstance(value, str) and value else raw
