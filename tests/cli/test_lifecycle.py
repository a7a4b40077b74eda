"""Commands that end and merge memories print what the tools answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Mimir


def _answer(mimir: Mimir, store: Path, *arguments: str) -> dict[str, Any]:
    done = mimir(*arguments, "--db", store)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert done.stdout == json.dumps(answer, indent=2, ensure_ascii=False) + "\n"
    return answer


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("decay", "--dry-run"), {"auto_archived": 0, "dry_run": True}),
        (("compact", "--json", "--dry-run"), {"entities_archived": 0, "dry_run": True}),
        (("autocohere", "--dry-run"), {"archived_entities": 0, "dry_run": True}),
        (("cohere", "--dry-run"), {"linked": 0, "dry_run": True}),
        (("consolidate", "--category", "none", "--json"), {"observations_created": 0}),
        (("maintenance", "--all", "--dry-run"), {"errors": [], "dry_run": True}),
        (("maintenance", "--vacuum"), {"errors": [], "reindex_rows_affected": 0}),
        (
            ("prune", "--category", "none", "--min-decay", "0.5"),
            {"reason": 'prune: cat=Some("none") decay<Some(0.5) age>Noned', "archived": 0},
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_prints_what_its_tool_answers(
    mimir: Mimir, store: Path, arguments: tuple[str, ...], shown: dict[str, Any]
) -> None:
    answer = _answer(mimir, store, *arguments)

    assert {name: answer[name] for name in shown} == shown


def test_prune_without_a_choice_is_refused(mimir: Mimir, store: Path) -> None:
    done = mimir("prune", "--db", store)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mimir: min_decay: at least one of")
