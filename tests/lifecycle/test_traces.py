"""What is erased is in no live file, in any form: looked for by another process, byte by byte."""

import base64
import json
import secrets
from collections.abc import Callable, Mapping

import pytest

from mimir_py.entities import Link, links
from mimir_py.storage.terms import analyse
from mimir_py.storage.verify import verify

# Their control finds words in the files.
pytestmark = pytest.mark.plain

_ERASED = 5
_OTHERS = 20

# Prints how often each name's forms are found in the files beside a store, backups left out.
_SCAN = """
import json, pathlib, sys
folder, forms = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
content = b"\\n".join(f.read_bytes() for f in sorted(folder.iterdir()) if f.is_file())
folded = content.lower()
found = {
    name: sum((folded if fold else content).count(bytes.fromhex(form)) for fold, form in each)
    for name, each in forms.items()
}
print(json.dumps(found))
"""


def _forms(token: str) -> list[tuple[bool, str]]:
    """Every way a token may be written, each (compare without case, hex of its bytes)."""
    raw = token.encode()
    forms = [(False, token.encode("utf-16-le")), (False, token.encode("utf-16-be"))]
    forms += [(True, raw.lower()), (True, raw.hex().encode()), (True, token[::-1].encode())]
    forms += [(False, json.dumps(token)[1:-1].encode())]
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw)
        # The ends mix with what stands beside the token.
        forms.append((False, coded[4 * bool(shift) : -4]))
    forms += [(True, stem.encode()) for stem in analyse(token).split()]
    return [(fold, form.hex()) for fold, form in forms]


def _token() -> str:
    # One word, so that its stem is its own; not all ASCII, so that JSON may escape it.
    return "zq" + "".join(secrets.choice("abdefghiklmnoprstuvw") for _ in range(10)) + "özings"


@pytest.fixture
def scan(
    run_python, store_path
) -> Callable[[Mapping[str, list[tuple[bool, str]]]], dict[str, int]]:
    def found(forms: Mapping[str, list[tuple[bool, str]]]) -> dict[str, int]:
        counts: dict[str, int] = json.loads(run_python(_SCAN, store_path.parent, json.dumps(forms)))
        return counts

    return found


async def _vector(client, memory_id: str) -> list[tuple[bool, str]]:
    [(vector,)] = await client.rows(
        "SELECT c.vector FROM chunks c JOIN entities e ON e.row_id = c.row_id"
        " WHERE e.id = ? ORDER BY c.ordinal LIMIT 1",
        (memory_id,),
    )
    # A part from the middle: it need not begin where a page does.
    return [(False, vector[400:432].hex())]


async def _link(client, source_id: str, target_id: str, note: str) -> None:
    """A link of an older memory to this one, with a note that its next version keeps."""
    [(row_id,)] = await client.rows("SELECT row_id FROM entities WHERE id = ?", (source_id,))
    link = Link(target_id, "saw", note=note)
    await client.app.database.write(lambda tx: links.insert(tx, [(row_id, link)]))


async def _lived(client, number: int) -> tuple[str, dict[str, list[tuple[bool, str]]]]:
    """A memory with a life: its id, and the forms of every token that was ever said of it."""
    tokens = {
        part: _token()
        for part in ("key", "body", "edit", "end", "tag", "topic", "alias", "event", "link")
    }
    # Every other one is so long that it is kept in pages of its own.
    filler = " ".join(f"word{i}" for i in range(900 if number % 2 else 3))
    text = f"then {tokens['edit']} {filler} {tokens['end']}"
    more = {"tags": [tokens["tag"]], "topic_path": f"a/{tokens['topic']}"}
    memory = await client.remember(tokens["key"], f"at first it was {tokens['body']}")
    await client.remember(tokens["key"], text, **more)
    repeated = await client.remember(tokens["alias"], text, **more)
    assert repeated["action"].startswith("deduped")
    await client.run(
        "journal",
        {
            "event_type": "decided", "category": "note", "key": tokens["key"],
            "entity_id": memory["id"], "acted": {"why": tokens["event"]},
        },
    )  # fmt: skip
    # The answer that is kept for a repeat names the key.
    await client.run(
        "remember",
        {
            "category": "note", "key": tokens["key"], "body_json": text, **more,
            "idempotency_key": f"again {number}",
        },
    )  # fmt: skip
    friend = await client.remember(f"friend {number}", f"knows number {number}")
    await _link(client, friend["id"], memory["id"], tokens["link"])
    await client.remember(f"friend {number}", f"has met number {number}, who was there before")
    forms = {f"{number} {part}": _forms(token) for part, token in tokens.items()}
    return memory["id"], {**forms, f"{number} vector": await _vector(client, memory["id"])}


@pytest.fixture
async def lives(client):
    """Memories among many others: their forms by what they are, and their ids."""
    lives = []
    for number in range(_OTHERS):
        await client.remember(f"other {number}", f"nothing to do with it, number {number}")
        if number % (_OTHERS // _ERASED) == 3:
            lives.append(await _lived(client, len(lives)))
    assert len(lives) == _ERASED
    return {name: form for _, forms in lives for name, form in forms.items()}, [i for i, _ in lives]


@pytest.mark.parametrize("is_checkpointed", [True, False], ids=["in the file", "in the log"])
async def test_no_form_of_an_erased_memory_is_left(client, app, scan, lives, is_checkpointed):
    forms, ids = lives
    if is_checkpointed:
        await app.database.checkpoint()
    before = scan(forms)

    for memory_id in ids:
        answer = await client.run("purge", {"id": memory_id})
        assert answer["finished"] is True

    assert {name for name, count in before.items() if count == 0} == set()
    assert {name for name, count in scan(forms).items() if count} == set()
    verify(app.database.path, app.database.engine)
    assert (await app.journal.verify()).fault is None
    vocabulary = {term for (term,) in await client.rows("SELECT term FROM entities_vocabulary")}
    assert not any("zq" in term for term in vocabulary)


async def test_no_form_of_forgotten_memories_is_left_after_a_purge(client, scan, lives):
    forms, ids = lives
    for memory_id in ids:
        memory = await client.get(memory_id)
        await client.forget(memory["key"])
        # Other keys of a forgotten memory keep its text, so they are forgotten as well.
        for (key,) in await client.rows("SELECT key FROM entities WHERE archived = 0"):
            if key.startswith("zq"):
                await client.forget(key)

    await client.run("purge", {})

    assert {name for name, count in scan(forms).items() if count} == set()


async def test_forgetting_alone_leaves_the_words(client, scan, lives):
    """The detector's other control: it must find what is only hidden."""
    forms, ids = lives
    memory = await client.get(ids[0])
    await client.forget(memory["key"])

    assert all(count for name, count in scan(forms).items() if name.startswith("0 "))
