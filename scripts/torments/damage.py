"""R6: a damaged file: the server says so or serves what was stored, and never falls over.

Damage is done to a copy of a closed store, whose bodies are known. Every twentieth copy is looked
at through `mimir serve`, the others through the library in a process that opens one after another.
"""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.client import BenchError, Server
from benchmarks.corpus import Corpus

from torments import checks
from torments.outcome import Outcome, Tally
from torments.setting import Setting

_MEMORIES: Final = 120
_LONG_EVERY: Final = 15
_ASKED: Final = 12
_PAGE: Final = 4_096
_CATEGORY: Final = "damage"
_RECALLS: Final = 3
# A server takes a second to start; the worker opens twenty copies in it.
_SERVER_EVERY: Final = 20
_UNEXPECTED: Final = "unexpectedly"
_CONTROL: Final = "blind"
_MOST_CONTROLS: Final = 40
Report = Mapping[str, Any]
Damage = Callable[["_Store", Path, random.Random], str | None]


def damaged(setting: Setting) -> Outcome:
    """R6: bits flipped, pages zeroed, files cut, swapped, foreign and missing."""
    whole = _Store(setting)
    run = _Run(setting, whole, None)
    source = setting.random("damage")
    for by_server in (False, True):
        faults = run.look(whole.copy(), sorted(whole.bodies), by_server=by_server)
        refused = [f"{count} {answer}" for answer, count in run.answers.items() if "ref" in answer]
        run.tally.add("an undamaged store", faults + refused)
    for number in setting.tries(setting.effort.damages):
        run.one(number, source)
    control = _Run(setting, whole, _CONTROL)
    source = setting.random("damage")
    for number in range(min(_MOST_CONTROLS, setting.effort.damages)):
        # A flip inside a body is what the safeguard is against.
        control.flip_in_body(number, source)
    run.close()
    control.close()
    return Outcome(
        "R6",
        "a damaged file: no crash, no body served that was not stored, the file not overwritten",
        run.tally,
        "bodies served whatever their checksum; flips inside them",
        control.tally,
        figures={"answers": run.answers, "by servers": run.by_servers, "damage": run.kinds},
    )


