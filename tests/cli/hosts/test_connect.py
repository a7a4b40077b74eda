from __future__ import annotations

import json
import os
import stat
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from mimir_py.cli.hosts import HOSTS, Action, HostConfigError, jsonc, toml_text
from mimir_py.cli.hosts.jsonc_tree import read_tree
from mimir_py.errors import InvalidInput

if TYPE_CHECKING:
    from tests.cli.hosts.conftest import Machine, Start

COMMAND = "/opt/mimir/bin/mimir"
LEAN = ["--tools", "lean"]
AUTO = ["serve", "--workspace", "auto"]


def parsed(host: str, text: str) -> Any:
    """The configuration as the host's own parser would see it; comments are ours to skip."""
    text = text.removeprefix("\ufeff")
    if HOSTS[host].editor is toml_text:
        return tomllib.loads(text)
    if HOSTS[host].editor is jsonc:
        tree = read_tree(text)
        return tree.data if tree else {}
    return YAML(typ="safe", pure=True).load(text) or {}


def entry(host: str, text: str) -> Any:
    return parsed(host, text)[HOSTS[host].container]["mimir"]


@pytest.mark.parametrize(
    ("host", "place", "expected"),
    [
        ("claude-code", "project/.mcp.json", {"type": "stdio", "command": COMMAND, "args": AUTO}),
        (
            "claude-desktop",
            "home/.config/Claude/claude_desktop_config.json",
            {"command": COMMAND, "args": AUTO + LEAN},
        ),
        ("cursor", "project/.cursor/mcp.json", {"command": COMMAND, "args": AUTO + LEAN}),
        (
            "windsurf",
            "home/.codeium/windsurf/mcp_config.json",
            {"command": COMMAND, "args": AUTO + LEAN},
        ),
        ("zed", "home/.config/zed/settings.json", {"command": COMMAND, "args": AUTO + LEAN}),
        (
            "vscode",
            "project/.vscode/mcp.json",
            {"type": "stdio", "command": COMMAND, "args": AUTO + LEAN},
        ),
        ("codex", "home/.codex/config.toml", {"command": COMMAND, "args": AUTO + LEAN}),
        ("hermes", "home/.hermes/config.yaml", {"command": COMMAND, "args": AUTO + LEAN}),
    ],
)
def test_a_missing_file_is_created_where_and_as_the_host_reads_it(
    machine: Machine, host: str, place: str, expected: dict[str, Any]
) -> None:
    report = machine.connect(host)

    path = machine.root / place
    text = path.read_bytes().decode()
    assert parsed(host, text) == {HOSTS[host].container: {"mimir": expected}}
    assert (report.action, report.path, report.text) == (Action.CREATED, path, text)
    assert (report.backup, report.next_step) == (None, HOSTS[host].next_step)


def test_everything_but_the_entry_is_as_before(machine: Machine, start: Start) -> None:
    path = machine.given(start.host, start.text)
    container = HOSTS[start.host].container
    before = parsed(start.host, start.text or "")
    servers = dict(before.get(container) or {})

    report = machine.connect(start.host)

    after = parsed(start.host, path.read_bytes().decode())
    assert after[container].pop("mimir")["command"] == COMMAND
    servers.pop("mimir", None)
    assert after == {**before, container: servers}
    assert report.action is (Action.REPLACED if start.kind == "own entry" else Action.ADDED)


def test_connecting_a_second_time_changes_nothing(machine: Machine, any_start: Start) -> None:
    machine.given(any_start.host, any_start.text)
    machine.connect(any_start.host)
    before = machine.tree()

    report = machine.connect(any_start.host, now_unix_s=1_800_000_000)

    assert (report.action, report.changed, report.diff) == (Action.UNCHANGED, False, "")
    assert machine.tree() == before


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize(
    ("command", "db"),
    [
        ("C:\\Program Files\\Mimir\\new\\mimir.exe", 'C:\\Users\\O\'Brien\\Ünï "x"\\m.db'),
        ("/home//a b/'c'/*mimir", "/tmp/{x}: [y], #z & *w"),
        ("\\\\server\\share\\u0041\\mimir.exe", "\t=\u2028\x7f\u00a0💾"),
    ],
)
def test_odd_paths_survive(machine: Machine, host: str, command: str, db: str) -> None:
    machine.connect(host)

    report = machine.connect(host, command=command, db=Path(db))

    written = entry(host, machine.path(host).read_bytes().decode())
    lean = LEAN if HOSTS[host].lists_every_tool else []
    assert (written["command"], written["args"]) == (command, [*AUTO, "--db", db, *lean])
    assert report.action is Action.REPLACED


