"""Examples of the tools that move memories in and out."""

from typing import Any, Final

from tests.contract.promises.kinds import INT, MEMORY_ID, QUEUE, TEXT, TIME, Call, Promise, Refusal

_DIR: Final = {"vault_dir": "~/.mimir/vault"}
_REPORT: Final[dict[str, Any]] = {
    "files_created": INT,
    "files_updated": INT,
    "errors": [],
    "vault_dir": "~/.mimir/vault",
    "completed_at_unix_ms": TIME,
}
_EXPORT: Final[Call] = ("vault_export", _DIR)

PROMISES: Final = (
    Promise(
        "5.12",
        "watched folders are looked through",
        ("ingest", {}),
        {"ingested": 1, "dry_run": False, "errors": []},
    ),
    Promise(
        "5.12",
        "an unknown connector brings nothing",
        ("ingest", {"connector": "none"}),
        {"ingested": 0, "dry_run": False, "errors": []},
    ),
    Promise(
        "5.12",
        "a dry run says what would be",
        ("ingest", {"dry_run": True}),
        {"ingested": 1, "dry_run": True, "errors": []},
    ),
    Promise(
        "5.13",
        "a file becomes a memory",
        ("ingest_file", {"path": "README.md", "key": "readme"}),
        {
            "id": MEMORY_ID,
            "action": "created",
            "category": "document",
            "key": "readme",
            "chars": INT,
        },
    ),
    Promise(
        "5.29",
        "where there is nothing to copy, nothing is, and one error says so",
        ("migrate", {"from_path": "no-such-file.db"}),
        {
            "total_old_memories": 0,
            "entities_created": 0,
            "entities_updated": 0,
            "errors": [TEXT],
            "completed_at_unix_ms": TIME,
        },
    ),
    Promise("5.38", "memories become notes", _EXPORT, _REPORT, before=(QUEUE,)),
    Promise(
        "5.38",
        "one workspace is exported",
        ("vault_export", {**_DIR, "workspace_hash": "none"}),
        {**_REPORT, "files_created": 0, "files_updated": 0},
        before=(QUEUE,),
    ),
    Promise(
        "5.39",
        "notes become memories",
        ("vault_import", _DIR),
        _REPORT,
        before=(QUEUE, _EXPORT),
    ),
    Promise(
        "5.45",
        "a memory is copied into another workspace",
        ("share", {"category": "decision", "key": "queue", "to_workspace": "team-b"}),
        {
            "shared_id": MEMORY_ID,
            "action": "created",
            "from_workspace": "",
            "to_workspace": "team-b",
        },
        before=(QUEUE,),
    ),
    Promise(
        "5.46",
        "a workspace is copied into another one",
        ("federate", {"from_workspace": "", "to_workspace": "team-b"}),
        {"exported": 1, "remapped": 1, "imported": 1, "import_errors": []},
        before=(QUEUE,),
    ),
)
REFUSALS: Final[tuple[Refusal, ...]] = (
    Refusal("5.12", ("ingest", {}), "Ingest failed: No connectors configured"),
    Refusal(
        "5.45",
        ("share", {"category": "c", "key": "k", "to_workspace": "team-b"}),
        "Entity not found: c/k",
    ),
)
