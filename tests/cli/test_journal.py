"""`mimir journal`: what it prints, and how it ends."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Mimir
from tests.server.program import serving


@pytest.fixture(scope="session")
def kept_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two events and a note of Mimir's own."""
    path = tmp_path_factory.mktemp("journal") / "memory.db"
    with serving(path) as program:
        program.call("remember", category="decision", key="queue", body_json="use NATS")
        program.call("journal", acted={"chose": "[NATS]"}, category="decision", key="queue")
        program.call("journal", event_type="deploy", forward="watch it")
    return path


def test_list_shows_events_the_newest_first(mimir: Mimir, kept_path: Path) -> None:
    listed = mimir("journal", "list", "--db", kept_path)
    audited = mimir("journal", "list", "--audit", "--json", "--db", kept_path)
    only = mimir("journal", "list", "--event-type", "deploy", "--json", "--db", kept_path)

    assert listed.returncode == 0, listed.stderr
    _, deploy, decision = listed.stdout.splitlines()
    assert "deploy" in deploy
    assert 'forward "watch it"' in deploy
    assert 'acted {"chose":"[NATS]"}' in decision
    assert "decision/queue" in decision
    assert [item["kind"] for item in json.loads(audited.stdout)["items"]] == [
        "event",
        "event",
        "audit",
    ]
    assert [item["event_type"] for item in json.loads(only.stdout)["items"]] == ["deploy"]


def test_verify_says_that_all_is_as_it_was_written(mimir: Mimir, kept_path: Path) -> None:
    said = mimir("journal", "verify", "--db", kept_path)
    told = mimir("journal", "verify", "--json", "--db", kept_path)

    assert (said.returncode, said.stdout) == (0, "All 3 entries are as they were written.\n")
    verdict = json.loads(told.stdout)
    assert {**verdict, "hash": None} == {
        "intact": True,
        "entries": 3,
        "hash": None,
        "erased": 0,
        "head_outside": "agrees",
        "fault": None,
    }


def test_verify_names_what_was_changed_and_fails(
    mimir: Mimir, kept_path: Path, tmp_path: Path
) -> None:
    store = tmp_path / "memory.db"
    for suffix in ("", ".head"):
        kept = kept_path.with_name(kept_path.name + suffix)
        store.with_name(store.name + suffix).write_bytes(kept.read_bytes())
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("UPDATE journal SET acted_json = '1' WHERE seq = 2")
        connection.commit()

    said = mimir("journal", "verify", "--db", store)
    told = mimir("journal", "verify", "--json", "--db", store)

    assert said.returncode == told.returncode == 1
    assert said.stderr == "mimir: entry 2: its acted_json was changed\n"
    assert json.loads(told.stdout)["fault"]["seq"] == 2


def test_a_store_copied_without_its_head_can_be_accepted(
    mimir: Mimir, kept_path: Path, tmp_path: Path
) -> None:
    store = tmp_path / "memory.db"
    store.write_bytes(kept_path.read_bytes())

    refused = mimir("journal", "verify", "--db", store)
    accepted = mimir("journal", "verify", "--accept", "moved here", "--db", store)
    again = mimir("journal", "verify", "--db", store)

    assert (refused.returncode, accepted.returncode, again.returncode) == (1, 0, 0)
    assert "--accept" in refused.stderr
    assert again.stdout == "All 4 entries are as they were written.\n"
