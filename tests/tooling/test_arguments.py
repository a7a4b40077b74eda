"""Arguments of every tool: their types, nulls, and those that are none."""

import re
import types
import typing

import pytest
from pydantic import BaseModel

from mimir_py.app import CATALOGUE
from mimir_py.errors import InvalidInput
from mimir_py.tooling import Call
from mimir_py.tooling.schema import input_schema

_WRONG = {
    "string": [1, 1.5, True, [], {}],
    "integer": [1.5, 5.0, "5", True, [], {}],
    "number": ["0.5", True, [], {}],
    "boolean": [0, 1, "true", [], {}],
    "array": ["a", 1, {}, True],
    "object": ["a", 1, [], True],
}
# These take any JSON value on purpose.
_ANYTHING = {
    ("remember", "body_json"),
    ("state_set", "value_json"),
    ("journal", "evaluated"),
    ("journal", "acted"),
    ("journal", "forward"),
}


def _arguments():
    """Those of a tool's own; `tests/contract/test_retries.py` has the one they share."""
    for tool in CATALOGUE.tools:
        schemas = input_schema(tool)["properties"]
        for name, schema in ((name, schemas[name]) for name in tool.model_fields):
            yield pytest.param(tool, name, schema, id=f"{tool.spec.suffix}.{name}")


_ALL = list(_arguments())
_TYPED = [
    param for param in _ALL if (param.values[0].spec.suffix, param.values[1]) not in _ANYTHING
]


def _valid(tool):
    """Arguments the tool accepts: its example, and what it requires."""
    required = {name: "x" for name, field in tool.model_fields.items() if field.is_required()}
    return {**required, **tool.spec.example}


def test_every_tool_has_arguments_that_are_accepted():
    for tool in CATALOGUE.tools:
        parsed, unknown = tool.parse(_valid(tool))

        assert isinstance(parsed, BaseModel)
        assert unknown == []


@pytest.mark.parametrize(("tool", "name", "schema"), _TYPED)
def test_an_argument_of_the_wrong_type_is_refused_by_name(tool, name, schema):
    for value in _WRONG[schema["type"]]:
        with pytest.raises(InvalidInput) as refusal:
            tool.parse({**_valid(tool), name: value})

        assert refusal.value.field == name
        assert re.match(rf"{name}: \w+", str(refusal.value))


@pytest.mark.parametrize(("tool", "name", "schema"), _ALL)
def test_null_is_not_given_where_an_argument_is_optional_and_refused_where_it_is_not(
    tool, name, schema
):
    without = {key: value for key, value in _valid(tool).items() if key != name}
    given_null = {**without, name: None}
    if not tool.model_fields[name].is_required():
        assert tool.parse(given_null) == tool.parse(without)
    elif (tool.spec.suffix, name) in _ANYTHING:
        assert getattr(tool.parse(given_null)[0], name) is None  # refused when it is run
    else:
        with pytest.raises(InvalidInput) as refusal:
            tool.parse(given_null)
        assert refusal.value.field == name


@pytest.mark.parametrize(
    ("tool", "name", "schema"),
    [param for param in _ALL if param.values[0].model_fields[param.values[1]].is_required()],
)
def test_a_missing_argument_is_refused_by_name(tool, name, schema):
    without = {key: value for key, value in _valid(tool).items() if key != name}

    with pytest.raises(InvalidInput) as refusal:
        tool.parse(without)

    assert refusal.value.field == name
    assert "required" in str(refusal.value)


@pytest.mark.parametrize(("tool", "name", "schema"), _TYPED)
def test_a_number_out_of_its_range_is_refused(tool, name, schema):
    beyond = {
        "minimum": lambda least: least - 1,
        "maximum": lambda most: most + 1,
        "exclusiveMinimum": lambda least: least,
    }
    for keyword, outside in beyond.items():
        if keyword in schema:
            with pytest.raises(InvalidInput) as refusal:
                tool.parse({**_valid(tool), name: outside(schema[keyword])})
            assert refusal.value.field == name
    if schema["type"] == "integer":
        for value in (2**63, -(2**63) - 1, 10**30):
            try:
                parsed, _ = tool.parse({**_valid(tool), name: value})
            except InvalidInput as error:
                assert error.field == name  # noqa: PT017  # a large limit is fine, a time is not
            else:
                assert not name.endswith("_unix_ms")
                assert getattr(parsed, name) == value


