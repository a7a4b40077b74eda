"""Whatever a tool raises, returns or prints, its call is answered and the next one is served."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from scripts.torments.unruly import ANSWERS, PRINTS, RAISES, WRITABLE
from tests.server.program import (
    PROJECT,
    PYTHON,
    Message,
    Program,
    error_text,
    tool_call,
)

_UNRULY: Final = PROJECT / "scripts" / "torments" / "unruly.py"
_BESIDE: Final = ("stray task", "callback")


def _unruly(folder: Path, kind: str) -> Program:
    command = (PYTHON, _UNRULY, kind, "serve")
    return Program("--db", folder / "memory.db", home=folder / "home", command=command)


@pytest.fixture(scope="module")
def unruly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with _unruly(tmp_path_factory.mktemp("unruly"), "mimir") as program:
        program.initialize()
        yield program


def _answer(program: Program, how: str) -> Message:
    """The result of a misbehaviour, with an ordinary call right behind it."""
    [answer] = program.exchange(tool_call(1, "misbehave", {"how": how}), answers=1)
    result: Message = answer["result"]
    return result


@pytest.mark.parametrize("how", [how for how in RAISES if not how.startswith(_BESIDE)])
def test_whatever_a_call_raises_is_its_error(unruly: Program, how: str) -> None:
    message = error_text(_answer(unruly, how))

    assert message.startswith("mimir_misbehave failed unexpectedly (")
    unruly.call("remember", category="c", key="k", body_json=f"after {how}")


@pytest.mark.parametrize("how", [how for how in RAISES if how.startswith(_BESIDE)])
def test_whatever_is_raised_beside_a_call_ends_nothing(unruly: Program, how: str) -> None:
    assert _answer(unruly, how)["structuredContent"] == {"done": how}


@pytest.mark.parametrize("how", ANSWERS)
def test_an_answer_that_is_no_json_is_an_error(unruly: Program, how: str) -> None:
    result = _answer(unruly, how)

    assert ("isError" in result) == (how not in WRITABLE)


def test_text_that_cannot_be_written_is_marked(unruly: Program) -> None:
    result = _answer(unruly, "answer: unwritable text")

    assert result["structuredContent"] == {"done": "a\ufffdb\ufffdc"}
    assert result["content"][0]["text"] == '{"done":"a\ufffdb\ufffdc"}'


@pytest.mark.parametrize("how", PRINTS)
def test_what_is_printed_does_not_reach_the_wire(unruly: Program, how: str) -> None:
    """`exchange` fails on a line that is no message; the child also reads our input, if it can."""
    assert _answer(unruly, how)["structuredContent"] == {"done": how}
    assert "printed" in unruly.stderr()


@pytest.mark.parametrize("how", PRINTS[-1:])
def test_a_server_that_leaves_stdout_as_it_came_is_caught(tmp_path: Path, how: str) -> None:
    with _unruly(tmp_path, "open") as program:
        program.initialize()
        program.send(tool_call(1, "misbehave", {"how": how}))

        assert program.receive_line() == b"printed\n"
