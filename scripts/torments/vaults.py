"""N1: kill -9 of whatever reads and writes notes; the next run puts everything right."""

import json
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from torments import checks
from torments.outcome import Outcome, Tally
from torments.setting import Setting

_MEMORIES: Final = 150
_CHANGED: Final = 25
_EDITED: Final = 12
# When to kill, in shares of what the last whole run took.
_WORKING: Final = (0.4, 1.0)
_WAITING: Final = (1.5, 2.5)
_USUAL_S: Final = 1.0
_CONTROL: Final = "hasty"
_MINE: Final[Mapping[str, str]] = {
    "mine.md": "my own words",
    "projects/plan.md": "---\ncategory: note\nkey: mine\n---\n\na plan",
    "categories/ideas.md": "my own ideas",
}


def notes_killed(setting: Setting) -> Outcome:
    """N1: kill -9 of vault-export, vault-import and obsidian-sync --two-way."""
    run = _Run(setting, None)
    run.cycles(setting.tries(setting.effort.vault_kills))
    control = _Run(setting, _CONTROL)
    control.cycles(range(setting.effort.vault_controls))
    return Outcome(
        "N1",
        "kill -9 while notes are written and read; after the next run the notes are those of the "
        "store, no edit and no update is lost, a person's own notes are as they were",
        run.tally,
        "a sync that puts down where it got to before it does",
        control.tally,
        figures={"killed at work": run.killed, "ended before": run.ended},
    )


class _Run:
    """One vault and one store, changed on both sides before every kill."""

    def __init__(self, setting: Setting, sabotage: str | None) -> None:
        self._setting = setting
        self._sabotage = sabotage
        self._random = setting.random(f"vaults {sabotage}")
        self._folder = setting.new_folder()
        self._store = self._folder / "memory.db"
        self._vault = self._folder / "vault"
        self._takes: dict[str, float] = {}
        self.tally = Tally()
        self.killed = 0
        self.ended = 0
        for name, text in _MINE.items():
            path = self._vault / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self._import(_memory(number, "first") for number in range(_MEMORIES))
        self._sync()

    def cycles(self, numbers: Iterable[int]) -> None:
        for cycle in numbers:
            torment = (self._sync_killed, self._export_killed, self._import_killed)[
                0 if self._sabotage else cycle % 3
            ]
            self.tally.add(f"cycle {cycle}", torment(cycle))

    def _sync_killed(self, cycle: int) -> list[str]:
        updates = [f"update {cycle}.{number}" for number in range(_CHANGED)]
        edits = [f"edit {cycle}.{number}" for number in range(_EDITED)]
        changed = self._random.sample(range(_MEMORIES), _CHANGED)
        self._import(
            [*map(_memory, changed, updates), _memory(_MEMORIES + cycle, updates[0])], "--replace"
        )
        notes = sorted(self._vault.glob("mem-*.md"))
        notes = [path for path in notes if ".conflict-" not in path.name]
        for path, words in zip(self._random.sample(notes, _EDITED), edits, strict=True):
            text = path.read_text(encoding="utf-8")
            head, _, rest = text.partition('"content"')
            path.write_text(f'{head}"edited":"{words}","content"{rest}', encoding="utf-8")
        command = ("obsidian-sync", self._vault, "--two-way", "--no-embed")
        self._kill("obsidian-sync", [*command, "--db", self._store])
        answer = self._sync()
        return [
            *answer["errors"],
            *self._lost([*updates, *edits]),
            *self._differing(self._vault),
            *_not_mine(self._vault),
            *_left_over(self._vault),
        ]

    def _export_killed(self, _: int) -> list[str]:
        folder = self._setting.new_folder()
        command = ["vault-export", "--vault-dir", folder, "--db", self._store]
        self._kill("vault-export", command)
        self._command(command)
        return [*self._differing(folder), *_left_over(folder)]

    def _import_killed(self, _: int) -> list[str]:
        folder = self._setting.new_folder()
        notes = folder / "notes"
        self._command(["vault-export", "--vault-dir", notes, "--db", self._store])
        command = ["vault-import", "--vault-dir", notes, "--no-embed", "--db", folder / "new.db"]
        self._kill("vault-import", command)
        answer = self._command(command)
        with checks.opened(folder / "new.db") as connection:
            faults = checks.parts_disagree(connection, in_slices=True)
            faults += checks.broken(connection)
        again = folder / "again"
        self._command(["vault-export", "--vault-dir", again, "--db", folder / "new.db"])
        if _notes(again) != _notes(notes):
            faults.append("the notes of the new store are others")
        return [*answer["errors"], *answer["conflicts"], *faults]

    def _lost(self, words: Sequence[str]) -> list[str]:
        """Those of the words that neither the store, with its versions, nor a file holds."""
        lines = self._setting.program.run("export", "-", "--db", self._store)
        held = lines + "".join(p.read_text(encoding="utf-8") for p in self._vault.glob("*.md"))
        return [f"{one} is lost" for one in words if f'"{one}"' not in held.replace("\\", "")]

    def _differing(self, vault: Path) -> list[str]:
        """Notes that are not those of the store."""
        folder = self._setting.new_folder()
        self._command(["vault-export", "--vault-dir", folder, "--db", self._store])
        wanted, found = _notes(folder), _notes(vault)
        shutil.rmtree(folder)
        names = sorted(wanted.keys() | found.keys())
        return [f"{name} is not as it is" for name in names if wanted.get(name) != found.get(name)]

    def _sync(self) -> dict[str, Any]:
        """A whole sync; how long it takes is known from then on."""
        command = ("obsidian-sync", self._vault, "--two-way", "--no-embed", "--db", self._store)
        return self._command(list(command))

    def _import(self, memories: Iterable[str], *flags: str) -> None:
        lines = self._folder / "lines.jsonl"
        lines.write_text("".join(memories), encoding="utf-8")
        self._setting.program.run("import", lines, "--db", self._store, "--no-embed", *flags)

    def _command(self, command: Sequence[str | Path]) -> dict[str, Any]:
        started = time.perf_counter()
        answer: dict[str, Any] = json.loads(self._setting.program.run(*command))
        self._takes[str(command[0])] = time.perf_counter() - started
        return answer

    def _kill(self, name: str, command: Sequence[str | Path]) -> None:
        """Start a command, and kill it at a moment of its work."""
        share = self._random.uniform(*(_WAITING if self._sabotage else _WORKING))
        moment = share * self._takes.get(name, _USUAL_S)
        if self._setting.kill([*self._setting.command(self._sabotage), *command], moment):
            self.killed += 1
        else:
            self.ended += 1


def _memory(number: int, words: str) -> str:
    """A line to import; later ones link to earlier ones."""
    links = [{"target_id": f"mem-{number // 2:012x}", "relationship": "after"}] if number else []
    body = json.dumps({"content": words})
    memory = {
        "id": f"mem-{number:012x}",
        "category": f"kind{number % 3}",
        "key": f"key {number}",
        "body_json": body,
        "links": links,
    }
    return json.dumps(memory) + "\n"


def _notes(folder: Path) -> dict[str, bytes]:
    found = folder.glob("mem-*.md")
    return {path.name: path.read_bytes() for path in found if ".conflict-" not in path.name}


def _not_mine(vault: Path) -> list[str]:
    return [
        f"{name} was touched"
        for name, text in _MINE.items()
        if not (vault / name).exists() or (vault / name).read_text(encoding="utf-8") != text
    ]


def _left_over(vault: Path) -> list[str]:
    return [f"{path.name} was left" for path in vault.rglob(".mimir-*.tmp")]
