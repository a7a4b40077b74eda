"""S2: hostile values for every argument of every tool."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any, Final

from torments import hostile
from torments.outcome import Outcome, Tally
from torments.pipes import NotJson, Pipes, Silence, serving, started
from torments.setting import Setting

_UNRULY: Final = Path(__file__).with_name("unruly.py")
_AT_ONCE: Final = 60
_CONTROLS: Final = 200

Hostile = tuple[str, Mapping[str, str]]


def hostile_arguments(setting: Setting) -> Outcome:
    """S2: hostile arguments: each call is answered; errors name one, and change nothing."""
    dice = setting.random("arguments")
    tally, control = Tally(), Tally()
    calls = list(_calls(dice, setting.effort.hostile_calls))
    _session(setting, calls, tally, trusting=False)
    _session(setting, calls[:: len(calls) // _CONTROLS + 1], control, trusting=True)
    return Outcome(
        "S2",
        "hostile arguments: each call is answered; errors name one, and change nothing",
        tally,
        "a server that believes its callers",
        control,
        figures={
            "arguments": len(list(hostile.arguments())),
            "values": len(hostile.VALUES),
            "pairs": len(list(hostile.arguments())) * len(hostile.VALUES),
        },
    )


def _calls(dice: Random, count: int) -> Iterator[Hostile]:
    """Each argument with each value, or as many of these pairs; what is left, several at once."""
    pairs = [
        (tool, {name: value}) for tool, name in hostile.arguments() for value in hostile.VALUES
    ]
    for number in sorted(dice.sample(range(len(pairs)), min(count, len(pairs)))):
        yield pairs[number]
    for _ in range(count - len(pairs)):
        yield hostile.several(dice)


def _session(setting: Setting, calls: list[Hostile], tally: Tally, *, trusting: bool) -> None:
    store = setting.new_folder() / "memory.db"
    pipes: Pipes | None = None
    for number in setting.tries(-(-len(calls) // _AT_ONCE)):
        start = number * _AT_ONCE
        batch = calls[start : start + _AT_ONCE]
        if pipes is None:
            pipes = _opened(setting, store, trusting=trusting)
        try:
            _batch(pipes, store, batch, tally)
        except (Silence, NotJson) as error:
            tally.add(f"{batch[0][0]} and on", [str(error)])
            pipes.process.kill()
            pipes.close()
            pipes = None
    if pipes is not None and (code := pipes.close()):
        tally.add("at its end", [f"exit code {code}"])


def _opened(setting: Setting, store: Path, *, trusting: bool) -> Pipes:
    if trusting:
        pipes = started(setting, _UNRULY, "trusting", "serve", "--db", store)
    else:
        pipes = serving(setting, store)
    pipes.initialize()
    pipes.call("remember", {"category": "hostile", "key": "other", "body_json": "an ordinary text"})
    return pipes


def _batch(pipes: Pipes, store: Path, batch: list[Hostile], tally: Tally) -> None:
    answers = _answers(pipes, batch)
    failed = []
    for (tool, values), answer in zip(batch, answers, strict=True):
        found = hostile.fault(answer, values)
        shown = {name: value[:60] for name, value in values.items()}
        tally.add(f"{tool} {shown}", [found] if found else [])
        if _is_error(answer):
            failed.append((tool, values))
    before = hostile.digest(store)
    again = _answers(pipes, failed)
    if all(map(_is_error, again)) and hostile.digest(store) != before:
        tally.add(f"{batch[0][0]} and on", ["a call that failed changed the store"])


def _answers(pipes: Pipes, batch: list[Hostile]) -> list[dict[str, Any]]:
    """The answers to calls, in the order of the calls.

    Raises:
        Silence, NotJson: one is missing, or is none.
    """
    pipes.send(b"".join(hostile.line(n, tool, values) for n, (tool, values) in enumerate(batch)))
    found: dict[Any, dict[str, Any]] = {}
    while len(found) < len(batch):
        answer = pipes.receive()
        found[answer["id"]] = answer
    return [found[number] for number in range(len(batch))]


def _is_error(answer: Mapping[str, Any]) -> bool:
    return "isError" in answer.get("result", {"isError": True})
