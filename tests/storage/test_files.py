"""Who may read the store's files."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from mimir_py.errors import StorageError
from mimir_py.storage.database import open_database
from mimir_py.storage.files import create_private, open_to_others

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")


@pytest.fixture(params=[0o000, 0o022, 0o277], ids=["umask 000", "umask 022", "umask 277"])
def any_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_every_file_of_a_store_is_private_whatever_the_umask(
    any_umask, tmp_path, engine, put
):
    path = tmp_path / "new" / "deeper" / "mimir.db"

    async with open_database(path, engine, 1_000) as database:
        await database.write(lambda tx: put(tx, "a"))
        files = {file.name: _mode(file) for file in path.parent.iterdir()}

    assert files == {
        "mimir.db": 0o600,
        "mimir.db-wal": 0o600,
        "mimir.db-shm": 0o600,
        "mimir.db.lock": 0o600,
        "mimir.db.presence": 0o600,
    }


async def test_every_folder_made_for_a_store_is_private_whatever_the_umask(
    any_umask, tmp_path, engine
):
    tmp_path.chmod(0o755)
    path = tmp_path / "new" / "deeper" / "mimir.db"

    async with open_database(path, engine, 1_000):
        pass

    assert [_mode(folder) for folder in (path.parent, path.parent.parent)] == [0o700, 0o700]
    assert _mode(tmp_path) == 0o755


async def test_a_store_that_its_owner_opened_to_others_is_left_so(store_path, engine):
    async with open_database(store_path, engine, 1_000):
        pass
    store_path.chmod(0o640)

    async with open_database(store_path, engine, 1_000):
        pass

    assert _mode(store_path) == 0o640
    assert open_to_others(store_path)


def test_a_private_file_is_not_open_to_others(store_path):
    create_private(store_path)

    assert not open_to_others(store_path)


def test_creating_again_leaves_the_file_as_it_is(store_path):
    create_private(store_path)
    store_path.write_bytes(b"kept")

    create_private(store_path)

    assert store_path.read_bytes() == b"kept"


def test_a_path_through_a_file_is_refused_by_name(tmp_path):
    (tmp_path / "file").write_text("x")
    path = tmp_path / "file" / "mimir.db"

    with pytest.raises(StorageError) as refusal:
        create_private(path)

    assert str(path) in str(refusal.value)
