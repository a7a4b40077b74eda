"""Communities from finding to answering: what is kept, when it is out of date, who may see it."""

import json

import pytest

from mimir_py.aside import Aside
from mimir_py.errors import InvalidInput, NotFound
from mimir_py.graph import communities

_TWO_GROUPS = ["a b", "b c", "c a", "x y"]


async def _detect(client, **more):
    return await client.run("communities", more)


async def test_groups_of_linked_memories_are_found_the_largest_first(client, world):
    ids = await world("a b c x y lone", _TWO_GROUPS)

    found = await _detect(client)

    assert [one["size"] for one in found["communities"]] == [3, 2]
    assert found["communities"][0]["member_ids"] == sorted(ids[key] for key in "abc")
    assert (found["node_count"], found["edge_count"]) == (6, 4)
    assert found["modularity"] == pytest.approx(0.375)


async def test_those_of_a_large_graph_are_found_by_another_process_and_are_the_same(
    client, world, monkeypatch
):
    await world("a b c x y lone", _TWO_GROUPS)
    here = await _detect(client)
    starts = []
    start = Aside.start
    monkeypatch.setattr(Aside, "start", lambda self: starts.append(start(self)))
    monkeypatch.setattr(communities, "_QUICK_LINKS", 0)

    elsewhere = await _detect(client)

    assert len(starts) == 1
    assert elsewhere["communities"] == here["communities"]


async def test_finding_again_gives_the_same_under_the_same_ids(client, other_client, world):
    await world("a b c x y", _TWO_GROUPS)

    first, second = await _detect(client), await _detect(other_client)

    assert first["communities"] == second["communities"]
    assert await client.rows("SELECT count(*) FROM communities") == [(2,)]


async def test_a_summary_names_the_most_central_memory_first_and_what_members_share(client, world):
    ids = await world("hub p q r", ["hub p", "hub q", "r hub"])
    for key in ids:
        await client.remember(key, f"pump {key} <b>needs</b> oil", tags=["Workshop"])

    [one] = (await _detect(client))["communities"]

    header, first, *rest = one["summary"].split("\n")
    assert header.startswith("4 linked memories about workshop")
    assert first == "- note/hub: pump hub &lt;b&gt;needs&lt;/b&gt; oil"
    assert len(rest) == 3


async def test_a_summary_is_a_memory_linked_to_what_it_is_about(client, world):
    ids = await world("a b", ["a b"])
    [one] = (await _detect(client))["communities"]

    done = await client.run("community_summary", {"community_id": one["id"]})

    [item] = await client.recall("", category="community_summary")
    assert item["id"] == done["summary_entity_id"]
    assert (item["key"], item["source"], item["decay_score"]) == (one["id"], "graphrag", 0.5)
    assert item["tags"] == ["derivation:community_summary", "graphrag"]
    assert {(link["target_id"], link["relationship"]) for link in item["links"]} == {
        (target, "evidence_for") for target in ids.values()
    }
    # It is about the graph, and no part of it.
    assert (await _detect(client))["node_count"] == 2


async def test_a_summary_is_made_anew_only_when_its_memories_changed_or_when_asked(client, world):
    await world("a b", ["a b"])
    [one] = (await _detect(client))["communities"]
    asked = {"community_id": one["id"]}

    calls = [await client.run("community_summary", asked) for _ in range(2)]
    calls.append(await client.run("community_summary", {**asked, "refresh": True}))
    await client.remember("a", "quite another tale")
    calls.append(await client.run("community_summary", asked))
    calls.append(await client.run("community_summary", asked))
    await client.app.memories.forget("community_summary", one["id"], "away", None)
    calls.append(await client.run("community_summary", asked))

    assert [call["cached"] for call in calls] == [False, True, False, False, True, False]
    assert "quite another tale" in calls[-1]["summary"]
    assert len({call["summary_entity_id"] for call in calls}) == 1


async def test_a_summary_outlives_a_search_that_finds_the_same_community(client, world):
    await world("a b c x y", _TWO_GROUPS)
    [large, small] = (await _detect(client))["communities"]
    for one in (large, small):
        await client.run("community_summary", {"community_id": one["id"]})
    ids = {item["key"]: item["id"] for item in await client.recall("", category="note")}

    await client.run("link", {"from_category": "note", "from_key": "y", "to_id": ids["a"]})
    await client.run("unlink", {"from_category": "note", "from_key": "x", "to_id": ids["y"]})
    found = await _detect(client)

    assert found["stale_summaries_archived"] == 2
    assert await client.recall("", category="community_summary") == []
    again = await _detect(client)
    assert again["stale_summaries_archived"] == 0


async def test_an_unknown_community_is_refused_with_what_to_do(client):
    with pytest.raises(NotFound, match="mimir_communities"):
        await client.run("community_summary", {"community_id": "com-none"})


# Answers