@pytest.mark.parametrize(("tool", "name", "schema"), _TYPED)
def test_a_number_that_is_no_number_is_refused(tool, name, schema):
    if schema["type"] != "number":
        return
    for value in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(InvalidInput) as refusal:
            tool.parse({**_valid(tool), name: value})
        assert refusal.value.field == name


@pytest.mark.parametrize(("tool", "name", "schema"), _TYPED)
def test_a_word_that_is_no_choice_is_refused(tool, name, schema):
    field = tool.model_fields[name]
    choices = [part for part in _parts(field.annotation) if typing.get_origin(part)]
    literal = [part for part in choices if typing.get_origin(part) is typing.Literal]
    if not literal:
        return
    with pytest.raises(InvalidInput) as refusal:
        tool.parse({**_valid(tool), name: "no such choice"})

    assert refusal.value.field == name
    assert all(repr(choice) in str(refusal.value) for choice in typing.get_args(literal[0]))
    assert schema["enum"] == list(typing.get_args(literal[0]))


def _parts(annotation):
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return typing.get_args(annotation)
    return (annotation,)


@pytest.mark.parametrize("tool", CATALOGUE.tools, ids=lambda tool: tool.spec.suffix)
def test_arguments_that_are_none_of_the_tools_are_named(tool):
    parsed, unknown = tool.parse({**_valid(tool), "zebra": 1, "apple": None})

    assert unknown == ["apple", "zebra"]
    assert parsed == tool.parse(_valid(tool))[0]


async def test_an_answer_names_the_arguments_that_were_ignored(client):
    answer = await client.run("recall", {"query": "x", "colour": "red", "mood": None})

    assert answer["ignored_arguments"] == ["colour", "mood"]


async def test_an_answer_names_ignored_situations_and_unknown_arguments_together(client):
    answer = await client.remember("queue", "[1]", recall_when=["x"], colour="red")

    assert answer["ignored_arguments"] == ["recall_when", "colour"]


async def test_an_answer_to_known_arguments_names_none(client):
    assert "ignored_arguments" not in await client.run("recall", {"query": "x"})


def test_several_wrong_arguments_are_named_together():
    tool = CATALOGUE.find("mimir_recall")

    with pytest.raises(InvalidInput) as refusal:
        tool.parse({"query": 1, "limit": "x", "offset": -1})

    assert all(name in str(refusal.value) for name in ("query", "limit", "offset"))


def test_a_wrong_argument_inside_another_is_named_by_its_place():
    tool = CATALOGUE.find("mimir_recall")

    with pytest.raises(InvalidInput) as refusal:
        tool.parse({"query": "x", "expansion": {"enabled": True, "n_variants": "2"}})

    assert refusal.value.field == "expansion.n_variants"


def test_a_wrong_item_of_a_list_is_named_by_its_place():
    tool = CATALOGUE.find("mimir_remember")

    with pytest.raises(InvalidInput) as refusal:
        tool.parse({**_valid(tool), "tags": ["fine", 2]})

    assert refusal.value.field == "tags.1"


@pytest.mark.parametrize("tool", CATALOGUE.tools, ids=lambda tool: tool.spec.suffix)
def test_a_refusal_does_not_repeat_what_was_sent(tool):
    secret = "hunter2-" * 40

    with pytest.raises(InvalidInput) as refusal:
        tool.parse({name: [secret] for name in tool.model_fields} or {"x": "\x00" + secret})

    assert "hunter2" not in str(refusal.value)


async def test_a_refused_call_says_which_tool_and_which_argument(client):
    tool, arguments, _ = client.request("recall", {"query": "x", "limit": "ten"})

    answer = await client.app.call(tool, arguments, Call())

    assert answer["isError"] is True
    message = answer["structuredContent"]["content"][0]["text"]
    assert message.startswith("Invalid recall arguments: limit: ")
