"""The connector that watches folders, as a server runs it and as the tool calls it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mimir_py.connectors import read_connectors
from mimir_py.errors import ConfigError, NotFound
from tests.conftest import Client, OpenStore
from tests.parsing.files import pdf
from tests.server.program import run, serving, until

_CONFIG = """connectors:
  github: {enabled: false, token: "x", repos: ["org/repo"]}
  file_watcher: {enabled: true, paths: ["%s"], extensions: [".md", ".pdf"], debounce_ms: 50}
"""


@pytest.fixture
def config(tmp_path: Path, folder: Path) -> Path:
    file = tmp_path / "connectors.yaml"
    file.write_text(_CONFIG % folder, encoding="utf-8")
    return file


async def test_new_and_changed_files_are_ingested_and_a_dry_run_changes_nothing(
    open_store: OpenStore,
    config: Path,
    write: Callable[[str, str | bytes], Path],
    client_of: Callable[..., Client],
) -> None:
    path = write("sub/a.md", "use NATS")
    write("b.txt", "of another ending")
    broken = write("c.pdf", pdf("words")[:100])
    async with open_store(connectors_config=config) as app:
        client = client_of(app)
        tried = await client.run("ingest", {"dry_run": True})
        first = await client.run("ingest", {"connector": "file_watcher"})
        [item] = await client.recall("NATS")
        again = await client.run("ingest", {})
        write("sub/a.md", "use Kafka")
        changed = await client.run("ingest", {})
        other = await client.run("ingest", {"connector": "gitlab"})
        history = await client.run("history", {"category": "file", "key": item["key"]})

    assert (tried["ingested"], tried["dry_run"], tried["errors"]) == (2, True, [])
    assert (first["ingested"], again["ingested"], changed["ingested"]) == (1, 0, 1)
    assert [error.startswith(f"{broken}: is a broken PDF") for error in first["errors"]] == [True]
    assert again["errors"] == first["errors"]
    assert other["ingested"] == 0
    assert item["id"].startswith("ingest-")
    assert (item["key"], item["tags"]) == (str(path).replace("/", "-"), ["ext:md"])
    assert (item["content"], item["path"]) == ("use NATS", str(path))
    assert (item["trust"], item["source"]) == ("file", "connector:file_watcher")
    assert history["total"] == 1


async def test_files_that_are_gone_are_told_and_what_they_said_stays(
    open_store: OpenStore,
    config: Path,
    write: Callable[[str, str | bytes], Path],
    client_of: Callable[..., Client],
) -> None:
    path = write("a.md", "use NATS")
    async with open_store(connectors_config=config) as app:
        client = client_of(app)
        before = await client.run("ingest", {})
        path.unlink()
        after = await client.run("ingest", {})
        kept = await client.recall("NATS")

    assert "deleted" not in before
    assert after["deleted"] == [str(path)]
    assert [item["path"] for item in kept] == [str(path)]


async def test_without_connectors_the_tool_says_how_to_have_some(client: Client) -> None:
    with pytest.raises(NotFound, match="No connectors configured"):
        await client.run("ingest", {})


def test_a_server_remembers_a_file_when_it_changes(
    tmp_path: Path, config: Path, folder: Path
) -> None:
    (folder / "a.md").write_text("the heron is grey", encoding="utf-8")
    with serving(tmp_path / "memory.db", "--connectors-config", config) as program:

        def found(query: str) -> list[str]:
            answer = program.call("recall", query=query, mode="fts5")
            return [item["content"] for item in answer["items"]]

        until(lambda: found("heron") == ["the heron is grey"])
        (folder / "a.md").write_text("the heron is white", encoding="utf-8")
        until(lambda: found("heron") == ["the heron is white"])
        (folder / "new.md").write_text("a crane came", encoding="utf-8")
        until(lambda: found("crane") == ["a crane came"])

        program.end_input()
        assert program.exit_code() == 0


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("connectors: [1]", "connectors must be a map"),
        ("connectors: {gitlab: {}}", "gitlab is none of"),
        ("connectors: {file_watcher: {enabled: 3}}", "file_watcher must be"),
        ("connectors: {file_watcher: {enabled: true}}", "paths names no folder"),
        ("connectors: {file_watcher: {enabled: true, paths: [a], debounce_ms: 1}}", "debounce_ms"),
        ("connectors: {file_watcher: {enabled: true, paths: a}}", "paths must be a list"),
        ("a: &a [x]\nconnectors: {file_watcher: {paths: *a}}", "aliases"),
        ("connectors: {", "while parsing"),
        ("x" * 70_000, "over 65536 bytes"),
        ("connectors: \x00", "special characters"),
    ],
)
def test_a_connectors_file_that_is_wrong_is_refused_by_field(
    tmp_path: Path, text: str, fault: str
) -> None:
    file = tmp_path / "connectors.yaml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=fault):
        read_connectors(file)


def test_a_server_with_a_wrong_connectors_file_does_not_start(tmp_path: Path) -> None:
    done = run("serve", "--connectors-config", tmp_path / "none.yaml", home=tmp_path / "home")

    assert done.returncode == 2
    assert done.stderr.strip().endswith("none.yaml: No such file or directory")
