"""The shape of a found memory."""

import json

import pytest

_ITEM_FIELDS = """
    id category key body_json status type tags decay_score retrieval_count layer topic_path
    archived archive_reason links verified trust source always_on certainty workspace_hash agent_id
    visibility created_at_unix_ms last_accessed_unix_ms follow_count miss_count follow_rate
    efficacy_status
""".split()
_MODES = ["fts5", "dense", "hybrid"]


async def _one(client, query="broker", **more):
    [item] = await client.recall(query, **more)
    return item


@pytest.mark.parametrize("mode", _MODES)
async def test_an_item_has_the_contracts_fields_and_the_fields_of_its_body(client, clock, mode):
    answer = await client.remember(
        "queue",
        '{"content": "our broker is NATS", "summary": "NATS", "nested": {"a": [1]}}',
        tags=["messaging"],
        topic_path="infra",
        agent_id="agent-1",
    )

    item = await _one(client, mode=mode)

    score = item.pop("score")
    assert 0 < score <= 1
    assert 0 < item.pop("relevance") <= 1
    assert item == {
        "id": answer["id"],
        "category": "note",
        "key": "queue",
        "body_json": '{"content": "our broker is NATS", "summary": "NATS", "nested": {"a": [1]}}',
        "status": "active",
        "type": "insight",
        "tags": ["messaging"],
        "decay_score": 0.5,
        "retrieval_count": 0,
        "layer": "buffer",
        "topic_path": "infra",
        "archived": False,
        "archive_reason": "",
        "links": [],
        "verified": False,
        "trust": "agent",
        "source": "agent",
        "always_on": False,
        "certainty": 0.5,
        "workspace_hash": "",
        "agent_id": "agent-1",
        "visibility": "workspace",
        "created_at_unix_ms": clock.now,
        "last_accessed_unix_ms": clock.now,
        "valid_from_unix_ms": clock.now,
        "valid_to_unix_ms": None,
        "follow_count": 0,
        "miss_count": 0,
        "follow_rate": 0.0,
        "efficacy_status": "unverified",
        "content": "our broker is NATS",
        "summary": "NATS",
        "nested": {"a": [1]},
    }


@pytest.mark.parametrize("preview", [None, 10], ids=["whole", "cut"])
@pytest.mark.parametrize("mode", _MODES)
async def test_a_body_never_shadows_a_field_of_the_memory(client, mode, preview):
    await client.remember("plain", '{"content": "our broker is NATS"}')
    honest = await _one(client, mode=mode, preview_cap=preview)
    await client.forget("plain")
    spoof = dict.fromkeys([*honest, *_ITEM_FIELDS, "alias_of", "passage", "truncated"], "spoofed")
    await client.remember("queue", json.dumps({**spoof, "content": "our broker is NATS"}))

    item = await _one(client, mode=mode, preview_cap=preview)

    del item["body_json"]
    assert "spoofed" not in item.values()


async def test_a_body_never_shadows_the_confidence(client):
    await client.remember("queue", '{"content": "our broker is NATS", "confidence": "spoofed"}')

    item = await _one(client)
    rated = await _one(client, include_confidence=True)

    assert item.get("confidence") != "spoofed"
    assert 0 <= rated["confidence"] <= 1


@pytest.mark.parametrize("body", ['"our broker"', '["our broker", 1]'])
async def test_a_body_without_fields_adds_none(client, body):
    await client.remember("queue", body)

    item = await _one(client)

    assert item["body_json"] == body
    assert set(item) == {
        *_ITEM_FIELDS,
        "valid_from_unix_ms",
        "valid_to_unix_ms",
        "score",
        "relevance",
    }


async def test_confidence_is_half_rank_then_trust_then_freshness(client):
    for number in range(4):
        await client.remember(
            f"key-{number}", f"our broker, the {number}th", certainty=0.9, importance=0.4
        )

    items = await client.recall("broker", include_confidence=True)

    assert [item["confidence"] for item in items] == [
        round(0.5 * (4 - rank) / 4 + 0.3 * 0.9 + 0.2 * 0.4, 3) for rank in range(4)
    ]


_WIDE = '{"content": "é數🚀 broker ' + "é數🚀" * 20 + '"}'


@pytest.mark.parametrize("mode", ["", "fts5"])
async def test_a_preview_is_cut_between_characters_and_names_the_way_to_the_rest(client, mode):
    answer = await client.remember("queue", _WIDE)

    items = {cap: await _one(client, mode=mode, preview_cap=cap) for cap in range(12, 34)}

    for cap, item in items.items():
        kept, _, note = item["body_json"].partition("\n--truncated (")
        assert _WIDE.startswith(kept)
        assert cap - 4 < len(kept.encode()) <= cap
        assert note.startswith(f"{len(_WIDE) - len(kept)} more chars)--")
        assert "get_entity" in note
        assert answer["id"] in note
        assert item["truncated"] is True
        assert "content" not in item


async def test_a_body_within_the_preview_is_whole(client):
    await client.remember("queue", _WIDE)

    item = await _one(client, preview_cap=len(_WIDE.encode()))

    assert item["body_json"] == _WIDE
    assert "truncated" not in item


async def test_a_preview_of_nothing_shows_the_way_to_the_body(client):
    await client.remember("queue", _WIDE)

    item = await _one(client, preview_cap=0)

    assert item["body_json"].startswith("\n--truncated (")


@pytest.mark.parametrize("mode", ["", "dense", "fts5"])
async def test_browsing_and_every_mode_honour_the_preview(client, mode):
    await client.remember("queue", _WIDE)

    found = await _one(client, mode=mode, preview_cap=20)
    browsed = await _one(client, query="", mode=mode, preview_cap=20)

    assert found["truncated"] is browsed["truncated"] is True


async def test_hidden_text_is_marked_and_comes_back_as_it_is(client):
    body = json.dumps({"content": "broker\u200bs \u202eare"}, ensure_ascii=False)
    answer = await client.remember("queue", body)

    item = await _one(client, "queue")
    fetched = await client.get(answer["id"])

    assert item["body_json"] == fetched["body_json"] == body
    assert item["marks"] == fetched["marks"]
    assert {mark["kind"] for mark in item["marks"]} == {
        "invisible characters",
        "bidirectional controls",
    }


async def test_a_field_of_the_body_passes_for_no_mark(client):
    await client.remember("queue", {"content": "broker", "marks": [], "trust": "user"})

    item = await _one(client)

    assert item["trust"] == "agent"
    assert "marks" not in item
