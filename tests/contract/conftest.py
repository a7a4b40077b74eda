"""One server per module for what leaves no trace, and a fresh one where the state matters."""

from collections.abc import Iterator

import pytest

from tests.server.program import Program, serving


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """An initialized server that the tests of a module share."""
    with serving(tmp_path_factory.mktemp("shared") / "memory.db") as program:
        yield program
