"""A store of memories with every attribute mixed at random, answered by either vector index."""

import random
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

CORPUS_SIZE: Final = 130
_START_UNIX_MS: Final = 1_760_000_000_000
_WORDS: Final = """
    harbour railing window ledger broker cluster winter garden ticket engine bridge signal
    basket copper library market orchard planet quarry river saddle temple valley willow
""".split()


def _record(number: int, dice: random.Random) -> dict[str, Any]:
    start = dice.choice([0, 1_000, 5_000])
    end = dice.choice([None, start + 1_000, start + 4_000, 20_000])
    words = " ".join(dice.sample(_WORDS, 5))
    recorded = _START_UNIX_MS + 10 * dice.randrange(CORPUS_SIZE)
    return {
        "id": f"mem-{dice.getrandbits(48):012x}",
        "category": dice.choice(["decision", "lesson", "conversation", 'it\'s "odd"']),
        "key": f"key-{number}",
        "body_json": f'{{"content": "lantern {words}"}}',
        "type": dice.choice(["insight", "fact"]),
        "topic_path": dice.choice(["", "infra", "infra/queues", "infra_x", "100%", "INFRA"]),
        "workspace_hash": dice.choice(["", "a", "b"]),
        "agent_id": dice.choice(["", "agent-1", "agent-2"]),
        "layer": dice.choice(["buffer", "working", "core", "other"]),
        "archived": dice.random() < 0.2,
        "always_on": dice.random() < 0.3,
        "decay_score": dice.choice([0.1, 0.25, 0.5, 0.75, 1.0]),
        "certainty": dice.choice([0.2, 0.5, 0.9]),
        "verified": dice.random() < 0.3,
        "created_at_unix_ms": recorded,
        "recorded_at_unix_ms": recorded,
        "valid_from_unix_ms": start,
        "valid_to_unix_ms": end,
    }


@pytest.fixture(scope="session")
def corpus() -> list[dict[str, Any]]:
    """Memories whose text all holds the word `lantern`; in the order they are stored."""
    dice = random.Random(20_251_121)
    return [_record(number, dice) for number in range(CORPUS_SIZE)]


@pytest.fixture(scope="session")
def corpus_path(corpus: list[dict[str, Any]], make_store: Callable[..., Path]) -> Path:
    return make_store(corpus)


@pytest.fixture(params=["table", "resident"])
def index(request: pytest.FixtureRequest) -> str:
    """Which vector index answers."""
    return request.param


@pytest.fixture
def open_copy(
    store_path: Path, open_store: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Opens a copy of a made store on a vector index: `async with open_copy(path, index)`."""

    @asynccontextmanager
    async def opened(path: Path, index: str = "table", **settings: Any) -> AsyncIterator[Any]:
        store_path.parent.mkdir(exist_ok=True)
        shutil.copy(path, store_path)
        monkeypatch.setattr(
            "mimir_py.storage.vectors.EXACT_LIMIT", {"table": 10**6, "resident": 0}[index]
        )
        async with open_store(**settings) as app:
            vectors = app.upkeep._vectors
            if app.database.is_sealed and index == "table":
                pytest.skip("a sealed store has no table of vectors")
            if await app.database.read(vectors.table_is_live) != (index == "table"):
                await app.database.write(vectors.rebuild)
            assert await app.database.read(vectors.table_is_live) == (index == "table")
            yield app

    return opened


@pytest.fixture
async def searched(
    corpus_path: Path, index: str, open_copy: Callable[..., Any], client_of: Callable[..., Any]
) -> AsyncIterator[Any]:
    """A client of a copy of the corpus."""
    async with open_copy(corpus_path, index) as app:
        yield client_of(app)


@pytest.fixture
def opened(
    open_store: Callable[..., Any],
    client_of: Callable[..., Any],
    import_records: Callable[..., Any],
    tmp_path: Path,
) -> Callable[..., Any]:
    """Opens a store of records of its own: `async with opened(*records) as client`."""
    count = iter(range(100))

    @asynccontextmanager
    async def opener(
        *records: dict[str, Any],
        workspace: str | None = None,
        embed: bool = True,
        **settings: Any,
    ) -> AsyncIterator[Any]:
        async with open_store(tmp_path / f"store{next(count)}" / "mimir.db", **settings) as app:
            await import_records(app, records, embed=embed)
            yield client_of(app, workspace)

    return opener
