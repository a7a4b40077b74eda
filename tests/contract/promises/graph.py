"""Examples of the tools of links and communities."""

from typing import Final

from tests.contract.promises.kinds import (
    INT,
    MEMORY_ID,
    NUMBER,
    TEXT,
    TIME,
    Kind,
    Promise,
    Refusal,
    fact,
)

COMMUNITY_ID: Final = Kind((str,), "com-[0-9a-f]{16}")
_API: Final = fact("arch", "api", "axum service", tags=["backend"])
_DB: Final = fact("arch", "db", "stores the data in PostgreSQL", tags=["backend"])
_NAME: Final = {"category": "arch", "key": "api"}
_ENDS: Final = {"from_category": "arch", "from_key": "api", "to_id": "{id}"}
_LINK: Final = ("link", {**_ENDS, "relationship": "depends_on"})
_LINKED: Final = (_API, _DB, _LINK)
_FOUND: Final = (*_LINKED, ("communities", {}))

PROMISES: Final = (
    Promise(
        "5.16",
        "a memory is linked to another one",
        _LINK,
        {"success": True, "from": "arch/api", "to": MEMORY_ID, "relationship": "depends_on"},
        before=(_API, _DB),
    ),
    Promise(
        "5.16",
        "a link without a relationship is called related, and linking again is no error",
        ("link", _ENDS),
        {"success": True, "from": "arch/api", "to": MEMORY_ID, "relationship": "related"},
        before=(_API, _DB, ("link", _ENDS)),
    ),
    Promise(
        "5.16",
        "an item tells of its links",
        ("recall", {"query": "axum", "limit": 1}),
        {
            "items": [
                {
                    "key": "api",
                    "links": [
                        {"target_id": MEMORY_ID, "relationship": "depends_on", "weight": 0.5}
                    ],
                }
            ],
            "total": 1,
        },
        before=_LINKED,
    ),
    Promise(
        "5.17",
        "the links to a memory are removed",
        ("unlink", _ENDS),
        {"success": True, "from": "arch/api", "to": MEMORY_ID},
        before=_LINKED,
    ),
    Promise(
        "5.17",
        "a link that is not there is no error",
        ("unlink", {**_ENDS, "to_id": "mem-none"}),
        {"success": True, "from": "arch/api", "to": "mem-none"},
        before=_LINKED,
    ),
    Promise(
        "5.32",
        "what is linked is reached",
        ("traverse", _NAME),
        {
            "entity": {
                "id": MEMORY_ID,
                **_NAME,
                "body_json": '{"content":"axum service"}',
                "links": [{"target_id": MEMORY_ID, "relationship": "depends_on"}],
            },
            "traversed": [
                {
                    "id": MEMORY_ID,
                    "category": "arch",
                    "key": "db",
                    "body_json": '{"content":"stores the data in PostgreSQL"}',
                    "relationship": "depends_on",
                    "depth": 1,
                    "links": [],
                }
            ],
        },
        before=_LINKED,
    ),
    Promise(
        "5.32",
        "a depth of nothing reaches nothing",
        ("traverse", {**_NAME, "max_depth": 0, "max_nodes": 5}),
        {"entity": {"id": MEMORY_ID, **_NAME}, "traversed": []},
        before=_LINKED,
    ),
    Promise(
        "ours",
        "a path leads over links",
        ("path", {"from_id": "{id}", "to_id": "{id}"}),
        {"found": True, "length": 0, "path": [{"id": MEMORY_ID, "key": "db"}]},
        before=_LINKED,
    ),
    Promise(
        "ours",
        "what is linked is related",
        ("related", {"ids": ["{id}"]}),
        {"related": [{"id": MEMORY_ID, "key": "api", "score": NUMBER}], "total": 1},
        before=_LINKED,
    ),
    Promise(
        "5.53",
        "what is linked makes a community",
        ("communities", {}),
        {
            "workspace_hash": "",
            "algorithm": "label_prop",
            "node_count": 2,
            "edge_count": 1,
            "modularity": 0.0,
            "communities": [
                {
                    "id": COMMUNITY_ID,
                    "size": 2,
                    "member_ids": [MEMORY_ID, MEMORY_ID],
                    "summary": TEXT,
                }
            ],
            "stale_summaries_archived": 0,
            "generated_at_unix_ms": TIME,
        },
        before=_LINKED,
    ),
    Promise(
        "5.53",
        "without links there are none",
        ("communities", {"algorithm": "louvain", "min_size": 0}),
        {
            "algorithm": "louvain",
            "node_count": 2,
            "edge_count": 0,
            "modularity": 0.0,
            "communities": [],
        },
        before=(_API, _DB),
    ),
    Promise(
        "5.54",
        "a summary is held by a memory of its own",
        ("community_summary", {"community_id": "{community}"}),
        {
            "community_id": COMMUNITY_ID,
            "summary": TEXT,
            "summary_entity_id": MEMORY_ID,
            "member_count": 2,
            "cached": False,
            "llm_used": False,
        },
        before=_FOUND,
    ),
    Promise(
        "5.54",
        "a second call finds it there",
        ("community_summary", {"community_id": "{community}", "use_llm": True}),
        {"summary_entity_id": MEMORY_ID, "cached": True, "llm_used": False},
        before=(*_FOUND, ("community_summary", {"community_id": "{community}"})),
    ),
    Promise(
        "5.55",
        "communities are found first, and answer with their members",
        ("global_recall", {"query": "how does the api store data"}),
        {
            "query": "how does the api store data",
            "workspace_hash": "",
            "communities_considered": 1,
            "communities": [
                {
                    "id": COMMUNITY_ID,
                    "score": 3.0,
                    "size": 2,
                    "summary": TEXT,
                    "members": [
                        {
                            "id": MEMORY_ID,
                            "category": "arch",
                            "key": "db",
                            "score": 2.0,
                            "snippet": "stores the data in PostgreSQL",
                        },
                        {"key": "api", "score": 1.0, "snippet": "axum service"},
                    ],
                }
            ],
            "answer": TEXT,
            "llm_used": False,
        },
        before=_LINKED,
    ),
    Promise(
        "5.55",
        "nothing that matches is no error",
        ("global_recall", {"query": "submarines", "top_communities": 0, "limit": 0}),
        {"communities_considered": 1, "communities": [], "answer": TEXT},
        before=_FOUND,
    ),
    Promise(
        "5.25",
        "statistics count communities",
        ("stats", {}),
        {"total_communities": 1, "graph_modularity": 0.0, "total_entities": INT},
        before=_FOUND,
    ),
)

REFUSALS: Final = (
    Refusal("5.16", ("link", _ENDS), "Link failed: Source entity not found"),
    Refusal("5.17", ("unlink", _ENDS), "Unlink failed: Source entity not found"),
    Refusal("5.32", ("traverse", _NAME), "Traverse failed: entity not found: arch/api"),
    Refusal("5.53", ("communities", {"algorithm": "walktrap"}), "algorithm"),
    Refusal("5.54", ("community_summary", {"community_id": "com-0"}), "mimir_communities"),
    Refusal("5.55", ("global_recall", {"query": "the !"}), "Query has no searchable terms"),
)
