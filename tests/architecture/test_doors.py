"""What only some places may do: print, and read the environment."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import mimir_py

_PACKAGE: Final = Path(mimir_py.__file__).parent
_MAY_PRINT: Final = ("cli/", "server/serve.py")
_MAY_READ_ENVIRONMENT: Final = ("config.py",)
_ENVIRONMENT: Final = frozenset({"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"})


def _nodes() -> Iterator[tuple[str, ast.AST]]:
    for file in sorted(_PACKAGE.rglob("*.py")):
        name = file.relative_to(_PACKAGE).as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            yield name, node


def _prints(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "print":
            return True
        return isinstance(node.func, ast.Attribute) and ast.unparse(node.func) in (
            "sys.stdout.write",
            "sys.stderr.write",
        )
    return False


def _reads_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return ast.unparse(node.value) == "os" and node.attr in _ENVIRONMENT
    if isinstance(node, ast.ImportFrom) and node.module == "os":
        return any(name.name in _ENVIRONMENT for name in node.names)
    return False


def test_only_the_command_line_and_the_start_of_the_server_print() -> None:
    printing = {name for name, node in _nodes() if _prints(node)}

    assert any(name.startswith(_MAY_PRINT) for name in printing)
    assert {name for name in printing if not name.startswith(_MAY_PRINT)} == set()


def test_only_the_configuration_reads_the_environment() -> None:
    reading = {name for name, node in _nodes() if _reads_environment(node)}

    assert reading == set(_MAY_READ_ENVIRONMENT)


def test_the_search_for_prints_and_environment_finds_them() -> None:
    source = "import os\nfrom os import getenv\nprint(1)\nsys.stdout.write('x')\nos.environ['A']\n"
    nodes = list(ast.walk(ast.parse(source)))

    assert sum(map(_prints, nodes)) == 2
    assert sum(map(_reads_environment, nodes)) == 2
