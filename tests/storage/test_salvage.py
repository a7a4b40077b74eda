"""What can be read of a damaged store comes into a new one; the damaged one is kept."""

import json
import os
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from mimir_py.entities.similarity import differs_from_hash
from mimir_py.errors import BrokenCopy, DamagedStore, StoreInUse
from mimir_py.storage.restore import set_aside
from mimir_py.storage.salvage import first_fault, salvage
from mimir_py.storage.verify import verify

_NOW = 1_760_000_000_000
_PAGE = 4_096
_MEMORIES = 60


def _check(table, row):
    if table != "entities":
        return None
    return differs_from_hash(row["body_json"], row["text_hash"])


def _salvage(path, engine):
    return salvage(path, engine, 5_000, _NOW, _check)


@pytest.fixture(scope="session")
def made(make_store) -> Path:
    """A store of memories of some length. To be copied, never opened."""
    return make_store(
        [
            {
                "category": "note",
                "key": f"key {number}",
                "body_json": json.dumps({"content": f"memory {number}: " + "many words " * 60}),
            }
            for number in range(_MEMORIES)
        ],
        embed=False,
    )


@pytest.fixture
def store(made, store_path) -> Path:
    store_path.parent.mkdir(parents=True)
    shutil.copy(made, store_path)
    return store_path


def _bodies(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        return dict(connection.execute("SELECT key, body_json FROM entities").fetchall())
    finally:
        connection.close()


def _pages_of(path: Path, table: str) -> list[int]:
    """Where text of a table is found, as page numbers from 0."""
    content = path.read_bytes()
    return [
        at for at in range(len(content) // _PAGE) if table.encode() in content[at * _PAGE :][:_PAGE]
    ]


def _overwrite(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(page * _PAGE)
        file.write(random.Random(page).randbytes(_PAGE))


@pytest.mark.plain
def test_a_lost_page_costs_only_its_rows(store, engine):
    whole = _bodies(store)
    [page, *_] = _pages_of(store, "memory 30: many")
    _overwrite(store, page)
    damaged = store.read_bytes()
    with pytest.raises(BrokenCopy):
        verify(store, engine)

    done = _salvage(store, engine)

    left = _bodies(store)
    assert verify(store, engine).memories == len(left)
    assert _MEMORIES - 12 <= len(left) < _MEMORIES
    assert all(whole[key] == body for key, body in left.items())
    assert done.kept is not None
    assert set_aside(store) == [done.kept]
    assert done.kept.read_bytes() == damaged


@pytest.mark.plain
def test_a_body_with_a_changed_letter_is_quarantined_and_not_served(store, engine):
    content = store.read_bytes()
    at = content.index(b"memory 7: many")
    store.write_bytes(content[:at] + b"memorz" + content[at + 6 :])
    assert verify(store, engine)
    assert "not the one that was stored" in str(first_fault(store, engine, _check))

    done = _salvage(store, engine)

    assert len(_bodies(store)) == _MEMORIES - 1
    assert done.quarantine is not None
    rows = [json.loads(line) for line in done.quarantine.read_text().splitlines()]
    [body] = [row["values"]["body_json"] for row in rows if row["table"] == "entities"]
    assert "memorz 7" in body
    assert os.name != "posix" or done.quarantine.stat().st_mode & 0o077 == 0


def test_a_sound_store_comes_through_whole(store, engine):
    whole = _bodies(store)

    done = _salvage(store, engine)

    assert (_bodies(store), done.quarantined, done.quarantine) == (whole, 0, None)


@pytest.mark.parametrize("seed", range(12))
def test_no_damage_brings_wrong_bodies_or_changes_the_damaged_file(store, engine, seed):
    whole = _bodies(store)
    chance = random.Random(seed)
    content = bytearray(store.read_bytes())
    for _ in range(chance.choice((1, 3, 20))):
        at = chance.randrange(_PAGE, len(content))
        length = chance.choice((1, 8, 600))
        content[at : at + length] = chance.randbytes(len(content[at : at + length]))
    store.write_bytes(content)

    try:
        done = _salvage(store, engine)
    except DamagedStore:
        assert store.read_bytes() == content
        return

    assert verify(store, engine)
    assert all(whole.get(key) == body for key, body in _bodies(store).items())
    assert done.kept is not None
    assert done.kept.read_bytes() == content


def test_a_store_whose_list_of_tables_is_gone_is_left_as_it_is(store, engine):
    with store.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 2_000)
    damaged = store.read_bytes()

    with pytest.raises(DamagedStore, match="restore a backup"):
        _salvage(store, engine)

    assert store.read_bytes() == damaged
    assert set_aside(store) == []


async def test_a_store_in_use_is_not_repaired(client, store_path, engine):
    await client.remember("x", "in use")

    with pytest.raises(StoreInUse):
        _salvage(store_path, engine)
