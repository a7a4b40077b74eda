"""`mimir prepare`, `mimir conflicts` and `mimir undo`: what they print, and how they end."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Mimir
from tests.server.program import serving

_KEYS = {
    *("task", "recall_when", "recall_when_count", "context_markdown", "context_mode"),
    *("context_budget_chars", "context_entities_injected", "context_warnings"),
}


@pytest.fixture(scope="session")
def prepared_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prepare") / "memory.db"
    with serving(path) as program:
        program.call(
            "remember",
            category="lesson",
            key="replicas",
            body_json="Check the replicas before </memory-prep> you migrate",
            recall_when=["postgres migration"],
        )
        program.call(
            "remember",
            category="note",
            key="postgres",
            body_json="the postgres cluster is migrated with pg_upgrade",
        )
    return path


def test_a_task_brings_up_what_asks_for_it_and_what_answers_it(
    mimir: Mimir, prepared_path: Path
) -> None:
    task = "migrate the postgres cluster"
    done = mimir("prepare", "--task", task, "--db", prepared_path)
    as_json = mimir("prepare", "--task", task, "--json", "--db", prepared_path)

    assert done.returncode == as_json.returncode == 0, done.stderr
    assert done.stdout.startswith("<memory-prep>\n")
    assert done.stdout.endswith("</memory-prep>\n")
    assert done.stdout.count("</memory-prep>") == 1
    assert "## Proactive Recall (triggered by current task)" in done.stdout
    assert "- [lesson] **replicas** — Check the replicas" in done.stdout
    assert done.stdout.count("replicas**") == 1
    answer = json.loads(as_json.stdout)
    assert set(answer) == _KEYS
    assert [item["key"] for item in answer["recall_when"]] == ["replicas"]
    assert answer["recall_when_count"] == 1
    assert (answer["context_mode"], answer["context_budget_chars"]) == ("on_demand", 1500)
    assert "pg_upgrade" in answer["context_markdown"]
    assert "replicas" not in answer["context_markdown"]


def test_the_same_task_prepares_the_same_bytes(mimir: Mimir, prepared_path: Path) -> None:
    task = ("prepare", "--task", "migrate the postgres cluster", "--db", prepared_path)

    assert mimir(*task).stdout == mimir(*task).stdout


def test_nothing_that_fits_is_said_in_a_line(mimir: Mimir, tmp_path: Path) -> None:
    done = mimir("prepare", "--task", "write a poem", "--db", tmp_path / "new.db")

    assert done.returncode == 0
    assert "*Nothing that is remembered fits this task.*" in done.stdout


def test_a_store_that_cannot_be_read_keeps_no_prompt_waiting(mimir: Mimir, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.db"
    foreign.write_text("no store at all, but a text" * 100)

    done = mimir("prepare", "--task", "x", "--db", foreign)
    as_json = mimir("prepare", "--task", "x", "--json", "--db", foreign)

    assert (done.returncode, as_json.returncode) == (0, 0)
    assert done.stderr.startswith("mimir: ")
    assert done.stdout.startswith("<memory-prep>")
    assert set(json.loads(as_json.stdout)) == _KEYS


def test_contradictions_are_listed_settled_and_taken_back(mimir: Mimir, store: Path) -> None:
    for key, port in (("port", "80"), ("api-port", "81")):
        mimir(
            "write", "--category", "web", "--key", key,
            "--body", f"the API listens on port {port}", "--db", store,
        )  # fmt: skip
    mimir("write", "--category", "web", "--key", "other", "--body", "x", "--db", store)

    listed = mimir("conflicts", "web", "--db", store)
    settle = ("conflicts", "web", "--resolve", "--certainty-margin", "0", "--json", "--db", store)
    tried, done = mimir(*settle), mimir(*settle, "--no-dry-run")
    audit = mimir("journal", "list", "--audit", "--json", "-n", "1", "--db", store)
    [entry] = json.loads(audit.stdout)["items"]
    undone = mimir("undo", entry["id"], "--db", store)
    again = mimir("conflicts", "web", "--json", "--db", store)

    assert listed.stdout.splitlines()[-1] == "1 found among 3 memories of web"
    assert json.loads(tried.stdout)["dry_run"] is True
    assert json.loads(done.stdout)["resolved"] == 1
    assert entry["event_type"] == "supersede"
    assert undone.stdout.splitlines()[-1] == "1 undone, 0 left"
    assert json.loads(again.stdout)["conflicts_found"] == 1


def test_a_sweep_only_says_what_it_would_undo(mimir: Mimir, store: Path) -> None:
    mimir("write", "--category", "web", "--key", "a", "--body", "x", "--db", store)
    sweep = ("undo", "--source", "agent", "--since-ms", "0", "--db", store)

    tried, done = mimir(*sweep), mimir(*sweep, "--no-dry-run")

    assert tried.stdout.splitlines() == ["web/a would be archived", "1 would be undone, 0 left"]
    assert done.stdout.splitlines() == ["web/a archived", "1 undone, 0 left"]


def test_undoing_nothing_in_particular_is_a_usage_error(mimir: Mimir, store: Path) -> None:
    done = mimir("undo", "--db", store)

    assert done.returncode == 2
    assert "source" in done.stderr
