"""A folder of notes stays in step with the store, and nobody's own words are lost by it."""

import asyncio
import os
from datetime import UTC, date

import pytest

from mimir_py.errors import InvalidInput, TransferError
from mimir_py.vault import pages
from mimir_py.vault.folder import Folder
from mimir_py.vault.manifest import FILE
from mimir_py.vault.sync import Terms
from mimir_py.vault.watching import watched

pytestmark = pytest.mark.filterwarnings("default::ResourceWarning")

ONE_WAY = Terms(plain=True, zone=UTC)
TWO_WAY = Terms(plain=True, two_way=True, zone=UTC)


@pytest.fixture
def sync(client, vault):
    """A round: `await sync()`, or `await sync(TWO_WAY)`."""
    return lambda terms=ONE_WAY: client.app.sync.once(vault, terms)


@pytest.fixture
async def queue(client, sync):
    """A memory and its note."""
    found = await client.remember("queue", '{"content":"use NATS"}')
    await sync()
    return found["id"]


def _edit(vault, entity_id, old, new):
    path = vault / f"{entity_id}.md"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


async def test_only_what_changed_is_written(client, sync, vault, queue, notes_in):
    other = (await client.remember("broker", "the broker"))["id"]

    done = await sync()

    assert (done.notes.created, done.notes.updated, done.notes.unchanged) == (1, 0, 0)
    assert (vault / f"{other}.md").exists()
    before = notes_in(vault)
    quiet = await sync()
    assert (quiet.notes.created, quiet.notes.unchanged, quiet.pages) == (0, 0, 0)
    assert notes_in(vault) == before


async def test_rounds_leave_the_notes_that_a_whole_export_writes(
    client, sync, vault, queue, notes_in, tmp_path
):
    other = (await client.remember("broker", "the broker", workspace_hash="w"))["id"]
    name = {"from_category": "note", "from_key": "queue"}
    await client.run("link", {**name, "to_id": other})
    await sync()
    await client.remember("broker", "another broker", workspace_hash="w")
    await client.remember("third", "a third")
    await client.forget("third")
    await sync()
    await client.remember("another key", '{"content":"use NATS"}')
    await sync()
    await client.forget("broker", workspace_hash="w")
    await sync()

    await client.app.notes.export(tmp_path / "whole", plain=True)

    notes = {name: text for name, text in notes_in(vault).items() if "/" not in name}
    assert notes == notes_in(tmp_path / "whole")
    assert "unresolved" in notes[f"{queue}.md"]


async def test_the_note_of_a_purged_memory_goes_and_links_to_it_do(client, sync, vault, queue):
    other = (await client.remember("broker", "the broker"))["id"]
    name = {"from_category": "note", "from_key": "queue"}
    await client.run("link", {**name, "to_id": other})
    await sync()
    assert other in (vault / f"{queue}.md").read_text()
    await client.forget("broker")
    await client.run("purge", {"category": "note", "key": "broker", "dry_run": False})

    done = await sync()

    assert done.notes.removed == 1
    assert other not in (vault / f"{queue}.md").read_text()
    assert "broker" not in "".join(p.read_text() for p in (vault / "days").iterdir())


async def test_a_deleted_note_comes_back(client, sync, vault, queue):
    (vault / f"{queue}.md").unlink()

    done = await sync(TWO_WAY)

    assert done.notes.created == 1
    assert (await client.get(queue))["archived"] is False


async def test_an_edit_is_taken_in_and_the_note_goes_on_from_it(client, sync, vault, queue):
    _edit(vault, queue, "use NATS", "use Kafka")

    kept = await sync()
    done = await sync(TWO_WAY)

    assert kept.notes.kept == [f"{queue}.md"]
    assert (done.taken.updated, done.notes.updated, done.notes.conflicts) == (1, 1, [])
    assert (await client.get(queue))["body_json"] == '{"content":"use Kafka"}'
    assert (await sync(TWO_WAY)).taken.updated == 0
    _edit(vault, queue, "use Kafka", "use RabbitMQ")
    assert (await sync(TWO_WAY)).taken.updated == 1
    assert len(await client.rows("SELECT 1 FROM entity_history")) == 2


async def test_an_edit_before_the_first_round_is_taken_in(client, vault, sync, queue):
    _edit(vault, queue, "use NATS", "use Kafka")
    (vault / FILE).unlink()

    assert (await sync(TWO_WAY)).taken.updated == 1