class _Store:
    """A store with known bodies, closed."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.folder = setting.new_folder()
        self.path = self.folder / "memory.db"
        self.bodies: dict[str, str] = {}
        corpus = Corpus(0)
        with setting.serve(self.path) as server:
            server.initialize()
            for number in range(_MEMORIES):
                words = 900 if number % _LONG_EVERY == 0 else 30
                body = json.dumps({"number": number, "text": corpus.text(words)})
                arguments = {"category": _CATEGORY, "key": f"key-{number}", "body_json": body}
                self.bodies[server.call("mimir_remember", arguments).result["id"]] = body
        self.bytes = self.path.read_bytes()

    def copy(self) -> Path:
        folder = self._setting.new_folder()
        shutil.copy(self.path, folder / self.path.name)
        return folder / self.path.name

    def places_of(self, entity_id: str) -> range:
        """Where in the file the body of a memory is, as far as it is in one piece."""
        start = self.bytes.find(self.bodies[entity_id].encode()[:200])
        length = min(200, len(self.bodies[entity_id]))
        return range(start, start + length) if start >= 0 else range(0)


class _Run:
    """Copies, damaged and looked at: most by a worker, some by a whole server."""

    def __init__(self, setting: Setting, whole: _Store, sabotage: str | None) -> None:
        self._setting = setting
        self._whole = whole
        self._sabotage = sabotage
        self._worker: Worker | None = None
        self.tally = Tally()
        self.kinds: dict[str, int] = {}
        self.answers: dict[str, int] = {}
        self.by_servers = 0

    def one(self, number: int, source: random.Random) -> None:
        """Damage a copy in one of the ways, and look at it."""
        kind = list(_KINDS)[number % len(_KINDS)]
        self._damage(kind, _KINDS[kind], number, source)

    def flip_in_body(self, number: int, source: random.Random) -> None:
        self._damage("bit in a body", _flip_in_body, number, source)

    def _damage(self, kind: str, damage: Damage, number: int, source: random.Random) -> None:
        path = self._whole.copy()
        touched = damage(self._whole, path, source)
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        asked = source.sample(sorted(self._whole.bodies), _ASKED)
        before = path.read_bytes()
        by_server = number % _SERVER_EVERY == _SERVER_EVERY - 1
        faults = self.look(path, [*asked, *([touched] if touched else [])], by_server=by_server)
        if kind in _NOT_OURS and path.read_bytes() != before:
            faults.append("the file was changed")
        self.tally.add(f"{number}, {kind}", faults)
        shutil.rmtree(path.parent)

    def look(self, path: Path, ids: Sequence[str], *, by_server: bool) -> list[str]:
        """Ask for memories by id and by words; what is wrong about the answers."""
        words = [
            " ".join(json.loads(self._whole.bodies[entity_id])["text"].split()[:6])
            for entity_id in ids[-_RECALLS:]
        ]
        try:
            if by_server:
                self.by_servers += 1
                report = self._by_server(path, ids, words)
            else:
                self._worker = self._worker or Worker(self._setting, self._sabotage)
                report = self._worker.ask(path, ids, words)
        except BenchError as error:
            self._worker = None
            return [str(error)]
        return self._judged(report)

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()

    def _by_server(self, path: Path, ids: Sequence[str], words: Sequence[str]) -> Report:
        with self._setting.serve(path, self._sabotage) as server:
            try:
                server.initialize()
            except BenchError:
                if server.exit_code(10) not in _REFUSALS:
                    raise
                return {"start": "refused"}
            got = [_answered(server, "mimir_get_entity", {"id": entity_id}) for entity_id in ids]
            recalled = [_answered(server, "mimir_recall", {"query": text}) for text in words]
            server.request("ping", {})
        return {"got": got, "recalled": recalled}

    def _judged(self, report: Report) -> list[str]:
        if "start" in report:
            self._count("refused at the start")
            return [f"at the start: {report['start']}"] if _UNEXPECTED in report["start"] else []
        faults = []
        items = list(report["got"])
        for answer in report["recalled"]:
            items += [answer] if "error" in answer else answer["items"]
        for item in items:
            if "error" in item:
                self._count("refused")
                if _UNEXPECTED in item["error"]:
                    faults.append(f"not told as damage: {item['error']}")
            elif item["id"] in self._whole.bodies and not self._is_of(item):
                faults.append(f"{item['id']}: another body")
            else:
                self._count("as stored")
        return faults

    def _count(self, answer: str) -> None:
        self.answers[answer] = self.answers.get(answer, 0) + 1

    def _is_of(self, item: Mapping[str, Any]) -> bool:
        body = self._whole.bodies[item["id"]]
        parsed = json.loads(body)
        if item.get("passage", "") not in f"{parsed['number']}\n{parsed['text']}":
            return False
        if item.get("truncated"):
            return body.startswith(item["body_json"].partition("\n--truncated")[0])
        return bool(item["body_json"] == body)


class Worker:
    """A process that opens one copy after another through the library; its end is a crash."""

    def __init__(self, setting: Setting, sabotage: str | None) -> None:
        command = [sys.executable, "-m", "torments.damage_worker", sabotage or ""]
        with setting.program.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=Path(__file__).parents[1],
                env=setting.program.environment,
            )

    def ask(self, path: Path, ids: Sequence[str], words: Sequence[str]) -> Report:
        """What the worker got from the store at `path`.

        Raises:
            BenchError: it crashed.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        question = {"path": str(path), "ids": list(ids), "words": list(words)}
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"crashed with {self._process.wait()}")
        report: Report = json.loads(line)
        return report

    def close(self) -> None:
        self._process.communicate()


