"""`mimir doctor` really tries what a session needs."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.conftest import Mimir


def _levels(stdout: str) -> dict[str, str]:
    return {finding["name"]: finding["level"] for finding in json.loads(stdout)}


def test_a_sound_store_has_nothing_to_mend_and_is_left_as_it_was(mimir: Mimir, store: Path) -> None:
    before = mimir("export", "-", "--db", store).stdout

    done = mimir("doctor", "--db", store)
    listed = mimir("export", "-", "--db", store).stdout

    assert done.returncode == 0
    assert "a memory was stored, found in every mode, and deleted" in done.stdout
    assert "3 live, 1 forgotten" in done.stdout
    assert done.stdout.endswith("All is well.\n")
    assert listed == before


def test_a_store_others_can_read_is_a_fault_with_its_remedy(mimir: Mimir, store: Path) -> None:
    store.chmod(0o644)

    done = mimir("doctor", "--db", store)

    assert done.returncode == 1
    assert f"others can read {store}" in done.stdout
    assert f"chmod 600 {store}" in done.stdout


def test_a_key_others_can_read_is_a_fault_with_its_remedy(mimir: Mimir, tmp_path: Path) -> None:
    key = tmp_path / "secret.key"
    mimir("keygen", "--key-file", key)
    sealed = ("--db", tmp_path / "sealed.db", "--encryption-key", key)
    assert mimir("doctor", *sealed).returncode == 0
    key.chmod(0o640)

    done = mimir("doctor", *sealed)

    assert done.returncode == 1
    assert f"chmod 600 {key}" in done.stdout.replace("\n", "")


def test_a_foreign_file_is_a_fault_and_left_untouched(mimir: Mimir, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database", encoding="utf-8")
    path.chmod(0o600)

    done = mimir("doctor", "--db", path, "--json")

    assert done.returncode == 1
    assert _levels(done.stdout)["store"] == "fault"
    assert path.read_text(encoding="utf-8") == "not a database"


def test_a_damaged_index_is_found_and_reindex_mends_it(mimir: Mimir, store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("DELETE FROM entities_fts_data WHERE id > 10")
        connection.commit()

    damaged = mimir("doctor", "--db", store, "--json")
    mended = mimir("reindex", "--db", store)
    checked = mimir("doctor", "--db", store, "--json")

    assert damaged.returncode == 1
    assert "fault" in _levels(damaged.stdout).values()
    assert mended.returncode == 0, mended.stderr
    assert checked.returncode == 0, checked.stdout
