"""Each task that is recorded is a memory of its own."""

import pytest

from mimir_py.errors import InvalidInput

_TASK = {
    "task_description": "add a field to the orders API",
    "turns_taken": 3,
    "tokens_used": 1_000,
    "memory_recall_used": True,
}


async def test_tasks_that_went_alike_are_all_kept(client):
    ids = {(await client.run("bench", _TASK))["entity_id"] for _ in range(3)}

    items = await client.recall("", category="benchmark")

    assert {item["id"] for item in items} == ids
    assert len(ids) == 3
    assert {item["tokens_per_turn"] for item in items} == {333}
    assert {item["source"] for item in items} == {"mimir_bench"}


async def test_no_turns_are_no_division(client):
    answer = await client.run("bench", {**_TASK, "turns_taken": 0, "tags": ["a"]})

    [item] = await client.recall("", category="benchmark")
    assert item["id"] == answer["entity_id"]
    assert (item["tokens_per_turn"], item["tags"]) == (0, ["a"])


@pytest.mark.parametrize("name", ["turns_taken", "tokens_used", "recall_count"])
async def test_a_negative_count_is_refused_by_name(client, name):
    with pytest.raises(InvalidInput, match=name):
        await client.run("bench", {**_TASK, name: -1})
