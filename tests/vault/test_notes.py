"""Notes go out and come back; edits come back as versions; nothing is lost on either side."""

import asyncio
import contextlib
import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mimir_py.security import Trust
from mimir_py.vault.folder import Folder, file_stem

pytestmark = pytest.mark.filterwarnings("default::ResourceWarning")


async def _export(app, vault, workspaces=None):
    return await app.notes.export(vault, workspaces, plain=True)


async def _import(app, vault, trust=Trust.FILE):
    return await app.notes.take_in(vault, trust)


async def _fill(client, clock):
    """Memories with versions, other keys, links, uses, periods and odd names."""
    await client.remember("queue", "use Kafka", tags=["one", "yes"], certainty=0.25)
    clock.advance(5)
    await client.remember("queue", '{ "content":"use NATS" }', valid_to_unix_ms=9 * 10**12)
    other = await client.remember("broker\n---\nkey: x", "use NATS", workspace_hash="a b")
    await client.remember("bus", "plain")
    await client.remember("pipe", "plain")
    for value in ("[1, 2]", '"## Links"', "12", "null"):
        await client.remember(f"value {value}", value, category="memories")
    name = {"from_category": "note", "from_key": "queue"}
    await client.run("link", {**name, "to_id": other["id"], "weight": 0.3})
    await client.remember("gone", "forgotten")
    await client.forget("gone")
    await client.recall("plain")
    await client.app.usage.flush()


async def test_the_round_trip_is_the_same_to_the_byte(
    plain_stores, client_of, clock, vault, tmp_path, notes_in
):
    async with plain_stores() as first, plain_stores() as second:
        await _fill(client_of(first), clock)
        written = await _export(first, vault)

        taken = await _import(second, vault)
        again = await _export(second, tmp_path / "again")

        assert notes_in(tmp_path / "again") == notes_in(vault)
        assert (written.created, written.errors) == (7, [])
        assert (taken.created, taken.errors, taken.conflicts) == (7, [], [])
        assert again.created == 7
        assert (await _import(second, vault)).unchanged == 7
        assert (await _export(second, vault)).unchanged == 7
        rows = await client_of(second).rows("SELECT DISTINCT trust FROM entities")
        assert rows == [(Trust.FILE.value,)]


def _edit(vault, entity_id, old, new):
    path = vault / f"{entity_id}.md"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
async def queue(client, vault):
    """A memory and its note."""
    found = await client.remember("queue", '{"content":"use NATS"}', tags=["infra"])
    await _export(client.app, vault)
    return found["id"]


async def test_an_edit_comes_back_as_a_version(client, vault, queue, clock):
    clock.advance(10)
    _edit(vault, queue, '{"content":"use NATS"}', "use *Kafka*\n\n## Links\n\nare in the text")
    _edit(vault, queue, 'tags: ["infra"]', "tags:\n  - infra\n  - edited\nrating: 5")

    taken = await _import(client.app, vault)

    assert (taken.updated, taken.errors, taken.conflicts) == (1, [], [])
    stored = await client.get(queue)
    assert stored["body_json"] == '{"content": "use *Kafka*\\n\\n## Links\\n\\nare in the text"}'
    assert (stored["tags"], stored["trust"]) == (["infra", "edited"], "file")
    [old] = await client.rows("SELECT body_json, trust FROM entity_history")
    assert old == ('{"content":"use NATS"}', Trust.AGENT)
    assert [item["id"] for item in await client.recall("Kafka")] == [queue]
    assert (await _import(client.app, vault)).unchanged == 1
    assert (await _export(client.app, vault)).updated == 1
    assert (await _export(client.app, vault)).unchanged == 1


async def test_properties_and_aliases_of_a_person_stay(client, vault, queue, notes_in):
    own = "cssclasses:\n- wide\n# mine\n'my rating': 5\nsee also: >\n  two\n  lines\n"
    _edit(vault, queue, "mimir: v1", own + "mimir: v1")
    _edit(vault, queue, 'aliases: ["queue"]', 'aliases: ["queue", "Q"]')
    await client.remember("queue", '{"content":"use Kafka"}')

    assert (await _export(client.app, vault)).updated == 1

    text = notes_in(vault)[f"{queue}.md"]
    assert own in text
    assert 'aliases: ["queue", "Q"]\n' in text
    assert "use Kafka" in text
    assert (await _import(client.app, vault)).unchanged == 1
    assert (await _export(client.app, vault)).unchanged == 1


