"""Several servers on one file, whatever SQLite each of them runs on."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import pytest
from pysqlite3 import dbapi2

from tests.server.program import Program, run, serving, tool_call
from tests.server.tour import MODES, tour

_SERVERS: Final = 8
_WRITES: Final = 25
_SHARED_WRITES: Final = 5

_SUBJECTS: Final = {
    "": ("The staging database is restored every Sunday night", "restore staging"),
    "hybrid": ("Invoices are numbered by year and country", "how are invoices numbered"),
    "dense": ("Our office dog is called Bruno", "name of the animal at work"),
    "fts5": ("Feature flags live in LaunchDarkly", "LaunchDarkly flags"),
}


_ENGINES: Final = [("bundled", "bundled"), ("bundled", "system")]


@pytest.fixture(scope="module", params=_ENGINES, ids="-".join)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Program, Program]]:
    """A server on a store that it has just made, and another on the same file beside it."""
    store = tmp_path_factory.mktemp("pair") / "memory.db"
    maker, joiner = request.param
    with serving(store, MIMIR_SQLITE_DRIVER=maker) as one:
        one.call("remember", category="first", key="k", body_json="made by the first")
        with serving(store, MIMIR_SQLITE_DRIVER=joiner) as other:
            yield one, other


def test_a_second_server_opens_a_store_that_the_first_has_just_made(
    pair: tuple[Program, Program],
) -> None:
    found = pair[1].call("recall", query="made by the first", category="first")

    assert [item["key"] for item in found["items"]] == ["k"]


@pytest.mark.parametrize("forth", [True, False], ids=["forth", "back"])
@pytest.mark.parametrize("mode", MODES)
def test_what_one_acknowledges_the_other_finds_at_once(
    pair: tuple[Program, Program], mode: str, forth: bool
) -> None:
    writer, reader = pair if forth else reversed(pair)
    fact, question = _SUBJECTS[mode]
    name = {"category": f"{mode}-{forth}", "key": "fact"}

    before = reader.call("recall", query=question, mode=mode, category=name["category"])
    written = writer.call("remember", **name, body_json={"content": fact})
    found = reader.call("recall", query=question, mode=mode, category=name["category"])
    writer.call("remember", **name, body_json={"content": f"{fact}, since May"})
    updated = reader.call("recall", query=question, mode=mode, category=name["category"])
    writer.call("forget", **name)
    after = reader.call("recall", query=question, mode=mode, category=name["category"])

    assert before["items"] == []
    assert [item["id"] for item in found["items"]] == [written["id"]]
    assert [item["content"] for item in updated["items"]] == [f"{fact}, since May"]
    assert after["items"] == []


def test_what_one_rebuilds_the_other_goes_on_finding(pair: tuple[Program, Program]) -> None:
    one, other = pair
    one.call("remember", category="rebuilt", key="k", body_json="the lighthouse keeper's log")
    found = [
        other.call("recall", query="lighthouse", mode=mode)["items"][0]["id"] for mode in MODES
    ]

    one.call("reindex")

    again = [
        other.call("recall", query="lighthouse", mode=mode)["items"][0]["id"] for mode in MODES
    ]
    assert again == found


def test_eight_servers_make_one_store_write_at_once_and_lose_nothing(tmp_path: Path) -> None:
    store = tmp_path / "memory.db"
    with ExitStack() as stack:
        servers = [
            stack.enter_context(Program("--db", store, home=tmp_path / "home"))
            for _ in range(_SERVERS)
        ]
        for number, server in enumerate(servers):
            server.send(*_calls(number))
        answers = [server.answer(n) for server in servers for n in range(_WRITES + _SHARED_WRITES)]
    results = [answer["result"] for answer in answers]

    with closing(dbapi2.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        stored = connection.execute("SELECT category, key FROM entities").fetchall()
        windows = connection.execute(
            "SELECT recorded_at_unix_ms, invalidated_at_unix_ms FROM entity_history"
            " ORDER BY recorded_at_unix_ms"
        ).fetchall()
        [(live_since,)] = connection.execute(
            "SELECT recorded_at_unix_ms FROM entities WHERE category = 'shared'"
        ).fetchall()
        soundness = connection.execute("PRAGMA integrity_check").fetchall()

    own = {(f"server-{number}", f"k{n}") for number in range(_SERVERS) for n in range(_WRITES)}
    assert not any("isError" in result for result in results), results
    actions = [result["structuredContent"]["action"] for result in results]
    assert actions.count("created") == len(own) + 1
    assert set(stored) == own | {("shared", "counter")}
    assert len(windows) == _SERVERS * _SHARED_WRITES - 1
    assert [end for _, end in windows] == [*(start for start, _ in windows[1:]), live_since]
    assert soundness == [("ok",)]


def _calls(number: int) -> Iterator[dict[str, object]]:
    """Memories of the server's own, then versions of one that all servers write."""
    yield {"jsonrpc": "2.0", "id": "start", "method": "initialize"}
    for n in range(_WRITES):
        own = {"category": f"server-{number}", "key": f"k{n}", "body_json": f"fact {number}/{n}"}
        yield tool_call(n, "remember", own)
    for n in range(_SHARED_WRITES):
        body = f"server {number} was here {n} times"
        shared = {"category": "shared", "key": "counter", "body_json": body}
        yield tool_call(_WRITES + n, "remember", shared)


def test_the_systems_sqlite_gives_the_same_answers_as_the_bundled_one(tmp_path: Path) -> None:
    answers = []
    found = []
    for driver, other in (("bundled", "system"), ("system", "bundled")):
        store = tmp_path / f"{driver}.db"
        with serving(store, MIMIR_SQLITE_DRIVER=driver) as program:
            answers.append(tour(program))
        question = ("recall", "Friday", "--mode", "fts5", "--json", "--db", store)
        done = run(*question, home=tmp_path, MIMIR_SQLITE_DRIVER=other)
        found.append(json.loads(done.stdout)["items"][0]["key"])

    assert answers[1] == answers[0]
    assert found == ["deploys", "deploys"]
