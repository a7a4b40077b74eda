from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mimir_py.cli.hosts import HOSTS, Host

if TYPE_CHECKING:
    from tests.cli.hosts.conftest import Machine

CLIENTS = Path(__file__).parents[3] / "clients"


def test_every_host_has_a_folder_and_every_folder_a_host() -> None:
    assert {path.name for path in CLIENTS.iterdir()} == set(HOSTS)


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
def test_the_file_starts_the_server_by_its_name(machine: Machine, host: Host) -> None:
    path = CLIENTS / host.name / machine.path(host.name).name

    entry = host.editor.outline(path.read_text(), host.container, "mimir").entry

    assert entry["command"] == "mimir"
    assert entry["args"][0] == "serve"


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
def test_the_file_is_what_connect_writes(machine: Machine, host: Host) -> None:
    report = machine.connect(host.name, command="mimir", dry_run=True)

    assert (CLIENTS / host.name / report.path.name).read_text() == report.text


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
def test_the_readme_is_short_and_names_the_commands(host: Host) -> None:
    text = (CLIENTS / host.name / "README.md").read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 10
    assert f"`mimir connect --client {host.name}`" in text
    assert f"`mimir disconnect --client {host.name}`" in text
