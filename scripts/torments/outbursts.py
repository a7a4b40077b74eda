"""S5 and S6: tools that print, and tools that raise or return what no tool should."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from torments.outcome import Outcome, Tally
from torments.pipes import NotJson, Pipes, Silence, started
from torments.setting import Setting
from torments.unruly import ANSWERS, PRINTS, RAISES, WRITABLE

_UNRULY: Final = Path(__file__).with_name("unruly.py")
_WAIT_S: Final = 20.0
_CONTROL_WAIT_S: Final = 2.0
_CONTROLS: Final = 7


def prints(setting: Setting) -> Outcome:
    """S5: print from a tool, a thread, a child process and C: stdout carries answers alone."""
    tally = _tried(setting, "mimir", PRINTS, _WAIT_S)
    control = _tried(setting, "open", PRINTS, _CONTROL_WAIT_S)
    what = "a tool, a thread, a child process and C print: stdout carries answers alone"
    return Outcome("S5", what, tally, "stdout as it came", control)


def raises(setting: Setting) -> Outcome:
    """S6: raise anything, or return what is no JSON: an error answer, and the next call works."""
    tally = _tried(setting, "mimir", (*RAISES, *ANSWERS), _WAIT_S)
    control = _tried(setting, "bare", RAISES[:_CONTROLS], _CONTROL_WAIT_S)
    what = "tools raise anything or return no JSON: an error answer, and the next call works"
    return Outcome("S6", what, tally, "the same tool behind the SDK alone", control)


def _tried(setting: Setting, kind: str, ways: Sequence[str], patience_s: float) -> Tally:
    arguments = () if kind == "bare" else ("serve", "--db", setting.new_folder() / "memory.db")
    tally = Tally()
    pipes: Pipes | None = None
    for how in ways:
        if pipes is None:
            pipes = started(setting, _UNRULY, kind, *arguments)
            pipes.initialize()
        found = faults(pipes, how, patience_s)
        tally.add(how, found)
        if found:
            pipes.process.kill()
            pipes.close()
            pipes = None
    if pipes is not None:
        pipes.close()
    return tally


def faults(pipes: Pipes, how: str, patience_s: float) -> list[str]:
    """What is wrong with the answers to a misbehaviour and to a call behind it."""
    call = {"name": "mimir_misbehave", "arguments": {"how": how}}
    good = {"name": "mimir_misbehave", "arguments": {"how": "answer: nothing"}}
    try:
        answer = pipes.ask("tools/call", call, patience_s)
        pipes.ask("tools/call", good, patience_s)
    except (Silence, NotJson) as error:
        return [str(error)]
    failed = "isError" in answer.get("result", {})
    calm = how in (*PRINTS, *WRITABLE) or how.startswith(("stray task", "callback"))
    return [f"an odd answer: {str(answer)[:200]}"] if failed == calm else []
