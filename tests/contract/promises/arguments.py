"""The arguments the contract lists, with their types and values."""

from collections.abc import Mapping
from typing import Final

# Appendix A and section 5: argument -> JSON type, the required ones first. `H` marks the arguments
# that the Rust program takes without listing them; ours are all listed.
ARGUMENTS: Final[Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]]] = {
    "remember": (
        ("category", "key", "body_json"),
        {
            "category": "string", "key": "string", "body_json": "string", "status": "string",
            "type": "string", "tags": "array", "importance": "number", "topic_path": "string",
            "workspace_hash": "string", "agent_id": "string", "valid_from_unix_ms": "integer",
            "valid_to_unix_ms": "integer",
            "recall_when": "array", "always_on": "boolean", "certainty": "number",
            "visibility": "string", "layer": "string",
        },
    ),
    "recall": (
        ("query",),
        {
            "query": "string", "category": "string", "type": "string", "topic_path": "string",
            "limit": "integer", "offset": "integer", "min_decay": "number", "mode": "string",
            "include_archived": "boolean", "include_confidence": "boolean", "reinforce": "boolean",
            "expansion": "object", "preview_cap": "integer", "content_weight": "number",
            "trust_weight": "number", "diversity_halving": "number",
            "recency_half_life_secs": "number", "workspace_hash": "string", "agent_id": "string",
            "layer": "string", "valid_at": "integer", "valid_from_unix_ms": "integer",
            "valid_to_unix_ms": "integer", "valid_op": "string", "always_on": "boolean",
        },
    ),
    "recall_layer": (("layer",), {"layer": "string", "limit": "integer"}),
    "semantic_search": (
        ("query",),
        {
            "query": "string", "limit": "integer", "category": "string",
            "workspace_hash": "string", "agent_id": "string",
        },
    ),
    "context": (
        (),
        {
            "categories": "array", "limit": "integer", "workspace_hash": "string",
            "query": "string", "mode": "string", "model": "string", "max_context_chars": "integer",
        },
    ),
    "recall_when": (
        ("context",), {"context": "string", "limit": "integer", "workspace_hash": "string"},
    ),
    "extract": (
        (), {"text": "string", "category": "string", "key": "string", "strategy": "string"},
    ),
    "get_entity": (("id",), {"id": "string"}),
    "history": (
        ("category", "key"),
        {"category": "string", "key": "string", "limit": "integer", "offset": "integer"},
    ),
    "as_of": (
        ("category", "key", "as_of_unix_ms"),
        {"category": "string", "key": "string", "as_of_unix_ms": "integer"},
    ),
    "valid_at": (
        ("category", "key", "valid_at_unix_ms"),
        {"category": "string", "key": "string", "valid_at_unix_ms": "integer"},
    ),
    "bitemporal": (
        ("category", "key", "tx_at_unix_ms", "valid_at_unix_ms"),
        {
            "category": "string", "key": "string", "tx_at_unix_ms": "integer",
            "valid_at_unix_ms": "integer",
        },
    ),
    "score": (
        ("category", "key", "score"),
        {"category": "string", "key": "string", "score": "number"},
    ),
    "follow": (
        ("category", "key", "followed"),
        {
            "category": "string", "key": "string", "followed": "boolean", "context": "string",
            "workspace_hash": "string",
        },
    ),
    "correct": (
        ("wrong_approach", "user_correction", "task_context"),
        {
            "wrong_approach": "string", "user_correction": "string", "task_context": "string",
            "session_id": "string", "tags": "array", "category": "string", "visibility": "string",
            "valid_from_unix_ms": "integer", "valid_to_unix_ms": "integer",
        },
    ),
    "conflicts": (
        ("category",),
        {
            "category": "string", "threshold": "number", "limit": "integer", "offset": "integer",
            "resolve": "boolean", "dry_run": "boolean", "certainty_margin": "number",
        },
    ),
    "bench": (
        ("task_description", "turns_taken", "tokens_used", "memory_recall_used"),
        {
            "task_description": "string", "turns_taken": "integer", "tokens_used": "integer",
            "memory_recall_used": "boolean", "recall_count": "integer", "task_success": "boolean",
            "session_id": "string", "tags": "array",
        },
    ),
    "memories": (
        ("command",),
        {
            "command": "string", "path": "string", "file_text": "string", "old_str": "string",
            "new_str": "string", "insert_line": "integer", "insert_text": "string",
            "old_path": "string", "new_path": "string",
        },
    ),
    "supersede": (
        ("from_category", "from_key", "to_category", "to_key"),
        {
            "from_category": "string", "from_key": "string", "to_category": "string",
            "to_key": "string", "reason": "string", "relationship": "string",
            "valid_to_unix_ms": "integer",
        },
    ),
    "forget": (("category", "key"), {"category": "string", "key": "string", "reason": "string"}),
    "link": (
        ("from_category", "from_key", "to_id"),
        {
            "from_category": "string", "from_key": "string", "to_id": "string",
            "relationship": "string",
        },
    ),
    "unlink": (
        ("from_category", "from_key", "to_id"),
        {"from_category": "string", "from_key": "string", "to_id": "string"},
    ),
    "traverse": (
        ("category", "key"),
        {
            "category": "string", "key": "string", "max_depth": "integer", "max_nodes": "integer",
        },
    ),
    "undo": (
        (), {"journal_id": "string", "source": "string", "since_unix_ms": "integer"},
    ),
    "path": (("from_id", "to_id"), {"from_id": "string", "to_id": "string"}),
    "related": (("ids",), {"ids": "array"}),
    "communities": (
        (),
        {"workspace_hash": "string", "algorithm": "string", "min_size": "integer"},
    ),
    "community_summary": (
        ("community_id",),
        {"community_id": "string", "use_llm": "boolean", "refresh": "boolean"},
    ),
    "global_recall": (
        ("query",),
        {
            "query": "string", "workspace_hash": "string", "top_communities": "integer",
            "limit": "integer", "auto_detect": "boolean", "use_llm": "boolean",
        },
    ),
    "embed": (
        (),
        {
            "text": "string", "category": "string", "key": "string", "batch_category": "string",
            "batch_limit": "integer",
        },
    ),
    "journal": (
        (),
        {
            "event_type": "string", "evaluated": "object", "acted": "object", "forward": "object",
            "category": "string", "key": "string", "entity_id": "string", "agent_id": "string",
        },
    ),
    "timeline": (
        (),
        {
            "from_ms": "integer", "to_ms": "integer", "event_type": "string", "category": "string",
            "entity_id": "string", "limit": "integer", "offset": "integer",
        },
    ),
    "state_set": (
        ("key", "value_json"),
        {"key": "string", "value_json": "string", "ttl_seconds": "integer"},
    ),
    "state_get": (("key",), {"key": "string"}),
    "state_delete": (("key",), {"key": "string"}),
    "state_list": ((), {"prefix": "string"}),
    "reindex": ((), {}),
    "workspace_list": ((), {}),
    "health": ((), {}),
    "stats": ((), {}),
    "purge": ((), {"dry_run": "boolean"}),
    "share": (
        ("category", "key", "to_workspace"),
        {"category": "string", "key": "string", "to_workspace": "string"},
    ),
    "federate": (
        ("from_workspace", "to_workspace"),
        {"from_workspace": "string", "to_workspace": "string", "vault_dir": "string"},
    ),
    "ingest": ((), {"connector": "string", "dry_run": "boolean"}),
    "ingest_file": (
        ("path",),
        {"path": "string", "category": "string", "key": "string", "tags": "array"},
    ),
    "migrate": (("from_path",), {"from_path": "string"}),
    "prune": (
        (),
        {
            "category": "string", "min_decay": "number", "older_than_days": "integer",
            "limit": "integer", "dry_run": "boolean", "purge_all": "boolean", "scope": "string",
            "max_age_days": "integer", "max_versions_per_key": "integer", "max_bytes": "integer",
        },
    ),
    "cohere": (
        (),
        {
            "dry_run": "boolean", "max_links": "integer", "promote_threshold": "integer",
            "archive_threshold": "number",
        },
    ),
    "autocohere": ((), {"dry_run": "boolean"}),
    "consolidate": (
        ("category",),
        {
            "category": "string", "similarity_threshold": "number", "limit": "integer",
            "offset": "integer", "dry_run": "boolean", "cold_first": "boolean",
            "archive_sources": "boolean",
        },
    ),
    "maintenance": (
        (),
        {
            "dedup": "boolean", "orphans": "boolean", "vacuum": "boolean", "reindex": "boolean",
            "history": "boolean", "all": "boolean", "dry_run": "boolean",
        },
    ),
    "compact": ((), {"min_decay": "number", "dry_run": "boolean"}),
    "decay": ((), {}),
    "vault_export": (("vault_dir",), {"vault_dir": "string", "workspace_hash": "string"}),
    "vault_import": (("vault_dir",), {"vault_dir": "string"}),
}  # fmt: skip

ENUMS: Final = {
    ("communities", "algorithm"): {"label_prop", "louvain"},
    ("prune", "scope"): {"entities", "history"},
    ("memories", "command"): {"view", "create", "str_replace", "insert", "delete", "rename"},
    ("recall", "mode"): {"fts5", "dense", "hybrid"},
    ("recall", "valid_op"): {"overlaps", "contains"},
    ("recall_layer", "layer"): {"world", "episodic", "semantic"},
}
