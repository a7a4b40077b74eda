from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mimir_py.cli.hosts import HOSTS, Action, HostConfigError, jsonc, toml_text

if TYPE_CHECKING:
    from tests.cli.hosts.conftest import Machine, Start


def test_the_file_comes_back_byte_for_byte(machine: Machine, start: Start) -> None:
    machine.given(start.host, start.text, mode=0o640)
    before = machine.tree()
    machine.connect(start.host)

    report = machine.disconnect(start.host)

    assert (report.action, report.text, report.backup) == (Action.RESTORED, start.text, None)
    assert machine.tree() == before


@pytest.mark.parametrize("host", HOSTS)
def test_a_file_and_folders_that_connect_created_disappear(machine: Machine, host: str) -> None:
    before = machine.tree()
    machine.connect(host)

    report = machine.disconnect(host)

    assert (report.action, report.text) == (Action.DELETED, None)
    assert machine.tree() == before


def test_changing_the_values_does_not_lose_the_way_back(machine: Machine, any_start: Start) -> None:
    machine.given(any_start.host, any_start.text)
    before = machine.tree()
    machine.connect(any_start.host)
    machine.connect(any_start.host, command="/new/mimir", db=Path("/x.db"))
    machine.connect(any_start.host, command="/newer/mimir")

    machine.disconnect(any_start.host)

    assert machine.tree() == before


def setting(host: str, value: int) -> str:
    """A configuration with one setting and a comment that says its value."""
    if HOSTS[host].editor is jsonc:
        return f'// {value}\n{{\n  "a": {value}\n}}\n'
    sign = " =" if HOSTS[host].editor is toml_text else ":"
    return f"# {value}\na{sign} {value}\n"


@pytest.mark.parametrize("host", HOSTS)
def test_an_edit_in_between_is_kept_and_only_our_part_goes(machine: Machine, host: str) -> None:
    path = machine.given(host, setting(host, 1))
    backup = machine.connect(host).backup
    path.write_text(path.read_text().replace("1", "2"))

    report = machine.disconnect(host)

    assert path.read_text() == setting(host, 2)
    assert (report.action, report.backup) == (Action.REMOVED, backup)
    assert not (machine.home / ".mimir").exists()


def test_a_server_added_in_between_keeps_its_container(machine: Machine) -> None:
    machine.connect("cursor")
    path = machine.path("cursor")
    content = json.loads(path.read_text())
    content["mcpServers"]["x"] = {"command": "y"}
    path.write_text(json.dumps(content))

    report = machine.disconnect("cursor")

    assert path.read_text() == '{"mcpServers": {"x": {"command": "y"}}}'
    assert report.action is Action.REMOVED


def test_a_container_that_was_there_before_stays(machine: Machine) -> None:
    path = machine.given("cursor", '{\n  "mcpServers": {}\n}\n')
    machine.connect("cursor")
    path.write_text(path.read_text() + "// edited\n")

    machine.disconnect("cursor")

    assert path.read_text() == '{\n  "mcpServers": {}\n}\n// edited\n'


def test_a_created_file_that_was_edited_stays(machine: Machine) -> None:
    machine.connect("zed")
    path = machine.path("zed")
    path.write_text("// mine\n" + path.read_text())

    machine.disconnect("zed")

    assert path.read_text() == "// mine\n{}\n"


def test_connecting_over_an_edit_gives_up_the_way_back_but_not_the_edit(machine: Machine) -> None:
    path = machine.given("hermes", "a: 1\n")
    machine.connect("hermes")
    path.write_text(path.read_text() + "b: 2\n")
    machine.connect("hermes", command="/new/mimir")

    report = machine.disconnect("hermes")

    assert report.action is Action.REMOVED
    assert path.read_text() == "a: 1\nb: 2\n"


