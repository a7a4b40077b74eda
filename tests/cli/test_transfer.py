"""`mimir export` and `mimir import`: whole memories as JSON Lines."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Mimir
from tests.importers.rust_files import RustStore


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_what_is_exported_comes_back_whole_in_another_store(
    mimir: Mimir, store: Path, tmp_path: Path
) -> None:
    body = '{"content":"use Kafka after all"}'
    mimir("write", "--category", "decision", "--key", "queue", "--body", body, "--db", store)
    target, other = tmp_path / "all.jsonl", tmp_path / "other.db"

    streamed = mimir("export", "-", "--db", store)
    imported = mimir("import", "-", "--no-embed", "--db", other, input=streamed.stdout)
    exported = mimir("export", target, "--db", other)

    assert streamed.stderr == "Exported 4 memories\n"
    assert (exported.returncode, exported.stdout) == (0, "Exported 4 memories\n")
    assert imported.returncode == 0
    assert imported.stdout.startswith("Imported 4 new memories; 0 replaced, 0 unchanged")
    assert target.read_text(encoding="utf-8") == streamed.stdout
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    [queue] = [line for line in _lines(target) if line.get("key") == "queue"]
    assert [version["body_json"] for version in queue["history"]] == ['{"content":"use NATS"}']


def test_an_import_keeps_what_is_stored_unless_told_otherwise(
    mimir: Mimir, store: Path, tmp_path: Path
) -> None:
    lines = tmp_path / "all.jsonl"
    mimir("export", lines, "--db", store)
    same = mimir("import", lines, "--json", "--db", store)
    text = lines.read_text(encoding="utf-8").replace("use NATS", "use Pulsar")
    lines.write_text(text, encoding="utf-8")

    kept = mimir("import", lines, "--db", store)
    replaced = mimir("import", lines, "--replace", "--db", store)
    found = mimir("recall", "Pulsar", "--mode", "fts5", "--json", "--db", store)

    assert json.loads(same.stdout) == {
        "created": 0, "replaced": 0, "unchanged": 4, "conflicts": [], "embedded_chunks": 0,
    }  # fmt: skip
    assert "1 kept as they are stored" in kept.stdout
    assert "kept: decision/queue" in kept.stdout
    assert "1 replaced" in replaced.stdout
    assert json.loads(found.stdout)["items"][0]["content"] == "use Pulsar"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"category":"c","key":"k"', "is not JSON"),
        ('{"category":"c","key":"k","body_json":"{"}', "body_json: is not valid JSON"),
        ('{"category":"c","key":"k","body_json":"{}","color":"red"}', "color: is not a field"),
        ('{"category":"c\\u0000","key":"k","body_json":"{}"}', "category: holds a NUL"),
    ],
    ids=lambda text: text[:40],
)
def test_a_faulty_line_is_named_and_those_before_it_are_kept(
    mimir: Mimir, tmp_path: Path, line: str, problem: str
) -> None:
    good = '{"category":"c","key":"good","body_json":"{}"}'

    done = mimir(
        "import", "-", "--no-embed", "--db", tmp_path / "new.db", input=f"{good}\n\n{line}\n"
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"mimir: line 3: {problem}")
    assert done.stderr.count("\n") == 1


def test_a_body_no_answer_could_carry_is_refused_like_any_other(
    mimir: Mimir, tmp_path: Path
) -> None:
    line = '{"category":"c","key":"k","body_json":"{\\"n\\":1e400}"}'
    store = tmp_path / "new.db"

    imported = mimir("import", "-", "--db", store, input=line)
    listed = mimir("list", "--json", "--db", store)

    assert listed.returncode == 0, listed.stderr
    assert imported.returncode == 1 or len(json.loads(listed.stdout)["items"]) == 1


def test_files_that_are_not_there_or_not_ours_are_refused(mimir: Mimir, tmp_path: Path) -> None:
    store = tmp_path / "new.db"
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x01")

    missing = mimir("import", tmp_path / "none.jsonl", "--db", store)
    binary = mimir("import", tmp_path / "binary", "--db", store)
    foreign = mimir("import", "-", "--db", store, input='{"format":"other","version":1}\n')
    empty = mimir("import", "-", "--db", store)

    for done, problem in (
        (missing, f"there is no file {tmp_path / 'none.jsonl'}"),
        (binary, "not UTF-8"),
        (foreign, "the format is 'other'"),
        (empty, "the file is empty"),
    ):
        assert (done.returncode, done.stdout) == (1, "")
        assert problem in done.stderr


def test_an_export_that_fails_leaves_the_old_file(mimir: Mimir, tmp_path: Path) -> None:
    target = tmp_path / "all.jsonl"
    target.write_text("precious", encoding="utf-8")
    (tmp_path / "broken.db").write_bytes(b"SQLite format 3\x00" + b"\x00" * 200)

    done = mimir("export", target, "--db", tmp_path / "broken.db")
    nowhere = mimir("export", tmp_path / "no" / "folder" / "x.jsonl", "--db", tmp_path / "new.db")

    assert done.returncode == 1
    assert target.read_text(encoding="utf-8") == "precious"
    assert "Traceback" not in done.stderr + nowhere.stderr
    assert not list(tmp_path.glob("*.part*"))


def test_another_programs_memories_are_looked_at_taken_in_and_forgotten_again(
    mimir: Mimir, tmp_path: Path
) -> None:
    graph = tmp_path / "graph.jsonl"
    graph.write_text('{"type":"entity","name":"Ada","entityType":"person","observations":["x"]}\n')
    arguments = ("import", str(graph), "--from", "mcp-memory")

    printed = [mimir(*arguments, *more).stdout for more in (["--dry-run"], [], [], ["--undo"])]

    assert [text.split("\n")[0] for text in printed] == [
        "Would import 1 new memories; 0 updated, 0 unchanged",
        "Imported 1 new memories; 0 updated, 0 unchanged",
        "Imported 0 new memories; 0 updated, 1 unchanged",
        "Forgot 1 memories; `mimir purge` erases them",
    ]


def test_a_store_of_the_rust_program_is_copied_and_what_is_lost_is_said(
    mimir: Mimir, tmp_path: Path
) -> None:
    store = RustStore(tmp_path / "old.db")
    store.remember("mem-000000000001", "queue", {"content": "use NATS"})
    store.remember("mem-000000000002", "time", {"content": "x"}, at="yesterday")
    store.close()

    done = mimir("migrate", "--from", str(tmp_path / "old.db"), "--to", str(tmp_path / "new.db"))

    assert done.returncode == 1
    assert done.stdout.startswith("2 memories: 1 created")
    assert "not as it was: mem-000000000002: its created_at_unix_ms" in done.stdout


def test_a_sealed_export_comes_back_with_its_key_alone(
    mimir: Mimir, store: Path, tmp_path: Path
) -> None:
    key, target, other = tmp_path / "its.key", tmp_path / "all.sealed", tmp_path / "other.db"
    mimir("keygen", "--key-file", key)
    sealed = ("--seal-encryption-key", key)

    exported = mimir("export", target, *sealed, "--db", store)
    bare = mimir("import", target, "--no-embed", "--db", other)
    imported = mimir("import", target, *sealed, "--no-embed", "--db", other)

    assert (exported.returncode, exported.stdout) == (0, "Exported 4 memories\n")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert b"NATS" not in target.read_bytes()
    assert (bare.returncode, bare.stderr) == (
        3, f"mimir: {target} is sealed: give its key with --seal-encryption-key\n",
    )  # fmt: skip
    assert imported.stdout.startswith("Imported 4 new memories")
    assert mimir("export", "-", "--db", other).stdout == mimir("export", "-", "--db", store).stdout


def test_a_sealed_store_exports_for_its_own_key_and_a_cut_file_brings_nothing(
    mimir: Mimir, tmp_path: Path
) -> None:
    key, target, other = tmp_path / "its.key", tmp_path / "all.sealed", tmp_path / "other.db"
    mimir("keygen", "--key-file", key)
    store = ("--encryption-key", key, "--db", tmp_path / "sealed.db")
    mimir("write", "--category", "note", "--key", "one", "--body", "canarywhistle", *store)

    mimir("export", target, "--seal", *store)
    content = target.read_bytes()
    target.write_bytes(content[:-1])
    cut = mimir("import", target, "--no-embed", "--encryption-key", key, "--db", other)
    target.write_bytes(content)
    whole = mimir("import", target, "--no-embed", "--encryption-key", key, "--db", other)

    assert b"canarywhistle" not in content
    assert (cut.returncode, cut.stdout) == (1, "")
    assert cut.stderr == f"mimir: {target}: part 1 was changed, moved or cut off\n"
    assert whole.stdout.startswith("Imported 1 new memories")


def test_what_cannot_be_sealed_or_opened_so_is_refused(
    mimir: Mimir, store: Path, tmp_path: Path
) -> None:
    key, plain = tmp_path / "its.key", tmp_path / "plain.jsonl"
    mimir("keygen", "--key-file", key)
    mimir("export", plain, "--db", store)

    keyless = mimir("export", tmp_path / "x", "--seal", "--db", store)
    unsealed = mimir("import", plain, "--seal-encryption-key", key, "--db", store)

    assert (keyless.returncode, (tmp_path / "x").exists()) == (2, False)
    assert "the store has no key" in keyless.stderr
    assert (unsealed.returncode, unsealed.stdout) == (3, "")
    assert "is not sealed, and a key was given for it" in unsealed.stderr


def test_a_dry_run_prints_what_the_import_then_does_and_undo_needs_no_file(
    mimir: Mimir, store: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"key":"a","content":"one"}\n{"key":"b","content":"two"}\n{"key":\n')
    command = ("import", path, "--from", "jsonl", "--db", store)

    dry = mimir(*command, "--dry-run")
    real = mimir(*command, "--no-embed")
    path.unlink()
    undone = mimir("import", "--from", "jsonl", "--undo", "--db", store)
    bare = mimir("import", "--db", store)

    assert dry.stdout.replace("Would import", "Imported") == real.stdout
    assert "2 new memories" in real.stdout
    assert "not taken: line 3" in real.stdout
    assert undone.stdout.startswith("Forgot 2 memories")
    assert (bare.returncode, bare.stderr) == (2, "mimir: name the file to import\n")
