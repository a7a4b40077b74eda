"""Index terms kept from search to search are those of the store, and are counted as they stand."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.recall.occurrences import count
from mimir_py.recall.runs import Runs, term_run
from mimir_py.storage.fts import rebuild
from mimir_py.storage.terms import EXTRA, analyse

_WORDS = ["lantern", "harbour", "rail", "GitHub", "github", "retry_budget", "3", "may", "why?"]
_TEXTS = st.lists(st.sampled_from(_WORDS), max_size=12).map(" ".join).map(analyse)


@pytest.fixture
async def client(corpus_path, open_copy, client_of):
    async with open_copy(corpus_path) as app:
        yield client_of(app)


async def _of_all(client, runs):
    def read(reader):
        rows = [row_id for (row_id,) in reader.tuples("SELECT row_id FROM entities")]
        found = runs.of(reader, rows)
        return {row_id: (run.codes.tolist(), *run[1:]) for row_id, run in found.items()}

    return await client.app.database.read(read)


async def _fresh(client):
    return await _of_all(client, Runs())


async def test_what_another_process_writes_is_seen(client, open_store, client_of):
    runs = Runs()
    await client.remember("held", {"content": "a light"})
    before = await _of_all(client, runs)
    async with open_store(client.app.database.path) as app:
        await client_of(app).remember("held", {"content": "another light"})
        await client_of(app).remember("new", {"content": "a new light"})
        after = await _of_all(client, runs)

    assert len(after) == len(before) + 1
    assert after == await _fresh(client)


async def test_more_changes_than_are_followed_are_seen(client, monkeypatch):
    monkeypatch.setattr("mimir_py.recall.runs._MOST_CHANGES", 4)
    runs = Runs()
    await _of_all(client, runs)
    for number in range(6):
        await client.remember(f"key-{number}", {"content": f"light {number}"})

    assert await _of_all(client, runs) == await _fresh(client)


async def test_a_memory_that_was_forgotten_is_not_counted_for_good(client):
    runs = Runs()
    await client.remember("gone", {"content": "a light that goes out"})
    await _of_all(client, runs)
    await client.forget("gone")
    found = await _of_all(client, runs)

    assert found == await _fresh(client)
    assert runs._codes == sum(len(codes) for codes, *_ in found.values())


async def test_an_index_made_anew_is_read_anew(client):
    runs = Runs()
    await _of_all(client, runs)
    await client.app.database.write(rebuild)

    assert await _of_all(client, runs) == await _fresh(client)


async def test_no_more_are_kept_than_there_is_room_for(client, monkeypatch):
    monkeypatch.setattr("mimir_py.recall.runs._MOST_CODES", 100)
    runs = Runs()
    found = await _of_all(client, runs)

    assert found == await _fresh(client)
    assert 0 < runs._codes <= 100
    assert runs._codes == sum(len(run.codes) for run in runs._held.values())


@given(
    st.lists(st.tuples(_TEXTS, _TEXTS), max_size=6),
    st.lists(st.sampled_from(["lantern", "harbour", "rail", "git", "hub", "3"]), unique=True),
    st.lists(st.sampled_from(["=lantern", "=github", "=retrybudget", "github"]), unique=True),
)
def test_terms_are_counted_as_they_stand(texts, stems, extras):
    found = count(
        stems, extras, [term_run(label, body) for label, body in texts], np.ones(len(stems))
    )

    for number, (label, body) in enumerate(texts):
        words = Counter(term for term in body.split() if not term.startswith(EXTRA))
        of_label = Counter(term for term in label.split() if not term.startswith(EXTRA))
        counted = found.in_body[number].tolist(), found.in_label[number].tolist()
        assert found.lengths[number] == words.total() + of_label.total()
        for text, own, values in ((body, words, counted[0]), (label, of_label, counted[1])):
            held = set(text.split())
            assert values == [*(own[t] for t in stems), *(float(t in held) for t in extras)]
