import dataclasses
import math

import pytest

from mimir_py.errors import EngineError
from mimir_py.storage.connection import bring_missing
from mimir_py.storage.engine import is_wal_safe, load_engine


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 44, 9), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 50, 12), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
        ((4, 0, 0), True),
    ],
)
def test_a_sqlite_is_wal_safe_from_the_releases_with_the_fix(version, safe):
    assert is_wal_safe(version) is safe


def test_an_engine_says_its_version_and_whether_it_is_wal_safe():
    engine = dataclasses.replace(load_engine("auto"), version=(3, 41, 9))

    assert (engine.version_text, engine.wal_safe) == ("3.41.9", False)


@pytest.mark.parametrize("preference", ["auto", "system"])
def test_an_engine_is_named_for_its_driver(preference):
    engine = load_engine(preference)

    assert (
        engine.name == {"pysqlite3.dbapi2": "bundled", "sqlite3": "system"}[engine.dbapi.__name__]
    )
    assert engine.version == tuple(engine.dbapi.sqlite_version_info)


def test_a_sqlite_without_strict_tables_is_refused(monkeypatch):
    import sqlite3

    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))

    with pytest.raises(EngineError, match="too old"):
        load_engine("system")


def test_functions_that_a_sqlite_lacks_are_brought_along():
    engine = load_engine("auto")
    connection = engine.dbapi.connect(":memory:")

    bring_missing(connection, engine, {"lower": math.sqrt, "no_such_root": math.sqrt})

    assert connection.execute("SELECT lower('A'), no_such_root(9)").fetchone() == ("a", 3.0)
    connection.close()
