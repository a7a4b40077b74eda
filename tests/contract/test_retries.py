"""The argument under which a change is made once, on every tool that changes something.

That each of them answers a repeat as before is in `tests/architecture/test_tools.py`.
"""

from typing import Any

import pytest

from mimir_py.app import CATALOGUE, App
from mimir_py.errors import InvalidInput
from mimir_py.tooling import AnyTool, Call, Effect
from mimir_py.tooling.catalogue import listing
from mimir_py.tooling.tool import IDEMPOTENCY_KEY, MOST_KEY_CHARS

_WRITING = [tool for tool in CATALOGUE.tools if tool.spec.effect is not Effect.READS]
_READING = [tool for tool in CATALOGUE.tools if tool.spec.effect is Effect.READS]
_KEYED = {IDEMPOTENCY_KEY: "a key of the client's"}


def _suffixes(tools: list[type[AnyTool]]) -> list[Any]:
    return [pytest.param(tool, id=tool.spec.suffix) for tool in tools]


def _listed(*, brief: bool) -> dict[str, set[str]]:
    entries = listing(CATALOGUE.tools, brief=brief)
    return {entry["name"]: set(entry["inputSchema"]["properties"]) for entry in entries}


def test_the_key_is_listed_for_tools_that_change_something_and_for_no_other() -> None:
    with_key = {
        name for name, arguments in _listed(brief=False).items() if IDEMPOTENCY_KEY in arguments
    }

    assert with_key == {tool.spec.name for tool in _WRITING}


def test_a_lean_listing_does_without_the_key() -> None:
    assert not any(IDEMPOTENCY_KEY in arguments for arguments in _listed(brief=True).values())


@pytest.mark.parametrize("tool", _suffixes(_WRITING))
@pytest.mark.parametrize("key", ["", "x" * (MOST_KEY_CHARS + 1), 5, True, ["a"], {}, "a\x00b"])
async def test_a_key_that_is_none_is_refused_by_name(
    app: App, tool: type[AnyTool], key: Any
) -> None:
    with pytest.raises(InvalidInput, match=f"^{IDEMPOTENCY_KEY}: "):
        await app.run(tool, {**tool.spec.example, IDEMPOTENCY_KEY: key}, Call())


@pytest.mark.parametrize("tool", _suffixes(_READING))
def test_a_tool_that_only_reads_knows_no_key(tool: type[AnyTool]) -> None:
    _, unknown = tool.parse({**tool.spec.example, **_KEYED})

    assert unknown == [IDEMPOTENCY_KEY]


async def test_a_late_repeat_does_not_undo_what_came_after(app: App) -> None:
    remember = CATALOGUE.find("mimir_remember")
    get = CATALOGUE.find("mimir_get_entity")
    assert remember is not None
    assert get is not None
    named = {"category": "decision", "key": "cache"}
    first = await app.run(remember, {**named, "body_json": "Redis", **_KEYED}, Call())
    await app.run(remember, {**named, "body_json": "Valkey"}, Call())

    again = await app.run(remember, {**named, "body_json": "Redis", **_KEYED}, Call())

    assert again == {**first, "replayed": True}
    assert (await app.run(get, {"id": first["id"]}, Call()))["body_json"] == (
        '{"content": "Valkey"}'
    )
