"""The hosts Mimir can be connected to, one row each."""

from pathlib import Path
from typing import Final

from mimir_py.cli.hosts import jsonc, toml_text, yaml_text
from mimir_py.cli.hosts.models import Host, HostConfigError, Place

_MCP_JSON: Final = Place(".mcp.json")
_CURSOR: Final = Place(".cursor/mcp.json")
_VSCODE: Final = Place(".vscode/mcp.json")
_WINDSURF: Final = Place(".codeium/windsurf/mcp_config.json")
_ZED: Final = Place(".config/zed/settings.json")
_CODEX: Final = Place(".codex/config.toml")
_HERMES: Final = Place(".hermes/config.yaml")

_ROWS: Final = (
    Host(
        name="claude-code",
        title="Claude Code",
        editor=jsonc,
        container="mcpServers",
        in_project=True,
        linux=_MCP_JSON,
        macos=_MCP_JSON,
        windows=_MCP_JSON,
        transport={"type": "stdio"},
        # Claude Code loads a tool's schema when it is first wanted, so the full list costs the
        # prompt nothing. Every other host puts all listed tools into every prompt.
        lists_every_tool=False,
        next_step="Start Claude Code in this project, approve the server, and check with /mcp.",
    ),
    Host(
        name="claude-desktop",
        title="Claude Desktop",
        editor=jsonc,
        container="mcpServers",
        in_project=False,
        linux=Place(".config/Claude/claude_desktop_config.json"),
        macos=Place("Library/Application Support/Claude/claude_desktop_config.json"),
        # A packaged (MSIX) installation never reads the documented place: Windows redirects it.
        # https://github.com/anthropics/claude-code/issues/26073
        windows=Place(
            "AppData/Roaming/Claude/claude_desktop_config.json",
            if_present=(
                "AppData/Local/Packages/Claude_*",
                "LocalCache/Roaming/Claude/claude_desktop_config.json",
            ),
        ),
        next_step="Quit Claude Desktop completely and start it again.",
    ),
    Host(
        name="cursor",
        title="Cursor",
        editor=jsonc,
        container="mcpServers",
        in_project=True,
        linux=_CURSOR,
        macos=_CURSOR,
        windows=_CURSOR,
        next_step="Open this project in Cursor and switch mimir on under Settings, MCP.",
    ),
    Host(
        name="windsurf",
        title="Windsurf",
        editor=jsonc,
        container="mcpServers",
        in_project=False,
        linux=_WINDSURF,
        macos=_WINDSURF,
        windows=_WINDSURF,
        next_step="Press the refresh button of Cascade's MCP servers, or restart Windsurf.",
    ),
    Host(
        name="zed",
        title="Zed",
        editor=jsonc,
        # No `"source": "custom"`: Zed dropped it in November 2025 and offers to rewrite settings
        # that still have it (its migration m_2025_11_25). `args` must be there even when empty.
        container="context_servers",
        in_project=False,
        linux=_ZED,
        macos=_ZED,
        windows=Place("AppData/Roaming/Zed/settings.json"),
        next_step="Zed picks it up at once; look for the green dot in the Agent Panel's settings.",
    ),
    Host(
        name="vscode",
        title="VS Code",
        editor=jsonc,
        container="servers",
        in_project=True,
        linux=_VSCODE,
        macos=_VSCODE,
        windows=_VSCODE,
        transport={"type": "stdio"},
        next_step="Open this project in VS Code and run the command `MCP: List Servers`.",
    ),
    Host(
        name="codex",
        title="Codex",
        editor=toml_text,
        container="mcp_servers",
        in_project=False,
        linux=_CODEX,
        macos=_CODEX,
        windows=_CODEX,
        next_step="Start Codex again and check with /mcp.",
    ),
    Host(
        name="hermes",
        title="Hermes",
        editor=yaml_text,
        container="mcp_servers",
        in_project=False,
        linux=_HERMES,
        macos=_HERMES,
        # The Windows installer keeps Hermes in the local application data; older ones did not.
        windows=Place(".hermes/config.yaml", if_present=("AppData/Local/hermes", "config.yaml")),
        next_step="Run /reload-mcp in Hermes, or start it again.",
    ),
)

HOSTS: Final = {host.name: host for host in _ROWS}


def find(name: str) -> Host:
    """The host of that name.

    Raises:
        HostConfigError: no such host; the message lists the names.
    """
    try:
        return HOSTS[name]
    except KeyError:
        known = ", ".join(HOSTS)
        raise HostConfigError(f"no host is called {name!r}; choose one of: {known}") from None


def locate(host: Host, *, home: Path, cwd: Path, platform: str, override: Path | None) -> Path:
    """The configuration file of `host`; `platform` is `sys.platform`, `override` wins over all."""
    if override is not None:
        return cwd / override
    base = cwd if host.in_project else home
    place = {"win32": host.windows, "darwin": host.macos}.get(platform, host.linux)
    if place.if_present is not None:
        pattern, rest = place.if_present
        for folder in sorted(base.glob(pattern)):
            if folder.is_dir():
                return folder / rest
    return base / place.path