async def test_edits_on_both_sides_are_a_conflict_that_keeps_both(
    client, sync, vault, queue, notes_in
):
    _edit(vault, queue, "use NATS", "from the note")
    await client.remember("queue", '{"content":"from the agent"}')

    done = await sync(TWO_WAY)

    [aside] = done.notes.conflicts
    found = notes_in(vault)
    assert "from the note" in found[aside]
    assert "from the agent" in found[f"{queue}.md"]
    assert (await sync(TWO_WAY)).notes.conflicts == []


async def test_an_edit_of_what_was_forgotten_meanwhile_is_set_aside(client, sync, vault, queue):
    _edit(vault, queue, "use NATS", "from the note")
    await client.forget("queue")
    await client.run("purge", {"category": "note", "key": "queue", "dry_run": False})

    done = await sync(TWO_WAY)

    [aside] = done.notes.conflicts
    assert "from the note" in (vault / aside).read_text()
    assert await client.rows("SELECT 1 FROM entities") == []


async def test_the_notes_of_a_person_are_neither_read_nor_touched(client, sync, vault):
    vault.mkdir()
    mine = {
        "mem-mine.md": "my words",
        "page.md": "---\ncategory: note\nkey: mine\n---\n\nwords",
        "categories/note.md": "my category",
        "days/2026-01-01.md": "my diary",
        ".mimir-notes.json.md": "x",
    }
    for name, text in mine.items():
        (vault / name).parent.mkdir(exist_ok=True)
        (vault / name).write_text(text)
    found = await client.remember("queue", "use NATS")
    name = f"{found['id']}.md"
    (vault / name).write_text("---\nid: other\n---\nmy own")

    rounds = [await sync(TWO_WAY), await sync(TWO_WAY)]
    await client.forget("queue")
    rounds.append(await sync(TWO_WAY))

    assert {n: (vault / n).read_text() for n in mine} == mine
    assert (vault / name).read_text() == "---\nid: other\n---\nmy own"
    assert [r.taken.created for r in rounds] == [0, 0, 0]
    assert any(name in error for error in rounds[0].notes.errors)
    assert any("categories/note.md" in error for error in rounds[0].notes.errors)
    assert await client.rows("SELECT 1 FROM entities WHERE archived = 0") == []


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
async def test_no_link_is_followed(client, sync, vault, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    vault.mkdir()
    for below in pages.FOLDERS:
        (vault / below).symlink_to(outside)
    first = (await client.remember("queue", "use NATS"))["id"]
    (vault / f"{first}.md").symlink_to(outside / "secret.md")

    done = await sync(TWO_WAY)

    assert len(done.notes.errors) == 3
    assert list(outside.iterdir()) == []


async def test_names_in_what_mimir_keeps_lead_nowhere(client, sync, vault, queue, tmp_path):
    secret = tmp_path / "secret.md"
    secret.write_text("secret")
    (vault / "mine.md").write_text("mine")
    path = vault / FILE
    text = path.read_text()
    for name in ("../secret.md", str(secret), "mine.md"):
        text = text.replace('"notes": {', f'"notes": {{"{name}": [0, 0], ')
    path.write_text(text.replace('"pages": [', '"pages": ["days/../../secret.md", "days/x.md", '))

    await sync(TWO_WAY)
    await client.remember("other", "another")
    await sync(TWO_WAY)

    assert secret.read_text() == "secret"
    assert "mine" in [path.read_text() for path in vault.glob("mine*.md")]


async def test_a_store_put_back_from_before_is_written_whole(
    plain_stores, client_of, vault, tmp_path, notes_in
):
    async with plain_stores() as app:
        client = client_of(app)
        await client.remember("queue", "use NATS")
        await app.sync.once(vault, ONE_WAY)
        manifest = vault / FILE
        manifest.write_text(manifest.read_text().replace('"position": 1', '"position": 7'))
        (vault / "mem-000000000000.md").write_text("x")
        await client.remember("broker", "the broker")

        done = await app.sync.once(vault, ONE_WAY)

        assert (done.notes.created, done.notes.unchanged) == (1, 1)


@pytest.mark.parametrize("content", ["", "{", "null", "[]", '{"format": 2}', "\x00"])
async def test_a_broken_record_of_the_folder_loses_nothing(sync, vault, queue, content, notes_in):
    before = notes_in(vault)
    (vault / FILE).write_text(content)

    done = await sync()

    assert (done.notes.unchanged, done.notes.errors) == (1, [])
    assert notes_in(vault) == before


async def test_a_sealed_store_is_written_only_when_asked_for(client, vault):
    is_sealed = client.app.database.is_sealed
    if is_sealed:
        with pytest.raises(InvalidInput, match="--plain"):
            await client.app.sync.once(vault, Terms())
        assert not vault.exists()
    else:
        await client.app.sync.once(vault, Terms())


async def test_an_index_lists_the_memories_of_a_category(client, sync, vault):
    ids = [
        (await client.remember("a|b]]", "one", category="Wide Range"))["id"],
        (await client.remember("c", "two", category="Wide Range", workspace_hash="w"))["id"],
    ]
    await sync()

    [index] = (vault / "categories").glob("Wide_Range-*.md")
    text = index.read_text()
    assert f"- [[{ids[0]}|a b]]\n" in text
    assert f"## w\n\n- [[{ids[1]}|c]]\n" in text
    await client.forget("a|b]]", category="Wide Range")
    await client.forget("c", category="Wide Range", workspace_hash="w")
    await sync()
    assert not index.exists()


async def test_the_diary_tells_the_day(client, sync, vault, clock, queue):
    day = pages.day_of(clock(), UTC)
    await client.run(
        "journal", {"event_type": "deploy", "acted": {"to": "[[x]] `y`"}, "category": "ops"}
    )
    await sync()

    path = vault / pages.day_page(day)
    text = path.read_text()
    assert f"remember: [[{queue}|queue]]" in text
    assert 'deploy: ops\n  - acted: `{"to"' in text
    assert "`y`" not in text
    await client.forget("queue")
    await sync()
    assert f"[[{queue}" not in path.read_text()


async def test_what_is_written_into_a_page_is_set_aside(client, sync, vault, clock, queue):
    path = vault / pages.day_page(pages.day_of(clock(), UTC))
    with path.open("a") as file:
        file.write("\nmy own thoughts\n")
    await client.remember("more", "to tell")

    done = await sync()

    [aside] = done.notes.conflicts
    assert "my own thoughts" in (vault / aside).read_text()
    assert "my own thoughts" not in path.read_text()
    assert (await client.app.notes.take_in(vault)).created == 0


@pytest.mark.parametrize(
    ("at", "day"), [(0, None), (86_400_000, date(1970, 1, 2)), (2**62, None), (-1, None)]
)
def test_a_time_has_a_day_within_reason(at, day):
    assert pages.day_of(at, UTC) == day
    if day is not None:
        assert pages.bounds(day, UTC) == (86_400_000, 2 * 86_400_000 - 1)


async def test_an_edit_while_a_note_is_written_stays(vault):
    with Folder(vault, create=True) as folder:
        folder.write("a.md", "as read")
        folder.write("a.md", "edited since")
        with pytest.raises(TransferError, match="meanwhile"):
            folder.write("a.md", "ours", over="as read")
        assert folder.read("a.md") == "edited since"
        assert list(folder.stamps()) == ["a.md"]


async def test_one_writer_at_a_time_has_a_folder(vault):
    with Folder(vault, create=True) as one, Folder(vault, create=True) as other:
        assert one.try_lock()
        assert other.try_lock() is (os.name != "posix")


class _Watch:
    """What a watch tells, as it does; ends with the test."""

    def __init__(self, app, vault, terms):
        self.rounds = watched(app.sync, vault, terms, 0.05)

    async def next(self):
        return await asyncio.wait_for(anext(self.rounds), 20)


@pytest.fixture
async def watch(client, vault):
    watches = []

    def start(terms):
        watches.append(_Watch(client.app, vault, terms))
        return watches[-1]

    yield start
    for one in watches:
        await one.rounds.aclose()


async def test_a_watch_follows_the_store_and_the_folder(client, vault, watch):
    running = watch(TWO_WAY)
    assert (await running.next()).notes.created == 0
    found = await client.remember("queue", '{"content":"use NATS"}')
    assert (await running.next()).notes.created == 1
    told = asyncio.create_task(running.next())
    # Whatever it is at, the edit is news.
    await asyncio.sleep(0.5)
    _edit(vault, found["id"], "use NATS", "use Kafka")

    assert (await told).taken.updated == 1
    assert (await client.get(found["id"]))["body_json"] == '{"content":"use Kafka"}'


async def test_a_watch_ends_when_its_folder_is_gone(client, vault, watch):
    running = watch(ONE_WAY)
    await running.next()
    vault.rename(vault.with_name("moved"))
    await client.remember("queue", "use NATS")

    with pytest.raises(TransferError, match="vault"):
        await running.next()
    assert not vault.exists()
