"""One server per module for what leaves no trace, and a fresh one where the state matters."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.server.program import Program, run, serving

_BULK: Final = 500


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """An initialized server that the tests of a module share."""
    with serving(tmp_path_factory.mktemp("shared") / "memory.db") as program:
        yield program


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Program]:
    """A server of the test's own that has not been initialized."""
    with Program("--db", tmp_path / "memory.db", home=tmp_path / "home") as program:
        yield program


@pytest.fixture(scope="session")
def bulk_store_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with 500 notes, none of them embedded. To be copied, never opened."""
    folder = tmp_path_factory.mktemp("bulk")
    lines = folder / "notes.jsonl"
    lines.write_text("".join(map(_note, range(_BULK))), encoding="utf-8")
    done = run("import", lines, "--no-embed", "--db", folder / "memory.db", home=folder)
    assert done.returncode == 0, done.stderr
    return folder / "memory.db"


@pytest.fixture
def bulk_store(bulk_store_path: Path, tmp_path: Path) -> Path:
    """A copy of the 500 notes that are not embedded: work for a long call."""
    return Path(shutil.copy(bulk_store_path, tmp_path / "bulk.db"))


def _note(number: int) -> str:
    body = json.dumps({"content": f"note {number}: the lamp in room {number % 37} was replaced"})
    return json.dumps({"category": "note", "key": f"note-{number}", "body_json": body}) + "\n"
