"""Answers that no arm found: those that the best link to, and neighbours in a topic."""

import pytest

from tests.recall.town import HEAD, QUESTION, adds_of, fillers, keys_of, record


def _link(*keys):
    return [{"target_id": f"mem-{key}", "relationship": "see", "weight": 0.5} for key in keys]


# Links


_LINKED = "Ask Bartholomew about his trumpet."
_SOURCE = "The lantern that hangs in the harbour is the old brass one."


async def test_a_memory_that_the_best_links_to_is_found_through_it(opened):
    target = record("target", _LINKED)
    async with opened(*fillers(), target, record("source", _SOURCE)) as client:
        without = await keys_of(client, QUESTION, limit=HEAD)
    linking = record("source", _SOURCE, links=_link("target"))
    async with opened(*fillers(), target, linking) as client:
        items = await client.recall(QUESTION, limit=HEAD, explain=True)

    assert without[0] == items[0]["key"] == "source"
    assert "target" not in without
    place = [item["key"] for item in items].index("target")
    assert place <= 20
    why = items[place]["explanation"]
    assert why["is_linked"]
    assert why["raw_score"] == pytest.approx(items[0]["explanation"]["raw_score"] - 2, abs=1e-3)


async def test_an_answer_of_the_best_alone_links_nothing_in_single_modes(opened):
    linking = record("source", _SOURCE, links=_link("target"))

    async with opened(*fillers(), record("target", _LINKED), linking) as client:
        for mode in ("fts5", "dense"):
            assert "target" not in await keys_of(client, QUESTION, mode=mode, limit=HEAD)


@pytest.mark.parametrize(
    ("target", "asked", "found"),
    [
        ({"workspace_hash": "a"}, {}, True),
        ({"workspace_hash": ""}, {}, True),
        ({"workspace_hash": "b"}, {}, False),
        ({"workspace_hash": "b"}, {"workspace_hash": "*"}, True),
        ({"workspace_hash": ""}, {"workspace_hash": "a"}, False),
        ({"archived": True}, {}, False),
        ({"archived": True}, {"include_archived": True}, True),
        ({"category": "lesson"}, {}, True),
        ({"category": "lesson"}, {"category": "note"}, False),
        ({"topic_path": "x"}, {"topic_path": "y"}, False),
        ({"decay_score": 0.1}, {"min_decay": 0.5}, False),
        ({"valid_from_unix_ms": 5_000}, {"valid_at": 4_000}, False),
        ({"valid_from_unix_ms": 3_000}, {"valid_at": 4_000}, True),
    ],
    ids=str,
)
async def test_a_link_leads_only_to_what_may_answer(opened, target, asked, found):
    usual = {"workspace_hash": "a", "topic_path": "y/z", "valid_from_unix_ms": 1}
    target = record("target", _LINKED, **{"workspace_hash": "a", "valid_from_unix_ms": 1, **target})
    source = record("source", _SOURCE, links=_link("target"), **usual)

    async with opened(source, target, workspace="a", embed=False) as client:
        keys = await keys_of(client, QUESTION, limit=HEAD, **asked)

    assert keys == ["source", "target"] if found else ["source"]


async def test_a_link_leads_to_no_category_that_answers_leave_out(opened):
    target = record("target", _LINKED, category="conversation")
    source = record("source", _SOURCE, links=_link("target"))
    settings = {"exclude_categories": ("conversation",)}

    async with opened(source, target, embed=False, **settings) as client:
        assert await keys_of(client, QUESTION) == ["source"]
        assert await keys_of(client, "trumpet", category="conversation") == ["target"]


async def test_links_in_a_circle_to_itself_and_to_nowhere_do_no_harm(opened):
    one = record("one", _SOURCE, links=_link("one", "two", "two", "nowhere"))
    two = record("two", _LINKED, links=_link("one", "three"))
    three = record("three", "Bells are cast in spring.")

    async with opened(one, two, three, embed=False) as client:
        # One step from what the arms found, no further.
        assert await keys_of(client, QUESTION) == ["one", "two"]


