"""A whole answer stays under its cap, and says where to go on."""

import contextlib
import json

import pytest

from mimir_py.errors import InvalidInput
from mimir_py.tooling.answer import size

_CAP = 60_000
_MIB = 1_048_576


def _record(number, content, **more):
    return {
        "category": "note",
        "key": f"key-{number:04}",
        "body_json": json.dumps({"content": content}),
        **more,
    }


@pytest.fixture(scope="module")
def thousand_path(make_store):
    """A thousand small memories, not embedded."""
    records = [
        _record(n, f"lantern number {n} hangs in the hall", created_at_unix_ms=1_000 + n)
        for n in range(1_000)
    ]
    return make_store(records, embed=False)


@pytest.fixture(scope="module")
def huge_path(make_store):
    """Bodies of a mebibyte, of several kinds, among small ones; not embedded."""
    room = _MIB - 40
    return make_store(
        [
            _record(1, ("lantern plain text " * _MIB)[:room]),
            _record(2, ("lantern 灯塔 🚀 " * _MIB)[: room // 8]),
            _record(3, ('lantern "\\\n\t' * _MIB)[: room // 3]),
            _record(4, "lantern \x01\x02\x03" + "\x01" * (room // 7)),
            {**_record(5, ""), "body_json": json.dumps({f"f{n}": "lantern" for n in range(9_000)})},
            *(_record(n, f"lantern small {n}") for n in range(6, 60)),
        ],
        embed=False,
    )


@pytest.fixture(params=["", "fts5", "hybrid"], ids=["browse", "fts5", "hybrid"])
def ask(request):
    return {"query": "lantern" if request.param else "", "mode": request.param}


@pytest.mark.parametrize(("query", "limit"), [("", 1_000), ("lantern", 300)])
async def test_very_many_items_stay_under_the_cap(
    thousand_path, open_copy, client_of, query, limit
):
    async with open_copy(thousand_path) as app:
        answer = await client_of(app, None, _CAP).run("recall", {"query": query, "limit": limit})

    assert size(answer) <= _CAP
    assert answer["items"]
    assert answer["total"] == answer["next_offset"] == len(answer["items"])


@pytest.mark.parametrize("cap", [2_000, 5_000, 20_000])
async def test_items_stay_under_any_cap(thousand_path, open_copy, client_of, ask, cap):
    async with open_copy(thousand_path) as app:
        answer = await client_of(app, None, cap).run("recall", {**ask, "limit": 100})

    assert size(answer) <= cap
    assert answer["items"]


@pytest.mark.parametrize(("limit", "cap"), [(3, 60_000), (10, 5_000), (1_000, 60_000)])
async def test_huge_bodies_stay_under_the_cap(huge_path, open_copy, client_of, ask, limit, cap):
    async with open_copy(huge_path) as app:
        answer = await client_of(app, None, cap).run("recall", {**ask, "limit": limit})

    assert size(answer) <= cap
    assert answer["items"]
    long = [item for item in answer["items"] if item["key"] < "key-0006"]
    assert all(item["truncated"] for item in long)


async def test_without_a_cap_bodies_are_whole(huge_path, open_copy, client_of):
    async with open_copy(huge_path) as app:
        items = await client_of(app).recall("lantern", mode="fts5", limit=100)

    assert len(items) == 59
    assert not any("truncated" in item for item in items)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
async def test_a_huge_body_is_put_together_from_its_pages_to_the_character(
    huge_path, open_copy, client_of, number
):
    async with open_copy(huge_path) as app:
        client = client_of(app, None, _CAP)
        [(entity_id, body)] = await client.rows(
            "SELECT id, body_json FROM entities WHERE key = ?", (f"key-{number:04}",)
        )
        parts, offset, calls = [], 0, 0
        while offset is not None:
            page = await client.run("get_entity", {"id": entity_id, "body_offset": offset})
            assert size(page) <= _CAP
            assert page.get("body_chars", len(body)) == len(body)
            parts.append(page["body_json"])
            offset, calls = page.get("next_offset"), calls + 1
            assert calls <= len(body) // 5_000 + 2

    assert "".join(parts) == body


async def test_pages_of_a_body_are_whole_though_an_argument_is_ignored(
    huge_path, open_copy, client_of
):
    async with open_copy(huge_path) as app:
        client = client_of(app, None, _CAP)
        [(entity_id, body)] = await client.rows(
            "SELECT id, body_json FROM entities WHERE key = 'key-0001'"
        )
        parts, offset = [], 0
        while offset is not None:
            page = await client.run(
                "get_entity", {"id": entity_id, "body_offset": offset, "unknown": "x" * 40}
            )
            assert size(page) <= _CAP
            parts.append(page["body_json"])
            offset = page.get("next_offset")

    assert "".join(parts) == body


async def test_items_under_the_cap_are_whole_though_an_argument_is_ignored(
    thousand_path, open_copy, client_of
):
    async with open_copy(thousand_path) as app:
        query = {"query": "", "limit": 100}
        plain = await client_of(app, None, _CAP).run("recall", query)
        unknown = {f"unknown-{number}": number for number in range(60)}
        answer = await client_of(app, None, _CAP).run("recall", {**query, **unknown})

    assert size(answer) <= _CAP
    assert answer["items"] == plain["items"][: len(answer["items"])]
    assert answer["total"] == len(answer["items"]) == answer["next_offset"]


async def test_a_body_offset_beyond_the_end_gives_nothing_more(client):
    answer = await client.remember("queue", "use NATS")

    page = await client.run("get_entity", {"id": answer["id"], "body_offset": 1_000})

    assert page["body_json"] == ""
    assert "next_offset" not in page


@pytest.fixture
async def tagged(app, client_of):
    """A memory with as many and as long tags as may be, named by the longest of names."""
    tags = [f"{number:02}" + "x" * 1_022 for number in range(64)]
    names = {name: name[0] * 1_024 for name in ("category", "topic_path", "agent_id", "type")}
    body = {"content": "our broker is NATS"}
    await client_of(app).remember("k" * 1_024, body, tags=tags, **names)
    return app


@pytest.mark.parametrize("cap", [60_000, 20_000, 5_000, 2_000])
async def test_long_names_and_tags_stay_under_the_cap_of_a_recall(tagged, client_of, cap):
    answer = await client_of(tagged, None, cap).run("recall", {"query": "broker"})

    assert size(answer) <= cap
    assert len(answer["items"]) == 1


@pytest.mark.parametrize("cap", [60_000, 20_000, 5_000])
async def test_long_names_and_tags_stay_under_the_cap_of_get_entity(tagged, client_of, cap):
    client = client_of(tagged, None, cap)
    [(entity_id, body)] = await client.rows("SELECT id, body_json FROM entities")

    page = await client.run("get_entity", {"id": entity_id})

    assert size(page) <= cap
    assert page["body_json"] == body[: page.get("next_offset")]
    assert page["body_json"]


async def test_a_long_reason_for_forgetting_stays_under_the_cap(app, client_of):
    client = client_of(app, None, _CAP)
    await client.remember("queue", "our broker is NATS")
    with contextlib.suppress(InvalidInput):
        await client.forget("queue", reason="x" * 100_000)

    answer = await client.run("recall", {"query": "broker", "include_archived": True})

    assert size(answer) <= _CAP


async def test_variants_of_a_long_query_stay_under_the_cap(app, client_of):
    client = client_of(app, None, _CAP)
    await client.remember("queue", "our broker is NATS")

    answer = await client.run(
        "recall",
        {
            "query": "brokers connecting " * 1_500,
            "expansion": {"enabled": True, "n_variants": 32},
        },
    )

    assert size(answer) <= _CAP
