"""Stores of random memories, and what a dry run must not change."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import strategies as st

_DAY_MS = 86_400_000
_WORDS = "the harbour ferry leaves at nine ten from pier and bridge with grain salt wool".split()


def records() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Random memories as lines of an import, but for their keys and workspaces."""
    unit = st.floats(0, 1)
    texts = st.lists(st.sampled_from(_WORDS), min_size=3, max_size=9).map(" ".join)
    one = st.fixed_dictionaries(
        {
            "category": st.sampled_from(["note", "fact"]),
            "body_json": texts.map(json.dumps),
            "decay_score": unit,
            "importance": st.one_of(st.just(0.0), unit),
            "retrieval_count": st.integers(0, 30),
            "idle_days": st.integers(0, 60),
            "verified": st.booleans(),
            "always_on": st.sampled_from([False, False, False, True]),
            "archived": st.sampled_from([False, False, False, True]),
            "layer": st.sampled_from(["buffer", "working", "core"]),
            "certainty": unit,
            "tags": st.sampled_from([[], ["sea"], ["sea", "trade"]]),
        }
    )
    return st.lists(one, min_size=1, max_size=14)


@pytest.fixture
def fill(app, clock, import_records) -> Callable[..., Awaitable[None]]:
    """Stores random memories in a workspace."""

    async def fill(workspace: str, memories: list[dict[str, Any]]) -> None:
        rows = []
        for number, memory in enumerate(memories):
            row = dict(memory)
            used = clock.now - row.pop("idle_days") * _DAY_MS
            rows.append(
                {
                    **row,
                    "key": f"{workspace}-{number}",
                    "workspace_hash": workspace,
                    "created_at_unix_ms": used,
                    "last_accessed_unix_ms": used,
                }
            )
        await import_records(app, rows, embed=False)

    return fill


@pytest.fixture
def unchanged(app, store_path) -> Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]:
    """Awaits a call that must not change a byte of the store; its answer."""

    async def content() -> bytes:
        assert await app.database.checkpoint()
        return store_path.read_bytes()

    async def watched(call: Callable[[], Awaitable[Any]]) -> Any:
        before = await content()
        answer = await call()
        assert await content() == before
        return answer

    return watched
