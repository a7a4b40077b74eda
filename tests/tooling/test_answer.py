"""The envelopes of answers, as existing clients read them."""

import json

import pytest

from mimir_py.tooling.answer import failure, size, success, to_json

_ODD = {"text": 'é 数 🚀 "quoted" \\ \n', "number": 0.1, "none": None, "list": [1, True]}


def test_a_success_carries_its_payload_as_text_and_parsed():
    answer = success(_ODD)

    assert answer["structuredContent"] == _ODD
    assert [block["type"] for block in answer["content"]] == ["text"]
    assert json.loads(answer["content"][0]["text"]) == _ODD
    assert "isError" not in answer


def test_text_is_compact_and_characters_are_as_they_are():
    assert to_json({"a": ["é", 1]}) == '{"a":["é",1]}'


def test_a_hard_failure_has_its_message_where_clients_look():
    answer = failure("Recall failed: no")

    inner = {"content": [{"text": "Recall failed: no", "type": "text"}], "isError": True}
    assert answer["isError"] is True
    assert answer["structuredContent"] == inner
    assert json.loads(answer["content"][0]["text"]) == inner


def test_a_soft_failure_is_an_object_with_the_error_and_is_marked_too():
    answer = failure("Stats failed: no", soft=True)

    assert answer["isError"] is True
    assert answer["structuredContent"] == {"error": "Stats failed: no"}
    assert json.loads(answer["content"][0]["text"]) == {"error": "Stats failed: no"}


@pytest.mark.parametrize("soft", [True, False])
def test_a_failure_can_quote_what_cannot_be_written(soft):
    answer = failure("bad \ud800 and \x00", soft=soft)

    assert "bad � and �" in answer["content"][0]["text"]
    answer["content"][0]["text"].encode()


def test_the_size_of_an_answer_is_in_bytes():
    assert size({"a": "é🚀"}) == len('{"a":"é🚀"}'.encode())


def test_what_is_no_number_is_never_written():
    with pytest.raises(ValueError, match="JSON"):
        to_json({"a": float("nan")})


async def test_a_soft_tool_fails_softly_and_a_hard_one_hard(client):
    soft = await client.app.call(*client.request("workspace_list", {"workspace_hash": 1}))
    hard = await client.app.call(*client.request("recall", {"query": 1}))

    assert set(soft["structuredContent"]) == {"error"}
    assert hard["structuredContent"]["isError"] is True
    assert (soft["isError"], hard["isError"]) == (True, True)


async def test_an_unknown_id_is_a_hard_failure_in_the_contracts_words(client):
    answer = await client.app.call(*client.request("get_entity", {"id": "mem-0"}))

    assert answer["structuredContent"]["content"][0]["text"] == "Entity not found: mem-0"
