"""Which store a command takes, and what it does to files that are none."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.cli.conftest import Mimir
from tests.importers.rust_files import RustStore
from tests.server.program import Program

_USUAL: Final = (
    ".mimir/data/perseus-vault.db",
    ".mimir/data/mneme.db",
    ".mimir/data/mimir.db",
    "mimir.db",
)


def _database(path: Path, user_version: int = 0, application_id: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE entities (id TEXT PRIMARY KEY, body_json TEXT)")
        connection.execute(f"PRAGMA user_version={user_version}")
        connection.execute(f"PRAGMA application_id={application_id}")
        connection.commit()
    return path


def _rust_store(path: Path) -> Path:
    return _database(path, user_version=10)


_FOREIGN: Final = {
    "text": (lambda path: path.write_text("my shopping list\n" * 20), "is not a SQLite database"),
    "short": (lambda path: path.write_bytes(b"SQLite format 3\x00"), "is not a SQLite database"),
    "other database": (_database, "is a database of another program"),
    "other application": (
        lambda path: _database(path, 3, 0x47504B47),
        "is a database of another program",
    ),
    "numbered like a Rust store": (_rust_store, "is a database of another program"),
    "newer store": (lambda path: _database(path, 99, 0x4D696D52), "was written by a newer Mimir"),
    "folder": (Path.mkdir, "is a folder"),
}


@pytest.mark.parametrize(
    ("command", "kind"),
    [*(("serve", kind) for kind in _FOREIGN), ("reindex", "other database"), ("stats", "text")],
)
def test_a_foreign_file_is_refused_and_left_untouched(
    mimir: Mimir, tmp_path: Path, command: str, kind: str
) -> None:
    make, problem = _FOREIGN[kind]
    path = tmp_path / "files" / "their.db"
    path.parent.mkdir()
    make(path)
    before = {file: (file.stat().st_mtime_ns, _content(file)) for file in path.parent.iterdir()}

    done = mimir(command, "--db", path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("mimir: ")
    assert problem in done.stderr
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr
    assert before == {
        file: (file.stat().st_mtime_ns, _content(file)) for file in path.parent.iterdir()
    }


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def test_an_empty_file_becomes_a_store(mimir: Mimir, tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()

    assert mimir("stats", "--db", path).returncode == 0
    assert path.stat().st_size > 0


def test_without_a_choice_a_store_is_made_at_the_usual_place(mimir: Mimir, home: Path) -> None:
    done = mimir("stats")

    made = home / ".mimir" / "data" / "mimir.db"
    assert done.returncode == 0
    assert made.is_file()
    assert [oct(path.stat().st_mode & 0o777) for path in (made, made.parent)] == ["0o600", "0o700"]


@pytest.mark.parametrize("found", [_USUAL[0], _USUAL[3]])
def test_a_store_at_any_usual_place_is_found(
    mimir: Mimir, home: Path, stocked_path: Path, found: str
) -> None:
    path = home / found
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(stocked_path.read_bytes())

    done = mimir("stats")

    assert json.loads(done.stdout)["total_entities"] == 4


@pytest.mark.parametrize("found", [_USUAL[1], _USUAL[2]])
def test_a_rust_store_at_a_usual_place_is_taken_over(mimir: Mimir, home: Path, found: str) -> None:
    path = home / found
    store = RustStore(path)
    store.remember("mem-000000000001", "queue", {"content": "use NATS"})
    store.close()

    done = mimir("stats")

    assert json.loads(done.stdout)["total_entities"] == 1
    assert done.stderr.startswith(f"{path} was a store of the Rust program: 1 memories")
    assert done.stderr.count("\n") == 1


def test_our_store_is_taken_before_a_rust_one_and_the_server_says_so(
    home: Path, stocked_path: Path
) -> None:
    rust = _rust_store(home / _USUAL[0])
    own = home / _USUAL[2]
    own.write_bytes(stocked_path.read_bytes())

    with Program(home=home) as program:
        program.initialize()
        counted = program.call("stats")["total_entities"]
        program.end_input()
        program.exit_code()
        said = program.stderr()

    assert counted == 4
    assert said == f"mimir: using {own}; not using {rust} (choose with --db)\n"


def test_the_flag_wins_over_the_environment_which_wins_over_the_usual_places(
    mimir: Mimir, home: Path, tmp_path: Path
) -> None:
    flagged, named = tmp_path / "flagged.db", tmp_path / "named.db"

    mimir("stats", MIMIR_DB_PATH=str(named))
    mimir("stats", "--db", flagged, MIMIR_DB_PATH=str(tmp_path / "unused.db"))
    mimir("stats", "--db", "~/tilde.db")
    mimir("stats", MIMIR_DB_PATH="~/named.db")

    assert {path.name for path in tmp_path.glob("*.db")} == {"flagged.db", "named.db"}
    assert {path.name for path in home.glob("*.db")} == {"tilde.db", "named.db"}
    assert not (home / ".mimir").exists()


@pytest.mark.parametrize("path", ["/proc/mimir.db", "/dev/null/x.db"])
def test_a_place_that_cannot_hold_a_store_is_named(mimir: Mimir, path: str) -> None:
    done = mimir("stats", "--db", path)

    assert (done.returncode, done.stdout) == (1, "")
    assert path in done.stderr
    assert "Traceback" not in done.stderr
