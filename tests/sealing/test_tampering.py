"""A sealed row that was changed from outside is refused, by name, and nothing of it is read."""

import pytest

from mimir_py.app import open_app
from mimir_py.errors import BrokenSeal, KeyRefused
from mimir_py.security import keys
from mimir_py.security.unlocking import unlocking
from mimir_py.storage import migrations
from mimir_py.storage.connection import connect_plainly
from mimir_py.storage.database import prepare_store
from mimir_py.storage.engine import load_engine
from scripts.torments import tamper

_CHANGES = 1_500


@pytest.fixture
def connection(sealed_path):
    opened = connect_plainly(sealed_path, load_engine("auto"))
    yield opened
    opened.close()


@pytest.fixture
def rows(connection, sealed_path, key_file):
    secret = keys.from_key_file(key_file)
    unlock = unlocking(secret, seal_names=True)
    sealing = prepare_store(connection, sealed_path, load_engine("auto"), unlock)
    return tamper.Rows(connection, sealing.seals, seed=20_261_121)


def test_every_change_of_a_sealed_row_is_refused_with_its_name(rows):
    tried = 0
    for change in rows.changes(_CHANGES):
        refusal = rows.refusal(change)
        assert refusal is not None, change
        assert tamper.names_row(refusal, change), (change, refusal)
        tried += 1

    assert tried == _CHANGES


def test_rows_nobody_changed_are_read(rows):
    assert {"entities", "entity_history", "entity_text", "chunks"} <= set(rows.tables)
    for name in rows.tables:
        assert rows.is_readable(migrations.TABLES[name], rows.some_row(name))


def test_an_older_seal_of_the_same_row_is_refused(rows, connection):
    [before] = connection.execute("SELECT sealed FROM main.entities WHERE row_id = 1").fetchone()
    connection.execute("UPDATE main.entities SET recorded_at_unix_ms = 1 WHERE row_id = 1")
    change = tamper.Change(
        "older", "entities", 1, "UPDATE main.entities SET sealed = ? WHERE row_id = 1", (before,)
    )

    assert rows.refusal(change) is not None


async def test_a_changed_memory_is_refused_and_the_others_are_read(
    sealed_path, sealed_settings, tmp_path, client_of
):
    opened = connect_plainly(sealed_path, load_engine("auto"))
    opened.execute("UPDATE entities SET always_on = 1 WHERE row_id = 5")
    opened.close()

    async with open_app(sealed_settings, tmp_path) as app:
        client = client_of(app)
        with pytest.raises(BrokenSeal, match="entities row 5"):
            await client.recall("")
        assert [i["key"] for i in await client.recall("railing", mode="fts5")] == ["key-0"]


@pytest.mark.parametrize("place", range(0, 700, 7))
async def test_a_header_with_a_byte_changed_opens_nothing(
    place, sealed_path, sealed_settings, tmp_path
):
    opened = connect_plainly(sealed_path, load_engine("auto"))
    [header] = opened.execute("SELECT value FROM meta WHERE name = 'seal'").fetchone()
    place %= len(header)
    changed = header[:place] + ("A" if header[place] != "A" else "B") + header[place + 1 :]
    opened.execute("UPDATE meta SET value = ? WHERE name = 'seal'", (changed,))
    opened.close()

    with pytest.raises(KeyRefused):
        async with open_app(sealed_settings, tmp_path):
            pass


async def test_a_header_that_is_gone_is_not_made_anew(sealed_path, sealed_settings, tmp_path):
    opened = connect_plainly(sealed_path, load_engine("auto"))
    opened.execute("DELETE FROM meta WHERE name = 'seal'")
    opened.close()

    with pytest.raises(KeyRefused, match="header"):
        async with open_app(sealed_settings, tmp_path):
            pass
