"""`mimir backup`, `mimir restore` and `mimir verify` as a person runs them."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.conftest import Mimir
from tests.server.program import Program


def _list(mimir: Mimir, store: Path) -> list[str]:
    return [
        found["path"]
        for found in json.loads(mimir("backup", "--list", "--json", "--db", store).stdout)
    ]


def test_a_store_comes_back_as_it_was_backed_up(mimir: Mimir, store: Path) -> None:
    made = json.loads(mimir("backup", "--json", "--db", store).stdout)
    mimir("write", "--db", store, "--category", "note", "--key", "late", "--body", "later")

    done = mimir("restore", made["path"], "--db", store)

    assert done.returncode == 0
    assert made["memories"] == 4
    assert Path(made["path"]).parent == store.parent / "backups"
    assert _list(mimir, store) == [made["path"]]
    assert json.loads(mimir("stats", "--db", store).stdout)["total_entities"] == 4
    assert mimir("journal", "verify", "--db", store).returncode == 0
    kept = Path(done.stdout.rpartition("kept: ")[2].strip())
    assert json.loads(mimir("stats", "--db", kept).stdout)["total_entities"] == 5


def test_a_restored_store_has_a_journal_that_counts(mimir: Mimir, store: Path) -> None:
    made = json.loads(mimir("backup", "--json", "--db", store).stdout)
    mimir("write", "--db", store, "--category", "note", "--key", "late", "--body", "later")

    mimir("restore", made["path"], "--db", store)

    verified = json.loads(mimir("journal", "verify", "--json", "--db", store).stdout)
    assert (verified["intact"], verified["head_outside"]) == (True, "agrees")


def test_so_many_backups_are_kept_as_was_said(mimir: Mimir, store: Path) -> None:
    for _ in range(3):
        assert mimir("backup", "--keep", "2", "--db", store).returncode == 0

    assert len(_list(mimir, store)) == 2


def test_a_broken_backup_is_not_listed_and_not_restored(mimir: Mimir, store: Path) -> None:
    path = json.loads(mimir("backup", "--json", "--db", store).stdout)["path"]
    with Path(path).open("r+b") as file:
        file.seek(3 * 4_096)
        file.write(b"\xff" * 4_096)

    listed, restored, verified = (
        mimir("backup", "--list", "--db", store),
        mimir("restore", path, "--db", store),
        mimir("verify", path),
    )

    assert "There are no backups" in listed.stdout
    assert "not listed" in listed.stderr
    assert (restored.returncode, verified.returncode) == (1, 1)
    assert "is damaged" in restored.stderr
    assert json.loads(mimir("stats", "--db", store).stdout)["total_entities"] == 4


def test_a_backup_goes_on_and_a_restore_is_refused_while_a_server_runs(
    mimir: Mimir, store: Path, home: Path
) -> None:
    with Program("--db", store, home=home) as server:
        server.initialize()
        server.call("remember", category="note", key="live", body_json="stored")
        made = json.loads(mimir("backup", "--json", "--db", store).stdout)

        refused = mimir("restore", made["path"], "--db", store)

    assert made["memories"] == 5
    assert refused.returncode == 1
    assert f"({server.pid})" in refused.stderr
    assert mimir("restore", made["path"], "--db", store).returncode == 0


def test_only_backups_are_overwritten(mimir: Mimir, store: Path, tmp_path: Path) -> None:
    notes, copy = tmp_path / "notes.txt", tmp_path / "copy.db"
    notes.write_text("mine")
    other = Path(shutil.copy(store, tmp_path / "other.db"))
    mimir("stats", "--db", other)

    codes = [mimir("backup", path, "--db", store).returncode for path in (notes, store, other)]

    assert codes == [2, 2, 2]
    assert notes.read_text() == "mine"
    assert [mimir("backup", copy, "--db", store).returncode for _ in range(2)] == [0, 0]
    assert mimir("backup", copy, "--keep", "3", "--db", store).returncode == 2


def test_the_store_is_verified_when_no_file_is_named(mimir: Mimir, store: Path) -> None:
    done = mimir("verify", "--db", store)

    assert done.returncode == 0
    assert f"{store} is sound: 4 memories" in done.stdout


def test_a_damaged_store_is_repaired_and_kept(mimir: Mimir, store: Path) -> None:
    content = store.read_bytes()
    at = content.index(b"use PostgreSQL")
    store.write_bytes(content[:at] + b"ruse" + content[at + 4 :])

    done = mimir("doctor", "--repair", "--json", "--db", store)

    findings = {found["name"]: found for found in json.loads(done.stdout)}
    assert "the damaged file is kept" in findings["repair"]["detail"]
    assert "rows could not be kept" in findings["quarantine"]["detail"]
    assert findings["indexes"]["detail"] == "derived anew from 3 memories"
    assert findings["open in"]["detail"] == "nobody"
    assert json.loads(mimir("stats", "--db", store).stdout)["total_entities"] == 3
    [kept] = store.parent.glob("memory.db.before-repair-*")
    assert content[:at] + b"ruse" == kept.read_bytes()[: at + 4]


def test_a_sealed_store_is_backed_up_and_verified_without_its_key(
    mimir: Mimir, tmp_path: Path
) -> None:
    key, store = tmp_path / "key", tmp_path / "sealed" / "memory.db"
    mimir("keygen", "--key-file", key)
    sealed = ("--db", store, "--encryption-key", key)
    named = ("--category", "note", "--key", "code")
    mimir("write", *sealed, *named, "--body", "the canarywhistle")
    mimir("reindex", *sealed)

    made = json.loads(mimir("backup", "--json", "--db", store).stdout)
    gone = json.loads(mimir("purge", *sealed, *named).stdout)

    assert made["memories"] == 1
    assert mimir("verify", made["path"]).returncode == 0
    assert b"canarywhistle" not in Path(made["path"]).read_bytes()
    assert (gone["entities_deleted"], gone["backups_holding"]) == (1, [made["path"]])
    assert mimir("doctor", "--repair", *sealed).returncode == 0


def _forge(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE journal SET acted_json = '{}' WHERE seq = 2")
        connection.commit()


def test_a_journal_that_was_changed_is_named_by_verify_and_by_a_backup(
    mimir: Mimir, store: Path
) -> None:
    mimir("write", "--db", store, "--category", "note", "--key", "late", "--body", "later")
    whole = json.loads(mimir("backup", "--json", "--db", store).stdout)
    _forge(store)

    verified = mimir("verify", "--db", store)
    backed_up = mimir("backup", "--json", "--db", store)
    listed = json.loads(mimir("backup", "--list", "--json", "--db", store).stdout)

    assert whole["journal"] == {"intact": True, "entries": 2, "fault": None}
    assert (verified.returncode, backed_up.returncode) == (1, 1)
    assert "is sound" not in verified.stdout
    assert f"mimir: {store}: the journal is not as it was written: entry 2: " in verified.stderr
    made = json.loads(backed_up.stdout)
    assert made["memories"] == 5
    assert made["journal"]["fault"]["seq"] == 2
    assert f"{made['path']}: the journal" in backed_up.stderr
    assert [found["journal"]["intact"] for found in listed] == [False, True]
    assert mimir("verify", whole["path"]).returncode == 0
    assert mimir("verify", made["path"]).returncode == 1


def test_a_journal_whose_end_was_cut_off_is_named(mimir: Mimir, store: Path) -> None:
    mimir("write", "--db", store, "--category", "note", "--key", "late", "--body", "later")
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("DELETE FROM journal WHERE seq = 2")
        connection.commit()

    done = mimir("verify", "--db", store)

    assert done.returncode == 1
    assert "entry 2: the journal went on to entry 2" in done.stderr


def test_a_sealed_stores_journal_is_verified_with_its_key(mimir: Mimir, tmp_path: Path) -> None:
    key, store = tmp_path / "key", tmp_path / "sealed" / "memory.db"
    mimir("keygen", "--key-file", key)
    sealed = ("--db", store, "--encryption-key", key)
    for text in ("one", "two"):
        mimir("write", *sealed, "--category", "note", "--key", text, "--body", text)
    made = json.loads(mimir("backup", "--json", *sealed).stdout)

    unseen = mimir("verify", made["path"])
    seen = mimir("verify", made["path"], "--encryption-key", key)
    with closing(sqlite3.connect(made["path"])) as connection:
        connection.execute("UPDATE journal SET created_at_unix_ms = 1 WHERE seq = 1")
        connection.commit()
    forged = mimir("verify", made["path"], "--encryption-key", key)

    assert made["journal"]["intact"] is True
    assert (unseen.returncode, seen.returncode, forged.returncode) == (0, 0, 1)
    assert "journal was not checked" in unseen.stdout
    assert "2 journal entries" in seen.stdout
    assert "entry 1: " in forged.stderr
