"""Every SQL constant of the package compiles against the schema a fresh store has."""

import importlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import mimir_py
from mimir_py.recall import store as recall_store
from mimir_py.recall.models import Filter, ValidOp
from mimir_py.security import Trust
from mimir_py.storage.database import Database, open_database
from mimir_py.storage.vectors import Chunk, Vectors

_PACKAGE = Path(mimir_py.__file__).parent
_FILES = ("store.py", "links.py", "fts.py", "vectors.py", "service.py")
_VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "DROP", "CREATE", "PRAGMA", "ALTER")
_FULL = Filter(
    category="c",
    excluded_categories=("x",),
    type="t",
    topic_path="p",
    workspaces=("",),
    agent_id="a",
    layer="core",
    min_decay=0.5,
    always_on=True,
    in_force_at=1,
    min_trust=Trust.AGENT,
)
_FILTERS = {
    "every clause, instant": _FULL.__class__(**{**vars(_FULL), "valid_at": 1}),
    "overlaps": Filter(valid_from=1, valid_to=2),
    "contains": Filter(valid_from=1, valid_to=2, valid_op=ValidOp.CONTAINS),
    "excluded": Filter(excluded_categories=("x", "y")),
    "none": Filter(include_archived=True),
}


class _AnyParameter(dict):
    """Has a value for every name a statement asks for."""

    def __missing__(self, name: str) -> None:
        return None


def _modules() -> Iterator[ModuleType]:
    for file in sorted(_PACKAGE.rglob("*.py")):
        # What importers ask is asked of other programs' stores.
        if file.name in _FILES and _PACKAGE / "importers" not in file.parents:
            dotted = ".".join(file.relative_to(_PACKAGE).with_suffix("").parts)
            yield importlib.import_module(f"mimir_py.{dotted}")


def _constants() -> Mapping[str, str]:
    return {
        f"{module.__name__.removeprefix('mimir_py.')}.{name}": value
        for module in _modules()
        for name, value in vars(module).items()
        if isinstance(value, str) and value.strip().startswith(_VERBS)
    }


_STATEMENTS = _constants()


@pytest.fixture(scope="module")
def made_store(tmp_path_factory, engine) -> Path:
    """A store that also has the table of vectors, which is made with the first one."""
    import asyncio

    path = tmp_path_factory.mktemp("made") / "mimir.db"

    async def make() -> None:
        async with open_database(path, engine, 1_000) as database:
            vectors = Vectors("a model", 384, has_vec=True)
            await database.write(
                lambda tx: (
                    tx.run(
                        "INSERT INTO entities (row_id, id, text_hash, category, key,"
                        " created_at_unix_ms, last_accessed_unix_ms, recorded_at_unix_ms)"
                        " VALUES (1, 'mem-1', x'', 'c', 'k', 1, 1, 1)"
                    ),
                    vectors.replace(tx, 1, [Chunk(0, 1, bytes(4 * 384))]),
                )
            )

    asyncio.run(make())
    return path


@pytest.fixture
async def database(made_store, store_path, engine):
    store_path.parent.mkdir()
    shutil.copy(made_store, store_path)
    async with open_database(store_path, engine, 1_000) as opened:
        yield opened


async def _explain(database: Database, statement: str) -> int:
    parameters: Any = _AnyParameter()
    if "?" in statement:
        parameters = (None,) * statement.count("?")
    return len(await database.read(lambda reader: reader.all(f"EXPLAIN {statement}", parameters)))


def test_the_statements_of_every_room_are_found():
    rooms = {name.split(".")[0] for name in _STATEMENTS}

    assert rooms >= {"entities", "recall", "storage", "upkeep", "vault", "workspaces"}
    assert len(_STATEMENTS) > 70


@pytest.mark.parametrize("name", _STATEMENTS)
async def test_a_statement_compiles_against_the_schema(name, database):
    statement = _STATEMENTS[name].replace("{filter}", "1")

    assert await _explain(database, statement) > 0


@pytest.mark.parametrize("kind", _FILTERS)
@pytest.mark.parametrize("name", [name for name in _STATEMENTS if "{filter}" in _STATEMENTS[name]])
async def test_a_statement_compiles_with_every_filter(name, kind, database):
    clause, values = recall_store.where(_FILTERS[kind])
    statement = _STATEMENTS[name].format(filter=clause)

    assert await _explain(database, statement) > 0
    assert all(f":{parameter}" in clause for parameter in values)


def test_every_clause_a_filter_can_have_is_tried():
    tried = {
        name
        for filter in _FILTERS.values()
        for name, clause in recall_store._CLAUSES.items()
        if clause in recall_store.where(filter)[0]
    }

    assert tried == set(recall_store._CLAUSES)
