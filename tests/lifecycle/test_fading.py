"""decay, prune and compact: who goes, who stays, and that a dry run says so beforehand."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mimir_py.entities.retention import standing
from mimir_py.entities.retention import worth as worth_of
from mimir_py.entities.store import by_ids
from mimir_py.errors import InvalidInput
from tests.lifecycle.conftest import records

_DAY_MS = 86_400_000
_CHANGING = ("dry_run", "completed_at_unix_ms", "archived")


async def _live(client) -> set[str]:
    return {key for (key,) in await client.rows("SELECT key FROM entities WHERE archived = 0")}


async def _score(client, key: str) -> float:
    [(score,)] = await client.rows("SELECT decay_score FROM entities WHERE key = ?", (key,))
    return score


def _said(answer: dict) -> dict:
    """What a dry run and the run have to say alike."""
    return {name: value for name, value in answer.items() if name not in _CHANGING}


@pytest.fixture
def remember_faded(client, app):
    """Remembers something that has faded to a score, in the layer with the published curve."""

    async def remember(key: str, score: float, **more) -> str:
        memory = await client.remember(key, f"something about {key}", layer="working", **more)

        def fade(tx):
            tx.run("UPDATE main.entities SET decay_score = ? WHERE id = ?", (score, memory["id"]))

        await app.database.write(fade)
        return memory["id"]

    return remember


async def test_decay_stores_the_published_curve_and_archives_what_has_faded(
    client, clock, remember_faded
):
    await remember_faded("fresh", 1.0)
    clock.advance(14 * _DAY_MS)
    await remember_faded("later", 1.0)
    clock.advance(7 * _DAY_MS)

    answer = await client.run("decay", {})

    assert answer["entities_checked"] == 2
    assert (answer["entities_updated"], answer["auto_archived"]) == (2, 1)
    assert await _live(client) == {"later"}
    assert round(await _score(client, "later"), 3) == 0.368
    [(reason,)] = await client.rows("SELECT archive_reason FROM entities WHERE archived = 1")
    assert reason == "decay threshold"


async def test_a_second_decay_finds_nothing_to_do(client, clock, remember_faded):
    await remember_faded("a", 1.0)
    clock.advance(3 * _DAY_MS)
    await client.run("decay", {})

    answer = await client.run("decay", {})

    assert (answer["entities_checked"], answer["entities_updated"]) == (1, 0)


async def test_use_importance_and_being_always_on_keep_a_memory(client, clock, remember_faded):
    await remember_faded("unused", 1.0)
    await remember_faded("important", 1.0, importance=0.6)
    await remember_faded("needed", 1.0, always_on=True)
    await remember_faded("used", 1.0)
    await remember_faded("scored", 1.0)
    await client.run("score", {"category": "note", "key": "scored", "score": 0.9})
    clock.advance(15 * _DAY_MS)
    await client.recall("something about used", limit=1, mode="fts5")
    await client.app.usage.flush()
    clock.advance(15 * _DAY_MS)

    await client.run("decay", {})

    assert await _live(client) == {"important", "needed", "used", "scored"}
    assert [await _score(client, key) for key in ("important", "needed", "scored")] == [
        0.6, 1.0, 0.9,
    ]  # fmt: skip


async def test_recalled_five_times_a_memory_is_in_the_middle_layer(client):
    await client.remember("a", "the ferry leaves at nine")

    for _ in range(5):
        await client.recall("ferry", limit=1)
        await client.app.usage.flush()

    assert [item["key"] for item in await client.recall("ferry", layer="working")] == ["a"]
    assert [item["layer"] for item in await client.recall("ferry", mode="dense")] == ["working"]


async def test_fading_takes_an_earned_layer_back(client, app, clock):
    await client.remember("a", "the ferry leaves at nine")
    await app.database.write(
        lambda tx: tx.run("UPDATE main.entities SET retrieval_count = 20, decay_score = 1")
    )
    seen = []
    for days in (0, 50, 60):
        clock.advance(days * _DAY_MS)
        await client.run("decay", {})
        seen += await client.rows("SELECT layer FROM entities")

    assert seen == [("core",), ("working",), ("buffer",)]


async def test_prune_takes_the_least_valuable_first(client, remember_faded):
    for number in range(6):
        await remember_faded(f"k{number}", 0.01 * (number + 1))

    answer = await client.run("prune", {"min_decay": 0.045, "limit": 2})

    assert answer["reason"] == "prune: cat=None decay<Some(0.045) age>Noned"
    assert (answer["archived"], answer["examined"]) == (2, 4)
    assert await _live(client) == {"k2", "k3", "k4", "k5"}


@pytest.mark.parametrize(
    "how", [{"purge_all": True}, {"min_decay": 1.0}, {"category": "note"}], ids=str
)
async def test_prune_never_takes_what_is_protected(client, remember_faded, how):
    await remember_faded("plain", 0.01)
    await remember_faded("needed", 0.01, always_on=True)
    await remember_faded("important", 0.01, importance=0.5)
    await remember_faded("scored", 0.01)
    await client.run("score", {"category": "note", "key": "scored", "score": 0.8})

    answer = await client.run("prune", {**how, "limit": 0})

    assert (answer["archived"], answer["protected"]) == (1, 3)
    assert await _live(client) == {"needed", "important", "scored"}


async def test_prune_by_age_and_category(client, clock, remember_faded):
    await remember_faded("old", 1.0)
    await client.run("remember", {"category": "fact", "key": "old fact", "body_json": "old"})
    clock.advance(10 * _DAY_MS)
    await remember_faded("young", 1.0)

    answer = await client.run("prune", {"older_than_days": 9, "category": "note"})

    assert answer["reason"] == 'prune: cat=Some("note") decay<None age>Some(9)d'
    assert await _live(client) == {"old fact", "young"}


async def test_prune_without_a_choice_is_refused(client, remember_faded):
    await remember_faded("a", 0.0)

    with pytest.raises(InvalidInput, match="at least one of min_decay"):
        await client.run("prune", {"limit": 5})

    assert await _live(client) == {"a"}


async def test_prune_of_history_keeps_to_its_workspace(client):
    for workspace in ("a", "b"):
        for text in ("first", "second", "third"):
            await client.remember("x", f"the {text} text", workspace_hash=workspace)
    asked = {"scope": "history", "max_versions_per_key": 1, "workspace_hash": "a"}

    said = await client.run("prune", {**asked, "dry_run": True})
    done = await client.run("prune", asked)

    assert {**said, "dry_run": False} == done
    assert done["rows_evicted"] == done["keys_affected"] == 1
    assert done["policy"] == {
        "max_age_days": None, "max_versions_per_key": 1, "max_bytes": None, "tombstones": True,
    }  # fmt: skip
    with pytest.raises(InvalidInput, match="is required"):
        await client.run("prune", {"scope": "history"})


async def test_what_is_archived_is_remembered_again_with_its_history(client, remember_faded):
    first = await remember_faded("a", 0.01)
    await client.run("compact", {})

    again = await client.remember("a", "something about a")

    assert (again["id"], await _live(client)) == (first, {"a"})


async def test_a_memory_goes_with_its_other_keys(client, remember_faded):
    await remember_faded("a", 0.01)
    await client.remember("b", "something about a", layer="working")
    await client.app.database.write(
        lambda tx: tx.run("UPDATE main.entities SET decay_score = 0.01")
    )

    await client.run("compact", {})

    assert await _live(client) == set()
    assert await client.rows("SELECT key FROM aliases") == []


async def test_what_was_archived_is_in_the_journal(client, app, remember_faded):
    memory = await remember_faded("a", 0.01)

    await client.run("compact", {})

    entries = (await client.run("timeline", {"include_audit": True}))["items"]
    assert (entries[0]["event_type"], entries[0]["entity_id"]) == ("forget", memory)
    assert "decay threshold" in entries[0]["acted_json"]
    assert (await app.journal.verify()).fault is None


async def test_a_session_ends_memories_of_its_own_workspace_only(app, client_of, client):
    for workspace in ("a", "b", ""):
        await client.remember("x", f"said in {workspace or 'all'}", workspace_hash=workspace)

    answer = await client_of(app, "a").run("prune", {"purge_all": True})
    decayed = await client_of(app, "b").run("decay", {})

    assert answer["examined"] == decayed["entities_checked"] == 1
    rows = await client.rows("SELECT workspace_hash FROM entities WHERE archived = 0")
    assert sorted(rows) == [("",), ("b",)]


_CALLS = st.one_of(
    st.just(("decay", {})),
    st.builds(lambda d: ("compact", {"min_decay": d}), st.floats(0, 1)),
    st.builds(
        lambda **given: ("prune", {"purge_all": True, **given}),
        min_decay=st.one_of(st.none(), st.floats(0, 1)),
        older_than_days=st.one_of(st.none(), st.integers(0, 60)),
        category=st.sampled_from([None, "note"]),
        limit=st.integers(0, 4),
    ),
)


@given(memories=records(), call=_CALLS, number=st.integers(0, 10**12))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_a_dry_run_is_the_run_and_the_least_valuable_go(
    client, app, clock, fill, unchanged, memories, call, number
):
    workspace = f"w{number}-{len(await client.rows('SELECT id FROM entities'))}"
    await fill(workspace, memories)
    tool, arguments = call
    asked = {**arguments, "workspace_hash": workspace}
    rows = await client.rows(
        "SELECT id FROM entities WHERE archived = 0 AND workspace_hash = ?", (workspace,)
    )
    before = await app.database.read(lambda reader: by_ids(reader, [id for (id,) in rows]))

    said = await unchanged(lambda: client.run(tool, {**asked, "dry_run": True}))
    done = await client.run(tool, asked)

    after = await app.database.read(lambda reader: by_ids(reader, list(before)))
    gone = {id for id, entity in after.items() if entity.archived}
    assert _said(said) == _said(done)
    assert gone == set(done["ids"])
    assert not any(
        before[id].verified or before[id].always_on or before[id].importance >= 0.5 for id in gone
    )
    values = [worth_of(standing(before[id]), clock.now) for id in done["ids"]]
    assert values == sorted(values)
