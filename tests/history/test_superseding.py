"""One memory taking the place of another: closed, linked both ways, and all of it or nothing."""

import json

import pytest

from mimir_py.errors import InvalidInput, NotFound

_HOUR = 3_600_000


@pytest.fixture
async def pair(client, clock):
    """`nats` and, an hour later, `kafka`; the ids by key."""
    ids = {"nats": (await client.remember("nats", "use NATS"))["id"]}
    clock.advance(_HOUR)
    ids["kafka"] = (await client.remember("kafka", "use Kafka"))["id"]
    clock.advance(_HOUR)
    return ids


def _supersede(client, old="nats", new="kafka", **more):
    names = {"from_category": "note", "from_key": old, "to_category": "note", "to_key": new}
    return client.run("supersede", {**names, **more})


async def _row(client, key):
    def find(reader):
        row = reader.one("SELECT * FROM entities WHERE key = ?", (key,))
        return dict(row)

    return await client.app.database.read(find)


async def _links(client, entity_id):
    rows = await client.rows(
        "SELECT l.target_id, l.relationship FROM links l JOIN entities e ON e.row_id ="
        " l.source_row_id WHERE e.id = ?",
        (entity_id,),
    )
    return sorted(rows)


async def test_the_old_memory_is_closed_now_and_deprecated(client, pair, clock):
    answer = await _supersede(client, reason="too slow")

    old = await _row(client, "nats")
    assert answer["from_valid_to_unix_ms"] == old["valid_to_unix_ms"] == clock.now
    assert (old["status"], old["archive_reason"], old["archived"]) == ("deprecated", "too slow", 0)
    assert old["superseded_by"] == pair["kafka"]


async def test_both_know_of_each_other(client, pair):
    await _supersede(client, relationship="replaces")

    assert await _links(client, pair["kafka"]) == [(pair["nats"], "replaces")]
    assert await _links(client, pair["nats"]) == [(pair["kafka"], "superseded_by")]


async def test_what_was_true_before_is_still_known(client, times, pair, clock):
    start = clock.now - 2 * _HOUR
    await _supersede(client)

    assert await times.valid_at("nats", clock.now - 1) == "use NATS"
    assert await times.valid_at("nats", clock.now) is None
    assert await times.bitemporal("nats", clock.now - 1, clock.now) == "use NATS"
    assert await times.as_of("nats", start) == "use NATS"
    [version] = (await times.ask("history", "nats"))["versions"]
    assert version["status"] == "active"


async def test_doing_it_again_changes_nothing(client, pair, clock):
    await _supersede(client, reason="too slow")
    before = await _row(client, "nats")
    clock.advance(_HOUR)

    await _supersede(client, reason="too slow")

    assert await _row(client, "nats") == before
    assert len(await _links(client, pair["kafka"])) == 1


async def test_it_is_noted_in_the_journal_once(client, pair):
    await _supersede(client, reason="too slow")
    await _supersede(client, reason="too slow")

    answer = await client.run("timeline", {"event_type": "supersede", "include_audit": True})

    [noted] = answer["items"]
    acted = json.loads(noted["acted_json"])
    assert (noted["entity_id"], acted["by"]) == (pair["nats"], pair["kafka"])
    assert acted["reason"] == "too slow"
    assert acted["history_id"].startswith("hist-")


async def test_an_end_may_be_given(client, pair, clock):
    end = clock.now - _HOUR

    answer = await _supersede(client, valid_to_unix_ms=end)

    assert answer["from_valid_to_unix_ms"] == end


async def test_a_period_that_ended_already_stays_as_it_is(client):
    await client.remember("nats", "use NATS", valid_from_unix_ms=1_000, valid_to_unix_ms=2_000)
    await client.remember("kafka", "use Kafka")

    answer = await _supersede(client)

    assert answer["from_valid_to_unix_ms"] == 2_000


@pytest.mark.parametrize(
    ("end", "refusal"), [(1_000, "later than"), (2_001, "only shorten")], ids=["empty", "longer"]
)
async def test_an_end_outside_the_period_is_refused_and_nothing_changes(client, end, refusal):
    await client.remember("nats", "use NATS", valid_from_unix_ms=1_000, valid_to_unix_ms=2_000)
    kafka = await client.remember("kafka", "use Kafka")
    before = await _row(client, "nats")

    with pytest.raises(InvalidInput, match=refusal):
        await _supersede(client, valid_to_unix_ms=end)

    assert await _row(client, "nats") == before
    assert await _links(client, kafka["id"]) == []


async def test_names_that_are_not_there_are_named(client, pair):
    with pytest.raises(NotFound, match="'From' entity not found: note/redis"):
        await _supersede(client, old="redis")
    with pytest.raises(NotFound, match="'To' entity not found: note/redis"):
        await _supersede(client, new="redis")
    await client.forget("nats")
    with pytest.raises(NotFound, match="'From'"):
        await _supersede(client)


async def test_a_memory_does_not_supersede_itself(client, pair):
    with pytest.raises(InvalidInput, match="same memory"):
        await _supersede(client, new="nats")


async def test_a_circle_is_refused_until_the_older_one_is_said_anew(client, pair, clock):
    await client.remember("redis", "use Redis")
    await _supersede(client)
    await _supersede(client, old="kafka", new="redis")
    clock.advance(_HOUR)

    with pytest.raises(InvalidInput, match="gave way"):
        await _supersede(client, old="kafka", new="nats")
    with pytest.raises(InvalidInput, match="gave way"):
        await _supersede(client, old="redis", new="nats")
    await client.remember("nats", "use NATS after all")
    await _supersede(client, old="redis", new="nats")

    assert (await _row(client, "nats"))["superseded_by"] == ""
    assert (await _row(client, "redis"))["superseded_by"] == pair["nats"]


