"""`mimir obsidian-sync`: a vault that stays in step, from a terminal."""

import json
import subprocess
from pathlib import Path

from tests.cli.conftest import Mimir
from tests.server.program import MIMIR, environment


def test_a_watch_that_is_killed_is_taken_up_by_the_next_run(
    mimir: Mimir, store: Path, home: Path, tmp_path: Path
) -> None:
    vault = tmp_path / "vault"
    command = [MIMIR, "obsidian-sync", vault, "--db", store, "--watch"]
    with subprocess.Popen(command, env=environment(home), stdout=subprocess.PIPE) as watch:
        assert watch.stdout is not None
        first = json.loads(watch.stdout.readline())
        mimir("write", "--category", "note", "--key", "new", "--body", "words", "--db", store)
        second = json.loads(watch.stdout.readline())
        watch.kill()
    [new] = [path for path in vault.glob("mem-*.md") if "key: new" in path.read_text("utf-8")]
    new.write_text(new.read_text("utf-8").replace("words", "other words"), "utf-8")

    after = mimir("obsidian-sync", vault, "--two-way", "--no-embed", "--db", store)

    assert (first["files_created"], second["files_created"]) == (3, 1)
    answer = json.loads(after.stdout)
    assert (answer["edits"], answer["files_updated"], answer["errors"]) == (1, 1, [])
    assert "other words" in mimir("export", "-", "--db", store).stdout


def test_notes_of_a_sealed_store_are_written_only_when_asked_for(
    mimir: Mimir, tmp_path: Path
) -> None:
    key, vault = tmp_path / "key", tmp_path / "vault"
    mimir("keygen", "--key-file", key)
    sealed = ["--db", tmp_path / "sealed.db", "--encryption-key", key]
    mimir("write", "--category", "note", "--key", "new", "--body", "words", *sealed)

    refused = mimir("obsidian-sync", vault, "--watch", *sealed)

    assert (refused.returncode, vault.exists()) == (2, False)
    assert "--plain" in refused.stderr


def test_a_folder_that_is_none_is_named(mimir: Mimir, store: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    refused = mimir("obsidian-sync", tmp_path / "file", "--db", store)

    assert refused.returncode == 1
    assert "file" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
