"""What follows a commit: it is durable, and nobody else has the lock yet."""

import pytest

_COUNT = "SELECT count(*) FROM meta"


async def test_what_follows_a_commit_sees_it_and_nothing_later(database, put):
    seen = []

    def work(tx):
        put(tx, "a")
        tx.after_commit(lambda reader: seen.append(reader.value(_COUNT)))

    before = await database.read(lambda reader: reader.value(_COUNT))
    await database.write(work)
    await database.write(lambda tx: put(tx, "b"))

    assert seen == [before + 1]


async def test_it_is_durable_by_then(database, put):
    seen = []

    def work(tx):
        put(tx, "a")
        tx.after_commit(lambda reader: seen.append(reader._connection.in_transaction))

    await database.write(work)

    assert seen == [False]


async def test_it_runs_once_however_often_it_is_asked_for(database):
    seen = []

    def follow(reader):
        seen.append(1)

    await database.write(lambda tx: [tx.after_commit(follow) for _ in range(3)])

    assert seen == [1]


async def test_nothing_follows_a_change_that_failed(database):
    seen = []

    def work(tx):
        tx.after_commit(seen.append)
        raise ValueError

    with pytest.raises(ValueError):
        await database.write(work)
    await database.write(lambda tx: None)

    assert seen == []
