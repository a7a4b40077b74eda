"""Forgeries by chance: every one is found, at the entry where the journal first is another."""

import os
import random
import sqlite3
from contextlib import closing
from typing import Final

import pytest

from scripts.torments.forgery import FORGERIES

pytestmark = pytest.mark.plain

_ENTRIES: Final = 12
_EACH: Final = 12
_KEEP: Final = "CREATE TABLE kept AS SELECT * FROM journal"
_PUT_BACK: Final = ("DELETE FROM journal", "INSERT INTO journal SELECT * FROM kept")


@pytest.fixture
def seed() -> int:
    return int.from_bytes(os.urandom(4))


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forgery_is_found_at_its_entry(name, seed, open_store, fill, store_path):
    chance = random.Random(seed)
    async with open_store() as app:
        await fill(app.journal, _ENTRIES)
        with closing(sqlite3.connect(store_path, isolation_level=None)) as forger:
            forger.execute(_KEEP)
            for number in range(_EACH):
                expected = FORGERIES[name](forger, _ENTRIES, chance)

                verdict = await app.journal.verify()

                assert verdict.fault is not None, (seed, number)
                assert verdict.fault.seq == expected, (seed, number, verdict.fault)
                for statement in _PUT_BACK:
                    forger.execute(statement)
            forger.execute("DROP TABLE kept")

        assert (await app.journal.verify()).intact
