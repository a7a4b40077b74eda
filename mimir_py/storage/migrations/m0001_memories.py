"""The first schema: memories with their versions, the change feed, and the search indexes.

Table and column names are those of the compatibility contract. Columns that filters read come
before the long ones, so that a scan never touches a body's overflow pages.
"""

import secrets
from typing import TYPE_CHECKING, Final

from mimir_py.storage.tables import Table

if TYPE_CHECKING:
    from mimir_py.storage.database import Writer

VERSION: Final = 1
NAME: Final = "memories"

# One list for both tables: a version is a memory as it was. `body_sum` is a CRC-32 of the body: not
# every bit that flips on a disk lands where SQLite looks.
_ATTRIBUTES: Final = """
    category TEXT NOT NULL,
    key TEXT NOT NULL,
    workspace_hash TEXT NOT NULL DEFAULT '',
    agent_id TEXT NOT NULL DEFAULT '',
    type TEXT NOT NULL DEFAULT 'insight',
    status TEXT NOT NULL DEFAULT 'active',
    layer TEXT NOT NULL DEFAULT 'buffer',
    topic_path TEXT NOT NULL DEFAULT '',
    archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
    archive_reason TEXT NOT NULL DEFAULT '',
    always_on INTEGER NOT NULL DEFAULT 0 CHECK (always_on IN (0, 1)),
    verified INTEGER NOT NULL DEFAULT 0 CHECK (verified IN (0, 1)),
    trust INTEGER NOT NULL DEFAULT 1 CHECK (trust BETWEEN 1 AND 6),
    decay_score REAL NOT NULL DEFAULT 1.0 CHECK (decay_score BETWEEN 0 AND 1),
    certainty REAL NOT NULL DEFAULT 0.5 CHECK (certainty BETWEEN 0 AND 1),
    importance REAL NOT NULL DEFAULT 0.0 CHECK (importance BETWEEN 0 AND 1),
    visibility TEXT NOT NULL DEFAULT 'workspace',
    source TEXT NOT NULL DEFAULT 'agent',
    retrieval_count INTEGER NOT NULL DEFAULT 0,
    created_at_unix_ms INTEGER NOT NULL,
    last_accessed_unix_ms INTEGER NOT NULL,
    recorded_at_unix_ms INTEGER NOT NULL,
    invalidated_at_unix_ms INTEGER,
    valid_from_unix_ms INTEGER,
    valid_to_unix_ms INTEGER,
    supersedes TEXT NOT NULL DEFAULT '',
    superseded_by TEXT NOT NULL DEFAULT '',
    follow_count INTEGER NOT NULL DEFAULT 0,
    miss_count INTEGER NOT NULL DEFAULT 0,
    follow_rate REAL NOT NULL DEFAULT 0 CHECK (follow_rate BETWEEN 0 AND 1),
    efficacy_status TEXT NOT NULL DEFAULT 'unverified',
    body_sum INTEGER,
    tags TEXT NOT NULL DEFAULT '[]',
    body_json TEXT NOT NULL DEFAULT '{}',
    sealed BLOB
"""
_NAMES: Final = (
    "category",
    "key",
    "workspace_hash",
    "agent_id",
    "type",
    "status",
    "layer",
    "topic_path",
    "visibility",
    "source",
)
# A checksum tells about the words it is of.
_WORDS: Final = ("archive_reason", "tags", "body_json", "body_sum")
_POINTERS: Final = ("supersedes", "superseded_by", "efficacy_status")
# Numbers that say what to think of a memory; uses and freshness change too often to be sealed.
_FACTS: Final = (
    "archived",
    "always_on",
    "verified",
    "trust",
    "certainty",
    "importance",
    "created_at_unix_ms",
    "recorded_at_unix_ms",
    "invalidated_at_unix_ms",
    "valid_from_unix_ms",
    "valid_to_unix_ms",
)

TABLES: Final = (
    Table("migrations", public=("name",)),
    Table("meta", public=("name", "value")),
    Table(
        "entities",
        sealed=_WORDS,
        names=(*_NAMES, "text_hash"),
        public=("id", *_POINTERS),
        bound=_FACTS,
    ),
    Table(
        "entity_history",
        key="seq",
        sealed=(*_WORDS, "links"),
        names=_NAMES,
        public=("history_id", "id", *_POINTERS),
        bound=_FACTS,
    ),
    Table("aliases", names=("key", "category", "workspace_hash")),
    Table("changes", key="seq", public=("entity_id", "kind")),
    Table(
        "entity_text",
        sealed=("label_terms", "body_terms", "label", "body"),
    ),
    Table("embedding_models", key="model_id", public=("name",)),
    Table("chunks", key="chunk_id", sealed=("vector",), bound=("row_id", "start", "stop")),
)