async def test_a_new_text_is_in_force_again_and_the_same_text_is_not(client, pair, clock):
    await _supersede(client)
    await client.remember("nats", "use NATS", tags=["x"])
    assert (await _row(client, "nats"))["superseded_by"] == pair["kafka"]

    await client.remember("nats", "use NATS 2.0")

    row = await _row(client, "nats")
    assert (row["superseded_by"], row["status"], row["valid_to_unix_ms"]) == ("", "active", None)


async def test_the_same_text_under_another_key_is_not_swallowed_by_what_gave_way(client, pair):
    await _supersede(client)

    answer = await client.remember("broker", "use NATS")

    assert answer["action"] == "created"


async def test_another_key_gives_way_alone(client, times, pair, clock):
    await client.remember("broker", "use NATS")

    await _supersede(client, old="broker")

    assert (await _row(client, "nats"))["superseded_by"] == ""
    assert (await _row(client, "broker"))["superseded_by"] == pair["kafka"]
    assert await times.valid_at("broker", clock.now) is None
    assert await times.valid_at("nats", clock.now) == "use NATS"


class TestRemembering:
    """`supersedes` as an argument of remember."""

    @pytest.mark.parametrize("how", ["key", "id"])
    async def test_the_new_memory_takes_the_place_of_the_old(self, client, times, clock, how):
        old = await client.remember("nats", "use NATS")
        clock.advance(_HOUR)

        wanted = "nats" if how == "key" else old["id"]
        new = await client.remember("kafka", "use Kafka", supersedes=wanted)

        row = await _row(client, "nats")
        assert new["superseded_id"] == old["id"]
        assert (row["superseded_by"], row["valid_to_unix_ms"]) == (new["id"], clock.now)
        assert await _links(client, new["id"]) == [(old["id"], "supersedes")]
        assert await _links(client, old["id"]) == [(new["id"], "superseded_by")]
        assert await times.valid_at("nats", clock.now) is None
        assert await times.valid_at("kafka", clock.now) == "use Kafka"

    async def test_the_old_one_is_true_until_the_new_one_is(self, client, clock):
        await client.remember("nats", "use NATS", valid_from_unix_ms=1_000)

        await client.remember("kafka", "use Kafka", supersedes="nats", valid_from_unix_ms=5_000)

        assert (await _row(client, "nats"))["valid_to_unix_ms"] == 5_000

    async def test_nothing_is_stored_when_there_is_nothing_to_supersede(self, client):
        with pytest.raises(NotFound, match="supersedes"):
            await client.remember("kafka", "use Kafka", supersedes="nats")

        for table in ("entities", "entity_text", "chunks", "changes"):
            assert await client.rows(f"SELECT count(*) FROM {table}") == [(0,)]

    async def test_a_memory_cannot_supersede_itself(self, client, times):
        await client.remember("kafka", "use Kafka")

        with pytest.raises(InvalidInput, match="itself"):
            await client.remember("kafka", "use Kafka 4", supersedes="kafka")

        assert await times.history("kafka") == []

    async def test_saying_it_again_changes_nothing(self, client, clock):
        await client.remember("nats", "use NATS")
        first = await client.remember("kafka", "use Kafka", supersedes="nats")
        before = await _row(client, "nats")
        clock.advance(_HOUR)

        again = await client.remember("kafka", "use Kafka", supersedes="nats")

        assert (again["id"], again["action"]) == (first["id"], "updated")
        assert await _row(client, "nats") == before

    @pytest.mark.parametrize("dedup", ["exact", "near"])
    async def test_a_text_that_is_stored_already_is_stored_anew(self, client, dedup):
        await client.remember("nats", "use NATS")
        await client.remember("queue", "use Kafka for everything that must not be lost")

        answer = await client.remember(
            "kafka",
            "use Kafka for everything that must not be lost",
            supersedes="nats",
            dedup=dedup,
        )

        assert answer["action"] == "created"

    async def test_another_workspace_is_out_of_reach(self, client):
        other = await client.remember("nats", "use NATS", workspace_hash="b")

        for wanted in ("nats", other["id"]):
            with pytest.raises(NotFound):
                await client.remember("kafka", "x", supersedes=wanted, workspace_hash="a")

    async def test_a_project_may_supersede_what_is_global(self, client):
        old = await client.remember("nats", "use NATS")

        answer = await client.remember("kafka", "x", supersedes="nats", workspace_hash="a")

        assert answer["superseded_id"] == old["id"]


class TestWorkspaces:
    """Each end is found where the caller may look, and in one workspace if there is a choice."""

    @pytest.fixture
    async def spread(self, client):
        ids = {}
        for key, workspace in (("nats", "a"), ("nats", "b"), ("kafka", "b"), ("kafka", "c")):
            answer = await client.remember(key, f"{key} {workspace}", workspace_hash=workspace)
            ids[key, workspace] = answer["id"]
        return ids

    async def test_without_a_scope_both_are_of_one_workspace(self, client, spread):
        answer = await _supersede(client)

        assert answer["from_entity_id"] == spread["nats", "b"]
        assert answer["to_entity_id"] == spread["kafka", "b"]

    async def test_a_named_workspace_is_all_that_is_looked_at(self, client, spread):
        with pytest.raises(NotFound, match="'To'"):
            await _supersede(client, workspace_hash="a")

    async def test_a_session_looks_in_its_own_and_the_global_one(self, client_of, app, spread):
        await client_of(app).remember("kafka", "kafka for all")

        answer = await _supersede(client_of(app, "a"))

        assert answer["from_entity_id"] == spread["nats", "a"]
