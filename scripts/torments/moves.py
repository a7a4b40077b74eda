"""N2 and N3: kill -9 of whatever takes memories in; and thousands of odd ones out and in again."""

import json
import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from torments import checks
from torments.outcome import Outcome, Tally
from torments.setting import Setting

_MEMORIES: Final = 1_200
_FILES: Final = 40
_AT: Final = 1_760_000_000_000
# When to kill, in shares of what a whole run took; most of a short one is its start.
_WORKING: Final = (0.4, 0.95)
_TEXTS: Final = """
    SELECT category, key, body_json FROM entities WHERE archived = 0 ORDER BY category, key
"""
_OLD: Final = """
    CREATE TABLE entities (
        id TEXT PRIMARY KEY, category TEXT NOT NULL, key TEXT NOT NULL, body_json TEXT NOT NULL,
        workspace_hash TEXT NOT NULL DEFAULT '', created_at_unix_ms INTEGER NOT NULL,
        last_accessed_unix_ms INTEGER NOT NULL
    )
"""


def moves_killed(setting: Setting) -> Outcome:
    """N2: kill -9 of import, import --from, migrate and ingest."""
    run = _Run(setting)
    for number in setting.tries(setting.effort.vault_kills):
        run.cycle(number, repeat=True)
    control = _Run(setting)
    for number in range(setting.effort.vault_controls):
        control.cycle(number, repeat=False)
    return Outcome(
        "N2",
        "kill -9 while memories come in: the store is whole, and the same command once more "
        "makes it what a run that was left alone makes",
        run.tally,
        "the command is not given once more",
        control.tally,
        figures={"killed at work": run.killed, "ended before": run.ended},
    )


@dataclass(frozen=True)
class _Move:
    """A command that fills a store: what comes before and after the store's path."""

    name: str
    before: Sequence[str | Path]
    after: Sequence[str | Path] = ()

    def into(self, store: Path) -> list[str | Path]:
        return [*self.before, store, *self.after]


class _Run:
    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._random = setting.random("moves")
        self._folder = setting.new_folder()
        self._moves = [make(self._folder) for make in (_lines, _foreign, _old, _documents)]
        self._whole: dict[str, tuple[float, list[Any]]] = {}
        self.tally = Tally()
        self.killed = 0
        self.ended = 0

    def cycle(self, number: int, *, repeat: bool) -> None:
        """Kill one of the commands, and look at its store; then `repeat` it, and look again."""
        move = self._moves[number % len(self._moves)]
        takes, wanted = self._left_alone(move)
        store = self._setting.new_folder() / "memory.db"
        self._kill(move, store, takes * self._random.uniform(*_WORKING))
        faults = self._faults(store) if store.exists() else []
        if repeat:
            self._setting.program.run(*move.into(store))
            faults += self._faults(store)
        if self._texts(store) != wanted:
            faults.append("the store is not what a run that was left alone makes")
        self.tally.add(f"cycle {number}, {move.name}", faults)

    def _left_alone(self, move: _Move) -> tuple[float, list[Any]]:
        """How long a whole run takes, and what it stores."""
        if move.name not in self._whole:
            store = self._setting.new_folder() / "memory.db"
            started = time.perf_counter()
            self._setting.program.run(*move.into(store))
            self._whole[move.name] = (time.perf_counter() - started, self._texts(store))
        return self._whole[move.name]

    def _kill(self, move: _Move, store: Path, moment: float) -> None:
        if self._setting.kill([self._setting.program.path, *move.into(store)], moment):
            self.killed += 1
        else:
            self.ended += 1

    def _faults(self, store: Path) -> list[str]:
        with checks.opened(store) as connection:
            if not checks.has_tables(connection):
                return []
            return checks.parts_disagree(connection, in_slices=True) + checks.broken(connection)

    def _texts(self, store: Path) -> list[Any]:
        if not store.exists():
            return []
        with checks.opened(store) as connection:
            if not checks.has_tables(connection):
                return []
            return list(connection.execute(_TEXTS))


def _lines(folder: Path) -> _Move:
    path = folder / "lines.jsonl"
    path.write_text("".join(line + "\n" for line in odd_memories(1, _MEMORIES)), encoding="utf-8")
    return _Move("import", ["import", path, "--no-embed", "--db"])


