"""Vectors of two models are never compared; a store changes over by embedding anew."""

from collections.abc import Sequence

import pytest

from mimir_py.embedding import OnnxEmbedder

_FACTS = {
    "queue": "our message broker is NATS",
    "plants": "the plants are watered on Mondays",
    "lamp": "the lamp in the hall is broken",
}


class _OtherModel(OnnxEmbedder):
    """Another model: as good as the bundled one, in a space of its own."""

    model = "tests/another-model"

    async def embed(self, texts: Sequence[str]) -> list[bytes]:
        return [_turned(vector) for vector in await super().embed(texts)]


def _turned(vector: bytes) -> bytes:
    """The numbers in reverse order."""
    return b"".join(vector[at : at + 4] for at in range(len(vector) - 4, -1, -4))


@pytest.fixture(scope="module")
def other_model():
    embedder = _OtherModel(threads=2)
    yield embedder
    embedder.close()


@pytest.fixture(params=[10**6, 0], ids=["table", "resident"], autouse=True)
def exact_limit(request, monkeypatch):
    monkeypatch.setattr("mimir_py.storage.vectors.EXACT_LIMIT", request.param)


@pytest.fixture
async def old_store(open_store, client_of, exact_limit):
    """Three facts embedded with the bundled model."""
    async with open_store() as app:
        for key, text in _FACTS.items():
            await client_of(app).remember(key, text)


async def _nearest(client):
    found = {}
    for key, text in _FACTS.items():
        items = await client.recall(text, mode="dense", limit=1)
        found[key] = [item["key"] for item in items]
    return found


async def _work_off_queue(app):
    while await app.upkeep.embed_pending():
        pass


async def test_what_another_model_embedded_is_pending(old_store, open_store, other_model):
    async with open_store(embedder=other_model) as app:
        assert await app.upkeep.count_pending() == len(_FACTS)


async def test_what_another_model_embedded_is_not_found_by_meaning(
    old_store, open_store, client_of, other_model
):
    async with open_store(embedder=other_model) as app:
        found = await _nearest(client_of(app))

    assert found == {key: [] for key in _FACTS}


async def test_what_another_model_embedded_is_still_found_by_words(
    old_store, open_store, client_of, other_model
):
    async with open_store(embedder=other_model) as app:
        items = await client_of(app).recall("message broker")

    assert [item["key"] for item in items] == ["queue"]


async def test_a_store_is_found_by_meaning_once_it_is_embedded_anew(
    old_store, open_store, client_of, other_model
):
    async with open_store(embedder=other_model) as app:
        await _work_off_queue(app)

        assert await app.upkeep.count_pending() == 0
        assert await _nearest(client_of(app)) == {key: [key] for key in _FACTS}


async def test_while_a_store_changes_over_only_the_new_vectors_answer(
    old_store, open_store, client_of, other_model
):
    async with open_store(embedder=other_model) as app:
        await app.upkeep.embed_pending(1)

        items = await client_of(app).recall("lamp", mode="dense")

    assert [item["key"] for item in items] == ["queue"]


async def test_a_new_memory_is_found_by_meaning_before_the_old_ones_are(
    old_store, open_store, client_of, other_model
):
    async with open_store(embedder=other_model) as app:
        client = client_of(app)
        await client.remember("key", "the spare key lies under the mat")

        items = await client.recall("where is the spare key", mode="dense")

    assert [item["key"] for item in items] == ["key"]


async def test_two_models_at_work_on_one_store_never_answer_with_each_others_vectors(
    old_store, open_store, client_of, other_model
):
    async with open_store() as app, open_store(embedder=other_model) as other:
        client, other_client = client_of(app), client_of(other)
        await client.recall("lamp", mode="dense")
        await _work_off_queue(other)
        changed_over = await client.recall("lamp", mode="dense")
        await client.remember("key", "the spare key lies under the mat")

        own = await client.recall("where is the spare key", mode="dense")
        others = await other_client.recall("the lamp in the hall is broken", mode="dense")

    assert changed_over == []
    assert [item["key"] for item in own] == ["key"]
    assert {item["key"] for item in others} == set(_FACTS)
    assert others[0]["key"] == "lamp"
    assert others[0]["score"] > 0.9


async def test_going_back_to_the_first_model_embeds_anew_again(
    old_store, open_store, client_of, other_model
):
    async with open_store(embedder=other_model) as app:
        await _work_off_queue(app)
    async with open_store() as app:
        pending = await app.upkeep.count_pending()
        await _work_off_queue(app)

        found = await _nearest(client_of(app))

    assert pending == len(_FACTS)
    assert found == {key: [key] for key in _FACTS}
