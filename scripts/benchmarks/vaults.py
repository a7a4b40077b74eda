"""Rows of memories as notes: whole exports and imports, and a vault that is kept in step."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.client import BenchError, Server
from benchmarks.corpus import Corpus
from benchmarks.measure import Goal, Row, latency, median, percentile, shown_latency
from benchmarks.setting import Setting
from benchmarks.stores import SMALL, write_import

_NOTES: Final = 1_500
_WORDS: Final = 30
_SEED: Final = 22
_UPDATES: Final = 20
_IDLE_S: Final = 20.0
_PATIENCE_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.005


def notes(setting: Setting) -> list[Row]:
    """Whole `mimir vault-export` and `vault-import` commands, process start and all."""
    small = setting.store_copy(setting.stores.small())
    exports, imports = [], []
    for number in range(setting.effort.rounds):
        seconds, _ = _timed(setting, "vault-export", small, setting.folder / f"all-{number}")
        exports.append(SMALL / seconds)
    lines = write_import(
        setting.folder / "notes.jsonl", Corpus(_SEED, _WORDS).memories(_NOTES), "04"
    )
    source, folder = setting.folder / "source.db", setting.folder / "notes"
    setting.program.run("import", lines, "--db", source, "--no-embed")
    _timed(setting, "vault-export", source, folder)
    for number in range(setting.effort.rounds):
        target = setting.folder / f"target-{number}.db"
        seconds, answer = _timed(setting, "vault-import", target, folder)
        if answer["files_created"] != _NOTES or answer["errors"]:
            raise BenchError(f"took in {answer['files_created']} of {_NOTES} notes")
        imports.append(_NOTES / seconds)
    return [
        Row(
            "notes_export",
            f"export of {SMALL:,} notes",
            median(exports),
            f"{median(exports):,.0f} /s",
            Goal(1_500, "/s", at_least=True),
            {"per_second_by_round": exports},
        ),
        Row(
            "notes_import",
            f"import of {_NOTES:,} notes, embedded",
            median(imports),
            f"{median(imports):,.0f} /s",
            Goal(300, "/s", at_least=True),
            {"per_second_by_round": imports},
        ),
    ]


def obsidian(setting: Setting) -> list[Row]:
    """A vault of 10,000 memories: `obsidian-sync`, then `--watch --two-way`, then edits."""
    store = setting.store_copy(setting.stores.small())
    firsts = []
    for number in range(setting.effort.rounds):
        started = time.perf_counter()
        setting.program.run("obsidian-sync", setting.folder / f"vault-{number}", "--db", store)
        firsts.append(time.perf_counter() - started)
    vault = setting.folder / "vault-0"
    with setting.program.serve(store) as server, _watching(setting, vault, store) as pid:
        server.initialize()
        before, started = _cpu_seconds(pid), time.perf_counter()
        time.sleep(_IDLE_S)
        idle = (_cpu_seconds(pid) - before) / (time.perf_counter() - started) * 100
        shown, taken = [], []
        for number in range(_UPDATES):
            body = json.dumps({"content": f"update {number} of the bench"})
            arguments = {"category": "bench", "key": f"update {number}", "body_json": body}
            found = server.call("mimir_remember", arguments).result
            path = vault / f"{found['id']}.md"
            shown.append(_seconds_until(path.exists, f"the note of update {number}"))
            edited = path.read_text(encoding="utf-8").replace("of the bench", "by hand")
            path.write_text(edited, encoding="utf-8")
            taken.append(_seconds_until(partial(_says, server, found["id"], "by hand"), "an edit"))
    return [
        Row(
            "obsidian_first",
            f"first export of {SMALL:,} memories into a vault, with its pages",
            median(firsts),
            f"{median(firsts):.1f} s",
            Goal(10, "s"),
            {"seconds": firsts},
        ),
        _until("obsidian_update", "... from an answered remember to its note", shown),
        _until("obsidian_edit", "... from a saved edit to the memory", taken),
        Row(
            "obsidian_idle",
            f"... CPU of an idle --watch --two-way over {_IDLE_S:.0f} s",
            idle,
            f"{idle:.2f} %",
            Goal(1, "%"),
        ),
    ]


def _until(name: str, what: str, seconds: list[float]) -> Row:
    raw = latency(seconds)
    return Row(name, what, percentile(seconds, 0.95), shown_latency(raw), Goal(2, "s (p95)"), raw)


def _timed(
    setting: Setting, command: str, store: Path, folder: Path
) -> tuple[float, dict[str, Any]]:
    started = time.perf_counter()
    answer = json.loads(setting.program.run(command, "--db", store, "--vault-dir", folder))
    return time.perf_counter() - started, answer


@contextmanager
def _watching(setting: Setting, vault: Path, store: Path) -> Iterator[int]:
    """A watch that has made its first round; its process."""
    program = setting.program
    command = [program.path, "obsidian-sync", vault, "--db", store, "--watch", "--two-way"]
    with program.log.open("ab") as log:
        process = subprocess.Popen(
            command, env=program.environment, stdout=subprocess.PIPE, stderr=log
        )
    assert process.stdout is not None
    try:
        process.stdout.readline()
        # A second round, whatever the first one left, and the watch of the folder.
        time.sleep(3)
        yield process.pid
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _says(server: Server, entity_id: str, words: str) -> bool:
    return words in str(server.call("mimir_get_entity", {"id": entity_id}).result)


def _seconds_until(is_so: Callable[[], bool], what: str) -> float:
    started = time.perf_counter()
    while not is_so():
        if time.perf_counter() - started > _PATIENCE_S:
            raise BenchError(f"{what} did not come within {_PATIENCE_S:.0f} s")
        time.sleep(_LOOK_EVERY_S)
    return time.perf_counter() - started


def _cpu_seconds(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
