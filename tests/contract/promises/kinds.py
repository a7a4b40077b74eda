"""How an example of the contract is written down, and compared with what is answered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Call = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Kind:
    """Any value of some JSON types; text may have to match a pattern."""

    types: tuple[type, ...]
    pattern: str = ""

    def fault(self, value: Any) -> str:
        if type(value) not in self.types:
            return f"{value!r} is none of {[kind.__name__ for kind in self.types]}"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return f"{value!r} is not like {self.pattern}"
        return ""


INT: Final = Kind((int,))
TIME: Final = Kind((int,))
NUMBER: Final = Kind((float, int))
TEXT: Final = Kind((str,))
FLAG: Final = Kind((bool,))
MEMORY_ID: Final = Kind((str,), "mem-[0-9a-f]{12}")


@dataclass(frozen=True)
class Promise:
    """An example: `before` prepares the store, `call` answers `answer`."""

    section: str
    sentence: str
    call: Call
    answer: Mapping[str, Any]
    before: tuple[Call, ...] = ()

    @property
    def tool(self) -> str:
        return self.call[0]


@dataclass(frozen=True)
class Refusal:
    """An error of the contract: what its message says."""

    section: str
    call: Call
    message: str

    @property
    def tool(self) -> str:
        return self.call[0]


def difference(expected: Any, actual: Any, place: str = "answer") -> list[str]:
    """Where an answer is not as promised."""
    if isinstance(expected, Kind):
        fault = expected.fault(actual)
        return [f"{place}: {fault}"] if fault else []
    if isinstance(expected, Mapping):
        if not isinstance(actual, dict):
            return [f"{place}: {actual!r} is no object"]
        return [
            fault
            for name, value in expected.items()
            for fault in (
                difference(value, actual[name], f"{place}.{name}")
                if name in actual
                else [f"{place}.{name} is missing"]
            )
        ]
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return [f"{place}: {actual!r} is no list of {len(expected)}"]
        return [
            fault
            for index, (one, other) in enumerate(zip(expected, actual, strict=True))
            for fault in difference(one, other, f"{place}[{index}]")
        ]
    same = type(expected) is type(actual) and expected == actual
    return [] if same else [f"{place}: {actual!r} is not {expected!r}"]


def fact(category: str, key: str, text: str, **more: Any) -> Call:
    """Remembering a text."""
    body = '{"content":"' + text + '"}'
    return ("remember", {"category": category, "key": key, "body_json": body, **more})


QUEUE: Final = fact("decision", "queue", "use NATS")
QUEUE_NAME: Final = {"category": "decision", "key": "queue"}
QUEUE_ITEM: Final = {
    "id": MEMORY_ID,
    "category": "decision",
    "key": "queue",
    "body_json": '{"content":"use NATS"}',
    "content": "use NATS",
    "type": "insight",
    "status": "active",
    "tags": [],
    "decay_score": 0.5,
    "retrieval_count": 0,
    "layer": "buffer",
    "topic_path": "",
    "archived": False,
    "archive_reason": "",
    "links": [],
    "verified": False,
    "source": "agent",
    "always_on": False,
    "certainty": 0.5,
    "workspace_hash": "",
    "agent_id": "",
    "visibility": "workspace",
    "created_at_unix_ms": TIME,
    "last_accessed_unix_ms": TIME,
    "follow_count": 0,
    "miss_count": 0,
    "follow_rate": 0.0,
    "efficacy_status": "unverified",
}
