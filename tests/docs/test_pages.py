"""The worked examples in docs/ are what the program does."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.docs.examples import Step, steps
from tests.server.program import PROJECT, Program, serving

_DOCS: Final = PROJECT / "docs"
_PAGES: Final = {page.stem: page.read_text(encoding="utf-8") for page in sorted(_DOCS.glob("*.md"))}
_WORKED: Final = {name: page for name, page in _PAGES.items() if any(steps(page))}


@pytest.mark.parametrize("name", _WORKED)
def test_the_examples_of_a_page_are_what_happens(name: str, tmp_path: Path) -> None:
    store = tmp_path / "memory.db"
    known: dict[str, str] = {}
    with serving(store) as program:
        for step in steps(_WORKED[name]):
            fault = step.fault(program, tmp_path / "home", store, known)
            assert fault == "", f"{step.what} {step.arguments}"


@pytest.mark.parametrize(
    "name",
    ["documents", "files", "graph", "history", "journal", "lifecycle", "quality", "state", "undo"],
)
def test_a_room_has_a_worked_example(name: str) -> None:
    assert len(list(steps(_WORKED[name]))) >= 3


@pytest.mark.parametrize("name", _WORKED)
def test_everything_in_a_block_of_examples_is_run(name: str) -> None:
    calls = re.findall(r"^// mimir_|^\$ mimir ", _WORKED[name], re.MULTILINE)

    assert len(calls) == len(list(steps(_WORKED[name])))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    with serving(tmp_path_factory.mktemp("control") / "memory.db") as running:
        yield running


_WRONG: Final = {
    "a value": '```jsonc\n// mimir_health\n{}\n// answers\n{"status": "ill"}\n```\n',
    "a field": '```jsonc\n// mimir_health\n{}\n// answers\n{"state": …}\n```\n',
    "a failure": "```jsonc\n// mimir_health\n{}\n// fails\nno\n```\n",
    "a message": '```jsonc\n// mimir_get_entity\n{"id": "x"}\n// fails\nother\n```\n',
    "a print": "```console\n$ mimir --version\nmimir 0\n```\n",
}


@pytest.mark.parametrize("wrong", _WRONG.values(), ids=_WRONG)
def test_an_example_that_is_wrong_is_found(wrong: str, program: Program, tmp_path: Path) -> None:
    [step] = steps(wrong)

    assert step.fault(program, tmp_path, tmp_path / "memory.db")


def test_a_name_stands_for_one_value(program: Program, tmp_path: Path) -> None:
    page = '```jsonc\n// mimir_health\n{}\n// answers\n{"status": "<is>"}\n```\n'
    [step] = steps(page)
    known: dict[str, str] = {}

    faults = [step.fault(program, tmp_path, tmp_path / "memory.db", known) for _ in range(2)]
    known["<is>"] = "ill"

    assert faults == ["", ""]
    assert step.fault(program, tmp_path, tmp_path / "memory.db", known)


def test_an_example_that_is_right_passes(program: Program, tmp_path: Path) -> None:
    page = '```jsonc\n// mimir_health\n{}\n// answers\n{"status": "heal…"}\n```\n'
    page += "```console\n$ mimir --version\nmimir …\n```\n"

    found: list[Step] = list(steps(page))

    assert [step.fault(program, tmp_path, tmp_path / "memory.db") for step in found] == ["", ""]
