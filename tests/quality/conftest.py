"""What a store holds and what was done to it last, for tests that undo."""

import pytest

_USES = {"retrieval_count", "last_accessed_unix_ms", "decay_score"}
_OF_VERSIONS = {"recorded_at_unix_ms", "supersedes", "row_id", "invalidated_at_unix_ms"}


@pytest.fixture
def state(client):
    """All memories and links as they are, but for how often used and when recorded."""

    async def read():
        left_out = _USES | _OF_VERSIONS
        rows = await client.app.database.read(
            lambda reader: reader.all("SELECT * FROM entities ORDER BY id")
        )
        kept = [{k: v for k, v in dict(row).items() if k not in left_out} for row in rows]
        links = await client.rows("SELECT source_row_id, target_id, relationship FROM links")
        return kept, sorted(links)

    return read


@pytest.fixture
def last(client):
    """The journal id of what was done last."""

    async def read():
        [entry, *_] = (await client.run("timeline", {"include_audit": True, "limit": 1}))["items"]
        return entry["id"]

    return read


@pytest.fixture
def live(client):
    """What is live, by key: all of it and the links between, but for how often used and when.

    Of all memories, or those from a row on.
    """

    async def read(since=0):
        left_out = _USES | _OF_VERSIONS
        rows = await client.app.database.read(
            lambda reader: reader.all(
                "SELECT * FROM entities WHERE archived = 0 AND row_id > ?", (since,)
            )
        )
        # Links of a succession are made anew with it.
        links = await client.rows("""
            SELECT s.key, t.key, l.relationship, l.weight, l.note,
                iif(l.relationship LIKE 'supersede%', 0, l.created_at_unix_ms)
            FROM links l JOIN entities s ON s.row_id = l.source_row_id
            JOIN entities t ON t.id = l.target_id
            WHERE s.archived = 0 AND t.archived = 0
        """)
        return {
            row["key"]: (
                {name: value for name, value in dict(row).items() if name not in left_out},
                sorted(link for link in links if link[0] == row["key"]),
            )
            for row in rows
        }

    return read
