"""R3 and R3b: many servers on one file, and many starting on it at once."""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.client import BenchError, Server
from benchmarks.corpus import Corpus
from benchmarks.measure import MB, median, percentile

from mimir_py.storage import migrations
from mimir_py.storage.database import Writer
from torments import checks
from torments.outcome import Limit, Outcome, Tally
from torments.setting import Setting, seconds_to_answer

_READERS: Final = 2
_LOOK_EVERY_S: Final = 0.05
_EXPORT_EVERY_S: Final = 4.0
_COUNTER: Final = "counter"
_COUNT_EVERY: Final = 5
_CONTROL_SERVERS: Final = 4
_CONTROL_WRITES: Final = 15
_ALL_HAVE_LOOKED_S: Final = 3.0
_CHECKPOINTER: Final = Path(__file__).with_name("checkpointer.py")
_CATEGORY: Final = "torture"
_MOST_SEEDS: Final = 100
_SLOW_MS: Final = 500
_SLOWEST_MS: Final = 3_000
_MOST_LOG_MB: Final = 64
# Many at once share the cores with each other on both sides of the ratio.
_START_RATIO: Final = 2.5


def crowded(setting: Setting) -> Outcome:
    """R3: many servers write one file, while others read, checkpoint and export it."""
    effort = setting.effort
    crowd = _Crowd(setting, None, effort.servers, effort.writes)
    crowd.run()
    control = _Crowd(setting, "deferred", _CONTROL_SERVERS, _CONTROL_WRITES)
    control.run()
    seconds = crowd.seconds
    return Outcome(
        "R3",
        f"{effort.servers} servers x {effort.writes} writes on one file: none refused, none lost, "
        "a counter exact",
        crowd.tally,
        "BEGIN instead of BEGIN IMMEDIATE, and no lock file",
        control.tally,
        {
            "p99": Limit(1_000 * percentile(seconds, 0.99), _SLOW_MS, "ms"),
            "slowest": Limit(1_000 * max(seconds), _SLOWEST_MS, "ms"),
            "log at its longest": Limit(crowd.longest_log / MB, _MOST_LOG_MB, "MB"),
        },
        {
            "p50, ms": round(1_000 * percentile(seconds, 0.5), 1),
            "writes a second": round(len(seconds) / crowd.took),
            "recalls meanwhile": crowd.recalls,
            "exports meanwhile": crowd.exports,
        },
    )


@dataclass
class _Crowd:
    """Servers on one store, each with a client of its own on a thread."""

    setting: Setting
    sabotage: str | None
    servers: int
    writes: int
    tally: Tally = field(default_factory=Tally)
    seconds: list[float] = field(default_factory=list)
    counted: int = 0
    longest_log: int = 0
    recalls: int = 0
    exports: int = 0
    took: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)
    _acknowledged: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        folder = self.setting.new_folder()
        store = folder / "memory.db"
        with ExitStack() as stack:
            servers = [
                stack.enter_context(self.setting.serve(store, self.sabotage))
                for _ in range(self.servers + _READERS)
            ]
            for server in servers:
                server.initialize()
            # The model is in memory from here on: this is not about starting.
            for server in servers:
                server.call("mimir_recall", {"query": "anything"})
            self._all_at_once(store, servers)
        self.tally.add("the file afterwards", self._faults(store))

    def _all_at_once(self, store: Path, servers: list[Server]) -> None:
        writers, readers = servers[: self.servers], servers[self.servers :]
        beside: list[Callable[[], None]] = [
            lambda: self._watch(store),
            lambda: self._checkpoint(store),
            lambda: self._export(store),
            *(self._reading(reader) for reader in readers),
        ]
        with ThreadPoolExecutor(len(writers) + len(beside)) as pool:
            helping = [pool.submit(work) for work in beside]
            started = time.perf_counter()
            try:
                for done in [
                    pool.submit(self._write, number, server)
                    for number, server in enumerate(writers)
                ]:
                    done.result()
            finally:
                self.took = time.perf_counter() - started
                self._over.set()
            for help in helping:
                help.result()

    def _write(self, number: int, server: Server) -> None:
        corpus = Corpus(number % _MOST_SEEDS)
        for count in range(self.writes):
            is_count = count % _COUNT_EVERY == 0
            key = _COUNTER if is_count else f"server-{number}-{count}"
            body = json.dumps({"number": number * self.writes + count, "text": corpus.text(25)})
            try:
                answer = server.call(
                    "mimir_remember", {"category": _CATEGORY, "key": key, "body_json": body}
                )
            except BenchError as error:
                self.tally.add(key, [str(error)])
                continue
            self.tally.add(key, [])
            self.seconds.append(answer.seconds)
            if is_count:
                self.counted += 1
            else:
                self._acknowledged[key] = number * self.writes + count

    def _reading(self, reader: Server) -> Callable[[], None]:
        def read() -> None:
            corpus = Corpus(0)
            while not self._over.wait(_LOOK_EVERY_S):
                try:
                    reader.call("mimir_recall", {"query": corpus.text(4)})
                except BenchError as error:
                    self.tally.add("recall", [str(error)])
                self.recalls += 1

        return read

    def _watch(self, store: Path) -> None:
        log = store.with_name(store.name + "-wal")
        while not self._over.wait(_LOOK_EVERY_S):
            with contextlib.suppress(FileNotFoundError):
                self.longest_log = max(self.longest_log, log.stat().st_size)

    def _checkpoint(self, store: Path) -> None:
        """Have a process beside the servers empty the log again and again."""
        if self.sabotage:
            return
        with subprocess.Popen(
            [sys.executable, _CHECKPOINTER, store],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.setting.program.environment,
        ) as process:
            self._over.wait()
            _, errors = process.communicate()
        self.tally.add("checkpoints", [errors.decode()] if process.returncode else [])

    def _export(self, store: Path) -> None:
        if self.sabotage:
            return
        target = store.with_name("export.jsonl")
        while not self._over.wait(_EXPORT_EVERY_S):
            target.unlink(missing_ok=True)
            self.setting.program.run("export", target, "--db", store)
            self.exports += 1

    def _faults(self, store: Path) -> list[str]:
        with checks.opened(store) as connection:
            state = checks.held(connection)
            faults = [
                f"{key} is lost"
                for key, number in self._acknowledged.items()
                if key not in state or state[key].written_by != number
            ]
            versions = state[_COUNTER].versions + 1 if _COUNTER in state else 0
            if versions != self.counted:
                faults.append(f"counted to {self.counted}, {versions} versions stored")
            return faults + checks.parts_disagree(connection) + checks.broken(connection)


