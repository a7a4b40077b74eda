"""S7: writes that are sent again, at once through two processes, and after a kill."""

import json
import random
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from torments.outcome import Outcome, Tally
from torments.pipes import NotJson, Pipes, Silence, serving
from torments.setting import Setting

# One in so many is sent to a process that is killed meanwhile.
_KILLED: Final = 10
_LATEST_KILL_S: Final = 0.03
_ENTRIES: Final = {"event_type": "retry", "limit": 5, "workspace_hash": "*"}


def repeated_writes(setting: Setting) -> Outcome:
    """S7: a write sent twice under a key, through two processes or after a kill, is made once."""
    what = "a write sent twice under a key, through two processes or after a kill, is made once"
    tally = _written(setting, setting.effort.retries, keyed=True)
    control = _written(setting, max(4, setting.effort.retries // 10), keyed=False)
    return Outcome("S7", what, tally, "the same without a key", control)


def _written(setting: Setting, count: int, *, keyed: bool) -> Tally:
    store = setting.new_folder() / "memory.db"
    dice, tally = setting.random(f"retries {keyed}"), Tally()
    one, other = _opened(setting, store), _opened(setting, store)
    for number in setting.tries(count):
        key = {"idempotency_key": f"try {number}"} if keyed else {}
        arguments = {"event_type": "retry", "category": f"c{number}", "acted": {"n": number}, **key}
        try:
            if number % _KILLED == _KILLED - 1:
                one = _sent_to_the_killed(setting, store, one, arguments, dice)
                other.call("journal", arguments)
                entries = other.call("timeline", {**_ENTRIES, "category": f"c{number}"})
                found = _faults_of_entries(entries)
            else:
                found = _sent_at_once(one, other, number, arguments, key)
        except (Silence, NotJson) as error:
            found = [str(error)]
        tally.add(f"try {number}", found)
    for pipes in (one, other):
        if code := pipes.close():
            tally.add("at its end", [f"exit code {code}"])
    return tally


def _opened(setting: Setting, store: Path) -> Pipes:
    pipes = serving(setting, store)
    pipes.initialize()
    pipes.call("health", {})
    return pipes


def _sent_at_once(
    one: Pipes, other: Pipes, number: int, arguments: Mapping[str, Any], key: Mapping[str, Any]
) -> list[str]:
    """A journal entry through both at the same time, and a memory that changes in between."""
    answers: list[dict[str, Any]] = []

    def send(pipes: Pipes) -> None:
        answers.append(pipes.call("journal", arguments)["structuredContent"])

    second = threading.Thread(target=send, args=(other,))
    second.start()
    send(one)
    second.join()
    found = _faults_of_entries(one.call("timeline", {**_ENTRIES, "category": f"c{number}"}))
    if len(answers) != 2 or answers[0].get("id") != answers[1].get("id"):
        found.append(f"two answers: {str(answers)[:200]}")
    memory = {"category": "c", "key": f"k{number}"}
    key = {name: f"{value}, memory" for name, value in key.items()}
    first = one.call("remember", {**memory, "body_json": "first", **key})["structuredContent"]
    other.call("remember", {**memory, "body_json": "second"})
    other.call("remember", {**memory, "body_json": "first", **key})
    stored = one.call("get_entity", {"id": first["id"]})["structuredContent"]
    if json.loads(stored["body_json"]) != {"content": "second"}:
        found.append("a late repeat undid what came after")
    return found


def _sent_to_the_killed(
    setting: Setting, store: Path, pipes: Pipes, arguments: Mapping[str, Any], dice: random.Random
) -> Pipes:
    """Send a call to a process and kill that within a moment; another in its place."""
    params = {"name": "mimir_journal", "arguments": dict(arguments)}
    call = {"jsonrpc": "2.0", "id": "killed", "method": "tools/call", "params": params}
    pipes.send(json.dumps(call).encode() + b"\n")
    time.sleep(dice.uniform(0, _LATEST_KILL_S))
    pipes.process.kill()
    pipes.close()
    return _opened(setting, store)


def _faults_of_entries(result: Mapping[str, Any]) -> list[str]:
    count = len(result["structuredContent"]["items"])
    return [] if count == 1 else [f"{count} entries"]