def _foreign(folder: Path) -> _Move:
    path = folder / "foreign.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(_MEMORIES):
            said = {"id": f"f{number}", "content": f"fact {number}", "created_at": _AT + number}
            file.write(json.dumps(said) + "\n")
    return _Move("import --from", ["import", path, "--from", "jsonl", "--no-embed", "--db"])


def _old(folder: Path) -> _Move:
    path = folder / "old.db"
    connection = sqlite3.connect(path)
    connection.execute(_OLD)
    rows = (
        (f"mem-{n:012x}", "note", f"key {n}", json.dumps({"content": f"old {n}"}), _AT + n, _AT + n)
        for n in range(_MEMORIES)
    )
    with connection:
        connection.executemany("INSERT INTO entities VALUES (?, ?, ?, ?, '', ?, ?)", rows)
    connection.close()
    return _Move("migrate", ["migrate", "--from", path, "--to"])


def _documents(folder: Path) -> _Move:
    files = folder / "files"
    files.mkdir()
    for number in range(_FILES):
        text = f"# File {number}\n\n" + f"A line of file {number}.\n" * 40
        (files / f"{number}.md").write_text(text, encoding="utf-8")
    return _Move("ingest", ["ingest", files, "--no-embed", "--db"])


def round_trips(setting: Setting) -> Outcome:
    """N3: odd memories, exported and imported, as lines and as notes."""
    tally, control, folder = Tally(), Tally(), setting.new_folder()
    run = setting.program.run
    lines, first = folder / "all.jsonl", folder / "first.db"
    with lines.open("w", encoding="utf-8") as file:
        file.writelines(
            line + "\n" for line in odd_memories(setting.seed, setting.effort.odd_memories)
        )
    run("import", lines, "--db", first, "--no-embed", "--trusted")
    exported = run("export", "-", "--db", first)
    lines.write_bytes(exported.encode())
    second, third = folder / "second.db", folder / "third.db"
    run("import", lines, "--db", second, "--no-embed", "--trusted")
    tally.add("lines", _others(exported.splitlines(), run("export", "-", "--db", second)))
    notes, again = folder / "notes", folder / "again"
    run("vault-export", "--vault-dir", notes, "--db", first)
    said = json.loads(
        run("vault-import", "--vault-dir", notes, "--db", third, "--no-embed", "--trusted")
    )
    run("vault-export", "--vault-dir", again, "--db", third)
    tally.add("notes", [*said["errors"], *said["conflicts"], *_other_notes(notes, again)])
    # One memory that says something else must be seen in both.
    line = json.loads(exported.splitlines()[1]) | {"body_json": '"another"'}
    lines.write_text(json.dumps(line) + "\n", encoding="utf-8")
    for store in (second, third):
        run("import", lines, "--db", store, "--no-embed", "--replace")
    control.add("lines", _others(exported.splitlines(), run("export", "-", "--db", second)))
    run("vault-export", "--vault-dir", again, "--db", third)
    control.add("notes", _other_notes(notes, again))
    return Outcome(
        "N3",
        f"{setting.effort.odd_memories:,} memories with every attribute, history, links and odd "
        "text: exported, imported into an empty store and exported again they are the same bytes",
        tally,
        "a store in which one memory says something else",
        control,
        figures={"notes": len(list(notes.glob("*.md"))), "bytes": len(exported)},
    )


def _others(wanted: Sequence[str], found: str) -> list[str]:
    lines = found.splitlines()
    if len(lines) != len(wanted):
        return [f"{len(lines)} lines of {len(wanted)}"]
    return [f"{a[:200]} became {b[:200]}" for a, b in zip(wanted, lines, strict=True) if a != b]


def _other_notes(one: Path, other: Path) -> list[str]:
    notes, found = ({p.name: p.read_bytes() for p in at.glob("*.md")} for at in (one, other))
    names = sorted(notes.keys() | found.keys())
    return [f"{name} is another" for name in names if notes.get(name) != found.get(name)]


_ODD: Final = (
    "---\nkey: value\n---",
    "- a\n- b: {c: d}",
    "line\r\nline two\u2028three\u2029four\x85five\x0bsix\x1cseven",
    "key: |\n  block",
    "yes",
    "null",
    "1e3",
    "2025-01-02",
    "&a *a",
    "!!python/object:os.system",
    "\ufeffmark",
    "🚀 数据库 résumé ﷽",
    'a "quoted" \\ back\\slash \\u0041',
    "\x01\x02\x7f",
    "[[link|name]]",
    "## Links",
    "## Record\n```json\n{}\n```",
    "```\n~~~",
    "# heading #tag",
    " leading and trailing ",
    "\t\n",
    "ünïcode e\u0301",
    "<!-- x --> <b>",
    "%%comment%%",
    "a" * 300,
)


