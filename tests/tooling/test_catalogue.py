"""What hosts read of the tools, and by which names they call them."""

import json

import pytest

from mimir_py.app import CATALOGUE
from mimir_py.errors import ConfigError
from mimir_py.tooling import Effect
from mimir_py.tooling.catalogue import description, hints, listing

_ALL_TOOLS = 55
_MOST_BYTES = 45_000
_BYTES_OF_A_TOOL = 700
_ENTRIES = {entry["name"]: entry for entry in listing(CATALOGUE.tools)}


def _bytes(value):
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _walk(schema, path=""):
    """Every schema inside a schema, with its place."""
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from _walk(inner, f"{path}.{name}")
    if isinstance(schema.get("items"), dict):
        yield from _walk(schema["items"], f"{path}[]")


@pytest.mark.parametrize("name", _ENTRIES)
def test_an_input_schema_holds_nothing_a_caller_cannot_use(name):
    for path, schema in _walk(_ENTRIES[name]["inputSchema"]):
        noise = {"title", "anyOf", "$ref", "$defs", "allOf", "additionalProperties"} & set(schema)
        assert not noise, path
        assert schema["type"] != "null", path
        assert schema.get("default", ...) is not None, path
        for bound in ("minimum", "maximum"):
            assert abs(schema.get(bound, 0)) < 2**53, path


@pytest.mark.parametrize("name", _ENTRIES)
def test_required_arguments_are_those_without_a_default(name):
    tool = CATALOGUE.find(name)
    schema = _ENTRIES[name]["inputSchema"]

    assert set(schema["properties"]) == {*tool.model_fields, *tool.shared_arguments()}
    assert schema.get("required", []) == [
        field for field, info in tool.model_fields.items() if info.is_required()
    ]


@pytest.mark.parametrize("name", _ENTRIES)
def test_an_output_schema_is_shallow_and_short(name):
    schema = _ENTRIES[name]["outputSchema"]

    assert _bytes(schema) <= 200
    assert schema["type"] == "object"
    assert schema["properties"]
    assert "required" not in schema
    for field in schema["properties"].values():
        assert set(field) == {"type"}


async def _on_links(client):
    """Arguments of the tools that need links, or something found in them."""
    ids = [(await client.remember(key, f"the host {key}"))["id"] for key in ("one", "two", "three")]
    source = {"from_category": "note", "from_key": "one"}
    for target in ids[1:]:
        await client.run("link", {**source, "to_id": target})
    [community] = (await client.run("communities", {}))["communities"]
    return {
        "link": {**source, "to_id": ids[0]},
        "unlink": {**source, "to_id": ids[0]},
        "traverse": {"category": "note", "key": "one"},
        "path": {"from_id": ids[0], "to_id": ids[2]},
        "related": {"ids": ids[:1]},
        "community_summary": {"community_id": community["id"]},
    }


async def test_answers_are_of_the_types_that_their_schemas_say(connected_app, client_of):
    client = client_of(connected_app)
    kinds = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
    kinds["number"] = (int, float)
    answer = await client.remember("queue", "use NATS")
    await client.remember("queue-2", "use Kafka")
    calls = {
        "remember": {"category": "note", "key": "queue", "body_json": "use NATS"},
        "get_entity": {"id": answer["id"]},
        "embed": {"category": "note", "key": "queue"},
        "share": {"category": "note", "key": "queue", "to_workspace": "team-b"},
        "supersede": {
            "from_category": "note",
            "from_key": "queue",
            "to_category": "note",
            "to_key": "queue-2",
        },
        **await _on_links(client),
    }
    for name, entry in _ENTRIES.items():
        suffix = name.removeprefix("mimir_")
        example = CATALOGUE.find(name).spec.example

        answer = await client.run(suffix, calls.get(suffix, example))

        for field, kind in entry["outputSchema"]["properties"].items():
            if field in answer:
                types = kind["type"] if isinstance(kind["type"], list) else [kind["type"]]
                assert any(isinstance(answer[field], kinds[word]) for word in types), (name, field)
        assert set(entry["outputSchema"]["properties"]) & set(answer), name


def test_the_listing_of_all_tools_to_come_will_keep_to_its_bytes():
    so_far = sum(_bytes(entry) for entry in _ENTRIES.values())

    assert so_far + max(0, _ALL_TOOLS - len(_ENTRIES)) * _BYTES_OF_A_TOOL <= _MOST_BYTES


