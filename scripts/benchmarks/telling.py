"""Rows of what a new user meets: what is told unasked while a store has few memories."""

from collections import Counter
from typing import Final

from evaluation import small

from benchmarks.measure import Goal, Row
from benchmarks.setting import Setting

_GOALS: Final = {
    "in its words": Goal(0.95, "", at_least=True),
    "in other words": None,
    "not answered": Goal(0.1, ""),
}
_WHAT: Final = {
    "in its words": "context of 12 small stores: the right memory is told, asked in its words",
    "in other words": "... asked in other words",
    "not answered": "... anything is told where nothing answers",
}


def context_small(setting: Setting) -> list[Row]:
    """The frozen small stores: what `mimir_context` tells of 3 to 40 memories."""
    asked, told, besides = Counter[str](), Counter[str](), Counter[str]()
    for number, store in enumerate(small.frozen()):
        with setting.program.serve(setting.folder / f"small-{number}.db") as server:
            server.initialize()
            for memory in store.memories:
                server.call("mimir_remember", memory)
            for question in store.questions:
                answer = server.call("mimir_context", {"query": question.text}).result
                count = answer["entities_injected"]
                right = any(f"**{key}**" in answer["markdown"] for key in question.keys)
                asked[question.kind] += 1
                told[question.kind] += right if question.keys else count > 0
                besides[question.kind] += count - right
    rows = []
    for number, (kind, goal) in enumerate(_GOALS.items()):
        share = told[kind] / asked[kind]
        shown = (
            f"{share:.3f} ({told[kind]} of {asked[kind]}; {besides[kind] / asked[kind]:.2f} others)"
        )
        rows.append(Row(f"context_small_{number}", _WHAT[kind], share, shown, goal))
    return rows
