"""Arguments as clients send them: listed, hidden, null, unknown, and over the limits."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.contract.promises import ARGUMENTS, ENUMS
from tests.server.program import Program, error_text

_KIB: Final = 1_024
_MIB: Final = 1_024 * _KIB

_NEEDED: Final[Mapping[str, Mapping[str, Any]]] = {
    "ingest_file": {"path": "README.md"},
    "migrate": {"from_path": "no-such-file.db"},
    "share": {"category": "c", "key": "nulls", "to_workspace": "w"},
    "federate": {"from_workspace": "a", "to_workspace": "b"},
    "remember": {"category": "c", "key": "nulls", "body_json": '{"content":"x"}'},
    "recall": {"query": "x"},
    "recall_layer": {"layer": "buffer"},
    "semantic_search": {"query": "x"},
    "recall_when": {"context": "x"},
    "extract": {"text": "x"},
    "forget": {"category": "c", "key": "nothing"},
    "score": {"category": "c", "key": "nulls", "score": 0.5},
    "follow": {"category": "c", "key": "nulls", "followed": True},
    "correct": {"wrong_approach": "a", "user_correction": "b", "task_context": "c"},
    "bench": {
        "task_description": "a",
        "turns_taken": 1,
        "tokens_used": 1,
        "memory_recall_used": True,
    },
    "memories": {"command": "view"},
    "undo": {"source": "nobody", "since_unix_ms": 0},
    "conflicts": {"category": "c"},
    "supersede": {
        "from_category": "c",
        "from_key": "nulls",
        "to_category": "c",
        "to_key": "embedded",
    },
    "history": {"category": "c", "key": "nulls"},
    "as_of": {"category": "c", "key": "nulls", "as_of_unix_ms": 1},
    "valid_at": {"category": "c", "key": "nulls", "valid_at_unix_ms": 1},
    "bitemporal": {"category": "c", "key": "nulls", "tx_at_unix_ms": 1, "valid_at_unix_ms": 1},
    "embed": {"category": "c", "key": "embedded"},
    "state_set": {"key": "k", "value_json": "x"},
    "state_get": {"key": "k"},
    "state_delete": {"key": "k"},
    "global_recall": {"query": "x1"},
    "prune": {"older_than_days": 36_500},
    "consolidate": {"category": "nothing"},
    "vault_export": {"vault_dir": "~/.mimir/vault"},
    "vault_import": {"vault_dir": "~/.mimir/vault"},
}


@pytest.fixture(scope="module")
def schemas(shared: Program) -> dict[str, dict[str, Any]]:
    tools = shared.ask("tools/list")["result"]["tools"]
    return {tool["name"].removeprefix("mimir_"): tool["inputSchema"] for tool in tools}


@pytest.fixture(scope="module")
def linked(shared: Program) -> Mapping[str, Mapping[str, Any]]:
    """What the tools of the graph need: linked memories, and a community that stays."""
    one, two, three = (
        shared.call("remember", category="linked", key=key, body_json=f"the host {key}")["id"]
        for key in ("one", "two", "three")
    )
    source = {"from_category": "linked", "from_key": "one"}
    shared.call("link", **source, to_id=two)
    [community] = shared.call("communities")["communities"]
    return {
        "link": {"from_category": "linked", "from_key": "three", "to_id": three},
        "unlink": {**source, "to_id": "mem-none"},
        "traverse": {"category": "linked", "key": "one"},
        "path": {"from_id": one, "to_id": two},
        "related": {"ids": [one]},
        "community_summary": {"community_id": community["id"]},
    }


@pytest.mark.parametrize("tool", ARGUMENTS)
def test_every_argument_of_the_contract_is_listed_with_its_type(
    schemas: dict[str, dict[str, Any]], tool: str
) -> None:
    required, types = ARGUMENTS[tool]

    properties = schemas[tool]["properties"]
    assert {name: properties[name]["type"] for name in types} == types
    assert tuple(schemas[tool].get("required", ())) == required


def test_a_tool_is_listed_once_and_all_have_their_arguments_in_the_table(
    schemas: dict[str, dict[str, Any]],
) -> None:
    assert set(schemas) == set(ARGUMENTS)


@pytest.mark.parametrize(("tool", "argument"), ENUMS, ids=".".join)
def test_the_values_of_an_argument_are_listed(
    schemas: dict[str, dict[str, Any]], tool: str, argument: str
) -> None:
    listed = schemas[tool]["properties"][argument]["enum"]

    assert set(listed) - {""} == ENUMS[tool, argument]


def _optional(schemas: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (tool, name)
        for tool, schema in schemas.items()
        for name in schema["properties"]
        if name not in schema.get("required", ()) and name not in _NEEDED.get(tool, {})
    ]


def test_null_means_not_given_on_every_optional_argument(
    shared: Program, schemas: dict[str, dict[str, Any]], linked: Mapping[str, Mapping[str, Any]]
) -> None:
    shared.call("remember", **_NEEDED["remember"])
    written = shared.call("remember", category="c", key="embedded", body_json="something")
    needed = {**_NEEDED, "get_entity": {"id": written["id"]}, **linked}
    optional = _optional(schemas)

    refused = {
        (tool, name): error_text(result)
        for tool, name in optional
        if "isError" in (result := shared.result(tool, {**needed.get(tool, {}), name: None}))
    }

    assert len(optional) > 40
    assert refused == {}


def test_null_leaves_what_is_stored_as_it_is(shared: Program) -> None:
    name = {"category": "c", "key": "kept"}
    given = {"tags": ["a"], "certainty": 0.9, "always_on": True, "layer": "core", "status": "draft"}
    written = shared.call("remember", **name, body_json="x", **given)

    shared.call("remember", **name, body_json="x", **dict.fromkeys(given))

    kept = shared.call("get_entity", id=written["id"])
    assert {field: kept[field] for field in given} == given


def test_hidden_arguments_of_remember_work(shared: Program) -> None:
    hidden = {"always_on": True, "certainty": 0.8, "visibility": "private", "layer": "world"}

    shared.call(
        "remember",
        category="hidden",
        key="k",
        body_json='{"content":"the press is cleaned weekly"}',
        recall_when=["cleaning", "the press"],
        **hidden,
    )

    [item] = shared.call("recall", query="", category="hidden")["items"]
    assert {name: item[name] for name in hidden} == {**hidden, "layer": "core"}
    assert item["recall_when"] == ["cleaning", "the press"]
    assert item["body_json"] == (
        '{"content": "the press is cleaned weekly", "recall_when": ["cleaning", "the press"]}'
    )


@pytest.mark.parametrize("mode", ["", "fts5", "dense", "hybrid"])
def test_the_hidden_filter_of_recall_works_in_every_mode(shared: Program, mode: str) -> None:
    for flag in (True, False):
        fact = f"the kiln is fired at {1_000 + flag} degrees"
        shared.call("remember", category="kiln", key=str(flag), body_json=fact, always_on=flag)

    for flag in (True, False):
        arguments = {"query": "kiln", "category": "kiln", "mode": mode, "always_on": flag}
        items = shared.call("recall", **arguments)["items"]
        assert [item["key"] for item in items] == [str(flag)]


@pytest.mark.parametrize("tool", ARGUMENTS)
def test_unknown_arguments_are_named_in_the_answer(
    shared: Program, linked: Mapping[str, Mapping[str, Any]], tool: str
) -> None:
    if tool == "get_entity":
        written = shared.call("remember", category="c", key="unknown", body_json="x")
        needed: Mapping[str, Any] = {"id": written["id"]}
    else:
        needed = {**_NEEDED, **linked}.get(tool, {})
        shared.call("remember", **_NEEDED["remember"])
        shared.call("remember", category="c", key="embedded", body_json="something")

    answer = shared.call(tool, **needed, zeta=1, alpha={"x": None})

    assert answer["ignored_arguments"] == ["alpha", "zeta"]


def test_an_answer_to_known_arguments_ignores_none(shared: Program) -> None:
    assert "ignored_arguments" not in shared.call("recall", query="x", limit=1)


def test_recall_when_has_no_place_in_a_body_that_is_no_object(shared: Program) -> None:
    answer = shared.call(
        "remember", category="c", key="list", body_json="[1, 2]", recall_when=["counting"]
    )

    assert answer["ignored_arguments"] == ["recall_when"]


_FITS: Final = {
    "body of 1 MiB": {"body_json": '{"content":"x"' + " " * (_MIB - 15) + "}"},
    "key of 1 KiB": {"key": "ö" * (_KIB // 2)},
    "category of 1 KiB": {"category": "c" * _KIB},
    "64 tags": {"tags": [f"tag {number}" for number in range(64)]},
    "tag of 1 KiB": {"tags": ["t" * 1_024]},
    "agent of 1 KiB": {"agent_id": "a" * _KIB},
}
_TOO_MUCH: Final = {
    "body over 1 MiB": ({"body_json": '{"content":"x"' + " " * (_MIB - 14) + "}"}, "body_json"),
    "key over 1 KiB": ({"key": "ö" * (_KIB // 2) + "k"}, "key"),
    "category over 1 KiB": ({"category": "c" * (_KIB + 1)}, "category"),
    "workspace over 1 KiB": ({"workspace_hash": "w" * (_KIB + 1)}, "workspace_hash"),
    "agent over 1 KiB": ({"agent_id": "a" * (_KIB + 1)}, "agent_id"),
    "type over 1 KiB": ({"type": "t" * (_KIB + 1)}, "type"),
    "status over 1 KiB": ({"status": "s" * (_KIB + 1)}, "status"),
    "topic over 1 KiB": ({"topic_path": "t" * (_KIB + 1)}, "topic_path"),
    "layer over 1 KiB": ({"layer": "l" * (_KIB + 1)}, "layer"),
    "visibility over 1 KiB": ({"visibility": "v" * (_KIB + 1)}, "visibility"),
    "65 tags": ({"tags": ["tag"] * 65}, "tags"),
    "tag over 1 KiB": ({"tags": ["ok", "t" * 1_025]}, "tags[1]"),
}


@pytest.mark.parametrize("arguments", _FITS.values(), ids=_FITS)
def test_what_just_fits_is_stored_whole(shared: Program, arguments: dict[str, Any]) -> None:
    body = f'{{"content":"what fits into {", ".join(arguments)}"}}'
    given = {"category": "limits", "key": "fits", "body_json": body, **arguments}

    written = shared.call("remember", **given)

    stored = shared.call("get_entity", id=written["id"])
    assert (stored["key"], stored["category"]) == (given["key"], given["category"])
    assert stored["tags"] == given.get("tags", stored["tags"])


@pytest.mark.parametrize(("arguments", "named"), _TOO_MUCH.values(), ids=_TOO_MUCH)
def test_what_is_over_a_limit_is_refused_by_name_and_not_stored(
    shared: Program, arguments: dict[str, Any], named: str
) -> None:
    given = {"category": "limits", "key": "refused", "body_json": "x", **arguments}

    message = shared.refusal("remember", **given)

    assert message.startswith(f"Invalid remember arguments: {named}: ")
    assert "limit" in message
    found = shared.call("recall", query="refused", mode="fts5", workspace_hash="*")
    assert "refused" not in [item["key"] for item in found["items"]]


def test_a_reason_over_a_limit_is_refused_and_nothing_forgotten(shared: Program) -> None:
    written = shared.call("remember", category="limits", key="reason", body_json="to be kept")

    message = shared.refusal("forget", category="limits", key="reason", reason="r" * (_KIB + 1))

    assert message.startswith("Invalid forget arguments: reason: ")
    assert shared.call("get_entity", id=written["id"])["archived"] is False
