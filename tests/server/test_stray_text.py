"""Text that UTF-8 or SQLite cannot carry, from wherever it comes, is marked and hides nothing."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from pysqlite3 import dbapi2

from tests.server.program import MIMIR, Program, environment, run, serving

# What another program, or damage, may have put into a text column.
_STRAY: Final = {
    "no UTF-8": b"a\xff\xfeb",
    "a surrogate's bytes": b"a\xed\xa0\x80b",
    "a NUL": b"a\x00b",
    "half a character": b"caf\xc3",
}
_ESCAPES: Final = {"a surrogate": '"a\\ud800b"', "a NUL": '"a\\u0000b"'}
_UTF_8_ONLY: Final = os.name == "nt" or os.uname().sysname == "Darwin"


def _spoilt_values() -> Iterator[tuple[str, dict[str, bytes]]]:
    columns = ("type", "status", "topic_path", "agent_id", "layer", "source")
    for name, stray in _STRAY.items():
        yield name, dict.fromkeys(columns, stray)
    for name, escape in _ESCAPES.items():
        yield f"{name}, escaped", {"tags": f"[{escape}]".encode()}


def _spoilt_bodies() -> Iterator[tuple[str, dict[str, bytes]]]:
    for name, stray in _STRAY.items():
        body = b'{"content":"the pump in %s"}' % stray.replace(b"\x00", b"\\u0000")
        yield f"body: {name}", {"body_json": body}
    for name, escape in _ESCAPES.items():
        body = f'{{"content":"the pump in",{escape}:{escape}}}'
        yield f"body: {name}, escaped", {"body_json": body.encode()}


_SPOILT: Final = dict(_spoilt_values())
_DAMAGED: Final = dict(_spoilt_bodies())


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A server on a store in which all memories but one have stray text, each in its way."""
    store = tmp_path_factory.mktemp("spoilt") / "memory.db"
    with serving(store) as program:
        for key in ("good", *_SPOILT, *_DAMAGED):
            program.call("remember", category="c", key=key, body_json=f"the pump in {key}")
    with closing(dbapi2.connect(str(store), isolation_level=None)) as connection:
        for key, values in (_SPOILT | _DAMAGED).items():
            sets = ", ".join(f"{column} = CAST(? AS TEXT)" for column in values)
            connection.execute(f"UPDATE entities SET {sets} WHERE key = ?", (*values.values(), key))
    with serving(store) as program:
        yield program


@pytest.mark.parametrize("query", [{}, {"mode": "fts5"}, {"mode": "dense"}, {"mode": "hybrid"}])
def test_rows_with_stray_text_are_marked_and_hide_no_other(
    spoilt: Program, query: dict[str, str]
) -> None:
    answer = spoilt.call("recall", query="the pump in", limit=20, **query)

    items = answer["items"]
    marked = [item["key"] for item in items if "\ufffd" in json.dumps(item, ensure_ascii=False)]
    assert sorted(marked) == sorted(_SPOILT)
    assert "good" in [item["key"] for item in items]
    assert "\x00" not in json.dumps(items)
    # Words that are not the ones that were stored are no memory, and are not kept back in silence.
    assert len(answer["damaged"]) == len(_DAMAGED)
    assert not {item["id"] for item in items} & set(answer["damaged"])


@pytest.mark.parametrize("tool", ["stats", "workspace_list", "reindex"])
def test_tools_that_read_everything_read_rows_with_stray_text(spoilt: Program, tool: str) -> None:
    spoilt.call(tool)


@pytest.mark.parametrize("key", [*_SPOILT, *_DAMAGED])
def test_a_row_with_stray_text_can_be_read_replaced_and_forgotten(
    spoilt: Program, key: str
) -> None:
    answer = spoilt.call("remember", category="c", key=key, body_json=f"another pump in {key}")

    assert answer["action"] == "updated"
    assert spoilt.call("get_entity", id=answer["id"])["key"] == key
    assert spoilt.call("forget", category="c", key=key)["found"] is True


@pytest.mark.skipif(_UTF_8_ONLY, reason="file names are UTF-8 here")
def test_file_names_that_are_no_utf_8_are_served_and_shown(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    folder.mkdir()
    env = environment(tmp_path / "home", MIMIR_WORKSPACE="auto")
    with Program("--db", folder / "m.db", home=tmp_path / "home", cwd=folder, env=env) as program:
        program.initialize()
        written = program.call("remember", category="c", key="k", body_json="kept")
        assert program.call("get_entity", id=written["id"])["key"] == "k"
    lines = folder / "all.jsonl"

    exported = run("export", lines, "--db", folder / "m.db", home=tmp_path / "home")
    missing = run("import", folder / "none.jsonl", "--db", folder / "m.db", home=tmp_path / "home")
    checked = run("doctor", "--db", folder / "m.db", "--json", home=tmp_path / "home")

    assert (exported.returncode, checked.returncode) == (0, 0)
    assert missing.returncode != 0
    assert "Traceback" not in missing.stderr
    json.loads(checked.stdout)


def test_a_remote_that_is_no_utf_8_names_a_workspace(tmp_path: Path) -> None:
    git = tmp_path / "project" / ".git"
    git.mkdir(parents=True)
    (git / "config").write_bytes(
        b'[remote "origin"]\n\turl = https://host/caf\xe9/a\x00b\xed\xa0\x80.git\n'
    )
    env = environment(tmp_path / "home", MIMIR_WORKSPACE="auto")
    store = tmp_path / "memory.db"
    with Program("--db", store, home=tmp_path / "home", cwd=git.parent, env=env) as program:
        program.initialize()
        program.call("remember", category="c", key="k", body_json="kept")
        [item] = program.call("recall", query="kept", mode="fts5")["items"]

    assert item["workspace_hash"]
    assert "\x00" not in item["workspace_hash"]


@pytest.mark.parametrize("closed", ["2", "012"])
def test_closed_descriptors_are_not_reused_for_a_store(tmp_path: Path, closed: str) -> None:
    """Else the next file would be number 2, and a warning would be written into it."""
    redirections = " ".join(f"{number}>&-" for number in closed)
    message = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}'
    script = f"echo '{message}' | {MIMIR} serve --db m.db {redirections}"

    done = run("-c", script, home=tmp_path, command=("sh",))

    assert done.returncode == 0, done.stderr
    assert ("1" in closed) == (done.stdout == "")
