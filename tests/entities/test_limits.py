"""What cannot be stored is refused by name, and nothing of it is kept."""

import json

import pytest

from mimir_py.errors import InvalidInput

_MIB = 1_048_576
_KIB = 1_024
_NAMES = [
    "category",
    "key",
    "workspace_hash",
    "topic_path",
    "agent_id",
    "type",
    "status",
    "layer",
    "visibility",
]


def _arguments(**given):
    return {"category": "note", "key": "queue", "body_json": "use NATS", **given}


def _body_of(size):
    """JSON text of exactly that many bytes."""
    return json.dumps({"content": "x" * (size - len('{"content": ""}'))})


async def _refused(client, **given):
    with pytest.raises(InvalidInput) as refusal:
        await client.run("remember", _arguments(**given))
    assert await client.rows("SELECT count(*) FROM entities") == [(0,)]
    return refusal.value


async def test_a_body_over_a_mebibyte_is_refused_with_the_limit(client):
    error = await _refused(client, body_json=_body_of(_MIB + 1))

    assert error.field == "body_json"
    assert str(_MIB) in str(error)
    assert str(_MIB + 1) in str(error)


async def test_the_size_of_a_body_is_in_bytes_not_characters(client):
    error = await _refused(client, body_json={"content": "数" * (_MIB // 2)})

    assert error.field == "body_json"


async def test_a_body_of_a_mebibyte_is_stored(client):
    body = _body_of(_MIB)
    assert len(body) == _MIB

    answer = await client.remember("queue", body)

    assert (await client.get(answer["id"]))["body_json"] == body


@pytest.mark.parametrize("name", _NAMES)
async def test_a_name_over_a_kibibyte_is_refused_with_the_limit(client, name):
    error = await _refused(client, **{name: "é" * (_KIB // 2) + "x"})

    assert error.field == name
    assert str(_KIB) in str(error)


@pytest.mark.parametrize("name", _NAMES)
async def test_a_name_of_a_kibibyte_is_stored(client, name):
    value = "é" * (_KIB // 2)

    await client.run("remember", _arguments(**{name: value}))

    column = "type" if name == "type" else name
    assert await client.rows(f"SELECT {column} FROM entities") == [(value,)]


async def test_more_than_64_tags_are_refused_with_the_limit(client):
    error = await _refused(client, tags=[f"t{number}" for number in range(65)])

    assert error.field == "tags"
    assert "64" in str(error)


async def test_64_tags_are_stored(client):
    tags = [f"t{number}" for number in range(64)]

    answer = await client.remember("queue", "use NATS", tags=tags)

    assert (await client.get(answer["id"]))["tags"] == tags


async def test_a_tag_over_a_kibibyte_is_refused_by_its_place(client):
    error = await _refused(client, tags=["short", "x" * (_KIB + 1)])

    assert error.field == "tags[1]"
    assert str(_KIB) in str(error)


async def test_limits_are_those_of_the_settings(open_store, client_of):
    limits = {"max_body_bytes": 2_000, "max_key_bytes": 64, "max_tags": 1}
    async with open_store(**limits) as app:
        client = client_of(app)

        body = await _refused(client, body_json="x" * 2_000)
        key = await _refused(client, key="x" * 65)
        tags = await _refused(client, tags=["a", "b"])
        tag = await _refused(client, tags=["x" * 65])

    fields = [error.field for error in (body, key, tags, tag)]
    assert fields == ["body_json", "key", "tags", "tags[0]"]


async def test_an_empty_key_is_refused(client):
    assert (await _refused(client, key="")).field == "key"


@pytest.mark.parametrize("argument", [*_NAMES, "body_json"])
async def test_a_character_that_cannot_be_stored_is_refused_by_name(client, argument):
    nul = await _refused(client, **{argument: "a\x00b"})
    surrogate = await _refused(client, **{argument: "a\ud800b"})

    assert (nul.field, surrogate.field) == (argument, argument)
    assert "NUL" in str(nul)
    assert "surrogate" in str(surrogate)


@pytest.mark.parametrize("character", ["\x00", "\ud800"])
@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"tags": ["fine", "a{}b"]}, "tags[1]"),
        ({"recall_when": ["a{}b"]}, "recall_when[0]"),
        ({"body_json": {"a": {"b": ["fine", "a{}b"]}}}, "body_json.a.b[1]"),
        ({"body_json": ["fine", "a{}b"]}, "body_json[1]"),
    ],
    ids=["tag", "situation", "nested", "list"],
)
async def test_a_character_that_cannot_be_stored_is_refused_by_its_place(
    client, given, place, character
):
    filled = json.loads(json.dumps(given).replace("{}", json.dumps(character)[1:-1]))

    error = await _refused(client, **filled)

    assert error.field == place


async def test_a_field_name_that_cannot_be_stored_is_refused(client):
    error = await _refused(client, body_json={"a\x00b": 1})

    assert "NUL" in str(error)


@pytest.mark.parametrize(("escape", "name"), [(r"\u0000", "NUL"), (r"\ud83d", "surrogate")])
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ('{"content": "a%sb"}', "body_json.content"),
        ('{"a": {"b": ["fine", "a%sb"]}}', "body_json.a.b[1]"),
        ('"a%sb"', "body_json"),
    ],
    ids=["field", "nested", "bare string"],
)
async def test_an_escape_of_what_cannot_be_stored_is_refused_by_its_place(
    client, body, place, escape, name
):
    error = await _refused(client, body_json=body % escape)

    assert error.field == place
    assert name in str(error)


async def test_an_escaped_pair_of_surrogates_is_one_character(client):
    await client.remember("rocket", r'{"content": "launch \ud83d\ude80"}')

    [item] = await client.recall("launch", mode="fts5")

    assert item["content"] == "launch 🚀"


@pytest.mark.parametrize("opening", ["[", '{"a":'])
async def test_a_body_that_is_nested_too_deeply_is_refused(client, opening):
    closing = {"[": "]", '{"a":': "}"}[opening]

    error = await _refused(client, body_json=opening * 101 + "1" + closing * 101)

    assert error.field == "body_json"
    assert "deep" in str(error)


@pytest.mark.parametrize("depth", [5_000, 200_000])
async def test_a_body_nested_beyond_all_reason_is_refused(client, depth):
    error = await _refused(client, body_json='{"a":' * depth + "1" + "}" * depth)

    assert error.field == "body_json"


async def test_a_body_nested_a_hundred_levels_is_stored(client):
    body = "[" * 100 + "]" * 100

    answer = await client.remember("queue", body)

    assert answer["action"] == "created"
