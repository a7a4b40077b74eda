"""E1 and E2: a sealed store shows nothing, and takes nothing that was changed in it."""

import itertools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from mimir_py.security import keys
from mimir_py.security.unlocking import unlocking
from mimir_py.storage.connection import connect_plainly
from mimir_py.storage.database import prepare_store
from mimir_py.storage.engine import load_engine
from mimir_py.storage.migrations import TABLES
from torments import canaries, tamper
from torments.outcome import Outcome, Tally
from torments.setting import Setting

_MEMORIES: Final = 30
# Runs side by side: each waits for its server half of the time.
_LANES: Final = 3
# Fields whose words a plain store must show, or the search for them finds nothing anywhere.
_SHOWN: Final = 10


def shown_nothing(setting: Setting) -> Outcome:
    """E1: words given to every argument of every tool are in no byte of a sealed store's folder."""
    tally, control = Tally(), Tally()
    fields: set[str] = set()

    def sealed(number: int) -> dict[str, str]:
        return _found(setting, setting.seed + number, is_sealed=True)

    tries = setting.tries(setting.effort.canary_runs)
    with ThreadPoolExecutor(_LANES) as pool:
        # A few at a time: what a test may take is looked at in between.
        for numbers in iter(lambda: list(itertools.islice(tries, _LANES)), []):
            for number, found in zip(numbers, pool.map(sealed, numbers), strict=True):
                tally.add(f"run {number}", [f"{field}: {where}" for field, where in found.items()])
    for number in range(2):
        shown = _found(setting, setting.seed + number, is_sealed=False)
        fields |= set(shown)
        faults = [f"{field}: {where}" for field, where in shown.items()]
        control.add(f"run {number}", faults if len(shown) >= _SHOWN else [])
    return Outcome(
        "E1",
        "canaries in a sealed store",
        tally,
        "the same in a plain store",
        control,
        figures={"fields a plain store shows": len(fields)},
    )


def tampered(setting: Setting) -> Outcome:
    """E2: rows of a sealed store that were changed, moved or exchanged are refused by name."""
    folder = setting.new_folder()
    key = _key(folder)
    store = folder / "store" / "mimir.db"
    _fill(setting, store, key)
    tally, control = Tally(), Tally()
    engine = load_engine("auto")
    connection = connect_plainly(store, engine)
    try:
        unlock = unlocking(keys.from_key_file(key), seal_names=True)
        sealing = prepare_store(connection, store, engine, unlock)
        assert sealing is not None
        rows = tamper.Rows(connection, sealing.seals, setting.seed)
        for change in rows.changes(setting.effort.mutations):
            refusal = rows.refusal(change)
            named = refusal is not None and tamper.names_row(refusal, change)
            tally.add(f"{change.table}, {change.kind}", [] if named else [f"answered {refusal}"])
        for table in rows.tables:
            # Rows nobody changed are not refused: a checker that sees faults everywhere sees none.
            unchanged = rows.is_readable(TABLES[table], rows.some_row(table))
            control.add(table, ["read"] if unchanged else [])
    finally:
        connection.close()
    return Outcome(
        "E2",
        "changes of sealed rows",
        tally,
        "rows nobody changed, which are read",
        control,
        figures={"tables": len(rows.tables)},
    )


def _found(setting: Setting, seed: int, *, is_sealed: bool) -> dict[str, str]:
    folder = setting.new_folder()
    flags = ("--encryption-key", _key(folder), "--seal-names", "yes") if is_sealed else ()
    store = folder / "store" / "mimir.db"
    store.parent.mkdir()
    brood = canaries.Brood(seed)
    with setting.program.serve(store, *flags) as server:
        server.initialize()

        def call(tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
            asked = {"name": f"mimir_{tool}", "arguments": dict(arguments)}
            answer: Mapping[str, Any] = server.request("tools/call", asked).result
            return answer.get("structuredContent") or {}

        canaries.release(call, brood)
        found = canaries.scan(store.parent, brood.all)
    return found | canaries.scan(store.parent, brood.all)


def _fill(setting: Setting, store: Path, key: Path) -> None:
    flags = ("--encryption-key", key, "--seal-names", "yes")
    store.parent.mkdir()
    with setting.program.serve(store, *flags) as server:
        server.initialize()
        for number in range(_MEMORIES):
            arguments = {
                "category": "note",
                "key": f"key-{number % (_MEMORIES - 3)}",
                "body_json": f"what was decided on day {number}",
                "tags": [f"tag-{number}"],
                "agent_id": f"agent-{number % 2}",
            }
            server.call("mimir_remember", arguments)
            value = {"key": f"cursor-{number}", "value_json": f'"{number}"'}
            server.call("mimir_state_set", value)
            server.call("mimir_journal", {"event_type": "decision", "acted": {"n": number}})


def _key(folder: Path) -> Path:
    path = folder / "secret.key"
    if not path.exists():
        keys.make_key_file(path)
    return path
