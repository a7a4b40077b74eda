"""Lines of import files."""

import json

LINK = {"target_id": "mem-1", "relationship": "about", "weight": 0.25}


def memory_line(key, text="use NATS", **more):
    return json.dumps(
        {"category": "note", "key": key, "body_json": json.dumps({"content": text}), **more}
    )


def alias(key):
    return {"category": "note", "key": key, "workspace_hash": "", "created_at_unix_ms": 1}


def version(text, **more):
    return {
        "history_id": "hist-0001",
        "category": "note",
        "key": "queue",
        "body_json": text,
        "recorded_at_unix_ms": 1,
        "invalidated_at_unix_ms": 2,
        **more,
    }
