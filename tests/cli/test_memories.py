"""Commands on memories: what they print, and how they end."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Mimir


def test_write_stores_every_attribute_and_says_so(mimir: Mimir, store: Path) -> None:
    names = ("--category", "decision", "--key", "cache")
    attributes = (
        "--tags", "fast, redis ,", "--entity-type", "fact", "--importance", "0.9", "--always-on",
        "--visibility", "private", "--agent-id", "ann", "--workspace-hash", "w",
    )  # fmt: skip
    body = '{"content":"cache in Redis ☕"}'

    written = mimir("write", *names, "--body", body, *attributes, "--db", store)
    listed = mimir("list", "--workspace-hash", "w", "--json", "--db", store)

    assert written.returncode == 0, written.stderr
    answer = json.loads(written.stdout)
    assert written.stdout == json.dumps(answer, indent=2) + "\n"
    assert (answer["ok"], answer["action"]) == (True, "created")
    [item] = json.loads(listed.stdout)["items"]
    expected = {
        "id": answer["id"],
        "body_json": body,
        "tags": ["fast", "redis"],
        "type": "fact",
        "decay_score": 0.9,
        "always_on": True,
        "visibility": "private",
        "agent_id": "ann",
        "workspace_hash": "w",
    }
    assert {name: item[name] for name in expected} == expected


def test_write_refuses_a_broken_body(mimir: Mimir, store: Path) -> None:
    done = mimir("write", "--category", "c", "--key", "k", "--body", '{"content":', "--db", store)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mimir: body_json: is not valid JSON")
    assert done.stderr.count("\n") == 1


def test_recall_prints_a_table_for_people_and_json_for_programs(mimir: Mimir, store: Path) -> None:
    table = mimir("recall", "which message broker", "--mode", "dense", "-n", "1", "--db", store)
    found = mimir("recall", "PostgreSQL", "--category", "decision", "--json", "--db", store)

    assert table.returncode == found.returncode == 0
    assert "decision/queue" in table.stdout
    assert "use NATS" in table.stdout
    assert len(table.stdout.splitlines()) == 2
    assert json.loads(found.stdout)["items"][0]["content"] == "use PostgreSQL [16]"
    assert table.stderr == found.stderr == ""


def test_recall_that_finds_nothing_says_so(mimir: Mimir, store: Path) -> None:
    done = mimir("recall", "xylophone", "--mode", "fts5", "--db", store)

    assert (done.returncode, done.stdout) == (0, "Nothing found.\n")


def test_list_shows_live_memories_with_their_characters_as_they_are(
    mimir: Mimir, store: Path
) -> None:
    done = mimir("list", "--db", store)

    assert done.returncode == 0
    assert "note/kaffee" in done.stdout
    assert "Kaffee aus Äthiopien ☕" in done.stdout
    assert "use PostgreSQL [16]" in done.stdout
    assert "note/old" not in done.stdout


def test_list_pages_and_shows_forgotten_ones(mimir: Mimir, store: Path) -> None:
    whole = json.loads(mimir("list", "--archived", "--json", "--db", store).stdout)["items"]
    page = json.loads(
        mimir("list", "--archived", "-n", "2", "--offset", "1", "--json", "--db", store).stdout
    )["items"]

    assert [item["archived"] for item in whole].count(True) == 1
    assert [item["id"] for item in page] == [item["id"] for item in whole[1:3]]


def test_a_new_store_has_no_memories(mimir: Mimir, tmp_path: Path) -> None:
    done = mimir("list", "--db", tmp_path / "new.db")

    assert (done.returncode, done.stdout) == (0, "No memories yet.\n")


def test_show_prints_a_memory_by_name_and_by_id(mimir: Mimir, store: Path) -> None:
    named = mimir("show", "decision", "queue", "--json", "--db", store)
    entity = json.loads(named.stdout)
    by_id = mimir("show", entity["id"], "--db", store)

    assert named.returncode == by_id.returncode == 0
    assert (entity["category"], entity["key"], entity["tags"]) == ("decision", "queue", ["x"])
    assert by_id.stdout.splitlines()[0] == f"decision/queue {entity['id']}"
    assert by_id.stdout.splitlines()[-1] == "use NATS"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (("mem-none",), "Entity not found: mem-none"),
        (("decision", "none"), "there is no live memory decision/none"),
        (("note", "old"), "there is no live memory note/old"),
    ],
    ids=str,
)
def test_show_of_what_is_not_there_ends_with_1(
    mimir: Mimir, store: Path, name: tuple[str, ...], message: str
) -> None:
    done = mimir("show", *name, "--db", store)

    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"mimir: {message}\n")


def test_forget_archives_once_and_then_ends_with_1(mimir: Mimir, store: Path) -> None:
    name = ("--category", "decision", "--key", "queue", "--db", store)

    first = mimir("forget", *name)
    second = mimir("forget", *name)
    listed = mimir("list", "--archived", "--json", "--db", store)

    assert (first.returncode, first.stdout) == (0, "Archived decision/queue\n")
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == "mimir: there is no live memory decision/queue\n"
    reasons = {i["key"]: i["archive_reason"] for i in json.loads(listed.stdout)["items"]}
    assert reasons["queue"] == "forgotten via CLI"


def test_stats_takes_the_store_before_or_behind_the_command(mimir: Mimir, store: Path) -> None:
    before = mimir("--db", store, "stats")
    behind = mimir("stats", "--db", store)
    both = mimir("--db", store.with_name("other.db"), "stats", "--db", store)

    assert before.returncode == behind.returncode == both.returncode == 0
    assert before.stdout == behind.stdout == both.stdout
    assert json.loads(before.stdout)["by_category"] == {"decision": 2, "note": 2}
    assert before.stdout == json.dumps(json.loads(before.stdout), indent=2) + "\n"
    assert not store.with_name("other.db").exists()


def test_reindex_says_how_many_and_search_goes_on(mimir: Mimir, store: Path) -> None:
    done = mimir("reindex", "--db", store)
    found = mimir("recall", "coffee from Africa", "-n", "1", "--json", "--db", store)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Reindexed 4 entities into FTS5\n"  # a forgotten one can be asked for
    assert [item["key"] for item in json.loads(found.stdout)["items"]] == ["kaffee"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("remember",),
        ("stats", "--nope"),
        ("write", "--category", "c"),
        ("recall", "x", "--limit", "-1"),
        ("recall", "x", "--mode", "sideways"),
        ("connect",),
    ],
    ids=" ".join,
)
def test_a_command_that_is_used_wrongly_ends_with_2(
    mimir: Mimir, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = mimir(*arguments, MIMIR_DB_PATH=str(tmp_path / "new.db"))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_commands_take_the_workspace_of_the_session(mimir: Mimir, store: Path) -> None:
    body = ("--category", "c", "--key", "k", "--body", "only here")
    mimir("write", *body, "--db", store, MIMIR_WORKSPACE="w")

    here = mimir("show", "c", "k", "--json", "--db", store, MIMIR_WORKSPACE="w")
    elsewhere = mimir("list", "--json", "--db", store, MIMIR_WORKSPACE="v")

    assert json.loads(here.stdout)["workspace_hash"] == "w"
    assert "k" not in [item["key"] for item in json.loads(elsewhere.stdout)["items"]]


def test_the_digest_of_a_store_changes_with_its_live_memories(mimir: Mimir, store: Path) -> None:
    def digest() -> tuple[str, int]:
        answer = json.loads(mimir("state-digest", "--json", "--db", store).stdout)
        return answer["digest"], answer["entity_count"]

    before = digest()
    mimir("forget", "--category", "note", "--key", "kaffee", "--db", store)
    after = digest()

    assert before[1] == 3
    assert after[1] == 2
    assert before[0] != after[0]
