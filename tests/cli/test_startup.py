"""What is loaded when: a host waits for `initialize`, a person for `--help`."""

from pathlib import Path
from typing import Final

import pytest

from tests.server.program import PYTHON, run, serving, until

_LATER: Final = (
    "fastembed", "numpy", "onnxruntime", "tokenizers", "mimir_py.app", "mimir_py.recall",
    "mimir_py.entities", "pysqlite3", "sqlite_vec",
)  # fmt: skip

_MODULES: Final = """
import sys
sys.argv[1:] = {arguments!r}
from mimir_py.__main__ import main
try:
    main()
finally:
    print("MODULES", *sys.modules)
"""


def _loaded(home: Path, *arguments: str) -> set[str]:
    program = _MODULES.format(arguments=list(arguments))
    done = run("-c", program, home=home, command=(PYTHON,))
    [line] = [line for line in done.stdout.splitlines() if line.startswith("MODULES")]
    return set(line.split())


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("write", "--help")], ids=" ".join
)
def test_asking_for_help_loads_nothing_slow(home: Path, arguments: tuple[str, ...]) -> None:
    loaded = _loaded(home, *arguments)

    assert "mimir_py.cli.main" in loaded
    assert loaded & {*_LATER, "mcp", "aiosqlite"} == set()


def test_a_command_that_looks_up_no_words_loads_no_stemmer(home: Path) -> None:
    loaded = _loaded(home, "stats", "--db", str(home / "memory.db"))

    assert "mimir_py.app" in loaded
    assert loaded & {"snowballstemmer", "fastembed", "onnxruntime", "pypdf", "docx"} == set()


def test_the_server_can_answer_initialize_before_it_loads_the_rooms(home: Path) -> None:
    """It has read its first line, an empty one, and nothing of the app."""
    done = run("-X", "importtime", "-m", "mimir_py", "serve", home=home, command=(PYTHON,))

    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert {"mcp.server.lowlevel", "mimir_py.server.door"} <= imported
    assert imported & set(_LATER) == set()


def test_the_model_is_loaded_by_the_first_call_that_needs_it(tmp_path: Path) -> None:
    with serving(tmp_path / "memory.db") as program:

        def mapped(library: str) -> bool:
            return library in Path(f"/proc/{program.pid}/maps").read_text(encoding="utf-8")

        program.ask("tools/list")
        program.call("recall", query="anything", mode="fts5")
        program.call("recall", query="")
        program.call("forget", category="c", key="k")
        program.call("stats")
        before = [mapped("onnxruntime"), mapped("tokenizers")]
        program.call("remember", category="c", key="k", body_json="something")

        assert before == [False, False]
        assert until(lambda: mapped("onnxruntime"))
