"""`mimir share` and `mimir federate` between two files."""

import json
from pathlib import Path

from tests.cli.conftest import Mimir


def test_a_workspace_goes_into_another_store_and_a_second_time_nothing_changes(
    mimir: Mimir, store: Path, tmp_path: Path
) -> None:
    target = tmp_path / "theirs" / "memory.db"
    command = ("federate", "--from-workspace", "", "--to-workspace", "", "--db", store)

    refused = mimir(*command, "--to", target)
    made = mimir(*command, "--to", target, "--create")
    again = mimir(*command, "--to", target)
    found = mimir("show", "decision", "queue", "--db", target, "--json")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"mimir: there is no store {target}; none was made\n"
    assert json.loads(made.stdout)["imported"] == 3
    assert json.loads(again.stdout) == {
        "exported": 3, "remapped": 3, "imported": 0, "import_errors": [],
    }  # fmt: skip
    assert "NATS" in json.loads(found.stdout)["body_json"]
    assert {file.name.partition(".")[0] for file in target.parent.iterdir()} == {"memory"}


def test_one_memory_goes_into_a_sealed_store_with_that_stores_key(
    mimir: Mimir, store: Path, tmp_path: Path
) -> None:
    target, key = tmp_path / "sealed.db", tmp_path / "its.key"
    mimir("keygen", "--key-file", key)
    own = ("--category", "note", "--key", "own", "--body", "theirs")
    mimir("write", *own, "--db", target, "--encryption-key", key)
    command = ("share", "decision", "queue", "--to-workspace", "w", "--db", store, "--to", target)

    bare = mimir(*command)
    shared = mimir(*command, "--to-encryption-key", key)
    back = mimir(
        "share", "decision", "queue", "--to-workspace", "w", "--to", store, "--db", target,
        "--encryption-key", key,
    )  # fmt: skip

    assert (bare.returncode, bare.stdout) == (3, "")
    assert "is sealed" in bare.stderr
    assert json.loads(shared.stdout)["action"] == "created"
    assert b"NATS" not in target.read_bytes()
    assert back.returncode == 2
    assert "--plain" in back.stderr
    for file in tmp_path.glob("*.db-wal"):
        assert not file.stat().st_size
