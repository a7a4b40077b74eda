"""A thousand damaged messages: none ends the server, none is answered twice or not at all.

`scripts/torture --only S1` sends many more, to many processes.
"""

from collections import Counter
from itertools import islice
from random import Random
from typing import Final

import pytest

from scripts.torments.answers import Ledger, expected
from scripts.torments.mutations import MUTATORS, tries
from tests.server.program import Program, tool_call

_MESSAGES: Final = 1_000
_AT_ONCE: Final = 50
_SEEDS: Final = (1, 2, 3, 4, 5)


@pytest.mark.parametrize("seed", _SEEDS)
def test_damaged_messages_are_each_answered_once(shared: Program, seed: int) -> None:
    each = _MESSAGES // len(_SEEDS)
    sents = tries(Random(seed), each, first=seed * each)

    while batch := list(islice(sents, _AT_ONCE)):
        ledger, data = Ledger(), b"".join(sent.data for sent in batch)
        ledger.want(expected(data))
        shared.send(data)
        while ledger.missing:
            ledger.take(shared.receive())
        # An answer too many would come before this one.
        for late in shared.exchange(answers=0):
            ledger.take(late)

        assert ledger.faults == [], [(sent.mutator, sent.data[:200]) for sent in batch]
    assert shared.process.poll() is None


def test_the_mutators_make_good_and_bad_messages() -> None:
    wanted = [expected(sent.data) for sent in tries(Random(0), 2_000)]

    kinds = Counter(
        "refused" if answer.codes else "optional" if answer.optional else "answered"
        for answers in wanted
        for answer in answers
    )

    assert len(MUTATORS) >= 40
    assert sum(not answers for answers in wanted) > 100
    assert min(kinds["refused"], kinds["answered"]) > 400, kinds
    assert kinds["optional"] > 20


@pytest.mark.parametrize(
    ("line", "answers"),
    [
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n', [{"id": None, "error": {"code": -32700}}]),
        (b"{\n", [{"id": None, "error": {"code": -32600}}]),
        (b"[]\n", [{"id": 5, "error": {"code": -32600}}]),
        (b"\n", [{"id": None, "result": {}}]),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n', [{"id": 1, "result": {}}] * 2),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n', [{"id": 1, "result": {}, "error": {}}]),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n', []),
    ],
    ids=["null for an id", "wrong code", "wrong id", "unasked", "twice", "both", "none"],
)
def test_a_wrong_answer_is_noticed(line: bytes, answers: list[dict[str, object]]) -> None:
    ledger = Ledger()
    ledger.want(expected(line))

    for answer in answers:
        ledger.take({"jsonrpc": "2.0", **answer})

    assert ledger.faults or ledger.missing


def test_a_call_is_served_after_all_of_it(shared: Program) -> None:
    shared.send(tool_call("after", "health", {}))

    assert shared.answer("after")["result"]["structuredContent"] == {"status": "healthy"}
