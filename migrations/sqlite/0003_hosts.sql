-- Machines that run our agent. Like the other entities: the row as JSON, and beside it what the database itself must hold true.
CREATE TABLE hosts (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    row  TEXT NOT NULL
) STRICT;

-- Only the hash of a host's token is kept. One token a host: a new one takes the place of the old.
CREATE TABLE host_tokens (
    host_id    TEXT PRIMARY KEY REFERENCES hosts (id) ON DELETE CASCADE,
    token_hash BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at INTEGER NOT NULL
) STRICT;

-- Every command, whole; the snapshot holds those that are not over and the newest of the others. A host's history outlives it.
CREATE TABLE commands (
    id       TEXT PRIMARY KEY,
    host_id  TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    is_over  INTEGER NOT NULL,
    row      TEXT    NOT NULL
) STRICT;
CREATE INDEX commands_host ON commands (host_id, at);
CREATE INDEX commands_open ON commands (is_over, at);

CREATE TABLE pipelines (
    id      TEXT PRIMARY KEY,
    at      INTEGER NOT NULL,
    is_over INTEGER NOT NULL,
    row     TEXT    NOT NULL
) STRICT;
CREATE INDEX pipelines_open ON pipelines (is_over, at);

CREATE TABLE pull_requests (
    number INTEGER PRIMARY KEY,
    row    TEXT NOT NULL
) STRICT;

-- What the hosts should be.
CREATE TABLE repository (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    row TEXT NOT NULL
) STRICT;
