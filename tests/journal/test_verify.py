"""Whoever changes the journal behind Mimir's back is found out, at the right entry."""

import json
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mimir_py.journal import Journal
from mimir_py.journal.head import HeadFile
from mimir_py.journal.models import GENESIS, Head
from mimir_py.limits import Limits
from mimir_py.security.keys import Secret
from mimir_py.security.unlocking import unlocking
from mimir_py.storage.database import Reader, open_database
from mimir_py.storage.engine import load_engine
from mimir_py.values import random_id, system_clock

_CHANGES = {
    "a payload": 'UPDATE journal SET acted_json = \'{"chose":"other"}\' WHERE seq = 4',
    "a payload to nothing": "UPDATE journal SET acted_json = 'null' WHERE seq = 4",
    "a payload that was nothing": "UPDATE journal SET forward_json = '1' WHERE seq = 4",
    "a name": "UPDATE journal SET key = 'key-30' WHERE seq = 4",
    "a name that is no text": "UPDATE journal SET key = CAST(x'ff00' AS TEXT) WHERE seq = 4",
    "an agent that was none": "UPDATE journal SET workspace_hash = 'w' WHERE seq = 4",
    "the time": "UPDATE journal SET created_at_unix_ms = created_at_unix_ms + 1 WHERE seq = 4",
    "the kind": "UPDATE journal SET kind = 'audit' WHERE seq = 4",
    "the id": "UPDATE journal SET id = 'jrn-000000000000' WHERE seq = 4",
    "the hash": "UPDATE journal SET hash = zeroblob(32) WHERE seq = 4",
    "the commitments": "UPDATE journal SET commitments = x'' WHERE seq = 4",
    "the salts": "UPDATE journal SET salts = zeroblob(length(salts)) WHERE seq = 4",
    "an erasure that was none": (
        "UPDATE journal SET salts = zeroblob(length(salts)), event_type = 'redacted', key = '',"
        " category = '', agent_id = '', evaluated_json = '{}', acted_json = '{}' WHERE seq = 4"
    ),
    "deleted": "DELETE FROM journal WHERE seq = 4",
    "deleted with all before": "DELETE FROM journal WHERE seq < 4",
    "deleted with some after": "DELETE FROM journal WHERE seq BETWEEN 4 AND 6",
    "the end": "DELETE FROM journal WHERE seq >= 4",
}


async def test_an_untouched_journal_is_intact(written, verify):
    verdict = await verify()

    assert (verdict.intact, verdict.fault, verdict.outside) == (True, None, "agrees")
    assert (verdict.head.seq, verdict.erased) == (10, 0)


@pytest.mark.plain
@pytest.mark.parametrize("change", _CHANGES)
async def test_a_change_is_named(change, written, verify, tamper):
    assert tamper(_CHANGES[change]) > 0

    verdict = await verify()

    expected = 1 if change == "deleted with all before" else 4
    assert not verdict.intact
    assert verdict.fault.seq == expected


@pytest.mark.plain
async def test_an_entry_put_between_others_is_named(written, verify, tamper):
    for seq in range(10, 3, -1):
        tamper("UPDATE journal SET seq = ? WHERE seq = ?", seq + 1, seq)
    tamper(
        "INSERT INTO journal (seq, id, kind, created_at_unix_ms, event_type, commitments, hash,"
        " salts) SELECT 4, 'jrn-x', kind, created_at_unix_ms, event_type, commitments, hash, salts"
        " FROM journal WHERE seq = 3"
    )

    assert (await verify()).fault.seq == 4


async def test_an_older_copy_of_the_whole_store_is_found_out(
    written, verify, copied, open_store, fill
):
    put_back = copied()
    async with open_store() as app:
        await fill(app.journal, 5, 10)
    put_back()

    verdict = await verify()

    assert (verdict.outside, verdict.fault.seq) == ("ahead", 11)
    assert "older copy" in verdict.fault.problem


async def test_going_on_after_an_older_copy_was_put_back_does_not_hide_it(
    written, verify, copied, open_store, fill
):
    put_back = copied()
    async with open_store() as app:
        await fill(app.journal, 5, 10)
    put_back()
    async with open_store() as app:
        await fill(app.journal, 8, 20)

    verdict = await verify()

    assert (verdict.outside, verdict.fault.seq, verdict.head.seq) == ("differs", 15, 18)


