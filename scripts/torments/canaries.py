"""E1: words that must not be found in any byte a sealed store has written.

Every text argument of every tool that writes gets a word of its own. Afterwards a process of its
own looks for the words, and for the vectors made of them, in every file below the store's folder.
"""

import base64
import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mimir_py.app import CATALOGUE
from mimir_py.tooling import AnyTool
from mimir_py.tooling.schema import input_schema
from mimir_py.tooling.tool import Effect

_CONSONANTS: Final = "bdfgklmnprtvz"
_VOWELS: Final = "aeiou"
_SYLLABLES: Final = 7
# So much of a word is in its stem, and in a text that was cut.
_TELLING_CHARS: Final = 9
_BASE64_EDGE: Final = 4
_WINDOW: Final = 8
# What tools call the two memories that a call is about.
_FROM: Final = ("from_id", "from_category", "from_key")
_TO: Final = ("to_id", "to_category", "to_key")
# Words of a fixed list, or what must be there already; anything else is refused and never stored.
_CHOSEN: Final = frozenset({"mode", "command", "workspace_hash", "supersedes"})


# Calls a tool by its name without prefix; its answer, whether it was taken or not.
Caller = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Canary:
    """A word, and the argument of the tool it was given to."""

    word: str
    field: str


class Brood:
    """Makes canaries, each but once."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311  # no secret
        self.all: list[Canary] = []

    def word(self, field: str) -> str:
        word = "".join(
            self._dice.choice(_CONSONANTS) + self._dice.choice(_VOWELS) for _ in range(_SYLLABLES)
        )
        self.all.append(Canary(word, field))
        return word

    def arguments(self, tool: type[AnyTool], known: Mapping[str, Any]) -> dict[str, Any]:
        """A tool's example with what is known, and a canary in every other argument of text."""
        given = {**tool.spec.example, **known}
        for name, schema in input_schema(tool)["properties"].items():
            field = f"{tool.spec.suffix}.{name}"
            is_text = schema.get("type") == "string" and "enum" not in schema
            if name in known or (name.endswith("id") and name != "agent_id") or name in _CHOSEN:
                continue
            if name.endswith("_json"):
                given[name] = json.dumps({self.word(field): f"the {self.word(field)} is here"})
            elif is_text:
                given[name] = self.word(field)
            elif schema.get("type") == "array" and schema.get("items", {}).get("type") == "string":
                given[name] = [self.word(field)]
        return {name: value for name, value in given.items() if name in tool.model_fields}


def release(call: Caller, brood: Brood) -> None:
    """Give a store canaries through every tool that writes, also about memories that it has."""
    held: list[Mapping[str, Any]] = []
    remember = CATALOGUE.find("mimir_remember")
    assert remember is not None
    for tool in CATALOGUE.tools:
        if tool.spec.effect is Effect.READS:
            continue
        for _ in range(2):
            arguments = brood.arguments(remember, {})
            answer = call(remember.spec.suffix, arguments)
            held.append({name: arguments[name] for name in ("category", "key")} | _ids(answer))
        known = {
            **held[-1],
            **dict(zip(_FROM, (held[-1]["id"], *held[-1].values()), strict=False)),
            **dict(zip(_TO, (held[-2]["id"], *held[-2].values()), strict=False)),
        }
        for about in ({}, known):
            call(tool.spec.suffix, brood.arguments(tool, about))


def _ids(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": answer["id"]}


def scan(folder: Path, canaries: list[Canary]) -> dict[str, str]:
    """Which canaries' fields are found in the files of a folder, and in which form and file."""
    words = {canary.word: canary.field for canary in canaries}
    done = subprocess.run(
        [sys.executable, __file__, str(folder)],
        input=json.dumps(words),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _forms(word: str) -> Iterator[tuple[str, bytes]]:
    """The ways a word may be written, its stem and its beginning among them."""
    telling = word[:_TELLING_CHARS]
    for case, text in (("", telling), ("upper case ", telling.upper())):
        yield f"{case}utf-8", text.encode()
        yield f"{case}utf-16", text.encode("utf-16-le")
        yield f"{case}reversed", text[::-1].encode()
        yield f"{case}hex", text.encode().hex().encode()
    for shift in range(3):
        coded = base64.b64encode(bytes(shift) + word.encode()).decode()
        inner = coded[_BASE64_EDGE:-_BASE64_EDGE]
        yield f"base64 {shift}", inner.encode()


def _found(folder: Path, words: Mapping[str, str]) -> dict[str, str]:
    # Looking for thousands of forms one by one takes minutes: their beginnings are looked up in
    # all the eight bytes there are.
    told: dict[bytes, list[tuple[bytes, str, str]]] = {}
    for word, field in words.items():
        for form, written in _forms(word):
            told.setdefault(written[:_WINDOW], []).append((written, field, form))
    beginnings = np.sort(np.frombuffer(b"".join(told), np.uint64))
    found = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        held = file.read_bytes()
        for beginning in _windows_among(held, beginnings):
            for written, field, form in told[beginning]:
                if written in held:
                    found[field] = f"{form} in {file.name}"
    return found


def _windows_among(held: bytes, beginnings: NDArray[np.uint64]) -> set[bytes]:
    """Those of some runs of eight bytes that stand anywhere in others."""
    found: set[bytes] = set()
    for start in range(min(_WINDOW, max(0, len(held) - _WINDOW + 1))):
        windows = np.frombuffer(held, np.uint64, (len(held) - start) // _WINDOW, start)
        places = np.searchsorted(beginnings, windows) % len(beginnings)
        hits = windows[beginnings[places] == windows]
        found.update(hit.tobytes() for hit in np.unique(hits))
    return found


if __name__ == "__main__":
    print(json.dumps(_found(Path(sys.argv[1]), json.load(sys.stdin))))
