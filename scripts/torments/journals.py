"""J1: whatever is changed in a journal behind Mimir's back is found, at the entry it begins at."""

import asyncio
from pathlib import Path
from typing import Any, Final

from mimir_py.app import App, open_app
from mimir_py.config import load
from mimir_py.journal import Entry
from mimir_py.storage.connection import connect_plainly
from torments import checks
from torments.forgery import FORGERIES
from torments.outcome import Outcome, Tally
from torments.setting import Setting

_ENTRIES: Final = 12
_KEEP: Final = "CREATE TABLE kept AS SELECT * FROM journal"
_PUT_BACK: Final = ("DELETE FROM journal", "INSERT INTO journal SELECT * FROM kept")


def forged(setting: Setting) -> Outcome:
    """J1: changed, erased, cut, inserted, moved entries of a journal are found and named."""
    tally, control = asyncio.run(_forge(setting, setting.new_folder() / "memory.db"))
    return Outcome(
        "J1",
        "a forged journal is found out, at the first entry that is not as it was written",
        tally,
        "forgeries that were put back before anyone looked",
        control,
        figures={"kinds": len(FORGERIES), "entries": _ENTRIES},
    )


async def _forge(setting: Setting, store: Path) -> tuple[Tally, Tally]:
    tally, control = Tally(), Tally()
    chance = setting.random("forgeries")
    names = list(FORGERIES)
    async with open_app(load({}, {"db_path": store}), setting.folder) as app:
        for number in range(_ENTRIES):
            await app.journal.record(_entry(number))
        forger = connect_plainly(store, checks.ENGINE)
        try:
            forger.execute(_KEEP)
            for number in setting.tries(setting.effort.journal_edits):
                name = names[number % len(names)]
                wanted = FORGERIES[name](forger, _ENTRIES, chance)
                tally.add(f"{name} {number}", await _faults(app, wanted))
                _put_back(forger)
            for name, forge in FORGERIES.items():
                wanted = forge(forger, _ENTRIES, chance)
                _put_back(forger)
                control.add(name, await _faults(app, wanted))
        finally:
            forger.close()
    return tally, control


def _entry(number: int) -> Entry:
    return Entry(
        "decision",
        category="note",
        key=f"key-{number}",
        agent_id="ann" if number % 2 else "",
        evaluated_json=f'{{"options":{number}}}',
        acted_json=f'{{"chose":"{number}"}}',
    )


async def _faults(app: App, wanted: int) -> list[str]:
    """Why a forgery of that entry was not found there."""
    found = (await app.journal.verify()).fault
    if found is None:
        return [f"entry {wanted} was taken for what was written"]
    return [] if found.seq == wanted else [f"entry {found.seq} is named, and {wanted} was forged"]


def _put_back(forger: Any) -> None:
    for statement in _PUT_BACK:
        forger.execute(statement)