async def test_a_store_put_back_on_purpose_can_be_accepted(
    written, verify, copied, open_store, fill
):
    put_back = copied()
    async with open_store() as app:
        await fill(app.journal, 5, 10)
    put_back()

    async with open_store() as app:
        await app.journal.accept("the disk was replaced")

    verdict = await verify()
    assert (verdict.intact, verdict.outside, verdict.head.seq) == (True, "agrees", 11)


async def test_a_head_file_that_is_gone_is_found_out_and_stays_so(
    written, verify, open_store, fill
):
    HeadFile(written).path.unlink()
    missing = await verify()

    async with open_store() as app:
        await fill(app.journal, 1, 10)

    assert (missing.outside, missing.fault.seq) == ("missing", 11)
    assert (await verify()).outside == "missing"


@pytest.mark.parametrize("content", ["", "{}", "[]", "not json", '{"format":"x"}', "1"])
async def test_a_head_file_that_says_nothing_counts_as_gone(content, written, verify):
    HeadFile(written).path.write_text(content)

    assert (await verify()).outside == "missing"


async def test_a_head_that_a_crash_left_behind_is_no_fault_and_is_caught_up(
    written, verify, open_store, fill
):
    file = HeadFile(written)
    now = file.path.read_text()
    async with open_store() as app:
        await fill(app.journal, 1, 10)
    file.path.write_text(now)

    behind = await verify()
    async with open_store() as app:
        await fill(app.journal, 1, 11)

    assert (behind.intact, behind.outside) == (True, "behind")
    assert (await verify()).outside == "agrees"


async def test_a_crash_right_after_the_first_entry_is_no_fault(written, verify):
    HeadFile(written).write(GENESIS)

    assert (await verify()).outside == "behind"


async def test_another_head_at_the_same_number_is_a_fault(written, verify):
    HeadFile(written).write(Head(10, bytes(32)))

    assert (await verify()).fault.seq == 10


async def test_an_empty_journal_has_no_head_outside_and_is_intact(open_store, store_path):
    async with open_store() as app:
        verdict = await app.journal.verify()

    assert (verdict.intact, verdict.head) == (True, GENESIS)


async def test_the_head_file_is_for_the_owner_alone_and_says_nothing_of_what_happened(written):
    path = HeadFile(written).path

    found = json.loads(path.read_text())

    assert path.stat().st_mode & 0o777 == 0o600
    assert set(found) == {"format", "seq", "hash", "check"}
    assert found["seq"] == 10


_SEALED_CHANGES = {
    "a seal": "UPDATE journal SET sealed = zeroblob(length(sealed)) WHERE seq = 4",
    "a seal to another's": (
        "UPDATE journal SET sealed = (SELECT sealed FROM journal WHERE seq = 5) WHERE seq = 4"
    ),
    "a name to another's": (
        "UPDATE journal SET key = (SELECT key FROM journal WHERE seq = 5) WHERE seq = 4"
    ),
    "the time": "UPDATE journal SET created_at_unix_ms = created_at_unix_ms + 1 WHERE seq = 4",
    "the hash": "UPDATE journal SET hash = zeroblob(32) WHERE seq = 4",
    "deleted": "DELETE FROM journal WHERE seq = 4",
    "the end": "DELETE FROM journal WHERE seq >= 4",
}


@pytest.mark.parametrize("change", _SEALED_CHANGES)
async def test_a_change_in_a_sealed_store_is_named(change, store_path: Path, fill, tamper):
    async with _sealed(store_path) as journal:
        await fill(journal, 10)
        assert (await journal.verify()).intact
    assert tamper(_SEALED_CHANGES[change]) > 0

    async with _sealed(store_path) as journal:
        verdict = await journal.verify()

    assert verdict.fault.seq == 4


@asynccontextmanager
async def _sealed(path: Path):
    """The journal of a sealed store."""
    unlock = unlocking(Secret("file", bytes(range(32))), seal_names=True)
    async with open_database(path, load_engine("auto"), 1_000, unlock) as database:
        yield Journal(database, Limits(1, 1_024, 1), system_clock, random_id)


@pytest.mark.parametrize("forged", [False, True], ids=["with the key", "without it"])
async def test_the_chain_of_a_sealed_store_cannot_be_written_without_its_key(
    forged, store_path: Path, fill, monkeypatch
):
    async with _sealed(store_path) as journal:
        await fill(journal, 3)
        if forged:
            with monkeypatch.context() as without:
                without.setattr(Reader, "subkey", lambda self, purpose: None)
                await fill(journal, 1, 3)

        verdict = await journal.verify()

    assert (verdict.fault.seq if forged else verdict.fault) == (4 if forged else None)