def test_the_lean_listing_is_short():
    lean = listing(CATALOGUE.selected("lean"), brief=True)

    assert 1 <= len(lean) <= 8
    assert _bytes(lean) <= 6_000
    assert {"mimir_remember", "mimir_recall"} <= {entry["name"] for entry in lean}


def test_a_brief_entry_holds_what_a_call_needs():
    for brief, whole in zip(listing(CATALOGUE.tools, brief=True), _ENTRIES.values(), strict=True):
        arguments, all_arguments = brief.pop("inputSchema"), whole["inputSchema"]
        assert arguments["properties"].items() <= all_arguments["properties"].items()
        assert set(all_arguments.get("required", [])) <= set(arguments["properties"])
        assert brief.items() <= whole.items()
        assert {"name", "description", "annotations"} <= set(brief)


@pytest.mark.parametrize("name", _ENTRIES)
def test_an_entry_is_whole(name):
    entry = _ENTRIES[name]

    assert set(entry) == {
        "name", "title", "description", "inputSchema", "outputSchema", "annotations",
    }  # fmt: skip
    assert entry["title"]
    assert "\n" not in entry["description"]
    assert len(entry["description"]) >= 20


@pytest.mark.parametrize("tool", CATALOGUE.tools, ids=lambda tool: tool.spec.suffix)
def test_hints_say_what_a_tool_does(tool):
    expected = {"openWorldHint": False, "readOnlyHint": tool.spec.effect is Effect.READS}
    if tool.spec.effect is not Effect.READS:
        expected["destructiveHint"] = tool.spec.effect is Effect.DESTROYS
        expected["idempotentHint"] = tool.spec.idempotent

    assert hints(tool) == expected


def test_the_tools_of_everyday_have_the_hints_hosts_need():
    assert hints(CATALOGUE.find("mimir_recall"))["readOnlyHint"] is True
    assert hints(CATALOGUE.find("mimir_remember")) == {
        "readOnlyHint": False,
        "destructiveHint": False,
        "idempotentHint": True,
        "openWorldHint": False,
    }


@pytest.mark.parametrize("effect", [Effect.READS], ids=str)
async def test_a_tool_that_reads_changes_no_memory(client, effect):
    answer = await client.remember("queue", "use NATS")
    linked = await _on_links(client)
    before = await client.rows("SELECT * FROM entities"), await client.rows("SELECT * FROM changes")
    for tool in CATALOGUE.tools:
        if tool.spec.effect is effect:
            arguments = dict(linked.get(tool.spec.suffix, tool.spec.example))
            if "id" in arguments:
                arguments["id"] = answer["id"]
            await client.app.run(tool, arguments, client.request("recall", {})[2])

    after = await client.rows("SELECT * FROM entities"), await client.rows("SELECT * FROM changes")
    assert after == before


@pytest.mark.parametrize("prefix", ["mimir_", "mneme_", "perseus_vault_"])
@pytest.mark.parametrize("tool", CATALOGUE.tools, ids=lambda tool: tool.spec.suffix)
def test_a_tool_answers_to_every_products_name(tool, prefix):
    assert CATALOGUE.find(prefix + tool.spec.suffix) is tool


@pytest.mark.parametrize(
    "name",
    [
        "perseus_vault_mimir_recall",
        "mneme_mimir_recall",
        "mneme_perseus_vault_recall",
        "mimir_mimir_recall",
        "mimir_mneme_recall",
        "recall",
        "MIMIR_RECALL",
        "mimir_",
        "perseus_vault_",
        "",
        "mimir_no_such_tool",
    ],
)
def test_other_names_are_no_tools(name):
    assert CATALOGUE.find(name) is None


def test_names_are_listed_once_in_the_products_own_form():
    names = [entry["name"] for entry in listing(CATALOGUE.selected("full"))]

    assert len(set(names)) == len(names)
    assert all(name.startswith("mimir_") for name in names)


@pytest.mark.parametrize(
    "selection", ["recall,remember", "mimir_remember, mneme_recall", "remember,recall,recall"]
)
def test_chosen_tools_are_listed_in_the_usual_order(selection):
    names = [tool.spec.suffix for tool in CATALOGUE.selected(selection)]

    assert names == ["remember", "recall"]


def test_a_choice_that_is_no_tool_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match="no_such_tool") as refusal:
        CATALOGUE.selected("recall,no_such_tool")

    assert "remember" in str(refusal.value)


def test_a_description_is_one_paragraph():
    assert all("  " not in description(tool) for tool in CATALOGUE.tools)
