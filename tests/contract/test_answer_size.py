"""A whole answer stays under the cap: hosts refuse more than they have room for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.server.program import Program, serving

_CAP: Final = 60_000
_KIB: Final = 1_024
_LONG: Final = {"category": "long", "key": "body"}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A store of memories whose every field is as long as it may be."""
    with serving(tmp_path_factory.mktemp("size") / "memory.db") as program:
        program.call(
            "remember", category="long", key="body", body_json={"content": "tide tables " * 8_000}
        )
        program.call(
            "remember",
            category="long",
            key="fields",
            body_json={f"field {number}": "tide" for number in range(4_000)},
        )
        program.call(
            "remember",
            category="long",
            key="names",
            body_json="tide",
            tags=["t" * 1_024] * 64,
            topic_path="p" * _KIB,
            agent_id="a" * _KIB,
        )
        program.call("remember", category="long", key="body", body_json="the tide tables moved")
        program.call("remember", **_LONG, body_json={"content": "tide tables " * 8_000})
        for number in range(40):
            text = f"{number} " + "tidings " * 1_000
            program.call("remember", category="long", key="many", body_json=text)
        for number in range(70):
            name = f"{number}-".ljust(_KIB, "x")
            program.call(
                "remember", category=name, key=name, body_json=f"tide {number}", workspace_hash=name
            )
        yield program


_CALLS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "browse": ("recall", {"query": "", "limit": 1_000}),
    "recall": ("recall", {"query": "tide tables", "limit": 50}),
    "recall one long body": ("recall", {"query": "body", "limit": 1, "mode": "fts5"}),
    "recall one body of many fields": ("recall", {"query": "fields", "limit": 1, "mode": "fts5"}),
    "recall one memory of long names": ("recall", {"query": "names", "limit": 1, "mode": "fts5"}),
    "a layer": ("recall_layer", {"layer": "buffer", "limit": 1_000}),
    "semantic search": ("semantic_search", {"query": "tides", "limit": 1_000}),
    "variants of a long query": (
        "recall",
        {
            "query": "running swimming " * 500,
            "limit": 1,
            "mode": "fts5",
            "expansion": {"enabled": True, "n_variants": 32},
        },
    ),
    "versions of a long body": ("history", {"category": "long", "key": "body"}),
    "versions of many": ("history", {"category": "long", "key": "many", "limit": 1_000}),
    "a long body as of a time": ("as_of", {**_LONG, "as_of_unix_ms": 9_000_000_000_000}),
    "a long body of a time": ("valid_at", {**_LONG, "valid_at_unix_ms": 9_000_000_000_000}),
    "statistics of long names": ("stats", {}),
    "workspaces of long names": ("workspace_list", {}),
    "ignored arguments": ("health", {"x" * 100_000: 1}),
    "an unknown id": ("get_entity", {"id": "x" * 100_000}),
    "an unknown name": ("embed", {"category": "c", "key": "x" * 100_000}),
    "an unknown tool": ("x" * 100_000, {}),
    "a faulty argument": ("recall", {"query": "x", "mode": "y" * 100_000}),
    "a faulty name": ("recall", {"query": "x", "z" * 100_000: "\x00"}),
}


@pytest.mark.parametrize(("tool", "arguments"), _CALLS.values(), ids=_CALLS)
def test_an_answer_is_no_longer_than_the_cap(
    full: Program, tool: str, arguments: dict[str, Any]
) -> None:
    result = full.result(tool, arguments)

    text = result["content"][0]["text"]
    assert len(text.encode()) <= _CAP
    assert json.loads(text) == result["structuredContent"]


def test_a_long_body_can_be_read_to_its_end(full: Program) -> None:
    [item] = full.call("recall", query="body", limit=1, mode="fts5", category="long")["items"]

    whole = ""
    offset: int | None = 0
    while offset is not None:
        page = full.call("get_entity", id=item["id"], body_offset=offset)
        assert len(json.dumps(page, ensure_ascii=False).encode()) <= _CAP + _KIB
        whole += page["body_json"]
        offset = page.get("next_offset") if page.get("truncated") else None

    assert json.loads(whole) == {"content": "tide tables " * 8_000}
    assert item["truncated"] is True
    assert "tide tables" in item["passage"]


def test_a_long_body_of_another_time_can_be_read_to_its_end(full: Program) -> None:
    asked = {**_LONG, "valid_at_unix_ms": 9_000_000_000_000}

    whole = ""
    offset: int | None = 0
    while offset is not None:
        page = full.call("valid_at", **asked, body_offset=offset)
        whole += page["body_json"]
        offset = page.get("next_offset") if page.get("truncated") else None

    assert json.loads(whole) == {"content": "tide tables " * 8_000}


def test_versions_that_were_cut_go_on_where_they_say(full: Program) -> None:
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = full.call("history", category="long", key="many", limit=100, offset=offset)
        seen += [version["history_id"] for version in page["versions"]]
        assert page["returned"] == len(page["versions"]) > 0
        offset = page.get("next_offset")

    assert len(seen) == len(set(seen)) == page["total"] == 39


def test_a_page_that_was_cut_goes_on_where_it_says(full: Program) -> None:
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = full.call("recall", query="", limit=100, offset=offset)
        seen += [item["id"] for item in page["items"]]
        assert page["total"] == len(page["items"]) > 0
        offset = page.get("next_offset")

    assert len(seen) == len(set(seen)) == full.call("stats")["total_entities"]


def test_the_cap_can_be_lifted(tmp_path: Path) -> None:
    with serving(tmp_path / "memory.db", "--max-answer", "0") as program:
        body = {"content": "lighthouse " * 8_000}
        program.call("remember", category="c", key="k", body_json=body)
        [item] = program.call("recall", query="lighthouse", mode="fts5")["items"]

    assert item["content"] == body["content"]
    assert "truncated" not in item
