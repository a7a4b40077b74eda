"""The examples of the compatibility contract, section 5, as calls and what they answer.

Values stand where the inputs determine them; elsewhere stands what kind of value it is. Answers may
have more fields than are named here, never fewer or others.
"""

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


def _fact(category: str, key: str, text: str, **more: Any) -> Call:
    body = '{"content":"' + text + '"}'
    return ("remember", {"category": category, "key": key, "body_json": body, **more})


_QUEUE: Final = _fact("decision", "queue", "use NATS")
_QUEUE_NAME: Final = {"category": "decision", "key": "queue"}
_QUEUE_ITEM: Final = {
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
_LAYERS: Final = tuple(
    _fact("place", f"k{layer}", f"stored in {layer}", layer=layer)
    for layer in ("core", "working", "buffer", "world", "semantic", "episodic")
)
_STATS: Final = {
    "total_journal_events": 0,
    "total_state_entries": 0,
    "db_file_size_bytes": INT,
    "total_communities": 0,
    "graph_modularity": None,
    "history_bytes": INT,
}

PROMISES: Final = (
    Promise(
        "5.1",
        "a new name is created, under an id of its own",
        _QUEUE,
        {"action": "created", "category": "decision", "id": MEMORY_ID, "key": "queue"},
    ),
    Promise(
        "5.1",
        "the same name again is updated",
        _fact("decision", "queue", "use Kafka"),
        {"action": "updated", "category": "decision", "id": MEMORY_ID, "key": "queue"},
        before=(_QUEUE,),
    ),
    Promise(
        "5.1",
        "an exact repeat under another key is answered as such, under the key that was asked for",
        _fact("decision", "broker", "use NATS"),
        {
            "action": "deduped (new key not created)",
            "category": "decision",
            "id": MEMORY_ID,
            "key": "broker",
        },
        before=(_QUEUE,),
    ),
    Promise(
        "5.2",
        "an item has all the fields of a memory, and those of its body",
        ("recall", {"query": "NATS"}),
        {"items": [_QUEUE_ITEM], "total": 1},
        before=(_QUEUE,),
    ),
    Promise(
        "5.2",
        "an empty query browses",
        ("recall", {"query": "", "limit": 10, "mode": ""}),
        {"items": [_QUEUE_ITEM], "total": 1},
        before=(_QUEUE,),
    ),
    Promise(
        "5.2",
        "the total is the size of the page",
        ("recall", {"query": "stored", "limit": 2, "mode": "fts5"}),
        {"items": [{"id": MEMORY_ID}, {"id": MEMORY_ID}], "total": 2},
        before=_LAYERS,
    ),
    Promise(
        "5.2",
        "nothing found is no error",
        ("recall", {"query": "NATS", "category": "nowhere"}),
        {"items": [], "total": 0},
        before=(_QUEUE,),
    ),
    Promise(
        "5.2",
        "expansion names the queries that were searched",
        ("recall", {"query": "running", "mode": "fts5", "expansion": {"enabled": True}}),
        {"items": [], "total": 0, "variants": ["running", "run"]},
    ),
    Promise(
        "5.2",
        "confidence comes when asked for",
        ("recall", {"query": "NATS", "include_confidence": True}),
        {"items": [{**_QUEUE_ITEM, "confidence": 0.75}], "total": 1},
        before=(_QUEUE,),
    ),
    Promise(
        "5.3",
        "layers answer to their aliases and come under their own names",
        ("recall_layer", {"layer": "world"}),
        {"items": [{"layer": "core"}, {"layer": "core"}], "total": 2},
        before=_LAYERS,
    ),
    Promise(
        "5.3",
        "a limit holds",
        ("recall_layer", {"layer": "episodic", "limit": 1}),
        {"items": [{"layer": "buffer"}], "total": 1},
        before=_LAYERS,
    ),
    Promise(
        "5.4",
        "meaning finds what shares no word",
        ("semantic_search", {"query": "which message broker", "limit": 10}),
        {"items": [_QUEUE_ITEM], "total": 1},
        before=(_QUEUE,),
    ),
    Promise(
        "5.4",
        "the filters of a semantic search apply",
        ("semantic_search", {"query": "NATS", "category": "x", "workspace_hash": "y"}),
        {"items": [], "total": 0},
        before=(_QUEUE,),
    ),
    Promise(
        "5.6",
        "a memory comes whole by its id",
        ("get_entity", {"id": "{id}"}),
        {
            "always_on": False,
            "body_json": '{"content":"use NATS"}',
            "category": "decision",
            "certainty": 0.5,
            "created_at_unix_ms": TIME,
            "decay_score": 0.5,
            "entity_type": "insight",
            "id": MEMORY_ID,
            "key": "queue",
            "last_accessed_unix_ms": TIME,
            "layer": "buffer",
            "retrieval_count": 0,
            "status": "active",
            "tags": [],
        },
        before=(_QUEUE,),
    ),
    Promise(
        "5.6",
        "an archived memory comes too",
        ("get_entity", {"id": "{id}"}),
        {"id": MEMORY_ID, "key": "queue", "body_json": '{"content":"use NATS"}'},
        before=(_QUEUE, ("forget", _QUEUE_NAME)),
    ),
    Promise(
        "5.11",
        "what is forgotten was found",
        ("forget", {**_QUEUE_NAME, "reason": "we moved on"}),
        {"found": True, **_QUEUE_NAME},
        before=(_QUEUE,),
    ),
    Promise(
        "5.11",
        "what is forgotten already is not found, which is no error",
        ("forget", _QUEUE_NAME),
        {"found": False, **_QUEUE_NAME},
        before=(_QUEUE, ("forget", _QUEUE_NAME)),
    ),
    Promise(
        "5.11",
        "what is forgotten comes back when it is remembered again",
        ("recall", {"query": "NATS"}),
        {"items": [{"key": "queue", "archived": False, "archive_reason": ""}], "total": 1},
        before=(_QUEUE, ("forget", _QUEUE_NAME), _QUEUE),
    ),
    Promise(
        "5.14",
        "a batch says its category and has no dimensions",
        ("embed", {"batch_category": "decision"}),
        {"embedded": 0, "batch_category": "decision", "errors": []},
        before=(_QUEUE,),
    ),
    Promise(
        "5.14",
        "one memory is embedded from other text",
        ("embed", {**_QUEUE_NAME, "text": "the message bus"}),
        {"embedded": 1, "id": MEMORY_ID, "dimensions": 384},
        before=(_QUEUE,),
    ),
    Promise("5.24", "an open store is healthy", ("health", {}), {"status": "healthy"}),
    Promise(
        "5.25",
        "an empty store has counts and no ages",
        ("stats", {}),
        {
            **_STATS,
            "total_entities": 0,
            "by_category": {},
            "by_type": {},
            "by_layer": {},
            "oldest_unix_ms": None,
            "newest_unix_ms": None,
            "total_history_rows": 0,
            "top_history_keys": [],
        },
    ),
    Promise(
        "5.25",
        "counts have archived memories in them, and versions",
        ("stats", {}),
        {
            **_STATS,
            "total_entities": 2,
            "by_category": {"decision": 1, "note": 1},
            "by_type": {"insight": 2},
            "by_layer": {"buffer": 1, "working": 1},
            "oldest_unix_ms": TIME,
            "newest_unix_ms": TIME,
            "total_history_rows": 1,
            "top_history_keys": [{**_QUEUE_NAME, "versions": 1, "bytes": 22}],
        },
        before=(
            _QUEUE,
            _fact("decision", "queue", "use Kafka"),
            _fact("note", "old", "gone", layer="semantic"),
            ("forget", {"category": "note", "key": "old"}),
        ),
    ),
    Promise(
        "5.41",
        "every memory is indexed anew",
        ("reindex", {}),
        {"reindexed": 2},
        before=(_QUEUE, _fact("note", "other", "something else")),
    ),
    Promise(
        "5.42",
        "categories are listed in order, once, and only those of live memories",
        ("workspace_list", {}),
        {"categories": ["decision", "note"], "total": 2},
        before=(
            _fact("note", "one", "first"),
            _fact("note", "two", "second", workspace_hash="w"),
            _QUEUE,
            _fact("gone", "old", "third"),
            ("forget", {"category": "gone", "key": "old"}),
        ),
    ),
)

REFUSALS: Final = (
    Refusal("5.1", ("remember", {**_QUEUE_NAME, "body_json": '{"content":'}), "not valid JSON"),
    Refusal(
        "5.1",
        (
            "remember",
            {
                **_QUEUE_NAME,
                "body_json": "{}",
                "valid_from_unix_ms": 2_000,
                "valid_to_unix_ms": 1_000,
            },
        ),
        "valid_to_unix_ms",
    ),
    Refusal("5.2", ("recall", {"query": "x", "valid_op": "within"}), "'overlaps' or 'contains'"),
    Refusal("5.2", ("recall", {"query": "x", "mode": "sideways"}), "mode"),
    Refusal("5.2", ("recall", {"query": "x", "limit": "5"}), "limit"),
    Refusal("5.2", ("recall", {"query": "x", "limit": 5.0}), "limit"),
    Refusal("5.2", ("recall", {"query": "x", "include_archived": 1}), "include_archived"),
    Refusal("5.6", ("get_entity", {"id": "mem-none"}), "Entity not found: mem-none"),
    Refusal("5.6", ("get_entity", {}), "id"),
    Refusal(
        "5.14", ("embed", {"category": "c", "key": "k"}), "Embed failed: entity not found: c/k"
    ),
    Refusal("5.14", ("embed", {"category": "c"}), "key"),
)

# Appendix A and section 5: argument -> JSON type, the required ones first. `H` marks the arguments
# that the Rust program takes without listing them; ours are all listed.
ARGUMENTS: Final[Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]]] = {
    "remember": (
        ("category", "key", "body_json"),
        {
            "category": "string", "key": "string", "body_json": "string", "status": "string",
            "type": "string", "tags": "array", "importance": "number", "topic_path": "string",
            "workspace_hash": "string", "agent_id": "string", "valid_from_unix_ms": "integer",
            "valid_to_unix_ms": "integer",
            "recall_when": "array", "always_on": "boolean", "certainty": "number",
            "visibility": "string", "layer": "string",
        },
    ),
    "recall": (
        ("query",),
        {
            "query": "string", "category": "string", "type": "string", "topic_path": "string",
            "limit": "integer", "offset": "integer", "min_decay": "number", "mode": "string",
            "include_archived": "boolean", "include_confidence": "boolean", "reinforce": "boolean",
            "expansion": "object", "preview_cap": "integer", "content_weight": "number",
            "trust_weight": "number", "diversity_halving": "number",
            "recency_half_life_secs": "number", "workspace_hash": "string", "agent_id": "string",
            "layer": "string", "valid_at": "integer", "valid_from_unix_ms": "integer",
            "valid_to_unix_ms": "integer", "valid_op": "string", "always_on": "boolean",
        },
    ),
    "recall_layer": (("layer",), {"layer": "string", "limit": "integer"}),
    "semantic_search": (
        ("query",),
        {
            "query": "string", "limit": "integer", "category": "string",
            "workspace_hash": "string", "agent_id": "string",
        },
    ),
    "get_entity": (("id",), {"id": "string"}),
    "forget": (("category", "key"), {"category": "string", "key": "string", "reason": "string"}),
    "embed": (
        (),
        {
            "text": "string", "category": "string", "key": "string", "batch_category": "string",
            "batch_limit": "integer",
        },
    ),
    "reindex": ((), {}),
    "workspace_list": ((), {}),
    "health": ((), {}),
    "stats": ((), {}),
}  # fmt: skip

ENUMS: Final = {
    ("recall", "mode"): {"fts5", "dense", "hybrid"},
    ("recall", "valid_op"): {"overlaps", "contains"},
    ("recall_layer", "layer"): {"world", "episodic", "semantic"},
}