def crowded_start(setting: Setting) -> Outcome:
    """R3b: many servers start at once on a file that is missing, or of an older schema."""
    effort = setting.effort
    tally, ratios = Tally(), []
    with contextlib.ExitStack() as stack:
        for number in setting.tries(effort.start_rounds):
            for kind, make in _BEGINNINGS.items():
                store = setting.new_folder() / "memory.db"
                make(store)
                ours, faults = _start(setting, store, effort.start_servers, None)
                tally.add(f"round {number}, {kind}", faults + _migrated_wrong(store))
                bare, _ = _seconds(
                    [lambda: stack.enter_context(setting.bare_server())] * effort.start_servers
                )
                stack.close()
                ratios.append(median(ours) / median(bare) if ours else float("inf"))
    control = Tally()
    for number in range(max(1, effort.start_rounds // 10)):
        store = setting.new_folder() / "memory.db"
        with checks.opened(store) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            # All find the old schema before the first can migrate it.
            connection.execute("BEGIN IMMEDIATE")

            def let_go(connection: Any = connection) -> None:
                time.sleep(_ALL_HAVE_LOOKED_S)
                connection.execute("ROLLBACK")

            _, faults = _start(setting, store, _CONTROL_SERVERS, "unlocked", let_go)
        control.add(f"round {number}", faults + _migrated_wrong(store))
    return Outcome(
        "R3b",
        f"{effort.start_servers} servers start at once: one migration, all listed their tools "
        "and took a write",
        tally,
        "no lock file, and all look at the schema before the first migrates it",
        control,
        {"start to tools/list against bare servers": Limit(median(ratios), _START_RATIO, "x")},
        {"beginnings": ", ".join(_BEGINNINGS)},
    )


def _start(
    setting: Setting,
    store: Path,
    count: int,
    sabotage: str | None,
    started: Callable[[], None] = lambda: None,
) -> tuple[list[float], list[str]]:
    """Start servers on a store and let each write; seconds to their listings, and faults.

    `started` is called when all have started.
    """
    with ExitStack() as stack:
        starts = [lambda: stack.enter_context(setting.serve(store, sabotage))] * count
        seconds, servers = _seconds(starts)
        faults = [f"{count - len(seconds)} servers did not start"] if len(seconds) < count else []
        started()
        for number, server in enumerate(servers):
            body = json.dumps({"number": number, "text": f"written by server {number}"})
            arguments = {"category": _CATEGORY, "key": f"server-{number}", "body_json": body}
            try:
                server.call("mimir_remember", arguments)
            except BenchError as error:
                faults.append(str(error))
    return seconds, faults


def _seconds(starts: list[Callable[[], Server]]) -> tuple[list[float], list[Server]]:
    """Start all at once; seconds to each listing, and the servers that gave one."""
    servers = [start() for start in starts]

    def listing(server: Server) -> float | None:
        try:
            return seconds_to_answer(server)
        except BenchError:
            return None

    with ThreadPoolExecutor(len(servers)) as pool:
        answered = list(zip(servers, pool.map(listing, servers), strict=True))
    there = [(server, seconds) for server, seconds in answered if seconds is not None]
    return [seconds for _, seconds in there], [server for server, _ in there]


def _migrated_wrong(store: Path) -> list[str]:
    with checks.opened(store) as connection:
        if not checks.has_tables(connection):
            return ["no schema"]
        applied = [row[0] for row in connection.execute("SELECT version FROM migrations")]
        wanted = [migration.VERSION for migration in migrations.MIGRATIONS]
        faults = [f"migrations {applied} instead of {wanted}"] if applied != wanted else []
        return faults + checks.broken(connection)


def _missing(store: Path) -> None:
    """Leave it to the servers."""


def _older(store: Path) -> None:
    """A store as the version before the newest made it."""
    with checks.opened(store) as connection:
        connection.row_factory = checks.ENGINE.dbapi.Row
        connection.execute("PRAGMA journal_mode=WAL")
        migrations.migrate(Writer(connection), upto=migrations.MIGRATIONS[-2].VERSION)


_BEGINNINGS: Final[dict[str, Callable[[Path], None]]] = {
    "missing": _missing,
    **({"older schema": _older} if len(migrations.MIGRATIONS) > 1 else {}),
}
