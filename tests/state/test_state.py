"""Values under keys: what is set is read, by whom it is meant for and for as long as it lives."""

import asyncio
import json

import pytest

from mimir_py.errors import Conflict, InvalidInput


async def _set(client, key, value="x", **more):
    return await client.run("state_set", {"key": key, "value_json": value, **more})


async def _value(client, key, **more):
    return (await client.run("state_get", {"key": key, **more})).get("value")


async def _keys(client, prefix="", **more):
    return (await client.run("state_list", {"prefix": prefix, **more}))["keys"]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ('{"n": 4}', '{"n": 4}'),
        ("no JSON {", "no JSON {"),
        ("", ""),
        ({"größe": [1]}, '{"größe":[1]}'),
        (4, "4"),
        (False, "false"),
        ([], "[]"),
    ],
    ids=str,
)
async def test_text_is_kept_as_it_is_and_other_json_as_text(given, stored, client):
    await _set(client, "k", given)

    assert await _value(client, "k") == stored


async def test_setting_again_replaces_the_value_and_all_about_it(client, clock):
    first = await _set(client, "k", "one", ttl_seconds=60)
    clock.advance(5)
    second = await _set(client, "k", "two")

    assert await client.run("state_get", {"key": "k"}) == {
        "found": True,
        "key": "k",
        "value": "two",
        "expires_at_unix_ms": None,
        "created_at_unix_ms": clock.now,
        "version": second["version"],
    }
    assert second["version"] > first["version"]
    assert await client.rows("SELECT count(*) FROM state") == [(1,)]


async def test_a_value_answers_until_its_time_is_over(client, clock):
    answer = await _set(client, "k", ttl_seconds=60)
    assert answer["expires_at_unix_ms"] == clock.now + 60_000

    clock.advance(59_999)
    assert (await _value(client, "k"), await _keys(client)) == ("x", ["k"])
    clock.advance(1)

    assert (await _value(client, "k"), await _keys(client)) == (None, [])
    assert (await client.run("stats", {}))["total_state_entries"] == 0
    assert await client.run("state_delete", {"key": "k"}) == {"found": False, "key": "k"}


@pytest.mark.parametrize("ttl", [0, -1, -100_000_000_000])
async def test_no_time_to_live_is_over_at_once(ttl, client):
    await _set(client, "k", "old")

    await _set(client, "k", "new", ttl_seconds=ttl)

    assert await _value(client, "k") is None


async def test_the_longest_time_to_live_is_a_time(client, clock):
    answer = await _set(client, "k", ttl_seconds=100_000_000_000)

    assert answer["expires_at_unix_ms"] == clock.now + 100_000_000_000_000
    assert await _value(client, "k") == "x"


async def test_a_longer_one_is_refused_by_name_and_changes_nothing(client):
    await _set(client, "k", "old")

    with pytest.raises(InvalidInput, match=r"^ttl_seconds: .*100000000000"):
        await _set(client, "k", "new", ttl_seconds=100_000_000_001)

    assert await _value(client, "k") == "old"


async def test_what_has_expired_is_removed_as_others_are_set(client, clock):
    for number in range(150):
        await _set(client, f"k{number}", ttl_seconds=1)
    clock.advance(1_000)

    remaining = []
    for _ in range(3):
        await _set(client, "other")
        remaining += (await client.rows("SELECT count(*) FROM state"))[0]

    assert remaining == [87, 23, 1]


async def test_a_clock_that_goes_back_lets_a_value_answer_again_if_it_is_there(client, clock):
    await _set(client, "k", ttl_seconds=1)
    clock.advance(1_000)
    assert await _value(client, "k") is None

    clock.advance(-500)

    assert await _value(client, "k") == "x"


_NAMES = ["a", "a%", "a%b", "a_", "a_b", "ab", "A", "äb", "a\U0010ffff", "b", "[a]", "a*"]


@pytest.mark.parametrize("prefix", ["", "a", "a%", "a_", "A", "ä", "ab", "a\U0010ffff", "[", "*"])
async def test_a_prefix_means_itself(prefix, client):
    for name in _NAMES:
        await _set(client, name)

    answer = await client.run("state_list", {"prefix": prefix})

    expected = sorted(name for name in _NAMES if name.startswith(prefix))
    assert (answer["keys"], answer["total"]) == (expected, len(expected))


async def test_keys_come_in_pages(client):
    for number in range(7):
        await _set(client, str(number))

    first = await client.run("state_list", {"limit": 3})
    rest = await client.run("state_list", {"offset": first["next_offset"]})

    assert first == {"keys": ["0", "1", "2"], "total": 7, "next_offset": 3}
    assert rest == {"keys": ["3", "4", "5", "6"], "total": 7}


async def test_workspaces_and_agents_have_slots_of_their_own(client):
    places = [{}, {"workspace_hash": "w"}, {"agent_id": "ann"}]
    places.append({"workspace_hash": "w", "agent_id": "ann"})
    for number, place in enumerate(places):
        await _set(client, "k", str(number), **place)

    values = [await _value(client, "k", **place) for place in places]
    await client.run("state_delete", {"key": "k", "workspace_hash": "w"})

    assert values == ["0", "1", "2", "3"]
    assert [await _value(client, "k", **place) for place in places] == ["0", None, "2", "3"]


