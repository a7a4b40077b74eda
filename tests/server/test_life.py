"""The process ends when it should, at once, and leaves nothing behind."""

import fcntl
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import pytest
from pysqlite3 import dbapi2

from tests.server.program import (
    ENDS_WITHIN_S,
    MIMIR,
    Message,
    Program,
    environment,
    request,
    serving,
    tool_call,
    until,
)

_FACT: Final = {"category": "decision", "key": "queue", "body_json": '{"content":"use NATS"}'}

_STARTER: Final = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:])
print(child.pid, file=sys.stderr, flush=True)
child.wait()
"""


def _gone(pid: int) -> bool:
    """Whether a process has ended; one whose parent does not reap it has ended too."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _close_stdout_and_call(program: Program) -> None:
    program.stop_reading()
    program.send(request("unheard", "ping"))


_ENDINGS: Final[dict[str, Callable[[Program], None]]] = {
    "end of input": Program.end_input,
    "SIGTERM": lambda program: program.process.send_signal(signal.SIGTERM),
    "SIGINT": lambda program: program.process.send_signal(signal.SIGINT),
    "SIGHUP": lambda program: program.process.send_signal(signal.SIGHUP),
    "stdout closed": _close_stdout_and_call,
}


@pytest.mark.parametrize("end", _ENDINGS.values(), ids=_ENDINGS)
def test_an_idle_server_ends_and_leaves_the_store_free(
    tmp_path: Path, end: Callable[[Program], None]
) -> None:
    store = tmp_path / "memory.db"
    with serving(store) as program:
        program.call("health")
        assert psutil.Process(program.pid).children(recursive=True) == []

        end(program)

        assert program.exit_code(ENDS_WITHIN_S) == 0
        assert "Traceback" not in program.stderr()
    _write_at_once(store)


@pytest.mark.parametrize("ending", ["end of input", "SIGTERM"])
def test_a_server_ends_in_the_middle_of_a_call(bulk_store: Path, ending: str) -> None:
    with serving(bulk_store) as program:
        program.send(tool_call("long", "reindex", {}, _meta={"progressToken": "p"}))
        program.progress()

        _ENDINGS[ending](program)

        assert program.exit_code(ENDS_WITHIN_S) in (0, 1)
        assert "Traceback" not in program.stderr()
    _write_at_once(bulk_store)


def _write_at_once(store: Path) -> None:
    """Take both locks of a store without waiting, and check that the file is whole."""
    with store.with_name(store.name + ".lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with closing(dbapi2.connect(store, timeout=0, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO meta VALUES ('test', 'written')")
            connection.execute("COMMIT")
            assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]


def test_a_killed_server_takes_no_acknowledged_write_with_it(bulk_store: Path) -> None:
    with serving(bulk_store) as program:
        written = program.call("remember", **_FACT)
        program.send(tool_call("long", "reindex", {}, _meta={"progressToken": "p"}))
        program.progress()
        program.process.kill()
        program.process.wait()

    with serving(bulk_store, MIMIR_BUSY_TIMEOUT_MS="1000") as other:
        found = other.call("recall", query="queue", category="decision", mode="fts5")
        again = other.call("remember", **{**_FACT, "body_json": "now Kafka"})

    assert [item["id"] for item in found["items"]] == [written["id"]]
    assert (again["id"], again["action"]) == (written["id"], "updated")


def test_what_was_recalled_is_noted_before_the_server_ends(bulk_store: Path) -> None:
    """Uses are written a little later than they are made; the end does not wait for that."""
    with serving(bulk_store) as program:
        program.call("recall", query="", limit=3)
        program.process.send_signal(signal.SIGTERM)
        program.exit_code()

    with closing(dbapi2.connect(bulk_store)) as connection:
        counts = connection.execute("SELECT sum(retrieval_count) FROM entities").fetchall()
    assert counts == [(3,)]


def test_a_server_ends_before_initialize(fresh: Program) -> None:
    fresh.end_input()

    assert fresh.exit_code() == 0
    assert fresh.rest() == []


def test_a_server_ends_with_its_parent_though_its_pipe_stays_open(tmp_path: Path) -> None:
    """A host that is killed may leave the pipe in other hands, so that its end is never seen."""
    server = [str(MIMIR), "serve", "--db", str(tmp_path / "memory.db")]
    starter = (sys.executable, "-c", _STARTER)
    with Program(*server, home=tmp_path / "home", command=starter) as program:
        program.initialize()
        pid = int(program.stderr().split()[0])
        assert not _gone(pid)

        program.process.kill()

        until(lambda: _gone(pid), ENDS_WITHIN_S)


def test_stdout_is_json_whatever_a_library_prints(tmp_path: Path) -> None:
    noisy = tmp_path / "noisy.py"
    noisy.write_text(_NOISY, encoding="utf-8")
    command = (sys.executable, noisy, tmp_path / "begin", tmp_path / "done", "serve")
    home = tmp_path / "home"
    with Program("--db", tmp_path / "memory.db", home=home, command=command) as program:
        program.initialize()
        program.call("health")

        (tmp_path / "begin").touch()
        until((tmp_path / "done").exists)
        program.call("remember", **_FACT)
        found = program.call("recall", query="which queue")

        assert [item["content"] for item in found["items"]] == ["use NATS"]
        assert Path(f"/proc/{program.pid}/fd/1").stat().st_ino == program.log.stat().st_ino
        for noise in ("printed", "written to 1", "from a child"):
            assert noise in program.stderr()


