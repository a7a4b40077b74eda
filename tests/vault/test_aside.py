"""Long files are understood by other processes, and nothing else about an import differs."""

import multiprocessing
import os
import signal

import pytest

from mimir_py.vault import lines
from mimir_py.vault.aside import PROCESSES, Aside

pytestmark = pytest.mark.plain


def _square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


@pytest.fixture
def aside():
    made = Aside(_square)
    yield made
    made.close()


def _elsewhere(aside: Aside) -> int:
    """The process that works once one is up."""
    while (process := aside(3)[1]) == os.getpid():
        pass
    return process


def test_work_is_done_here_until_it_can_be_done_elsewhere(aside):
    assert aside(3) == (9, os.getpid())

    aside.start()

    assert _elsewhere(aside) != os.getpid()
    assert aside(4)[0] == 16


def test_work_goes_on_here_when_the_other_processes_are_killed(aside):
    aside.start()
    _elsewhere(aside)
    for process in multiprocessing.active_children():
        os.kill(process.pid, signal.SIGKILL)
        process.join()

    assert [aside(number)[0] for number in range(10)] == [n * n for n in range(10)]


def test_the_other_processes_end_with_the_work(aside):
    aside.start()
    _elsewhere(aside)

    aside.close()

    for process in multiprocessing.active_children():
        process.join(10)
        assert process.exitcode == 0


async def test_a_long_import_stores_what_a_short_one_would(
    plain_stores, client_of, tmp_path, monkeypatch
):
    file = [
        f'{{"record":"memory","category":"c","key":"k{n}","body_json":"\\"note {n}\\""}}'
        for n in range(600)
    ]

    async def imported(app):
        async def report(done: int) -> None:
            while done > 200 and len(multiprocessing.active_children()) < PROCESSES:
                raise AssertionError("no other process was started")

        return await app.vault.import_lines([*file, "{"], replace=False, report=report)

    async def items(app):
        found = await client_of(app).run("recall", {"query": "", "limit": 1_000})
        return sorted((item["key"], item["body_json"]) for item in found["items"])

    async with plain_stores() as app:
        with pytest.raises(Exception, match="line 601"):
            await app.vault.import_lines([*file, "{"], replace=False, report=_quietly)
        alone = await items(app)
    monkeypatch.setattr(lines, "_MANY", 100)
    async with plain_stores() as app:
        with pytest.raises(Exception, match="line 601"):
            await imported(app)
        assert await items(app) == alone
    assert len(alone) == 600


async def _quietly(done: int) -> None:
    pass