async def test_contributions_of_a_linked_memory_add_up_to_the_raw_score(opened):
    target = record("target", _LINKED)
    linking = record("source", _SOURCE, links=_link("target"))

    async with opened(*fillers(), target, linking) as client:
        items = await client.recall(QUESTION, limit=HEAD, explain=True)

    [why] = [item["explanation"] for item in items if item["key"] == "target"]
    assert adds_of(why) == pytest.approx(why["raw_score"], abs=0.0025)


# Neighbours in a topic


_TURNS = [
    "Mara: the train was late again, so I walked along the river",
    "Jonas: did you see the herons?",
    "Mara: which wine goes with the fish on Saturday?",
    "Jonas: the dry one from the corner shop, six bottles are in the cellar",
    "Mara: fine, then I only need lemons",
    "Jonas: my sister brings bread and her famous olives",
]
_ASKED = "which wine goes with the fish on Saturday"


def _turns(**more):
    return [
        record(f"turn-{n}", content, **{"topic_path": "talk/1", **more})
        for n, content in enumerate(_TURNS)
    ]


async def test_a_turn_that_answers_a_question_is_lifted(opened):
    async with opened(*fillers(), *_turns(topic_path="")) as client:
        apart = await keys_of(client, _ASKED, limit=HEAD)
    async with opened(*fillers(), *_turns()) as client:
        together = await keys_of(client, _ASKED, limit=HEAD)

    assert apart[0] == together[0] == "turn-2"
    assert together[1] == "turn-3"
    assert apart.index("turn-3") >= together.index("turn-3") if "turn-3" in apart else True


async def test_a_neighbour_no_arm_found_is_brought_in(opened):
    answer = [
        record(f"turn-{n}", text, topic_path="talk") for n, text in enumerate([_SOURCE, _LINKED])
    ]

    async with opened(*answer, embed=False) as client:
        assert await keys_of(client, QUESTION) == ["turn-0", "turn-1"]
        assert await keys_of(client, QUESTION, mode="fts5") == ["turn-0"]


@pytest.mark.parametrize(
    ("neighbour", "asked"),
    [
        ({"archived": True}, {}),
        ({"workspace_hash": "b"}, {}),
        ({"workspace_hash": "b"}, {"workspace_hash": "a"}),
        ({"category": "lesson"}, {"category": "note"}),
        ({"category": "lesson"}, {}),
        ({"topic_path": "talk/2"}, {"topic_path": "talk/1"}),
        ({"topic_path": ""}, {}),
        ({"decay_score": 0.1}, {"min_decay": 0.5}),
        ({"type": "fact"}, {"type": "insight"}),
        ({"agent_id": "other"}, {"agent_id": "one"}),
        ({"layer": "core"}, {"layer": "buffer"}),
        ({"valid_from_unix_ms": 5_000}, {"valid_at": 4_000}),
    ],
    ids=str,
)
async def test_a_neighbour_that_may_not_answer_or_is_none_is_not_brought_in(
    opened, neighbour, asked
):
    usual = {
        "workspace_hash": "a",
        "topic_path": "talk/1",
        "type": "insight",
        "agent_id": "one",
        "layer": "buffer",
        "valid_from_unix_ms": 1,
    }
    found = record("found", _SOURCE, **usual)
    records = [
        record("before", _LINKED, **{**usual, **neighbour}),
        found,
        record("after", _LINKED, **{**usual, **neighbour}),
    ]

    async with opened(*records, workspace="a", embed=False) as client:
        assert await keys_of(client, QUESTION, **asked) == ["found"]


async def test_neighbours_are_those_next_to_it_only(opened):
    texts = ["one", "two", _SOURCE, "four", "five"]
    records = [record(f"turn-{n}", text, topic_path="talk") for n, text in enumerate(texts)]

    async with opened(*records, embed=False) as client:
        assert set(await keys_of(client, QUESTION)) == {"turn-1", "turn-2", "turn-3"}
