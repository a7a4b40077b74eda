"""How published adapters drive the program (contract, section 15), call by call."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.program import MIMIR, Program, request, tool_call


class Adapter:
    """What the adapters share: ids that skip by two, no `initialized`, structured content first."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._id = 1
        self._send(request(1, "initialize", {"protocolVersion": "2024-11-05"}))

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        self._id += 2
        result = self._send(tool_call(self._id, tool, arguments))["result"]
        payload: dict[str, Any] = result["structuredContent"]
        assert "error" not in payload
        assert payload == json.loads(result["content"][0]["text"])
        return payload

    def _send(self, message: dict[str, Any]) -> dict[str, Any]:
        self._program.send(message)
        line = self._program.receive_line()
        assert line is not None
        answer: dict[str, Any] = json.loads(line)
        assert answer["id"] == message["id"]
        return answer


class LangGraph(Adapter):
    """`MimirStore`: namespaces are categories, values are bodies."""

    def put(self, namespace: str, key: str, value: Any) -> str:
        body = json.dumps({"value": value})
        answer = self.call(
            "remember", category=namespace, key=key, body_json=body, type="langgraph_item"
        )
        return str(answer["action"])

    def get(self, namespace: str, key: str) -> Any:
        found = self.call("recall", query=key, category=namespace, limit=5)
        for item in found["items"]:
            if item["key"] == key:
                assert type(item["created_at_unix_ms"]) is int
                assert type(item["last_accessed_unix_ms"]) is int
                return json.loads(item["body_json"])["value"]
        return None

    def search(self, namespace: str, query: str = "", limit: int = 10, offset: int = 0) -> Any:
        found = self.call("recall", query=query, limit=limit, offset=offset, category=namespace)
        for item in found["items"]:
            assert 0 <= item["decay_score"] <= 1
        return {item["key"]: json.loads(item["body_json"])["value"] for item in found["items"]}

    def delete(self, namespace: str, key: str) -> bool:
        return bool(self.call("forget", category=namespace, key=key)["found"])

    def namespaces(self) -> dict[str, int]:
        counts: dict[str, int] = self.call("stats")["by_category"]
        return counts


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder: Path = tmp_path_factory.mktemp("adapter")
    with Program("--db", folder / "memory.db", home=folder / "home", command=(MIMIR,)) as running:
        yield running


@pytest.fixture(scope="module")
def langgraph(program: Program) -> LangGraph:
    return LangGraph(program)


def test_langgraph_puts_gets_searches_and_deletes(langgraph: LangGraph) -> None:
    assert langgraph.put("users/ann", "food", {"likes": "ramen"}) == "created"
    assert langgraph.put("users/ann", "drink", {"likes": "green tea"}) == "created"
    assert langgraph.put("users/bob", "food", {"likes": "pizza"}) == "created"

    assert langgraph.get("users/ann", "food") == {"likes": "ramen"}
    assert langgraph.get("users/ann", "music") is None
    assert langgraph.search("users/ann", "noodle soup", limit=1) == {"food": {"likes": "ramen"}}
    assert set(langgraph.search("users/ann")) == {"food", "drink"}
    assert len(langgraph.search("users/ann", limit=1, offset=1)) == 1
    assert langgraph.namespaces().keys() >= {"users/ann", "users/bob"}
    assert langgraph.delete("users/ann", "food") is True
    assert langgraph.get("users/ann", "food") is None
    assert langgraph.get("users/bob", "food") == {"likes": "pizza"}


def test_langgraph_keeps_two_keys_of_one_value_apart(langgraph: LangGraph) -> None:
    value = {"state": "waiting for approval"}
    langgraph.put("runs", "run-1", value)
    langgraph.put("runs", "run-2", value)

    assert langgraph.get("runs", "run-1") == value
    assert langgraph.get("runs", "run-2") == value
    assert value in langgraph.search("runs", "waiting for approval").values()

    langgraph.put("runs", "run-1", {"state": "approved"})
    assert langgraph.get("runs", "run-1") == {"state": "approved"}
    assert langgraph.get("runs", "run-2") == value

    langgraph.delete("runs", "run-1")
    assert langgraph.get("runs", "run-1") is None
    assert langgraph.get("runs", "run-2") == value


def test_langgraph_deletes_either_of_two_keys_of_one_value(langgraph: LangGraph) -> None:
    for first, second in (("a", "b"), ("d", "c")):
        namespace = f"pairs/{first}"
        langgraph.put(namespace, first, "same")
        langgraph.put(namespace, second, "same")

        assert langgraph.delete(namespace, "a" if first == "a" else "c") is True

        left, gone = ("b", "a") if first == "a" else ("d", "c")
        assert langgraph.get(namespace, left) == "same"
        assert langgraph.get(namespace, gone) is None
        assert langgraph.search(namespace, "same") == {left: "same"}


def test_langgraph_lists_both_keys_of_one_value(langgraph: LangGraph) -> None:
    """A store that put two items finds two when it lists the namespace."""
    langgraph.put("listed", "one", "equal")
    langgraph.put("listed", "two", "equal")

    assert langgraph.search("listed") == {"one": "equal", "two": "equal"}


def test_langgraph_gets_a_key_among_many_that_resemble_it(langgraph: LangGraph) -> None:
    for number in range(30):
        langgraph.put("steps", f"step-{number}", {"note": f"the note of step-{number}"})

    got = [langgraph.get("steps", f"step-{number}") for number in range(30)]

    assert got == [{"note": f"the note of step-{number}"} for number in range(30)]


def test_crewai_and_autogen_remember_and_recall(program: Program, langgraph: LangGraph) -> None:
    langgraph.call(
        "remember",
        category="crew",
        key="task-1",
        body_json=json.dumps({"content": "The report is due on the 3rd of May"}),
    )

    [item] = langgraph.call("recall", query="when is the report due", category="crew")["items"]

    assert (item["category"], item["key"]) == ("crew", "task-1")
    assert json.loads(item["body_json"])["content"] == "The report is due on the 3rd of May"
    assert item["decay_score"] == 0.5
