"""Almost the same is stored, and said to be almost the same."""

import pytest

_FIRST = "Server web-01 listens on port 8080 behind the load balancer"
_SECOND = "Server web-02 listens on port 8081 behind the load balancer"
_OTHER = "The office plants are watered on Mondays by whoever comes first"


def _trigrams(text):
    return {text[start : start + 3] for start in range(len(text) - 2)}


def _similarity(one, other):
    first, second = _trigrams(one), _trigrams(other)
    return len(first & second) / len(first | second)


async def test_a_near_repeat_is_stored_and_listed_with_its_similarity(client):
    first = await client.remember("web-01", _FIRST)

    second = await client.remember("web-02", _SECOND)

    assert second["action"] == "created"
    assert second["id"] != first["id"]
    assert second["near_duplicates"] == [
        {
            "id": first["id"],
            "key": "web-01",
            "similarity": pytest.approx(_similarity(_FIRST, _SECOND), abs=1e-4),
        }
    ]
    assert second["near_duplicates"][0]["similarity"] >= 0.7


async def test_both_of_two_near_repeats_are_found(client):
    await client.remember("web-01", _FIRST)
    await client.remember("web-02", _SECOND)

    assert [item["key"] for item in await client.recall("8080", mode="fts5")] == ["web-01"]
    assert [item["key"] for item in await client.recall("8081", mode="fts5")] == ["web-02"]


async def test_a_near_repeat_within_an_object_is_listed_too(client):
    await client.remember("web-01", {"note": _FIRST})

    second = await client.remember("web-02", {"note": _SECOND})

    assert [near["key"] for near in second["near_duplicates"]] == ["web-01"]


async def test_what_is_not_near_is_not_listed(client):
    await client.remember("web-01", _FIRST)

    answer = await client.remember("plants", _OTHER)

    assert "near_duplicates" not in answer


@pytest.mark.parametrize(
    "place", [{"workspace_hash": "elsewhere"}, {"category": "decision"}], ids=str
)
async def test_near_repeats_elsewhere_are_not_listed(client, place):
    await client.remember("web-01", _FIRST, **place)

    answer = await client.remember("web-02", _SECOND)

    assert "near_duplicates" not in answer


async def test_a_forgotten_near_repeat_is_not_listed(client):
    await client.remember("web-01", _FIRST)
    await client.forget("web-01")

    answer = await client.remember("web-02", _SECOND)

    assert "near_duplicates" not in answer


async def test_a_memory_is_not_its_own_near_repeat(client):
    await client.remember("web-01", _FIRST)

    answer = await client.remember("web-01", _SECOND)

    assert "near_duplicates" not in answer


async def test_the_nearest_come_first(client):
    nearest = _FIRST.replace("8080", "8082")
    await client.remember("second", _SECOND)
    await client.remember("nearest", nearest)

    answer = await client.remember("first", _FIRST)

    near = answer["near_duplicates"]
    assert [entry["key"] for entry in near] == ["nearest", "second"]
    assert [entry["similarity"] for entry in near] == pytest.approx(
        [_similarity(_FIRST, nearest), _similarity(_FIRST, _SECOND)], abs=1e-4
    )


async def test_of_many_near_repeats_a_few_are_listed_and_all_are_stored(client):
    for number in range(12):
        text = _FIRST.replace("01", f"{number:02}").replace("8080", str(9_000 + number))
        answer = await client.remember(f"web-{number:02}", text)

    assert 1 <= len(answer["near_duplicates"]) <= 5
    assert await client.rows("SELECT count(*) FROM entities") == [(12,)]


async def test_a_near_repeat_is_swallowed_where_that_is_asked_for(client, live):
    first = await client.remember("web-01", _FIRST)

    second = await client.remember("web-02", _SECOND, dedup="near")

    row = await live("web-01")
    assert second == {
        "id": first["id"],
        "action": "deduped (new key not created)",
        "category": "note",
        "key": "web-02",
    }
    assert (row["retrieval_count"], row["decay_score"]) == (1, 0.65)
    assert await live("web-02") is None
    assert await client.recall("8081", mode="fts5") == []


async def test_what_is_not_near_is_stored_where_swallowing_is_asked_for(client):
    await client.remember("web-01", _FIRST)

    answer = await client.remember("plants", _OTHER, dedup="near")

    assert answer["action"] == "created"


async def test_an_update_is_never_swallowed(client, live):
    await client.remember("web-01", _FIRST)
    await client.remember("web-02", "something else entirely")

    answer = await client.remember("web-02", _SECOND, dedup="near")

    assert answer["action"] == "updated"
    assert _SECOND in (await live("web-02"))["body_json"]
