"""What one app writes the other finds, in every mode, with either vector index."""

import asyncio
import json

import pytest

from mimir_py.embedding import OnnxEmbedder

_MODES = ["browse", "fts5", "dense", "hybrid"]
_SERVE = """
import asyncio, json, sys
from pathlib import Path
from mimir_py.storage import vectors
from mimir_py.app import CATALOGUE, open_app
from mimir_py.config import load
from mimir_py.tooling import Call

async def main(path, limit):
    vectors.EXACT_LIMIT = int(limit)
    async with open_app(load({}, {"db_path": Path(path)}), Path(path).parent) as app:
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            tool, arguments = json.loads(line)
            answer = await app.run(CATALOGUE.find("mimir_" + tool), arguments, Call())
            print(json.dumps(answer), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(params=[10**6, 0], ids=["table", "resident"])
def exact_limit(request, monkeypatch):
    """How many chunks the exact table may hold; none means that the resident index answers."""
    monkeypatch.setattr("mimir_py.storage.vectors.EXACT_LIMIT", request.param)
    return request.param


async def _contents(client, query, mode):
    if mode == "browse":
        items = await client.recall("")
    else:
        items = await client.recall(query, mode=mode, limit=1)
    return [item["content"] for item in items]


@pytest.fixture
async def both(open_store, client_of, exact_limit):
    """Two clients, each with an app of its own on one store."""
    async with open_store() as one, open_store() as other:
        yield client_of(one), client_of(other)


@pytest.mark.parametrize("mode", _MODES)
async def test_what_one_app_remembers_the_other_finds(both, mode):
    one, other = both
    await one.remember("queue", "our message broker is NATS")
    assert await _contents(other, "message broker NATS", mode) == ["our message broker is NATS"]

    await other.remember("plants", "the plants are watered on Mondays")
    await one.remember("lamp", "the lamp in the hall is broken")

    found = [await _contents(client, "broken lamp in the hall", mode) for client in both]
    assert [contents[0] for contents in found] == ["the lamp in the hall is broken"] * 2
    found = [await _contents(client, "watering plants on Mondays", mode) for client in both]
    assert all("the plants are watered on Mondays" in contents for contents in found)


@pytest.mark.parametrize("mode", _MODES)
async def test_what_one_app_changes_the_other_finds_changed(both, mode):
    one, other = both
    await one.remember("queue", "our message broker is NATS")
    await _contents(other, "message broker NATS", mode)

    await one.remember("queue", "our message broker is Kafka")

    for client in both:
        found = await _contents(client, "message broker Kafka", mode)
        assert found == ["our message broker is Kafka"]


@pytest.mark.parametrize("mode", _MODES)
async def test_what_one_app_forgets_the_other_no_longer_finds(both, mode):
    one, other = both
    await one.remember("queue", "our message broker is NATS")
    await _contents(other, "message broker NATS", mode)

    await one.forget("queue")

    assert [await _contents(client, "message broker NATS", mode) for client in both] == [[], []]


@pytest.mark.parametrize("mode", _MODES)
async def test_an_attribute_one_app_changes_filters_for_the_other(both, mode):
    one, other = both
    await one.remember("queue", "our message broker is NATS", layer="buffer")
    await _contents(other, "message broker NATS", mode)

    await one.remember("queue", "our message broker is NATS", layer="core")

    query = {} if mode == "browse" else {"mode": mode}
    text = "" if mode == "browse" else "message broker NATS"
    found = [len(await other.recall(text, layer=layer, **query)) for layer in ("core", "buffer")]
    assert found == [1, 0]


async def test_apps_remembering_the_same_name_at_once_make_one_memory(both):
    one, _ = both

    answers = await asyncio.gather(
        *(client.remember("queue", f"text {number}") for number, client in enumerate(both * 5))
    )

    assert len({answer["id"] for answer in answers}) == 1
    assert sorted(answer["action"] for answer in answers) == ["created"] + ["updated"] * 9
    assert await one.rows("SELECT count(*) FROM entities") == [(1,)]
    assert await one.rows("SELECT count(*) FROM entity_history") == [(9,)]


async def test_apps_remembering_the_same_text_at_once_make_one_memory(both):
    one, _ = both

    answers = await asyncio.gather(
        *(client.remember(f"key-{number}", "use NATS") for number, client in enumerate(both * 5))
    )

    assert len({answer["id"] for answer in answers}) == 1
    assert [answer["action"] for answer in answers].count("created") == 1
    assert await one.rows("SELECT count(*) FROM aliases") == [(9,)]


class _Interrupted(OnnxEmbedder):
    """The bundled model, during whose first run `meanwhile` happens."""

    meanwhile = None

    async def embed(self, texts):
        vectors = await super().embed(texts)
        if self.meanwhile is not None:
            happen, self.meanwhile = self.meanwhile, None
            await happen()
        return vectors


@pytest.fixture
def interrupted():
    embedder = _Interrupted(threads=1)
    yield embedder
    embedder.close()


async def test_a_change_another_app_makes_meanwhile_is_built_upon(
    open_store, client_of, interrupted
):
    async with open_store(embedder=interrupted) as one, open_store() as other:
        client, other_client = client_of(one), client_of(other)
        await client.remember("queue", "our message broker is NATS", tags=["early"])
        interrupted.meanwhile = lambda: other_client.remember(
            "queue", "our message broker is NATS", tags=["meanwhile"]
        )

        await client.remember("queue", "our message broker is Kafka")

        [item] = await client.recall("")
        assert (item["content"], item["tags"]) == ("our message broker is Kafka", ["meanwhile"])
        assert await client.recall("early", mode="fts5") == []
        assert len(await client.recall("meanwhile", mode="fts5")) == 1
        assert await client.rows("SELECT count(*) FROM entity_history") == [(2,)]


async def test_a_memory_that_changes_all_the_time_can_still_be_written(
    open_store, client_of, interrupted
):
    async with open_store(embedder=interrupted) as one, open_store() as other:
        client, other_client = client_of(one), client_of(other)
        changes = iter(range(5))

        async def change():
            number = next(changes)
            interrupted.meanwhile = change
            await other_client.remember("counter", f"the other has got to {number}")

        interrupted.meanwhile = change

        answer = await client.remember("counter", "this one has got to 7")

        assert answer["action"] == "updated"
        assert list(changes) == [1, 2, 3, 4]
        interrupted.meanwhile = None
        [item] = await client.recall("this one has got to 7", mode="dense")
        assert item["content"] == "this one has got to 7"


async def test_a_memory_another_app_makes_meanwhile_is_updated(open_store, client_of, interrupted):
    async with open_store(embedder=interrupted) as one, open_store() as other:
        client, other_client = client_of(one), client_of(other)
        interrupted.meanwhile = lambda: other_client.remember("queue", "use NATS", tags=["x"])

        answer = await client.remember("queue", "use Kafka")

        [item] = await client.recall("")
        assert answer == {**answer, "action": "updated", "id": item["id"]}
        assert (item["content"], item["tags"]) == ("use Kafka", ["x"])


async def test_a_text_another_app_stores_meanwhile_is_not_stored_twice(
    open_store, client_of, interrupted
):
    async with open_store(embedder=interrupted) as one, open_store() as other:
        client, other_client = client_of(one), client_of(other)
        interrupted.meanwhile = lambda: other_client.remember("queue", "use NATS")

        answer = await client.remember("broker", "use NATS")

        assert answer["action"] == "deduped (new key not created)"
        assert await client.rows("SELECT key FROM entities") == [("queue",)]


@pytest.mark.plain
async def test_processes_find_what_each_other_write(
    exact_limit, store_path, open_store, client_of, start_python
):
    def ask(process, tool, **arguments):
        process.stdin.write(json.dumps([tool, arguments]) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    async with open_store() as app:
        here = client_of(app)
        await here.remember("queue", "our message broker is NATS")
        there = start_python(_SERVE, store_path, exact_limit)
        assert there.stdout.readline() == "ready\n"

        for mode in ("fts5", "dense", "hybrid"):
            answer = ask(there, "recall", query="message broker NATS", mode=mode)
            assert [item["key"] for item in answer["items"]] == ["queue"]
        ask(
            there,
            "remember",
            category="note",
            key="lamp",
            body_json="the lamp in the hall is broken",
        )
        for mode in _MODES:
            found = await _contents(here, "broken lamp in the hall", mode)
            assert found[0] == "the lamp in the hall is broken"
        await here.forget("lamp")
        await here.remember("queue", "our message broker is Kafka")
        for mode in ("fts5", "dense", "hybrid"):
            answer = ask(there, "recall", query="message broker Kafka lamp", mode=mode)
            assert [item["content"] for item in answer["items"]] == ["our message broker is Kafka"]
        there.stdin.close()
        assert there.wait() == 0