@pytest.mark.parametrize("character", ["\0", "\udc80"])
def test_a_path_no_text_can_hold_is_refused(machine: Machine, character: str) -> None:
    before = machine.tree()

    with pytest.raises(InvalidInput, match="command"):
        machine.connect("zed", command=f"/x{character}")

    assert machine.tree() == before


def test_what_the_user_added_to_the_entry_is_kept(machine: Machine) -> None:
    path = machine.given(
        "codex",
        "[mcp_servers.mimir]\ncommand = 'old'\nstartup_timeout_sec = 2.5\n"
        "env = { MIMIR_LOG = 'debug' }\nsince = 2026-01-02\n",
    )

    report = machine.connect("codex")

    written = entry("codex", path.read_text())
    assert written.pop("since").isoformat() == "2026-01-02"
    assert written == {
        "command": COMMAND,
        "args": AUTO + LEAN,
        "startup_timeout_sec": 2.5,
        "env": {"MIMIR_LOG": "debug"},
    }
    assert report.kept == ("startup_timeout_sec", "env", "since")


def test_nothing_is_kept_of_an_entry_that_was_no_command(machine: Machine) -> None:
    path = machine.given("cursor", '{"mcpServers": {"mimir": {"url": "http://localhost"}}}')

    machine.connect("cursor")

    assert entry("cursor", path.read_text()) == {"command": COMMAND, "args": AUTO + LEAN}


def test_the_same_values_beside_fields_of_the_user_are_unchanged(machine: Machine) -> None:
    fields = {"type": "stdio", "command": COMMAND, "args": AUTO, "env": {"A": "b"}}
    machine.given("claude-code", json.dumps({"mcpServers": {"mimir": fields}}))

    assert machine.connect("claude-code").action is Action.UNCHANGED


def test_the_backup_is_a_copy_with_the_same_mode(machine: Machine) -> None:
    path = machine.given("zed", '{"a": "secret"}', mode=0o600)

    report = machine.connect("zed", now_unix_s=1234)

    assert report.backup == path.with_name("settings.json.bak-1234")
    assert report.backup.read_text() == '{"a": "secret"}'
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, report.backup)] == [0o600] * 2


def test_a_backup_never_replaces_another_file(machine: Machine) -> None:
    path = machine.given("zed", "{}")
    taken = path.with_name("settings.json.bak-1234")
    taken.write_text("other")

    report = machine.connect("zed", now_unix_s=1234)

    assert report.backup == path.with_name("settings.json.bak-1235")
    assert taken.read_text() == "other"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_the_mode_of_the_file_stays(machine: Machine, mode: int) -> None:
    path = machine.given("hermes", "a: 1\n", mode=mode)

    machine.connect("hermes")

    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_new_files_obey_the_umask_and_the_ledger_is_private(machine: Machine) -> None:
    before = os.umask(0o027)
    try:
        machine.connect("codex")
    finally:
        os.umask(before)

    ledger = machine.home / ".mimir" / "connect.json"
    assert stat.S_IMODE(machine.path("codex").stat().st_mode) == 0o640
    assert stat.S_IMODE(ledger.stat().st_mode) == 0o600
    assert stat.S_IMODE(ledger.parent.stat().st_mode) == 0o700


def test_a_linked_file_is_changed_where_it_really_is(machine: Machine) -> None:
    real = machine.root / "dotfiles" / "zed.json"
    real.parent.mkdir()
    real.write_text("{}")
    link = machine.path("zed")
    link.parent.mkdir(parents=True)
    link.symlink_to(real)

    report = machine.connect("zed")

    assert link.is_symlink()
    assert entry("zed", real.read_text())["command"] == COMMAND
    assert (report.path, report.backup) == (link, real.with_name("zed.json.bak-1700000000"))


def test_a_link_to_nothing_gets_its_target(machine: Machine) -> None:
    link = machine.path("cursor")
    link.parent.mkdir()
    link.symlink_to(machine.root / "later" / "mcp.json")

    report = machine.connect("cursor")

    assert link.is_symlink()
    assert report.action is Action.CREATED
    assert (machine.root / "later" / "mcp.json").is_file()


