"""Each workspace has a history of its own, and none sees another's."""

import pytest

_HOUR = 3_600_000
_TOOLS = ("as_of", "valid_at", "bitemporal")


@pytest.fixture
async def spread(client, clock):
    """`queue` said one thing an hour in the global workspace, `a` and `b`; two versions each."""
    start = clock.now
    for text in ("first", "second"):
        for workspace in ("b", "", "a"):
            where = workspace or "everywhere"
            await client.remember("queue", f"{text} {where}", workspace_hash=workspace)
            clock.advance(_HOUR)
    return start


def _asked(tool, at):
    names = {"as_of": ["as_of_unix_ms"], "valid_at": ["valid_at_unix_ms"]}
    both = ["tx_at_unix_ms", "valid_at_unix_ms"]
    return dict.fromkeys(names.get(tool, both), at)


@pytest.mark.parametrize("tool", _TOOLS)
@pytest.mark.parametrize("workspace", ["", "a", "b"])
async def test_a_named_workspace_is_all_that_answers(spread, times, clock, tool, workspace):
    answer = await times.ask(tool, "queue", **_asked(tool, clock.now), workspace_hash=workspace)
    none = await times.ask(tool, "queue", **_asked(tool, clock.now), workspace_hash="elsewhere")

    assert answer["workspace_hash"] == workspace
    assert answer["body_json"] == f'{{"content": "second {workspace or "everywhere"}"}}'
    assert none["found"] is False


@pytest.mark.parametrize("workspace", ["", "a", "b"])
async def test_the_versions_of_workspaces_are_not_mixed(spread, times, workspace):
    expected = [f"first {workspace or 'everywhere'}"]

    assert await times.history("queue", workspace_hash=workspace) == expected


async def test_a_newer_claim_in_one_workspace_ends_none_in_another(spread, times, clock):
    answer = await times.ask("valid_at", "queue", valid_at_unix_ms=clock.now, workspace_hash="b")

    assert (answer["is_live_version"], answer["invalidated_at_unix_ms"]) == (True, None)


async def test_without_a_scope_the_global_one_answers_first(spread, times, clock):
    assert await times.as_of("queue", clock.now) == "second everywhere"
    assert await times.as_of("queue", clock.now, workspace_hash="*") == "second everywhere"
    # Before the global one knew it, only `b` did.
    assert await times.as_of("queue", spread) == "first b"


async def test_a_session_asks_its_own_and_then_the_global_one(
    spread, client_of, app, times_of, clock
):
    own, foreign = times_of(client_of(app, "a")), times_of(client_of(app, "c"))

    assert await own.as_of("queue", clock.now) == "second a"
    assert await own.as_of("queue", spread + _HOUR) == "first everywhere"
    assert await own.as_of("queue", spread) is None
    assert await foreign.as_of("queue", clock.now) == "second everywhere"
    assert await own.history("queue") == ["first a"]
    assert await own.as_of("queue", clock.now, workspace_hash="b") == "second b"


async def test_what_a_session_forgot_leaves_the_global_one(spread, client_of, app, times_of, clock):
    session = client_of(app, "a")
    await session.forget("queue")
    clock.advance(_HOUR)

    answer = await times_of(session).ask("as_of", "queue", as_of_unix_ms=clock.now)

    assert answer["workspace_hash"] == ""
