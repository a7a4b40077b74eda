"""`mimir ingest`: files and folders read into memories."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Mimir
from tests.parsing.files import pdf, pdf_bomb, word

_PAGE = "<html><body><h1>Runbook</h1><p>Restart the gateway first.</p></body></html>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with documents of every kind, and what is none."""
    files: Mapping[str, str | bytes] = {
        "README.md": "# Heron\n\nHeron counts birds.",
        "src/count.py": "def count(birds):\n    return len(birds)\n",
        "docs/runbook.html": _PAGE,
        "docs/plan.pdf": pdf("The first page.", "Budget: nine cranes."),
        "docs/notes.docx": word("# Sightings", "A heron at the weir."),
        "docs/broken.pdf": pdf("words")[:150],
        "docs/bomb.pdf": pdf_bomb(100_000_000),
        "docs/wrong.txt": b"\xff\xfe\xfa",
        "empty.md": "",
        "picture.png": b"\x89PNG",
        ".git/config": "hidden",
        "node_modules/x/README.md": "not ours",
    }
    for name, content in files.items():
        path = tmp_path / "heron" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "outside.md").write_text("not to be followed", encoding="utf-8")
    (tmp_path / "heron" / "link.md").symlink_to(tmp_path / "outside.md")
    (tmp_path / "heron" / "linked").symlink_to(tmp_path)
    return tmp_path / "heron"


def _ingested(mimir: Mimir, *arguments: Any) -> dict[str, Any]:
    done = mimir("ingest", *arguments, "--no-embed", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _found(mimir: Mimir, query: str, db: Path) -> list[dict[str, Any]]:
    done = mimir("recall", query, "--mode", "fts5", "--json", "--db", db)
    return json.loads(done.stdout)["items"]


def test_a_folder_is_read_whole_and_what_cannot_be_is_named(
    mimir: Mimir, folder: Path, tmp_path: Path
) -> None:
    db = tmp_path / "memory.db"

    done = _ingested(mimir, folder, "--db", db, "--tags", "birds, field")
    [budget] = _found(mimir, "Budget cranes", db)
    [code] = _found(mimir, "count birds len", db)[:1]

    assert (done["created"], done["skipped"], done["files"]) == (5, 2, 9)
    assert {Path(path).name for path in done["problems"]} == {
        "broken.pdf", "bomb.pdf", "wrong.txt",
    }  # fmt: skip
    assert budget["key"] == "heron/docs/plan.pdf"
    assert (budget["trust"], budget["tags"]) == ("file", ["birds", "field"])
    assert code["key"] == "heron/src/count.py"
    assert _found(mimir, "followed", db) == _found(mimir, "hidden", db) == []


def test_only_what_changed_is_read_again_and_what_is_gone_is_told(
    mimir: Mimir, folder: Path, tmp_path: Path
) -> None:
    db = tmp_path / "memory.db"
    _ingested(mimir, folder, "--db", db)
    (folder / "README.md").write_text("# Heron\n\nHeron counts frogs now.", encoding="utf-8")
    (folder / "docs" / "notes.docx").unlink()
    mimir("forget", "--category", "document", "--key", "heron/src/count.py", "--db", db)

    again = _ingested(mimir, folder, "--db", db)
    elsewhere = _ingested(mimir, folder / "docs", "--db", db)
    history = mimir("recall", "frogs", "--mode", "fts5", "--json", "--db", db)
    anew = _ingested(mimir, folder, "--again", "--db", db)

    assert (again["created"], again["updated"], again["unchanged"]) == (0, 1, 2)
    assert again["forgotten"] == 1
    assert again["deleted"] == [str(folder / "docs" / "notes.docx")]
    assert (elsewhere["created"], elsewhere["unchanged"]) == (0, 2)
    assert "counts frogs" in history.stdout
    assert (anew["created"], anew["updated"]) == (0, 4)


def test_a_batch_is_undone_as_it_says(mimir: Mimir, folder: Path, tmp_path: Path) -> None:
    db = tmp_path / "memory.db"
    said = mimir("ingest", folder / "README.md", folder / "docs", "--no-embed", "--db", db).stdout
    command = said.splitlines()[-1].partition("mimir ")[2].split()

    undone = mimir(*command, "--db", db)

    assert said.startswith("Read 4 new files; 0 updated, 0 unchanged")
    assert "not read: " in said
    assert undone.stdout.splitlines()[-1] == "4 undone, 0 left"
    assert _found(mimir, "heron", db) == []


def test_a_sealed_store_takes_documents_and_keeps_their_words_to_itself(
    mimir: Mimir, folder: Path, tmp_path: Path
) -> None:
    db, key = tmp_path / "memory.db", tmp_path / "key"
    mimir("keygen", "--key-file", key)
    done = _ingested(mimir, folder, "--db", db, "--encryption-key", key)
    again = _ingested(mimir, folder, "--db", db, "--encryption-key", key)

    content = b"".join(path.read_bytes() for path in tmp_path.glob("memory.db*"))
    assert (done["created"], again["unchanged"]) == (5, 5)
    assert b"Heron counts" not in content
    assert str(folder).encode() not in content


def test_a_path_that_is_not_there_is_named(mimir: Mimir, tmp_path: Path) -> None:
    done = mimir("ingest", tmp_path / "nothing", "--db", tmp_path / "memory.db")

    assert done.returncode == 1
    assert done.stderr.strip() == f"mimir: {tmp_path / 'nothing'}: No such file or directory"
