"""One client's calls take effect in the order they were sent, and none is lost at the end."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from pysqlite3 import dbapi2

from tests.server.program import Message, Program, serving, tool_call

_VALUES: Final = 200


def _remembers(key: str) -> Iterator[Message]:
    for number in range(1, _VALUES + 1):
        body = json.dumps({"content": f"the counter is at {number}"})
        yield tool_call(number, "remember", {"category": "count", "key": key, "body_json": body})


@pytest.fixture(scope="module")
def overwritten(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Message]]:
    """A store whose one memory was written 200 times in one go, then recalled; and the answers.

    Input ends behind the calls, before any is answered.
    """
    store = tmp_path_factory.mktemp("order") / "memory.db"
    with serving(store) as program:
        recall = tool_call("recall", "recall", {"query": "counter", "category": "count"})
        program.send(*_remembers("counter"), recall)
        program.end_input()
        answers = program.rest()
        assert program.exit_code() == 0
    return store, answers


def test_pipelined_calls_are_answered_in_order_though_input_has_ended(
    overwritten: tuple[Path, list[Message]],
) -> None:
    _, answers = overwritten

    actions = [answer["result"]["structuredContent"].get("action") for answer in answers]
    assert [answer["id"] for answer in answers] == [*range(1, _VALUES + 1), "recall"]
    assert actions == ["created", *["updated"] * (_VALUES - 1), None]


def test_a_recall_sees_the_last_value_written_before_it(
    overwritten: tuple[Path, list[Message]],
) -> None:
    _, answers = overwritten

    items = answers[-1]["result"]["structuredContent"]["items"]
    assert [item["content"] for item in items] == [f"the counter is at {_VALUES}"]


def test_versions_are_kept_in_order_without_a_gap(
    overwritten: tuple[Path, list[Message]],
) -> None:
    store, _ = overwritten

    versions = _rows(
        store,
        "SELECT history_id, body_json, recorded_at_unix_ms, invalidated_at_unix_ms, supersedes"
        " FROM entity_history ORDER BY recorded_at_unix_ms",
    )
    [live] = _rows(
        store, "SELECT body_json, recorded_at_unix_ms, supersedes, retrieval_count FROM entities"
    )
    contents = [json.loads(version["body_json"])["content"] for version in versions]
    starts = [
        *(version["recorded_at_unix_ms"] for version in versions),
        live["recorded_at_unix_ms"],
    ]
    ends = [version["invalidated_at_unix_ms"] for version in versions]
    supersedes = [*(version["supersedes"] for version in versions), live["supersedes"]]

    assert contents == [f"the counter is at {number}" for number in range(1, _VALUES)]
    assert ends == starts[1:]
    assert all(start < end for start, end in zip(starts, ends, strict=False))
    assert supersedes == ["", *(version["history_id"] for version in versions)]


def test_a_write_a_read_and_a_forget_interleave_as_sent(shared: Program) -> None:
    name = {"category": "rounds", "key": "k"}
    calls: list[Message] = []
    for number in range(30):
        body = json.dumps({"content": f"round {number}"})
        read = {"query": "round", "category": "rounds"}
        calls.append(tool_call(4 * number, "remember", {**name, "body_json": body}))
        calls.append(tool_call(4 * number + 1, "recall", {**read, "mode": "fts5"}))
        calls.append(tool_call(4 * number + 2, "forget", name))
        calls.append(tool_call(4 * number + 3, "recall", read))

    shared.send(*calls)
    payloads = [shared.answer(n)["result"]["structuredContent"] for n in range(len(calls))]

    for number in range(30):
        _, seen, forgotten, gone = payloads[4 * number : 4 * number + 4]
        assert [item["content"] for item in seen["items"]] == [f"round {number}"]
        assert forgotten["found"] is True
        assert gone["items"] == []


def test_a_call_cancelled_while_it_waits_its_turn_does_nothing(shared: Program) -> None:
    """Ids are compared with their type: `"39"` is another call than `39`."""
    calls = [
        tool_call(id, "remember", {"category": "line", "key": repr(id), "body_json": f"no. {id!r}"})
        for id in [*range(40), "39"]
    ]
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "39"}}

    answers = shared.exchange(*calls, cancel, answers=40)
    found = shared.call("recall", query="", category="line", limit=100)["items"]

    assert [answer["id"] for answer in answers] == list(range(40))
    assert {item["key"] for item in found} == {str(number) for number in range(40)}


def test_a_reader_slower_than_the_server_loses_nothing(fresh: Program) -> None:
    """More answers than a pipe holds wait until the client reads them."""
    fresh.initialize()
    fresh.call("remember", category="c", key="long", body_json={"content": "word " * 8_000})

    fresh.send(*(tool_call(number, "recall", {"query": "long"}) for number in range(100)))
    fresh.end_input()
    answers = fresh.rest()

    assert [answer["id"] for answer in answers] == list(range(100))
    assert fresh.exit_code() == 0


def _rows(store: Path, statement: str) -> list[Any]:
    with closing(dbapi2.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        connection.row_factory = dbapi2.Row
        rows: list[Any] = connection.execute(statement).fetchall()
        return rows
