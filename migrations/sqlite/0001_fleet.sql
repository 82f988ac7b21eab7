-- The head of the journal, and the row that serialises writers.
CREATE TABLE meta (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    epoch   INTEGER NOT NULL,
    version INTEGER NOT NULL,
    chain   BLOB    NOT NULL CHECK (length(chain) = 16)
) STRICT;

-- Every transaction, in order. `payload` is the JSON that the chain hashes, to the letter.
CREATE TABLE journal (
    version INTEGER PRIMARY KEY,
    chain   BLOB NOT NULL CHECK (length(chain) = 16),
    payload TEXT NOT NULL
) STRICT;

-- Entities: the row as JSON, and beside it what the database itself must hold true.
CREATE TABLE clusters (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    row  TEXT NOT NULL
) STRICT;

CREATE TABLE projects (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    row  TEXT NOT NULL
) STRICT;

CREATE TABLE workers (
    id         TEXT PRIMARY KEY,
    cluster_id TEXT NOT NULL REFERENCES clusters (id),
    name       TEXT NOT NULL,
    row        TEXT NOT NULL,
    UNIQUE (cluster_id, name)
) STRICT;

-- PNML by content; never changed once written.
CREATE TABLE definitions (
    hash TEXT PRIMARY KEY,
    pnml BLOB NOT NULL
) STRICT;

CREATE TABLE nets (
    id         TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects (id),
    definition TEXT NOT NULL REFERENCES definitions (hash),
    -- Checked at commit: a worker and its nets change in one transaction, in any order.
    worker_id  TEXT REFERENCES workers (id) DEFERRABLE INITIALLY DEFERRED,
    name       TEXT NOT NULL,
    row        TEXT NOT NULL,
    UNIQUE (project_id, name)
) STRICT;
CREATE INDEX nets_definition ON nets (definition);
CREATE INDEX nets_worker ON nets (worker_id);

-- The event log, whole; the snapshot holds the newest hundred.
CREATE TABLE events (
    id  INTEGER PRIMARY KEY,
    at  INTEGER NOT NULL,
    row TEXT    NOT NULL
) STRICT;

-- The first answer to every idempotency key; NULL while the action is under way.
CREATE TABLE idempotency (
    user_id TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    request TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    answer  TEXT,
    PRIMARY KEY (user_id, key)
) STRICT;
CREATE INDEX idempotency_at ON idempotency (at);
