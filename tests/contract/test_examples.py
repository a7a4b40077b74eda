"""Every example of the contract replays: same fields, same types, same values where determined.

Each starts from an empty store, so the app is opened here rather than in a process of its own; what
the wire adds to an answer is the subject of `tests/server`.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from mimir_py.app import CATALOGUE, App
from mimir_py.tooling import Call
from tests.contract.promises import PROMISES, REFUSALS, Promise, Refusal, difference
from tests.server.program import error_text


async def _call(app: App, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    declared = CATALOGUE.find(f"perseus_vault_{tool}")
    assert declared is not None
    return await app.call(declared, arguments, Call())


def _payload(result: Mapping[str, Any]) -> dict[str, Any]:
    assert "isError" not in result, result
    payload: dict[str, Any] = json.loads(result["content"][0]["text"])
    return payload


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    """Arguments with the ids that earlier answers gave."""
    if isinstance(value, Mapping):
        return {name: _filled(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, known) for inner in value]
    return known.get(value, value) if isinstance(value, str) else value


def _example(promise: Promise) -> Any:
    # A sealed store's notes are refused until `plain` is said, which the contract does not know.
    is_plain = any(tool == "vault_export" for tool, _ in (*promise.before, promise.call))
    return pytest.param(
        promise,
        id=f"{promise.section} {promise.tool}: {promise.sentence}",
        marks=pytest.mark.plain if is_plain else (),
    )


@pytest.mark.parametrize("promise", [_example(promise) for promise in PROMISES])
async def test_an_example_of_the_contract_replays(connected_app: App, promise: Promise) -> None:
    app = connected_app
    known: dict[str, str] = {}
    for tool, arguments in promise.before:
        answer = _payload(await _call(app, tool, _filled(arguments, known)))
        known |= {"{id}": answer["id"]} if "id" in answer else {}
        for found in answer.get("communities", ()):
            known["{community}"] = found["id"]
    tool, arguments = promise.call

    answer = _payload(await _call(app, tool, _filled(arguments, known)))

    assert difference(promise.answer, answer) == []


@pytest.mark.parametrize(
    "refusal", REFUSALS, ids=lambda refusal: f"{refusal.section} {refusal.tool}: {refusal.message}"
)
async def test_an_error_of_the_contract_says_what_is_wrong(app: App, refusal: Refusal) -> None:
    result = await _call(app, *refusal.call)

    assert refusal.message in error_text(result)


def test_every_tool_has_examples_and_every_example_a_tool() -> None:
    tools = {tool.spec.suffix for tool in CATALOGUE.tools}

    assert {promise.tool for promise in PROMISES} == tools
    assert {refusal.tool for refusal in REFUSALS} <= tools


def test_the_comparison_sees_what_is_missing_renamed_or_of_another_type() -> None:
    promised = {"id": "a", "items": [{"n": 1}]}

    assert difference(promised, {"id": "a", "items": [{"n": 1, "more": 2}], "more": 3}) == []
    assert difference(promised, {"items": [{"n": 1}]}) == ["answer.id is missing"]
    assert difference(promised, {"id": "a", "items": [{"n": True}]}) != []
    assert difference(promised, {"id": "a", "items": [{"n": "1"}]}) != []
    assert difference(promised, {"id": "a", "items": []}) != []