def _answered(server: Server, tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return server.call(tool, arguments).result
    except BenchError as error:
        if "the server ended" in str(error):
            raise
        return {"error": str(error)}


def _flip(content: bytearray, places: range, source: random.Random) -> None:
    place = source.choice(places)
    content[place] ^= 1 << source.randrange(8)


def _flip_in_body(whole: _Store, path: Path, source: random.Random) -> str | None:
    entity_id = source.choice(sorted(whole.bodies))
    content = bytearray(whole.bytes)
    places = whole.places_of(entity_id)
    if places:
        _flip(content, places, source)
    path.write_bytes(content)
    return entity_id


def _flip_anywhere(whole: _Store, path: Path, source: random.Random) -> None:
    content = bytearray(whole.bytes)
    _flip(content, range(len(content)), source)
    path.write_bytes(content)


def _page(filler: Callable[[random.Random], bytes]) -> Damage:
    def damage(whole: _Store, path: Path, source: random.Random) -> None:
        content = bytearray(whole.bytes)
        start = source.randrange(len(content) // _PAGE) * _PAGE
        content[start : start + _PAGE] = filler(source)
        path.write_bytes(content)

    return damage


def _swap_pages(whole: _Store, path: Path, source: random.Random) -> None:
    content = bytearray(whole.bytes)
    one, other = (page * _PAGE for page in source.sample(range(len(content) // _PAGE), 2))
    content[one : one + _PAGE], content[other : other + _PAGE] = (
        content[other : other + _PAGE],
        content[one : one + _PAGE],
    )
    path.write_bytes(content)


def _cut(whole: _Store, path: Path, source: random.Random) -> None:
    path.write_bytes(whole.bytes[: source.randrange(len(whole.bytes))])


def _header(whole: _Store, path: Path, source: random.Random) -> None:
    path.write_bytes(bytes(100) + whole.bytes[100:])


def _foreign_log(whole: _Store, path: Path, source: random.Random) -> None:
    """A log of another store, whole and valid in itself."""
    other = path.with_name("other.db")
    connection = checks.ENGINE.dbapi.connect(str(other), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE other (words TEXT)")
    connection.execute("INSERT INTO other VALUES (?)", ("x" * source.randrange(50_000),))
    log = other.with_name("other.db-wal").read_bytes()
    connection.close()
    path.with_name(path.name + "-wal").write_bytes(log)


def _torn_log(whole: _Store, path: Path, source: random.Random) -> None:
    content = source.randbytes(source.randrange(1, 20_000))
    path.with_name(path.name + "-wal").write_bytes(content)


def _text(whole: _Store, path: Path, source: random.Random) -> None:
    path.write_text("notes, not a database\n" * source.randrange(1, 500), encoding="utf-8")


def _other_database(whole: _Store, path: Path, source: random.Random) -> None:
    path.unlink()
    connection = checks.ENGINE.dbapi.connect(str(path), isolation_level=None)
    connection.execute("CREATE TABLE notes (words TEXT)")
    connection.close()


def _statement(sql: str) -> Damage:
    def damage(whole: _Store, path: Path, source: random.Random) -> None:
        with checks.opened(path) as connection:
            connection.execute(sql, {"row": source.randrange(1, _MEMORIES + 1)})
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    return damage


_NOT_OURS: Final = frozenset({"text instead", "another database instead"})
# 2 to 4: the command line's own words for a store it will not open.
_REFUSALS: Final = frozenset({1, 2, 3, 4})
_KINDS: Final[Mapping[str, Damage]] = {
    "bit in a body": _flip_in_body,
    "bit anywhere": _flip_anywhere,
    "bit in a body, again": _flip_in_body,
    "page zeroed": _page(lambda source: bytes(_PAGE)),
    "page of noise": _page(lambda source: source.randbytes(_PAGE)),
    "pages swapped": _swap_pages,
    "cut off": _cut,
    "header zeroed": _header,
    "log of another store": _foreign_log,
    "log of noise": _torn_log,
    "text instead": _text,
    "another database instead": _other_database,
    "vector shortened": _statement(
        "UPDATE chunks SET vector = substr(vector, 1, 7) WHERE row_id = :row"
    ),
    "words missing": _statement("DELETE FROM entity_text WHERE row_id = :row"),
}
