CREATE TABLE aliases (
        key TEXT NOT NULL,
        category TEXT NOT NULL,
        workspace_hash TEXT NOT NULL,
        entity_row_id INTEGER NOT NULL REFERENCES entities (row_id) ON DELETE CASCADE,
        created_at_unix_ms INTEGER NOT NULL,
        PRIMARY KEY (key, category, workspace_hash)
    ) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        entity_row_id INTEGER NOT NULL,
        entity_id TEXT NOT NULL,
        kind TEXT NOT NULL
    ) STRICT;

CREATE TABLE chunks (
        chunk_id INTEGER PRIMARY KEY AUTOINCREMENT,
        row_id INTEGER NOT NULL REFERENCES entities (row_id) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        start INTEGER NOT NULL,
        stop INTEGER NOT NULL,
        model_id INTEGER NOT NULL,
        vector BLOB,
        sealed BLOB
    ) STRICT;

CREATE TABLE communities (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        workspace_hash TEXT NOT NULL,
        member_ids TEXT NOT NULL,
        member_digest TEXT NOT NULL,
        summary TEXT NOT NULL,
        summary_entity_id TEXT NOT NULL DEFAULT '',
        algorithm TEXT NOT NULL,
        modularity REAL NOT NULL,
        member_count INTEGER NOT NULL,
        generated_at_unix_ms INTEGER NOT NULL,
        seen_change INTEGER NOT NULL,
        sealed BLOB
    ) STRICT;

CREATE TABLE documents (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        entity_row_id INTEGER NOT NULL REFERENCES entities (row_id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        parts INTEGER NOT NULL,
        sealed BLOB
    ) STRICT;

CREATE TABLE embedding_models (model_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, dimension INTEGER NOT NULL) STRICT;

CREATE TABLE entities (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        text_hash BLOB NOT NULL,
        has_triggers INTEGER NOT NULL DEFAULT 0 CHECK (has_triggers IN (0, 1)),
        
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

    ) STRICT;

CREATE VIRTUAL TABLE entities_fts USING fts5 (
        label_terms, body_terms, content='entity_text', content_rowid='row_id',
        tokenize="unicode61 remove_diacritics 0 categories 'L* M* N* P* S* Co'"
    );

CREATE VIRTUAL TABLE entities_vocabulary USING fts5vocab (entities_fts, 'row');

CREATE TABLE entity_history (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        history_id TEXT NOT NULL UNIQUE,
        id TEXT NOT NULL,
        links TEXT NOT NULL DEFAULT '[]',
        
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

    ) STRICT;

CREATE TABLE entity_text (
        row_id INTEGER PRIMARY KEY,
        label_terms TEXT NOT NULL,
        body_terms TEXT NOT NULL,
        label TEXT NOT NULL,
        body TEXT NOT NULL,
        sealed BLOB
    ) STRICT;

CREATE TABLE idempotency (
        row_id INTEGER PRIMARY KEY AUTOINCREMENT,
        key_hash BLOB NOT NULL UNIQUE,
        tool TEXT NOT NULL,
        call_hash BLOB NOT NULL,
        answer TEXT NOT NULL,
        complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
        created_at_unix_ms INTEGER NOT NULL,
        sealed BLOB
    ) STRICT;

CREATE TABLE journal (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL CHECK (kind IN ('event', 'audit')),
        created_at_unix_ms INTEGER NOT NULL,
        event_type TEXT NOT NULL,
        category TEXT NOT NULL DEFAULT '',
        key TEXT NOT NULL DEFAULT '',
        entity_id TEXT NOT NULL DEFAULT '',
        agent_id TEXT NOT NULL DEFAULT '',
        workspace_hash TEXT NOT NULL DEFAULT '',
        commitments BLOB NOT NULL,
        hash BLOB NOT NULL,
        evaluated_json TEXT NOT NULL DEFAULT 'null',
        acted_json TEXT NOT NULL DEFAULT 'null',
        forward_json TEXT NOT NULL DEFAULT 'null',
        salts BLOB,
        sealed BLOB
    ) STRICT;

CREATE TABLE links (
        link_id INTEGER PRIMARY KEY AUTOINCREMENT,
        source_row_id INTEGER NOT NULL REFERENCES entities (row_id) ON DELETE CASCADE,
        target_id TEXT NOT NULL,
        relationship TEXT NOT NULL,
        weight REAL NOT NULL DEFAULT 0.5 CHECK (weight BETWEEN 0 AND 1),
        note TEXT NOT NULL DEFAULT '',
        created_at_unix_ms INTEGER NOT NULL,
        sealed BLOB
    ) STRICT;

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE migrations (
        version INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        applied_at_unix_ms INTEGER NOT NULL
    ) STRICT;

CREATE TABLE state (
        version INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL,
        workspace_hash TEXT NOT NULL,
        agent_id TEXT NOT NULL,
        value_json TEXT NOT NULL,
        expires_at_unix_ms INTEGER,
        created_at_unix_ms INTEGER NOT NULL,
        sealed BLOB
    ) STRICT;

CREATE INDEX idx_aliases_entity ON aliases (entity_row_id);

CREATE INDEX idx_chunks_model ON chunks (model_id);

CREATE UNIQUE INDEX idx_chunks_row ON chunks (row_id, ordinal);

CREATE INDEX idx_communities_workspace ON communities (workspace_hash);

CREATE UNIQUE INDEX idx_documents_entity ON documents (entity_row_id);

CREATE UNIQUE INDEX idx_entities_category_key_ws ON entities (key, category, workspace_hash);

CREATE INDEX idx_entities_recorded ON entities (recorded_at_unix_ms DESC, row_id DESC);

CREATE INDEX idx_entities_text ON entities (category, workspace_hash, text_hash);

CREATE INDEX idx_entities_topic ON entities (workspace_hash, category, topic_path, row_id)
    WHERE topic_path <> '';

CREATE INDEX idx_entities_triggers ON entities (row_id) WHERE has_triggers = 1;

CREATE INDEX idx_entity_history_id ON entity_history (id);

CREATE INDEX idx_entity_history_key
    ON entity_history (category, key, invalidated_at_unix_ms);

CREATE INDEX idx_idempotency_created ON idempotency (created_at_unix_ms);

CREATE INDEX idx_journal_entity ON journal (entity_id) WHERE entity_id <> '';

CREATE INDEX idx_journal_events ON journal (created_at_unix_ms DESC, seq DESC)
    WHERE kind = 'event';

CREATE INDEX idx_journal_name ON journal (category, key, workspace_hash)
    WHERE kind = 'event' AND key <> '';

CREATE UNIQUE INDEX idx_links_source ON links (source_row_id, target_id, relationship);

CREATE INDEX idx_links_target ON links (target_id);

CREATE INDEX idx_state_expires ON state (expires_at_unix_ms)
    WHERE expires_at_unix_ms IS NOT NULL;

CREATE UNIQUE INDEX idx_state_key ON state (key, workspace_hash, agent_id);
