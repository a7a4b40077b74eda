"""The tool that reads a file in."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mimir_py.documents.folders import place_of, usual_roots
from mimir_py.errors import InvalidInput
from tests.conftest import Client, OpenStore
from tests.parsing.files import locked_pdf, pdf, word

Write = Callable[[str, str | bytes], Path]

_LONG = "".join(f"Paragraph {n} speaks of gardens and of rain, at length.\n\n" for n in range(60))
_HEADED = f"# Start\n\n{_LONG}## Harbour\n\nThe pilot boat leaves at dawn.\n\n{_LONG}"


async def test_a_file_becomes_a_memory_that_says_where_it_is_from(
    client: Client, write: Write
) -> None:
    path = write("notes.md", "use NATS\n")

    answer = await client.run("ingest_file", {"path": str(path), "tags": ["infra"]})
    held = await client.get(answer["id"])

    assert answer == {
        "id": answer["id"],
        "action": "created",
        "category": "document",
        "key": "notes.md",
        "chars": 9,
        "source_path": str(path),
    }
    assert answer["id"].startswith("mem-")
    assert json.loads(held["body_json"]) == {"content": "use NATS\n", "source_path": str(path)}
    assert (held["entity_type"], held["trust"], held["tags"]) == ("document", "file", ["infra"])
    assert held["decay_score"] == 1.0
    [item] = await client.recall("NATS")
    assert (item["source"], item["content"]) == ("ingest_file", "use NATS\n")
    assert item["passage_at"] == {"file": str(path)}


async def test_any_part_of_a_text_is_found_with_its_line_and_heading(
    client: Client, write: Write
) -> None:
    path = write("port.md", _HEADED)
    await client.run("ingest_file", {"path": "port.md"})

    [item] = await client.recall("When does the pilot boat leave?", limit=1)

    assert "leaves at dawn" in item["passage"]
    where = item["passage_at"]
    assert (where["file"], where["heading"]) == (str(path), "Harbour")
    assert _HEADED.split("\n")[where["line"] - 1] == "The pilot boat leaves at dawn."


async def test_a_page_of_a_pdf_is_found_by_its_number(client: Client, write: Write) -> None:
    pages = [
        f"The tide of bay {n} is high.\n" + _LONG[:900].replace("\n\n", "\n") for n in range(9)
    ]
    pages[6] = "The lighthouse keeper is Ingrid.\n" + _LONG[:900].replace("\n\n", "\n")
    path = write("sea.pdf", pdf(*pages))

    await client.run("ingest_file", {"path": str(path)})
    [item] = await client.recall("Who keeps the lighthouse?", limit=1)

    assert "Ingrid" in item["passage"]
    assert item["passage_at"] == {"file": str(path), "page": 7}


async def test_a_heading_of_a_docx_is_told(client: Client, write: Write) -> None:
    filler = [f"Sentence {n} is about the weather in the mountains." for n in range(60)]
    content = word("# Weather", *filler, "# Harbour", "The pilot boat leaves at dawn.", *filler)
    path = write("port.docx", content)

    await client.run("ingest_file", {"path": str(path)})
    [item] = await client.recall("pilot boat", limit=1)

    assert item["passage_at"] == {"file": str(path), "heading": "Harbour"}


async def test_a_changed_file_takes_the_place_of_its_old_text(client: Client, write: Write) -> None:
    first = await client.run("ingest_file", {"path": str(write("notes.md", "use NATS"))})
    second = await client.run("ingest_file", {"path": str(write("notes.md", "use Kafka"))})
    history = await client.run("history", {"category": "document", "key": "notes.md"})

    assert (second["action"], second["id"]) == ("updated", first["id"])
    assert [version["content"] for version in history["versions"]] == ["use NATS"]


async def test_files_of_one_name_are_two_memories(client: Client, write: Write) -> None:
    answers = [
        await client.run("ingest_file", {"path": str(write(name, "same text"))})
        for name in ("a/README.md", "b/README.md", "a/README.md")
    ]
    kept = await client.remember("c.md", "an agent's words", category="document")
    other = await client.run("ingest_file", {"path": str(write("d/c.md", "a file's words"))})

    assert [answer["key"] for answer in answers] == ["README.md", "b/README.md", "README.md"]
    assert [answer["action"] for answer in answers] == ["created", "created", "updated"]
    assert (other["key"], other["id"] == kept["id"]) == ("d/c.md", False)


async def test_what_a_file_brought_is_undone(client: Client, write: Write) -> None:
    await client.run("ingest_file", {"path": str(write("notes.md", "use NATS"))})
    await client.run("ingest_file", {"path": str(write("other.md", "use Redis"))})

    undone = await client.run(
        "undo", {"source": "ingest_file", "since_unix_ms": 0, "dry_run": False}
    )

    assert undone["total"] == 2
    assert await client.recall("NATS Redis") == []


async def test_purging_a_document_erases_where_it_was_from(client: Client, write: Write) -> None:
    await client.run("ingest_file", {"path": str(write("notes.md", "use NATS"))})
    kept = await client.rows("SELECT path FROM documents")

    await client.run("forget", {"category": "document", "key": "notes.md"})
    await client.run("purge", {})

    assert len(kept) == 1
    assert await client.rows("SELECT path FROM documents") == []


async def test_a_long_text_takes_several_memories(
    open_store: OpenStore, folder: Path, write: Write, client_of: Callable[..., Client]
) -> None:
    lines = [f"Entry {number} of the log says nothing new." for number in range(2_000)]
    lines[1_700] = "The albatross landed on the antenna."
    path = write("app.log", "\n".join(lines))
    async with open_store(ingest_roots=(str(folder),), max_body_bytes=20_000) as app:
        client = client_of(app)
        long = await client.run("ingest_file", {"path": str(path)})
        [item] = await client.recall("albatross", mode="fts5")
        write("app.log", "The pelican landed on the antenna.")
        short = await client.run("ingest_file", {"path": str(path)})

        assert long["parts"] > 3
        assert item["key"].startswith("app.log (part ")
        assert item["passage_at"] == {"file": str(path), "line": 1_701}
        assert (short["action"], "parts" in short) == ("updated", False)
        assert await client.recall("albatross", mode="fts5") == []
        assert [item["key"] for item in await client.recall("antenna landed")] == ["app.log"]


async def test_secrets_in_a_file_are_not_stored(
    open_store: OpenStore, folder: Path, write: Write, client_of: Callable[..., Client]
) -> None:
    token = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
    path = write("notes.md", f"log in with {token} here")
    async with open_store(ingest_roots=(str(folder),)) as app:
        answer = await client_of(app).run("ingest_file", {"path": str(path)})
        body = (await client_of(app).get(answer["id"]))["body_json"]
    async with open_store(ingest_roots=(str(folder),), secrets="report") as app:
        reported = await client_of(app).run("ingest_file", {"path": str(path)})

    assert token not in body
    assert answer["redacted"] == [{"field": "content", "kind": "github token", "count": 1}]
    assert reported["secrets"] == answer["redacted"]


_REFUSED = {
    "broken.pdf": (pdf("words")[:150], "path: is a broken PDF"),
    "locked.pdf": (locked_pdf("secret", "words"), "encrypted with a password"),
    "binary.txt": (b"\x00\x01\x02", "binary"),
    "latin.txt": ("schön".encode("latin-1"), "is not UTF-8 text"),
    "really.docx": (b"%PDF-1.4", "is not a DOCX file"),
    "empty.txt": (b" \n", "holds no text"),
    "picture.png": (b"\x89PNG", "supported are: "),
    "Makefile": (b"all:", "supported are: "),
    "big.txt": (b"x" * 2_001, "is over 2000 bytes"),
}


async def test_what_cannot_be_read_is_named_and_nothing_is_stored(
    open_store: OpenStore, folder: Path, write: Write, client_of: Callable[..., Client]
) -> None:
    for name, (content, _) in _REFUSED.items():
        write(name, content)
    (folder / "folder.md").mkdir()
    os.mkfifo(folder / "pipe.md")
    (folder / "linked.md").symlink_to(write("real.md", "words"))
    os.link(folder / "real.md", folder / "same.md")
    expected = {
        **{name: why for name, (_, why) in _REFUSED.items()},
        "missing.md": "No such file",
        "folder.md": "is a folder",
        "pipe.md": "is not a regular file",
        "linked.md": "symbolic link",
        "same.md": "hard link",
    }
    settings = {"ingest_roots": (str(folder),), "max_ingest_bytes": 2_000}
    async with open_store(**settings) as app:
        client = client_of(app)
        for name, why in expected.items():
            with pytest.raises(InvalidInput, match=why):
                await client.run("ingest_file", {"path": str(folder / name)})

        assert (await client.run("stats", {}))["total_entities"] == 0


@pytest.mark.parametrize(
    "path",
    [
        *("../secret.md", "/etc/passwd", "~/secret.md", "a/../../secret.md", "/proc/self/mem"),
        *("../project-other/secret.md", "linked/secret.md"),
    ],
)
async def test_nothing_outside_the_allowed_folder_is_read(
    client: Client, folder: Path, path: str
) -> None:
    for outside in (folder.parent, folder.parent / "project-other"):
        outside.mkdir(exist_ok=True)
        (outside / "secret.md").write_text("not to be read", encoding="utf-8")
    (folder / "linked").symlink_to(folder.parent)

    with pytest.raises(InvalidInput):
        await client.run("ingest_file", {"path": path})

    assert await client.recall("not to be read") == []


def test_the_project_is_what_may_be_read_unless_folders_are_named(tmp_path: Path) -> None:
    home = tmp_path / "home"
    project = home / "code" / "project"
    (project / ".git").mkdir(parents=True)
    (project / "src").mkdir()
    plain = home / "papers"
    plain.mkdir()

    assert usual_roots((), project / "src", home) == (project.resolve(),)
    assert usual_roots((), plain, home) == (plain.resolve(),)
    assert usual_roots((), home, home) == usual_roots((), Path("/"), home) == ()
    assert usual_roots((str(plain),), home, home) == (plain,)
    with pytest.raises(InvalidInput, match="MIMIR_INGEST_ROOTS"):
        place_of("a.md", ())