def odd_memories(seed: int, count: int) -> list[str]:
    """Lines of an import file: every attribute, versions, links and other keys, all of odd text."""
    chance = random.Random(f"{seed} odd memories")  # noqa: S311  # data, not secrets
    return [json.dumps(_odd_memory(chance, number)) for number in range(count)]


def _odd_memory(chance: random.Random, number: int) -> dict[str, Any]:
    memory = {
        "record": "memory",
        "id": f"mem-{number:012x}",
        "category": _text(chance) or "note",
        "key": f"{_text(chance)} {number}",
        "workspace_hash": chance.choice(("", "", "w1", _text(chance))),
        **_said(chance, _AT + number * 1_000),
    }
    targets = {chance.randrange(number + 5) for _ in range(chance.randrange(3))}
    memory["links"] = [
        {
            "target_id": f"mem-{target:012x}",
            "relationship": _text(chance) or "related",
            "weight": chance.random(),
            "note": chance.choice(("", _text(chance))),
            "created_at_unix_ms": _AT,
        }
        for target in sorted(targets)
    ]
    memory["history"] = [
        {
            "history_id": f"hist-{number:010x}{version:06x}",
            "category": memory["category"],
            "key": memory["key"],
            "workspace_hash": memory["workspace_hash"],
            **_said(chance, _AT - 10_000 + version),
            "invalidated_at_unix_ms": _AT - 5_000 + version,
        }
        for version in range(chance.randrange(3))
    ]
    if chance.random() < 0.2:
        name = {"category": memory["category"], "workspace_hash": memory["workspace_hash"]}
        key = f"{_text(chance)} also {number}"
        memory["aliases"] = [{**name, "key": key, "created_at_unix_ms": _AT + number}]
    return memory


def _said(chance: random.Random, at: int) -> dict[str, Any]:
    return {
        "body_json": json.dumps(_value(chance, 3), ensure_ascii=chance.random() < 0.5),
        "agent_id": chance.choice(("", _text(chance))),
        "type": chance.choice(("insight", _text(chance) or "fact")),
        "status": chance.choice(("active", "draft", _text(chance) or "done")),
        "layer": chance.choice(("buffer", "working", "core")),
        "topic_path": chance.choice(("", "a/b", _text(chance))),
        "always_on": chance.random() < 0.1,
        "verified": chance.random() < 0.1,
        "decay_score": chance.random(),
        "certainty": chance.random(),
        "importance": chance.random(),
        "visibility": chance.choice(("workspace", "shared")),
        "source": chance.choice(("agent", "import:mem0", _text(chance))),
        "retrieval_count": chance.randrange(100),
        "created_at_unix_ms": at,
        "last_accessed_unix_ms": at + chance.randrange(1_000),
        "recorded_at_unix_ms": at + chance.randrange(1_000),
        "valid_from_unix_ms": chance.choice((at, -(2**50), 0, None)),
        "valid_to_unix_ms": chance.choice((None, 2**52)),
        "supersedes": chance.choice(("", "hist-0123456789abcdef")),
        "follow_count": chance.randrange(5),
        "miss_count": chance.randrange(5),
        "follow_rate": chance.random(),
        "efficacy_status": chance.choice(("unverified", "useful")),
        "tags": [_text(chance) for _ in range(chance.randrange(4))],
    }


def _value(chance: random.Random, depth: int) -> Any:
    makes: list[Callable[[], Any]] = [
        lambda: _text(chance),
        lambda: {"content": _text(chance)},
        lambda: chance.choice((None, True, 0, -1.5, 2**53, 1e-9, "")),
    ]
    if depth:
        makes.append(lambda: [_value(chance, depth - 1) for _ in range(chance.randrange(3))])
        makes.append(
            lambda: {_text(chance): _value(chance, depth - 1) for _ in range(chance.randrange(3))}
        )
    return chance.choice(makes)()


def _text(chance: random.Random) -> str:
    return " ".join(chance.choice(_ODD) for _ in range(chance.choice((0, 1, 1, 1, 2))))
