"""Moving in and out when files may not grow any more: told by name, nothing half-written."""

import json
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Mimir
from tests.importers.rust_files import RustStore
from tests.server.program import MIMIR

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files")

_MEMORIES = 900
# The command, in a process whose files may not grow over so many bytes.
_LIMITED = (
    "import os, resource, sys\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))\n"
    "os.execv(sys.argv[2], sys.argv[2:])"
)


def _limited(most: int) -> list[str | Path]:
    return [sys.executable, "-c", _LIMITED, str(most), MIMIR]


def _lines(path: Path) -> list[str | Path]:
    said = ({"id": f"n{n}", "content": f"fact {n} " + "word " * 40} for n in range(_MEMORIES))
    path.write_text("\n".join(map(json.dumps, said)), encoding="utf-8")
    return ["import", path, "--from", "jsonl", "--no-embed", "--db"]


def _own_lines(path: Path) -> list[str | Path]:
    said = (
        {"category": "note", "key": f"k{n}", "body_json": json.dumps("word " * 40)}
        for n in range(_MEMORIES)
    )
    path.write_text("\n".join(map(json.dumps, said)), encoding="utf-8")
    return ["import", path, "--no-embed", "--db"]


def _old_store(path: Path) -> list[str | Path]:
    store = RustStore(path)
    for number in range(_MEMORIES):
        store.remember(f"mem-{number:012x}", f"k{number}", {"content": "word " * 40})
    store.close()
    return ["migrate", "--from", path, "--to"]


@pytest.mark.parametrize("make", [_lines, _own_lines, _old_store])
def test_what_comes_in_stops_by_name_and_goes_on_when_there_is_room(
    mimir: Mimir, tmp_path: Path, make: object
) -> None:
    assert callable(make)
    command, store = make(tmp_path / "source"), tmp_path / "new.db"

    full = mimir(*command, store, command=_limited(900_000))
    again = mimir(*command, store)

    assert full.returncode == 1
    assert "Traceback" not in full.stderr
    assert str(store) in full.stderr
    assert "disk" in full.stderr
    assert "goes on from there" in full.stderr
    assert again.returncode == 0, again.stderr
    connection = sqlite3.connect(store)
    assert connection.execute("SELECT count(*) FROM entities").fetchone() == (_MEMORIES,)
    connection.close()


def test_an_export_that_cannot_be_written_is_told_and_leaves_the_old_file(
    mimir: Mimir, tmp_path: Path
) -> None:
    store, target = tmp_path / "new.db", tmp_path / "all.jsonl"
    mimir(*_lines(tmp_path / "source"), store)
    target.write_text("precious", encoding="utf-8")

    done = mimir("export", target, "--db", store, command=_limited(100_000))

    assert done.returncode == 1
    assert f"{target} cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert target.read_text(encoding="utf-8") == "precious"
    assert not list(tmp_path.glob("*.part*"))


def test_notes_that_cannot_be_written_are_told_and_none_is_half_written(
    mimir: Mimir, tmp_path: Path
) -> None:
    store, vault = tmp_path / "new.db", tmp_path / "vault"
    mimir(*_lines(tmp_path / "source"), store)
    long = {"category": "note", "key": "long", "body_json": json.dumps("long " * 60_000)}
    mimir("import", "-", "--db", store, "--no-embed", input=json.dumps(long))

    full = mimir("vault-export", "--vault-dir", vault, "--db", store, command=_limited(200_000))
    again = mimir("vault-export", "--vault-dir", vault, "--db", store)

    assert "Traceback" not in full.stderr
    assert "File too large" in full.stdout + full.stderr
    assert not list(vault.rglob("*.tmp"))
    assert json.loads(again.stdout)["errors"] == []
    assert len(list(vault.glob("*.md"))) == _MEMORIES + 1
