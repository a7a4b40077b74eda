"""Every filter holds in every mode, on either vector index: compared with plain Python."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_LAYERS = {"world": "core", "episodic": "buffer", "semantic": "working"}
_TIMES = st.sampled_from([-1, 0, 500, 1_000, 1_999, 2_000, 4_999, 5_000, 9_000, 20_000, 10**12])
_FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "category": st.sampled_from(["decision", "conversation", 'it\'s "odd"', "absent", ""]),
        "type": st.sampled_from(["insight", "fact", "absent", ""]),
        "topic_path": st.sampled_from(["infra", "infra/", "infra_", "100%", "%", "_", "INF", ""]),
        "workspace_hash": st.sampled_from(["", "a", "b", "absent", "*"]),
        "agent_id": st.sampled_from(["", "agent-1", "absent"]),
        "layer": st.sampled_from(["buffer", "core", "other", "world", "episodic", "semantic"]),
        "include_archived": st.booleans(),
        "min_decay": st.sampled_from([0.0, 0.1, 0.25, 0.26, 0.5, 1.0]),
        "always_on": st.booleans(),
        "valid_at": _TIMES,
        "valid_from_unix_ms": _TIMES,
        "valid_to_unix_ms": _TIMES,
        "valid_op": st.sampled_from(["overlaps", "contains"]),
    },
)
_GENERATED = settings(
    max_examples=45,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
_MODES = {
    "browse": {"query": ""},
    "fts5": {"query": "lantern", "mode": "fts5"},
    "dense": {"query": "lantern", "mode": "dense"},
    "hybrid": {"query": "lantern", "mode": "hybrid"},
    "default": {"query": "lantern"},
}


def _holds_in_time(memory, wanted):
    start, end = memory["valid_from_unix_ms"], memory["valid_to_unix_ms"]
    if "valid_at" in wanted:
        return start <= wanted["valid_at"] and (end is None or wanted["valid_at"] < end)
    since, until = wanted.get("valid_from_unix_ms"), wanted.get("valid_to_unix_ms")
    if since is None and until is None:
        return True
    if wanted.get("valid_op", "overlaps") == "overlaps":
        return (end is None or since is None or since < end) and (until is None or start < until)
    if since is None or start > since:
        return False
    return end is None or (until is not None and until <= end)


def _in_workspace(memory, wanted, scope):
    named = wanted.get("workspace_hash")
    if named is not None:
        return named in ("*", memory["workspace_hash"])
    return scope is None or memory["workspace_hash"] in (scope, "")


def _allowed(memory, wanted, scope=None):
    """Whether a memory may answer, by the contract's words."""
    category, kind = wanted.get("category"), wanted.get("type")
    layer = wanted.get("layer", memory["layer"])
    return all(
        (
            not memory["archived"] or wanted.get("include_archived"),
            memory["category"] == category if category else memory["category"] != "conversation",
            not kind or memory["type"] == kind,
            memory["topic_path"].startswith(wanted.get("topic_path", "")),
            _in_workspace(memory, wanted, scope),
            memory["agent_id"] == wanted.get("agent_id", memory["agent_id"]),
            memory["layer"] == _LAYERS.get(layer, layer),
            memory["decay_score"] >= wanted.get("min_decay", 0.0),
            memory["always_on"] == wanted.get("always_on", memory["always_on"]),
            _holds_in_time(memory, wanted),
        )
    )


def _keys(items):
    return sorted(item["key"] for item in items)


@given(wanted=_FILTERS)
@_GENERATED
async def test_exactly_the_memories_a_filter_allows_answer_in_every_mode(searched, corpus, wanted):
    expected = sorted(memory["key"] for memory in corpus if _allowed(memory, wanted))

    answers = {
        mode: _keys(await searched.recall(**query, **wanted, limit=1_000))
        for mode, query in _MODES.items()
    }

    assert answers == dict.fromkeys(_MODES, expected)


