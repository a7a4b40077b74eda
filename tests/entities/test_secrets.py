"""Secrets do not get into the store through agents; what is removed is said."""

import json

import pytest

from mimir_py.app import CATALOGUE
from mimir_py.errors import ConfigError
from mimir_py.tooling import Effect

_TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
_REMOVED = "[secret removed: github token]"


async def _bytes_of(path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())


@pytest.mark.plain
async def test_a_secret_in_any_argument_is_not_stored(client, store_path) -> None:
    answer = await client.remember(
        f"key {_TOKEN}",
        {"content": f"use {_TOKEN}", "n": 1},
        tags=["ci", _TOKEN],
        topic_path=f"ci/{_TOKEN}",
        recall_when=[f"logging in with {_TOKEN}"],
    )

    stored = await client.get(answer["id"])
    assert json.loads(stored["body_json"]) == {
        "content": f"use {_REMOVED}",
        "n": 1,
        "recall_when": [f"logging in with {_REMOVED}"],
    }
    assert stored["tags"] == ["ci", _REMOVED]
    assert answer["key"] == f"key {_REMOVED}"
    assert {(f["field"], f["kind"], f["count"]) for f in answer["redacted"]} == {
        (field, "github token", 1)
        for field in ("key", "body_json", "tags", "topic_path", "recall_when")
    }
    assert _TOKEN.encode() not in await _bytes_of(store_path)
    assert _REMOVED.encode() in await _bytes_of(store_path)


@pytest.mark.parametrize(
    "body", [f"plain {_TOKEN}", f'{{"a": "{_TOKEN}"}}', {"a": [_TOKEN]}], ids=str
)
async def test_a_body_of_any_form_is_cleaned(client, body) -> None:
    answer = await client.remember("k", body)

    stored = (await client.get(answer["id"]))["body_json"]
    assert _TOKEN not in stored
    assert _REMOVED in stored


async def test_a_body_without_secrets_is_stored_as_it_came(client) -> None:
    body = '{ "token" : "expires after 15 minutes", "n": 1.10 }'

    answer = await client.remember("k", body)

    assert "redacted" not in answer
    assert (await client.get(answer["id"]))["body_json"] == body


async def test_the_reason_of_forgetting_is_cleaned(client) -> None:
    await client.remember("k", "text")
    await client.forget("k", reason=f"leaked {_TOKEN}")

    [(reason,)] = await client.rows("SELECT archive_reason FROM entities")
    assert reason == f"leaked {_REMOVED}"


async def test_secrets_can_be_reported_only(open_store, client_of) -> None:
    async with open_store(secrets="report") as app:
        client = client_of(app)
        answer = await client.remember("k", f"use {_TOKEN}")

        assert answer["secrets"] == [{"field": "body_json", "kind": "github token", "count": 1}]
        assert _TOKEN in (await client.get(answer["id"]))["body_json"]


async def test_the_search_for_secrets_can_be_off(open_store, client_of) -> None:
    async with open_store(secrets="off") as app:
        client = client_of(app)
        answer = await client.remember("k", f"use {_TOKEN}")

        assert not {"secrets", "redacted"} & answer.keys()
        assert _TOKEN in (await client.get(answer["id"]))["body_json"]


async def test_another_mode_is_refused(open_store) -> None:
    with pytest.raises(ConfigError, match="MIMIR_SECRETS"):
        async with open_store(secrets="maybe"):
            pass


def test_a_tool_that_writes_says_which_arguments_hold_words() -> None:
    writing = [tool for tool in CATALOGUE.tools if tool.spec.effect is not Effect.READS]

    assert len(writing) >= 4
    assert [tool.spec.suffix for tool in writing if tool.spec.words is None] == []
    for tool in writing:
        assert set(tool.spec.words) <= set(tool.model_fields)
