"""How far a memory is trusted comes from its channel, and only the user raises it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimir_py.entities.models import Draft, Identity
from mimir_py.entities.versioning import new_entity, revised
from mimir_py.errors import InvalidInput
from mimir_py.security import LEAST_UNASKED, Trust, lowest
from mimir_py.tooling import Call

_TIERS = st.sampled_from(list(Trust))
_TEXT = (
    "Deploys go through the blue queue, never by hand, and Maria signs off on Fridays; the "
    "rollback is one command, described in the runbook next to the list of people to call."
)


def _draft(body: str, trust: Trust, **more) -> Draft:
    return Draft(Identity("note", "k", ""), json.dumps({"content": body}), trust=trust, **more)


def _stored(trust: Trust):
    return new_entity(_draft(_TEXT, trust), "mem-1", 1)


@given(st.lists(_TIERS, min_size=1))
def test_what_is_derived_is_trusted_like_the_least_of_its_sources(tiers) -> None:
    assert lowest(tiers) == min(tiers)


def test_what_is_derived_of_nothing_is_not_trusted() -> None:
    assert lowest([]) is Trust.WEB


@given(_TIERS, _TIERS)
def test_other_words_are_trusted_like_who_wrote_them(before, now) -> None:
    draft = _draft("Something else altogether was decided about invoices.", now)

    assert revised(_stored(before), draft, 2, "hist-1").trust is now


@given(_TIERS, st.sampled_from([tier for tier in Trust if tier is not Trust.USER]))
def test_saying_the_same_again_raises_nothing(before, now) -> None:
    same = revised(_stored(before), _draft(_TEXT, now), 2, "hist-1")
    touched = revised(_stored(before), _draft(_TEXT + " ", now), 2, "hist-1")
    pinned = revised(_stored(before), _draft(_TEXT, now, always_on=True), 2, "hist-1")

    assert same.trust is before
    assert touched.trust <= before
    assert pinned.trust <= before


@given(_TIERS)
def test_the_user_vouches_by_saying_it_again(before) -> None:
    assert revised(_stored(before), _draft(_TEXT, Trust.USER), 2, "hist-1").trust is Trust.USER


async def test_the_channel_sets_the_tier_and_no_argument_does(app, client) -> None:
    tool, arguments, _ = client.request(
        "remember",
        {"category": "note", "key": "u", "body_json": {"trust": "user", "x": 1}, "trust": "user"},
    )

    by_agent = await app.run(tool, arguments, Call())
    assert by_agent["ignored_arguments"] == ["trust"]
    assert (await client.get(by_agent["id"]))["trust"] == "agent"

    by_user = await app.run(
        tool, {**arguments, "key": "v", "body_json": "y"}, Call(trust=Trust.USER)
    )
    assert (await client.get(by_user["id"]))["trust"] == "user"


@pytest.fixture
async def mixed(app, client, import_records):
    """The same fact by the user's agent, from a file of the user's, and from a web page."""
    await client.remember("agent", "the queue for invoices is NATS", always_on=True)
    record = {"category": "note", "body_json": '{"content": "the queue for bills is Kafka"}'}
    await import_records(
        app,
        [
            {**record, "key": "import", "always_on": True},
            {**record, "key": "web", "always_on": True, "trust": "web"},
            {**record, "key": "forged", "trust": "user"},
        ],
    )
    return client


async def test_recall_shows_the_tier(mixed) -> None:
    items = await mixed.recall("queue for bills")

    assert {item["key"]: item["trust"] for item in items} == {
        "agent": "agent",
        "import": "import",
        "web": "web",
        "forged": "import",
    }


@pytest.mark.parametrize("mode", ["hybrid", "dense", "fts5"])
@pytest.mark.parametrize(
    ("least", "keys"),
    [
        ("agent", {"agent"}),
        ("import", {"agent", "import", "forged"}),
        ("web", {"agent", "import", "web", "forged"}),
    ],
)
async def test_the_less_trusted_can_be_left_out(mixed, mode, least, keys) -> None:
    found = await mixed.recall("queue", mode=mode, min_trust=least)

    assert {item["key"] for item in found} == keys


async def test_another_tier_is_refused(mixed) -> None:
    with pytest.raises(InvalidInput, match="min_trust: must be one of web, file"):
        await mixed.recall("queue", min_trust="root")


async def test_what_goes_into_every_context_can_be_had_without_the_untrusted(mixed) -> None:
    every = await mixed.recall("", always_on=True)
    trusted = await mixed.recall("", always_on=True, min_trust=LEAST_UNASKED.label)

    assert {item["key"] for item in every} == {"agent", "import", "web"}
    assert {item["key"] for item in trusted} == {"agent"}
