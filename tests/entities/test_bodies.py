"""Bodies as clients send them: JSON text, plain text, objects, and mistakes."""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mimir_py.errors import InvalidInput

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)


@pytest.fixture
def stored_body(client):
    """Remembers a body and returns what the store then holds: `await stored_body(given)`."""

    async def store(body, **more):
        answer = await client.remember("queue", body, **more)
        return (await client.get(answer["id"]))["body_json"]

    return store


@pytest.mark.parametrize(
    "text",
    [
        '{"content": "use NATS"}',
        '{ "b" : 1,\n  "a" : [1.50, 1e3, true, null] }',
        '{"content": "r\\u00e9sum\\u00e9 \\/ \\"x\\""}',
        '{"a": 1, "a": 2}',
        "[1, 2, 3]",
        '"a bare string"',
        "42",
        "null",
        "  [1]  ",
    ],
)
async def test_json_text_is_stored_to_the_byte(stored_body, text):
    assert await stored_body(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "use NATS, not RabbitMQ",
        "C:\\tmp\\new",
        'she said "no"',
        "line one\nline two",
        "[draft] use NATS",
        "NaN",
        "42 is the answer",
        "数据库在服务器上 🚀",
        "key: value\n- item",
    ],
)
async def test_plain_text_becomes_the_content_of_a_body(stored_body, text):
    assert json.loads(await stored_body(text)) == {"content": text}


async def test_text_beyond_ascii_is_stored_as_it_is(stored_body):
    assert await stored_body("naïve 数据库") == '{"content": "naïve 数据库"}'


@pytest.mark.parametrize(
    "body", [{"content": "use NATS", "n": [1, 2.5, None, True]}, ["a", {"b": "c"}], {}, []], ids=str
)
async def test_an_object_is_stored_as_json(stored_body, body):
    assert json.loads(await stored_body(body)) == body


@pytest.mark.parametrize(
    "text", ['{"content": "use NATS"', "{'content': 'use NATS'}", '["a", ', "{", '[{"a": 1}']
)
async def test_broken_json_is_refused_and_nothing_is_stored(client, text):
    with pytest.raises(InvalidInput, match="not valid JSON") as refusal:
        await client.remember("queue", text)

    assert refusal.value.field == "body_json"
    assert await client.rows("SELECT count(*) FROM entities") == [(0,)]


@pytest.mark.parametrize("body", ["", "   ", "\n\t", None])
async def test_an_empty_body_is_refused(client, body):
    with pytest.raises(InvalidInput) as refusal:
        await client.remember("queue", body)

    assert refusal.value.field == "body_json"


async def test_a_number_beyond_all_floats_does_not_break_later_answers(client):
    await client.remember("sane", "the weight of the lamp is one kilogram")
    with contextlib.suppress(InvalidInput):
        await client.remember("queue", '{"weight": 1e999, "content": "the weight of the lamp"}')

    answer = await client.app.call(*client.request("recall", {"query": "weight of the lamp"}))

    assert "isError" not in answer
    json.loads(answer["content"][0]["text"], parse_constant=pytest.fail)


async def test_situations_go_into_a_body_that_is_an_object(stored_body):
    body = await stored_body('{"note": "é", "content": "use NATS"}', recall_when=["new service"])

    assert body == '{"content": "use NATS", "note": "é", "recall_when": ["new service"]}'


async def test_situations_go_with_plain_text(stored_body):
    body = await stored_body("use NATS", recall_when=["new service"])

    assert json.loads(body) == {"content": "use NATS", "recall_when": ["new service"]}


async def test_situations_are_searchable(client):
    await client.remember("queue", "use NATS", recall_when=["starting another microservice"])

    assert len(await client.recall("microservice", mode="fts5")) == 1


async def test_situations_for_a_body_without_place_for_them_are_said_to_be_ignored(client):
    answer = await client.remember("queue", '["use NATS"]', recall_when=["new service"])

    assert answer["ignored_arguments"] == ["recall_when"]
    assert (await client.get(answer["id"]))["body_json"] == '["use NATS"]'


async def test_no_situations_leave_the_text_to_the_byte(stored_body):
    assert await stored_body('{ "b":1 }', recall_when=[]) == '{ "b":1 }'


@pytest.mark.parametrize(
    "query", ["résumé", "resume", "line2", "nested", "4711", "billing", "messaging", "queue"]
)
async def test_what_a_body_says_is_searchable_and_so_is_its_name(client, query):
    body = r'{"title": "r\u00e9sum\u00e9\nline2", "inner": [{"text": "nested"}, 4711]}'
    await client.remember("queue", body, tags=["messaging"], topic_path="billing/invoices")

    assert [item["key"] for item in await client.recall(query, mode="fts5")] == ["queue"]


@pytest.mark.parametrize("query", ["title", "inner", "u00e9sum", "nline2", "text"])
async def test_json_source_is_not_searchable(client, query):
    body = r'{"title": "r\u00e9sum\u00e9\nline2", "inner": [{"text": "nested"}]}'
    await client.remember("queue", body)

    assert await client.recall(query, mode="fts5") == []


@given(text=_TEXT)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_text_comes_back_as_it_was_given(client, text):
    answer = await client.remember("queue", {"content": text})

    assert json.loads((await client.get(answer["id"]))["body_json"]) == {"content": text}


@given(text=_TEXT)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_plain_text_is_stored_unless_it_is_blank_or_broken_json(client, text):
    broken = not text.strip() or text.strip().startswith(("{", '["', "[{"))
    with pytest.raises(InvalidInput) if broken else contextlib.nullcontext():
        answer = await client.remember("queue", text)

        json.loads((await client.get(answer["id"]))["body_json"])
