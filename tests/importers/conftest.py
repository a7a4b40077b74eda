"""A store of the Rust program with something of everything in it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mimir_py.app import App
from mimir_py.importers import Migrated
from mimir_py.security import Trust
from tests.importers.rust_files import RustStore, sealed

_EVENTS = (
    ("jrn-0123456789ab", '{"options":2}', 1_100),
    ("jrn-ba9876543210", "not JSON", 1_200),
)


def _fill(store: RustStore, encrypt: Callable[[str, str, str], str]) -> None:
    def remember(id: str, key: str, text: str, **more: Any) -> None:
        category = more.get("category", "note")
        store.remember(id, key, text, stored=encrypt(text, category, key), **more)

    remember(
        "mem-000000000001",
        "queue",
        '{"content":"use NATS"}',
        tags='["infra","ü"]',
        layer="core",
        links='[{"target_id":"mem-000000000002","relationship":"depends_on","weight":0.7}]',
        retrieval_count=7,
        decay_score=0.25,
        certainty=0.9,
        verified=1,
        always_on=1,
        importance=0.8,
        topic_path="infra/bus",
        workspace_hash="w1",
        agent_id="ada",
        at=3_000,
        supersedes="hist-0000000000000001",
        embedding=b"\0" * 1536,
    )
    remember("mem-000000000002", "old", '{"content":"gone"}', archived=1, archive_reason="manual")
    remember("mem-000000000003", "plain", "just a file\nof text", category="memories")
    remember("mem-000000000004", "page", '{"t":"from afar"}', source="connector:github")
    if store.level >= 4:
        version = {
            "category": "note",
            "key": "queue",
            "workspace_hash": "w1",
            "created_at_unix_ms": 1_000,
            "last_accessed_unix_ms": 1_000,
            "recorded_at_unix_ms": 1_000,
            "valid_from_unix_ms": 1_000,
            "superseded_by": "mem-000000000001",
        }
        text = encrypt('{"content":"use Kafka"}', "note", "queue")
        store.add(
            "entity_history",
            **version,
            history_id="hist-0000000000000001",
            id="mem-000000000001",
            body_json=text,
            invalidated_at_unix_ms=3_000,
        )
        store.add(
            "entity_history",
            **{**version, "key": "lost"},
            history_id="hist-0000000000000002",
            id="mem-00000000dead",
            body_json=encrypt('{"content":"lost"}', "note", "lost"),
            invalidated_at_unix_ms=2_000,
        )
    for id, acted, at in _EVENTS:
        store.add(
            "journal",
            id=id,
            event_type="decision",
            evaluated_json="{}",
            acted_json=acted,
            category="note",
            key="queue",
            entity_id="mem-000000000001",
            created_at_unix_ms=at,
        )
    store.add("state", key="cursor", value_json='{"page":3}', created_at_unix_ms=5)
    store.add("state", key="past", value_json="1", expires_at_unix_ms=6, created_at_unix_ms=5)
    if store.level >= 8:
        store.add(
            "communities",
            id="com-0123456789abcdef",
            workspace_hash="w1",
            summary="messaging",
            member_ids='["mem-000000000002","mem-000000000001"]',
            member_digest="d",
            summary_entity_id="",
            algorithm="louvain",
            modularity=0.3,
            member_count=2,
            generated_at_unix_ms=9,
        )


@pytest.fixture
def rust_store(tmp_path: Path) -> Callable[..., Path]:
    """Makes a filled store of the Rust program: `rust_store(level, encrypted=..., legacy=...)`."""

    def make(
        level: int = 10, *, encrypted: bool = False, legacy: bool = False, name: str = "mneme.db"
    ) -> Path:
        path = tmp_path / "old" / name
        store = RustStore(path, level)

        def stored(text: str, category: str, key: str) -> str:
            return sealed(text, category, key, legacy=legacy) if encrypted else text

        _fill(store, stored)
        store.close()
        return path

    return make


@pytest.fixture
def migrate() -> Callable[..., Any]:
    """Migrates a file into an app: `await migrate(app, path, key=..., most=...)`."""

    async def report(done: int, total: int | None, what: str) -> None:
        pass

    async def run(
        app: App, path: Path, *, key: bytes | None = None, most: Trust = Trust.AGENT
    ) -> Migrated:
        return await app.migrations.migrate(path, most=most, report=report, key=key)

    return run
