from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mimir_py.cli.hosts import HOSTS, HostConfigError, connect, locate

if TYPE_CHECKING:
    from tests.cli.hosts.conftest import Machine

ON_MACOS = {
    "claude-code": "project/.mcp.json",
    "claude-desktop": "home/Library/Application Support/Claude/claude_desktop_config.json",
    "cursor": "project/.cursor/mcp.json",
    "windsurf": "home/.codeium/windsurf/mcp_config.json",
    "zed": "home/.config/zed/settings.json",
    "vscode": "project/.vscode/mcp.json",
    "codex": "home/.codex/config.toml",
    "hermes": "home/.hermes/config.yaml",
}
ON_LINUX = {**ON_MACOS, "claude-desktop": "home/.config/Claude/claude_desktop_config.json"}
ON_WINDOWS = {
    **ON_MACOS,
    "claude-desktop": "home/AppData/Roaming/Claude/claude_desktop_config.json",
    "zed": "home/AppData/Roaming/Zed/settings.json",
}


@pytest.mark.parametrize(
    ("platform", "places"), [("linux", ON_LINUX), ("darwin", ON_MACOS), ("win32", ON_WINDOWS)]
)
def test_each_host_has_its_place_on_each_platform(
    machine: Machine, platform: str, places: dict[str, str]
) -> None:
    found = {
        name: locate(host, home=machine.home, cwd=machine.cwd, platform=platform, override=None)
        for name, host in HOSTS.items()
    }

    assert found == {name: machine.root / place for name, place in places.items()}


@pytest.mark.parametrize(
    ("host", "folder", "place"),
    [
        (
            "claude-desktop",
            "AppData/Local/Packages/Claude_pzs8sxrjxfjjc",
            "LocalCache/Roaming/Claude/claude_desktop_config.json",
        ),
        ("hermes", "AppData/Local/hermes", "config.yaml"),
    ],
)
def test_the_newer_place_on_windows_wins_where_it_exists(
    machine: Machine, host: str, folder: str, place: str
) -> None:
    (machine.home / folder).mkdir(parents=True)

    report = machine.connect(host, platform="win32")

    assert report.path == machine.home / folder / place


def test_only_a_host_that_loads_tools_late_gets_the_full_list() -> None:
    assert [host.name for host in HOSTS.values() if not host.lists_every_tool] == ["claude-code"]


def test_an_unknown_host_is_refused_with_the_names_of_the_known(tmp_path: Path) -> None:
    with pytest.raises(HostConfigError, match=r"'emacs'.*claude-code, claude-desktop, cursor"):
        connect(
            "emacs",
            command="mimir",
            db=None,
            home=tmp_path,
            cwd=tmp_path,
            platform="linux",
            config_override=None,
            dry_run=False,
            now_unix_s=0,
        )