def test_connecting_again_after_removing_by_hand_starts_afresh(machine: Machine) -> None:
    path = machine.given("hermes", "a: 1\n")
    machine.connect("hermes")
    path.write_text("a: 2\n")
    machine.connect("hermes")

    report = machine.disconnect("hermes")

    assert report.action is Action.RESTORED
    assert path.read_text() == "a: 2\n"


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_without_the_backup_only_the_entry_goes(machine: Machine, damage: str) -> None:
    path = machine.given("zed", '{\n  "a": 1\n}\n')
    backup = machine.connect("zed").backup
    assert backup is not None
    if damage == "gone":
        backup.unlink()
    else:
        backup.write_text("{}")

    report = machine.disconnect("zed")

    assert (report.action, report.backup) == (
        Action.REMOVED,
        backup if damage == "changed" else None,
    )
    assert path.read_text() == '{\n  "a": 1\n}\n'


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("exists", [False, True])
def test_a_host_that_is_not_connected_is_left_alone(
    machine: Machine, host: str, exists: bool
) -> None:
    if exists:
        machine.given(host, setting(host, 1))
    before = machine.tree()

    report = machine.disconnect(host)

    assert (report.action, report.changed, report.diff) == (Action.NOT_CONNECTED, False, "")
    assert machine.tree() == before


def test_an_entry_written_by_hand_is_taken_out_too(machine: Machine) -> None:
    text = '{"mcpServers": {"mimir": {"command": "mimir"}}}'
    path = machine.given("windsurf", text)

    report = machine.disconnect("windsurf")

    assert (report.action, path.read_text()) == (Action.REMOVED, '{"mcpServers": {}}')


@pytest.mark.parametrize("removal", ["entry", "file"])
def test_what_the_user_removed_by_hand_is_forgotten(machine: Machine, removal: str) -> None:
    path = machine.given("windsurf", "{}")
    machine.connect("windsurf")
    if removal == "entry":
        path.write_text("{}")
    else:
        path.unlink()

    report = machine.disconnect("windsurf")

    assert report.action is Action.NOT_CONNECTED
    assert not (machine.home / ".mimir").exists()


def test_disconnecting_one_host_leaves_the_others_connected(machine: Machine) -> None:
    for host in HOSTS:
        machine.connect(host)

    machine.disconnect("codex")

    ledger = json.loads((machine.home / ".mimir" / "connect.json").read_text())
    assert len(ledger["files"]) == len(HOSTS) - 1
    assert machine.connect("zed").action is Action.UNCHANGED
    assert machine.disconnect("zed").action is Action.DELETED


def test_projects_are_told_apart(machine: Machine) -> None:
    other = machine.root / "other"
    other.mkdir()
    machine.connect("cursor")
    machine.connect("cursor", cwd=other)

    machine.disconnect("cursor", cwd=other)

    assert list(other.iterdir()) == []
    assert machine.connect("cursor").action is Action.UNCHANGED


def test_a_linked_file_comes_back_behind_its_link(machine: Machine) -> None:
    real = machine.root / "zed.json"
    real.write_text("{}")
    link = machine.path("zed")
    link.parent.mkdir(parents=True)
    link.symlink_to(real)
    machine.connect("zed")

    machine.disconnect("zed")

    assert link.is_symlink()
    assert real.read_text() == "{}"


@pytest.mark.parametrize("is_edited", [False, True])
def test_a_dry_run_tells_all_and_writes_nothing(
    machine: Machine, any_start: Start, is_edited: bool
) -> None:
    path = machine.given(any_start.host, any_start.text)
    machine.connect(any_start.host)
    if is_edited:
        comment = "// c" if HOSTS[any_start.host].editor is jsonc else "# c"
        path.write_bytes(path.read_bytes() + f"\n{comment}\n".encode())
    before = machine.tree()

    dry = machine.disconnect(any_start.host, dry_run=True)

    assert machine.tree() == before
    assert (dry.dry_run, machine.command in dry.diff) == (True, True)
    real = machine.disconnect(any_start.host)
    assert (dry.action, dry.text, dry.diff) == (real.action, real.text, real.diff)


def test_a_broken_file_is_refused_and_left_alone(machine: Machine) -> None:
    path = machine.given("zed", "{}")
    machine.connect("zed")
    path.write_text("{")
    before = machine.tree()

    with pytest.raises(HostConfigError, match="too early"):
        machine.disconnect("zed")

    assert machine.tree() == before
