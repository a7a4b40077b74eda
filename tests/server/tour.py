"""Every tool once, on facts whose answers are known and the same on every engine."""

import re
from typing import Any, Final

from tests.server.program import Program

_FACTS: Final = {
    "queue": "Services talk to each other over NATS, because Kafka was too heavy to run",
    "database": "Orders are stored in PostgreSQL 16 with logical replication",
    "deploys": "Never deploy on a Friday: the last Friday deploy took the shop down",
    "owner": "Marta Lindqvist owns the billing service and reviews its migrations",
    "kaffe": "Das Büro trinkt ausschließlich Kaffee aus Äthiopien ☕",
    "secrets": "Credentials live in the vault, never in environment files",
}
_QUESTIONS: Final = {
    "which message broker do we use": "queue",
    "Friday": "deploys",
    "who looks after invoices": "owner",
    "Kaffee Äthiopien": "kaffe",
    "database": "database",
}
# Questions that share no word with their answer are for the vectors.
_ASKED: Final = {
    **dict.fromkeys(("", "hybrid", "dense"), tuple(_QUESTIONS)),
    "fts5": ("Friday", "Kaffee Äthiopien", "database"),
}
MODES: Final = tuple(_ASKED)
# Uses are written some seconds after, and move memories between the layers.
_CHANGING: Final = re.compile(
    "_unix_ms$|^id$|^score$|^db_file_size_bytes$|^(by_)?layer$|^retrieval_count$|^decay_score$"
)


def tour(program: Program) -> list[Any]:
    """Answers to one call after another, without what differs from run to run."""
    answers = [[tool["name"] for tool in program.ask("tools/list")["result"]["tools"]]]

    def call(tool: str, **arguments: Any) -> Any:
        answer = program.call(tool, **arguments)
        answers.append(_lasting(answer))
        return answer

    for key, fact in _FACTS.items():
        call("remember", category="fact", key=key, body_json={"content": fact}, tags=["tour"])
    for mode, questions in _ASKED.items():
        for question in questions:
            found = call("recall", query=question, mode=mode)["items"]
            assert found[0]["key"] == _QUESTIONS[question], (mode, question)
    call("recall", query="")
    assert "items" in program.call("recall_layer", layer="buffer", limit=2)
    call("semantic_search", query="asynchronous messaging between services", limit=1)
    found = call("recall", query="deploys", limit=1)
    call("get_entity", id=found["items"][0]["id"])
    call("remember", category="fact", key="queue", body_json="We moved from NATS to RabbitMQ")
    call("forget", category="fact", key="secrets")
    call("embed", category="fact", key="owner", text="the person for zebra enclosures")
    assert _first(program, "zebra", mode="dense") == "owner"
    call("embed", category="fact", key="owner")
    call("embed", batch_category="fact")
    call("reindex")
    for mode in MODES:
        assert _first(program, "RabbitMQ", mode=mode) == "queue", mode
        assert "secrets" not in _keys(program, "credentials", mode=mode)
    call("stats")
    call("workspace_list")
    call("health")
    return answers


def _first(program: Program, question: str, **more: Any) -> str:
    return _keys(program, question, **more)[0]


def _keys(program: Program, question: str, **more: Any) -> list[str]:
    return [item["key"] for item in program.call("recall", query=question, **more)["items"]]


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _lasting(inner) for name, inner in value.items() if not _CHANGING.search(name)
        }
    return [_lasting(inner) for inner in value] if isinstance(value, list) else value
