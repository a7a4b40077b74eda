"""Nothing reaches for the network, and nothing misses it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.server.program import MIMIR, PROJECT, PYTHON, Program, environment, run
from tests.server.tour import tour

# Python reads this before anything else; an audit hook sees C extensions' sockets too.
_NO_NETWORK: Final = """
import os, sys

LOG = {log!r}

INTERNET = (2, 10)  # AF_INET and AF_INET6; what processes of one machine share is no network

def asked_only(frame):
    # urllib3 looks while it is imported whether the machine has IPv6: it binds, and sends nothing.
    while frame:
        if frame.f_code.co_name == "_has_ipv6":
            return True
        frame = frame.f_back
    return False

def refuse(event, arguments):
    if event == "socket.__new__":
        if arguments[1] not in INTERNET:
            return
    elif event in ("socket.connect", "socket.sendto", "socket.bind"):
        if arguments[0].family not in INTERNET:
            return
    elif event not in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        return
    if not asked_only(sys._getframe()):
        handle = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, (event + repr(arguments[1:]) + "\\n").encode())
        os.close(handle)
    raise OSError("this test has no network")

sys.addaudithook(refuse)
"""

_UNSHARE: Final = ("unshare", "-rn")


def _can_unshare() -> bool:
    try:
        return subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


# Where the machine allows it, what Python's own sockets do not see has no network either.
_NO_INTERFACES: Final = _UNSHARE if _can_unshare() else ()


class Offline:
    """A place without network: surroundings for processes, and the attempts they made."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.store = folder / "memory.db"
        self._log = folder / "attempts.log"
        site = folder / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(
            _NO_NETWORK.format(log=str(self._log)), encoding="utf-8"
        )
        self.env = {"PYTHONPATH": str(site)}

    def attempts(self) -> list[str]:
        return self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    return Offline(tmp_path)


def test_the_guard_refuses_and_records(offline: Offline) -> None:
    """Without this the tests below would pass with a guard that does nothing."""
    program = "import socket; socket.socketpair(); socket.create_connection(('localhost', 9))"

    done = run("-c", program, home=offline.home, command=(PYTHON,), **offline.env)

    assert "this test has no network" in done.stderr
    assert [attempt.split("(")[0] for attempt in offline.attempts()] == ["socket.getaddrinfo"]


def test_every_tool_works_offline(offline: Offline) -> None:
    env = environment(offline.home, **offline.env)
    command = (*_NO_INTERFACES, MIMIR, "serve")
    with Program("--db", offline.store, home=offline.home, command=command, env=env) as program:
        program.initialize()

        answers = tour(program)

    assert len(answers) > 15
    assert offline.attempts() == []


def test_the_command_line_works_offline(offline: Offline) -> None:
    def mimir(*arguments: str) -> str:
        command = (*_NO_INTERFACES, MIMIR)
        done = run(
            *arguments, "--db", offline.store, home=offline.home, command=command, **offline.env
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    lines = offline.home / "all.jsonl"
    mimir("write", "--category", "c", "--key", "k", "--body", "we use NATS")
    found = json.loads(mimir("recall", "message broker", "--mode", "dense", "--json"))
    mimir("export", str(lines))
    mimir("import", str(lines))
    checked = json.loads(mimir("doctor", "--json"))

    assert [item["content"] for item in found["items"]] == ["we use NATS"]
    assert "fault" not in [finding["level"] for finding in checked]
    assert offline.attempts() == []


def test_the_demo_works_offline(offline: Offline) -> None:
    sample = json.loads((PROJECT / "scripts" / "sample_project.json").read_text(encoding="utf-8"))
    short = offline.home.parent / "short.json"
    short.write_text(json.dumps({**sample, "memories": sample["memories"][:20]}), encoding="utf-8")
    command = (*_NO_INTERFACES, sys.executable, PROJECT / "scripts" / "demo.py")
    env = {**offline.env, "TMPDIR": str(short.parent), "COLUMNS": "200"}

    done = run(short, "--questions", "3", home=offline.home, command=command, **env)

    assert done.returncode == 0, done.stderr
    assert "3 questions: the right memory came first" in done.stdout
    assert offline.attempts() == []