_SCHEMA: Final = (
    """
    CREATE TABLE migrations (
        version INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        applied_at_unix_ms INTEGER NOT NULL
    ) STRICT
    """,
    # Facts about the store itself: its model, the state of its indexes.
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    # row_id is what the indexes refer to; AUTOINCREMENT keeps a purged number from coming back.
    f"""
    CREATE TABLE entities (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        text_hash BLOB NOT NULL,
        has_triggers INTEGER NOT NULL DEFAULT 0 CHECK (has_triggers IN (0, 1)),
        {_ATTRIBUTES}
    ) STRICT
    """,
    """
    CREATE UNIQUE INDEX idx_entities_category_key_ws ON entities (key, category, workspace_hash)
    """,
    "CREATE INDEX idx_entities_text ON entities (category, workspace_hash, text_hash)",
    # Memories that say when to be brought up: few, and asked for at every start of a task.
    "CREATE INDEX idx_entities_triggers ON entities (row_id) WHERE has_triggers = 1",
    "CREATE INDEX idx_entities_recorded ON entities (recorded_at_unix_ms DESC, row_id DESC)",
    f"""
    CREATE TABLE entity_history (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        history_id TEXT NOT NULL UNIQUE,
        id TEXT NOT NULL,
        links TEXT NOT NULL DEFAULT '[]',
        {_ATTRIBUTES}
    ) STRICT
    """,
    "CREATE INDEX idx_entity_history_id ON entity_history (id)",
    """
    CREATE INDEX idx_entity_history_key
    ON entity_history (category, key, invalidated_at_unix_ms)
    """,
    # Keys whose text was an exact repeat: another name of the same memory.
    """
    CREATE TABLE aliases (
        key TEXT NOT NULL,
        category TEXT NOT NULL,
        workspace_hash TEXT NOT NULL,
        entity_row_id INTEGER NOT NULL REFERENCES entities (row_id) ON DELETE CASCADE,
        created_at_unix_ms INTEGER NOT NULL,
        PRIMARY KEY (key, category, workspace_hash)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX idx_aliases_entity ON aliases (entity_row_id)",
    """
    CREATE TABLE changes (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        entity_row_id INTEGER NOT NULL,
        entity_id TEXT NOT NULL,
        kind TEXT NOT NULL
    ) STRICT
    """,
    # What both search arms read: the label (key, category, tags, topic) and the body's strings,
    # as they are and as index terms (storage/terms.py).
    """
    CREATE TABLE entity_text (
        row_id INTEGER PRIMARY KEY,
        label_terms TEXT NOT NULL,
        body_terms TEXT NOT NULL,
        label TEXT NOT NULL,
        body TEXT NOT NULL,
        sealed BLOB
    ) STRICT
    """,
    # The memories before and after one, in its topic.
    """
    CREATE INDEX idx_entities_topic ON entities (workspace_hash, category, topic_path, row_id)
    WHERE topic_path <> ''
    """,
    "CREATE TABLE embedding_models (model_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " dimension INTEGER NOT NULL) STRICT",
    # model_id 0: not embedded yet. A chunk of another model waits to be embedded again.
    """
    CREATE TABLE chunks (
        chunk_id INTEGER PRIMARY KEY AUTOINCREMENT,
        row_id INTEGER NOT NULL REFERENCES entities (row_id) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        start INTEGER NOT NULL,
        stop INTEGER NOT NULL,
        model_id INTEGER NOT NULL,
        vector BLOB,
        sealed BLOB
    ) STRICT
    """,
    "CREATE UNIQUE INDEX idx_chunks_row ON chunks (row_id, ordinal)",
    "CREATE INDEX idx_chunks_model ON chunks (model_id)",
)


# The terms are made already; the tokenizer only has to part them at the spaces.
_TOKENIZE: Final = "unicode61 remove_diacritics 0 categories 'L* M* N* P* S* Co'"
KEYWORD_INDEX: Final = (
    f"""
    CREATE VIRTUAL TABLE entities_fts USING fts5 (
        label_terms, body_terms, content='entity_text', content_rowid='row_id',
        tokenize="{_TOKENIZE}"
    )
    """,
    # In how many memories a term occurs.
    "CREATE VIRTUAL TABLE entities_vocabulary USING fts5vocab (entities_fts, 'row')",
)
# Where the texts are sealed the index is in memory, made anew at each start (storage/words.py).
KEYWORD_INDEX_IN_MEMORY: Final = (
    f"""
    CREATE VIRTUAL TABLE derived.entities_fts USING fts5 (
        label_terms, body_terms, content='', contentless_delete=1, tokenize="{_TOKENIZE}"
    )
    """,
    "CREATE VIRTUAL TABLE derived.entities_vocabulary USING fts5vocab (entities_fts, 'row')",
)


def apply(tx: "Writer") -> None:
    for statement in _SCHEMA:
        tx.run(statement)
    if not tx.is_sealed:
        for statement in KEYWORD_INDEX:
            tx.run(statement)
        tx.insert_row("meta", {"name": "fence_secret", "value": secrets.token_hex(32)})
