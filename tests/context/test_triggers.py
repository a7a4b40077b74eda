"""`recall_when`: whole words in any form, at least half of a trigger's words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.context.triggers import best_firing, content_stems, triggers_of


@pytest.mark.parametrize(
    ("trigger", "context", "fires"),
    [
        ("postgres migration", "migrate the postgres cluster", True),
        ("postgres migration", "postgres is slow today", True),
        ("test", "run the tests first", True),
        ("tests", "test it", True),
        ("test", "the latest contest", False),
        ("deploy to production on a friday", "deploying on Friday", True),
        ("deploy to production on a friday", "the production line", False),
        ("C++", "rewrite it in C++", True),
        ("the of and", "the of and", False),
        ("", "anything", False),
    ],
)
def test_a_trigger_fires_on_half_of_its_words(trigger, context, fires):
    assert (best_firing([trigger], content_stems(context)) is not None) == fires


def test_more_of_a_trigger_is_a_better_fit_and_a_phrase_better_still():
    context = content_stems("we deploy the billing service tonight")

    half = best_firing(["deploy search"], context)
    apart = best_firing(["deploy service"], context)
    together = best_firing(["billing service"], context)

    assert half < apart < together


@pytest.mark.parametrize(
    ("body", "triggers"),
    [
        ({"recall_when": ["a", "b"]}, ["a", "b"]),
        ({"recall_when": "a"}, ["a"]),
        ({"recall_when": [1, "a", None]}, ["a"]),
        ({"recall_when": {"a": 1}}, []),
        ({"content": "recall_when"}, []),
        (["recall_when"], []),
    ],
)
def test_triggers_are_the_texts_of_the_list(body, triggers):
    assert triggers_of(json.dumps(body)) == triggers


@given(st.lists(st.text(max_size=40), max_size=5), st.text(max_size=200))
def test_any_text_may_be_a_trigger_or_a_context(triggers, context):
    firing = best_firing(triggers, content_stems(context))

    assert firing is None or 0.5 <= firing.share <= 1


async def test_memories_come_up_by_their_triggers_the_best_fit_first(client):
    await client.remember("a", {"content": "x", "recall_when": ["deploy search"]})
    await client.remember("b", "check the dashboards", recall_when=["billing service"])
    await client.remember("c", "nothing to do with it", recall_when=["write a poem"])
    await client.remember("d", "deploy the billing service only in the morning")

    answer = await client.run("recall_when", {"context": "we deploy the billing service tonight"})

    assert [item["key"] for item in answer["items"]] == ["b", "a"]
    assert (answer["total"], answer["context"]) == (2, "we deploy the billing service tonight")
    assert answer["items"][0]["recall_when"] == ["billing service"]


async def test_a_memory_that_lost_its_triggers_or_was_forgotten_stays_away(client):
    await client.remember("a", "x", recall_when=["deploy"])
    await client.remember("b", "y", recall_when=["deploy"])
    await client.remember("a", "another body")
    await client.forget("b")

    assert (await client.run("recall_when", {"context": "deploy"}))["items"] == []


async def test_triggers_of_another_workspace_do_not_fire(client):
    await client.remember("a", "x", recall_when=["deploy"], workspace_hash="one")

    seen = {
        workspace: (
            await client.run("recall_when", {"context": "deploy", "workspace_hash": workspace})
        )["total"]
        for workspace in ("one", "two", "", "*")
    }

    assert seen == {"one": 1, "two": 0, "": 0, "*": 1}


async def test_being_brought_up_is_no_use(client):
    await client.remember("a", "x", recall_when=["deploy"])
    await client.run("recall_when", {"context": "deploy"})
    await client.app.usage.flush()

    assert (await client.recall("", reinforce=False))[0]["retrieval_count"] == 0
