"""S4: the keyword search under queries of every kind, and its hits against a scan."""

import asyncio
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, Final

from mimir_py.app import CATALOGUE, App, open_app
from mimir_py.config import load
from mimir_py.errors import MimirError
from mimir_py.storage.engine import load_engine
from mimir_py.tooling import Call
from torments import expressions
from torments.outcome import Outcome, Tally
from torments.setting import Setting

_TEXTS: Final = 120
_CONTROLS: Final = 500
_RAW_MATCH: Final = "SELECT rowid FROM entities_fts WHERE entities_fts MATCH ?"


def keyword_queries(setting: Setting) -> Outcome:
    """S4: keyword queries of every kind: no error, and plain words find what a scan finds."""
    store = setting.new_folder() / "memory.db"
    tally = asyncio.run(_searched(setting, store))
    control = _unquoted(setting.random("queries control"), store)
    what = "keyword queries of every kind: no error, and plain words find what a scan finds"
    return Outcome("S4", what, tally, "the same queries handed to FTS5 as they are", control)


async def _searched(setting: Setting, store: Path) -> Tally:
    dice, tally = setting.random("queries"), Tally()
    words = expressions.plain_words(dice)
    stored = {f"key{n}": text for n, text in enumerate(expressions.texts(dice, words, _TEXTS))}
    async with open_app(load({}, {"db_path": store, "max_answer_bytes": 0}), store.parent) as app:
        for key, text in stored.items():
            await _run(app, "remember", category="c", key=key, body_json=text)
        for number in setting.tries(setting.effort.queries):
            query, kind = _query(dice, words, number)
            found = await _fault(app, query, stored if kind == "plain" else None)
            tally.add(f"{kind} query {query[:80]!r}", [found] if found else [])
    return tally


def _query(dice: Random, words: list[str], number: int) -> tuple[str, str]:
    if number % 3 == 0:
        return expressions.random_text(dice), "random"
    if number % 3 == 1:
        return expressions.grammatical(dice, words), "grammatical"
    return " ".join(dice.sample(words, dice.randint(1, 3))), "plain"


async def _fault(app: App, query: str, stored: dict[str, str] | None) -> str:
    try:
        answer = await _run(app, "recall", query=query, mode="fts5", limit=_TEXTS)
    except MimirError as error:
        # A query with a NUL is refused at the entrance, by name.
        refused = "\x00" in query and str(error).startswith("query: ")
        return "" if refused else str(error)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is what we are looking for
        return repr(error)[:200]
    if stored is None:
        return ""
    found = {item["key"] for item in answer["items"]}
    wanted = expressions.matching(stored, query.split())
    return f"{len(wanted - found)} missing, {len(found - wanted)} too many" * (found != wanted)


async def _run(app: App, tool: str, **arguments: Any) -> dict[str, Any]:
    declared = CATALOGUE.find(f"mimir_{tool}")
    assert declared is not None
    return await app.run(declared, arguments, Call())


def _unquoted(dice: Random, store: Path) -> Tally:
    """The same queries as FTS5 itself takes them."""
    tally = Tally()
    dbapi = load_engine("auto").dbapi
    words = expressions.plain_words(dice)
    with closing(dbapi.connect(store)) as connection:
        for _ in range(_CONTROLS):
            query = expressions.grammatical(dice, words)
            try:
                connection.execute(_RAW_MATCH, (query,)).fetchall()
            except dbapi.Error as error:
                tally.add(repr(query[:80]), [str(error)])
            else:
                tally.add(repr(query[:80]), [])
    return tally
