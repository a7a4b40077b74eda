"""What the command does with a store of which a part was changed on the disk."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Mimir


def _overwrite(store: Path, old: bytes, new: bytes) -> None:
    content = store.read_bytes()
    assert content.count(old) >= 1
    store.write_bytes(content.replace(old, new))


def _keys(exported: str) -> set[str]:
    return {line["key"] for line in map(json.loads, exported.splitlines()) if "key" in line}


def _id_of(mimir: Mimir, store: Path, key: str) -> str:
    lines = mimir("export", "-", "--db", store).stdout.splitlines()
    return next(line["id"] for line in map(json.loads, lines) if line.get("key") == key)


@pytest.fixture
def damaged(mimir: Mimir, store: Path) -> tuple[Path, str]:
    """A store with one memory whose text was changed, and the memory's id."""
    name = _id_of(mimir, store, "database")
    _overwrite(store, b"use PostgreSQL", b"ruse ostgreSQL")
    return store, name


def test_an_export_names_what_is_damaged_and_writes_the_rest(
    mimir: Mimir, damaged: tuple[Path, str], tmp_path: Path
) -> None:
    store, name = damaged
    target = tmp_path / "all.jsonl"

    streamed = mimir("export", "-", "--db", store)
    written = mimir("export", target, "--db", store)

    assert (streamed.returncode, written.returncode) == (1, 1)
    assert _keys(streamed.stdout) == {"queue", "kaffee", "old"}
    assert target.read_text(encoding="utf-8") == streamed.stdout
    assert "Exported 3 memories" in written.stdout
    assert written.stderr.startswith(f"mimir: not exported: {name}: ")
    assert written.stderr.count("\n") == 1


def test_a_damaged_version_is_named_and_its_memory_exported(mimir: Mimir, store: Path) -> None:
    for text in ("use Redis", "use Valkey"):
        said = ("--category", "note", "--key", "cache", "--body", text)
        mimir("write", *said, "--db", store)
    with closing(sqlite3.connect(store)) as connection:
        [(version,)] = connection.execute("SELECT history_id FROM entity_history")
        connection.execute('UPDATE entity_history SET body_json = \'{"content":"use Riddles"}\'')
        connection.commit()

    done = mimir("export", "-", "--db", store)

    assert done.returncode == 1
    assert f"not exported: {version}: " in done.stderr
    assert _keys(done.stdout) == {"queue", "database", "kaffee", "old", "cache"}
    assert "Valkey" in done.stdout
    assert "Riddles" not in done.stdout


def test_a_memory_whose_seal_does_not_open_is_named_and_the_rest_exported(
    mimir: Mimir, tmp_path: Path
) -> None:
    key, store = tmp_path / "key", tmp_path / "sealed.db"
    mimir("keygen", "--key-file", key)
    sealed = ("--db", store, "--encryption-key", key)
    for name in ("one", "two"):
        mimir("write", *sealed, "--category", "note", "--key", name, "--body", f"the {name}")
    with closing(sqlite3.connect(store)) as connection:
        [(damaged,)] = connection.execute("SELECT id FROM entities WHERE key = 'one'")
        connection.execute("UPDATE entities SET sealed = zeroblob(200) WHERE key = 'one'")
        connection.commit()

    done = mimir("export", "-", *sealed)

    assert done.returncode == 1
    assert f"not exported: {damaged}: entities row 1: " in done.stderr
    assert _keys(done.stdout) == {"two"}


def test_the_doctor_names_what_a_repair_would_mend(mimir: Mimir, damaged: tuple[Path, str]) -> None:
    store, name = damaged

    told = mimir("doctor", "--json", "--db", store)
    mended = mimir("doctor", "--repair", "--json", "--db", store)

    findings = {found["name"]: found for found in json.loads(told.stdout)}
    assert told.returncode == 1
    assert findings["file"]["level"] == "fault"
    assert findings["file"]["detail"].startswith(f"{name}: ")
    assert "doctor --repair" in findings["file"]["mend"]
    after = {found["name"]: found for found in json.loads(mended.stdout)}
    assert findings["file"]["detail"] in after["repair"]["detail"]
    assert after["file"]["level"] == "ok"
