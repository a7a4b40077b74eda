"""`mimir connect` and `mimir disconnect` as commands; the editing itself is tested in `hosts`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Mimir
from tests.server.program import MIMIR

_OTHER = '{\n  // mine\n  "mcpServers": {\n    "other": {"command": "x"}\n  }\n}\n'


@pytest.mark.parametrize(
    ("client", "file"),
    [
        ("claude-code", ".mcp.json"),
        ("codex", ".codex/config.toml"),
        ("hermes", ".hermes/config.yaml"),
    ],
)
def test_a_dry_run_shows_the_change_and_makes_none(
    mimir: Mimir, home: Path, client: str, file: str
) -> None:
    connected = mimir("connect", "--client", client, "--dry-run")
    disconnected = mimir("disconnect", "--client", client, "--dry-run")

    assert connected.returncode == disconnected.returncode == 0
    assert f"+++ {home / file}" in connected.stdout
    assert str(MIMIR) in connected.stdout
    assert disconnected.stdout == f"{home / file}: nothing to change\n"
    assert list(home.iterdir()) == []


def test_connect_and_disconnect_leave_the_file_as_it_was(mimir: Mimir, home: Path) -> None:
    config = home / ".mcp.json"
    config.write_text(_OTHER, encoding="utf-8")
    store = home / "my.db"

    connected = mimir("connect", "--client", "claude-code", "--db", store)
    written = config.read_text(encoding="utf-8")
    disconnected = mimir("disconnect", "--client", "claude-code")

    assert connected.returncode == disconnected.returncode == 0
    assert connected.stdout.startswith("Claude Code: added\n")
    assert f"config:  {config}" in connected.stdout
    entry = json.loads(written.replace("// mine", ""))["mcpServers"]["mimir"]
    assert entry["command"] == str(MIMIR)
    assert entry["args"][0] == "serve"
    assert entry["args"][entry["args"].index("--db") + 1] == str(store)
    assert "// mine" in written
    assert config.read_text(encoding="utf-8") == _OTHER


def test_the_file_to_edit_may_be_named(mimir: Mimir, home: Path, tmp_path: Path) -> None:
    config = tmp_path / "named.json"

    done = mimir("connect", "--client", "cursor", MIMIR_CONNECT_CONFIG=str(config))

    assert done.returncode == 0
    assert "mimir" in json.loads(config.read_text(encoding="utf-8"))["mcpServers"]
    assert not (home / ".cursor").exists()


def test_an_unknown_host_is_refused_with_those_there_are(mimir: Mimir, home: Path) -> None:
    done = mimir("connect", "--client", "emacs")

    assert (done.returncode, done.stdout) == (1, "")
    assert "'emacs'" in done.stderr
    assert "claude-code" in done.stderr
    assert list(home.iterdir()) == []


def test_a_file_that_is_no_configuration_is_left_alone(mimir: Mimir, home: Path) -> None:
    config = home / ".mcp.json"
    config.write_text('{"mcpServers": [', encoding="utf-8")

    done = mimir("connect", "--client", "claude-code")

    assert (done.returncode, done.stdout) == (1, "")
    assert str(config) in done.stderr
    assert "Traceback" not in done.stderr
    assert config.read_text(encoding="utf-8") == '{"mcpServers": ['