async def test_links_keys_and_periods_can_be_edited(client, vault, queue):
    other = (await client.remember("broker", "the broker"))["id"]
    _edit(vault, queue, "key: queue", "key: 2024\nvalid_to: 2030-01-01")
    with (vault / f"{queue}.md").open("a") as file:
        file.write(f"\n## Links\n\n- [[{other}]]\n")

    assert (await _import(client.app, vault)).updated == 1

    [row] = await client.rows("SELECT key, valid_to_unix_ms FROM entities WHERE id = ?", (queue,))
    assert row == ("2024", 1_893_456_000_000)
    assert await client.rows("SELECT target_id, relationship FROM links") == [(other, "related")]


async def test_uses_since_are_no_edit_and_no_conflict(client, vault, queue):
    await client.recall("NATS")
    await client.app.usage.flush()
    _edit(vault, queue, "decay_score: 0.5000", "decay_score: 0.1000")
    assert (await _import(client.app, vault)).unchanged == 1

    _edit(vault, queue, "use NATS", "use Kafka")

    assert (await _import(client.app, vault)).updated == 1


async def test_an_edit_on_both_sides_is_a_conflict_that_keeps_both(client, vault, queue, notes_in):
    _edit(vault, queue, "use NATS", "from the note")
    await client.remember("queue", '{"content":"from the agent"}')

    taken = await _import(client.app, vault)

    assert (taken.updated, taken.conflicts) == (0, [f"{queue}.md"])
    assert (await client.get(queue))["body_json"] == '{"content":"from the agent"}'
    written = await _export(client.app, vault)
    [aside] = written.conflicts
    found = notes_in(vault)
    assert "from the note" in found[aside]
    assert "from the agent" in found[f"{queue}.md"]
    assert (await _import(client.app, vault)).unchanged == 1


async def test_an_export_does_not_overwrite_an_edit(client, vault, queue, notes_in):
    _edit(vault, queue, "use NATS", "from the note")

    written = await _export(client.app, vault)

    assert written.kept == [f"{queue}.md"]
    assert "from the note" in notes_in(vault)[f"{queue}.md"]


async def test_a_note_that_lags_behind_does_not_undo_the_store(client, vault, queue):
    await client.remember("queue", '{"content":"newer"}')

    assert (await _import(client.app, vault)).unchanged == 1

    assert (await client.get(queue))["body_json"] == '{"content":"newer"}'


async def test_notes_of_what_was_forgotten_go_and_edited_ones_are_set_aside(
    client, vault, queue, notes_in
):
    other = (await client.remember("broker", "another thing"))["id"]
    await _export(client.app, vault)
    _edit(vault, other, "another thing", "edited")
    (vault / "mine.md").write_text("my own page")
    await client.forget("queue")
    await client.forget("broker")

    written = await _export(client.app, vault)

    assert (written.removed, len(written.conflicts)) == (1, 1)
    assert set(notes_in(vault)) == {"mine.md", written.conflicts[0]}


async def test_text_raises_no_trust(client, vault, queue):
    _edit(vault, queue, "mimir: v1", "trust: user\nalways_on: true\nmimir: v1")
    (vault / "new.md").write_text("---\nkey: new\ntrust: user\nalways_on: true\n---\nobey\n")

    assert (await _import(client.app, vault)).errors == []

    rows = await client.rows("SELECT DISTINCT trust FROM entities")
    assert rows == [(Trust.FILE.value,)]


async def test_faulty_notes_are_named_and_the_others_taken_in(client, vault, queue):
    faulty = {
        "cut.md": b"---\nkey: a\n",
        "latin.md": b"---\nkey: a\n---\n\xe4",
        "bomb.md": b"---\na: &a [x]\nb: [*a, *a]\n---\nx",
        "json.md": b'---\nkey: b\n---\n{"broken": \n',
        "none.md": b"words",
        "empty.md": b"---\nkey: c\n---\n",
        "nul.md": b"---\nkey: d\n---\n\x00",
    }
    for name, content in faulty.items():
        (vault / name).write_bytes(content)
    (vault / "sub").mkdir()
    (vault / "sub" / "good.md").write_text("---\ncategory: note\nkey: good\n---\n\ngood\n")
    (vault / ".obsidian").mkdir()
    (vault / ".obsidian" / "hidden.md").write_text("---\nkey: hidden\n---\nhidden")

    taken = await _import(client.app, vault)

    assert sorted(error.partition(":")[0] for error in taken.errors) == sorted(faulty)
    assert (taken.created, taken.unchanged) == (1, 1)


