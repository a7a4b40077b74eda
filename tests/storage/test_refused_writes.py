"""A disk that takes no more: an error that says so, and the same connection goes on after."""

import resource
import signal

import pytest

from mimir_py.errors import StorageError


@pytest.fixture
def small_files():
    """Lets no file grow past a size, as a quota would, until the test is over or lets it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    yield limit
    limit(before[0])


async def test_a_file_that_may_not_grow_is_told_as_the_disk_and_writing_goes_on_after(
    database, small_files
):
    def write(tx):
        tx.run("INSERT INTO meta VALUES ('big', ?)", ("x" * 200_000,))

    small_files(150_000)
    with pytest.raises(StorageError, match="disk refused"):
        await database.write(write)
    assert await database.read(lambda reader: reader.value("SELECT count(*) FROM migrations"))

    small_files(resource.RLIM_INFINITY)
    await database.write(write)

    stored = await database.read(
        lambda reader: reader.value("SELECT length(value) FROM meta WHERE name = 'big'")
    )
    assert stored == 200_000
