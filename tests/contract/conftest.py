"""One server per module for what leaves no trace, and a fresh one where the state matters."""

from collections.abc import Iterator

import pytest

from tests.server.program import Program, serving


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """An initialized server that the tests of a module share."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "watched").mkdir()
    config = folder / "connectors.yaml"
    watcher = f"{{enabled: true, paths: ['{folder / 'watched'}']}}"
    config.write_text(f"connectors: {{file_watcher: {watcher}}}", encoding="utf-8")
    with serving(folder / "memory.db", "--connectors-config", config) as program:
        yield program