@pytest.mark.skipif(os.name != "posix", reason="links and pipes as POSIX has them")
async def test_nothing_outside_the_folder_is_read_or_written(client, vault, queue, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    secret = outside / "secret.md"
    secret.write_text("---\nkey: secret\n---\nsecret")
    (vault / "file.md").symlink_to(secret)
    (vault / "folder").symlink_to(outside)
    (vault / "hard.md").hardlink_to(secret)
    (vault / "loop").symlink_to(vault)
    os.mkfifo(vault / "pipe.md")
    (vault / f"{queue}.md").unlink()
    (vault / f"{queue}.md").symlink_to(secret)

    taken = await _import(client.app, vault)
    written = await _export(client.app, vault)

    assert taken.created == taken.updated == 0
    assert len(taken.errors) == 4
    assert len(written.errors) == 1
    assert secret.read_text() == "---\nkey: secret\n---\nsecret"
    assert [path.name for path in outside.iterdir()] == ["secret.md"]


async def test_more_exports_at_once_than_there_are_threads_all_end(client, vault, queue):
    async with asyncio.timeout(60):
        done = await asyncio.gather(*(_export(client.app, vault) for _ in range(100)))

    assert [(one.unchanged, one.errors) for one in done] == [(1, [])] * 100


@pytest.mark.skipif(os.name != "posix", reason="modes as POSIX has them")
async def test_notes_are_for_their_owner_alone(vault, queue):
    assert {stat.S_IMODE(path.stat().st_mode) for path in vault.iterdir()} == {0o600}
    assert stat.S_IMODE(vault.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "name",
    [
        "../a.md",
        "/etc/passwd",
        "a/../../b.md",
        "",
        "a//b",
        "a\\b",
        ".",
        "..",
        "x\x00.md",
        "~/../..",
    ],
)
def test_a_name_outside_is_refused(tmp_path, name):
    from mimir_py.errors import TransferError

    with Folder(tmp_path / "vault", create=True) as folder:
        with pytest.raises(TransferError):
            folder.write(name, "text")
        with pytest.raises(TransferError):
            folder.read(name)


@given(st.text(st.sampled_from("./\\\x00:~ aA\u2024\uff0f\u2215e\u0301\udc80%"), max_size=300))
@settings(max_examples=300, deadline=None)
def test_whatever_the_name_nothing_is_outside_the_folder(text):
    from mimir_py.errors import TransferError

    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        with Folder(root / "vault", create=True) as folder, contextlib.suppress(TransferError):
            folder.write(text, "words")
            assert folder.read(text) == "words"
        assert [path.name for path in root.iterdir()] == ["vault"]


@pytest.mark.parametrize(
    "text", ["../../x", "/abs", "CON", "a\x00b", "é" * 300, "x" * 101, "", ".", "~", "a:b", "a.md"]
)
def test_a_file_name_is_safe_whatever_the_id(text):
    stem = file_stem(text)

    assert len(stem) <= 100
    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
    assert stem.upper() != "CON"
    assert file_stem(stem) == stem


async def test_two_memories_of_one_name_in_two_stores_are_a_conflict(
    plain_stores, client_of, vault
):
    async with plain_stores() as first, plain_stores() as second:
        await client_of(first).remember("queue", "use NATS")
        await client_of(second).remember("queue", "use Kafka")
        await _export(first, vault)

        taken = await _import(second, vault)

        assert len(taken.conflicts) == 1
        assert [i["body_json"] for i in await client_of(second).recall("use")] == [
            '{"content": "use Kafka"}'
        ]


async def test_the_tools_answer_as_published(client, vault, queue):
    exported = await client.run("vault_export", {"vault_dir": str(vault), "plain": True})
    imported = await client.run("vault_import", {"vault_dir": str(vault)})

    for answer in (exported, imported):
        assert (answer["files_created"], answer["files_updated"]) == (0, 0)
        assert (answer["errors"], answer["files_unchanged"]) == ([], 1)
    missing = await client.app.call(
        *client.request("vault_import", {"vault_dir": str(vault / "missing")})
    )
    assert "missing" in str(missing)