async def test_a_session_has_the_slots_of_its_workspace(app, client, client_of):
    session = client_of(app, "w")
    await _set(session, "own")
    await _set(client, "global")

    assert await _keys(session) == ["own"]
    assert await _keys(client) == ["global"]
    assert await _keys(session, workspace_hash="") == ["global"]
    assert await _keys(session, workspace_hash="*") == ["global", "own"]
    assert await _value(client, "own", workspace_hash="w") == "x"
    assert await _value(session, "global") is None


@pytest.mark.parametrize("tool", ["state_get", "state_set", "state_delete"])
async def test_one_slot_is_not_in_every_workspace(tool, client):
    arguments = {"key": "k", "workspace_hash": "*"}
    if tool == "state_set":
        arguments["value_json"] = "x"

    with pytest.raises(InvalidInput, match="workspace_hash"):
        await client.run(tool, arguments)


async def test_a_value_is_set_only_at_the_version_that_was_read(client):
    first = await _set(client, "k", "one")
    second = await _set(client, "k", "two", if_version=first["version"])

    with pytest.raises(Conflict, match=rf"k is at version {second['version']}, not at version"):
        await _set(client, "k", "three", if_version=first["version"])

    assert await _value(client, "k") == "two"


async def test_version_zero_is_an_empty_slot(client, clock):
    await _set(client, "k", "one", if_version=0, ttl_seconds=1)
    with pytest.raises(Conflict):
        await _set(client, "k", "two", if_version=0)
    clock.advance(1_000)

    await _set(client, "k", "three", if_version=0)

    assert await _value(client, "k") == "three"


async def test_an_empty_slot_is_at_no_other_version(client):
    with pytest.raises(Conflict, match="k is empty"):
        await _set(client, "k", if_version=1)

    assert await _keys(client) == []


async def test_a_version_never_comes_back(client):
    """Else who read a value that was deleted and set anew would take one for the other."""
    first = await _set(client, "k", "one")
    await client.run("state_delete", {"key": "k"})
    await _set(client, "k", "one")

    with pytest.raises(Conflict):
        await _set(client, "k", "two", if_version=first["version"])


async def test_a_value_is_deleted_only_at_the_version_that_was_read(client):
    first = await _set(client, "k", "one")
    second = await _set(client, "k", "two")

    with pytest.raises(Conflict):
        await client.run("state_delete", {"key": "k", "if_version": first["version"]})
    await client.run("state_delete", {"key": "k", "if_version": second["version"]})

    assert await _keys(client) == []


async def test_of_two_apps_that_compare_and_set_at_once_one_wins_each_time(open_store, client_of):
    async with open_store() as one, open_store() as other:
        clients = [client_of(one), client_of(other)]
        version = (await _set(clients[0], "k", "0"))["version"]
        for round in range(10):
            answers = await asyncio.gather(
                *(_set(client, "k", str(round), if_version=version) for client in clients),
                return_exceptions=True,
            )
            won = [answer for answer in answers if isinstance(answer, dict)]
            assert len(won) == 1
            version = won[0]["version"]


async def test_names_adapters_use_for_the_arguments_work(client):
    answer = await client.run("state_set", {"key": "k", "value": "x", "ttl": 5})
    both = await client.run("state_set", {"key": "j", "value_json": "y", "value": "z"})

    assert (answer["ttl_seconds"], await _value(client, "k")) == (5, "x")
    assert both["ignored_arguments"] == ["value"]
    assert await _value(client, "j") == "y"


@pytest.mark.parametrize("name", ["key", "workspace_hash", "agent_id"])
async def test_a_name_over_its_limit_is_refused_by_name(name, client):
    with pytest.raises(InvalidInput, match=f"^{name}: "):
        await _set(client, **{"key": "k", name: "n" * 1_025})

    assert await client.rows("SELECT count(*) FROM state") == [(0,)]


async def test_a_value_over_its_limit_is_refused_by_name(client):
    with pytest.raises(InvalidInput, match=r"^value_json: is 1048577 bytes; the limit is 1048576"):
        await _set(client, "k", "x" * 1_048_577)


async def test_null_is_no_value(client):
    with pytest.raises(InvalidInput, match=r"^value_json: is null"):
        await client.run("state_set", {"key": "k", "value_json": None})


async def test_a_long_value_is_read_to_its_end_under_the_cap(app, client, client_of):
    value = "ä\x1b" * 20_000
    await _set(client, "k" * 1_000, value)
    capped = client_of(app, max_answer_bytes=4_000)

    read, at = "", 0
    while at is not None:
        page = await capped.run("state_get", {"key": "k" * 1_000, "value_offset": at})
        assert len(json.dumps(page, ensure_ascii=False, separators=(",", ":")).encode()) <= 4_000
        read += page["value"]
        at = page.get("next_offset")

    assert read == value


async def test_long_lists_of_keys_go_on_where_they_say(app, client, client_of):
    names = sorted(f"{number:03}".ljust(1_000, "k") for number in range(10))
    for name in names:
        await _set(client, name)
    capped = client_of(app, max_answer_bytes=4_000)

    seen, at = [], 0
    while at is not None:
        page = await capped.run("state_list", {"offset": at})
        seen += page["keys"]
        at = page.get("next_offset")

    assert seen == names