def test_no_temporary_file_is_left(machine: Machine) -> None:
    machine.given("zed", "{}")

    machine.connect("zed")

    assert sorted(path.name for path in machine.path("zed").parent.iterdir()) == [
        "settings.json",
        "settings.json.bak-1700000000",
    ]


def test_the_override_wins_and_may_be_relative_to_the_project(machine: Machine) -> None:
    report = machine.connect("codex", config_override=Path("mine/c.toml"))

    assert report.path == machine.cwd / "mine" / "c.toml"
    assert entry("codex", report.path.read_text())["command"] == COMMAND
    assert not machine.path("codex").exists()


def test_a_dry_run_tells_all_and_writes_nothing(machine: Machine, any_start: Start) -> None:
    path = machine.given(any_start.host, any_start.text)
    before = machine.tree()

    dry = machine.connect(any_start.host, dry_run=True)

    assert machine.tree() == before
    assert (dry.dry_run, dry.backup) == (True, None)
    real = machine.connect(any_start.host)
    assert (dry.action, dry.text, dry.diff) == (real.action, real.text, real.diff)
    assert path.read_bytes().decode() == dry.text
    assert COMMAND in dry.diff


def test_the_diff_is_one_a_person_can_read(machine: Machine) -> None:
    path = machine.given("codex", "a = 1\r\nb = 2")

    report = machine.connect("codex", dry_run=True)

    assert report.diff == (
        f"--- {path}\n+++ {path}\n@@ -1,2 +1,6 @@\n a = 1\n-b = 2\n\\ No newline at end of file\n"
        "+b = 2\n+\n+[mcp_servers.mimir]\n"
        f'+command = "{COMMAND}"\n+args = ["serve", "--workspace", "auto", "--tools", "lean"]\n'
    )


@pytest.mark.parametrize(
    ("host", "text", "line"),
    [
        ("claude-code", '{\n  "mcpServers": {', 2),
        ("claude-desktop", '{"mcpServers": []}', 1),
        ("cursor", "[]", 1),
        ("windsurf", "{'a': 1}", 1),
        ("zed", '{\n\n"context_servers": "x"}', 3),
        ("vscode", '{"servers": null}', 1),
        ("codex", "a = 1\nmcp_servers = = 1\n", 2),
        ("codex", "mcp_servers = 1\n", None),
        ("hermes", "a: 1\nmcp_servers: [\n", 3),
        ("hermes", "mcp_servers: x\n", 1),
        ("zed", b"\xff\xfe{\x00}\x00", None),
    ],
)
def test_a_broken_file_is_refused_and_left_alone(
    machine: Machine, host: str, text: str | bytes, line: int | None
) -> None:
    path = machine.given(host, text)
    before = machine.tree()

    with pytest.raises(HostConfigError, match="nothing was written") as caught:
        machine.connect(host)

    assert (caught.value.path, caught.value.line) == (path, line)
    assert str(caught.value).startswith(f"{path}{f', line {line}' if line else ''}: ")
    assert machine.tree() == before


def test_a_folder_in_the_place_of_the_file_is_refused(machine: Machine) -> None:
    machine.path("cursor").mkdir(parents=True)

    with pytest.raises(HostConfigError, match="not a file"):
        machine.connect("cursor")


def test_a_link_in_a_circle_is_refused(machine: Machine) -> None:
    link = machine.path("claude-code")
    link.symlink_to(link)

    with pytest.raises(HostConfigError, match="cannot be read or written"):
        machine.connect("claude-code")


def test_when_the_ledger_cannot_be_written_all_is_as_before(machine: Machine) -> None:
    machine.given("zed", "{}")
    (machine.home / ".mimir").write_text("a file where a folder should be")
    before = machine.tree()

    with pytest.raises(HostConfigError, match="cannot be read or written"):
        machine.connect("zed")

    assert machine.tree() == before


def test_a_ledger_that_is_not_ours_is_not_overwritten(machine: Machine) -> None:
    machine.given("zed", "{}")
    ledger = machine.home / ".mimir" / "connect.json"
    ledger.parent.mkdir()
    ledger.write_text('{"version": 7}')
    before = machine.tree()

    with pytest.raises(HostConfigError, match="cannot be read") as caught:
        machine.connect("zed")

    assert caught.value.path == ledger
    assert machine.tree() == before
