"""Work is done by other processes once they are up, and here whenever they are not."""

import os
import subprocess
import sys
import threading

import pytest

from mimir_py import aside as module
from mimir_py.aside import PROCESSES, Aside

pytestmark = pytest.mark.plain

_PROGRAM = """
import os, sys
print("run", __name__)
from mimir_py.aside import Aside
made = Aside(eval, 1, patient=True)
made.start()
print(made("__import__('os').getpid()") != os.getpid())
made.close()
"""


def _square(number: int) -> str:
    """Gives the square and who made it."""
    return f"({number} ** 2, __import__('os').getpid())"


@pytest.fixture(params=[False, True], ids=["eager", "patient"])
def aside(request):
    made = Aside(eval, patient=request.param)
    yield made
    made.close()


def _elsewhere(aside: Aside) -> int:
    """The process that works once one is up."""
    while (process := aside(_square(3))[1]) == os.getpid():
        pass
    return process


def test_work_is_done_here_until_it_can_be_done_elsewhere(aside):
    assert aside(_square(3)) == (9, os.getpid())

    aside.start()

    assert _elsewhere(aside) != os.getpid()
    assert aside(_square(4))[0] == 16


def test_who_is_patient_waits_for_the_first_process():
    made = Aside(eval, 1, patient=True)
    made.start()

    who = {made(_square(3))[1] for _ in range(3)}
    made.close()

    assert len(who) == 1
    assert os.getpid() not in who


def test_work_goes_on_here_when_the_other_processes_are_killed(aside):
    aside.start()
    _elsewhere(aside)
    for process in aside._processes:
        process.kill()

    assert [aside(_square(number))[0] for number in range(10)] == [n * n for n in range(10)]


def test_work_that_fails_elsewhere_fails_here_and_tells_why(aside):
    aside.start()
    _elsewhere(aside)

    with pytest.raises(ZeroDivisionError):
        aside("1 / 0")


def test_closing_ends_work_that_is_going_on():
    made, failed = Aside(eval, 1, patient=True), []
    made.start()
    made("1")

    def ask():
        try:
            made("__import__('time').sleep(600)")
        except module._LOST as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not made._free.empty():
        pass
    made.close()
    thread.join(10)

    assert len(failed) == 1
    assert all(process.poll() is not None for process in made._processes)


def test_as_many_are_started_as_are_wanted():
    made = Aside(eval)
    made.start()
    made.start()
    made.close()

    assert len(made._processes) == PROCESSES


def test_the_program_that_uses_it_is_not_run_again(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM)

    ran = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)

    assert ran.stdout == "run __main__\nTrue\n"
