"""What was just recalled is not stored again as new; whatever says something else is."""

import json

import pytest

from mimir_py.security import Trust
from mimir_py.tooling import Call

_TEXT = (
    "Invoices leave through the NATS queue; the worker retries three times, then parks the message "
    "and pages whoever is on call, because a lost invoice costs more than a late night."
)
_DEDUPED = "deduped (new key not created)"


@pytest.fixture
async def shown(client):
    """The id of a memory that was recalled a moment ago."""
    answer = await client.remember("invoices", {"content": _TEXT}, category="decision")
    assert (await client.recall("invoices queue"))[0]["id"] == answer["id"]
    return answer["id"]


async def _keys(client):
    return {key for (key,) in await client.rows("SELECT key FROM entities")}


async def test_an_echo_is_not_stored_as_new(client, shown):
    echo = _TEXT.replace("costs more", "cost more")

    answer = await client.remember("note to self", {"text": echo}, category="decision")

    assert (answer["action"], answer["id"], answer["echo_of"]) == (_DEDUPED, shown, shown)
    assert await _keys(client) == {"invoices"}
    assert (await client.recall("note to self"))[0]["alias_of"] == "invoices"


async def test_an_echo_of_what_was_fetched_is_none_either(client):
    first = await client.remember("a", {"content": _TEXT}, category="decision")
    await client.get(first["id"])

    answer = await client.remember("b", _TEXT + "!", category="decision")
    assert answer["echo_of"] == first["id"]


async def test_an_echo_filed_elsewhere_is_trusted_no_more_than_what_it_repeats(
    app, client, import_records
):
    body = json.dumps({"content": _TEXT})
    await import_records(app, [{"category": "page", "key": "p", "body_json": body, "trust": "web"}])
    assert (await client.recall("invoices queue"))[0]["trust"] == "web"

    answer = await client.remember("mine", body, category="decision")

    assert answer["action"] == "created"
    assert (await client.get(answer["id"]))["trust"] == "web"


async def test_another_key_of_a_memory_may_get_a_text_of_its_own(client, shown):
    await client.remember("also", {"content": _TEXT}, category="decision")

    answer = await client.remember("also", {"content": _TEXT + " Ever."}, category="decision")

    assert answer["action"] == "created"


@pytest.mark.parametrize(
    "text",
    [
        _TEXT.replace("three times", "3 times").replace("3 times", "7 times"),
        _TEXT.replace("then parks", "then never parks"),
        _TEXT.replace("NATS", "RabbitMQ"),
        "A worker that fails thrice on an invoice parks it and calls someone out of bed.",
    ],
    ids=["number", "negation", "name", "reworded"],
)
async def test_what_says_something_else_is_stored(client, shown, text):
    answer = await client.remember("other", {"content": text}, category="decision")

    assert answer["action"] == "created"
    assert "echo_of" not in answer


async def test_an_update_of_the_same_memory_is_stored(client, shown):
    answer = await client.remember(
        "invoices", {"content": _TEXT + " Ever."}, category="decision", tags=["billing"]
    )

    assert (answer["action"], answer["id"]) == ("updated", shown)


async def test_an_hour_later_it_is_stored(client, shown, clock):
    clock.advance(3_600_001)

    assert (await client.remember("later", {"t": _TEXT + " Ever."}, category="decision"))[
        "action"
    ] == "created"


async def test_what_adds_more_than_words_is_stored(client, shown):
    answer = await client.remember(
        "pinned", {"t": _TEXT + " Ever."}, category="decision", always_on=True
    )

    assert answer["action"] == "created"


async def test_another_workspace_may_have_it_too(client, shown):
    answer = await client.remember(
        "copy", {"t": _TEXT}, category="decision", workspace_hash="other"
    )

    assert answer["action"] == "created"


async def test_the_user_is_not_held_back(app, client, shown):
    tool, arguments, _ = client.request(
        "remember", {"category": "decision", "key": "mine", "body_json": _TEXT + " Ever."}
    )

    assert (await app.run(tool, arguments, Call(trust=Trust.USER)))["action"] == "created"


async def test_what_was_not_shown_is_no_echo(client):
    await client.remember("a", {"content": _TEXT}, category="decision")

    assert (await client.remember("b", _TEXT + "!", category="decision"))["action"] == "created"


async def test_a_forgotten_memory_echoes_no_more(client, shown):
    await client.run("forget", {"category": "decision", "key": "invoices"})

    assert (await client.remember("again", _TEXT + "!", category="decision"))["action"] == "created"
