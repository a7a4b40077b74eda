"""Copies of memories in other workspaces."""

from typing import Any

import pytest

from mimir_py.errors import InvalidInput, NotFound
from tests.conftest import Client


async def _link(client: Client, to_id: str) -> None:
    await client.run(
        "link",
        {"from_category": "note", "from_key": "a", "to_id": to_id, "relationship": "needs"},
    )


async def test_a_workspace_is_copied_with_history_and_links_among_the_copies(
    client: Client, clock: Any
) -> None:
    first = await client.remember("a", "use Kafka", workspace_hash="w1")
    second = await client.remember("b", "a broker", workspace_hash="w1")
    await client.remember("c", "somebody else's", workspace_hash="w2")
    await _link(client, second["id"])
    clock.advance()
    await client.remember("a", "use NATS", workspace_hash="w1")

    done = await client.run("federate", {"from_workspace": "w1", "to_workspace": "w3"})
    again = await client.run("federate", {"from_workspace": "w1", "to_workspace": "w3"})

    assert (done["imported"], again["imported"], again["import_errors"]) == (2, 0, [])
    copies = dict(await client.rows("SELECT key, id FROM entities WHERE workspace_hash = 'w3'"))
    assert copies.keys() == {"a", "b"}
    assert not {first["id"], second["id"]} & set(copies.values())
    [(target,)] = await client.rows(
        "SELECT target_id FROM links l JOIN entities e ON e.row_id = l.source_row_id"
        " WHERE e.id = ?",
        (copies["a"],),
    )
    assert target == copies["b"]
    versions = await client.rows("SELECT body_json FROM entity_history WHERE workspace_hash = 'w3'")
    assert ["use Kafka" in body for (body,) in versions if "use NATS" not in body] == [True]


async def test_a_shared_memory_is_the_named_workspaces_own(client: Client) -> None:
    await client.remember("a", "use NATS", workspace_hash="w1")
    there = await client.remember("a", "use Redis", workspace_hash="w2")

    shared = await client.run(
        "share",
        {"category": "note", "key": "a", "to_workspace": "w2", "workspace_hash": "w1"},
    )

    assert (shared["action"], shared["shared_id"]) == ("updated", there["id"])
    assert shared["from_workspace"] == "w1"
    assert "NATS" in (await client.get(there["id"]))["body_json"]


async def test_a_workspace_keeps_its_own_memory_of_a_name(client: Client) -> None:
    await client.remember("a", "use NATS", workspace_hash="w1")
    own = await client.remember("a", "use Redis", workspace_hash="w2")

    done = await client.run("federate", {"from_workspace": "w1", "to_workspace": "w2"})

    assert (done["exported"], done["imported"], len(done["import_errors"])) == (1, 0, 1)
    assert "Redis" in (await client.get(own["id"]))["body_json"]


async def test_what_cannot_be_shared_is_refused(client: Client) -> None:
    await client.remember("a", "use NATS", workspace_hash="w1")

    with pytest.raises(NotFound, match="Entity not found: note/a"):
        await client.run("share", {"category": "note", "key": "a", "to_workspace": "w1"})
    with pytest.raises(InvalidInput, match="to_workspace"):
        await client.run("federate", {"from_workspace": "w", "to_workspace": "w"})
