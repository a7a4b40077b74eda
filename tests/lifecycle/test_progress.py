"""Long calls tell how far they have come."""

from dataclasses import replace

import pytest

from mimir_py.app import CATALOGUE
from mimir_py.tooling import Call


@pytest.mark.parametrize("tool", ["decay", "cohere", "autocohere"])
async def test_a_long_call_tells_how_far_it_has_come(app, client, clock, tool):
    await client.remember("a", "the ferry leaves at nine")
    clock.advance(9 * 86_400_000)
    told = []

    async def report(done, total, what):
        told.append((done, total, what))

    found = CATALOGUE.find(f"mimir_{tool}")
    assert found is not None
    await app.run(found, {}, replace(Call(), report=report))

    assert (1, None, "looking at memories") in told
    assert (0, 1, "storing freshness") in told


async def test_a_purge_tells_how_far_it_has_come(app, client):
    for key in ("a", "b"):
        await client.remember(key, f"the ferry {key} leaves at nine")
        await client.run("forget", {"category": "note", "key": key})
    told = []

    async def report(done, total, what):
        told.append((done, total, what))

    await app.run(CATALOGUE.find("mimir_purge"), {}, replace(Call(), report=report))

    assert told == [(0, 2, "erasing"), (2, 2, "clearing what is left")]
