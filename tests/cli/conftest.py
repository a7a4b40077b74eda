"""The command as a person runs it: in a home of its own, on a store with a few memories."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.server.program import run

Mimir = Callable[..., "subprocess.CompletedProcess[str]"]

_MEMORIES: Final = (
    {"category": "decision", "key": "queue", "body_json": '{"content":"use NATS"}', "tags": ["x"]},
    {"category": "decision", "key": "database", "body_json": '{"content":"use PostgreSQL [16]"}'},
    {"category": "note", "key": "kaffee", "body_json": '{"content":"Kaffee aus Äthiopien ☕"}'},
    {"category": "note", "key": "old", "body_json": '{"content":"gone"}', "archived": True},
)


@pytest.fixture(scope="session")
def stocked_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three memories and a forgotten one. To be copied, never opened."""
    folder = tmp_path_factory.mktemp("stocked")
    lines = folder / "memories.jsonl"
    text = "".join(json.dumps(memory, ensure_ascii=False) + "\n" for memory in _MEMORIES)
    lines.write_text(text, encoding="utf-8")
    done = run("import", lines, "--db", folder / "memory.db", home=folder)
    assert done.returncode == 0, done.stderr
    return folder / "memory.db"


@pytest.fixture
def store(stocked_path: Path, tmp_path: Path) -> Path:
    """A stocked store of the test's own."""
    shutil.copy(stocked_path.with_name("memory.db.head"), tmp_path)
    return Path(shutil.copy(stocked_path, tmp_path / "memory.db"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def mimir(home: Path) -> Mimir:
    """Runs the command; keywords are environment variables, but for `input` and `cwd`."""

    def command(*arguments: Any, **more: Any) -> "subprocess.CompletedProcess[str]":
        return run(*arguments, home=home, **{"COLUMNS": "200", **more})

    return command
