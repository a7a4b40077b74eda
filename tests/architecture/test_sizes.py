"""Files and functions stay of a size that can be read."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import mimir_py

_PACKAGE: Final = Path(mimir_py.__file__).parent
_TESTS: Final = _PACKAGE.parent / "tests"
_SCRIPTS: Final = _PACKAGE.parent / "scripts"
_SOURCES: Final = sorted(_PACKAGE.rglob("*.py"))

_FILE_LINES: Final = 400
_TEST_LINES: Final = 500
_FUNCTION_LINES: Final = 60
_LONG_FUNCTION_LINES: Final = 40


def _name(file: Path) -> str:
    return str(file.relative_to(_PACKAGE.parent))


def _functions() -> Iterator[tuple[str, int]]:
    for file in _SOURCES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield f"{_name(file)}: {node.name}", node.end_lineno - node.lineno + 1


@pytest.mark.parametrize(
    ("folder", "limit"),
    [(_PACKAGE, _FILE_LINES), (_SCRIPTS, _FILE_LINES), (_TESTS, _TEST_LINES)],
    ids=["package", "scripts", "tests"],
)
def test_no_file_is_too_long_to_read(folder: Path, limit: int) -> None:
    lengths = {
        _name(file): len(file.read_text(encoding="utf-8").splitlines())
        for file in folder.rglob("*.py")
    }

    assert len(lengths) > 10
    assert {name: length for name, length in lengths.items() if length > limit} == {}


def test_no_function_is_too_long_to_read() -> None:
    functions = dict(_functions())

    for name, length in sorted(functions.items(), key=lambda item: -item[1]):
        if length > _LONG_FUNCTION_LINES:
            print(f"{length} lines: {name}")  # noqa: T201  # a list to look at, not a limit
    assert len(functions) > 100
    assert {name: n for name, n in functions.items() if n > _FUNCTION_LINES} == {}
