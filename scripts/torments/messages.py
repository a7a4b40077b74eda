"""S1: damaged, malformed and hostile messages, and what the server makes of them."""

import time
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Final

from benchmarks.measure import percentile

from torments.answers import Ledger, expected
from torments.mutations import MUTATORS, Sent, tries
from torments.outcome import Limit, Outcome, Tally
from torments.pipes import NotJson, Pipes, Silence, bare_server, serving
from torments.setting import Setting

_AT_ONCE: Final = 100
_WAIT_S: Final = 30.0
_CONTROL_WAIT_S: Final = 2.0
_QUIET_S: Final = 0.02
_GOOD_CALL_MS: Final = 200.0
_CONTROL_MESSAGES: Final = 1_000


def bad_messages(setting: Setting) -> Outcome:
    """S1: fifty kinds of bad messages: each is answered once, and the server goes on."""
    effort = setting.effort
    tally, control, waits = Tally(), Tally(), []
    each = -(-effort.messages // effort.message_processes)
    processes = 0
    for process in setting.tries(effort.message_processes):
        dice = setting.random(f"messages {process}")
        pipes = serving(setting, setting.new_folder() / "memory.db")
        waits += _session(pipes, dice, each, process * each, tally, _WAIT_S)
        processes += 1
    dice = setting.random("messages control")
    _session(bare_server(setting), dice, _CONTROL_MESSAGES, 0, control, _CONTROL_WAIT_S)
    slowest = percentile(waits, 0.99) * 1_000 if waits else 0.0
    return Outcome(
        "S1",
        f"bad messages of {len(MUTATORS)} kinds: each is answered once, and the server goes on",
        tally,
        "the same to a bare server of the SDK",
        control,
        limits={"good call p99": Limit(slowest, _GOOD_CALL_MS, "ms")},
        figures={"processes": processes},
    )


def _session(
    pipes: Pipes, dice: Random, count: int, first: int, tally: Tally, patience_s: float
) -> list[float]:
    """Send `count` tries to one process; seconds each good call between them took."""
    waits = []
    with pipes:
        sents = tries(dice, count, first)
        try:
            # Some come before initialize.
            _batch(pipes, list(islice(sents, dice.randrange(20))), dice, tally, patience_s)
            pipes.initialize()
            while batch := list(islice(sents, _AT_ONCE)):
                _batch(pipes, batch, dice, tally, patience_s)
                started = time.perf_counter()
                pipes.call("health", {})
                waits.append(time.perf_counter() - started)
        except (Silence, NotJson) as error:
            tally.add(f"after try {tally.tried}", [str(error)])
            return waits
        if code := pipes.close():
            tally.add("at its end", [f"exit code {code}"])
    return waits


def _batch(pipes: Pipes, batch: list[Sent], dice: Random, tally: Tally, patience_s: float) -> None:
    """Send tries in pieces of any size and hold the answers against what is expected.

    Raises:
        Silence, NotJson: an answer is missing, or is none; nothing more can be said.
    """
    ledger, data = Ledger(), b"".join(sent.data for sent in batch)
    ledger.want(expected(data))
    for piece in _pieces(data, dice):
        pipes.send(piece)
    try:
        while ledger.missing:
            ledger.take(pipes.receive(patience_s))
    except Silence as error:
        raise Silence(f"{error}; not answered: {', '.join(ledger.missing[:5])}") from None
    try:
        # Whatever comes beyond that is too much, but for answers to what was cancelled.
        while True:
            ledger.take(pipes.receive(_QUIET_S))
    except Silence:
        pass
    for number, sent in enumerate(batch):
        tally.add(f"{sent.mutator} {sent.data[:100]!r}", ledger.faults if number == 0 else [])


def _pieces(data: bytes, dice: Random) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        size = dice.choice([1, 7, 100, 4_096, 65_536, 10**6])
        yield data[start : start + size]
        start += size
