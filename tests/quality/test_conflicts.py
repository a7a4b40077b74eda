"""What contradicts what, found through the indexes, and what resolving does."""

import json
from pathlib import Path

import pytest

from mimir_py.quality.contradiction import contradict, statement

_PAIRS = [
    line.split("\t")
    for line in (Path(__file__).parent / "conflict_pairs.tsv").read_text().splitlines()
]
_LEAST_PRECISION = 0.95
_LEAST_RECALL = 0.9
# Nearly the same text again is no memory of its own.
_LEAST_FOUND = 0.8


def _body(text):
    return text if text.startswith("{") else json.dumps({"content": text})


def _stored(name):
    return {"category": "note", "key": name}


def test_judged_pair_by_pair_few_contradictions_are_missed_and_fewer_made_up(record_property):
    found = [
        (label == "1", contradict(statement(_body(one), key), statement(_body(other), other_key)))
        for label, key, one, other_key, other in _PAIRS
    ]

    right = sum(is_one and said for is_one, said in found)
    precision = right / sum(said for _, said in found)
    recall = right / sum(is_one for is_one, _ in found)
    record_property("precision", precision)
    record_property("recall", recall)
    assert len(_PAIRS) >= 60
    assert precision >= _LEAST_PRECISION
    assert recall >= _LEAST_RECALL


@pytest.mark.parametrize(("label", "key", "one", "other_key", "other"), _PAIRS)
def test_the_order_of_the_two_does_not_matter(label, key, one, other_key, other):
    first, second = statement(_body(one), key), statement(_body(other), other_key)

    assert contradict(first, second) == contradict(second, first)


async def test_contradictions_are_found_among_all_the_others(client):
    pairs = _PAIRS[::3]
    for number, (_, key, one, other_key, other) in enumerate(pairs):
        await client.remember(f"{key}-{number}", _body(one))
        if other != one:
            await client.remember(f"{other_key}-{number}-b", _body(other))

    answer = await client.run("conflicts", {"category": "note", "limit": 500})

    found = {frozenset((c["entity_a"]["key"], c["entity_b"]["key"])) for c in answer["conflicts"]}
    planted = {
        frozenset((f"{key}-{number}", f"{other_key}-{number}-b"))
        for number, (label, key, _, other_key, _) in enumerate(pairs)
        if label == "1"
    }
    assert len(found & planted) >= _LEAST_FOUND * len(planted)
    assert answer["total"] == len(found)


async def _contradict(client, certainties=(0.9, 0.5), **more):
    for key, port, certainty in zip(("port", "api-port"), (80, 81), certainties, strict=True):
        await client.remember(key, f"the API listens on port {port}", certainty=certainty, **more)


async def test_looking_and_trying_change_nothing(client):
    await _contradict(client)
    before = await client.rows("SELECT * FROM entities"), await client.rows("SELECT * FROM journal")

    found = await client.run("conflicts", {"category": "note"})
    tried = await client.run("conflicts", {"category": "note", "resolve": True})

    after = await client.rows("SELECT * FROM entities"), await client.rows("SELECT * FROM journal")
    assert (found["conflicts_found"], tried["resolved"]) == (1, 1)
    assert before == after


async def test_the_surer_one_takes_the_place_of_the_other_as_the_trial_said(client, clock):
    await _contradict(client)
    resolve = {"category": "note", "resolve": True}
    tried = await client.run("conflicts", resolve)
    clock.advance()

    done = await client.run("conflicts", {**resolve, "dry_run": False})

    assert {**done, "dry_run": True} == tried
    [item] = await client.recall("which port does the API listen on")
    assert item["key"] == "port"
    again = await client.run("conflicts", {"category": "note"})
    assert (again["conflicts_found"], again["entities_compared"]) == (0, 1)
    assert (await client.run("history", _stored("api-port")))["total"] == 1


async def test_what_is_too_close_is_left_to_people(client):
    await _contradict(client, (0.6, 0.5))

    answer = await client.run("conflicts", {"category": "note", "resolve": True, "dry_run": False})

    assert (answer["resolved"], answer["skipped_ambiguous"]) == (0, 1)
    assert (await client.run("conflicts", {"category": "note"}))["conflicts_found"] == 1


async def test_workspaces_do_not_contradict_each_other(client_of, app):
    await client_of(app).remember("port", "the API listens on port 80", workspace_hash="a")
    await client_of(app).remember("api-port", "the API listens on port 81", workspace_hash="b")
    await _contradict(client_of(app), workspace_hash="c")

    everywhere = await client_of(app).run("conflicts", {"category": "note"})
    in_a = await client_of(app, "a").run("conflicts", {"category": "note"})

    assert everywhere["conflicts_found"] == 1
    assert (in_a["conflicts_found"], in_a["entities_compared"]) == (0, 1)


async def test_what_held_before_does_not_contradict_what_holds_since(client, clock):
    then = clock.now
    await client.remember("port", "the API listens on port 80", valid_to_unix_ms=then + 10)
    await client.remember("api-port", "the API listens on port 81", valid_from_unix_ms=then + 10)

    assert (await client.run("conflicts", {"category": "note"}))["conflicts_found"] == 0
