"""Nothing a person says is in any byte of a sealed store's folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mimir_py.security import keys
from scripts.torments import canaries
from tests.server.program import serving

_KEY = "secret.key"


def _found(tmp_path: Path, flags: list[str]) -> dict[str, str]:
    """Give a served store canaries; where they are found afterwards, and while it is served."""
    folder, brood = tmp_path / "store", canaries.Brood(seed=7)
    folder.mkdir()
    with serving(folder / "mimir.db", *flags, home=tmp_path / "home") as program:

        def call(tool: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
            return program.result(tool, arguments).get("structuredContent", {})

        canaries.release(call, brood)
        found = canaries.scan(folder, brood.all)
    return found | canaries.scan(folder, brood.all)


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    keys.make_key_file(tmp_path / _KEY)
    return str(tmp_path / _KEY)


def test_a_sealed_store_shows_no_word_of_any_argument(tmp_path, key_file):
    flags = ["--encryption-key", key_file, "--seal-names", "yes"]

    assert _found(tmp_path, flags) == {}


def test_with_readable_names_only_categories_and_keys_show(tmp_path, key_file):
    found = _found(tmp_path, ["--encryption-key", key_file])

    assert {field.rsplit(".", 1)[1] for field in found} <= {
        *("category", "key", "batch_category"),
        # The name of a file is the key of its memory.
        *("path", "old_path", "new_path"),
    }
    assert "remember.key" in found


def test_in_a_plain_store_the_words_are_found(tmp_path):
    found = _found(tmp_path, [])

    stored = {"body_json", "key", "category", "tags", "topic_path", "type", "agent_id", "status"}
    assert stored <= {field.removeprefix("remember.") for field in found}


def test_every_form_a_word_may_be_written_in_is_found(tmp_path):
    word = canaries.Canary("bolukaritemosa", "a field")
    for number, (_, written) in enumerate(canaries._forms(word.word)):
        (tmp_path / f"{number}").write_bytes(b"before" + written + b"after")
        assert canaries.scan(tmp_path, [word]) != {}
        (tmp_path / f"{number}").unlink()

    assert canaries.scan(tmp_path, [word]) == {}


def test_a_sealed_store_shows_no_vector(tmp_path, key_file):
    import numpy as np

    from mimir_py.config import Settings

    folder = tmp_path / "store"
    with serving(folder / "mimir.db", "--encryption-key", key_file, home=tmp_path) as program:
        program.call("remember", category="a", key="b", body_json="the harbour")
    settings = Settings(db_path=folder / "mimir.db", encryption_key=Path(key_file))

    vector = np.frombuffer(_vector(settings, tmp_path), dtype="<f4")
    held = b"".join(file.read_bytes() for file in folder.iterdir())

    assert len(vector) == 384
    for form in (vector, vector.astype("<f2"), np.rint(vector * 127).astype(np.int8)):
        assert form[:8].tobytes() not in held


def _vector(settings, home) -> bytes:
    import asyncio

    from mimir_py.app import open_app

    async def read() -> bytes:
        async with open_app(settings, home) as app:
            return await app.database.read(lambda r: r.value("SELECT vector FROM chunks"))

    return asyncio.run(read())
