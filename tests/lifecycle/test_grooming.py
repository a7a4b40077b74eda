"""cohere, consolidate and autocohere: what is linked and merged, and what stays apart."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mimir_py.aside import Aside
from mimir_py.errors import InvalidInput
from mimir_py.lifecycle import grooming
from tests.lifecycle.conftest import records

_ALIKE = (
    "deploys to production go through the release train on tuesdays",
    "deploys to production go through the release train on tuesdays now",
    "all deploys to production go through the release train on tuesdays",
)
_DAY_MS = 86_400_000


def _said(answer: dict) -> dict:
    changing = ("dry_run", "completed_at_unix_ms", "db_size_delta_bytes")
    return {name: value for name, value in answer.items() if name not in changing}


@pytest.fixture
async def repeated(client):
    """Three memories that say the same, and one that does not."""
    ids = [
        (await client.remember(f"d{number}", text, tags=["ops"]))["id"]
        for number, text in enumerate(_ALIKE)
    ]
    await client.remember("other", "the cafeteria closes early on fridays", tags=["ops"])
    return ids


async def test_repeats_are_merged_into_one_observation_that_leads_to_them(client, repeated):
    await client.run("score", {"category": "note", "key": "d1", "score": 0.6})

    answer = await client.run("consolidate", {"category": "note"})

    assert (answer["entities_examined"], answer["observations_created"]) == (4, 1)
    assert (answer["source_entities_merged"], answer["sources_archived"]) == (3, 0)
    [made] = answer["observations"]
    assert set(made["source_ids"]) == set(repeated)
    memory = await client.get(made["entity_id"])
    assert (memory["category"], memory["key"]) == ("observation", made["key"])
    assert (memory["tags"], memory["layer"]) == (["consolidated"], "working")
    links = await client.rows("SELECT target_id, relationship, weight FROM links")
    assert set(links) == {(id, "evidence_for", 1.0) for id in repeated}
    body = json.loads(memory["body_json"])
    assert (body["proof_count"], body["merged_from_category"]) == (3, "note")


async def test_merging_again_makes_nothing_new(client, repeated):
    first = await client.run("consolidate", {"category": "note"})

    again = await client.run("consolidate", {"category": "note"})

    assert (first["observations_created"], again["observations_created"]) == (1, 0)


async def test_archived_sources_stay_in_reach_and_protected_ones_stay_live(client, repeated):
    await client.run("score", {"category": "note", "key": "d1", "score": 0.9})

    answer = await client.run("consolidate", {"category": "note", "archive_sources": True})

    assert answer["sources_archived"] == 2
    archived = [(await client.get(id))["archived"] for id in repeated]
    assert archived == [True, False, True]
    source = await client.get(repeated[0])
    assert _ALIKE[0] in source["body_json"]
    reasons = await client.rows("SELECT DISTINCT archive_reason FROM entities WHERE archived = 1")
    assert reasons == [(f"consolidated into {answer['observations'][0]['entity_id']}",)]


async def test_what_is_derived_is_not_merged_again(client):
    with pytest.raises(InvalidInput, match="category"):
        await client.run("consolidate", {"category": "observation"})


async def test_workspaces_are_never_merged_or_linked_with_each_other(client):
    for number, workspace in enumerate(("a", "b", "")):
        more = {"workspace_hash": workspace, "tags": ["ops"]}
        await client.remember(f"d{number}", _ALIKE[number], **more)

    merged = await client.run("consolidate", {"category": "note"})
    cohered = await client.run("cohere", {})

    assert (merged["observations_created"], cohered["linked"]) == (0, 0)


async def test_an_observation_is_of_the_workspace_of_its_sources(client):
    for number in range(2):
        await client.remember(f"d{number}", _ALIKE[number], workspace_hash="a")

    answer = await client.run("consolidate", {"category": "note"})

    memory = await client.get(answer["observations"][0]["entity_id"])
    assert memory["workspace_hash"] == "a"


async def test_cohere_links_what_is_alike_once(client, repeated):
    answer = await client.run("cohere", {"max_links": 2})
    rest = await client.run("cohere", {})
    none = await client.run("cohere", {})

    assert [found["linked"] for found in (answer, rest, none)] == [2, 1, 0]
    assert answer["decayed"] == answer["entities_examined"] == 4
    links = await client.rows("SELECT relationship FROM links")
    assert links == [("auto-related",)] * 3


async def test_linking_is_no_use(client, repeated, clock):
    before = await client.rows("SELECT retrieval_count, last_accessed_unix_ms FROM entities")
    clock.advance(1_000)

    await client.run("cohere", {})

    assert before == await client.rows(
        "SELECT retrieval_count, last_accessed_unix_ms FROM entities"
    )


async def test_cohere_keeps_to_the_thresholds_it_is_given(client, app):
    await client.remember("used", "a memory that was used twice")
    await client.remember("weak", "a memory that is weak")

    def stand(tx):
        tx.run("UPDATE main.entities SET retrieval_count = 2, decay_score = 0.3 WHERE row_id = 1")
        tx.run("UPDATE main.entities SET decay_score = 0.2 WHERE row_id = 2")

    await app.database.write(stand)

    usual = await client.run("cohere", {"dry_run": True})
    given = await client.run("cohere", {"promote_threshold": 2, "archive_threshold": 0.25})

    assert (usual["promoted"], usual["archived"]) == (0, 0)
    assert (given["promoted"], given["archived"]) == (1, 1)
    assert await client.rows("SELECT key, layer FROM entities WHERE archived = 0") == [
        ("used", "working")
    ]


async def test_unattended_merging_keeps_sources_that_say_more(client):
    texts = ("the build host has 32 cores", "the build host has 64 cores")
    for number, text in enumerate(texts):
        await client.remember(f"h{number}", text)
    for number in range(2):
        await client.run(
            "remember", {"category": "fact", "key": f"d{number}", "body_json": _ALIKE[number]}
        )

    answer = await client.run("autocohere", {})

    assert (answer["observations_created"], answer["consolidate_sources_archived"]) == (2, 3)
    live = await client.rows(
        "SELECT key FROM entities WHERE archived = 0 AND category IN ('note', 'fact')"
    )
    assert len(live) == 1


async def test_a_dry_run_of_autocohere_changes_no_byte_and_says_what_the_run_does(
    client, repeated, clock, unchanged
):
    await client.remember("faded", "nobody asked for this", layer="buffer")
    clock.advance(15 * _DAY_MS)
    for key in ("other", "d0", "d1", "d2"):
        await client.recall(key, limit=1)
    await client.app.usage.flush()

    said = await unchanged(lambda: client.run("autocohere", {"dry_run": True}))
    done = await client.run("autocohere", {})

    assert _said(said) == _said(done)
    assert done["archived_entities"] >= 1
    assert min(done["links_created"], done["observations_created"]) >= 1
    assert (await client.app.journal.verify()).fault is None


_CALLS = st.sampled_from(
    [
        ("cohere", {}),
        ("cohere", {"max_links": 1, "archive_threshold": 0.3, "promote_threshold": 2}),
        ("autocohere", {}),
        ("consolidate", {"category": "note", "similarity_threshold": 0.4}),
        ("consolidate", {"category": "fact", "archive_sources": True, "cold_first": True}),
    ]
)


@given(memories=records(), call=_CALLS)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_a_dry_run_is_the_run(client, fill, unchanged, memories, call):
    [(rows,)] = await client.rows("SELECT count(*) FROM entities")
    workspace = f"w{rows}"
    await fill(workspace, memories)
    tool, arguments = call
    asked = {**arguments, "workspace_hash": workspace}
    live = "SELECT count(*) FROM entities WHERE archived = 0"
    protected = f"{live} AND (verified OR always_on OR importance >= 0.5)"
    before = await client.rows(protected)
    [(count,)] = await client.rows(live)

    said = await unchanged(lambda: client.run(tool, {**asked, "dry_run": True}))
    done = await client.run(tool, asked)

    assert _said(said) == _said(done)
    assert await client.rows(protected) == before
    [(left,)] = await client.rows(live)
    made = done.get("observations_created", 0)
    names = ("archived", "archived_entities", "sources_archived", "consolidate_sources_archived")
    assert left == count + made - sum(done.get(name, 0) for name in names)


async def test_grooming_a_large_store_compares_in_another_process_and_does_the_same(
    client, repeated, monkeypatch
):
    here = await client.run("autocohere", {"dry_run": True})
    starts = []
    start = Aside.start
    monkeypatch.setattr(Aside, "start", lambda self: starts.append(start(self)))
    monkeypatch.setattr(grooming, "_MANY", 0)

    elsewhere = await client.run("autocohere", {"dry_run": True})

    assert len(starts) == 1
    assert here["observations_created"] == 1
    assert _said(elsewhere) == _said(here)
