"""Processes that coordinate by comparing and setting: each step is taken by exactly one."""

import pytest

pytestmark = pytest.mark.plain

_COUNT_UP = """
import asyncio, sys
from pathlib import Path
from mimir_py.errors import Conflict
from mimir_py.limits import Limits
from mimir_py.state import State
from mimir_py.state.models import Slot
from mimir_py.storage.database import open_database
from mimir_py.storage.engine import load_engine
from mimir_py.values import system_clock

async def main(path, most):
    slot, won, lost = Slot("counter", "", ""), 0, 0
    async with open_database(Path(path), load_engine("auto"), 30_000) as database:
        state = State(database, Limits(100, 100, 1), system_clock)
        print("ready", flush=True)
        sys.stdin.readline()
        while True:
            held = await state.get(slot)
            count = 0 if held is None else int(held.value_json)
            if count >= int(most):
                break
            try:
                await state.set(slot, str(count + 1), None, 0 if held is None else held.version)
                won += 1
            except Conflict:
                lost += 1
    print(won, lost, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_each_step_of_a_counter_is_taken_by_exactly_one_process(store_path, start_python):
    counters = [start_python(_COUNT_UP, store_path, 60) for _ in range(2)]
    for counter in counters:
        assert counter.stdout.readline() == "ready\n"
    for counter in counters:
        counter.stdin.write("go\n")
        counter.stdin.flush()

    scores = [[int(n) for n in counter.stdout.readline().split()] for counter in counters]

    assert sum(won for won, _ in scores) == 60
