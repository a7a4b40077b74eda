"""What a tool's declaration says is what the tool does."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path
from typing import Any, Final

import pytest
from pysqlite3 import dbapi2

from mimir_py.app import CATALOGUE, App
from mimir_py.tooling import AnyTool, Call, Effect
from mimir_py.tooling.answer import to_json
from mimir_py.tooling.tool import IDEMPOTENCY_KEY
from mimir_py.values import IdSource

_EXAMPLE_ID: Final = "mem-3f9a1c0d77e2"
_MAKES_EXAMPLES: Final = (("remember", None), ("journal", None), ("state_set", None))
_TRIGGERED: Final = {
    "category": "lesson",
    "key": "replicas",
    "body_json": "check them first",
    "recall_when": ["postgres migration"],
}
_SUCCESSOR: Final = {"category": "decision", "key": "queue-2", "body_json": "use Kafka now"}


@pytest.fixture
def new_id() -> IdSource:
    """Gives the first memory the id that the examples speak of."""
    memories = itertools.count(int(_EXAMPLE_ID.removeprefix("mem-"), 16))
    others = itertools.count()
    return lambda prefix: f"{prefix}-{next(memories if prefix == 'mem' else others):012x}"


@pytest.fixture
def path(store_path: Path) -> Path:
    return store_path


@pytest.fixture
async def app(
    open_store: Callable[..., AbstractAsyncContextManager[App]], connectors: Path
) -> AsyncIterator[App]:
    """A store that holds what the examples speak of."""
    tools = {tool.spec.suffix: tool for tool in CATALOGUE.tools}
    async with open_store(connectors_config=connectors) as opened:
        for name, arguments in [*_MAKES_EXAMPLES, ("remember", _SUCCESSOR)]:
            made = await opened.run(tools[name], arguments or tools[name].spec.example, Call())
        link = {**tools["link"].spec.example, "to_id": made["id"]}
        await opened.run(tools["link"], link, Call())
        await opened.run(tools["communities"], {}, Call())
        await opened.run(tools["remember"], _TRIGGERED, Call())
        yield opened


# A sealed store's notes are refused until `plain` is said, which the example does not.
_MARKS: Final = {"vault_export": pytest.mark.plain}


def _tools(*effects: Effect) -> list[Any]:
    return [
        pytest.param(tool, id=tool.spec.suffix, marks=_MARKS.get(tool.spec.suffix, ()))
        for tool in CATALOGUE.tools
        if tool.spec.effect in effects
    ]


@pytest.mark.parametrize("tool", _tools(*Effect))
async def test_the_example_of_a_tool_runs(app: App, tool: type[AnyTool]) -> None:
    answer = await app.run(tool, tool.spec.example, Call())

    assert answer
    assert "ignored_arguments" not in answer
    assert answer.get("found") is not False
    assert answer.get("items") != []
    assert to_json(answer)


@pytest.mark.parametrize("tool", _tools(Effect.WRITES, Effect.DESTROYS))
async def test_a_change_asked_for_twice_under_a_key_is_made_once(
    app: App, path: Path, tool: type[AnyTool]
) -> None:
    call = {**tool.spec.example, IDEMPOTENCY_KEY: "a key of the client's"}
    first = await app.run(tool, call, Call())
    with closing(dbapi2.connect(path)) as watcher:
        before = watcher.execute("PRAGMA data_version").fetchone()

        again = await app.run(tool, call, Call())

        assert watcher.execute("PRAGMA data_version").fetchone() == before
    assert "ignored_arguments" not in first
    assert again == {**first, "replayed": True}


@pytest.mark.parametrize("tool", _tools(Effect.READS))
async def test_a_tool_that_says_it_reads_commits_nothing(
    app: App, path: Path, tool: type[AnyTool]
) -> None:
    """`data_version` moves whenever another connection commits. That a memory was used is noted
    later, in a batch, which is no part of the call."""
    with closing(dbapi2.connect(path)) as watcher:
        before = watcher.execute("PRAGMA data_version").fetchone()

        await app.run(tool, tool.spec.example, Call())

        assert watcher.execute("PRAGMA data_version").fetchone() == before


async def test_what_watches_for_commits_sees_one(app: App, path: Path) -> None:
    [forget] = [tool for tool in CATALOGUE.tools if tool.spec.suffix == "forget"]
    with closing(dbapi2.connect(path)) as watcher:
        before = watcher.execute("PRAGMA data_version").fetchone()

        await app.run(forget, forget.spec.example, Call())

        assert watcher.execute("PRAGMA data_version").fetchone() != before


async def test_a_recall_that_is_not_to_be_noted_is_not(app: App, path: Path) -> None:
    recall = CATALOGUE.find("mimir_recall")
    assert recall is not None
    with closing(dbapi2.connect(path)) as watcher:
        before = watcher.execute("PRAGMA data_version").fetchone()

        await app.run(recall, {"query": "queue", "reinforce": False}, Call())
        await app.usage.flush()
        unnoted = watcher.execute("PRAGMA data_version").fetchone()
        await app.run(recall, {"query": "queue"}, Call())
        await app.usage.flush()
        noted = watcher.execute("PRAGMA data_version").fetchone()

    assert (unnoted == before, noted == before) == (True, False)
