"""Long imports are understood by other processes, and nothing else about them differs."""

import json
from pathlib import Path
from typing import Any

import pytest

from mimir_py.app import App
from mimir_py.aside import Aside
from mimir_py.vault import lines

pytestmark = pytest.mark.plain


async def _report(done: int) -> None:
    pass


def _file(path: Path, bad: int) -> Path:
    """A file of notes, of which the first `bad` ones cannot be stored."""
    items = [{"id": f"bad-{n}", "content": "a NUL \0"} for n in range(bad)]
    items += [{"id": f"n-{n}", "content": f"note {n} AKIAIOSFODNN7EXAMPLQ"} for n in range(600)]
    path.write_text("\n".join(map(json.dumps, items)))
    return path


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The times that other processes were started."""
    found: list[Any] = []
    start = Aside.start

    def started(aside: Any) -> None:
        found.append(aside)
        start(aside)

    monkeypatch.setattr(Aside, "start", started)
    return found


async def test_a_long_import_stores_what_a_short_one_would(
    plain_stores: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[Any]
) -> None:
    path = _file(tmp_path / "notes.jsonl", 3)

    async def stored(app: App) -> tuple[Any, list[Any]]:
        taken = await app.imports.take("jsonl", path, report=_report)
        said = "SELECT id, key, body_json, source FROM entities ORDER BY row_id"
        return vars(taken), await app.database.read(lambda reader: reader.tuples(said))

    async with plain_stores() as app:
        alone = await stored(app)
    assert not started
    monkeypatch.setattr(lines, "_MANY", 100)
    async with plain_stores() as app:
        assert await stored(app) == alone
    assert started
    assert (alone[0]["created"], len(alone[0]["problems"])) == (600, 3)


@pytest.mark.parametrize("many", [100, 10_000])
async def test_an_import_that_begins_with_many_that_cannot_be_stored_goes_on(
    plain_stores: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(lines, "_MANY", many)
    path = _file(tmp_path / "notes.jsonl", 900)

    async with plain_stores() as app:
        looked = await app.imports.look("jsonl", path)
        taken = await app.imports.take("jsonl", path, report=_report)

    assert (taken.created, len(taken.problems)) == (600, 900)
    assert vars(looked) == vars(taken)
