"""A store with a journal of a few entries, and ways to change it behind Mimir's back."""

import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mimir_py.journal import Entry, Journal
from mimir_py.journal.models import Verdict

Fill = Callable[..., Awaitable[None]]


@pytest.fixture
def fill() -> Fill:
    """Records entries: `await fill(journal, 5)`."""

    async def record(journal: Journal, count: int, start: int = 0) -> None:
        for number in range(start, start + count):
            await journal.record(
                Entry(
                    "decision",
                    category="note",
                    key=f"key-{number}",
                    agent_id="ann" if number % 2 else "",
                    evaluated_json=f'{{"options":{number}}}',
                    acted_json=f'{{"chose":"{number}"}}',
                )
            )

    return record


@pytest.fixture
def verify(open_store: Any) -> Callable[[], Awaitable[Verdict]]:
    """Opens the store anew and verifies its journal."""

    async def opened() -> Verdict:
        async with open_store() as app:
            return await app.journal.verify()

    return opened


@pytest.fixture
def tamper(store_path: Path) -> Callable[..., int]:
    """Runs SQL on the file of a closed store; how many rows it changed."""

    def run(statement: str, *parameters: Any) -> int:
        with closing(sqlite3.connect(store_path)) as connection:
            changed = connection.execute(statement, parameters).rowcount
            connection.commit()
            return changed

    return run


@pytest.fixture
async def written(open_store: Any, fill: Fill, store_path: Path) -> Path:
    """A closed store of ten entries."""
    async with open_store() as app:
        await fill(app.journal, 10)
    return store_path


@pytest.fixture
def copied(store_path: Path, tmp_path: Path) -> Callable[[], Callable[[], None]]:
    """Keeps a copy of the closed store; what it returns puts that back, without the head file."""

    def keep() -> Callable[[], None]:
        kept = shutil.copy(store_path, tmp_path / "kept.db")

        def put_back() -> None:
            shutil.copy(kept, store_path)

        return put_back

    return keep
