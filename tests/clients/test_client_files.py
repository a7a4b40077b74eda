"""Every configuration in `clients/` really starts the server."""

import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from tests.server.program import MIMIR, PROJECT, Message, Program

_CLIENTS: Final = sorted(folder for folder in (PROJECT / "clients").iterdir() if folder.is_dir())

_READERS: Final[dict[str, Callable[[str], Any]]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": lambda text: YAML(typ="safe").load(text),
}
# What each host calls the table of its servers.
_TABLES: Final = {
    "claude-code": "mcpServers",
    "claude-desktop": "mcpServers",
    "codex": "mcp_servers",
    "cursor": "mcpServers",
    "hermes": "mcp_servers",
    "vscode": "servers",
    "windsurf": "mcpServers",
    "zed": "context_servers",
}


def _entry(folder: Path) -> dict[str, Any]:
    [file] = [file for file in folder.iterdir() if file.suffix in _READERS]
    config = _READERS[file.suffix](file.read_text(encoding="utf-8"))
    assert list(config) == [_TABLES[folder.name]]
    servers = config[_TABLES[folder.name]]
    assert list(servers) == ["mimir"]
    entry: dict[str, Any] = servers["mimir"]
    return entry


def test_there_is_a_folder_for_every_host() -> None:
    assert [folder.name for folder in _CLIENTS] == sorted(_TABLES)


@pytest.fixture(scope="module")
def sessions() -> dict[tuple[str, ...], "_Session"]:
    """Sessions by arguments: hosts whose arguments are the same start the same server."""
    return {}


@dataclass(frozen=True)
class _Session:
    """What a server said to a first client."""

    initialized: Message
    tools: set[str]
    health: Message
    made_a_store: bool


def _session(arguments: Sequence[str], home: Path) -> _Session:
    with Program(*arguments, home=home, command=(MIMIR,)) as program:
        return _Session(
            program.initialize()["result"],
            {tool["name"] for tool in program.ask("tools/list")["result"]["tools"]},
            program.call("health"),
            (home / ".mimir" / "data" / "mimir.db").is_file(),
        )


@pytest.mark.parametrize("folder", _CLIENTS, ids=lambda folder: folder.name)
def test_the_configuration_of_a_client_starts_the_server(
    folder: Path, tmp_path: Path, sessions: dict[tuple[str, ...], _Session]
) -> None:
    entry = _entry(folder)
    assert entry["command"] == "mimir"
    assert entry.get("type", "stdio") == "stdio"

    arguments = tuple(entry["args"])
    if arguments not in sessions:
        sessions[arguments] = _session(arguments, tmp_path / "home")
    session = sessions[arguments]

    assert session.initialized["serverInfo"]["name"] == "mimir"
    assert {"mimir_remember", "mimir_recall"} <= session.tools
    assert session.health == {"status": "healthy"}
    assert session.made_a_store


@pytest.mark.parametrize("folder", _CLIENTS, ids=lambda folder: folder.name)
def test_a_readme_says_where_the_file_goes_and_how_to_remove_it(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")

    [file] = [file for file in folder.iterdir() if file.suffix in _READERS]
    assert file.name in text
    assert f"mimir connect --client {folder.name}" in text
    assert f"mimir disconnect --client {folder.name}" in text