_NOISY: Final = """
import os, pathlib, subprocess, sys, threading, time

begin, done = map(pathlib.Path, sys.argv[1:3])
del sys.argv[1:3]

def chatter():
    while not begin.exists():
        time.sleep(0.01)
    print("printed", flush=True)
    sys.__stdout__.write("printed to the old one\\n")
    sys.__stdout__.flush()
    os.write(1, b"written to 1\\n")
    subprocess.run(["echo", "from a child"])
    done.touch()

threading.Thread(target=chatter, daemon=True).start()
from mimir_py.__main__ import main
main()
"""


def test_a_normal_session_is_quiet_on_stderr(tmp_path: Path) -> None:
    with serving(tmp_path / "memory.db") as program:
        program.ask("tools/list")
        for number in range(20):
            program.call("remember", category="c", key=f"k{number}", body_json=f"fact {number}")
            program.call("recall", query=f"fact {number}")
        program.refusal("recall")
        program.refusal("get_entity", id="mem-none")
        program.call("reindex")
        program.call("forget", category="c", key="k1")
        program.end_input()
        program.exit_code()

        assert len(program.stderr()) < 1_024, program.stderr()


def test_a_cancelled_call_is_not_answered_and_the_next_one_is(bulk_store: Path) -> None:
    cancel = {
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": {"requestId": "long", "reason": "changed my mind"},
    }
    with serving(bulk_store) as program:
        program.send(tool_call("long", "reindex", {}, _meta={"progressToken": "p"}))
        program.progress()

        program.send(cancel)
        written = program.call("remember", **_FACT)
        found = program.call("recall", query="queue", mode="fts5", category="decision")
        program.end_input()

        assert [item["id"] for item in found["items"]] == [written["id"]]
        assert "long" not in [message.get("id") for message in program.rest()]
        assert program.exit_code() == 0


@dataclass(frozen=True)
class _Work:
    """What long calls of one client answered, in order, with the notifications before each."""

    embedded: Message
    embedding: list[Message]
    unasked: list[Message]
    answered: list[Message]
    reindexing: list[Message]


@pytest.fixture(scope="module")
def work(bulk_store_path: Path, tmp_path_factory: pytest.TempPathFactory) -> _Work:
    store = Path(shutil.copy(bulk_store_path, tmp_path_factory.mktemp("work")))
    batch = {"batch_category": "note", "batch_limit": 5}
    with serving(store) as program:
        program.call("embed", **batch)
        unasked = program.taken_notifications()
        program.send(tool_call("embed", "embed", batch, _meta={"progressToken": 7}))
        embedded = program.receive()
        embedding = program.taken_notifications()
        program.send(
            tool_call("long", "reindex", {}, _meta={"progressToken": "token 🧠"}),
            tool_call("next", "health", {}),
        )
        answered = [program.receive(), program.receive()]
        return _Work(embedded, embedding, unasked, answered, program.taken_notifications())


def test_a_long_call_does_not_hold_up_later_ones(work: _Work) -> None:
    assert [answer["id"] for answer in work.answered] == ["next", "long"]
    assert work.answered[1]["result"]["structuredContent"] == {"reindexed": 500}


def test_progress_is_reported_under_the_callers_token_and_only_ever_rises(work: _Work) -> None:
    """MCP: "the progress value MUST increase with each notification"."""
    reports = [report["params"] for report in work.reindexing]

    done = [report["progress"] for report in reports]
    assert {report["method"] for report in work.reindexing} == {"notifications/progress"}
    assert {report["progressToken"] for report in reports} == {"token 🧠"}
    assert {report["total"] for report in reports} == {done[-1]}
    assert len(done) > 2
    assert done == sorted(set(done))


def test_embedding_a_category_reports_each_memory(work: _Work) -> None:
    assert work.embedded["result"]["structuredContent"]["embedded"] == 5
    assert [
        (report["params"]["progressToken"], report["params"]["progress"], report["params"]["total"])
        for report in work.embedding
    ] == [(7, number, 5) for number in range(1, 6)]


def test_a_call_without_a_token_gets_no_progress(work: _Work) -> None:
    assert work.unasked == []


def test_a_server_under_a_host_that_never_reads_stderr_goes_on(tmp_path: Path) -> None:
    """Adapters pipe stderr and do not drain it; what fills the pipe must never block a call."""
    with subprocess.Popen(
        [MIMIR, "serve", "--db", tmp_path / "memory.db"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
        text=True,
    ) as process:
        lines = "".join(
            f'{{"jsonrpc":"2.0","id":{n},"method":"{"initialize" if n == 0 else "no/such"}"}}\n'
            for n in range(2_000)
        )
        answers, errors = process.communicate(lines, timeout=30)

    assert len(answers.splitlines()) == 2_000
    assert len(errors) < 1_024
    assert process.returncode == 0
