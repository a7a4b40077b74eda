"""The command line of the server, and of `mimir` itself."""

import json
from pathlib import Path

import pytest

from mimir_py import __version__
from tests.cli.conftest import Mimir
from tests.server.program import PYTHON, encoded, request, run, tool_call


def test_help_and_version_are_printed(mimir: Mimir) -> None:
    version, usage, serving = mimir("--version"), mimir("--help"), mimir("serve", "--help")

    assert (version.returncode, version.stdout) == (0, f"mimir {__version__}\n")
    assert usage.returncode == serving.returncode == 0
    for command in (
        "serve", "write", "recall", "list", "show", "forget", "stats", "reindex", "import",
        "export", "doctor", "connect", "disconnect",
    ):  # fmt: skip
        assert f" {command} " in usage.stdout
    for flag in ("--db", "--workspace", "--tools", "--max-answer", "--encryption-key"):
        assert flag in serving.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("serve", "--encryption-key="), "--encryption-key: the path is empty"),
        (("serve", "--seal-names", "maybe"), "--seal-names: 'maybe' is neither yes nor no"),
        (("serve", "--web"), "--web: this version does not have the dashboard"),
        (("serve", "--llm-endpoint", "http://x"), "--llm-endpoint: this version does not have"),
        (("serve", "--transport", "http"), "--transport: this version serves stdio only"),
        (("serve", "--embedding-model", "m.onnx"), "--embedding-model: this version does not"),
        (("serve", "--bogus"), "unrecognized arguments: --bogus"),
        (("serve", "--tools", "recall,nope"), "there is no tool 'nope'"),
        (("serve", "--max-answer", "many"), "--max-answer: 'many' is not a whole number"),
        (("serve", "--db", ""), "--db: the path is empty"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_had_is_refused_with_a_reason(
    mimir: Mimir, tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    done = mimir(*arguments, MIMIR_DB_PATH=str(tmp_path / "memory.db"))

    assert (done.returncode, done.stdout) == (2, "")
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MIMIR_MAX_ANSWER", "lots"),
        ("MIMIR_MAX_ANSWER", "100"),
        ("MIMIR_BUSY_TIMEOUT_MS", "0"),
        ("MIMIR_MAX_TAGS", "1.5"),
        ("MIMIR_SQLITE_DRIVER", "postgres"),
        ("MIMIR_DB_PATH", ""),
        ("MIMIR_WORKSPACE", ""),
        ("MIMIR_TOOLS", "nope"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(mimir: Mimir, name: str, value: str) -> None:
    done = mimir("serve", **{name: value})

    assert (done.returncode, done.stdout) == (2, "")
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_setting_that_cannot_be_used_is_named_by_commands_too(mimir: Mimir) -> None:
    done = mimir("stats", MIMIR_MAX_TAGS="none")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mimir: MIMIR_MAX_TAGS: 'none' is not a whole number\n"


@pytest.mark.parametrize(
    "arguments",
    [(), ("--mcp", "--offline"), ("--offline", "serve")],
    ids=" ".join,
)
def test_every_form_of_the_command_serves(
    mimir: Mimir, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    calls = [request(1, "initialize", {}), tool_call(2, "health", {})]
    lines = b"".join(map(encoded, calls)).decode()

    done = mimir(*arguments, input=lines, MIMIR_DB_PATH=str(tmp_path / "memory.db"))

    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert [answer["id"] for answer in answers] == [1, 2]
    assert answers[1]["result"]["structuredContent"] == {"status": "healthy"}


def test_the_module_is_the_command(home: Path) -> None:
    done = run("--version", home=home, command=(PYTHON, "-m", "mimir_py"))

    assert (done.returncode, done.stdout) == (0, f"mimir {__version__}\n")
