-- A user may have no role in the whole fleet, and no password yet.
-- Built beside the old tables and renamed: dropping `users` first would take every session with it.
CREATE TABLE users_anew (
    id            TEXT PRIMARY KEY,
    email         TEXT    NOT NULL UNIQUE COLLATE NOCASE,
    name          TEXT    NOT NULL,
    -- NULL until the link was used with which to choose one.
    password_hash TEXT,
    -- In the whole fleet; NULL for who is a member of projects only.
    role          TEXT CHECK (role IN ('viewer', 'operator', 'admin')),
    disabled      INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL
) STRICT;
INSERT INTO users_anew SELECT id, email, name, password_hash, role, disabled, created_at FROM users;

CREATE TABLE sessions_anew (
    token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id    TEXT    NOT NULL REFERENCES users_anew (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
INSERT INTO sessions_anew SELECT token_hash, user_id, created_at, expires_at FROM sessions;

DROP TABLE sessions;
DROP TABLE users;
-- What refers to the renamed tables follows.
ALTER TABLE users_anew RENAME TO users;
ALTER TABLE sessions_anew RENAME TO sessions;
CREATE INDEX sessions_user ON sessions (user_id);

-- One-time links with which to choose a password; only the hash of a link's token is kept. One a user.
CREATE TABLE invitations (
    user_id    TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    token_hash BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE memberships (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role       TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    PRIMARY KEY (project_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_user ON memberships (user_id);

-- Tokens for programs. Only their hash is kept.
CREATE TABLE api_tokens (
    id           TEXT PRIMARY KEY,
    token_hash   BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    name         TEXT    NOT NULL,
    -- NULL for a service's.
    owner        TEXT REFERENCES users (id) ON DELETE CASCADE,
    -- JSON: the most it may do. NULL: whatever its owner may.
    roles        TEXT CHECK (roles IS NOT NULL OR owner IS NOT NULL),
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT;
CREATE INDEX api_tokens_owner ON api_tokens (owner);

-- Whose access changed: the id of a user or of a token, or the hash of a session in hexadecimal digits. Written by triggers, so that no way
-- of changing it can forget to; every console reads it and ends the streams that are not what they were.
CREATE TABLE access_changes (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL
) STRICT;

CREATE TRIGGER user_created AFTER INSERT ON users
BEGIN INSERT INTO access_changes (subject) VALUES (new.id); END;
CREATE TRIGGER user_changed AFTER UPDATE OF role, disabled ON users
WHEN old.role IS NOT new.role OR old.disabled <> new.disabled
BEGIN INSERT INTO access_changes (subject) VALUES (new.id); END;
CREATE TRIGGER user_deleted AFTER DELETE ON users
BEGIN INSERT INTO access_changes (subject) VALUES (old.id); END;
CREATE TRIGGER membership_created AFTER INSERT ON memberships
BEGIN INSERT INTO access_changes (subject) VALUES (new.user_id); END;
CREATE TRIGGER membership_changed AFTER UPDATE OF role ON memberships
WHEN old.role <> new.role
BEGIN INSERT INTO access_changes (subject) VALUES (new.user_id); END;
CREATE TRIGGER membership_deleted AFTER DELETE ON memberships
BEGIN INSERT INTO access_changes (subject) VALUES (old.user_id); END;
CREATE TRIGGER token_revoked AFTER UPDATE OF revoked_at ON api_tokens
BEGIN INSERT INTO access_changes (subject) VALUES (new.id); END;
CREATE TRIGGER token_deleted AFTER DELETE ON api_tokens
BEGIN INSERT INTO access_changes (subject) VALUES (old.id); END;
CREATE TRIGGER session_ended AFTER DELETE ON sessions
BEGIN INSERT INTO access_changes (subject) VALUES (lower(hex(old.token_hash))); END;