@given(wanted=_FILTERS, scope=st.sampled_from(["a", "b", "absent", ""]))
@_GENERATED
async def test_a_scoped_session_sees_its_own_and_the_global_workspace(
    searched, client_of, corpus, wanted, scope
):
    scoped = client_of(searched.app, scope)
    expected = sorted(memory["key"] for memory in corpus if _allowed(memory, wanted, scope))

    answers = {
        mode: _keys(await scoped.recall(**query, **wanted, limit=1_000))
        for mode, query in _MODES.items()
    }

    assert answers == dict.fromkeys(_MODES, expected)


@given(
    wanted=_FILTERS,
    limit=st.integers(0, 12),
    offset=st.integers(0, 40),
    mode=st.sampled_from(sorted(_MODES)),
)
@_GENERATED
async def test_a_page_is_a_slice_of_all_that_a_filter_allows(searched, wanted, limit, offset, mode):
    whole = await searched.recall(**_MODES[mode], **wanted, limit=200)

    page = await searched.run(
        "recall", {**_MODES[mode], **wanted, "limit": limit, "offset": offset}
    )

    assert [item["id"] for item in page["items"]] == [
        item["id"] for item in whole[offset : offset + limit]
    ]
    assert page["total"] == len(page["items"])


@given(
    wanted=st.fixed_dictionaries(
        {},
        optional={
            "category": st.sampled_from(["decision", "conversation", "absent", ""]),
            "workspace_hash": st.sampled_from(["", "a", "*", "absent"]),
            "agent_id": st.sampled_from(["", "agent-2", "absent"]),
        },
    ),
    query=st.sampled_from(["", "lantern"]),
)
@_GENERATED
async def test_semantic_search_applies_its_filters(searched, corpus, wanted, query):
    expected = sorted(memory["key"] for memory in corpus if _allowed(memory, wanted))

    answer = await searched.run("semantic_search", {"query": query, "limit": 1_000, **wanted})

    assert _keys(answer["items"]) == expected


@pytest.mark.parametrize("layer", ["world", "episodic", "semantic", "core", "other", "absent"])
async def test_a_layer_is_browsed_whole(searched, corpus, layer):
    for workspace in (None, "", "a", "*"):
        wanted = {"layer": layer, "workspace_hash": workspace}

        answer = await searched.run("recall_layer", {**wanted, "limit": 1_000})

        assert _keys(answer["items"]) == sorted(
            memory["key"] for memory in corpus if _allowed(memory, wanted)
        )


@pytest.mark.parametrize("mode", _MODES)
async def test_conversations_are_hidden_unless_they_are_named(searched, corpus, mode):
    hidden = await searched.recall(**_MODES[mode], limit=1_000)
    named = await searched.recall(**_MODES[mode], category="conversation", limit=1_000)

    assert "conversation" not in {item["category"] for item in hidden}
    assert len(named) == sum(
        memory["category"] == "conversation" and not memory["archived"] for memory in corpus
    )


@pytest.mark.parametrize("mode", _MODES)
async def test_which_categories_are_hidden_is_a_setting(
    open_copy, client_of, corpus_path, corpus, mode
):
    async with open_copy(corpus_path, exclude_categories="decision, lesson") as app:
        items = await client_of(app).recall(**_MODES[mode], limit=1_000)

    assert {item["category"] for item in items} == {"conversation", 'it\'s "odd"'}
    assert len(items) == sum(
        memory["category"] not in ("decision", "lesson") and not memory["archived"]
        for memory in corpus
    )


async def test_browsing_shows_the_latest_change_first(searched, corpus):
    live = [m for m in corpus if not m["archived"] and m["category"] != "conversation"]
    places = {memory["key"]: place for place, memory in enumerate(corpus)}
    live.sort(key=lambda m: (-m["recorded_at_unix_ms"], -places[m["key"]]))

    items = await searched.recall("", limit=1_000)

    assert [item["key"] for item in items] == [memory["key"] for memory in live]
