"""Worked examples of the pages in docs/, as they are written and as they are run.

A block fenced as `jsonc` holds calls of tools:

    // mimir_state_set
    {"key": "lock", "value_json": "ann"}
    // answers
    {"key": "lock", "version": …}

(`// fails` is followed by what the message says.) A block fenced as `console` holds commands after
`$ ` and what they print. `…` stands for anything; an answer may have more fields than shown. Such
a value as `"<api>"` stands for anything the first time an answer shows it, and for the same from
then on. The blocks of a page run in order, on a store of its own.
"""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.server.program import Program, error_text, run

_BLOCK: Final = re.compile(r"^```(jsonc|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CALL: Final = re.compile(
    r"^// (mimir_\w+)\n(.*?)^// (answers|fails)\n(.*?)(?=^// mimir_|\Z)", re.DOTALL | re.MULTILINE
)
_COMMAND: Final = re.compile(r"^\$ (mimir .*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_ANYTHING: Final = "…"
_NAMED: Final = re.compile(r"<\w+>")


@dataclass(frozen=True)
class Step:
    """One call or command of a page, and what is said to come of it."""

    what: str
    arguments: str
    outcome: str
    expected: str

    def fault(
        self, program: Program, home: Path, store: Path, known: dict[str, str] | None = None
    ) -> str:
        """How what came of it differs from what the page says; "" when it does not.

        `known` are the values that stand for names, those of this answer among them afterwards.
        """
        known = {} if known is None else known
        if self.outcome == "prints":
            said = run(*shlex.split(self.arguments), home=home, MIMIR_DB_PATH=str(store))
            printed = said.stdout + said.stderr
            return "" if _alike(self.expected.strip(), printed.strip()) else printed
        arguments = json.loads(_NAMED.sub(lambda name: known.get(name[0], name[0]), self.arguments))
        result = program.result(self.what.removeprefix("mimir_"), arguments)
        if self.outcome == "fails":
            message = error_text(result) if "isError" in result else str(result)
            return "" if _alike(self.expected.strip(), message) else message
        answer = result["structuredContent"]
        shown = json.loads(re.sub(rf"(?<=[:\[,] ){_ANYTHING}", f'"{_ANYTHING}"', self.expected))
        return "" if _shows(shown, answer, known) else json.dumps(answer, ensure_ascii=False)


def steps(page: str) -> Iterator[Step]:
    """The calls and commands of a page, in order."""
    for kind, block in _BLOCK.findall(page):
        if kind == "console":
            for command, printed in _COMMAND.findall(block):
                yield Step("mimir", command.removeprefix("mimir "), "prints", printed)
        else:
            for tool, arguments, outcome, expected in _CALL.findall(block):
                yield Step(tool, arguments, outcome, expected)


def _shows(shown: Any, answer: Any, known: dict[str, str]) -> bool:
    """Whether an answer is as shown, but for fields that are not."""
    if shown == _ANYTHING:
        return True
    if isinstance(shown, dict):
        return isinstance(answer, dict) and all(
            name in answer and _shows(value, answer[name], known) for name, value in shown.items()
        )
    if isinstance(shown, list):
        return (
            isinstance(answer, list)
            and len(shown) == len(answer)
            and all(_shows(one, other, known) for one, other in zip(shown, answer, strict=True))
        )
    if isinstance(shown, str) and isinstance(answer, str):
        if _NAMED.fullmatch(shown):
            return bool(known.setdefault(shown, answer) == answer)
        return _alike(_NAMED.sub(lambda name: known.get(name[0], name[0]), shown), answer)
    return type(shown) is type(answer) and bool(shown == answer)


def _alike(shown: str, text: str) -> bool:
    """Whether a text is as shown; white space at the ends of lines does not count."""
    pattern = ".*".join(re.escape(part) for part in _trimmed(shown).split(_ANYTHING))
    return re.fullmatch(pattern, _trimmed(text), re.DOTALL) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())