async def test_an_answer_comes_from_the_communities_that_match_best(client, world):
    ids = await world("oven flour salt saw plank", ["oven flour", "oven salt", "saw plank"])

    answer = await client.run("global_recall", {"query": "The tale of oven and flour?"})

    [first, second] = answer["communities"]
    assert first["score"] > second["score"]
    assert [member["id"] for member in first["members"][:2]] == sorted(
        (ids["oven"], ids["flour"]), key=[ids["oven"], ids["flour"]].index
    )
    assert answer["answer"].split("\n")[1].startswith(f"[{first['id']} | 3 members] 3 linked")
    assert "  - note/oven: the tale of oven" in answer["answer"]


async def test_places_are_dealt_out_in_turn(client, world):
    await world("a b c x y", _TWO_GROUPS)

    answer = await client.run("global_recall", {"query": "tale", "limit": 3})

    assert [len(one["members"]) for one in answer["communities"]] == [2, 1]


async def test_communities_are_found_anew_when_links_have_changed(client, world):
    ids = await world("a b c", ["a b"])
    await client.run("global_recall", {"query": "tale"})
    await client.run("link", {"from_category": "note", "from_key": "b", "to_id": ids["c"]})

    before = await client.run("global_recall", {"query": "tale", "auto_detect": False})
    after = await client.run("global_recall", {"query": "tale"})

    assert (before["stale"], before["communities"][0]["size"]) == (True, 2)
    assert ("stale" in after, after["communities"][0]["size"]) == (False, 3)


async def test_an_unlinked_memory_makes_nothing_out_of_date(client, world):
    await world("a b", ["a b"])
    await _detect(client)

    await client.remember("lone", "nothing to do with it")
    await client.remember("elsewhere", "nor this", workspace_hash="other")

    answer = await client.run("global_recall", {"query": "tale", "auto_detect": False})
    assert "stale" not in answer


async def test_what_is_forgotten_does_not_answer(client, world):
    ids = await world("a b c", ["a b", "b c"])
    await _detect(client)
    await client.forget("a")

    answer = await client.run("global_recall", {"query": "tale", "auto_detect": False})

    members = {member["id"] for one in answer["communities"] for member in one["members"]}
    assert members == {ids["b"], ids["c"]}
    assert (await _detect(client))["communities"][0]["size"] == 2


async def test_a_query_of_stopwords_is_refused(client):
    with pytest.raises(InvalidInput, match="no searchable terms"):
        await client.run("global_recall", {"query": "what is the"})


# Workspaces


async def test_communities_are_of_one_workspace(app, client_of, client, world):
    await world("a@one b@one c@two d", ["a b", "b c", "b d", "c d"])

    one = await _detect(client, workspace_hash="one")
    session = client_of(app, "one")
    scoped = await _detect(session)
    globally = await _detect(client)

    assert [found["size"] for found in one["communities"]] == [2]
    assert scoped["communities"] == one["communities"]
    assert globally["communities"] == []
    with pytest.raises(InvalidInput, match="workspace_hash"):
        await _detect(client, workspace_hash="*")


async def test_a_session_gets_no_summary_or_answer_of_another_workspace(
    app, client_of, client, world
):
    await world("a@one b@one", ["a b"])
    [one] = (await _detect(client, workspace_hash="one"))["communities"]
    other = client_of(app, "two")

    with pytest.raises(NotFound):
        await other.run("community_summary", {"community_id": one["id"]})
    answer = await other.run("global_recall", {"query": "tale"})

    assert answer["communities"] == []
    own = await client_of(app, "one").run("community_summary", {"community_id": one["id"]})
    summary = await client.get(own["summary_entity_id"])
    assert summary["workspace_hash"] == "one"


# Statistics and size


async def test_statistics_count_communities(client, world):
    await world("a b c x y", _TWO_GROUPS)
    before = await client.run("stats", {})
    await _detect(client)

    after = await client.run("stats", {})

    assert (before["total_communities"], before["graph_modularity"]) == (0, None)
    assert (after["total_communities"], after["graph_modularity"]) == (2, pytest.approx(0.375))


@pytest.mark.parametrize(
    ("tool", "arguments", "rows"),
    [
        ("traverse", {"category": "note", "key": "k0", "max_nodes": 1_000}, "traversed"),
        ("related", {"ids": ["mem-000000000000"], "limit": 1_000}, "related"),
        ("communities", {}, "communities"),
        ("global_recall", {"query": "story", "limit": 100}, "communities"),
        ("path", {"from_id": "mem-000000000000", "to_id": "mem-000000000299"}, "path"),
    ],
)
async def test_answers_keep_under_their_cap(app, client_of, import_records, tool, arguments, rows):
    records = [
        {
            "id": f"mem-{number:012}",
            "category": "note",
            "key": f"k{number}",
            "body_json": '{"content":"' + f"story {number} " * 100 + '"}',
            "links": [
                {"target_id": f"mem-{other:012}", "relationship": "next"}
                for other in (number + 1, 299)
            ],
        }
        for number in range(300)
    ]
    await import_records(app, records, embed=False)
    cap = 20_000

    answer = await client_of(app, max_answer_bytes=cap).run(tool, arguments)

    assert len(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()) <= cap
    assert answer[rows]
